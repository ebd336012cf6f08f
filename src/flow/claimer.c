/* claimer.c — looks at the store when there is room: claims runs, sends questions and deliveries, repeats failed commits.
 *
 * It sleeps until something calls for it (a lead that was not born leased, a run that parked, a delivery that was promised)
 * or until the poll is due: the poll is the truth, calls only make it early. A poll first reads whether anything is due, and
 * finds nothing less and less often: an idle process costs almost nothing. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

#include <time.h>

enum {
    CLAIM_MOST = 500,
    CLAIM_BYTE = 256 << 20,
    BACKLOG_EVERY_MS = 5000,
    BACKLOG_SHARE = 50,    /* loading takes at most one part in so many of the time */
    LOOK_EVERY_MS = 10000, /* without being called: runs of silent workers are seen by a claim only */
    VAIN_STEP = 8,         /* after so many polls in vain the pause doubles */
    VAIN_DOUBLINGS = 2
};

struct claimer {
    struct engine *engine;
    struct rng rng;
    struct sealer *sealer;
    struct arena *arena;
    size_t most; /* runs in one claim; fewer when so many did not fit */
    int64_t backlog_ns, look_ns;
    int64_t due_ms; /* in how many ms something is due, as far as is known */
    unsigned vain;  /* polls that found nothing */
};

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

/* What was claimed, or perhaps: then the fences tell later. */
static struct job *jobs_of(struct claimer *k, struct claim *c, err rc) {
    struct engine *e = k->engine;
    if (rc == OK)
        count_claim(e, c);
    else
        log_event(e->c.log, LOG_WARN, "claim_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    if (rc == ERR_LIMIT && k->most > 1) /* so many leads of that size do not fit */
        k->most /= 2;
    else if (rc == OK && k->most < CLAIM_MOST)
        k->most = k->most * 2 < CLAIM_MOST ? k->most * 2 : CLAIM_MOST;
    if (c->n == 0 || (rc != OK && strcmp(err_slug(), "commit_unknown") != 0))
        return NULL;
    struct job *jobs = job_from_claim(c);
    if (!jobs)
        engine_doubt(e);
    return jobs;
}

/* Claims into the ready queue what there is room for. True when there may be more. */
static bool claim_some(struct claimer *k) {
    struct engine *e = k->engine;
    size_t room = ready_room(e->ready);
    struct arena *arena = room > 0 ? arena_new(CLAIM_BYTE) : NULL;
    if (!arena)
        return false;
    size_t most = room < k->most ? room : k->most;
    struct awaited x = {.claim = {.store = e->c.store,
                                  .most = most,
                                  .tenant_most = most,
                                  .suspects = !ready_has_suspect(e->ready),
                                  .max_crash = e->c.max_crash,
                                  .arena = arena}};
    err rc = engine_await(&x, submit_claim);
    if (rc == OK && x.claim.n > 0)
        crash_point("runs_claimed");
    bool more = rc == OK ? x.claim.n == most : rc == ERR_LIMIT && k->most > 1;
    struct job *jobs = jobs_of(k, &x.claim, rc);
    if (jobs)
        ready_put(e->ready, jobs);
    else
        arena_free(arena);
    return more;
}

/* ---- commits that failed for now ---- */

static void submit_again(struct claimer *k) {
    struct engine *e = k->engine;
    pthread_mutex_lock(&e->lock);
    struct command *list = e->again;
    e->again = NULL;
    pthread_mutex_unlock(&e->lock);
    while (list) {
        struct command *c = list;
        list = c->next;
        engine_submit_again(c, k->sealer);
    }
}

/* What the store holds as ours and nobody knows of would stay so for ever. */
static void settle_doubt(struct engine *e) {
    if (!atomic_exchange(&e->doubtful, false))
        return;
    log_event(e->c.log, LOG_WARN, "leases_given_back", NULL, 0);
    if (store_release(e->c.store) != OK)
        atomic_store(&e->doubtful, true);
}

/* ---- backlog ---- */

/* Behind the reader's lock. */
static err load_backlog(void *ctx) {
    const struct claimer *k = ctx;
    struct engine *e = k->engine;
    struct backlog_view *view;
    size_t n;
    TRY(store_backlog(e->reader, k->arena, &view, &n));
    backlog_load(e->backlog, view, n);
    for (size_t i = 0; i < n; i++)
        ready_set_tenant(e->ready, view[i].tenant, view[i].weight, view[i].max_running);
    return OK;
}

static void refresh_backlog(struct claimer *k) {
    struct engine *e = k->engine;
    int64_t begin_ns = e->c.clock.steady_ns();
    if (begin_ns < k->backlog_ns || !backlog_is_old(e->backlog))
        return;
    pthread_mutex_lock(&e->reader_lock);
    err rc = arena_run(k->arena, load_backlog, k);
    pthread_mutex_unlock(&e->reader_lock);
    if (rc != OK)
        log_event(e->c.log, LOG_WARN, "backlog_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    arena_reset(k->arena);
    int64_t end_ns = e->c.clock.steady_ns(), pause_ns = (end_ns - begin_ns) * BACKLOG_SHARE;
    k->backlog_ns = end_ns + (pause_ns > BACKLOG_EVERY_MS * 1000000ll ? pause_ns : BACKLOG_EVERY_MS * 1000000ll);
}

/* ---- looking ---- */

/* Behind the reader's lock. */
static err read_due(void *ctx) {
    struct claimer *k = ctx;
    struct engine *e = k->engine;
    bool deliveries = !e->c.hold_deliveries && target_room(e->callback) > 0;
    return store_next_due(e->reader, target_room(e->lookup) > 0, deliveries, &k->due_ms);
}

/* Is it worth a claim? */
static bool something_is_due(struct claimer *k, bool called) {
    struct engine *e = k->engine;
    if (called || e->c.clock.steady_ns() >= k->look_ns)
        return true;
    pthread_mutex_lock(&e->reader_lock);
    err rc = arena_run(k->arena, read_due, k);
    pthread_mutex_unlock(&e->reader_lock);
    arena_reset(k->arena);
    return rc != OK || k->due_ms <= 0;
}

/* True when there may be more. */
static bool look(struct claimer *k) {
    struct engine *e = k->engine;
    k->look_ns = e->c.clock.steady_ns() + LOOK_EVERY_MS * 1000000ll;
    k->due_ms = LOOK_EVERY_MS;
    bool more = claim_some(k);
    more |= engine_ask(e);
    more |= engine_deliver(e);
    return more;
}

/* ---- the thread ---- */

static int64_t pause_ms(struct claimer *k) {
    unsigned doublings = k->vain / VAIN_STEP < VAIN_DOUBLINGS ? k->vain / VAIN_STEP : VAIN_DOUBLINGS;
    int64_t poll_ms = k->engine->c.poll_ms << doublings;
    int64_t ms = poll_ms * 3 / 4 + (int64_t)(rng_uniform(&k->rng) * (double)poll_ms / 2);
    return k->due_ms > 0 && k->due_ms < ms ? k->due_ms : ms;
}

/* Sleeps until it is called, or the poll is due. False when the engine stops. */
static bool sleep_until_called(struct claimer *k, bool at_once, bool *called, bool *draining) {
    struct engine *e = k->engine;
    int64_t ms = pause_ms(k);
    pthread_mutex_lock(&e->lock);
    if (!e->nudged && !e->stopping && !at_once)
        engine_wait(&e->call, &e->lock, ms);
    *called = e->nudged || at_once;
    *draining = e->draining;
    e->nudged = false;
    bool go_on = !e->stopping;
    pthread_mutex_unlock(&e->lock);
    return go_on;
}

static void run(struct claimer *k) {
    struct engine *e = k->engine;
    bool more = true, called, draining;
    while (sleep_until_called(k, more, &called, &draining)) {
        submit_again(k);
        exchanged_commit_again(e);
        settle_doubt(e);
        more = false;
        if (e->c.workers > 0 && !draining) {
            bool due = something_is_due(k, called);
            k->vain = due ? 0 : k->vain + 1;
            more = due && look(k);
        }
        refresh_backlog(k);
    }
}

void *engine_claim(void *engine) {
    struct engine *e = engine;
    struct claimer k = {.engine = e, .rng = rng_from_seed(e->c.seed ^ 3), .most = CLAIM_MOST, .backlog_ns = INT64_MIN};
    k.arena = arena_new(CLAIM_BYTE);
    while (!k.arena || sealer_new(e->c.vault, &k.sealer) != OK) {
        log_event(e->c.log, LOG_ERROR, "claimer_no_memory", NULL, 0);
        if (engine_is_draining(e))
            break;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        if (!k.arena)
            k.arena = arena_new(CLAIM_BYTE);
    }
    if (k.sealer)
        run(&k);
    sealer_free(k.sealer);
    arena_free(k.arena);
    return NULL;
}
