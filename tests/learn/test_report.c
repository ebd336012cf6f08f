/* test_report.c — an evaluation as JSON and as a page: the contract's keys, words that fit the figures, hostile names. */
#include "learn/report.h"

#include "base/rng.h"
#include "unit.h"

#include <stdlib.h>

#define ARRAY_COUNT(x) (sizeof(x) / sizeof *(x))

/* A world where `skill` says how much of the truth the model sees, and `boldness` stretches its log-odds. */
struct world {
    size_t n;
    double *p, *y;
    uint32_t *source, *country;
};

static struct world draw_world(struct arena *a, uint64_t seed, size_t n, double skill, double boldness) {
    struct world w = {n, ARENA_ARRAY(a, n, double), ARENA_ARRAY(a, n, double), ARENA_ARRAY(a, n, uint32_t),
                      ARENA_ARRAY(a, n, uint32_t)};
    struct rng r = rng_from_seed(seed);
    for (size_t i = 0; i < n; i++) {
        double z = -0.7 + skill * rng_normal(&r);
        w.p[i] = 1 / (1 + exp(-boldness * z));
        w.y[i] = rng_uniform(&r) < 1 / (1 + exp(-z));
        w.source[i] = (uint32_t)rng_below(&r, 5);
        w.country[i] = (uint32_t)(rng_uniform(&r) * rng_uniform(&r) * 4);
    }
    return w;
}

static struct evaluation_part *measure(struct arena *a, const struct world *w) {
    struct evaluation_part *part = ARENA_NEW(a, struct evaluation_part);
    evaluation_compute(a, w->p, w->y, w->n,
                       &(struct evaluation_opts){.costs = evaluation_default_costs, .hot = 0.85, .warm = 0.5}, part);
    return part;
}

static const str sources[] = {STR_INIT("Organic search"), STR_INIT("Direct traffic"), STR_INIT("Reference"),
                              STR_INIT("Chat"), STR_INIT("<img src=x onerror=alert(1)>")};
static const str countries[] = {STR_INIT("India"), STR_INIT("United States"), STR_INIT("United Arab Emirates"),
                                STR_INIT("")};
static const struct evaluation_feature features[] = {
    {STR_INIT("City"), STR_INIT("firmographic"), 0.04},
    {STR_INIT("Total time spent on website"), STR_INIT("behavioural"), 1.234},
    {STR_INIT("</td><script>alert(2)</script>"), STR_INIT("\"><b>"), 0.61},
    {STR_INIT("Lead origin"), STR_INIT("chronographic"), 0.82},
    {STR_INIT("Occupation"), STR_INIT("demographic"), 0.55},
};
static const struct evaluation_warning warnings[] = {
    {STR_INIT("leak_excluded"), STR_INIT("Tags"),
     STR_INIT("left out: its levels nearly decide the outcome (AUC 0.95 alone), so it is "
              "probably filled in afterwards")},
    {STR_INIT("constant"), STR_INIT("Magazine"), STR_INIT("left out: one value in every row")},
    {STR_INIT("leak_suspected"), STR_INIT("Lead \u202eQuality & 'more'"),
     STR_INIT("kept, but look at it: filled in for 37 % of leads")},
};
static const struct evaluation_member members[] = {{STR_INIT("logistic"), 0.31, 0.3921}, {STR_INIT("gbdt"), 0.7, 0.3818}};

static struct evaluation full_evaluation(struct arena *a) {
    struct world test = draw_world(a, 1, 2772, 2.2, 1), train = draw_world(a, 2, 6468, 2.4, 1);
    struct evaluation e = {
        .data_name = STR("x_education.csv"),
        .target = STR("Converted"),
        .positive = STR("1"),
        .split = STR("hash:0.3"),
        .family = STR("auto"),
        .calibration = STR("beta"),
        .model_name = STR("leads.galena"),
        .model_id = STR("b3f1…9a"),
        .made_at = STR("2026-11-23T02:10:00Z"),
        .program = STR("galena 0.1.0"),
        .seed = 42,
        .rows = 9240,
        .train_rows = 6468,
        .test_rows = 2772,
        .positives = 3561,
        .test = measure(a, &test),
        .train = measure(a, &train),
        .costs = evaluation_default_costs,
        .costs_assumed = true,
        .hot = 0.85,
        .warm = 0.5,
        .member = members,
        .n_member = ARRAY_COUNT(members),
        .feature = features,
        .n_feature = ARRAY_COUNT(features),
        .warning = warnings,
        .n_warning = ARRAY_COUNT(warnings),
        .seconds = {0.03, 2.11, 0.06, 2.2},
        .peak_rss_byte = 84000000,
    };
    const struct segment_by by[] = {{STR("Lead source"), sources, 5, test.source},
                                    {STR("Country"), countries, 4, test.country}};
    evaluation_segments(a, test.p, test.y, test.n, by, 2, 30, &e.segment, &e.n_segment);
    return e;
}

static const struct json *as_json(struct arena *a, const struct evaluation *e, bool full) {
    struct buf *text = buf_in(a, 1 << 22);
    struct json_writer w;
    const struct json *v = NULL;
    json_write_begin(&w, text, 2);
    report_write_json(e, full, &w);
    assert_ok(buf_check(text));
    assert_ok(json_parse(a, buf_str(text), NULL, &v));
    return v;
}

static void json_has_the_keys_that_are_promised(void **state) {
    struct evaluation e = full_evaluation(*state);
    const struct json *v = as_json(*state, &e, false);
    static const char *const numbers[] = {
        "/rows",         "/train_rows",  "/test_rows",        "/positives",     "/features/0/importance",
        "/seconds/read", "/seconds/fit", "/seconds/evaluate", "/seconds/total", "/peak_rss_bytes"};
    static const char *const texts[] = {"/family",          "/warnings/0/code",  "/warnings/0/field",  "/warnings/0/message",
                                        "/features/0/name", "/features/0/group", "/calibration/method"};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
        if (!json_is_number(json_pointer(v, str_from(numbers[i]))))
            fail_msg("%s is no number", numbers[i]);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (!json_pointer(v, str_from(texts[i])) || json_pointer(v, str_from(texts[i]))->type != JSON_STRING)
            fail_msg("%s is no text", texts[i]);
    static const char *const figures[] = {"auc",           "log_loss", "brier",           "ece",
                                          "ece_floor_p95", "pr_auc",   "precision_at_10", "lift_at_10"};
    for (size_t i = 0; i < ARRAY_COUNT(figures); i++)
        for (int part = 0; part < 2; part++) {
            char path[64], pair[80];
            snprintf(path, sizeof path, "/metrics/%s/%s", part ? "train" : "test", figures[i]);
            snprintf(pair, sizeof pair, "%s_ci", path);
            const struct json *value = json_pointer(v, str_from(path)), *ci = json_pointer(v, str_from(pair));
            assert_true(json_is_number(value));
            assert_true(ci && ci->type == JSON_ARRAY && ci->count == 2);
            assert_true(json_number_of(&ci->items[0]) <= json_number_of(value));
            assert_true(json_number_of(&ci->items[1]) >= json_number_of(value));
        }
    assert_null(json_get(v, STR("curves")));
    assert_close(json_number_of(json_pointer(v, STR("/metrics/test/auc"))), e.test->metrics.of[METRIC_AUC].value, 0);
}

static void full_json_has_curves_thresholds_and_segments(void **state) {
    struct evaluation e = full_evaluation(*state);
    const struct json *v = as_json(*state, &e, true);
    assert_true(json_pointer(v, STR("/curves/roc"))->count > 10);
    assert_int_equal(json_pointer(v, STR("/curves/deciles"))->count, 10);
    assert_int_equal(json_pointer(v, STR("/curves/reliability"))->count, METRICS_BIN);
    assert_int_equal(json_pointer(v, STR("/segments"))->count, e.n_segment);
    assert_int_equal(json_pointer(v, STR("/thresholds/rows"))->count,
                     20); /* 19 and the break-even: the tiers are among them */
    assert_close(json_number_of(json_pointer(v, STR("/thresholds/break_even"))), 1.0 / 11, 1e-12);
    assert_int_equal(json_pointer(v, STR("/curves/roc/0/threshold"))->type, JSON_NULL);
}

static void parts_that_are_missing_are_null(void **state) {
    struct evaluation e = {.rows = 3, .train_rows = 3, .family = STR("subscore"), .calibration = STR("none")};
    const struct json *v = as_json(*state, &e, true);
    assert_int_equal(json_pointer(v, STR("/metrics/test"))->type, JSON_NULL);
    assert_int_equal(json_pointer(v, STR("/warnings"))->count, 0);
    struct buf *page = buf_in(*state, 1 << 20);
    report_write_html(*state, &e, page);
    assert_ok(buf_check(page));
    assert_true(str_find(buf_str(page), STR("Nothing was measured")) > 0);
}

/* Every row of a segment is counted once, and its figures are those of its rows alone. */
static void segments_are_judged_on_their_own_rows(void **state) {
    const double p[] = {0.1, 0.9, 0.2, 0.8, 0.5, 0.6}, y[] = {0, 1, 1, 0, 1, 1};
    const uint32_t level[] = {0, 0, 1, 1, 7, 0};
    const str names[] = {STR("a"), STR("b"), STR("unused")};
    const struct segment_by by = {STR("f"), names, 3, level};
    const struct evaluation_segment *s;
    size_t n;
    evaluation_segments(*state, p, y, 6, &by, 1, 1, &s, &n);
    assert_int_equal(n, 2);
    assert_str(s[0].level, "a");
    assert_int_equal(s[0].rows, 3);
    assert_int_equal(s[0].positives, 2);
    assert_close(s[0].auc, 1, 0);
    assert_close(s[0].mean_prediction, 1.6 / 3, 1e-12);
    assert_close(s[1].auc, 0, 0);
    assert_true(s[1].low < 0.5 && s[1].high > 0.5);
    evaluation_segments(*state, p, y, 6, &by, 1, 3, &s, &n);
    assert_int_equal(n, 1);
}

static str summary_of(struct arena *a, uint64_t seed, size_t n, double skill, double boldness) {
    struct world w = draw_world(a, seed, n, skill, boldness);
    struct evaluation e = {.test = measure(a, &w), .costs = evaluation_default_costs};
    return report_summary(a, &e);
}

static void words_fit_the_figures(void **state) {
    assert_true(str_starts(summary_of(*state, 3, 3000, 2.2, 1),
                           STR("This model ranks leads well, and its probabilities can be taken")));
    assert_true(str_starts(summary_of(*state, 4, 3000, 2.2, 2.5),
                           STR("This model ranks leads well, and its probabilities should not")));
    assert_true(
        str_starts(summary_of(*state, 5, 3000, 9, 1), STR("This model ranks leads almost perfectly, which is rarely true")));
    assert_true(str_starts(summary_of(*state, 6, 3000, 0, 1), STR("There is not enough signal")));
    assert_true(str_find(summary_of(*state, 7, 60, 2, 1), STR("That is very little")) > 0);
    /* good order, but sure of itself where it is wrong */
    assert_true(str_starts(summary_of(*state, 10, 3000, 2.2, 9),
                           STR("This model ranks leads well, and its probabilities should not")));
    struct world w = draw_world(*state, 8, 50, 1, 1);
    for (size_t i = 0; i < w.n; i++)
        w.y[i] = 0;
    struct evaluation e = {.train = measure(*state, &w), .costs = evaluation_default_costs};
    str s = report_summary(*state, &e);
    assert_true(str_starts(s, STR("These rows cannot show")));
    assert_true(str_find(s, STR("flatter")) > 0 && str_find(s, STR("nan")) < 0);
}

static void write_page(struct arena *a, const char *name, const struct evaluation *e) {
    struct buf *page = buf_in(a, 4 << 20);
    report_write_html(a, e, page);
    assert_ok(buf_check(page));
    str s = buf_str(page);
    assert_true(str_find(s, STR("<script")) < 0 && str_find(s, STR("<img")) < 0 && str_find(s, STR("\u202e")) < 0);
    const char *folder = getenv("GALENA_REPORT_OUT"); /* check_report.py reads what is written there */
    if (!folder)
        return;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s.ptr, 1, s.len, f), s.len);
    fclose(f);
}

static void pages_are_safe_whatever_the_names(void **state) {
    struct evaluation e = full_evaluation(*state);
    write_page(*state, "full.html", &e);
    struct world w = draw_world(*state, 9, 2772, 2.2, 1), other = draw_world(*state, 9, 2772, 2.2, 1);
    struct rng r = rng_from_seed(1);
    for (size_t i = 0; i < w.n; i++)
        other.p[i] = fmin(fmax(other.p[i] + 0.1 * rng_normal(&r), 0), 1);
    struct comparison c;
    metrics_compare(*state, w.p, other.p, w.y, w.n, NULL, &c);
    e.against = &c;
    e.against_name = STR("last <quarter>");
    struct world rare = draw_world(*state, 10, 1357, 0.9, 1);
    for (size_t i = 0; i < rare.n; i++) {
        rare.p[i] /= 3;
        rare.y[i] = rare.y[i] > 0 && i % 3 == 0;
    }
    e.test = measure(*state, &rare);
    write_page(*state, "rare.html", &e);
    e.test = NULL;
    e.out_of_fold = measure(*state, &other);
    e.costs_assumed = false;
    write_page(*state, "out_of_fold.html", &e);
}

static void degenerate_pages_are_whole(void **state) {
    for (int outcome = 0; outcome < 2; outcome++)
        for (size_t n = 1; n < 30; n += 14) {
            struct world w = draw_world(*state, n, n, 1, 1);
            for (size_t i = 0; i < n; i++) {
                w.y[i] = outcome;
                w.p[i] = (double)(i % 2);
            }
            struct evaluation e = {.train = measure(*state, &w), .no_signal = true, .costs = {0, 0}};
            char name[64];
            snprintf(name, sizeof name, "degenerate-%d-%zu.html", outcome, n);
            write_page(*state, name, &e);
            (void)as_json(*state, &e, true);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(json_has_the_keys_that_are_promised),
        ARENA_TEST(full_json_has_curves_thresholds_and_segments),
        ARENA_TEST(parts_that_are_missing_are_null),
        ARENA_TEST(segments_are_judged_on_their_own_rows),
        ARENA_TEST(words_fit_the_figures),
        ARENA_TEST(pages_are_safe_whatever_the_names),
        ARENA_TEST(degenerate_pages_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
