/* erase.c — keys are destroyed, and keys are wrapped anew. */
#include "store/store_priv.h"

#include <sodium.h>
#include <time.h>

enum { ERASE_MOST = 1000, TRUNCATE_TRIES = 20, ROTATE_PAGE = 500 };

/* ---- the log ---- */

struct truncation {
    struct write write;
    struct db *db;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
    err rc;
};

static void truncate_log(struct write *w, err rc) {
    struct truncation *t = (struct truncation *)w;
    if (rc == OK)
        rc = db_checkpoint(t->db, DB_CHECKPOINT_TRUNCATE);
    pthread_mutex_lock(&t->lock);
    t->rc = rc;
    t->done = true;
    pthread_cond_signal(&t->over);
    pthread_mutex_unlock(&t->lock);
}

static err apply_truncation(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        ((struct truncation *)batch[i])->db = db;
    return OK;
}

/* Moves the log into the file and cuts it, on the writer's thread, between transactions. */
static err cut_log_once(struct store *s) {
    static const struct write_kind kind = {.name = "cut_log", .apply = apply_truncation};
    struct truncation t = {.write = {.kind = &kind, .done = truncate_log, .byte = sizeof t}};
    pthread_mutex_init(&t.lock, NULL);
    pthread_cond_init(&t.over, NULL);
    err rc = writer_submit(s->writer, &t.write);
    if (rc == OK) {
        pthread_mutex_lock(&t.lock);
        while (!t.done)
            pthread_cond_wait(&t.over, &t.lock);
        pthread_mutex_unlock(&t.lock);
        rc = t.rc == OK ? OK : ERR_AGAIN;
    }
    pthread_cond_destroy(&t.over);
    pthread_mutex_destroy(&t.lock);
    return rc;
}

static err cut_log(struct store *s) {
    if (s->db_kind != DB_SQLITE)
        return OK;
    for (int i = 0; i < TRUNCATE_TRIES; i++)
        if (cut_log_once(s) == OK)
            return OK;
    return fail(ERR_AGAIN, "erase_log_busy", "the keys are destroyed, but readers hold the database's log; repeat it later");
}

/* ---- erase ---- */

struct erase {
    struct store *store;
    str tenant, lead, email, actor;
    str found[ERASE_MOST];
    size_t n;
    struct arena *a;
};

static err keep_lead(void *ctx, struct db_row *row) {
    struct erase *e = ctx;
    if (e->n < ERASE_MOST)
        e->found[e->n++] = str_copy(e->a, db_row_text(row, 0));
    return OK;
}

static err find_leads(struct erase *e, struct db *db) {
    if (e->lead.len > 0) {
        struct first_row lead;
        TRY(store_first_row(db, QUERY_LEAD_LOCK, DB_ROW(db_text(e->tenant), db_text(e->lead)), &lead));
        if (!lead.found)
            return fail(ERR_ABSENT, "lead_unknown", "there is no lead %.*s", STR_ARG(e->lead));
        e->found[e->n++] = e->lead;
        return OK;
    }
    unsigned char index[VAULT_INDEX_BYTE];
    if (vault_tenant_version(e->store->vault, e->tenant) == 0)
        TRY(store_keys_load(e->store, db, e->tenant));
    TRY(vault_index(e->store->vault, e->tenant, VAULT_INDEX_EMAIL, e->email, index));
    return db_query(db, QUERY_ERASE_FIND, DB_ROW(db_text(e->tenant), db_blob((str){(const char *)index, sizeof index})),
                    keep_lead, e);
}

static err erase_lead(struct erase *e, struct db *db, str lead) {
    static const char zeros[VAULT_LEAD_WRAPPED_BYTE];
    unsigned char random[VAULT_INDEX_BYTE]; /* an origin that nothing has */
    bool ended = false;
    const struct db_value key[] = {db_text(e->tenant), db_text(lead)};
    randombytes_buf(random, sizeof random);
    TRY(store_end_run(db, e->tenant, lead, &ended));
    TRY(db_exec(db, QUERY_ERASE_KEY, DB_ROW(key[0], key[1], db_blob((str){zeros, sizeof zeros})), NULL));
    TRY(db_exec(db, QUERY_ERASE_LEAD, DB_ROW(key[0], key[1], db_blob((str){(const char *)random, sizeof random})), NULL));
    TRY(db_exec(db, QUERY_ERASE_CONTENTS, key, NULL));
    TRY(db_exec(db, QUERY_ERASE_ASKS, key, NULL));
    TRY(db_exec(db, QUERY_ERASE_DELIVERIES, key, NULL));
    return store_audit_entry(e->store, db, e->tenant, e->actor, STR("lead.erase"), lead, (str){"", 0});
}

static err erase(struct db *db, void *ctx) {
    struct erase *e = ctx;
    e->a = db_scratch(db);
    e->n = 0;
    TRY(find_leads(e, db));
    for (size_t i = 0; i < e->n; i++)
        TRY(erase_lead(e, db, e->found[i]));
    return OK;
}

err store_erase(struct store *s, str tenant, str lead, str email, str actor, size_t *n) {
    struct erase e = {.store = s, .tenant = tenant, .lead = lead, .email = email, .actor = actor};
    size_t total = 0;
    do {
        TRY(store_call(s, erase, &e));
        total += e.n;
    } while (e.n == ERASE_MOST);
    *n = total;
    return cut_log(s);
}

/* ---- rotation ---- */

struct kept_key {
    int64_t version;
    unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE];
};
enum { KEY_VERSIONS = 64, TENANTS_MOST = 200000 };

struct rotation {
    struct store *store;
    str tenant, actor;
    bool renew;
    struct kept_key key[KEY_VERSIONS];
    size_t n_key, n; /* n: wrapped anew */
    /* a page of leads */
    struct arena *a;
    char after[RUN_ID_BYTE + 1], last[RUN_ID_BYTE + 1];
    str lead[ROTATE_PAGE], wrapped[ROTATE_PAGE];
    size_t n_lead;
};

static err keep_version(void *ctx, struct db_row *row) {
    struct rotation *r = ctx;
    str wrapped = db_row_blob(row, 1);
    if (r->n_key == KEY_VERSIONS)
        return fail(ERR_LIMIT, "tenant_keys", "a tenant may have at most %d versions of its key", KEY_VERSIONS);
    if (wrapped.len != VAULT_TENANT_WRAPPED_BYTE)
        return fail(ERR_CORRUPT, "vault_form", "the key of a tenant has %zu bytes", wrapped.len);
    struct kept_key *k = &r->key[r->n_key++];
    k->version = db_row_integer(row, 0);
    memcpy(k->wrapped, wrapped.ptr, wrapped.len);
    return OK;
}

static str bytes_of(const unsigned char *p, size_t n) { return (str){(const char *)p, n}; }

static err rotate_tenant(struct db *db, void *ctx) {
    struct rotation *r = ctx;
    struct vault *v = r->store->vault;
    struct first_row locked;
    unsigned char out[VAULT_TENANT_WRAPPED_BYTE];
    r->n_key = 0;
    r->n = 0;
    TRY(store_first_row(db, QUERY_TENANT_LOCK, DB_ROW(db_text(r->tenant)), &locked));
    TRY(store_keys_load(r->store, db, r->tenant));
    TRY(db_query(db, QUERY_TENANT_KEYS, DB_ROW(db_text(r->tenant)), keep_version, r));
    for (size_t i = 0; i < r->n_key; i++) {
        TRY(vault_tenant_rewrap(v, r->tenant, bytes_of(r->key[i].wrapped, sizeof out), out));
        TRY(db_exec(db, QUERY_TENANT_KEY_SET,
                    DB_ROW(db_text(r->tenant), db_integer(r->key[i].version), db_blob(bytes_of(out, sizeof out))), NULL));
        r->n++;
    }
    if (r->renew) {
        const struct kept_key *last = &r->key[r->n_key - 1];
        TRY(vault_tenant_draft(v, r->tenant, bytes_of(last->wrapped, sizeof out), out));
        TRY(db_exec(db, QUERY_TENANT_KEY_ADD,
                    DB_ROW(db_text(r->tenant), db_integer(last->version + 1), db_blob(bytes_of(out, sizeof out))), NULL));
    }
    return store_audit_entry(r->store, db, r->tenant, r->actor, r->renew ? STR("key.renew") : STR("key.rewrap"), r->tenant,
                             (str){"", 0});
}

static err keep_page(void *ctx, struct db_row *row) {
    struct rotation *r = ctx;
    r->lead[r->n_lead] = str_copy(r->a, db_row_text(row, 0));
    r->wrapped[r->n_lead++] = str_copy(r->a, db_row_blob(row, 1));
    return OK;
}

static bool is_newest(const struct rotation *r, str wrapped) {
    struct vault_wrapping w;
    return vault_wrapping_of(wrapped, &w) == OK && w.version == vault_tenant_version(r->store->vault, r->tenant);
}

static err rotate_page(struct db *db, void *ctx) {
    struct rotation *r = ctx;
    r->a = db_scratch(db);
    r->n = r->n_lead = 0;
    struct db_value *param = ARENA_ARRAY(r->a, ROTATE_PAGE * 3, struct db_value), *p = param;
    TRY(db_query(db, QUERY_KEY_PAGE, DB_ROW(db_text(r->tenant), db_text(str_from(r->after)), db_integer(ROTATE_PAGE)),
                 keep_page, r));
    for (size_t i = 0; i < r->n_lead; i++) {
        if (store_key_erased(r->wrapped[i]) || is_newest(r, r->wrapped[i]))
            continue;
        unsigned char *out = arena_alloc(r->a, VAULT_LEAD_WRAPPED_BYTE);
        TRY(vault_lead_rewrap(r->store->vault, r->tenant, r->lead[i], r->wrapped[i], out));
        *p++ = db_text(r->tenant);
        *p++ = db_text(r->lead[i]);
        *p++ = db_blob(bytes_of(out, VAULT_LEAD_WRAPPED_BYTE));
        r->n++;
    }
    TRY(db_exec_many(db, QUERY_KEY_SET, param, r->n, NULL));
    if (r->n_lead > 0)
        snprintf(r->last, sizeof r->last, "%.*s", STR_ARG(r->lead[r->n_lead - 1]));
    return OK;
}

static err rotate_leads(struct store *s, struct rotation *r, size_t *n) {
    r->after[0] = 0;
    do {
        TRY(store_call(s, rotate_page, r));
        *n += r->n;
        memcpy(r->after, r->last, sizeof r->after);
    } while (r->n_lead == ROTATE_PAGE);
    return OK;
}

struct tenants {
    struct arena *a;
    str *name;
    size_t n, cap;
};

static err keep_name(void *ctx, struct db_row *row) {
    struct tenants *t = ctx;
    /* The arena has room for that many: it is not this thread's to leave by. */
    if (t->n == TENANTS_MOST)
        return fail(ERR_LIMIT, "tenants_many", "more than %d tenants", TENANTS_MOST);
    if (t->n == t->cap)
        t->name = arena_grow(t->a, t->name, &t->cap, t->n + 1, sizeof *t->name);
    t->name[t->n++] = str_copy(t->a, db_row_text(row, 0));
    return OK;
}

static err list_tenants(struct db *db, void *ctx) {
    struct tenants *t = ctx;
    t->n = 0;
    return db_query(db, QUERY_TENANT_ALL, NULL, keep_name, t);
}

static err rotate_one(struct store *s, str tenant, bool renew, str actor, struct arena *a, size_t *n) {
    struct rotation *r = ARENA_NEW(a, struct rotation);
    *r = (struct rotation){.store = s, .tenant = tenant, .actor = actor, .renew = renew};
    TRY(store_call(s, rotate_tenant, r));
    *n += r->n;
    TRY(store_keys_look(s, tenant));
    return renew ? rotate_leads(s, r, n) : OK;
}

struct rotating {
    struct store *store;
    struct arena *a;
    bool tenants;
    str actor;
    size_t n;
};

static err rotate_all(void *ctx) {
    struct rotating *k = ctx;
    struct tenants t = {.a = k->a};
    TRY(store_call(k->store, list_tenants, &t));
    for (size_t i = 0; i < t.n; i++)
        TRY(rotate_one(k->store, t.name[i], k->tenants, k->actor, k->a, &k->n));
    return OK;
}

err store_rotate(struct store *s, bool tenants, str actor, size_t *n) {
    struct arena *a = arena_new((size_t)256 << 20);
    if (!a)
        return fail(ERR_LIMIT, "memory_limit", "no memory to rotate keys");
    struct rotating k = {.store = s, .a = a, .tenants = tenants, .actor = actor};
    err rc = arena_run(a, rotate_all, &k);
    if (rc == OK)
        *n = k.n;
    arena_free(a);
    return rc;
}
