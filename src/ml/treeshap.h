/* treeshap.h — exact path-dependent SHAP values of a forest (Eq. 33's shares for trees; Lundberg et al. 2020, TreeSHAP).
 *
 * The share of column i is its Shapley value in the game where a set of known columns is worth the expected margin when
 * unknown splits are followed both ways in proportion to their covers. The same numbers as libxgboost's pred_contribs, in
 * double.
 *
 * For a leaf whose path asks for columns 1..D, with o_j = 1 when the row meets all of column j's conditions on the path and
 * z_j the product of their cover ratios, share_i = leaf (o_i - z_i) * integral over t from 0 to 1 of prod_{j != i} (o_j t +
 * z_j (1 - t)) dt, a polynomial that Gauss-Legendre quadrature with ceil(D / 2) points integrates exactly. Trees are cut
 * into groups of leaves for which the sums of these shares are tabled beforehand for all outcomes of the tests involved (as
 * in Fast TreeSHAP v2, Yang 2021, but by group instead of by leaf); trees whose tables would not fit are walked with the
 * quadrature. */
#ifndef GALENA_ML_TREESHAP_H
#define GALENA_ML_TREESHAP_H

#include "ml/family.h"
#include "ml/trees.h"

enum { TREESHAP_MAX_BYTE = 64 * 1024 * 1024 }; /* for the tables of one forest */

struct treeshap;

/* Prepares part 0 of a finished forest. Where covers were not kept, both ways count the same. */
struct treeshap *treeshap_new(struct arena *a, const struct trees *t);

/* model_family.explain: adds scale times the share of each column to its term's, for each of n rows, and returns scale times
 * the base; base and shares of a row add up to scale times its margin. Rows go through the tables together, so that a table
 * is read from memory once for many of them; a row's result is the same to the last bit whichever rows are beside it. */
double treeshap_explain(const struct treeshap *s, const struct row *rows, size_t n, double scale,
                        const struct column_terms *to, struct arena *scratch, double *share);

/* The mean margin over the training rows, as the covers tell it. */
double treeshap_base(const struct treeshap *s);

/* Bytes of tables. */
size_t treeshap_byte(const struct treeshap *s);

/* As treeshap_new, with tables of at most max_byte in all: 0 for none. */
struct treeshap *treeshap_new_within(struct arena *a, const struct trees *t, size_t max_byte);

#endif
