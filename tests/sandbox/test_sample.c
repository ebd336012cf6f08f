/* test_sample.c — sample leads: the same for a seed, with the promised truth. */
#include "unit.h"

#include "base/time.h"
#include "sandbox/sample.h"

static struct sample_world world(uint64_t seed) {
    return (struct sample_world){seed, time_days_from_civil((struct civil){2024, 7, 1}) * TIME_DAY_MS,
                                 time_days_from_civil((struct civil){2026, 6, 30}) * TIME_DAY_MS};
}

static bool same(const struct sample_lead *x, const struct sample_lead *y) {
    bool equal = x->probability == y->probability && x->converted == y->converted && str_equal(x->signed_on, y->signed_on);
    for (size_t i = 0; i < SAMPLE_COLUMN_COUNT; i++)
        equal = equal && str_equal(x->cell[i], y->cell[i]);
    return equal;
}

static void a_lead_depends_on_seed_and_number_only(void **state) {
    struct sample_world w = world(5), other = world(6);
    struct sample_lead first, again, next, elsewhere;
    sample_draw(*state, &w, 17, &first);
    sample_draw(*state, &w, 18, &next);
    sample_draw(*state, &w, 17, &again);
    sample_draw(*state, &other, 17, &elsewhere);
    assert_true(same(&first, &again));
    assert_false(same(&first, &next));
    assert_false(same(&first, &elsewhere));
}

/* Outcomes are Bernoulli with the stated probability: overall and in each of ten bins within 4.5 standard deviations. */
static void outcomes_follow_the_truth(void **state) {
    enum { N = 40000, BINS = 10 };
    double expected[BINS] = {0}, variance[BINS] = {0}, seen[BINS] = {0}, mean = 0;
    struct sample_world w = world(1);
    for (uint64_t i = 0; i < N; i++) {
        struct arena_mark mark = arena_mark(*state);
        struct sample_lead x;
        sample_draw(*state, &w, i, &x);
        assert_true(x.probability > 0 && x.probability < 1);
        size_t b = (size_t)(x.probability * BINS);
        expected[b] += x.probability;
        variance[b] += x.probability * (1 - x.probability);
        seen[b] += x.converted;
        mean += x.probability / N;
        assert_true(x.converted || str_empty(x.signed_on));
        arena_rewind(*state, mark);
    }
    assert_close(mean, 0.18, 0.01);
    for (size_t b = 0; b < BINS; b++)
        assert_close(seen[b], expected[b], 4.5 * sqrt(variance[b]) + 1);
}

/* Missing titles come from people who convert less: missingness says something. */
static void missing_says_something(void **state) {
    enum { N = 20000 };
    double filled = 0, empty = 0, n_filled = 0, n_empty = 0;
    struct sample_world w = world(2);
    for (uint64_t i = 0; i < N; i++) {
        struct arena_mark mark = arena_mark(*state);
        struct sample_lead x;
        sample_draw(*state, &w, i, &x);
        bool missing = str_empty(x.cell[SAMPLE_TITLE]);
        assert_int_equal(missing, str_equal(x.cell[SAMPLE_SENIORITY], STR("Select")));
        *(missing ? &empty : &filled) += x.probability;
        *(missing ? &n_empty : &n_filled) += 1;
        arena_rewind(*state, mark);
    }
    assert_true(n_empty > N / 20);
    assert_true(empty / n_empty < 0.9 * filled / n_filled);
}

static void cells_are_what_they_say(void **state) {
    struct sample_world w = world(3);
    for (uint64_t i = 0; i < 3000; i++) {
        struct arena_mark mark = arena_mark(*state);
        struct sample_lead x;
        int64_t created, event;
        sample_draw(*state, &w, i, &x);
        assert_ok(time_parse(x.cell[SAMPLE_CREATED], TIME_ORDER_UNKNOWN, &created));
        assert_true(created >= w.first_ms && created <= w.last_ms);
        assert_int_equal(str_empty(x.cell[SAMPLE_LAST_EVENT]), str_empty(x.cell[SAMPLE_LAST_EVENT_ON]));
        if (!str_empty(x.cell[SAMPLE_LAST_EVENT_ON])) {
            assert_ok(time_parse(x.cell[SAMPLE_LAST_EVENT_ON], TIME_ORDER_UNKNOWN, &event));
            assert_true(event <= created);
        }
        assert_true(str_ends(x.cell[SAMPLE_DOMAIN], STR(".example"))); /* reserved: belongs to nobody (RFC 2606) */
        arena_rewind(*state, mark);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_lead_depends_on_seed_and_number_only),
        ARENA_TEST(outcomes_follow_the_truth),
        ARENA_TEST(missing_says_something),
        ARENA_TEST(cells_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
