/* split.c — which rows train and which test. */
#include "learn/split.h"

#include "base/number.h"
#include "base/rng.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>

static const str kind_names[] = {
    [SPLIT_NONE] = STR_INIT("none"),
    [SPLIT_HASH] = STR_INIT("hash"),
    [SPLIT_RANDOM] = STR_INIT("random"),
    [SPLIT_TIME] = STR_INIT("time"),
};

err split_parse(str text, struct split *out) {
    if (str_equal(text, kind_names[SPLIT_NONE])) {
        *out = (struct split){.kind = SPLIT_NONE};
        return OK;
    }
    str rest = text, name = {0};
    str_split(&rest, ':', &name);
    for (int k = SPLIT_HASH; k <= SPLIT_TIME; k++) {
        double fraction;
        if (str_equal(name, kind_names[k]) && number_parse(rest, &fraction) && fraction > 0 && fraction < 1) {
            *out = (struct split){.kind = (enum split_kind)k, .fraction = fraction};
            return OK;
        }
    }
    return fail(ERR_INPUT, "split_syntax",
                "\"%.*s\" is not a split: use none, hash:F, random:F or time:F with F between 0 and 1, such as hash:0.3",
                STR_ARG(text));
}

str split_text(struct arena *a, struct split s) {
    if (s.kind == SPLIT_NONE)
        return kind_names[SPLIT_NONE];
    char number[NUMBER_TEXT_BYTE];
    size_t n = number_format(s.fraction, number);
    return str_format(a, "%.*s:%.*s", STR_ARG(kind_names[s.kind]), (int)n, number);
}

bool split_hash_tests(uint64_t index, double fraction) {
    return (double)(uint32_t)(index * 2654435761u) < fraction * 0x1p32;
}

err split_order(struct arena *a, const struct frame *f, str column, const int64_t **out) {
    ptrdiff_t c = frame_find(f, column);
    if (c < 0)
        return fail(ERR_INPUT, "time_column_needed",
                    "%.*s: a split by time needs the column that tells it: give --time COLUMN", STR_ARG(f->source));
    int64_t *order = ARENA_ARRAY(a, f->n_row, int64_t);
    for (size_t i = 0; i < f->n_row; i++) {
        str cell = str_trim(f->cell[c][i]);
        struct moment m;
        double number;
        if (number_parse(cell, &number) && fabs(number) < 9e15)
            order[i] = (int64_t)floor(number);
        else if (time_read(cell, TIME_ORDER_UNKNOWN, &m) == TIME_GOOD)
            order[i] = m.ms;
        else
            return fail(ERR_INPUT, "time_unreadable",
                        "%.*s: line %llu: \"%.*s\" in column \"%.*s\" is neither a date nor a number", STR_ARG(f->source),
                        (unsigned long long)f->line[i], STR_ARG(str_slice(cell, 0, 40)), STR_ARG(column));
    }
    *out = order;
    return OK;
}

/* The time from which on rows test: about `fraction` of the rows are at or after it. */
static int by_time(const void *x, const void *y) {
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static int64_t test_from(struct arena *a, const int64_t *order, size_t n, double fraction) {
    struct arena_mark mark = arena_mark(a);
    int64_t *sorted = arena_copy(a, order, n * sizeof *order);
    qsort(sorted, n, sizeof *sorted, by_time);
    size_t first = n - (size_t)(fraction * (double)n);
    int64_t at = first < n ? sorted[first] : INT64_MAX;
    arena_rewind(a, mark);
    return at;
}

err split_frame(struct arena *a, struct split s, const struct frame *f, const int64_t *order, uint64_t seed,
                struct split_rows *out) {
    uint32_t *train = ARENA_ARRAY(a, f->n_row, uint32_t), *test = ARENA_ARRAY(a, f->n_row, uint32_t);
    size_t n_train = 0, n_test = 0;
    struct rng r = rng_from_seed(seed);
    int64_t from = s.kind == SPLIT_TIME ? test_from(a, order, f->n_row, s.fraction) : 0;
    for (size_t i = 0; i < f->n_row; i++) {
        bool tests = (s.kind == SPLIT_HASH && split_hash_tests(f->index[i], s.fraction)) ||
                     (s.kind == SPLIT_RANDOM && rng_uniform(&r) < s.fraction) || (s.kind == SPLIT_TIME && order[i] >= from);
        if (tests)
            test[n_test++] = (uint32_t)i;
        else
            train[n_train++] = (uint32_t)i;
    }
    if (n_train == 0 || (s.kind != SPLIT_NONE && n_test == 0))
        return fail(ERR_INPUT, "split_empty", "%.*s: the split leaves no rows to %s on; %zu rows are too few for it",
                    STR_ARG(f->source), n_train == 0 ? "train" : "test", f->n_row);
    *out = (struct split_rows){.train = train, .test = test, .n_train = n_train, .n_test = n_test};
    return OK;
}
