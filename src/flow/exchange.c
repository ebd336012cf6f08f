/* exchange.c — what questions and deliveries have in common: memory, retries, and commits that do not give up. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

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
    x->rc = OK;
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

bool engine_claimed_perhaps(const struct awaited *x) { return x->rc != OK && strcmp(x->slug, "commit_unknown") == 0; }

/* ---- what came of an exchange ---- */

struct exchanged *exchanged_new(struct engine *e, bool is_answer) {
    struct arena *arena = arena_new(EXCHANGE_BYTE);
    if (!arena)
        return NULL;
    struct exchanged *x = ARENA_NEW(arena, struct exchanged);
    x->engine = e;
    x->arena = arena;
    x->is_answer = is_answer;
    return x;
}

void exchanged_free(struct exchanged *x) { arena_free(x->arena); }

struct retry_decision exchanged_decide(struct engine *e, const struct exchange *x, int64_t attempt) {
    err rc = x->verdict == EXCHANGE_WAIT ? ERR_LIMIT : x->verdict == EXCHANGE_REFUSED ? ERR_INPUT : ERR_AGAIN;
    pthread_mutex_lock(&e->exchange_lock);
    struct retry_decision d = retry_decide(&e->c.retry, rc, attempt, x->after_ms, &e->exchange_rng);
    pthread_mutex_unlock(&e->exchange_lock);
    return d;
}

static void commit_later(struct exchanged *x) {
    struct engine *e = x->engine;
    metric_add(e->m.resubmitted, 1);
    pthread_mutex_lock(&e->lock);
    x->next = e->again_exchanged;
    e->again_exchanged = x;
    pthread_mutex_unlock(&e->lock);
}

/* The store refuses this very result, and would again: without the result it must be able to keep that there is none. */
static void give_up(struct exchanged *x) {
    const char *slug = err_slug();
    log_event(x->engine->c.log, LOG_ERROR, "exchange_not_stored",
              LOG_FIELDS(log_text("slug", str_from(slug)), log_text("key", x->key)));
    if (x->is_answer) {
        x->answer.rc = ERR_REMOTE;
        x->answer.run_ms = 0;
        x->answer.answer = (str){0};
        x->answer.slug = slug;
    } else {
        x->delivered.status = DELIVERY_DEAD;
        x->delivered.slug = slug;
        x->delivered.reason = (str){0};
    }
}

static void committed(struct write *w, err rc) {
    struct exchanged *x = (struct exchanged *)w;
    struct engine *e = x->engine;
    crash_point("exchange_committed");
    if (rc != OK) {
        if (rc != ERR_AGAIN && rc != ERR_LIMIT && rc != ERR_CONFLICT)
            give_up(x);
        commit_later(x);
        return;
    }
    if (x->is_answer ? x->answer.stale : x->delivered.stale)
        metric_add(e->m.stale, 1);
    else if (!x->is_answer)
        metric_add(e->m.delivery[x->delivered.status], 1);
    bool wakes = x->is_answer && x->answer.ready;
    exchanged_free(x);
    if (wakes)
        engine_nudge(e);
}

static err submit_guarded(void *ctx) {
    struct exchanged *x = ctx;
    struct engine *e = x->engine;
    x->write.done = committed;
    if (!x->is_answer)
        return store_delivery_done(e->c.store, &x->delivered);
    pthread_mutex_lock(&e->exchange_lock);
    err rc = store_ask_answer(e->c.store, e->exchange_sealer, &x->answer);
    pthread_mutex_unlock(&e->exchange_lock);
    return rc;
}

void exchanged_commit(struct exchanged *x) {
    err rc = arena_run(x->arena, submit_guarded, x);
    if (rc != OK)
        commit_later(x);
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
