/* breaker.c — the three states of a circuit breaker. */
#include "egress/breaker.h"

const char *breaker_state_name(enum breaker_state state) {
    static const char *const name[] = {"closed", "open", "half_open"};
    return name[state];
}

static void trip(struct breaker *b, int64_t now_ms, struct rng *r) {
    int64_t wait = BREAKER_OPEN_MS;
    for (unsigned k = 0; k < b->trips && wait < BREAKER_OPEN_MOST_MS; k++)
        wait *= 2;
    wait = wait < BREAKER_OPEN_MOST_MS ? wait : BREAKER_OPEN_MOST_MS;
    *b = (struct breaker){.state = BREAKER_OPEN,
                          .trips = b->trips + 1,
                          .until_ms = now_ms + wait / 2 + (int64_t)(rng_uniform(r) * (double)wait / 2)};
}

bool breaker_allows(struct breaker *b, int64_t now_ms) {
    if (b->state == BREAKER_OPEN) {
        if (now_ms < b->until_ms)
            return false;
        b->state = BREAKER_HALF_OPEN;
        b->trial = b->succeeded = 0;
    }
    if (b->state == BREAKER_HALF_OPEN) {
        unsigned most = b->succeeded == 0 ? 1 : BREAKER_TRIALS;
        if (b->trial >= most)
            return false;
        b->trial++;
    }
    return true;
}

static void ended_on_trial(struct breaker *b, bool failed, int64_t now_ms, struct rng *r) {
    if (b->trial > 0)
        b->trial--;
    if (failed)
        trip(b, now_ms, r);
    else if (++b->succeeded > BREAKER_TRIALS)
        *b = (struct breaker){.window_ms = now_ms};
}

void breaker_withdrawn(struct breaker *b) {
    if (b->state == BREAKER_HALF_OPEN && b->trial > 0)
        b->trial--;
}

void breaker_ended(struct breaker *b, bool failed, int64_t now_ms, struct rng *r) {
    if (b->state == BREAKER_HALF_OPEN) {
        ended_on_trial(b, failed, now_ms, r);
        return;
    }
    if (b->state == BREAKER_OPEN)
        return; /* a call from before it opened */
    if (now_ms - b->window_ms >= BREAKER_WINDOW_MS) {
        b->window_ms = now_ms;
        b->calls = b->failures = 0;
    }
    b->calls++;
    b->failures += failed;
    if (b->calls >= BREAKER_LEAST && b->failures * 2 >= b->calls)
        trip(b, now_ms, r);
}
