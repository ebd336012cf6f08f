/* buf.h — a growing block of bytes that cannot be created without a maximum.
 *
 * Writing never fails in place: reaching the maximum (or having no memory) marks the buffer, later writes do nothing, and
 * buf_check() tells once, at the end. */
#ifndef GALENA_BASE_BUF_H
#define GALENA_BASE_BUF_H

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap, max; /* len <= cap <= max */
    bool over;            /* a write did not fit: the contents are incomplete */
};

/* Memory comes from malloc and is given back by buf_done, or by the arena if the buffer was made with buf_in. */
void buf_init(struct buf *b, size_t max_byte);
void buf_done(struct buf *b);
struct buf *buf_in(struct arena *a, size_t max_byte);

void buf_clear(struct buf *b); /* keeps the memory, forgets contents and mark */

/* Asks for more memory: what buf_reserve does when there is no room. */
bool buf_grow(struct buf *b, size_t need);

/* Room for `need` more bytes; false when the maximum forbids it. */
static inline bool buf_reserve(struct buf *b, size_t need) {
    return (need <= b->cap - b->len && !b->over) || buf_grow(b, need);
}

static inline void buf_add(struct buf *b, str s) {
    if (s.len == 0 || !buf_reserve(b, s.len))
        return;
    memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
}

static inline void buf_add_byte(struct buf *b, char byte) {
    if (buf_reserve(b, 1))
        b->ptr[b->len++] = byte;
}

void buf_add_format(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

static inline str buf_str(const struct buf *b) { return (str){b->ptr, b->len}; }

/* ERR_LIMIT (slug "buffer_limit") when a write did not fit. */
err buf_check(const struct buf *b) MUST_CHECK;

#endif
