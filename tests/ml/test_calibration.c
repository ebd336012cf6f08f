/* test_calibration.c — maps against scikit-learn and scipy, their properties, the choice, and the file form. */
#include "ml/calibration.h"

#include "base/rng.h"
#include "golden.h"

#include <math.h>

struct table {
    size_t n;
    double *z, *y, *w;
};

static struct table read_case(struct arena *a, const struct json *c) {
    struct table t;
    t.z = golden_numbers(a, c, "z", &t.n);
    t.y = golden_numbers(a, c, "y", &t.n);
    t.w = golden_numbers(a, c, "weight", &t.n);
    return t;
}

static void slopes_agree_with_scikit_learn(void **state) {
    const struct json *cases = golden_cases(*state, "ml/calibration.json");
    for (uint32_t i = 0; i < cases->count; i++) {
        struct table t = read_case(*state, &cases->items[i]);
        size_t k;
        double *platt = golden_numbers(*state, &cases->items[i], "platt", &k);
        double *beta = golden_numbers(*state, &cases->items[i], "beta", &k);
        struct calibration c;
        calibration_fit(*state, CALIBRATION_PLATT, t.z, t.y, t.w, t.n, &c);
        if (platt[0] > 0) {
            assert_close(c.a, platt[0], 2e-5);
            assert_close(c.c, platt[1], 2e-5);
        } else {
            assert_close(c.a, 0, 0); /* never against the order of scores */
        }
        calibration_fit(*state, CALIBRATION_BETA, t.z, t.y, t.w, t.n, &c);
        assert_close(c.a, beta[0], 2e-4);
        assert_close(c.b, beta[1], 2e-4);
        assert_close(c.c, beta[2], 2e-4);
    }
}

/* A knot stands at the centre of a block; scikit-learn's step function has the block's rate there. */
static void isotonic_blocks_agree_with_scikit_learn(void **state) {
    const struct json *cases = golden_cases(*state, "ml/calibration.json");
    for (uint32_t i = 0; i < cases->count; i++) {
        struct table t = read_case(*state, &cases->items[i]);
        size_t n, k;
        double *at = golden_numbers(*state, &cases->items[i], "isotonic_z", &n);
        double *p = golden_numbers(*state, &cases->items[i], "isotonic_p", &k);
        struct calibration c;
        calibration_fit(*state, CALIBRATION_ISOTONIC, t.z, t.y, t.w, t.n, &c);
        size_t levels = 1;
        for (size_t j = 1; j < n; j++)
            levels += p[j] > p[j - 1] + 1e-12;
        assert_int_equal(c.n_knot, levels);
        for (size_t knot = 0, j = 0; knot < c.n_knot; knot++) {
            double rate = p[j];
            assert_true(c.z[knot] >= at[j] - 1e-12);
            if (rate > 0 && rate < 1)
                assert_close(c.p[knot], rate, 1e-12);
            else
                assert_true(c.p[knot] > 0 && c.p[knot] < 1 && fabs(c.p[knot] - rate) < 0.26);
            while (j < n && p[j] <= rate + 1e-12)
                j++;
            assert_true(c.z[knot] <= at[j - 1] + 1e-12);
        }
    }
}

static double log_loss(const struct calibration *c, const struct table *t) {
    double sum = 0;
    for (size_t i = 0; i < t->n; i++) {
        double p = calibration_apply(c, t->z[i]);
        sum -= t->w[i] * (t->y[i] > 0.5 ? log(p) : log1p(-p));
    }
    return sum;
}

static void maps_ascend_and_do_not_hurt_in_sample(void **state) {
    const struct json *cases = golden_cases(*state, "ml/calibration.json");
    for (uint32_t i = 0; i < cases->count; i++) {
        struct table t = read_case(*state, &cases->items[i]);
        for (int kind = 0; kind < CALIBRATION_KIND_COUNT; kind++) {
            struct calibration c, identity = {.kind = CALIBRATION_NONE};
            calibration_fit(*state, (enum calibration_kind)kind, t.z, t.y, t.w, t.n, &c);
            assert_int_equal(c.kind, kind);
            double last = 0, last_logit = -INFINITY;
            for (double z = -60; z <= 60; z += 0.01) {
                double p = calibration_apply(&c, z), l = calibration_apply_logit(&c, z);
                assert_true(p >= last && p > 0 && p < 1 && l >= last_logit - 1e-12);
                last = p;
                last_logit = l;
                assert_close(1 / (1 + exp(-l)), p, 1e-12);
            }
            assert_true(calibration_apply(&c, -INFINITY) > 0 && calibration_apply(&c, INFINITY) < 1);
            assert_true(log_loss(&c, &t) <= log_loss(&identity, &t) * (1 + 1e-9) + (kind == CALIBRATION_ISOTONIC ? 1 : 0));
        }
    }
}

static struct table draw_table(struct arena *a, struct rng *r, size_t n, double (*truth)(double), uint32_t **fold) {
    struct table t = {n, ARENA_ARRAY(a, n, double), ARENA_ARRAY(a, n, double), NULL};
    *fold = ARENA_ARRAY(a, n, uint32_t);
    for (size_t i = 0; i < n; i++) {
        t.z[i] = 2 * rng_normal(r) - 0.5;
        t.y[i] = rng_uniform(r) < 1 / (1 + exp(-truth(t.z[i])));
        (*fold)[i] = (uint32_t)(i % 5);
    }
    return t;
}

static double same(double z) { return z; }
static double shifted(double z) { return 0.5 * z + 0.7; }
static double lopsided(double z) { return -1.8 * log1p(exp(-z)) + 0.3 * log1p(exp(z)) + 0.4; }
static double stairs(double z) { return 2.5 * floor(z / 2) + 1; }

static void chooses_what_the_data_show(void **state) {
    static const struct {
        double (*truth)(double);
        size_t n;
        enum calibration_kind expected;
    } worlds[] = {{same, 2000, CALIBRATION_NONE},
                  {same, 100, CALIBRATION_NONE},
                  {shifted, 2000, CALIBRATION_PLATT},
                  {lopsided, 8000, CALIBRATION_BETA},
                  {stairs, 20000, CALIBRATION_ISOTONIC}};
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        struct rng r = rng_from_seed(i + 1);
        uint32_t *fold;
        struct table t = draw_table(*state, &r, worlds[i].n, worlds[i].truth, &fold);
        struct calibration c, again;
        calibration_choose(*state, t.z, t.y, NULL, t.n, fold, 5, &c);
        if (c.kind != worlds[i].expected)
            fail_msg("world %zu: chose %s", i, calibration_kind_name(c.kind));
        calibration_choose(*state, t.z, t.y, NULL, t.n, fold, 5, &again);
        assert_close(calibration_apply(&c, 0.3), calibration_apply(&again, 0.3), 0);
    }
}

static void degenerate_samples_give_the_identity_or_stay_finite(void **state) {
    const double z[] = {-1, 0, 2, 3}, ones[] = {1, 1, 1, 1}, split[] = {0, 0, 1, 1}, constant[] = {0.5, 0.5, 0.5, 0.5};
    for (int kind = 0; kind < CALIBRATION_KIND_COUNT; kind++) {
        struct calibration c;
        calibration_fit(*state, (enum calibration_kind)kind, z, ones, NULL, 4, &c);
        assert_int_equal(c.kind, CALIBRATION_NONE);
        calibration_fit(*state, (enum calibration_kind)kind, z, split, NULL, 0, &c);
        assert_int_equal(c.kind, CALIBRATION_NONE);
        calibration_fit(*state, (enum calibration_kind)kind, z, split, NULL, 4, &c); /* separable */
        assert_true(isfinite(c.a) && isfinite(c.b) && isfinite(c.c));
        assert_true(calibration_apply(&c, -1) < 0.3 && calibration_apply(&c, 3) > 0.7);
        calibration_fit(*state, (enum calibration_kind)kind, constant, split, NULL, 4, &c);
        if (kind != CALIBRATION_NONE)
            assert_close(calibration_apply(&c, 0.5), 0.5, 1e-6);
    }
}

/* A map and its JSON give the same probabilities to the bit. */
static void file_form_round_trips(void **state) {
    const struct json *cases = golden_cases(*state, "ml/calibration.json");
    struct table t = read_case(*state, &cases->items[2]);
    for (int kind = 0; kind < CALIBRATION_KIND_COUNT; kind++) {
        struct calibration c, back;
        calibration_fit(*state, (enum calibration_kind)kind, t.z, t.y, NULL, t.n, &c);
        struct buf *text = buf_in(*state, 1 << 20);
        struct json_writer w;
        json_write_begin(&w, text, 0);
        calibration_save(&c, &w);
        const struct json *v;
        assert_ok(json_parse(*state, buf_str(text), NULL, &v));
        assert_ok(calibration_load(*state, v, &back));
        for (double z = -8; z < 8; z += 0.37)
            assert_close(calibration_apply(&back, z), calibration_apply(&c, z), 0);
    }
}

static void refuses_files_that_are_no_map(void **state) {
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"method\":\"magic\"}",
        "{\"method\":7}",
        "{\"method\":\"platt\",\"a\":1}",
        "{\"method\":\"platt\",\"a\":-1,\"c\":0}",
        "{\"method\":\"platt\",\"a\":\"1\",\"c\":0}",
        "{\"method\":\"beta\",\"a\":1,\"b\":-0.5,\"c\":0}",
        "{\"method\":\"isotonic\"}",
        "{\"method\":\"isotonic\",\"log_odds\":[],\"probability\":[]}",
        "{\"method\":\"isotonic\",\"log_odds\":[0,1],\"probability\":[0.5]}",
        "{\"method\":\"isotonic\",\"log_odds\":[0,0],\"probability\":[0.5,0.6]}",
        "{\"method\":\"isotonic\",\"log_odds\":[0,1],\"probability\":[0.6,0.5]}",
        "{\"method\":\"isotonic\",\"log_odds\":[0,1],\"probability\":[0,0.5]}",
        "{\"method\":\"isotonic\",\"log_odds\":[0,1],\"probability\":[0.5,1]}",
        "{\"method\":\"isotonic\",\"log_odds\":[0,null],\"probability\":[0.5,0.6]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct json *v;
        struct calibration c;
        assert_ok(json_parse(*state, str_from(bad[i]), NULL, &v));
        assert_fails(calibration_load(*state, v, &c), ERR_CORRUPT, "calibration_corrupt");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(slopes_agree_with_scikit_learn),
        ARENA_TEST(isotonic_blocks_agree_with_scikit_learn),
        ARENA_TEST(maps_ascend_and_do_not_hurt_in_sample),
        ARENA_TEST(chooses_what_the_data_show),
        ARENA_TEST(degenerate_samples_give_the_identity_or_stay_finite),
        ARENA_TEST(file_form_round_trips),
        ARENA_TEST(refuses_files_that_are_no_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
