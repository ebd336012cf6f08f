/* test_subscore.c — every formula of the sub-scores against values worked out by hand. */
#include "base/time.h"
#include "profile_support.h"

static double firm(struct arena *a, const char *criterion, const char *cell) {
    return credit_of(a, "firmographics", criterion, cell, 0);
}

static void range_is_gaussian(void **state) {
    struct arena *a = *state;
    assert_close(range_similarity(275, 50, 500, 0), 1, 0);
    assert_close(range_similarity(500, 50, 500, 0), exp(-0.25), 1e-15);
    assert_close(range_similarity(725, 50, 500, 0), exp(-1), 1e-15);
    assert_close(firm(a, "range: [50, 500]", "275"), 1, 0);
    double low = log1p(50), high = log1p(500), z = (log1p(sqrt(51. * 200)) - (low + high) / 2) / (high - low);
    assert_close(firm(a, "range: [50, 500], scale: log", "51-200"), exp(-z * z), 1e-14);
    assert_close(firm(a, "range: [50, 500], width: 100", "375"), exp(-1), 1e-15);
}

static void range_edges_are_defined(void **state) {
    struct arena *a = *state;
    assert_close(firm(a, "range: [100, 100]", "125"), exp(-1), 1e-15);
    assert_close(firm(a, "range: [100, 100], scale: log", "201"), exp(-1), 1e-14);
    assert_close(firm(a, "range: [0, 0]", "1"), exp(-1), 1e-15);
    assert_close(firm(a, "range: [100, null]", "5000"), 1, 0);
    assert_close(firm(a, "range: [100, null]", "75"), exp(-1), 1e-15);
    assert_close(firm(a, "range: [null, 100]", "150"), exp(-4), 1e-15);
    assert_close(firm(a, "range: [null, 100]", "-3"), 1, 0);
    assert_close(firm(a, "range: [0, 9], scale: log", "-4"), firm(a, "range: [0, 9], scale: log", "0"), 0);
    assert_true(isnan(firm(a, "range: [1, 2]", "many")));
    assert_true(isnan(firm(a, "range: [1, 2]", " ")));
    assert_close(firm(a, "range: [1, 2], scale: log", "1e99"), 0, 1e-12);
    assert_true(isnan(firm(a, "range: [1, 2], scale: log", "1e300"))); /* no amount of anything */
}

static void values_are_cosines(void **state) {
    struct arena *a = *state;
    assert_close(firm(a, "values: [US, CA, UK]", "us"), 1, 0);
    assert_close(firm(a, "values: [US, CA, UK]", "FR"), 0, 0);
    assert_close(firm(a, "values: {US: 1, CA: 0.5}", "ca"), 0.5, 0);
    assert_close(firm(a, "values: [US, CA, UK], match: cosine", "US"), 1 / sqrt(3), 1e-15);
    assert_close(firm(a, "values: [a, b], separator: \";\"", "a; b"), 1, 1e-15);
    assert_close(firm(a, "values: [a, b], separator: \";\"", "a;z"), 1 / sqrt(2), 1e-15);
    assert_close(firm(a, "values: [a, b], separator: \";\"", "a;A;z"), 1 / sqrt(2), 1e-15);
    assert_close(firm(a, "values: [a, b, c], separator: \";\", match: cosine", "a;z"), 1 / (sqrt(2) * sqrt(3)), 1e-15);
    assert_close(firm(a, "values: [a], separator: \";\"", ";;"), 0, 0);
}

static void codes_get_part_credit(void **state) {
    struct arena *a = *state;
    assert_close(firm(a, "naics: [\"5415\"]", "541511"), 1, 0);
    assert_close(firm(a, "naics: [\"541511\"]", "541512"), 4. / 5, 1e-15);
    assert_close(firm(a, "naics: [\"541511\"]", "54"), 1. / 5, 1e-15);
    assert_close(firm(a, "naics: [\"541511\"]", "5511"), 0, 0);
    assert_close(firm(a, "naics: [\"3344\"]", "3219"), 1. / 3, 1e-15);
    assert_close(firm(a, "sic: [\"3344\"]", "3219"), 0, 0);
    assert_close(firm(a, "naics: {\"5112\": 0.5, \"5415\": 1}", "511210 / 541500"), 1, 0);
    assert_true(isnan(firm(a, "naics: [\"5415\"]", "software")));
    assert_close(code_similarity(STR("5415"), STR("54"), true), 1, 0);
}

static void titles_match_words(void **state) {
    struct arena *a = *state;
    assert_close(credit_of(a, "demographics", "keywords: {vp sales: 1, sales: 0.4}", "VP of Sales, EMEA", 0), 1, 0);
    assert_close(credit_of(a, "demographics", "keywords: {vp sales: 1, sales: 0.4}", "Sales clerk", 0), 0.4, 0);
    assert_close(credit_of(a, "demographics", "keywords: [it]", "Auditor", 0), 0, 0);
    assert_close(credit_of(a, "demographics", "seniority: {vp: 0.9, c_level: 1}", "Senior Vice President", 0), 0.9, 0);
    assert_close(credit_of(a, "demographics", "seniority: {vp: 0.9, c_level: 1}", "C-Level", 0), 1, 0);
    assert_close(credit_of(a, "demographics", "seniority: {vp: 0.9}", "Engineer", 0), 0, 0);
}

static void weights_are_renormalised_over_the_known(void **state) {
    const struct profile *p = profile_of(*state, "format: 1\nname: t\nfirmographics:\n"
                                                 "  - {field: a, values: [x], weight: 3, typical: 0.2}\n"
                                                 "  - {field: b, values: [x], weight: 1}\n");
    struct subscores *s = score_row(*state, p, "a|b", "x|y", 0);
    assert_close(s->section[SECTION_FIRMOGRAPHICS].score, 0.75, 1e-15);
    assert_close(s->section[SECTION_FIRMOGRAPHICS].typical, (3 * 0.2 + 0.5) / 4, 1e-15);
    assert_close(s->section[SECTION_FIRMOGRAPHICS].unknown, 0, 0);
    s = score_row(*state, p, "a|b", "x|", 0);
    assert_close(s->section[SECTION_FIRMOGRAPHICS].score, 1, 1e-15);
    assert_close(s->section[SECTION_FIRMOGRAPHICS].typical, 0.2, 1e-15);
    assert_close(s->section[SECTION_FIRMOGRAPHICS].unknown, 0.25, 1e-15);
    assert_close(s->known_share, 0.75, 1e-15);
    s = score_row(*state, p, "a|b", "|", 0);
    assert_true(s->insufficient);
    assert_false(s->section[SECTION_FIRMOGRAPHICS].known);
    assert_false(s->section[SECTION_BEHAVIOUR].present);
}

static void technologies(void **state) {
    const struct profile *p = profile_of(*state, "format: 1\nname: t\ntechnographics:\n  field: tech\n"
                                                 "  required: {A: 2, B: 1}\n  desired: [C]\n  negative: {D: 3, E: 5}\n");
    struct subscores *s = score_row(*state, p, "tech", "a, c; z", 0);
    assert_close(s->section[SECTION_TECHNOGRAPHICS].score, 3. / 4, 1e-15);
    assert_close(s->overlap, 0.5, 0);
    s = score_row(*state, p, "tech", "D, E", 0);
    assert_close(s->section[SECTION_TECHNOGRAPHICS].score, -8. / 4, 1e-15); /* the documented lower bound */
    s = score_row(*state, p, "tech", "", 0);
    assert_false(s->section[SECTION_TECHNOGRAPHICS].known);
    assert_true(isnan(s->overlap));
    p = profile_of(*state, "format: 1\nname: t\ntechnographics: {field: tech, required: [], negative: {D: 3}}\n");
    assert_close(score_row(*state, p, "tech", "D", 0)->section[SECTION_TECHNOGRAPHICS].score, -1, 0);
    assert_close(score_row(*state, p, "tech", "Q", 0)->section[SECTION_TECHNOGRAPHICS].score, 0, 0);
}

static void events_fade(void **state) {
    struct arena *a = *state;
    int64_t now_ms = time_days_from_civil((struct civil){2026, 6, 30}) * TIME_DAY_MS;
    assert_close(event_decay(69.314718055994531, 0.01, 0), 0.5, 1e-15);
    assert_close(credit_of(a, "chronographics", "decay: 0.01", "2026-06-20", now_ms), exp(-0.1), 1e-15);
    assert_close(credit_of(a, "chronographics", "half_life: 10", "2026-06-20", now_ms), 0.5, 1e-15);
    assert_close(credit_of(a, "chronographics", "half_life: 10", "2026-06-20; 2026-06-25", now_ms), 0.5, 1e-15);
    assert_close(credit_of(a, "chronographics", "half_life: 10, same_within: 5", "2026-06-25, 2026-06-20", now_ms), 1, 0);
    assert_close(credit_of(a, "chronographics", "half_life: 10", "2026-07-10", now_ms), 0, 0);
    assert_close(credit_of(a, "chronographics", "half_life: 10, future: 0.8", "2026-07-10", now_ms), 0.4, 1e-15);
    assert_close(credit_of(a, "chronographics", "undated: 0.3", "last year", now_ms), 0.3, 0);
    assert_close(credit_of(a, "chronographics", "undated: 0.3", "no", now_ms), 0, 0);
    assert_close(credit_of(a, "chronographics", "decay: 0, event: hire", "raise: 2026-01-01; Hire: 2026-01-01", now_ms), 1,
                 0);
    assert_close(credit_of(a, "chronographics", "decay: 0, event: hire", "raise: 2026-01-01", now_ms), 0, 0);
    assert_true(isnan(credit_of(a, "chronographics", "decay: 0", "", now_ms)));
}

static void event_sum_is_equation_11(void **state) {
    int64_t now_ms = time_days_from_civil((struct civil){2026, 6, 30}) * TIME_DAY_MS;
    const struct profile *p = profile_of(*state, "format: 1\nname: t\nas_of: seen\nchronographics:\n"
                                                 "  - {field: f, impact: 0.8, decay: 0.01}\n"
                                                 "  - {field: g, impact: -0.5, decay: 0.1, same_within: 0}\n");
    struct subscores *s = score_row(*state, p, "f|g|seen", "2026-06-20|2026-06-28; 2026-06-29|", now_ms);
    double f = 0.8 * exp(-0.1), g = exp(-0.2) + exp(-0.1);
    assert_close(s->event_sum, f - 0.5 * g, 1e-15);
    assert_close(s->section[SECTION_CHRONOGRAPHICS].score, (f - 0.5 * 1) / 1.3, 1e-15);
    s = score_row(*state, p, "f|g|seen", "2026-06-20||2026-06-20", now_ms);
    assert_close(s->event_sum, 0.8, 1e-15);
}

static void behaviour_counts_both_ways(void **state) {
    const struct profile *p = profile_of(*state, "format: 1\nname: t\nbehaviour:\n"
                                                 "  - {field: visits, above: 3, weight: 2}\n"
                                                 "  - {field: out, is: \"yes\", weight: -3}\n"
                                                 "  - {field: note, known: true, weight: 1}\n");
    assert_close(score_row(*state, p, "visits|out|note", "4|no|hi", 0)->section[SECTION_BEHAVIOUR].score, 3. / 6, 1e-15);
    assert_close(score_row(*state, p, "visits|out|note", "3|YES|", 0)->section[SECTION_BEHAVIOUR].score, -3. / 6, 1e-15);
    struct subscores *s = score_row(*state, p, "visits|out", "x|yes", 0);
    assert_close(s->section[SECTION_BEHAVIOUR].score, -1, 1e-15);
    assert_close(s->section[SECTION_BEHAVIOUR].unknown, 0.5, 1e-15);
}

static void negative_personas_disqualify(void **state) {
    const struct profile *p = profile_of(
        *state, "format: 1\nname: t\nfirmographics: [{field: size, above: 1}]\nnegative_personas:\n"
                "  - name: tiny\n    when: {field: size, below: 5}\n"
                "  - name: students\n    when: [{field: title, contains: student}, {field: country, is_not: [US, CA]}]\n");
    struct subscores *s = score_row(*state, p, "size|title|country", "100|PhD Student, Physics|DE", 0);
    assert_non_null(s->disqualified);
    assert_str(s->disqualified->name, "students");
    assert_str(s->disqualified_value, "PhD Student, Physics");
    assert_null(score_row(*state, p, "size|title|country", "100|Student|us", 0)->disqualified);
    assert_null(score_row(*state, p, "size|title|country", "100|Students|DE", 0)->disqualified);
    assert_null(score_row(*state, p, "size|title|country", "|Student|", 0)->disqualified); /* unknown does not fire */
    assert_str(score_row(*state, p, "size|title|country", "2-4|x|", 0)->disqualified->name, "tiny");
}

static void binding_reports_what_is_absent(void **state) {
    const struct profile *p =
        profile_of(*state, "format: 1\nname: t\nmissing: [Select]\nfields: {size: [Staff, Headcount], t: Title}\n"
                           "firmographics: [{field: size, above: 1, weight: 5}, {field: t, is: x},"
                           " {field: city, is: y, weight: 2}]\n");
    const str columns[] = {STR("headcount"), STR("City")};
    const struct profile_binding *b;
    assert_ok(profile_bind(*state, p, columns, 2, &b));
    assert_int_equal(profile_binding_column(b, 0), 0);
    assert_int_equal(profile_binding_column(b, 1), -1);
    assert_int_equal(profile_binding_column(b, 2), 1);
    size_t n;
    const struct profile_absent *absent = profile_binding_absent(b, &n);
    assert_int_equal(n, 1);
    assert_str(absent[0].columns, "Title");
    struct subscores *s = subscores_new(*state, b);
    const str cells[] = {STR("select"), STR(" ")};
    subscores_compute(b, cells, 0, s);
    assert_true(s->insufficient);
    assert_str(subscores_missing(*state, b, s), "size, city and t");
    assert_fails(profile_bind(*state, p, &columns[0], 0, &b), ERR_INPUT, "profile_no_columns");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(range_is_gaussian),
        ARENA_TEST(range_edges_are_defined),
        ARENA_TEST(values_are_cosines),
        ARENA_TEST(codes_get_part_credit),
        ARENA_TEST(titles_match_words),
        ARENA_TEST(weights_are_renormalised_over_the_known),
        ARENA_TEST(technologies),
        ARENA_TEST(events_fade),
        ARENA_TEST(event_sum_is_equation_11),
        ARENA_TEST(behaviour_counts_both_ways),
        ARENA_TEST(negative_personas_disqualify),
        ARENA_TEST(binding_reports_what_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
