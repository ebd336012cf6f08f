/* webhook.h — who calls: the signatures of inbound web hooks. Codes are compared in constant time. */
#ifndef GALENA_CONNECTOR_WEBHOOK_H
#define GALENA_CONNECTOR_WEBHOOK_H

#include "connector/exchange.h"

/* A call as it came: the body byte for byte; url is what the caller called (public address, path and query). */
struct webhook_call {
    str method, url, body;
    const struct http_field *header;
    size_t n_header;
};

/* OK when the call is genuine and not older than the window. Several secrets are accepted while one is being replaced. *key
 * (may be NULL) is 64 digits that are the same for a repetition of the call and for no other: what a replay guard keeps for
 * the window. ERR_DENIED: "webhook_unsigned", "webhook_wrong", "webhook_expired"; ERR_INPUT ("webhook_malformed"). An empty
 * secret never matches. */
err webhook_verify(struct arena *a, const struct connector_webhook *w, const str *secret, size_t n_secret, int64_t now_ms,
                   const struct webhook_call *call, str *key) MUST_CHECK;

#endif
