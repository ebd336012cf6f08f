/* crash_point.c — counts passages of the place that GALENA_CRASH names. */
#include "base/crash_point.h"

#ifdef GALENA_CRASH_POINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set once, before any place is passed; the environment is the process's, and so is its end. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char wanted[64];
static const char *poison;
static atomic_long left;

static void read_environment(void) {
    poison = getenv("GALENA_CRASH_LEAD");
    const char *text = getenv("GALENA_CRASH");
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof wanted)
        return;
    memcpy(wanted, text, (size_t)(colon - text));
    atomic_store(&left, strtol(colon + 1, NULL, 10));
}

void crash_point(const char *name) {
    pthread_once(&once, read_environment);
    if (wanted[0] && strcmp(name, wanted) == 0 && atomic_fetch_sub(&left, 1) == 1)
        kill(getpid(), SIGKILL);
}

void crash_point_lead(str body) {
    pthread_once(&once, read_environment);
    if (poison && *poison && memmem(body.ptr, body.len, poison, strlen(poison)))
        abort();
}
#else
typedef int crash_point_is_off; /* a file must hold something */
#endif
