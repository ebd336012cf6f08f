/* cache_redis.c — values, locks and rates on a Redis server, through hiredis: a few connections that are made when needed,
 * and a back-off when they fail. */
#include "store/cache_priv.h"

#include "base/rng.h"
#include "store/cache_url.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* A value on the server: VALUE_FORM, cost_us as 8 bytes, the bytes. If you change this: VALUE_FORM. */
enum { VALUE_FORM = 1, VALUE_HEAD_BYTE = 9, PREFIX_BYTE = 64, CONNECTION_MAX = 64, BACKOFF_FIRST_MS = 50, ARGUMENT_MAX = 8 };

enum { NAME_BYTE = PREFIX_BYTE + 2 + CACHE_KEY_BYTE };

struct redis {
    struct cache_url url;
    char prefix[PREFIX_BYTE + 1];
    int64_t timeout_ms;
    size_t max_open;
    struct clock clock;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t returned;
    redisContext *idle[CONNECTION_MAX];
    size_t n_idle, n_open; /* n_open: idle, in use, and being made */
    unsigned failed;       /* times in a row */
    bool probing;          /* after a failure one thread tries again at a time */
    int64_t try_ns;        /* not before */
    uint64_t faults;
    struct rng rng;
};

/* The generic cell rate algorithm, as in cache.c, on the server's clock. A clock set back must not shut the bucket. */
static const char take_script[] = "local t = redis.call('TIME')\n"
                                  "local now, cost, room = t[1] * 1000 + t[2] / 1000, tonumber(ARGV[1]), tonumber(ARGV[2])\n"
                                  "local full = tonumber(redis.call('GET', KEYS[1])) or now\n"
                                  "full = math.min(math.max(full, now), now + room)\n"
                                  "local over = full + cost - now - room\n"
                                  "if over > 0.001 then return math.max(1, math.ceil(over - 0.001)) end\n"
                                  "local left = string.format('%d', math.ceil(full + cost - now) + 1)\n"
                                  "redis.call('SET', KEYS[1], string.format('%.3f', full + cost), 'PX', left)\n"
                                  "return 0\n";

static const char unlock_script[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end\nreturn 0\n";

/* ---- open and close ---- */

err redis_open(const struct redis_options *o, struct redis **out) {
    struct redis *r = calloc(1, sizeof *r);
    if (!r)
        return fail(ERR_LIMIT, "memory_limit", "no memory for the cache");
    pthread_condattr_t how;
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(&r->returned, &how);
    pthread_condattr_destroy(&how);
    pthread_mutex_init(&r->lock, NULL);
    r->timeout_ms = o->timeout_ms;
    r->max_open = o->connections < CONNECTION_MAX ? o->connections : CONNECTION_MAX;
    r->clock = o->clock;
    r->rng = rng_from_seed(o->seed);
    err rc = cache_url_parse(str_from(o->url), &r->url);
    if (rc == OK && snprintf(r->prefix, sizeof r->prefix, "%s", o->prefix) > PREFIX_BYTE)
        rc = fail(ERR_INPUT, "cache_url", "the prefix of keys is longer than %d bytes", PREFIX_BYTE);
    if (rc == OK)
        *out = r;
    else
        redis_close(r);
    return rc;
}

void redis_close(struct redis *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->n_idle; i++)
        redisFree(r->idle[i]);
    pthread_cond_destroy(&r->returned);
    pthread_mutex_destroy(&r->lock);
    sodium_memzero(r, sizeof *r); /* the password */
    free(r);
}

/* ---- connections ---- */

static struct timeval limit_of(const struct redis *r) {
    return (struct timeval){.tv_sec = r->timeout_ms / 1000, .tv_usec = r->timeout_ms % 1000 * 1000};
}

static bool accepted(redisReply *reply) {
    bool good = reply && reply->type != REDIS_REPLY_ERROR;
    if (reply)
        freeReplyObject(reply);
    return good;
}

static bool greet(const struct cache_url *u, redisContext *c) {
    if (u->user[0] && !accepted(redisCommand(c, "AUTH %s %s", u->user, u->password)))
        return false;
    if (!u->user[0] && u->password[0] && !accepted(redisCommand(c, "AUTH %s", u->password)))
        return false;
    return u->db == 0 || accepted(redisCommand(c, "SELECT %d", u->db));
}

static redisContext *connect_new(const struct redis *r) {
    const struct timeval limit = limit_of(r);
    redisContext *c = r->url.path[0] ? redisConnectUnixWithTimeout(r->url.path, limit)
                                     : redisConnectWithTimeout(r->url.host, r->url.port, limit);
    if (c && !c->err && redisSetTimeout(c, limit) == REDIS_OK && greet(&r->url, c))
        return c;
    if (c)
        redisFree(c);
    return NULL;
}

/* The caller holds the lock. */
static void close_idle(struct redis *r) {
    for (; r->n_idle > 0; r->n_open--)
        redisFree(r->idle[--r->n_idle]);
}

static void note_fault(struct redis *r) {
    pthread_mutex_lock(&r->lock);
    r->faults++;
    r->probing = false;
    double wait_ms = BACKOFF_FIRST_MS * (double)(1u << (r->failed < 10 ? r->failed : 10));
    if (wait_ms > CACHE_BACKOFF_MAX_MS)
        wait_ms = CACHE_BACKOFF_MAX_MS;
    r->failed++;
    r->try_ns = r->clock.steady_ns() + (int64_t)(wait_ms * (0.5 + rng_uniform(&r->rng) / 2) * 1e6);
    close_idle(r);
    pthread_cond_broadcast(&r->returned);
    pthread_mutex_unlock(&r->lock);
}

static void deadline_after(int64_t ms, struct timespec *out) {
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += ms / 1000;
    out->tv_nsec += ms % 1000 * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_sec++;
        out->tv_nsec -= 1000000000;
    }
}

/* False when it must not be tried now, or every connection stays in use. Else *c is an idle connection, or NULL: then one
 * may be made. */
static bool take_place(struct redis *r, redisContext **c) {
    struct timespec until;
    deadline_after(r->timeout_ms, &until);
    *c = NULL;
    pthread_mutex_lock(&r->lock);
    bool may = true, late = false;
    while (may && r->n_idle == 0 && r->n_open >= r->max_open) {
        late = pthread_cond_timedwait(&r->returned, &r->lock, &until) != 0;
        may = !late;
    }
    if (r->failed > 0)
        may = may && !r->probing && r->clock.steady_ns() >= r->try_ns;
    if (may && r->failed > 0)
        r->probing = true;
    if (may && r->n_idle > 0)
        *c = r->idle[--r->n_idle];
    else if (may)
        r->n_open++;
    pthread_mutex_unlock(&r->lock);
    return may;
}

static void give_place(struct redis *r, redisContext *c, bool good) {
    pthread_mutex_lock(&r->lock);
    if (good) {
        r->failed = 0;
        r->probing = false;
        r->idle[r->n_idle++] = c;
    } else {
        r->n_open--;
    }
    pthread_cond_signal(&r->returned);
    pthread_mutex_unlock(&r->lock);
    if (!good && c)
        redisFree(c);
}

/* ---- commands ---- */

struct command {
    int n;
    const char *arg[ARGUMENT_MAX];
    size_t len[ARGUMENT_MAX];
};

static void add(struct command *c, str arg) {
    c->arg[c->n] = arg.ptr ? arg.ptr : "";
    c->len[c->n++] = arg.len;
}

/* Sends the commands together and reads their replies; false, and none, when the connection fails. */
static bool talk(redisContext *c, const struct command *commands, size_t n, redisReply **replies) {
    for (size_t i = 0; i < n; i++) {
        const char *arg[ARGUMENT_MAX];
        memcpy(arg, commands[i].arg, sizeof arg);
        if (redisAppendCommandArgv(c, commands[i].n, arg, commands[i].len) != REDIS_OK)
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        void *reply = NULL;
        if (redisGetReply(c, &reply) != REDIS_OK) {
            while (i > 0)
                freeReplyObject(replies[--i]);
            return false;
        }
        replies[i] = reply;
    }
    return true;
}

/* Runs the commands on some connection. One that lay idle may have died with a server that is back by now, so that its
 * failure is not taken for the server's: a new one is tried at once. */
static bool run(struct redis *r, const struct command *commands, size_t n, redisReply **replies) {
    redisContext *c;
    if (!take_place(r, &c))
        return false;
    if (c && talk(c, commands, n, replies)) {
        give_place(r, c, true);
        return true;
    }
    if (c) {
        redisFree(c);
        pthread_mutex_lock(&r->lock);
        close_idle(r);
        pthread_mutex_unlock(&r->lock);
    }
    c = connect_new(r);
    bool good = c && talk(c, commands, n, replies);
    if (!good)
        note_fault(r);
    give_place(r, c, good);
    return good;
}

static void count_fault(struct redis *r) {
    pthread_mutex_lock(&r->lock);
    r->faults++;
    pthread_mutex_unlock(&r->lock);
}

/* One command. NULL when the server is down or refuses (out of memory, loading, no rights). */
static redisReply *ask(struct redis *r, const struct command *command) {
    redisReply *reply;
    if (!run(r, command, 1, &reply))
        return NULL;
    if (reply->type != REDIS_REPLY_ERROR)
        return reply;
    freeReplyObject(reply);
    count_fault(r);
    return NULL;
}

/* "prefix", a letter for the kind, ":" and the key. */
static str name_of(const struct redis *r, char kind, str key, char name[NAME_BYTE]) {
    size_t n = strlen(r->prefix);
    memcpy(name, r->prefix, n);
    name[n] = kind;
    name[n + 1] = ':';
    memcpy(name + n + 2, key.ptr, key.len);
    return (str){name, n + 2 + key.len};
}

struct number {
    char text[32];
};
static str print_integer(int64_t x, struct number *n) {
    return (str){n->text, (size_t)snprintf(n->text, sizeof n->text, "%lld", (long long)x)};
}
static str print_real(double x, struct number *n) {
    return (str){n->text, (size_t)snprintf(n->text, sizeof n->text, "%.17g", x)};
}

/* ---- values ---- */

static bool read_value(const redisReply *value, const redisReply *left, str *bytes, struct cache_value *out) {
    if (value->type != REDIS_REPLY_STRING || left->type != REDIS_REPLY_INTEGER || left->integer == -2)
        return false;
    if (value->len < VALUE_HEAD_BYTE || value->len > VALUE_HEAD_BYTE + CACHE_VALUE_BYTE || value->str[0] != VALUE_FORM)
        return false;
    uint64_t cost = 0;
    for (int i = 8; i >= 1; i--)
        cost = cost << 8 | (unsigned char)value->str[i];
    out->cost_us = cost <= INT64_MAX ? (int64_t)cost : 0;
    out->left_ms = left->integer < 0 ? INT64_MAX : left->integer;
    *bytes = (str){value->str + VALUE_HEAD_BYTE, value->len - VALUE_HEAD_BYTE};
    return true;
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

enum redis_answer redis_get(struct redis *r, str key, struct arena *a, struct cache_value *out) {
    char name[NAME_BYTE];
    struct number last;
    struct command commands[2] = {{.n = 0}};
    redisReply *reply[2];
    str at = name_of(r, 'v', key, name), bytes;
    /* GETRANGE: however long a value somebody put there, no more than this comes over. */
    add(&commands[0], STR("GETRANGE"));
    add(&commands[0], at);
    add(&commands[0], STR("0"));
    add(&commands[0], print_integer(VALUE_HEAD_BYTE + CACHE_VALUE_BYTE, &last));
    add(&commands[1], STR("PTTL"));
    add(&commands[1], at);
    if (!run(r, commands, 2, reply))
        return REDIS_DOWN;
    bool found = read_value(reply[0], reply[1], &bytes, out);
    /* Guarded, so that the replies are freed when the arena is full: that counts as a miss. */
    if (found)
        found = arena_run(a, copy, &(struct copying){a, bytes, &out->bytes}) == OK;
    freeReplyObject(reply[0]);
    freeReplyObject(reply[1]);
    return found ? REDIS_YES : REDIS_NO;
}

static enum redis_answer done(redisReply *reply) {
    if (!reply)
        return REDIS_DOWN;
    enum redis_answer answer = reply->type == REDIS_REPLY_NIL ? REDIS_NO : REDIS_YES;
    freeReplyObject(reply);
    return answer;
}

enum redis_answer redis_put(struct redis *r, str key, const struct cache_value *value) {
    char name[NAME_BYTE];
    struct number ttl;
    struct command c = {.n = 0};
    const size_t n = VALUE_HEAD_BYTE + value->bytes.len;
    char *bytes = malloc(n);
    if (!bytes)
        return REDIS_DOWN;
    bytes[0] = VALUE_FORM;
    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (char)((uint64_t)value->cost_us >> (8 * i));
    if (value->bytes.len > 0)
        memcpy(bytes + VALUE_HEAD_BYTE, value->bytes.ptr, value->bytes.len);
    add(&c, STR("SET"));
    add(&c, name_of(r, 'v', key, name));
    add(&c, (str){bytes, n});
    add(&c, STR("PX"));
    add(&c, print_integer(value->left_ms, &ttl));
    enum redis_answer answer = done(ask(r, &c));
    free(bytes);
    return answer;
}

enum redis_answer redis_remove(struct redis *r, str key) {
    char name[NAME_BYTE];
    struct command c = {.n = 0};
    add(&c, STR("DEL"));
    add(&c, name_of(r, 'v', key, name));
    return done(ask(r, &c));
}

/* ---- locks and rates ---- */

enum redis_answer redis_lock(struct redis *r, str key, uint64_t owner, int64_t limit_ms) {
    char name[NAME_BYTE];
    struct number who, limit;
    struct command c = {.n = 0};
    add(&c, STR("SET"));
    add(&c, name_of(r, 'l', key, name));
    add(&c, print_integer((int64_t)owner, &who));
    add(&c, STR("NX"));
    add(&c, STR("PX"));
    add(&c, print_integer(limit_ms, &limit));
    return done(ask(r, &c));
}

void redis_unlock(struct redis *r, str key, uint64_t owner) {
    char name[NAME_BYTE];
    struct number who;
    struct command c = {.n = 0};
    add(&c, STR("EVAL"));
    add(&c, str_from(unlock_script));
    add(&c, STR("1"));
    add(&c, name_of(r, 'l', key, name));
    add(&c, print_integer((int64_t)owner, &who));
    (void)done(ask(r, &c));
}

enum redis_answer redis_take(struct redis *r, str key, double rate_per_s, double burst, double n, int64_t *retry_after_ms) {
    char name[NAME_BYTE];
    struct number cost, room;
    struct command c = {.n = 0};
    add(&c, STR("EVAL"));
    add(&c, str_from(take_script));
    add(&c, STR("1"));
    add(&c, name_of(r, 'r', key, name));
    add(&c, print_real(n * 1000 / rate_per_s, &cost));
    add(&c, print_real(burst * 1000 / rate_per_s, &room));
    redisReply *reply = ask(r, &c);
    if (!reply || reply->type != REDIS_REPLY_INTEGER) {
        if (reply)
            freeReplyObject(reply);
        return REDIS_DOWN;
    }
    *retry_after_ms = reply->integer;
    freeReplyObject(reply);
    return *retry_after_ms == 0 ? REDIS_YES : REDIS_NO;
}

/* ---- metrics ---- */

uint64_t redis_faults(struct redis *r) {
    pthread_mutex_lock(&r->lock);
    uint64_t faults = r->faults;
    pthread_mutex_unlock(&r->lock);
    return faults;
}

bool redis_up(struct redis *r) {
    pthread_mutex_lock(&r->lock);
    bool up = r->failed == 0;
    pthread_mutex_unlock(&r->lock);
    return up;
}
