/* test_logistic.c — estimates, posterior and cross-validation against scikit-learn and numpy; derivatives; coverage; hard
 * cases. */
#include "ml/logistic.h"

#include "base/rng.h"
#include "family_properties.h"
#include "linear_golden.h"
#include "ml/design_priv.h"
#include "ml/special.h"

static struct model *fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold) {
    struct model *m = NULL;
    assert_ok(logistic_family.fit(a, s, o, out_of_fold, &m));
    return m;
}

/* ---- golden ---- */

static void agrees_with_scikit_learn(void **state) {
    const struct golden *g = golden_load(*state);
    double penalty = golden_number(g, "sklearn_penalty");
    struct fit_opts o = {.penalty_grid = &penalty, .n_penalty = 1};
    const struct linear *l = logistic_linear(fit(*state, &g->data, &o, NULL));
    const double *want = golden_numbers(*state, g, "sklearn");
    for (size_t c = 0; c < g->data.d; c++)
        assert_close(l->coefficient[c], want[c], 1e-6);
    assert_close(l->intercept, want[g->data.d], 1e-6);
}

static void check_covariance(const struct model *m, const double *want, size_t size) {
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++)
            assert_close(logistic_covariance(m, i, j), want[i * size + j],
                         1e-6 * sqrt(want[i * size + i] * want[j * size + j]));
}

static void prior_weights_and_posterior_agree_with_numpy(void **state) {
    const struct golden *g = golden_load(*state);
    size_t size = g->data.d + 1;
    double penalty = golden_number(g, "penalty");
    struct fit_opts o = {.penalty_grid = &penalty, .n_penalty = 1};
    check_covariance(fit(*state, &g->data, &o, NULL), golden_numbers(*state, g, "plain_covariance"), size);
    struct dataset s = g->data;
    s.weight = golden_numbers(*state, g, "weight");
    o.prior_mean = golden_numbers(*state, g, "prior_mean");
    o.prior_weight = golden_numbers(*state, g, "prior_weight");
    const struct model *m = fit(*state, &s, &o, NULL);
    const double *want = golden_numbers(*state, g, "posterior"), *covariance = golden_numbers(*state, g, "covariance");
    for (size_t c = 0; c + 1 < size; c++)
        assert_close(logistic_linear(m)->coefficient[c], want[c], 1e-9);
    assert_close(logistic_linear(m)->intercept, want[size - 1], 1e-9);
    check_covariance(m, covariance, size);
    struct row x = dataset_row(&s, 5);
    double variance = covariance[size * size - 1];
    for (size_t i = 0; i < x.n; i++) {
        variance += 2 * x.val[i] * covariance[x.col[i] * size + size - 1];
        for (size_t j = 0; j < x.n; j++)
            variance += x.val[i] * x.val[j] * covariance[x.col[i] * size + x.col[j]];
    }
    assert_close(family_spread(&logistic_family, m, x), sqrt(variance), 1e-7);
}

static void cross_validation_agrees_with_numpy(void **state) {
    const struct golden *g = golden_load(*state);
    double *held_out = ARENA_ARRAY(*state, g->data.n, double);
    struct fit_opts o = {.penalty_grid = golden_numbers(*state, g, "grid"), .n_penalty = 4, .fold = g->fold, .n_fold = 4};
    const struct model *m = fit(*state, &g->data, &o, held_out);
    const double *want = golden_numbers(*state, g, "cv_logit");
    assert_close(logistic_facts(m).penalty, golden_number(g, "cv_best"), 0);
    for (size_t i = 0; i < g->data.n; i++)
        assert_close(held_out[i], want[i], 2e-3); /* of standard deviations around 0.4 */
    assert_int_equal(logistic_facts(m).rows, 160);
}

/* ---- derivatives ---- */

static void derivatives_agree_with_differences(void **state) {
    const struct sample *s = sample_new(*state, 60, 4);
    struct dataset weighted = *s->data;
    double *weight = ARENA_ARRAY(*state, weighted.n, double);
    for (size_t i = 0; i < weighted.n; i++)
        weight[i] = 0.5 * (double)(i % 4);
    weighted.weight = weight;
    const struct design *x = design_new(*state, &weighted, s->use, COLUMN_LINEAR, s->fold, s->n_fold);
    size_t m = x->d + 1;
    double *theta = ARENA_ARRAY(*state, m, double), *g = ARENA_ARRAY(*state, m, double),
           *h = ARENA_ARRAY(*state, m * m, double);
    double *diagonal = ARENA_ARRAY(*state, m, double);
    struct rng r = rng_from_seed(5);
    for (size_t j = 0; j < m; j++)
        theta[j] = rng_normal(&r);
    (void)design_loss(x, 0, x->n, theta, g);
    design_curvature(x, 0, x->n, theta, h);
    design_curvature_diagonal(x, 0, x->n, theta, diagonal);
    for (size_t j = 0; j < m; j++) {
        const double step = 1e-5, at = theta[j];
        double *low = ARENA_ARRAY(*state, m, double), *high = ARENA_ARRAY(*state, m, double);
        theta[j] = at - step;
        double below = design_loss(x, 0, x->n, theta, low);
        theta[j] = at + step;
        double above = design_loss(x, 0, x->n, theta, high);
        theta[j] = at;
        assert_close(g[j], (above - below) / (2 * step), 1e-7);
        for (size_t i = 0; i < m; i++)
            assert_close(h[i <= j ? i * m + j : j * m + i], (high[i] - low[i]) / (2 * step), 1e-7);
        assert_close(diagonal[j], h[j * m + j], 1e-12);
    }
}

static void loss_is_stable_far_out(void **state) {
    const struct sample *s = sample_new(*state, 1200, 4);
    const struct design *x = design_new(*state, s->data, NULL, 0, NULL, 0);
    double *theta = ARENA_ARRAY(*state, x->d + 1, double), *g = ARENA_ARRAY(*state, x->d + 1, double), positives = 0;
    for (size_t i = 0; i < x->n; i++)
        positives += x->y[i];
    theta[x->d] = 800; /* e^800 is infinite */
    assert_close(design_loss(x, 0, x->n, theta, g), 800 * ((double)x->n - positives), 1e-6);
    theta[x->d] = -800;
    assert_close(design_loss(x, 0, x->n, theta, g), 800 * positives, 1e-6);
    theta[x->d] = 0;
    assert_close(design_loss(x, 0, x->n, theta, g), log(2) * (double)x->n, 1e-9);
}

/* ---- coverage ---- */

/* 95 % intervals of the log-odds under a logistic truth, on fresh rows, over simulated training sets. */
static void intervals_cover_the_truth(void **state) {
    size_t inside = 0, total = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct arena *a = arena_new((size_t)256 << 20);
        const struct sample *s = sample_new(a, 2000, seed), *fresh = sample_new(a, 300, seed + 1000);
        struct fit_opts o = sample_opts(s);
        const struct model *m = fit(a, s->data, &o, NULL);
        for (size_t i = 0; i < fresh->data->n; i++) {
            struct row x = dataset_row(fresh->data, i);
            double logit;
            logistic_family.predict(m, &x, 1, &logit);
            inside += fabs(logit - fresh->truth[i]) <= 1.959964 * family_spread(&logistic_family, m, x);
            total++;
        }
        arena_free(a);
    }
    double coverage = (double)inside / (double)total;
    print_message("# coverage of nominal 95 %%: %.4f\n", coverage);
    assert_true(coverage > 0.92 && coverage < 0.98);
    (void)state;
}

/* ---- hard cases ---- */

static void a_strong_prior_is_the_profile(void **state) {
    const struct sample *s = sample_new(*state, 30, 6);
    struct fit_opts o = sample_opts(s);
    double *mean = ARENA_ARRAY(*state, s->data->d + 1, double), penalty = 1e9;
    for (size_t c = 0; c < s->data->d; c++)
        mean[c] = 0.1 * (double)c - 1;
    o.prior_mean = mean;
    o.penalty_grid = &penalty;
    o.n_penalty = 1;
    const struct linear *l = logistic_linear(fit(*state, s->data, &o, NULL));
    for (size_t c = 0; c < s->data->d; c++)
        assert_close(l->coefficient[c], mean[c], 1e-6);
}

/* 12 rows, two positives in one fold: some training parts have one class. */
static void folds_of_one_class_are_survived(void **state) {
    struct sample *s = sample_new(*state, 12, 7);
    double y[12] = {[3] = 1, [4] = 1}, held_out[12];
    uint32_t fold[12];
    for (uint32_t i = 0; i < 12; i++)
        fold[i] = i == 3 || i == 4 ? 0 : i % 3;
    s->data->y = y;
    struct fit_opts o = sample_opts(s);
    o.fold = fold;
    o.n_fold = 3;
    const struct model *m = fit(*state, s->data, &o, held_out);
    for (size_t i = 0; i < 12; i++)
        assert_true(isfinite(held_out[i]) && fabs(held_out[i]) < 20);
    size_t rest = 0;
    for (size_t i = 0; i < 12; i++)
        rest += fold[i] != 0;
    assert_close(held_out[3], log(0.5 / ((double)rest + 0.5)), 1e-12);
    assert_true(isfinite(family_spread(&logistic_family, m, dataset_row(s->data, 0))));
}

/* One column that separates the classes, without any penalty on it. */
static void separation_without_penalty_stays_finite(void **state) {
    enum { N = 40 };
    size_t start[N + 1] = {0};
    uint32_t col[N];
    double val[N], y[N], weight[] = {0, 0};
    for (size_t i = 0; i < N; i++) {
        start[i + 1] = i + 1;
        col[i] = 0;
        val[i] = (double)i - 19.5;
        y[i] = i >= N / 2;
    }
    struct dataset s = {.n = N, .d = 1, .start = start, .col = col, .val = val, .y = y};
    struct fit_opts o = {.prior_weight = weight, .seed = 1};
    const struct model *m = fit(*state, &s, &o, NULL);
    double logit;
    struct row x = dataset_row(&s, N - 1);
    logistic_family.predict(m, &x, 1, &logit);
    assert_true(isfinite(logit) && logit > 20);
    assert_true(isfinite(family_spread(&logistic_family, m, x)));
}

/* Columns that repeat one another, all unpenalised: the Hessian is singular but for the guard. */
static void collinear_columns_without_penalty(void **state) {
    const struct sample *s = sample_new(*state, 80, 8);
    struct fit_opts o = sample_opts(s);
    double *weight = ARENA_ARRAY(*state, s->data->d + 1, double);
    o.prior_weight = weight;
    const struct model *m = fit(*state, s->data, &o, NULL);
    for (size_t c = 0; c < s->data->d; c++)
        assert_true(isfinite(logistic_linear(m)->coefficient[c]));
}

/* More columns than LOGISTIC_DENSE: the gradient of the penalised loss vanishes at what was found. */
static void wide_models_are_solved(void **state) {
    enum { N = 300, D = LOGISTIC_DENSE + 300, PER_ROW = 30 };
    struct rng r = rng_from_seed(9);
    size_t *start = ARENA_ARRAY(*state, N + 1, size_t);
    uint32_t *col = ARENA_ARRAY(*state, N * PER_ROW, uint32_t), *fold = ARENA_ARRAY(*state, N, uint32_t);
    double *val = ARENA_ARRAY(*state, N * PER_ROW, double), *y = ARENA_ARRAY(*state, N, double);
    double *held_out = ARENA_ARRAY(*state, N, double), *g = ARENA_ARRAY(*state, D + 1, double);
    for (size_t i = 0; i < N; i++) {
        double z = 0;
        for (uint32_t k = 0; k < PER_ROW; k++) {
            size_t at = i * PER_ROW + k;
            col[at] = k * (D / PER_ROW) + (uint32_t)rng_below(&r, D / PER_ROW);
            val[at] = k % 3 == 0 ? rng_normal(&r) : 1;
            z += col[at] % 2 ? 0.3 * val[at] : -0.3 * val[at];
        }
        y[i] = rng_uniform(&r) < sigmoid(z);
        start[i + 1] = (i + 1) * PER_ROW;
    }
    struct dataset s = {.n = N, .d = D, .start = start, .col = col, .val = val, .y = y};
    dataset_fold(*state, &s, 4, 1, NULL, fold);
    struct fit_opts o = {.fold = fold, .n_fold = 4, .threads = 2};
    const struct model *m = fit(*state, &s, &o, held_out);
    const struct linear *l = logistic_linear(m);
    double penalty = logistic_facts(m).penalty;
    for (size_t i = 0; i < N; i++) {
        struct row x = dataset_row(&s, i);
        double residual = sigmoid(linear_logit(l, x)) - y[i];
        for (size_t k = 0; k < x.n; k++)
            g[x.col[k]] += residual * x.val[k];
        g[D] += residual;
    }
    for (size_t c = 0; c <= D; c++)
        assert_close(g[c] + (c < D ? penalty * l->coefficient[c] : 0), 0, 1e-6);
    struct row x = dataset_row(&s, 0);
    double spread = family_spread(&logistic_family, m, x);
    assert_true(isfinite(spread) && spread > 0);
    assert_close(logistic_covariance(m, 0, 1), 0, 0);
}

/* Rows longer than the list that spread keeps on the stack. */
static void long_rows_have_the_same_spread(void **state) {
    enum { N = 40, D = 600 };
    struct rng r = rng_from_seed(10);
    size_t *start = ARENA_ARRAY(*state, N + 1, size_t);
    uint32_t *col = ARENA_ARRAY(*state, N * D, uint32_t);
    double *val = ARENA_ARRAY(*state, N * D, double), *y = ARENA_ARRAY(*state, N, double), penalty = 10, variance = 0;
    for (size_t i = 0; i < N; i++) {
        for (uint32_t c = 0; c < D; c++) {
            col[i * D + c] = c;
            val[i * D + c] = rng_normal(&r);
        }
        start[i + 1] = (i + 1) * D;
        y[i] = (double)(i % 2);
    }
    struct dataset s = {.n = N, .d = D, .start = start, .col = col, .val = val, .y = y};
    struct fit_opts o = {.penalty_grid = &penalty, .n_penalty = 1};
    const struct model *m = fit(*state, &s, &o, NULL);
    struct row x = dataset_row(&s, 0), half = {500, x.col, x.val};
    for (size_t i = 0; i <= D; i++)
        for (size_t j = 0; j <= D; j++)
            variance += (i < D ? x.val[i] : 1) * (j < D ? x.val[j] : 1) * logistic_covariance(m, i, j);
    assert_close(family_spread(&logistic_family, m, x), sqrt(variance), 1e-9);
    variance = 0;
    for (size_t i = 0; i <= 500; i++)
        for (size_t j = 0; j <= 500; j++)
            variance += (i < 500 ? x.val[i] : 1) * (j < 500 ? x.val[j] : 1) *
                        logistic_covariance(m, i < 500 ? i : D, j < 500 ? j : D);
    assert_close(family_spread(&logistic_family, m, half), sqrt(variance), 1e-9);
}

static void a_prior_alone_is_a_model(void **state) {
    const struct sample *s = sample_new(*state, 20, 12);
    size_t d = s->data->d;
    double *mean = ARENA_ARRAY(*state, d + 1, double);
    mean[0] = 2;
    mean[d] = -1;
    const struct model *m = logistic_from_prior(*state, d, mean, NULL, 4, NULL);
    const uint32_t col[] = {0, 1};
    const double val[] = {3, 1};
    struct row x = {2, col, val};
    double logit;
    logistic_family.predict(m, &x, 1, &logit);
    assert_close(logit, 5, 1e-15);
    assert_close(family_spread(&logistic_family, m, x), sqrt((1 + 9 + 1) / 4.0), 1e-15);
    family_check_stored(*state, &logistic_family, s, m);
    family_check_corrupt(*state, &logistic_family, s, m);
}

static void refuses_what_it_cannot_learn_from(void **state) {
    const struct sample *s = sample_new(*state, 20, 13);
    struct fit_opts o = sample_opts(s);
    struct model *m;
    unsigned char *none = ARENA_ARRAY(*state, s->data->d, unsigned char);
    o.use = none;
    assert_fails(logistic_family.fit(*state, s->data, &o, NULL, &m), ERR_INPUT, "no_columns");
    o = sample_opts(s);
    o.n_fold = 3;
    assert_fails(logistic_family.fit(*state, s->data, &o, NULL, &m), ERR_INPUT, "fold_range");
    struct dataset empty = *s->data;
    empty.n = 0;
    assert_fails(logistic_family.fit(*state, &empty, &o, NULL, &m), ERR_INPUT, "no_rows");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(agrees_with_scikit_learn),
        ARENA_TEST(prior_weights_and_posterior_agree_with_numpy),
        ARENA_TEST(cross_validation_agrees_with_numpy),
        ARENA_TEST(derivatives_agree_with_differences),
        ARENA_TEST(loss_is_stable_far_out),
        ARENA_TEST(intervals_cover_the_truth),
        ARENA_TEST(a_strong_prior_is_the_profile),
        ARENA_TEST(folds_of_one_class_are_survived),
        ARENA_TEST(separation_without_penalty_stays_finite),
        ARENA_TEST(collinear_columns_without_penalty),
        ARENA_TEST(wide_models_are_solved),
        ARENA_TEST(long_rows_have_the_same_spread),
        ARENA_TEST(a_prior_alone_is_a_model),
        ARENA_TEST(refuses_what_it_cannot_learn_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
