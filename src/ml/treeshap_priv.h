/* treeshap_priv.h — what the preparation of TreeSHAP hands to its evaluation. */
#ifndef GALENA_ML_TREESHAP_PRIV_H
#define GALENA_ML_TREESHAP_PRIV_H

#include "ml/treeshap.h"

enum {
    GROUP_BITS = 8, /* most tests a table is indexed by */
    QUAD = 4,
    MAX_QUADS = TREES_MAX_DEPTH / 2 / QUAD, /* four quadrature points each, for the deepest tree */
    BATCH_STATES = 256                      /* path states of the trees evaluated together: they stay in the cache */
};

/* A test above the groups. Its children's path states are that of `from`, with the bit of the test's column cleared in the
 * one that the row does not go to. States: bit k is set while the row meets the conditions on the path's k-th distinct
 * column. */
struct shap_upper {
    float threshold;
    uint32_t slot, bit;
    uint32_t from; /* the state of the node; its children's are 2 i + 1 and 2 i + 2 for the i-th upper test of the batch */
};

struct shap_test {
    float threshold;
    uint32_t slot;
};

/* A subtree whose shares are tabled: row (path state, then one bit for each of its tests) of the table has n_column shares.
 */
struct shap_group {
    const struct shap_test *test;
    const uint32_t *column; /* as numbered in treeshap.column */
    const double *table;
    uint16_t state;
    uint8_t n_path, n_test, n_column;
};

/* Consecutive trees evaluated together: the tests above, then groups sorted by shape, which keeps loops predictable. */
struct shap_batch {
    uint32_t first_upper, n_upper, first_group, n_group;
};

/* Values at the quadrature points, four at a time. */
struct quad {
    double v __attribute__((vector_size(32)));
};

/* An inner node of a tree without tables. */
struct shap_split {
    float threshold;
    uint32_t slot, column; /* column: as numbered in treeshap.column */
    uint16_t node;
};

/* The edge above a node: cover ratio over the path's tests of the same column up to here; the node below the path's last
 * edge of that column before this one, 0 for none. */
struct shap_edge {
    double ratio;
    double value; /* below the edge: the leaf's value, or 1 for an inner node */
    uint32_t earlier;
};

/* A tree without tables. With column met or not, factor(t) = ratio (1 - t) + met t and gain(t) = weight (met - ratio) /
 * factor. */
struct shap_walk {
    uint32_t n_split, n_quad; /* n_quad times QUAD points */
    const struct shap_split *split;
    const struct shap_edge *edge; /* by node */
    const struct quad *gain_met;  /* by node, n_quad each */
};

/* The quadrature with n_quad times QUAD points: t if met, else 0; 1 - t; and the gain of columns not met, -weight / (1 - t).
 */
struct shap_points {
    struct quad t_if[2][MAX_QUADS], unmet[MAX_QUADS], gain_unmet[MAX_QUADS], weight[MAX_QUADS];
};

struct treeshap {
    const struct trees *t;
    double base;
    size_t n_column;
    const uint32_t *column; /* those that trees test, numbered */
    size_t table_byte;
    size_t n_batch, n_walk;
    const struct shap_batch *batch;
    const struct shap_upper *upper;
    const struct shap_group *group;
    const struct shap_walk *walk;
    struct shap_points points[MAX_QUADS + 1]; /* by n_quad */
};

/* Zeroed arena memory at a multiple of 32, as vectors need. */
static inline void *shap_alloc(struct arena *a, size_t size) {
    unsigned char *p = arena_alloc(a, size + sizeof(struct quad));
    return p + (sizeof(struct quad) - (uintptr_t)p % sizeof(struct quad)) % sizeof(struct quad);
}

/* n points and weights of Gauss-Legendre quadrature on [0, 1]. */
void shap_quadrature(unsigned n, double *point, double *weight);

#endif
