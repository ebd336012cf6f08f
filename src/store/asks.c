/* asks.c — questions go out, answers are journalled, runs wake. */
#include "store/store_priv.h"

#include "base/crash_point.h"

#include <stdlib.h>

enum { ASK_RECOVER_MOST = 1000 };

/* ---- claim ---- */

err store_ask_claim(struct store *s, struct ask_claim *c) {
    c->store = s;
    c->write.kind = &s->kind[KIND_ASK_CLAIM];
    c->write.byte = sizeof *c;
    return writer_submit(s->writer, &c->write);
}

struct asking {
    struct store *store;
    struct db *db;
    struct ask_claim *claim;
    str *sealed; /* requests */
};

static err ask_row(void *ctx, struct db_row *row) {
    struct asking *k = ctx;
    struct arena *a = k->claim->arena;
    if (k->claim->n == k->claim->most)
        return fail(ERR_CORRUPT, "store_row", "more questions were taken than asked for");
    k->sealed[k->claim->n] = str_copy(a, db_row_blob(row, 4));
    k->claim->ask[k->claim->n++] = (struct open_ask){.tenant = str_copy(a, db_row_text(row, 0)),
                                                     .lead = str_copy(a, db_row_text(row, 1)),
                                                     .gen = db_row_integer(row, 2),
                                                     .name = str_copy(a, db_row_text(row, 3)),
                                                     .attempt = db_row_integer(row, 5),
                                                     .failed = db_row_text(row, 6).len > 0};
    return OK;
}

static err context_row(void *ctx, struct db_row *row) {
    struct asking *k = ctx;
    struct open_ask *ask = &k->claim->ask[row->index];
    ask->key = str_copy(k->claim->arena, db_row_blob(row, 0));
    ask->deadline_ms = db_row_integer(row, 1);
    ask->gone = db_row_integer(row, 2) != 0;
    return OK;
}

static err open_request(struct asking *k, struct sealer *sealer, size_t i) {
    struct open_ask *ask = &k->claim->ask[i];
    struct arena *a = k->claim->arena;
    TRY(store_lead_open(k->store, k->db, sealer, ask->tenant, ask->lead, ask->key));
    const str row = str_format(a, "%lld:%.*s", (long long)ask->gen, STR_ARG(ask->name));
    return sealer_unseal(sealer, STORE_CELL_REQUEST(row), k->sealed[i], 0, a, &ask->request);
}

static err open_requests(struct asking *k) {
    struct ask_claim *c = k->claim;
    struct arena *a = db_scratch(k->db);
    struct db_value *param = ARENA_ARRAY(a, c->n * 3, struct db_value), *p = param;
    for (size_t i = 0; i < c->n; i++) {
        *p++ = db_text(c->ask[i].tenant);
        *p++ = db_text(c->ask[i].lead);
        *p++ = db_integer(c->ask[i].gen);
    }
    TRY(db_query_many(k->db, QUERY_ASK_CONTEXT, param, c->n, context_row, k));
    struct sealer *sealer = NULL;
    TRY(store_sealer(k->store, a, &sealer));
    for (size_t i = 0; i < c->n; i++) {
        err rc = open_request(k, sealer, i);
        if (rc == ERR_AGAIN || rc == ERR_LIMIT)
            return rc;
        if (rc != OK)
            c->ask[i].request = (str){0}; /* erased, or damaged: who sends answers with a failure */
    }
    sealer_lead_close(sealer);
    return OK;
}

static err claim_asks(void *ctx) {
    struct asking *k = ctx;
    struct ask_claim *c = k->claim;
    c->n = 0;
    c->ask = ARENA_ARRAY(c->arena, c->most, struct open_ask);
    k->sealed = ARENA_ARRAY(db_scratch(k->db), c->most, str);
    if (k->store->db_kind != DB_SQLITE)
        TRY(db_exec(k->db, QUERY_ASK_RECOVER, DB_ROW(db_integer(ASK_RECOVER_MOST)), NULL));
    TRY(db_query(k->db, QUERY_ASK_TAKE, DB_ROW(db_integer((int64_t)c->most), db_text(k->store->worker)), ask_row, k));
    return c->n > 0 ? open_requests(k) : OK;
}

err store_apply_ask_claim(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    for (size_t i = 0; i < n; i++) {
        struct asking k = {.store = ctx, .db = db, .claim = (struct ask_claim *)batch[i]};
        TRY(arena_run(k.claim->arena, claim_asks, &k));
    }
    return OK;
}

/* ---- answer ---- */

struct answer_row {
    str sealed;
};

err store_ask_answer(struct store *s, struct sealer *sealer, struct ask_answer *c) {
    c->store = s;
    c->stale = c->ready = false;
    c->row = ARENA_NEW(c->arena, struct answer_row);
    if (c->rc == OK && c->delay_ms == 0) {
        const str row = str_format(c->arena, "%lld:%.*s", (long long)c->gen, STR_ARG(c->name));
        TRY(store_lead_open(s, NULL, sealer, c->tenant, c->lead, c->key));
        err rc = store_seal(c->arena, sealer, STORE_CELL_ANSWER(row), c->answer, &c->row->sealed);
        sealer_lead_close(sealer);
        TRY(rc);
    }
    c->write.kind = &s->kind[KIND_ASK_ANSWER];
    c->write.tenant = c->tenant;
    c->write.byte = sizeof *c + c->answer.len + c->row->sealed.len + 256;
    return writer_submit(s->writer, &c->write);
}

static int by_lead(const void *a, const void *b) {
    const struct ask_answer *x = *(struct ask_answer *const *)a, *y = *(struct ask_answer *const *)b;
    const int tenants = str_compare(x->tenant, y->tenant);
    return tenants != 0 ? tenants : str_compare(x->lead, y->lead);
}

static err ignore_row(void *ctx, struct db_row *row) {
    (void)ctx;
    (void)row;
    return OK;
}

/* In one order, so that two writers do not wait for each other. */
static err lock_runs(struct db *db, struct ask_answer *const *c, size_t n) {
    if (db_kind(db) == DB_SQLITE)
        return OK;
    struct arena *a = db_scratch(db);
    struct ask_answer **sorted = arena_copy(a, c, n * sizeof *c);
    struct db_value *param = ARENA_ARRAY(a, n * 2, struct db_value);
    qsort(sorted, n, sizeof *sorted, by_lead);
    for (size_t i = 0; i < n; i++) {
        param[2 * i] = db_text(sorted[i]->tenant);
        param[2 * i + 1] = db_text(sorted[i]->lead);
    }
    return db_query_many(db, QUERY_ASK_LOCK, param, n, ignore_row, NULL);
}

static struct db_value *put_answer(struct db_value *p, const struct ask_answer *c) {
    const bool again = c->delay_ms > 0;
    *p++ = db_text(c->tenant);
    *p++ = db_text(c->lead);
    *p++ = db_integer(c->gen);
    *p++ = db_text(c->name);
    *p++ = db_integer(again ? ASK_OPEN : c->rc == OK ? ASK_ANSWERED : ASK_FAILED);
    *p++ = db_integer(c->delay_ms);
    *p++ = db_blob_or_null(c->row->sealed);
    *p++ = db_integer(c->price_micro);
    *p++ = c->slug ? db_text(str_from(c->slug)) : db_null();
    *p++ = db_integer(again && c->uncounted ? 1 : 0);
    *p++ = db_text(c->store->worker);
    return p;
}

err store_apply_ask_answer(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct arena *a = db_scratch(db);
    struct ask_answer **c = ARENA_ARRAY(a, n, struct ask_answer *);
    struct db_value *param = ARENA_ARRAY(a, n * 11, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, n, int64_t);
    for (size_t i = 0; i < n; i++) {
        c[i] = (struct ask_answer *)batch[i];
        p = put_answer(p, c[i]);
    }
    TRY(lock_runs(db, c, n));
    TRY(db_exec_many(db, QUERY_ASK_CLOSE, param, n, changed));
    crash_point("answer_written");
    struct db_value *wake = ARENA_ARRAY(a, n * 3, struct db_value);
    for (size_t i = 0; i < n; i++) {
        c[i]->stale = changed[i] == 0;
        wake[3 * i] = db_text(c[i]->tenant);
        wake[3 * i + 1] = db_text(c[i]->lead);
        wake[3 * i + 2] = db_integer(c[i]->gen);
    }
    TRY(db_exec_many(db, QUERY_RUN_WAKE, wake, n, changed));
    for (size_t i = 0; i < n; i++)
        c[i]->ready = changed[i] > 0;
    return OK;
}
