/* fusion_category.h — which of several claimed values is true: one accuracy a source, fitted by EM (Dawid and Skene 1979,
 * one coin; Dong and others, VLDB 2009).
 *
 * Item i has claims start[i]..start[i+1]-1 and candidates first[i]..first[i+1]-1; a claim names a source and a candidate of
 * its item. A claim of source s with factor f (age, stated confidence) is right with r = chance + (accuracy_s - chance) f.
 * A wrong claim says value w with probability q(w): 1 / n_false where values hardly repeat, else the learned share of class
 * w among mistakes. The truth is one of the candidates or none of them. Repetition of another source weighs less
 * (fusion_copy.h). Sums run in the order of the arrays: the same arrays give the same bits. */
#ifndef GALENA_ML_FUSION_CATEGORY_H
#define GALENA_ML_FUSION_CATEGORY_H

#include "ml/fusion_copy.h"

#include <stdbool.h>

#define FUSION_NONE UINT32_MAX

/* One field: n_item items with claims of n_source sources. Ages are years, at least 0; trust and share are in (0, 1]. */
struct fusion_category_data {
    size_t n_item, n_source, n_class; /* n_class 0: values hardly repeat between items */
    const uint32_t *start, *first;    /* n_item + 1 each */
    const uint32_t *source, *value;   /* of each claim: the source, and the candidate counted from 0 within its item */
    const float *age_year, *trust;    /* of each claim: its age; what its source states of it against its usual, or 1 */
    const float *share;               /* of each claim: 1 / claims of that source on that item */
    const uint32_t *class_of;         /* of each candidate; NULL when n_class is 0 */
    const uint32_t *verified;         /* of each item: the candidate known to be true, else FUSION_NONE */
    const double *prior_accuracy;     /* of each source: what is known from elsewhere; NULL: the field's mean */
    const uint32_t *family;           /* of each source: sources of one family are alike, as far as they show it; or NULL */
    size_t n_family;
    const uint32_t *near_start, *near; /* of each candidate: those of its item that are much like it, from 0; or NULL */
};

struct fusion_category_model {
    double mean_accuracy, n_false, loss_per_year; /* f = exp(-loss_per_year * age) */
    double *accuracy, *evidence;                  /* of each source: posterior mean, and the claims behind it */
    double *class_share, *mistake_share;          /* of each class; NULL when there are none */
    struct fusion_copy copy;
    unsigned rounds;
};

/* Fits the model. Deterministic; O(claims) a round plus O(min(claims, 64)^2) an item for copying. Everything lives in `a`.
 */
void fusion_category_fit(struct arena *a, const struct fusion_category_data *d, struct fusion_category_model *out);

/* The posterior of item i under a fitted model: p[0..k-1] its candidates, p[k] none of these; k = first[i+1] - first[i].
 * Reads this item's claims alone, so that new evidence on one item costs that item. `weight` is room for its claims. */
void fusion_category_infer(const struct fusion_category_model *m, const struct fusion_category_data *d, size_t i,
                           float *weight, double *p);

#endif
