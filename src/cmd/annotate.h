/* annotate.h — a file's rows again with what some of their columns say behind them: append.h for a function from cells to
 * cells. */
#ifndef GALENA_CMD_ANNOTATE_H
#define GALENA_CMD_ANNOTATE_H

#include "cmd/append.h"

enum { ANNOTATE_COLUMNS = 16 };

struct annotation {
    str file, out;     /* "-": standard input and output */
    const str *column; /* at most ANNOTATE_COLUMNS names that `write` reads */
    size_t n_column;
    const str *added; /* names of the new columns */
    size_t n_added;
    /* Writes the new cells of one row, each after the delimiter; cell[i] is that of column[i]. */
    void (*write)(void *ctx, const str *cell, char delimiter, struct buf *out);
    void *ctx;
};

struct annotated {
    uint64_t rows, bad;
    double second, cpu_second;
};

/* Streams the file. Rows that cannot be read are left out and counted; the first are warned of. Sets s->data_on_stdout. The
 * output appears under its name when it is complete. Errors of append.h. */
err annotate_file(struct session *s, const struct annotation *a, struct annotated *done) MUST_CHECK;

/* CPU seconds that the process has used. */
double annotate_cpu_second(void);

#endif
