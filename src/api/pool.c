/* pool.c — a few threads for what may block: reading, and writing that waits for its commit.
 *
 * A call on the pool has a room: an arena of its own, because that of the request belongs to the server's thread. The room
 * is given back when the thread is through with it and the request is over, whichever comes last. */
#include "api/api_priv.h"

#include <stdlib.h>

enum { THREADS = 2, MOST_WAITING = 256, KEPT_ROOMS = 4 };

struct room {
    struct arena *arena;
    struct api_pool *pool;
    struct room *next;
    atomic_int refs;
};

struct task {
    struct call *call;
    struct room *room;
    handler_fn *fn;
};

struct api_pool {
    struct api *api;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct task queue[MOST_WAITING];
    size_t first, n;
    struct room *idle;
    size_t n_idle;
    bool stop;
    pthread_t thread[THREADS];
    struct store_reader *reader[THREADS];
    size_t n_thread;
};

struct place {
    struct api_pool *pool;
    struct store_reader *reader;
};

/* ---- rooms ---- */

static void room_free(struct room *room) {
    arena_free(room->arena);
    free(room);
}

static void room_release(void *ctx) {
    struct room *room = ctx;
    struct api_pool *pool = room->pool;
    if (atomic_fetch_sub(&room->refs, 1) != 1)
        return;
    arena_reset(room->arena);
    pthread_mutex_lock(&pool->lock);
    bool keep = pool->n_idle < KEPT_ROOMS;
    if (keep) {
        room->next = pool->idle;
        pool->idle = room;
        pool->n_idle++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep)
        room_free(room);
}

static struct room *room_new(struct api_pool *pool) {
    struct room *room = calloc(1, sizeof *room);
    if (!room)
        return NULL;
    room->pool = pool;
    room->arena = arena_new(API_ROOM_BYTE);
    if (room->arena)
        return room;
    free(room);
    return NULL;
}

/* One for the request and one for the thread. */
static struct room *room_take(struct api_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct room *room = pool->idle;
    if (room) {
        pool->idle = room->next;
        pool->n_idle--;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!room)
        room = room_new(pool);
    if (room)
        atomic_store(&room->refs, 2);
    return room;
}

/* ---- threads ---- */

static bool take(struct api_pool *pool, struct task *out) {
    pthread_mutex_lock(&pool->lock);
    while (pool->n == 0 && !pool->stop)
        pthread_cond_wait(&pool->some, &pool->lock);
    bool some = pool->n > 0;
    if (some) {
        *out = pool->queue[pool->first];
        pool->first = (pool->first + 1) % MOST_WAITING;
        pool->n--;
    }
    pthread_mutex_unlock(&pool->lock);
    return some;
}

static err handle(void *ctx) {
    struct task *t = ctx;
    struct call *c = t->call;
    err rc = atomic_load(&c->api->stopped) ? fail(ERR_AGAIN, "api_stopping", "the service is stopping") : t->fn(c);
    if (rc != OK)
        api_problem(c, 0, rc, NULL);
    return OK;
}

/* The arena is full: the answer must do without it. */
static void answer_without_room(struct call *c) {
    static const str body = STR_INIT("{\"type\":\"about:blank\",\"code\":\"memory_limit\",\"title\":\"Content Too Large\","
                                     "\"status\":413,\"detail\":\"this request needs more memory than it may have\"}");
    static const struct http_field field[] = {{STR_INIT("Content-Type"), STR_INIT("application/problem+json")}};
    metric_add(c->api->requests[4], 1);
    http_respond(c->r, 413, field, 1, body);
}

static void run(struct place *p, struct task *t) {
    struct call *c = t->call;
    bool later = false;
    c->reader = p->reader;
    c->arena = t->room->arena;
    c->later = &later;
    bool done = arena_run(t->room->arena, handle, t) == OK;
    if (!done)
        answer_without_room(c);
    else if (!later)
        api_send(c);
    room_release(t->room);
}

static void *work(void *ctx) {
    struct place *p = ctx;
    for (struct task t; take(p->pool, &t);)
        run(p, &t);
    return NULL;
}

/* ---- the pool ---- */

static void destroy(void *ctx) {
    struct api_pool *pool = ctx;
    while (pool->idle) {
        struct room *room = pool->idle;
        pool->idle = room->next;
        room_free(room);
    }
    pthread_cond_destroy(&pool->some);
    pthread_mutex_destroy(&pool->lock);
}

err pool_new(struct api *api, struct api_pool **out) {
    struct api_pool *pool = ARENA_NEW(api->arena, struct api_pool);
    pool->api = api;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->some, NULL);
    arena_defer(api->arena, destroy, pool);
    *out = pool;
    for (; pool->n_thread < THREADS; pool->n_thread++) {
        struct place *p = ARENA_NEW(api->arena, struct place);
        TRY(store_reader_open(api->c.store, api->arena, &pool->reader[pool->n_thread]));
        *p = (struct place){pool, pool->reader[pool->n_thread]};
        if (pthread_create(&pool->thread[pool->n_thread], NULL, work, p) != 0)
            return fail(ERR_AGAIN, "api_thread", "the system gives no more threads");
    }
    return OK;
}

static err enter(struct api_pool *pool, struct task t) {
    pthread_mutex_lock(&pool->lock);
    bool some = pool->n < MOST_WAITING && !pool->stop;
    if (some) {
        pool->queue[(pool->first + pool->n++) % MOST_WAITING] = t;
        pthread_cond_signal(&pool->some);
    }
    pthread_mutex_unlock(&pool->lock);
    return some ? OK : fail(ERR_AGAIN, "api_busy", "too many requests wait; try again soon");
}

err pool_run(struct api_pool *pool, struct call *c, handler_fn *fn) {
    struct room *room = room_take(pool);
    if (!room)
        return fail(ERR_AGAIN, "api_busy", "there is no memory for another request");
    room->next = c->rooms;
    c->rooms = room;
    err rc = enter(pool, (struct task){c, room, fn});
    if (rc != OK)
        room_release(room);
    return rc;
}

void pool_leave(void *ctx) {
    struct call *c = ctx;
    while (c->rooms) {
        struct room *room = c->rooms;
        c->rooms = room->next;
        room_release(room);
    }
}

void pool_stop(struct api_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->some);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_thread; i++) {
        pthread_join(pool->thread[i], NULL);
        store_reader_close(pool->reader[i]);
    }
    pool->n_thread = 0;
}
