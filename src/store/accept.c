/* accept.c — leads come in: sealed by who submits, then the idempotency key, the leads, their bodies and runs by the writer.
 */
#include "store/accept_priv.h"

#include "base/crash_point.h"

enum { IDEMPOTENCY_MS = 24 * 3600 * 1000 };

/* ---- on the submitting thread ---- */

static err index_or_none(struct store *s, struct arena *a, str tenant, enum vault_index_kind kind, str value, str *out) {
    *out = (str){0};
    if (value.len == 0)
        return OK;
    err rc = store_index(s, a, tenant, kind, value, out);
    /* What cannot be an address cannot be looked up either. */
    return rc == ERR_INPUT ? OK : rc;
}

static err new_key(struct store *s, struct sealer *sealer, str tenant, str lead, unsigned char *wrapped) {
    err rc = sealer_lead_new(sealer, tenant, lead, wrapped);
    if (rc != ERR_ABSENT)
        return rc;
    TRY(store_keys_look(s, tenant));
    return sealer_lead_new(sealer, tenant, lead, wrapped);
}

static err prepare_lead(struct store *s, struct sealer *sealer, struct accept *c, struct accepted *l) {
    const struct new_lead *in = l->in;
    struct arena *a = c->arena;
    if (l->row) /* submitted before: the same identifier, so that what was written perhaps is found */
        return OK;
    struct accept_row *r = ARENA_NEW(a, struct accept_row);
    store_new_id(s, l->id);
    unsigned char *wrapped = arena_alloc(a, VAULT_LEAD_WRAPPED_BYTE);
    TRY(new_key(s, sealer, c->tenant, (str){l->id, RUN_ID_BYTE}, wrapped));
    l->key = (str){(const char *)wrapped, VAULT_LEAD_WRAPPED_BYTE};
    TRY(store_seal(a, sealer, STORE_CELL_BODY, in->body, &r->sealed));
    TRY(store_keyed(s, a, c->tenant, STR("content"), in->source, in->body, &r->content));
    if (in->external.len > 0)
        TRY(store_keyed(s, a, c->tenant, STR("origin"), in->source, in->external, &r->origin));
    else
        r->origin = r->content;
    TRY(index_or_none(s, a, c->tenant, VAULT_INDEX_EMAIL, in->email, &r->email));
    TRY(index_or_none(s, a, c->tenant, VAULT_INDEX_DOMAIN, in->domain, &r->domain));
    memcpy(r->id, l->id, sizeof r->id);
    l->row = r;
    return OK;
}

/* What the command asks for, in one hash: so that the same key with something else is noticed. */
static err prepare_key(struct store *s, struct accept *c) {
    struct accept_key *k = ARENA_NEW(c->arena, struct accept_key);
    char *ids = arena_alloc(c->arena, c->n * RUN_ID_BYTE);
    char *contents = arena_alloc(c->arena, c->n * 2 * VAULT_INDEX_BYTE);
    for (size_t i = 0; i < c->n; i++) {
        memcpy(ids + i * RUN_ID_BYTE, c->lead[i].row->id, RUN_ID_BYTE);
        memcpy(contents + 2 * i * VAULT_INDEX_BYTE, c->lead[i].row->origin.ptr, VAULT_INDEX_BYTE);
        memcpy(contents + (2 * i + 1) * VAULT_INDEX_BYTE, c->lead[i].row->content.ptr, VAULT_INDEX_BYTE);
    }
    k->response = (str){ids, c->n * RUN_ID_BYTE};
    TRY(store_keyed(s, c->arena, c->tenant, STR("idempotency key"), (str){0}, c->idempotency_key, &k->key));
    TRY(store_keyed(s, c->arena, c->tenant, STR("idempotent request"), (str){0},
                    (str){contents, c->n * 2 * VAULT_INDEX_BYTE}, &k->request));
    c->key = k;
    return OK;
}

err store_accept(struct store *s, struct sealer *sealer, struct accept *c) {
    c->store = s;
    c->key = NULL;
    c->replayed = c->key_conflict = false;
    c->write.kind = &s->kind[KIND_ACCEPT];
    c->write.tenant = c->tenant;
    c->write.byte = sizeof *c;
    err rc = OK;
    for (size_t i = 0; i < c->n && rc == OK; i++) {
        rc = prepare_lead(s, sealer, c, &c->lead[i]);
        c->write.byte += 2 * c->lead[i].in->body.len + 1024;
    }
    sealer_lead_close(sealer);
    TRY(rc);
    if (c->idempotency_key.len > 0)
        TRY(prepare_key(s, c));
    return writer_submit(s->writer, &c->write);
}

/* ---- on the writer's thread ---- */

static struct accept *command(struct write *w) { return (struct accept *)w; }

static err take_keys(struct db *db, struct write *const *batch, size_t n) {
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * 5, struct db_value), *p = param;
    struct accept **owner = ARENA_ARRAY(a, n, struct accept *);
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) {
        struct accept *c = command(batch[i]);
        if (!c->key)
            continue;
        *p++ = db_text(c->tenant);
        *p++ = db_blob(c->key->key);
        *p++ = db_blob(c->key->request);
        *p++ = db_text(c->key->response);
        *p++ = db_integer(IDEMPOTENCY_MS);
        owner[rows++] = c;
    }
    if (rows == 0)
        return OK;
    int64_t *changed = ARENA_ARRAY(a, rows, int64_t);
    TRY(db_exec_many(db, QUERY_IDEMPOTENCY_TAKE, param, rows, changed));
    for (size_t i = 0; i < rows; i++)
        owner[i]->key->held = changed[i] == 0;
    return OK;
}

/* The leads of commands whose key is not used already, as they will be inserted. */
struct incoming {
    struct accepted **lead;
    struct accept **owner;
    size_t n;
};

static struct incoming gather(struct arena *a, struct write *const *batch, size_t n) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += command(batch[i])->n;
    struct incoming in = {.lead = ARENA_ARRAY(a, total, struct accepted *), .owner = ARENA_ARRAY(a, total, struct accept *)};
    for (size_t i = 0; i < n; i++) {
        struct accept *c = command(batch[i]);
        for (size_t k = 0; k < c->n; k++) {
            struct accepted *l = &c->lead[k];
            /* An earlier try of this transaction may have left another lead's identifier here. */
            memcpy(l->id, l->row->id, sizeof l->id);
            l->verdict = ACCEPT_NEW;
            l->gen = 1;
            l->leased = l->in->lease;
            if (c->key && c->key->held)
                continue;
            in.owner[in.n] = c;
            in.lead[in.n++] = l;
        }
    }
    return in;
}

static err add_leads(struct db *db, struct incoming *in) {
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, in->n * 7, struct db_value), *p = param;
    int64_t *changed = ARENA_ARRAY(a, in->n, int64_t);
    for (size_t i = 0; i < in->n; i++) {
        const struct accept_row *r = in->lead[i]->row;
        *p++ = db_text(in->owner[i]->tenant);
        *p++ = db_text((str){r->id, RUN_ID_BYTE});
        *p++ = db_text(in->lead[i]->in->source);
        *p++ = db_blob(r->origin);
        *p++ = db_blob(r->content);
        *p++ = db_blob_or_null(r->email);
        *p++ = db_blob_or_null(r->domain);
    }
    TRY(db_exec_many(db, QUERY_LEAD_ADD, param, in->n, changed));
    for (size_t i = 0; i < in->n; i++)
        if (changed[i] == 0) {
            in->lead[i]->verdict = ACCEPT_DUPLICATE;
            in->lead[i]->leased = false;
        }
    return OK;
}

static err add_bodies(struct db *db, const struct incoming *in) {
    struct db_value *param = ARENA_ARRAY(db_scratch(db), in->n * 4, struct db_value), *p = param;
    for (size_t i = 0; i < in->n; i++) {
        const struct accepted *l = in->lead[i];
        if (l->verdict != ACCEPT_NEW)
            continue;
        *p++ = db_text(in->owner[i]->tenant);
        *p++ = db_text((str){l->row->id, RUN_ID_BYTE});
        *p++ = db_blob(l->key);
        *p++ = db_blob(l->row->sealed);
    }
    return db_post(db, QUERY_BODY_ADD, param, (size_t)(p - param) / 4, NULL);
}

static err add_runs(struct store *s, struct db *db, const struct incoming *in) {
    struct db_value *param = ARENA_ARRAY(db_scratch(db), in->n * 9, struct db_value), *p = param;
    for (size_t i = 0; i < in->n; i++) {
        const struct accepted *l = in->lead[i];
        if (l->verdict != ACCEPT_NEW)
            continue;
        *p++ = db_text(in->owner[i]->tenant);
        *p++ = db_text((str){l->row->id, RUN_ID_BYTE});
        *p++ = db_integer(l->in->priority);
        *p++ = db_integer(l->in->run_ms);
        *p++ = db_integer(run_priority_delay_ms(l->in->priority));
        *p++ = db_integer(l->in->deadline_ms);
        *p++ = l->in->lease ? db_text(s->worker) : db_null();
        *p++ = db_text(in->owner[i]->cause);
        *p++ = db_text(in->owner[i]->pins);
    }
    return db_post(db, QUERY_RUN_ADD, param, (size_t)(p - param) / 9, NULL);
}

struct replay {
    struct accept **owner;
};

static err replay_row(void *ctx, struct db_row *row) {
    const struct replay *r = ctx;
    struct accept *c = r->owner[row->index];
    str request = db_row_blob(row, 0), response = db_row_text(row, 1);
    if (!str_equal(request, c->key->request) || response.len != c->n * RUN_ID_BYTE) {
        c->key_conflict = true;
        return OK;
    }
    c->replayed = true;
    for (size_t i = 0; i < c->n; i++) {
        struct accepted *l = &c->lead[i];
        memcpy(l->id, response.ptr + i * RUN_ID_BYTE, RUN_ID_BYTE);
        /* Our own, written by a commit whose answer was lost. */
        const bool own = memcmp(l->id, l->row->id, RUN_ID_BYTE) == 0;
        l->verdict = own ? ACCEPT_NEW : ACCEPT_DUPLICATE;
        l->leased = own && l->in->lease;
        c->replayed = c->replayed && !own;
    }
    return OK;
}

/* Commands whose key was used before, in this batch perhaps, get what was answered then. */
static err replay_keys(struct db *db, struct write *const *batch, size_t n) {
    struct arena *a = db_scratch(db);
    struct db_value *param = ARENA_ARRAY(a, n * 2, struct db_value), *p = param;
    struct replay r = {ARENA_ARRAY(a, n, struct accept *)};
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) {
        struct accept *c = command(batch[i]);
        c->replayed = c->key_conflict = false;
        if (!c->key || !c->key->held)
            continue;
        *p++ = db_text(c->tenant);
        *p++ = db_blob(c->key->key);
        r.owner[rows++] = c;
        for (size_t k = 0; k < c->n; k++)
            c->lead[k].leased = false;
    }
    return rows == 0 ? OK : db_query_many(db, QUERY_IDEMPOTENCY_FIND, param, rows, replay_row, &r);
}

/* A command some of whose leads were there before answers with their identifiers, now and when it is repeated. */
static err answer_key(struct db *db, const struct accept *c) {
    bool other = false;
    for (size_t i = 0; i < c->n; i++)
        other = other || c->lead[i].verdict != ACCEPT_NEW;
    if (!c->key || c->key->held || !other)
        return OK;
    char *ids = arena_alloc(db_scratch(db), c->n * RUN_ID_BYTE);
    for (size_t i = 0; i < c->n; i++)
        memcpy(ids + i * RUN_ID_BYTE, c->lead[i].id, RUN_ID_BYTE);
    return db_exec(db, QUERY_IDEMPOTENCY_ANSWER,
                   DB_ROW(db_text(c->tenant), db_blob(c->key->key), db_text((str){ids, c->n * RUN_ID_BYTE})), NULL);
}

err store_apply_accept(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    struct store *s = ctx;
    TRY(take_keys(db, batch, n));
    struct incoming in = gather(db_scratch(db), batch, n);
    if (in.n > 0) {
        TRY(add_leads(db, &in));
        crash_point("accept_leads");
        TRY(add_bodies(db, &in));
        TRY(add_runs(s, db, &in));
        TRY(store_settle_known(s, db, in.lead, in.owner, in.n));
    }
    for (size_t i = 0; i < n; i++)
        TRY(answer_key(db, command(batch[i])));
    return replay_keys(db, batch, n);
}
