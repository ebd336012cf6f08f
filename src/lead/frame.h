/* frame.h — the rows of a file of leads, held in memory by column, as the text that was read. */
#ifndef GALENA_LEAD_FRAME_H
#define GALENA_LEAD_FRAME_H

#include "base/str.h"

struct frame {
    size_t n_row, n_col;
    const str *name;        /* n_col column names, unique */
    const str *const *cell; /* cell[column][row]; a JSON null or an absent key is an empty str */
    const uint64_t *index;  /* n_row: 0-based number of the data row in the file; rows that were left out keep theirs */
    const uint64_t *line;   /* n_row: line of the file on which the row begins, for messages */
    str source;             /* file name, for messages */
};

/* Index of a column, or -1. */
ptrdiff_t frame_find(const struct frame *f, str name);

/* A number that depends on every name and every cell: the same file gives the same number in every run, another one hardly
 * ever. Not proof against somebody who wants two files to agree. */
uint64_t frame_fingerprint(const struct frame *f);

#endif
