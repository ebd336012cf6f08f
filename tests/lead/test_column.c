/* test_column.c — a JSON object as columns: names, cells, lists, limits. */
#include "lead/column.h"
#include "unit.h"

static struct columns columns_of(struct arena *a, const char *text, const char *prefix) {
    const struct json *v;
    struct columns c = {.arena = a};
    assert_ok(json_parse(a, str_from(text), NULL, &v));
    assert_ok(columns_add(&c, str_from(prefix), v, 3));
    return c;
}

static void members_inside_have_dotted_names(void **state) {
    struct columns c = columns_of(*state, "{\"a\":1,\"b\":{\"c\":{\"d\":\"x\"},\"e\":null},\"f.g\":true}", "");
    static const char *const expected[][2] = {{"a", "1"}, {"b.c.d", "x"}, {"b.e", ""}, {"f.g", "true"}};
    assert_int_equal(c.n, 4);
    for (size_t i = 0; i < c.n; i++) {
        assert_str(c.column[i].name, expected[i][0]);
        assert_str(c.column[i].cell, expected[i][1]);
        assert_int_equal(c.column[i].from, 3);
        assert_false(c.column[i].list);
    }
    assert_str(columns_of(*state, "{\"x\":1}", "company").column[0].name, "company.x");
}

static void cells_are_as_in_a_file(void **state) {
    static const char *const cases[][2] = {
        {"-0.5", "-0.5"},   {"1e5", "100000"},   {"3.0", "3"},
        {"0.1", "0.1"},     {"1e300", "1e+300"}, {"9007199254740993", "9007199254740993"},
        {"false", "false"}, {"null", ""},        {"\"  a b \\n\"", "a b"},
        {"{}", NULL},       {"\"\"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str text = str_format(*state, "{\"k\":%s}", cases[i][0]);
        struct columns c = columns_of(*state, text.ptr, "");
        assert_int_equal(c.n, cases[i][1] != NULL);
        if (cases[i][1])
            assert_str(c.column[0].cell, cases[i][1]);
    }
}

static void lists_are_several_values(void **state) {
    struct columns c = columns_of(*state, "{\"a\":[\"x; y\",null,\" z \",7,\"\"],\"b\":[],\"c\":[[1],{\"d\":2}]}", "");
    assert_str(c.column[0].cell, "x, y;z;7");
    assert_true(c.column[0].list);
    assert_str(c.column[1].cell, "");
    assert_true(c.column[1].list);
    assert_str(c.column[2].cell, "[[1],{\"d\":2}]");
    assert_false(c.column[2].list);
}

static void a_name_that_comes_twice_is_found(void **state) {
    struct columns c = columns_of(*state, "{\"a\":{\"b\":1},\"a.c\":2,\"a.b\":3}", "");
    const struct run_column *twice = columns_find_twice(&c);
    assert_non_null(twice);
    assert_str(twice->name, "a.b");
    assert_str(twice->cell, "3");
    c.n = 2;
    assert_null(columns_find_twice(&c));
}

static void names_and_columns_have_limits(void **state) {
    struct arena *a = *state;
    struct columns c = {.arena = a};
    const struct json *v;
    assert_ok(json_parse(a, STR("{\"a\":{\"\":1}}"), NULL, &v));
    assert_fails(columns_add(&c, (str){0}, v, 0), ERR_INPUT, "lead_column_name");
    char *longest = arena_alloc(a, COLUMN_NAME_BYTE);
    memset(longest, 'n', COLUMN_NAME_BYTE);
    assert_ok(json_parse(a, str_format(a, "{\"a\":{\"%.*s\":1}}", COLUMN_NAME_BYTE - 1, longest), NULL, &v));
    assert_fails(columns_add(&c, (str){0}, v, 0), ERR_INPUT, "lead_column_name");
    assert_ok(json_parse(a, str_format(a, "{\"a\":{\"%.*s\":1}}", COLUMN_NAME_BYTE - 2, longest), NULL, &v));
    assert_ok(columns_add(&c, (str){0}, v, 0));
    while (c.n < RUN_MAX_COLUMN)
        assert_ok(columns_put(&c, (struct run_column){.name = STR("x")}));
    assert_fails(columns_put(&c, (struct run_column){.name = STR("x")}), ERR_INPUT, "lead_columns");
}

static void a_name_that_may_be_a_value_is_not_shown(void **state) {
    assert_str(column_name_shown(*state, STR("Total Visits_2.a-b")), "Total Visits_2.a-b");
    assert_str(column_name_shown(*state, STR("ada@example.com")), "(a name that is not shown)");
    assert_str(column_name_shown(*state, STR("a\033[31m")), "(a name that is not shown)");
    assert_str(column_name_shown(*state, (str){0}), "(a name that is not shown)");
    str shown = column_name_shown(*state, str_format(*state, "%0200d", 0));
    assert_true(shown.len < 70);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(members_inside_have_dotted_names), ARENA_TEST(cells_are_as_in_a_file),
        ARENA_TEST(lists_are_several_values),         ARENA_TEST(a_name_that_comes_twice_is_found),
        ARENA_TEST(names_and_columns_have_limits),    ARENA_TEST(a_name_that_may_be_a_value_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
