/* design_priv.h — a dataset prepared for logistic fitting: only the columns in use, indicators apart from numbers, rows by
 * fold.
 *
 * Most columns of encoded leads are indicators. Kept as bare column numbers they need a third of the memory and no
 * multiplication; numbered first, every row lists its columns in ascending order, so that the Hessian's upper triangle is
 * filled row by row. */
#ifndef GALENA_ML_DESIGN_PRIV_H
#define GALENA_ML_DESIGN_PRIV_H

#include "ml/dataset.h"

struct design {
    size_t n, d;             /* rows, columns in use; parameters are d + 1, the intercept last */
    const uint32_t *column;  /* d: column of the dataset */
    const uint32_t *row;     /* n: row of the dataset */
    const size_t *one_start; /* n + 1 offsets into one: columns that are 1 */
    const uint32_t *one;
    const size_t *number_start; /* n + 1 offsets into number and value */
    const uint32_t *number;
    const double *value;
    const double *y;
    const double *weight; /* NULL for all 1 */
    size_t n_part;        /* folds */
    const size_t *part;   /* n_part + 1 bounds of rows */
};

/* `use` (with the bit that counts) may be NULL for all columns, `fold` may be NULL for one part. */
const struct design *design_new(struct arena *a, const struct dataset *s, const unsigned char *use, unsigned char bit,
                                const uint32_t *fold, uint32_t n_fold);

/* Cross-entropy of rows from..to-1 at theta[d + 1]; its gradient is added to g (Eq. 28, without the penalty). */
double design_loss(const struct design *x, size_t from, size_t to, const double *theta, double *g);

/* Adds X'WX of these rows, W = w p (1 - p), to the upper triangle of h, (d + 1)² (Eq. 65, without the penalty); the second
 * form adds its diagonal only, to h[d + 1]. */
void design_curvature(const struct design *x, size_t from, size_t to, const double *theta, double *h);
void design_curvature_diagonal(const struct design *x, size_t from, size_t to, const double *theta, double *h);

/* logit[i], for design rows from..to-1. */
void design_logit(const struct design *x, size_t from, size_t to, const double *theta, double *logit);

/* Cross-entropy of rows from..to-1 given their log-odds. */
double design_loss_of_logit(const struct design *x, size_t from, size_t to, const double *logit);

#endif
