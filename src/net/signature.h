/* signature.h — HMAC-SHA256 (RFC 2104, FIPS 180-4) over messages, and the signed form of our own web hooks.
 *
 * The header field is `Galena-Signature: t=UNIXSECONDS,v1=HEX[,v1=HEX]`, the signed message is "UNIXSECONDS.BODY" with the
 * body byte for byte. While a secret is being replaced a sender signs with the old and the new, and a receiver accepts
 * either. */
#ifndef GALENA_NET_SIGNATURE_H
#define GALENA_NET_SIGNATURE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIGNATURE_BYTE = 32, SIGNATURE_MAX_SECRETS = 8, SIGNATURE_MAX_HEADER_BYTE = 1024 };

#define SIGNATURE_FIELD "Galena-Signature"

/* The code of the parts' concatenation. */
void signature_hmac(str secret, const str *part, size_t n_part, unsigned char mac[SIGNATURE_BYTE]);

/* The code as text in the arena: 64 lower-case digits, or base64 (RFC 4648 4) with padding, 44 characters. */
str signature_hex(struct arena *a, const unsigned char mac[SIGNATURE_BYTE]);
str signature_base64(struct arena *a, const unsigned char mac[SIGNATURE_BYTE]);

/* True when the texts are the same; the time taken depends on their lengths only. */
bool signature_equal(str a, str b);

/* True when `given` is the code in hexadecimal (either case) or in base64. Constant time but for its length and alphabet. */
bool signature_matches_hex(str given, const unsigned char mac[SIGNATURE_BYTE]);
bool signature_matches_base64(str given, const unsigned char mac[SIGNATURE_BYTE]);

/* The header field's value for `body` sent at `now_s`, one v1 for each of the 1..SIGNATURE_MAX_SECRETS secrets. */
str signature_make(struct arena *a, const str *secret, size_t n_secret, int64_t now_s, str body);

/* OK when `value` is well formed, its time is within `window_s` seconds of `now_s` on either side, and one of its codes was
 * made with one of the secrets; *at_s (may be NULL) is its time. The codes are checked before the time. ERR_INPUT
 * ("signature_malformed"), ERR_DENIED ("signature_wrong", "signature_expired"). An empty secret never matches. */
err signature_check(str value, const str *secret, size_t n_secret, int64_t now_s, int64_t window_s, str body,
                    int64_t *at_s) MUST_CHECK;

#endif
