/* test_err.c — the recorded sentence, its prefix, its limit. */
#include "unit.h"

static void fail_records_and_returns(void **state) {
    (void)state;
    assert_int_equal(fail(ERR_INPUT, "csv_ragged", "line %d has %d cells", 7, 3), ERR_INPUT);
    assert_string_equal(err_slug(), "csv_ragged");
    assert_string_equal(err_text(), "line 7 has 3 cells");
    assert_int_equal(err_prefix(ERR_INPUT, "%s", "leads.csv"), ERR_INPUT);
    assert_string_equal(err_text(), "leads.csv: line 7 has 3 cells");
    assert_string_equal(err_slug(), "csv_ragged");
}

static void own_text_may_be_an_argument(void **state) {
    (void)state;
    (void)!fail(ERR_INPUT, "a", "first");
    (void)!fail(ERR_INPUT, "b", "second after %s", err_text());
    assert_string_equal(err_text(), "second after first");
}

static void long_sentences_end_on_a_character(void **state) {
    (void)state;
    char text[3000];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[sizeof text - 2] = '\0';
    (void)!fail(ERR_INPUT, "long", "%s", text);
    size_t len = strlen(err_text());
    assert_true(len > 1000 && len < 1024);
    assert_int_equal(len % 2, 0);
}

static void codes_have_names_and_exit_codes(void **state) {
    (void)state;
    for (err e = OK; e < ERR_CODE_COUNT; e++) {
        assert_string_not_equal(err_name(e), "unknown");
        assert_int_equal(err_exit_code(e), e == OK ? 0 : (int)e + 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_records_and_returns),
        cmocka_unit_test(own_text_may_be_an_argument),
        cmocka_unit_test(long_sentences_end_on_a_character),
        cmocka_unit_test(codes_have_names_and_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
