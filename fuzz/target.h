/* target.h — what a fuzz target is: one function that takes any bytes and returns, or aborts on a fault.
 *
 * libFuzzer calls it with bytes it makes up (-Dfuzz=true, `make fuzz`); replay.c calls it with every file of the target's
 * corpus (in every build, as a test). Both are linked with the same file. */
#ifndef GALENA_FUZZ_TARGET_H
#define GALENA_FUZZ_TARGET_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's name. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts, so that the fuzzer keeps the input. */
#define FUZZ_CHECK(condition)                                                                                               \
    do {                                                                                                                    \
        if (!(condition)) {                                                                                                 \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                       \
            abort();                                                                                                        \
        }                                                                                                                   \
    } while (0)

struct fuzz_work {
    struct arena *arena;
    str input;
};

/* Runs fn on a struct fuzz_work with a guarded arena of `limit_byte`, and gives everything back. */
static inline int fuzz_in_arena(const uint8_t *data, size_t size, size_t limit_byte, err (*fn)(void *work)) {
    struct arena *a = arena_new(limit_byte);
    FUZZ_CHECK(a != NULL);
    struct fuzz_work work = {a, {(const char *)data, size}};
    err rc = arena_run(a, fn, &work);
    FUZZ_CHECK((unsigned)rc < ERR_CODE_COUNT);
    arena_free(a);
    return 0;
}

#endif
