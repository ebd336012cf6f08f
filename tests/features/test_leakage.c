/* test_leakage.c — what the sentinel must stop, what it must not, on drawn tables with a known making. */
#include "features/leakage.h"
#include "frames.h"

enum { N = 4000 };

/* A table of honest fields of usual strength; field k of `names` may be overwritten by the test. y is drawn before the
 * leaks. */
static struct sheet *honest(struct arena *a, uint64_t seed, size_t n_col, const char *const *names, double base) {
    struct sheet *s = sheet_new(a, N, n_col, names);
    struct rng r = rng_from_seed(seed);
    for (size_t i = 0; i < N; i++) {
        double size = rng_normal(&r), visits = rng_normal(&r);
        size_t source = rng_below(&r, 5);
        double logit = log(base / (1 - base)) + 0.8 * size + 1.2 * visits + (source == 0 ? 2 : 0);
        s->cell[0][i] = str_format(a, "%.0f", exp(4 + size));
        s->cell[1][i] = str_format(a, "%.0f", exp(2 + visits));
        s->cell[2][i] = str_from(((const char *const[]){"Referral", "Ads", "Search", "Fair", "Mail"})[source]);
        s->y[i] = rng_uniform(&r) < 1 / (1 + exp(-logit));
    }
    return s;
}

static const char *const four[] = {"Employees", "Visits", "Source", "Field"};

static struct leak_report *scan(struct arena *a, const struct sheet *s, struct leak_opts o) {
    struct leak_report *r = NULL;
    assert_ok(leak_find(a, &s->frame, sheet_infer(a, s), s->rows, s->frame.n_row, s->y, &o, &r));
    return r;
}

static const struct leak_finding *find(const struct leak_report *r, const char *field, enum leak_code code) {
    for (size_t i = 0; i < r->n; i++)
        if (str_equal(r->finding[i].field, str_from(field)) && r->finding[i].code == code)
            return &r->finding[i];
    return NULL;
}

static enum leak_severity worst(const struct leak_report *r, const char *field) {
    for (size_t i = 0; i < r->n; i++) /* most severe first */
        if (str_equal(r->finding[i].field, str_from(field)))
            return r->finding[i].severity;
    return LEAK_NOTE;
}

static void honest_tables_pass(void **state) {
    static const char *const telco[] = {"tenure", "MonthlyCharges", "Contract", "PaymentMethod"};
    static const char *const sales[] = {"Elapsed Days In Sales Stage", "Ratio Days Qualified To Total Days",
                                        "Supplies Group", "Revenue From Client Past Two Years"};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sheet *s = honest(*state, seed, 4,
                                 seed % 3 == 0   ? telco
                                 : seed % 3 == 1 ? sales
                                                 : four,
                                 seed % 2 ? 0.35 : 0.06);
        struct rng r = rng_from_seed(seed + 100);
        for (size_t i = 0; i < N; i++)
            s->cell[3][i] = str_format(*state, "%c", (int)('a' + rng_below(&r, 12) / (1 + (uint64_t)s->y[i])));
        const struct leak_report *report = scan(*state, s, (struct leak_opts){0});
        if (report->n_certain > 0)
            fail_msg("seed %d: %.*s: %.*s", (int)seed, STR_ARG(report->finding[0].field),
                     STR_ARG(report->finding[0].evidence));
    }
}

/* A strong but honest level: 92 % of 8 % of the rows. */
static void strong_honest_levels_pass(void **state) {
    struct sheet *s = honest(*state, 1, 4, four, 0.35);
    struct rng r = rng_from_seed(5);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = s->y[i] > 0              ? (rng_below(&r, 100) < 19 ? STR("Form") : STR("API"))
                        : rng_below(&r, 100) < 1 ? STR("Form")
                                                 : STR("API");
    assert_int_equal(scan(*state, s, (struct leak_opts){0})->n_certain, 0);
}

static void a_copy_of_the_target_is_certain(void **state) {
    struct sheet *s = honest(*state, 2, 4, four, 0.3);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = s->y[i] > 0 ? STR("red") : i % 2 ? STR("blue") : STR("green");
    const struct leak_report *r = scan(*state, s, (struct leak_opts){0});
    const struct leak_finding *l = find(r, "Field", LEAK_TARGET_COPY);
    assert_non_null(l);
    assert_int_equal(l->severity, LEAK_CERTAIN);
    assert_close(l->auc, 1, 1e-12);
}

/* As the tags of a sales team: some levels nearly always, some nearly never, and an undecided rest. */
static void settled_levels_on_both_sides_are_certain(void **state) {
    struct sheet *s = honest(*state, 3, 4, four, 0.35);
    struct rng r = rng_from_seed(7);
    for (size_t i = 0; i < N; i++) {
        bool open = rng_below(&r, 100) < 35, noise = rng_below(&r, 100) < 1;
        s->cell[3][i] = open                     ? STR("")
                        : (s->y[i] > 0) != noise ? STR("will come back")
                        : i % 2                  ? STR("ringing")
                                                 : STR("busy");
    }
    const struct leak_finding *l = find(scan(*state, s, (struct leak_opts){0}), "Field", LEAK_NEAR_DETERMINISTIC);
    assert_non_null(l);
    assert_int_equal(l->severity, LEAK_CERTAIN);
    assert_str(l->level, "will come back");
}

static void small_levels_do_not_alarm(void **state) {
    struct sheet *s = honest(*state, 4, 4, four, 0.35);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = str_format(*state, "%c%c", s->y[i] > 0 ? 'x' : 'o', (int)('a' + i % 26));
    for (size_t i = 300; i < N; i++) /* eleven rows a level, then one level for all */
        s->cell[3][i] = STR("rest");
    assert_int_equal(worst(scan(*state, s, (struct leak_opts){0}), "Field"), LEAK_NOTE);
}

static void filled_because_of_the_outcome_is_certain(void **state) {
    struct sheet *s = honest(*state, 5, 4, four, 0.2);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = s->y[i] > 0 && i % 10 ? str_format(*state, "%zu", 1000 + i * 37 % 5000) : STR("");
    const struct leak_report *r = scan(*state, s, (struct leak_opts){0});
    assert_int_equal(worst(r, "Field"), LEAK_CERTAIN);
    assert_non_null(find(r, "Field", LEAK_FILLED_AFTER_OUTCOME));
}

/* A name in nearly all converted rows and hardly any other, each another: no use as a feature but for being there. */
static void names_given_because_of_the_outcome_are_certain(void **state) {
    struct sheet *s = honest(*state, 5, 4, four, 0.2);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = s->y[i] > 0 || i % 100 == 0 ? str_format(*state, "K-%06zu/a", i) : STR("");
    assert_int_equal(worst(scan(*state, s, (struct leak_opts){0}), "Field"), LEAK_CERTAIN);
    struct rng r = rng_from_seed(12);
    for (size_t i = 0; i < N; i++) /* honest: whether one is there tells, as of a phone number */
        s->cell[3][i] = rng_uniform(&r) < 0.3 + 0.3 * s->y[i] ? str_format(*state, "K-%06zu/a", i) : STR("");
    assert_int_equal(scan(*state, s, (struct leak_opts){0})->n_certain, 0);
}

static void a_field_that_hardly_beats_the_rest_passes(void **state) {
    struct sheet *s = honest(*state, 6, 4, four, 0.3);
    struct rng r = rng_from_seed(11);
    for (size_t i = 0; i < N; i++) /* missing is informative, as in most tables: 14 % against 45 % */
        s->cell[3][i] =
            rng_below(&r, 100) < (s->y[i] > 0 ? 10u : 40u) ? STR("") : str_format(*state, "%u", (unsigned)rng_below(&r, 90));
    assert_int_equal(worst(scan(*state, s, (struct leak_opts){0}), "Field"), LEAK_NOTE);
}

/* The length of a call: nothing is sold in calls of seconds. The same numbers under another name are no contact length. */
static void call_lengths_are_suspect(void **state) {
    const char *names[] = {"Employees", "Visits", "Source", "duration"};
    for (int named = 0; named < 2; named++) {
        if (!named)
            names[3] = "Score total seconds";
        struct sheet *s = honest(*state, 7, 4, names, 0.12);
        struct rng r = rng_from_seed(13);
        for (size_t i = 0; i < N; i++)
            s->cell[3][i] = str_format(*state, "%.0f", exp((s->y[i] > 0 ? 6.2 : 5) + 0.9 * rng_normal(&r)));
        const struct leak_report *report = scan(*state, s, (struct leak_opts){0});
        assert_int_equal(report->n_certain, 0);
        if (named == 1)
            assert_int_equal(find(report, names[3], LEAK_DURATION_AFTER_CONTACT)->severity, LEAK_SUSPECT);
        else
            assert_null(find(report, names[3], LEAK_DURATION_AFTER_CONTACT));
        names[3] = "duration";
    }
}

static void names_alone_are_never_certain(void **state) {
    static const char *const named[] = {"Deal Stage",   "Lead Score", "Closed Reason",
                                        "Lead Quality", "Outcome",    "marital status"};
    for (size_t k = 0; k < 6; k++) {
        const char *names[] = {"Employees", "Visits", "Source", named[k]};
        struct sheet *s = honest(*state, 8, 4, names, 0.3);
        struct rng r = rng_from_seed(17);
        for (size_t i = 0; i < N; i++) { /* telling, but no level is settled */
            unsigned level = (unsigned)rng_below(&r, 6);
            s->cell[3][i] = str_format(*state, "level %u", s->y[i] > 0 || level < 3 ? level : (unsigned)rng_below(&r, 6));
        }
        const struct leak_report *report = scan(*state, s, (struct leak_opts){0});
        assert_int_equal(report->n_certain, 0);
        if (k == 5)
            assert_null(find(report, named[k], LEAK_STATUS_LIKE_NAME));
        else if (k != 2)
            assert_true(find(report, named[k], LEAK_STATUS_LIKE_NAME) || find(report, named[k], LEAK_JUDGEMENT_LIKE_NAME));
    }
}

/* Nor is a quantity with a status in its name a status. */
static void days_in_a_stage_are_no_stage(void **state) {
    const char *names[] = {"Employees", "Visits", "Source", "Elapsed Days In Sales Stage"};
    struct sheet *s = honest(*state, 12, 4, names, 0.3);
    struct rng r = rng_from_seed(19);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = str_format(*state, "%u", (unsigned)rng_below(&r, s->y[i] > 0 ? 100 : 200));
    assert_int_equal(worst(scan(*state, s, (struct leak_opts){0}), names[3]), LEAK_NOTE);
}

static void dates_after_the_row_are_found(void **state) {
    const char *names[] = {"Employees", "Visits", "Source", "Signed", "Created"};
    struct sheet *s = honest(*state, 9, 5, names, 0.3);
    for (size_t i = 0; i < N; i++) {
        s->cell[4][i] = str_format(*state, "2026-01-%02zu", 1 + i % 28);
        s->cell[3][i] = s->y[i] > 0 && i % 3 ? str_format(*state, "2026-03-%02zu", 1 + i % 28)
                                             : str_format(*state, "2025-11-%02zu", 1 + i % 28);
    }
    const struct leak_finding *l =
        find(scan(*state, s, (struct leak_opts){.time = STR("Created")}), "Signed", LEAK_FUTURE_DATE);
    assert_non_null(l);
    assert_int_equal(l->severity, LEAK_SUSPECT);
    assert_null(find(scan(*state, s, (struct leak_opts){.now_ms = INT64_C(1777000000000)}), "Signed", LEAK_FUTURE_DATE));
    assert_non_null(find(scan(*state, s, (struct leak_opts){.now_ms = INT64_C(1770000000000)}), "Signed", LEAK_FUTURE_DATE));
}

static void tiny_and_one_sided_tables_are_safe(void **state) {
    struct sheet *s = honest(*state, 10, 4, four, 0.3);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = s->y[i] > 0 ? STR("a") : STR("b");
    s->frame.n_row = 12;
    assert_int_equal(scan(*state, s, (struct leak_opts){0})->n_certain, 0); /* twelve rows prove nothing */
    for (size_t i = 0; i < 12; i++)
        s->y[i] = 1;
    assert_int_equal(scan(*state, s, (struct leak_opts){0})->n_certain, 0);
    for (size_t i = 0; i < N; i++)
        s->cell[3][i] = STR("same");
    assert_non_null(find(scan(*state, s, (struct leak_opts){0}), "Field", LEAK_CONSTANT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(honest_tables_pass),
        ARENA_TEST(strong_honest_levels_pass),
        ARENA_TEST(a_copy_of_the_target_is_certain),
        ARENA_TEST(settled_levels_on_both_sides_are_certain),
        ARENA_TEST(small_levels_do_not_alarm),
        ARENA_TEST(filled_because_of_the_outcome_is_certain),
        ARENA_TEST(names_given_because_of_the_outcome_are_certain),
        ARENA_TEST(a_field_that_hardly_beats_the_rest_passes),
        ARENA_TEST(call_lengths_are_suspect),
        ARENA_TEST(names_alone_are_never_certain),
        ARENA_TEST(days_in_a_stage_are_no_stage),
        ARENA_TEST(dates_after_the_row_are_found),
        ARENA_TEST(tiny_and_one_sided_tables_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
