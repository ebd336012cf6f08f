/* test_interact.c — interactions from the file of leads to the score: found, worth it, stored, explained, and not found
 * where there are none. */
#include "base/clock.h"
#include "features/frames.h"
#include "learn/predict.h"
#include "learn/train.h"
#include "score/scorer.h"

enum { ROWS = 3000, N_FIELD = 6 };

static const char *const names[N_FIELD] = {"channel", "product", "visits", "size", "noise", "won"};
static const char *const channels[] = {"Web", "Fair", "Call"}, *const offers[] = {"Basic", "Pro", "Team"};

enum world { PLANTED, ADDITIVE, NOISE };

/* Numbers are told with one in 20 left out. */
static struct sheet *leads_new(struct arena *a, enum world world, uint64_t seed) {
    struct sheet *s = sheet_new(a, ROWS, N_FIELD, names);
    struct rng r = rng_from_seed(seed);
    for (size_t i = 0; i < ROWS; i++) {
        const size_t channel = rng_below(&r, 3), product = rng_below(&r, 3);
        const double visits = rng_normal(&r), size = rng_normal(&r);
        double logit = -0.5;
        if (world != NOISE)
            logit += 0.8 * (channel == 1) + 0.6 * (product == 2) + 0.7 * visits - 0.4 * size;
        if (world == PLANTED)
            logit += 1.8 * (channel == 0 && product == 1) - 0.9 * (channel == 2) * visits + 0.6 * visits * size;
        s->cell[0][i] = str_from(channels[channel]);
        s->cell[1][i] = str_from(offers[product]);
        s->cell[2][i] = rng_uniform(&r) < 0.05 ? STR("") : str_format(a, "%.3f", visits);
        s->cell[3][i] = rng_uniform(&r) < 0.05 ? STR("") : str_format(a, "%.3f", size);
        s->cell[4][i] = str_format(a, "%.3f", rng_normal(&r));
        s->cell[5][i] = rng_uniform(&r) < 1 / (1 + exp(-logit)) ? STR("yes") : STR("no");
    }
    return s;
}

static struct training train(struct arena *a, const struct sheet *s, const char *family, size_t most,
                             const struct schema *schema) {
    struct train_options o = {.target = STR("won"),
                              .family = str_from(family),
                              .schema = schema,
                              .n_interaction = most,
                              .seed = 1,
                              .threads = 1,
                              .hot = 0.85,
                              .warm = 0.5,
                              .clock = clock_system()};
    struct training t;
    assert_ok(split_parse(STR("hash:0.3"), &o.split));
    assert_ok(train_model(a, &s->frame, &o, &t));
    return t;
}

static bool has(const struct schema *s, const char *title) {
    for (size_t i = 0; i < s->n_interaction; i++)
        if (str_equal(s->interaction[i].title, str_from(title)))
            return true;
    return false;
}

static double test_loss(const struct training *t) { return t->evaluation->test->metrics.of[METRIC_LOG_LOSS].value; }

static void planted_interactions_are_found_and_worth_it(void **state) {
    const struct sheet *s = leads_new(*state, PLANTED, 1);
    const struct training with = train(*state, s, "logistic", 20, NULL), without = train(*state, s, "logistic", 0, NULL);
    const struct schema *found = with.bundle->schema;
    assert_true(has(found, "channel × product") && has(found, "channel × visits") && has(found, "visits × size"));
    assert_true(found->n_interaction <= 5);
    assert_int_equal(without.bundle->schema->n_interaction, 0);
    assert_true(test_loss(&with) < test_loss(&without) - 0.02);
    size_t shown = 0;
    for (size_t i = 0; i < with.evaluation->n_feature; i++)
        shown += str_equal(with.evaluation->feature[i].group, STR("interaction"));
    assert_int_equal(shown, found->n_interaction);
}

static void nothing_is_found_where_nothing_is(void **state) {
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct arena_mark mark = arena_mark(*state);
        const struct sheet *s = leads_new(*state, seed % 2 ? ADDITIVE : NOISE, 10 + seed);
        const struct training t = train(*state, s, "logistic", 20, NULL);
        assert_int_equal(t.bundle->schema->n_interaction, 0);
        assert_true(t.bundle->no_signal == (seed % 2 == 0));
        arena_rewind(*state, mark);
    }
}

struct rows {
    struct row *row;
    unsigned char *missing;
};

/* Rows as they are scored: one by one, from text. */
static struct rows vectors(struct arena *a, const struct bundle *b, const struct sheet *s, size_t n, ptrdiff_t hidden) {
    struct rows r = {ARENA_ARRAY(a, n, struct row), ARENA_ARRAY(a, n * b->n_term, unsigned char)};
    struct vectoriser *v;
    str cell[N_FIELD];
    assert_ok(predict_bind(a, b, STR("test"), s->frame.name, N_FIELD, &v));
    for (size_t i = 0; i < n; i++) {
        struct vector *x = vector_new(a, v);
        for (size_t c = 0; c < N_FIELD; c++)
            cell[c] = (ptrdiff_t)c == hidden ? STR("") : s->cell[c][i];
        vectorise_row(v, cell, 0, x);
        r.row[i] = x->row;
        memcpy(r.missing + i * b->n_term, x->missing, b->n_term);
    }
    return r;
}

static void shares_sum_to_the_log_odds(void **state) {
    static const char *const families[] = {"logistic", "auto"};
    struct arena *a = *state;
    enum { N = 200 };
    const struct sheet *s = leads_new(a, PLANTED, 2);
    for (size_t k = 0; k < 2; k++) {
        const struct bundle *b = train(a, s, families[k], 20, NULL).bundle;
        const struct rows r = vectors(a, b, s, N, -1);
        struct score score[N];
        double *share = ARENA_ARRAY(a, N * b->n_term, double), together = 0;
        scorer_score(b, r.row, N, r.missing, 0.95, a, score);
        const double base = scorer_explain(b, r.row, N, a, share);
        assert_int_equal(bundle_first_interaction(b), b->schema->n_field);
        for (size_t i = 0; i < N; i++) {
            double sum = base;
            for (size_t t = 0; t < b->n_term; t++)
                sum += share[i * b->n_term + t];
            assert_close(sum, score[i].logit, 1e-9);
            together += fabs(share[i * b->n_term + bundle_first_interaction(b)]);
        }
        assert_true(b->schema->n_interaction > 0 && together > 0);
    }
}

static void stored_models_score_the_same(void **state) {
    struct arena *a = *state;
    enum { N = 300 };
    const struct sheet *s = leads_new(a, PLANTED, 3);
    const struct bundle *b = train(a, s, "logistic", 20, NULL).bundle;
    struct buf *bytes = buf_in(a, 1 << 24), *again = buf_in(a, 1 << 24);
    struct bundle *read;
    assert_ok(bundle_write(b, bytes));
    assert_ok(bundle_read(a, buf_str(bytes), &read));
    assert_ok(bundle_write(read, again));
    assert_true(str_equal(buf_str(bytes), buf_str(again)));
    const struct rows x = vectors(a, b, s, N, -1), y = vectors(a, read, s, N, -1);
    struct score before[N], after[N];
    scorer_score(b, x.row, N, x.missing, 0.95, a, before);
    scorer_score(read, y.row, N, y.missing, 0.95, a, after);
    assert_memory_equal(before, after, sizeof before);
    for (size_t t = 0; t < b->n_term; t++)
        assert_true(str_equal(bundle_term_title(b, t), bundle_term_title(read, t)));
    assert_str(bundle_term_group(read, bundle_first_interaction(read)), "interaction");
}

/* Hiding a field of an interaction widens the interval on the log-odds. */
static void hidden_fields_widen_the_interval(void **state) {
    struct arena *a = *state;
    enum { N = 200 };
    const struct sheet *s = leads_new(a, PLANTED, 4);
    const struct bundle *b = train(a, s, "logistic", 20, NULL).bundle;
    struct score whole[N], hidden[N];
    const struct rows x = vectors(a, b, s, N, -1), y = vectors(a, b, s, N, 2);
    size_t wider = 0;
    scorer_score(b, x.row, N, x.missing, 0.95, a, whole);
    scorer_score(b, y.row, N, y.missing, 0.95, a, hidden);
    for (size_t i = 0; i < N; i++)
        wider += hidden[i].spread > whole[i].spread || s->cell[2][i].len == 0;
    assert_int_equal(wider, N);
}

static void a_given_schema_decides(void **state) {
    struct arena *a = *state;
    const struct sheet *s = leads_new(a, PLANTED, 5);
    struct schema none = *train(a, s, "logistic", 0, NULL).bundle->schema, one = none;
    none.interaction_given = true;
    assert_int_equal(train(a, s, "logistic", 20, &none).bundle->schema->n_interaction, 0);
    const struct product squared = {STR("size"), STR("size")}, pair = {STR("size"), STR("noise")};
    const struct interaction list[] = {schema_interaction(a, &one, 3, 3, &squared, 1),
                                       schema_interaction(a, &one, 3, 4, &pair, 1)};
    one.interaction = list;
    one.n_interaction = 2;
    const struct bundle *b = train(a, s, "logistic", 20, &one).bundle;
    assert_int_equal(b->schema->n_interaction, 2);
    assert_str(bundle_term_title(b, bundle_first_interaction(b)), "size squared");
    assert_close(b->importance[bundle_first_interaction(b)], 0, 0); /* a square counts for its field */
    assert_true(b->importance[bundle_first_interaction(b) + 1] > 0);
}

static void the_same_seed_gives_the_same_model(void **state) {
    const struct sheet *s = leads_new(*state, PLANTED, 6);
    struct buf *x = buf_in(*state, 1 << 24), *y = buf_in(*state, 1 << 24);
    struct bundle *once = train(*state, s, "logistic", 20, NULL).bundle,
                  *again = train(*state, s, "logistic", 20, NULL).bundle;
    once->created_ms = again->created_ms;
    assert_ok(bundle_write(once, x));
    assert_ok(bundle_write(again, y));
    assert_true(str_equal(buf_str(x), buf_str(y)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(planted_interactions_are_found_and_worth_it),
        ARENA_TEST(nothing_is_found_where_nothing_is),
        ARENA_TEST(shares_sum_to_the_log_odds),
        ARENA_TEST(stored_models_score_the_same),
        ARENA_TEST(hidden_fields_widen_the_interval),
        ARENA_TEST(a_given_schema_decides),
        ARENA_TEST(the_same_seed_gives_the_same_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
