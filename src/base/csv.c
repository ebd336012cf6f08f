/* csv.c — the reader: a sliding window over the source, and a scanner that keeps its place when the window moves. */
#include "base/csv.h"

#include "base/csv_priv.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_BYTE = 256 * 1024, PAD_BYTE = 64, LATIN1_BYTE = 64 * 1024, HEAD_BYTE = 64 * 1024 };

enum scan_state {
    IN_PLAIN,
    IN_QUOTES,
    IN_WRECK
}; /* wreck: after a broken quote, everything up to the line end is passed over */
enum stop { STOP_BYTES, STOP_QUOTE, STOP_DELIMITER, STOP_LINE };

struct csv {
    struct csv_options o;
    csv_source_fn *source;
    void *ctx;
    char *window, *latin1;
    size_t cap;          /* of the window; PAD_BYTE more exist */
    size_t row, at, end; /* offsets: the row's first byte, the scanner's place, the end of what was read */
    bool eof, plain;     /* plain: the window holds neither NUL nor a byte above 127 */
    uint64_t line;       /* at `row` */

    /* the row being scanned */
    enum scan_state state;
    size_t cell;           /* first byte of the cell, its quote included */
    uint64_t breaks;       /* line ends inside it */
    uint64_t quote_line;   /* where the quote of the cell was opened */
    bool doubled, passing; /* passing: the row is bad and what was scanned may be dropped */
    struct csv_span *span;
    size_t n; /* cells so far, recorded or not */
    struct csv_row bad;
    char reason[CSV_REASON_BYTE], head[CSV_RAW_BYTE];
    size_t head_len;
    bool head_kept;
};

/* The first fault of a row is the one told. */
PRINTF_LIKE(5, 6)
static void mark_bad(struct csv *c, err status, const char *slug, size_t column, const char *format, ...) {
    c->passing = true;
    if (c->bad.status != OK)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(c->reason, sizeof c->reason, format, args);
    va_end(args);
    c->bad = (struct csv_row){.status = status, .slug = slug, .reason = c->reason, .column = (uint32_t)column};
}

/* ---- the window ---- */

static err read_more(struct csv *c, size_t room, size_t *got) {
    char *to = c->window + c->end;
    if (!c->o.latin1)
        return c->source(c->ctx, to, room, got);
    size_t n = 0;
    TRY(c->source(c->ctx, c->latin1, room / 2 < LATIN1_BYTE ? room / 2 : LATIN1_BYTE, &n));
    *got = utf8_from_latin1((str){c->latin1, n}, to);
    return OK;
}

static void keep_head(struct csv *c) {
    if (c->head_kept)
        return;
    c->head_len = c->at - c->row < CSV_RAW_BYTE ? c->at - c->row : CSV_RAW_BYTE;
    memcpy(c->head, c->window + c->row, c->head_len);
    c->head_kept = true;
}

/* Moves what is still needed to the front of the window. */
static void slide(struct csv *c) {
    size_t from = c->row;
    if (c->passing && (c->head_kept || c->at - c->row >= CSV_RAW_BYTE)) {
        keep_head(c);
        /* of a cell that has begun one byte stays, so that a quote behind it is not taken for the cell's first */
        from = c->row = c->cell = c->at - (c->cell < c->at);
    }
    memmove(c->window, c->window + from, c->end - from);
    c->row -= from;
    c->cell -= from;
    c->at -= from;
    c->end -= from;
}

static void grow(struct csv *c) {
    size_t most = c->o.max_row_byte + 2 * WINDOW_BYTE, cap = c->cap * 2 < most ? c->cap * 2 : most;
    char *window = realloc(c->window, cap + PAD_BYTE);
    if (!window) {
        mark_bad(c, ERR_LIMIT, "csv_row_limit", 0, "the row is too long for the memory there is");
        slide(c);
        return;
    }
    c->window = window;
    c->cap = cap;
}

/* Reads more behind what is there. Sets eof when there is no more. */
static err refill(struct csv *c) {
    slide(c);
    if (c->cap - c->end < WINDOW_BYTE / 2)
        grow(c);
    size_t got = 0;
    err rc = read_more(c, c->cap - c->end, &got);
    c->eof = rc == OK && got == 0;
    c->end += rc == OK ? got : 0;
    memset(c->window + c->end, 0, PAD_BYTE); /* the scanner looks a little further, and must see nothing there */
    c->plain = utf8_is_plain_ascii((str){c->window, c->end});
    return rc;
}

/* ---- the scanner ---- */

/* Bit i: byte i of the 64 at p ends a cell or is a quote. */
static inline uint64_t special_bytes(const char *p, char delimiter) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += CSV_LANES)
        mask |= (uint64_t)csv_special(p + i, delimiter) << i;
    return mask;
}

/* Marks the row when the cell, whose text so far is [from, to), or the row up to `to` is too long: the limit that was met
 * first is told, so that it does not matter in which pieces the text came. */
static void check_limits(struct csv *c, size_t from, size_t to) {
    bool cell = to - from > c->o.max_cell_byte, row = to - c->row > c->o.max_row_byte;
    if (c->passing)
        return;
    if (cell && (!row || from - c->row + c->o.max_cell_byte <= c->o.max_row_byte))
        mark_bad(c, ERR_LIMIT, "csv_cell_limit", c->n + 1, "cell %zu, which begins on line %llu, has more than %zu bytes",
                 c->n + 1, (unsigned long long)(c->state == IN_QUOTES ? c->quote_line : c->line + c->breaks),
                 c->o.max_cell_byte);
    else if (row)
        mark_bad(c, ERR_LIMIT, "csv_row_limit", 0, "the row has more than %zu bytes", c->o.max_row_byte);
}

static inline void end_cell(struct csv *c, size_t from, size_t to) {
    if (to - from > c->o.max_cell_byte || to - c->row > c->o.max_row_byte)
        check_limits(c, from, to);
    if (c->n == c->o.max_column)
        mark_bad(c, ERR_LIMIT, "csv_column_limit", 0, "has more than %u cells", (unsigned)c->o.max_column);
    if (!c->passing)
        c->span[c->n] = (struct csv_span){(uint32_t)(from - c->row), (uint32_t)(to - from), c->doubled};
    c->n++;
    c->doubled = false;
}

/* Passes over plain cells from c->at on; c->cell is where the current one began. Leaves c->at on what it stopped at. */
static enum stop scan_plain(struct csv *c) {
    const char *const window = c->window;
    const char delimiter = c->o.delimiter;
    const size_t end = c->end;
    size_t cell = c->cell;
    enum stop stop = STOP_BYTES;
    size_t at = end;
    for (size_t block = c->at; block < end; block += 64) {
        for (uint64_t mask = special_bytes(window + block, delimiter); mask != 0; mask &= mask - 1) {
            size_t p = block + (size_t)__builtin_ctzll(mask);
            if (window[p] == delimiter) {
                end_cell(c, cell, p);
                cell = p + 1;
            } else if (window[p] != '"') {
                stop = STOP_LINE;
                at = p;
                goto done;
            } else if (p == cell) {
                stop = STOP_QUOTE;
                at = p;
                goto done;
            }
        }
    }
done:
    c->cell = cell;
    c->at = at;
    return stop;
}

/* Line ends in s, a CR that LF follows counted once; `next` is the byte behind s. */
static uint64_t count_breaks(str s, char next) {
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == '\n' || (s.ptr[i] == '\r' && (i + 1 < s.len ? s.ptr[i + 1] : next) != '\n');
    return n;
}

/* Inside quotes from c->at on. STOP_BYTES, or the closing quote was found and c->at is behind it. */
static enum stop scan_quoted(struct csv *c) {
    for (;;) {
        const char *from = c->window + c->at, *end = c->window + c->end;
        const char *quote = memchr(from, '"', (size_t)(end - from));
        const char *to = quote ? quote : end;
        /* whether a CR at the very end is half of a CRLF, and whether the last quote is one of two, the next bytes tell */
        if (!c->eof && !quote && to > from && to[-1] == '\r')
            to--;
        c->breaks += count_breaks((str){from, (size_t)(to - from)}, *to);
        c->at = (size_t)(to - c->window);
        if (!quote || (quote + 1 == end && !c->eof))
            return STOP_BYTES;
        if (quote + 1 == end || quote[1] != '"') {
            c->at++;
            return STOP_QUOTE;
        }
        c->doubled = true;
        c->at += 2;
    }
}

/* Behind a closing quote at c->at - 1: the delimiter, a line end or the end of the file must follow. */
static enum stop leave_quotes(struct csv *c) {
    char next = c->at < c->end ? c->window[c->at] : '\n';
    if (next != c->o.delimiter && next != '\n' && next != '\r') {
        check_limits(c, c->cell + 1, c->at - 1);
        mark_bad(c, ERR_INPUT, "csv_text_after_quote", c->n + 1, "text follows the closing quote of cell %zu (line %llu)",
                 c->n + 1, (unsigned long long)(c->line + c->breaks));
        c->state = IN_WRECK;
        return STOP_BYTES;
    }
    end_cell(c, c->cell + 1, c->at - 1);
    c->state = IN_PLAIN;
    if (next != c->o.delimiter)
        return STOP_LINE;
    c->cell = ++c->at;
    return STOP_DELIMITER;
}

/* The next line end, whatever stands before it. */
static enum stop scan_wreck(struct csv *c) {
    for (; c->at < c->end; c->at++)
        if (c->window[c->at] == '\n' || c->window[c->at] == '\r')
            return STOP_LINE;
    return STOP_BYTES;
}

/* The end of the file came inside quotes. */
static void end_unclosed(struct csv *c) {
    c->bad.status = OK; /* this tells more than a limit does */
    mark_bad(
        c, ERR_INPUT, "csv_unclosed_quote", c->n + 1,
        "the quote opened on line %llu (cell %zu) is never closed: all that follows, to line %llu, was taken as its text",
        (unsigned long long)c->quote_line, c->n + 1, (unsigned long long)(c->line + c->breaks));
}

/* Scans on. STOP_LINE: the row is complete and c->at is its end (a line end or the end of the file). */
static enum stop scan(struct csv *c) {
    for (;;) {
        if (c->state == IN_WRECK)
            return scan_wreck(c);
        if (c->state == IN_QUOTES) {
            if (scan_quoted(c) == STOP_BYTES)
                return STOP_BYTES;
            enum stop stop = leave_quotes(c);
            if (stop == STOP_LINE)
                return stop;
            continue;
        }
        bool quote = c->cell == c->at && c->at < c->end && c->window[c->at] == '"';
        enum stop stop = quote ? STOP_QUOTE : scan_plain(c);
        if (stop == STOP_LINE)
            end_cell(c, c->cell, c->at);
        if (stop != STOP_QUOTE)
            return stop;
        c->state = IN_QUOTES;
        c->quote_line = c->line + c->breaks;
        c->at++;
    }
}

/* Scans to the end of the row, reading on as needed. */
static err scan_row(struct csv *c) {
    while (scan(c) != STOP_LINE) {
        if (c->eof) {
            if (c->state == IN_QUOTES)
                end_unclosed(c);
            else if (c->state == IN_PLAIN)
                end_cell(c, c->cell, c->at);
            break;
        }
        check_limits(c, c->cell + (c->state == IN_QUOTES), c->at);
        TRY(refill(c));
    }
    check_limits(c, c->at, c->at);
    return OK;
}

/* ---- rows ---- */

static size_t cell_at(const struct csv *c, size_t offset) {
    size_t i = 0;
    while (i + 1 < c->n && c->span[i + 1].from <= offset)
        i++;
    return i + 1;
}

static void check_text(struct csv *c, str raw) {
    ptrdiff_t nul = str_find_byte(raw, '\0');
    if (nul >= 0) {
        size_t cell = cell_at(c, (size_t)nul);
        mark_bad(c, ERR_INPUT, "csv_nul", cell, "cell %zu holds a NUL byte", cell);
        return;
    }
    size_t good = utf8_valid_prefix(raw);
    if (good < raw.len) {
        size_t cell = cell_at(c, good);
        mark_bad(c, ERR_INPUT, "csv_utf8", cell, "byte 0x%02X in cell %zu is not UTF-8 (is the file Latin-1?)",
                 (unsigned)(unsigned char)raw.ptr[good], cell);
    }
}

static void begin_row(struct csv *c) {
    c->row = c->cell = c->at;
    c->state = IN_PLAIN;
    c->breaks = 0;
    c->n = 0;
    c->doubled = c->passing = c->head_kept = false;
    c->bad.status = OK;
}

static void finish_row(struct csv *c, struct csv_row *row) {
    str raw = {c->window + c->row, c->at - c->row};
    if (!c->plain && !c->passing)
        check_text(c, raw);
    if (c->bad.status == OK) {
        *row = (struct csv_row){.line = c->line, .raw = raw, .span = c->span, .n = c->n};
        return;
    }
    keep_head(c);
    *row = c->bad;
    row->line = c->line;
    row->raw = (str){c->head, c->head_len};
}

/* Passes over a line end at c->at, if there is one. */
static err pass_line_end(struct csv *c) {
    if (c->at + 1 == c->end && !c->eof && c->window[c->at] == '\r')
        TRY(refill(c));
    if (c->at < c->end) {
        bool crlf = c->window[c->at] == '\r' && c->at + 1 < c->end && c->window[c->at + 1] == '\n';
        c->at += crlf ? 2 : 1;
        c->line++;
    }
    return OK;
}

/* Passes over the line end of the last row, and over lines without a byte. */
static err find_row(struct csv *c, bool *end) {
    for (;;) {
        begin_row(c);
        if (c->at == c->end && !c->eof)
            TRY(refill(c));
        *end = c->at == c->end;
        if (*end || (c->window[c->at] != '\n' && c->window[c->at] != '\r'))
            return OK;
        TRY(pass_line_end(c));
    }
}

err csv_next(struct csv *c, struct csv_row *row, bool *end) {
    c->line += c->breaks;
    TRY(find_row(c, end));
    if (*end)
        return OK;
    TRY(scan_row(c));
    finish_row(c, row);
    return OK;
}

/* ---- opening ---- */

static void close_csv(void *ctx) {
    struct csv *c = ctx;
    free(c->window);
    free(c->latin1);
}

static err check_head(struct csv *c) {
    str head = {c->window, c->end};
    if (str_starts(head, STR("\xFF\xFE")) || str_starts(head, STR("\xFE\xFF")))
        return fail(ERR_INPUT, "csv_utf16", "the file is UTF-16: save it as UTF-8");
    if (str_starts(head, c->o.latin1 ? STR("\xC3\xAF\xC2\xBB\xC2\xBF") : STR("\xEF\xBB\xBF")))
        c->at = c->o.latin1 ? 6 : 3;
    if (c->o.delimiter == '\0')
        c->o.delimiter = csv_sniff(str_slice(head, c->at, c->at + HEAD_BYTE), c->eof && c->end - c->at <= HEAD_BYTE);
    return OK;
}

/* No limit goes beyond what the offsets of a row can hold. */
static size_t limit(size_t asked, size_t otherwise) {
    enum { MOST = 1 << 30 };
    return asked == 0 ? otherwise : asked < MOST ? asked : MOST;
}

err csv_open(struct arena *a, const struct csv_options *o, csv_source_fn *source, void *ctx, struct csv **out) {
    unsigned char delimiter = (unsigned char)o->delimiter;
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || delimiter >= 0x80)
        return fail(ERR_INPUT, "csv_delimiter", "the delimiter must be an ASCII character other than a quote or a line end");
    struct csv *c = ARENA_NEW(a, struct csv);
    *c = (struct csv){.o = *o, .source = source, .ctx = ctx, .cap = WINDOW_BYTE, .line = 1};
    c->o.max_cell_byte = limit(o->max_cell_byte, (size_t)1 << 20);
    c->o.max_row_byte = limit(o->max_row_byte, (size_t)4 << 20);
    c->o.max_column = (uint32_t)limit(o->max_column, 4096);
    c->span = ARENA_ARRAY(a, c->o.max_column, struct csv_span);
    arena_defer(a, close_csv, c);
    c->window = malloc(c->cap + PAD_BYTE);
    c->latin1 = malloc(LATIN1_BYTE);
    if (!c->window || !c->latin1)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading a file");
    err rc = OK;
    while (c->end < HEAD_BYTE && !c->eof && rc == OK)
        rc = refill(c);
    if (c->end == 0 && rc != OK)
        return rc; /* an error further on comes again when the rows before it have been read */
    TRY(check_head(c));
    *out = c;
    return OK;
}

char csv_delimiter(const struct csv *c) { return c->o.delimiter; }

size_t csv_unquote(str s, char *to) {
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        to[len++] = s.ptr[i];
        if (s.ptr[i] == '"' && i + 1 < s.len && s.ptr[i + 1] == '"')
            i++;
    }
    return len;
}
