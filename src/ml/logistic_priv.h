/* logistic_priv.h — the model of the logistic families, and fitting it to columns of any kind of use. */
#ifndef GALENA_ML_LOGISTIC_PRIV_H
#define GALENA_ML_LOGISTIC_PRIV_H

#include "ml/logistic.h"

struct model {
    struct linear linear;
    size_t k;         /* columns in use */
    uint32_t *column; /* k, ascending */
    uint32_t *slot;   /* linear.d: place in column, LOGISTIC_UNUSED for none */
    bool dense;
    double *covariance; /* dense: packed (k + 1)² (linalg.h), the intercept last; else k + 1 variances */
    double penalty;
    size_t rows, positives;
};

static const uint32_t LOGISTIC_UNUSED = UINT32_MAX;

/* A model over d columns that uses k of them, zero, its slots set. `column` is copied. */
struct model *logistic_new(struct arena *a, size_t d, const uint32_t *column, size_t k, bool dense);

/* model_family.fit with the columns whose use mask has `bit`. */
err logistic_fit_columns(struct arena *a, const struct dataset *s, const struct fit_opts *o, enum column_use bit,
                         double *out_of_fold, struct model **out) MUST_CHECK;

/* The other slots of the family, shared by those that fit different columns. */
void logistic_predict(const struct model *m, const struct row *rows, size_t n, double *logit);
void logistic_spread(const struct model *m, const struct row *rows, size_t n, double *sd);
double logistic_explain(const struct model *m, const struct row *rows, size_t n, double scale, const struct column_terms *to,
                        struct arena *scratch, double *share);
void logistic_save(const struct model *m, struct json_writer *w);
err logistic_load(struct arena *a, const struct json *v, size_t d, struct model **out) MUST_CHECK;

#endif
