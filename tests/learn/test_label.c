/* test_label.c — which value means converted. */
#include "learn/label.h"
#include "unit.h"

static struct label read_column(struct arena *a, const char *const *value, size_t n, const char *positive, err *rc) {
    str *cell = ARENA_ARRAY(a, n, str), *name = ARENA_ARRAY(a, 1, str);
    const str **column = ARENA_ARRAY(a, 1, const str *);
    for (size_t i = 0; i < n; i++)
        cell[i] = str_from(value[i]);
    name[0] = STR("won");
    column[0] = cell;
    struct frame f = {.n_row = n, .n_col = 1, .name = name, .cell = column, .source = STR("leads.csv")};
    struct label l = {0};
    *rc = label_read(a, &f, STR("won"), str_from(positive), false, &l);
    return l;
}

static void plain_words_need_no_help(void **state) {
    static const char *const values[][4] = {{"yes", "no", "no", ""},
                                            {"0", "1", "0", "0"},
                                            {"TRUE", "FALSE", "TRUE", " "},
                                            {"Closed Won", "Open", "Open", "Open"}};
    for (size_t i = 0; i < 4; i++) {
        err rc;
        struct label l = read_column(*state, values[i], 4, NULL, &rc);
        assert_int_equal(rc, OK);
        assert_true(l.n_positive > 0 && l.n_negative > 0);
    }
}

static void empty_outcomes_are_unknown(void **state) {
    static const char *const values[] = {"1", "", " ", "0"};
    err rc;
    struct label l = read_column(*state, values, 4, NULL, &rc);
    assert_int_equal(rc, OK);
    assert_int_equal(l.n_unknown, 2);
    assert_true(isnan(l.y[1]) && isnan(l.y[2]));
    assert_close(l.y[0], 1, 0);
}

static void faults_say_what_to_do(void **state) {
    static const char *const colours[] = {"red", "blue", "green"}, *const ones[] = {"1", "1"}, *const pair[] = {"a", "b"};
    err rc;
    read_column(*state, colours, 3, NULL, &rc);
    assert_fails(rc, ERR_INPUT, "target_positive_needed");
    assert_non_null(strstr(err_text(), "red, blue, green"));
    read_column(*state, pair, 2, NULL, &rc);
    assert_fails(rc, ERR_INPUT, "target_positive_needed");
    read_column(*state, colours, 3, "purple", &rc);
    assert_fails(rc, ERR_INPUT, "target_positive_absent");
    read_column(*state, ones, 2, NULL, &rc);
    assert_fails(rc, ERR_INPUT, "target_one_class");
    struct label l = read_column(*state, colours, 3, "red", &rc);
    assert_int_equal(rc, OK);
    assert_int_equal(l.n_positive, 1);
}

static void unknown_column_lists_the_columns(void **state) {
    static const str name[] = {STR_INIT("id"), STR_INIT("Converted")};
    struct frame f = {.n_row = 0, .n_col = 2, .name = name, .source = STR("leads.csv")};
    struct label l;
    assert_fails(label_read(*state, &f, STR("converted"), STR(""), false, &l), ERR_INPUT, "target_unknown");
    assert_non_null(strstr(err_text(), "id, Converted"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(plain_words_need_no_help),
        ARENA_TEST(empty_outcomes_are_unknown),
        ARENA_TEST(faults_say_what_to_do),
        ARENA_TEST(unknown_column_lists_the_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
