/* lines_priv.h — the lines of a source one by one, in constant memory however long one is. */
#ifndef GALENA_INTAKE_LINES_PRIV_H
#define GALENA_INTAKE_LINES_PRIV_H

#include "intake/source_priv.h"

/* One line, valid until the next call. */
struct line {
    uint64_t number; /* 1-based */
    str text;        /* without its end; of a line that is too long only the beginning */
    bool too_long;
};

struct lines;

/* A reader of the lines (that end in LF or CRLF) of `source`, which lives as long as it. */
err lines_open(struct arena *a, struct source *source, size_t max_line_byte, struct lines **out) MUST_CHECK;

/* The next line, or *end = true. The source's errors. */
err lines_next(struct lines *l, struct line *line, bool *end) MUST_CHECK;

/* The next line without taking it; each call looks one further, until lines_next is called for the first time. *end = true
 * when there is no more, or as much as `most` bytes have been looked at. At least one line is seen. */
err lines_peek(struct lines *l, size_t most, struct line *line, bool *end) MUST_CHECK;

#endif
