/* frames.h — small frames for tests: written out, drawn, or read from the shared tables. */
#ifndef GALENA_TESTS_FEATURES_FRAMES_H
#define GALENA_TESTS_FEATURES_FRAMES_H

#include "base/rng.h"
#include "features/infer.h"
#include "features/vectorise.h"
#include "intake/table.h"
#include "unit.h"

#include <stdlib.h>

/* A frame whose cells are filled in by the test. */
struct sheet {
    struct frame frame;
    str **cell; /* cell[column][row] */
    double *y;
    uint32_t *rows; /* 0 .. n_row - 1 */
};

static inline struct sheet *sheet_new(struct arena *a, size_t n_row, size_t n_col, const char *const *names) {
    struct sheet *s = ARENA_NEW(a, struct sheet);
    str *name = ARENA_ARRAY(a, n_col, str);
    uint64_t *line = ARENA_ARRAY(a, n_row, uint64_t), *index = ARENA_ARRAY(a, n_row, uint64_t);
    s->cell = ARENA_ARRAY(a, n_col, str *);
    s->y = ARENA_ARRAY(a, n_row, double);
    s->rows = ARENA_ARRAY(a, n_row, uint32_t);
    const str **cell = ARENA_ARRAY(a, n_col, const str *);
    for (size_t c = 0; c < n_col; c++) {
        name[c] = str_from(names[c]);
        cell[c] = s->cell[c] = ARENA_ARRAY(a, n_row, str);
    }
    for (size_t i = 0; i < n_row; i++) {
        s->rows[i] = (uint32_t)i;
        index[i] = i;
        line[i] = i + 2;
    }
    s->frame = (struct frame){
        .n_row = n_row, .n_col = n_col, .name = name, .cell = cell, .index = index, .line = line, .source = STR("test.csv")};
    return s;
}

/* One column of n cells, over and over until n_row rows are full. */
static inline struct sheet *sheet_of(struct arena *a, const char *name, const char *const *cells, size_t n, size_t n_row) {
    struct sheet *s = sheet_new(a, n_row, 1, &name);
    for (size_t i = 0; i < n_row; i++)
        s->cell[0][i] = str_from(cells[i % n]);
    return s;
}

static inline struct schema *sheet_infer(struct arena *a, const struct sheet *s) {
    struct schema *out = NULL;
    struct infer_opts o = {0};
    assert_ok(schema_infer(a, &s->frame, s->rows, s->frame.n_row, s->y, &o, &out));
    return out;
}

/* The given rows of a frame as training sees them, and the vectoriser that made them. */
static inline struct dataset *frame_vectors(struct arena *a, const struct schema *s, const struct frame *f,
                                            const uint32_t *rows, size_t n, const double *y, struct vectoriser **v) {
    struct dataset *out = NULL;
    assert_ok(vectoriser_new(a, s, NULL, f->name, f->n_col, v));
    vectorise_rows(a, *v, f, rows, n, y, 0, &out, NULL);
    return out;
}

static inline str schema_bytes(struct arena *a, const struct schema *s) {
    struct buf *b = buf_in(a, (size_t)1 << 26);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    schema_to_json(&w, s);
    assert_ok(buf_check(b));
    return buf_str(b);
}

static inline bool has_warning(const struct schema *s, const char *code, const char *field) {
    for (size_t i = 0; i < s->n_warning; i++)
        if (str_equal(s->warning[i].code, str_from(code)) && str_equal(s->warning[i].field, str_from(field)))
            return true;
    return false;
}

/* A table of ../shared with its outcomes and the rows of the fixed split that train. NULL when it is not there. */
struct shared_table {
    struct frame *frame;
    uint32_t *train;
    double *y; /* of train */
    size_t n_train;
};

static inline struct shared_table *shared_table(struct arena *a, const char *file, const char *target,
                                                const char *positive) {
    const char *dir = getenv("GALENA_SHARED");
    struct shared_table *t = ARENA_NEW(a, struct shared_table);
    struct table_options o = {.path = str_cstr(a, str_format(a, "%s/data/leads/%s", dir ? dir : "", file))};
    struct table *table;
    if (!dir || table_open(a, &o, &table) != OK)
        return NULL;
    assert_ok(table_load(table, a, &t->frame, NULL, NULL));
    ptrdiff_t label = frame_find(t->frame, str_from(target));
    assert_true(label >= 0);
    t->train = ARENA_ARRAY(a, t->frame->n_row, uint32_t);
    t->y = ARENA_ARRAY(a, t->frame->n_row, double);
    for (size_t i = 0; i < t->frame->n_row; i++) {
        if ((double)(uint32_t)(t->frame->index[i] * 2654435761u) < 0.3 * 4294967296.0)
            continue;
        t->y[t->n_train] = str_equal(t->frame->cell[label][i], str_from(positive));
        t->train[t->n_train++] = (uint32_t)i;
    }
    return t;
}

#endif
