/* linear.c — evaluating and explaining sums over columns. */
#include "ml/linear.h"

struct linear linear_new(struct arena *a, size_t d) {
    return (struct linear){.d = d,
                           .coefficient = ARENA_ARRAY(a, d, double),
                           .mean = ARENA_ARRAY(a, d, double),
                           .absent = ARENA_ARRAY(a, d, double)};
}

void linear_complete(struct linear *m) {
    m->base = m->intercept;
    for (size_t j = 0; j < m->d; j++) {
        m->absent[j] = -m->coefficient[j] * m->mean[j];
        m->base -= m->absent[j];
    }
}

double linear_logit(const struct linear *m, struct row x) {
    double sum = m->intercept;
    for (size_t i = 0; i < x.n; i++)
        sum += m->coefficient[x.col[i]] * x.val[i];
    return sum;
}

double linear_explain(const struct linear *m, struct row x, double scale, double *share) {
    for (size_t j = 0; j < m->d; j++)
        share[j] += scale * m->absent[j];
    for (size_t i = 0; i < x.n; i++)
        share[x.col[i]] += scale * m->coefficient[x.col[i]] * x.val[i];
    return scale * m->base;
}
