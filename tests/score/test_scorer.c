/* test_scorer.c — the sum that a score is: members, calibration, shares, and the interval around it. */
#include "golden_models.h"

#include "ml/special.h"

struct scored {
    const struct bundle *b;
    struct golden_rows x;
    struct score *s;
};

static struct scored score_all(struct arena *a, const struct bundle *b, double level) {
    struct scored r = {.b = b, .x = golden_vectors(a, b, golden_frame(a, "leads.csv"))};
    r.s = ARENA_ARRAY(a, r.x.n, struct score);
    scorer_score(b, r.x.row, r.x.n, r.x.missing, level, a, r.s);
    return r;
}

static void shares_add_up_to_the_log_odds(void **state) {
    struct arena *a = *state;
    for (size_t k = 0; k < N_GOLDEN; k++) {
        struct scored r = score_all(a, golden_bundle(a, golden_families[k]), 0.95);
        const size_t n_term = r.b->n_term;
        double *share = ARENA_ARRAY(a, r.x.n * n_term, double);
        double base = scorer_explain(r.b, r.x.row, r.x.n, a, share);
        for (size_t i = 0; i < r.x.n; i++) {
            double sum = base;
            for (size_t t = 0; t < n_term; t++)
                sum += share[i * n_term + t];
            assert_close(sum, r.s[i].logit, 1e-9);
        }
    }
}

/* Member by member, without scorer.c. */
static void log_odds_are_the_weighted_sum_of_the_members(void **state) {
    struct arena *a = *state;
    for (size_t k = 0; k < N_GOLDEN; k++) {
        struct scored r = score_all(a, golden_bundle(a, golden_families[k]), 0);
        for (size_t i = 0; i < r.x.n; i++) {
            double sum = r.b->intercept, z;
            for (size_t m = 0; m < r.b->n_member; m++) {
                r.b->member[m].family->predict(r.b->member[m].model, &r.x.row[i], 1, &z);
                sum += r.b->member[m].weight * z;
            }
            assert_close(sum, r.s[i].logit, 1e-12);
            assert_close(calibration_apply(r.b->calibration, sum), r.s[i].probability, 1e-15);
        }
    }
}

static void one_row_scores_as_among_many(void **state) {
    struct arena *a = *state;
    struct scored r = score_all(a, golden_bundle(a, "auto"), 0.9);
    for (size_t i = 0; i < r.x.n; i++) {
        struct score alone;
        scorer_score(r.b, &r.x.row[i], 1, r.x.missing + i * r.b->n_term, 0.9, a, &alone);
        assert_memory_equal(&alone, &r.s[i], sizeof alone);
    }
}

static void calibration_is_applied(void **state) {
    struct arena *a = *state;
    struct bundle changed = *golden_bundle(a, "logistic");
    const struct calibration halved = {.kind = CALIBRATION_PLATT, .a = 0.5, .c = -1};
    changed.calibration = &halved;
    struct scored r = score_all(a, &changed, 0.95);
    const double z = normal_quantile(0.975);
    for (size_t i = 0; i < r.x.n; i++) {
        const struct score *s = &r.s[i];
        assert_close(s->probability, 1 / (1 + exp(1 - s->logit / 2)), 1e-12);
        assert_close(s->low, 1 / (1 + exp(1 - (s->logit - z * s->spread) / 2)), 1e-12);
        assert_close(s->high, 1 / (1 + exp(1 - (s->logit + z * s->spread) / 2)), 1e-12);
    }
}

static void interval_holds_the_score_and_nests(void **state) {
    struct arena *a = *state;
    static const double level[] = {0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.9999};
    for (size_t k = 0; k < N_GOLDEN; k++) {
        const struct bundle *b = golden_bundle(a, golden_families[k]);
        struct scored inner = score_all(a, b, level[0]);
        for (size_t l = 1; l < sizeof level / sizeof *level; l++) {
            struct scored outer = score_all(a, b, level[l]);
            for (size_t i = 0; i < outer.x.n; i++) {
                const struct score *in = &inner.s[i], *out = &outer.s[i];
                assert_true(in->probability == out->probability);
                assert_true(0 <= out->low && out->low <= in->low && in->low <= in->probability);
                assert_true(in->probability <= in->high && in->high <= out->high && out->high <= 1);
                assert_true(out->spread > 0);
            }
            inner = outer;
        }
    }
}

static void no_interval_repeats_the_score(void **state) {
    struct scored r = score_all(*state, golden_bundle(*state, "auto"), 0);
    for (size_t i = 0; i < r.x.n; i++)
        assert_true(r.s[i].low == r.s[i].probability && r.s[i].high == r.s[i].probability);
}

/* Each further field that is not known adds its variance: spread^2 grows by imputation[t]. */
static void missing_fields_widen_the_interval(void **state) {
    struct arena *a = *state;
    for (size_t k = 0; k < N_GOLDEN; k++) {
        struct scored r = score_all(a, golden_bundle(a, golden_families[k]), 0.95);
        unsigned char *missing = ARENA_ARRAY(a, r.b->n_term, unsigned char);
        struct score before, after;
        scorer_score(r.b, r.x.row, 1, missing, 0.95, a, &before);
        for (size_t t = 0; t < r.b->n_term; t++) {
            missing[t] = 1;
            scorer_score(r.b, r.x.row, 1, missing, 0.95, a, &after);
            assert_close(after.spread * after.spread, before.spread * before.spread + r.b->imputation[t], 1e-9);
            assert_true(after.low <= before.low && after.high >= before.high && after.probability == before.probability);
            before = after;
        }
    }
}

/* Member by member: (scale * sum of weight * spread)^2 + excess. */
static void spread_is_scaled_and_joined_by_the_excess(void **state) {
    struct arena *a = *state;
    struct bundle changed = *golden_bundle(a, "auto");
    changed.spread_scale = 0.75;
    changed.excess = 0.3;
    struct golden_rows x = golden_vectors(a, &changed, golden_frame(a, "leads.csv"));
    struct score *s = ARENA_ARRAY(a, x.n, struct score);
    scorer_score(&changed, x.row, x.n, NULL, 0.95, a, s);
    for (size_t i = 0; i < x.n; i++) {
        double sum = 0, sd;
        for (size_t m = 0; m < changed.n_member; m++) {
            changed.member[m].family->spread(changed.member[m].model, &x.row[i], 1, &sd);
            sum += changed.member[m].weight * sd;
        }
        assert_close(s[i].spread, sqrt(0.75 * 0.75 * sum * sum + 0.3), 1e-12);
    }
}

static void tiers_go_by_the_thresholds(void **state) {
    (void)state;
    assert_int_equal(tier_of(0.86, 0.85, 0.5), TIER_HOT);
    assert_int_equal(tier_of(0.85, 0.85, 0.5), TIER_WARM);
    assert_int_equal(tier_of(0.51, 0.85, 0.5), TIER_WARM);
    assert_int_equal(tier_of(0.5, 0.85, 0.5), TIER_COLD);
    assert_int_equal(tier_of(0, 0.85, 0.5), TIER_COLD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(shares_add_up_to_the_log_odds),
        ARENA_TEST(log_odds_are_the_weighted_sum_of_the_members),
        ARENA_TEST(one_row_scores_as_among_many),
        ARENA_TEST(calibration_is_applied),
        ARENA_TEST(interval_holds_the_score_and_nests),
        ARENA_TEST(no_interval_repeats_the_score),
        ARENA_TEST(missing_fields_widen_the_interval),
        cmocka_unit_test(tiers_go_by_the_thresholds),
        ARENA_TEST(spread_is_scaled_and_joined_by_the_excess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
