/* products.h — columns that are products of two others (Eq. 33), computed from a row's own entries.
 *
 * A table of d columns is cut at `first`: what lies before are the columns that may be multiplied, and the products are put
 * in between, as columns first .. first + n - 1. A product is listed where both factors are listed and it is not zero; a
 * factor beyond PRODUCT_LIMIT counts as the limit, so that one extreme standardised number does not rule a model. */
#ifndef GALENA_ML_PRODUCTS_H
#define GALENA_ML_PRODUCTS_H

#include "ml/dataset.h"

enum { PRODUCTS_MAX = 64 };

#define PRODUCT_LIMIT 3.0

struct products {
    size_t n;       /* 0..PRODUCTS_MAX */
    uint32_t first; /* column of the first product */
    size_t n_factor;
    unsigned char a[PRODUCTS_MAX], b[PRODUCTS_MAX]; /* factors of each product, as indices below n_factor */
    const unsigned char *factor;                    /* first: 1 + index of the factor a column is; 0: none */
};

/* Products of columns a[i] and b[i], both below `first`; a[i] == b[i] makes a square. n is at most PRODUCTS_MAX. */
struct products products_new(struct arena *a, uint32_t first, const uint32_t *one, const uint32_t *other, size_t n);

/* Appends the products of a row to col and val (room for p->n) and returns how many; looks at columns below p->first only.
 */
size_t products_list(const struct products *p, struct row x, uint32_t *col, double *val);

/* x, a row without product columns, as one with them: its columns from p->first on move up by p->n. Room for x.n + p->n. */
struct row products_widen(const struct products *p, struct row x, uint32_t *col, double *val);

/* x, a row with product columns, with these computed anew from its other entries. Room for x.n + p->n. */
struct row products_renew(const struct products *p, struct row x, uint32_t *col, double *val);

/* products_widen for every row. Outcomes and weights are shared with s. */
struct dataset *products_widen_all(struct arena *a, const struct products *p, const struct dataset *s);

#endif
