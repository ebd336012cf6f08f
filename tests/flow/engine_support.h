/* engine_support.h — an engine on a real store in a directory of its own, leads for it, and a server that does as it is
 * told.
 */
#ifndef GALENA_TESTS_FLOW_ENGINE_SUPPORT_H
#define GALENA_TESTS_FLOW_ENGINE_SUPPORT_H

#include "base/file.h"
#include "flow/engine_priv.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "query.h"
#include "store/migrate.h"
#include "store/store_priv.h"
#include "unit.h"

#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORLD_WAIT_MS = 60000, WORLD_SERVED = 16384 };

/* Time is the machine's and what tests add to it. */
static _Atomic int64_t world_jump_ms;
static inline int64_t world_wall_ms(void) { return clock_system().wall_ms() + atomic_load(&world_jump_ms); }
static inline int64_t world_steady_ns(void) { return clock_system().steady_ns() + atomic_load(&world_jump_ms) * 1000000; }
static inline struct clock world_clock(void) { return (struct clock){world_wall_ms, world_steady_ns}; }

/* Waits until the condition holds. */
#define world_wait(condition)                                                                                               \
    do {                                                                                                                    \
        int64_t world_until_ = clock_system().steady_ns() / 1000000 + WORLD_WAIT_MS;                                        \
        while (!(condition)) {                                                                                              \
            if (clock_system().steady_ns() / 1000000 > world_until_)                                                        \
                fail_msg("waited in vain for %s", #condition);                                                              \
            poll(NULL, 0, 2);                                                                                               \
        }                                                                                                                   \
    } while (0)

/* ---- a server ---- */

/* What a request asked, and how often its key came before. */
struct served {
    char key[160];
    str method, path;
    unsigned before;
};

struct host {
    struct http_server *server;
    char url[64], status_url[64];
    pthread_mutex_t lock;
    struct {
        char key[160];
        unsigned posts;
    } seen[WORLD_SERVED];
    size_t n_seen;
    _Atomic unsigned posts, gets, held;
    struct http_request *hold[WORLD_SERVED];
    bool closed; /* nobody is held any more */
    /* Answers, or returns false: then the request is held. */
    bool (*answer)(struct host *h, struct http_request *r, const struct served *s);
    _Atomic int mode;
};

static inline void host_reply(struct http_request *r, int status, const char *body) {
    static const struct http_field json[] = {{STR_INIT("Content-Type"), STR_INIT("application/json")}};
    http_respond(r, status, json, 1, str_from(body));
}

static inline unsigned host_count(struct host *h, const char *key, bool post) {
    pthread_mutex_lock(&h->lock);
    size_t i = 0;
    while (i < h->n_seen && strcmp(h->seen[i].key, key) != 0)
        i++;
    if (i == h->n_seen && i < WORLD_SERVED)
        snprintf(h->seen[h->n_seen++].key, sizeof h->seen[i].key, "%s", key);
    unsigned before = h->seen[i].posts;
    h->seen[i].posts += post;
    pthread_mutex_unlock(&h->lock);
    return before;
}

static inline void host_handle(void *ctx, struct http_request *r) {
    struct host *h = ctx;
    struct served s = {.method = r->method, .path = r->path};
    str key = http_request_header(r, STR("Idempotency-Key"));
    bool post = str_equal(r->method, STR("POST"));
    snprintf(s.key, sizeof s.key, "%.*s", STR_ARG(key));
    s.before = host_count(h, s.key, post);
    atomic_fetch_add(post ? &h->posts : &h->gets, 1);
    if (h->answer(h, r, &s))
        return;
    pthread_mutex_lock(&h->lock);
    bool closed = h->closed;
    if (!closed) {
        h->hold[atomic_load(&h->held)] = r;
        atomic_fetch_add(&h->held, 1);
    }
    pthread_mutex_unlock(&h->lock);
    if (closed)
        host_reply(r, 503, "{}");
}

static inline struct host *host_start(bool (*answer)(struct host *h, struct http_request *r, const struct served *s)) {
    struct host *h = calloc(1, sizeof *h);
    struct http_server_settings c = http_server_defaults();
    pthread_mutex_init(&h->lock, NULL);
    h->answer = answer;
    c.listen = "127.0.0.1:0";
    c.threads = 1;
    c.max_connections_per_address = 4096;
    c.handle = host_handle;
    c.ctx = h;
    assert_ok(http_server_start(&c, &h->server));
    snprintf(h->url, sizeof h->url, "http://127.0.0.1:%d/in", http_server_port(h->server));
    snprintf(h->status_url, sizeof h->status_url, "http://127.0.0.1:%d/status", http_server_port(h->server));
    return h;
}

static inline void host_stop(struct host *h) {
    pthread_mutex_lock(&h->lock);
    h->closed = true;
    unsigned n = atomic_exchange(&h->held, 0);
    pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < n; i++)
        host_reply(h->hold[i], 503, "{}");
    http_server_stop(h->server, 1000);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- a store and an engine on it ---- */

struct world {
    struct arena *a, *engine_arena;
    char directory[64];
    const char *path;
    struct vault *vault;
    struct sealer *sealer;
    struct store *store;
    struct store_reader *reader;
    struct http_client *client;
    struct engine *engine;
    struct engine_config c;
    struct pin_terms terms;
    str pins;
    sqlite3 *db;
    _Atomic size_t acked;
    size_t sent;
};

static inline void world_open_store(struct world *w) {
    const struct store_config c = {.url = str_from(w->path), .clock = world_clock(), .vault = w->vault, .linger_ms = -1};
    assert_ok(store_open(w->a, &c, &w->store));
    assert_ok(store_reader_open(w->store, w->a, &w->reader));
}

static inline void world_open_client(struct world *w) {
    struct http_client_settings h = http_client_defaults();
    struct address_range loopback;
    assert_ok(address_parse_range(STR("127.0.0.1"), &loopback));
    h.allow = &loopback;
    h.n_allow = 1;
    h.max_in_flight = 128;
    h.max_connections_per_host = 64;
    assert_ok(http_client_start(&h, &w->client));
    w->c.http = w->client;
}

static inline void world_pin(struct world *w) {
    str profile;
    char id[HASH_HEX_BYTE + 1];
    const char *share = getenv("GALENA_SHARE");
    const char *file = str_format(w->a, "%s/profiles/sample.yaml", share ? share : "share").ptr;
    assert_ok(file_read_all(w->a, file, 1 << 20, &profile));
    assert_ok(store_artifact_put(w->store, STR("profile"), STR("sample"), profile, id));
    w->terms.profile = str_copy(w->a, (str){id, HASH_HEX_BYTE});
    assert_ok(pin_write(w->a, &w->terms, &w->pins));
}

static inline int world_begin(void **state) {
    static struct world world;
    struct world *w = *state = &world;
    *w = (struct world){.a = arena_new((size_t)4 << 30), .terms = pin_defaults()};
    atomic_store(&world_jump_ms, 0);
    snprintf(w->directory, sizeof w->directory, "/tmp/galena-engine-XXXXXX");
    if (!mkdtemp(w->directory))
        return -1;
    w->path = str_format(w->a, "%s/t.db", w->directory).ptr;
    const struct db_config c = {.url = w->path, .catalogue = &store_catalogue};
    struct db *db = NULL;
    struct migrate_report report;
    assert_ok(db_open(w->a, &c, &db));
    assert_ok(store_migrate(db, &report));
    db_close(db);
    setenv("GALENA_TEST_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1);
    const struct vault_source source = {.kind = VAULT_ENVIRONMENT, .name = "GALENA_TEST_KEY"};
    assert_ok(vault_open(&source, 1, &w->vault));
    assert_ok(sealer_new(w->vault, &w->sealer));
    world_open_store(w);
    assert_int_equal(sqlite3_open_v2(w->path, &w->db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(w->db, 10000);
    w->c = engine_defaults();
    w->c.vault = w->vault;
    w->c.clock = world_clock();
    world_open_client(w);
    w->c.poll_ms = 20;
    w->c.retry.base_ms = 20;
    w->c.retry.cap_ms = 100;
    w->c.retry.limit_ms = 50;
    w->c.ask_wait_ms = 30000;
    w->c.seed = 42;
    return 0;
}

static inline void world_make_engine(struct world *w) {
    if (w->pins.len == 0)
        world_pin(w);
    w->engine_arena = arena_new((size_t)1 << 30);
    w->c.store = w->store;
    w->c.pins = w->pins;
    assert_ok(engine_new(w->engine_arena, &w->c, &w->engine));
}

static inline void world_start(struct world *w) {
    if (!w->engine)
        world_make_engine(w);
    assert_ok(engine_start(w->engine));
}

/* As a process that ends in order. */
static inline void world_stop_engine(struct world *w) {
    if (!w->engine)
        return;
    engine_stop(w->engine, 20000);
    http_client_stop(w->client);
    store_reader_close(w->reader);
    store_close(w->store);
    w->store = NULL;
    w->engine = NULL;
    arena_free(w->engine_arena);
    w->engine_arena = NULL;
    world_open_client(w);
}

static inline int world_end(void **state) {
    struct world *w = *state;
    if (w->engine)
        world_stop_engine(w);
    http_client_stop(w->client);
    sqlite3_close(w->db);
    if (w->store)
        store_abandon(w->store);
    arena_free(w->a);
    sealer_free(w->sealer);
    vault_close(w->vault);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", w->directory);
#undef system
    return system(command);
}

#define WORLD_TEST(fn) cmocka_unit_test_setup_teardown(fn, world_begin, world_end)

/* ---- looking ---- */

static inline int64_t world_sql(struct world *w, const char *sql) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(w->db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(w->db));
    int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return n;
}

static inline void world_run_sql(struct world *w, const char *sql) {
    char *why = NULL;
    if (sqlite3_exec(w->db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

static inline str world_text(struct world *w, const char *sql) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(w->db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(w->db));
    str text = {0};
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
        text = str_copy(w->a, str_from((const char *)sqlite3_column_text(s, 0)));
    sqlite3_finalize(s);
    return text;
}

static inline int64_t world_scores(struct world *w) { return world_sql(w, "SELECT count(*) FROM score"); }

/* ---- leads ---- */

struct world_leads {
    str tenant;
    size_t first, n, batch;
    enum run_priority priority;
    int64_t deadline_ms;
    bool no_lease;
    const char *body; /* with one %zu */
};

struct world_accept {
    struct accept accept; /* first */
    struct world *w;
    struct arena *arena;
    bool lease;
    size_t byte;
};

static inline void world_accepted(struct write *write, err rc) {
    struct world_accept *x = (struct world_accept *)write;
    struct world *w = x->w;
    if (rc == OK)
        engine_accepted(w->engine, &x->accept, x->lease, x->byte);
    else
        engine_rejected(w->engine, x->accept.tenant, x->accept.n, x->lease, x->byte);
    atomic_fetch_add(&w->acked, rc == OK ? x->accept.n : 0);
    arena_free(x->arena);
}

static inline str world_body(struct arena *a, const struct world_leads *l, size_t i) {
    static const char usual[] =
        "{\"crm_id\":\"L%zu\",\"person\":{\"email\":\"p%zu@example.com\"},\"custom\":{\"employees\":%zu,"
        "\"industry\":\"Software\",\"country\":\"Germany\",\"seniority\":\"Director\",\"web_visits\":4}}";
    struct buf *b = buf_in(a, 1 << 20);
    const char *form = l->body ? l->body : usual;
    for (const char *p = form; *p; p++)
        if (strncmp(p, "%zu", 3) == 0) {
            buf_add_format(b, "%zu", i);
            p += 2;
        } else {
            buf_add_byte(b, *p);
        }
    return buf_str(b);
}

/* Accepts one batch as the API does. */
static inline err world_submit(struct world *w, const struct world_leads *l, size_t first, size_t n) {
    struct arena *a = arena_new((size_t)256 << 20);
    struct world_accept *x = ARENA_NEW(a, struct world_accept);
    struct new_lead *lead = ARENA_ARRAY(a, n, struct new_lead);
    int64_t after_ms = 0;
    *x = (struct world_accept){.w = w, .arena = a};
    x->accept = (struct accept){.write = {.done = world_accepted},
                                .tenant = str_copy(a, l->tenant),
                                .cause = STR("accepted"),
                                .actor = STR("test"),
                                .pins = engine_pins(w->engine),
                                .lead = ARENA_ARRAY(a, n, struct accepted),
                                .n = n,
                                .arena = a};
    for (size_t i = 0; i < n; i++) {
        str body = world_body(a, l, first + i);
        lead[i] = (struct new_lead){.source = STR("api"),
                                    .external = str_format(a, "L%zu", first + i),
                                    .body = body,
                                    .priority = l->priority,
                                    .deadline_ms = l->deadline_ms};
        x->byte += body.len + 512;
        x->accept.lead[i].in = &lead[i];
    }
    err rc = engine_admit(w->engine, l->tenant, n, x->byte, &x->lease, &after_ms);
    if (rc != OK) {
        arena_free(a);
        return rc;
    }
    if (l->no_lease && x->lease) {
        ready_release(w->engine->ready, n, x->byte);
        x->lease = false;
    }
    for (size_t i = 0; i < n; i++)
        lead[i].lease = x->lease;
    rc = store_accept(w->store, w->sealer, &x->accept);
    if (rc != OK) {
        engine_rejected(w->engine, l->tenant, n, x->lease, x->byte);
        arena_free(a);
        return rc;
    }
    w->sent += n;
    return OK;
}

static inline void world_accept(struct world *w, struct world_leads l) {
    if (l.tenant.len == 0)
        l.tenant = STR("acme");
    size_t batch = l.batch ? l.batch : 50;
    assert_ok(store_tenant_ensure(w->store, l.tenant));
    for (size_t i = 0; i < l.n; i += batch)
        assert_ok(world_submit(w, &l, l.first + i, l.n - i < batch ? l.n - i : batch));
    world_wait(atomic_load(&w->acked) == w->sent);
}

/* Every lead ended once, and nothing is left in memory or alive in the store. */
static inline void world_all_ended(struct world *w, size_t n) {
    world_wait(world_scores(w) == (int64_t)n);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run"), 0);
    assert_int_equal(
        world_sql(w, "SELECT count(*) FROM (SELECT 1 FROM score GROUP BY tenant, lead, gen HAVING count(*) > 1)"), 0);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM lead WHERE outcome = 0"), 0);
    world_wait(engine_look(w->engine).commands == 0);
    struct ready_view v = ready_look(w->engine->ready);
    assert_int_equal(v.waiting + v.running + v.suspects, 0);
    world_wait(backlog_total(w->engine->backlog) == 0);
}

#endif
