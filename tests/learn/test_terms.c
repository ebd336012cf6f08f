/* test_terms.c — what not knowing a term costs in certainty, against closed forms for a linear model. */
#include "learn/terms.h"

#include "base/rng.h"
#include "ml/logistic.h"
#include "unit.h"

enum { ROWS = 4000, TERMS = 3, COLUMNS = 4 };

/* Term 0: a flag, true in 30 % of the rows; term 1: a standard normal number, with a column for rows that lack it; term 2: a
 * flag that moves nothing. */
static const double coefficient[COLUMNS + 1] = {2, -0.8, 0.5, 0, 0.1};
static const uint32_t term_of_column[COLUMNS] = {0, 1, 1, 2};

static const struct products no_products = {.first = COLUMNS};

struct world {
    struct bundle b;
    struct dataset *s;
    unsigned char *missing;
    double *logit;
};

static double normal(struct rng *r) { return sqrt(-2 * log(1 - rng_uniform(r))) * cos(6.283185307179586 * rng_uniform(r)); }

static struct dataset *draw(struct arena *a, double lacking, unsigned char *missing) {
    struct rng r = rng_from_seed(7);
    size_t *start = ARENA_ARRAY(a, ROWS + 1, size_t), n = 0;
    uint32_t *col = ARENA_ARRAY(a, ROWS * COLUMNS, uint32_t);
    double *val = ARENA_ARRAY(a, ROWS * COLUMNS, double), *y = ARENA_ARRAY(a, ROWS, double);
    for (size_t i = 0; i < ROWS; i++) {
        bool lacks = rng_uniform(&r) < lacking;
        double number = normal(&r);
        missing[i * TERMS + 1] = lacks;
        if (rng_uniform(&r) < 0.3) {
            col[n] = 0;
            val[n++] = 1;
        }
        col[n] = lacks ? 2 : 1;
        val[n++] = lacks ? 1 : number;
        start[i + 1] = n;
    }
    struct dataset *s = ARENA_NEW(a, struct dataset);
    *s = (struct dataset){.n = ROWS, .d = COLUMNS, .start = start, .col = col, .val = val, .y = y};
    return s;
}

static struct world world_new(struct arena *a, double lacking) {
    static const double importance[TERMS] = {1, 1, 0};
    struct world w = {.missing = ARENA_ARRAY(a, ROWS * TERMS, unsigned char), .logit = ARENA_ARRAY(a, ROWS, double)};
    struct schema *schema = ARENA_NEW(a, struct schema);
    schema->n_field = TERMS;
    w.s = draw(a, lacking, w.missing);
    w.b = (struct bundle){.schema = schema,
                          .n_column = COLUMNS,
                          .n_term = TERMS,
                          .term_of_column = term_of_column,
                          .importance = importance,
                          .imputation = ARENA_ARRAY(a, TERMS, double),
                          .n_member = 1,
                          .spread_scale = 1};
    w.b.member[0] = (struct bundle_member){
        .family = &logistic_family, .model = logistic_from_prior(a, COLUMNS, coefficient, NULL, 1, NULL), .weight = 1};
    for (size_t i = 0; i < ROWS; i++) {
        struct row x = dataset_row(w.s, i);
        logistic_family.predict(w.b.member[0].model, &x, 1, &w.logit[i]);
    }
    return w;
}

/* Fields that every training row knows: the mean square around the log-odds without them, E (c x)^2. */
static void what_was_never_lacking_counts_its_shift(void **state) {
    struct world w = world_new(*state, 0);
    double variance[TERMS];
    terms_imputation(*state, &w.b, &no_products, w.s, w.missing, 1, variance);
    assert_close(variance[0], 0.3 * 4, 0.2);
    assert_close(variance[1], 0.64, 0.1);
    assert_close(variance[2], 0, 0);
    w.b.imputation = variance;
    assert_close(terms_attenuation(&w.b, w.s, w.missing, w.logit), 0, 0);
}

/* The model knows what lacking term 1 means (+0.5): the variance of its values alone. One row in five lacks it, so that V =
 * 0.64 / 5 of a mean row is hidden and the variances were shrunk by 1 - 0.346 V. */
static void what_was_lacking_counts_its_variance(void **state) {
    struct world w = world_new(*state, 0.2);
    double variance[TERMS];
    terms_imputation(*state, &w.b, &no_products, w.s, w.missing, 1, variance);
    const double undone = 1 / (1 - 0.346 * 0.64 * 0.2);
    assert_close(variance[1], undone * 0.64, 0.1);
    w.b.imputation = variance;
    double mean = 0, square = 0, off = sqrt(1 + 0.346 * 0.2 * variance[1]) - 1;
    for (size_t i = 0; i < ROWS; i++)
        mean += w.logit[i] / ROWS;
    for (size_t i = 0; i < ROWS; i++)
        square += (w.logit[i] - mean) * (w.logit[i] - mean) / ROWS;
    assert_close(terms_attenuation(&w.b, w.s, w.missing, w.logit), off * off * square, 0.05 * off * off * square);
}

/* Terms 0 and 1 multiplied, with coefficient g behind the other columns: a number x moves the log-odds by (b + g) x where
 * the flag is there and by b x elsewhere; and lacking the flag, by c + g x or nothing. */
static void products_follow_the_draws(void **state) {
    struct arena *a = *state;
    struct world w = world_new(a, 0);
    const uint32_t one = 0, other = 1, terms[COLUMNS + 1] = {0, 1, 1, 2, 3};
    const double g = 1.1, wide[COLUMNS + 2] = {2, -0.8, 0.5, 0, g, 0.1}, importance[TERMS + 1] = {1, 1, 0, 1};
    const struct products p = products_new(a, COLUMNS, &one, &other, 1);
    const struct dataset *s = products_widen_all(a, &p, w.s);
    unsigned char *missing = ARENA_ARRAY(a, ROWS * (TERMS + 1), unsigned char);
    double variance[TERMS + 1];
    w.b.n_column = COLUMNS + 1;
    w.b.n_term = TERMS + 1;
    w.b.term_of_column = terms;
    w.b.importance = importance;
    w.b.member[0].model = logistic_from_prior(a, COLUMNS + 1, wide, NULL, 1, NULL);
    terms_imputation(a, &w.b, &p, s, missing, 1, variance);
    assert_close(variance[1], 0.7 * 0.8 * 0.8 + 0.3 * (g - 0.8) * (g - 0.8), 0.1);
    assert_close(variance[0], 0.3 * (4 + g * g), 0.4);
    assert_close(variance[3], 0, 0); /* an interaction has none of its own */
}

/* Var of 2 (flag) - 0.8 (number) is 4 * 0.21 + 0.64. */
static void doubt_is_own_variance_over_what_is_said(void **state) {
    struct world w = world_new(*state, 0);
    double own = 0, sd;
    for (size_t i = 0; i < ROWS; i++) {
        struct row x = dataset_row(w.s, i);
        logistic_family.spread(w.b.member[0].model, &x, 1, &sd);
        own += sd * sd / ROWS;
    }
    w.b.spread_scale = 0.1;
    w.b.excess = 0.3;
    assert_close(terms_doubt(*state, &w.b, w.s, 1), (0.3 + 0.01 * own) / (4 * 0.21 + 0.64), 0.04);
    w.b.excess = 100;
    assert_close(terms_doubt(*state, &w.b, w.s, 1), 1, 0);
    w.b.n_member = 0; /* says nothing of anybody */
    assert_close(terms_doubt(*state, &w.b, w.s, 1), 0, 0);
}

static void known_is_the_share_of_cells(void **state) {
    (void)state;
    const unsigned char missing[3 * TERMS] = {0, 1, 1, 0, 0, 1, 0, 0, 0};
    assert_close(terms_known(missing, 3, TERMS, 2), 5.0 / 6, 1e-15); /* the third is no field */
    assert_close(terms_known(missing, 3, TERMS, TERMS), 6.0 / 9, 1e-15);
    assert_close(terms_known(missing, 0, TERMS, TERMS), 1, 0);
}

static void the_same_seed_gives_the_same(void **state) {
    struct world w = world_new(*state, 0.2);
    double once[TERMS], again[TERMS];
    terms_imputation(*state, &w.b, &no_products, w.s, w.missing, 3, once);
    terms_imputation(*state, &w.b, &no_products, w.s, w.missing, 3, again);
    assert_memory_equal(once, again, sizeof once);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_was_never_lacking_counts_its_shift),
        ARENA_TEST(what_was_lacking_counts_its_variance),
        ARENA_TEST(products_follow_the_draws),
        ARENA_TEST(doubt_is_own_variance_over_what_is_said),
        ARENA_TEST(known_is_the_share_of_cells),
        ARENA_TEST(the_same_seed_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
