/* store_fixture.h — an empty store on SQLite or PostgreSQL, and commands that wait for their end. */
#ifndef GALENA_TESTS_STORE_STORE_FIXTURE_H
#define GALENA_TESTS_STORE_STORE_FIXTURE_H

#include "keys.h"
#include "pg_server.h"
#include "query.h"
#include "store/migrate.h"
#include "store/store_priv.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

struct store_program {
    struct arena *arena;
    struct pg_server *server;
    const char *why;
};

struct store_fixture {
    enum db_kind kind;
    struct arena *a;
    char directory[64];
    const char *url;
    struct vault *vault;
    struct sealer *sealer;
    struct store *store;
    struct store_reader *reader;
};

static struct store_program fixture_program;
static struct store_fixture fixture_state;
static _Atomic int64_t fixture_ms; /* SQLite's time; PostgreSQL has its own */

static inline int64_t fixture_wall_ms(void) { return atomic_load(&fixture_ms); }

/* The time as the database sees it. */
static inline int64_t fixture_now(const struct store_fixture *f) {
    if (f->kind == DB_SQLITE)
        return fixture_wall_ms();
    return clock_system().wall_ms();
}

static inline struct store *fixture_open_lease(struct store_fixture *f, int64_t lease_ms) {
    const struct store_config c = {.url = str_from(f->url),
                                   .clock = {fixture_wall_ms, clock_system().steady_ns},
                                   .vault = f->vault,
                                   .lease_ms = lease_ms,
                                   .linger_ms = -1};
    struct store *s = NULL;
    assert_ok(store_open(f->a, &c, &s));
    return s;
}

static inline struct store *fixture_open(struct store_fixture *f) { return fixture_open_lease(f, 0); }

static inline int fixture_begin(void **state, enum db_kind kind) {
    struct store_fixture *f = *state = &fixture_state;
    *f = (struct store_fixture){.kind = kind, .a = arena_new((size_t)2 << 30)};
    atomic_store(&fixture_ms, 1700000000000);
    if (kind == DB_POSTGRES && !fixture_program.server)
        return 0;
    snprintf(f->directory, sizeof f->directory, "/tmp/galena-store-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    f->url = str_format(f->a, "%s/t.db", f->directory).ptr;
    if (kind == DB_POSTGRES) {
        f->url = pg_server_url(fixture_program.server);
        if (!pg_server_sql(fixture_program.server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
            return -1;
    }
    const struct db_config c = {.url = f->url, .catalogue = &store_catalogue};
    struct db *db = NULL;
    struct migrate_report report;
    assert_ok(db_open(f->a, &c, &db));
    assert_ok(store_migrate(db, &report));
    db_close(db);
    f->vault = vault_of(KEY_A);
    assert_ok(sealer_new(f->vault, &f->sealer));
    f->store = fixture_open(f);
    assert_ok(store_tenant_ensure(f->store, STR("acme")));
    assert_ok(store_reader_open(f->store, f->a, &f->reader));
    return 0;
}

static inline int fixture_sqlite(void **state) { return fixture_begin(state, DB_SQLITE); }
static inline int fixture_postgres(void **state) { return fixture_begin(state, DB_POSTGRES); }

static inline int fixture_end(void **state) {
    struct store_fixture *f = *state;
    if (f->store)
        store_abandon(f->store);
    arena_free(f->a);
    sealer_free(f->sealer);
    vault_close(f->vault);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->directory);
#undef system
    return f->directory[0] ? system(command) : 0;
}

static inline struct store_fixture *fixture(void **state) {
    struct store_fixture *f = *state;
    if (f->kind == DB_POSTGRES && !fixture_program.server) {
        print_message("# skipped: %s\n", fixture_program.why);
        skip();
    }
    return f;
}

#define STORE_BOTH(fn)                                                                                                      \
    {#fn " sqlite", fn, fixture_sqlite, fixture_end, NULL}, { #fn " postgres", fn, fixture_postgres, fixture_end, NULL }
#define STORE_SQLITE(fn)                                                                                                    \
    { #fn " sqlite", fn, fixture_sqlite, fixture_end, NULL }
#define STORE_POSTGRES(fn)                                                                                                  \
    { #fn " postgres", fn, fixture_postgres, fixture_end, NULL }

static inline int fixture_group_begin(void **state) {
    (void)state;
    fixture_program.arena = arena_new(1 << 20);
#ifdef GALENA_POSTGRES
    fixture_program.server = pg_server_start(fixture_program.arena, &fixture_program.why);
#else
    fixture_program.why = "built without PostgreSQL";
#endif
    return 0;
}

static inline int fixture_group_end(void **state) {
    (void)state;
    arena_free(fixture_program.arena);
    return 0;
}

/* ---- commands that wait ---- */

struct ticket {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
    err rc;
    char slug[64];
};

static inline void ticket_init(struct ticket *t) {
    *t = (struct ticket){0};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->over, NULL);
}

static inline void ticket_punch(struct ticket *t, err rc) {
    pthread_mutex_lock(&t->lock);
    t->rc = rc;
    snprintf(t->slug, sizeof t->slug, "%s", rc == OK ? "" : err_slug());
    t->done = true;
    pthread_cond_signal(&t->over);
    pthread_mutex_unlock(&t->lock);
}

static inline err ticket_wait(struct ticket *t) {
    pthread_mutex_lock(&t->lock);
    while (!t->done)
        pthread_cond_wait(&t->over, &t->lock);
    pthread_mutex_unlock(&t->lock);
    return t->rc;
}

/* A command with its ticket behind it. */
#define TICKETED(kind)                                                                                                      \
    struct ticketed_##kind {                                                                                                \
        struct kind c;                                                                                                      \
        struct ticket ticket;                                                                                               \
    };                                                                                                                      \
    static inline void kind##_punch(struct write *w, err rc) { ticket_punch(&((struct ticketed_##kind *)w)->ticket, rc); }

TICKETED(accept)
TICKETED(claim)
TICKETED(finish)
TICKETED(park)
TICKETED(giveback)
TICKETED(ask_claim)
TICKETED(ask_answer)
TICKETED(delivery_claim)
TICKETED(delivery_done)

/* What a failed command leaves as the thread's failure. */
static inline err again(const struct ticket *t) { return t->rc == OK ? OK : (fail)(t->rc, t->slug, "as reported"); }

#define SUBMIT(kind, command, submitted)                                                                                    \
    ((command)->c.write.done = kind##_punch, ticket_init(&(command)->ticket),                                               \
     (submitted) != OK ? ERR_INPUT : (ticket_wait(&(command)->ticket), again(&(command)->ticket)))

/* ---- short forms ---- */

static inline struct new_lead lead_of(str external, str body) {
    return (struct new_lead){.source = STR("api"), .external = external, .body = body, .priority = RUN_NORMAL};
}

struct accept_options {
    str tenant, key;
    struct store *store;
};

/* Accepts n leads in one command; *c lives in the arena. */
static inline err accept_leads(struct store_fixture *f, struct accept_options o, const struct new_lead *in, size_t n,
                               struct accept **out) {
    struct ticketed_accept *t = ARENA_NEW(f->a, struct ticketed_accept);
    struct new_lead *leads = arena_copy(f->a, in, n * sizeof *in);
    t->c = (struct accept){.tenant = o.tenant.len ? o.tenant : STR("acme"),
                           .cause = STR("accepted"),
                           .actor = STR("test"),
                           .pins = STR("{}"),
                           .lead = ARENA_ARRAY(f->a, n, struct accepted),
                           .n = n,
                           .idempotency_key = o.key,
                           .arena = f->a};
    for (size_t i = 0; i < n; i++)
        t->c.lead[i].in = &leads[i];
    *out = &t->c;
    return SUBMIT(accept, t, store_accept(o.store ? o.store : f->store, f->sealer, &t->c));
}

static inline struct accepted *accept_one(struct store_fixture *f, struct new_lead in) {
    struct accept *c = NULL;
    assert_ok(accept_leads(f, (struct accept_options){0}, &in, 1, &c));
    return &c->lead[0];
}

struct claim_options {
    size_t most, tenant_most;
    bool suspects;
    struct store *store;
};

static inline struct claim *claim_runs(struct store_fixture *f, struct claim_options o) {
    struct ticketed_claim *t = ARENA_NEW(f->a, struct ticketed_claim);
    t->c =
        (struct claim){.most = o.most, .tenant_most = o.tenant_most, .suspects = o.suspects, .max_crash = 3, .arena = f->a};
    assert_ok(SUBMIT(claim, t, store_claim(o.store ? o.store : f->store, &t->c)));
    return &t->c;
}

static inline struct lease lease_of(const struct claimed *r) {
    return (struct lease){r->tenant, r->lead, r->gen, r->fence, r->key};
}

static inline struct lease lease_born(const struct accepted *l) {
    return (struct lease){STR("acme"), {l->id, RUN_ID_BYTE}, l->gen, 1, l->key};
}

/* A scored run that went from `state` to the tier's. */
static inline struct run *scored_run(struct store_fixture *f, enum lead_state state, enum tier tier, size_t n_delivery) {
    struct run *r = ARENA_NEW(f->a, struct run);
    r->outcome = RUN_SCORED;
    r->score = (struct score){.probability = 0.75, .low = 0.5, .high = 0.875};
    r->tier = tier;
    r->accepted_ms = fixture_now(f);
    r->path = (struct lifecycle_path){.state = {state}, .n = 1};
    static const enum lead_state end[] = {LEAD_ARCHIVED, LEAD_NURTURING, LEAD_ASSIGNED};
    if (state == LEAD_INGESTED) {
        assert_ok(lifecycle_step(&r->path, LEAD_PENDING_ENRICHMENT));
        assert_ok(lifecycle_step(&r->path, LEAD_PENDING_SCORING));
    } else if (state == LEAD_NURTURING || state == LEAD_ARCHIVED) {
        assert_ok(lifecycle_step(&r->path, LEAD_RESCORED));
    }
    assert_ok(lifecycle_step(&r->path, LEAD_SCORED));
    assert_ok(lifecycle_step(&r->path, end[tier]));
    r->n_delivery = n_delivery;
    static const char *const targets[] = {"crm", "chat"};
    for (size_t i = 0; i < n_delivery; i++)
        r->delivery[i].target = str_from(targets[i]);
    return r;
}

static inline err finish_with(struct store_fixture *f, struct store *s, struct lease lease, const struct run *run,
                              bool *stale) {
    struct ticketed_finish *t = ARENA_NEW(f->a, struct ticketed_finish);
    t->c = (struct finish){.lease = lease,
                           .run = run,
                           .attempt = 1,
                           .scored_ms = fixture_now(f),
                           .pins = STR("{}"),
                           .cause = STR("accepted"),
                           .actor = STR("test"),
                           .timing = STR("{}"),
                           .snapshot = STR("{\"facts\":\"private snapshot\"}"),
                           .arena = f->a};
    err rc = SUBMIT(finish, t, store_finish(s, f->sealer, &t->c));
    *stale = t->c.stale;
    return rc;
}

static inline bool finish_is_stale(struct store_fixture *f, struct lease lease, const struct run *run) {
    bool stale = false;
    assert_ok(finish_with(f, f->store, lease, run, &stale));
    return stale;
}

static inline bool give_back(struct store_fixture *f, struct giveback c) {
    struct ticketed_giveback *t = ARENA_NEW(f->a, struct ticketed_giveback);
    t->c = c;
    assert_ok(SUBMIT(giveback, t, store_giveback(f->store, &t->c)));
    return t->c.stale;
}

static inline struct lead_view look_at(struct store_fixture *f, str lead) {
    struct lead_view v;
    assert_ok(store_lead(f->reader, f->a, STR("acme"), lead, &v));
    return v;
}

static inline str id_of(const struct accepted *l) { return (str){l->id, RUN_ID_BYTE}; }

static inline size_t lost_count(struct store_fixture *f) {
    struct lead_view *lost;
    size_t n = 0;
    assert_ok(store_lost(f->reader, f->a, INT64_MAX, &lost, &n));
    return n;
}

/* The process ends without a word, and another one begins. PostgreSQL: a worker whose lease has run out. */
static inline void crash_and_reopen(struct store_fixture *f) {
    store_abandon(f->store);
    if (f->kind == DB_POSTGRES)
        assert_true(pg_server_sql(fixture_program.server, "UPDATE worker SET until_ms = 0"));
    f->store = fixture_open(f);
    assert_ok(store_reader_open(f->store, f->a, &f->reader));
}

#endif
