/* exchange.c — what questions and deliveries have in common: memory, retries, and commits that do not give up. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

#include <time.h>

enum { EXCHANGE_BYTE = 64 << 20 };

/* ---- waiting for a command ---- */

static void await_done(struct write *w, err rc) {
    struct awaited *x = (struct awaited *)w;
    x->rc = rc;
    x->slug = rc == OK ? "" : err_slug(); /* slugs live as long as the program */
    sem_post(&x->done);
}

err engine_await(struct awaited *x, err (*submit)(struct awaited *x)) {
    x->write.done = await_done;
    sem_init(&x->done, 0, 0);
    err rc = submit(x);
    if (rc == OK) {
        while (sem_wait(&x->done) != 0) {
        }
        if (x->rc != OK)
            rc = fail(x->rc, x->slug, "the store did not take a claim");
    }
    sem_destroy(&x->done);
    return rc;
}

bool engine_passes(err rc) {
    return rc == ERR_AGAIN || rc == ERR_LIMIT || rc == ERR_DENIED ||
           (rc == ERR_CONFLICT && strcmp(err_slug(), "db_serialization") == 0);
}

/* ---- memory ---- */

static err make(void *ctx) {
    struct exchanged **x = ctx;
    struct arena *arena = (*x)->arena;
    struct exchanged *made = ARENA_NEW(arena, struct exchanged);
    *made = **x;
    *x = made;
    return OK;
}

static struct exchanged *exchanged_new(struct engine *e, bool is_answer) {
    struct exchanged first = {.engine = e, .is_answer = is_answer, .arena = arena_new(EXCHANGE_BYTE)}, *x = &first;
    if (!first.arena || arena_run(first.arena, make, &x) != OK) {
        arena_free(first.arena);
        return NULL;
    }
    atomic_fetch_add(is_answer ? &e->asks : &e->deliveries, 1);
    return x;
}

void exchanged_free(struct exchanged *x) {
    struct engine *e = x->engine;
    bool is_answer = x->is_answer;
    arena_free(x->arena);
    atomic_fetch_sub(is_answer ? &e->asks : &e->deliveries, 1);
    bool more = atomic_load(is_answer ? &e->more_asks : &e->more_deliveries);
    if (more && target_has_ample_room(is_answer ? e->lookup : e->callback))
        engine_nudge(e);
}

struct preparing {
    struct exchanged *x;
    err (*prepare)(struct exchanged *x, const void *ctx);
    const void *ctx;
};

static err prepare_guarded(void *ctx) {
    const struct preparing *p = ctx;
    return p->prepare(p->x, p->ctx);
}

struct exchanged *engine_exchange(struct engine *e, bool is_answer, err (*prepare)(struct exchanged *x, const void *ctx),
                                  const void *ctx) {
    for (;;) {
        struct exchanged *x = exchanged_new(e, is_answer);
        if (x && arena_run(x->arena, prepare_guarded, &(struct preparing){x, prepare, ctx}) == OK)
            return x;
        if (x)
            exchanged_free(x);
        if (engine_is_draining(e))
            return NULL;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

struct retry_decision exchanged_decide(struct engine *e, const struct exchange *x, int64_t attempt) {
    err rc = x->verdict == EXCHANGE_WAIT ? ERR_LIMIT : x->verdict == EXCHANGE_REFUSED ? ERR_INPUT : ERR_AGAIN;
    pthread_mutex_lock(&e->exchange_lock);
    struct retry_decision d = retry_decide(&e->c.retry, rc, attempt, x->after_ms, &e->exchange_rng);
    pthread_mutex_unlock(&e->exchange_lock);
    return d;
}

struct exchange exchanged_unsent(struct engine *e, err rc) {
    pthread_mutex_lock(&e->exchange_lock);
    int64_t after_ms = 500 + (int64_t)(rng_uniform(&e->exchange_rng) * 1500);
    pthread_mutex_unlock(&e->exchange_lock);
    if (rc == ERR_LIMIT || rc == ERR_CONFLICT || rc == ERR_AGAIN)
        return (struct exchange){.verdict = EXCHANGE_WAIT, .after_ms = after_ms, .slug = "target_busy"};
    return (struct exchange){.verdict = EXCHANGE_REFUSED, .slug = err_slug()};
}

/* ---- what came of an exchange ---- */

static void commit_later(struct exchanged *x) {
    struct engine *e = x->engine;
    metric_add(e->m.resubmitted, 1);
    pthread_mutex_lock(&e->lock);
    x->next = e->again_exchanged;
    e->again_exchanged = x;
    pthread_mutex_unlock(&e->lock);
}

/* The store refuses this very result, and would again: the question has failed, the delivery is for a person to look at.
 * False when that was tried before. */
static bool give_up(struct exchanged *x, err rc) {
    if (x->given_up)
        return false;
    x->given_up = true;
    if (x->is_answer) {
        x->answer.rc = rc;
        x->answer.delay_ms = 0;
        x->answer.slug = err_slug();
    } else {
        x->delivered.status = DELIVERY_DEAD;
        x->delivered.slug = err_slug();
        x->delivered.reason = (str){0};
    }
    return true;
}

static void count(struct exchanged *x) {
    struct engine *e = x->engine;
    if (x->is_answer ? x->answer.stale : x->delivered.stale)
        metric_add(e->m.stale, 1);
    else if (!x->is_answer)
        metric_add(e->m.delivery[x->delivered.status], 1);
    if (x->is_answer && x->answer.ready)
        engine_nudge(e);
}

/* When both the thread that submitted and the store are done with it. */
static void let_go(struct exchanged *x) {
    if (atomic_fetch_sub(&x->holds, 1) > 1)
        return;
    if (x->again)
        commit_later(x);
    else
        exchanged_free(x);
}

static bool again_after(struct exchanged *x, err rc) {
    if (engine_passes(rc))
        return true;
    log_event(x->engine->c.log, LOG_ERROR, "exchange_not_stored",
              LOG_FIELDS(log_text("slug", str_from(err_slug())), log_text("key", x->key)));
    return give_up(x, rc);
}

static void committed(struct write *w, err rc) {
    struct exchanged *x = (struct exchanged *)w;
    crash_point("exchange_committed");
    x->again = rc != OK && again_after(x, rc);
    if (rc == OK)
        count(x);
    let_go(x);
}

static err submit(void *ctx) {
    struct exchanged *x = ctx;
    struct engine *e = x->engine;
    if (x->is_answer)
        return store_ask_answer(e->c.store, e->exchange_sealer, &x->answer);
    return store_delivery_done(e->c.store, &x->delivered);
}

void exchanged_commit(struct exchanged *x) {
    struct engine *e = x->engine;
    if (x->marked)
        arena_rewind(x->arena, x->mark); /* what an earlier try left */
    else
        x->mark = arena_mark(x->arena);
    x->marked = true;
    x->again = false;
    (x->is_answer ? &x->answer.write : &x->delivered.write)->done = committed;
    atomic_store(&x->holds, 2);
    pthread_mutex_lock(&e->exchange_lock); /* outside the guard, so that it is given back when memory is short */
    err rc = arena_run(x->arena, submit, x);
    pthread_mutex_unlock(&e->exchange_lock);
    if (rc != OK) { /* then the store has not seen it */
        atomic_store(&x->holds, 1);
        x->again = again_after(x, rc);
    }
    let_go(x);
}

void exchanged_commit_again(struct engine *e) {
    pthread_mutex_lock(&e->lock);
    struct exchanged *list = e->again_exchanged;
    e->again_exchanged = NULL;
    pthread_mutex_unlock(&e->lock);
    while (list) {
        struct exchanged *x = list;
        list = x->next;
        exchanged_commit(x);
    }
}
