/* table_priv.h — the inside of a table: what its CSV side and its JSON lines side share. */
#ifndef GALENA_INTAKE_TABLE_PRIV_H
#define GALENA_INTAKE_TABLE_PRIV_H

#include "base/csv.h"
#include "intake/source_priv.h"
#include "intake/table.h"

enum { TABLE_BATCH_ROW = 4096, TABLE_BATCH_BYTE = 8 << 20, TABLE_ERROR_BYTE = 1024 };

struct jsonl;

struct table {
    struct table_options o;
    const char *name; /* of the file, for messages */
    struct source *source;
    struct csv *csv;     /* NULL for JSON lines */
    struct jsonl *jsonl; /* NULL for CSV */
    const str *column;
    size_t n_column;
    uint64_t index;    /* of the next data row */
    uint64_t consumed; /* bytes of unpacked text in the rows handed out */
    /* an error that waits until the rows before it have been taken */
    err broken;
    const char *broken_slug;
    char broken_text[TABLE_ERROR_BYTE];
};

/* The memory of one batch: rows, cells and text are cut from larger blocks. */
struct batch {
    struct arena *a;
    struct table_row *row;
    size_t n, cap, bytes;
    str *cell;
    size_t cell_left;
    char *text;
    size_t text_left;
};

/* `size` bytes of text space, and a row of n cells, in the batch. */
char *batch_text(struct batch *b, size_t size);
str *batch_cells(struct batch *b, size_t n);

/* Makes `row` a bad row with a reason. */
void row_reject(struct batch *b, struct table_row *row, err status, const char *slug, uint32_t column, const char *format,
                ...) PRINTF_LIKE(6, 7);

/* The two formats: opening (columns included), and one row, or *end. The row comes with index, line and raw to be filled in.
 */
err table_open_csv(struct arena *a, struct table *t) MUST_CHECK;
err table_next_csv(struct table *t, struct batch *b, struct table_row *row, bool *end) MUST_CHECK;
err table_open_jsonl(struct arena *a, struct table *t) MUST_CHECK;
err table_next_jsonl(struct table *t, struct batch *b, struct table_row *row, bool *end) MUST_CHECK;

#endif
