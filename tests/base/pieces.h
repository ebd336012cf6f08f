/* pieces.h — a source for the CSV reader that hands a text out in pieces of any size. */
#ifndef GALENA_TESTS_BASE_PIECES_H
#define GALENA_TESTS_BASE_PIECES_H

#include "base/csv.h"

/* Text in pieces of `piece` bytes, after a first one of `first` (0: none). */
struct pieces {
    str text;
    size_t first, piece;
};

/* A csv_source_fn; ctx is a struct pieces. */
static inline err pieces_give(void *ctx, char *to, size_t cap, size_t *got) {
    struct pieces *p = ctx;
    size_t n = p->first > 0 ? p->first : p->piece;
    p->first = 0;
    n = n < cap ? n : cap;
    n = n < p->text.len ? n : p->text.len;
    if (n > 0)
        memcpy(to, p->text.ptr, n);
    p->text = str_slice(p->text, n, p->text.len);
    *got = n;
    return OK;
}

#endif
