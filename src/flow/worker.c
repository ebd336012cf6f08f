/* worker.c — a worker: takes jobs, takes each through its stages, submits the command that ends its lease. */
#include "flow/engine_priv.h"
#include "flow/snapshot.h"

#include "base/crash_point.h"
#include "base/utf8.h"

#include <time.h>

enum { SCRATCH_BYTE = 256 << 20 };

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

/* ---- one run ---- */

struct executing {
    struct worker *worker;
    struct batch *batch;
    struct job *job;
    struct command *command;
    size_t stage;
    struct stage_timing timing;
    str timing_text, snapshot; /* in the run's arena */
    size_t used_byte;          /* of it */
    const struct model_pin *pin;
};

/* A run that comes back with a question open has waited as long as it may: it goes on without the answer. */
static int64_t deadline_of(const struct job *job, int64_t now_ms) {
    for (size_t i = 0; i < job->n_ask; i++)
        if (!job->ask[i].answered && (job->deadline_ms <= 0 || job->deadline_ms > now_ms))
            return now_ms;
    return job->deadline_ms;
}

static void begin_run(struct executing *x) {
    const struct job *job = x->job;
    struct run *run = x->command->run;
    *run = (struct run){.arena = x->worker->run,
                        .tenant = job->tenant,
                        .lead = job->lead,
                        .gen = job->gen,
                        .accepted_ms = job->accepted_ms,
                        .now_ms = x->worker->now_ms,
                        .deadline_ms = deadline_of(job, x->worker->now_ms),
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
                                .lease = job_lease(x->job),
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
    for (size_t i = x->job->n_ask; i < run->n_ask; i++) {
        run->ask[i].name = str_copy(x->batch->arena, run->ask[i].name);
        run->ask[i].request = str_copy(x->batch->arena, run->ask[i].request);
    }
    c->kind = COMMAND_PARK;
    c->park = (struct park){.write = {.done = command_done},
                            .store = e->c.store,
                            .lease = job_lease(x->job),
                            .stage = (int64_t)x->stage,
                            .wait_ms = e->c.ask_wait_ms,
                            .until_ms = run->deadline_ms,
                            .ask = run->ask + x->job->n_ask,
                            .n_ask = run->n_ask - x->job->n_ask,
                            .arena = x->batch->arena};
}

/* A lead that fills the memory of its run would do so again. But the system may be short of it, or a model too large: that
 * is tried again. */
static err judge_memory(const struct executing *x, err rc) {
    if (rc != ERR_LIMIT || strcmp(err_slug(), "memory_limit") != 0)
        return rc;
    return x->pin && x->used_byte > x->worker->engine->c.run_byte / 2 ? ERR_INPUT : ERR_AGAIN;
}

/* A run that failed: again later, or dead. */
static void make_giveback(struct executing *x, err rc) {
    struct worker *w = x->worker;
    const char *slug = err_slug();
    rc = judge_memory(x, rc);
    struct retry_decision d = retry_decide(&w->engine->c.retry, rc, x->job->attempt, 0, &w->rng);
    x->command->kind = COMMAND_GIVEBACK;
    x->command->giveback =
        (struct giveback){.write = {.done = command_done},
                          .store = w->engine->c.store,
                          .lease = job_lease(x->job),
                          .stage = (int64_t)x->stage,
                          .delay_ms = d.delay_ms,
                          .counted = d.verdict == RETRY_AGAIN,
                          .dead = d.verdict == RETRY_DEAD,
                          .slug = str_cstr(x->batch->arena, str_from(slug)),
                          .reason = str_copy(x->batch->arena, utf8_repair(x->batch->arena, str_from(err_text())))};
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
    x->used_byte = arena_used(w->run);
    if (rc != OK)
        make_giveback(x, rc);
    else if (x->stage < n_stages)
        make_park(x);
    else
        make_finish(x);
    count_stages(e, x);
    histogram_add_us(e->m.run, engine_micro_since(e, x->command->begun_ns));
    return OK;
}

/* After the work on a run, however it ended. */
static void clean_up(struct executing *x) {
    struct worker *w = x->worker;
    if (x->pin)
        pin_cache_release(w->engine->pin_cache, x->pin);
    if (x->command && x->command->run)
        x->command->run->pin = NULL;
    arena_reset(w->run);
}

/* ---- the thread ---- */

static void pause_for_memory(void) { nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); }

/* The system has no memory for what a job needs: it waits in the queue again. */
static void put_back(struct engine *e, struct job *job) {
    ready_done(e->ready, job);
    job->next = NULL;
    ready_put(e->ready, job);
    pause_for_memory();
}

/* Takes a list of jobs through; then submits all, so that the batch's arena belongs to one thread at a time. */
static void work_on(struct worker *w, struct batch *b, struct job *first) {
    struct command *list = NULL, **end = &list;
    size_t n = 0;
    w->now_ms = w->engine->c.clock.wall_ms();
    while (first) {
        struct executing x = {.worker = w, .batch = b, .job = first};
        first = first->next;
        err rc = arena_run(b->arena, execute, &x);
        clean_up(&x);
        if (rc != OK) {
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
        command_submit(c, b->arena, w->sealer);
    }
    batch_release(b);
}

static void worker_free(struct worker *w) {
    sealer_free(w->sealer);
    arena_free(w->run);
    arena_free(w->arena);
}

static err make_scratch(void *ctx) {
    struct worker *w = ctx;
    w->scratch = scratch_new(w->arena);
    return w->scratch ? OK : ERR_LIMIT;
}

/* Everything a worker needs; false when there is no memory. */
static bool worker_make(struct worker *w, struct engine *e) {
    *w = (struct worker){.engine = e, .arena = arena_new(SCRATCH_BYTE), .run = arena_new(e->c.run_byte)};
    w->rng = rng_from_seed(e->c.seed ^ (uint64_t)(uintptr_t)pthread_self());
    if (w->arena && w->run && arena_run(w->arena, make_scratch, w) == OK && sealer_new(e->c.vault, &w->sealer) == OK)
        return true;
    worker_free(w);
    return false;
}

void *engine_work(void *engine) {
    struct engine *e = engine;
    struct worker w;
    while (!worker_make(&w, e)) {
        log_event(e->c.log, LOG_ERROR, "worker_no_memory", NULL, 0);
        if (engine_is_draining(e))
            return NULL;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    for (struct job *jobs; (jobs = ready_take(e->ready, e->c.batch));) {
        struct batch *b = batch_get(e);
        while (!b) { /* nothing is lost meanwhile: the jobs are leased */
            pause_for_memory();
            b = batch_get(e);
        }
        work_on(&w, b, jobs);
    }
    worker_free(&w);
    return NULL;
}
