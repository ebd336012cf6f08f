/* metrics_priv.h — one pass over a ranking that gives every figure, for the data and for each resample of it. */
#ifndef GALENA_ML_METRICS_PRIV_H
#define GALENA_ML_METRICS_PRIV_H

#include "ml/metrics.h"

/* Walks rows in ascending order of probability and fills bins of equal mass. */
struct bin_walk {
    size_t n, bin, room;     /* rows in all, current bin, rows it still takes */
    double gap[METRICS_BIN]; /* sum of (outcome - probability) by bin */
};

void bin_walk_start(struct bin_walk *w, size_t n);

/* `rows` more rows whose outcomes exceed their probabilities by `excess` in sum, shared evenly when they fall in several
 * bins. */
void bin_walk_add(struct bin_walk *w, size_t rows, double excess);

/* ECE of the rows walked. */
double bin_walk_ece(const struct bin_walk *w);

/* Log loss of each slot of the ranking (2 n_group values). */
double *metrics_slot_loss(struct arena *a, const struct ranking *r);

/* All figures but the floor for outcome counts `count` over the groups of r: n rows, n_positive of them positive. */
void metrics_pass(const struct ranking *r, const double *slot_loss, const uint32_t *count, size_t n, size_t n_positive,
                  double value[METRIC_COUNT]);

/* The q-quantile of n ascending values, linear between them (type 7). n >= 1. */
double metrics_quantile(const double *sorted, size_t n, double q);
void metrics_sort(double *values, size_t n);

#endif
