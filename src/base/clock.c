/* clock.c — the machine's clock. */
#include "base/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#ifdef GALENA_CRASH_POINTS
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* For tests: the file GALENA_CLOCK_OFFSET_FILE holds, as 8 bytes of this machine, how many milliseconds the wall clock is
 * off, and may be written at any time. It is the process's environment, so it is read once. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const _Atomic int64_t *offset;

static void map_offset(void) {
    const char *path = getenv("GALENA_CLOCK_OFFSET_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    offset = at == MAP_FAILED ? NULL : at;
}

static int64_t offset_ms(void) {
    pthread_once(&once, map_offset);
    return offset ? atomic_load(offset) : 0;
}
#else
static int64_t offset_ms(void) { return 0; }
#endif

static int64_t wall_ms(void) { return read_ns(CLOCK_REALTIME) / 1000000 + offset_ms(); }

static int64_t steady_ns(void) { return read_ns(CLOCK_MONOTONIC); }

struct clock clock_system(void) {
    return (struct clock){wall_ms, steady_ns};
}
