/* test_products.c — products of columns of a row, written out by hand. */
#include "ml/products.h"
#include "unit.h"

/* Columns 0..4, then (products) 5.., then what lay behind. */
static const uint32_t one[] = {0, 1, 2}, other[] = {1, 1, 4};

static struct products products(struct arena *a) { return products_new(a, 5, one, other, 3); }

static void lists_what_both_factors_list(void **state) {
    const struct products p = products(*state);
    const uint32_t col[] = {0, 1, 2, 4, 6}, lacking[] = {1, 2, 3};
    const double val[] = {-0.5, 2, 1, 1, 9}, some[] = {0, 1, 1};
    uint32_t out[3];
    double v[3];
    assert_int_equal(products_list(&p, (struct row){5, col, val}, out, v), 3);
    assert_int_equal(out[0], 5);
    assert_close(v[0], -1, 0);
    assert_close(v[1], 4, 0);
    assert_close(v[2], 1, 0);
    assert_int_equal(products_list(&p, (struct row){3, lacking, some}, out, v), 0); /* 0 squared is 0 */
    assert_int_equal(products_list(&p, (struct row){0, NULL, NULL}, out, v), 0);
}

static void extreme_factors_count_as_the_limit(void **state) {
    const struct products p = products(*state);
    const uint32_t col[] = {0, 1};
    const double val[] = {-40, 12};
    uint32_t out[3];
    double v[3];
    assert_int_equal(products_list(&p, (struct row){2, col, val}, out, v), 2);
    assert_close(v[0], -PRODUCT_LIMIT * PRODUCT_LIMIT, 0);
    assert_close(v[1], PRODUCT_LIMIT * PRODUCT_LIMIT, 0);
}

static void assert_row(struct row x, size_t n, const uint32_t *col, const double *val) {
    assert_int_equal(x.n, n);
    assert_memory_equal(x.col, col, n * sizeof *col);
    assert_memory_equal(x.val, val, n * sizeof *val);
}

/* Columns behind the products move up; computing them anew changes nothing, and follows a changed factor. */
static void rows_are_widened_and_renewed(void **state) {
    const struct products p = products(*state);
    const uint32_t col[] = {0, 1, 3, 5}, wide[] = {0, 1, 3, 5, 6, 8}, changed[] = {1, 2, 4, 5, 6, 8},
                   renewed[] = {1, 2, 4, 6, 7, 8};
    const double val[] = {2, 3, 1, 0.25}, wide_val[] = {2, 3, 1, 6, 9, 0.25}, changed_val[] = {2, 1, 1, 6, 9, 0.25},
                 renewed_val[] = {2, 1, 1, 4, 1, 0.25};
    uint32_t room[9];
    double val_room[9];
    assert_row(products_widen(&p, (struct row){4, col, val}, room, val_room), 6, wide, wide_val);
    assert_row(products_renew(&p, (struct row){6, wide, wide_val}, room, val_room), 6, wide, wide_val);
    assert_row(products_renew(&p, (struct row){6, changed, changed_val}, room, val_room), 6, renewed, renewed_val);
}

static void datasets_are_widened_row_by_row(void **state) {
    static const size_t start[] = {0, 2, 2, 4};
    static const uint32_t col[] = {0, 1, 2, 4};
    static const double val[] = {1, 2, 1, 1}, y[] = {1, 0, 1}, weight[] = {1, 2, 3};
    const struct dataset s = {.n = 3, .d = 7, .start = start, .col = col, .val = val, .y = y, .weight = weight};
    const struct products p = products(*state);
    const struct dataset *wide = products_widen_all(*state, &p, &s);
    const uint32_t last[] = {2, 4, 7};
    const double last_val[] = {1, 1, 1};
    assert_int_equal(wide->d, 10);
    assert_ptr_equal(wide->y, y);
    assert_ptr_equal(wide->weight, weight);
    assert_int_equal(dataset_row(wide, 0).n, 4);
    assert_int_equal(dataset_row(wide, 1).n, 0);
    assert_row(dataset_row(wide, 2), 3, last, last_val);
}

static void no_products_change_nothing(void **state) {
    const struct products p = products_new(*state, 5, NULL, NULL, 0);
    const uint32_t col[] = {0, 4, 5};
    const double val[] = {1, 2, 3};
    uint32_t room[3];
    double val_room[3];
    assert_row(products_widen(&p, (struct row){3, col, val}, room, val_room), 3, col, val);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(lists_what_both_factors_list), ARENA_TEST(extreme_factors_count_as_the_limit),
        ARENA_TEST(rows_are_widened_and_renewed), ARENA_TEST(datasets_are_widened_row_by_row),
        ARENA_TEST(no_products_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
