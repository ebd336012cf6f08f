/* golden_models.h — the models of tests/golden/models, with the leads they score: what the tests of the room share. */
#ifndef GALENA_TESTS_GOLDEN_MODELS_H
#define GALENA_TESTS_GOLDEN_MODELS_H

#include "base/file.h"
#include "base/number.h"
#include "features/vectorise.h"
#include "intake/table.h"
#include "score/scorer.h"
#include "unit.h"

#include <stdlib.h>

static const char *const golden_families[] = {"logistic", "naive_bayes", "gbdt",        "auto",
                                              "subscore", "bayesian",    "interactions"};

enum { N_GOLDEN = sizeof golden_families / sizeof *golden_families };

/* tests/golden/models/NAME */
static inline const char *golden_path(struct arena *a, const char *name) {
    const char *tests = getenv("GALENA_TESTS");
    return str_format(a, "%s/golden/models/%s", tests ? tests : "tests", name).ptr;
}

static inline const char *golden_model_path(struct arena *a, const char *family) {
    return golden_path(a, str_format(a, "v1-%s.model", family).ptr);
}

static inline struct bundle *golden_bundle(struct arena *a, const char *family) {
    struct bundle *b;
    assert_ok(bundle_load(a, golden_model_path(a, family), &b));
    return b;
}

static inline struct frame *golden_frame(struct arena *a, const char *name) {
    struct table *t;
    struct frame *f;
    assert_ok(table_open(a, &(struct table_options){.path = golden_path(a, name)}, &t));
    assert_ok(table_load(t, a, &f, NULL, NULL));
    return f;
}

/* The golden leads as one model sees them. */
struct golden_rows {
    size_t n;
    struct row *row;
    unsigned char *missing; /* n * n_term */
};

static inline struct golden_rows golden_vectors(struct arena *a, const struct bundle *b, const struct frame *f) {
    struct vectoriser *v;
    struct golden_rows r = {f->n_row, ARENA_ARRAY(a, f->n_row, struct row),
                            ARENA_ARRAY(a, f->n_row * b->n_term, unsigned char)};
    str *cell = ARENA_ARRAY(a, f->n_col, str);
    assert_ok(vectoriser_new(a, b->schema, b->profile, f->name, f->n_col, &v));
    assert_int_equal(vectoriser_width(v), b->n_column);
    for (size_t i = 0; i < f->n_row; i++) {
        struct vector *x = vector_new(a, v);
        for (size_t c = 0; c < f->n_col; c++)
            cell[c] = f->cell[c][i];
        vectorise_row(v, cell, 0, x);
        r.row[i] = x->row;
        memcpy(r.missing + i * b->n_term, x->missing, b->n_term);
    }
    return r;
}

static inline double golden_number(const struct frame *f, const char *column, size_t row) {
    double value = 0;
    ptrdiff_t c = frame_find(f, str_from(column));
    assert_true(c >= 0 && number_parse(f->cell[c][row], &value));
    return value;
}

#endif
