/* test_curves.c — curves against scikit-learn and by hand. */
#include "ml/curves.h"

#include "base/rng.h"
#include "golden.h"

static const struct ece_floor no_floor;

static void roc_points_are_those_of_scikit_learn(void **state) {
    const struct json *cases = golden_cases(*state, "ml/metrics.json");
    for (uint32_t i = 0; i < cases->count; i++) {
        const struct json *c = &cases->items[i];
        size_t n, k;
        double *p = golden_numbers(*state, c, "p", &n), *y = golden_numbers(*state, c, "y", &n), area = 0;
        double *fpr = golden_numbers(*state, json_get(c, STR("roc")), "fpr", &k);
        double *tpr = golden_numbers(*state, json_get(c, STR("roc")), "tpr", &k);
        struct curves curves;
        curves_compute(*state, ranking_new(*state, p, y, n), &no_floor, &curves);
        const struct curve *roc = &curves.roc;
        assert_true(roc->n >= 2 && roc->n <= CURVE_MAX_POINT && curves.pr.n <= CURVE_MAX_POINT);
        if (k == 0)
            continue;
        for (size_t j = 0; j < roc->n; j++) {
            bool found = false;
            for (size_t m = 0; m < k; m++)
                found |=
                    fabs(fpr[m] - roc->point[j].false_positive_rate) < 1e-12 && fabs(tpr[m] - roc->point[j].recall) < 1e-12;
            assert_true(found);
            if (j > 0)
                area += (roc->point[j].false_positive_rate - roc->point[j - 1].false_positive_rate) *
                        (roc->point[j].recall + roc->point[j - 1].recall) / 2;
        }
        assert_close(area, golden_number(c, "auc"), roc->n < CURVE_MAX_POINT ? 1e-12 : 1e-3);
        assert_close(roc->point[0].recall + roc->point[0].false_positive_rate, 0, 0);
        assert_close(roc->point[roc->n - 1].recall * roc->point[roc->n - 1].false_positive_rate, 1, 0);
    }
}

static void long_curves_are_thinned_and_keep_their_area(void **state) {
    enum { N = 50000 };
    double *p = ARENA_ARRAY(*state, N, double), *y = ARENA_ARRAY(*state, N, double), area = 0, value[METRIC_COUNT];
    struct rng r = rng_from_seed(1);
    for (size_t i = 0; i < N; i++) {
        p[i] = rng_uniform(&r);
        y[i] = rng_uniform(&r) < p[i] * p[i];
    }
    struct curves c;
    const struct ranking *ranking = ranking_new(*state, p, y, N);
    curves_compute(*state, ranking, &no_floor, &c);
    metrics_values(*state, ranking, value);
    assert_in_range(c.roc.n, 150, CURVE_MAX_POINT);
    assert_in_range(c.pr.n, 150, CURVE_MAX_POINT);
    for (size_t j = 1; j < c.roc.n; j++) {
        const struct curve_point *a = &c.roc.point[j - 1], *b = &c.roc.point[j];
        assert_true(a->threshold > b->threshold && a->recall <= b->recall);
        area += (b->false_positive_rate - a->false_positive_rate) * (b->recall + a->recall) / 2;
    }
    assert_close(area, value[METRIC_AUC], 2e-4);
    assert_close(c.pr.point[c.pr.n - 1].recall, 1, 0);
}

/* Twenty rows, the best ten positive but one: figures by hand. */
static void deciles_and_gain_by_hand(void **state) {
    double p[20], y[20];
    for (size_t i = 0; i < 20; i++) {
        p[i] = (double)i / 20;
        y[i] = i >= 10 && i != 15;
    }
    struct curves c;
    curves_compute(*state, ranking_new(*state, p, y, 20), &no_floor, &c);
    assert_int_equal(c.decile[0].rows, 2);
    assert_close(c.decile[0].mean_prediction, (0.95 + 0.9) / 2, 1e-15);
    assert_close(c.decile[0].lowest, 0.9, 1e-15);
    assert_close(c.decile[0].lift, 1 / 0.45, 1e-12);
    assert_close(c.decile[2].rate, 0.5, 1e-15);
    assert_close(c.decile[4].gain, 1, 1e-15);
    assert_close(c.decile[9].positives, 0, 0);
    assert_int_equal(c.gain.n, 101);
    assert_close(c.gain.point[0].recall, 0, 0);
    assert_close(c.gain.point[20].recall, 4.0 / 9, 1e-12);
    assert_close(c.gain.point[50].recall, 1, 1e-12);
    assert_close(c.gain.point[100].recall, 1, 0);
    assert_close(c.gain.point[100].precision, 0.45, 1e-12);
}

/* One score for all: every decile and bin has the base rate, and the gain is the diagonal. */
static void ties_are_shared_evenly(void **state) {
    double p[60], y[60];
    for (size_t i = 0; i < 60; i++) {
        p[i] = 0.25;
        y[i] = i < 15;
    }
    struct metrics m;
    struct curves c;
    const struct ranking *r = ranking_new(*state, p, y, 60);
    metrics_of_ranking(*state, r, NULL, &m);
    curves_compute(*state, r, &m.floor, &c);
    for (size_t i = 0; i < CURVE_DECILE; i++)
        assert_close(c.decile[i].lift, 1, 1e-12);
    for (size_t b = 0; b < METRICS_BIN; b++) {
        assert_close(c.reliability[b].observed, 0.25, 1e-12);
        assert_true(c.reliability[b].low < 0.25 && c.reliability[b].high > 0.25);
        assert_true(c.reliability[b].band_low < 0.25 && c.reliability[b].band_high > 0.25);
    }
    for (size_t i = 0; i < c.gain.n; i++)
        assert_close(c.gain.point[i].recall, c.gain.point[i].flagged_share, 1e-12);
}

static void reliability_adds_up_to_ece(void **state) {
    enum { N = 1234 };
    double p[N], y[N], ece = 0, value[METRIC_COUNT];
    struct rng r = rng_from_seed(2);
    for (size_t i = 0; i < N; i++) {
        p[i] = round(rng_uniform(&r) * 50) / 50;
        y[i] = rng_uniform(&r) < 0.3;
    }
    struct curves c;
    const struct ranking *ranking = ranking_new(*state, p, y, N);
    curves_compute(*state, ranking, &no_floor, &c);
    metrics_values(*state, ranking, value);
    for (size_t b = 0; b < METRICS_BIN; b++)
        ece += (double)c.reliability[b].rows / N * fabs(c.reliability[b].observed - c.reliability[b].mean_prediction);
    assert_close(ece, value[METRIC_ECE], 1e-12);
}

static void costs_by_hand(void **state) {
    const double p[] = {0.1, 0.3, 0.5, 0.5, 0.9}, y[] = {0, 1, 0, 1, 1};
    const struct costs costs = {.revenue = 9, .pursuit = 1};
    const struct ranking *r = ranking_new(*state, p, y, 5);
    struct threshold_row row = curves_at_threshold(r, 0.5, &costs);
    assert_int_equal(row.flagged, 3);
    assert_int_equal(row.tp, 2);
    assert_int_equal(row.fp, 1);
    assert_int_equal(row.fn, 1);
    assert_close(row.precision, 2.0 / 3, 1e-15);
    assert_close(row.recall, 2.0 / 3, 1e-15);
    assert_close(row.f1, 2.0 / 3, 1e-15);
    assert_close(row.cost, 1 + 9, 0);
    assert_close(row.utility, 18 - 1, 0);
    assert_close(row.cost + row.utility, 27, 0); /* what is not won is lost: revenue times all positives */
    assert_close(curves_break_even(&costs), 0.1, 1e-15);
    struct threshold_row best = curves_cheapest(r, &costs);
    assert_close(best.threshold, 0.3, 0);
    assert_close(best.utility, 26, 0);
    row = curves_at_threshold(r, 0.95, &costs);
    assert_int_equal(row.flagged, 0);
    assert_true(isnan(row.precision));
    assert_close(row.f1, 0, 0);
    best = curves_cheapest(r, &(struct costs){.revenue = 0, .pursuit = 1});
    assert_true(isinf(best.threshold));
}

static void degenerate_tables_do_not_break(void **state) {
    const double p[] = {0.4, 0.6}, y[] = {0, 0};
    struct curves c;
    curves_compute(*state, ranking_new(*state, p, y, 2), &no_floor, &c);
    assert_true(isnan(c.roc.point[0].recall));
    assert_int_equal(c.decile[9].rows, 0);
    curves_compute(*state, ranking_new(*state, p, y, 1), &no_floor, &c);
    assert_int_equal(c.decile[0].rows, 1);
    assert_int_equal(c.reliability[14].rows, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(roc_points_are_those_of_scikit_learn),
        ARENA_TEST(long_curves_are_thinned_and_keep_their_area),
        ARENA_TEST(deciles_and_gain_by_hand),
        ARENA_TEST(ties_are_shared_evenly),
        ARENA_TEST(reliability_adds_up_to_ece),
        ARENA_TEST(costs_by_hand),
        ARENA_TEST(degenerate_tables_do_not_break),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
