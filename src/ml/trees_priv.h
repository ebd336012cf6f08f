/* trees_priv.h — the compiled form of a forest, shared by evaluation and TreeSHAP.
 *
 * A slot is a pair (column, default way). Rows are spread out into an array of slots in which a missing value is +inf when
 * the default way is right and -inf when it is left; known values are finite. So `value < threshold` decides every node
 * alone. */
#ifndef GALENA_ML_TREES_PRIV_H
#define GALENA_ML_TREES_PRIV_H

#include "ml/trees.h"

enum {
    LANE_COUNT = 16,   /* rows evaluated together */
    LANE_SLOTS = 1024, /* above this many slots rows are evaluated one by one */
    SMALL_LEAVES = 32  /* trees with at most this many leaves are evaluated with leaf masks */
};

/* An inner node of a small tree: rows that go right cannot end in the leaves that `mask` clears. */
struct fast_step {
    float threshold;
    uint32_t slot, mask;
};

/* A node for descent. A leaf has threshold -inf and left one before itself, so that descending further stays there. */
struct fast_node {
    float threshold;
    uint32_t slot, left;
};

struct fast_tree {
    uint32_t first_step, n_step; /* small trees */
    uint32_t first_leaf;         /* in leaf[], left to right */
    uint32_t depth;              /* the longest path, in inner nodes */
    bool small;
};

struct trees_fast {
    uint32_t n_slot;
    const uint32_t *slot_of;  /* 2 d: slot of (column, default way right), (column, left), or UINT32_MAX */
    const float *slot_absent; /* n_slot: -inf or +inf */
    const struct fast_tree *tree;
    const struct fast_step *step;
    const struct fast_node *node; /* as trees.node */
    const double *value;          /* as trees.node: leaf values */
    const double *leaf;
};

/* Values as the library sees them: float, and finite, as its matrices refuse infinities. */
static inline float trees_float(double v) {
    const double largest = 3.4028234663852886e38;
    return (float)(v > largest ? largest : v < -largest ? -largest : v);
}

/* Writes a row to, or removes it from, an array of slots with the given stride. */
static inline void trees_spread(const struct trees *t, struct row x, float *at, size_t stride) {
    for (size_t j = 0; j < x.n; j++) {
        if (x.col[j] >= t->d)
            continue;
        const uint32_t *slot = t->fast->slot_of + 2 * (size_t)x.col[j];
        float v = trees_float(x.val[j]);
        if (slot[0] != UINT32_MAX)
            at[slot[0] * stride] = v;
        if (slot[1] != UINT32_MAX)
            at[slot[1] * stride] = v;
    }
}

static inline void trees_unspread(const struct trees *t, struct row x, float *at, size_t stride) {
    for (size_t j = 0; j < x.n; j++) {
        if (x.col[j] >= t->d)
            continue;
        const uint32_t *slot = t->fast->slot_of + 2 * (size_t)x.col[j];
        if (slot[0] != UINT32_MAX)
            at[slot[0] * stride] = t->fast->slot_absent[slot[0]];
        if (slot[1] != UINT32_MAX)
            at[slot[1] * stride] = t->fast->slot_absent[slot[1]];
    }
}

#endif
