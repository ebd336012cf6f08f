/* buf.c — a growing block of bytes with a maximum. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max_byte) { *b = (struct buf){.max = max_byte}; }

void buf_done(struct buf *b) {
    free(b->ptr);
    *b = (struct buf){.max = b->max};
}

static void done_deferred(void *ctx) { buf_done(ctx); }

struct buf *buf_in(struct arena *a, size_t max_byte) {
    struct buf *b = ARENA_NEW(a, struct buf);
    buf_init(b, max_byte);
    arena_defer(a, done_deferred, b);
    return b;
}

void buf_clear(struct buf *b) {
    b->len = 0;
    b->over = false;
}

bool buf_grow(struct buf *b, size_t need) {
    if (b->over || need > b->max - b->len) {
        b->over = true;
        return false;
    }
    size_t cap = b->cap < 256 ? 256 : b->cap * 2;
    if (cap < b->len + need)
        cap = b->len + need;
    if (cap > b->max)
        cap = b->max;
    char *ptr = realloc(b->ptr, cap);
    if (!ptr) {
        b->over = true;
        return false;
    }
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

void buf_add_format(struct buf *b, const char *format, ...) {
    char text[512];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof text) {
        buf_add(b, (str){text, (size_t)n});
    } else if (n > 0 && buf_reserve(b, (size_t)n + 1)) {
        vsnprintf(b->ptr + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

err buf_check(const struct buf *b) {
    if (!b->over)
        return OK;
    return fail(ERR_LIMIT, "buffer_limit", "the result is larger than its limit of %zu bytes", b->max);
}
