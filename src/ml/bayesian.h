/* bayesian.h — logistic regression for few outcomes: a prior that may be wrong, weighed by evidence (Eq. 24).
 *
 * With twenty outcomes a cross-validated penalty is a lottery, and a prior taken at its word is a bet. This family fits a
 * list of assumptions ("the prior is right", "right but for its level and strength", "right about little", each with
 * ordinary features left out or shrunk more or less) and averages their coefficients by Laplace evidence: the probability of
 * the outcomes under each assumption, its coefficients integrated out. More outcomes move the weight from the prior to the
 * data without a switch.
 *
 * With the prior mean mu of fit_opts.prior_mean, and z = mu'x what the prior says beyond its intercept mu_0, the log-odds
 * are
 *
 *     theta_0 + kappa z + sum_j delta_j mu_j x_j + sum_f gamma_f (x_f - mean_f)
 *
 * over the prior's columns j (mu_j not 0) and the other columns f marked COLUMN_LINEAR; theta_0 ~ N(mu_0, a^2), kappa ~ N(1,
 * b^2), delta ~ N(0, c^2), gamma ~ N(0, 1/penalty). An assumption is (a, b, c, penalty); they are listed in bayesian.c with
 * their weights. a, b and c shrink as fit_opts.prior_strength grows. All of them have the prior as their mean: with no rows
 * the model is the prior. Without prior_mean: theta_0 ~ N(0, 2^2) and the features alone.
 *
 * The outcome is one set of coefficients, so the model is stored, scored and explained as a logistic one; its covariance is
 * that of the average (within and between the assumptions). */
#ifndef GALENA_ML_BAYESIAN_H
#define GALENA_ML_BAYESIAN_H

#include "ml/family.h"

/* Most rows for which the family is meant: beyond, the penalty is better chosen by cross-validation. */
enum { BAYESIAN_ROWS = 500 };

/* fit: rows of one class and no rows at all are allowed; ERR_LIMIT "bayesian_columns" for more than LOGISTIC_DENSE columns.
 * Every fold's out-of-fold model weighs the assumptions anew. logistic_linear, logistic_facts and logistic_covariance serve
 * its models too; the penalty of the facts is the mean over the assumptions, 0 penalties (no features) taken as 1000. */
extern const struct model_family bayesian_family;

/* How much weight each kind of assumption got, for the report: they sum to 1. */
struct bayesian_weights {
    double as_given;     /* the prior is right */
    double recalibrated; /* right but for level and strength, and small errors of its parts */
    double doubted;      /* may be wrong in level, strength and sign */
    double features;     /* of all these: those that use other features than the prior's */
};

/* Fits as the family does and tells the weights. `out_of_fold` and `weights` may be NULL. */
err bayesian_fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold,
                 struct bayesian_weights *weights, struct model **out) MUST_CHECK;

#endif
