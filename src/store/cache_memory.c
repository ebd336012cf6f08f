/* cache_memory.c — values in memory: shards with a lock each, and in each a table and a list by last use. */
#include "store/cache_priv.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { SHARD_COUNT = 16, BUCKET_FIRST = 64, COPY_TRIES = 4 };

struct entry {
    struct entry *next;          /* in its bucket */
    struct entry *newer, *older; /* in the list by last use */
    uint64_t hash;
    int64_t expires_ms, cost_us;
    size_t key_len, value_len;
    char bytes[]; /* key, value */
};

struct shard {
    pthread_mutex_t lock; /* guards all that follows */
    struct entry **bucket;
    size_t n_bucket, n_entry, byte;
    struct entry *newest, *oldest;
    uint64_t evicted;
};

struct memory {
    size_t shard_byte;
    /* Keys may come from outside: with a secret in the hash nobody can make them all meet in one bucket. */
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
    struct shard shard[SHARD_COUNT];
};

static size_t size_of(const struct entry *e) { return sizeof *e + sizeof(void *) + e->key_len + e->value_len; }

struct memory *memory_new(size_t max_byte) {
    struct memory *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->shard_byte = max_byte / SHARD_COUNT;
    randombytes_buf(m->hash_key, sizeof m->hash_key);
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        struct shard *s = &m->shard[i];
        pthread_mutex_init(&s->lock, NULL);
        s->n_bucket = BUCKET_FIRST;
        s->bucket = calloc(s->n_bucket, sizeof(struct entry *));
        if (!s->bucket) {
            memory_free(m);
            return NULL;
        }
    }
    return m;
}

void memory_free(struct memory *m) {
    if (!m)
        return;
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        for (struct entry *e = m->shard[i].newest, *older; e; e = older) {
            older = e->older;
            free(e);
        }
        free(m->shard[i].bucket);
        pthread_mutex_destroy(&m->shard[i].lock);
    }
    free(m);
}

/* ---- the table and the list; the caller holds the shard's lock ---- */

static uint64_t hash_of(const struct memory *m, str key) {
    uint64_t hash;
    unsigned char bytes[crypto_shorthash_BYTES];
    crypto_shorthash(bytes, (const unsigned char *)key.ptr, key.len, m->hash_key);
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

static struct shard *shard_of(struct memory *m, uint64_t hash) { return &m->shard[hash >> 60]; }
_Static_assert(SHARD_COUNT == 16, "four bits choose the shard");

static struct entry **place_of(const struct shard *s, uint64_t hash, str key) {
    struct entry **at = &s->bucket[hash & (s->n_bucket - 1)];
    while (*at && ((*at)->hash != hash || !str_equal((str){(*at)->bytes, (*at)->key_len}, key)))
        at = &(*at)->next;
    return at;
}

static void list_remove(struct shard *s, struct entry *e) {
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
}

static void list_put_first(struct shard *s, struct entry *e) {
    e->newer = NULL;
    e->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
}

/* e is what stands at `at`. */
static void drop(struct shard *s, struct entry **at, struct entry *e) {
    *at = e->next;
    list_remove(s, e);
    s->byte -= size_of(e);
    s->n_entry--;
    free(e);
}

static void drop_oldest(struct shard *s) {
    struct entry *e = s->oldest;
    drop(s, place_of(s, e->hash, (str){e->bytes, e->key_len}), e);
    s->evicted++;
}

static void grow_table(struct shard *s) {
    size_t n = s->n_bucket * 2;
    struct entry **bucket = calloc(n, sizeof *bucket);
    if (!bucket)
        return; /* longer chains, no harm */
    for (struct entry *e = s->newest; e; e = e->older) {
        e->next = bucket[e->hash & (n - 1)];
        bucket[e->hash & (n - 1)] = e;
    }
    free(s->bucket);
    s->bucket = bucket;
    s->n_bucket = n;
}

static struct entry *entry_new(uint64_t hash, str key, str value) {
    struct entry *e = malloc(sizeof *e + key.len + value.len);
    if (!e)
        return NULL;
    *e = (struct entry){.hash = hash, .key_len = key.len, .value_len = value.len};
    memcpy(e->bytes, key.ptr, key.len);
    if (value.len > 0)
        memcpy(e->bytes + key.len, value.ptr, value.len);
    return e;
}

static void insert(struct memory *m, struct shard *s, struct entry *e) {
    struct entry **at = place_of(s, e->hash, (str){e->bytes, e->key_len});
    if (*at)
        drop(s, at, *at);
    while (s->oldest && s->byte + size_of(e) > m->shard_byte)
        drop_oldest(s);
    if (s->n_entry >= s->n_bucket)
        grow_table(s);
    e->next = s->bucket[e->hash & (s->n_bucket - 1)];
    s->bucket[e->hash & (s->n_bucket - 1)] = e;
    list_put_first(s, e);
    s->byte += size_of(e);
    s->n_entry++;
}

/* The entry that is there and not too old, or NULL. */
static struct entry *fresh(struct shard *s, uint64_t hash, str key, int64_t now_ms) {
    struct entry **at = place_of(s, hash, key);
    if (*at && (*at)->expires_ms <= now_ms) {
        drop(s, at, *at);
        return NULL;
    }
    return *at;
}

/* ---- what the cache calls ---- */

/* Copies the value when it has at most `room` bytes; else *need says how many. */
static bool copy_out(struct memory *m, str key, int64_t now_ms, char *to, size_t room, size_t *need,
                     struct cache_value *out) {
    uint64_t hash = hash_of(m, key);
    struct shard *s = shard_of(m, hash);
    pthread_mutex_lock(&s->lock);
    struct entry *e = fresh(s, hash, key, now_ms);
    if (e) {
        *need = e->value_len;
        *out = (struct cache_value){{to, e->value_len}, e->expires_ms - now_ms, e->cost_us};
        if (e->value_len <= room)
            memcpy(to, e->bytes + e->key_len, e->value_len);
        list_remove(s, e);
        list_put_first(s, e);
    }
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

bool memory_get(struct memory *m, str key, int64_t now_ms, struct arena *a, struct cache_value *out) {
    char small[256], *to = small;
    size_t room = sizeof small, need = 0;
    /* Nothing is allocated under the lock; the value may be replaced by a longer one before the second look. */
    for (int i = 0; i < COPY_TRIES; i++) {
        struct cache_value found;
        if (!copy_out(m, key, now_ms, to, room, &need, &found))
            return false;
        if (need <= room) {
            if (to == small)
                found.bytes = str_copy(a, found.bytes);
            else
                to[need] = '\0';
            *out = found;
            return true;
        }
        room = need;
        to = arena_alloc(a, room + 1);
    }
    return false;
}

void memory_put(struct memory *m, str key, const struct cache_value *value, int64_t now_ms) {
    uint64_t hash = hash_of(m, key);
    struct shard *s = shard_of(m, hash);
    struct entry *e = entry_new(hash, key, value->bytes);
    if (!e)
        return;
    e->expires_ms = now_ms > INT64_MAX - value->left_ms ? INT64_MAX : now_ms + value->left_ms;
    e->cost_us = value->cost_us;
    pthread_mutex_lock(&s->lock);
    if (size_of(e) <= m->shard_byte) {
        insert(m, s, e);
        e = NULL;
    } else {
        /* An older value must not outlive the one that does not fit. */
        struct entry **at = place_of(s, hash, key);
        if (*at)
            drop(s, at, *at);
    }
    pthread_mutex_unlock(&s->lock);
    free(e);
}

void memory_remove(struct memory *m, str key) {
    uint64_t hash = hash_of(m, key);
    struct shard *s = shard_of(m, hash);
    pthread_mutex_lock(&s->lock);
    struct entry **at = place_of(s, hash, key);
    if (*at)
        drop(s, at, *at);
    pthread_mutex_unlock(&s->lock);
}

void memory_change(struct memory *m, str key, int64_t now_ms, double (*change)(void *ctx, double old, int64_t *ttl_ms),
                   void *ctx) {
    uint64_t hash = hash_of(m, key);
    struct shard *s = shard_of(m, hash);
    double number = 0;
    int64_t ttl_ms = 0;
    struct entry *spare = entry_new(hash, key, (str){(const char *)&number, sizeof number});
    pthread_mutex_lock(&s->lock);
    struct entry *e = fresh(s, hash, key, now_ms);
    if (e)
        memcpy(&number, e->bytes + e->key_len, sizeof number);
    number = change(ctx, number, &ttl_ms);
    if (!e && (e = spare) != NULL) {
        insert(m, s, e);
        spare = NULL;
    }
    if (e) {
        memcpy(e->bytes + e->key_len, &number, sizeof number);
        e->expires_ms = now_ms + ttl_ms;
        list_remove(s, e);
        list_put_first(s, e);
    }
    pthread_mutex_unlock(&s->lock);
    free(spare);
}

void memory_count(struct memory *m, uint64_t *entry, uint64_t *byte, uint64_t *evicted) {
    *entry = *byte = *evicted = 0;
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        struct shard *s = &m->shard[i];
        pthread_mutex_lock(&s->lock);
        *entry += s->n_entry;
        *byte += s->byte;
        *evicted += s->evicted;
        pthread_mutex_unlock(&s->lock);
    }
}
