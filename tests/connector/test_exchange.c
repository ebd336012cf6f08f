/* test_exchange.c — requests from inputs, and what answers mean. */
#include "connector_support.h"

#include "base/file.h"
#include "connector/replay.h"

#include <time.h>

static const int64_t NOW_MS = INT64_C(1793491200000); /* 2026-11-01T00:00:00Z */

#define HEAD                                                                                                                \
    "connector: 1\nname: x\ntitle: X\nkind: source\nbase_url: 'https://{setting.host}'\nsettings: {host: {default: "        \
    "a.example, help: h}, k: {secret: true, help: k}}\n"

static err build(struct place *p, const char *op, const char *input, const struct connector_page *page,
                 struct connector_request *out) {
    return connector_build(p->host, p->arena, p->binding, operation(p, op), parse_json(p->arena, input), page, (str){0},
                           out);
}

static void values_stay_in_their_place(void **state) {
    struct place p = place_new(state,
                               HEAD "operations: {a: {url: '/c/{input.d}/x', query: {q: '{input.q?}', z: 'a b{{{input.d}'}, "
                                    "headers: {X-Name: '{input.h?}'}}}\n",
                               "{}");
    struct connector_request r;
    assert_ok(build(&p, "a", "{\"d\":\"../../admin?x=1#y\",\"q\":\"1&k=2\"}", NULL, &r));
    assert_str(r.url, "https://a.example/c/..%2F..%2Fadmin%3Fx%3D1%23y/x?q=1%26k%3D2&z=a%20b%7B..%2F..%2Fadmin%3Fx%3D1%23y");
    assert_int_equal(r.n_header, 0);
    assert_ok(build(&p, "a", "{\"d\":7,\"q\":true}", NULL, &r));
    assert_str(r.url, "https://a.example/c/7/x?q=true&z=a%20b%7B7");
    assert_ok(build(&p, "a", "{\"d\":\"\xc3\xa9\"}", NULL, &r));
    assert_str(r.url, "https://a.example/c/%C3%A9/x?z=a%20b%7B%C3%A9");
    assert_fails(build(&p, "a", "{\"d\":\"..\"}", NULL, &r), ERR_INPUT, "connector_url");
    assert_fails(build(&p, "a", "{\"d\":{}}", NULL, &r), ERR_INPUT, "connector_input");
    assert_fails(build(&p, "a", "{}", NULL, &r), ERR_INPUT, "connector_input");
    assert_non_null(strstr(err_text(), "x.yaml:7:"));
    assert_fails(build(&p, "a", "{\"d\":\"x\",\"h\":\"a\\r\\nEvil: 1\"}", NULL, &r), ERR_INPUT, "connector_input");
}

static void filters(void **state) {
    struct place p =
        place_new(state,
                  HEAD "operations:\n  q: {url: /, query: {q: \"N = '{input.n|quote}'\"}}\n  w: {url: '/{input.n|word}'}\n"
                       "  p: {url: /, query: {q: '\"{input.n|phrase}\"'}}\n",
                  "{}");
    struct connector_request r;
    assert_ok(build(&p, "q", "{\"n\":\"O'Hara\\\\\"}", NULL, &r));
    assert_str(r.url, "https://a.example/?q=N%20=%20'O%5C%27Hara%5C%5C'");
    assert_ok(build(&p, "w", "{\"n\":\"2026-01-01T00:00:00Z\"}", NULL, &r));
    assert_fails(build(&p, "w", "{\"n\":\"1' OR '1\"}", NULL, &r), ERR_INPUT, "connector_input");
    assert_ok(build(&p, "p", "{\"n\":\"a\\\"b\"}", NULL, &r));
    assert_str(r.url, "https://a.example/?q=%22a%20b%22");
}

static void hosts_are_hosts(void **state) {
    static const char *const bad[] = {"{\"host\":\"evil.example/x\"}", "{\"host\":\"u:p@evil.example\"}",
                                      "{\"host\":\"a b\"}", "{\"host\":\"a.example?x\"}", "{\"host\":\"a.example:99#\"}"};
    struct connector_request r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct place p = place_new(state, HEAD "operations: {a: {url: /}}\n", bad[i]);
        assert_fails(build(&p, "a", "{}", NULL, &r), ERR_INPUT, "connector_url");
    }
    static const char *const urls[] = {"ftp://a.example", "https://u@a.example", "https://a.example?x", "javascript:1", "",
                                       "https://",        "https://a.example:8o"};
    const struct connector *c;
    const struct connector_binding *b;
    assert_ok(connector_parse(*state, STR(HEAD "operations: {a: {url: /}}\n"), "x.yaml", &c));
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        str settings = str_format(*state, "{\"base_url\":\"%s\"}", urls[i]);
        assert_fails(connector_bind(*state, c, parse_json(*state, settings.ptr), &b), ERR_INPUT, "connector_setting");
    }
    struct place p =
        place_new(state, HEAD "operations: {a: {url: /v1}}\n", "{\"base_url\":\"http://127.0.0.1:8080/fake/\"}");
    assert_ok(build(&p, "a", "{}", NULL, &r));
    assert_str(r.url, "http://127.0.0.1:8080/fake/v1");
    assert_fails(connector_bind(*state, c, parse_json(*state, "{\"nope\":1}"), &b), ERR_INPUT, "connector_setting");
}

static void programs_do_not_see_secrets(void **state) {
    struct place p = place_new(state, HEAD "operations: {a: {url: /, method: POST, body: '{all: $setting, in: .}'}}\n",
                               "{\"k\":\"s3cret\"}");
    struct connector_request r;
    assert_ok(build(&p, "a", "{\"x\":1}", NULL, &r));
    assert_str(r.body, "{\"all\":{\"host\":\"a.example\"},\"in\":{\"x\":1}}");
}

static struct connector_verdict classify(struct place *p, int status, const char *body, const struct http_field *h,
                                         size_t n) {
    struct connector_verdict v;
    struct connector_answer answer = {.status = status, .header = h, .n_header = n, .body = str_from(body)};
    assert_ok(connector_classify(p->host, p->arena, p->binding, &p->connector->operation[0], &answer, NOW_MS, &v));
    return v;
}

static void common_classes(void **state) {
    static const struct {
        int status;
        const char *body;
        enum connector_class class;
    } cases[] = {{200, "{}", CONNECTOR_OK},        {200, "{\"a\":", CONNECTOR_TRANSIENT},
                 {200, "", CONNECTOR_TRANSIENT},   {204, "", CONNECTOR_EMPTY},
                 {404, "x", CONNECTOR_EMPTY},      {401, "", CONNECTOR_AUTH},
                 {403, "", CONNECTOR_AUTH},        {402, "", CONNECTOR_QUOTA},
                 {429, "", CONNECTOR_THROTTLED},   {408, "", CONNECTOR_TRANSIENT},
                 {500, "", CONNECTOR_TRANSIENT},   {599, "", CONNECTOR_TRANSIENT},
                 {400, "{}", CONNECTOR_PERMANENT}, {301, "", CONNECTOR_PERMANENT},
                 {0, "", CONNECTOR_PERMANENT}};
    struct place p = place_new(state, HEAD "operations: {a: {url: /}}\n", "{}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(classify(&p, cases[i].status, cases[i].body, NULL, 0).class, cases[i].class);
    const struct http_field seconds = {STR("retry-after"), STR("7")},
                            date = {STR("Retry-After"), STR("Sun, 01 Nov 2026 00:01:00 GMT")},
                            past = {STR("Retry-After"), STR("Sun, 01 Nov 2020 00:01:00 GMT")},
                            silly = {STR("Retry-After"), STR("1e300")}, text = {STR("Retry-After"), STR("soon")};
    assert_int_equal(classify(&p, 429, "", &seconds, 1).retry_after_ms, 7000);
    assert_int_equal(classify(&p, 503, "", &date, 1).retry_after_ms, 60000);
    assert_int_equal(classify(&p, 429, "", &past, 1).retry_after_ms, 0);
    assert_int_equal(classify(&p, 429, "", &silly, 1).retry_after_ms, INT64_C(31) * 86400 * 1000);
    assert_int_equal(classify(&p, 429, "", &text, 1).retry_after_ms, 0);
    /* What is shown of an answer is one clean line. */
    struct connector_verdict v = classify(&p, 400, "{\"message\":\"a\\u0007b\\r\\nc\"}", NULL, 0);
    assert_str(v.reason, "a b  c");
}

static void rules_come_first(void **state) {
    struct place p =
        place_new(state,
                  HEAD "classify:\n  - {status: 4xx, header: {X-Why: daily}, class: quota}\n"
                       "  - {when: '.error == \"slow\"', class: throttled, retry_after: .wait, message: .text}\n"
                       "  - {contains: go away, class: permanent, reason: It said so}\n"
                       "  - {when: '.a.b.c', class: auth}\n"
                       "operations: {a: {url: /}}\n",
                  "{}");
    const struct http_field why = {STR("x-why"), STR("Daily limit")};
    assert_int_equal(classify(&p, 429, "", &why, 1).class, CONNECTOR_QUOTA);
    assert_int_equal(classify(&p, 429, "", NULL, 0).class, CONNECTOR_THROTTLED);
    struct connector_verdict v = classify(&p, 200, "{\"error\":\"slow\",\"wait\":2.5,\"text\":\"wait\"}", NULL, 0);
    assert_int_equal(v.class, CONNECTOR_THROTTLED);
    assert_int_equal(v.retry_after_ms, 2500);
    assert_str(v.reason, "wait");
    v = classify(&p, 200, "<html>Please GO AWAY</html>", NULL, 0);
    assert_int_equal(v.class, CONNECTOR_PERMANENT);
    assert_str(v.reason, "It said so");
    p = place_new(state, HEAD "classify: [{when: '(.list | length) == 0', class: empty}]\noperations: {a: {url: /}}\n",
                  "{}");
    assert_int_equal(classify(&p, 200, "{\"list\":[]}", NULL, 0).class, CONNECTOR_EMPTY);
    assert_int_equal(classify(&p, 200, "{\"list\":[1,2", NULL, 0).class, CONNECTOR_TRANSIENT);
    p = place_new(state, HEAD "classify: [{when: '.a.b.c', class: auth}]\noperations: {a: {url: /}}\n", "{}");
    /* A rule that cannot be asked does not match. */
    assert_int_equal(classify(&p, 200, "{\"a\":\"text\"}", NULL, 0).class, CONNECTOR_OK);
}

static struct connector_observations map(struct place *p, const char *body) {
    struct connector_observations o;
    struct connector_answer answer = {.status = 200, .body = str_from(body)};
    assert_ok(connector_map(p->host, p->arena, p->binding, &p->connector->operation[0],
                            parse_json(p->arena, "{\"d\":\"in\"}"), &answer, parse_json(p->arena, body), &o));
    return o;
}

static void observations(void **state) {
    struct place p = place_new(state,
                               HEAD "operations:\n  a:\n    url: /\n    each: '.list[]'\n    identity: {name: .n, id: .i}\n"
                                    "    observed: .at\n    map:\n      account.name: .n\n"
                                    "      account.employees: {value: .e, unit: people, confidence: .c, observed: .eat}\n"
                                    "      account.x: {value: '.e + 1', confidence: 0.5}\n      account.in: $input.d\n",
                               "{}");
    struct connector_observations o =
        map(&p, "{\"list\":[{\"n\":\"A\",\"i\":5,\"e\":10,\"c\":3,\"at\":\"2026-01-02\",\"eat\":"
                "1767225600},{\"n\":\"\",\"e\":\"ten\",\"at\":1767225600000},7]}");
    assert_int_equal(o.n_entity, 3);
    assert_str(o.entity[0].name, "A");
    assert_str(o.entity[0].id, "5");
    assert_str(o.item[0].field, "account.name");
    assert_int_equal(o.item[0].observed_ms, INT64_C(1767312000000));
    assert_str(o.item[1].unit, "people");
    assert_int_equal(o.item[1].observed_ms, INT64_C(1767225600000));
    assert_close(o.item[1].confidence, 1, 0); /* clipped */
    assert_int_equal(o.item[2].value->integer, 11);
    assert_close(o.item[2].confidence, 0.5, 0);
    /* The second has neither name nor number: text is no amount, and text plus one fails. */
    assert_int_equal(o.n, 6);
    assert_int_equal(o.item[4].entity, 1);
    assert_int_equal(o.item[4].observed_ms, INT64_C(1767225600000));
    assert_true(o.n_fault >= 2);
    assert_non_null(strstr(o.fault[0].text.ptr, "x.yaml:"));
    for (size_t i = 0; i < o.n_fault; i++)
        assert_true(o.fault[i].field.len > 0 && str_find(o.fault[i].text, STR("given ")) > 0);
}

static bool next(struct place *p, const struct connector_page *page, const char *body, const char *link,
                 struct connector_page *out, const char **slug) {
    bool more = false;
    struct http_field h = {STR("Link"), str_from(link)};
    struct connector_answer answer = {.status = 200, .header = &h, .n_header = link ? 1 : 0};
    err rc = connector_next_page(p->host, p->arena, p->binding, &p->connector->operation[0], page, &answer,
                                 parse_json(p->arena, body), &more, out);
    *slug = rc == OK ? "" : err_slug();
    return more;
}

static void pages(void **state) {
    struct connector_request r;
    struct connector_page n = {0};
    const char *slug;
    struct place p = place_new(
        state, HEAD "operations: {a: {url: /, pages: {style: cursor, parameter: after, cursor: .next, max_page: 3}}}\n",
        "{}");
    assert_true(next(&p, NULL, "{\"next\":\"c&1\"}", NULL, &n, &slug));
    assert_ok(build(&p, "a", "{}", &n, &r));
    assert_str(r.url, "https://a.example/?after=c%261");
    assert_true(!next(&p, &n, "{\"next\":null}", NULL, &n, &slug) && *slug == 0);
    next(&p, &n, "{\"next\":\"c&1\"}", NULL, &n, &slug);
    assert_string_equal(slug, "connector_page"); /* it did not move */
    n.number = 2;
    next(&p, &n, "{\"next\":\"c9\"}", NULL, &n, &slug);
    assert_string_equal(slug, "connector_page"); /* too many */

    p = place_new(
        state,
        HEAD
        "operations: {a: {url: /, pages: {style: offset, parameter: skip, size_parameter: limit, size: 2, items: .i}}}\n",
        "{}");
    n = (struct connector_page){0};
    assert_true(next(&p, NULL, "{\"i\":[1,2]}", NULL, &n, &slug));
    assert_ok(build(&p, "a", "{}", &n, &r));
    assert_str(r.url, "https://a.example/?limit=2&skip=2");
    assert_false(next(&p, &n, "{\"i\":[1]}", NULL, &n, &slug));

    p = place_new(state,
                  HEAD "operations: {a: {url: /, pages: {style: page, parameter: page, size: 2, items: .i, more: .more}}}\n",
                  "{}");
    assert_true(next(&p, NULL, "{\"i\":[1],\"more\":true}", NULL, &n, &slug));
    assert_ok(build(&p, "a", "{}", &n, &r));
    assert_str(r.url, "https://a.example/?page=2");
    assert_false(next(&p, NULL, "{\"i\":[],\"more\":true}", NULL, &n, &slug));

    p = place_new(state, HEAD "operations: {a: {url: /a, pages: {style: link}}}\n", "{}");
    assert_true(
        next(&p, NULL, "{}", "<https://a.example/a?p=1>; rel=\"prev\", <https://a.example/a?p=3>; rel=\"next\"", &n, &slug));
    assert_ok(build(&p, "a", "{}", &n, &r));
    assert_str(r.url, "https://a.example/a?p=3");
    static const char *const evil[] = {"https://evil.example/a",
                                       "http://a.example/a",
                                       "//evil.example/x",
                                       "https://a.example.evil.example/",
                                       "https://a.example@evil.example/",
                                       "a?p=2",
                                       "/a b",
                                       "https://a.example:444/a",
                                       "/\\evil.example"};
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
        n.cursor = str_from(evil[i]);
        assert_fails(build(&p, "a", "{}", &n, &r), ERR_REMOTE, "connector_next_url");
    }
    n.cursor = STR("/services/next-2000");
    assert_ok(build(&p, "a", "{}", &n, &r));
    assert_str(r.url, "https://a.example/services/next-2000");
}

/* Every recorded case of the shipped connectors gives what is expected. */
static void golden_folders(void **state) {
    struct connector_set set;
    struct program_host *h;
    const char *tests = getenv("GALENA_TESTS");
    size_t cases = 0;
    if (!tests)
        skip();
    str folder = str_format(*state, "%s/connector/golden", tests);
    assert_ok(program_host_new(*state, NULL, &h));
    assert_ok(connector_load_all(*state, NULL, &set));
    for (size_t i = 0; i < set.n; i++) {
        struct replay_results r;
        assert_ok(replay_connector(*state, h, set.connector[i], folder.ptr, false, &r));
        assert_true(r.n >= 6);
        for (size_t k = 0; k < r.n; k++)
            if (!r.item[k].good)
                fail_msg("%.*s/%.*s: %.*s", STR_ARG(r.item[k].connector), STR_ARG(r.item[k].name),
                         STR_ARG(r.item[k].difference));
        cases += r.n;
    }
    assert_true(cases >= 6 * set.n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(values_stay_in_their_place),
        ARENA_TEST(filters),
        ARENA_TEST(hosts_are_hosts),
        ARENA_TEST(programs_do_not_see_secrets),
        ARENA_TEST(common_classes),
        ARENA_TEST(rules_come_first),
        ARENA_TEST(observations),
        ARENA_TEST(pages),
        ARENA_TEST(golden_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
