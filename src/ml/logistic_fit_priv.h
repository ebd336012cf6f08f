/* logistic_fit_priv.h — a logistic fit under way, shared by the penalty path and the posterior. */
#ifndef GALENA_ML_LOGISTIC_FIT_PRIV_H
#define GALENA_ML_LOGISTIC_FIT_PRIV_H

#include "ml/design_priv.h"
#include "ml/logistic_priv.h"

struct fitting {
    const struct design *x;
    size_t m; /* parameters: columns and the intercept */
    bool dense, own_grid;
    unsigned threads, threads_sum;  /* for folds; for sums over all rows */
    const double *prior, *relative; /* m: prior mean, relative precision */
    double *precision;              /* m: at the current penalty */
    double *curvature, *factor;     /* X'WX, and the factor with the precision; diagonals when wide */
    double *theta;                  /* m: solution for all rows */
    double *part_g, *part_loss, *evaluated,
        *total_g;               /* n_part × m, n_part: by fold at `evaluated`; their sum and the prior's */
    double total_value, *spare; /* m: a gradient nobody reads */
    double *fold_theta;         /* n_part × m */
    double *held_out;           /* n: log-odds of the held-out rows, in the order of the design */
};

/* A penalty that was tried: cross-validated loss, and the solution for all rows. */
struct trial {
    double penalty, loss;
    const double *theta;
};

struct trials {
    struct trial *of;
    size_t n;
};

/* Sets the precisions for a penalty and factors the Hessian anew. */
void logistic_set_penalty(struct fitting *f, double penalty);

/* Gives the model its coefficients from f->theta and their covariance: the Laplace posterior at the optimum, and how the
 * estimates at the penalties tried scatter around it. */
void logistic_set_estimate(struct arena *a, struct fitting *f, const struct trials *tried, double best_loss,
                           struct model *m);

#endif
