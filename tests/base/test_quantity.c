/* test_quantity.c — amounts as people write them, and what is no amount. */
#include "base/quantity.h"
#include "base/rng.h"
#include "unit.h"

static void reads(const char *text, double low, double high, unsigned note) {
    struct quantity q;
    if (!quantity_read(str_from(text), '.', &q) || q.low != low || q.high != high ||
        (q.note & ~(unsigned)QUANTITY_GROUPED) != note)
        fail_msg("\"%s\": %g to %g, notes %u", text, q.low, q.high, q.note);
}

static void reads_amounts(void **state) {
    (void)state;
    reads("1200", 1200, 1200, 0);
    reads(" 1,200 ", 1200, 1200, 0);
    reads("1'200'000.5", 1200000.5, 1200000.5, 0);
    reads("-3", -3, -3, 0);
    reads("1e3", 1000, 1000, 0);
    reads("$3.5M", 3.5e6, 3.5e6, QUANTITY_MONEY);
    reads("US$ 2 bn", 2e9, 2e9, QUANTITY_MONEY);
    reads("-$5", -5, -5, QUANTITY_MONEY);
    reads("\xe2\x82\xac"
          "40k",
          40000, 40000, QUANTITY_MONEY);
    reads("900 K", 9e5, 9e5, 0);
    reads("3 million", 3e6, 3e6, 0);
    reads("12 %", 12, 12, QUANTITY_PERCENT);
}

static void reads_ranges(void **state) {
    (void)state;
    reads("51-200", 51, 200, QUANTITY_RANGE);
    reads("51 \xe2\x80\x93 200", 51, 200, QUANTITY_RANGE);
    reads("1,001 to 5,000", 1001, 5000, QUANTITY_RANGE);
    reads("$1-5M", 1e6, 5e6, QUANTITY_RANGE | QUANTITY_MONEY);
    reads("500-1K", 500, 1000, QUANTITY_RANGE);
    reads("-5--2", -5, -2, QUANTITY_RANGE);
    reads("10,000+", 10000, INFINITY, QUANTITY_OPEN);
    reads("> 200", 200, INFINITY, QUANTITY_OPEN);
    reads(">=200", 200, INFINITY, QUANTITY_OPEN);
    reads("up to 10", -INFINITY, 10, QUANTITY_OPEN);
    reads("<10%", -INFINITY, 10, QUANTITY_OPEN | QUANTITY_PERCENT);
}

static void refuses_the_rest(void **state) {
    (void)state;
    static const char *const texts[] = {"",    " ",    "many",     "1,5",      "1,20,000",   "200-51", "2026-01-31", "1.2.3",
                                        "$",   "%",    "5 apples", "1e999",    "1 2",        "+",      "-",          "1-",
                                        "nan", "0x10", "inf",      "1 000 00", "12 % of it", "$5%",    "1e308T"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct quantity q = {7, 7, 0};
        if (quantity_read(str_from(texts[i]), '.', &q) || q.low != 7)
            fail_msg("\"%s\" was read as %g to %g", texts[i], q.low, q.high);
    }
}

static void has_a_middle(void **state) {
    (void)state;
    struct quantity q;
    assert_true(quantity_read(STR("50-200"), '.', &q));
    assert_close(quantity_middle(q, true), 100, 1e-12);
    assert_close(quantity_middle(q, false), 125, 0);
    assert_true(quantity_read(STR("0-200"), '.', &q));
    assert_close(quantity_middle(q, true), 100, 0);
    assert_true(quantity_read(STR("200+"), '.', &q));
    assert_close(quantity_middle(q, true), 200, 0);
    assert_true(quantity_read(STR("<200"), '.', &q));
    assert_close(quantity_middle(q, false), 200, 0);
}

static void reads_numbers_as_people_write_them(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char decimal;
        double value;
        unsigned note;
    } rows[] = {
        {"12", 0, 12, 0},
        {" -3.25 ", 0, -3.25, 0},
        {"1e3", 0, 1000, 0},
        {"1,200", 0, 1200, QUANTITY_GROUPED | QUANTITY_AMBIGUOUS},
        {"1,200", '.', 1200, QUANTITY_GROUPED},
        {"1,200", ',', 1.2, QUANTITY_COMMA},
        {"1.200", 0, 1.2, QUANTITY_AMBIGUOUS},
        {"1.200", ',', 1200, QUANTITY_GROUPED},
        {"1.200,50", 0, 1200.5, QUANTITY_COMMA | QUANTITY_GROUPED},
        {"1,200.50", 0, 1200.5, QUANTITY_GROUPED},
        {"1,5", 0, 1.5, QUANTITY_COMMA},
        {"1,200,300", 0, 1200300, QUANTITY_GROUPED},
        {"1.200.300", 0, 1200300, QUANTITY_GROUPED},
        {"$3.5M", 0, 3.5e6, QUANTITY_MONEY},
        {"\xe2\x82\xac"
         "2k",
         0, 2000, QUANTITY_MONEY},
        {"12 %", 0, 12, QUANTITY_PERCENT},
        {"51-200", 0, 100.99504938362078, QUANTITY_RANGE}, /* sqrt(51 * 200) */
        {"10,000+", '.', 10000, QUANTITY_OPEN | QUANTITY_GROUPED},
        {"< 10", 0, 10, QUANTITY_OPEN},
        {"(1,234)", '.', -1234, QUANTITY_PARENTHESES | QUANTITY_GROUPED},
        {"(5)", 0, -5, QUANTITY_PARENTHESES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct quantity x;
        double value = 0;
        if (!quantity_read(str_from(rows[i].text), rows[i].decimal, &x) ||
            !quantity_read_number(str_from(rows[i].text), rows[i].decimal, &value))
            fail_msg("%s is not read", rows[i].text);
        assert_close(value, rows[i].value, 1e-12 * fabs(rows[i].value));
        unsigned shown = x.note & ~(unsigned)(rows[i].note & QUANTITY_COMMA ? QUANTITY_GROUPED : 0);
        unsigned expected = rows[i].note & ~(unsigned)(rows[i].note & QUANTITY_COMMA ? QUANTITY_GROUPED : 0);
        if (shown != expected)
            fail_msg("%s: notes %u, expected %u", rows[i].text, x.note, rows[i].note);
    }
}

static void refuses_what_is_no_number(void **state) {
    (void)state;
    static const char *const texts[] = {"",      " ",     "abc",       "1e999", "-1e999", "0x10",  "inf",
                                        "nan",   "1-2-3", "12abc",     "--1",   "1,2,3",  "()",    "(-5)",
                                        "(1-2)", "1 2",   "02.Medium", ".",     "-",      "200-51"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int d = 0; d < 3; d++) {
            double x = 7;
            if (d == 1 && texts[i][0] == '1' && texts[i][1] == ',')
                continue;
            if (quantity_read_number(str_from(texts[i]), ".,\0"[d], &x))
                fail_msg("\"%s\" is read as %g", texts[i], x);
            assert_close(x, 7, 0);
        }
}

/* Property: no bytes make it read beyond the cell or return something that is not finite. */
static void any_bytes_are_safe(void **state) {
    static const char alphabet[] = "0123456789.,-+()$%kKmM eE<>\xe2\x80\x93 to";
    struct rng r = rng_from_seed(9);
    for (size_t i = 0; i < 100000; i++) {
        size_t n = rng_below(&r, 20);
        char *text = malloc(n + 1); /* its own block, so that the sanitizer sees each end */
        assert_non_null(text);
        for (size_t k = 0; k < n; k++)
            text[k] = alphabet[rng_below(&r, sizeof alphabet - 1)];
        struct quantity x;
        if (quantity_read((str){text, n}, ".,\0"[rng_below(&r, 3)], &x)) {
            double middle = quantity_middle(x, true);
            assert_true(isfinite(middle));
            assert_true(x.low <= middle && middle <= x.high);
        }
        free(text);
    }
    (void)state;
}

static void votes_for_the_decimal_mark(void **state) {
    (void)state;
    assert_int_equal(quantity_mark_vote(STR("1.200,50")), 1);
    assert_int_equal(quantity_mark_vote(STR("1,5")), 1);
    assert_int_equal(quantity_mark_vote(STR("1.5")), -1);
    assert_int_equal(quantity_mark_vote(STR("1,200.5")), -1);
    assert_int_equal(quantity_mark_vote(STR("1,200")), 0);
    assert_int_equal(quantity_mark_vote(STR("1.200.300")), 1);
    assert_int_equal(quantity_mark_vote(STR("12")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_amounts),
        cmocka_unit_test(reads_ranges),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(has_a_middle),
        cmocka_unit_test(reads_numbers_as_people_write_them),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(any_bytes_are_safe),
        cmocka_unit_test(votes_for_the_decimal_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
