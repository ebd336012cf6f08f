/* keys.c — which keys open what: tenants' keys from the tables into the vault, sealers, blind indexes. */
#include "store/store_priv.h"

#include "base/hash.h"

#include <sodium.h>

static void give_back(void *ctx);

struct loan {
    struct store *store;
    struct sealer *sealer;
};

err store_sealer(struct store *s, struct arena *a, struct sealer **out) {
    struct loan *loan = ARENA_NEW(a, struct loan);
    loan->store = s;
    arena_defer(a, give_back, loan);
    pthread_mutex_lock(&s->lock);
    if (s->n_sealer > 0)
        loan->sealer = s->sealer[--s->n_sealer];
    pthread_mutex_unlock(&s->lock);
    if (!loan->sealer)
        TRY(sealer_new(s->vault, &loan->sealer));
    *out = loan->sealer;
    return OK;
}

static void give_back(void *ctx) {
    struct loan *loan = ctx;
    if (!loan->sealer)
        return;
    sealer_lead_close(loan->sealer);
    bool kept = false;
    pthread_mutex_lock(&loan->store->lock);
    if (loan->store->n_sealer < STORE_SEALERS) {
        loan->store->sealer[loan->store->n_sealer++] = loan->sealer;
        kept = true;
    }
    pthread_mutex_unlock(&loan->store->lock);
    if (!kept)
        sealer_free(loan->sealer);
}

struct loading {
    struct vault *vault;
    str tenant;
    size_t n;
};

static err load_key(void *ctx, struct db_row *row) {
    struct loading *l = ctx;
    l->n++;
    return vault_tenant_load(l->vault, l->tenant, db_row_blob(row, 1));
}

err store_keys_load(struct store *s, struct db *db, str tenant) {
    struct loading l = {s->vault, tenant, 0};
    TRY(db_query(db, QUERY_TENANT_KEYS, DB_ROW(db_text(tenant)), load_key, &l));
    if (l.n == 0)
        return fail(ERR_ABSENT, "tenant_unknown", "there is no tenant \"%.*s\"", STR_ARG(tenant));
    return OK;
}

err store_keys_look(struct store *s, str tenant) {
    pthread_mutex_lock(&s->lock);
    err rc = store_keys_load(s, s->look, tenant);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

struct found_key {
    bool found;
    unsigned char wrapped[VAULT_LEAD_WRAPPED_BYTE];
};

static err keep_key(void *ctx, struct db_row *row) {
    struct found_key *k = ctx;
    str wrapped = db_row_blob(row, 0);
    if (wrapped.len != sizeof k->wrapped)
        return fail(ERR_CORRUPT, "vault_form", "the key of a lead has %zu bytes", wrapped.len);
    memcpy(k->wrapped, wrapped.ptr, wrapped.len);
    k->found = true;
    return OK;
}

static err find_key(struct store *s, struct db *db, str tenant, str lead, struct found_key *out) {
    const struct db_value param[] = {db_text(tenant), db_text(lead)};
    if (db)
        return db_query(db, QUERY_KEY_FIND, param, keep_key, out);
    pthread_mutex_lock(&s->lock);
    err rc = db_query(s->look, QUERY_KEY_FIND, param, keep_key, out);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

bool store_key_erased(str wrapped) {
    for (size_t i = 0; i < wrapped.len; i++)
        if (wrapped.ptr[i] != 0)
            return false;
    return true;
}

static bool misses_tenant(err rc) { return rc == ERR_ABSENT && strcmp(err_slug(), "vault_tenant_unknown") == 0; }

static err load_anyhow(struct store *s, struct db *db, str tenant) {
    return db ? store_keys_load(s, db, tenant) : store_keys_look(s, tenant);
}

err store_lead_open(struct store *s, struct db *db, struct sealer *sealer, str tenant, str lead, str wrapped) {
    struct found_key found = {0};
    if (wrapped.len == 0) {
        TRY(find_key(s, db, tenant, lead, &found));
        if (!found.found)
            return fail(ERR_ABSENT, "lead_unknown", "there is no lead %.*s", STR_ARG(lead));
        wrapped = (str){(const char *)found.wrapped, sizeof found.wrapped};
    }
    if (store_key_erased(wrapped))
        return fail(ERR_ABSENT, "lead_erased", "the key of lead %.*s was destroyed", STR_ARG(lead));
    err rc = sealer_lead_open(sealer, tenant, lead, wrapped);
    if (!misses_tenant(rc))
        return rc;
    TRY(load_anyhow(s, db, tenant));
    return sealer_lead_open(sealer, tenant, lead, wrapped);
}

err store_index(struct store *s, struct arena *a, str tenant, enum vault_index_kind kind, str value, str *out) {
    unsigned char *index = arena_alloc(a, VAULT_INDEX_BYTE);
    err rc = vault_index(s->vault, tenant, kind, value, index);
    if (misses_tenant(rc)) {
        TRY(store_keys_look(s, tenant));
        rc = vault_index(s->vault, tenant, kind, value, index);
    }
    TRY(rc);
    *out = (str){(const char *)index, VAULT_INDEX_BYTE};
    return OK;
}

/* BLAKE2b, since it runs over every body: a SHA-256 without the processor's help takes four times as long. */
err store_keyed(struct store *s, struct arena *a, str tenant, str purpose, str first, str second, str *out) {
    crypto_generichash_state h;
    unsigned char digest[HASH_BYTE];
    char hex[HASH_HEX_BYTE + 1];
    const uint64_t length = first.len; /* so that no two pairs run together alike */
    const str part[] = {purpose, {(const char *)&length, sizeof length}, first, second};
    crypto_generichash_init(&h, NULL, 0, sizeof digest);
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        crypto_generichash_update(&h, (const unsigned char *)part[i].ptr, part[i].len);
    crypto_generichash_final(&h, digest, sizeof digest);
    hash_to_hex(digest, hex);
    return store_index(s, a, tenant, VAULT_INDEX_EXTERNAL_ID, (str){hex, HASH_HEX_BYTE}, out);
}

err store_seal(struct arena *a, struct sealer *sealer, struct seal_cell cell, str plain, str *out) {
    const size_t cap = plain.len + SEAL_OVERHEAD_BYTE;
    struct buf b = {.ptr = arena_alloc(a, cap), .cap = cap, .max = cap};
    TRY(sealer_seal(sealer, cell, plain, &b));
    *out = buf_str(&b);
    return OK;
}
