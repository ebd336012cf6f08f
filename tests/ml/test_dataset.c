/* test_dataset.c — picking, masking, folds. */
#include "ml/dataset.h"
#include "unit.h"

static const size_t start[] = {0, 2, 2, 5};
static const uint32_t col[] = {0, 3, 1, 2, 3};
static const double val[] = {1, 2, 3, 4, 5}, y[] = {1, 0, 1};
static const struct dataset three = {.n = 3, .d = 4, .start = start, .col = col, .val = val, .y = y};

static void picks_rows_with_repeats(void **state) {
    const uint32_t rows[] = {2, 0, 2, 1};
    const struct dataset *s = dataset_pick(*state, &three, rows, 4);
    assert_int_equal(s->n, 4);
    assert_int_equal(dataset_row(s, 0).n, 3);
    assert_close(dataset_row(s, 1).val[1], 2, 0);
    assert_int_equal(dataset_row(s, 2).col[0], 1);
    assert_int_equal(dataset_row(s, 3).n, 0);
    assert_close(s->y[3], 0, 0);
}

static void masks_columns(void **state) {
    const unsigned char keep[] = {0, 1, 0, 1};
    const struct dataset *s = dataset_mask(*state, &three, keep);
    assert_int_equal(dataset_row(s, 0).n, 1);
    assert_int_equal(dataset_row(s, 0).col[0], 3);
    assert_int_equal(dataset_row(s, 2).n, 2);
}

static void folds_are_stratified_and_keep_groups(void **state) {
    enum { N = 1000, K = 5 };
    size_t empty[N + 1] = {0};
    double outcome[N];
    uint32_t group[N], fold[N];
    for (size_t i = 0; i < N; i++) {
        outcome[i] = i % 10 == 0;
        group[i] = (uint32_t)(i % 400);
    }
    struct dataset s = {.n = N, .d = 0, .start = empty, .y = outcome};
    dataset_fold(*state, &s, K, 1, group, fold);
    size_t rows[K] = {0}, positives[K] = {0};
    for (size_t i = 0; i < N; i++) {
        assert_true(fold[i] < K);
        assert_int_equal(fold[i], fold[i % 400]);
        rows[fold[i]]++;
        positives[fold[i]] += outcome[i] > 0;
    }
    for (size_t f = 0; f < K; f++) {
        assert_in_range(rows[f], 190, 210);
        assert_in_range(positives[f], 15, 25);
    }
    uint32_t list[N];
    assert_int_equal(dataset_fold_rows(fold, N, 0, true, list), rows[0]);
    assert_int_equal(dataset_fold_rows(fold, N, 0, false, list), N - rows[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(picks_rows_with_repeats),
        ARENA_TEST(masks_columns),
        ARENA_TEST(folds_are_stratified_and_keep_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
