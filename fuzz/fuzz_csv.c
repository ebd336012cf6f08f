/* fuzz_csv.c — any bytes as CSV: the same rows whatever pieces they come in, and good rows survive being written. */
#include "target.h"

#include "base/csv.h"
#include "base/pieces.h"
#include "base/utf8.h"

/* Writes the rows behind the first `skip`: the good ones as CSV, the bad ones (when `bad`) as their slug, line and raw text.
 */
static err rewrite(struct arena *a, const struct csv_options *o, struct pieces *p, size_t skip, bool bad, struct buf *out) {
    struct csv *c = NULL;
    TRY(csv_open(a, o, pieces_give, p, &c));
    char delimiter = csv_delimiter(c);
    for (size_t n = 0;; n++) {
        struct csv_row row;
        bool end = false;
        TRY(csv_next(c, &row, &end));
        if (end)
            return OK;
        if (n < skip)
            continue;
        FUZZ_CHECK((row.status == OK) == (row.slug == NULL) && (row.status == OK) == (row.n > 0));
        FUZZ_CHECK(row.status == OK || row.raw.len <= CSV_RAW_BYTE);
        if (row.status != OK && bad)
            buf_add_format(out, "!%s@%zu:%u %.*s", row.slug, (size_t)row.line - skip, (unsigned)row.column,
                           STR_ARG(row.raw));
        for (size_t i = 0; i < row.n; i++) {
            str cell = {row.raw.ptr + row.span[i].from, row.span[i].len};
            FUZZ_CHECK(row.span[i].from + row.span[i].len <= row.raw.len && utf8_valid(cell));
            char *text = arena_alloc(a, cell.len);
            if (row.span[i].doubled)
                cell = (str){text, csv_unquote(cell, text)};
            if (i > 0)
                buf_add_byte(out, delimiter);
            if (cell.len == 0 && row.n == 1)
                buf_add(out, STR("\"\"")); /* a line without a byte would be no row */
            csv_write_cell(out, cell, delimiter);
        }
        if (row.status == OK || bad)
            buf_add_byte(out, '\n');
    }
}

static struct buf *text_buffer(struct arena *a) { return buf_in(a, (size_t)64 << 20); }

/* A row that fills what csv_open reads at once, so that the window moves inside the input. */
enum { FILL_BYTE = 66000 };

static void check_pieces(struct arena *a, const struct csv_options *o, str input, size_t piece, str expected) {
    struct buf *text = text_buffer(a), *got = text_buffer(a);
    if (!buf_reserve(text, FILL_BYTE))
        return;
    memset(text->ptr, 'x', FILL_BYTE);
    text->ptr[FILL_BYTE - 1] = '\n';
    text->len = FILL_BYTE;
    buf_add(text, input);
    struct pieces p = {.text = buf_str(text), .first = FILL_BYTE, .piece = piece};
    FUZZ_CHECK(rewrite(a, o, &p, 1, true, got) == OK && str_equal(buf_str(got), expected));
}

static void check_writing(struct arena *a, const struct csv_options *o, str input) {
    struct buf *once = text_buffer(a), *twice = text_buffer(a);
    struct csv_options wide = {.delimiter = o->delimiter};
    struct pieces p = {.text = input, .piece = SIZE_MAX};
    FUZZ_CHECK(rewrite(a, o, &p, 0, false, once) == OK);
    if (once->len > 0 && str_starts(buf_str(once), STR("\xEF\xBB\xBF")))
        return; /* would be a byte order mark now */
    p = (struct pieces){.text = buf_str(once), .piece = SIZE_MAX};
    FUZZ_CHECK(rewrite(a, &wide, &p, 0, true, twice) == OK && str_equal(buf_str(once), buf_str(twice)));
}

/* The first byte chooses options. */
static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    if (w->input.len == 0)
        return OK;
    unsigned choice = (unsigned char)w->input.ptr[0];
    str input = str_slice(w->input, 1, w->input.len);
    struct csv_options o = {.latin1 = choice & 1,
                            .max_cell_byte = choice & 2 ? 5 : 0,
                            .max_column = choice & 4 ? 3 : 0,
                            .max_row_byte = choice & 8 ? 12 : 0,
                            .delimiter = choice & 16 ? ';' : 0};
    struct buf *expected = text_buffer(w->arena);
    struct pieces p = {.text = input, .piece = SIZE_MAX};
    struct csv *c = NULL;
    TRY(csv_open(w->arena, &o, pieces_give, &p, &c));
    o.delimiter = csv_delimiter(c);
    p = (struct pieces){.text = input, .piece = SIZE_MAX};
    FUZZ_CHECK(rewrite(w->arena, &o, &p, 0, true, expected) == OK);
    if (!str_starts(input, STR("\xEF\xBB\xBF")))
        check_pieces(w->arena, &o, input, 2 + (choice >> 5), buf_str(expected));
    check_writing(w->arena, &o, input);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
