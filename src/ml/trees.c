/* trees.c — checks a forest and compiles it; plain descent. */
#include "ml/trees_priv.h"

#include <math.h>

static err invalid(size_t tree, const char *why) {
    return fail(ERR_CORRUPT, "trees_invalid", "tree %zu of the model %s", tree, why);
}

/* Depth of each node, breadth-first; `depth` has room for the tree's nodes. The inner nodes come first by count, so that a
 * tree is whole exactly when the i-th inner node's children exist and every node has a parent. */
static err check_tree(const struct trees *t, size_t k, unsigned char *depth, uint32_t *deepest) {
    const struct tree_node *node = t->node + t->root[k];
    uint32_t n = t->root[k + 1] - t->root[k], inner = 0;
    if (n > TREES_MAX_TREE_NODE)
        return invalid(k, "has too many nodes");
    depth[0] = 0;
    *deepest = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!isfinite(node[i].value) || !isfinite(node[i].cover) || node[i].cover < 0)
            return invalid(k, "has a value or cover that is not finite or a cover below zero");
        if (node[i].column < -1 || (node[i].column >= 0 && (size_t)node[i].column >= t->d))
            return invalid(k, "asks for a column that does not exist");
        if (i > 2 * inner)
            return invalid(k, "has nodes without a parent");
        if (depth[i] > *deepest)
            *deepest = depth[i];
        if (node[i].column < 0)
            continue;
        uint32_t left = tree_left(inner++);
        if (left + 1 >= n || depth[i] >= TREES_MAX_DEPTH)
            return invalid(k, "lacks children or is too deep");
        depth[left] = depth[left + 1] = (unsigned char)(depth[i] + 1);
    }
    return n == 2 * inner + 1 ? OK : invalid(k, "has nodes without a parent");
}

static err check_counts(const struct trees *t) {
    if (t->n_node > TREES_MAX_NODE)
        return fail(ERR_LIMIT, "trees_limit", "the model has %zu tree nodes, more than %d", t->n_node, TREES_MAX_NODE);
    bool whole = t->n_part > 0 && t->part[0] == 0 && t->part[t->n_part] == t->n_tree && t->root[0] == 0 &&
                 t->root[t->n_tree] == t->n_node;
    for (size_t p = 0; whole && p < t->n_part; p++)
        whole = t->part[p] <= t->part[p + 1] && isfinite(t->base[p]);
    for (size_t k = 0; whole && k < t->n_tree; k++)
        whole = t->root[k] < t->root[k + 1];
    return whole ? OK : fail(ERR_CORRUPT, "trees_invalid", "the counts of the model's parts, trees and nodes do not fit");
}

/* Numbers the pairs (column, default way) in use. */
static err assign_slots(struct arena *a, const struct trees *t, struct trees_fast *f) {
    uint32_t *slot_of = ARENA_ARRAY(a, 2 * t->d, uint32_t);
    for (size_t i = 0; i < 2 * t->d; i++)
        slot_of[i] = UINT32_MAX;
    for (size_t i = 0; i < t->n_node; i++)
        if (t->node[i].column >= 0)
            slot_of[2 * (size_t)t->node[i].column + t->node[i].missing_left] = 0;
    for (size_t i = 0; i < 2 * t->d; i++)
        if (slot_of[i] == 0)
            slot_of[i] = f->n_slot++;
    if (f->n_slot > TREES_MAX_SLOT)
        return fail(ERR_LIMIT, "trees_limit", "the model's trees use %u columns, more than can be evaluated", f->n_slot);
    float *absent = ARENA_ARRAY(a, f->n_slot, float);
    for (size_t i = 0; i < 2 * t->d; i++)
        if (slot_of[i] != UINT32_MAX)
            absent[slot_of[i]] = i % 2 ? -INFINITY : INFINITY;
    f->slot_of = slot_of;
    f->slot_absent = absent;
    return OK;
}

static uint32_t node_slot(const struct trees_fast *f, const struct tree_node *n) {
    return f->slot_of[2 * (size_t)n->column + n->missing_left];
}

static void compile_descent(const struct trees *t, size_t k, const struct trees_fast *f, struct fast_node *to,
                            double *value) {
    uint32_t root = t->root[k], inner = 0;
    for (uint32_t i = root; i < t->root[k + 1]; i++) {
        const struct tree_node *n = t->node + i;
        if (n->column >= 0) {
            to[i] = (struct fast_node){.threshold = n->value, .slot = node_slot(f, n), .left = root + tree_left(inner++)};
        } else {
            to[i] = (struct fast_node){.threshold = -INFINITY, .slot = 0, .left = i - 1};
            value[i] = (double)n->value;
        }
    }
}

/* Walks a small tree from left to right, with its own stack, numbering leaves; a node's mask is known when its left part is
 * done. */
static void compile_masks(const struct trees *t, size_t k, const struct trees_fast *f, struct fast_step *step,
                          double *leaf) {
    const struct tree_node *node = t->node + t->root[k];
    const struct fast_node *fast = f->node + t->root[k];
    struct {
        uint32_t node, first_leaf, step;
        bool left_done;
    } stack[2 * SMALL_LEAVES];
    uint32_t n_leaf = 0, n_step = 0, top = 0;
    stack[top++].node = 0;
    stack[0].left_done = false;
    while (top > 0) {
        uint32_t i = stack[top - 1].node;
        if (node[i].column < 0) {
            leaf[n_leaf++] = (double)node[i].value;
            top--;
        } else if (!stack[top - 1].left_done) {
            stack[top - 1].left_done = true;
            stack[top - 1].first_leaf = n_leaf;
            stack[top - 1].step = n_step;
            step[n_step++] = (struct fast_step){.threshold = node[i].value, .slot = fast[i].slot};
            stack[top].node = fast[i].left - t->root[k];
            stack[top++].left_done = false;
        } else {
            uint32_t from = stack[top - 1].first_leaf;
            step[stack[top - 1].step].mask = ~((uint32_t)((UINT64_C(1) << n_leaf) - (UINT64_C(1) << from)));
            stack[top - 1].node = fast[i].left + 1 - t->root[k]; /* the right part takes the node's place */
            stack[top - 1].left_done = false;
        }
    }
}

static void compile(struct arena *a, const struct trees *t, struct trees_fast *f, const uint32_t *depth) {
    struct fast_tree *tree = ARENA_ARRAY(a, t->n_tree, struct fast_tree);
    struct fast_node *node = ARENA_ARRAY(a, t->n_node, struct fast_node);
    double *value = ARENA_ARRAY(a, t->n_node, double);
    uint32_t n_step = 0, n_leaf = 0;
    for (size_t k = 0; k < t->n_tree; k++) {
        uint32_t inner = (t->root[k + 1] - t->root[k]) / 2;
        compile_descent(t, k, f, node, value);
        tree[k] = (struct fast_tree){.depth = depth[k], .small = inner < SMALL_LEAVES};
        if (!tree[k].small)
            continue;
        tree[k].first_step = n_step;
        tree[k].n_step = inner;
        tree[k].first_leaf = n_leaf;
        n_step += inner;
        n_leaf += inner + 1;
    }
    struct fast_step *step = ARENA_ARRAY(a, n_step, struct fast_step);
    double *leaf = ARENA_ARRAY(a, n_leaf, double);
    f->tree = tree;
    f->node = node;
    f->value = value;
    f->step = step;
    f->leaf = leaf;
    for (size_t k = 0; k < t->n_tree; k++)
        if (tree[k].small)
            compile_masks(t, k, f, step + tree[k].first_step, leaf + tree[k].first_leaf);
}

err trees_finish(struct arena *a, struct trees *t) {
    TRY(check_counts(t));
    unsigned char node_depth[TREES_MAX_TREE_NODE];
    uint32_t *depth = ARENA_ARRAY(a, t->n_tree, uint32_t);
    for (size_t k = 0; k < t->n_tree; k++)
        TRY(check_tree(t, k, node_depth, &depth[k]));
    struct trees_fast *f = ARENA_NEW(a, struct trees_fast);
    TRY(assign_slots(a, t, f));
    compile(a, t, f, depth);
    t->fast = f;
    return OK;
}

/* Whether the row goes left at the node, looking the column up by bisection. */
static bool goes_left(const struct tree_node *n, struct row x) {
    size_t from = 0, to = x.n;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (x.col[middle] < (uint32_t)n->column)
            from = middle + 1;
        else
            to = middle;
    }
    bool listed = from < x.n && x.col[from] == (uint32_t)n->column;
    return listed ? trees_float(x.val[from]) < n->value : n->missing_left;
}

double trees_margin(const struct trees *t, size_t part, struct row x) {
    double sum = t->base[part];
    for (size_t k = t->part[part]; k < t->part[part + 1]; k++) {
        uint32_t root = t->root[k], i = root;
        while (t->node[i].column >= 0)
            i = t->fast->node[i].left + !goes_left(&t->node[i], x);
        sum += (double)t->node[i].value;
    }
    return sum;
}
