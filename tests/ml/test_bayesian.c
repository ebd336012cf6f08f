/* test_bayesian.c — the average over assumptions against numpy, and what a prior must do with few outcomes. */
#include "base/json.h"
#include "base/rng.h"
#include "family_properties.h"
#include "golden.h"
#include "ml/bayesian.h"
#include "ml/logistic.h"
#include "ml/special.h"
#include "tables.h"

/* Rows without their zeros. */
static struct dataset *sparse(struct arena *a, const double *x, size_t n, size_t d, const double *y, const double *weight) {
    struct dataset *s = ARENA_NEW(a, struct dataset);
    size_t *start = ARENA_ARRAY(a, n + 1, size_t), at = 0;
    uint32_t *col = ARENA_ARRAY(a, n * d, uint32_t);
    double *val = ARENA_ARRAY(a, n * d, double);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            if (x[i * d + j] != 0) {
                col[at] = (uint32_t)j;
                val[at++] = x[i * d + j];
            }
        start[i + 1] = at;
    }
    *s = (struct dataset){.n = n, .d = d, .start = start, .col = col, .val = val, .y = y, .weight = weight};
    return s;
}

static void agrees_with_numpy(void **state) {
    struct arena *a = *state;
    const struct json *cases = golden_cases(a, "ml/bayesian.json");
    for (uint32_t c = 0; c < cases->count; c++) {
        const struct json *g = &cases->items[c];
        size_t n, d = (size_t)golden_number(g, "d"), size, n_prior;
        const double *y = golden_numbers(a, g, "y", &n), *weight = golden_numbers(a, g, "weight", &n),
                     *x = golden_numbers(a, g, "x", &size), *prior = golden_numbers(a, g, "prior", &n_prior),
                     *theta = golden_numbers(a, g, "theta", &size), *kinds = golden_numbers(a, g, "kinds", &size),
                     *covariance = golden_numbers(a, g, "covariance", &size);
        const struct dataset *s = sparse(a, x, n, d, y, weight);
        struct fit_opts o = {.prior_mean = n_prior > 0 ? prior : NULL, .prior_strength = golden_number(g, "trust")};
        struct bayesian_weights w;
        struct model *m;
        assert_ok(bayesian_fit(a, s, &o, NULL, &w, &m));
        const struct linear *l = logistic_linear(m);
        for (size_t j = 0; j < d; j++)
            assert_close(l->coefficient[j], theta[j], 1e-6);
        assert_close(l->intercept, theta[d], 1e-6);
        for (size_t i = 0; i <= d; i++)
            for (size_t j = 0; j <= d; j++)
                assert_close(logistic_covariance(m, i, j), covariance[i * (d + 1) + j], 1e-6);
        assert_close(w.as_given, kinds[0], 1e-6);
        assert_close(w.recalibrated, kinds[1], 1e-6);
        assert_close(w.doubted, kinds[2], 1e-6);
        assert_close(w.features, kinds[3], 1e-6);
    }
}

static const double mu[] = {0, 2, -1, -1.5}; /* one feature, two columns of the prior, the intercept */

static void no_rows_is_the_prior(void **state) {
    const struct dataset *s = sparse(*state, NULL, 0, 3, NULL, NULL);
    struct fit_opts o = {.prior_mean = mu};
    struct model *m;
    assert_ok(bayesian_family.fit(*state, s, &o, NULL, &m));
    const struct linear *l = logistic_linear(m);
    for (size_t j = 0; j < 3; j++)
        assert_close(l->coefficient[j], mu[j], 1e-9);
    assert_close(l->intercept, mu[3], 1e-9);
    struct row x = {1, (const uint32_t[]){1}, (const double[]){0.5}};
    double z;
    bayesian_family.predict(m, &x, 1, &z);
    assert_close(z, -0.5, 1e-9);
    assert_true(family_spread(&bayesian_family, m, x) > 0.2 && family_spread(&bayesian_family, m, x) < 1);
}

/* Rows from log-odds intercept + slope * (2 x1 - x2), x0 an indicator of no use. */
static struct dataset *draw(struct arena *a, size_t n, double slope, uint64_t seed) {
    struct rng r = rng_from_seed(seed);
    double *x = ARENA_ARRAY(a, n * 3, double), *y = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++) {
        x[i * 3] = rng_uniform(&r) < 0.5;
        x[i * 3 + 1] = rng_uniform(&r) - 0.5;
        x[i * 3 + 2] = rng_uniform(&r) - 0.5;
        y[i] = rng_uniform(&r) < sigmoid(-1.5 + slope * (2 * x[i * 3 + 1] - x[i * 3 + 2]));
    }
    return sparse(a, x, n, 3, y, NULL);
}

static void outcomes_move_it(void **state) {
    struct fit_opts o = {.prior_mean = mu};
    struct bayesian_weights few, many;
    struct model *m;
    assert_ok(bayesian_fit(*state, draw(*state, 20, -2, 1), &o, NULL, &few, &m));
    double pulled = logistic_linear(m)->coefficient[1];
    assert_true(pulled < mu[1]);
    assert_ok(bayesian_fit(*state, draw(*state, 2000, -2, 1), &o, NULL, &many, &m));
    assert_close(logistic_linear(m)->coefficient[1], -4, 0.8);
    assert_true(pulled > logistic_linear(m)->coefficient[1]);
    assert_true(many.as_given < 1e-6 && few.as_given > many.as_given);
    o.prior_strength = 100;
    assert_ok(bayesian_fit(*state, draw(*state, 20, -2, 1), &o, NULL, NULL, &m));
    assert_close(logistic_linear(m)->coefficient[1], 2, 0.3);
    o.prior_strength = 0;
    assert_ok(bayesian_fit(*state, draw(*state, 200, 1, 1), &o, NULL, &few, &m));
    assert_close(few.as_given + few.recalibrated + few.doubted, 1, 1e-12);
    assert_true(few.as_given + few.recalibrated > 0.9);
}

static void one_class_is_no_error(void **state) {
    static const double x[] = {1, 0.1, 0, 0, 0.2, 0.3}, y[] = {0, 0};
    struct fit_opts o = {.prior_mean = mu};
    struct model *m;
    assert_ok(bayesian_family.fit(*state, sparse(*state, x, 2, 3, y, NULL), &o, NULL, &m));
    assert_true(logistic_linear(m)->intercept < mu[3]);
    o.prior_mean = NULL;
    assert_ok(bayesian_family.fit(*state, sparse(*state, x, 2, 3, y, NULL), &o, NULL, &m));
    assert_true(isfinite(logistic_linear(m)->intercept));
}

static void out_of_fold_does_not_see_its_fold(void **state) {
    struct dataset *s = draw(*state, 60, 1, 3);
    uint32_t fold[60];
    dataset_fold(*state, s, 3, 1, NULL, fold);
    struct fit_opts o = {.prior_mean = mu, .fold = fold, .n_fold = 3};
    double held_out[60], changed[60];
    struct model *m;
    assert_ok(bayesian_family.fit(*state, s, &o, held_out, &m));
    double *y = arena_copy(*state, s->y, 60 * sizeof *y);
    for (size_t i = 0; i < 60; i++)
        y[i] = fold[i] == 1 ? 1 - y[i] : y[i];
    s->y = y;
    assert_ok(bayesian_family.fit(*state, s, &o, changed, &m));
    bool moved = false;
    for (size_t i = 0; i < 60; i++) {
        if (fold[i] == 1)
            assert_close(held_out[i], changed[i], 0);
        moved = moved || held_out[i] != changed[i];
    }
    assert_true(moved);
}

static void is_stored_and_explained(void **state) {
    struct dataset *s = draw(*state, 80, 1, 4);
    struct fit_opts o = {.prior_mean = mu};
    struct model *m, *again;
    assert_ok(bayesian_family.fit(*state, s, &o, NULL, &m));
    struct buf *text = buf_in(*state, 1 << 20);
    struct json_writer w;
    json_write_begin(&w, text, 0);
    bayesian_family.save(m, &w);
    const struct json *v;
    assert_ok(json_parse(*state, buf_str(text), NULL, &v));
    assert_ok(bayesian_family.load(*state, v, 3, &again));
    const struct column_terms own = own_terms(*state, 3);
    for (size_t i = 0; i < s->n; i++) {
        struct row x = dataset_row(s, i);
        double z, z_again, share[3] = {0};
        bayesian_family.predict(m, &x, 1, &z);
        bayesian_family.predict(again, &x, 1, &z_again);
        assert_close(z, z_again, 0);
        assert_close(family_spread(&bayesian_family, m, x), family_spread(&bayesian_family, again, x), 0);
        double sum = bayesian_family.explain(m, &x, 1, 1, &own, *state, share);
        assert_close(sum + share[0] + share[1] + share[2], z, 1e-12);
    }
}

static void has_what_every_family_has(void **state) {
    const struct sample *s = sample_new(*state, 200, 3);
    struct fit_opts o = sample_opts(s);
    struct model *m;
    assert_ok(bayesian_family.fit(*state, s->data, &o, NULL, &m));
    family_check_stored(*state, &bayesian_family, s, m);
    family_check_shares(*state, &bayesian_family, s, m, 0.3);
    family_check_deterministic(*state, &bayesian_family, s, &o);
    family_check_out_of_fold(*state, &bayesian_family, s, &o);
    family_check_corrupt(*state, &bayesian_family, s, m);
    family_check_weights(*state, &bayesian_family, s, &o, 1e-6);
}

static void refuses_too_many_columns(void **state) {
    struct dataset s = {.n = 0, .d = LOGISTIC_DENSE};
    struct model *m;
    assert_fails(bayesian_family.fit(*state, &s, &(struct fit_opts){0}, NULL, &m), ERR_LIMIT, "bayesian_columns");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(agrees_with_numpy),        ARENA_TEST(no_rows_is_the_prior),
        ARENA_TEST(outcomes_move_it),         ARENA_TEST(one_class_is_no_error),
        ARENA_TEST(is_stored_and_explained),  ARENA_TEST(out_of_fold_does_not_see_its_fold),
        ARENA_TEST(refuses_too_many_columns), ARENA_TEST(has_what_every_family_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
