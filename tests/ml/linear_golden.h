/* linear_golden.h — the golden file of tools/oracle/linear.py as a dataset with named expectations. */
#ifndef GALENA_TESTS_ML_LINEAR_GOLDEN_H
#define GALENA_TESTS_ML_LINEAR_GOLDEN_H

#include "base/json.h"
#include "ml/dataset.h"
#include "unit.h"

#include <stdlib.h>

struct golden {
    const struct json *json;
    struct dataset data; /* without weights */
    uint32_t *fold;
};

static inline const double *golden_numbers(struct arena *a, const struct golden *g, const char *key) {
    double *out;
    size_t n;
    assert_ok(json_get_numbers(a, g->json, str_from(key), &out, &n));
    return out;
}

static inline double golden_number(const struct golden *g, const char *key) {
    double out;
    assert_ok(json_get_number(g->json, str_from(key), &out));
    return out;
}

static inline str golden_read(struct arena *a) {
    const char *tests = getenv("GALENA_TESTS");
    str path = str_format(a, "%s/golden/linear.json", tests ? tests : "tests");
    FILE *f = fopen(path.ptr, "rb");
    assert_non_null(f);
    enum { LIMIT = 1 << 20 };
    char *text = arena_alloc(a, LIMIT);
    size_t n = fread(text, 1, LIMIT, f);
    assert_int_equal(fclose(f), 0);
    return (str){text, n};
}

static inline struct golden *golden_load(struct arena *a) {
    struct golden *g = ARENA_NEW(a, struct golden);
    assert_ok(json_parse(a, golden_read(a), NULL, &g->json));
    size_t n = (size_t)golden_number(g, "rows"), d = (size_t)golden_number(g, "columns"), at = 0;
    const double *x = golden_numbers(a, g, "x"), *fold = golden_numbers(a, g, "fold");
    size_t *start = ARENA_ARRAY(a, n + 1, size_t);
    uint32_t *col = ARENA_ARRAY(a, n * d, uint32_t);
    double *val = ARENA_ARRAY(a, n * d, double);
    g->fold = ARENA_ARRAY(a, n, uint32_t);
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < d; c++)
            if (x[i * d + c] != 0) {
                col[at] = (uint32_t)c;
                val[at++] = x[i * d + c];
            }
        start[i + 1] = at;
        g->fold[i] = (uint32_t)fold[i];
    }
    g->data = (struct dataset){.n = n, .d = d, .start = start, .col = col, .val = val, .y = golden_numbers(a, g, "y")};
    return g;
}

#endif
