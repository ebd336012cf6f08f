/* target.h — one outside party over signed HTTP: a breaker, a retry budget, a bound on what is in flight, and one reading of
 * its answers.
 *
 * Requests carry Idempotency-Key, and Galena-Signature when there is a secret. In a minute 600 retries are free, and a tenth
 * of the calls more: beyond that they wait, so that a fault is not made worse by those who suffer from it. */
#ifndef GALENA_FLOW_TARGET_H
#define GALENA_FLOW_TARGET_H

#include "base/clock.h"
#include "base/metrics.h"
#include "egress/breaker.h"
#include "net/http_client.h"

/* Where it is and how it is spoken to. */
struct target_settings {
    const char *url; /* NULL: there is none */
    const char
        *status_url; /* deliveries: GET with ?key=, what became of an ambiguous one; NULL: it is sent again under its key */
    str secret, old_secret; /* of the signature; empty: none */
    int64_t timeout_ms;
    size_t max_in_flight;
};

/* What an answer means for who asked. */
enum exchange_verdict {
    EXCHANGE_OK,         /* 2xx */
    EXCHANGE_EMPTY,      /* 404, 410: there is nothing */
    EXCHANGE_SUPERSEDED, /* 409: the other side has something newer */
    EXCHANGE_WAIT,       /* 429, 503 with Retry-After: later, not counted */
    EXCHANGE_RETRY,      /* a passing fault: it did not arrive, or 408, 425, 5xx */
    EXCHANGE_UNKNOWN,    /* it may have arrived */
    EXCHANGE_REFUSED     /* any other status, a refused address, a certificate that is not trusted */
};

struct exchange {
    enum exchange_verdict verdict;
    int status;
    int64_t after_ms;        /* Retry-After; 0: nothing was said */
    str body;                /* valid during the call-back */
    const char *slug, *text; /* why not OK; "" else */
};

struct target;

/* `name` is a label of the metrics: "lookup". */
struct target *target_new(struct arena *a, const char *name, const struct target_settings *s, struct http_client *http,
                          struct clock clock, uint64_t seed, struct metrics *metrics);

/* Other settings for calls that begin from now on; their texts must outlive the target. With another URL the breaker is as
 * new. */
void target_change(struct target *t, const struct target_settings *s);

/* It has a URL. */
bool target_is_set(struct target *t);

/* How many calls may go out now: 0 while the breaker is open. */
size_t target_room(struct target *t);

/* At most half of the calls that may be in flight are. */
bool target_has_ample_room(struct target *t);

/* Posts `body` (JSON); done(ctx, exchange) is called once, on the client's thread. `retry`: it is not the first try.
 * ERR_LIMIT "target_busy" when it may not go out now (breaker, budget, in flight): done is not called. */
err target_post(struct target *t, str key, str body, bool retry, void (*done)(void *ctx, const struct exchange *x),
                void *ctx) MUST_CHECK;

/* GETs the status of an ambiguous delivery: OK means it has arrived, EMPTY that it has not. ERR_ABSENT "target_no_status"
 * when there is no such address. */
err target_status(struct target *t, str key, void (*done)(void *ctx, const struct exchange *x), void *ctx) MUST_CHECK;

enum breaker_state target_state(struct target *t);

#endif
