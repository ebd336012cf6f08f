/* cache.h — values that may be lost at any time, and rates that many threads or processes share.
 *
 * One interface, two drivers: the memory of this process, or a Redis server that several processes share. Redis is an aid:
 * when it cannot be reached every get is a miss, every put is forgotten, rates are counted in this process alone, and it is
 * tried again after a back-off (with jitter, at most CACHE_BACKOFF_MAX_MS); nothing waits longer than the time limit. So no
 * function here fails because of the cache. (Looking up the name of the server's host has the system's own time limit: give
 * an address where that matters.)
 *
 * One cache serves every thread. Keys and values may be any bytes. The program must ignore SIGPIPE. */
#ifndef GALENA_STORE_CACHE_H
#define GALENA_STORE_CACHE_H

#include "base/clock.h"
#include "base/str.h"

enum {
    CACHE_KEY_BYTE = 512,       /* a longer key is never stored */
    CACHE_VALUE_BYTE = 8 << 20, /* a longer value is never stored */
    CACHE_BACKOFF_MAX_MS = 5000
};

struct cache;

struct cache_options {
    size_t max_byte; /* of the memory driver, keys and upkeep included; no value above a 16th of it is stored; 0: 64 MiB */
    const char *redis_url; /* redis://[[user]:password@]host[:port][/db], or redis+unix://[[user]:password@]/path[?db=N];
                              NULL: memory */
    const char *prefix;    /* before every key on Redis; NULL: "galena:" */
    int64_t timeout_ms;    /* for connecting, and for each command; 0: 100 */
    unsigned connections;  /* to Redis at most; 0: 16 */
    struct clock clock;    /* zeros: the machine's */
    uint64_t seed;         /* of jitter and early refresh; 0: from the system */
};

/* Opens no connection: that happens when it is first needed. ERR_INPUT "cache_url" when the URL is no such URL (rediss:// is
 * not supported); "cache_no_redis" when the program was built without Redis; ERR_LIMIT "memory_limit". */
err cache_open(const struct cache_options *o, struct cache **out) MUST_CHECK;
void cache_close(struct cache *c); /* no thread may use it; NULL is allowed */

/* True and the value, in the arena, with a NUL behind it; false when it is not there, too old, or cannot be had. */
bool cache_get(struct cache *c, str key, struct arena *a, str *out);

/* Stores a copy for ttl_ms > 0. */
void cache_put(struct cache *c, str key, str value, int64_t ttl_ms);

void cache_remove(struct cache *c, str key);

/* Makes a value: allocates in `a`, writes *value. Must not fetch the key it is making. */
struct cache_producer {
    err (*produce)(void *ctx, struct arena *a, str *value);
    void *ctx;
};

/* The value of `key`: from the cache, else made by the producer and stored for ttl_ms. Of those in this process who ask for
 * one key at once, one makes it and the others wait, as long as it takes, for its value or its failure, which is not stored.
 * On Redis a short lock (SET NX PX) holds back other processes too: they wait for the value, at most CACHE_LOCK_MS, then
 * make their own. A value is made anew by a single asker a little before it expires, the sooner the longer it takes to make,
 * while the others still get the old one (XFetch with beta 1: Vattani, Chierichetti and Lowenstein 2015). Fails as the
 * producer does. */
enum { CACHE_LOCK_MS = 5000 };
err cache_fetch(struct cache *c, str key, int64_t ttl_ms, struct cache_producer producer, struct arena *a,
                str *out) MUST_CHECK;

/* A token bucket of `burst` tokens, filled with `rate_per_s` > 0, full at first: takes n and returns true, or takes nothing
 * and writes after how many ms n will be there (rounded up, at least 1; -1: never, as n is above burst). *retry_after_ms is
 * 0 when true. Kept as the generic cell rate algorithm does, one number a key. On Redis the server's clock counts. Of a key
 * longer than CACHE_KEY_BYTE the beginning counts. */
bool cache_take(struct cache *c, str key, double rate_per_s, double burst, double n, int64_t *retry_after_ms);

/* A claim to make the value of `key`, for those who cannot wait as cache_fetch does: true, and a token for cache_release,
 * when nobody in any process has it; it ends by itself after limit_ms (1..CACHE_LOCK_MS). Without Redis, or while it is
 * away, claims hold in this cache alone. */
bool cache_claim(struct cache *c, str key, int64_t limit_ms, uint64_t *token);
void cache_release(struct cache *c, str key, uint64_t token);

/* For metrics; sums since cache_open. */
struct cache_counts {
    uint64_t hit, miss, put, evicted, produced, waited, early;
    uint64_t remote_fault; /* commands and connections that failed */
    uint64_t entry, byte;  /* in memory now */
    bool remote, remote_up;
};
void cache_count(struct cache *c, struct cache_counts *out);

#endif
