/* test_split.c — the fixed hash split, shares, time order, syntax. */
#include "learn/split.h"
#include "unit.h"

static struct frame frame_of(struct arena *a, size_t n) {
    uint64_t *index = ARENA_ARRAY(a, n, uint64_t);
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    return (struct frame){.n_row = n, .index = index, .source = STR("leads.csv")};
}

static void reads_and_writes_its_syntax(void **state) {
    struct split s;
    const char *good[] = {"none", "hash:0.3", "random:0.25", "time:0.5"};
    for (size_t i = 0; i < 4; i++) {
        assert_ok(split_parse(str_from(good[i]), &s));
        assert_str(split_text(*state, s), good[i]);
    }
    const char *bad[] = {"",          "hash",   "hash:",    "hash:0",     "hash:1",
                         "hash:-0.1", "hash:x", "none:0.3", "monday:0.3", "hash:0.3:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(split_parse(str_from(bad[i]), &s), ERR_INPUT, "split_syntax");
}

/* Computed in Python: [i for i in range(20) if (i * 2654435761) % 2**32 < 0.3 * 2**32]. */
static void hash_split_is_the_published_one(void **state) {
    (void)state;
    static const bool tests[20] = {[0] = true, [2] = true, [5] = true, [10] = true, [13] = true, [15] = true, [18] = true};
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(split_hash_tests(i, 0.3), tests[i]);
    size_t n = 0;
    for (uint64_t i = 0; i < 9240; i++)
        n += split_hash_tests(i, 0.3);
    assert_int_equal(n, 2772); /* X Education's published test rows */
}

static void hash_split_goes_by_the_row_of_the_file(void **state) {
    struct frame f = frame_of(*state, 3);
    const uint64_t index[] = {1, 5, 7}; /* rows 0, 2, 3, 4, 6 were rejected */
    f.index = index;
    struct split_rows rows;
    assert_ok(split_frame(*state, (struct split){SPLIT_HASH, 0.3}, &f, NULL, 1, &rows));
    assert_int_equal(rows.n_test, 1);
    assert_int_equal(rows.test[0], 1);
}

static void random_split_follows_the_seed(void **state) {
    struct frame f = frame_of(*state, 2000);
    struct split s = {SPLIT_RANDOM, 0.3};
    struct split_rows a, b, c;
    assert_ok(split_frame(*state, s, &f, NULL, 1, &a));
    assert_ok(split_frame(*state, s, &f, NULL, 1, &b));
    assert_ok(split_frame(*state, s, &f, NULL, 2, &c));
    assert_int_equal(a.n_test, b.n_test);
    assert_memory_equal(a.test, b.test, a.n_test * sizeof *a.test);
    assert_in_range(a.n_test, 520, 680);
    assert_true(a.n_test != c.n_test || memcmp(a.test, c.test, a.n_test * sizeof *a.test) != 0);
    assert_int_equal(a.n_train + a.n_test, 2000);
}

static void time_split_tests_the_latest(void **state) {
    enum { N = 100 };
    struct frame f = frame_of(*state, N);
    int64_t order[N];
    for (int i = 0; i < N; i++)
        order[i] = (i * 37) % N;
    struct split_rows rows;
    assert_ok(split_frame(*state, (struct split){SPLIT_TIME, 0.2}, &f, order, 1, &rows));
    assert_int_equal(rows.n_test, 20);
    for (size_t i = 0; i < rows.n_test; i++)
        assert_true(order[rows.test[i]] >= 80);
}

static void an_empty_side_is_an_error(void **state) {
    struct frame f = frame_of(*state, 1);
    struct split_rows rows;
    assert_fails(split_frame(*state, (struct split){SPLIT_HASH, 0.3}, &f, NULL, 1, &rows), ERR_INPUT, "split_empty");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reads_and_writes_its_syntax),
        cmocka_unit_test(hash_split_is_the_published_one),
        ARENA_TEST(hash_split_goes_by_the_row_of_the_file),
        ARENA_TEST(random_split_follows_the_seed),
        ARENA_TEST(time_split_tests_the_latest),
        ARENA_TEST(an_empty_side_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
