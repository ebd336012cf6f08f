/* sheet.h — CSV files that commands make row by row, in a folder of their own. */
#ifndef GALENA_CMD_SHEET_H
#define GALENA_CMD_SHEET_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"

/* A file being written, with the rows that are not yet on their way. Until it is committed nothing has its name. */
struct sheet {
    str path;
    struct file_out *file;
    struct buf *rows;
    uint64_t n_rows; /* ended, the head included */
    bool begun;      /* the row has a cell */
};

/* Makes the folder unless it is there: "sheet_folder" when that is not possible. */
err sheet_folder(str path) MUST_CHECK;

/* A file `name` in the folder, with a head of column names separated by commas (none when head is NULL). */
err sheet_open(struct arena *a, str folder, const char *name, const char *head, struct sheet *out) MUST_CHECK;

/* Appends cells to the row; texts are quoted where CSV wants it, numbers written in the shortest form that reads back. */
void sheet_put(struct sheet *s, str cell);
void sheet_put_number(struct sheet *s, double value);
/* A day ("2026-03-01"), and a moment ("2026-03-01T10:00:00Z"). */
void sheet_put_day(struct sheet *s, int64_t day);
void sheet_put_moment(struct sheet *s, int64_t ms);

/* Ends the row. */
err sheet_end_row(struct sheet *s) MUST_CHECK;

/* Gives the file its name. */
err sheet_commit(struct sheet *s) MUST_CHECK;

#endif
