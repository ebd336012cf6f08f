/* gbdt_bag.h — grows the final model and its bag, and learns from simulated outcomes how far the bag's spread falls short.
 */
#ifndef GALENA_ML_GBDT_BAG_H
#define GALENA_ML_GBDT_BAG_H

#include "ml/gbdt_tune.h"

enum { GBDT_MAX_PART = 64 }; /* the model and its bag */

/* A finished forest: part 0 is the model with the chosen settings, a tenth more rounds than the folds needed, covers kept;
 * parts 1..n_bag are coarser models on rows weighted by a Bayesian bootstrap (exponential weights). */
err gbdt_bag_grow(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const struct gbdt_choice *choice,
                  size_t n_bag, uint64_t seed, unsigned threads, struct trees **out) MUST_CHECK;

/* The factor by which the bag's standard deviations must grow for 95 % intervals to hold if the truth were a model like this
 * (calibrated bootstrap, Loh 1987). Outcomes are drawn from the model and a model is grown on them, which shows what part of
 * a slope shrinkage leaves; outcomes are drawn again from the model stretched by as much, and the factor is the 95 %
 * quantile of |log-odds grown on them - stretched log-odds| / (1.96 sd) over the training rows. So shrinkage counts, which
 * resampling alone does not see. Within 1..5. */
err gbdt_bag_scale(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const struct gbdt_choice *choice,
                   const struct trees *t, uint64_t seed, unsigned threads, double *scale) MUST_CHECK;

/* Scaled standard deviations of the log-odds over the bag, n - 1 in the denominator. */
void gbdt_bag_spread(const struct trees *t, double scale, const struct row *rows, size_t n, double *sd);

#endif
