/* trees_predict.c — evaluates a forest on blocks of rows without branches that depend on the data.
 *
 * Small trees use leaf masks (QuickScorer, Lucchese et al. 2015, with rows in vector lanes): every inner node that a row
 * fails clears the leaves of its left part; the leftmost leaf that remains is the row's. Larger trees descend, rows
 * interleaved. */
#include "ml/trees_priv.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Adds a small tree to the sums of one block. The vectors are halves of the block's lanes. */
static ALWAYS_INLINE void add_small(const struct fast_step *step, size_t n_step, const double *leaf, const float *x,
                                    double *sum) {
    int32_t low __attribute__((vector_size(32))) = {0}, high __attribute__((vector_size(32))) = {0};
    low = ~low, high = ~high;
    for (size_t s = 0; s < n_step; s++) {
        float a __attribute__((vector_size(32))), b __attribute__((vector_size(32)));
        const float *at = x + (size_t)step[s].slot * LANE_COUNT;
        memcpy(&a, at, sizeof a);
        memcpy(&b, at + LANE_COUNT / 2, sizeof b);
        low &= (a < step[s].threshold) | (int32_t)step[s].mask;
        high &= (b < step[s].threshold) | (int32_t)step[s].mask;
    }
    uint32_t alive[LANE_COUNT];
    memcpy(alive, &low, sizeof low);
    memcpy(alive + LANE_COUNT / 2, &high, sizeof high);
    for (size_t l = 0; l < LANE_COUNT; l++)
        sum[l] += leaf[__builtin_ctz(alive[l])];
}

static ALWAYS_INLINE void add_large(const struct trees_fast *f, uint32_t root, uint32_t depth, const float *x, double *sum) {
    uint32_t at[LANE_COUNT];
    for (size_t l = 0; l < LANE_COUNT; l++)
        at[l] = root;
    for (uint32_t s = 0; s < depth; s++)
        for (size_t l = 0; l < LANE_COUNT; l++) {
            const struct fast_node *n = &f->node[at[l]];
            at[l] = n->left + !(x[(size_t)n->slot * LANE_COUNT + l] < n->threshold);
        }
    for (size_t l = 0; l < LANE_COUNT; l++)
        sum[l] += f->value[at[l]];
}

/* The trees [from, to) on one block; sum has LANE_COUNT entries. */
static ALWAYS_INLINE void add_block(const struct trees *t, size_t from, size_t to, const float *x, double *sum) {
    const struct trees_fast *f = t->fast;
    for (size_t k = from; k < to; k++) {
        const struct fast_tree *tree = &f->tree[k];
        if (tree->small)
            add_small(f->step + tree->first_step, tree->n_step, f->leaf + tree->first_leaf, x, sum);
        else
            add_large(f, t->root[k], tree->depth, x, sum);
    }
}

static void add_block_any(const struct trees *t, size_t from, size_t to, const float *x, double *sum) {
    add_block(t, from, to, x, sum);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void add_block_avx2(const struct trees *t, size_t from, size_t to, const float *x,
                                                           double *sum) {
    add_block(t, from, to, x, sum);
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#else
static void add_block_avx2(const struct trees *t, size_t from, size_t to, const float *x, double *sum) {
    add_block(t, from, to, x, sum);
}
static bool has_avx2(void) { return false; }
#endif

/* Up to LANE_COUNT rows together. x holds every lane's slots, absent before and after. */
static void predict_block(const struct trees *t, size_t first, size_t count, const struct row *rows, size_t n, float *x,
                          double *out) {
    for (size_t l = 0; l < n; l++)
        trees_spread(t, rows[l], x + l, LANE_COUNT);
    bool avx2 = has_avx2();
    for (size_t p = 0; p < count; p++) {
        double sum[LANE_COUNT];
        for (size_t l = 0; l < LANE_COUNT; l++)
            sum[l] = t->base[first + p];
        (avx2 ? add_block_avx2 : add_block_any)(t, t->part[first + p], t->part[first + p + 1], x, sum);
        for (size_t l = 0; l < n; l++)
            out[l * count + p] = sum[l];
    }
    for (size_t l = 0; l < n; l++)
        trees_unspread(t, rows[l], x + l, LANE_COUNT);
}

/* One row by descent, four trees at a time, as each descent alone would wait for its memory. */
static double descend(const struct trees *t, size_t part, const float *x) {
    enum { TOGETHER = 4 };
    const struct trees_fast *f = t->fast;
    double sum = t->base[part];
    for (size_t k = t->part[part]; k < t->part[part + 1]; k += TOGETHER) {
        size_t m = t->part[part + 1] - k < TOGETHER ? t->part[part + 1] - k : TOGETHER;
        uint32_t at[TOGETHER], depth = 0;
        for (size_t j = 0; j < TOGETHER; j++) {
            at[j] = t->root[k + (j < m ? j : 0)];
            if (j < m && f->tree[k + j].depth > depth)
                depth = f->tree[k + j].depth;
        }
        for (uint32_t s = 0; s < depth; s++)
            for (size_t j = 0; j < TOGETHER; j++) {
                const struct fast_node *n = &f->node[at[j]];
                at[j] = n->left + !(x[n->slot] < n->threshold);
            }
        for (size_t j = 0; j < m; j++)
            sum += f->value[at[j]];
    }
    return sum;
}

static void predict_each(const struct trees *t, size_t first, size_t count, const struct row *rows, size_t n, double *out) {
    float x[TREES_MAX_SLOT];
    memcpy(x, t->fast->slot_absent, t->fast->n_slot * sizeof *x);
    if (t->fast->n_slot == 0)
        x[0] = 0; /* leaves look at slot 0 */
    for (size_t i = 0; i < n; i++) {
        trees_spread(t, rows[i], x, 1);
        for (size_t p = 0; p < count; p++)
            out[i * count + p] = descend(t, first + p, x);
        trees_unspread(t, rows[i], x, 1);
    }
}

void trees_predict(const struct trees *t, size_t first, size_t count, const struct row *rows, size_t n, double *out) {
    enum { FEW = 4 }; /* rows for which whole blocks would be wasted */
    if (n < FEW || t->fast->n_slot > LANE_SLOTS) {
        predict_each(t, first, count, rows, n, out);
        return;
    }
    _Alignas(64) float x[LANE_SLOTS * LANE_COUNT];
    for (size_t s = 0; s < t->fast->n_slot; s++)
        for (size_t l = 0; l < LANE_COUNT; l++)
            x[s * LANE_COUNT + l] = t->fast->slot_absent[s];
    for (size_t i = 0; i < n; i += LANE_COUNT)
        predict_block(t, first, count, rows + i, n - i < LANE_COUNT ? n - i : LANE_COUNT, x, out + i * count);
}
