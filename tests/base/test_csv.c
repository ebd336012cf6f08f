/* test_csv.c — the reader on cases, in pieces of any size, on hostile input in constant memory; the writer; the delimiter.
 */
#include "base/csv.h"
#include "base/file.h"
#include "base/rng.h"
#include "pieces.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/resource.h>

/* ---- sources ---- */

/* A head, a body repeated, a tail: files too large to make. */
struct long_text {
    str part[3];
    uint64_t repeat, at[3];
};

static err give_long(void *ctx, char *to, size_t cap, size_t *got) {
    struct long_text *l = ctx;
    *got = 0;
    for (size_t i = 0; i < 3 && *got < cap; i++) {
        uint64_t whole = l->part[i].len * (i == 1 ? l->repeat : 1);
        while (l->at[i] < whole && *got < cap) {
            size_t from = (size_t)(l->at[i] % l->part[i].len), n = l->part[i].len - from;
            n = n < cap - *got ? n : cap - *got;
            memcpy(to + *got, l->part[i].ptr + from, n);
            l->at[i] += n;
            *got += n;
        }
    }
    return OK;
}

/* ---- what was read, as text ---- */

static void dump_bytes(struct buf *b, str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c >= 0x7F)
            buf_add_format(b, "%%%02X", c);
        else
            buf_add_byte(b, s.ptr[i]);
    }
}

static void dump_row(struct arena *a, struct buf *b, const struct csv_row *row, uint64_t lines_before) {
    if (row->status != OK) {
        assert_true(row->slug && row->reason && row->n == 0);
        buf_add_format(b, "!%s@%llu:%u", row->slug, (unsigned long long)(row->line - lines_before), (unsigned)row->column);
        return;
    }
    for (size_t i = 0; i < row->n; i++) {
        str cell = {row->raw.ptr + row->span[i].from, row->span[i].len};
        char *text = arena_alloc(a, cell.len);
        if (row->span[i].doubled)
            cell = (str){text, csv_unquote(cell, text)};
        buf_add_byte(b, '[');
        dump_bytes(b, cell);
        buf_add_byte(b, ']');
    }
}

/* Reads everything; the first `skip` rows are not shown. */
static str dump(struct arena *a, const struct csv_options *o, csv_source_fn *source, void *ctx, size_t skip) {
    struct csv *c = NULL;
    struct buf *b = buf_in(a, (size_t)1 << 24);
    assert_ok(csv_open(a, o, source, ctx, &c));
    for (size_t n = 0;; n++) {
        struct csv_row row;
        bool end = false;
        assert_ok(csv_next(c, &row, &end));
        if (end)
            break;
        if (n > skip)
            buf_add_byte(b, ' ');
        if (n >= skip)
            dump_row(a, b, &row, skip);
    }
    assert_ok(buf_check(b));
    return buf_str(b);
}

static str dump_text(struct arena *a, const struct csv_options *o, str text) {
    struct pieces p = {.text = text, .piece = (size_t)1 << 20};
    return dump(a, o, pieces_give, &p, 0);
}

/* ---- the cases ---- */

struct one_case {
    str name, options, text, rows;
    struct csv_options o;
};

static str unescape(struct arena *a, str s) {
    char *to = arena_alloc(a, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned byte = (unsigned char)s.ptr[i];
        if (byte == '%' && sscanf(s.ptr + i + 1, "%2X", &byte) == 1)
            i += 2;
        to[len++] = (char)byte;
    }
    return (str){to, len};
}

static void set_option(struct arena *a, struct csv_options *o, str option) {
    str name;
    str_split(&option, '=', &name);
    size_t value = option.ptr ? strtoull(str_cstr(a, option), NULL, 10) : 0;
    if (str_equal(name, STR("delimiter")))
        o->delimiter = unescape(a, option).ptr[0];
    else if (str_equal(name, STR("latin1")))
        o->latin1 = true;
    else if (str_equal(name, STR("cell")))
        o->max_cell_byte = value;
    else if (str_equal(name, STR("row")))
        o->max_row_byte = value;
    else if (str_equal(name, STR("columns")))
        o->max_column = (uint32_t)value;
    else
        assert_true(str_equal(name, STR("-")));
}

static str read_cases(struct arena *a, const char *name) {
    const char *dir = getenv("GALENA_TESTS");
    str text = {0};
    assert_non_null(dir);
    assert_ok(file_read_all(a, str_format(a, "%s/%s", dir, name).ptr, (size_t)1 << 24, &text));
    return text;
}

static bool next_case(struct arena *a, str *rest, struct one_case *out) {
    str line, option;
    do
        if (!str_split(rest, '\n', &line))
            return false;
    while (str_empty(line) || line.ptr[0] == '#');
    *out = (struct one_case){0};
    str_split(&line, '\t', &out->name);
    str_split(&line, '\t', &out->options);
    str_split(&line, '\t', &out->text);
    str_split(&line, '\t', &out->rows);
    out->text = unescape(a, out->text);
    for (str options = out->options; str_split(&options, ',', &option);)
        set_option(a, &out->o, option);
    return true;
}

static size_t check_cases(struct arena *a, const char *name) {
    str rest = read_cases(a, name);
    struct one_case k;
    size_t n = 0;
    for (; next_case(a, &rest, &k); n++) {
        str got = dump_text(a, &k.o, k.text);
        if (!str_equal(got, k.rows))
            fail_msg("%.*s gives\n  %.*s, not\n  %.*s", STR_ARG(k.name), STR_ARG(got), STR_ARG(k.rows));
    }
    return n;
}

static void cases(void **state) { assert_true(check_cases(*state, "cases/csv/read.case") > 50); }

/* Random files written by Python's csv module in several dialects, with what it reads back (tests/tools/make_csv_golden.py).
 */
static void reads_what_python_writes(void **state) { assert_true(check_cases(*state, "golden/csv_python.case") >= 200); }

/* Rows that fill the head, so that the window moves inside what follows when it comes in pieces. */
enum { FILL_ROW = 33000 };

static str behind_filler(struct arena *a, str text) {
    struct buf *b = buf_in(a, (size_t)1 << 20);
    for (int i = 0; i < FILL_ROW; i++)
        buf_add(b, STR("x\n"));
    buf_add(b, text);
    assert_ok(buf_check(b));
    return buf_str(b);
}

static void pieces_do_not_matter(void **state) {
    struct arena *a = *state;
    str rest = read_cases(a, "cases/csv/read.case");
    for (struct one_case k; next_case(a, &rest, &k);) {
        if (str_starts(k.name, STR("byte_order_mark")) || str_equal(k.name, STR("empty_file")))
            continue; /* what counts at the beginning only */
        struct pieces whole = {.text = k.text, .piece = (size_t)1 << 20};
        struct csv *c = NULL;
        assert_ok(csv_open(a, &k.o, pieces_give, &whole, &c));
        k.o.delimiter = csv_delimiter(c);
        for (size_t piece = 2; piece <= 64; piece = piece * 2 - 1) { /* Latin-1 needs room for two bytes */
            struct arena_mark mark = arena_mark(a);
            struct pieces p = {.text = behind_filler(a, k.text), .first = 2 * FILL_ROW, .piece = piece};
            str got = dump(a, &k.o, pieces_give, &p, FILL_ROW);
            if (!str_equal(got, k.rows))
                fail_msg("%.*s in pieces of %zu gives %.*s", STR_ARG(k.name), piece, STR_ARG(got));
            arena_rewind(a, mark);
        }
    }
}

/* ---- reasons, raw text ---- */

static struct csv_row last_row(struct arena *a, const struct csv_options *o, str text) {
    struct pieces *p = ARENA_NEW(a, struct pieces);
    *p = (struct pieces){.text = text, .piece = (size_t)1 << 20};
    struct csv *c = NULL;
    struct csv_row row = {0}, next;
    assert_ok(csv_open(a, o, pieces_give, p, &c));
    for (bool end = false; !end;) {
        assert_ok(csv_next(c, &next, &end));
        if (!end)
            row = next;
    }
    return row;
}

static void says_where(void **state) {
    struct csv_options o = {0};
    struct csv_row row = last_row(*state, &o, STR("a,b\n1,\"2\n3,4\n5,6\n"));
    assert_string_equal(row.reason,
                        "the quote opened on line 2 (cell 2) is never closed: all that follows, to line 5, was taken as its "
                        "text");
    assert_str(row.raw, "1,\"2\n3,4\n5,6\n");
    row = last_row(*state, &o, STR("a,b\n\"1\n\n2\"x,2"));
    assert_string_equal(row.reason, "text follows the closing quote of cell 1 (line 4)");
    assert_str(row.raw, "\"1\n\n2\"x,2");
    row = last_row(*state, &o, STR("a,b\n1,caf\xE9"));
    assert_string_equal(row.reason, "byte 0xE9 in cell 2 is not UTF-8 (is the file Latin-1?)");
    assert_int_equal(row.status, ERR_INPUT);
    o.max_cell_byte = 2;
    row = last_row(*state, &o, STR("a,b\n1,234"));
    assert_string_equal(row.reason, "cell 2, which begins on line 2, has more than 2 bytes");
    assert_int_equal(row.status, ERR_LIMIT);
}

static void raw_text_of_bad_rows_is_capped(void **state) {
    struct arena *a = *state;
    for (size_t len = CSV_RAW_BYTE - 40; len < CSV_RAW_BYTE + 40; len++) {
        struct buf *b = buf_in(a, (size_t)1 << 20);
        buf_add(b, STR("\"x\"y"));
        while (b->len < len)
            buf_add_byte(b, 'z');
        str text = behind_filler(a, buf_str(b));
        for (size_t piece = 2; piece < 5000; piece = piece * 7) {
            struct pieces p = {.text = text, .first = 2 * FILL_ROW, .piece = piece};
            struct csv *c = NULL;
            struct csv_row row;
            bool end = false;
            assert_ok(csv_open(a, &(struct csv_options){.delimiter = ','}, pieces_give, &p, &c));
            for (int i = 0; i <= FILL_ROW; i++)
                assert_ok(csv_next(c, &row, &end));
            assert_int_equal(row.status, ERR_INPUT);
            assert_int_equal(row.raw.len, len < CSV_RAW_BYTE ? len : CSV_RAW_BYTE);
            assert_memory_equal(row.raw.ptr, b->ptr, row.raw.len);
        }
        arena_reset(a);
    }
}

static void refuses_what_is_no_delimiter_and_utf16(void **state) {
    struct pieces p = {.text = STR("\xFF\xFE"
                                   "a\0,\0b\0"),
                       .piece = 99};
    struct csv *c = NULL;
    assert_fails(csv_open(*state, &(struct csv_options){0}, pieces_give, &p, &c), ERR_INPUT, "csv_utf16");
    for (size_t i = 0; i < 4; i++) {
        struct csv_options o = {.delimiter = "\"\n\r\xA7"[i]};
        assert_fails(csv_open(*state, &o, pieces_give, &p, &c), ERR_INPUT, "csv_delimiter");
    }
}

static void gives_the_error_of_the_source_after_the_rows(void **state);

/* ---- hostile sizes ---- */

static size_t resident_byte(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (size_t)use.ru_maxrss * 1024;
}

/* The second row is huge; it must be bad, the third be read, and memory not grow with it. */
static void check_huge(struct arena *a, str before, str body, uint64_t byte, str after, const char *expected) {
    struct long_text l = {.part = {before, body, after}, .repeat = byte / body.len};
    const size_t start = resident_byte();
    str got = dump(a, &(struct csv_options){.delimiter = ','}, give_long, &l, 0);
    assert_str(got, expected);
#ifdef __SANITIZE_ADDRESS__
    const size_t most = (size_t)512 << 20; /* the sanitizer's own */
#else
    const size_t most = (size_t)24 << 20;
#endif
    assert_true(resident_byte() - start < most);
}

static str block(struct arena *a, const char *unit) {
    struct buf *b = buf_in(a, (size_t)1 << 20);
    while (b->len < 65536)
        buf_add(b, str_from(unit));
    return buf_str(b);
}

enum { HUNDRED_MB = 100000000 };

static void a_huge_line_is_passed_over(void **state) {
    check_huge(*state, STR("a,b\n"), block(*state, "x"), 4ull * HUNDRED_MB, STR(",1\n3,4\n"),
               "[a][b] !csv_cell_limit@2:1 [3][4]");
}

/* No quote inside a plain cell begins a quoted one, wherever the window ends. */
static void a_huge_line_of_quotes_is_passed_over(void **state) {
    check_huge(*state, STR("a,b\nx"), block(*state, "\"\"y"), HUNDRED_MB / 4, STR("\n3,4\n"),
               "[a][b] !csv_cell_limit@2:1 [3][4]");
}

static void a_huge_row_of_small_cells_is_passed_over(void **state) {
    check_huge(*state, STR("a,b\n"), block(*state, "xy,"), HUNDRED_MB, STR("1\n3,4\n"),
               "[a][b] !csv_column_limit@2:0 [3][4]");
}

static void a_huge_quoted_cell_is_passed_over(void **state) {
    check_huge(*state, STR("a,b\n1,\""), block(*state, "x\n"), HUNDRED_MB, STR("\"\n3,4\n"),
               "[a][b] !csv_cell_limit@2:2 [3][4]");
}

static void a_huge_cell_of_quotes_is_passed_over(void **state) {
    check_huge(*state, STR("a,b\n1,\""), block(*state, "\"\""), HUNDRED_MB / 4, STR("\"\n3,4\n"),
               "[a][b] !csv_cell_limit@2:2 [3][4]");
}

static void a_huge_unclosed_quote_is_told(void **state) {
    check_huge(*state, STR("a,b\n1,\""), block(*state, "3,4\n"), HUNDRED_MB, STR("5,6\n"), "[a][b] !csv_unclosed_quote@2:2");
}

static void a_huge_line_after_a_broken_quote_is_passed_over(void **state) {
    check_huge(*state, STR("a,b\n\"1\"x"), block(*state, "\"y,"), HUNDRED_MB, STR("\n3,4\n"),
               "[a][b] !csv_text_after_quote@2:1 [3][4]");
}

/* ---- random files ---- */

static str random_cell(struct arena *a, struct rng *r) {
    static const char *const parts[] = {"a", "b",  "\"",       ",", ";", "\n", "\r",    "\r\n",
                                        " ", "\t", "\xC3\xA9", "'", "=", "0",  "xyzzy", "|"};
    struct buf *b = buf_in(a, 4096);
    for (size_t n = (size_t)rng_below(r, 7); n > 0; n--)
        buf_add(b, str_from(parts[rng_below(r, 16)]));
    return buf_str(b);
}

static void what_is_written_is_read_back(void **state) {
    struct arena *a = *state;
    static const char delimiters[] = ",;\t|";
    struct rng r = rng_from_seed(11);
    for (int i = 0; i < 2000; i++) {
        struct buf *file = buf_in(a, 1 << 20), *expected = buf_in(a, 1 << 20);
        char delimiter = delimiters[rng_below(&r, 4)];
        size_t columns = 2 + (size_t)rng_below(&r, 4), rows = 1 + (size_t)rng_below(&r, 8);
        for (size_t k = 0; k < rows * columns; k++) {
            str cell = random_cell(a, &r);
            bool last = k % columns == columns - 1;
            csv_write_cell(file, cell, delimiter);
            buf_add(file, last ? STR("\r\n") : (str){&delimiter, 1});
            buf_add_byte(expected, '[');
            dump_bytes(expected, cell);
            buf_add(expected, last && k + 1 < rows * columns ? STR("] ") : STR("]"));
        }
        str got = dump_text(a, &(struct csv_options){.delimiter = delimiter}, buf_str(file));
        if (!str_equal(got, buf_str(expected)))
            fail_msg("%.*s\nis read as\n%.*s", STR_ARG(buf_str(file)), STR_ARG(got));
        arena_reset(a);
    }
}

static const char *written(struct arena *a, str cell, bool guarded) {
    struct buf *b = buf_in(a, 4096);
    if (guarded)
        csv_write_cell_guarded(b, cell, ',');
    else
        csv_write_cell(b, cell, ',');
    return str_cstr(a, buf_str(b));
}

static void quotes_only_what_needs_it(void **state) {
    assert_string_equal(written(*state, STR("plain text"), false), "plain text");
    assert_string_equal(written(*state, STR(""), false), "");
    assert_string_equal(written(*state, STR("a,b"), false), "\"a,b\"");
    assert_string_equal(written(*state, STR("a;b"), false), "a;b");
    assert_string_equal(written(*state, STR("say \"x\""), false), "\"say \"\"x\"\"\"");
    assert_string_equal(written(*state, STR("a\rb"), false), "\"a\rb\"");
    assert_string_equal(written(*state, STR(" a"), false), "\" a\"");
    assert_string_equal(written(*state, STR("=1+1"), false), "=1+1");
}

static void guards_against_formulas(void **state) {
    assert_string_equal(written(*state, STR("=HYPERLINK(\"x\")"), true), "\"'=HYPERLINK(\"\"x\"\")\"");
    assert_string_equal(written(*state, STR("+cmd|' /C calc'!A0"), true), "\"'+cmd|' /C calc'!A0\"");
    assert_string_equal(written(*state, STR("@SUM(A1)"), true), "\"'@SUM(A1)\"");
    assert_string_equal(written(*state, STR("-A1"), true), "\"'-A1\"");
    assert_string_equal(written(*state, STR("-"), true), "\"'-\"");
    assert_string_equal(written(*state, STR("-12.5e-3"), true), "-12.5e-3");
    assert_string_equal(written(*state, STR("+49 (30) 123-45"), true), "+49 (30) 123-45");
    assert_string_equal(written(*state, STR("a=b"), true), "a=b");
    assert_string_equal(written(*state, STR(""), true), "");
}

/* ---- the delimiter ---- */

static void finds_the_delimiter(void **state) {
    (void)state;
    assert_int_equal(csv_sniff(STR("a,b\n1,2\n"), true), ',');
    assert_int_equal(csv_sniff(STR("a;b\n1,5;2,5\n"), true), ';');
    assert_int_equal(csv_sniff(STR("a\tb\nx, y\tz\n"), true), '\t');
    assert_int_equal(csv_sniff(STR(""), true), ',');
    assert_int_equal(csv_sniff(STR("one\ntwo\n"), true), ',');
    assert_int_equal(csv_sniff(STR("Name, first;Age;City\nX, Y;3;Z\nP, Q;4;R\n"), true), ';');
    assert_int_equal(csv_sniff(STR("\"a;b;c\",d\n\"1;2;3\",4\n"), true), ',');
    assert_int_equal(csv_sniff(STR("a;b;c"), false), ';');                       /* nothing but a cut header */
    assert_int_equal(csv_sniff(STR("a;b\n1;2\n3,4,5,6"), false), ';');           /* a cut row does not count */
    assert_int_equal(csv_sniff(STR("a,b,c\n1,2,3\n1,2\n4;5,6,7\n"), true), ','); /* ragged rows do not confuse it */
}

static err fails_later(void *ctx, char *to, size_t cap, size_t *got) {
    struct pieces *p = ctx;
    if (p->text.len == 0)
        return fail(ERR_INPUT, "test_broken", "broken");
    return pieces_give(p, to, cap, got);
}

static void gives_the_error_of_the_source_after_the_rows(void **state) {
    struct pieces p = {.text = STR("a,b\n1,2\n3,"), .piece = 5};
    struct csv *c = NULL;
    struct csv_row row;
    bool end = false;
    assert_ok(csv_open(*state, &(struct csv_options){0}, fails_later, &p, &c));
    for (int i = 0; i < 2; i++)
        assert_ok(csv_next(c, &row, &end));
    assert_fails(csv_next(c, &row, &end), ERR_INPUT, "test_broken");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(cases),
        ARENA_TEST(reads_what_python_writes),
        ARENA_TEST(pieces_do_not_matter),
        ARENA_TEST(says_where),
        ARENA_TEST(raw_text_of_bad_rows_is_capped),
        ARENA_TEST(refuses_what_is_no_delimiter_and_utf16),
        ARENA_TEST(gives_the_error_of_the_source_after_the_rows),
        ARENA_TEST(a_huge_line_is_passed_over),
        ARENA_TEST(a_huge_line_of_quotes_is_passed_over),
        ARENA_TEST(a_huge_row_of_small_cells_is_passed_over),
        ARENA_TEST(a_huge_quoted_cell_is_passed_over),
        ARENA_TEST(a_huge_cell_of_quotes_is_passed_over),
        ARENA_TEST(a_huge_unclosed_quote_is_told),
        ARENA_TEST(a_huge_line_after_a_broken_quote_is_passed_over),
        ARENA_TEST(what_is_written_is_read_back),
        ARENA_TEST(quotes_only_what_needs_it),
        ARENA_TEST(guards_against_formulas),
        cmocka_unit_test(finds_the_delimiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
