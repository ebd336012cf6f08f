/* test_linalg.c — factor, solve, inverse and determinant against the definition, at sizes around the blocks. */
#include "ml/linalg.h"
#include "base/rng.h"
#include "unit.h"

#include <string.h>

/* A = B B' + n I from random B; upper triangle only, the rest is set to a value that must not be read. */
static double *random_spd(struct arena *a, size_t n, uint64_t seed) {
    struct rng r = rng_from_seed(seed);
    double *b = ARENA_ARRAY(a, n * n, double), *m = ARENA_ARRAY(a, n * n, double);
    for (size_t i = 0; i < n * n; i++)
        b[i] = rng_normal(&r);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            m[i * n + j] = j < i ? NAN : vector_dot(b + i * n, b + j * n, n) + (i == j ? 1 : 0);
    return m;
}

static double at(const double *m, size_t n, size_t i, size_t j) { return i <= j ? m[i * n + j] : m[j * n + i]; }

static void check_size(struct arena *a, size_t n) {
    double *m = random_spd(a, n, n), *u = arena_copy(a, m, n * n * sizeof *m), *inverse = ARENA_ARRAY(a, n * n, double);
    double *x = ARENA_ARRAY(a, n, double);
    assert_true(cholesky_factor(u, n));
    for (size_t i = 0; i < n; i++)
        x[i] = (double)i - 3;
    double *b = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            b[i] += at(m, n, i, j) * x[j];
    cholesky_solve(u, n, b);
    cholesky_inverse(u, n, inverse);
    double log_det = 0;
    for (size_t i = 0; i < n; i++) {
        assert_close(b[i], x[i], 1e-7 * (double)n);
        log_det += 2 * log(u[i * n + i]);
        for (size_t j = i; j < n; j++) {
            double uu = 0, identity = 0;
            for (size_t k = 0; k <= i; k++)
                uu += u[k * n + i] * u[k * n + j];
            assert_close(uu, m[i * n + j], 1e-10 * (double)n);
            for (size_t k = 0; k < n && n < 80; k++)
                identity += at(m, n, i, k) * at(inverse, n, k, j);
            if (n < 80)
                assert_close(identity, i == j, 1e-8);
        }
    }
    assert_close(cholesky_log_determinant(u, n), log_det, 1e-9);
}

static void factors_at_every_block_edge(void **state) {
    static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 31, 32, 33, 39, 40, 41, 63, 64, 65, 71, 100, 131};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_size(*state, sizes[i]);
}

static void knows_a_small_case(void **state) {
    double m[] = {4, 2, NAN, 3}, inverse[4], b[] = {8, 7}, packed[3];
    (void)state;
    assert_true(cholesky_factor(m, 2));
    assert_close(cholesky_log_determinant(m, 2), log(8), 1e-15);
    cholesky_solve(m, 2, b);
    assert_close(b[0], 1.25, 1e-15);
    assert_close(b[1], 1.5, 1e-15);
    cholesky_inverse(m, 2, inverse);
    symmetric_pack(inverse, 2, packed);
    assert_close(packed[symmetric_row(2, 0) + 1], -0.25, 1e-15);
    assert_close(packed[symmetric_row(2, 1) + 1], 0.5, 1e-15);
    assert_int_equal(symmetric_size(2), 3);
}

static void refuses_what_is_not_positive_definite(void **state) {
    double indefinite[] = {1, 2, 0, 1}, singular[] = {1, 1, 0, 1}, nan_inside[] = {1, NAN, 0, 1}, zero[] = {0};
    (void)state;
    assert_false(cholesky_factor(indefinite, 2));
    assert_false(cholesky_factor(singular, 2));
    assert_false(cholesky_factor(nan_inside, 2));
    assert_false(cholesky_factor(zero, 1));
    size_t n = 70; /* a repeated row far behind the first block */
    double *m = random_spd(*state, n, 1), *low_rank = ARENA_ARRAY(*state, n * n, double);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            low_rank[i * n + j] = at(m, n, i < 69 ? i : 68, j < 69 ? j : 68);
    assert_false(cholesky_factor(low_rank, n));
}

static void jitter_makes_it_work(void **state) {
    double singular[] = {1 + 1e-10, 1, 0, 1 + 1e-10};
    (void)state;
    assert_true(cholesky_factor(singular, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(factors_at_every_block_edge),
        ARENA_TEST(knows_a_small_case),
        ARENA_TEST(refuses_what_is_not_positive_definite),
        ARENA_TEST(jitter_makes_it_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
