/* claim.c — runs change hands: what silent workers held comes back, what waited wakes, tenants get their part in turn. */
#include "store/store_priv.h"

#include "base/crash_point.h"

#include <stdlib.h>

enum { CLAIM_RECOVER_MOST = 1000, CLAIM_WAKE_MOST = 1000, CLAIM_PASSES = 3, SUSPECTS_FIRST = 64, SUSPECTS_SECOND = 8 };

err store_claim(struct store *s, struct claim *c) {
    c->store = s;
    c->write.kind = &s->kind[KIND_CLAIM];
    c->write.byte = sizeof *c;
    return writer_submit(s->writer, &c->write);
}

/* ---- recovery ---- */

static err recover(struct store *s, struct db *db, struct claim *c) {
    if (s->db_kind == DB_SQLITE && atomic_load(&s->recovered))
        return OK;
    int64_t changed = 0;
    TRY(db_exec(db, QUERY_CLAIM_RECOVER, DB_ROW(db_integer(CLAIM_RECOVER_MOST)), &changed));
    c->n_recovered = (size_t)changed;
    if (changed > 0)
        crash_point("runs_recovered");
    if (changed == 0)
        atomic_store(&s->recovered, true);
    return OK;
}

static err wake(struct db *db) { return db_exec(db, QUERY_CLAIM_WAKE, DB_ROW(db_integer(CLAIM_WAKE_MOST)), NULL); }

/* ---- taking ---- */

/* A claimed run with the order in which it is due and what is still sealed. */
struct taken {
    struct claimed run;
    int64_t due;
    str sealed;
    struct sealed_ask *ask;
    size_t n_ask;
};

struct taking {
    struct claim *claim;
    struct arena *a; /* scratch */
    struct taken *run;
    size_t n, cap;
    struct share *share; /* of the statement's rows; NULL: a suspect */
};

static err take_row(void *ctx, struct db_row *row) {
    struct taking *t = ctx;
    struct arena *a = t->claim->arena;
    if (t->n == t->cap)
        return fail(ERR_CORRUPT, "store_row", "more runs were claimed than asked for");
    struct taken *k = &t->run[t->n++];
    k->run = (struct claimed){.tenant = str_copy(a, db_row_text(row, 0)),
                              .lead = str_copy(a, db_row_text(row, 1)),
                              .gen = db_row_integer(row, 2),
                              .priority = (enum run_priority)db_row_integer(row, 3),
                              .deadline_ms = db_row_integer(row, 4),
                              .attempt = db_row_integer(row, 5),
                              .crash = db_row_integer(row, 6),
                              .fence = db_row_integer(row, 7),
                              .accepted_ms = db_row_integer(row, 8),
                              .cause = str_copy(a, db_row_text(row, 9)),
                              .pins = str_copy(a, db_row_text(row, 10)),
                              .suspect = db_row_integer(row, 12) != 0,
                              .stage = db_row_integer(row, 13)};
    k->due = db_row_integer(row, 11);
    if (t->share)
        t->share[row->index].got++;
    return OK;
}

static int by_due(const void *a, const void *b) {
    const struct taken *x = a, *y = b;
    if (x->due != y->due)
        return x->due < y->due ? -1 : 1;
    return str_compare(x->run.lead, y->run.lead);
}

/* One statement for each tenant that has a quota. */
static err take_quotas(struct store *s, struct db *db, struct taking *t, struct share *share, size_t n) {
    struct db_value *param = ARENA_ARRAY(t->a, n * 3, struct db_value), *p = param;
    struct share *asked = ARENA_ARRAY(t->a, n, struct share);
    size_t *at = ARENA_ARRAY(t->a, n, size_t), rows = 0;
    for (size_t i = 0; i < n; i++) {
        if (share[i].quota == 0)
            continue;
        *p++ = db_text(share[i].tenant);
        *p++ = db_integer((int64_t)share[i].quota);
        *p++ = db_text(s->worker);
        at[rows++] = i;
    }
    t->share = asked;
    err rc = db_query_many(db, QUERY_CLAIM_TAKE, param, rows, take_row, t);
    t->share = NULL;
    for (size_t i = 0; i < rows; i++)
        share[at[i]].got = asked[i].got;
    return rc;
}

static err take_fairly(struct store *s, struct db *db, struct taking *t) {
    struct share *share = NULL;
    size_t n = 0;
    TRY(store_fair_tenants(s, db, QUERY_CLAIM_TENANTS, s->run_cursor, t->a, &share, &n));
    for (size_t i = 0; i < n; i++)
        if (t->claim->tenant_most > 0 && share[i].room > (int64_t)t->claim->tenant_most)
            share[i].room = (int64_t)t->claim->tenant_most;
    for (int pass = 0; pass < CLAIM_PASSES && t->n < t->cap; pass++) {
        if (store_fair_divide(share, n, t->cap - t->n) == 0)
            break;
        store_fair_remember(s, s->run_cursor, share, n);
        TRY(take_quotas(s, db, t, share, n));
    }
    return OK;
}

/* A thousand runs may have been in a process that died; one of them, perhaps, is to blame. So suspects come in small groups,
 * then smaller ones, and alone before they are given up. */
static err take_suspects(struct store *s, struct db *db, struct taking *t) {
    struct claim *c = t->claim;
    int64_t buried = 0;
    if (c->max_crash > 0)
        TRY(db_exec(db, QUERY_CLAIM_BURY, DB_ROW(db_integer(c->max_crash)), &buried));
    c->n_buried = (size_t)buried;
    /* Those with the fewest crashes to their account first: who is innocent is done before the guilty one strikes again. */
    const int64_t alone = c->max_crash > 0 ? c->max_crash - 1 : 2;
    const struct {
        int64_t from, to, most;
    } group[] = {{0, alone - 2, SUSPECTS_FIRST}, {alone - 1, alone - 1, SUSPECTS_SECOND}, {alone, INT64_MAX, 1}};
    for (size_t i = 0; i < sizeof group / sizeof *group && t->n == 0; i++) {
        const int64_t room = (int64_t)t->cap, most = group[i].most < room ? group[i].most : room;
        if (group[i].to >= group[i].from)
            TRY(db_query(db, QUERY_CLAIM_SUSPECT,
                         DB_ROW(db_text(s->worker), db_integer(group[i].from), db_integer(group[i].to), db_integer(most)),
                         take_row, t));
    }
    return OK;
}

/* ---- bodies and asks ---- */

struct sealed_ask {
    str name, request, answer, slug;
    int64_t status, price_micro, at_ms;
    struct sealed_ask *next;
};

static err body_row(void *ctx, struct db_row *row) {
    struct taking *t = ctx;
    struct taken *k = &t->run[row->index];
    k->run.state = (enum lead_state)db_row_integer(row, 0);
    k->run.key = str_copy(t->claim->arena, db_row_blob(row, 1));
    k->sealed = str_copy(t->a, db_row_blob(row, 2));
    return OK;
}

static err ask_row(void *ctx, struct db_row *row) {
    struct taking *t = ctx;
    struct taken *k = &t->run[row->index];
    struct sealed_ask *ask = ARENA_NEW(t->a, struct sealed_ask);
    *ask = (struct sealed_ask){.name = str_copy(t->claim->arena, db_row_text(row, 0)),
                               .request = str_copy(t->a, db_row_blob(row, 1)),
                               .status = db_row_integer(row, 2),
                               .answer = str_copy(t->a, db_row_blob(row, 3)),
                               .price_micro = db_row_integer(row, 4),
                               .at_ms = db_row_integer(row, 5),
                               .slug = str_copy(t->claim->arena, db_row_text(row, 6)),
                               .next = k->ask};
    k->ask = ask;
    k->n_ask++;
    return OK;
}

static err fetch(struct db *db, struct taking *t) {
    struct db_value *key = ARENA_ARRAY(t->a, t->n * 2, struct db_value);
    struct db_value *passage = ARENA_ARRAY(t->a, t->n * 3, struct db_value);
    for (size_t i = 0; i < t->n; i++) {
        const struct claimed *r = &t->run[i].run;
        key[2 * i] = passage[3 * i] = db_text(r->tenant);
        key[2 * i + 1] = passage[3 * i + 1] = db_text(r->lead);
        passage[3 * i + 2] = db_integer(r->gen);
    }
    TRY(db_query_many(db, QUERY_CLAIM_BODY, key, t->n, body_row, t));
    return db_query_many(db, QUERY_CLAIM_ASKS, passage, t->n, ask_row, t);
}

static err open_ask(struct arena *a, struct sealer *sealer, int64_t gen, const struct sealed_ask *from, struct run_ask *to) {
    const str row = str_format(a, "%lld:%.*s", (long long)gen, STR_ARG(from->name));
    *to = (struct run_ask){.name = from->name, .price_micro = from->price_micro, .at_ms = from->at_ms};
    TRY(sealer_unseal(sealer, STORE_CELL_REQUEST(row), from->request, 0, a, &to->request));
    to->answered = from->status == ASK_ANSWERED || from->status == ASK_FAILED;
    to->rc = from->status == ASK_FAILED ? ERR_ABSENT : OK;
    if (from->status != ASK_ANSWERED || from->answer.len == 0)
        return OK;
    str text;
    TRY(sealer_unseal(sealer, STORE_CELL_ANSWER(row), from->answer, 0, a, &text));
    return json_parse(a, text, NULL, &to->answer);
}

static err open_run(struct store *s, struct db *db, struct sealer *sealer, struct arena *a, struct taken *k) {
    struct claimed *r = &k->run;
    TRY(store_lead_open(s, db, sealer, r->tenant, r->lead, r->key));
    TRY(sealer_unseal(sealer, STORE_CELL_BODY, k->sealed, 0, a, &r->body));
    r->ask = ARENA_ARRAY(a, k->n_ask, struct run_ask);
    r->n_ask = k->n_ask;
    size_t at = k->n_ask; /* the list has the last one first */
    for (const struct sealed_ask *ask = k->ask; ask; ask = ask->next)
        TRY(open_ask(a, sealer, r->gen, ask, &r->ask[--at]));
    return OK;
}

/* A run that cannot be read is handed out with the reason: who claimed it buries it. */
static err open_runs(struct store *s, struct db *db, struct taking *t) {
    struct sealer *sealer = NULL;
    TRY(store_sealer(s, t->a, &sealer));
    for (size_t i = 0; i < t->n; i++) {
        struct taken *k = &t->run[i];
        err rc = open_run(s, db, sealer, t->claim->arena, k);
        if (rc == ERR_AGAIN || rc == ERR_LIMIT)
            return rc;
        if (rc != OK) {
            k->run.body = (str){0};
            k->run.n_ask = 0;
            k->run.fault = str_cstr(t->claim->arena, str_from(err_slug()));
        }
    }
    sealer_lead_close(sealer);
    return OK;
}

struct claiming {
    struct store *store;
    struct db *db;
    struct claim *claim;
};

static err claim_one(void *ctx) {
    const struct claiming *k = ctx;
    struct claim *c = k->claim;
    struct arena *a = db_scratch(k->db);
    struct taking t = {.claim = c, .a = a, .cap = c->most, .run = ARENA_ARRAY(a, c->most, struct taken)};
    c->n = c->n_recovered = c->n_buried = 0;
    TRY(recover(k->store, k->db, c));
    crash_point("claim_recovered");
    TRY(wake(k->db));
    if (c->suspects)
        TRY(take_suspects(k->store, k->db, &t));
    TRY(take_fairly(k->store, k->db, &t));
    if (t.n == 0)
        return OK;
    qsort(t.run, t.n, sizeof *t.run, by_due);
    TRY(fetch(k->db, &t));
    TRY(open_runs(k->store, k->db, &t));
    c->run = ARENA_ARRAY(c->arena, t.n, struct claimed);
    c->n = t.n;
    for (size_t i = 0; i < t.n; i++)
        c->run[i] = t.run[i].run;
    return OK;
}

err store_apply_claim(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    for (size_t i = 0; i < n; i++) {
        struct claiming k = {ctx, db, (struct claim *)batch[i]};
        TRY(arena_run(k.claim->arena, claim_one, &k));
    }
    return OK;
}
