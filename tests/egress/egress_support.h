/* egress_support.h — a server that answers, fails and misbehaves as its paths say, and calls whose answers are kept. */
#ifndef GALENA_TESTS_EGRESS_EGRESS_SUPPORT_H
#define GALENA_TESTS_EGRESS_EGRESS_SUPPORT_H

#include "../net/net_support.h"

#include "egress/egress.h"

/* ---- a clock that runs and can be pushed ---- */

static atomic_int_least64_t push_ms;
static inline int64_t pushed_steady_ns(void) { return clock_system().steady_ns() + push_ms * 1000000; }
static inline int64_t pushed_wall_ms(void) { return clock_system().wall_ms() + push_ms; }
static inline struct clock pushed_clock(void) { return (struct clock){pushed_wall_ms, pushed_steady_ns}; }

/* ---- the server: one thread for each connection, one request on each ---- */

enum { WORLD_HITS = 100000 };

struct world {
    int fd, port;
    pthread_t thread;
    atomic_bool stop;
    atomic_int open, hits, connections;
    atomic_int fail_left;     /* /flaky answers 500 that many times */
    atomic_int throttle_left; /* /throttle answers 429 that many times */
    atomic_bool gate;         /* /gate answers when it is set */
    int64_t hit_ns[WORLD_HITS];
    char throttle_after[64]; /* its Retry-After */
    char extra[256];         /* header lines of every 200 */
    char redirect[512];      /* Location of /redirect; under the lock */
    char seen[4096];         /* the last request */
    pthread_mutex_t lock;
    /* Answers first, when it wants to: true. */
    bool (*custom)(struct world *w, int fd, const char *path, const char *request);
};

struct visit {
    struct world *world;
    int fd;
};

static inline void world_send(int fd, str bytes) {
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
}

static inline void world_say(int fd, int status, const char *headers, str body) {
    char head[1024];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", status,
                     body.len, headers);
    world_send(fd, (str){head, (size_t)n});
    world_send(fd, body);
}

static inline void world_wait(struct world *w, const atomic_bool *until, int64_t ms) {
    int64_t end = net_now_ms() + ms;
    while (!atomic_load(&w->stop) && net_now_ms() < end && !(until && atomic_load(until)))
        poll(NULL, 0, 2);
}

static inline void world_reset(int fd) {
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static inline void world_huge(int fd) {
    static const char block[65536];
    world_send(fd, STR("HTTP/1.1 200 X\r\nConnection: close\r\n\r\n"));
    for (int i = 0; i < 2000; i++)
        if (send(fd, block, sizeof block, MSG_NOSIGNAL) <= 0)
            return;
}

static inline void world_answer(struct world *w, int fd, const char *path) {
    char line[512];
    if (strncmp(path, "/ok", 3) == 0) {
        world_say(fd, 200, w->extra, STR("{\"good\":true}"));
    } else if (strncmp(path, "/status/", 8) == 0) {
        world_say(fd, (int)strtol(path + 8, NULL, 10), "", STR("said"));
    } else if (strcmp(path, "/flaky") == 0) {
        bool fails = atomic_fetch_sub(&w->fail_left, 1) > 0;
        world_say(fd, fails ? 500 : 200, "", STR("flaky"));
    } else if (strcmp(path, "/throttle") == 0) {
        bool fails = atomic_fetch_sub(&w->throttle_left, 1) > 0;
        snprintf(line, sizeof line, "Retry-After: %s\r\n", w->throttle_after);
        world_say(fd, fails ? 429 : 200, fails ? line : "", STR("throttle"));
    } else if (strcmp(path, "/gate") == 0) {
        world_wait(w, &w->gate, WAIT_MS);
        world_say(fd, 200, "", STR("gate"));
    } else if (strcmp(path, "/stall") == 0) {
        world_wait(w, NULL, WAIT_MS);
    } else if (strncmp(path, "/reset", 6) == 0) {
        world_reset(fd);
    } else if (strcmp(path, "/truncated") == 0) {
        world_send(fd, STR("HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\nhalf"));
    } else if (strcmp(path, "/garbage") == 0) {
        world_send(fd, STR("\x16\x03\x01 this is not HTTP\r\n\r\n"));
    } else if (strcmp(path, "/drip") == 0) {
        world_send(fd, STR("HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n"));
        for (int i = 0; i < 10000 && !atomic_load(&w->stop) && send(fd, "x", 1, MSG_NOSIGNAL) == 1; i++)
            poll(NULL, 0, 5);
    } else if (strcmp(path, "/huge") == 0) {
        world_huge(fd);
    } else if (strcmp(path, "/inside") == 0) {
        world_say(fd, 302, "Location: http://10.0.0.1/\r\n", STR(""));
    } else if (strcmp(path, "/redirect") == 0) {
        pthread_mutex_lock(&w->lock);
        snprintf(line, sizeof line, "%s", w->redirect);
        pthread_mutex_unlock(&w->lock);
        world_say(fd, 302, line, STR(""));
    } else if (strcmp(path, "/loop") == 0) {
        world_say(fd, 302, "Location: /loop\r\n", STR(""));
    } else if (strcmp(path, "/error200") == 0) {
        world_say(fd, 200, "", STR("{\"error\":\"limit\"}"));
    } else {
        world_say(fd, 404, "", STR("absent"));
    }
}

static inline void *world_visit(void *ctx) {
    struct visit v = *(struct visit *)ctx;
    struct world *w = v.world;
    char request[4096] = "", path[512] = "", *end = NULL;
    size_t n = 0;
    free(ctx);
    size_t whole = sizeof request - 1;
    while (n < whole) {
        ssize_t got = recv(v.fd, request + n, sizeof request - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        request[n] = '\0';
        if (end || !(end = strstr(request, "\r\n\r\n")))
            continue;
        const char *length = strstr(request, "Content-Length: ");
        size_t body = length ? strtoul(length + 16, NULL, 10) : 0, head = (size_t)(end - request) + 4;
        whole = body < whole - head ? head + body : whole;
    }
    if (end && sscanf(request, "%*s %511s", path) == 1) {
        int hit = atomic_fetch_add(&w->hits, 1);
        if (hit < WORLD_HITS)
            w->hit_ns[hit] = clock_system().steady_ns();
        pthread_mutex_lock(&w->lock);
        memcpy(w->seen, request, sizeof w->seen);
        pthread_mutex_unlock(&w->lock);
        if (!w->custom || !w->custom(w, v.fd, path, request))
            world_answer(w, v.fd, path);
    }
    shutdown(v.fd, SHUT_WR);
    close(v.fd);
    atomic_fetch_sub(&w->open, 1);
    return NULL;
}

static inline void *world_run(void *ctx) {
    struct world *w = ctx;
    pthread_attr_t how;
    pthread_attr_init(&how);
    pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&how, 256 * 1024);
    while (!atomic_load(&w->stop)) {
        struct pollfd p = {.fd = w->fd, .events = POLLIN};
        if (poll(&p, 1, 20) != 1)
            continue;
        struct visit *v = malloc(sizeof *v);
        pthread_t thread;
        *v = (struct visit){w, accept4(w->fd, NULL, NULL, SOCK_CLOEXEC)};
        atomic_fetch_add(&w->connections, 1);
        atomic_fetch_add(&w->open, 1);
        if (v->fd < 0 || pthread_create(&thread, &how, world_visit, v) != 0) {
            if (v->fd >= 0)
                close(v->fd);
            free(v);
            atomic_fetch_sub(&w->open, 1);
        }
    }
    pthread_attr_destroy(&how);
    return NULL;
}

static inline struct world *world_start(void) {
    struct world *w = calloc(1, sizeof *w);
    struct sockaddr_in at = net_loopback(0);
    socklen_t len = sizeof at;
    pthread_mutex_init(&w->lock, NULL);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(w->fd, 1024), 0);
    assert_int_equal(getsockname(w->fd, (struct sockaddr *)&at, &len), 0);
    w->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&w->thread, NULL, world_run, w), 0);
    return w;
}

static inline void world_stop(struct world *w) {
    atomic_store(&w->stop, true);
    pthread_join(w->thread, NULL);
    net_wait(atomic_load(&w->open) == 0);
    close(w->fd);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* ---- calls ---- */

struct kept {
    struct arena *arena;
    atomic_bool done;
    enum egress_class class;
    err rc;
    str slug, body, link;
    int status;
    bool cached, shared;
    unsigned attempt;
    struct budget_amount cost;
    int64_t elapsed_us, after_ms;
    uint64_t id;
};

static inline void keep_answer(void *ctx, const struct egress_answer *a) {
    struct kept *k = ctx;
    assert_false(atomic_load(&k->done));
    k->class = a->class;
    k->rc = a->rc;
    k->slug = str_copy(k->arena, str_from(a->slug));
    k->body = str_copy(k->arena, a->body);
    k->link = str_copy(k->arena, http_field_value(a->header, a->n_header, STR("Link")));
    k->status = a->status;
    k->cached = a->cached;
    k->shared = a->shared;
    k->attempt = a->attempt;
    k->cost = a->cost;
    k->elapsed_us = a->elapsed_us;
    k->after_ms = a->after_ms;
    atomic_store(&k->done, true);
}

struct door {
    struct world *world;
    struct egress *egress;
    struct cache *cache;
    struct arena *arena;
};

static inline struct egress_source plain_source(void) {
    return (struct egress_source){.name = "source",
                                  .regions = "eu us",
                                  .may_see = EGRESS_PERSONAL_ALL,
                                  .max_in_flight = 1000,
                                  .base_ms = 5,
                                  .cap_ms = 20,
                                  .day = {BUDGET_NO_LIMIT, BUDGET_NO_LIMIT}};
}

static inline struct address_range range_of(const char *text) {
    struct address_range range;
    assert_ok(address_parse_range(str_from(text), &range));
    return range;
}

static inline struct egress *egress_of(struct cache *cache, void (*change)(struct egress_settings *s)) {
    struct address_range allow = range_of("127.0.0.0/8");
    struct egress_settings s = {.allow = &allow, .n_allow = 1, .cache = cache, .clock = pushed_clock(), .seed = 7};
    struct egress *e = NULL;
    if (change)
        change(&s);
    assert_ok(egress_start(&s, &e));
    return e;
}

static inline struct door *door_open(void **state, void (*change)(struct egress_settings *s)) {
    struct door *d = ARENA_NEW(*state, struct door);
    struct cache_options o = {.clock = pushed_clock()};
    struct egress_source source = plain_source();
    atomic_store(&push_ms, 0);
    d->arena = *state;
    d->world = world_start();
    assert_ok(cache_open(&o, &d->cache));
    d->egress = egress_of(d->cache, change);
    assert_ok(egress_source_set(d->egress, &source));
    return d;
}

static inline void door_close(struct door *d) {
    egress_stop(d->egress);
    cache_close(d->cache);
    world_stop(d->world);
}

static inline str url_of(struct door *d, const char *path) {
    return str_format(d->arena, "http://127.0.0.1:%d%s", d->world->port, path);
}

static inline struct egress_call call_of(struct door *d, const char *path) {
    return (struct egress_call){.source = STR("source"),
                                .operation = STR("look"),
                                .method = STR("GET"),
                                .url = url_of(d, path),
                                .consent = EGRESS_PERSONAL_ALL,
                                .tenant_day = {BUDGET_NO_LIMIT, BUDGET_NO_LIMIT},
                                .lead_most = {BUDGET_NO_LIMIT, BUDGET_NO_LIMIT}};
}

static inline struct kept *submit_to(struct door *d, struct egress *e, struct egress_call call) {
    struct kept *k = ARENA_NEW(d->arena, struct kept);
    k->arena = arena_new(64 << 20);
    arena_defer(d->arena, (void (*)(void *))arena_free, k->arena);
    call.done = keep_answer;
    call.ctx = k;
    assert_ok(egress_submit(e, &call, &k->id));
    return k;
}

static inline struct kept *submit(struct door *d, struct egress_call call) { return submit_to(d, d->egress, call); }

static inline struct kept *wait_for(struct kept *k) {
    net_wait(atomic_load(&k->done));
    return k;
}

static inline struct kept *ask(struct door *d, struct egress_call call) { return wait_for(submit(d, call)); }

static inline void expect(const struct kept *k, enum egress_class class, const char *slug) {
    if (k->class != class || !str_equal(k->slug, str_from(slug)))
        fail_msg("%s %.*s, not %s %s", egress_class_name(k->class), STR_ARG(k->slug), egress_class_name(class), slug);
}

#endif
