/* arena.h — memory that lives as long as one piece of work, with a hard limit.
 *
 * Ownership in one sentence: what a function returns lives in the arena it was given, and nobody frees anything else.
 *
 * Allocation never returns NULL. When the limit is reached, or the system has no memory, the arena leaves the work: control
 * returns to the arena_run() that guards it, which answers ERR_LIMIT. So one poisonous lead fails alone, and no caller
 * carries a check for each allocation. What follows from that:
 *   - work that allocates runs inside arena_run() (the command line, each worker and each request do this once);
 *   - a foreign handle (FILE, gzFile, BoosterHandle, malloc'd memory) acquired in that work is given to arena_defer() at
 * once;
 *   - no allocation happens while a lock is held or inside a foreign library's call-back.
 * An arena belongs to one thread at a time. Under AddressSanitizer unused space is poisoned and every block has a red zone.
 */
#ifndef GALENA_BASE_ARENA_H
#define GALENA_BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

/* A new arena that will hold at most `limit_byte` bytes. NULL only when the system has no memory for its header. */
struct arena *arena_new(size_t limit_byte);

/* Runs the deferred clean-ups, latest first, and gives everything back. NULL is allowed. */
void arena_free(struct arena *a);

/* As arena_free, but the arena stays usable and keeps its first chunk. */
void arena_reset(struct arena *a);

/* Runs fn(ctx) with `a` guarded. Returns what fn returned, or ERR_LIMIT (slug "memory_limit") when the arena gave up.
 * Guards of different arenas may nest; one arena may be guarded again inside (the innermost catches). */
err arena_run(struct arena *a, err (*fn)(void *ctx), void *ctx) MUST_CHECK;

/* `size` bytes, aligned for any type, zeroed. Size 0 gives a valid pointer. Outside a guard a full arena aborts the process.
 */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* `n` elements of `size` bytes, zeroed; a product that overflows counts as reaching the limit. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((malloc, returns_nonnull));

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

/* A copy of `size` bytes. */
void *arena_copy(struct arena *a, const void *from, size_t size) __attribute__((returns_nonnull));

/* Doubles an arena array that has become too small: returns a block for at least `need` elements that starts with the
 * `*cap` old ones, and writes the new capacity to *cap. The old block stays until reset. */
void *arena_grow(struct arena *a, const void *old, size_t *cap, size_t need, size_t size) __attribute__((returns_nonnull));

/* Calls fn(ctx) when the arena is reset or freed, latest first. */
void arena_defer(struct arena *a, void (*fn)(void *ctx), void *ctx);

/* Bytes handed out since the last reset, and the limit. */
size_t arena_used(const struct arena *a);
size_t arena_limit(const struct arena *a);

/* A point to come back to: everything allocated after it is given back by arena_rewind, deferred clean-ups included. */
struct arena_mark {
    void *chunk;
    size_t at, used;
    void *defer;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

#endif
