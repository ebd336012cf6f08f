/* treeshap_explain.c — TreeSHAP of one row: table look-ups by group, or a walk with quadrature. */
#include "ml/treeshap_priv.h"
#include "ml/trees_priv.h"

/* ---- trees with tables ---- */

static void explain_batch(const struct treeshap *s, const struct shap_batch *b, const float *x, double scale,
                          double *share) {
    uint16_t state[BATCH_STATES];
    state[0] = UINT16_MAX;
    for (uint32_t i = 0; i < b->n_upper; i++) {
        const struct shap_upper *u = &s->upper[b->first_upper + i];
        unsigned left = x[u->slot] < u->threshold, bit = u->bit;
        state[2 * i + 1] = (uint16_t)(state[u->from] & ~(left ? 0 : bit));
        state[2 * i + 2] = (uint16_t)(state[u->from] & ~(left ? bit : 0));
    }
    for (uint32_t i = 0; i < b->n_group; i++) {
        const struct shap_group *g = &s->group[b->first_group + i];
        unsigned index = state[g->state] & ((1u << g->n_path) - 1);
        for (unsigned j = 0; j < g->n_test; j++)
            index |= (unsigned)(x[g->test[j].slot] < g->test[j].threshold) << (g->n_path + j);
        const double *row = g->table + (size_t)index * g->n_column;
        for (unsigned j = 0; j < g->n_column; j++)
            share[g->column[j]] += scale * row[j];
    }
}

/* ---- trees without ---- */

/* What is known of the path at each depth: whether the row meets the conditions on the column asked for last, that column's
 * factors at the quadrature points, the product of all columns' factors, and the sum of value times product over the leaves
 * seen below. */
struct walk {
    const struct trees_fast *f;
    const struct trees *t;
    const struct shap_node *node; /* by node of the tree */
    uint32_t root;
    unsigned n_point;
    const double *point, *weight;
    const float *x;
    double scale, *share;
    bool met[TREES_MAX_DEPTH + 1];
    double ratio[TREES_MAX_DEPTH + 1];
    double factor[TREES_MAX_DEPTH + 1][MAX_POINTS], product[TREES_MAX_DEPTH + 1][MAX_POINTS],
        sum[TREES_MAX_DEPTH + 1][MAX_POINTS];
};

static void visit(struct walk *w, uint32_t i, unsigned depth);

/* Goes down one edge and adds what the leaves below it say of the edge's column. */
static void visit_child(struct walk *w, uint32_t child, uint32_t column, bool taken, unsigned depth) {
    const struct shap_node *n = &w->node[child - w->root];
    unsigned e = n->earlier;
    bool met = taken && (e == 0 || w->met[e]);
    w->met[depth] = met;
    w->ratio[depth] = n->ratio;
    for (unsigned q = 0; q < w->n_point; q++) {
        double factor = n->ratio * (1 - w->point[q]) + (met ? w->point[q] : 0);
        w->factor[depth][q] = factor;
        w->product[depth][q] = w->product[depth - 1][q] * factor / (e > 0 ? w->factor[e][q] : 1);
    }
    visit(w, child, depth);
    double gain = 0, lost = 0;
    for (unsigned q = 0; q < w->n_point; q++)
        gain += w->weight[q] * w->sum[depth][q] / w->factor[depth][q];
    if (e > 0)
        for (unsigned q = 0; q < w->n_point; q++)
            lost += w->weight[q] * w->sum[depth][q] / w->factor[e][q];
    gain *= met - n->ratio;
    if (e > 0)
        gain -= lost * (w->met[e] - w->ratio[e]);
    w->share[column] += w->scale * gain;
    for (unsigned q = 0; q < w->n_point; q++)
        w->sum[depth - 1][q] += w->sum[depth][q];
}

static void visit(struct walk *w, uint32_t i, unsigned depth) {
    const struct fast_node *n = &w->f->node[i];
    int32_t column = w->t->node[i].column;
    if (column < 0) {
        for (unsigned q = 0; q < w->n_point; q++)
            w->sum[depth][q] = w->f->value[i] * w->product[depth][q];
        return;
    }
    for (unsigned q = 0; q < w->n_point; q++)
        w->sum[depth][q] = 0;
    bool left = w->x[n->slot] < n->threshold;
    visit_child(w, n->left, (uint32_t)column, left, depth + 1);
    visit_child(w, n->left + 1, (uint32_t)column, !left, depth + 1);
}

static void explain_walk(const struct treeshap *s, const struct shap_walk *tree, const float *x, double scale,
                         double *share) {
    struct walk w;
    w.f = s->t->fast;
    w.t = s->t;
    w.node = tree->node;
    w.root = s->t->root[tree->tree];
    w.n_point = tree->n_point;
    w.point = s->point[tree->n_point];
    w.weight = s->weight[tree->n_point];
    w.x = x;
    w.scale = scale;
    w.share = share;
    for (unsigned q = 0; q < w.n_point; q++)
        w.product[0][q] = 1;
    visit(&w, w.root, 0);
}

double treeshap_explain(const struct treeshap *s, struct row x, double scale, double *share) {
    float at[TREES_MAX_SLOT];
    memcpy(at, s->t->fast->slot_absent, s->t->fast->n_slot * sizeof *at);
    trees_spread(s->t, x, at, 1);
    for (size_t b = 0; b < s->n_batch; b++)
        explain_batch(s, &s->batch[b], at, scale, share);
    for (size_t i = 0; i < s->n_walk; i++)
        explain_walk(s, &s->walk[i], at, scale, share);
    return scale * s->base;
}
