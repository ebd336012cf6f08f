/* test_present.c — text for people. */
#include "unit.h"

#include "cmd/present.h"

#include <stdlib.h>

struct page {
    char *text;
    size_t size;
    struct terminal t;
};

static void open_page(struct page *p, bool color, unsigned width) {
    p->t = (struct terminal){.file = open_memstream(&p->text, &p->size), .color = color, .width = width};
    assert_non_null(p->t.file);
}

static str close_page(struct arena *a, struct page *p) {
    fclose(p->t.file);
    str s = str_copy(a, (str){p->text, p->size});
    free(p->text);
    return s;
}

static void wraps_words(void **state) {
    struct page p;
    open_page(&p, false, 20);
    present_wrap(&p.t, STR("one two three four five\n\nsix"), 0, 2, 12);
    assert_str(close_page(*state, &p), "one two\n  three four\n  five\n\n  six\n");
    open_page(&p, false, 20);
    present_wrap(&p.t, STR("incomprehensibilities x"), 0, 0, 5);
    assert_str(close_page(*state, &p), "incomprehensibilities\nx\n");
}

static void aligns_tables_by_columns_not_bytes(void **state) {
    struct page p;
    struct present_table t = present_table_new(*state, "name|>rows");
    present_cell(&t, STR("Z\xc3\xbcrich"));
    present_cell_format(&t, "%d", 7);
    present_cell(&t, STR("\xe6\x9d\xb1\xe4\xba\xac")); /* two wide characters */
    present_cell_format(&t, "%d", 12345);
    open_page(&p, false, 80);
    present_table_print(&p.t, &t);
    assert_str(close_page(*state, &p), "  name     rows\n  Z\xc3\xbcrich      7\n  \xe6\x9d\xb1\xe4\xba\xac    12345\n");
}

static void table_without_rows_is_nothing(void **state) {
    struct page p;
    struct present_table t = present_table_new(*state, "a|b");
    open_page(&p, false, 80);
    present_table_print(&p.t, &t);
    assert_str(close_page(*state, &p), "");
}

static void data_cannot_command_the_terminal(void **state) {
    struct page p;
    open_page(&p, false, 80);
    terminal_put(&p.t, STR("a\033[2Jb\rc\x7f\xc2\x9b"
                           "1m\td\n"));
    assert_str(close_page(*state, &p), "a\xef\xbf\xbd[2Jb\xef\xbf\xbd"
                                       "c\xef\xbf\xbd\xef\xbf\xbd"
                                       "1m\td\n");
}

static void colors_only_when_asked(void **state) {
    struct page p;
    open_page(&p, false, 80);
    terminal_put_style(&p.t, STYLE_BAD, STR("x"));
    assert_str(close_page(*state, &p), "x");
    open_page(&p, true, 80);
    terminal_put_style(&p.t, STYLE_BAD, STR("x"));
    assert_str(close_page(*state, &p), "\033[31mx\033[0m");
}

#define FULL "\xe2\x96\x88"

static void bars_fill_in_eighths(void **state) {
    assert_str(present_bar(*state, 0, 2, true), "  ");
    assert_str(present_bar(*state, 1, 2, true), FULL FULL);
    assert_str(present_bar(*state, 0.5, 2, true), FULL " ");
    assert_str(present_bar(*state, 1.0 / 16, 2, false), "\xe2\x96\x8f");
    assert_str(present_bar(*state, 15.0 / 16, 2, false), FULL "\xe2\x96\x89");
    assert_str(present_bar(*state, 7, 2, true), FULL FULL);
    assert_str(present_bar(*state, NAN, 2, true), "  ");
    double values[] = {0, 0.5, 1, NAN, -3};
    assert_str(present_spark(*state, values, 5, 0, 1), "\xe2\x96\x81\xe2\x96\x85" FULL " \xe2\x96\x81");
}

static void quantities_read_well(void **state) {
    assert_str(present_second(*state, 0.0032), "3.2 ms");
    assert_str(present_second(*state, 0.84), "0.84 s");
    assert_str(present_second(*state, 42.3), "42 s");
    assert_str(present_second(*state, 125), "2 min 05 s");
    assert_str(present_second(*state, 7260), "2 h 01 min");
    assert_str(present_byte(*state, 999), "999 B");
    assert_str(present_byte(*state, 1400000), "1.4 MB");
    assert_int_equal(terminal_columns(STR("e\xcc\x81")), 1); /* e with a combining accent */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(wraps_words),
        ARENA_TEST(aligns_tables_by_columns_not_bytes),
        ARENA_TEST(table_without_rows_is_nothing),
        ARENA_TEST(data_cannot_command_the_terminal),
        ARENA_TEST(colors_only_when_asked),
        ARENA_TEST(bars_fill_in_eighths),
        ARENA_TEST(quantities_read_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
