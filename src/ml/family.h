/* family.h — what every model family can do. Mathematics only: arrays in, arrays out; nothing here knows what a lead is.
 *
 * All families predict log-odds, so that contributions add up and families can be stacked. Fitting is deterministic for a
 * seed, whatever the number of threads. */
#ifndef GALENA_ML_FAMILY_H
#define GALENA_ML_FAMILY_H

#include "base/json.h"
#include "ml/dataset.h"

/* How a family may use a column. A family ignores columns not meant for it. */
enum column_use {
    COLUMN_LINEAR = 1,  /* additive families: standardised numbers, bins, indicators */
    COLUMN_TREE = 2,    /* trees */
    COLUMN_COUNT = 4,   /* counting families (naive Bayes): indicators of exclusive levels */
    COLUMN_SUBSCORE = 8 /* the sub-score family */
};

struct fit_opts {
    uint64_t seed;
    unsigned threads;         /* 0: all cores */
    const unsigned char *use; /* d masks of enum column_use; NULL: every column for every family */
    const uint32_t *field;    /* d: the field a column belongs to (columns of one field are adjacent); NULL: one each */
    const double *prior_mean; /* d + 1 coefficients, the last is the intercept; NULL: zeros (Eq. 24: the profile as prior) */
    const double *prior_weight; /* d + 1 relative precisions that multiply the penalty; NULL: 1 each, 0 for the intercept */
    double prior_strength;      /* trust in prior_mean relative to the usual, for the family bayesian; 0: 1 */
    const uint32_t *fold;       /* n cross-validation folds 0..n_fold-1 for tuning inside fit */
    uint32_t n_fold;
    bool brief;                 /* spread and explain will not be asked for: what they need may be left out */
    const double *penalty_grid; /* candidate penalties; NULL: the family's own */
    size_t n_penalty;
};

/* The terms that columns are summed up to in explanations: column c counts for of_column[c], below n. */
struct column_terms {
    size_t n;
    const uint32_t *of_column;
};

struct model; /* each family's own; lives in the arena it was fitted or loaded into; const and shareable afterwards */

struct model_family {
    const char *name;

    /* Fits to s. *out_of_fold, when not NULL, has room for s->n log-odds and gets for each row the prediction of a model
     * that did not see its fold, tuned without it as far as the family can. ERR_INPUT when there is only one class. */
    err (*fit)(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold, struct model **out);

    /* Log-odds of n rows. */
    void (*predict)(const struct model *m, const struct row *rows, size_t n, double *logit);

    /* Standard deviations of the log-odds of n rows under the uncertainty of the parameters. */
    void (*spread)(const struct model *m, const struct row *rows, size_t n, double *sd);

    /* Contributions of n rows: adds `scale` times the share of each column to share[i * to->n + term of the column] and
     * returns `scale` times the base, so that for each row base plus shares are `scale` times the log-odds. The base is the
     * mean log-odds over the training rows. A row's shares do not depend on the rows beside it. `scratch` is rewound. */
    double (*explain)(const struct model *m, const struct row *rows, size_t n, double scale, const struct column_terms *to,
                      struct arena *scratch, double *share);

    /* The model as one JSON value, and back. load: ERR_CORRUPT when the value cannot be one of this family's models over d
     * columns; nothing it says is trusted (indices, counts, non-finite numbers). */
    void (*save)(const struct model *m, struct json_writer *w);
    err (*load)(struct arena *a, const struct json *v, size_t d, struct model **out);
};

#endif
