/* gbdt_tune.h — chooses the settings of boosted trees by a race under cross-validation.
 *
 * A designed list of settings, from shallow to deep, is tried with a large learning rate on some of the folds; a setting is
 * given up on a fold when even three times its latest gain would not bring it near the best so far. The setting with the
 * least held-out log loss is grown again with a small rate on all folds, which gives the number of rounds (least loss over
 * all folds) and the out-of-fold log-odds from the same boosters. Zero rounds, the base rate, may win.
 *
 * How far off: the true log-odds are not known, but how predictions of held-out rows move when the training rows double is.
 * When each step is about right on average given the step before (a martingale, as with well-regularised models), squared
 * moves are what the squared error fell by: E (z_2n - z_n)^2 = error(n) - error(2n). With error(n) = c n^-a,
 *
 *     error(2n) = E (z_2n - z_n)^2 / (2^a - 1).
 *
 * On simulated steps, products and sums of 500 to 8,000 rows a was 0.4 to 0.6 (a parametric model has 1); 0.4, the cautious
 * end, is used. This has the bias of shrinkage and of early stopping in it, which a bootstrap has not. */
#ifndef GALENA_ML_GBDT_TUNE_H
#define GALENA_ML_GBDT_TUNE_H

#include "ml/family.h"
#include "ml/gbdt_train.h"

struct gbdt_choice {
    struct gbdt_setting setting;
    unsigned rounds;      /* for the size of one fold's training part */
    double log_loss;      /* out of fold, at that many rounds */
    double base_loss;     /* out of fold, of the base rate */
    unsigned race_rounds; /* rounds that were best in the race, at race_rate */
    double race_rate;
    double error; /* expected squared error of the log-odds of a new row; 0 when rows were too few to tell */
};

/* Log-odds of the weighted share of positives among the k given rows (NULL: all), shrunk by half a row of each outcome.
 * `weight`, when not NULL, has one factor for each of the rows given. */
double gbdt_base(const struct dataset *s, const uint32_t *rows, size_t k, const double *weight);

/* fold[n] in 0..n_fold-1. *out_of_fold may be NULL, else has room for s->n log-odds. */
err gbdt_tune(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const uint32_t *fold, uint32_t n_fold,
              uint64_t seed, unsigned threads, double *out_of_fold, struct gbdt_choice *out) MUST_CHECK;

#endif
