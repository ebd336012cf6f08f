/* test_metrics.c — what is counted is what is written. */
#include "base/metrics.h"
#include "unit.h"

#include <pthread.h>

static str text(struct arena *a, const struct metrics *m) {
    struct buf *b = buf_in(a, 1 << 20);
    metrics_write(m, b);
    assert_ok(buf_check(b));
    return buf_str(b);
}

static void test_text(void **state) {
    struct metrics *m = metrics_new(*state);
    struct metric *a = metrics_counter(m, "x_total", "Things", "kind=\"a\"");
    struct metric *g = metrics_gauge(m, "y", "Level", "");
    struct metric *b = metrics_counter(m, "x_total", "Things", "kind=\"b\"");
    metric_add(a, 3);
    metric_add(b, 4);
    metric_set(g, -2);
    assert_str(text(*state, m),
               "# HELP x_total Things\n# TYPE x_total counter\nx_total{kind=\"a\"} 3\nx_total{kind=\"b\"} 4\n"
               "# HELP y Level\n# TYPE y gauge\ny -2\n");
}

static void test_histogram(void **state) {
    struct metrics *m = metrics_new(*state);
    struct histogram *h = metrics_histogram(m, "t_seconds", "Time", "stage=\"score\"");
    assert_int_equal(histogram_quantile_us(h, 0.5), 0);
    for (int i = 0; i < 99; i++)
        histogram_add_us(h, 200);
    histogram_add_us(h, 120 * 1000000ll);
    assert_int_equal(histogram_quantile_us(h, 0.5), 250);
    assert_int_equal(histogram_quantile_us(h, 0.99), 250);
    assert_int_equal(histogram_quantile_us(h, 1), metrics_bound_us(METRICS_N_BUCKET - 1));
    str s = text(*state, m);
    assert_true(str_find(s, STR("t_seconds_bucket{stage=\"score\",le=\"0.0001\"} 0\n")) >= 0);
    assert_true(str_find(s, STR("t_seconds_bucket{stage=\"score\",le=\"0.00025\"} 99\n")) >= 0);
    assert_true(str_find(s, STR("t_seconds_bucket{stage=\"score\",le=\"60\"} 99\n")) >= 0);
    assert_true(str_find(s, STR("t_seconds_bucket{stage=\"score\",le=\"+Inf\"} 100\n")) >= 0);
    assert_true(str_find(s, STR("t_seconds_sum{stage=\"score\"} 120.019800\n")) >= 0);
    assert_true(str_find(s, STR("t_seconds_count{stage=\"score\"} 100\n")) >= 0);
}

static void set_gauge(void *ctx) { metric_set(ctx, 7); }

static void test_collected_before_writing(void **state) {
    struct metrics *m = metrics_new(*state);
    struct metric *g = metrics_gauge(m, "late", "Looked up", "");
    metrics_collect_with(m, set_gauge, g);
    assert_true(str_find(text(*state, m), STR("late 7\n")) >= 0);
}

static void *count_up(void *ctx) {
    for (int i = 0; i < 50000; i++)
        metric_add(ctx, 1);
    return NULL;
}

static void test_threads(void **state) {
    struct metric *c = metrics_counter(metrics_new(*state), "n_total", "N", "");
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, count_up, c), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(metric_get(c), 200000);
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_text), ARENA_TEST(test_histogram),
                                       ARENA_TEST(test_collected_before_writing), ARENA_TEST(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
