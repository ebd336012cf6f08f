/* test_fusion.c — fusion models against closed forms, dense integration and worlds with known truth. */
#include "base/rng.h"
#include "ml/fusion_category.h"
#include "ml/fusion_number.h"
#include "ml/fusion_set.h"
#include "unit.h"

/* ---- one value ---- */

static struct fusion_category_data one_item(struct arena *a, size_t n, const uint32_t *value, uint32_t candidates) {
    uint32_t *start = ARENA_ARRAY(a, 2, uint32_t), *first = ARENA_ARRAY(a, 2, uint32_t),
             *source = ARENA_ARRAY(a, n, uint32_t), *verified = ARENA_ARRAY(a, 1, uint32_t);
    float *zero = ARENA_ARRAY(a, n, float), *one = ARENA_ARRAY(a, n, float);
    start[1] = (uint32_t)n;
    first[1] = candidates;
    verified[0] = FUSION_NONE;
    for (size_t k = 0; k < n; k++) {
        source[k] = (uint32_t)k;
        one[k] = 1;
    }
    return (struct fusion_category_data){.n_item = 1,
                                         .n_source = n,
                                         .start = start,
                                         .first = first,
                                         .source = source,
                                         .value = value,
                                         .age_year = zero,
                                         .trust = one,
                                         .share = one,
                                         .verified = verified};
}

static struct fusion_category_model known_model(struct arena *a, const struct fusion_category_data *d,
                                                const double *accuracy, double n_false) {
    struct fusion_category_model m;
    fusion_category_fit(a, d, &m);
    m.n_false = n_false;
    m.loss_per_year = 0;
    memcpy(m.accuracy, accuracy, d->n_source * sizeof *accuracy);
    return m;
}

static void the_posterior_of_a_category_is_bayes_rule(void **state) {
    static const uint32_t value[] = {0, 1, 1};
    static const double accuracy[] = {0.9, 0.6, 0.7};
    const struct fusion_category_data d = one_item(*state, 3, value, 2);
    const struct fusion_category_model m = known_model(*state, &d, accuracy, 4);
    float weight[3];
    double p[3];
    fusion_category_infer(&m, &d, 0, weight, p);
    /* Five values, equally probable; a mistake is each of four others. */
    const double a = 0.9 * (0.4 / 4) * (0.3 / 4), b = (0.1 / 4) * 0.6 * 0.7, none = 3 * (0.1 / 4) * (0.4 / 4) * (0.3 / 4);
    assert_close(p[0], a / (a + b + none), 1e-12);
    assert_close(p[1], b / (a + b + none), 1e-12);
    assert_close(p[2], none / (a + b + none), 1e-12);
}

static void a_copy_says_nothing_new(void **state) {
    static const uint32_t value[] = {0, 1, 1};
    static const double accuracy[] = {0.8, 0.8, 0.8};
    const struct fusion_category_data d = one_item(*state, 3, value, 2);
    struct fusion_category_model m = known_model(*state, &d, accuracy, 9);
    float weight[3];
    double p[3];
    fusion_copy_add(&m.copy, 1, 2, 1000, 1000);
    assert_int_equal(fusion_copy_conclude(&m.copy, 0.1, 0, 0.1), 1);
    assert_close(fusion_copy_share(&m.copy, 2, 1), 1, 1e-6);
    fusion_category_infer(&m, &d, 0, weight, p);
    assert_close(p[0], p[1], 1e-6);
}

static void evidence_against_dependence_is_weighed(void **state) {
    static const uint32_t claims[] = {5, 9, 7};
    struct fusion_copy c;
    fusion_copy_init(*state, claims, 3, &c);
    assert_int_equal(c.rank[1], 0);
    fusion_copy_add(&c, 0, 1, 10, 6);
    fusion_copy_conclude(&c, 0.2, 5, 0);
    assert_close(fusion_copy_share(&c, 0, 1), (6 - 2) / (0.8 * 15), 1e-6);
    assert_close(fusion_copy_share(&c, 0, 2), 0, 0);
}

/* Sources of known accuracy over many items: the fit finds them again. */
static void accuracies_are_found_again(void **state) {
    enum { ITEMS = 4000, SOURCES = 5 };
    static const double accuracy[SOURCES] = {0.95, 0.85, 0.7, 0.55, 0.15};
    struct arena *a = *state;
    struct rng r = rng_from_seed(3);
    uint32_t *start = ARENA_ARRAY(a, ITEMS + 1, uint32_t), *first = ARENA_ARRAY(a, ITEMS + 1, uint32_t);
    uint32_t *source = ARENA_ARRAY(a, ITEMS * SOURCES, uint32_t), *value = ARENA_ARRAY(a, ITEMS * SOURCES, uint32_t);
    uint32_t *verified = ARENA_ARRAY(a, ITEMS, uint32_t);
    float *zero = ARENA_ARRAY(a, ITEMS * SOURCES, float), *one = ARENA_ARRAY(a, ITEMS * SOURCES, float);
    for (size_t i = 0; i < ITEMS; i++) {
        start[i + 1] = (uint32_t)(i + 1) * SOURCES;
        first[i + 1] = (uint32_t)(i + 1) * 10;
        verified[i] = FUSION_NONE;
        for (uint32_t s = 0; s < SOURCES; s++) {
            const size_t c = i * SOURCES + s;
            source[c] = s;
            one[c] = 1;
            value[c] = rng_uniform(&r) < accuracy[s] ? 0 : 1 + (uint32_t)(9 * rng_uniform(&r));
        }
    }
    const struct fusion_category_data d = {.n_item = ITEMS,
                                           .n_source = SOURCES,
                                           .start = start,
                                           .first = first,
                                           .source = source,
                                           .value = value,
                                           .age_year = zero,
                                           .trust = one,
                                           .share = one,
                                           .verified = verified};
    struct fusion_category_model m;
    fusion_category_fit(a, &d, &m);
    for (size_t s = 0; s < SOURCES; s++)
        assert_close(m.accuracy[s], accuracy[s], 0.03);
    assert_close(m.n_false, 9, 1.5);
}

/* ---- quantities ---- */

static double t7_density(double r, double variance) {
    return tgamma(4) / (tgamma(3.5) * sqrt(7 * acos(-1) * variance)) * pow(1 + r * r / (7 * variance), -4);
}

static struct fusion_number_data three_claims(struct arena *a, const double *y) {
    static const uint32_t start[] = {0, 3}, source[] = {0, 1, 2};
    static const float age[] = {0, 1, 2}, one[] = {1, 1, 1};
    double *verified = ARENA_ARRAY(a, 1, double);
    verified[0] = NAN;
    return (struct fusion_number_data){1, 3, start, source, y, age, one, one, verified, 1e-3};
}

static double density_at(const struct fusion_number_model *m, const double *y, double x) {
    double p = t7_density(x - m->centre, m->spread * m->spread);
    for (int k = 0; k < 3; k++) {
        const struct fusion_number_source *s = &m->source[k];
        const double v = s->variance * exp(m->slope * (x - m->centre)) + m->drift * k, r = y[k] - s->bias - x;
        const double jump = 1 - exp(-m->jump_rate * k);
        p *= (1 - s->gross) * ((1 - jump) * t7_density(r, v) + jump * t7_density(r, v + m->jump_variance)) +
             s->gross * t7_density(y[k] - m->centre, m->spread * m->spread);
    }
    return p;
}

static void the_posterior_of_a_quantity_is_that_of_a_dense_grid(void **state) {
    enum { DENSE = 200001 };
    static const double y[] = {1.0, 1.4, 2.2};
    const struct fusion_number_data d = three_claims(*state, y);
    struct fusion_number_model m;
    fusion_number_fit(*state, &d, &m);
    m.centre = 1;
    m.spread = 2;
    m.drift = 0.02;
    m.jump_rate = 0.1;
    m.jump_variance = 1;
    m.slope = -0.2;
    static const struct fusion_number_source known[] = {{0, 0.09, 0.05, 1}, {0.1, 0.04, 0.02, 1}, {0, 0.25, 0.1, 1}};
    memcpy(m.source, known, sizeof known);
    struct fusion_number_fact f;
    fusion_number_infer(&m, &d, 0, 0.1, &f);
    double *sum = ARENA_ARRAY(*state, DENSE, double), median = 0, low = 0, high = 0;
    const double from = -8, step = 18.0 / (DENSE - 1);
    for (size_t k = 1; k < DENSE; k++)
        sum[k] = sum[k - 1] + density_at(&m, y, from + step * ((double)k - 0.5));
    for (size_t k = 0; k < DENSE; k++) {
        const double part = sum[k] / sum[DENSE - 1], x = from + step * (double)k;
        low = part < 0.05 ? x : low;
        median = part < 0.5 ? x : median;
        high = part < 0.95 ? x : high;
    }
    assert_close(f.median, median, 0.01);
    assert_close(f.low, low, 0.03);
    assert_close(f.high, high, 0.03);
}

static void a_verified_quantity_is_taken_as_it_is(void **state) {
    static const double y[] = {1.0, 1.4, 2.2};
    struct fusion_number_data d = three_claims(*state, y);
    static const double verified[] = {5};
    d.verified = verified;
    struct fusion_number_model m;
    struct fusion_number_fact f;
    fusion_number_fit(*state, &d, &m);
    fusion_number_infer(&m, &d, 0, 0.1, &f);
    assert_close(f.median, 5, 0);
    assert_close(f.near, 1, 0);
}

/* ---- lists ---- */

static void the_posterior_of_a_member_is_bayes_rule(void **state) {
    static const uint32_t start[] = {0, 2}, first[] = {0, 2}, source[] = {0, 1}, name_start[] = {0, 2, 3},
                          named[] = {0, 1, 0};
    static const float one[] = {1, 1};
    static const signed char unknown[] = {-1, -1};
    struct fusion_set_source worth[] = {{0.8, 0.1, 1}, {0.6, 0.05, 1}};
    const struct fusion_set_data d = {1, 2, 5, start, first, source, name_start, named, one, one, unknown};
    const struct fusion_set_model m = {.prior = 0.4, .mean_added = 0.1, .source = worth};
    double p[2];
    (void)state;
    fusion_set_infer(&m, &d, 0, p);
    const double both = 0.4 * 0.8 * 0.6, neither = 0.6 * 0.1 * 0.05, one_true = 0.4 * 0.8 * 0.4,
                 one_false = 0.6 * 0.1 * 0.95;
    assert_close(p[0], both / (both + neither), 1e-12);
    assert_close(p[1], one_true / (one_true + one_false), 1e-12);
    const double none_true = 0.4 * 0.2 * 0.4, none_false = 0.6 * 0.9 * 0.95;
    assert_close(fusion_set_unnamed(&m, &d, 0), none_true / (none_true + none_false), 1e-12);
}

/* Two sources look for themselves (0.8 and 0.84 of 24 members found, few added); a third repeats the first in four cases of
 * five. Heard as three, two of them would outvote the one that is right. */
static void who_repeats_lists_is_not_heard_twice(void **state) {
    enum { ITEMS = 600, MEMBERS = 24, MOST = ITEMS * 3 * MEMBERS };
    struct rng r = rng_from_seed(11);
    uint32_t *start = arena_alloc(*state, (ITEMS + 1) * 4), *first = arena_alloc(*state, (ITEMS + 1) * 4),
             *source = arena_alloc(*state, ITEMS * 3 * 4), *name_start = arena_alloc(*state, (ITEMS * 3 + 1) * 4),
             *named = arena_alloc(*state, MOST * 4), n_named = 0, n_member = 0;
    float *one = arena_alloc(*state, ITEMS * 3 * sizeof *one);
    signed char *unknown = arena_alloc(*state, ITEMS * MEMBERS);
    memset(unknown, -1, ITEMS * MEMBERS);
    start[0] = first[0] = name_start[0] = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        bool says[3][MEMBERS], repeats = rng_uniform(&r) < 0.8;
        uint32_t place[MEMBERS], k = 0;
        for (int v = 0; v < MEMBERS; v++) {
            static const double found[] = {0.8, 0.84, 0.75}, added[] = {0.02, 0.015, 0.03};
            bool truth = rng_uniform(&r) < 0.3, any = false;
            for (int s = 0; s < 3; s++) {
                says[s][v] = rng_uniform(&r) < (truth ? found[s] : added[s]);
                says[s][v] = s == 2 && repeats ? says[0][v] : says[s][v];
                any |= says[s][v];
            }
            place[v] = any ? k++ : 0;
        }
        for (int s = 0; s < 3; s++) {
            source[3 * i + s] = (uint32_t)s;
            one[3 * i + s] = 1;
            for (int v = 0; v < MEMBERS; v++)
                if (says[s][v])
                    named[n_named++] = place[v];
            name_start[3 * i + s + 1] = n_named;
        }
        start[i + 1] = 3 * (i + 1);
        first[i + 1] = n_member += k;
    }
    const struct fusion_set_data d = {ITEMS, 3, MEMBERS, start, first, source, name_start, named, one, one, unknown};
    struct fusion_set_model m;
    fusion_set_fit(*state, &d, &m);
    assert_close(m.source[0].found, 0.8, 0.06);
    assert_close(m.source[1].found, 0.84, 0.06);
    assert_true(m.source[0].added < 0.06 && m.source[1].added < 0.06);
    assert_close(m.prior, 0.3, 0.06);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_posterior_of_a_category_is_bayes_rule),
        ARENA_TEST(a_copy_says_nothing_new),
        ARENA_TEST(evidence_against_dependence_is_weighed),
        ARENA_TEST(accuracies_are_found_again),
        ARENA_TEST(the_posterior_of_a_quantity_is_that_of_a_dense_grid),
        ARENA_TEST(a_verified_quantity_is_taken_as_it_is),
        ARENA_TEST(the_posterior_of_a_member_is_bayes_rule),
        ARENA_TEST(who_repeats_lists_is_not_heard_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
