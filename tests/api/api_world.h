/* api_world.h — a whole service in the test's own process: SQLite, engine, API, HTTP server; and a client that checks every
 * answer against the description of the API. */
#ifndef GALENA_TESTS_API_API_WORLD_H
#define GALENA_TESTS_API_API_WORLD_H

#include "../net/net_support.h"
#include "../store/keys.h"
#include "api/api_priv.h"
#include "base/asset.h"
#include "base/json_schema.h"
#include "net/http_client.h"
#include "query.h"
#include "store/migrate.h"

#define HOOK_SECRET     "a secret of the hook"
#define HOOK_OLD_SECRET "an old secret of the hook"

struct world {
    struct arena *a;
    char directory[64];
    struct vault *vault;
    struct store *store;
    struct metrics *metrics;
    struct cache *cache;
    struct http_client *client;
    struct engine *engine;
    struct api *api;
    struct http_server *server;
    struct vault_token control;
    int port;
    str secret[2];
    const struct json *description;
    str all, ingest, read, write, admin, other; /* tokens: of acme by scope, and one of the tenant other with all */
};

/* How far the API's clock for durations is ahead of the machine's: so that tests need not wait for what expires. */
static _Atomic int64_t world_ahead_ms;

static inline int64_t world_steady_ns(void) { return clock_system().steady_ns() + atomic_load(&world_ahead_ms) * 1000000; }

struct world_options {
    unsigned workers;
    int64_t max_backlog;
    bool open_metrics, no_hook;
    const char *database; /* an empty one; NULL: SQLite */
};

static inline str world_key(struct world *w, const char *tenant, unsigned scopes, double rate, double burst) {
    const struct api_key k = {
        .tenant = str_from(tenant), .name = STR("test"), .scopes = scopes, .rate = rate, .burst = burst};
    str token;
    assert_ok(store_key_create(w->store, w->a, &k, STR("test"), &token));
    return token;
}

static inline str world_pins(struct world *w) {
    static const char profile[] = "format: 1\nname: Test\nfirmographics:\n  - field: employees\n    range: [50, 500]\n"
                                  "    weight: 3\n  - field: company.country\n    values: {France: 1, Chad: 0.5}\n"
                                  "behaviour:\n  - field: visits\n    at_least: 5\n"
                                  "negative_personas:\n  - name: Too small\n    when: {field: employees, below: 3}\n";
    struct pin_terms t = pin_defaults();
    char id[HASH_HEX_BYTE + 1];
    str text;
    assert_ok(store_artifact_put(w->store, STR("profile"), STR("test"), str_from(profile), id));
    t.profile = str_copy(w->a, (str){id, HASH_HEX_BYTE});
    assert_ok(pin_write(w->a, &t, &text));
    return text;
}

static inline void world_open_store(struct world *w, const struct world_options *o) {
    struct migrate_report report;
    struct db *db;
    const char *path = o->database ? o->database : str_format(w->a, "%s/t.db", w->directory).ptr;
    const struct db_config d = {.url = path, .catalogue = &store_catalogue};
    assert_ok(db_open(w->a, &d, &db));
    assert_ok(store_migrate(db, &report));
    db_close(db);
    const struct store_config c = {
        .url = str_from(path), .clock = clock_system(), .vault = w->vault = vault_of(KEY_A), .linger_ms = -1};
    assert_ok(store_open(w->a, &c, &w->store));
    assert_ok(store_tenant_ensure(w->store, STR("default")));
    assert_ok(store_tenant_ensure(w->store, STR("acme")));
    assert_ok(store_tenant_ensure(w->store, STR("other")));
}

static inline void world_start_engine(struct world *w, const struct world_options *o) {
    struct engine_config c = engine_defaults();
    struct http_client_settings client = http_client_defaults();
    assert_ok(http_client_start(&client, &w->client));
    c.store = w->store;
    c.vault = w->vault;
    c.clock = clock_system();
    c.metrics = w->metrics;
    c.pins = world_pins(w);
    c.http = w->client;
    c.workers = o->workers;
    c.poll_ms = 50;
    if (o->max_backlog > 0)
        c.max_backlog = o->max_backlog;
    assert_ok(engine_new(w->a, &c, &w->engine));
    assert_ok(engine_start(w->engine));
}

static inline void world_start_api(struct world *w, const struct world_options *o) {
    const struct cache_options cache = {0};
    struct http_server_settings s = http_server_defaults();
    assert_ok(cache_open(&cache, &w->cache));
    vault_token_new(&w->control);
    w->secret[0] = STR(HOOK_SECRET);
    w->secret[1] = STR(HOOK_OLD_SECRET);
    const struct api_config c = {.store = w->store,
                                 .engine = w->engine,
                                 .vault = w->vault,
                                 .clock = {clock_system().wall_ms, world_steady_ns},
                                 .metrics = w->metrics,
                                 .cache = w->cache,
                                 .hook_secret = w->secret,
                                 .n_hook_secret = o->no_hook ? 0 : 2,
                                 .control_token = str_from(w->control.text),
                                 .open_metrics = o->open_metrics,
                                 .version = STR("0.0.0")};
    assert_ok(api_new(w->a, &c, &w->api));
    s.handle = api_handle;
    s.ctx = w->api;
    s.threads = 2;
    s.max_body_byte = 8 << 20;
    assert_ok(http_server_start(&s, &w->server));
    api_watch(w->api, API_PUBLIC, w->server);
    w->port = http_server_port(w->server);
}

/* The description, with its references as json_schema.h reads them. */
static inline const struct json *world_description(struct arena *a) {
    static const str from = STR_INIT("#/components/schemas/"), to = STR_INIT("#/$defs/");
    str rest = asset_get(STR("openapi/galena.json"));
    struct buf *b = buf_in(a, 4 << 20);
    const struct json *v;
    for (ptrdiff_t at; (at = str_find(rest, from)) >= 0; rest = str_slice(rest, (size_t)at + from.len, rest.len)) {
        buf_add(b, str_slice(rest, 0, (size_t)at));
        buf_add(b, to);
    }
    buf_add(b, rest);
    assert_ok(json_parse(a, buf_str(b), NULL, &v));
    return v;
}

static inline struct world *world_new(struct arena *a, const struct world_options *o) {
    struct world *w = ARENA_NEW(a, struct world);
    w->a = a;
    snprintf(w->directory, sizeof w->directory, "/tmp/galena-api-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    w->metrics = metrics_new(a);
    world_open_store(w, o);
    world_start_engine(w, o);
    world_start_api(w, o);
    w->description = world_description(a);
    w->all = world_key(w, "acme", 15, 0, 0);
    w->ingest = world_key(w, "acme", SCOPE_INGEST, 0, 0);
    w->read = world_key(w, "acme", SCOPE_READ, 0, 0);
    w->write = world_key(w, "acme", SCOPE_WRITE, 0, 0);
    w->admin = world_key(w, "acme", SCOPE_ADMIN, 0, 0);
    w->other = world_key(w, "other", 15, 0, 0);
    return w;
}

static inline void world_stop(struct world *w) {
    api_stop(w->api);
    http_server_stop(w->server, 1000);
    engine_stop(w->engine, 1000);
    http_client_stop(w->client);
    store_close(w->store);
    cache_close(w->cache);
}

/* ---- tests in a world ---- */

static inline int world_begin_with(void **state, const struct world_options *o) {
    *state = world_new(arena_new((size_t)2 << 30), o);
    return 0;
}

static inline int world_begin(void **state) { return world_begin_with(state, &(struct world_options){.workers = 1}); }

static inline int world_end(void **state) {
    struct world *w = *state;
    char command[128];
    struct vault *vault = w->vault;
    snprintf(command, sizeof command, "rm -rf %s", w->directory);
    world_stop(w);
    arena_free(w->a);
    vault_close(vault);
#undef system
    return system(command);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_begin, world_end)

/* ---- asking ---- */

struct reply {
    int status;
    str head, body;
    const struct json *json; /* NULL when the body is none */
};

static inline str reply_field(const struct reply *r, const char *name) {
    return net_answer_field(&(struct net_answer){.head = r->head}, name);
}

static inline const struct json *description_of(struct world *w, const struct route *route) {
    const struct json *path = json_get(json_get(w->description, STR("paths")), str_from(route->path));
    const struct json *op = json_get(path, str_lower(w->a, str_from(route->method)));
    if (!op)
        fail_msg("%s %s is not described", route->method, route->path);
    return op;
}

/* Checks `value` against a schema of the description. */
static inline void check_schema(struct world *w, const struct json *schema, const struct json *value, const char *what) {
    struct json_member *m = ARENA_ARRAY(w->a, 2, struct json_member);
    struct json_problems problems;
    m[0] = (struct json_member){.key = STR("$defs"), .value = *json_pointer(w->description, STR("/components/schemas"))};
    m[1] = (struct json_member){.key = STR("allOf"), .value = {.type = JSON_ARRAY, .count = 1, .items = schema}};
    const struct json whole = {.type = JSON_OBJECT, .count = 2, .members = m};
    if (json_schema_check(w->a, &whole, value, &problems) != OK)
        fail_msg("%s: %s", what, err_text());
}

/* The answer must be one that the description names for the operation. */
static inline void check_described(struct world *w, const char *method, str path, const struct reply *r) {
    str id, allow, type = reply_field(r, "Content-Type");
    const struct route *route = route_find(w->a, str_from(method), path, &id, &allow);
    const char *what = str_format(w->a, "%s %.*s: %d", method, STR_ARG(path), r->status).ptr;
    const struct json *answer = NULL;
    if (route) {
        const struct json *answers = json_get(description_of(w, route), STR("responses"));
        answer = json_get(answers, str_format(w->a, "%d", r->status));
        if (!answer && r->status >= 500)
            answer = json_get(answers, STR("default"));
        if (!answer)
            fail_msg("%s is not described", what);
        const struct json *ref = json_get(answer, STR("$ref"));
        if (ref)
            answer = json_pointer(w->description, str_slice(ref->string, 1, ref->string.len));
    } else {
        assert_true(r->status == 404 || r->status == 405);
        answer = json_pointer(w->description, STR("/components/responses/P404"));
    }
    const struct json *content = json_get(answer, STR("content"));
    if (!content || strcmp(method, "HEAD") == 0) {
        assert_int_equal(r->body.len, 0);
        return;
    }
    ptrdiff_t semicolon = str_find_byte(type, ';');
    const struct json *media = json_get(content, semicolon < 0 ? type : str_slice(type, 0, (size_t)semicolon));
    if (!media)
        fail_msg("%s: %.*s is not described", what, STR_ARG(type));
    if (r->json)
        check_schema(w, json_get(media, STR("schema")), r->json, what);
}

static inline struct reply read_reply(struct world *w, int fd, const char *method, str path) {
    struct net_answer answer = net_receive_answer(w->a, fd, strcmp(method, "HEAD") != 0);
    struct reply r = {.status = answer.status, .head = answer.head, .body = answer.body};
    str type = reply_field(&r, "Content-Type");
    if (r.body.len > 0 && (str_starts(type, STR("application/json")) || str_starts(type, STR("application/problem+json"))))
        assert_ok(json_parse(w->a, r.body, NULL, &r.json));
    check_described(w, method, path, &r);
    assert_true(reply_field(&r, "X-Request-Id").len > 0);
    assert_true(str_equal(reply_field(&r, "X-Content-Type-Options"), STR("nosniff")));
    return r;
}

/* Sends a request on `fd`; `more`: further header fields, each with its line end. */
static inline void send_request(struct world *w, int fd, const char *method, const char *target, str token, const char *more,
                                str body) {
    struct buf *b = buf_in(w->a, 16 << 20);
    buf_add_format(b, "%s %s HTTP/1.1\r\nHost: test\r\n%s", method, target, more);
    if (token.len > 0)
        buf_add_format(b, "Authorization: Bearer %.*s\r\n", STR_ARG(token));
    if (body.len > 0)
        buf_add_format(b, "Content-Length: %zu\r\n", body.len);
    buf_add(b, STR("\r\n"));
    buf_add(b, body);
    net_send(fd, buf_str(b));
}

static inline struct reply ask_with(struct world *w, const char *method, const char *target, str token, const char *more,
                                    str body) {
    int fd = net_connect(w->port);
    str path = str_from(target);
    ptrdiff_t question = str_find_byte(path, '?');
    send_request(w, fd, method, target, token, more, body);
    struct reply r = read_reply(w, fd, method, question < 0 ? path : str_slice(path, 0, (size_t)question));
    close(fd);
    return r;
}

static inline struct reply ask(struct world *w, const char *method, const char *target, str token, const char *body) {
    return ask_with(w, method, target, token, body && body[0] ? "Content-Type: application/json\r\n" : "", str_from(body));
}

static inline struct reply get(struct world *w, const char *target, str token) { return ask(w, "GET", target, token, ""); }

static inline str member_text(const struct json *v, const char *key) {
    str text;
    assert_ok(json_get_string(v, str_from(key), &text));
    return text;
}

static inline int64_t member_integer(const struct json *v, const char *key) {
    int64_t n;
    assert_ok(json_get_integer(v, str_from(key), &n));
    return n;
}

#define assert_code(given, want_status, want_code)                                                                          \
    do {                                                                                                                    \
        struct reply code_r_ = (given);                                                                                     \
        if (code_r_.status != (want_status) || !code_r_.json ||                                                             \
            !str_equal(member_text(code_r_.json, "code"), STR(want_code)))                                                  \
            fail_msg("%s:%d: %d %.*s, not %d %s", __FILE__, __LINE__, code_r_.status, STR_ARG(code_r_.body), (want_status), \
                     want_code);                                                                                            \
    } while (0)

#define assert_status(given, want_status)                                                                                   \
    do {                                                                                                                    \
        struct reply status_r_ = (given);                                                                                   \
        if (status_r_.status != (want_status))                                                                              \
            fail_msg("%s:%d: %d %.*s, not %d", __FILE__, __LINE__, status_r_.status, STR_ARG(status_r_.body),               \
                     (want_status));                                                                                        \
    } while (0)

/* A lead of the tenant whose token it is; its identifier. */
static inline str post_lead(struct world *w, str token, const char *body) {
    struct reply r = ask(w, "POST", "/v1/leads", token, body);
    assert_status(r, 202);
    return str_copy(w->a, member_text(r.json, "id"));
}

/* Waits until the lead's newest passage has ended. */
static inline struct reply wait_ended(struct world *w, str token, str id) {
    const char *path = str_format(w->a, "/v1/leads/%.*s", STR_ARG(id)).ptr;
    int64_t until = net_now_ms() + WAIT_MS;
    for (;;) {
        struct reply r = get(w, path, token);
        assert_status(r, 200);
        if (json_get(r.json, STR("run"))->type == JSON_NULL)
            return r;
        if (net_now_ms() > until)
            fail_msg("the lead did not end: %.*s", STR_ARG(r.body));
        poll(NULL, 0, 2);
    }
}

static inline const char *lead_target(struct world *w, str id, const char *rest) {
    return str_format(w->a, "/v1/leads/%.*s%s", STR_ARG(id), rest).ptr;
}

#endif
