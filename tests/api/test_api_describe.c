/* test_api_describe.c — routes: which are open, how paths match; and that the description says the same. */
#include "api_world.h"

/* ---- routes ---- */

static void test_every_route_asks_for_a_scope_or_says_it_is_open(void **state) {
    static const char *const open[] = {"postHook", "getHealth", "getReadiness", "getDescription"};
    (void)state;
    for (size_t i = 0; i < n_routes; i++) {
        bool listed = false;
        for (size_t k = 0; k < sizeof open / sizeof *open; k++)
            listed = listed || strcmp(open[k], routes[i].operation) == 0;
        assert_int_equal(routes[i].open, listed);
        assert_int_equal(routes[i].scope == 0, routes[i].open);
        assert_non_null(routes[i].handle);
        assert_true(routes[i].scope <= 15);
        if (routes[i].control)
            assert_int_equal(routes[i].scope, SCOPE_ADMIN);
    }
}

static void test_no_two_routes_are_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < n_routes; i++)
        for (size_t k = 0; k < i; k++) {
            assert_true(strcmp(routes[i].path, routes[k].path) != 0 || strcmp(routes[i].method, routes[k].method) != 0);
            assert_string_not_equal(routes[i].operation, routes[k].operation);
        }
}

static const char *operation(struct arena *a, const char *method, const char *path, str *id, str *allow) {
    const struct route *r = route_find(a, str_from(method), str_from(path), id, allow);
    return r ? r->operation : "";
}

static void test_paths_match_whole(void **state) {
    struct arena *a = *state;
    str id, allow;
    assert_string_equal(operation(a, "GET", "/v1/leads", &id, &allow), "listLeads");
    assert_int_equal(id.len, 0);
    assert_string_equal(operation(a, "GET", "/v1/leads/abc", &id, &allow), "getLead");
    assert_true(str_equal(id, STR("abc")));
    assert_string_equal(operation(a, "POST", "/v1/leads/x/rescore", &id, &allow), "rescoreLead");
    assert_true(str_equal(id, STR("x")));
    assert_string_equal(operation(a, "HEAD", "/v1/leads/x", &id, &allow), "getLead");
    assert_string_equal(operation(a, "HEAD", "/v1/events", &id, &allow), "");
    assert_string_equal(operation(a, "POST", "/v1/keys/rotate-master", &id, &allow), "rotateMaster");
    assert_string_equal(operation(a, "DELETE", "/v1/keys/rotate-master", &id, &allow), "revokeKey");
    static const char *const none[] = {"",
                                       "/",
                                       "/v1",
                                       "/v1/leads/",
                                       "/v1/leads//rescore",
                                       "/v1/leads/a/b",
                                       "v1/leads",
                                       "/V1/leads",
                                       "/v1//leads",
                                       "/v1/leads/a/",
                                       "/hooks",
                                       "/hooks/"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_string_equal(operation(a, "GET", none[i], &id, &allow), "");
        assert_int_equal(allow.len, 0);
    }
}

static void test_other_methods_are_told_which_there_are(void **state) {
    struct arena *a = *state;
    str id, allow;
    assert_string_equal(operation(a, "PATCH", "/v1/leads", &id, &allow), "");
    assert_true(str_equal(allow, STR("POST, GET, HEAD")));
    assert_string_equal(operation(a, "get", "/v1/leads", &id, &allow), "");
    assert_string_equal(operation(a, "HEAD", "/v1/erase", &id, &allow), "");
    assert_true(str_equal(allow, STR("POST")));
    assert_string_equal(operation(a, "POST", "/v1/events", &id, &allow), "");
    assert_true(str_equal(allow, STR("GET")));
}

/* ---- the description ---- */

static const struct json *operation_of(const struct json *description, const struct route *r, struct arena *a) {
    const struct json *path = json_get(json_get(description, STR("paths")), str_from(r->path));
    return json_get(path, str_lower(a, str_from(r->method)));
}

static void test_every_route_is_described(void **state) {
    struct arena *a = *state;
    const struct json *d = world_description(a);
    for (size_t i = 0; i < n_routes; i++) {
        const struct json *op = operation_of(d, &routes[i], a);
        str scope = {0}, name;
        if (!op)
            fail_msg("%s %s is not described", routes[i].method, routes[i].path);
        assert_ok(json_get_string(op, STR("operationId"), &name));
        assert_true(str_equal(name, str_from(routes[i].operation)));
        if (json_get(op, STR("x-scope")))
            assert_ok(json_get_string(op, STR("x-scope"), &scope));
        unsigned scopes = 0;
        for (str word; str_split(&scope, ' ', &word);)
            scopes |= str_equal(word, STR("ingest"))  ? SCOPE_INGEST
                      : str_equal(word, STR("read"))  ? SCOPE_READ
                      : str_equal(word, STR("write")) ? SCOPE_WRITE
                      : str_equal(word, STR("admin")) ? SCOPE_ADMIN
                                                      : 0;
        assert_int_equal(scopes, routes[i].scope);
        const struct json *security = json_get(op, STR("security"));
        assert_non_null(security);
        assert_int_equal(security->count == 1 && json_get(&security->items[0], STR("bearer")), routes[i].scope != 0);
    }
}

static void test_every_description_is_a_route(void **state) {
    struct arena *a = *state;
    const struct json *paths = json_get(world_description(a), STR("paths"));
    size_t n = 0;
    for (uint32_t i = 0; i < paths->count; i++)
        for (uint32_t k = 0; k < paths->members[i].value.count; k++, n++) {
            bool found = false;
            for (size_t r = 0; r < n_routes; r++)
                found = found || (str_equal(paths->members[i].key, str_from(routes[r].path)) &&
                                  str_equal_nocase(paths->members[i].value.members[k].key, str_from(routes[r].method)));
            if (!found)
                fail_msg("%.*s is described and no route", STR_ARG(paths->members[i].key));
        }
    assert_int_equal(n, n_routes);
}

static void check_refs(const struct json *d, const struct json *v) {
    if (v->type == JSON_ARRAY)
        for (uint32_t i = 0; i < v->count; i++)
            check_refs(d, &v->items[i]);
    if (v->type != JSON_OBJECT)
        return;
    const struct json *ref = json_get(v, STR("$ref"));
    if (ref && ref->type == JSON_STRING && !json_pointer(d, str_slice(ref->string, 1, ref->string.len)))
        fail_msg("%.*s is nowhere", STR_ARG(ref->string));
    for (uint32_t i = 0; i < v->count; i++)
        check_refs(d, &v->members[i].value);
}

static void test_every_reference_leads_somewhere(void **state) {
    struct arena *a = *state;
    const struct json *d;
    assert_ok(json_parse(a, asset_get(STR("openapi/galena.json")), NULL, &d));
    check_refs(d, d);
}

/* json_schema.h refuses a schema that it cannot check: so every schema is one that binds. */
static void test_every_schema_can_be_checked(void **state) {
    struct arena *a = *state;
    const struct json *schemas = json_pointer(world_description(a), STR("/components/schemas"));
    const struct json nothing = {.type = JSON_NULL};
    for (uint32_t i = 0; i < schemas->count; i++) {
        struct json_problems problems;
        struct json_member m[2] = {
            {.key = STR("$defs"), .value = *schemas},
            {.key = STR("allOf"), .value = {.type = JSON_ARRAY, .count = 1, .items = &schemas->members[i].value}}};
        const struct json whole = {.type = JSON_OBJECT, .count = 2, .members = m};
        if (json_schema_check(a, &whole, &nothing, &problems) == ERR_CORRUPT)
            fail_msg("%.*s: %s", STR_ARG(schemas->members[i].key), err_text());
    }
}

/* ---- small forms ---- */

static void test_status_by_code(void **state) {
    static const struct {
        err rc;
        const char *slug;
        int status;
    } cases[] = {
        {ERR_INPUT, "anything", 400},         {ERR_ABSENT, "lead_unknown", 404},     {ERR_ABSENT, "api_key_absent", 404},
        {ERR_DENIED, "key_unknown", 401},     {ERR_DENIED, "key_absent", 401},       {ERR_DENIED, "key_scope", 403},
        {ERR_DENIED, "signature_wrong", 403}, {ERR_LIMIT, "rate_limited", 429},      {ERR_LIMIT, "backlog_full", 429},
        {ERR_LIMIT, "store_full", 503},       {ERR_LIMIT, "lead_too_large", 413},    {ERR_AGAIN, "disk_full", 503},
        {ERR_CONFLICT, "run_alive", 409},     {ERR_CORRUPT, "seal_altered", 500},    {ERR_REMOTE, "x", 500},
        {ERR_INPUT, "content_type", 415},     {ERR_INPUT, "method_not_allowed", 405}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(api_status_of(cases[i].rc, cases[i].slug), cases[i].status);
}

static void test_event_identifiers(void **state) {
    static const char *const bad[] = {"",
                                      "-",
                                      "1-",
                                      "-01J00000000000000000000000",
                                      "-1-01J00000000000000000000000",
                                      "x-01J00000000000000000000000",
                                      "1-01J0000000000000000000000",
                                      "1-01j00000000000000000000000",
                                      "12345678901234567890-01J00000000000000000000000",
                                      "1-01J00000000000000000000000 "};
    struct event_id id;
    (void)state;
    assert_true(event_id_parse(STR("1700000000000-01J00000000000000000000000"), &id));
    assert_int_equal(id.ms, 1700000000000);
    assert_string_equal(id.lead, "01J00000000000000000000000");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(event_id_parse(str_from(bad[i]), &id));
}

static void test_names(void **state) {
    struct arena *a = *state;
    assert_true(api_is_id(STR("01J00000000000000000000000")));
    assert_false(api_is_id(STR("01J0000000000000000000000")));
    assert_false(api_is_id(STR("01J0000000000000000000000a")));
    assert_false(api_is_id((str){0}));
    assert_ok(api_check_tenant(STR("acme-2.EU_x")));
    static const char *const bad[] = {"", "a b", "a/b", "\xc3\xa4", "a\n", "a:b", "*"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(api_check_tenant(str_from(bad[i])), ERR_INPUT);
    char long_name[65];
    memset(long_name, 'a', sizeof long_name);
    assert_ok(api_check_tenant((str){long_name, 64}));
    assert_int_equal(api_check_tenant((str){long_name, 65}), ERR_INPUT);
    (void)a;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_asks_for_a_scope_or_says_it_is_open),
        cmocka_unit_test(test_no_two_routes_are_the_same),
        ARENA_TEST(test_paths_match_whole),
        ARENA_TEST(test_other_methods_are_told_which_there_are),
        ARENA_TEST(test_every_route_is_described),
        ARENA_TEST(test_every_description_is_a_route),
        ARENA_TEST(test_every_reference_leads_somewhere),
        ARENA_TEST(test_every_schema_can_be_checked),
        cmocka_unit_test(test_status_by_code),
        cmocka_unit_test(test_event_identifiers),
        ARENA_TEST(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
