/* worker.c — a worker: takes jobs, takes each through its stages, submits the command that ends its lease. */
#include "flow/engine_priv.h"
#include "flow/snapshot.h"

#include "base/crash_point.h"

#include <stdlib.h>
#include <time.h>

enum { BATCH_BYTE = 256 << 20, SCRATCH_BYTE = 256 << 20, POOL_MOST = 64, POOL_KEEPS_BYTE = 4 << 20 };

/* A worker's own things. */
struct worker {
    struct engine *engine;
    struct arena *arena; /* as long as the thread */
    struct arena *run;   /* reset for each run */
    struct scratch *scratch;
    struct sealer *sealer;
    struct rng rng;
    int64_t now_ms;
};

/* ---- batches ---- */

static struct batch *batch_get(struct engine *e) {
    pthread_mutex_lock(&e->lock);
    struct batch *b = e->pool;
    if (b) {
        e->pool = b->next;
        e->n_pool--;
    }
    pthread_mutex_unlock(&e->lock);
    if (!b) {
        b = malloc(sizeof *b);
        struct arena *a = b ? arena_new(BATCH_BYTE) : NULL;
        if (!a) {
            free(b);
            return NULL;
        }
        *b = (struct batch){.engine = e, .arena = a};
    }
    atomic_store(&b->open, 1);
    atomic_store(&b->submitted, false);
    return b;
}

static void batch_release(struct batch *b) {
    if (atomic_fetch_sub(&b->open, 1) > 1)
        return;
    struct engine *e = b->engine;
    bool keep = arena_used(b->arena) <= POOL_KEEPS_BYTE;
    arena_reset(b->arena);
    pthread_mutex_lock(&e->lock);
    keep = keep && e->n_pool < POOL_MOST;
    if (keep) {
        b->next = e->pool;
        e->pool = b;
        e->n_pool++;
    }
    pthread_mutex_unlock(&e->lock);
    if (!keep) {
        arena_free(b->arena);
        free(b);
    }
}

/* ---- after the commit ---- */

static int64_t micro_since(const struct engine *e, int64_t ns) { return (e->c.clock.steady_ns() - ns) / 1000; }

/* The lease is over, whoever ended it. */
static void command_ended(struct command *c) {
    struct engine *e = c->batch->engine;
    bool suspect = c->job->suspect;
    ready_done(e->ready, c->job);
    if (suspect && ready_look(e->ready).suspects == 0)
        engine_nudge(e); /* more of them may be claimed */
    job_free(c->job);
    batch_release(c->batch);
    pthread_mutex_lock(&e->lock);
    if (--e->commands == 0)
        pthread_cond_broadcast(&e->quiet);
    pthread_mutex_unlock(&e->lock);
}

static void count_finish(struct engine *e, const struct command *c) {
    metric_add(e->m.outcome[c->run->outcome], 1);
    metric_add(e->m.delivery[DELIVERY_READY], (int64_t)c->run->n_delivery);
    histogram_add_us(e->m.end_to_end, (e->c.clock.wall_ms() - c->run->accepted_ms) * 1000);
    backlog_add(e->backlog, c->job->tenant, -1);
    if (c->run->n_delivery > 0)
        atomic_fetch_add(&e->deliveries, (int64_t)c->run->n_delivery);
}

static void count(struct engine *e, const struct command *c) {
    histogram_add_us(e->m.commit, micro_since(e, c->begun_ns));
    bool stale = c->kind == COMMAND_FINISH ? c->finish.stale : c->kind == COMMAND_PARK ? c->park.stale : c->giveback.stale;
    if (stale) {
        metric_add(e->m.stale, 1);
    } else if (c->kind == COMMAND_FINISH) {
        count_finish(e, c);
    } else if (c->kind == COMMAND_PARK) {
        metric_add(e->m.parked, 1);
        atomic_fetch_add(&e->asks, 1);
    } else {
        metric_add(c->giveback.dead ? e->m.dead : c->giveback.counted ? e->m.retried : e->m.waited, 1);
        if (c->giveback.dead)
            backlog_add(e->backlog, c->job->tenant, -1);
    }
}

static void submit_later(struct command *c) {
    struct engine *e = c->batch->engine;
    metric_add(e->m.resubmitted, 1);
    pthread_mutex_lock(&e->lock);
    c->next = e->again;
    e->again = c;
    pthread_mutex_unlock(&e->lock);
}

static struct lease lease_of(const struct job *job) {
    return (struct lease){.tenant = job->tenant, .lead = job->lead, .gen = job->gen, .fence = job->fence, .key = job->key};
}

static void command_done(struct write *w, err rc);

/* The store refuses this very command, and would again: a person must look at the lead. */
static void turn_into_dead(struct command *c) {
    const char *slug = err_slug();
    str reason = str_format(c->batch->arena, "the result could not be stored: %s", err_text());
    c->kind = COMMAND_GIVEBACK;
    c->giveback = (struct giveback){.write = {.done = command_done},
                                    .store = c->batch->engine->c.store,
                                    .lease = lease_of(c->job),
                                    .dead = true,
                                    .slug = str_cstr(c->batch->arena, str_from(slug)),
                                    .reason = reason};
}

static void command_done(struct write *w, err rc) {
    /* All three commands begin with their write. */
    struct command *c = (struct command *)((char *)w - offsetof(struct command, finish));
    struct engine *e = c->batch->engine;
    crash_point("command_done");
    if (rc == OK) {
        bool asks = c->kind == COMMAND_PARK;
        count(e, c);
        command_ended(c);
        if (asks)
            engine_nudge(e);
        return;
    }
    log_event(
        e->c.log, LOG_WARN, "commit_failed",
        LOG_FIELDS(log_text("slug", str_from(err_slug())), log_text("lead", c->job->lead), log_integer("tries", c->tries)));
    if (rc != ERR_AGAIN && rc != ERR_LIMIT && c->kind != COMMAND_GIVEBACK)
        turn_into_dead(c);
    submit_later(c);
}

struct submitting {
    struct command *command;
    struct sealer *sealer;
};

static err submit_guarded(void *ctx) {
    struct submitting *s = ctx;
    struct command *c = s->command;
    struct store *store = c->batch->engine->c.store;
    switch (c->kind) {
    case COMMAND_FINISH:
        return store_finish(store, s->sealer, &c->finish);
    case COMMAND_PARK:
        return store_park(store, s->sealer, &c->park);
    default:
        return store_giveback(store, &c->giveback);
    }
}

void engine_submit(struct command *c, struct sealer *sealer) {
    c->tries++;
    err rc = arena_run(c->batch->arena, submit_guarded, &(struct submitting){c, sealer});
    if (rc == OK)
        return;
    if (rc != ERR_AGAIN && rc != ERR_LIMIT && c->kind != COMMAND_GIVEBACK)
        turn_into_dead(c);
    submit_later(c);
}

/* ---- one run ---- */

struct executing {
    struct worker *worker;
    struct batch *batch;
    struct job *job;
    struct command *command;
    size_t stage;
    struct stage_timing timing;
    str timing_text, snapshot; /* in the batch's arena */
    const struct model_pin *pin;
};

static void begin_run(struct executing *x) {
    const struct job *job = x->job;
    struct run *run = x->command->run;
    *run = (struct run){.arena = x->worker->run,
                        .tenant = job->tenant,
                        .lead = job->lead,
                        .gen = job->gen,
                        .accepted_ms = job->accepted_ms,
                        .now_ms = x->worker->now_ms,
                        .deadline_ms = job->deadline_ms,
                        .cause = job->cause,
                        .body = job->body,
                        .state = job->state,
                        .pin = x->pin,
                        .scratch = x->worker->scratch,
                        .n_ask = job->n_ask};
    if (job->n_ask > 0)
        memcpy(run->ask, job->ask, job->n_ask * sizeof *job->ask);
}

/* Inside the guard of the run's arena: what is left of it is copied to the batch. */
static err step(void *ctx) {
    struct executing *x = ctx;
    struct run *run = x->command->run;
    if (x->job->fault)
        return fail(ERR_CORRUPT, x->job->fault, "what was stored of the lead cannot be read");
    TRY(pin_cache_get(x->worker->engine->pin_cache, x->job->pins, &x->pin));
    begin_run(x);
    crash_point_lead(x->job->body);
    TRY(stages_step(run, &x->stage, &x->timing));
    if (run_waits(run) && x->stage < n_stages)
        return OK;
    struct buf *snapshot = buf_in(x->worker->run, SNAPSHOT_MAX_BYTE);
    snapshot_write(run, snapshot);
    TRY(buf_check(snapshot));
    x->snapshot = buf_str(snapshot);
    x->timing_text = stages_timing_text(x->worker->run, &x->timing);
    return OK;
}

static void make_finish(struct executing *x) {
    struct command *c = x->command;
    struct arena *a = x->batch->arena;
    c->kind = COMMAND_FINISH;
    c->finish = (struct finish){.write = {.done = command_done},
                                .store = x->worker->engine->c.store,
                                .lease = lease_of(x->job),
                                .run = c->run,
                                .attempt = x->job->attempt,
                                .scored_ms = x->worker->now_ms,
                                .rescore_ms = c->run->rescore_ms,
                                .pins = x->job->pins,
                                .cause = x->job->cause,
                                .actor = STR("pipeline"),
                                .timing = str_copy(a, x->timing_text),
                                .snapshot = str_copy(a, x->snapshot),
                                .arena = a};
}

static void make_park(struct executing *x) {
    struct command *c = x->command;
    struct engine *e = x->worker->engine;
    struct run *run = c->run;
    int64_t until = x->worker->now_ms + e->c.ask_wait_ms;
    if (run->deadline_ms > 0 && run->deadline_ms < until)
        until = run->deadline_ms;
    for (size_t i = x->job->n_ask; i < run->n_ask; i++) {
        run->ask[i].name = str_copy(x->batch->arena, run->ask[i].name);
        run->ask[i].request = str_copy(x->batch->arena, run->ask[i].request);
    }
    c->kind = COMMAND_PARK;
    c->park = (struct park){.write = {.done = command_done},
                            .store = e->c.store,
                            .lease = lease_of(x->job),
                            .stage = (int64_t)x->stage,
                            .wait_ms = until,
                            .ask = run->ask + x->job->n_ask,
                            .n_ask = run->n_ask - x->job->n_ask,
                            .arena = x->batch->arena};
}

/* A run that failed: again later, or dead. A lead that fills its memory would do so again. */
static void make_giveback(struct executing *x, err rc) {
    struct worker *w = x->worker;
    const char *slug = err_slug();
    if (rc == ERR_LIMIT && str_equal(str_from(slug), STR("memory_limit")))
        rc = ERR_INPUT;
    struct retry_decision d = retry_decide(&w->engine->c.retry, rc, x->job->attempt, 0, &w->rng);
    x->command->kind = COMMAND_GIVEBACK;
    x->command->giveback = (struct giveback){.write = {.done = command_done},
                                             .store = w->engine->c.store,
                                             .lease = lease_of(x->job),
                                             .stage = (int64_t)x->stage,
                                             .run_ms = w->now_ms + d.delay_ms,
                                             .counted = d.verdict == RETRY_AGAIN,
                                             .dead = d.verdict == RETRY_DEAD,
                                             .slug = str_cstr(x->batch->arena, str_from(slug)),
                                             .reason = str_copy(x->batch->arena, str_from(err_text()))};
}

static void count_stages(struct engine *e, const struct executing *x) {
    for (size_t i = 0; i < n_stages; i++)
        if (x->timing.ns[i] > 0)
            histogram_add_us(e->m.stage[i], x->timing.ns[i] / 1000);
}

/* Inside the guard of the batch's arena. */
static err execute(void *ctx) {
    struct executing *x = ctx;
    struct worker *w = x->worker;
    struct engine *e = w->engine;
    x->command = ARENA_NEW(x->batch->arena, struct command);
    *x->command = (struct command){
        .job = x->job, .batch = x->batch, .run = ARENA_NEW(x->batch->arena, struct run), .begun_ns = e->c.clock.steady_ns()};
    x->timing.clock = &e->c.clock;
    err rc = arena_run(w->run, step, x);
    if (rc != OK)
        make_giveback(x, rc);
    else if (x->stage < n_stages)
        make_park(x);
    else
        make_finish(x);
    if (x->pin)
        pin_cache_release(e->pin_cache, x->pin);
    x->command->run->pin = NULL;
    count_stages(e, x);
    histogram_add_us(e->m.run, micro_since(e, x->command->begun_ns));
    arena_reset(w->run);
    return OK;
}

/* ---- the thread ---- */

/* The system has no memory for what a job needs: it waits in the queue again. */
static void put_back(struct engine *e, struct job *job) {
    ready_done(e->ready, job);
    job->next = NULL;
    ready_put(e->ready, job);
}

/* Takes a list of jobs through; then submits all, so that the batch's arena belongs to one thread at a time. */
static void work_on(struct worker *w, struct batch *b, struct job *first) {
    struct command *list = NULL, **end = &list;
    size_t n = 0;
    w->now_ms = w->engine->c.clock.wall_ms();
    while (first) {
        struct executing x = {.worker = w, .batch = b, .job = first};
        first = first->next;
        if (arena_run(b->arena, execute, &x) != OK) {
            put_back(w->engine, x.job);
            continue;
        }
        *end = x.command;
        end = &x.command->next;
        n++;
    }
    *end = NULL;
    crash_point("computed");
    pthread_mutex_lock(&w->engine->lock);
    w->engine->commands += n;
    pthread_mutex_unlock(&w->engine->lock);
    atomic_fetch_add(&b->open, n);
    while (list) {
        struct command *c = list;
        list = c->next;
        engine_submit(c, w->sealer);
    }
    atomic_store(&b->submitted, true);
    batch_release(b);
}

static void worker_free(struct worker *w) {
    if (!w)
        return;
    sealer_free(w->sealer);
    arena_free(w->run);
    arena_free(w->arena);
}

/* Everything a worker needs, in an arena that it owns. NULL when there is no memory. */
static struct worker *worker_new(struct engine *e) {
    struct arena *arena = arena_new(SCRATCH_BYTE);
    if (!arena)
        return NULL;
    struct worker *w = ARENA_NEW(arena, struct worker);
    *w = (struct worker){.engine = e, .arena = arena, .run = arena_new(e->c.run_byte), .scratch = scratch_new(arena)};
    w->rng = rng_from_seed(e->c.seed ^ (uint64_t)(uintptr_t)pthread_self());
    if (w->run && sealer_new(e->c.vault, &w->sealer) == OK)
        return w;
    worker_free(w);
    return NULL;
}

void *engine_work(void *engine) {
    struct engine *e = engine;
    struct worker *w = worker_new(e);
    if (!w) {
        log_event(e->c.log, LOG_ERROR, "worker_no_memory", NULL, 0);
        return NULL;
    }
    for (struct job *jobs; (jobs = ready_take(e->ready, e->c.batch));) {
        struct batch *b = batch_get(e);
        while (!b) { /* nothing is lost meanwhile: the jobs are leased */
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
            b = batch_get(e);
        }
        work_on(w, b, jobs);
    }
    worker_free(w);
    return NULL;
}

void engine_free_pool(struct engine *e) {
    while (e->pool) {
        struct batch *b = e->pool;
        e->pool = b->next;
        arena_free(b->arena);
        free(b);
    }
}
