/* product_priv.h — the work of choosing products, shared by screening and selection. */
#ifndef GALENA_ML_PRODUCT_PRIV_H
#define GALENA_ML_PRODUCT_PRIV_H

#include "ml/logistic_priv.h"
#include "ml/product_select.h"

#include <math.h>

enum { MAX_CANDIDATE = 160, MAX_FOLD = 10 };

/* What a product explains at least: of its own variance, and in sum w c^2. */
static const double LEAST_MASS = 4, LEAST_REST = 0.01;

struct sums { /* of one pair over one fold: r c and w c^2 */
    double u, w;
};

struct moments { /* of one pair over all rows: w c, w c x_j, w c x_k, and how many rows list both */
    double one, first, second, rows;
};

/* A product on some shortlist: candidates j >= k, and the subsets of rows on whose list it is. */
struct product {
    size_t j, k;
    unsigned lists;
};

struct work {
    struct arena *a;
    const struct dataset *s;
    const struct model *m;
    const struct product_opts *o;

    size_t n, part[MAX_FOLD + 1]; /* rows looked at, by fold */
    uint32_t *row;
    double *residual, *weight; /* n: w_i (y - p), w_i p (1 - p) */
    const double *held_out;

    size_t n_candidate, n_pair, n_screened;
    uint32_t column[MAX_CANDIDATE];
    uint32_t *candidate_of;            /* d: 1 + index; 0: none */
    double total, mean[MAX_CANDIDATE]; /* sums of w and w x */
    struct sums *sums;                 /* n_fold × n_pair */
    struct moments *moments;           /* n_pair */

    size_t p;
    struct product *product;
    double *rest;         /* n × p: products without what the columns explain */
    double *gram, *score; /* n_fold × p × p, n_fold × p */
};

/* A column's value as it is multiplied. */
static inline double product_limited(double v) { return fmax(-PRODUCT_LIMIT, fmin(v, PRODUCT_LIMIT)); }

/* Step 1 of product_select.h: takes rows and candidates, looks at all pairs, and lists in w->product those on some
 * shortlist. False when nothing is near the threshold. */
bool product_screen(struct work *w);

/* Least statistic of a product that is taken: the 5 % level divided by the number of pairs screened. */
double product_threshold(const struct work *w);

#endif
