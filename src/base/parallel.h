/* parallel.h — the same work on many parts, on several threads, with results that do not depend on how many. */
#ifndef GALENA_BASE_PARALLEL_H
#define GALENA_BASE_PARALLEL_H

#include "base/arena.h"

/* Work on part `i`. `scratch` is an arena for this part alone, guarded, and reset after it: results go to memory that the
 * caller prepared. */
typedef err parallel_fn(void *ctx, size_t i, struct arena *scratch);

/* Calls fn for i in [0, n) on at most `threads` threads (0: as many as the machine has cores). Each thread's scratch may
 * hold `scratch_byte`. Returns OK, or the failure of the lowest part that failed, its sentence recorded in the calling
 * thread; parts not yet begun when one fails may be left out. */
err parallel_for(size_t n, unsigned threads, size_t scratch_byte, parallel_fn *fn, void *ctx) MUST_CHECK;

/* Cores this process may use, at least 1. */
unsigned parallel_cores(void);

#endif
