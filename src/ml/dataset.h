/* dataset.h — rows of features and what became of them: compressed sparse rows.
 *
 * A feature that a row does not list is zero for linear models and missing for trees. A number that is known and zero is
 * listed. */
#ifndef GALENA_ML_DATASET_H
#define GALENA_ML_DATASET_H

#include "base/arena.h"

#include <stdbool.h>

/* One row: n columns in ascending order with their values. Values are finite. */
struct row {
    size_t n;
    const uint32_t *col;
    const double *val;
};

struct dataset {
    size_t n, d;         /* rows, columns */
    const size_t *start; /* n + 1 offsets into col and val; start[0] may be > 0 in a slice */
    const uint32_t *col;
    const double *val;
    const double *y;      /* n outcomes, 0 or 1 */
    const double *weight; /* n non-negative weights, or NULL for all 1 */
};

static inline struct row dataset_row(const struct dataset *s, size_t i) {
    return (struct row){s->start[i + 1] - s->start[i], s->col + s->start[i], s->val + s->start[i]};
}

static inline double dataset_weight(const struct dataset *s, size_t i) { return s->weight ? s->weight[i] : 1.0; }

/* A new dataset of the k given rows, in that order (repeats allowed). Column indices stay. */
struct dataset *dataset_pick(struct arena *a, const struct dataset *s, const uint32_t *rows, size_t k);

/* Keeps the columns with keep[c] != 0 and renumbers nothing (columns dropped become absent). */
struct dataset *dataset_mask(struct arena *a, const struct dataset *s, const unsigned char *keep);

/* Assigns each row to one of k folds, stratified by outcome, rows with equal group[] together (group may be NULL).
 * Deterministic for a seed. fold[n] gets 0..k-1. */
void dataset_fold(struct arena *a, const struct dataset *s, size_t k, uint64_t seed, const uint32_t *group, uint32_t *fold);

/* Row numbers with fold[i] != f (train) or == f (held out); returns how many. out has room for n. */
size_t dataset_fold_rows(const uint32_t *fold, size_t n, uint32_t f, bool held_out, uint32_t *out);

#endif
