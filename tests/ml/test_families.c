/* test_families.c — the properties of every family, on the linear ones. */
#include "family_properties.h"
#include "ml/logistic.h"
#include "ml/naive_bayes.h"
#include "ml/subscore.h"

enum { ROWS = 500 };

static void check_linear(struct arena *a, const struct model_family *f, const struct sample *s, const struct fit_opts *o) {
    struct model *m;
    assert_ok(f->fit(a, s->data, o, NULL, &m));
    family_check_shares(a, f, s, m, 1e-9);
    family_check_weights(a, f, s, o, 1e-8);
}

static void logistic(void **state) {
    const struct sample *s = sample_new(*state, ROWS, 1);
    struct fit_opts o = sample_opts(s);
    family_check(state, &logistic_family, s, &o);
    check_linear(*state, &logistic_family, s, &o);
}

static void subscore(void **state) {
    const struct sample *s = sample_new(*state, ROWS, 2);
    struct fit_opts o = sample_opts(s);
    family_check(state, &subscore_family, s, &o);
    check_linear(*state, &subscore_family, s, &o);
}

static void naive_bayes(void **state) {
    const struct sample *s = sample_new(*state, ROWS, 3);
    struct fit_opts o = sample_opts(s);
    family_check(state, &naive_bayes_family, s, &o);
    check_linear(*state, &naive_bayes_family, s, &o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(logistic),
        ARENA_TEST(subscore),
        ARENA_TEST(naive_bayes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
