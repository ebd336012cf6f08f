/* append.h — rows in, the same rows out with columns of ours behind theirs. */
#ifndef GALENA_CMD_APPEND_H
#define GALENA_CMD_APPEND_H

#include "base/file.h"
#include "cmd/leads.h"
#include "intake/reject.h"

struct append {
    struct session *session;
    struct table *table;
    struct file_out *out;
    struct reject *reject; /* NULL: none is kept */
    struct buf *text;
    const char *path;
    char delimiter;
    uint64_t rows, bad; /* bad rows are left out */
};

/* Writes our cells of a row: each begins with the delimiter. */
typedef err append_fn(void *ctx, const struct table_row *row, struct append *to);

/* Opens the file, and `out` with the input's columns and ours. ERR_INPUT "append_column" when the input has a column of that
 * name already. */
err append_open(struct session *s, const struct leads_options *o, str out, const str *column, size_t n,
                struct append *a) MUST_CHECK;

/* The place of a column. ERR_INPUT "column_missing". */
err append_find(const struct table *t, str name, size_t *at) MUST_CHECK;

/* Calls fn for each good row and writes it; warns of the first bad rows. An error of fn ends it. */
err append_run(struct append *a, append_fn *fn, void *ctx) MUST_CHECK;

/* Puts the files under their names. */
err append_commit(struct append *a) MUST_CHECK;

#endif
