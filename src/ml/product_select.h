/* product_select.h — which products of two columns a logistic model should have besides its columns (Eq. 33).
 *
 * All pairs are looked at, few are taken, and none on faith:
 *   1. Screening. For each pair of candidate columns that is listed together in PRODUCT_LEAST_ROWS rows, the score statistic
 *      u^2 / v of the product c: u = sum_i (y_i - p_i) c_i with out-of-fold p, v = sum_i w_i c_i^2, w = p (1 - p), less what
 *      an intercept and the two columns explain of c. One pass over the rows serves all rows and each fold's complement.
 *   2. Forward selection among the best of each. Products are made orthogonal to all columns of the model (in the metric w,
 *      with its posterior covariance), taken one by one by their statistic given those taken before, and only while that
 *      passes the 5 % level divided by the number of pairs screened (Bonferroni).
 *   3. Cross-validation of the whole procedure. What the complement of a fold takes, with one Newton step (shortened
 *      while that lowers the complement's loss) for its coefficients under the model's penalty, is judged on the fold.
 * Because products are orthogonal to the columns, what the folds' base models know of each other's rows moves this to second
 * order only. Unless the mean gain in log loss is above its standard error, nothing is taken; and only what more than half
 * of the complements take as well. Rows beyond PRODUCT_ROWS are sampled, so that the time does not grow with the file. */
#ifndef GALENA_ML_PRODUCT_SELECT_H
#define GALENA_ML_PRODUCT_SELECT_H

#include "ml/family.h"
#include "ml/products.h"

enum { PRODUCT_ROWS = 20000, PRODUCT_LEAST_ROWS = 30, PRODUCT_MAX_COLUMN = 800 };

enum product_kind {
    PRODUCT_NONE,      /* no candidate */
    PRODUCT_INDICATOR, /* 0 or 1 */
    PRODUCT_NUMBER     /* standardised; its square is a candidate too */
};

struct product_opts {
    const unsigned char *kind; /* d: enum product_kind */
    const uint32_t *field;     /* d: columns of one field are never multiplied, but for squares */
    const uint32_t *fold;      /* n: 0..n_fold-1, n_fold >= 2: the folds that held_out comes from */
    uint32_t n_fold;
    size_t most; /* PRODUCTS_MAX at most */
    uint64_t seed;
};

struct product_choice {
    uint32_t a, b;    /* columns, a <= b */
    double statistic; /* chi-squared with one degree of freedom, given the choices before */
};

struct product_selection {
    struct product_choice chosen[PRODUCTS_MAX]; /* by statistic given those before */
    size_t n, n_screened;
    double gain, gain_error; /* cross-validated mean gain in log loss of the procedure, and its standard error */
};

/* Chooses products for `base`, a model of the logistic family fitted to s, whose out-of-fold log-odds are held_out[n]. A
 * model of more than PRODUCT_MAX_COLUMN columns, or without a full covariance, gets none. Deterministic. */
void product_select(struct arena *a, const struct dataset *s, const struct model *base, const double *held_out,
                    const struct product_opts *o, struct product_selection *out);

#endif
