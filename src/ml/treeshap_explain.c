/* treeshap_explain.c — TreeSHAP of one row: table look-ups by group, or a walk with quadrature. */
#include "ml/treeshap_priv.h"
#include "ml/trees_priv.h"

enum { MOST_ROWS = 16 }; /* explained together */

/* ---- trees with tables ---- */

/* The path states of one row below the tests above the groups. */
static void walk_upper(const struct treeshap *s, const struct shap_batch *b, const float *x, uint16_t *state) {
    state[0] = UINT16_MAX;
    for (uint32_t i = 0; i < b->n_upper; i++) {
        const struct shap_upper *u = &s->upper[b->first_upper + i];
        unsigned left = x[u->slot] < u->threshold, bit = u->bit;
        state[2 * i + 1] = (uint16_t)(state[u->from] & ~(left ? 0 : bit));
        state[2 * i + 2] = (uint16_t)(state[u->from] & ~(left ? bit : 0));
    }
}

/* Adds the tabled shares of one group for one row. */
static inline void add_group(const struct shap_group *g, const float *x, unsigned state, double scale, double *share) {
    unsigned index = state & ((1u << g->n_path) - 1);
    for (unsigned j = 0; j < g->n_test; j++)
        index |= (unsigned)(x[g->test[j].slot] < g->test[j].threshold) << (g->n_path + j);
    const double *row = g->table + (size_t)index * g->n_column;
    for (unsigned j = 0; j < g->n_column; j++)
        share[g->column[j]] += scale * row[j];
}

/* Group by group over all rows: additions for different rows do not wait for one another. */
static void explain_batch(const struct treeshap *s, const struct shap_batch *b, const float *x, size_t n_slot, size_t n,
                          double scale, double *share) {
    uint16_t state[MOST_ROWS][BATCH_STATES];
    const size_t d = s->t->d;
    for (size_t r = 0; r < n; r++)
        walk_upper(s, b, x + r * n_slot, state[r]);
    for (uint32_t i = 0; i < b->n_group; i++) {
        const struct shap_group *g = &s->group[b->first_group + i];
        for (size_t r = 0; r < n; r++)
            add_group(g, x + r * n_slot, state[r][g->state], scale, share + r * d);
    }
}

/* ---- trees without ---- */

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What a walk knows of each node: whether the row meets the conditions of the edge's column so far, and, at the quadrature
 * points, the product of the factors on the way here; later the sum of value times product over the leaves below. */
struct walked {
    bool met[TREES_MAX_TREE_NODE];
    struct quad at[TREES_MAX_TREE_NODE * MAX_QUADS];
};

static ALWAYS_INLINE void enter(const struct shap_walk *w, const struct shap_points *points, struct walked *to,
                                unsigned n_quad, uint32_t from, uint32_t child, bool taken) {
    const struct shap_edge *edge = &w->edge[child];
    uint32_t e = edge->earlier;
    bool met = taken & to->met[e];
    to->met[child] = met;
    const struct quad *t = points->t_if[met];
    for (unsigned q = 0; q < n_quad; q++)
        to->at[child * n_quad + q].v = to->at[from * n_quad + q].v * (edge->ratio * points->unmet[q].v + t[q].v);
    if (e == 0)
        return;
    const struct quad *before = points->t_if[to->met[e]]; /* this column's factor so far is replaced */
    for (unsigned q = 0; q < n_quad; q++)
        to->at[child * n_quad + q].v /= w->edge[e].ratio * points->unmet[q].v + before[q].v;
}

/* Adds gain times sum of one edge to *share and the sum to *total, which have n_quad entries. */
static ALWAYS_INLINE void leave(const struct shap_walk *w, const struct shap_points *points, const struct walked *of,
                                unsigned n_quad, uint32_t child, struct quad *share, struct quad *total) {
    const struct shap_edge *edge = &w->edge[child];
    uint32_t e = edge->earlier;
    const struct quad *const gains[] = {points->gain_unmet, &w->gain_met[child * n_quad]};
    const struct quad *gain = gains[of->met[child]]; /* a look-up, as a branch would be wrong half the time */
    for (unsigned q = 0; q < n_quad; q++) {
        total[q].v += of->at[child * n_quad + q].v * edge->value;
        share[q].v += of->at[child * n_quad + q].v * edge->value * gain[q].v;
    }
    if (e == 0)
        return;
    const struct quad *const gains_before[] = {points->gain_unmet, &w->gain_met[e * n_quad]};
    const struct quad *before = gains_before[of->met[e]];
    for (unsigned q = 0; q < n_quad; q++)
        share[q].v -= of->at[child * n_quad + q].v * edge->value * before[q].v;
}

static ALWAYS_INLINE void walk_tree(const struct shap_walk *w, const struct shap_points *points, unsigned n_quad,
                                    const float *x, double scale, double *share) {
    struct walked at;
    at.met[0] = true;
    for (unsigned q = 0; q < n_quad; q++)
        at.at[q].v = points->unmet[q].v + points->t_if[1][q].v;
    for (uint32_t k = 0; k < w->n_split; k++) {
        const struct shap_split *s = &w->split[k];
        bool left = x[s->slot] < s->threshold;
        enter(w, points, &at, n_quad, s->node, tree_left(k), left);
        enter(w, points, &at, n_quad, s->node, tree_left(k) + 1, !left);
    }
    for (uint32_t k = w->n_split; k-- > 0;) {
        const struct shap_split *s = &w->split[k];
        struct quad gain[MAX_QUADS] = {0}, total[MAX_QUADS] = {0};
        leave(w, points, &at, n_quad, tree_left(k), gain, total);
        leave(w, points, &at, n_quad, tree_left(k) + 1, gain, total);
        double sum = 0;
        for (unsigned q = 0; q < n_quad; q++) {
            at.at[s->node * n_quad + q].v = total[q].v;
            sum += (gain[q].v[0] + gain[q].v[1]) + (gain[q].v[2] + gain[q].v[3]);
        }
        share[s->column] += scale * sum;
    }
}

static ALWAYS_INLINE void walk_trees(const struct treeshap *s, const float *x, double scale, double *share) {
    for (size_t i = 0; i < s->n_walk; i++)
        if (s->walk[i].n_quad == 1)
            walk_tree(&s->walk[i], &s->points[1], 1, x, scale, share);
        else
            walk_tree(&s->walk[i], &s->points[2], 2, x, scale, share);
}

static void walk_trees_any(const struct treeshap *s, const float *x, double scale, double *share) {
    walk_trees(s, x, scale, share);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void walk_trees_avx2(const struct treeshap *s, const float *x, double scale,
                                                            double *share) {
    walk_trees(s, x, scale, share);
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#else
static void walk_trees_avx2(const struct treeshap *s, const float *x, double scale, double *share) {
    walk_trees(s, x, scale, share);
}
static bool has_avx2(void) { return false; }
#endif

/* Rows whose values fit the room at once. */
static size_t rows_at_once(size_t n_slot) {
    size_t fit = n_slot > 0 ? TREES_MAX_SLOT / n_slot : MOST_ROWS;
    return fit < 1 ? 1 : fit > MOST_ROWS ? MOST_ROWS : fit;
}

static void explain_block(const struct treeshap *s, const struct row *rows, size_t n, double scale, double *share) {
    const size_t n_slot = s->t->fast->n_slot, d = s->t->d;
    float at[TREES_MAX_SLOT];
    for (size_t r = 0; r < n; r++) {
        memcpy(at + r * n_slot, s->t->fast->slot_absent, n_slot * sizeof *at);
        trees_spread(s->t, rows[r], at + r * n_slot, 1);
    }
    for (size_t b = 0; b < s->n_batch; b++)
        explain_batch(s, &s->batch[b], at, n_slot, n, scale, share);
    for (size_t r = 0; r < n; r++)
        (has_avx2() ? walk_trees_avx2 : walk_trees_any)(s, at + r * n_slot, scale, share + r * d);
}

double treeshap_explain(const struct treeshap *s, const struct row *rows, size_t n, double scale, double *share) {
    const size_t step = rows_at_once(s->t->fast->n_slot);
    for (size_t i = 0; i < n; i += step)
        explain_block(s, rows + i, n - i < step ? n - i : step, scale, share + i * s->t->d);
    return scale * s->base;
}
