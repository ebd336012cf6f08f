/* bayesian_priv.h — the rows and assumptions of the family bayesian, and what one assumption makes of the rows. */
#ifndef GALENA_ML_BAYESIAN_PRIV_H
#define GALENA_ML_BAYESIAN_PRIV_H

#include "ml/bayesian.h"

enum { MAX_ASSUMPTION = 32 };

/* How far the profile is believed. */
enum kind { AS_GIVEN, RECALIBRATED, DOUBTED, NO_PRIOR, KIND_COUNT };

struct assumption {
    enum kind kind;
    double intercept, anchor, deviation; /* precisions */
    double penalty;                      /* 0: no features */
    double log_weight;
};

/* Rows over the parameters: features, the prior's columns times their means, the anchor z, the intercept (not listed). */
struct problem {
    size_t n, n_feature, n_prior, m; /* m = n_feature + n_prior + 2 */
    const uint32_t *column;          /* n_feature + n_prior: column of the dataset */
    const double *mu;                /* n_prior */
    double mu_intercept;
    const size_t *start; /* n + 1 */
    const uint32_t *index;
    const double *value;
    const double *y, *weight;
    double *center; /* m: mean of the features; 0 for the rest */
    struct assumption assumption[MAX_ASSUMPTION];
    size_t n_assumption;
};

struct solver {
    const struct problem *p;
    size_t from;                            /* first parameter in play: 0, or n_feature when the features are left out */
    double *precision, *prior;              /* m */
    double *theta, *step, *trial, *g, *sum; /* m */
    double *h;                              /* (m - from)^2: the factor of the Hessian */
};

/* Finds the posterior mode of one assumption: v->theta, from where it stands, and the factored Hessian v->h over the
 * parameters from v->from on. Returns the log of its weight in the average: Laplace evidence and prior weight; -INFINITY
 * when the numbers gave out. */
double bayesian_solve(struct solver *v, const struct assumption *s);

#endif
