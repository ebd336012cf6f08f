/* test_table_jsonl.c — JSON lines by rows. */
#include "table_support.h"

static struct table *open_json(struct arena *a, str text) { return open_file(a, file_with(a, text, ".jsonl")); }

static void values_become_text(void **state) {
    struct arena *a = *state;
    str text = STR(
        "{\"s\":\"caf\\u00e9 \\\"x\\\"\",\"n\":1.50,\"big\":9007199254740993,\"e\":-1E+2,\"t\":true,\"f\":false,\"z\":null,"
        "\"l\":[1, \"]\", {\"a\":\"}\"}],\"o\":{\"k\" : [] }}\r\n");
    struct table *t = open_json(a, text);
    struct table_row *row = NULL;
    size_t n = 0;
    assert_ok(table_read(t, a, 9, &row, &n));
    assert_int_equal(n, 1);
    const char *expected[] = {"caf\xC3\xA9 \"x\"",         "1.50",         "9007199254740993", "-1E+2", "true", "false", "",
                              "[1, \"]\", {\"a\":\"}\"}]", "{\"k\" : [] }"};
    for (size_t i = 0; i < 9; i++)
        assert_str(row->cell[i], expected[i]);
}

static void arrays_become_several_values(void **state) {
    struct arena *a = *state;
    str text = STR("{\"l\":[\"SMS\",\"e\\u002dmail; post\", \"\" ,null,1.50, true ],\"e\":[ ],\"n\":[null],\"d\":[[1],2],"
                   "\"o\":[\"only\"],\"q\":[\"a\\\"],b\" ],\"x\":9}\n");
    struct table *t = open_json(a, text);
    assert_string_equal(show(a, t, 9), "l,e,n,d,o,q,x | SMS;e-mail, post;1.50;true,,,[[1],2],only,a\"],b,9");
    struct table_options o = {.path = file_with(a, STR("{\"l\":[\"123\",\"456\"]}\n{\"l\":[\"12\",\"4\"]}\n"), ".jsonl"),
                              .max_cell_byte = 10};
    assert_ok(table_open(a, &o, &t));
    assert_string_equal(show(a, t, 9), "l | !jsonl_cell_limit@1 | 12;4");
}

static void columns_are_the_union_of_the_first_lines(void **state) {
    struct arena *a = *state;
    struct table *t = open_json(a, STR("{\"a\":1}\n\n{\"b\":2,\"a\":3}\n{}\n{\"c\":\"x\"}"));
    assert_string_equal(show(a, t, 2), "a,b,c | 1,, | 3,2, | ,, | ,,x");
    t = open_json(a, STR("\xEF\xBB\xBF  {\"a\":1}\n"));
    assert_string_equal(show(a, t, 2), "a | 1");
}

static void keys_that_come_late_are_counted(void **state) {
    struct arena *a = *state;
    struct buf *b = buf_in(a, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_add(b, STR("{\"a\":1}\n"));
    buf_add(b, STR("{\"late\":1,\"a\":2}\n{\"later\":1}\n"));
    struct table *t = open_json(a, buf_str(b));
    str example;
    assert_int_equal(table_unknown_keys(t, &example), 0);
    struct table_row *row = NULL;
    size_t n = 0;
    assert_ok(table_read(t, a, 2000, &row, &n));
    assert_int_equal(n, 1002);
    assert_str(row[1000].cell[0], "2");
    assert_str(row[1001].cell[0], "");
    assert_int_equal(table_unknown_keys(t, &example), 2);
    assert_str(example, "late");
}

static void bad_lines_are_bad_rows(void **state) {
    struct arena *a = *state;
    struct table *t =
        open_json(a, STR("{\"a\":1}\n{\"a\":}\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":\"\xFF\"}\n{\"a\":1e999}\n7\n{\"a\":2}"));
    assert_string_equal(show(a, t, 99),
                        "a | 1 | !json_unexpected@2 | !jsonl_not_object@3 | !json_duplicate_key@4 | !json_utf8@5 | "
                        "!json_number_range@6 | !jsonl_not_object@7 | 2");
    t = open_json(a, STR("{\"a\":1}\n{\"a\":}\n"));
    struct table_row *row = NULL;
    size_t n = 0;
    assert_ok(table_read(t, a, 9, &row, &n));
    assert_true(str_starts(row[1].reason, STR("column 6: ")));
    assert_str(row[1].raw, "{\"a\":}");
    assert_fails(open_fails(a, STR("{\n}\n"), ".jsonl"), ERR_INPUT, "table_no_columns");
    assert_fails(open_fails(a, STR("{\"\":1}\n"), ".jsonl"), ERR_INPUT, "table_column_unnamed");
}

static void limits_hold(void **state) {
    struct arena *a = *state;
    struct buf *b = buf_in(a, (size_t)64 << 20);
    buf_add(b, STR("{\"a\":1}\n{\"a\":\""));
    for (size_t i = 0; i < (size_t)20 << 20; i++)
        buf_add_byte(b, 'x');
    buf_add(b, STR("\"}\n{\"a\":2}\n"));
    assert_string_equal(show(a, open_json(a, buf_str(b)), 9), "a | 1 | !jsonl_row_limit@2 | 2");
    buf_clear(b);
    buf_add(b, STR("{\"a\":1}\n{\"a\":\""));
    for (size_t i = 0; i < (size_t)2 << 20; i++)
        buf_add_byte(b, 'x');
    buf_add(b, STR("\"}\n{\"a\":2}"));
    assert_string_equal(show(a, open_json(a, buf_str(b)), 9), "a | 1 | !jsonl_cell_limit@2 | 2");
    buf_clear(b);
    buf_add(b, STR("{\"a\":1}\n{\"a\":"));
    for (size_t i = 0; i < 100000; i++)
        buf_add_byte(b, '[');
    buf_add(b, STR("\n{\"a\":2}"));
    assert_string_equal(show(a, open_json(a, buf_str(b)), 9), "a | 1 | !json_too_deep@2 | 2");
}

/* A line longer than everything else, first in the file, last in the file, without an end. */
static void long_lines_at_the_edges(void **state) {
    struct arena *a = *state;
    struct buf *b = buf_in(a, (size_t)64 << 20);
    buf_add(b, STR("{\"a\":\""));
    for (size_t i = 0; i < (size_t)3 << 20; i++)
        buf_add_byte(b, 'y');
    buf_add(b, STR("\"}\n{\"a\":2}"));
    struct table *t = NULL;
    struct table_options o = {.path = file_with(a, buf_str(b), ".jsonl"), .max_cell_byte = (size_t)4 << 20};
    assert_ok(table_open(a, &o, &t));
    struct table_row *row = NULL;
    size_t n = 0;
    assert_ok(table_read(t, a, 9, &row, &n));
    assert_int_equal(n, 2);
    assert_int_equal(row[0].cell[0].len, 3 << 20);
    assert_int_equal(row[0].raw.len, 4096);
    o.max_row_byte = 1000;
    assert_fails(table_open(a, &o, &t), ERR_INPUT, "table_no_columns");
    o = (struct table_options){.path =
                                   file_with(a, str_join(a, (str[]){STR("{\"a\":1}\n"), buf_str(b)}, 2, STR("")), ".jsonl"),
                               .max_row_byte = 1000};
    assert_ok(table_open(a, &o, &t));
    assert_string_equal(show(a, t, 9), "a | 1 | !jsonl_row_limit@2 | 2");
}

static void latin1_and_gzip(void **state) {
    struct arena *a = *state;
    struct table *t = NULL;
    struct table_options o = {.path = file_with(a, packed(a, STR("{\"n\":\"caf\xE9\"}\n")), ".jsonl"), .latin1 = true};
    assert_ok(table_open(a, &o, &t));
    assert_string_equal(show(a, t, 9), "n | caf\xC3\xA9");
    str zipped = packed(a, STR("{\"n\":\"one\"}\n{\"n\":\"two\"}\n"));
    t = open_json(a, (str){zipped.ptr, zipped.len - 6});
    assert_string_equal(show(a, t, 9), "n | one | two ERROR gzip_truncated");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(values_become_text),
        ARENA_TEST(arrays_become_several_values),
        ARENA_TEST(columns_are_the_union_of_the_first_lines),
        ARENA_TEST(keys_that_come_late_are_counted),
        ARENA_TEST(bad_lines_are_bad_rows),
        ARENA_TEST(limits_hold),
        ARENA_TEST(long_lines_at_the_edges),
        ARENA_TEST(latin1_and_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
