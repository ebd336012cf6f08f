/* logistic.h — penalised logistic regression with a Gaussian prior and its Laplace posterior (Eq. 14-18, 24, 28-29, 49,
 * 65-66).
 *
 * Fitting minimises, over the d columns marked COLUMN_LINEAR and an intercept,
 *
 *     J(theta) = sum_i w_i [softplus(z_i) - y_i z_i] + penalty / 2 * sum_j r_j (theta_j - mu_j)^2,    z = theta_0 + x'
 * theta,
 *
 * the cross-entropy of Eq. 28 times the number of rows, so that the penalty is the precision of the prior of Eq. 24 (mean
 * mu: prior_mean, relative precisions r: prior_weight) and does not change its meaning with the number of rows: penalty =
 * 1/C of programs that multiply the loss by C. A row of weight k counts as k rows. The intercept is not penalised unless
 * prior_weight says so. Whatever has no penalty gets a precision of 1e-7 around its prior mean, which moves no estimate that
 * the data determine and keeps a separated one finite. A cross-validation model whose training rows are of one class is the
 * prior with the smoothed base rate.
 *
 * Penalty: from penalty_grid, the one with the least cross-validated log loss, sought from the middle outwards; two rises in
 * a row end a direction. The default grid is 1000, 316, 100, ... 0.1: prior standard deviations of a coefficient from 0.03
 * to 3. With it the summed loss is joined by what is likely beforehand, (log10(penalty) - 1)^2 / (2 * 0.5^2): the minimum of
 * a curve over few rows is noise, and on subsets of 20 to 50 rows of public tables this saves 4 to 23 % of the held-out log
 * loss, while the one-standard-error rule, its usual rival, loses from 50 to 100 rows on. Without folds in the options five
 * are made from the seed. Up to LOGISTIC_DENSE columns the solver takes Newton steps with a Cholesky factor that is reused
 * while progress is fast; beyond, L-BFGS with a diagonal preconditioner. */
#ifndef GALENA_ML_LOGISTIC_H
#define GALENA_ML_LOGISTIC_H

#include "ml/linear.h"

/* Widest model with a full covariance. A wider one keeps the inverse of the Hessian's diagonal as variances and no
 * covariances: its spread ignores how columns move together and is a rough figure. */
enum { LOGISTIC_DENSE = 1500 };

/* fit: ERR_INPUT "no_rows", "one_class", "no_columns" (none marked for this family). The model keeps the covariance
 * of the Laplace posterior: the inverse Hessian at the optimum. Where several penalties were tried, they are weighed by
 * exp(-loss): the prior variance in the Hessian is their mean, and the scatter of their estimates around the chosen one is
 * added. spread: sqrt(x' S x), intercept included. */
extern const struct model_family logistic_family;

/* The coefficients, means and base of a model of this family or of "subscore"; lives as long as the model. */
const struct linear *logistic_linear(const struct model *m);

/* What was learned from: the chosen penalty, the number of training rows and of positive ones among them. */
struct logistic_facts {
    double penalty;
    size_t rows, positives;
};
struct logistic_facts logistic_facts(const struct model *m);

/* Posterior covariance of the coefficients of columns i and j (d for the intercept); 0 for a column the model does not use.
 */
double logistic_covariance(const struct model *m, size_t i, size_t j);

/* The prior as a model, for when there are no outcomes: coefficients and intercept from prior_mean[d + 1], variances
 * 1 / (penalty * prior_weight[j]), no training rows, column means from `mean` (d; NULL: zeros). prior_weight may be NULL: 1
 * each, the intercept included. Weights must be positive, penalty too. */
struct model *logistic_from_prior(struct arena *a, size_t d, const double *prior_mean, const double *prior_weight,
                                  double penalty, const double *mean);

#endif
