/* csv.h — comma-separated values (RFC 4180): a streaming reader in constant memory, and a cell writer.
 *
 * What is read: cells separated by one delimiter; rows that end in LF, CRLF or CR; a cell that begins with `"` runs to the
 * closing quote, may hold delimiters and line ends, and `""` inside stands for `"`. A byte order mark is skipped. A quote
 * inside a cell that does not begin with one is an ordinary character, and so is white space. A line without any byte is
 * skipped and is no row; a line of delimiters alone is a row of empty cells.
 *
 * A row that breaks the rules is handed out as a bad row with its reason, and reading goes on:
 *   slug                reading goes on
 *   csv_text_after_quote at the next line end                   text between a closing quote and the delimiter
 *   csv_unclosed_quote  (nowhere: the quote ran to the end)     the reason says on which line it was opened
 *   csv_cell_limit, csv_row_limit, csv_column_limit             at the end of the row, quotes obeyed; what is too long is
 * passed over, never held csv_nul, csv_utf8   at the next row                         a NUL byte; bytes that are not UTF-8
 */
#ifndef GALENA_BASE_CSV_H
#define GALENA_BASE_CSV_H

#include "base/buf.h"

/* Every field 0 means the default named behind it. */
struct csv_options {
    char delimiter;       /* found from the head of the file: comma, semicolon, tab or vertical bar */
    bool latin1;          /* false: the bytes are UTF-8; true: they are ISO 8859-1, and come out as UTF-8 */
    size_t max_cell_byte; /* 1 MiB */
    size_t max_row_byte;  /* 4 MiB; at most 1 GiB */
    uint32_t max_column;  /* 4096 */
};

enum { CSV_RAW_BYTE = 4096, CSV_REASON_BYTE = 256 }; /* as much as a bad row shows of its text, and of its reason */

/* Gives up to `cap` bytes: *got of them, 0 only at the end. May be called again after the end or after an error, and answers
 * the same. */
typedef err csv_source_fn(void *ctx, char *to, size_t cap, size_t *got);

/* Where a cell's text lies in the row's raw text, without its quotes. */
struct csv_span {
    uint32_t from, len;
    bool doubled; /* holds doubled quotes: see csv_unquote */
};

/* One row; what it points to is valid until the next call. */
struct csv_row {
    uint64_t line; /* line on which it begins, 1-based; a line end inside quotes counts */
    str raw;       /* as read, without the line end; of a bad row at most the first CSV_RAW_BYTE bytes, perhaps no UTF-8 */
    const struct csv_span *span;
    size_t n;           /* cells; 0 in a bad row */
    err status;         /* OK, ERR_INPUT, or ERR_LIMIT */
    const char *slug;   /* of a bad row, else NULL */
    const char *reason; /* of a bad row: a sentence without the file's name */
    uint32_t column;    /* of a bad row: 1-based number of the cell at fault; 0 when it is the row as a whole */
};

struct csv;

/* A reader of what `source` gives. Reads the head at once: finds the delimiter. ERR_INPUT: "csv_delimiter" (an option that
 * cannot be one), "csv_utf16" (the text is UTF-16); or the source's error. Its window of at most max_row_byte + 512 KiB is
 * freed with the arena. */
err csv_open(struct arena *a, const struct csv_options *o, csv_source_fn *source, void *ctx, struct csv **out) MUST_CHECK;

/* The next row into *row, or *end = true. Bad rows are rows. An error is the source's: the rows before it have been handed
 * out, the row it broke off has not. */
err csv_next(struct csv *c, struct csv_row *row, bool *end) MUST_CHECK;

char csv_delimiter(const struct csv *c);

/* The delimiter under which the rows of `head` have the most even number of cells, at least two in the first row; comma when
 * there is none. `complete`: the head is the whole file, so that its last line counts too. */
char csv_sniff(str head, bool complete);

/* Copies cell text with each `""` made one; `to` has room for s.len bytes. Returns the length. */
size_t csv_unquote(str s, char *to);

/* Writes a cell, in quotes when it holds the delimiter, a quote, a line end, or white space at its ends. An empty cell
 * is written as nothing. The caller writes delimiters and line ends. */
void csv_write_cell(struct buf *out, str cell, char delimiter);

/* As csv_write_cell for text from outside that a person may open in a spreadsheet: a text which would be run as a formula
 * (it begins with = + - @ tab or carriage return, and is no number) gets an apostrophe in front. */
void csv_write_cell_guarded(struct buf *out, str cell, char delimiter);

#endif
