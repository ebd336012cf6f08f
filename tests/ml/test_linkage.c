/* test_linkage.c — Fellegi and Sunter's weights in closed form, the fit against an independent recomputation, and laws. */
#include "golden.h"

#include "ml/linkage.h"

/* Two fields, one of them not known: ln π_M + ln(m/u) − ln(1 − π_M), as by hand. */
static void test_closed_form(void **state) {
    (void)state;
    struct linkage x = {.n_field = 2, .match = 0.01, .related = 0};
    x.field[0] = (struct linkage_field){.n_level = 3, .m = {0, 0.1, 0.9}, .u = {0, 0.99, 0.01}, .r = {0, 0.99, 0.01}};
    x.field[1] = x.field[0];
    linkage_prepare(&x);
    struct linkage_pair p = {.level = {2, 0}};
    assert_close(linkage_log_odds(&x, &p), log(0.01 * 0.9 / 0.01) - log(0.99), 1e-12);
    p.level[1] = 1;
    assert_close(linkage_log_odds(&x, &p), log(0.01 * 90 * (0.1 / 0.99)) - log(0.99), 1e-12);
    p.rarity = 2;
    assert_close(linkage_log_odds(&x, &p), 2 + log(0.01 * 90 * (0.1 / 0.99)) - log(0.99), 1e-12);
    assert_close(linkage_log_odds(&x, &(struct linkage_pair){0}), log(0.01 / 0.99), 1e-12); /* nothing known: the prior */
}

/* Colleagues: what a relation explains speaks less for one person. */
static void test_relation(void **state) {
    (void)state;
    struct linkage x = {.n_field = 1, .match = 0.001, .related = 0.01};
    x.field[0] = (struct linkage_field){.n_level = 3, .m = {0, 0.1, 0.9}, .u = {0, 0.999, 0.001}, .r = {0, 0.1, 0.9}};
    linkage_prepare(&x);
    const struct linkage_pair p = {.level = {2}, .rarity = 1, .shared_rarity = 1};
    const double match = 0.001 * 900 * exp(1), related = 0.01 * 900 * exp(1), chance = 1 - 0.011;
    assert_close(linkage_log_odds(&x, &p), log(match) - log(related + chance), 1e-12);
    assert_true(linkage_probability(linkage_log_odds(&x, &p)) < 0.1);
}

static void test_clipped(void **state) {
    (void)state;
    struct linkage x = {.n_field = 1, .match = 0.5, .related = 0};
    x.field[0] = (struct linkage_field){.n_level = 3, .m = {0, 0, 1}, .u = {0, 1, 0}, .r = {0, 1, 0}};
    linkage_prepare(&x);
    assert_close(x.match_ratio[0][2], LINKAGE_RATIO_MAX, 0);
    assert_close(x.match_ratio[0][1], -LINKAGE_RATIO_MAX, 0);
    assert_close(linkage_probability(-800), 0, 1e-300);
    assert_close(linkage_probability(800), 1, 0);
    assert_close(linkage_probability(0), 0.5, 0);
}

static void read_shares(struct arena *a, const struct json *rows, double to[][LINKAGE_LEVEL_MAX]) {
    (void)a;
    for (uint32_t f = 0; f < rows->count; f++)
        for (uint32_t l = 0; l < rows->items[f].count; l++)
            to[f][l] = json_number_of(&rows->items[f].items[l]);
}

static void read_pairs(struct arena *a, const struct json *pairs, struct linkage_evidence *e) {
    struct linkage_pair *p = ARENA_ARRAY(a, pairs->count, struct linkage_pair);
    double *count = ARENA_ARRAY(a, pairs->count, double);
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct json *row = &pairs->items[i], *level = json_get(row, STR("level"));
        for (uint32_t f = 0; f < level->count; f++)
            p[i].level[f] = (uint8_t)level->items[f].integer;
        p[i].rarity = (float)golden_number(row, "rarity");
        p[i].shared_rarity = (float)golden_number(row, "shared");
        count[i] = golden_number(row, "count");
    }
    e->pair = p;
    e->count = count;
    e->n = pairs->count;
}

static void read_case(struct arena *a, const struct json *c, struct linkage *x, struct linkage_evidence *e) {
    const struct json *levels = json_get(c, STR("levels")), *personal = json_get(c, STR("personal"));
    double first[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX] = {0};
    *x = (struct linkage){.n_field = levels->count, .match = golden_number(c, "match")};
    *e = (struct linkage_evidence){.weight = golden_number(c, "weight"), .total = golden_number(c, "total")};
    e->max_iteration = (int)golden_number(c, "rounds");
    read_shares(a, json_get(c, STR("first")), first);
    read_shares(a, json_get(c, STR("any")), e->any);
    for (uint32_t f = 0; f < levels->count; f++) {
        x->field[f].n_level = (uint8_t)levels->items[f].integer;
        memcpy(x->field[f].m, first[f], sizeof first[f]);
        e->known[f] = json_number_of(&json_get(c, STR("known"))->items[f]);
        for (uint32_t l = 0; l < personal->items[f].count; l++)
            x->field[f].personal[l] = personal->items[f].items[l].boolean;
    }
    read_pairs(a, json_get(c, STR("pairs")), e);
}

static void compare_shares(struct arena *a, const struct json *fitted, const char *key, const struct linkage *x) {
    double want[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX] = {0};
    read_shares(a, json_get(fitted, str_from(key)), want);
    for (size_t f = 0; f < x->n_field; f++)
        for (size_t l = 1; l < x->field[f].n_level; l++) {
            const double *got = key[0] == 'm' ? x->field[f].m : key[0] == 'u' ? x->field[f].u : x->field[f].r;
            assert_close(got[l], want[f][l], 1e-9);
        }
}

static void test_oracle(void **state) {
    struct arena *a = *state;
    const struct json *cases = golden_cases(a, "ml/linkage.json");
    for (uint32_t i = 0; i < cases->count; i++) {
        struct linkage x;
        struct linkage_evidence e;
        const struct json *c = &cases->items[i], *fitted = json_get(c, STR("fitted")), *pairs = json_get(c, STR("pairs"));
        read_case(a, c, &x, &e);
        linkage_fit(&x, &e);
        assert_int_equal(x.iterations, e.max_iteration);
        assert_close(x.match, golden_number(fitted, "match"), 1e-10);
        assert_close(x.related, golden_number(fitted, "related"), 1e-10);
        compare_shares(a, fitted, "m", &x);
        compare_shares(a, fitted, "u", &x);
        compare_shares(a, fitted, "r", &x);
        for (uint32_t k = 0; k < pairs->count; k++)
            assert_close(linkage_log_odds(&x, &e.pair[k]), golden_number(&pairs->items[k], "log_odds"), 1e-7);
    }
}

/* A count of n is the same as n pairs, and the fit finds the shares that the pairs were drawn with. */
static void test_counts(void **state) {
    struct arena *a = *state;
    const struct json *c = &golden_cases(a, "ml/linkage.json")->items[0];
    struct linkage x, y;
    struct linkage_evidence e;
    read_case(a, c, &x, &e);
    y = x;
    struct linkage_pair *each = ARENA_ARRAY(a, 100000, struct linkage_pair);
    size_t n = 0;
    for (size_t i = 0; i < e.n; i++)
        for (double k = 0; k < e.count[i]; k++)
            each[n++] = e.pair[i];
    e.max_iteration = 5000;
    linkage_fit(&x, &e);
    assert_true(x.converged);
    e.pair = each;
    e.count = NULL;
    e.n = n;
    linkage_fit(&y, &e);
    assert_close(x.match, y.match, 1e-9);
    assert_close(x.match, 60.0 / 1660, 0.015);
    assert_close(x.field[2].m[2], 0.95, 0.25); /* sixty matches among chance and relations */
    assert_close(x.field[2].u[2], 0.03, 0.02);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_closed_form), cmocka_unit_test(test_relation),
                                       cmocka_unit_test(test_clipped), ARENA_TEST(test_oracle), ARENA_TEST(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
