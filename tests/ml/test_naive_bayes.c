/* test_naive_bayes.c — log-odds against scikit-learn, and closed forms for smoothing, spread and unseen levels. */
#include "ml/naive_bayes.h"
#include "family_properties.h"

#include "linear_golden.h"

enum { NUMBERS = 3, LEVELS = 4 };

/* The category is one field; the two flags are a field each, or one multi-value field: the same model. */
static void agrees_with_scikit_learn(void **state) {
    const struct golden *g = golden_load(*state);
    double smoothing = golden_number(g, "nb_smoothing");
    const double *want = golden_numbers(*state, g, "nb_logit");
    unsigned char use[] = {1, 1, 1, 4, 4, 4, 4, 4, 4};
    uint32_t apart[] = {0, 1, 2, 3, 3, 3, 3, 4, 5}, together[] = {0, 1, 2, 3, 3, 3, 3, 4, 4};
    for (int i = 0; i < 2; i++) {
        struct fit_opts o = {.use = use, .field = i ? together : apart, .penalty_grid = &smoothing, .n_penalty = 1};
        struct model *m;
        assert_ok(naive_bayes_family.fit(*state, &g->data, &o, NULL, &m));
        for (size_t r = 0; r < g->data.n; r++) {
            struct row x = dataset_row(&g->data, r);
            double logit;
            naive_bayes_family.predict(m, &x, 1, &logit);
            assert_close(logit, want[r], 1e-9);
        }
    }
}

/* One field of two levels that every row has one of: 3 of 4 positives and 1 of 4 negatives have level 0; level 2 nobody. */
static const size_t start[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint32_t col[] = {0, 0, 0, 1, 0, 1, 1, 1};
static const double val[] = {1, 1, 1, 1, 1, 1, 1, 1}, y[] = {1, 1, 1, 1, 0, 0, 0, 0};
static const struct dataset eight = {.n = 8, .d = 3, .start = start, .col = col, .val = val, .y = y};

static void closed_form(void **state) {
    double one = 1, logit;
    uint32_t field[] = {0, 0, 1};
    struct fit_opts o = {.field = field, .penalty_grid = &one, .n_penalty = 1};
    struct model *m;
    assert_ok(naive_bayes_family.fit(*state, &eight, &o, NULL, &m));
    struct row x = dataset_row(&eight, 0);
    naive_bayes_family.predict(m, &x, 1, &logit);
    assert_close(logit, log(4.0 / 6) - log(2.0 / 6), 1e-12); /* (3 + 1) / (4 + 2) against (1 + 1) / (4 + 2) */
    double variance = 1.0 / 4 - 1.0 / 6 + 1.0 / 2 - 1.0 / 6; /* of the level */
    variance += 2 * (1.0 / 5);                               /* of the prior odds */
    assert_close(family_spread(&naive_bayes_family, m, x), sqrt(variance), 1e-12);
    const uint32_t unseen = 2;
    const double set = 1;
    struct row with = {1, &unseen, &set}, without = {0};
    double a, b;
    naive_bayes_family.predict(m, &with, 1, &a);
    naive_bayes_family.predict(m, &without, 1, &b);
    assert_close(a, b, 1e-12); /* a level nobody had says nothing */
}

static void smoothing_is_chosen_from_the_grid(void **state) {
    const double grid[] = {0.01, 1e6};
    uint32_t field[] = {0, 0, 1}, fold[] = {0, 1, 0, 1, 0, 1, 0, 1};
    double noise[] = {1, 0, 1, 0, 0, 1, 0, 1}; /* level 0: 2 of 4; level 1: 2 of 4, and folds disagree */
    struct fit_opts o = {.field = field, .penalty_grid = grid, .n_penalty = 2, .fold = fold, .n_fold = 2};
    struct model *m;
    struct dataset s = eight;
    s.y = noise;
    assert_ok(naive_bayes_family.fit(*state, &s, &o, NULL, &m));
    assert_close(naive_bayes_smoothing(m), 1e6, 0);
}

static void refuses_what_it_cannot_learn_from(void **state) {
    unsigned char use[] = {COLUMN_LINEAR, COLUMN_TREE, 0};
    struct fit_opts o = {.use = use};
    struct model *m;
    assert_fails(naive_bayes_family.fit(*state, &eight, &o, NULL, &m), ERR_INPUT, "no_columns");
    struct dataset empty = eight;
    empty.n = 0;
    o.use = NULL;
    assert_fails(naive_bayes_family.fit(*state, &empty, &o, NULL, &m), ERR_INPUT, "no_rows");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(agrees_with_scikit_learn),
        ARENA_TEST(closed_form),
        ARENA_TEST(smoothing_is_chosen_from_the_grid),
        ARENA_TEST(refuses_what_it_cannot_learn_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
