/* annotate.h — what the commands share that write a file's rows again with columns of their own behind. */
#ifndef GALENA_CMD_ANNOTATE_H
#define GALENA_CMD_ANNOTATE_H

#include "base/buf.h"
#include "cmd/session.h"

enum { ANNOTATE_COLUMNS = 16 };

struct annotation {
    str file, out;     /* "-": standard input and output */
    const str *column; /* at most ANNOTATE_COLUMNS names that `write` reads */
    size_t n_column;
    str header; /* names of the new columns, separated by commas */
    /* Writes the new cells of one row, separated by commas; cell[i] is that of column[i]. */
    void (*write)(void *ctx, const str *cell, struct buf *out);
    void *ctx;
};

struct annotated {
    uint64_t rows, bad;
    double second, cpu_second;
};

/* Streams the file. Rows that cannot be read are left out and counted, with a warning at the end. Sets s->data_on_stdout.
 * The output appears under its name when it is complete. Errors of intake/table.h and base/file.h, and ERR_INPUT
 * "annotate_no_column". */
err annotate_file(struct session *s, const struct annotation *a, struct annotated *done) MUST_CHECK;

/* CPU seconds that the process has used. */
double annotate_cpu_second(void);

#endif
