/* test_stack.c — the solver against scipy, and what a stack may and may not do. */
#include "ml/stack.h"

#include "base/rng.h"
#include "golden.h"
#include "ml/nonneg.h"

static void solver_agrees_with_scipy(void **state) {
    const struct json *cases = golden_cases(*state, "ml/nonneg.json");
    for (uint32_t i = 0; i < cases->count; i++) {
        const struct json *c = &cases->items[i], *columns = NULL;
        assert_ok(json_get_array(c, STR("columns"), &columns));
        const double *column[NONNEG_MAX_COLUMN];
        struct nonneg_problem p = {.column = column, .m = columns->count, .intercept_pull = golden_number(c, "pull") / 2};
        for (uint32_t m = 0; m < columns->count; m++) {
            double *values = ARENA_ARRAY(*state, columns->items[m].count, double);
            for (uint32_t k = 0; k < columns->items[m].count; k++)
                values[k] = json_number_of(&columns->items[m].items[k]);
            column[m] = values;
            p.pull[m] = golden_number(c, "pull");
        }
        size_t k;
        p.y = golden_numbers(*state, c, "y", &p.n);
        p.weight = golden_numbers(*state, c, "weight", &k);
        double *target = golden_numbers(*state, c, "target", &k), *expected = golden_numbers(*state, c, "w", &k);
        double w[NONNEG_MAX_COLUMN] = {0}, intercept = 0;
        for (size_t m = 0; m < p.m; m++)
            p.target[m] = target[m];
        (void)nonneg_fit(&p, w, &intercept);
        for (size_t m = 0; m < p.m; m++)
            assert_close(w[m], expected[m], 1e-6);
        assert_close(intercept, golden_number(c, "intercept"), 1e-6);
    }
}

enum { M = 3, N = 4000 };

struct world {
    double *z[M], *y;
    uint32_t *fold;
};

/* Members are the truth with noise of their own; `noise` is its deviation for each. */
static struct world draw_world(struct arena *a, uint64_t seed, size_t n, const double noise[M]) {
    struct world w = {.y = ARENA_ARRAY(a, n, double), .fold = ARENA_ARRAY(a, n, uint32_t)};
    struct rng r = rng_from_seed(seed);
    for (size_t m = 0; m < M; m++)
        w.z[m] = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++) {
        double truth = 1.5 * rng_normal(&r) - 1;
        for (size_t m = 0; m < M; m++)
            w.z[m][i] = truth + noise[m] * rng_normal(&r);
        w.y[i] = rng_uniform(&r) < 1 / (1 + exp(-truth));
        w.fold[i] = (uint32_t)(i % 5);
    }
    return w;
}

static void equals_share_and_gain(void **state) {
    struct world w = draw_world(*state, 1, N, (const double[M]){0.7, 0.7, 0.7});
    struct stack s;
    stack_fit(*state, (const double *const *)w.z, M, w.y, NULL, N, w.fold, 5, &s);
    for (size_t m = 0; m < M; m++) {
        assert_true(s.weight[m] > 0.15 && s.weight[m] < 0.5);
        assert_true(s.log_loss < s.member_log_loss[m]);
    }
    assert_true(s.gain > 3 * s.gain_error && s.gain_error > 0);
    assert_close(s.gain, s.member_log_loss[s.best] - s.log_loss, 1e-12);
    assert_close(stack_apply(&s, (const double[]){1, 2, 3}), s.intercept + s.weight[0] + 2 * s.weight[1] + 3 * s.weight[2],
                 1e-12);
}

static void useless_member_gets_nothing(void **state) {
    struct world w = draw_world(*state, 2, N, (const double[M]){0.3, 0.3, 0.3});
    for (size_t i = 0; i < N; i++)
        w.z[2][i] = sin((double)(i * i));
    struct stack s;
    stack_fit(*state, (const double *const *)w.z, M, w.y, NULL, N, w.fold, 5, &s);
    assert_close(s.weight[2], 0, 0.05);
    assert_true(s.best != 2);
}

/* Copies of one model: any split of the weight is the same model, and the solver must not mind. */
static void copies_are_one(void **state) {
    struct world w = draw_world(*state, 3, N, (const double[M]){0.4, 0.4, 0.4});
    const double *one[] = {w.z[0]}, *copies[] = {w.z[0], w.z[0], w.z[0]};
    struct stack s, t;
    stack_fit(*state, one, 1, w.y, NULL, N, w.fold, 5, &s);
    stack_fit(*state, copies, 3, w.y, NULL, N, w.fold, 5, &t);
    assert_close(t.weight[0] + t.weight[1] + t.weight[2], s.weight[0], 0.01);
    assert_close(t.weight[0], t.weight[1], 1e-9);
    assert_close(t.log_loss, s.log_loss, 1e-4);
}

/* Over many small samples the stack is not worse than the member that looked best, by more than noise. */
static void small_samples_do_not_ruin_it(void **state) {
    enum { SMALL = 100, WORLDS = 60 };
    static const double noises[][M] = {{0.5, 0.5, 0.5}, {0.3, 0.9, 1.2}};
    for (size_t k = 0; k < 2; k++) {
        double excess = 0;
        for (uint64_t seed = 0; seed < WORLDS; seed++) {
            struct world w = draw_world(*state, 100 + seed, SMALL + N, noises[k]);
            struct stack s;
            stack_fit(*state, (const double *const *)w.z, M, w.y, NULL, SMALL, w.fold, 5, &s);
            for (size_t i = SMALL; i < SMALL + N; i++) {
                double z[M] = {w.z[0][i], w.z[1][i], w.z[2][i]}, f = stack_apply(&s, z), b = z[s.best];
                excess += (log1p(exp(f)) - w.y[i] * f - log1p(exp(b)) + w.y[i] * b) / N / WORLDS;
            }
        }
        assert_true(excess < 0.003);
    }
}

static void one_class_falls_back_to_the_best(void **state) {
    struct world w = draw_world(*state, 4, 50, (const double[M]){0.3, 0.3, 0.3});
    for (size_t i = 0; i < 50; i++)
        w.y[i] = 0;
    struct stack s;
    stack_fit(*state, (const double *const *)w.z, M, w.y, NULL, 50, w.fold, 5, &s);
    for (size_t m = 0; m < M; m++)
        assert_close(s.weight[m], m == s.best, 0);
    assert_close(s.intercept, 0, 0);
    assert_true(isfinite(s.log_loss) && isfinite(s.gain));
}

/* Members that know nothing: the stack says the base rate, not one half. */
static void no_signal_gives_the_base_rate(void **state) {
    enum { ROWS = 4000 };
    struct world w = draw_world(*state, 5, ROWS, (const double[M]){1, 1, 1});
    struct rng r = rng_from_seed(6);
    for (size_t i = 0; i < ROWS; i++)
        w.y[i] = i % 20 == 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t m = 0; m < M; m++)
            w.z[m][i] = -3 + 0.7 * rng_normal(&r);
    struct stack s;
    stack_fit(*state, (const double *const *)w.z, M, w.y, NULL, ROWS, w.fold, 5, &s);
    assert_close(stack_apply(&s, (const double[]){-2, -3, -3}), log(0.05 / 0.95), 0.4);
    assert_close(stack_apply(&s, (const double[]){-3, -3, -3}), log(0.05 / 0.95), 0.2);
    assert_true(s.weight[0] + s.weight[1] + s.weight[2] < 0.4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(solver_agrees_with_scipy),         ARENA_TEST(equals_share_and_gain),
        ARENA_TEST(useless_member_gets_nothing),      ARENA_TEST(copies_are_one),
        ARENA_TEST(small_samples_do_not_ruin_it),     ARENA_TEST(no_signal_gives_the_base_rate),
        ARENA_TEST(one_class_falls_back_to_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
