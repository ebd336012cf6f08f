/* accept_known.c — leads that came before: duplicates are found, new bodies begin a new generation. */
#include "store/accept_priv.h"

struct known {
    bool found;
    char lead[RUN_ID_BYTE + 1];
    unsigned char content[VAULT_INDEX_BYTE], wrapped[VAULT_LEAD_WRAPPED_BYTE];
    int64_t gen, state;
};

static err keep_bytes(str from, void *to, size_t size) {
    if (from.len != size)
        return fail(ERR_CORRUPT, "store_row", "a stored value has %zu bytes, not %zu", from.len, size);
    memcpy(to, from.ptr, size);
    return OK;
}

static err keep_known(void *ctx, struct db_row *row) {
    struct known *k = ctx;
    k = &k[row->index];
    TRY(keep_bytes(db_row_text(row, 0), k->lead, RUN_ID_BYTE));
    TRY(keep_bytes(db_row_blob(row, 1), k->content, sizeof k->content));
    k->gen = db_row_integer(row, 2);
    if (row->n > 3) {
        k->state = db_row_integer(row, 3);
        TRY(keep_bytes(db_row_blob(row, 4), k->wrapped, sizeof k->wrapped));
    }
    k->found = true;
    return OK;
}

static bool same_content(const struct known *k, const struct accept_row *r) {
    return memcmp(k->content, r->content.ptr, sizeof k->content) == 0;
}

static void duplicate(struct accepted *l, const struct known *k) {
    memcpy(l->id, k->lead, sizeof l->id);
    l->verdict = ACCEPT_DUPLICATE;
    l->gen = k->gen;
}

/* The new body under the key that the lead has. */
static err replace_body(struct store *s, struct db *db, const struct accept *c, const struct accepted *l,
                        const struct known *k) {
    struct arena *a = db_scratch(db);
    const str lead = {k->lead, RUN_ID_BYTE};
    struct sealer *sealer = NULL;
    str sealed;
    TRY(store_sealer(s, a, &sealer));
    TRY(store_lead_open(s, db, sealer, c->tenant, lead, (str){(const char *)k->wrapped, sizeof k->wrapped}));
    TRY(store_seal(a, sealer, STORE_CELL_BODY, l->in->body, &sealed));
    sealer_lead_close(sealer);
    const struct accept_row *r = l->row;
    TRY(db_exec(db, QUERY_CONTENT_ADD,
                DB_ROW(db_text(c->tenant), db_text(lead), db_blob((str){(const char *)k->content, sizeof k->content})),
                NULL));
    TRY(db_exec(db, QUERY_BODY_REPLACE, DB_ROW(db_text(c->tenant), db_text(lead), db_blob(sealed)), NULL));
    return db_exec(db, QUERY_LEAD_REPLACE,
                   DB_ROW(db_text(c->tenant), db_text(lead), db_blob(r->content), db_blob_or_null(r->email),
                          db_blob_or_null(r->domain)),
                   NULL);
}

/* The live run begins anew, or a new one begins. */
static err next_generation(struct db *db, const struct accept *c, struct accepted *l, const struct known *k) {
    const struct db_value tenant = db_text(c->tenant), lead = db_text((str){k->lead, RUN_ID_BYTE});
    const struct db_value delay = db_integer(run_priority_delay_ms(l->in->priority));
    const struct db_value priority = db_integer(l->in->priority), deadline = db_integer(l->in->deadline_ms);
    int64_t changed = 0;
    TRY(db_exec(db, QUERY_RUN_SUPERSEDE,
                DB_ROW(tenant, lead, priority, delay, deadline, db_text(c->cause), db_text(c->pins)), &changed));
    if (changed > 0) {
        TRY(db_exec(db, QUERY_ASK_SUPERSEDE, DB_ROW(tenant, lead), NULL));
    } else {
        if (!store_may_pass((enum lead_state)k->state))
            return OK;
        TRY(db_exec(
            db, QUERY_RUN_NEXT,
            DB_ROW(tenant, lead, db_integer(k->gen + 1), priority, delay, deadline, db_text(c->cause), db_text(c->pins)),
            NULL));
    }
    l->gen = k->gen + 1;
    return db_exec(db, QUERY_LEAD_NEXT, DB_ROW(tenant, lead), NULL);
}

static err update(struct store *s, struct db *db, struct accept *c, struct accepted *l) {
    struct known k = {0};
    TRY(db_query(db, QUERY_LEAD_LOCK_ORIGIN, DB_ROW(db_text(c->tenant), db_blob(l->row->origin)), keep_known, &k));
    if (!k.found)
        return fail(ERR_CONFLICT, "db_serialization", "a lead was erased while it came again");
    duplicate(l, &k);
    struct first_row seen;
    TRY(store_first_row(db, QUERY_CONTENT_KNOWN,
                        DB_ROW(db_text(c->tenant), db_text((str){k.lead, RUN_ID_BYTE}), db_blob(l->row->content)), &seen));
    if (seen.found || same_content(&k, l->row))
        return OK;
    l->verdict = ACCEPT_UPDATED;
    TRY(replace_body(s, db, c, l, &k));
    return next_generation(db, c, l, &k);
}

err store_settle_known(struct store *s, struct db *db, struct accepted *const *lead, struct accept *const *owner, size_t n) {
    struct arena *a = db_scratch(db);
    size_t *at = ARENA_ARRAY(a, n, size_t), rows = 0;
    struct db_value *param = ARENA_ARRAY(a, n * 2, struct db_value), *p = param;
    for (size_t i = 0; i < n; i++) {
        if (lead[i]->verdict == ACCEPT_NEW)
            continue;
        *p++ = db_text(owner[i]->tenant);
        *p++ = db_blob(lead[i]->row->origin);
        at[rows++] = i;
    }
    if (rows == 0)
        return OK;
    struct known *known = ARENA_ARRAY(a, rows, struct known);
    TRY(db_query_many(db, QUERY_LEAD_BY_ORIGIN, param, rows, keep_known, known));
    for (size_t i = 0; i < rows; i++) {
        struct accepted *l = lead[at[i]];
        if (known[i].found && same_content(&known[i], l->row))
            duplicate(l, &known[i]);
        else
            TRY(update(s, db, owner[at[i]], l));
    }
    return OK;
}
