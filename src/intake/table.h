/* table.h — one streaming reader for files of leads: CSV, and JSON lines, either of them packed with gzip.
 *
 * What a file is is told by its contents: gzip by its magic bytes; JSON lines when the first character that is no white
 * space is `{`; else CSV (base/csv.h says what is accepted). The first row of a CSV file is its header.
 *
 * Every data row is handed out, good or bad, in file order, with its index: rows that cannot be read keep their place in the
 * count, so that an index means the same row in every program run. A bad row has a reason and its raw text. */
#ifndef GALENA_INTAKE_TABLE_H
#define GALENA_INTAKE_TABLE_H

#include "lead/frame.h"

/* Every field but the path may be 0, for the default of base/csv.h. The delimiter is for CSV only. For JSON lines
 * max_row_byte limits a line, max_cell_byte a value. */
struct table_options {
    const char *path; /* "-": standard input */
    char delimiter;
    bool latin1;
    size_t max_cell_byte, max_row_byte;
    uint32_t max_column;
};

struct table;

/* One data row. What it points to lives in the batch arena. */
struct table_row {
    uint64_t index;   /* 0-based data row in file order; bad rows count too */
    uint64_t line;    /* line of the file on which it begins, 1-based */
    const str *cell;  /* one for each column; NULL in a bad row */
    err status;       /* OK, ERR_INPUT or ERR_LIMIT */
    const char *slug; /* of a bad row, else NULL */
    str reason;       /* of a bad row: a sentence without file name and line, as "has 12 cells, the header has 37" */
    uint32_t column;  /* of a bad row: 1-based column at fault, 0 when it is the row as a whole */
    str raw;          /* the text as read, at most its first 4 KiB */
    /* Of a good row of a CSV file: the whole row as it stands there, in UTF-8, without its line end; else empty. */
    str csv;
};

/* Opens a file and reads its header; it is closed with the arena. Errors name the file and, where there is one, the line.
 * As source errors: ERR_ABSENT "file_missing", ERR_INPUT "file_directory", ERR_DENIED "file_denied", ERR_AGAIN "file_read";
 * ERR_INPUT: "table_empty" (no byte but white space), "table_header" (a header that is a bad row by base/csv.h),
 * "table_column_twice" (names both columns), "table_column_unnamed", "table_format" (not a text: a spreadsheet or a JSON
 * array), "csv_utf16", "csv_delimiter", "gzip_truncated", "gzip_corrupt". A file with nothing but a header opens, and gives
 * no rows. */
err table_open(struct arena *a, const struct table_options *o, struct table **out) MUST_CHECK;

/* The *n column names, unique and not empty, in file order. Of JSON lines: the keys of the objects in the first 1000 lines
 * (or 1 MiB) in order of first appearance. */
const str *table_columns(const struct table *t, size_t *n);

/* The next rows, at most max_row of them, into *rows; fewer when they are long (a batch holds about 8 MiB of text) and
 * *n = 0 only at the end. Allocates in `batch`, which may be reset before the next call. An error (file_read,
 * gzip_truncated, gzip_corrupt) comes after all rows before it have been handed out and tells how many there were. A row of
 * JSON lines: strings as their characters, numbers, true and false as written, null and absent keys as an empty cell. An
 * array of such values is a cell of several values, as multi-value fields read it: its items joined by ";", null and empty
 * ones left out, and a ";" within an item made a comma so that it stays one. Objects, and arrays of arrays or objects, are
 * their JSON text. Keys that are no column are passed over (see table_unknown_keys). */
err table_read(struct table *t, struct arena *batch, size_t max_row, struct table_row **rows, size_t *n) MUST_CHECK;

/* How much of the file has been taken, and its size (0 when unknown: a pipe), in bytes of the file itself, packed or not. */
uint64_t table_bytes_read(const struct table *t);
uint64_t table_bytes_total(const struct table *t);

/* The file's name, for messages. */
const char *table_name(const struct table *t);

/* The delimiter of a CSV file; a comma for JSON lines. */
char table_delimiter(const struct table *t);

/* Values of JSON lines passed over because their key is no column, and one such key. */
uint64_t table_unknown_keys(const struct table *t, str *example);

/* Told of each row that table_load leaves out. An error ends the loading. */
typedef err table_reject_fn(void *ctx, const struct table_row *row);

/* Reads all rows into a frame. Bad rows go to `reject` (may be NULL) and are left out; kept rows know their index. A text
 * that repeats in its column is stored once. ERR_INPUT "table_no_rows" when there is no data row, "table_no_good_rows" when
 * all are bad; the errors of table_read. */
err table_load(struct table *t, struct arena *a, struct frame **out, table_reject_fn *reject, void *ctx) MUST_CHECK;

#endif
