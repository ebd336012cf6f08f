/* retry.h — when something that failed is tried again, and when it is given up.
 *
 * Delay: uniform in 0..min(cap, base * 2^(attempt-1)) ("full jitter"), so that those who failed together do not come back
 * together. What the other side says (Retry-After) wins. */
#ifndef GALENA_EGRESS_RETRY_H
#define GALENA_EGRESS_RETRY_H

#include "base/err.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    int64_t base_ms, cap_ms, max_attempt;
    int64_t limit_ms; /* the wait after ERR_LIMIT, which is not counted */
};

/* 1 s, 10 min, 8 attempts, 30 s. */
struct retry_policy retry_defaults(void);

enum retry_verdict {
    RETRY_AGAIN, /* after delay_ms; counted */
    RETRY_WAIT,  /* after delay_ms; not counted */
    RETRY_DEAD   /* a person must look */
};

struct retry_decision {
    enum retry_verdict verdict;
    int64_t delay_ms;
};

/* What to do about failure `rc` of attempt number `attempt` (from 1). after_ms > 0: what the other side asked for. */
struct retry_decision retry_decide(const struct retry_policy *p, err rc, int64_t attempt, int64_t after_ms, struct rng *r);

/* Seconds of a Retry-After header ("120", or an HTTP date), in ms from now; 0 when it says nothing useful. At most a day. */
int64_t retry_after_ms(const char *value, int64_t now_ms);

#endif
