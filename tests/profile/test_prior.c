/* test_prior.c — the profile's probability, its interval, and the prior it gives to models. */
#include "ml/bayesian.h"
#include "ml/special.h"
#include "profile/prior.h"
#include "profile_support.h"

static const char *const text =
    "format: 1\nname: t\nbase_rate: 0.2\neffect: 3\nstrength: 40\nweights: {firmographics: 2, behaviour: 1}\n"
    "firmographics:\n  - {field: a, values: [x], weight: 3}\n  - {field: b, values: [x], weight: 1}\n"
    "behaviour:\n  - {field: c, is: y, weight: 1, typical: 0.25}\n  - {field: d, is: y, weight: -3}\n";

static void everything_lies_the_effect_above_nothing(void **state) {
    const struct profile *p = profile_of(*state, text);
    double best = profile_fit(p, score_row(*state, p, "a|b|c|d", "x|x|y|n", 0), 0.95).logit;
    double worst = profile_fit(p, score_row(*state, p, "a|b|c|d", "z|z|n|y", 0), 0.95).logit;
    assert_close(best - worst, 3, 1e-12);
}

static void unknown_is_neither_good_nor_bad(void **state) {
    const struct profile *p = profile_of(*state, text);
    struct profile_fit none = profile_fit(p, score_row(*state, p, "a|b|c|d", "|||", 0), 0.95);
    assert_close(none.probability, 0.2, 1e-15);
    struct subscores *s = score_row(*state, p, "a|b|c|d", "x||y|", 0);
    struct profile_fit some = profile_fit(p, s, 0.95);
    double a = 3 * 2. / 3 * 3. / 4 * 0.5, c = 3 * 1. / 3 * 1. / 4 * 0.75, z = a + c;
    assert_close(some.logit, log_odds(0.2) + z, 1e-12);
    double open_b = 3 * 2. / 3 / 4, open_d = 3 * 1. / 3 * 3. / 4;
    double variance = 0.16 + 0.16 * z * z + 0.49 * (a * a + c * c) + (open_b * open_b + open_d * open_d) / 12;
    assert_close(some.spread, sqrt(variance), 1e-12);
    assert_close(some.high, sigmoid(some.logit + 1.959963984540054 * some.spread), 1e-9);
    double share[4];
    profile_explain(p, s, share);
    assert_close(share[0], a, 1e-12);
    assert_close(share[1], 0, 0);
    assert_close(share[2], c, 1e-12);
}

static void the_interval_narrows_with_knowledge_and_strength(void **state) {
    const struct profile *p = profile_of(*state, text);
    struct profile_fit all = profile_fit(p, score_row(*state, p, "a|b|c|d", "x|z|n|y", 0), 0.95);
    struct profile strong = *p;
    strong.strength = 400;
    struct profile_fit sure = profile_fit(&strong, score_row(*state, p, "a|b|c|d", "x|z|n|y", 0), 0.95);
    assert_close(sure.spread, all.spread / sqrt(10), 1e-12);
    assert_true(all.low > 0 && all.low < all.probability && all.probability < all.high && all.high < 1);
    assert_close(all.spread, profile_fit(p, score_row(*state, p, "a|b|c|d", "x|z|n|y", 0), 0.5).spread, 0);
}

static void a_model_without_outcomes_is_the_profile(void **state) {
    const struct profile *p = profile_of(*state, text);
    enum { D = 6, FIRST = 2 };
    double mean[D + 1], weight[D + 1];
    profile_prior(p, D, FIRST, mean, weight);
    assert_close(mean[D], log_odds(0.2), 1e-15);
    assert_close(weight[D], 0, 0);
    assert_close(mean[0], 0, 0);
    assert_close(weight[1], 1, 0);
    for (size_t i = 0; i < 4; i++)
        assert_close(mean[FIRST + i], profile_coefficient(p, i), 0);
    const size_t start[] = {0};
    const struct dataset none = {.n = 0, .d = D, .start = start};
    struct fit_opts o = {.prior_mean = mean, .prior_weight = weight, .prior_strength = profile_trust(p)};
    struct model *m;
    assert_ok(bayesian_family.fit(*state, &none, &o, NULL, &m));
    static const char *const rows[] = {"x|x|y|n", "z||n|y", "|x||", "z|z|n|y"};
    for (size_t i = 0; i < 4; i++) {
        struct subscores *s = score_row(*state, p, "a|b|c|d", rows[i], 0);
        uint32_t col[4];
        double val[4], z;
        struct row x = {profile_row(p, s, FIRST, col, val), col, val};
        bayesian_family.predict(m, &x, 1, &z);
        assert_close(z, profile_fit(p, s, 0.95).logit, 1e-9);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(everything_lies_the_effect_above_nothing),
        ARENA_TEST(unknown_is_neither_good_nor_bad),
        ARENA_TEST(the_interval_narrows_with_knowledge_and_strength),
        ARENA_TEST(a_model_without_outcomes_is_the_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
