/* treeshap_priv.h — what the preparation of TreeSHAP hands to its evaluation. */
#ifndef GALENA_ML_TREESHAP_PRIV_H
#define GALENA_ML_TREESHAP_PRIV_H

#include "ml/treeshap.h"

enum {
    GROUP_BITS = 8,                   /* most tests a table is indexed by */
    MAX_POINTS = TREES_MAX_DEPTH / 2, /* quadrature points for the deepest tree */
    BATCH_STATES = 4096               /* path states of the trees evaluated together */
};

/* A test above the groups. Its children's path states are that of `from`, with the bit of the test's column cleared in the
 * one that the row does not go to. States: bit k is set while the row meets the conditions on the path's k-th distinct
 * column. */
struct shap_upper {
    float threshold;
    uint32_t slot;
    uint16_t from; /* the state of the node; its children's are 2 i + 1 and 2 i + 2 for the i-th upper test of the batch */
    uint16_t bit;
};

struct shap_test {
    float threshold;
    uint32_t slot;
};

/* A subtree whose shares are tabled: row (path state, then one bit for each of its tests) of the table has n_column shares.
 */
struct shap_group {
    const struct shap_test *test;
    const uint32_t *column;
    const double *table;
    uint16_t state;
    uint8_t n_path, n_test, n_column;
};

/* Consecutive trees evaluated together: the tests above, then groups sorted by shape, which keeps loops predictable. */
struct shap_batch {
    uint32_t first_upper, n_upper, first_group, n_group;
};

/* For trees without tables, by node: cover ratio over the path's tests of the same column up to here; depth of the path's
 * last node before that was reached by the same column, 0 for none. */
struct shap_node {
    double ratio;
    uint8_t earlier;
};

struct shap_walk {
    uint32_t tree, n_point;
    const struct shap_node *node;
};

struct treeshap {
    const struct trees *t;
    double base;
    size_t table_byte;
    size_t n_batch, n_walk;
    const struct shap_batch *batch;
    const struct shap_upper *upper;
    const struct shap_group *group;
    const struct shap_walk *walk;
    double point[MAX_POINTS + 1][MAX_POINTS], weight[MAX_POINTS + 1][MAX_POINTS]; /* Gauss-Legendre on [0, 1] by count */
};

/* n points and weights of Gauss-Legendre quadrature on [0, 1]. */
void shap_quadrature(unsigned n, double *point, double *weight);

#endif
