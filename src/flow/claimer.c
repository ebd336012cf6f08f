/* claimer.c — looks at the store when there is room: claims runs, sends questions and deliveries, repeats failed commits.
 *
 * It sleeps until something calls for it (a lead that was not born leased, a run that parked, a delivery that was promised)
 * or until the poll is due: the poll is the truth, calls only make it early. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

enum { CLAIM_MOST = 500, CLAIM_BYTE = 512 << 20, BACKLOG_EVERY_MS = 5000 };

/* ---- claims ---- */

static err submit_claim(struct awaited *x) { return store_claim(x->claim.store, &x->claim); }

static void count_claim(struct engine *e, const struct claim *c) {
    metric_add(e->m.claimed, (int64_t)c->n);
    metric_add(e->m.recovered, (int64_t)c->n_recovered);
    metric_add(e->m.buried, (int64_t)c->n_buried);
    if (c->n_recovered > 0 || c->n_buried > 0)
        log_event(e->c.log, LOG_WARN, "leases_taken_over",
                  LOG_FIELDS(log_integer("runs", (int64_t)c->n_recovered), log_integer("buried", (int64_t)c->n_buried)));
}

/* Claims into the ready queue what there is room for. True when there may be more. */
static bool claim_some(struct engine *e) {
    size_t room = ready_room(e->ready);
    if (e->c.workers == 0 || room == 0)
        return false;
    size_t most = room < CLAIM_MOST ? room : CLAIM_MOST;
    struct arena *arena = arena_new(CLAIM_BYTE);
    if (!arena)
        return false;
    struct awaited x = {.claim = {.store = e->c.store,
                                  .most = most,
                                  .tenant_most = most,
                                  .suspects = ready_look(e->ready).suspects == 0,
                                  .max_crash = e->c.max_crash,
                                  .arena = arena}};
    err rc = engine_await(&x, submit_claim);
    if (rc == OK && x.claim.n > 0)
        crash_point("runs_claimed");
    /* Runs that are ours only perhaps are worked on all the same: when they are not, their fence refuses the result. */
    bool ours = rc == OK || engine_claimed_perhaps(&x);
    struct job *jobs = ours && x.claim.n > 0 ? job_from_claim(&x.claim) : NULL;
    if (rc == OK)
        count_claim(e, &x.claim);
    else
        log_event(e->c.log, LOG_WARN, "claim_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    if (!jobs) {
        arena_free(arena);
        return false;
    }
    bool more = x.claim.n == most;
    ready_put(e->ready, jobs);
    return more;
}

/* ---- commits that failed for now ---- */

static struct command *take_again(struct engine *e) {
    pthread_mutex_lock(&e->lock);
    struct command *list = e->again;
    e->again = NULL;
    pthread_mutex_unlock(&e->lock);
    return list;
}

static void submit_again(struct engine *e, struct sealer *sealer) {
    struct command *list = take_again(e);
    while (list) {
        struct command *c = list;
        list = c->next;
        if (atomic_load(&c->batch->submitted)) {
            engine_submit(c, sealer);
            continue;
        }
        pthread_mutex_lock(&e->lock); /* its worker is not done with the batch */
        c->next = e->again;
        e->again = c;
        pthread_mutex_unlock(&e->lock);
    }
}

static void call_later(struct engine *e) {
    pthread_mutex_lock(&e->lock);
    struct later *list = e->later;
    e->later = NULL;
    pthread_mutex_unlock(&e->lock);
    while (list) {
        struct later *l = list;
        list = l->next;
        l->fn(l);
    }
}

/* ---- backlog ---- */

struct loading {
    struct engine *e;
    struct arena *arena;
};

static err load_backlog(void *ctx) {
    struct loading *l = ctx;
    struct backlog_view *view;
    size_t n;
    pthread_mutex_lock(&l->e->reader_lock);
    err rc = store_backlog(l->e->reader, l->arena, &view, &n);
    pthread_mutex_unlock(&l->e->reader_lock);
    TRY(rc);
    backlog_load(l->e->backlog, view, n);
    for (size_t i = 0; i < n; i++)
        ready_set_tenant(l->e->ready, view[i].tenant, view[i].weight, view[i].max_running);
    return OK;
}

static void refresh_backlog(struct engine *e, struct arena *arena, int64_t *next_ns) {
    int64_t now_ns = e->c.clock.steady_ns();
    if (now_ns < *next_ns)
        return;
    if (arena_run(arena, load_backlog, &(struct loading){e, arena}) != OK)
        log_event(e->c.log, LOG_WARN, "backlog_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    arena_reset(arena);
    *next_ns = e->c.clock.steady_ns() + BACKLOG_EVERY_MS * 1000000ll;
}

/* ---- the thread ---- */

/* Sleeps until it is called, or the poll is due. False when the engine stops. */
static bool sleep_until_called(struct engine *e, struct rng *r, bool at_once) {
    int64_t ms = e->c.poll_ms * 3 / 4 + (int64_t)(rng_uniform(r) * (double)(e->c.poll_ms / 2));
    pthread_mutex_lock(&e->lock);
    if (!e->nudged && !e->stopping && !at_once)
        engine_wait(&e->call, &e->lock, ms);
    e->nudged = false;
    bool go_on = !e->stopping;
    pthread_mutex_unlock(&e->lock);
    return go_on;
}

void *engine_claim(void *engine) {
    struct engine *e = engine;
    struct rng r = rng_from_seed(e->c.seed ^ 3);
    struct sealer *sealer = NULL;
    struct arena *arena = arena_new(CLAIM_BYTE);
    int64_t backlog_ns = 0;
    bool more = true;
    if (!arena || sealer_new(e->c.vault, &sealer) != OK) {
        log_event(e->c.log, LOG_ERROR, "claimer_no_memory", NULL, 0);
        arena_free(arena);
        return NULL;
    }
    while (sleep_until_called(e, &r, more)) {
        submit_again(e, sealer);
        exchanged_commit_again(e);
        call_later(e);
        more = claim_some(e);
        more |= engine_ask(e);
        more |= engine_deliver(e);
        if (backlog_total(e->backlog) != 0 || backlog_ns == 0)
            refresh_backlog(e, arena, &backlog_ns);
    }
    sealer_free(sealer);
    arena_free(arena);
    return NULL;
}
