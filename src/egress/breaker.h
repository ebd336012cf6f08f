/* breaker.h — stops calling somebody who keeps failing, and finds out gently whether he is back.
 *
 * Closed: calls go out; when at least BREAKER_LEAST calls ended within the window and half of them failed, it opens. Open:
 * none goes out for 30 s, twice as long after each vain trial, at most 10 min, with jitter. Half open: one call, then five;
 * when they succeed it closes, and a failure opens it again. Time is the steady clock's. Not locked: its owner does that. */
#ifndef GALENA_EGRESS_BREAKER_H
#define GALENA_EGRESS_BREAKER_H

#include "base/rng.h"

#include <stdbool.h>

enum {
    BREAKER_LEAST = 20,
    BREAKER_WINDOW_MS = 30000,
    BREAKER_OPEN_MS = 30000,
    BREAKER_OPEN_MOST_MS = 600000,
    BREAKER_TRIALS = 5
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
    enum breaker_state state;
    int64_t window_ms;         /* when the window began */
    unsigned calls, failures;  /* in it */
    unsigned trips;            /* openings since it was last closed */
    int64_t until_ms;          /* open: when a trial may go out */
    unsigned trial, succeeded; /* half open: under way, and gone well */
};

/* True when a call may go out now; it must be followed by breaker_ended. */
bool breaker_allows(struct breaker *b, int64_t now_ms);

/* A call ended. `failed`: the other side is to blame (no answer, 5xx, broken contract), not the request. */
void breaker_ended(struct breaker *b, bool failed, int64_t now_ms, struct rng *r);

/* A call that was allowed did not go out. */
void breaker_withdrawn(struct breaker *b);

const char *breaker_state_name(enum breaker_state state); /* "closed", "open", "half_open" */

#endif
