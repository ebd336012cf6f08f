/* hash.h — SHA-256: names for contents that anybody can check with sha256sum. */
#ifndef GALENA_BASE_HASH_H
#define GALENA_BASE_HASH_H

#include "base/str.h"

enum { HASH_BYTE = 32, HASH_HEX_BYTE = 64 };

/* A digest in the making. Its inside belongs to hash.c. */
struct hash {
    _Alignas(8) unsigned char state[128];
};

void hash_begin(struct hash *h);
void hash_add(struct hash *h, str bytes);
/* Writes the digest; begin again before the next use. */
void hash_end(struct hash *h, unsigned char digest[HASH_BYTE]);

/* The digest of `bytes`, in lower-case hexadecimal (64 characters, ends in NUL); lives in the arena. */
str hash_hex(struct arena *a, str bytes);

/* `digest` in lower-case hexadecimal, with a NUL behind it. */
void hash_to_hex(const unsigned char digest[HASH_BYTE], char hex[HASH_HEX_BYTE + 1]);

#endif
