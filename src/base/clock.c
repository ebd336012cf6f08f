/* clock.c — the machine's clock. */
#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t wall_ms(void) { return read_ns(CLOCK_REALTIME) / 1000000; }

static int64_t steady_ns(void) { return read_ns(CLOCK_MONOTONIC); }

struct clock clock_system(void) {
    return (struct clock){wall_ms, steady_ns};
}
