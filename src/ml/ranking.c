/* ranking.c — sorting rows by probability and grouping ties. */
#include "ml/ranking.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

struct scored {
    double p;
    uint32_t row;
};

static int by_probability(const void *x, const void *y) {
    const struct scored *a = x, *b = y;
    return (a->p > b->p) - (a->p < b->p);
}

struct ranking *ranking_new(struct arena *a, const double *p, const double *y, size_t n) {
    assert(n < (size_t)1 << 31);
    uint32_t *slot = ARENA_ARRAY(a, n, uint32_t), *count = ARENA_ARRAY(a, 2 * n, uint32_t);
    double *level = ARENA_ARRAY(a, n, double);
    struct ranking *r = ARENA_NEW(a, struct ranking);
    struct arena_mark mark = arena_mark(a);
    struct scored *sorted = ARENA_ARRAY(a, n, struct scored);
    for (size_t i = 0; i < n; i++) {
        assert(p[i] >= 0 && p[i] <= 1);
        sorted[i] = (struct scored){p[i], (uint32_t)i};
    }
    qsort(sorted, n, sizeof *sorted, by_probability);
    size_t groups = 0, positives = 0;
    for (size_t i = 0; i < n; i++) {
        if (groups == 0 || sorted[i].p > level[groups - 1])
            level[groups++] = sorted[i].p;
        bool positive = y[sorted[i].row] > 0.5;
        uint32_t at = (uint32_t)(2 * (groups - 1) + positive);
        slot[sorted[i].row] = at;
        count[at]++;
        positives += positive;
    }
    arena_rewind(a, mark);
    *r = (struct ranking){.n = n, .n_positive = positives, .n_group = groups, .p = level, .count = count, .slot = slot};
    return r;
}
