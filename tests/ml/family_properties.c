/* family_properties.c — a sample with a known truth, and the checks. */
#include "family_properties.h"

#include "base/rng.h"
#include "tables.h"

#include <stdlib.h>

enum { NUMBERS = 5, CATEGORIES = 3, LEVELS = 4, TAGS = 3, COLUMNS = NUMBERS + CATEGORIES * LEVELS + TAGS + 1 };
enum { CATEGORY_AT = NUMBERS, TAG_AT = NUMBERS + CATEGORIES * LEVELS, EMPTY_AT = COLUMNS - 1 };
enum { TEXT_LIMIT = 64 << 20 };

static const double truth_of[COLUMNS] = {0.9, -0.6, 0.3, 0.7, 0,   0.8, 0,   -0.8, 0.2, 0.5, -0.5,
                                         0,   0,    -1,  1,   0.4, 0.2, 0.6, -0.6, 0.3, 0};

static void describe_columns(struct sample *s) {
    for (uint32_t c = 0; c < COLUMNS; c++) {
        if (c < NUMBERS) {
            s->field[c] = c;
            s->use[c] = COLUMN_LINEAR | COLUMN_TREE | (c >= 3 ? COLUMN_SUBSCORE : 0);
        } else {
            s->field[c] = c < TAG_AT ? NUMBERS + (c - CATEGORY_AT) / LEVELS : NUMBERS + CATEGORIES + (c == EMPTY_AT);
            s->use[c] = COLUMN_LINEAR | COLUMN_TREE | COLUMN_COUNT;
        }
    }
    s->n_field = NUMBERS + CATEGORIES + 2;
}

/* Columns of one row, ascending. */
static size_t draw_row(struct rng *r, uint32_t *col, double *val) {
    size_t n = 0;
    for (uint32_t c = 0; c < NUMBERS; c++)
        if (rng_below(r, 20) > 0) {
            col[n] = c;
            val[n++] = rng_normal(r);
        }
    for (uint32_t f = 0; f < CATEGORIES; f++)
        if (rng_below(r, 15) > 0) {
            double u = rng_uniform(r);
            col[n] = CATEGORY_AT + f * LEVELS + (uint32_t)(u * u * LEVELS);
            val[n++] = 1;
        }
    for (uint32_t t = 0; t < TAGS; t++)
        if (rng_below(r, 3) == 0) {
            col[n] = TAG_AT + t;
            val[n++] = 1;
        }
    return n;
}

struct sample *sample_new(struct arena *a, size_t n, uint64_t seed) {
    struct sample *s = ARENA_NEW(a, struct sample);
    *s = (struct sample){.use = ARENA_ARRAY(a, COLUMNS, unsigned char),
                         .field = ARENA_ARRAY(a, COLUMNS, uint32_t),
                         .fold = ARENA_ARRAY(a, n, uint32_t),
                         .n_fold = 5,
                         .truth = ARENA_ARRAY(a, n, double)};
    describe_columns(s);
    struct rng r = rng_from_seed(seed);
    size_t *start = ARENA_ARRAY(a, n + 1, size_t), at = 0;
    uint32_t *col = ARENA_ARRAY(a, n * COLUMNS, uint32_t);
    double *val = ARENA_ARRAY(a, n * COLUMNS, double), *y = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++) {
        size_t k = draw_row(&r, col + at, val + at);
        s->truth[i] = -0.7;
        for (size_t j = 0; j < k; j++)
            s->truth[i] += truth_of[col[at + j]] * val[at + j];
        y[i] = rng_uniform(&r) < 1 / (1 + exp(-s->truth[i]));
        at += k;
        start[i + 1] = at;
    }
    s->data = ARENA_NEW(a, struct dataset);
    *s->data = (struct dataset){.n = n, .d = COLUMNS, .start = start, .col = col, .val = val, .y = y};
    dataset_fold(a, s->data, s->n_fold, seed, NULL, s->fold);
    return s;
}

struct fit_opts sample_opts(const struct sample *s) {
    return (struct fit_opts){
        .seed = 7, .threads = 1, .use = s->use, .field = s->field, .fold = s->fold, .n_fold = s->n_fold};
}

/* ---- helpers ---- */

static const struct model *fit(struct arena *a, const struct model_family *f, const struct dataset *s,
                               const struct fit_opts *o, double *out_of_fold) {
    struct model *m = NULL;
    assert_ok(f->fit(a, s, o, out_of_fold, &m));
    return m;
}

static str save(struct arena *a, const struct model_family *f, const struct model *m) {
    struct buf *out = buf_in(a, TEXT_LIMIT);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    f->save(m, &w);
    assert_ok(buf_check(out));
    return buf_str(out);
}

static double *predict_all(struct arena *a, const struct model_family *f, const struct dataset *s, const struct model *m) {
    struct row *rows = ARENA_ARRAY(a, s->n, struct row);
    double *logit = ARENA_ARRAY(a, s->n, double);
    for (size_t i = 0; i < s->n; i++)
        rows[i] = dataset_row(s, i);
    f->predict(m, rows, s->n, logit);
    return logit;
}

static double log_loss(const double *logit, const double *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fmax(logit[i], 0) + log1p(exp(-fabs(logit[i]))) - y[i] * logit[i];
    return sum / (double)n;
}

/* ---- checks ---- */

void family_check_stored(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m) {
    str first = save(a, f, m);
    const struct json *v;
    struct model *again;
    assert_ok(json_parse(a, first, NULL, &v));
    assert_ok(f->load(a, v, s->data->d, &again));
    assert_true(str_equal(first, save(a, f, again)));
    const double *before = predict_all(a, f, s->data, m), *after = predict_all(a, f, s->data, again);
    for (size_t i = 0; i < s->data->n; i++) {
        struct row x = dataset_row(s->data, i);
        assert_close(after[i], before[i], 0);
        assert_close(family_spread(f, again, x), family_spread(f, m, x), 0);
    }
}

/* Shares of all rows at once, by threes of columns: as each row's alone, to the last bit when a term is one column. */
static void check_many(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m) {
    const size_t n = s->data->n, d = s->data->d;
    struct row *rows = ARENA_ARRAY(a, n, struct row);
    uint32_t *third = ARENA_ARRAY(a, d, uint32_t);
    const struct column_terms own = own_terms(a, d), thirds = {(d + 2) / 3, third};
    double *many = ARENA_ARRAY(a, n * d, double), *by_third = ARENA_ARRAY(a, n * d, double);
    for (size_t c = 0; c < d; c++)
        third[c] = (uint32_t)(c / 3);
    for (size_t i = 0; i < n; i++)
        rows[i] = dataset_row(s->data, i);
    double base = f->explain(m, rows, n, 0.5, &own, a, many);
    assert_close(f->explain(m, rows, n, 0.5, &thirds, a, by_third), base, 0);
    for (size_t i = 0; i < n; i++) {
        double *one = ARENA_ARRAY(a, d, double);
        (void)f->explain(m, &rows[i], 1, 0.5, &own, a, one);
        for (size_t c = 0; c < d; c++) {
            assert_close(many[i * d + c], one[c], 0);
            by_third[i * thirds.n + c / 3] -= one[c];
        }
        for (size_t t = 0; t < thirds.n; t++)
            assert_close(by_third[i * thirds.n + t], 0, 1e-12);
    }
}

void family_check_shares(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m,
                         double base_tolerance) {
    const double *logit = predict_all(a, f, s->data, m);
    size_t d = s->data->d;
    double *share = ARENA_ARRAY(a, d, double), first_base = 0, mean = 0;
    const struct column_terms own = own_terms(a, d);
    check_many(a, f, s, m);
    for (size_t i = 0; i < s->data->n; i++) {
        struct row x = dataset_row(s->data, i);
        double scale = i % 3 == 0 ? 1 : 0.25, sum = 0;
        for (size_t c = 0; c < d; c++)
            share[c] = 1;
        double base = f->explain(m, &x, 1, scale, &own, a, share);
        for (size_t c = 0; c < d; c++)
            sum += share[c] - 1;
        assert_close(base + sum, scale * logit[i], 1e-9 * (1 + fabs(logit[i])));
        if (i == 0)
            first_base = base / scale;
        assert_close(base / scale, first_base, 1e-12 * (1 + fabs(first_base)));
        double spread = family_spread(f, m, x);
        assert_true(isfinite(spread) && spread >= 0);
        mean += logit[i] / (double)s->data->n;
    }
    assert_close(first_base, mean, base_tolerance * (1 + fabs(mean)));
}

void family_check_deterministic(struct arena *a, const struct model_family *f, const struct sample *s,
                                const struct fit_opts *o) {
    double *one = ARENA_ARRAY(a, s->data->n, double), *two = ARENA_ARRAY(a, s->data->n, double);
    struct fit_opts threads_1 = *o, threads_2 = *o;
    threads_1.threads = 1;
    threads_2.threads = 2;
    str first = save(a, f, fit(a, f, s->data, &threads_1, one));
    assert_true(str_equal(first, save(a, f, fit(a, f, s->data, &threads_1, NULL))));
    assert_true(str_equal(first, save(a, f, fit(a, f, s->data, &threads_2, two))));
    for (size_t i = 0; i < s->data->n; i++)
        assert_close(one[i], two[i], 0);
    uint32_t *rows = ARENA_ARRAY(a, s->data->n, uint32_t), *fold = ARENA_ARRAY(a, s->data->n, uint32_t);
    for (size_t i = 0; i < s->data->n; i++) {
        rows[i] = (uint32_t)(i < 20 ? 0 : i);
        fold[i] = o->fold[rows[i]];
    }
    threads_1.fold = fold;
    const struct dataset *other = dataset_pick(a, s->data, rows, s->data->n);
    assert_false(str_equal(first, save(a, f, fit(a, f, other, &threads_1, NULL))));
}

void family_check_one_class(struct arena *a, const struct model_family *f, const struct sample *s,
                            const struct fit_opts *o) {
    double *y = ARENA_ARRAY(a, s->data->n, double);
    struct dataset same = *s->data;
    struct model *m;
    same.y = y;
    assert_int_equal(f->fit(a, &same, o, NULL, &m), ERR_INPUT);
    for (size_t i = 0; i < s->data->n; i++)
        y[i] = 1;
    assert_int_equal(f->fit(a, &same, o, NULL, &m), ERR_INPUT);
}

void family_check_out_of_fold(struct arena *a, const struct model_family *f, const struct sample *s,
                              const struct fit_opts *o) {
    size_t n = s->data->n, different = 0;
    double *held_out = ARENA_ARRAY(a, n, double), *base = ARENA_ARRAY(a, n, double), positives = 0;
    const double *inside = predict_all(a, f, s->data, fit(a, f, s->data, o, held_out));
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(held_out[i]));
        different += held_out[i] != inside[i];
        positives += s->data->y[i];
    }
    for (size_t i = 0; i < n; i++)
        base[i] = log(positives / ((double)n - positives));
    assert_true(different > n * 9 / 10);
    double loss = log_loss(held_out, s->data->y, n);
    assert_true(loss > log_loss(inside, s->data->y, n));
    assert_true(loss < log_loss(base, s->data->y, n));
}

/* Loads a changed text; uses the model when it is accepted. */
static void try_text(struct arena *a, const struct model_family *f, const struct sample *s, str text) {
    struct arena_mark mark = arena_mark(a);
    const struct json *v;
    struct model *m;
    if (json_parse(a, text, NULL, &v) == OK) {
        err rc = f->load(a, v, s->data->d, &m);
        if (rc == OK) {
            double *share = ARENA_ARRAY(a, s->data->d, double), logit;
            struct row x = dataset_row(s->data, 0);
            const struct column_terms own = own_terms(a, s->data->d);
            f->predict(m, &x, 1, &logit);
            (void)family_spread(f, m, x);
            (void)f->explain(m, &x, 1, 1, &own, a, share);
        } else if (rc != ERR_CORRUPT) {
            fail_msg("%s instead of corrupt: %s, for %.*s", err_name(rc), err_text(), text.len < 300 ? (int)text.len : 300,
                     text.ptr);
        }
    }
    arena_rewind(a, mark);
}

static bool in_scalar(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

/* text with [from, to) replaced */
static str splice(struct arena *a, str text, size_t from, size_t to, str by) {
    const str parts[] = {str_slice(text, 0, from), by, str_slice(text, to, text.len)};
    return str_join(a, parts, 3, (str){0});
}

static void replace_value(struct arena *a, const struct model_family *f, const struct sample *s, str text, size_t from,
                          size_t to) {
    static const char *const by[] = {"-1",    "0",  "4294967295", "9007199254740993", "1e300", "-0.5", "null",
                                     "\"x\"", "[]", "{}"};
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
        struct arena_mark mark = arena_mark(a);
        try_text(a, f, s, splice(a, text, from, to, str_from(by[i])));
        arena_rewind(a, mark);
    }
    struct arena_mark mark = arena_mark(a);
    if (to < text.len && text.ptr[to] == ',') /* one item fewer */
        try_text(a, f, s, splice(a, text, from, to + 1, STR("")));
    try_text(a, f, s, splice(a, text, to, to, STR(",7"))); /* one more */
    arena_rewind(a, mark);
}

void family_check_corrupt(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m) {
    static const char *const shapes[] = {"null", "[]", "{}", "5", "\"x\"", "[[]]", "{\"rows\":1}"};
    const struct json *v;
    struct model *out;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        assert_ok(json_parse(a, str_from(shapes[i]), NULL, &v));
        assert_int_equal(f->load(a, v, s->data->d, &out), ERR_CORRUPT);
    }
    str text = save(a, f, m);
    assert_ok(json_parse(a, text, NULL, &v));
    assert_int_equal(f->load(a, v, 1, &out), ERR_CORRUPT); /* made for more columns */
    size_t numbers = 0, seen = 0;
    for (size_t i = 1; i < text.len; i++)
        numbers += in_scalar(text.ptr[i]) && !in_scalar(text.ptr[i - 1]);
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i - 1] == '"' && text.ptr[i] >= 'a' && text.ptr[i] <= 'z') {
            char other = 'Z';
            try_text(a, f, s, splice(a, text, i, i + 1, (str){&other, 1}));
        }
        size_t end = i;
        while (end < text.len && in_scalar(text.ptr[end]))
            end++;
        bool value = end > i && strchr("[,:", text.ptr[i - 1]);
        if (value && seen++ % (numbers / 150 + 1) == 0) /* a hundred or so, all along the text */
            replace_value(a, f, s, text, i, end);
        if (end > i)
            i = end;
    }
}

void family_check_weights(struct arena *a, const struct model_family *f, const struct sample *s, const struct fit_opts *o,
                          double tolerance) {
    size_t n = s->data->n, k = 0;
    double *weight = ARENA_ARRAY(a, n, double);
    uint32_t *rows = ARENA_ARRAY(a, 3 * n, uint32_t), *fold = ARENA_ARRAY(a, 3 * n, uint32_t);
    for (size_t i = 0; i < n; i++) {
        weight[i] = (double)(i % 4);
        for (size_t r = 0; r < i % 4; r++) {
            fold[k] = o->fold[i];
            rows[k++] = (uint32_t)i;
        }
    }
    struct dataset weighted = *s->data;
    weighted.weight = weight;
    struct fit_opts repeated = *o;
    repeated.fold = fold;
    const struct model *one = fit(a, f, &weighted, o, NULL),
                       *two = fit(a, f, dataset_pick(a, s->data, rows, k), &repeated, NULL);
    const double *p = predict_all(a, f, s->data, one), *q = predict_all(a, f, s->data, two);
    for (size_t i = 0; i < n; i++) {
        struct row x = dataset_row(s->data, i);
        assert_close(p[i], q[i], tolerance);
        assert_close(family_spread(f, one, x), family_spread(f, two, x), tolerance);
    }
}

void family_check(void **state, const struct model_family *f, const struct sample *s, const struct fit_opts *o) {
    struct arena *a = *state;
    const struct model *m = fit(a, f, s->data, o, NULL);
    family_check_stored(a, f, s, m);
    family_check_shares(a, f, s, m, 0.3);
    family_check_deterministic(a, f, s, o);
    family_check_one_class(a, f, s, o);
    family_check_out_of_fold(a, f, s, o);
    family_check_corrupt(a, f, s, m);
}
