/* test_fit.c — when there is signal, when there is none, and when it is memory of neighbours. */
#include "base/rng.h"
#include "learn/fit.h"
#include "unit.h"

enum { N_COLUMN = 4 };

struct table {
    struct dataset s;
    double *x, *y, *order;
    uint32_t *fold;
};

static double normal(struct rng *r) {
    double sum = -6;
    for (int k = 0; k < 12; k++)
        sum += rng_uniform(r);
    return sum;
}

static bool happens(struct rng *r, double logit) { return rng_uniform(r) < 1 / (1 + exp(-logit)); }

/* Normal numbers, outcomes of 0, and the rows in order. */
static struct table table_new(struct arena *a, size_t n, uint64_t seed) {
    struct rng r = rng_from_seed(seed);
    struct table t = {.x = ARENA_ARRAY(a, n * N_COLUMN, double),
                      .y = ARENA_ARRAY(a, n, double),
                      .order = ARENA_ARRAY(a, n, double),
                      .fold = ARENA_ARRAY(a, n, uint32_t)};
    uint32_t *col = ARENA_ARRAY(a, n * N_COLUMN, uint32_t);
    size_t *start = ARENA_ARRAY(a, n + 1, size_t);
    for (size_t i = 0; i < n * N_COLUMN; i++) {
        t.x[i] = normal(&r);
        col[i] = (uint32_t)(i % N_COLUMN);
    }
    for (size_t i = 0; i < n; i++) {
        start[i + 1] = (i + 1) * N_COLUMN;
        t.order[i] = (double)i;
    }
    t.s = (struct dataset){.n = n, .d = N_COLUMN, .start = start, .col = col, .val = t.x, .y = t.y};
    return t;
}

static struct fitted fitted(struct arena *a, struct table *t, bool ordered) {
    struct fit_request request = {.family = STR("auto"), .opts = {.seed = 1, .threads = 1, .fold = t->fold, .n_fold = 5}};
    struct fitted out;
    dataset_fold(a, &t->s, 5, 1, NULL, t->fold);
    request.order = ordered ? t->order : NULL;
    assert_ok(fit_model(a, &t->s, &request, &out));
    return out;
}

static void noise_is_no_signal(void **state) {
    static const size_t rows[] = {100, 300, 1500};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct table t = table_new(*state, rows[k], seed);
            struct rng r = rng_from_seed(seed + 100);
            double positives = 0;
            for (size_t i = 0; i < t.s.n; i++)
                positives += t.y[i] = happens(&r, -0.5);
            struct fitted f = fitted(*state, &t, true);
            assert_true(f.no_signal);
            assert_int_equal(f.n_member, 0);
            assert_close(f.intercept, log(positives / ((double)t.s.n - positives)), 1e-12);
            /* a signal of variance v would have gained two standard errors more than was seen */
            const double n = (double)t.s.n, p = positives / n, c = p * (1 - p), v = f.excess - 1 / (n * c);
            assert_close(c / 2 * v * v / (v + N_COLUMN / (n * c)), fmax(f.gain, 0) + 2 * f.gain_error, 1e-9);
        }
}

static void weak_signal_is_signal_in_any_order(void **state) {
    struct table t = table_new(*state, 2000, 1);
    struct rng r = rng_from_seed(2);
    for (size_t i = 0; i < t.s.n; i++)
        t.y[i] = happens(&r, 0.35 * t.x[i * N_COLUMN] - 0.5);
    struct fitted f = fitted(*state, &t, true);
    assert_false(f.no_signal);
    assert_true(f.gain < 0.06 * f.base_log_loss); /* so small that order was asked */
    for (size_t i = 0; i < t.s.n; i++)
        t.order[i] = t.y[i]; /* a file sorted by its outcome is in no order of time */
    assert_false(fitted(*state, &t, true).no_signal);
}

/* The outcome wanders in a way that no field knows, and one field follows the row number: random folds find the neighbours.
 */
static void memory_of_neighbours_is_no_signal(void **state) {
    struct table t = table_new(*state, 2500, 3);
    struct rng r = rng_from_seed(4);
    for (size_t i = 0; i < t.s.n; i++) {
        t.x[i * N_COLUMN] = (double)i / 1000;
        t.y[i] = happens(&r, 0.55 * ((i / 50 * 2654435761u >> 7) % 2 == 0 ? 1 : -1));
    }
    struct fitted f = fitted(*state, &t, false);
    assert_false(f.no_signal);
    f = fitted(*state, &t, true);
    assert_true(f.no_signal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(noise_is_no_signal),
        ARENA_TEST(weak_signal_is_signal_in_any_order),
        ARENA_TEST(memory_of_neighbours_is_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
