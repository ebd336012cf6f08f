/* test_table.c — CSV and packed CSV by rows: headers, bad rows, limits, broken files. */
#include "table_support.h"

static void reads_rows_in_batches(void **state) {
    struct arena *a = *state;
    for (size_t max_row = 1; max_row < 5; max_row++) {
        struct table *t = open_text(a, STR("id,name\n1,\"Smith, \"\"J\"\"\"\n2,\n\n3,\"x\ny\"\n4,z"));
        assert_string_equal(show(a, t, max_row), "id,name | 1,Smith, \"J\" | 2, | 3,x\ny | 4,z");
        assert_int_equal(table_delimiter(t), ',');
        assert_int_equal(table_bytes_read(t), table_bytes_total(t));
    }
}

static void tells_bad_rows_and_goes_on(void **state) {
    struct arena *a = *state;
    struct table *t = open_text(a, STR("a,b\n1,2\n3\n4,5,6\n\"7\"x,8\n9,\xFF\n10,11\n"));
    assert_string_equal(show(a, t, 100),
                        "a,b | 1,2 | !table_ragged@3 | !table_ragged@4 | !csv_text_after_quote@5 | !csv_utf8@6 | 10,11");
    t = open_text(a, STR("a,b,c\n1,2\n"));
    struct table_row *row = NULL;
    size_t n = 0;
    assert_ok(table_read(t, a, 10, &row, &n));
    assert_int_equal(n, 1);
    assert_str(row->reason, "has 2 cells, the header has 3");
    assert_str(row->raw, "1,2");
    assert_int_equal(row->status, ERR_INPUT);
    assert_null(row->cell);
}

static void headers_are_checked(void **state) {
    struct arena *a = *state;
    assert_fails(open_fails(a, STR(""), ".csv"), ERR_INPUT, "table_empty");
    assert_fails(open_fails(a, STR("\n\r\n"), ".csv"), ERR_INPUT, "table_empty");
    assert_fails(open_fails(a, STR("\xEF\xBB\xBF"), ".csv"), ERR_INPUT, "table_empty");
    assert_fails(open_fails(a, STR("a,b,c,b\n1,2,3,4\n"), ".csv"), ERR_INPUT, "table_column_twice");
    assert_non_null(strstr(err_text(), "columns 2 and 4 have the same name \"b\""));
    assert_fails(open_fails(a, STR("a,,c\n"), ".csv"), ERR_INPUT, "table_column_unnamed");
    assert_non_null(strstr(err_text(), "column 2"));
    assert_fails(open_fails(a, STR("a, ,c\n"), ".csv"), ERR_INPUT, "table_column_unnamed");
    assert_fails(open_fails(a, STR("a,\"b\n1,2\n"), ".csv"), ERR_INPUT, "table_header");
    assert_non_null(strstr(err_text(), "line 1"));
    assert_fails(open_fails(a, STR("a,\xE9\n1,2\n"), ".csv"), ERR_INPUT, "table_header");
    assert_fails(open_fails(a,
                            STR("\xFF\xFE"
                                "a\0"),
                            ".csv"),
                 ERR_INPUT, "csv_utf16");
    assert_fails(open_fails(a, STR("PK\x03\x04 and more"), ".xlsx"), ERR_INPUT, "table_format");
    assert_fails(open_fails(a, STR("[{\"a\":1}]"), ".json"), ERR_INPUT, "table_format");
    assert_string_equal(show(a, open_text(a, STR("A,a\n1,2\n")), 9), "A,a | 1,2"); /* case tells columns apart */
    assert_string_equal(show(a, open_text(a, STR("a,b\n")), 9), "a,b");
    assert_string_equal(show(a, open_text(a, STR("a")), 9), "a");
}

static void many_columns(void **state) {
    struct arena *a = *state;
    struct buf *b = buf_in(a, 1 << 20);
    for (int i = 0; i < 4096; i++)
        buf_add_format(b, i > 0 ? ",c%d" : "c%d", i);
    size_t n;
    table_columns(open_text(a, buf_str(b)), &n);
    assert_int_equal(n, 4096);
    buf_add(b, STR(",one_more"));
    assert_fails(open_fails(a, buf_str(b), ".csv"), ERR_INPUT, "table_header");
    assert_non_null(strstr(err_text(), "more than 4096 cells"));
}

static void missing_files_are_told(void **state) {
    struct table *t = NULL;
    assert_fails(table_open(*state, &(struct table_options){.path = "/tmp/galena/none.csv"}, &t), ERR_ABSENT,
                 "file_missing");
    assert_fails(table_open(*state, &(struct table_options){.path = "/tmp"}, &t), ERR_INPUT, "file_directory");
    assert_null(t);
}

static void options_are_obeyed(void **state) {
    struct arena *a = *state;
    struct table *t = NULL;
    struct table_options o = {.path = file_with(a, STR("n\xE4me:b\n\xE9:2\n"), ".csv"), .delimiter = ':', .latin1 = true};
    assert_ok(table_open(a, &o, &t));
    assert_string_equal(show(a, t, 9), "n\xC3\xA4me,b | \xC3\xA9,2");
    o = (struct table_options){.path = file_with(a, STR("a,b\n12345,1\n1,2\n"), ".csv"), .max_cell_byte = 4};
    assert_ok(table_open(a, &o, &t));
    assert_string_equal(show(a, t, 9), "a,b | !csv_cell_limit@2 | 1,2");
}

static void batches_of_long_rows_are_short(void **state) {
    struct arena *a = *state;
    struct buf *b = buf_in(a, (size_t)40 << 20);
    buf_add(b, STR("a,b\n"));
    for (int i = 0; i < 30; i++) {
        for (int k = 0; k < 1000000; k++)
            buf_add_byte(b, 'x');
        buf_add_format(b, ",%d\n", i);
    }
    struct table *t = open_text(a, buf_str(b));
    struct arena *batch = arena_new((size_t)32 << 20);
    struct table_row *row = NULL;
    uint64_t rows = 0;
    for (size_t n = 1; n > 0; rows += n) {
        arena_reset(batch);
        assert_ok(table_read(t, batch, 1000, &row, &n));
        assert_true(n < 30);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(row[i].raw.len, 4096);
    }
    assert_int_equal(rows, 30);
    arena_free(batch);
}

/* ---- gzip ---- */

static str random_csv(struct arena *a, size_t rows) {
    struct buf *b = buf_in(a, (size_t)1 << 26);
    buf_add(b, STR("id,value\n"));
    uint64_t seed = 5;
    for (size_t i = 0; i < rows; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        buf_add_format(b, "%zu,%llu\n", i, (unsigned long long)(seed >> 20));
    }
    return buf_str(b);
}

static uint64_t count_rows(struct arena *a, struct table *t, const char **slug) {
    uint64_t rows = 0;
    *slug = "none";
    for (;;) {
        struct table_row *row = NULL;
        size_t n = 0;
        if (table_read(t, a, 1000, &row, &n) != OK) {
            *slug = err_slug();
            return rows;
        }
        if (n == 0)
            return rows;
        for (size_t i = 0; i < n; i++)
            assert_true(row[i].status == OK && row[i].index == rows + i);
        rows += n;
    }
}

static void reads_gzip(void **state) {
    struct arena *a = *state;
    str text = random_csv(a, 20000), zipped = packed(a, text);
    const char *slug;
    struct table *t = open_file(a, file_with(a, zipped, ".csv")); /* told by the bytes, not by the name */
    assert_int_equal(count_rows(a, t, &slug), 20000);
    assert_string_equal(slug, "none");
    assert_int_equal(table_bytes_read(t), zipped.len);

    str two[] = {packed(a, STR("a,b\n1,2\n3")), packed(a, STR(",4\n")),
                 STR("\0\0\0\0")}; /* members, and padding as tar makes it */
    assert_string_equal(show(a, open_file(a, file_with(a, str_join(a, two, 3, STR("")), ".gz")), 9), "a,b | 1,2 | 3,4");
    assert_fails(open_fails(a, packed(a, STR("")), ".gz"), ERR_INPUT, "table_empty");
}

/* Wherever a packed file is cut, the rows before it come first, then the error; never a wrong row. */
static void cut_gzip_gives_its_rows_then_the_error(void **state) {
    struct arena *a = *state;
    str zipped = packed(a, random_csv(a, 20000));
    uint64_t last = 0;
    for (size_t cut = 1; cut < zipped.len; cut += zipped.len / 40) {
        const char *path = file_with(a, (str){zipped.ptr, zipped.len - cut}, ".gz"), *slug = NULL;
        struct table *t = NULL;
        if (table_open(a, &(struct table_options){.path = path}, &t) != OK)
            continue;
        uint64_t rows = count_rows(a, t, &slug);
        assert_string_equal(slug, "gzip_truncated");
        assert_non_null(strstr(err_text(), str_cstr(a, str_format(a, "byte %zu of the file", zipped.len - cut))));
        assert_non_null(strstr(err_text(), str_cstr(a, str_format(a, "rows read before: %llu", (unsigned long long)rows))));
        assert_true(last == 0 || rows <= last);
        assert_true(rows <= 20000);
        last = rows;
    }
    assert_true(last > 0 && last < 2000);
    struct table *t = NULL;
    const char *path = file_with(a, (str){zipped.ptr, 15}, ".gz");
    assert_fails(table_open(a, &(struct table_options){.path = path}, &t), ERR_INPUT, "gzip_truncated");
}

static void damaged_gzip_is_told(void **state) {
    struct arena *a = *state;
    str zipped = packed(a, random_csv(a, 20000));
    for (size_t at = 4000; at < zipped.len; at += zipped.len / 20) {
        char *bytes = arena_copy(a, zipped.ptr, zipped.len);
        bytes[at] ^= 0x55;
        const char *slug = NULL;
        struct table *t = open_file(a, file_with(a, (str){bytes, zipped.len}, ".gz"));
        struct table_row *row = NULL;
        size_t n = 1;
        err rc = OK;
        while (rc == OK && n > 0)
            rc = table_read(t, a, 1000, &row, &n); /* rows behind the damage may be wrong before the checksum tells */
        slug = err_slug();
        assert_int_equal(rc, ERR_INPUT);
        assert_true(strcmp(slug, "gzip_corrupt") == 0 || strcmp(slug, "gzip_truncated") == 0);
        assert_int_equal(table_read(t, a, 1000, &row, &n), ERR_INPUT); /* and again */
    }
    str tail[] = {packed(a, STR("a,b\n1,2\n")), STR("garbage")};
    assert_string_equal(show(a, open_file(a, file_with(a, str_join(a, tail, 2, STR("")), ".gz")), 9),
                        "a,b | 1,2 ERROR gzip_corrupt");
}

/* ---- real files ---- */

static void reads_the_shared_tables(void **state) {
    struct arena *a = *state;
    static const struct {
        const char *name;
        size_t rows, columns;
    } tables[] = {{"x_education", 9240, 37}, {"bank", 4521, 17}, {"online_shoppers", 12330, 18}};
    const char *dir = getenv("GALENA_SHARED"), *slug;
    if (!dir)
        return; /* cmocka's skip() counts as a failure in TAP */
    for (size_t i = 0; i < 3; i++) {
        const char *path = str_format(a, "%s/data/leads/%s.csv", dir, tables[i].name).ptr;
        if (access(path, R_OK) != 0)
            return;
        struct table *t = open_file(a, path);
        size_t columns;
        table_columns(t, &columns);
        assert_int_equal(columns, tables[i].columns);
        assert_int_equal(count_rows(a, t, &slug), tables[i].rows);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reads_rows_in_batches),
        ARENA_TEST(tells_bad_rows_and_goes_on),
        ARENA_TEST(headers_are_checked),
        ARENA_TEST(many_columns),
        ARENA_TEST(missing_files_are_told),
        ARENA_TEST(options_are_obeyed),
        ARENA_TEST(batches_of_long_rows_are_short),
        ARENA_TEST(reads_gzip),
        ARENA_TEST(cut_gzip_gives_its_rows_then_the_error),
        ARENA_TEST(damaged_gzip_is_told),
        ARENA_TEST(reads_the_shared_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
