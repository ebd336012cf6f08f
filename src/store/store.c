/* store.c — opening and closing, this process among the workers, calls that run inside a writer's transaction. */
#include "store/store_priv.h"

#include "base/crash_point.h"
#include "store/migrate.h"

#include <sodium.h>
#include <unistd.h>

enum { STORE_ARENA_BYTE = 64 << 20 };

/* ---- identifiers ---- */

/* Crockford's base 32. */
static void write_id(uint64_t ms, uint64_t high, uint64_t low, char id[RUN_ID_BYTE + 1]) {
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    high &= 0xffff;
    for (int i = RUN_ID_BYTE - 1; i >= 10; i--) {
        id[i] = digits[low & 31u];
        low = low >> 5 | high << 59;
        high >>= 5;
    }
    for (int i = 9; i >= 0; i--, ms >>= 5)
        id[i] = digits[ms & 31u];
    id[RUN_ID_BYTE] = 0;
}

/* Identifiers of one process never go back, also when its clock does: rows are appended, not scattered. */
void store_new_id(struct store *s, char id[RUN_ID_BYTE + 1]) {
    uint64_t random[2];
    randombytes_buf(random, sizeof random);
    const uint64_t now = (uint64_t)s->clock.wall_ms();
    pthread_mutex_lock(&s->lock);
    if (now > s->id_ms) {
        s->id_ms = now;
        s->id_high = random[0] & 0x7fff; /* room to count up */
        s->id_low = random[1];
    } else {
        const uint64_t before = s->id_low;
        s->id_low += 1 + (random[1] & 0xffffffffu);
        s->id_high += s->id_low < before;
    }
    const uint64_t ms = s->id_ms, high = s->id_high, low = s->id_low;
    pthread_mutex_unlock(&s->lock);
    write_id(ms, high, low, id);
}

/* ---- calls ---- */

struct call {
    struct write write;
    err (*fn)(struct db *db, void *ctx);
    void *ctx;
};

static err apply_calls(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        struct call *c = (struct call *)batch[i];
        TRY(c->fn(db, c->ctx));
    }
    return OK;
}

err store_call(struct store *s, err (*fn)(struct db *db, void *ctx), void *ctx) {
    struct call c = {.write = {.kind = &s->kind[KIND_CALL], .byte = sizeof c}, .fn = fn, .ctx = ctx};
    return writer_run(s->writer, &c.write);
}

/* ---- rows ---- */

static err keep_first(void *ctx, struct db_row *row) {
    struct first_row *f = ctx;
    if (f->found)
        return OK;
    f->found = true;
    f->n = row->n < 8 ? row->n : 8;
    for (size_t i = 0; i < f->n; i++)
        f->integer[i] = row->value[i].type == DB_INTEGER ? row->value[i].integer : 0;
    return OK;
}

err store_first_row(struct db *db, unsigned query, const struct db_value *param, struct first_row *out) {
    *out = (struct first_row){0};
    return db_query(db, query, param, keep_first, out);
}

/* ---- this process among the workers ---- */

static err write_worker(struct db *db, void *ctx) {
    struct store *s = ctx;
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    return db_exec(db, QUERY_WORKER_ADD,
                   DB_ROW(db_text(s->worker), db_text(str_from(host)), db_integer(getpid()), db_integer(s->lease_ms)), NULL);
}

static err join_workers(struct db *db, void *ctx) {
    struct store *s = ctx;
    TRY(write_worker(db, s));
    if (db_kind(db) != DB_SQLITE)
        return OK;
    /* Nobody else can be alive. Runs come back with the first claims, so that those are counted. */
    const struct db_value all[] = {db_integer(INT64_MAX)};
    TRY(db_exec(db, QUERY_WORKER_DROP_OTHERS, DB_ROW(db_text(s->worker)), NULL));
    crash_point("workers_dropped");
    TRY(db_exec(db, QUERY_ASK_RECOVER, all, NULL));
    return db_exec(db, QUERY_DELIVERY_RECOVER, all, NULL);
}

static err leave_workers(struct db *db, void *ctx) {
    struct store *s = ctx;
    const struct db_value worker[] = {db_text(s->worker)};
    TRY(db_exec(db, QUERY_WORKER_RELEASE_RUNS, worker, NULL));
    crash_point("runs_released");
    TRY(db_exec(db, QUERY_WORKER_RELEASE_ASKS, worker, NULL));
    TRY(db_exec(db, QUERY_WORKER_RELEASE_DELIVERIES, worker, NULL));
    return db_exec(db, QUERY_WORKER_DROP, worker, NULL);
}

err store_heartbeat(struct store *s) { return store_call(s, write_worker, s); }

str store_worker_id(const struct store *s) { return s->worker; }

/* ---- opening and closing ---- */

static void set_kinds(struct store *s) {
    static const struct write_kind kinds[KIND_COUNT] = {
        [KIND_FINISH] = {.name = "finish", .apply = store_apply_finish},
        [KIND_PARK] = {.name = "park", .apply = store_apply_park},
        [KIND_GIVEBACK] = {.name = "giveback", .apply = store_apply_giveback},
        [KIND_ASK_ANSWER] = {.name = "ask_answer", .apply = store_apply_ask_answer},
        [KIND_DELIVERY_DONE] = {.name = "delivery_done", .apply = store_apply_delivery_done},
        [KIND_ACCEPT] = {.name = "accept", .apply = store_apply_accept},
        [KIND_CALL] = {.name = "call", .apply = apply_calls},
        [KIND_CLAIM] = {.name = "claim", .apply = store_apply_claim},
        [KIND_ASK_CLAIM] = {.name = "ask_claim", .apply = store_apply_ask_claim},
        [KIND_DELIVERY_CLAIM] = {.name = "delivery_claim", .apply = store_apply_delivery_claim},
    };
    for (int k = 0; k < KIND_COUNT; k++) {
        s->kind[k] = kinds[k];
        s->kind[k].ctx = s;
        s->order[k] = &s->kind[k];
    }
}

/* Connections and threads end with the store's own arena, which also gives back the sealers on loan. */
static void shut(void *ctx) {
    struct store *s = ctx;
    if (!s->arena)
        return;
    arena_free(s->arena);
    s->arena = NULL;
    while (s->n_sealer > 0)
        sealer_free(s->sealer[--s->n_sealer]);
    pthread_mutex_destroy(&s->lock);
}

/* The store's own reader; it must find the tables that this program knows. */
static err open_look(struct store *s, const struct db_config *c) {
    struct migrate_report report;
    struct db_config reading = *c;
    reading.role = DB_READER;
    TRY(db_open(s->arena, &reading, &s->look));
    return store_migrate_check(s->look, &report);
}

static err open_all(struct store *s, const struct store_config *c) {
    const struct writer_config config = {.db = {.url = s->url, .catalogue = &store_catalogue, .clock = s->clock},
                                         .kind = s->order,
                                         .n_kind = KIND_COUNT,
                                         .threads = c->writers,
                                         .linger_ms = c->linger_ms,
                                         .max_queue_byte = c->max_queue_byte};
    TRY(open_look(s, &config.db));
    TRY(writer_new(s->arena, &config, &s->writer));
    return store_call(s, join_workers, s);
}

err store_open(struct arena *a, const struct store_config *c, struct store **out) {
    struct store *s = ARENA_NEW(a, struct store);
    TRY(db_url_kind(c->url, &s->db_kind));
    s->clock = c->clock.wall_ms ? c->clock : clock_system();
    s->vault = c->vault;
    s->url = str_cstr(a, c->url);
    s->lease_ms = c->lease_ms ? c->lease_ms : 30000;
    s->arena = arena_new((size_t)STORE_ARENA_BYTE);
    if (!s->arena)
        return fail(ERR_LIMIT, "memory_limit", "no memory for the store");
    pthread_mutex_init(&s->lock, NULL);
    arena_defer(a, shut, s);
    set_kinds(s);
    store_new_id(s, s->worker_text);
    s->worker = (str){s->worker_text, RUN_ID_BYTE};
    err rc = open_all(s, c);
    if (rc != OK) {
        shut(s);
        return rc;
    }
    *out = s;
    return OK;
}

void store_close(struct store *s) {
    if (!s->arena)
        return;
    /* When it fails, the leases end by themselves. */
    (void)!store_call(s, leave_workers, s);
    shut(s);
}

void store_abandon(struct store *s) { shut(s); }

void store_stats(struct store *s, struct writer_stats *out) { writer_stats(s->writer, out); }
