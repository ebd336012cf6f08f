/* test_table_load.c — whole tables by column, and the file of rejects. */
#include "table_support.h"

#include "base/file.h"
#include "intake/reject.h"

struct seen {
    uint64_t index[16];
    size_t n;
    struct reject *file;
};

static err note(void *ctx, const struct table_row *row) {
    struct seen *s = ctx;
    assert_true(row->status != OK && s->n < 16);
    s->index[s->n++] = row->index;
    return s->file ? reject_row(s->file, row) : OK;
}

static void keeps_the_index_of_the_file(void **state) {
    struct arena *a = *state;
    struct table *t = open_text(a, STR("a,b\n1,x\n2\n3,\"y\nz\"\n\n4,\xFF\n5,x\n"));
    struct frame *f = NULL;
    struct seen seen = {0};
    assert_ok(table_load(t, a, &f, note, &seen));
    assert_int_equal(f->n_row, 3);
    assert_int_equal(f->n_col, 2);
    static const uint64_t index[] = {0, 2, 4}, line[] = {2, 4, 8};
    static const char *const first[] = {"1", "3", "5"}, *const second[] = {"x", "y\nz", "x"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f->index[i], index[i]);
        assert_int_equal(f->line[i], line[i]);
        assert_str(f->cell[0][i], first[i]);
        assert_str(f->cell[1][i], second[i]);
    }
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.index[0], 1);
    assert_int_equal(seen.index[1], 3);
    assert_int_equal(frame_find(f, STR("b")), 1);
    assert_ptr_equal(f->cell[1][0].ptr, f->cell[1][2].ptr); /* stored once */
}

static void refuses_tables_without_rows(void **state) {
    struct arena *a = *state;
    struct frame *f = NULL;
    assert_fails(table_load(open_text(a, STR("a,b\n")), a, &f, NULL, NULL), ERR_INPUT, "table_no_rows");
    assert_fails(table_load(open_text(a, STR("a,b\n1\n2\n")), a, &f, NULL, NULL), ERR_INPUT, "table_no_good_rows");
    assert_null(f);
}

static err refuse(void *ctx, const struct table_row *row) {
    (void)ctx, (void)row;
    return fail(ERR_AGAIN, "test_refused", "no");
}

static void an_error_of_the_caller_ends_it(void **state) {
    struct frame *f = NULL;
    assert_fails(table_load(open_text(*state, STR("a,b\n1\n")), *state, &f, refuse, NULL), ERR_AGAIN, "test_refused");
}

/* Row i: its number, i % 3, i % 3000, and a long text: what repeats and what does not. */
static str make_text(struct arena *a, size_t rows) {
    struct buf *b = buf_in(a, (size_t)1 << 28);
    buf_add(b, STR("id,few,many,long\n"));
    for (size_t i = 0; i < rows; i++) {
        buf_add_format(b, "%zu,level %zu,%zu,", i, i % 3, i % 3000);
        for (size_t k = 0; k < i % 300; k++)
            buf_add_byte(b, (char)('a' + k % 26));
        buf_add_byte(b, '\n');
    }
    return buf_str(b);
}

static void loads_large_tables_exactly(void **state) {
    struct arena *a = *state;
    enum { ROWS = 100000 };
    str text = make_text(a, ROWS);
    for (int gzip = 0; gzip < 2; gzip++) {
        struct table *t = open_file(a, file_with(a, gzip ? packed(a, text) : text, ".csv"));
        struct frame *f = NULL;
        size_t before = arena_used(a);
        assert_ok(table_load(t, a, &f, NULL, NULL));
        assert_int_equal(f->n_row, ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            char id[32], few[32], many[32];
            snprintf(id, sizeof id, "%zu", i);
            snprintf(few, sizeof few, "level %zu", i % 3);
            snprintf(many, sizeof many, "%zu", i % 3000);
            assert_true(f->index[i] == i && f->line[i] == i + 2);
            assert_str(f->cell[0][i], id);
            assert_str(f->cell[1][i], few);
            assert_str(f->cell[2][i], many);
            assert_true(f->cell[3][i].len == i % 300 &&
                        (i % 300 == 0 || f->cell[3][i].ptr[i % 300 - 1] == (char)('a' + (i % 300 - 1) % 26)));
        }
        /* the text once, and 4 columns of 16 bytes and 2 of 8: with room to grow no more than that again */
        if (!gzip)
            assert_true(arena_used(a) - before < text.len + (size_t)ROWS * 80 * 2);
    }
}

static const char *contents(struct arena *a, const char *path) {
    str text;
    assert_ok(file_read_all(a, path, 1 << 20, &text));
    return text.ptr;
}

static void writes_rejects(void **state) {
    struct arena *a = *state;
    const char *path = file_with(a, STR(""), ".csv");
    struct seen seen = {0};
    struct frame *f = NULL;
    assert_ok(reject_open(a, path, &seen.file));
    struct table *t = open_text(a, STR("a,b\n1,2\n=1+1\n\"x\"y,\"z\"\n1,caf\xE9\n"));
    assert_ok(table_load(t, a, &f, note, &seen));
    assert_int_equal(reject_count(seen.file), 3);
    assert_string_equal(contents(a, path), "");
    assert_ok(reject_commit(seen.file));
    assert_string_equal(contents(a, path),
                        "line,column,slug,reason,raw\n"
                        "3,,table_ragged,\"has 1 cells, the header has 2\",\"'=1+1\"\n"
                        "4,1,csv_text_after_quote,text follows the closing quote of cell 1 (line 4),"
                        "\"\"\"x\"\"y,\"\"z\"\"\"\n"
                        "5,2,csv_utf8,byte 0xE9 in cell 2 is not UTF-8 (is the file Latin-1?),\"1,caf\xEF\xBF\xBD\"\n");
}

static void rejects_can_be_read_back(void **state) {
    struct arena *a = *state;
    const char *path = file_with(a, STR(""), ".csv");
    struct reject *r = NULL;
    assert_ok(reject_open(a, path, &r));
    char *worst = arena_alloc(a, 10000);
    memset(worst, 0xFF, 10000);
    struct table_row row = {
        .line = 7, .column = 3, .slug = "any", .reason = STR("a \"reason\",\nand more"), .raw = {worst, 10000}};
    assert_ok(reject_row(r, &row));
    memset(worst, '"', 10000);
    assert_ok(reject_row(r, &row));
    assert_ok(reject_commit(r));
    struct table_row *back = NULL;
    size_t n = 0;
    assert_ok(table_read(open_file(a, path), a, 9, &back, &n));
    assert_int_equal(n, 2);
    assert_str(back[0].cell[0], "7");
    assert_str(back[0].cell[3], "a \"reason\",\nand more");
    assert_int_equal(back[0].cell[4].len, 4096 * 3);
    assert_int_equal(back[1].cell[4].len, 4096);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(keeps_the_index_of_the_file),
        ARENA_TEST(refuses_tables_without_rows),
        ARENA_TEST(an_error_of_the_caller_ends_it),
        ARENA_TEST(loads_large_tables_exactly),
        ARENA_TEST(writes_rejects),
        ARENA_TEST(rejects_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
