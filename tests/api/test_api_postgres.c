/* test_api_postgres.c — leads over PostgreSQL, with the wire cut around a COMMIT: whether it was done is not known, and
 * still every lead is answered once, is there once, and comes to its end. */
#include "../store/pg_proxy.h"
#include "api_world.h"

struct place {
    struct arena *a;
    struct pg_server *server;
    struct pg_proxy *proxy;
    struct world *w;
    const char *why;
};

static int begin(void **state) {
    struct arena *a = arena_new(64 << 20);
    struct place *p = ARENA_NEW(a, struct place);
    *state = p;
    p->a = a;
#ifdef GALENA_POSTGRES
    p->server = pg_server_start(a, &p->why);
#else
    p->why = "built without PostgreSQL";
#endif
    if (!p->server)
        return 0;
    p->proxy = pg_proxy_start(a, p->server);
    assert_non_null(p->proxy);
    const struct world_options o = {.workers = 1, .database = pg_proxy_url(p->proxy)};
    p->w = world_new(arena_new((size_t)2 << 30), &o);
    return 0;
}

static int end(void **state) {
    struct place *p = *state;
    void *world = p->w;
    if (p->w)
        world_end(&world);
    arena_free(p->a);
    return 0;
}

static void test_a_commit_that_is_not_known(void **state) {
    struct place *p = *state;
    if (!p->server) {
        print_message("# skipped: %s\n", p->why);
        skip();
    }
    struct world *w = p->w;
    size_t n = 0;
    str id[40];
    assert_status(get(w, "/v1/leads", w->all), 200); /* the key is known from here on */
    for (int i = 0; i < 40; i++) {
        pg_proxy_cut(p->proxy, i % 2 == 0 ? PG_CUT_AFTER_COMMIT : PG_CUT_BEFORE_COMMIT);
        const char *body = str_format(w->a, "{\"lead_id\":\"U%d\",\"custom\":{\"employees\":99}}", i).ptr;
        struct reply r = ask(w, "POST", "/v1/leads", w->all, body);
        assert_true(r.status == 202 || r.status == 503);
        if (r.status == 202)
            id[n++] = str_copy(w->a, member_text(r.json, "id"));
    }
    pg_proxy_cut(p->proxy, PG_CUT_NEVER);
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        for (struct reply r;;) {
            r = get(w, lead_target(w, id[i], ""), w->all);
            if (r.status == 200)
                break;
            assert_int_equal(r.status, 503);
        }
        struct reply r = wait_ended(w, w->all, id[i]);
        assert_true(str_equal(member_text(r.json, "outcome"), STR("scored")));
        assert_int_equal(json_get(r.json, STR("scores"))->count, 1);
    }
    net_wait(engine_look(w->engine).waiting == 0 && engine_look(w->engine).running == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_a_commit_that_is_not_known, begin, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
