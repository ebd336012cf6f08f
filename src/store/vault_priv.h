/* vault_priv.h — what the files of the vault share: its secrets and the wrapping of data keys. */
#ifndef GALENA_STORE_VAULT_PRIV_H
#define GALENA_STORE_VAULT_PRIV_H

#include "store/vault.h"

#include <pthread.h>

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

enum {
    KEY_BYTE = 32,
    NONCE_BYTE = 24,
    TAG_BYTE = 16,
    MASTER_COUNT = 16,
    INDEX_KIND_COUNT = VAULT_INDEX_EXTERNAL_ID,
};

/* A tenant's secret as it lies in locked memory. The first two members are what is wrapped. */
struct tenant_secret {
    unsigned char key[KEY_BYTE], root[KEY_BYTE];
    unsigned char index_key[INDEX_KIND_COUNT][KEY_BYTE];
};

struct tenant_version {
    uint32_t version;
    struct tenant_secret *secret;
};

struct tenant {
    struct tenant *next;
    struct tenant_version *version; /* ascending */
    size_t n_version, cap_version;
    size_t len;
    char name[];
};

struct master {
    unsigned char key[KEY_BYTE], id[VAULT_MASTER_ID_BYTE];
};

/* Readers are all that seal and unseal; writers only add and forget keys. */
struct vault {
    struct ZSTD_CDict_s *dictionary_in; /* for compressing; never changed */
    struct ZSTD_DDict_s *dictionary_out;
    pthread_rwlock_t lock; /* guards all that follows */
    struct master *master; /* locked memory for MASTER_COUNT */
    size_t n_master;       /* the one at index `wraps` wraps */
    size_t wraps;
    struct tenant **bucket; /* by hash of the name */
    size_t n_bucket, n_tenant, n_secret;
    struct tenant_secret **slab, **spare; /* blocks of locked memory, and the free secrets in them */
    size_t n_slab, n_spare, cap_spare;
};

/* Reads one source: 32 bytes to `key`, which is locked memory. */
err vault_source_read(const struct vault_source *source, unsigned char key[KEY_BYTE]) MUST_CHECK;

/* The compression dictionary that every sealer of the vault uses (seal.c). */
err seal_dictionary_open(struct vault *v) MUST_CHECK;
void seal_dictionary_close(struct vault *v);

/* ---- secrets in memory (vault_memory.c); the caller holds the lock, for writing where something changes ---- */

/* A zeroed secret that belongs to nobody yet; ERR_LIMIT "memory_limit". */
err secret_take(struct vault *v, struct tenant_secret **out) MUST_CHECK;
void secret_give_back(struct vault *v, struct tenant_secret *secret);

/* The secret of a version (0: of the highest), or NULL; *found is its version. */
const struct tenant_secret *secret_find(const struct vault *v, str tenant, uint32_t version, uint32_t *found);

/* Enters a secret under a version that is not there yet. ERR_LIMIT "memory_limit"; the secret is still the caller's then. */
err secret_enter(struct vault *v, str tenant, uint32_t version, struct tenant_secret *secret) MUST_CHECK;

void secret_forget(struct vault *v, str tenant);
void secret_forget_all(struct vault *v);

/* ---- data keys ---- */

err vault_check_name(const char *what, str name, bool may_be_empty) MUST_CHECK;

/* Wraps a data key by the tenant's highest version. Takes the lock. */
err vault_lead_wrap(struct vault *v, str tenant, str lead, const unsigned char key[KEY_BYTE],
                    const unsigned char nonce[NONCE_BYTE], unsigned char out[VAULT_LEAD_WRAPPED_BYTE]) MUST_CHECK;
err vault_lead_unwrap(struct vault *v, str tenant, str lead, str wrapped, unsigned char key[KEY_BYTE]) MUST_CHECK;

/* ---- bytes ---- */

/* Associated data in the making: each text with its length in front, so that no two lists of texts give equal bytes. */
enum { BIND_BYTE = 5 * (VAULT_NAME_BYTE + 8) + 64 };
struct binding {
    unsigned char byte[BIND_BYTE];
    size_t len;
};
static inline void bind_bytes(struct binding *b, const void *bytes, size_t n) {
    memcpy(b->byte + b->len, bytes, n);
    b->len += n;
}
static inline void bind_text(struct binding *b, str s) {
    unsigned char len[4] = {(unsigned char)s.len, (unsigned char)(s.len >> 8)};
    bind_bytes(b, len, sizeof len);
    if (s.len > 0)
        bind_bytes(b, s.ptr, s.len);
}

static inline void put_u32(unsigned char *to, uint32_t x) {
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(x >> (8 * i));
}
static inline uint32_t get_u32(const unsigned char *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

#endif
