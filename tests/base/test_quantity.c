/* test_quantity.c — amounts as people write them, and what is no amount. */
#include "base/quantity.h"
#include "unit.h"

static void reads(const char *text, double low, double high, enum quantity_unit unit) {
    struct quantity q;
    if (!quantity_parse(str_from(text), &q) || q.low != low || q.high != high || q.unit != unit)
        fail_msg("\"%s\": %g to %g, unit %d", text, q.low, q.high, (int)q.unit);
}

static void reads_amounts(void **state) {
    (void)state;
    reads("1200", 1200, 1200, QUANTITY_PLAIN);
    reads(" 1,200 ", 1200, 1200, QUANTITY_PLAIN);
    reads("1'200'000.5", 1200000.5, 1200000.5, QUANTITY_PLAIN);
    reads("-3", -3, -3, QUANTITY_PLAIN);
    reads("1e3", 1000, 1000, QUANTITY_PLAIN);
    reads("$3.5M", 3.5e6, 3.5e6, QUANTITY_MONEY);
    reads("US$ 2 bn", 2e9, 2e9, QUANTITY_MONEY);
    reads("-$5", -5, -5, QUANTITY_MONEY);
    reads("\xe2\x82\xac"
          "40k",
          40000, 40000, QUANTITY_MONEY);
    reads("900 K", 9e5, 9e5, QUANTITY_PLAIN);
    reads("3 million", 3e6, 3e6, QUANTITY_PLAIN);
    reads("12 %", 12, 12, QUANTITY_PERCENT);
}

static void reads_ranges(void **state) {
    (void)state;
    reads("51-200", 51, 200, QUANTITY_PLAIN);
    reads("51 \xe2\x80\x93 200", 51, 200, QUANTITY_PLAIN);
    reads("1,001 to 5,000", 1001, 5000, QUANTITY_PLAIN);
    reads("$1-5M", 1e6, 5e6, QUANTITY_MONEY);
    reads("500-1K", 500, 1000, QUANTITY_PLAIN);
    reads("-5--2", -5, -2, QUANTITY_PLAIN);
    reads("10,000+", 10000, INFINITY, QUANTITY_PLAIN);
    reads("> 200", 200, INFINITY, QUANTITY_PLAIN);
    reads(">=200", 200, INFINITY, QUANTITY_PLAIN);
    reads("up to 10", -INFINITY, 10, QUANTITY_PLAIN);
    reads("<10%", -INFINITY, 10, QUANTITY_PERCENT);
}

static void refuses_the_rest(void **state) {
    (void)state;
    static const char *const texts[] = {"",    " ",    "many",     "1,5",      "1,20,000",   "200-51", "2026-01-31", "1.2.3",
                                        "$",   "%",    "5 apples", "1e999",    "1 2",        "+",      "-",          "1-",
                                        "nan", "0x10", "inf",      "1 000 00", "12 % of it", "$5%",    "1e308T"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct quantity q = {7, 7, QUANTITY_PLAIN};
        if (quantity_parse(str_from(texts[i]), &q) || q.low != 7)
            fail_msg("\"%s\" was read as %g to %g", texts[i], q.low, q.high);
    }
}

static void has_a_middle(void **state) {
    (void)state;
    struct quantity q;
    assert_true(quantity_parse(STR("50-200"), &q));
    assert_close(quantity_middle(q, true), 100, 1e-12);
    assert_close(quantity_middle(q, false), 125, 0);
    assert_true(quantity_parse(STR("0-200"), &q));
    assert_close(quantity_middle(q, true), 100, 0);
    assert_true(quantity_parse(STR("200+"), &q));
    assert_close(quantity_middle(q, true), 200, 0);
    assert_true(quantity_parse(STR("<200"), &q));
    assert_close(quantity_middle(q, false), 200, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_amounts),
        cmocka_unit_test(reads_ranges),
        cmocka_unit_test(refuses_the_rest),
        cmocka_unit_test(has_a_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
