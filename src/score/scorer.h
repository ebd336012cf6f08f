/* scorer.h — feature rows to probabilities with intervals, and to contributions.
 *
 * Probability: Eq. 14-18 and their generalisation: log-odds = intercept + sum of member weights times member log-odds; the
 * calibration maps them. Interval: the log-odds plus and minus a normal quantile times their standard deviation, mapped by
 * the same monotone calibration, so that it is a quantile interval (Eq. 25-27, 50-51) and never leaves [0, 1]. The standard
 * deviation joins the members' parameter uncertainty (added as if fully correlated, which is cautious) with the variance
 * that the missing fields bring (multiple imputation: the variance between draws of a field's value, estimated at training).
 */
#ifndef GALENA_SCORE_SCORER_H
#define GALENA_SCORE_SCORER_H

#include "lead/record.h"
#include "score/bundle.h"

/* Log-odds and standard deviations of n rows under the parameters alone. `scratch` holds intermediate results and is
 * rewound. */
void scorer_logits(const struct bundle *b, const struct row *rows, size_t n, struct arena *scratch, double *logit,
                   double *sd);

/* Scores n rows. missing[i * n_term + t] != 0 marks the terms that row i does not know (NULL: none); `level` is the
 * interval's, such as 0.95; 0 leaves the interval out: low = high = probability. */
void scorer_score(const struct bundle *b, const struct row *rows, size_t n, const unsigned char *missing, double level,
                  struct arena *scratch, struct score *out);

/* Shares of the log-odds of n rows by term, relative to the average training lead: term_share[i * n_term + t]. Returns the
 * base: base + sum of a row's shares = its log-odds to 1e-9. */
double scorer_explain(const struct bundle *b, const struct row *rows, size_t n, struct arena *scratch, double *term_share);

#endif
