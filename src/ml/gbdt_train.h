/* gbdt_train.h — libxgboost as the trainer of boosted trees (Eq. 9 of Chen and Guestrin 2016, logistic loss, histograms).
 *
 * The only door to the library. Every handle belongs to the arena that made it. The library runs on the calling thread
 * alone; several threads may each work on their own matrices and boosters, but a matrix or booster must not be used by two
 * at once (the library quantises a matrix at its first use). Results depend on the seed only: every round seeds the
 * library's generator anew.
 *
 * Errors of the library: ERR_REMOTE (slug "xgboost_failed") with its sentence. */
#ifndef GALENA_ML_GBDT_TRAIN_H
#define GALENA_ML_GBDT_TRAIN_H

#include "ml/trees.h"

struct gbdt_setting {
    unsigned depth, max_bin;
    double min_child_weight; /* least sum of p (1 - p) weight in a leaf */
    double column_share;     /* of columns drawn for each tree, 0..1 */
    double node_share;       /* of those drawn for each node, 0..1 */
    double row_share;        /* of rows drawn for each tree, 0..1 */
    double l2;               /* lambda */
    double rate;             /* eta */
};

struct gbdt_matrix;
struct gbdt_booster;

/* The columns trees may use, and their numbers inside the library. */
struct gbdt_columns {
    size_t d, k;            /* columns of the data set, columns in use */
    const uint32_t *used;   /* k columns in ascending order */
    const uint32_t *number; /* d: number among the used, or UINT32_MAX */
};

/* `use` as in struct fit_opts; NULL: all. */
struct gbdt_columns gbdt_columns_of(struct arena *a, size_t d, const unsigned char *use);

/* The k given rows of s (NULL: all of them; k is ignored then) as a library matrix with outcomes and weights. `weight`, when
 * not NULL, has one factor for each of the rows given. What a row does not list is missing; listed zeros are values. */
err gbdt_matrix_new(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const uint32_t *rows, size_t k,
                    const double *weight, struct gbdt_matrix **out) MUST_CHECK;

/* Gives a matrix or booster back before its arena ends. It must not be used afterwards. */
void gbdt_matrix_free(struct gbdt_matrix *m);
void gbdt_booster_free(struct gbdt_booster *b);

/* A booster without trees whose margins start at `base` log-odds (kept within ±13). `watched`, which may be NULL, is a
 * second matrix for which margins are kept up to date cheaply. */
err gbdt_booster_new(struct arena *a, struct gbdt_matrix *train, struct gbdt_matrix *watched, const struct gbdt_setting *s,
                     double base, uint64_t seed, struct gbdt_booster **out) MUST_CHECK;

/* Adds one tree. */
err gbdt_booster_grow(struct gbdt_booster *b) MUST_CHECK;
unsigned gbdt_booster_rounds(const struct gbdt_booster *b);

/* Log-odds of no trees. */
double gbdt_booster_base(const struct gbdt_booster *b);

/* Log-odds of all rows of m under the first `rounds` > 0 trees, or all trees when there are fewer. *margin belongs to the
 * library and holds until the next call for this booster. All trees of a watched matrix cost nothing. */
err gbdt_booster_margin(struct gbdt_booster *b, struct gbdt_matrix *m, unsigned rounds, const float **margin) MUST_CHECK;
size_t gbdt_matrix_rows(const struct gbdt_matrix *m);

/* The library's own TreeSHAP: k + 1 numbers a row (columns in use, then the base). For tests and benchmarks. */
err gbdt_booster_contributions(struct gbdt_booster *b, struct gbdt_matrix *m, const float **shares) MUST_CHECK;

/* The first `rounds` trees as a forest of one part over the data set's d columns, not yet finished (trees_finish); covers
 * are kept when asked for. `scratch` is another arena than `a` and is left as it was. */
err gbdt_booster_trees(struct arena *a, struct arena *scratch, struct gbdt_booster *b, unsigned rounds, bool covers,
                       struct trees **out) MUST_CHECK;

#endif
