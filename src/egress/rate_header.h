/* rate_header.h — what an answer's headers say about coming again: Retry-After, RateLimit, X-RateLimit-*, and Link.
 *
 * Whoever answers may write anything: what is not understood counts as not said, and no figure leaves its range. */
#ifndef GALENA_EGRESS_RATE_HEADER_H
#define GALENA_EGRESS_RATE_HEADER_H

#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

#define RATE_HEADER_MAX_MS (32ll * 86400000) /* a month's quota */

/* Milliseconds from now, 0..RATE_HEADER_MAX_MS: a whole or decimal number of seconds, or a date (RFC 9110 5.6.7, the three
 * forms). -1 when it says nothing that is understood. */
int64_t rate_header_after_ms(str value, int64_t now_ms);

struct rate_header {
    int64_t after_ms; /* Retry-After; -1: not said */
    int64_t limit;    /* of the window; -1: not said */
    int64_t left;     /* in the window; -1: not said */
    int64_t reset_ms; /* from now, until the window ends; -1: not said */
};

/* Reads, with the strictest winning where several speak:
 *   Retry-After
 *   RateLimit (draft-ietf-httpapi-ratelimit-headers: "name";r=50;t=30, and the earlier limit=100, remaining=50, reset=30)
 *   RateLimit-Limit, -Remaining, -Reset, and the same with "X-" or "X-Rate-Limit-" in front; a reset is seconds from now,
 *   or when it is above 10^9 seconds (10^12: milliseconds) since 1970, or a date. */
struct rate_header rate_header_read(const struct http_field *header, size_t n, int64_t now_ms);

/* The target of the first link with relation `rel` in the value of a Link header (RFC 8288): a part of `value`. False when
 * there is none. */
bool rate_header_link(str value, str rel, str *target);

#endif
