/* terms.h — what each term of a model is worth: its importance, and what not knowing it costs in certainty. */
#ifndef GALENA_LEARN_TERMS_H
#define GALENA_LEARN_TERMS_H

#include "ml/products.h"
#include "score/bundle.h"

/* importance[n_term]: mean absolute share of the log-odds over rows of s (a sample of at most 2,000, drawn by seed). */
void terms_importance(struct arena *a, const struct bundle *b, const struct dataset *s, uint64_t seed, double *importance);

/* variance[n_term]: multiple imputation (Rubin 1987). For rows that know a term, its columns are replaced by those of other
 * training rows that know it, drawn at random; the variance of the log-odds between the draws, averaged over the rows, times
 * 1 + 1/draws. When fewer than 20 training rows lack the term, the model was never taught what lacking it means: then the
 * mean square around the log-odds of the row without it, which has in it how far off that guess is (trees send what they
 * never saw missing to either side). missing: n * n_term marks of s. Draws do not look at the rest of the row, so for fields
 * that tell much the same the variance is too large for one and too small for all of them together.
 * Products of interactions (`products`) are computed anew with each draw, so that a field's variance has in it what it does
 * together with others; interactions have none of their own.
 * Where training rows lack fields, the log-odds have shrunk (terms_attenuation), and the variances with them: V of what a
 * mean row does not know appears as V / (1 + 0.346 V). All variances are multiplied by what undoes this, 2 at most. */
void terms_imputation(struct arena *a, const struct bundle *b, const struct products *products, const struct dataset *s,
                      const unsigned char *missing, uint64_t seed, double *variance);

/* Mean variance of the log-odds by the model's own account, over what the log-odds vary between the rows of s (a sample of
 * at most 500, drawn by seed); 1 at most. The square of an effect is expected to be its estimate's square plus its variance,
 * so what a hidden field may do is larger than the estimates by this share. */
double terms_doubt(struct arena *a, const struct bundle *b, const struct dataset *s, uint64_t seed);

/* Share of known cells among the first n_field terms of n rows. missing: n * n_term marks. */
double terms_known(const unsigned char *missing, size_t n, size_t n_term, size_t n_field);

/* Variance of the log-odds that comes from learning on rows with fields missing: one model is learned for rows that know a
 * lot and rows that know little, and what a row does not know, of variance V, shrinks the log-odds of what it does know by
 * 1 / sqrt(1 + 0.346 V) (the logistic-normal approximation; Zeger, Liang, Albert 1988). Returns the mean square by which the
 * training rows' log-odds logit[n] would move if the mean shrinkage were undone. Needs b->imputation; 0 when nothing is
 * missing. */
double terms_attenuation(const struct bundle *b, const struct dataset *s, const unsigned char *missing, const double *logit);

#endif
