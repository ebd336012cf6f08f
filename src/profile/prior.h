/* prior.h — what a profile alone says of a lead, and the same as the prior of a model (Eq. 24, 34).
 *
 * Every criterion i has the column x_i = credit - typical when it is known and nothing when it is not: an unknown criterion
 * counts as the average lead has it, neither good nor bad. The profile's log-odds are
 *
 *     logit(base_rate) + sum_i beta_i x_i,     beta_i = effect * W_k / (sum of W over sections) * w_i / (sum of |w| in
 * section k),
 *
 * so that a lead which meets everything lies `effect` above one that meets nothing, and for a section known in full
 * sum_i beta_i x_i = beta_k (S_k - centre_k) with the sub-scores S_k of Eq. 34. */
#ifndef GALENA_PROFILE_PRIOR_H
#define GALENA_PROFILE_PRIOR_H

#include "profile/subscore.h"

/* The strength at which the prior is trusted as usual: an own scale of 1. */
enum { PROFILE_USUAL_STRENGTH = 40 };

/* beta_i. */
double profile_coefficient(const struct profile *p, size_t criterion);

/* Of one row: the columns of its known criteria, first_column + i, ascending, with x_i (zero included: known). Room for
 * n_criterion entries; returns how many. */
size_t profile_row(const struct profile *p, const struct subscores *s, uint32_t first_column, uint32_t *column,
                   double *value);

/* The prior of a model of d columns of which first_column.. first_column + n_criterion are the profile's: mean[d + 1] gets
 * beta and, last, logit(base_rate); weight[d + 1] (fit_opts.prior_weight) 1 for other columns, 0 for the intercept and for
 * the profile's columns a precision relative to a penalty of 10 that leaves beta_i free by 0.7 of itself. With both,
 * penalised logistic regression falls back on the profile where the data say nothing. */
void profile_prior(const struct profile *p, size_t d, size_t first_column, double *mean, double *weight);

/* fit_opts.prior_strength for the family "bayesian": strength / PROFILE_USUAL_STRENGTH. */
double profile_trust(const struct profile *p);

/* The profile's word on a lead. The interval is that of the log-odds, sigmoid(logit -+ z spread), inside (0, 1). */
struct profile_fit {
    double logit, spread;
    double probability, low, high;
};

/* `level` is the mass of the interval, in (0, 1): 0.95. The variance of the log-odds is
 *   [a^2 + b^2 z^2 + sum_i (c beta_i x_i)^2] * PROFILE_USUAL_STRENGTH / strength      doubt about level, strength and parts
 *   + sum_k (sum of |beta_i| over the unknown criteria of section k)^2 / 12           an unknown credit is uniform on 0..1
 * with z = logit - logit(base_rate) and a, b, c = 0.4, 0.4, 0.7: the profile is not taken to be exact, and what is unknown
 * could be anything. */
struct profile_fit profile_fit(const struct profile *p, const struct subscores *s, double level);

/* Shares of the log-odds by criterion, relative to logit(base_rate): share[n_criterion] gets beta_i x_i, 0 where unknown.
 * They and logit(base_rate) sum to the logit of profile_fit. */
void profile_explain(const struct profile *p, const struct subscores *s, double *share);

#endif
