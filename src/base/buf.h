/* buf.h — a growing block of bytes that cannot be created without a maximum.
 *
 * Writing never fails in place: reaching the maximum (or having no memory) marks the buffer, later writes do nothing, and
 * buf_check() tells once, at the end. */
#ifndef GALENA_BASE_BUF_H
#define GALENA_BASE_BUF_H

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap, max;
    bool over; /* a write did not fit: the contents are incomplete */
};

/* Memory comes from malloc and is given back by buf_done, or by the arena if the buffer was made with buf_in. */
void buf_init(struct buf *b, size_t max_byte);
void buf_done(struct buf *b);
struct buf *buf_in(struct arena *a, size_t max_byte);

void buf_clear(struct buf *b); /* keeps the memory, forgets contents and mark */

/* Room for `need` more bytes; false when the maximum forbids it. */
bool buf_reserve(struct buf *b, size_t need);

void buf_add(struct buf *b, str s);
void buf_add_format(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_add_byte(struct buf *b, char byte);

static inline str buf_str(const struct buf *b) { return (str){b->ptr, b->len}; }

/* ERR_LIMIT (slug "buffer_limit") when a write did not fit. */
err buf_check(const struct buf *b) MUST_CHECK;

#endif
