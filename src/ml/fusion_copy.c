/* fusion_copy.c — dependence between sources from agreement that independent sources would seldom reach. */
#include "ml/fusion_copy.h"

#include <stdlib.h>

struct ranked {
    uint32_t claims, source;
};

static int most_first(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->claims != y->claims)
        return x->claims < y->claims ? 1 : -1;
    return x->source < y->source ? -1 : 1;
}

void fusion_copy_init(struct arena *a, const uint32_t *claims, size_t n_source, struct fusion_copy *out) {
    struct ranked *order = ARENA_ARRAY(a, n_source, struct ranked);
    for (size_t s = 0; s < n_source; s++)
        order[s] = (struct ranked){claims[s], (uint32_t)s};
    qsort(order, n_source, sizeof *order, most_first);
    const size_t n = n_source < FUSION_COPY_SOURCE ? n_source : FUSION_COPY_SOURCE;
    *out = (struct fusion_copy){.n = n,
                                .rank = ARENA_ARRAY(a, n_source, uint32_t),
                                .wrong = ARENA_ARRAY(a, n * n, float),
                                .same = ARENA_ARRAY(a, n * n, float),
                                .share = ARENA_ARRAY(a, n * n, float)};
    for (size_t k = 0; k < n_source; k++)
        out->rank[order[k].source] = k < n ? (uint32_t)k : FUSION_ALONE;
}

void fusion_copy_clear(struct fusion_copy *c) {
    memset(c->wrong, 0, c->n * c->n * sizeof *c->wrong);
    memset(c->same, 0, c->n * c->n * sizeof *c->same);
}

void fusion_copy_add(struct fusion_copy *c, uint32_t s, uint32_t t, double wrong, double same) {
    const uint32_t i = c->rank[s], j = c->rank[t];
    if (i == FUSION_ALONE || j == FUSION_ALONE || i == j)
        return;
    const size_t at = i < j ? (size_t)i * c->n + j : (size_t)j * c->n + i;
    c->wrong[at] += (float)wrong;
    c->same[at] += (float)same;
}

size_t fusion_copy_conclude(struct fusion_copy *c, double base, double strength, double least) {
    size_t found = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = i + 1; j < c->n; j++) {
            const double wrong = (double)c->wrong[i * c->n + j], same = (double)c->same[i * c->n + j];
            double share = (same - base * wrong) / ((1 - base) * (wrong + strength));
            share = share < least ? 0 : share > 1 ? 1 : share;
            c->share[i * c->n + j] = c->share[j * c->n + i] = (float)share;
            found += share > 0;
        }
    return found;
}
