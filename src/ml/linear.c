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

double linear_explain(const struct linear *m, const struct row *rows, size_t n, bool present, double scale,
                      const struct column_terms *to, struct arena *scratch, double *share) {
    struct arena_mark mark = arena_mark(scratch);
    double *absent = ARENA_ARRAY(scratch, to->n, double); /* what a row without entries would have */
    for (size_t j = 0; j < m->d; j++)
        absent[to->of_column[j]] += scale * m->absent[j];
    for (size_t i = 0; i < n; i++, share += to->n) {
        const struct row x = rows[i];
        for (size_t t = 0; t < to->n; t++)
            share[t] += absent[t];
        for (size_t k = 0; k < x.n; k++)
            share[to->of_column[x.col[k]]] += scale * m->coefficient[x.col[k]] * (present ? x.val[k] != 0 : x.val[k]);
    }
    arena_rewind(scratch, mark);
    return scale * m->base;
}
