/* cache_priv.h — what a driver of the cache does, and the memory store that is under every cache. */
#ifndef GALENA_STORE_CACHE_PRIV_H
#define GALENA_STORE_CACHE_PRIV_H

#include "store/cache.h"

/* A value as drivers keep it, with what early refresh needs to know. */
struct cache_value {
    str bytes;
    int64_t left_ms; /* until it expires */
    int64_t cost_us; /* how long it took to make; 0: not known */
};

/* ---- memory (cache_memory.c): bounded, least recently used goes first ---- */

struct memory;

/* NULL when there is no memory. */
struct memory *memory_new(size_t max_byte);
void memory_free(struct memory *m);
bool memory_get(struct memory *m, str key, int64_t now_ms, struct arena *a, struct cache_value *out);
void memory_put(struct memory *m, str key, const struct cache_value *value, int64_t now_ms);
void memory_remove(struct memory *m, str key);

/* The number kept under `key` (0 when there is none) goes through `change`, which returns the new one, with the shard
 * locked; it is kept for *ttl_ms. */
void memory_change(struct memory *m, str key, int64_t now_ms, double (*change)(void *ctx, double old, int64_t *ttl_ms),
                   void *ctx);
void memory_count(struct memory *m, uint64_t *entry, uint64_t *byte, uint64_t *evicted);

/* ---- Redis (cache_redis.c, or cache_no_redis.c in a build without) ---- */

struct redis;

struct redis_options {
    const char *url, *prefix;
    int64_t timeout_ms;
    unsigned connections;
    struct clock clock;
    uint64_t seed;
};

/* ERR_INPUT "cache_url" or "cache_no_redis". */
err redis_open(const struct redis_options *o, struct redis **out) MUST_CHECK;
void redis_close(struct redis *r);

/* What a command came to. */
enum redis_answer { REDIS_DOWN, REDIS_NO, REDIS_YES };

enum redis_answer redis_get(struct redis *r, str key, struct arena *a, struct cache_value *out);
enum redis_answer redis_put(struct redis *r, str key, const struct cache_value *value);
enum redis_answer redis_remove(struct redis *r, str key);

/* A lock that expires by itself: YES when it is ours. `owner` tells it from the lock of others. */
enum redis_answer redis_lock(struct redis *r, str key, uint64_t owner, int64_t limit_ms);
void redis_unlock(struct redis *r, str key, uint64_t owner);

/* As cache_take: YES when the tokens were taken. */
enum redis_answer redis_take(struct redis *r, str key, double rate_per_s, double burst, double n, int64_t *retry_after_ms);

uint64_t redis_faults(struct redis *r);
bool redis_up(struct redis *r);

#endif
