/* test_api_rights.c — who may do what: keys, scopes, tenants, rates, the operator. */
#include "api_world.h"

#define LEAD    "{\"lead_id\":\"L1\",\"person\":{\"email\":\"ada@example.com\"},\"custom\":{\"employees\":120}}"
#define NOBODY  "01J00000000000000000000000"
#define CONTROL str_from(w->control.text)

/* A target of the route, with `id` for its variable. */
static const char *target_of(struct world *w, const struct route *r, const char *id) {
    str path = str_from(r->path);
    ptrdiff_t open = str_find_byte(path, '{'), close = str_find_byte(path, '}');
    if (open < 0)
        return r->path;
    return str_format(w->a, "%.*s%s%s", (int)open, r->path, id, r->path + close + 1).ptr;
}

/* ---- keys ---- */

static void test_every_route_refuses_without_a_key(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < n_routes; i++) {
        if (routes[i].open)
            continue;
        const char *target = target_of(w, &routes[i], NOBODY);
        struct reply r = ask(w, routes[i].method, target, (str){0}, "");
        assert_code(r, 401, "key_absent");
        assert_true(str_equal(reply_field(&r, "WWW-Authenticate"), STR("Bearer")));
        assert_code(ask(w, routes[i].method, target, STR("gk_wrong"), ""), 401, "key_unknown");
    }
}

static void test_every_route_refuses_a_key_without_its_scope(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < n_routes; i++) {
        if (routes[i].open)
            continue;
        str without = world_key(w, "acme", 15 & ~routes[i].scope, 0, 0);
        assert_code(ask(w, routes[i].method, target_of(w, &routes[i], NOBODY), without, ""), 403, "key_scope");
        if (routes[i].control)
            assert_code(ask(w, routes[i].method, target_of(w, &routes[i], NOBODY), w->all, ""), 403, "key_scope");
    }
}

static void test_no_route_knows_the_lead_of_another_tenant(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    wait_ended(w, w->all, id);
    for (size_t i = 0; i < n_routes; i++)
        if (str_find(str_from(routes[i].path), STR("{id}")) >= 0) {
            const char *code = str_starts(str_from(routes[i].path), STR("/v1/keys")) ? "api_key_absent" : "lead_unknown";
            struct reply r = ask(w, routes[i].method, target_of(w, &routes[i], id.ptr), w->other, "");
            assert_int_equal(r.status, 404);
            assert_true(str_equal(member_text(r.json, "code"), str_from(code)));
        }
    str outcome = str_format(w->a, "{\"lead\":\"%.*s\",\"kind\":\"called\"}", STR_ARG(id));
    assert_code(ask(w, "POST", "/v1/outcomes", w->other, outcome.ptr), 404, "lead_unknown");
    str redrive = str_format(w->a, "{\"lead\":\"%.*s\"}", STR_ARG(id));
    assert_code(ask(w, "POST", "/v1/dead/redrive", w->other, redrive.ptr), 404, "lead_unknown");
    struct reply r = get(w, "/v1/leads", w->other);
    assert_int_equal(json_get(r.json, STR("leads"))->count, 0);
    r = get(w, "/v1/leads?email=ada@example.com", w->other);
    assert_int_equal(json_get(r.json, STR("leads"))->count, 0);
    r = get(w, str_format(w->a, "/v1/leads?order=oldest&cursor=%s", NOBODY).ptr, w->other);
    assert_int_equal(json_get(r.json, STR("leads"))->count, 0);
    r = ask(w, "POST", "/v1/erase", w->other, "{\"email\":\"ada@example.com\"}");
    assert_int_equal(member_integer(r.json, "erased"), 0);
    r = get(w, "/v1/queue", w->other);
    assert_int_equal(json_get(r.json, STR("queue"))->count, 0);
    assert_status(get(w, lead_target(w, id, ""), w->all), 200);
    /* The tenant of a key is not to be chosen by who has it. */
    r = ask_with(w, "GET", lead_target(w, id, ""), w->other, "Galena-Tenant: acme\r\n", (str){0});
    assert_status(r, 404);
}

static void test_a_revoked_key_is_refused_at_once(void **state) {
    struct world *w = *state;
    struct reply r = ask(w, "POST", "/v1/keys", w->admin, "{\"name\":\"site\",\"scopes\":[\"read\",\"ingest\"]}");
    assert_status(r, 201);
    str token = member_text(r.json, "token"), id = member_text(r.json, "id");
    assert_status(get(w, "/v1/leads", token), 200);
    assert_status(get(w, "/v1/leads", token), 200);
    r = get(w, "/v1/keys", w->admin);
    assert_status(r, 200);
    assert_true(str_find(r.body, token) < 0);
    assert_true(str_find(r.body, id) >= 0);
    const char *path = str_format(w->a, "/v1/keys/%.*s", STR_ARG(id)).ptr;
    assert_status(ask(w, "DELETE", path, w->admin, ""), 200);
    assert_code(get(w, "/v1/leads", token), 401, "key_unknown");
    assert_status(ask(w, "DELETE", path, w->admin, ""), 200);
    assert_code(ask(w, "DELETE", "/v1/keys/" NOBODY, w->admin, ""), 404, "api_key_absent");
    assert_code(ask(w, "DELETE", "/v1/keys/x", w->admin, ""), 404, "api_key_absent");
}

static void test_a_key_revoked_elsewhere_is_refused_soon(void **state) {
    struct world *w = *state;
    struct store_reader *reader;
    struct api_key k;
    str token = world_key(w, "acme", SCOPE_READ, 0, 0);
    assert_ok(store_reader_open(w->store, w->a, &reader));
    assert_ok(store_key_find(reader, w->a, token, &k));
    store_reader_close(reader);
    assert_status(get(w, "/v1/leads", token), 200);
    assert_ok(store_key_revoke(w->store, STR("acme"), k.id, STR("elsewhere")));
    assert_status(get(w, "/v1/leads", token), 200); /* it is remembered */
    atomic_fetch_add(&world_ahead_ms, 5001);
    assert_code(get(w, "/v1/leads", token), 401, "key_unknown");
}

static void test_a_new_key_is_known_though_it_was_tried_before(void **state) {
    struct world *w = *state;
    struct vault_token guess;
    vault_token_new(&guess);
    for (int i = 0; i < 3; i++)
        assert_code(get(w, "/v1/leads", str_from(guess.text)), 401, "key_unknown");
    str token = world_key(w, "acme", SCOPE_READ, 0, 0);
    assert_status(get(w, "/v1/leads", token), 200);
}

static void test_keys_that_cannot_be_made(void **state) {
    struct world *w = *state;
    static const char *const bodies[] = {"{}",
                                         "{\"name\":\"x\"}",
                                         "{\"name\":\"x\",\"scopes\":[]}",
                                         "{\"name\":\"x\",\"scopes\":[\"root\"]}",
                                         "{\"name\":\"x\",\"scopes\":\"read\"}",
                                         "{\"name\":\"\",\"scopes\":[\"read\"]}",
                                         "{\"name\":\"x\",\"scopes\":[\"read\"],\"rate\":-1}",
                                         "{\"name\":\"x\",\"scopes\":[\"read\"],\"rate\":\"1\"}",
                                         "{\"name\":\"x\",\"scopes\":[\"read\"],\"tenant\":\"other\"}",
                                         "[]",
                                         "null",
                                         "{"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(ask(w, "POST", "/v1/keys", w->admin, bodies[i]).status, 400);
}

static void test_schemes_other_than_bearer(void **state) {
    struct world *w = *state;
    static const char *const fields[] = {"Authorization: Basic YTpi\r\n", "Authorization: Bearer\r\n", "Authorization: \r\n",
                                         "Authorization: Bearer \r\n"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_code(ask_with(w, "GET", "/v1/leads", (str){0}, fields[i], (str){0}), 401, "key_absent");
    const char *lower = str_format(w->a, "Authorization: bearer  %.*s \r\n", STR_ARG(w->read)).ptr;
    assert_status(ask_with(w, "GET", "/v1/leads", (str){0}, lower, (str){0}), 200);
}

/* ---- rates ---- */

static void test_a_key_is_held_to_its_rate(void **state) {
    struct world *w = *state;
    str token = world_key(w, "acme", SCOPE_READ, 0.01, 3);
    for (int i = 0; i < 3; i++) {
        struct reply r = get(w, "/v1/leads", token);
        assert_status(r, 200);
        assert_true(str_equal(reply_field(&r, "RateLimit-Policy"), STR("\"key\";q=3;w=300")));
    }
    struct reply r = get(w, "/v1/leads", token);
    assert_code(r, 429, "rate_limited");
    int after = (int)strtol(reply_field(&r, "Retry-After").ptr, NULL, 10);
    assert_true(after > 0 && after <= 100);
    assert_true(str_starts(reply_field(&r, "RateLimit"), STR("\"key\";r=0;t=")));
    assert_status(get(w, "/v1/leads", w->read), 200);
}

static void test_who_guesses_keys_is_slowed_down(void **state) {
    struct world *w = *state;
    bool limited = false;
    for (int i = 0; i < 400 && !limited; i++) {
        struct vault_token guess;
        vault_token_new(&guess);
        struct reply r = get(w, "/v1/leads", str_from(guess.text));
        assert_true(r.status == 401 || r.status == 429);
        limited = r.status == 429;
    }
    assert_true(limited);
    assert_status(get(w, "/v1/leads", w->read), 200);
}

static int begin_full(void **state) {
    return world_begin_with(state, &(struct world_options){.workers = 0, .max_backlog = 3});
}

static void test_a_full_backlog_is_told(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 3; i++)
        post_lead(w, w->all, str_format(w->a, "{\"lead_id\":\"%d\",\"custom\":{\"employees\":9}}", i).ptr);
    struct reply r = ask(w, "POST", "/v1/leads", w->all, LEAD);
    assert_code(r, 429, "backlog_full");
    assert_true((int)strtol(reply_field(&r, "Retry-After").ptr, NULL, 10) > 0);
    post_lead(w, w->other, LEAD);
    r = get(w, "/v1/queue", w->read);
    assert_int_equal(member_integer(&json_get(r.json, STR("queue"))->items[0], "count"), 3);
    /* What is cancelled leaves room again, when the backlog is counted anew. */
    r = get(w, "/v1/leads?run=ready", w->read);
    str id = member_text(&json_get(r.json, STR("leads"))->items[0], "id");
    assert_status(ask(w, "POST", lead_target(w, id, "/cancel"), w->write, ""), 200);
    assert_true(str_equal(member_text(get(w, lead_target(w, id, ""), w->read).json, "outcome"), STR("cancelled")));
}

/* ---- the operator ---- */

static void test_the_control_token(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    struct reply r = ask_with(w, "GET", lead_target(w, id, ""), CONTROL, "Galena-Tenant: acme\r\n", (str){0});
    assert_status(r, 200);
    assert_code(get(w, lead_target(w, id, ""), CONTROL), 404, "lead_unknown"); /* of the tenant "default" */
    assert_code(ask_with(w, "GET", "/v1/leads", CONTROL, "Galena-Tenant: a b\r\n", (str){0}), 400, "tenant_name");
    r = ask(w, "PUT", "/v1/tenants/fresh", CONTROL, "{\"weight\":3,\"max_backlog\":100}");
    assert_status(r, 200);
    assert_int_equal(member_integer(r.json, "weight"), 3);
    r = get(w, "/v1/tenants", CONTROL);
    assert_status(r, 200);
    assert_true(str_find(r.body, STR("\"fresh\"")) >= 0);
    assert_code(ask(w, "PUT", "/v1/tenants/fresh", CONTROL, "{\"weight\":0}"), 400, "body_member");
    assert_code(ask(w, "PUT", "/v1/tenants/a%20b", CONTROL, "{}"), 400, "tenant_name");
    r = ask_with(w, "POST", "/v1/keys", CONTROL, "Galena-Tenant: new-one\r\nContent-Type: application/json\r\n",
                 STR("{\"name\":\"first\",\"scopes\":[\"ingest\",\"read\"]}"));
    assert_status(r, 201);
    post_lead(w, member_text(r.json, "token"), LEAD);
}

static void test_rotation_audit_and_sweep(void **state) {
    struct world *w = *state;
    str id = post_lead(w, w->all, LEAD);
    wait_ended(w, w->all, id);
    struct reply r = ask(w, "POST", "/v1/keys/rotate-master", CONTROL, "{\"tenants\":true}");
    assert_status(r, 200);
    assert_true(member_integer(r.json, "rewrapped") >= 3);
    assert_status(get(w, lead_target(w, id, ""), w->read), 200);
    int64_t before = member_integer(get(w, "/v1/audit/verify", w->admin).json, "entries");
    assert_status(ask(w, "POST", lead_target(w, id, "/rescore"), w->write, ""), 202);
    r = get(w, "/v1/audit/verify", w->admin);
    assert_status(r, 200);
    assert_int_equal(member_integer(r.json, "entries"), before + 2); /* the look itself, and the rescore */
    assert_true(str_equal(member_text(r.json, "tenant"), STR("acme")));
    assert_status(get(w, "/v1/sweep", CONTROL), 200);
    assert_code(ask(w, "POST", "/v1/keys/rotate-master", CONTROL, "{\"tenants\":1}"), 400, "body_member");
}

/* ---- every answer ---- */

static void test_paths_that_are_not_there(void **state) {
    struct world *w = *state;
    static const char *const none[] = {"/", "/v1", "/v1/leads/", "/v2/leads", "/v1/leads/a/b", "/hooks", "/v1/tenants/a/b"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_code(get(w, none[i], w->all), 404, "route_unknown");
    struct reply r = ask(w, "PATCH", "/v1/leads", w->all, "{}");
    assert_code(r, 405, "method_not_allowed");
    assert_true(str_equal(reply_field(&r, "Allow"), STR("POST, GET, HEAD")));
}

static void test_request_identifiers(void **state) {
    struct world *w = *state;
    struct reply r = ask_with(w, "GET", "/v1/nothing", w->all, "X-Request-Id: abc-123\r\n", (str){0});
    assert_true(str_equal(reply_field(&r, "X-Request-Id"), STR("abc-123")));
    assert_true(str_equal(member_text(r.json, "request_id"), STR("abc-123")));
    r = ask_with(w, "GET", "/healthz", (str){0}, "X-Request-Id: a b\r\n", (str){0});
    assert_false(str_equal(reply_field(&r, "X-Request-Id"), STR("a b")));
    struct reply other = get(w, "/healthz", (str){0});
    assert_false(str_equal(reply_field(&r, "X-Request-Id"), reply_field(&other, "X-Request-Id")));
    assert_true(str_equal(reply_field(&r, "Cache-Control"), STR("no-store")));
    assert_true(str_starts(reply_field(&r, "Content-Security-Policy"), STR("default-src 'none'")));
    assert_int_equal(reply_field(&r, "Strict-Transport-Security").len, 0);
}

static void test_health_and_description(void **state) {
    struct world *w = *state;
    struct reply r = get(w, "/healthz", (str){0});
    assert_status(r, 200);
    assert_true(str_equal(member_text(r.json, "status"), STR("ok")));
    assert_status(get(w, "/readyz", (str){0}), 200);
    r = get(w, "/openapi.json", (str){0});
    assert_status(r, 200);
    assert_true(str_equal(r.body, asset_get(STR("openapi/galena.json"))));
    r = ask(w, "HEAD", "/openapi.json", (str){0}, "");
    assert_status(r, 200);
}

static void test_metrics(void **state) {
    struct world *w = *state;
    post_lead(w, w->all, LEAD);
    assert_code(get(w, "/metrics", w->ingest), 403, "key_scope");
    assert_status(get(w, "/metrics", w->admin), 200);
    struct reply r = get(w, "/metrics", w->read);
    assert_status(r, 200);
    static const char *const names[] = {"galena_store_commits_total ",
                                        "galena_store_wal_bytes ",
                                        "galena_store_commit_bucket{le=\"+Inf\"} ",
                                        "galena_store_batch_bucket{le=\"1\"} ",
                                        "galena_http_requests_total{class=\"2xx\"} ",
                                        "galena_http_connections{listener=\"public\"} "};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_find(r.body, str_from(names[i])) < 0)
            fail_msg("no %s", names[i]);
}

static int begin_open(void **state) { return world_begin_with(state, &(struct world_options){.open_metrics = true}); }

static void test_open_metrics(void **state) {
    struct world *w = *state;
    assert_status(get(w, "/metrics", (str){0}), 200);
    assert_code(get(w, "/v1/leads", (str){0}), 401, "key_absent");
}

static void test_after_the_stop_everything_is_503(void **state) {
    struct world *w = *state;
    api_stop(w->api);
    struct reply r = ask(w, "POST", "/v1/leads", w->all, LEAD);
    assert_code(r, 503, "api_stopping");
    assert_true(str_equal(reply_field(&r, "Retry-After"), STR("1")));
    assert_int_equal(get(w, "/v1/leads", w->all).status, 503);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_every_route_refuses_without_a_key),
        WORLD_TEST(test_every_route_refuses_a_key_without_its_scope),
        WORLD_TEST(test_no_route_knows_the_lead_of_another_tenant),
        WORLD_TEST(test_a_revoked_key_is_refused_at_once),
        WORLD_TEST(test_a_key_revoked_elsewhere_is_refused_soon),
        WORLD_TEST(test_a_new_key_is_known_though_it_was_tried_before),
        WORLD_TEST(test_keys_that_cannot_be_made),
        WORLD_TEST(test_schemes_other_than_bearer),
        WORLD_TEST(test_a_key_is_held_to_its_rate),
        WORLD_TEST(test_who_guesses_keys_is_slowed_down),
        cmocka_unit_test_setup_teardown(test_a_full_backlog_is_told, begin_full, world_end),
        WORLD_TEST(test_the_control_token),
        WORLD_TEST(test_rotation_audit_and_sweep),
        WORLD_TEST(test_paths_that_are_not_there),
        WORLD_TEST(test_request_identifiers),
        WORLD_TEST(test_health_and_description),
        WORLD_TEST(test_metrics),
        cmocka_unit_test_setup_teardown(test_open_metrics, begin_open, world_end),
        WORLD_TEST(test_after_the_stop_everything_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
