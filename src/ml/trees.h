/* trees.h — sums of binary decision trees over sparse rows: storage, checks and fast evaluation.
 *
 * A forest holds one or more parts over the same columns, each with its own base: part 0 is a model, the others may be its
 * bag. Rows are compared as libxgboost does: the value is rounded to float and goes left when it is less than the threshold;
 * a column the row does not list goes the node's default way. Margins are added up in double. */
#ifndef GALENA_ML_TREES_H
#define GALENA_ML_TREES_H

#include "base/json.h"
#include "ml/dataset.h"

enum {
    TREES_MAX_DEPTH = 16,
    TREES_MAX_TREE_NODE = 2047,
    TREES_MAX_NODE = 16 * 1000 * 1000, /* in all trees */
    TREES_MAX_SLOT = 32768             /* distinct pairs (column, default way) */
};

/* A node. The nodes of a tree stand in breadth-first order: the children of its i-th inner node (from 0) are the nodes 2i +
 * 1 and 2i + 2 of the tree, so that no index is stored and no cycle can exist. */
struct tree_node {
    int32_t column;    /* -1 for a leaf */
    bool missing_left; /* the default way */
    float value;       /* inner node: the threshold; leaf: log-odds to add */
    float cover;       /* training weight (sum of second derivatives) that came here; 0 when not kept */
};

struct trees_fast; /* the compiled form */

struct trees {
    size_t d; /* columns */
    size_t n_part, n_tree, n_node;
    const double *base;   /* n_part log-odds of no trees */
    const uint32_t *part; /* n_part + 1 offsets into the trees */
    const uint32_t *root; /* n_tree + 1 offsets into node */
    const struct tree_node *node;
    const struct trees_fast *fast; /* made by trees_finish */
};

/* Checks a forest whose other fields are set, and compiles it. Every entry is looked at: ERR_CORRUPT (slug "trees_invalid")
 * for counts that do not fit, columns >= d, values that are not finite, negative covers, trees deeper than TREES_MAX_DEPTH,
 * and ERR_LIMIT (slug "trees_limit") for more than TREES_MAX_NODE nodes or TREES_MAX_SLOT slots. */
err trees_finish(struct arena *a, struct trees *t) MUST_CHECK;

/* Log-odds of n rows under the parts first..first + count - 1: out[i * count + p]. Columns >= d are ignored. No allocation.
 */
void trees_predict(const struct trees *t, size_t first, size_t count, const struct row *rows, size_t n, double *out);

/* The same for one row and one part by plain descent: the definition that trees_predict is tested against. */
double trees_margin(const struct trees *t, size_t part, struct row x);

/* Index, in its tree, of the left child of the tree's i-th inner node; the right child follows. */
static inline uint32_t tree_left(uint32_t inner) { return 2 * inner + 1; }

/* One JSON object, floats in the shortest decimals that read back the same; and back (over d columns, finished). trees_load:
 * ERR_CORRUPT, slugs "trees_invalid" or "json_…". */
void trees_save(const struct trees *t, struct json_writer *w);
err trees_load(struct arena *a, const struct json *v, size_t d, struct trees **out) MUST_CHECK;

#endif
