/* test_metrics.c — figures against scikit-learn, intervals and floor against simulation and closed forms. */
#include "ml/metrics.h"

#include "base/rng.h"
#include "golden.h"

#include <time.h>

static void figures_agree_with_scikit_learn(void **state) {
    const struct json *cases = golden_cases(*state, "ml/metrics.json");
    static const enum metric compared[] = {METRIC_AUC,    METRIC_LOG_LOSS,        METRIC_BRIER,     METRIC_ECE,
                                           METRIC_PR_AUC, METRIC_PRECISION_AT_10, METRIC_LIFT_AT_10};
    for (uint32_t i = 0; i < cases->count; i++) {
        const struct json *c = &cases->items[i];
        size_t n, k;
        double *p = golden_numbers(*state, c, "p", &n), *y = golden_numbers(*state, c, "y", &k), value[METRIC_COUNT];
        assert_int_equal(n, k);
        metrics_values(*state, ranking_new(*state, p, y, n), value);
        for (size_t m = 0; m < sizeof compared / sizeof *compared; m++) {
            double expected = golden_number(c, metric_name(compared[m])), got = value[compared[m]];
            if (isnan(expected) ? isfinite(got) : !(fabs(got - expected) < 1e-12 * (1 + fabs(expected))))
                fail_msg("%s of case %u is %.17g, not %.17g", metric_name(compared[m]), i, got, expected);
        }
    }
}

/* p from a spread of probabilities, y from p. */
static void draw_world(struct rng *r, size_t n, double *p, double *y, double digits) {
    for (size_t i = 0; i < n; i++) {
        double truth = 1 / (1 + exp(1 - 1.5 * rng_normal(r)));
        p[i] = digits > 0 ? round(truth * digits) / digits : truth;
        y[i] = rng_uniform(r) < p[i];
    }
}

static void row_order_does_not_matter(void **state) {
    enum { N = 500 };
    double p[N], y[N], q[N], t[N];
    uint32_t order[N];
    struct rng r = rng_from_seed(3);
    draw_world(&r, N, p, y, 20);
    for (uint32_t i = 0; i < N; i++)
        order[i] = i;
    rng_shuffle(&r, order, N);
    for (size_t i = 0; i < N; i++) {
        q[i] = p[order[i]];
        t[i] = y[order[i]];
    }
    double a[METRIC_COUNT], b[METRIC_COUNT];
    metrics_values(*state, ranking_new(*state, p, y, N), a);
    metrics_values(*state, ranking_new(*state, q, t, N), b);
    for (size_t m = 0; m < METRIC_COUNT; m++)
        if (m != METRIC_ECE_FLOOR_P95)
            assert_close(a[m], b[m], 0);
}

static void same_seed_same_intervals(void **state) {
    enum { N = 300 };
    double p[N], y[N];
    struct rng r = rng_from_seed(4);
    draw_world(&r, N, p, y, 0);
    struct metrics a, b, c;
    metrics_compute(*state, p, y, N, &(struct metrics_opts){.seed = 7}, &a);
    metrics_compute(*state, p, y, N, &(struct metrics_opts){.seed = 7}, &b);
    metrics_compute(*state, p, y, N, &(struct metrics_opts){.seed = 8}, &c);
    assert_int_equal(a.resamples, 300);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        assert_close(a.of[m].low, b.of[m].low, 0);
        assert_close(a.of[m].high, b.of[m].high, 0);
        assert_true(a.of[m].low <= a.of[m].value && a.of[m].value <= a.of[m].high);
    }
    assert_true(a.of[METRIC_AUC].low != c.of[METRIC_AUC].low);
}

/* Brier is a mean, so that its interval has a closed form; AUC's covers the AUC of the world. */
static void intervals_cover(void **state) {
    enum { N = 400, WORLDS = 150, BIG = 200000 };
    double *p = ARENA_ARRAY(*state, BIG, double), *y = ARENA_ARRAY(*state, BIG, double), truth[METRIC_COUNT];
    struct rng r = rng_from_seed(11);
    draw_world(&r, BIG, p, y, 0);
    metrics_values(*state, ranking_new(*state, p, y, BIG), truth);
    int covered[METRIC_COUNT] = {0};
    for (int w = 0; w < WORLDS; w++) {
        struct metrics m;
        draw_world(&r, N, p, y, 0);
        metrics_compute(*state, p, y, N, &(struct metrics_opts){.seed = (uint64_t)w, .resamples = 300}, &m);
        for (size_t k = 0; k < METRIC_COUNT; k++)
            covered[k] += m.of[k].low <= truth[k] && truth[k] <= m.of[k].high;
    }
    assert_in_range(covered[METRIC_AUC], 0.88 * WORLDS, 0.99 * WORLDS);
    assert_in_range(covered[METRIC_LOG_LOSS], 0.88 * WORLDS, 0.99 * WORLDS);
    assert_in_range(covered[METRIC_BRIER], 0.88 * WORLDS, 0.99 * WORLDS);
    assert_in_range(covered[METRIC_PR_AUC], 0.86 * WORLDS, 1.0 * WORLDS);
}

static void brier_interval_has_its_closed_form(void **state) {
    enum { N = 3000 };
    double *p = ARENA_ARRAY(*state, N, double), *y = ARENA_ARRAY(*state, N, double), sum = 0, square = 0;
    struct rng r = rng_from_seed(5);
    draw_world(&r, N, p, y, 0);
    for (size_t i = 0; i < N; i++) {
        double e = (y[i] - p[i]) * (y[i] - p[i]);
        sum += e;
        square += e * e;
    }
    double sd = sqrt((square / N - sum / N * sum / N) / N);
    struct metrics m;
    metrics_compute(*state, p, y, N, &(struct metrics_opts){.resamples = 2000}, &m);
    assert_close(m.of[METRIC_BRIER].high - m.of[METRIC_BRIER].low, 2 * 1.96 * sd, 0.25 * sd);
    assert_close(m.of[METRIC_BRIER].value, sum / N, 1e-12);
}

/* The floor is what calibrated worlds really show: mean and 95th percentile of the ECE of freshly drawn outcomes. */
static void check_floor(struct arena *a, size_t n, double digits) {
    enum { WORLDS = 400 };
    double *p = ARENA_ARRAY(a, n, double), *y = ARENA_ARRAY(a, n, double), value[METRIC_COUNT], mean = 0;
    struct rng r = rng_from_seed(6);
    draw_world(&r, n, p, y, digits);
    struct ece_floor f;
    metrics_ece_floor(a, ranking_new(a, p, y, n), 1, 0, &f);
    int above = 0, in_band = 0;
    for (int w = 0; w < WORLDS; w++) {
        for (size_t i = 0; i < n; i++)
            y[i] = rng_uniform(&r) < p[i];
        metrics_values(a, ranking_new(a, p, y, n), value);
        mean += value[METRIC_ECE] / WORLDS;
        above += value[METRIC_ECE] > f.p95.value;
    }
    assert_close(f.mean, mean, 0.05 * mean);
    assert_in_range(above, 0.02 * WORLDS, 0.09 * WORLDS);
    assert_true(f.p95.low < f.p95.value && f.p95.value < f.p95.high && f.mean < f.p95.low);
    for (size_t b = 0; b < METRICS_BIN; b++)
        in_band += f.band_low[b] <= 0 && f.band_high[b] >= 0;
    assert_true(in_band == METRICS_BIN);
}

static void floor_is_what_calibrated_models_show(void **state) {
    check_floor(*state, 300, 0);   /* every outcome drawn */
    check_floor(*state, 9000, 0);  /* normal sums */
    check_floor(*state, 500, 20);  /* ties across bins */
    check_floor(*state, 9000, 10); /* both */
    double p[15], y[15] = {0};
    for (size_t i = 0; i < 15; i++)
        p[i] = 0;
    struct ece_floor certain;
    metrics_ece_floor(*state, ranking_new(*state, p, y, 15), 1, 0, &certain);
    assert_close(certain.p95.value, 0, 0);
}

static void one_class_and_one_row_are_defined_where_they_can_be(void **state) {
    const double p[] = {0.2, 0.4, 0.4}, none[] = {0, 0, 0}, one[] = {1};
    struct metrics m;
    metrics_compute(*state, p, none, 3, NULL, &m);
    assert_true(isnan(m.of[METRIC_AUC].value) && isnan(m.of[METRIC_AUC].low) && isnan(m.of[METRIC_PR_AUC].value));
    assert_close(m.of[METRIC_BRIER].value, (0.04 + 0.16 + 0.16) / 3, 1e-15);
    assert_close(m.base_log_loss, 0, 0);
    metrics_compute(*state, p, one, 1, NULL, &m);
    assert_close(m.of[METRIC_LOG_LOSS].value, -log(0.2), 1e-15);
    assert_close(m.of[METRIC_PRECISION_AT_10].value, 1, 0);
}

static void entropy_of_the_score_distribution(void **state) {
    double p[40], y[40] = {0};
    for (size_t i = 0; i < 40; i++)
        p[i] = ((double)(i % 20) + 0.5) / 20;
    assert_close(metrics_entropy(ranking_new(*state, p, y, 40)), log(20), 1e-12);
    for (size_t i = 0; i < 40; i++)
        p[i] = i < 20 ? 0.01 : 1;
    assert_close(metrics_entropy(ranking_new(*state, p, y, 40)), log(2), 1e-12);
    assert_close(metrics_entropy(ranking_new(*state, p, y, 20)), 0, 1e-12);
}

static void wilson_by_hand(void **state) {
    (void)state;
    double low, high;
    metrics_wilson(0, 10, &low, &high); /* scipy: 0, 0.2775328 */
    assert_close(low, 0, 0);
    assert_close(high, 0.27753279, 1e-8);
    metrics_wilson(8, 10, &low, &high);
    assert_close(low, 0.4901624715366418, 1e-10);
    assert_close(high, 0.9433178485456247, 1e-10);
    metrics_wilson(0, 0, &low, &high);
    assert_close(high - low, 1, 0);
}

static void comparing_finds_what_is_there(void **state) {
    enum { N = 2000 };
    double *good = ARENA_ARRAY(*state, N, double), *y = ARENA_ARRAY(*state, N, double),
           *bad = ARENA_ARRAY(*state, N, double);
    struct rng r = rng_from_seed(8);
    draw_world(&r, N, good, y, 0);
    for (size_t i = 0; i < N; i++)
        bad[i] = 1 / (1 + exp(-log(good[i] / (1 - good[i])) + 1.5 * rng_normal(&r)));
    struct comparison c;
    metrics_compare(*state, good, bad, y, N, NULL, &c);
    assert_int_equal(c.resamples, 1000);
    assert_true(c.auc.low > 0 && c.auc.p_value < 0.01 && c.log_loss.high < 0 && c.brier.high < 0);
    double vg[METRIC_COUNT], vb[METRIC_COUNT];
    metrics_values(*state, ranking_new(*state, good, y, N), vg);
    metrics_values(*state, ranking_new(*state, bad, y, N), vb);
    assert_close(c.auc.value, vg[METRIC_AUC] - vb[METRIC_AUC], 1e-12);
    assert_close(c.log_loss.value, vg[METRIC_LOG_LOSS] - vb[METRIC_LOG_LOSS], 1e-12);
    assert_close(c.brier.value, vg[METRIC_BRIER] - vb[METRIC_BRIER], 1e-12);
    metrics_compare(*state, good, good, y, N, NULL, &c);
    assert_close(c.auc.value, 0, 0);
    assert_close(c.auc.p_value, 1, 0);
}

/* Two models that are equally good and differ by noise: p-values under 5 % in about 5 % of worlds. */
static void comparing_equals_is_rarely_significant(void **state) {
    enum { N = 300, WORLDS = 200 };
    double truth[N], y[N], a[N], b[N];
    struct rng r = rng_from_seed(9);
    int significant = 0;
    for (int w = 0; w < WORLDS; w++) {
        draw_world(&r, N, truth, y, 0);
        for (size_t i = 0; i < N; i++) {
            double z = log(truth[i] / (1 - truth[i]));
            a[i] = 1 / (1 + exp(-z + 0.7 * rng_normal(&r)));
            b[i] = 1 / (1 + exp(-z + 0.7 * rng_normal(&r)));
        }
        struct comparison c;
        metrics_compare(*state, a, b, y, N, &(struct metrics_opts){.seed = (uint64_t)w, .resamples = 300}, &c);
        significant += c.auc.p_value < 0.05;
    }
    assert_in_range(significant, 2, 0.11 * WORLDS);
}

static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void many_rows_stay_affordable(void **state) {
    enum { N = 1000000 };
    double *p = ARENA_ARRAY(*state, N, double), *y = ARENA_ARRAY(*state, N, double);
    struct rng r = rng_from_seed(10);
    struct metrics m;
    for (size_t n = 2800; n <= N; n = n < N ? N : N + 1) {
        draw_world(&r, n, p, y, 0);
        double start = cpu_seconds();
        metrics_compute(*state, p, y, n, NULL, &m);
        print_message("# metrics of %zu rows: %.3f s, %u resamples\n", n, cpu_seconds() - start, m.resamples);
        assert_true(m.of[METRIC_AUC].low < m.of[METRIC_AUC].value && m.of[METRIC_AUC].value < m.of[METRIC_AUC].high);
    }
    assert_true(m.of[METRIC_AUC].high - m.of[METRIC_AUC].low < 0.004);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(figures_agree_with_scikit_learn),
        ARENA_TEST(row_order_does_not_matter),
        ARENA_TEST(same_seed_same_intervals),
        ARENA_TEST(intervals_cover),
        ARENA_TEST(brier_interval_has_its_closed_form),
        ARENA_TEST(floor_is_what_calibrated_models_show),
        ARENA_TEST(one_class_and_one_row_are_defined_where_they_can_be),
        ARENA_TEST(entropy_of_the_score_distribution),
        ARENA_TEST(wilson_by_hand),
        ARENA_TEST(comparing_finds_what_is_there),
        ARENA_TEST(comparing_equals_is_rarely_significant),
        ARENA_TEST(many_rows_stay_affordable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
