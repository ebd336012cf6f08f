/* vault.c — masters, the wrapping of tenant keys and data keys, and what is derived from a tenant's root. */
#include "store/vault_priv.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

/* Wrapped tenant key: form, master id, version, nonce, sealed (key, root). Wrapped data key: form, version, nonce, sealed
 * key. If you change this: WRAP_FORM, and read the old form too. */
enum {
    WRAP_FORM = 1,
    TENANT_VERSION_AT = 1 + VAULT_MASTER_ID_BYTE,
    TENANT_NONCE_AT = TENANT_VERSION_AT + 4,
    TENANT_BOX_AT = TENANT_NONCE_AT + NONCE_BYTE,
    LEAD_VERSION_AT = 1,
    LEAD_NONCE_AT = LEAD_VERSION_AT + 4,
    LEAD_BOX_AT = LEAD_NONCE_AT + NONCE_BYTE,
    SECRET_BYTE = 2 * KEY_BYTE
};
_Static_assert(TENANT_BOX_AT + SECRET_BYTE + TAG_BYTE == VAULT_TENANT_WRAPPED_BYTE, "a wrapped tenant key has this length");
_Static_assert(LEAD_BOX_AT + KEY_BYTE + TAG_BYTE == VAULT_LEAD_WRAPPED_BYTE, "a wrapped data key has this length");
_Static_assert(offsetof(struct tenant_secret, root) == KEY_BYTE, "key and root lie together");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == NONCE_BYTE, "libsodium's nonce");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == TAG_BYTE, "libsodium's tag");

/* crypto_kdf contexts: what a root is derived for. If you change this: every index and audit chain becomes another. */
static const char kdf_index[crypto_kdf_CONTEXTBYTES + 1] = "galindex", kdf_audit[crypto_kdf_CONTEXTBYTES + 1] = "galaudit";

static const unsigned char *bytes_of(str s) { return (const unsigned char *)s.ptr; }

err vault_check_name(const char *what, str name, bool may_be_empty) {
    if (name.len > VAULT_NAME_BYTE)
        return fail(ERR_INPUT, "vault_name", "the name of a %s is longer than %d bytes", what, VAULT_NAME_BYTE);
    if (name.len == 0 && !may_be_empty)
        return fail(ERR_INPUT, "vault_name", "the name of a %s is empty", what);
    return OK;
}

void vault_wipe(void *secret, size_t n) { sodium_memzero(secret, n); }

/* ---- masters ---- */

static void id_of(const unsigned char key[KEY_BYTE], unsigned char id[VAULT_MASTER_ID_BYTE]) {
    static const char text[] = "galena master key id";
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text, sizeof text - 1, key, KEY_BYTE);
    memcpy(id, hash, VAULT_MASTER_ID_BYTE);
}

static const struct master *master_find(const struct vault *v, const unsigned char *id) {
    for (size_t i = 0; i < v->n_master; i++)
        if (memcmp(v->master[i].id, id, VAULT_MASTER_ID_BYTE) == 0)
            return &v->master[i];
    return NULL;
}

/* Reads the source into the place after the last master; what is known already is not counted twice. */
static err add_master(struct vault *v, const struct master *fresh, bool wraps) {
    const struct master *known = master_find(v, fresh->id);
    if (!known && v->n_master == MASTER_COUNT)
        return fail(ERR_LIMIT, "vault_master_count", "more than %d master keys", MASTER_COUNT);
    if (!known) {
        v->master[v->n_master] = *fresh;
        known = &v->master[v->n_master++];
    }
    if (wraps)
        v->wraps = (size_t)(known - v->master);
    return OK;
}

err vault_master_add(struct vault *v, const struct vault_source *source, bool wraps) {
    struct master *fresh = sodium_malloc(sizeof *fresh);
    if (!fresh)
        return fail(ERR_LIMIT, "memory_limit", "no locked memory for the master key");
    err rc = vault_source_read(source, fresh->key); /* slow: a command may run */
    if (rc == OK) {
        id_of(fresh->key, fresh->id);
        pthread_rwlock_wrlock(&v->lock);
        rc = add_master(v, fresh, wraps);
        pthread_rwlock_unlock(&v->lock);
    }
    sodium_free(fresh);
    return rc;
}

static struct vault *vault_new(void) {
    struct vault *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->master = sodium_allocarray(MASTER_COUNT, sizeof *v->master);
    if (!v->master) {
        free(v);
        return NULL;
    }
    /* A stream of readers must not keep a new key out for ever. */
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&v->lock, &how);
    pthread_rwlockattr_destroy(&how);
    return v;
}

err vault_open(const struct vault_source *sources, size_t n, struct vault **out) {
    assert(n > 0);
    if (sodium_init() < 0)
        return fail(ERR_AGAIN, "vault_random", "the system gives no random numbers");
    struct vault *v = vault_new();
    if (!v)
        return fail(ERR_LIMIT, "memory_limit", "no locked memory for the keys");
    err rc = seal_dictionary_open(v);
    for (size_t i = 0; i < n && rc == OK; i++)
        rc = vault_master_add(v, &sources[i], i == 0);
    if (rc != OK)
        vault_close(v);
    else
        *out = v;
    return rc;
}

void vault_close(struct vault *v) {
    if (!v)
        return;
    if (v->n_bucket)
        secret_forget_all(v);
    for (size_t i = 0; i < v->n_slab; i++)
        sodium_free(v->slab[i]);
    free(v->slab);
    free(v->spare);
    free(v->bucket);
    sodium_free(v->master);
    seal_dictionary_close(v);
    pthread_rwlock_destroy(&v->lock);
    free(v);
}

void vault_master_id(struct vault *v, unsigned char id[VAULT_MASTER_ID_BYTE]) {
    pthread_rwlock_rdlock(&v->lock);
    memcpy(id, v->master[v->wraps].id, VAULT_MASTER_ID_BYTE);
    pthread_rwlock_unlock(&v->lock);
}

bool vault_master_known(struct vault *v, const unsigned char id[VAULT_MASTER_ID_BYTE]) {
    pthread_rwlock_rdlock(&v->lock);
    bool known = master_find(v, id) != NULL;
    pthread_rwlock_unlock(&v->lock);
    return known;
}

/* ---- tenant keys ---- */

err vault_wrapping_of(str wrapped, struct vault_wrapping *out) {
    if (wrapped.len > 0 && bytes_of(wrapped)[0] > WRAP_FORM)
        return fail(ERR_CORRUPT, "vault_version", "a wrapped key has form %d; this program knows form %d at most",
                    bytes_of(wrapped)[0], WRAP_FORM);
    bool tenant = wrapped.len == VAULT_TENANT_WRAPPED_BYTE;
    if ((!tenant && wrapped.len != VAULT_LEAD_WRAPPED_BYTE) || bytes_of(wrapped)[0] != WRAP_FORM)
        return fail(ERR_CORRUPT, "vault_form", "%zu bytes that begin with %d are no wrapped key", wrapped.len,
                    wrapped.len > 0 ? bytes_of(wrapped)[0] : 0);
    *out = (struct vault_wrapping){.version = get_u32(bytes_of(wrapped) + (tenant ? TENANT_VERSION_AT : LEAD_VERSION_AT))};
    if (tenant)
        memcpy(out->master, wrapped.ptr + 1, sizeof out->master);
    return OK;
}

static err expect_length(str wrapped, size_t n, struct vault_wrapping *what) {
    TRY(vault_wrapping_of(wrapped, what));
    if (wrapped.len != n || what->version == 0)
        return fail(ERR_CORRUPT, "vault_form", "%zu bytes of version %u are no wrapped key of this kind", wrapped.len,
                    (unsigned)what->version);
    return OK;
}

static struct binding bind_tenant(const unsigned char *head, str tenant) {
    struct binding b = {.len = 0};
    bind_text(&b, STR("galena tenant key"));
    bind_bytes(&b, head, TENANT_NONCE_AT);
    bind_text(&b, tenant);
    return b;
}

/* The caller holds the lock. */
static void wrap_tenant(const struct vault *v, str tenant, uint32_t version, const struct tenant_secret *secret,
                        unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) {
    const struct master *m = &v->master[v->wraps];
    out[0] = WRAP_FORM;
    memcpy(out + 1, m->id, VAULT_MASTER_ID_BYTE);
    put_u32(out + TENANT_VERSION_AT, version);
    randombytes_buf(out + TENANT_NONCE_AT, NONCE_BYTE);
    struct binding b = bind_tenant(out, tenant);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + TENANT_BOX_AT, NULL, secret->key, SECRET_BYTE, b.byte, b.len, NULL,
                                               out + TENANT_NONCE_AT, m->key);
}

static void derive(struct tenant_secret *secret) {
    for (uint64_t kind = 1; kind <= INDEX_KIND_COUNT; kind++)
        crypto_kdf_derive_from_key(secret->index_key[kind - 1], KEY_BYTE, kind, kdf_index, secret->root);
}

/* Into a secret that the caller has taken. The caller holds the lock. */
static err unwrap_tenant(const struct vault *v, str tenant, str wrapped, struct tenant_secret *secret, uint32_t *version) {
    struct vault_wrapping what;
    TRY(expect_length(wrapped, VAULT_TENANT_WRAPPED_BYTE, &what));
    const struct master *m = master_find(v, what.master);
    if (!m) {
        char hex[2 * VAULT_MASTER_ID_BYTE + 1];
        sodium_bin2hex(hex, sizeof hex, what.master, sizeof what.master);
        return fail(ERR_DENIED, "vault_no_master", "the key of tenant %.*s is wrapped by master %s, which is not known here",
                    STR_ARG(tenant), hex);
    }
    const unsigned char *w = bytes_of(wrapped);
    struct binding b = bind_tenant(w, tenant);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(secret->key, NULL, NULL, w + TENANT_BOX_AT, SECRET_BYTE + TAG_BYTE,
                                                   b.byte, b.len, w + TENANT_NONCE_AT, m->key) != 0)
        return fail(ERR_CORRUPT, "vault_forged", "the key of tenant %.*s was altered, or belongs to another tenant",
                    STR_ARG(tenant));
    derive(secret);
    *version = what.version;
    return OK;
}

/* Enters the secret, or gives it back when that version is there already. */
static err keep(struct vault *v, str tenant, uint32_t version, struct tenant_secret *secret) {
    uint32_t found;
    err rc = OK;
    if (secret_find(v, tenant, version, &found) || (rc = secret_enter(v, tenant, version, secret)) != OK)
        secret_give_back(v, secret);
    return rc;
}

err vault_tenant_new(struct vault *v, str tenant, unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE]) {
    TRY(vault_check_name("tenant", tenant, false));
    struct tenant_secret *secret;
    uint32_t found;
    pthread_rwlock_wrlock(&v->lock);
    err rc = OK;
    if (secret_find(v, tenant, 0, &found))
        rc = fail(ERR_CONFLICT, "vault_tenant_exists", "tenant %.*s has a key already", STR_ARG(tenant));
    if (rc == OK)
        rc = secret_take(v, &secret);
    if (rc == OK) {
        randombytes_buf(secret->key, SECRET_BYTE);
        derive(secret);
        wrap_tenant(v, tenant, 1, secret, wrapped);
        rc = keep(v, tenant, 1, secret);
    }
    pthread_rwlock_unlock(&v->lock);
    return rc;
}

static bool in_memory(struct vault *v, str tenant, uint32_t version) {
    uint32_t found;
    pthread_rwlock_rdlock(&v->lock);
    bool there = secret_find(v, tenant, version, &found) != NULL;
    pthread_rwlock_unlock(&v->lock);
    return there;
}

err vault_tenant_load(struct vault *v, str tenant, str wrapped) {
    struct vault_wrapping what;
    TRY(vault_check_name("tenant", tenant, false));
    TRY(expect_length(wrapped, VAULT_TENANT_WRAPPED_BYTE, &what));
    if (in_memory(v, tenant, what.version))
        return OK;
    struct tenant_secret *secret;
    pthread_rwlock_wrlock(&v->lock);
    err rc = secret_take(v, &secret);
    if (rc == OK && (rc = unwrap_tenant(v, tenant, wrapped, secret, &what.version)) != OK)
        secret_give_back(v, secret);
    else if (rc == OK)
        rc = keep(v, tenant, what.version, secret);
    pthread_rwlock_unlock(&v->lock);
    return rc;
}

uint32_t vault_tenant_version(struct vault *v, str tenant) {
    uint32_t version = 0;
    pthread_rwlock_rdlock(&v->lock);
    if (!secret_find(v, tenant, 0, &version))
        version = 0;
    pthread_rwlock_unlock(&v->lock);
    return version;
}

void vault_tenant_forget(struct vault *v, str tenant) {
    pthread_rwlock_wrlock(&v->lock);
    if (tenant.len > 0)
        secret_forget(v, tenant);
    else
        secret_forget_all(v);
    pthread_rwlock_unlock(&v->lock);
}

err vault_tenant_rewrap(struct vault *v, str tenant, str wrapped, unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) {
    TRY(vault_check_name("tenant", tenant, false));
    struct tenant_secret *secret;
    uint32_t version;
    pthread_rwlock_wrlock(&v->lock);
    err rc = secret_take(v, &secret);
    if (rc == OK) {
        rc = unwrap_tenant(v, tenant, wrapped, secret, &version);
        if (rc == OK)
            wrap_tenant(v, tenant, version, secret, out);
        secret_give_back(v, secret);
    }
    pthread_rwlock_unlock(&v->lock);
    return rc;
}

/* The next version in `secret`, which is taken; gives it back when that fails. */
static err renew(struct vault *v, str tenant, str wrapped, struct tenant_secret *secret, unsigned char *out) {
    uint32_t version = 0, found;
    err rc = unwrap_tenant(v, tenant, wrapped, secret, &version);
    if (rc == OK && (version == UINT32_MAX || secret_find(v, tenant, version + 1, &found)))
        rc = fail(ERR_CONFLICT, "vault_tenant_exists", "tenant %.*s has a key of version %u already", STR_ARG(tenant),
                  (unsigned)(version + 1));
    if (rc != OK) {
        secret_give_back(v, secret);
        return rc;
    }
    randombytes_buf(secret->key, KEY_BYTE);
    wrap_tenant(v, tenant, version + 1, secret, out);
    return keep(v, tenant, version + 1, secret);
}

err vault_tenant_renew(struct vault *v, str tenant, str wrapped, unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) {
    TRY(vault_check_name("tenant", tenant, false));
    struct tenant_secret *secret;
    pthread_rwlock_wrlock(&v->lock);
    err rc = secret_take(v, &secret);
    if (rc == OK)
        rc = renew(v, tenant, wrapped, secret, out);
    pthread_rwlock_unlock(&v->lock);
    return rc;
}

err vault_tenant_draft(struct vault *v, str tenant, str wrapped, unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) {
    TRY(vault_check_name("tenant", tenant, false));
    struct tenant_secret *secret;
    uint32_t version = 0;
    pthread_rwlock_wrlock(&v->lock);
    err rc = secret_take(v, &secret);
    if (rc == OK) {
        if (wrapped.len > 0)
            rc = unwrap_tenant(v, tenant, wrapped, secret, &version);
        if (rc == OK) {
            randombytes_buf(secret->key, wrapped.len > 0 ? KEY_BYTE : SECRET_BYTE);
            wrap_tenant(v, tenant, version + 1, secret, out);
        }
        secret_give_back(v, secret);
    }
    pthread_rwlock_unlock(&v->lock);
    return rc;
}

/* ---- data keys ---- */

static struct binding bind_lead(const unsigned char *head, str tenant, str lead) {
    struct binding b = {.len = 0};
    bind_text(&b, STR("galena data key"));
    bind_bytes(&b, head, LEAD_NONCE_AT);
    bind_text(&b, tenant);
    bind_text(&b, lead);
    return b;
}

static err unknown(str tenant, uint32_t version) {
    if (version == 0)
        return fail(ERR_ABSENT, "vault_tenant_unknown", "no key of tenant %.*s is loaded", STR_ARG(tenant));
    return fail(ERR_ABSENT, "vault_tenant_unknown", "version %u of the key of tenant %.*s is not loaded", (unsigned)version,
                STR_ARG(tenant));
}

err vault_lead_wrap(struct vault *v, str tenant, str lead, const unsigned char key[KEY_BYTE],
                    const unsigned char nonce[NONCE_BYTE], unsigned char out[VAULT_LEAD_WRAPPED_BYTE]) {
    uint32_t version = 0;
    pthread_rwlock_rdlock(&v->lock);
    const struct tenant_secret *secret = secret_find(v, tenant, 0, &version);
    if (secret) {
        out[0] = WRAP_FORM;
        put_u32(out + LEAD_VERSION_AT, version);
        memcpy(out + LEAD_NONCE_AT, nonce, NONCE_BYTE);
        struct binding b = bind_lead(out, tenant, lead);
        crypto_aead_xchacha20poly1305_ietf_encrypt(out + LEAD_BOX_AT, NULL, key, KEY_BYTE, b.byte, b.len, NULL, nonce,
                                                   secret->key);
    }
    pthread_rwlock_unlock(&v->lock);
    return secret ? OK : unknown(tenant, 0);
}

err vault_lead_unwrap(struct vault *v, str tenant, str lead, str wrapped, unsigned char key[KEY_BYTE]) {
    struct vault_wrapping what;
    TRY(expect_length(wrapped, VAULT_LEAD_WRAPPED_BYTE, &what));
    const unsigned char *w = bytes_of(wrapped);
    struct binding b = bind_lead(w, tenant, lead);
    int bad = 0;
    uint32_t found;
    pthread_rwlock_rdlock(&v->lock);
    const struct tenant_secret *secret = secret_find(v, tenant, what.version, &found);
    if (secret)
        bad = crypto_aead_xchacha20poly1305_ietf_decrypt(key, NULL, NULL, w + LEAD_BOX_AT, KEY_BYTE + TAG_BYTE, b.byte,
                                                         b.len, w + LEAD_NONCE_AT, secret->key);
    pthread_rwlock_unlock(&v->lock);
    if (!secret)
        return unknown(tenant, what.version);
    return bad ? fail(ERR_CORRUPT, "vault_forged", "the data key of lead %.*s was altered, or belongs to another lead",
                      STR_ARG(lead))
               : OK;
}

err vault_lead_rewrap(struct vault *v, str tenant, str lead, str wrapped, unsigned char out[VAULT_LEAD_WRAPPED_BYTE]) {
    unsigned char key[KEY_BYTE], nonce[NONCE_BYTE];
    TRY(vault_check_name("tenant", tenant, false));
    TRY(vault_check_name("lead", lead, false));
    err rc = vault_lead_unwrap(v, tenant, lead, wrapped, key);
    if (rc == OK) {
        randombytes_buf(nonce, sizeof nonce);
        rc = vault_lead_wrap(v, tenant, lead, key, nonce, out);
    }
    sodium_memzero(key, sizeof key);
    return rc;
}

/* ---- derived from the root ---- */

static size_t lower(str s, char *to) {
    for (size_t i = 0; i < s.len; i++)
        to[i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + ('a' - 'A')) : s.ptr[i];
    return s.len;
}

static size_t normal_domain(str s, char *to) { return lower(str_ends(s, STR(".")) ? str_slice(s, 0, s.len - 1) : s, to); }

static size_t normal_phone(str s, char *to) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] == '+' && n == 0))
            to[n++] = s.ptr[i];
    return n == 1 && to[0] == '+' ? 0 : n;
}

static size_t normal_text(str s, char *to) {
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    return s.len;
}

err vault_index(struct vault *v, str tenant, enum vault_index_kind kind, str value, unsigned char out[VAULT_INDEX_BYTE]) {
    static size_t (*const normal[])(str, char *) = {[VAULT_INDEX_EMAIL] = lower,
                                                    [VAULT_INDEX_DOMAIN] = normal_domain,
                                                    [VAULT_INDEX_PHONE] = normal_phone,
                                                    [VAULT_INDEX_EXTERNAL_ID] = normal_text};
    char text[VAULT_VALUE_BYTE];
    str trimmed = str_trim(value);
    size_t n = trimmed.len <= sizeof text ? normal[kind](trimmed, text) : 0;
    if (n == 0)
        return fail(ERR_INPUT, "vault_value", "a value of %zu bytes cannot be indexed: it is empty, or longer than %d bytes",
                    value.len, VAULT_VALUE_BYTE);
    uint32_t found;
    pthread_rwlock_rdlock(&v->lock);
    const struct tenant_secret *secret = secret_find(v, tenant, 0, &found);
    if (secret)
        crypto_generichash(out, VAULT_INDEX_BYTE, (const unsigned char *)text, n, secret->index_key[kind - 1], KEY_BYTE);
    pthread_rwlock_unlock(&v->lock);
    return secret ? OK : unknown(tenant, 0);
}

err vault_audit_key(struct vault *v, str tenant, unsigned char key[VAULT_AUDIT_KEY_BYTE]) {
    uint32_t found;
    pthread_rwlock_rdlock(&v->lock);
    const struct tenant_secret *secret = secret_find(v, tenant, 0, &found);
    if (secret)
        crypto_kdf_derive_from_key(key, VAULT_AUDIT_KEY_BYTE, 1, kdf_audit, secret->root);
    pthread_rwlock_unlock(&v->lock);
    return secret ? OK : unknown(tenant, 0);
}
