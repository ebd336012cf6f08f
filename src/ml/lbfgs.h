/* lbfgs.h — minimises a smooth strictly convex function: limited-memory BFGS around a preconditioner.
 *
 * With the inverse Hessian of a nearby point as preconditioner the first step is Newton's (Eq. 66) and later steps correct
 * for the Hessian having changed, so that one factorisation serves many iterations and, on the penalty path, many problems.
 * With a diagonal one it is the method of Liu and Nocedal (1989) for wide problems. */
#ifndef GALENA_ML_LBFGS_H
#define GALENA_ML_LBFGS_H

#include "base/arena.h"

#include <stdbool.h>

struct lbfgs_problem {
    size_t n;
    void *ctx;
    /* The function at x, its gradient into g[n]. */
    double (*value)(void *ctx, const double *x, double *g);
    /* v := M^-1 v for a symmetric positive definite M near the Hessian. */
    void (*precondition)(void *ctx, double *v);
};

struct lbfgs_opts {
    unsigned max_iteration;
    unsigned memory;       /* pairs kept */
    double tolerance;      /* stops when g' M^-1 g / 2, the decrease still to be had under M, is no more than this */
    const double *start_g; /* gradient at the start when already known, with start_value; else NULL */
    double start_value;
};

struct lbfgs_result {
    double value;        /* at the final x */
    double decrement;    /* g' M^-1 g / 2 there */
    unsigned iterations; /* steps taken */
    bool converged;      /* within tolerance, or no step decreases the function in double precision */
};

/* Minimises from x[n], which gets the best point found. Scratch is taken from `a` and given back. */
struct lbfgs_result lbfgs_minimise(struct arena *a, const struct lbfgs_problem *p, const struct lbfgs_opts *o, double *x);

#endif
