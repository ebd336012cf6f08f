/* treeshap_explain.c — TreeSHAP of rows: table look-ups by group for a block of rows in vector lanes, or a walk with
 * quadrature. */
#include "ml/treeshap_priv.h"
#include "ml/trees_priv.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    LANES = 32, /* rows explained together: each table is fetched once for all of them */
    WIDE = 8,   /* of 32 bits in a vector */
    VECTORS = LANES / WIDE,
    FEW = 4 /* rows for which a whole block would be wasted */
};

/* What rows are explained in, in the scratch arena. With one lane for the rows that are explained alone. */
struct work {
    float *x;        /* by slot, then lane */
    double *share;   /* by numbered column, then lane */
    uint32_t *state; /* path states by node, then lane */
};

/* ---- trees with tables: one row ---- */

static void walk_upper(const struct treeshap *s, const struct shap_batch *b, const struct work *w) {
    w->state[0] = UINT32_MAX;
    for (uint32_t i = 0; i < b->n_upper; i++) {
        const struct shap_upper *u = &s->upper[b->first_upper + i];
        const uint32_t state = w->state[u->from], lost = state & ~u->bit;
        const bool left = w->x[u->slot] < u->threshold;
        w->state[2 * i + 1] = left ? state : lost;
        w->state[2 * i + 2] = left ? lost : state;
    }
}

static inline void add_group(const struct shap_group *g, const struct work *w) {
    unsigned index = w->state[g->state] & ((1u << g->n_path) - 1);
    for (unsigned j = 0; j < g->n_test; j++)
        index |= (unsigned)(w->x[g->test[j].slot] < g->test[j].threshold) << (g->n_path + j);
    const double *row = g->table + (size_t)index * g->n_column;
    for (unsigned j = 0; j < g->n_column; j++)
        w->share[g->column[j]] += row[j];
}

static void look_up_row(const struct treeshap *s, const struct work *w) {
    for (size_t k = 0; k < s->n_batch; k++) {
        const struct shap_batch *b = &s->batch[k];
        walk_upper(s, b, w);
        for (uint32_t i = 0; i < b->n_group; i++)
            add_group(&s->group[b->first_group + i], w);
    }
}

/* ---- trees with tables: a block of rows ---- */

struct bits {
    uint32_t v __attribute__((vector_size(4 * WIDE)));
};

struct floats {
    float v __attribute__((vector_size(4 * WIDE)));
};

/* Whether each of WIDE rows passes a test: all bits or none. */
static ALWAYS_INLINE struct bits passes(const struct floats *x, float threshold) {
    return (struct bits){(__typeof__(((struct bits *)0)->v))(x->v < threshold)};
}

static ALWAYS_INLINE void walk_upper_block(const struct treeshap *s, const struct shap_batch *b, const struct work *w) {
    memset(w->state, 0xff, LANES * sizeof *w->state);
    for (uint32_t i = 0; i < b->n_upper; i++) {
        const struct shap_upper *u = &s->upper[b->first_upper + i];
        const struct floats *x = (const struct floats *)(w->x + (size_t)u->slot * LANES);
        const struct bits *from = (const struct bits *)(w->state + (size_t)u->from * LANES);
        struct bits *left = (struct bits *)(w->state + (size_t)(2 * i + 1) * LANES), *right = left + VECTORS;
        for (size_t k = 0; k < VECTORS; k++) {
            const struct bits is_left = passes(&x[k], u->threshold);
            left[k].v = from[k].v & ~(~is_left.v & u->bit);
            right[k].v = from[k].v & ~(is_left.v & u->bit);
        }
    }
}

/* Where each row's shares begin in the group's table. */
static ALWAYS_INLINE void find_entries(const struct shap_group *g, const struct work *w, struct bits entry[VECTORS]) {
    const struct bits *state = (const struct bits *)(w->state + (size_t)g->state * LANES);
    struct bits index[VECTORS]; /* in registers */
    for (size_t k = 0; k < VECTORS; k++)
        index[k].v = state[k].v & ((1u << g->n_path) - 1);
    for (unsigned j = 0; j < g->n_test; j++) {
        const struct floats *x = (const struct floats *)(w->x + (size_t)g->test[j].slot * LANES);
        const uint32_t bit = 1u << (g->n_path + j);
        for (size_t k = 0; k < VECTORS; k++)
            index[k].v |= passes(&x[k], g->test[j].threshold).v & bit;
    }
    for (size_t k = 0; k < VECTORS; k++)
        entry[k].v = index[k].v * g->n_column;
}

static ALWAYS_INLINE void add_group_block(const struct shap_group *g, const struct work *w) {
    struct bits found[VECTORS];
    uint32_t entry[LANES];
    find_entries(g, w, found);
    memcpy(entry, found, sizeof entry);
    for (unsigned j = 0; j < g->n_column; j++) {
        const double *table = g->table + j;
        struct quad *share = (struct quad *)(w->share + (size_t)g->column[j] * LANES);
        for (size_t l = 0; l < LANES; l += QUAD) {
            share[l / QUAD].v +=
                (__typeof__(share->v)){table[entry[l]], table[entry[l + 1]], table[entry[l + 2]], table[entry[l + 3]]};
        }
    }
}

static ALWAYS_INLINE void look_up_block(const struct treeshap *s, const struct work *w) {
    for (size_t k = 0; k < s->n_batch; k++) {
        const struct shap_batch *b = &s->batch[k];
        walk_upper_block(s, b, w);
        for (uint32_t i = 0; i < b->n_group; i++)
            add_group_block(&s->group[b->first_group + i], w);
    }
}

/* ---- trees without ---- */

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
                                    const float *x, double *share, size_t stride) {
    struct walked at;
    at.met[0] = true;
    for (unsigned q = 0; q < n_quad; q++)
        at.at[q].v = points->unmet[q].v + points->t_if[1][q].v;
    for (uint32_t k = 0; k < w->n_split; k++) {
        const struct shap_split *s = &w->split[k];
        bool left = x[s->slot * stride] < s->threshold;
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
        share[s->column * stride] += sum;
    }
}

/* One row, in its lane of `lanes`. */
static ALWAYS_INLINE void walk_trees(const struct treeshap *s, const float *x, double *share, size_t lanes) {
    for (size_t i = 0; i < s->n_walk; i++)
        if (s->walk[i].n_quad == 1)
            walk_tree(&s->walk[i], &s->points[1], 1, x, share, lanes);
        else
            walk_tree(&s->walk[i], &s->points[2], 2, x, share, lanes);
}

/* ---- the rows ---- */

static ALWAYS_INLINE void explain_row(const struct treeshap *s, const struct work *w) {
    look_up_row(s, w);
    walk_trees(s, w->x, w->share, 1);
}

static ALWAYS_INLINE void explain_block(const struct treeshap *s, const struct work *w, size_t n) {
    look_up_block(s, w);
    for (size_t l = 0; l < n; l++)
        walk_trees(s, w->x + l, w->share + l, LANES);
}

static void explain_row_any(const struct treeshap *s, const struct work *w) { explain_row(s, w); }

static void explain_block_any(const struct treeshap *s, const struct work *w, size_t n) { explain_block(s, w, n); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void explain_row_avx2(const struct treeshap *s, const struct work *w) {
    explain_row(s, w);
}
__attribute__((target("avx2"))) static void explain_block_avx2(const struct treeshap *s, const struct work *w, size_t n) {
    explain_block(s, w, n);
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#else
static void explain_row_avx2(const struct treeshap *s, const struct work *w) { explain_row(s, w); }
static void explain_block_avx2(const struct treeshap *s, const struct work *w, size_t n) { explain_block(s, w, n); }
static bool has_avx2(void) { return false; }
#endif

static struct work make_work(const struct treeshap *s, size_t lanes, struct arena *scratch) {
    const size_t n_slot = s->t->fast->n_slot;
    struct work w = {.x = shap_alloc(scratch, n_slot * lanes * sizeof *w.x),
                     .share = shap_alloc(scratch, s->n_column * lanes * sizeof *w.share),
                     .state = shap_alloc(scratch, BATCH_STATES * lanes * sizeof *w.state)};
    for (size_t k = 0; k < n_slot; k++)
        for (size_t l = 0; l < lanes; l++)
            w.x[k * lanes + l] = s->t->fast->slot_absent[k];
    return w;
}

/* Adds the row's shares to those of its terms and clears its lane. */
static void hand_over(const struct treeshap *s, const struct work *w, size_t lane, size_t lanes, double scale,
                      const struct column_terms *to, double *share) {
    for (size_t c = 0; c < s->n_column; c++) {
        double *of_lane = &w->share[c * lanes + lane];
        share[to->of_column[s->column[c]]] += scale * *of_lane;
        *of_lane = 0;
    }
}

double treeshap_explain(const struct treeshap *s, const struct row *rows, size_t n, double scale,
                        const struct column_terms *to, struct arena *scratch, double *share) {
    struct arena_mark mark = arena_mark(scratch);
    const size_t lanes = n < FEW ? 1 : LANES;
    const struct work w = make_work(s, lanes, scratch);
    const bool avx2 = has_avx2();
    for (size_t i = 0; i < n; i += lanes) {
        const size_t k = n - i < lanes ? n - i : lanes;
        for (size_t l = 0; l < k; l++)
            trees_spread(s->t, rows[i + l], w.x + l, lanes);
        if (lanes == 1)
            (avx2 ? explain_row_avx2 : explain_row_any)(s, &w);
        else
            (avx2 ? explain_block_avx2 : explain_block_any)(s, &w, k);
        for (size_t l = 0; l < k; l++) {
            trees_unspread(s->t, rows[i + l], w.x + l, lanes);
            hand_over(s, &w, l, lanes, scale, to, share + (i + l) * to->n);
        }
    }
    arena_rewind(scratch, mark);
    return scale * s->base;
}
