/* vault.h — keys: masters that wrap tenant keys, tenant keys that wrap data keys, blind indexes, and tokens.
 *
 *   master key (file, environment, command)  wraps  tenant key (version, tenant)  wraps  data key (lead)  seals  cells
 *
 * Wrapped keys are plain bytes that the store keeps in its tables; seal.h seals and unseals cells with data keys. A tenant's
 * secret has two halves: a wrapping key, which a new version replaces, and a root, which every version carries on, so that
 * blind indexes and the audit key stay the same when keys are rotated. Secrets live in memory that is locked (where the
 * system allows), guarded, left out of core dumps, and zeroed after use.
 *
 * One vault serves every thread. Sealing is XChaCha20-Poly1305 (RFC 8439 with the extended nonce of
 * draft-irtf-cfrg-xchacha), derivation crypto_kdf (BLAKE2b), both of libsodium.
 *
 * Errors of every function that opens something wrapped: ERR_CORRUPT "vault_form" (not of a known form or length),
 * "vault_version" (written by a later program), "vault_forged" (a byte was altered, or it belongs to another tenant or
 * lead); ERR_DENIED "vault_no_master" (wrapped by a master that is not known here). */
#ifndef GALENA_STORE_VAULT_H
#define GALENA_STORE_VAULT_H

#include "base/str.h"

enum {
    VAULT_MASTER_ID_BYTE = 8,
    VAULT_TENANT_WRAPPED_BYTE = 117, /* a tenant's key as it is stored */
    VAULT_LEAD_WRAPPED_BYTE = 77,    /* a data key as it is stored */
    VAULT_INDEX_BYTE = 16,
    VAULT_AUDIT_KEY_BYTE = 32,
    VAULT_NAME_BYTE = 128 /* longest tenant, lead, table, column or row name */
};

struct vault;

/* ---- master keys ---- */

/* A file must be a regular file of this user or of root that neither group nor others can read or write. A variable is
 * wiped and removed from the environment once read, so call this before any thread starts. A command is run without a
 * shell, with nothing on its standard input, in a process group that is killed when the time is over; it prints the key.
 * All three hold 32 bytes as 64 hexadecimal digits or as base64; a file may hold the bare 32 bytes. White space around is
 * allowed. */
enum vault_source_kind { VAULT_FILE, VAULT_ENVIRONMENT, VAULT_COMMAND };

struct vault_source {
    enum vault_source_kind kind;
    const char *name;        /* path of the file, name of the variable */
    const char *const *argv; /* the command; ends in NULL; argv[0] is looked up in PATH unless it has a slash */
    int64_t limit_ms;        /* for the command; 0: SECRET_COMMAND_MS */
};

/* A vault that knows the masters of n >= 1 sources. The first is the one that wraps from now on; the others only unwrap,
 * until rotation is over. ERR_INPUT "vault_master_form" (no key in it), or as
 * secret_read (store/secret.h). Sources after one that fails are not read. */
err vault_open(const struct vault_source *sources, size_t n, struct vault **out) MUST_CHECK;
void vault_close(struct vault *v); /* no thread may use it or a sealer of it; NULL is allowed */

/* Adds the master of one source; `wraps` makes it the one that wraps from now on. A master already known is no error. */
err vault_master_add(struct vault *v, const struct vault_source *source, bool wraps) MUST_CHECK;

/* The name of the master that wraps: the first bytes of a keyed hash, so that it tells nothing of the key. */
void vault_master_id(struct vault *v, unsigned char id[VAULT_MASTER_ID_BYTE]);
bool vault_master_known(struct vault *v, const unsigned char id[VAULT_MASTER_ID_BYTE]);

/* Makes a new key file with mode 0600 that appears complete or not at all. ERR_CONFLICT "vault_master_exists" when there is
 * a file already; it stays as it was. ERR_ABSENT, ERR_DENIED, ERR_AGAIN as file_create. */
err vault_master_new(const char *path) MUST_CHECK;

/* ---- tenant keys ---- */

/* Makes version 1 of a tenant's key, enters it in the vault's memory, and writes it as it is to be stored. ERR_INPUT
 * "vault_name" when the name is empty or too long. */
err vault_tenant_new(struct vault *v, str tenant, unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE]) MUST_CHECK;

/* Unwraps a stored key and keeps it in memory; harmless when it is there already. Load every version that is stored: data
 * keys may be wrapped by any of them. The highest one loaded wraps new data keys. */
err vault_tenant_load(struct vault *v, str tenant, str wrapped) MUST_CHECK;

/* The highest version in memory, or 0. */
uint32_t vault_tenant_version(struct vault *v, str tenant);

/* Forgets every version of a tenant (0 length: of all tenants). */
void vault_tenant_forget(struct vault *v, str tenant);

/* Rotation of the master: the same key wrapped by the master that wraps now. */
err vault_tenant_rewrap(struct vault *v, str tenant, str wrapped, unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) MUST_CHECK;

/* Rotation of the tenant's key: the version after the one in `wrapped`, with a new wrapping key and the same root. It is
 * entered in memory and wraps from now on; data keys are brought over by vault_lead_rewrap. Store it with a constraint on
 * (tenant, version), so that of two who do this at once only one wins, and call vault_tenant_forget in the other. */
err vault_tenant_renew(struct vault *v, str tenant, str wrapped, unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) MUST_CHECK;

/* As vault_tenant_new (`wrapped` empty) or vault_tenant_renew, but nothing is entered in memory, so that no thread can use a
 * key that is not stored yet: vault_tenant_load it when it is. */
err vault_tenant_draft(struct vault *v, str tenant, str wrapped, unsigned char out[VAULT_TENANT_WRAPPED_BYTE]) MUST_CHECK;

/* What wrapped bytes say of themselves without being opened: the version of the tenant's key (for a data key: of the one
 * that wraps it) and, for a tenant's key, the master (zeros for a data key). ERR_CORRUPT "vault_form", "vault_version". */
struct vault_wrapping {
    uint32_t version;
    unsigned char master[VAULT_MASTER_ID_BYTE];
};
err vault_wrapping_of(str wrapped, struct vault_wrapping *out) MUST_CHECK;

/* ---- data keys ---- */

/* Rotation: the same data key wrapped by the highest version in memory. ERR_ABSENT "vault_tenant_unknown" when the version
 * it needs is not in memory: load it and repeat. Other uses of data keys are seal.h's. */
err vault_lead_rewrap(struct vault *v, str tenant, str lead, str wrapped,
                      unsigned char out[VAULT_LEAD_WRAPPED_BYTE]) MUST_CHECK;

/* ---- derived from a tenant's root ---- */

/* What an index is over, and how its values are made equal: an e-mail address and a domain are trimmed and lower-cased
 * (ASCII letters; a domain also loses one dot at its end), a telephone number keeps its digits and a plus in front, other
 * text is trimmed. If you change this: the numbers derive keys. */
enum vault_index_kind { VAULT_INDEX_EMAIL = 1, VAULT_INDEX_DOMAIN, VAULT_INDEX_PHONE, VAULT_INDEX_EXTERNAL_ID };

/* A blind index: BLAKE2b of the normalised value, keyed for this tenant and kind. Equal values give equal bytes, and nobody
 * without the tenant's key can try values. ERR_ABSENT "vault_tenant_unknown"; ERR_INPUT "vault_value" when nothing is left
 * of the value, or it is longer than VAULT_VALUE_BYTE. */
enum { VAULT_VALUE_BYTE = 1024 };
err vault_index(struct vault *v, str tenant, enum vault_index_kind kind, str value,
                unsigned char out[VAULT_INDEX_BYTE]) MUST_CHECK;

/* The key of the tenant's audit chain (audit.h). ERR_ABSENT "vault_tenant_unknown". Wipe it after use: vault_wipe. */
err vault_audit_key(struct vault *v, str tenant, unsigned char key[VAULT_AUDIT_KEY_BYTE]) MUST_CHECK;

/* Zeroes, in a way the compiler keeps. */
void vault_wipe(void *secret, size_t n);

/* ---- tokens ---- */

enum { VAULT_TOKEN_BYTE = 46, VAULT_TOKEN_SHOWN_BYTE = 9, VAULT_TOKEN_HASH_BYTE = 32 };

/* An API key: "gk_" and 32 random bytes in base64url. Show `text` once; store `hash` (SHA-256: a slow hash would add
 * nothing to 256 random bits) and `shown` ("gk_" and six characters), by which people tell keys apart. */
struct vault_token {
    char text[VAULT_TOKEN_BYTE + 1], shown[VAULT_TOKEN_SHOWN_BYTE + 1];
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
};
void vault_token_new(struct vault_token *out);

/* The hash to look a presented token up by; false when it has not the form of a token. */
bool vault_token_hash(str text, unsigned char hash[VAULT_TOKEN_HASH_BYTE]);

/* Equal, in a time that depends on n only. */
bool vault_equal(const void *a, const void *b, size_t n);

#endif
