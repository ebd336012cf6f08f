/* gbdt_bag.h — grows the final model and its bag, and tells how far the bag's spread falls short of the error. */
#ifndef GALENA_ML_GBDT_BAG_H
#define GALENA_ML_GBDT_BAG_H

#include "ml/gbdt_tune.h"

enum { GBDT_MAX_PART = 64 }; /* the model and its bag */

/* A finished forest: part 0 is the model with the chosen settings, a tenth more rounds than the folds needed, covers kept;
 * parts 1..n_bag are coarser models on rows weighted by a Bayesian bootstrap (exponential weights). */
err gbdt_bag_grow(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const struct gbdt_choice *choice,
                  size_t n_bag, uint64_t seed, unsigned threads, struct trees **out) MUST_CHECK;

/* By how much the squared error expected of a new row (choice->error) is more than the variance over the bag, on average
 * over some training rows. Not below 0. A bag is a bootstrap: it does not see the bias of shrinkage and of early stopping,
 * nor what more rows would still reveal. */
double gbdt_bag_excess(struct arena *a, const struct dataset *s, const struct gbdt_choice *choice, const struct trees *t,
                       uint64_t seed);

/* Standard deviations of the log-odds: the root of the variance over the bag (n - 1 in the denominator) and the excess. */
void gbdt_bag_spread(const struct trees *t, double excess, const struct row *rows, size_t n, double *sd);

#endif
