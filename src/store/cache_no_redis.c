/* cache_no_redis.c — the Redis driver of a build without Redis: it cannot be opened. */
#include "store/cache_priv.h"

err redis_open(const struct redis_options *o, struct redis **out) {
    (void)o;
    (void)out;
    return fail(ERR_INPUT, "cache_no_redis", "this program was built without Redis; it can cache in memory only");
}

void redis_close(struct redis *r) { (void)r; }

enum redis_answer redis_get(struct redis *r, str key, struct arena *a, struct cache_value *out) {
    (void)r, (void)key, (void)a, (void)out;
    return REDIS_DOWN;
}

enum redis_answer redis_put(struct redis *r, str key, const struct cache_value *value) {
    (void)r, (void)key, (void)value;
    return REDIS_DOWN;
}

enum redis_answer redis_remove(struct redis *r, str key) {
    (void)r, (void)key;
    return REDIS_DOWN;
}

enum redis_answer redis_lock(struct redis *r, str key, uint64_t owner, int64_t limit_ms) {
    (void)r, (void)key, (void)owner, (void)limit_ms;
    return REDIS_DOWN;
}

void redis_unlock(struct redis *r, str key, uint64_t owner) { (void)r, (void)key, (void)owner; }

/* NOLINTNEXTLINE(readability-non-const-parameter): the one with Redis writes it */
enum redis_answer redis_take(struct redis *r, str key, double rate_per_s, double burst, double n, int64_t *retry_after_ms) {
    (void)r, (void)key, (void)rate_per_s, (void)burst, (void)n, (void)retry_after_ms;
    return REDIS_DOWN;
}

uint64_t redis_faults(struct redis *r) {
    (void)r;
    return 0;
}

bool redis_up(struct redis *r) {
    (void)r;
    return false;
}
