/* test_special.c — special functions against known values. */
#include "ml/special.h"
#include "unit.h"

static void sigmoid_is_stable_and_symmetric(void **state) {
    (void)state;
    assert_close(sigmoid(0), 0.5, 0);
    assert_close(sigmoid(2), 0.8807970779778823, 1e-16);
    for (double z = -40; z <= 40; z += 0.37)
        assert_close(sigmoid(z) + sigmoid(-z), 1, 1e-15);
    assert_true(sigmoid(-800) == 0 && sigmoid(800) == 1);
    assert_true(sigmoid(-700) > 0);
}

static void log_odds_inverts(void **state) {
    (void)state;
    for (double z = -30; z <= 30; z += 0.41)
        assert_close(log_odds(sigmoid(z)), z, 1e-14 + 1e-15 * exp(fabs(z)));
    assert_true(isfinite(log_odds(0)) && isfinite(log_odds(1)));
}

static void softplus_is_the_loss(void **state) {
    (void)state;
    assert_close(softplus(0), M_LN2, 1e-16);
    for (double z = -30; z <= 30; z += 0.3)
        assert_close(softplus(z), -log(sigmoid(-z)), 1e-13);
    assert_close(softplus(1000), 1000, 0);
    assert_close(softplus(-1000), 0, 0);
}

static void exponentials_in_blocks(void **state) {
    (void)state;
    double x[EXP_BLOCK], exact[EXP_BLOCK];
    for (int block = 0; block < 200; block++) {
        for (size_t i = 0; i < EXP_BLOCK; i++) {
            double z = 0.055 * (double)(block * EXP_BLOCK + (int)i);
            exact[i] = exp(-fmin(z, 708));
            x[i] = i % 2 ? z : -z;
        }
        exp_of_minus_size(x);
        for (size_t i = 0; i < EXP_BLOCK; i++)
            assert_close(x[i], exact[i], 4.5e-16 * exact[i]);
    }
    x[0] = (double)INFINITY;
    x[1] = -1e300;
    exp_of_minus_size(x);
    assert_true(x[0] > 0 && x[0] < 1e-300 && x[1] == x[0]);
}

static void logarithms_are_summed(void **state) {
    (void)state;
    struct log_sum s = {.product = 1};
    double sum = 0;
    for (int i = 0; i < 3000; i++) {
        double e = exp(-0.004 * i), weight = i % 7 == 0 ? 0.3 : 1;
        log_sum_add(&s, e, weight);
        sum += weight * log1p(e);
    }
    assert_close(log_sum_total(&s), sum, 1e-12 * sum);
}

/* scipy.stats.norm.ppf */
static void normal_quantiles(void **state) {
    (void)state;
    assert_close(normal_quantile(0.5), 0, 0);
    assert_close(normal_quantile(0.975), 1.959963984540054, 1e-15);
    assert_close(normal_quantile(0.9), 1.2815515655446004, 1e-15);
    assert_close(normal_quantile(0.001), -3.090232306167813, 1e-14);
    assert_close(normal_quantile(1e-20), -9.262340089798408, 1e-13);
    for (double p = 0.01; p < 1; p += 0.01)
        assert_close(0.5 * erfc(-normal_quantile(p) / M_SQRT2), p, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigmoid_is_stable_and_symmetric),
        cmocka_unit_test(log_odds_inverts),
        cmocka_unit_test(softplus_is_the_loss),
        cmocka_unit_test(exponentials_in_blocks),
        cmocka_unit_test(logarithms_are_summed),
        cmocka_unit_test(normal_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
