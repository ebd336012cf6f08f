/* test_lbfgs.c — quadratics, a hard valley, wrong preconditioners, starts that are the end. */
#include "ml/lbfgs.h"
#include "unit.h"

#include <string.h>

enum { N = 40 };

struct problem {
    double curvature[N], center[N], scale[N];
    unsigned evaluations;
};

/* sum of curvature (x - center)² / 2, plus log cosh of the same: smooth, strictly convex, not quadratic */
static double value(void *ctx, const double *x, double *g) {
    struct problem *p = ctx;
    double sum = 0;
    p->evaluations++;
    for (int i = 0; i < N; i++) {
        double off = x[i] - p->center[i];
        sum += p->curvature[i] * off * off / 2 + log(cosh(off));
        g[i] = p->curvature[i] * off + tanh(off);
    }
    return sum;
}

static void precondition(void *ctx, double *v) {
    const struct problem *p = ctx;
    for (int i = 0; i < N; i++)
        v[i] /= p->scale[i];
}

static struct problem make(bool scaled) {
    struct problem p = {0};
    for (int i = 0; i < N; i++) {
        p.curvature[i] = pow(10, i % 5 - 1);
        p.center[i] = i * 0.1 - 2;
        p.scale[i] = scaled ? p.curvature[i] + 1 : 1;
    }
    return p;
}

static struct lbfgs_result solve(struct arena *a, struct problem *p, double *x) {
    struct lbfgs_problem problem = {.n = N, .ctx = p, .value = value, .precondition = precondition};
    struct lbfgs_opts o = {.max_iteration = 500, .memory = 8, .tolerance = 1e-22};
    return lbfgs_minimise(a, &problem, &o, x);
}

static void finds_the_minimum(void **state) {
    for (int scaled = 0; scaled < 2; scaled++) {
        struct problem p = make(scaled);
        double x[N] = {0};
        struct lbfgs_result r = solve(*state, &p, x);
        assert_true(r.converged);
        for (int i = 0; i < N; i++)
            assert_close(x[i], p.center[i], 1e-8);
        assert_close(r.value, 0, 1e-14);
    }
}

static void a_near_hessian_saves_iterations(void **state) {
    struct problem rough = make(false), near = make(true);
    double x[N] = {0}, y[N] = {0};
    unsigned without = solve(*state, &rough, x).iterations, with = solve(*state, &near, y).iterations;
    assert_true(with * 2 < without);
}

static void a_known_start_costs_no_evaluation(void **state) {
    struct problem p = make(true);
    double x[N], g[N];
    memcpy(x, p.center, sizeof x);
    double start = value(&p, x, g);
    struct lbfgs_problem problem = {.n = N, .ctx = &p, .value = value, .precondition = precondition};
    struct lbfgs_opts o = {.max_iteration = 5, .memory = 3, .tolerance = 1e-20, .start_g = g, .start_value = start};
    p.evaluations = 0;
    struct lbfgs_result r = lbfgs_minimise(*state, &problem, &o, x);
    assert_int_equal(r.iterations, 0);
    assert_int_equal(p.evaluations, 0);
    assert_true(r.converged);
}

static void stops_at_the_limit_and_says_so(void **state) {
    struct problem p = make(false);
    double x[N] = {0};
    struct lbfgs_problem problem = {.n = N, .ctx = &p, .value = value, .precondition = precondition};
    struct lbfgs_opts o = {.max_iteration = 2, .memory = 3, .tolerance = 1e-20};
    struct lbfgs_result r = lbfgs_minimise(*state, &problem, &o, x);
    assert_int_equal(r.iterations, 2);
    assert_false(r.converged);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(finds_the_minimum),
        ARENA_TEST(a_near_hessian_saves_iterations),
        ARENA_TEST(a_known_start_costs_no_evaluation),
        ARENA_TEST(stops_at_the_limit_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
