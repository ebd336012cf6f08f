/* arena.c — chunks in a list, a bump pointer, deferred clean-ups, and a guard to leave by. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 16 };
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
enum { RED_ZONE = 0 };
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, FIRST_CHUNK = 64 * 1024, LARGEST_STEP = 8 * 1024 * 1024 };

struct chunk {
    struct chunk *next; /* the older chunk */
    size_t size, at;
    _Alignas(ALIGN) unsigned char data[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct guard {
    jmp_buf back;
};

struct arena {
    struct chunk *top;
    struct deferred *deferred;
    struct guard *guard;
    size_t used, limit, held;
};

struct arena *arena_new(size_t limit_byte) {
    struct arena *a = calloc(1, sizeof *a);
    if (a)
        a->limit = limit_byte;
    return a;
}

/* Leaves the guarded work. Without a guard nobody could go on safely. */
__attribute__((noreturn)) static void give_up(struct arena *a, size_t wanted) {
    if (!a->guard) {
        fprintf(stderr, "galena: out of memory: %zu bytes more than the limit of %zu allow\n", wanted, a->limit);
        abort();
    }
    longjmp(a->guard->back, 1);
}

static void run_deferred(struct arena *a, const struct deferred *until) {
    while (a->deferred && a->deferred != until) {
        struct deferred *d = a->deferred;
        a->deferred = d->next;
        d->fn(d->ctx);
    }
}

static void drop_top(struct arena *a) {
    struct chunk *c = a->top;
    a->top = c->next;
    a->held -= c->size;
    UNPOISON(c->data, c->size);
    free(c);
}

void arena_reset(struct arena *a) {
    run_deferred(a, NULL);
    while (a->top && a->top->next)
        drop_top(a);
    if (a->top) {
        a->top->at = 0;
        POISON(a->top->data, a->top->size);
    }
    a->used = 0;
}

void arena_free(struct arena *a) {
    if (!a)
        return;
    run_deferred(a, NULL);
    while (a->top)
        drop_top(a);
    free(a);
}

err arena_run(struct arena *a, err (*fn)(void *ctx), void *ctx) {
    struct guard guard;
    struct guard *const outer = a->guard;
    if (setjmp(guard.back) != 0) {
        a->guard = outer;
        return fail(ERR_LIMIT, "memory_limit", "this work needs more memory than its limit of %zu MB", a->limit >> 20);
    }
    a->guard = &guard;
    err rc = fn(ctx);
    a->guard = outer;
    return rc;
}

/* Chunks double up to a step, so that small arenas stay small and large ones need few calls. */
static void add_chunk(struct arena *a, size_t need) {
    size_t size = a->top ? a->top->size * 2 : FIRST_CHUNK;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < need)
        size = need;
    struct chunk *c = malloc(sizeof *c + size);
    if (!c)
        give_up(a, need);
    c->next = a->top;
    c->size = size;
    c->at = 0;
    POISON(c->data, size);
    a->top = c;
    a->held += size;
}

void *arena_alloc(struct arena *a, size_t size) {
    if (size > a->limit || a->used > a->limit - size)
        give_up(a, size);
    size_t block = (size + RED_ZONE + ALIGN - 1) / ALIGN * ALIGN;
    if (block == 0)
        block = ALIGN;
    if (!a->top || a->top->size - a->top->at < block)
        add_chunk(a, block);
    unsigned char *p = a->top->data + a->top->at;
    a->top->at += block;
    a->used += size;
    UNPOISON(p, size);
    memset(p, 0, size);
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        give_up(a, SIZE_MAX);
    return arena_alloc(a, total);
}

void *arena_copy(struct arena *a, const void *from, size_t size) {
    void *to = arena_alloc(a, size);
    if (size > 0)
        memcpy(to, from, size);
    return to;
}

void *arena_grow(struct arena *a, const void *old, size_t *cap, size_t need, size_t size) {
    size_t next = *cap < 8 ? 8 : *cap * 2;
    if (next < need)
        next = need;
    void *to = arena_array(a, next, size);
    if (*cap > 0)
        memcpy(to, old, *cap * size);
    *cap = next;
    return to;
}

void arena_defer(struct arena *a, void (*fn)(void *ctx), void *ctx) {
    struct deferred *d = ARENA_NEW(a, struct deferred);
    *d = (struct deferred){.next = a->deferred, .fn = fn, .ctx = ctx};
    a->deferred = d;
}

size_t arena_used(const struct arena *a) { return a->used; }

size_t arena_limit(const struct arena *a) { return a->limit; }

struct arena_mark arena_mark(const struct arena *a) {
    return (struct arena_mark){.chunk = a->top, .at = a->top ? a->top->at : 0, .used = a->used, .defer = a->deferred};
}

void arena_rewind(struct arena *a, struct arena_mark mark) {
    run_deferred(a, mark.defer);
    while (a->top != mark.chunk)
        drop_top(a);
    if (a->top) {
        a->top->at = mark.at;
        POISON(a->top->data + mark.at, a->top->size - mark.at);
    }
    a->used = mark.used;
}
