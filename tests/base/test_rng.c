/* test_rng.c — the reference sequence, moments, forks. */
#include "base/rng.h"
#include "unit.h"

/* From the authors' C code with state {1, 2, 3, 4}. */
static void matches_the_reference(void **state) {
    (void)state;
    static const uint64_t expected[] = {41943041u, 58720359u, 3588806011781223u, 3591011842654386u, 9228616714210784205u};
    struct rng r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < 5; i++)
        assert_true(rng_next(&r) == expected[i]);
}

static void moments_are_right(void **state) {
    (void)state;
    struct rng r = rng_from_seed(5);
    double sum = 0, square = 0, normal = 0, normal_square = 0;
    enum { N = 200000 };
    for (int i = 0; i < N; i++) {
        double u = rng_uniform(&r), z = rng_normal(&r);
        assert_true(u >= 0 && u < 1);
        sum += u, square += u * u, normal += z, normal_square += z * z;
    }
    assert_close(sum / N, 0.5, 0.005);
    assert_close(square / N, 1.0 / 3, 0.005);
    assert_close(normal / N, 0, 0.01);
    assert_close(normal_square / N, 1, 0.02);
}

static void below_is_uniform(void **state) {
    (void)state;
    struct rng r = rng_from_seed(9);
    int count[7] = {0};
    for (int i = 0; i < 70000; i++)
        count[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_true(count[i] > 9500 && count[i] < 10500);
}

static void forks_differ_and_repeat(void **state) {
    (void)state;
    struct rng r = rng_from_seed(1), a = rng_fork(&r, 0), b = rng_fork(&r, 1), again = rng_fork(&r, 0);
    assert_true(rng_next(&a) == rng_next(&again));
    assert_true(rng_next(&a) != rng_next(&b));
}

static void shuffle_is_a_permutation(void **state) {
    (void)state;
    struct rng r = rng_from_seed(3);
    uint32_t items[100];
    int seen[100] = {0};
    for (uint32_t i = 0; i < 100; i++)
        items[i] = i;
    rng_shuffle(&r, items, 100);
    int moved = 0;
    for (uint32_t i = 0; i < 100; i++) {
        seen[items[i]]++;
        moved += items[i] != i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_reference),    cmocka_unit_test(moments_are_right),
        cmocka_unit_test(below_is_uniform),         cmocka_unit_test(forks_differ_and_repeat),
        cmocka_unit_test(shuffle_is_a_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
