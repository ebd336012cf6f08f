/* test_number.c — numbers read back to the bit, written in the fewest digits. */
#include "unit.h"

#include "base/number.h"
#include "base/rng.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 50 * 1000 };
#else
enum { ROUNDS = 1000 * 1000 };
#endif

static void reads_decimal_numbers(void **state) {
    (void)state;
    const struct {
        const char *text;
        double value;
    } cases[] = {{"0", 0},
                 {"-12", -12},
                 {"3.5", 3.5},
                 {"1e-3", 0.001},
                 {"+7", 7},
                 {".5", 0.5},
                 {"5.", 5},
                 {"-.5e1", -5},
                 {"007", 7},
                 {"1E2", 100},
                 {"5e-324", 0x1p-1074},
                 {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
                 {"1e-999", 0},
                 {"0e9999", 0},
                 {"100000e-330", 0},
                 {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
                 {"0.000001e310", 1e304},
                 {"9007199254740993", 9007199254740992.0},
                 {"9007199254740993.0000001", 9007199254740994.0},
                 {"0.1", 0.1},
                 {"123456789012345678901234567890", 123456789012345678901234567890.0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 77;
        if (!number_parse(str_from(cases[i].text), &value) || value != cases[i].value)
            fail_msg("\"%s\" is read as %.17g", cases[i].text, value);
    }
    double value = 1;
    assert_true(number_parse(STR("-0"), &value) && value == 0 && signbit(value));
    assert_true(number_parse(STR("-1e-400"), &value) && value == 0 && signbit(value));
}

static void refuses_anything_else(void **state) {
    (void)state;
    const char *const cases[] = {"",           " 1",
                                 "1 ",         "+",
                                 "-",          ".",
                                 "e5",         "1e",
                                 "1e+",        "--1",
                                 "+-1",        "-+1",
                                 "++1",        "0x10",
                                 "1,000",      "inf",
                                 "-inf",       "nan",
                                 "NaN",        "-nan",
                                 "infinity",   "1f",
                                 "1_0",        "1..2",
                                 "1.2.3",      "1e5.5",
                                 "1e5e5",      "$1",
                                 "١",          "1e999",
                                 "-1e999",     "1e400000000000000000000000",
                                 "123456e304", "1.7976931348623159e308"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 77;
        if (number_parse(str_from(cases[i]), &value) || value != 77)
            fail_msg("\"%s\" is read as %.17g", cases[i], value);
    }
    double value = 77;
    assert_false(number_parse((str){0}, &value));
    assert_false(number_parse((str){"1\0", 2}, &value));
    assert_true(number_parse((str){"12x", 2}, &value) && value == 12); /* stays inside its length */
}

static void reads_whole_numbers(void **state) {
    (void)state;
    int64_t value = 77;
    assert_true(number_parse_integer(STR("9223372036854775807"), &value) && value == INT64_MAX);
    assert_true(number_parse_integer(STR("-9223372036854775808"), &value) && value == INT64_MIN);
    assert_true(number_parse_integer(STR("+42"), &value) && value == 42);
    assert_true(number_parse_integer(STR("00"), &value) && value == 0);
    const char *const bad[] = {"",
                               "+",
                               "-",
                               "1.0",
                               "1e3",
                               " 1",
                               "1 ",
                               "--1",
                               "9223372036854775808",
                               "-9223372036854775809",
                               "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_parse_integer(str_from(bad[i]), &value));
    assert_int_equal(value, 0);
}

static void assert_format(double value, const char *expected) {
    char text[NUMBER_TEXT_BYTE];
    size_t n = number_format(value, text);
    if (n != strlen(expected) || memcmp(text, expected, n) != 0)
        fail_msg("%.17g is written \"%.*s\", not \"%s\"", value, (int)n, text, expected);
}

static void writes_the_fewest_digits(void **state) {
    (void)state;
    assert_format(0, "0");
    assert_format(-0.0, "-0");
    assert_format(0.1, "0.1");
    assert_format(0.1 + 0.2, "0.30000000000000004");
    assert_format(1.0 / 3, "0.3333333333333333");
    assert_format(100000, "100000");
    assert_format(-999999999999999.0, "-999999999999999");
    assert_format(1e22, "1e+22");
    assert_format(5e-324, "5e-324");
    assert_format(1.7976931348623157e308, "1.7976931348623157e+308");
    assert_format(9007199254740993.0, "9007199254740992");
    assert_format((double)NAN, "nan");
    assert_format((double)INFINITY, "inf");
    assert_format(-(double)INFINITY, "-inf");
}

/* Digits of a number's text, without the zeros at both ends that only place the point. */
static size_t count_digits(str s) {
    size_t n = 0, zeros = 0;
    for (size_t i = 0; i < s.len && s.ptr[i] != 'e'; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || (n == 0 && s.ptr[i] == '0'))
            continue;
        n++;
        zeros = s.ptr[i] == '0' ? zeros + 1 : 0;
    }
    return n - zeros;
}

/* Exact: it reads back to the same bits, by our reader and by strtod. Shortest: printf with one digit less does not. */
static void any_double_survives(void **state) {
    struct rng r = rng_from_seed(11);
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t bits = rng_next(&r);
        double value, back = 0;
        memcpy(&value, &bits, sizeof value);
        if (i % 2 == 1)
            value = (double)rng_below(&r, 10000000) / 1000; /* as in a table of leads */
        if (!isfinite(value))
            continue;
        char text[NUMBER_TEXT_BYTE + 1], fewer[64];
        size_t n = number_format(value, text);
        text[n] = '\0';
        assert_true(n < NUMBER_TEXT_BYTE && number_parse((str){text, n}, &back) && back == value &&
                    strtod(text, NULL) == value);
        size_t digits = count_digits((str){text, n});
        if (digits < 2 || fabs(value) >= 1e15) /* whole numbers from 2^53 on are written out to the last digit */
            continue;
        snprintf(fewer, sizeof fewer, "%.*e", (int)digits - 2, value);
        if (strtod(fewer, NULL) == value)
            fail_msg("%s is longer than %s", text, fewer);
    }
}

static void reads_like_the_c_library(void **state) {
    struct rng r = rng_from_seed(12);
    (void)state;
    for (int i = 0; i < ROUNDS / 10; i++) {
        char text[80];
        int n = snprintf(text, sizeof text, "%s%llu.%llue%d", rng_below(&r, 2) ? "-" : "", (unsigned long long)rng_next(&r),
                         (unsigned long long)rng_next(&r), (int)rng_below(&r, 640) - 330);
        double expected = strtod(text, NULL), value = 77;
        bool read = number_parse((str){text, (size_t)n}, &value);
        if (read != (isfinite(expected) != 0) || (read && value != expected))
            fail_msg("%s is %.17g, not %.17g", text, value, expected);
    }
}

static void writes_whole_numbers(void **state) {
    (void)state;
    const int64_t values[] = {0, -1, 7, 1000000, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[NUMBER_TEXT_BYTE], expected[NUMBER_TEXT_BYTE];
        snprintf(expected, sizeof expected, "%lld", (long long)values[i]);
        size_t n = number_format_integer(values[i], text);
        assert_str(((str){text, n}), expected);
    }
}

static void writes_for_people(void **state) {
    const struct {
        double value;
        const char *text;
    } cases[] = {{1487, "1,487"},
                 {0.0312, "0.0312"},
                 {12.5, "12.5"},
                 {0, "0"},
                 {-0.0, "0"},
                 {1, "1"},
                 {999.4, "999"},
                 {999.5, "1,000"},
                 {-1234567.8, "-1,234,568"},
                 {123.4, "123"},
                 {0.5, "0.5"},
                 {-0.25, "-0.25"},
                 {0.0001, "0.0001"},
                 {-0.0002, "-0.0002"},
                 {0.000123456, "0.000123"},
                 {0.00001, "1e-05"},
                 {1.234e-7, "1.23e-07"},
                 {1e15, "1e+15"},
                 {999999999999999, "999,999,999,999,999"},
                 {1.5e300, "1.5e+300"},
                 {99.95, "100"},
                 {100, "100"},
                 {2.0 / 3, "0.667"},
                 {1000, "1,000"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(number_for_people(*state, cases[i].value), cases[i].text);
    assert_str(number_for_people(*state, (double)NAN), "nan");
    assert_str(number_for_people(*state, -(double)INFINITY), "-inf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_decimal_numbers), cmocka_unit_test(refuses_anything_else),
        cmocka_unit_test(reads_whole_numbers),   cmocka_unit_test(writes_the_fewest_digits),
        cmocka_unit_test(any_double_survives),   cmocka_unit_test(reads_like_the_c_library),
        cmocka_unit_test(writes_whole_numbers),  ARENA_TEST(writes_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
