/* cache.c — one face over memory and Redis: counting, single flight, early refresh, token buckets. */
#include "store/cache_priv.h"

#include "base/rng.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DEFAULT_BYTE = 64 << 20,
    BUCKETS_BYTE = 8 << 20, /* of token buckets; apart, so that values never push them out */
    DEFAULT_TIMEOUT_MS = 100,
    DEFAULT_CONNECTIONS = 16,
    POLL_FIRST_MS = 5,
    POLL_MAX_MS = 100,
    SENTENCE_BYTE = 1024
};

/* A value in the making, and those who wait for it. */
struct flight {
    struct flight *next;
    str key;
    size_t users; /* the maker and those who wait */
    bool done;
    pthread_cond_t changed;
    /* Written before `done`, read after it: */
    err code;
    const char *slug;
    char sentence[SENTENCE_BYTE];
    char *value;
    size_t len;
};

struct cache {
    struct memory *memory; /* values, when there is no Redis */
    struct memory *buckets;
    struct redis *redis; /* NULL: memory */
    struct clock clock;
    uint64_t seed;
    atomic_uint_fast64_t drawn, hit, miss, put, produced, waited, early;
    pthread_mutex_t lock; /* guards the flights */
    struct flight *flight;
};

/* ---- open and close ---- */

static void sum(atomic_uint_fast64_t *count) { atomic_fetch_add_explicit(count, 1, memory_order_relaxed); }

static err open_redis(struct cache *c, const struct cache_options *o) {
    const struct redis_options r = {
        .url = o->redis_url,
        .prefix = o->prefix ? o->prefix : "galena:",
        .timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : DEFAULT_TIMEOUT_MS,
        .connections = o->connections ? o->connections : DEFAULT_CONNECTIONS,
        .clock = c->clock,
        .seed = c->seed,
    };
    return redis_open(&r, &c->redis);
}

err cache_open(const struct cache_options *o, struct cache **out) {
    struct cache *c = calloc(1, sizeof *c);
    if (!c || sodium_init() < 0) {
        free(c);
        return fail(ERR_LIMIT, "memory_limit", "no memory for the cache");
    }
    pthread_mutex_init(&c->lock, NULL);
    c->clock = o->clock.steady_ns ? o->clock : clock_system();
    c->seed = o->seed;
    if (c->seed == 0)
        randombytes_buf(&c->seed, sizeof c->seed);
    c->buckets = memory_new(BUCKETS_BYTE);
    err rc = o->redis_url ? open_redis(c, o) : OK;
    if (rc == OK && !o->redis_url)
        c->memory = memory_new(o->max_byte ? o->max_byte : DEFAULT_BYTE);
    if (rc == OK && (!c->buckets || (!c->memory && !c->redis)))
        rc = fail(ERR_LIMIT, "memory_limit", "no memory for the cache");
    if (rc == OK)
        *out = c;
    else
        cache_close(c);
    return rc;
}

void cache_close(struct cache *c) {
    if (!c)
        return;
    assert(!c->flight);
    memory_free(c->memory);
    memory_free(c->buckets);
    redis_close(c->redis);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- values ---- */

static int64_t now_ms(const struct cache *c) { return c->clock.steady_ns() / 1000000; }

static bool key_fits(str key) { return key.len > 0 && key.len <= CACHE_KEY_BYTE; }

static bool find(struct cache *c, str key, struct arena *a, struct cache_value *out) {
    return c->redis ? redis_get(c->redis, key, a, out) == REDIS_YES : memory_get(c->memory, key, now_ms(c), a, out);
}

static void keep(struct cache *c, str key, const struct cache_value *value) {
    if (value->left_ms <= 0 || value->bytes.len > CACHE_VALUE_BYTE)
        return;
    sum(&c->put);
    if (c->redis)
        (void)redis_put(c->redis, key, value);
    else
        memory_put(c->memory, key, value, now_ms(c));
}

bool cache_get(struct cache *c, str key, struct arena *a, str *out) {
    struct cache_value value;
    bool found = key_fits(key) && find(c, key, a, &value);
    sum(found ? &c->hit : &c->miss);
    if (found)
        *out = value.bytes;
    return found;
}

void cache_put(struct cache *c, str key, str value, int64_t ttl_ms) {
    if (key_fits(key))
        keep(c, key, &(struct cache_value){.bytes = value, .left_ms = ttl_ms});
}

void cache_remove(struct cache *c, str key) {
    if (!key_fits(key))
        return;
    if (c->redis)
        (void)redis_remove(c->redis, key);
    else
        memory_remove(c->memory, key);
}

/* ---- flights ---- */

static void flight_free(struct flight *f) {
    pthread_cond_destroy(&f->changed);
    free(f->value);
    free(f);
}

static struct flight *flight_new(str key) {
    struct flight *f = calloc(1, sizeof *f + key.len);
    if (!f)
        return NULL;
    char *copy = (char *)(f + 1);
    memcpy(copy, key.ptr, key.len);
    f->key = (str){copy, key.len};
    f->users = 1;
    pthread_cond_init(&f->changed, NULL);
    return f;
}

/* The flight of this key: a new one, then *ours; or one that is under way, which is joined when `join`, else NULL. NULL also
 * without memory. */
static struct flight *flight_enter(struct cache *c, str key, bool join, bool *ours) {
    struct flight *spare = flight_new(key), *f;
    pthread_mutex_lock(&c->lock);
    for (f = c->flight; f && !str_equal(f->key, key);)
        f = f->next;
    *ours = !f && spare;
    if (*ours) {
        f = spare;
        f->next = c->flight;
        c->flight = f;
        spare = NULL;
    } else if (f && join) {
        f->users++;
    } else {
        f = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    if (spare)
        flight_free(spare);
    return f;
}

static void flight_leave(struct cache *c, struct flight *f) {
    pthread_mutex_lock(&c->lock);
    bool last = --f->users == 0;
    pthread_mutex_unlock(&c->lock);
    if (last)
        flight_free(f);
}

/* Takes the flight from the list, so that nobody joins any more, and says how many are there. */
static size_t flight_unlist(struct cache *c, struct flight *f) {
    pthread_mutex_lock(&c->lock);
    struct flight **at = &c->flight;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    size_t users = f->users;
    pthread_mutex_unlock(&c->lock);
    return users;
}

/* Tells those who wait what came of it. */
static void flight_land(struct cache *c, struct flight *f, err rc, str value) {
    f->code = rc;
    if (rc != OK) {
        f->slug = err_slug();
        snprintf(f->sentence, sizeof f->sentence, "%s", err_text());
    }
    if (flight_unlist(c, f) > 1 && rc == OK) {
        f->value = malloc(value.len + 1);
        f->len = value.len;
        if (f->value && value.len > 0)
            memcpy(f->value, value.ptr, value.len);
    }
    pthread_mutex_lock(&c->lock);
    f->done = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&c->lock);
    flight_leave(c, f);
}

struct copying {
    struct arena *a;
    str from, *to;
};

static err copy(void *ctx) {
    struct copying *w = ctx;
    *w->to = str_copy(w->a, w->from);
    return OK;
}

static err flight_wait(struct cache *c, struct flight *f, struct arena *a, str *out) {
    sum(&c->waited);
    pthread_mutex_lock(&c->lock);
    while (!f->done)
        pthread_cond_wait(&f->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
    err rc;
    if (f->code != OK)
        rc = fail(f->code, f->slug, "%s", f->sentence);
    else if (!f->value)
        rc = fail(ERR_LIMIT, "memory_limit", "no memory for a value that another thread made");
    else /* guarded, so that a full arena does not keep the flight for ever */
        rc = arena_run(a, copy, &(struct copying){a, {f->value, f->len}, out});
    flight_leave(c, f);
    return rc;
}

/* ---- fetch ---- */

struct making {
    struct cache *cache;
    str key;
    int64_t ttl_ms;
    struct cache_producer producer;
    struct arena *a;
    struct flight *flight;
    const struct cache_value *old; /* a value that would still do, or NULL */
    str value;
};

static double draw(struct cache *c) {
    struct rng r = rng_from_seed(c->seed);
    r = rng_fork(&r, atomic_fetch_add_explicit(&c->drawn, 1, memory_order_relaxed));
    return rng_uniform(&r);
}

/* XFetch: cost · -ln(u) is how much earlier than its end this asker takes the value to be too old. */
static bool is_due(struct cache *c, const struct cache_value *v) {
    if (v->cost_us <= 0 || v->left_ms == INT64_MAX)
        return false;
    return (double)v->cost_us / 1000 * -__builtin_log(1 - draw(c)) >= (double)v->left_ms;
}

static err produce(void *ctx) {
    struct making *m = ctx;
    return m->producer.produce(m->producer.ctx, m->a, &m->value);
}

static err make(struct making *m) {
    struct cache *c = m->cache;
    int64_t start_ns = c->clock.steady_ns();
    sum(&c->produced);
    /* Guarded here, so that those who wait are told when the arena is full. */
    TRY(arena_run(m->a, produce, m));
    int64_t cost_us = (c->clock.steady_ns() - start_ns) / 1000;
    if (key_fits(m->key))
        keep(c, m->key, &(struct cache_value){m->value, m->ttl_ms, cost_us > 0 ? cost_us : 1});
    return OK;
}

struct looking {
    struct making *m;
    bool found;
};

static err look(void *ctx) {
    struct looking *l = ctx;
    struct cache_value v;
    l->found = find(l->m->cache, l->m->key, l->m->a, &v);
    if (l->found)
        l->m->value = v.bytes;
    return OK;
}

/* Has somebody else made it meanwhile? Guarded as make() is. */
static err look_again(struct making *m, bool *found) {
    struct looking l = {.m = m};
    TRY(arena_run(m->a, look, &l));
    *found = l.found;
    return OK;
}

static void pause_ms(int64_t ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Another process is making it: waits for the value, or for the lock. */
static err await_other(struct making *m, uint64_t owner, enum redis_answer *lock, bool *found) {
    struct cache *c = m->cache;
    const int64_t until_ms = now_ms(c) + CACHE_LOCK_MS;
    int64_t wait_ms = POLL_FIRST_MS;
    while (*lock == REDIS_NO && now_ms(c) < until_ms) {
        pause_ms(wait_ms);
        wait_ms = wait_ms * 2 < POLL_MAX_MS ? wait_ms * 2 : POLL_MAX_MS;
        TRY(look_again(m, found));
        if (*found)
            return OK;
        *lock = redis_lock(c->redis, m->key, owner, CACHE_LOCK_MS);
    }
    return OK;
}

static err make_alone(struct making *m) {
    struct cache *c = m->cache;
    if (!c->redis)
        return make(m);
    uint64_t owner;
    bool found = false;
    randombytes_buf(&owner, sizeof owner);
    enum redis_answer lock = redis_lock(c->redis, m->key, owner, CACHE_LOCK_MS);
    if (lock == REDIS_NO && m->old) {
        m->value = m->old->bytes;
        return OK;
    }
    TRY(await_other(m, owner, &lock, &found));
    err rc = found ? OK : make(m);
    if (lock == REDIS_YES)
        redis_unlock(c->redis, m->key, owner);
    return rc;
}

/* This thread makes the value, for itself and for all who wait. */
static err lead_flight(struct making *m) {
    bool found = false;
    err rc = m->old ? OK : look_again(m, &found);
    if (rc == OK && !found)
        rc = make_alone(m);
    if (rc != OK && m->old) { /* the old one still does */
        m->value = m->old->bytes;
        rc = OK;
    }
    flight_land(m->cache, m->flight, rc, m->value);
    return rc;
}

err cache_fetch(struct cache *c, str key, int64_t ttl_ms, struct cache_producer producer, struct arena *a, str *out) {
    struct cache_value old;
    struct making m = {.cache = c, .key = key, .ttl_ms = ttl_ms, .producer = producer, .a = a};
    bool found = key_fits(key) && find(c, key, a, &old), ours = false;
    sum(found ? &c->hit : &c->miss);
    if (found && !is_due(c, &old)) {
        *out = old.bytes;
        return OK;
    }
    m.old = found ? &old : NULL;
    m.flight = flight_enter(c, key, !found, &ours);
    if (!m.flight && found) { /* another is refreshing it */
        *out = old.bytes;
        return OK;
    }
    if (m.flight && !ours)
        return flight_wait(c, m.flight, a, out);
    if (found)
        sum(&c->early);
    TRY(m.flight ? lead_flight(&m) : make(&m));
    *out = m.value;
    return OK;
}

/* ---- token buckets ---- */

struct taking {
    double now_ms, cost_ms, room_ms; /* what n tokens, and a full bucket, are worth in time */
    int64_t retry_after_ms;
};

/* The generic cell rate algorithm. The number kept is when the bucket will be full again. */
static double take(void *ctx, double full_ms, int64_t *ttl_ms) {
    struct taking *t = ctx;
    if (full_ms < t->now_ms)
        full_ms = t->now_ms;
    double next_ms = full_ms + t->cost_ms, over_ms = next_ms - t->now_ms - t->room_ms;
    t->retry_after_ms = 0;
    if (over_ms > 1e-3) /* rounding */
        t->retry_after_ms = over_ms < 1 ? 1 : (int64_t)__builtin_ceil(over_ms - 1e-3);
    else
        full_ms = next_ms;
    *ttl_ms = (int64_t)__builtin_ceil(full_ms - t->now_ms) + 1;
    return full_ms;
}

bool cache_take(struct cache *c, str key, double rate_per_s, double burst, double n, int64_t *retry_after_ms) {
    assert(rate_per_s > 0);
    *retry_after_ms = n > burst ? -1 : 0;
    if (n > burst)
        return false;
    key = str_slice(key, 0, CACHE_KEY_BYTE);
    enum redis_answer answer = c->redis ? redis_take(c->redis, key, rate_per_s, burst, n, retry_after_ms) : REDIS_DOWN;
    if (answer != REDIS_DOWN)
        return answer == REDIS_YES;
    struct taking t = {(double)c->clock.steady_ns() / 1e6, n * 1000 / rate_per_s, burst * 1000 / rate_per_s, 0};
    memory_change(c->buckets, key, now_ms(c), take, &t);
    *retry_after_ms = t.retry_after_ms;
    return t.retry_after_ms == 0;
}

/* ---- claims ---- */

/* The number kept is when the claim ends; 0 when there is none. */
struct claiming {
    int64_t now_ms, limit_ms;
    double end_ms; /* of our own claim */
    bool ours;
};

static double claim(void *ctx, double end_ms, int64_t *ttl_ms) {
    struct claiming *w = ctx;
    w->ours = end_ms <= (double)w->now_ms;
    if (w->ours)
        end_ms = w->end_ms;
    *ttl_ms = (int64_t)end_ms - w->now_ms;
    return end_ms;
}

static double release(void *ctx, double end_ms, int64_t *ttl_ms) {
    struct claiming *w = ctx;
    /* Equal doubles: the number was copied, not computed. */
    w->ours = memcmp(&end_ms, &w->end_ms, sizeof end_ms) == 0;
    *ttl_ms = w->ours || end_ms < (double)w->now_ms ? 1 : (int64_t)end_ms - w->now_ms;
    return w->ours ? 0 : end_ms;
}

static str claim_name(str key, char name[CACHE_KEY_BYTE]) {
    key = str_slice(key, 0, CACHE_KEY_BYTE - 6);
    memcpy(name, "claim:", 6);
    if (key.len > 0)
        memcpy(name + 6, key.ptr, key.len);
    return (str){name, key.len + 6};
}

bool cache_claim(struct cache *c, str key, int64_t limit_ms, uint64_t *token) {
    assert(limit_ms > 0 && limit_ms <= CACHE_LOCK_MS);
    char name[CACHE_KEY_BYTE];
    key = claim_name(key, name);
    randombytes_buf(token, sizeof *token);
    enum redis_answer answer = c->redis ? redis_lock(c->redis, key, *token, limit_ms) : REDIS_DOWN;
    if (answer != REDIS_DOWN)
        return answer == REDIS_YES;
    struct claiming w = {.now_ms = now_ms(c), .limit_ms = limit_ms};
    w.end_ms = (double)(w.now_ms + limit_ms);
    memory_change(c->buckets, key, w.now_ms, claim, &w);
    memcpy(token, &w.end_ms, sizeof *token);
    return w.ours;
}

void cache_release(struct cache *c, str key, uint64_t token) {
    char name[CACHE_KEY_BYTE];
    key = claim_name(key, name);
    if (c->redis)
        redis_unlock(c->redis, key, token);
    struct claiming w = {.now_ms = now_ms(c)};
    memcpy(&w.end_ms, &token, sizeof token);
    memory_change(c->buckets, key, w.now_ms, release, &w);
}

/* ---- metrics ---- */

void cache_count(struct cache *c, struct cache_counts *out) {
    *out = (struct cache_counts){
        .hit = c->hit, .miss = c->miss, .put = c->put, .produced = c->produced, .waited = c->waited, .early = c->early};
    if (c->memory)
        memory_count(c->memory, &out->entry, &out->byte, &out->evicted);
    if (c->redis) {
        out->remote = true;
        out->remote_up = redis_up(c->redis);
        out->remote_fault = redis_faults(c->redis);
    }
}
