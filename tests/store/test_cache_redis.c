/* test_cache_redis.c — the cache on a real Redis server, which dies, freezes and comes back. */
#include "store/cache_suite.h"
#include "store/redis_server.h"

#include <hiredis/hiredis.h>
#include <pthread.h>

/* Longer than any back-off. */
enum { BACKOFF_OVER_MS = CACHE_BACKOFF_MAX_MS + 1 };

struct fixture {
    struct suite suite; /* first: *state is a struct suite too */
    struct redis_server *server;
};

static struct cache *open_cache(const char *url, int64_t timeout_ms) {
    struct cache *c;
    const struct cache_options o = {
        .redis_url = url, .clock = suite_clock(), .timeout_ms = timeout_ms, .seed = 42, .connections = 4};
    assert_ok(cache_open(&o, &c));
    return c;
}

static int setup(void **state) {
    struct arena *a = arena_new((size_t)1 << 30);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->suite.a = a;
    f->server = redis_server_new(a);
    redis_server_start(f->server, "");
    f->suite.cache = open_cache(f->server->url, 5000); /* a slow machine is no fault here */
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    cache_close(f->suite.cache);
    redis_server_free(f->server);
    arena_free(f->suite.a);
    return 0;
}

static struct cache_counts counts(struct cache *c) {
    struct cache_counts n;
    cache_count(c, &n);
    return n;
}

/* Redis' own answer to a command. */
static str command(struct fixture *f, const char *format, const char *arg) {
    redisContext *c = redisConnectUnix(f->server->socket);
    assert_true(c && !c->err);
    redisReply *r = redisCommand(c, format, arg);
    assert_non_null(r);
    str text = r->type == REDIS_REPLY_INTEGER ? str_format(f->suite.a, "%lld", r->integer)
                                              : str_copy(f->suite.a, (str){r->str, r->len});
    freeReplyObject(r);
    redisFree(c);
    return text;
}

static void test_values_expire(void **state) {
    struct fixture *f = *state;
    str got;
    cache_put(f->suite.cache, STR("brief"), STR("x"), 20);
    cache_put(f->suite.cache, STR("long"), STR("y"), 600000);
    while (cache_get(f->suite.cache, STR("brief"), f->suite.a, &got))
        sched_yield(); /* the server's clock goes by itself */
    assert_true(cache_get(f->suite.cache, STR("long"), f->suite.a, &got));
    str left = command(f, "PTTL galena:v:%s", "long");
    assert_in_range(strtol(left.ptr, NULL, 10), 500000, 600000);
    assert_true(counts(f->suite.cache).remote && counts(f->suite.cache).remote_up);
    assert_int_equal(counts(f->suite.cache).remote_fault, 0);
}

/* What somebody else put under our names is no value and no crash. */
static void test_foreign_values(void **state) {
    struct fixture *f = *state;
    str got;
    int64_t retry_ms;
    command(f, "SET galena:v:%s short", "a");
    command(f, "SET galena:v:%s \2longer-than-the-head", "a2");
    command(f, "LPUSH galena:v:%s x", "b");
    command(f, "SET galena:r:%s not-a-number", "c");
    command(f, "LPUSH galena:r:%s x", "d");
    assert_false(cache_get(f->suite.cache, STR("a"), f->suite.a, &got));
    assert_false(cache_get(f->suite.cache, STR("a2"), f->suite.a, &got));
    assert_false(cache_get(f->suite.cache, STR("b"), f->suite.a, &got));
    assert_true(cache_take(f->suite.cache, STR("c"), 1, 1, 1, &retry_ms));
    assert_true(cache_take(f->suite.cache, STR("d"), 0.001, 1, 1, &retry_ms)); /* counted in this process */
    assert_false(cache_take(f->suite.cache, STR("d"), 0.001, 1, 1, &retry_ms));
    cache_put(f->suite.cache, STR("b"), STR("ours"), 60000);
    assert_true(cache_get(f->suite.cache, STR("b"), f->suite.a, &got));
}

static void test_rates_are_shared_between_processes(void **state) {
    struct fixture *f = *state;
    struct cache *other = open_cache(f->server->url, 5000);
    int64_t retry_ms;
    assert_true(cache_take(f->suite.cache, STR("k"), 0.001, 3, 2, &retry_ms));
    assert_true(cache_take(other, STR("k"), 0.001, 3, 1, &retry_ms));
    assert_false(cache_take(f->suite.cache, STR("k"), 0.001, 3, 1, &retry_ms));
    assert_in_range(retry_ms, 900000, 1000000);
    /* At 1,000 a second one comes back at once. */
    for (int i = 0; i < 5; i++)
        assert_true(cache_take(other, STR("fast"), 1000, 5, 1, &retry_ms));
    while (!cache_take(other, STR("fast"), 1000, 5, 1, &retry_ms))
        assert_in_range(retry_ms, 1, 5);
    cache_close(other);
}

/* ---- the server goes away ---- */

static void test_killed_and_restarted(void **state) {
    struct fixture *f = *state;
    struct cache *c = f->suite.cache;
    struct suite_made m = {.cache = c, .value = STR("made")};
    int64_t retry_ms;
    str got;
    cache_put(c, STR("k"), STR("v"), 600000);
    assert_true(cache_get(c, STR("k"), f->suite.a, &got));
    redis_server_stop(f->server);
    assert_false(cache_get(c, STR("k"), f->suite.a, &got));
    assert_false(counts(c).remote_up);
    uint64_t faults = counts(c).remote_fault;
    assert_true(faults >= 1);
    for (int i = 0; i < 1000; i++) { /* during the back-off nothing is tried */
        cache_put(c, STR("k"), STR("v"), 600000);
        assert_false(cache_get(c, STR("k"), f->suite.a, &got));
    }
    assert_int_equal(counts(c).remote_fault, faults);
    assert_ok(cache_fetch(c, STR("k"), 60000, suite_producer(&m), f->suite.a, &got));
    assert_str(got, "made");
    /* Rates go on in this process. */
    assert_true(cache_take(c, STR("rate"), 0.001, 2, 2, &retry_ms));
    assert_false(cache_take(c, STR("rate"), 0.001, 2, 1, &retry_ms));
    for (int i = 0; i < 20; i++) { /* still gone after each back-off: one trial each */
        suite_advance_ms(BACKOFF_OVER_MS);
        assert_false(cache_get(c, STR("k"), f->suite.a, &got));
        assert_false(cache_get(c, STR("k"), f->suite.a, &got));
    }
    assert_int_equal(counts(c).remote_fault, faults + 20);
    redis_server_start(f->server, "");
    suite_advance_ms(BACKOFF_OVER_MS);
    cache_put(c, STR("k"), STR("again"), 600000);
    assert_true(cache_get(c, STR("k"), f->suite.a, &got));
    assert_str(got, "again");
    assert_true(counts(c).remote_up);
    assert_true(cache_take(c, STR("rate"), 0.001, 2, 1, &retry_ms)); /* the server's bucket is full */
}

/* The first back-off is short: at most 50 ms. */
static void test_the_back_off_grows(void **state) {
    struct fixture *f = *state;
    struct cache *c = f->suite.cache;
    str got;
    redis_server_stop(f->server);
    int64_t step_ms = 50;
    for (int i = 0; i < 6; i++, step_ms *= 2) {
        uint64_t before = counts(c).remote_fault;
        assert_false(cache_get(c, STR("k"), f->suite.a, &got));
        assert_int_equal(counts(c).remote_fault, before + 1);
        suite_advance_ms(step_ms / 2 - 1);
        assert_false(cache_get(c, STR("k"), f->suite.a, &got));
        assert_int_equal(counts(c).remote_fault, before + 1);
        suite_advance_ms(step_ms / 2 + 1);
    }
}

/* Connections that lay idle while the server was restarted do not count as its failure. */
static void test_a_restart_between_two_calls_is_not_noticed(void **state) {
    struct fixture *f = *state;
    str got;
    cache_put(f->suite.cache, STR("k"), STR("old"), 600000);
    redis_server_stop(f->server);
    redis_server_start(f->server, "");
    cache_put(f->suite.cache, STR("k"), STR("new"), 600000);
    assert_true(cache_get(f->suite.cache, STR("k"), f->suite.a, &got));
    assert_str(got, "new");
    assert_int_equal(counts(f->suite.cache).remote_fault, 0);
}

static void test_a_frozen_server_costs_the_time_limit_once(void **state) {
    struct fixture *f = *state;
    struct clock real = clock_system();
    str got;
    struct cache *c = open_cache(f->server->url, 50);
    cache_put(c, STR("k"), STR("v"), 600000);
    kill(f->server->pid, SIGSTOP);
    int64_t start = real.steady_ns();
    for (int i = 0; i < 1000; i++)
        assert_false(cache_get(c, STR("k"), f->suite.a, &got));
    assert_true(clock_second_since(&real, start) < 5);
    kill(f->server->pid, SIGCONT);
    /* It works off what it was asked; then it answers again. */
    do
        suite_advance_ms(BACKOFF_OVER_MS);
    while (!cache_get(c, STR("k"), f->suite.a, &got));
    assert_str(got, "v");
    cache_close(c);
}

struct storm {
    struct suite *s;
    atomic_int done;
    err rc;
};

static err blow(void *ctx, size_t i, struct arena *scratch) {
    struct storm *w = ctx;
    struct suite_made m = {.cache = w->s->cache, .value = STR("mixed")};
    str got;
    int64_t retry_ms;
    for (size_t k = 0; k < 300; k++) {
        struct arena_mark mark = arena_mark(scratch);
        str key = str_format(scratch, "storm-%zu", (i + k) % 20);
        TRY(cache_fetch(w->s->cache, key, 60000, suite_producer(&m), scratch, &got));
        if (!str_equal(got, m.value))
            return fail(ERR_CORRUPT, "test_other", "another value");
        if (cache_get(w->s->cache, key, scratch, &got) && !str_equal(got, m.value))
            return fail(ERR_CORRUPT, "test_other", "another value");
        (void)cache_take(w->s->cache, key, 1000, 10, 1, &retry_ms);
        arena_rewind(scratch, mark);
        suite_advance_ms(3);
        atomic_fetch_add(&w->done, 1);
    }
    return OK;
}

static void *load(void *ctx) {
    struct storm *w = ctx;
    w->rc = parallel_for(SUITE_CROWD, SUITE_CROWD, 4 << 20, blow, w);
    return NULL;
}

/* Killed and restarted again and again while threads work. */
static void test_killed_under_load(void **state) {
    struct fixture *f = *state;
    struct storm w = {.s = &f->suite};
    pthread_t loader;
    str got;
    assert_int_equal(pthread_create(&loader, NULL, load, &w), 0);
    for (int next = 100; next < 1800; next += 400) {
        while (atomic_load(&w.done) < next)
            sched_yield();
        redis_server_stop(f->server);
        while (atomic_load(&w.done) < next + 200)
            sched_yield();
        redis_server_start(f->server, "");
    }
    pthread_join(loader, NULL);
    assert_int_equal(w.rc, OK);
    suite_advance_ms(BACKOFF_OVER_MS);
    cache_put(f->suite.cache, STR("after"), STR("x"), 600000);
    assert_true(cache_get(f->suite.cache, STR("after"), f->suite.a, &got));
    assert_true(counts(f->suite.cache).remote_fault > 0);
}

/* ---- several processes ---- */

struct pair {
    struct cache *a, *b;
    atomic_int made_a, made_b, b_asks;
};

static err produce_a(void *ctx, struct arena *a, str *value) {
    struct pair *p = ctx;
    atomic_fetch_add(&p->made_a, 1);
    /* Not before b has looked in vain. */
    while (!atomic_load(&p->b_asks) || counts(p->b).miss == 0)
        sched_yield();
    *value = str_copy(a, STR("from a"));
    return OK;
}

static err produce_b(void *ctx, struct arena *a, str *value) {
    struct pair *p = ctx;
    atomic_fetch_add(&p->made_b, 1);
    *value = str_copy(a, STR("from b"));
    return OK;
}

static err ask_either(void *ctx, size_t i, struct arena *scratch) {
    struct pair *p = ctx;
    str got;
    if (i == 1) {
        while (!atomic_load(&p->made_a))
            sched_yield();
        atomic_store(&p->b_asks, 1);
    }
    const struct cache_producer producer = {i == 0 ? produce_a : produce_b, p};
    TRY(cache_fetch(i == 0 ? p->a : p->b, STR("shared"), 60000, producer, scratch, &got));
    return str_equal(got, STR("from a")) ? OK : fail(ERR_CORRUPT, "test_other", "the value of the other process");
}

/* Two caches on one server are what two processes are. */
static void test_another_process_waits_for_the_value(void **state) {
    struct fixture *f = *state;
    struct pair p = {.a = f->suite.cache, .b = open_cache(f->server->url, 5000)};
    assert_ok(parallel_for(2, 2, 1 << 20, ask_either, &p));
    assert_int_equal(p.made_a, 1);
    assert_int_equal(p.made_b, 0);
    assert_str(command(f, "EXISTS galena:l:%s", "shared"), "0");
    cache_close(p.b);
}

/* The maker in another process died: its lock runs out and the next one makes the value. */
static void test_an_abandoned_lock_runs_out(void **state) {
    struct fixture *f = *state;
    struct suite_made m = {.cache = f->suite.cache, .value = STR("made")};
    str got;
    command(f, "SET galena:l:%s 12345 PX 50", "orphan");
    assert_ok(cache_fetch(f->suite.cache, STR("orphan"), 60000, suite_producer(&m), f->suite.a, &got));
    assert_str(got, "made");
    assert_int_equal(m.times, 1);
}

/* A refresh that another process is at is left to it, and a foreign lock is not taken away. */
static void test_early_refresh_is_left_to_one_process(void **state) {
    struct fixture *f = *state;
    struct suite_made m = {.cache = f->suite.cache, .value = STR("old"), .cost_ms = 100000000};
    str got;
    assert_ok(cache_fetch(f->suite.cache, STR("dear"), 60000, suite_producer(&m), f->suite.a, &got));
    command(f, "SET galena:l:%s 12345 PX 600000", "dear");
    m.value = STR("new");
    assert_ok(cache_fetch(f->suite.cache, STR("dear"), 60000, suite_producer(&m), f->suite.a, &got));
    assert_str(got, "old");
    assert_int_equal(m.times, 1);
    assert_str(command(f, "GET galena:l:%s", "dear"), "12345");
    command(f, "DEL galena:l:%s", "dear");
    assert_ok(cache_fetch(f->suite.cache, STR("dear"), 60000, suite_producer(&m), f->suite.a, &got));
    assert_str(got, "new");
    assert_int_equal(counts(f->suite.cache).early, 2);
}

static void test_passwords_and_databases(void **state) {
    struct fixture *f = *state;
    struct arena *a = f->suite.a;
    str got;
    redis_server_stop(f->server);
    redis_server_start(f->server, "sesame open");
    struct cache *right = open_cache(str_format(a, "redis+unix://:sesame%%20open@%s?db=3", f->server->socket).ptr, 5000);
    struct cache *user = open_cache(str_format(a, "redis+unix://default:sesame%%20open@%s", f->server->socket).ptr, 5000);
    struct cache *wrong = open_cache(str_format(a, "redis+unix://:guess@%s", f->server->socket).ptr, 5000);
    cache_put(right, STR("k"), STR("v"), 60000);
    assert_true(cache_get(right, STR("k"), a, &got));
    assert_false(cache_get(user, STR("k"), a, &got)); /* another database */
    assert_true(counts(user).remote_up);
    assert_false(cache_get(wrong, STR("k"), a, &got));
    assert_false(counts(wrong).remote_up);
    cache_close(right);
    cache_close(user);
    cache_close(wrong);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SUITE_TESTS(setup, teardown),
        cmocka_unit_test_setup_teardown(test_values_expire, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rates_are_shared_between_processes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_and_restarted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_back_off_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_restart_between_two_calls_is_not_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_frozen_server_costs_the_time_limit_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_under_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_process_waits_for_the_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_abandoned_lock_runs_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_early_refresh_is_left_to_one_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passwords_and_databases, setup, teardown),
    };
    signal(SIGPIPE, SIG_IGN);
    if (!redis_server_there()) {
        printf("1..0 # SKIP no redis-server here\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
