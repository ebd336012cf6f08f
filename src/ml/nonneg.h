/* nonneg.h — logistic regression with few, non-negative coefficients: what calibration and stacking are made of. */
#ifndef GALENA_ML_NONNEG_H
#define GALENA_ML_NONNEG_H

#include "base/arena.h"

enum { NONNEG_MAX_COLUMN = 16 };

/* Data and penalty: sum_i weight_i log(1 + exp(-s_i f_i)) + 1/2 sum_m pull_m (w_m - target_m)^2
 * + 1/2 intercept_pull (intercept - intercept_target)^2, with f_i = intercept +
 * sum_m w_m column[m][i] and s_i = ±1 by outcome. */
struct nonneg_problem {
    const double *const *column; /* m arrays of n finite values */
    size_t m, n;
    const double *y;      /* 0 or 1 */
    const double *weight; /* NULL: 1 each */
    double pull[NONNEG_MAX_COLUMN], target[NONNEG_MAX_COLUMN], intercept_pull, intercept_target;
};

/* Minimises over w >= 0 and a free intercept by projected Newton steps with an exact active set; w and *intercept hold the
 * start and get the minimum. Returns the objective there. A minimum exists when both classes occur and pull > 0. */
double nonneg_fit(const struct nonneg_problem *p, double *w, double *intercept);

#endif
