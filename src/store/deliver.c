/* deliver.c — promised effects go out, tenants in turn, and what became of them is written down. */
#include "store/store_priv.h"

#include "base/crash_point.h"

enum { DELIVERY_RECOVER_MOST = 1000, DELIVERY_PASSES = 3 };

/* ---- claim ---- */

err store_delivery_claim(struct store *s, struct delivery_claim *c) {
    c->store = s;
    c->write.kind = &s->kind[KIND_DELIVERY_CLAIM];
    c->write.byte = sizeof *c;
    return writer_submit(s->writer, &c->write);
}

struct sending {
    struct store *store;
    struct db *db;
    struct delivery_claim *claim;
    struct share *share;
    str *sealed, *key;
};

static err delivery_row(void *ctx, struct db_row *row) {
    struct sending *k = ctx;
    struct arena *a = k->claim->arena;
    if (k->claim->n == k->claim->most)
        return fail(ERR_CORRUPT, "store_row", "more deliveries were taken than asked for");
    k->claim->delivery[k->claim->n++] = (struct due_delivery){.tenant = str_copy(a, db_row_text(row, 0)),
                                                              .lead = str_copy(a, db_row_text(row, 1)),
                                                              .target = str_copy(a, db_row_text(row, 2)),
                                                              .gen = db_row_integer(row, 3),
                                                              .attempt = db_row_integer(row, 4),
                                                              .fence = db_row_integer(row, 5),
                                                              .unknown = db_row_integer(row, 6) != 0,
                                                              .failed = db_row_text(row, 7).len > 0};
    k->share[row->index].got++;
    return OK;
}

static err take_quotas(struct sending *k, struct share *share, size_t n) {
    struct arena *a = db_scratch(k->db);
    struct db_value *param = ARENA_ARRAY(a, n * 3, struct db_value), *p = param;
    size_t *at = ARENA_ARRAY(a, n, size_t), rows = 0;
    k->share = ARENA_ARRAY(a, n, struct share);
    for (size_t i = 0; i < n; i++) {
        if (share[i].quota == 0)
            continue;
        *p++ = db_text(share[i].tenant);
        *p++ = db_integer((int64_t)share[i].quota);
        *p++ = db_text(k->store->worker);
        at[rows++] = i;
    }
    TRY(db_query_many(k->db, QUERY_DELIVERY_TAKE, param, rows, delivery_row, k));
    for (size_t i = 0; i < rows; i++)
        share[at[i]].got = k->share[i].got;
    return OK;
}

/* Those for which a newer generation is promised leave the list. */
static err supersede(struct sending *k) {
    struct delivery_claim *c = k->claim;
    struct arena *a = db_scratch(k->db);
    struct db_value *param = ARENA_ARRAY(a, c->n * 4, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, c->n, int64_t);
    for (size_t i = 0; i < c->n; i++) {
        *p++ = db_text(c->delivery[i].tenant);
        *p++ = db_text(c->delivery[i].lead);
        *p++ = db_text(c->delivery[i].target);
        *p++ = db_integer(c->delivery[i].gen);
    }
    TRY(db_exec_many(k->db, QUERY_DELIVERY_SUPERSEDE, param, c->n, changed));
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++)
        if (changed[i] == 0)
            c->delivery[kept++] = c->delivery[i];
    c->n = kept;
    return OK;
}

static err context_row(void *ctx, struct db_row *row) {
    struct sending *k = ctx;
    struct arena *a = db_scratch(k->db);
    k->claim->delivery[row->index].scored_ms = db_row_integer(row, 0);
    k->claim->delivery[row->index].pins = str_copy(k->claim->arena, db_row_text(row, 3));
    k->sealed[row->index] = str_copy(a, db_row_blob(row, 1));
    k->key[row->index] = str_copy(a, db_row_blob(row, 2));
    k->claim->delivery[row->index].pins = str_copy(k->claim->arena, db_row_text(row, 3));
    return OK;
}

static err open_snapshot(struct sending *k, struct sealer *sealer, size_t i) {
    struct due_delivery *d = &k->claim->delivery[i];
    struct arena *a = k->claim->arena;
    if (k->sealed[i].len == 0)
        return OK;
    TRY(store_lead_open(k->store, k->db, sealer, d->tenant, d->lead, k->key[i]));
    return sealer_unseal(sealer, STORE_CELL_SCORE(str_format(a, "%lld", (long long)d->gen)), k->sealed[i], 0, a,
                         &d->snapshot);
}

static err open_snapshots(struct sending *k) {
    struct delivery_claim *c = k->claim;
    struct arena *a = db_scratch(k->db);
    struct db_value *param = ARENA_ARRAY(a, c->n * 3, struct db_value), *p = param;
    k->sealed = ARENA_ARRAY(a, c->n, str);
    k->key = ARENA_ARRAY(a, c->n, str);
    for (size_t i = 0; i < c->n; i++) {
        *p++ = db_text(c->delivery[i].tenant);
        *p++ = db_text(c->delivery[i].lead);
        *p++ = db_integer(c->delivery[i].gen);
    }
    TRY(db_query_many(k->db, QUERY_DELIVERY_CONTEXT, param, c->n, context_row, k));
    struct sealer *sealer = NULL;
    TRY(store_sealer(k->store, a, &sealer));
    for (size_t i = 0; i < c->n; i++) {
        err rc = open_snapshot(k, sealer, i);
        if (rc == ERR_AGAIN || rc == ERR_LIMIT)
            return rc;
        if (rc != OK)
            c->delivery[i].snapshot = (str){0}; /* damaged: the sender buries it */
    }
    sealer_lead_close(sealer);
    return OK;
}

static err claim_deliveries(void *ctx) {
    struct sending *k = ctx;
    struct delivery_claim *c = k->claim;
    struct share *share = NULL;
    size_t n = 0;
    c->n = 0;
    c->delivery = ARENA_ARRAY(c->arena, c->most, struct due_delivery);
    if (k->store->db_kind != DB_SQLITE)
        TRY(db_exec(k->db, QUERY_DELIVERY_RECOVER, DB_ROW(db_integer(DELIVERY_RECOVER_MOST)), NULL));
    TRY(store_fair_tenants(k->store, k->db, QUERY_DELIVERY_TENANTS, k->store->delivery_cursor, db_scratch(k->db), &share,
                           &n));
    for (int pass = 0; pass < DELIVERY_PASSES && c->n < c->most; pass++) {
        if (store_fair_divide(share, n, c->most - c->n) == 0)
            break;
        store_fair_remember(k->store, k->store->delivery_cursor, share, n);
        TRY(take_quotas(k, share, n));
    }
    if (c->n == 0)
        return OK;
    TRY(supersede(k));
    return open_snapshots(k);
}

err store_apply_delivery_claim(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    for (size_t i = 0; i < n; i++) {
        struct sending k = {.store = ctx, .db = db, .claim = (struct delivery_claim *)batch[i]};
        TRY(arena_run(k.claim->arena, claim_deliveries, &k));
    }
    return OK;
}

/* ---- done ---- */

err store_delivery_done(struct store *s, struct delivery_done *c) {
    c->store = s;
    c->stale = false;
    if (c->status == DELIVERY_SENT)
        return fail(ERR_INPUT, "delivery_status", "a try of a delivery ends as done, dead, superseded, ready or unknown");
    c->write.kind = &s->kind[KIND_DELIVERY_DONE];
    c->write.tenant = c->tenant;
    c->write.byte = sizeof *c + c->reason.len;
    return writer_submit(s->writer, &c->write);
}

err store_apply_delivery_done(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * 11, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, n, int64_t);
    for (size_t i = 0; i < n; i++) {
        const struct delivery_done *c = (struct delivery_done *)batch[i];
        *p++ = db_text(c->tenant);
        *p++ = db_text(c->lead);
        *p++ = db_text(c->target);
        *p++ = db_integer(c->gen);
        *p++ = db_integer(c->fence);
        *p++ = db_integer(c->status);
        *p++ = db_integer(c->delay_ms);
        *p++ = c->slug ? db_text(str_from(c->slug)) : db_null();
        *p++ = c->slug ? db_text(c->reason) : db_null();
        *p++ = db_integer(c->uncounted ? 1 : 0);
        *p++ = db_integer(c->unknown ? 1 : 0);
    }
    TRY(db_exec_many(db, QUERY_DELIVERY_CLOSE, param, n, changed));
    crash_point("delivery_written");
    for (size_t i = 0; i < n; i++)
        ((struct delivery_done *)batch[i])->stale = changed[i] == 0;
    return OK;
}
