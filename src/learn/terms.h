/* terms.h — what each term of a model is worth: its importance, and what not knowing it costs in certainty. */
#ifndef GALENA_LEARN_TERMS_H
#define GALENA_LEARN_TERMS_H

#include "score/bundle.h"

/* importance[n_term]: mean absolute share of the log-odds over rows of s (a sample of at most 2,000, drawn by seed). */
void terms_importance(struct arena *a, const struct bundle *b, const struct dataset *s, uint64_t seed, double *importance);

/* variance[n_term]: multiple imputation (Rubin 1987). For rows that know a term, its columns are replaced by those of
 * other training rows that know it, drawn at random; the variance of the log-odds between the draws, averaged over the rows,
 * times 1 + 1/draws. missing: n * n_term marks of s. Terms that are always or never known cost nothing extra to ask for and
 * get the same treatment: a new lead may lack what no training lead lacked. */
void terms_imputation(struct arena *a, const struct bundle *b, const struct dataset *s, const unsigned char *missing,
                      uint64_t seed, double *variance);

#endif
