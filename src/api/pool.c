/* pool.c — a few threads for what may block: reading, and writing that waits for its commit. */
#include "api/api_priv.h"

enum { THREADS = 2, MOST_WAITING = 256 };

struct api_pool {
    struct api *api;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct call *queue[MOST_WAITING];
    size_t first, n;
    bool stop;
    pthread_t thread[THREADS];
    struct store_reader *reader[THREADS];
    size_t n_thread;
};

struct place {
    struct api_pool *pool;
    struct store_reader *reader;
};

static struct call *take(struct api_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    while (pool->n == 0 && !pool->stop)
        pthread_cond_wait(&pool->some, &pool->lock);
    struct call *c = NULL;
    if (pool->n > 0) {
        c = pool->queue[pool->first];
        pool->first = (pool->first + 1) % MOST_WAITING;
        pool->n--;
    }
    pthread_mutex_unlock(&pool->lock);
    return c;
}

static err handle(void *ctx) {
    struct call *c = ctx;
    err rc = c->route->handle(c);
    if (rc != OK)
        api_send_problem(c, 0, rc);
    return OK;
}

static void *work(void *ctx) {
    struct place *p = ctx;
    for (struct call *c; (c = take(p->pool));) {
        c->reader = p->reader;
        struct http_request *r = c->r;
        if (arena_run(r->arena, handle, c) != OK)
            http_respond(r, 503, NULL, 0, (str){0});
    }
    return NULL;
}

err pool_new(struct api *api, struct api_pool **out) {
    struct api_pool *pool = ARENA_NEW(api->arena, struct api_pool);
    pool->api = api;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->some, NULL);
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

err pool_run(struct api_pool *pool, struct call *c) {
    pthread_mutex_lock(&pool->lock);
    bool room = pool->n < MOST_WAITING && !pool->stop;
    if (room) {
        pool->queue[(pool->first + pool->n++) % MOST_WAITING] = c;
        pthread_cond_signal(&pool->some);
    }
    pthread_mutex_unlock(&pool->lock);
    return room ? OK : fail(ERR_AGAIN, "api_busy", "too many requests wait; try again soon");
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
