/* tables.h — small random tables for tests of trees: sparse rows, missing values, an outcome with interactions. */
#ifndef GALENA_TESTS_ML_TABLES_H
#define GALENA_TESTS_ML_TABLES_H

#include "base/rng.h"
#include "ml/family.h"

#include <math.h>

/* n rows over d columns. The first two columns are numbers, the others indicators; a third of the values are missing and
 * some known values are zero. log-odds: x0 - 0.7 x1 + (x0 > 0 and column 2 present) - (column 3 present). */
static inline struct dataset *random_table(struct arena *a, size_t n, size_t d, uint64_t seed) {
    struct rng r = rng_from_seed(seed);
    size_t *start = ARENA_ARRAY(a, n + 1, size_t);
    uint32_t *col = ARENA_ARRAY(a, n * d, uint32_t);
    double *val = ARENA_ARRAY(a, n * d, double), *y = ARENA_ARRAY(a, n, double), x[4];
    for (size_t i = 0; i < n; i++) {
        size_t at = start[i];
        memset(x, 0, sizeof x);
        for (size_t c = 0; c < d; c++) {
            double v = c < 2 ? rng_normal(&r) : 1;
            if (rng_uniform(&r) < (c < 2 ? 0.33 : 0.7))
                continue;
            if (rng_uniform(&r) < 0.05)
                v = 0;
            col[at] = (uint32_t)c;
            val[at++] = v;
            if (c < 4)
                x[c] = v;
        }
        start[i + 1] = at;
        double logit = x[0] - 0.7 * x[1] + (x[0] > 0 ? 1.5 * x[2] : 0) - x[3];
        y[i] = rng_uniform(&r) < 1 / (1 + exp(-logit));
    }
    struct dataset *s = ARENA_NEW(a, struct dataset);
    *s = (struct dataset){.n = n, .d = d, .start = start, .col = col, .val = val, .y = y};
    return s;
}

/* Each column a term of its own. */
static inline struct column_terms own_terms(struct arena *a, size_t d) {
    uint32_t *term = ARENA_ARRAY(a, d, uint32_t);
    for (size_t c = 0; c < d; c++)
        term[c] = (uint32_t)c;
    return (struct column_terms){d, term};
}

static inline struct row *table_rows(struct arena *a, const struct dataset *s) {
    struct row *rows = ARENA_ARRAY(a, s->n, struct row);
    for (size_t i = 0; i < s->n; i++)
        rows[i] = dataset_row(s, i);
    return rows;
}

#endif
