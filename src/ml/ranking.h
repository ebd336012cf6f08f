/* ranking.h — rows sorted by predicted probability, tied ones together: what every metric is computed from.
 *
 * Working on groups of tied rows makes every figure independent of the order of the rows in the file. */
#ifndef GALENA_ML_RANKING_H
#define GALENA_ML_RANKING_H

#include "base/arena.h"

/* Group g holds the rows with probability p[g]; p ascends strictly. count[2g] of them have outcome 0, count[2g + 1]
 * outcome 1. */
struct ranking {
    size_t n, n_positive, n_group;
    const double *p;
    const uint32_t *count;
    const uint32_t *slot; /* n: 2g + outcome of each row, in the caller's order */
};

/* Ranks n < 2^31 rows with probabilities p in 0..1 (never NaN) and outcomes y, 0 or 1. */
struct ranking *ranking_new(struct arena *a, const double *p, const double *y, size_t n);

static inline uint32_t ranking_rows(const struct ranking *r, size_t g) { return r->count[2 * g] + r->count[2 * g + 1]; }

#endif
