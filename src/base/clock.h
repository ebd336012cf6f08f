/* clock.h — what time it is, handed to the code that needs it, so that tests can hold it still. */
#ifndef GALENA_BASE_CLOCK_H
#define GALENA_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(void);   /* since the Unix epoch, UTC; may jump when the machine's clock is set */
    int64_t (*steady_ns)(void); /* since an arbitrary moment; never goes back: for durations */
};

/* The machine's clock. */
struct clock clock_system(void);

/* Seconds since an earlier reading of steady_ns. */
static inline double clock_second_since(const struct clock *c, int64_t then_ns) {
    return (double)(c->steady_ns() - then_ns) / 1e9;
}

#endif
