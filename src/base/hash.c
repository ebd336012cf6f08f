/* hash.c — SHA-256 by libsodium. */
#include "base/hash.h"

#include <assert.h>
#include <sodium.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct hash), "struct hash holds libsodium's state");
_Static_assert(HASH_BYTE == crypto_hash_sha256_BYTES, "the digest has libsodium's size");

static crypto_hash_sha256_state *inside(struct hash *h) { return (crypto_hash_sha256_state *)(void *)h->state; }

void hash_begin(struct hash *h) {
    /* Picks the fastest code once. It can fail for want of random numbers only, which SHA-256 does not use. */
    const int started = sodium_init();
    assert(started >= 0);
    (void)started;
    *h = (struct hash){0};
    crypto_hash_sha256_init(inside(h));
}

void hash_add(struct hash *h, str bytes) {
    if (bytes.len > 0)
        crypto_hash_sha256_update(inside(h), (const unsigned char *)bytes.ptr, bytes.len);
}

void hash_end(struct hash *h, unsigned char digest[HASH_BYTE]) { crypto_hash_sha256_final(inside(h), digest); }

void hash_to_hex(const unsigned char digest[HASH_BYTE], char hex[HASH_HEX_BYTE + 1]) {
    sodium_bin2hex(hex, HASH_HEX_BYTE + 1, digest, HASH_BYTE);
}

str hash_hex(struct arena *a, str bytes) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    hash_begin(&h);
    hash_add(&h, bytes);
    hash_end(&h, digest);
    char *hex = arena_alloc(a, HASH_HEX_BYTE + 1);
    hash_to_hex(digest, hex);
    return (str){hex, HASH_HEX_BYTE};
}
