/* test_product_select.c — planted products are found, chance is not, and the statistic is recomputed by dense algebra. */
#include "ml/product_select.h"

#include "base/rng.h"
#include "ml/logistic.h"
#include "ml/special.h"
#include "unit.h"

/* Fields: four numbers (columns 0-3, the last skewed), three categories of four levels (4-15). */
enum { D = 16, N_NUMBER = 4, FIRST_LEVEL = 4, PER_ROW = 7, FOLDS = 5 };

static const unsigned char kind[D] = {2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const uint32_t field[D] = {0, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6};

struct planted {
    uint32_t a, b;
    double size;
};

struct world {
    struct dataset s;
    uint32_t *fold;
    double *held_out;
    struct model *base;
};

static double main_effect(uint32_t column, double value) {
    return column < 2 ? 0.6 * value : column % 3 == 0 ? 0.5 * value : 0;
}

static double clipped(double v) { return fmax(-PRODUCT_LIMIT, fmin(v, PRODUCT_LIMIT)); }

/* signal: how strong the columns are by themselves. */
static struct world world_new(struct arena *a, size_t n, uint64_t seed, double signal, const struct planted *planted,
                              size_t k) {
    struct rng r = rng_from_seed(seed);
    size_t *start = ARENA_ARRAY(a, n + 1, size_t);
    uint32_t *col = ARENA_ARRAY(a, n * PER_ROW, uint32_t);
    double *val = ARENA_ARRAY(a, n * PER_ROW, double), *y = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++) {
        double x[D] = {0}, logit = -0.6;
        size_t at = start[i];
        for (uint32_t c = 0; c < N_NUMBER; c++)
            x[c] = c < 3 ? rng_normal(&r) : exp(rng_normal(&r)) - 1.6;
        for (uint32_t f = 0; f < 3; f++)
            x[FIRST_LEVEL + 4 * f + rng_below(&r, 4)] = 1;
        for (uint32_t c = 0; c < D; c++) {
            logit += signal * main_effect(c, x[c]);
            if (x[c] == 0)
                continue;
            col[at] = c;
            val[at++] = x[c];
        }
        for (size_t j = 0; j < k; j++)
            logit += planted[j].size * clipped(x[planted[j].a]) * clipped(x[planted[j].b]);
        start[i + 1] = at;
        y[i] = rng_uniform(&r) < sigmoid(logit);
    }
    struct world w = {.s = {.n = n, .d = D, .start = start, .col = col, .val = val, .y = y},
                      .fold = ARENA_ARRAY(a, n, uint32_t),
                      .held_out = ARENA_ARRAY(a, n, double)};
    dataset_fold(a, &w.s, FOLDS, seed, NULL, w.fold);
    const struct fit_opts o = {.seed = 1, .threads = 1, .fold = w.fold, .n_fold = FOLDS};
    assert_ok(logistic_family.fit(a, &w.s, &o, w.held_out, &w.base));
    return w;
}

static struct product_opts opts_of(const struct world *w) {
    return (struct product_opts){.kind = kind, .field = field, .fold = w->fold, .n_fold = FOLDS, .most = 20, .seed = 1};
}

static struct product_selection select_from(struct arena *a, const struct world *w) {
    struct product_selection out;
    const struct product_opts o = opts_of(w);
    product_select(a, &w->s, w->base, w->held_out, &o, &out);
    return out;
}

static bool has(const struct product_selection *c, uint32_t a, uint32_t b) {
    for (size_t i = 0; i < c->n; i++)
        if (c->chosen[i].a == a && c->chosen[i].b == b)
            return true;
    return false;
}

static const struct planted three[] = {{0, 1, 0.5}, {1, 6, 0.9}, {5, 9, 1.6}};

static void planted_products_are_found(void **state) {
    const struct world w = world_new(*state, 4000, 1, 1, three, 3);
    const struct product_selection c = select_from(*state, &w);
    assert_true(has(&c, 0, 1) && has(&c, 1, 6) && has(&c, 5, 9));
    assert_true(c.n <= 5);
    assert_true(c.gain > 5 * c.gain_error && c.gain_error > 0);
    for (size_t i = 0; i < c.n; i++)
        assert_true(c.chosen[i].a <= c.chosen[i].b && c.chosen[i].statistic > 10);
}

static void squares_of_numbers_are_found(void **state) {
    const struct planted square = {2, 2, -0.4};
    const struct world w = world_new(*state, 3000, 2, 1, &square, 1);
    const struct product_selection c = select_from(*state, &w);
    assert_true(has(&c, 2, 2));
}

/* The promised gain is what refitting with the products brings, out of fold. */
static void the_gain_is_what_refitting_brings(void **state) {
    struct arena *a = *state;
    const struct world w = world_new(a, 4000, 3, 1, three, 3);
    const struct product_selection c = select_from(a, &w);
    uint32_t one[PRODUCTS_MAX], other[PRODUCTS_MAX];
    for (size_t i = 0; i < c.n; i++) {
        one[i] = c.chosen[i].a;
        other[i] = c.chosen[i].b;
    }
    const struct products p = products_new(a, D, one, other, c.n);
    const struct dataset *wide = products_widen_all(a, &p, &w.s);
    const struct fit_opts o = {.seed = 1, .threads = 1, .fold = w.fold, .n_fold = FOLDS};
    double *held_out = ARENA_ARRAY(a, w.s.n, double), gain = 0;
    struct model *m;
    assert_ok(logistic_family.fit(a, wide, &o, held_out, &m));
    for (size_t i = 0; i < w.s.n; i++)
        gain += (w.s.y[i] > 0 ? softplus(-w.held_out[i]) - softplus(-held_out[i])
                              : softplus(w.held_out[i]) - softplus(held_out[i])) /
                (double)w.s.n;
    assert_close(c.gain, gain, 0.2 * gain);
}

/* Row i's value of column c; D: the intercept. */
static double cell(const struct dataset *s, size_t i, size_t c) {
    const struct row x = dataset_row(s, i);
    for (size_t k = 0; k < x.n; k++)
        if (x.col[k] == c)
            return x.val[k];
    return c == D;
}

/* (r'c)^2 / c'Wc of the product without what the columns explain, written down from the definition. */
static double dense_statistic(const struct world *w, uint32_t a, uint32_t b) {
    double cross[D + 1] = {0}, beta[D + 1] = {0}, score = 0, variance = 0;
    for (size_t i = 0; i < w->s.n; i++) {
        const double p = sigmoid(w->held_out[i]), c = clipped(cell(&w->s, i, a)) * clipped(cell(&w->s, i, b));
        for (size_t j = 0; j <= D; j++)
            cross[j] += p * (1 - p) * c * cell(&w->s, i, j);
    }
    for (size_t j = 0; j <= D; j++)
        for (size_t k = 0; k <= D; k++)
            beta[j] += logistic_covariance(w->base, j, k) * cross[k];
    for (size_t i = 0; i < w->s.n; i++) {
        const double p = sigmoid(w->held_out[i]);
        double c = clipped(cell(&w->s, i, a)) * clipped(cell(&w->s, i, b));
        for (size_t j = 0; j <= D; j++)
            c -= beta[j] * cell(&w->s, i, j);
        score += (w->s.y[i] - p) * c;
        variance += p * (1 - p) * c * c;
    }
    return score * score / variance;
}

static void the_first_statistic_is_that_of_dense_algebra(void **state) {
    for (uint64_t seed = 4; seed < 8; seed++) {
        const struct world w = world_new(*state, 1500, seed, 1, three, 3);
        const struct product_selection c = select_from(*state, &w);
        assert_true(c.n > 0);
        const double want = dense_statistic(&w, c.chosen[0].a, c.chosen[0].b);
        assert_close(c.chosen[0].statistic, want, 1e-8 * want);
    }
}

/* 5 % divided by the pairs at each step, and the gain must pass its error: chance hardly ever gets through. */
static void chance_is_not_taken(void **state) {
    size_t taken = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct arena_mark mark = arena_mark(*state);
        const struct world w = world_new(*state, seed % 2 ? 600 : 2000, 100 + seed, seed % 3 ? 1 : 0, NULL, 0);
        taken += select_from(*state, &w).n > 0;
        arena_rewind(*state, mark);
    }
    assert_in_range(taken, 0, 2);
}

static void the_same_rows_give_the_same(void **state) {
    const struct world w = world_new(*state, 1200, 9, 1, three, 3);
    const struct product_selection once = select_from(*state, &w), again = select_from(*state, &w);
    assert_int_equal(once.n, again.n);
    assert_memory_equal(once.chosen, again.chosen, once.n * sizeof *once.chosen);
    assert_memory_equal(&once.gain, &again.gain, sizeof once.gain);
}

static void many_rows_are_sampled(void **state) {
    const struct world w = world_new(*state, 3 * PRODUCT_ROWS, 10, 1, three, 3);
    const struct product_selection c = select_from(*state, &w);
    assert_true(has(&c, 0, 1) && has(&c, 1, 6) && has(&c, 5, 9));
}

static void bounds_are_kept(void **state) {
    const struct world w = world_new(*state, 4000, 11, 1, three, 3);
    struct product_selection c;
    struct product_opts o = opts_of(&w);
    o.most = 1;
    product_select(*state, &w.s, w.base, w.held_out, &o, &c);
    assert_int_equal(c.n, 1);
    o.most = 0;
    product_select(*state, &w.s, w.base, w.held_out, &o, &c);
    assert_int_equal(c.n, 0);
    const unsigned char nothing[D] = {0};
    o = opts_of(&w);
    o.kind = nothing;
    product_select(*state, &w.s, w.base, w.held_out, &o, &c);
    assert_int_equal(c.n, 0);
}

/* A column that is listed in a handful of rows only, whatever it seems to do there. */
static void rare_pairs_are_left_alone(void **state) {
    const struct world w = world_new(*state, 400, 12, 0, NULL, 0);
    const struct product_selection c = select_from(*state, &w);
    assert_int_equal(c.n, 0);
    assert_true(c.n_screened < D * (D + 1) / 2); /* 400 / 16 rows for a pair of levels: too few */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(planted_products_are_found),
        ARENA_TEST(squares_of_numbers_are_found),
        ARENA_TEST(the_gain_is_what_refitting_brings),
        ARENA_TEST(the_first_statistic_is_that_of_dense_algebra),
        ARENA_TEST(chance_is_not_taken),
        ARENA_TEST(the_same_rows_give_the_same),
        ARENA_TEST(many_rows_are_sampled),
        ARENA_TEST(bounds_are_kept),
        ARENA_TEST(rare_pairs_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
