/* test_value.c — numbers and truth values in text. */
#include "features/value.h"
#include "base/number.h"
#include "base/rng.h"
#include "unit.h"

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
        {"1,200", 0, 1200, NUMBER_GROUPED | NUMBER_AMBIGUOUS},
        {"1,200", '.', 1200, NUMBER_GROUPED},
        {"1,200", ',', 1.2, NUMBER_COMMA},
        {"1.200", 0, 1.2, NUMBER_AMBIGUOUS},
        {"1.200", ',', 1200, NUMBER_GROUPED},
        {"1.200,50", 0, 1200.5, NUMBER_COMMA | NUMBER_GROUPED},
        {"1,200.50", 0, 1200.5, NUMBER_GROUPED},
        {"1,5", 0, 1.5, NUMBER_COMMA},
        {"1,200,300", 0, 1200300, NUMBER_GROUPED},
        {"1.200.300", 0, 1200300, NUMBER_GROUPED},
        {"$3.5M", 0, 3.5e6, NUMBER_MONEY},
        {"\xe2\x82\xac"
         "2k",
         0, 2000, NUMBER_MONEY},
        {"12 %", 0, 12, NUMBER_PERCENT},
        {"51-200", 0, 100.99504938362078, NUMBER_RANGE}, /* sqrt(51 * 200) */
        {"10,000+", '.', 10000, NUMBER_OPEN | NUMBER_GROUPED},
        {"< 10", 0, 10, NUMBER_OPEN},
        {"(1,234)", '.', -1234, NUMBER_PARENTHESES | NUMBER_GROUPED},
        {"(5)", 0, -5, NUMBER_PARENTHESES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct number x;
        if (!number_read(str_from(rows[i].text), rows[i].decimal, &x))
            fail_msg("%s is not read", rows[i].text);
        assert_close(x.value, rows[i].value, 1e-12 * fabs(rows[i].value));
        unsigned shown = x.note & ~(unsigned)(rows[i].note & NUMBER_COMMA ? NUMBER_GROUPED : 0);
        unsigned expected = rows[i].note & ~(unsigned)(rows[i].note & NUMBER_COMMA ? NUMBER_GROUPED : 0);
        if (shown != expected)
            fail_msg("%s: notes %u, expected %u", rows[i].text, x.note, rows[i].note);
    }
}

static void keeps_the_ends_of_ranges(void **state) {
    (void)state;
    struct number x;
    assert_true(number_read(STR("51-200"), '.', &x));
    assert_close(x.low, 51, 0);
    assert_close(x.high, 200, 0);
    assert_true(number_read(STR("10,000+"), '.', &x));
    assert_close(x.low, 10000, 0);
    assert_true(isinf(x.high));
    assert_true(number_read(STR("0-10"), '.', &x));
    assert_close(x.value, 5, 0); /* no geometric middle with 0 */
}

static void refuses_what_is_no_number(void **state) {
    (void)state;
    static const char *const texts[] = {"",      " ",     "abc",       "1e999", "-1e999", "0x10",  "inf",
                                        "nan",   "1-2-3", "12abc",     "--1",   "1,2,3",  "()",    "(-5)",
                                        "(1-2)", "1 2",   "02.Medium", ".",     "-",      "200-51"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int d = 0; d < 3; d++) {
            struct number x = {.value = 7};
            if (d == 1 && texts[i][0] == '1' && texts[i][1] == ',')
                continue;
            if (number_read(str_from(texts[i]), ".,"[d < 2 ? d : 0], &x))
                fail_msg("\"%s\" is read as %g", texts[i], x.value);
            assert_close(x.value, 7, 0);
        }
}

/* Property: the quick reader, where it answers, agrees with the full one to the last bit. */
static void quick_reader_agrees(void **state) {
    struct rng r = rng_from_seed(4);
    size_t answered = 0;
    for (size_t i = 0; i < 200000; i++) {
        char text[32];
        size_t n = 0, digits = 1 + rng_below(&r, 17), point = rng_below(&r, 24);
        if (rng_below(&r, 2))
            text[n++] = '-';
        for (size_t k = 0; k < digits; k++) {
            if (k == point)
                text[n++] = '.';
            text[n++] = (char)('0' + rng_below(&r, 10));
        }
        double quick, full;
        if (number_read_short((str){text, n}, &quick)) {
            answered++;
            assert_true(number_parse((str){text, n}, &full));
            assert_memory_equal(&quick, &full, sizeof quick);
        }
    }
    assert_true(answered > 100000);
    double x;
    assert_false(number_read_short(STR(""), &x));
    assert_false(number_read_short(STR("-"), &x));
    assert_false(number_read_short(STR("5."), &x));
    assert_false(number_read_short(STR("1e3"), &x));
    assert_false(number_read_short(STR("1..2"), &x));
    (void)state;
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
        struct number x;
        if (number_read((str){text, n}, ".,\0"[rng_below(&r, 3)], &x)) {
            assert_true(isfinite(x.value));
            assert_true(x.low <= x.value && x.value <= x.high);
        }
        free(text);
    }
    (void)state;
}

static void votes_for_the_decimal_mark(void **state) {
    (void)state;
    assert_int_equal(number_mark_vote(STR("1.200,50")), 1);
    assert_int_equal(number_mark_vote(STR("1,5")), 1);
    assert_int_equal(number_mark_vote(STR("1.5")), -1);
    assert_int_equal(number_mark_vote(STR("1,200.5")), -1);
    assert_int_equal(number_mark_vote(STR("1,200")), 0);
    assert_int_equal(number_mark_vote(STR("1.200.300")), 1);
    assert_int_equal(number_mark_vote(STR("12")), 0);
}

static void reads_flags(void **state) {
    (void)state;
    static const char *const yes[] = {"yes", "TRUE", "Y", "t", "1", "On", " Yes "};
    static const char *const no[] = {"no", "False", "N", "f", "0", "off"};
    bool v;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(flag_read(str_from(yes[i]), &v) && v);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_true(flag_read(str_from(no[i]), &v) && !v);
    assert_false(flag_read(STR("2"), &v));
    assert_false(flag_read(STR("maybe"), &v));
    assert_false(flag_read(STR(""), &v));
}

static void folds_case_and_space(void **state) {
    (void)state;
    char room[16];
    assert_str(text_fold(STR("  New \t York "), room, sizeof room), "new york");
    assert_str(text_fold(STR(""), room, sizeof room), "");
    assert_str(text_fold(STR("A much longer text Than the Room"), room, sizeof room), "A much longer text Than the Room");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_as_people_write_them),
        cmocka_unit_test(keeps_the_ends_of_ranges),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(quick_reader_agrees),
        cmocka_unit_test(any_bytes_are_safe),
        cmocka_unit_test(votes_for_the_decimal_mark),
        cmocka_unit_test(reads_flags),
        cmocka_unit_test(folds_case_and_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
