/* linear.h — log-odds that are a sum over columns: what logistic regression, sub-scores and naive Bayes have in common. */
#ifndef GALENA_ML_LINEAR_H
#define GALENA_ML_LINEAR_H

#include "ml/family.h"

/* Log-odds of x = intercept + sum_j coefficient[j] x_j (Eq. 14-18: the probability is the sigmoid of it). Columns the family
 * does not use have coefficient and mean 0. */
struct linear {
    size_t d;
    double intercept;
    double *coefficient; /* d */
    double *mean;        /* d: weighted mean of the column over the training rows */
    double *absent;      /* d: share of a column that a row does not list, -coefficient * mean */
    double base;         /* mean log-odds over the training rows */
};

/* A model of d columns, all zero. */
struct linear linear_new(struct arena *a, size_t d);

/* Derives absent and base from the rest: call when coefficients and means are set. */
void linear_complete(struct linear *m);

double linear_logit(const struct linear *m, struct row x);

/* model_family.explain: adds scale * coefficient * (x - mean) for each column. With `present`, every value that is not 0
 * counts as 1. O(d) once and O(terms + entries) for each row. */
double linear_explain(const struct linear *m, const struct row *rows, size_t n, bool present, double scale,
                      const struct column_terms *to, struct arena *scratch, double *share);

#endif
