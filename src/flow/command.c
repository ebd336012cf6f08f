/* command.c — the command that ends a job's lease, from its submission to the durable commit; repeated when that fails for
 * now. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH_BYTE = 256 << 20, AGAIN_BYTE = 256 << 20, POOL_MOST = 64, POOL_KEEPS_BYTE = 4 << 20 };

/* ---- batches ---- */

struct batch *batch_get(struct engine *e) {
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
    atomic_store(&b->repeated, 0);
    return b;
}

void batch_release(struct batch *b) {
    if (atomic_fetch_sub(&b->open, 1) > 1)
        return;
    struct engine *e = b->engine;
    bool keep = arena_used(b->arena) <= POOL_KEEPS_BYTE;
    arena_free(b->again);
    b->again = NULL;
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

void engine_free_pool(struct engine *e) {
    while (e->pool) {
        struct batch *b = e->pool;
        e->pool = b->next;
        arena_free(b->arena);
        free(b);
    }
}

/* ---- after the commit ---- */

/* The lease is over, whoever ended it. */
static void command_ended(struct command *c) {
    struct engine *e = c->batch->engine;
    bool suspect = c->job->suspect;
    ready_done(e->ready, c->job);
    job_free(c->job);
    batch_release(c->batch);
    pthread_mutex_lock(&e->lock);
    if (--e->commands == 0)
        pthread_cond_broadcast(&e->quiet);
    pthread_mutex_unlock(&e->lock);
    if (suspect) /* the next one may come */
        engine_nudge(e);
}

static void count_finish(struct engine *e, const struct command *c) {
    metric_add(e->m.outcome[c->run->outcome], 1);
    metric_add(e->m.delivery[DELIVERY_READY], (int64_t)c->run->n_delivery);
    histogram_add_us(e->m.end_to_end, (e->c.clock.wall_ms() - c->run->accepted_ms) * 1000);
    backlog_settle(e->backlog, c->job->tenant, 0, -1);
}

static void count(struct engine *e, const struct command *c) {
    histogram_add_us(e->m.commit, engine_micro_since(e, c->begun_ns));
    bool stale = c->kind == COMMAND_FINISH ? c->finish.stale : c->kind == COMMAND_PARK ? c->park.stale : c->giveback.stale;
    if (stale) {
        metric_add(e->m.stale, 1);
    } else if (c->kind == COMMAND_FINISH) {
        count_finish(e, c);
    } else if (c->kind == COMMAND_PARK) {
        metric_add(e->m.parked, 1);
    } else {
        metric_add(c->giveback.dead ? e->m.dead : c->giveback.counted ? e->m.retried : e->m.waited, 1);
        if (c->giveback.dead)
            backlog_settle(e->backlog, c->job->tenant, 0, -1);
    }
}

/* There is something to be sent now, or the next suspects may come. */
static bool calls_claimer(const struct engine *e, const struct command *c) {
    if (c->job->suspect)
        return true;
    if (c->kind == COMMAND_PARK)
        return target_is_set(e->lookup);
    return c->kind == COMMAND_FINISH && c->run->n_delivery > 0 && !e->c.hold_deliveries && target_is_set(e->callback);
}

static void submit_later(struct command *c) {
    struct engine *e = c->batch->engine;
    metric_add(e->m.resubmitted, 1);
    pthread_mutex_lock(&e->lock);
    c->next = e->again;
    e->again = c;
    pthread_mutex_unlock(&e->lock);
}

/* Failed: for now, or the store refuses this very command, and would again. The batch's memory is not touched: its arena may
 * be another thread's just now. */
static void command_failed(struct command *c, err rc) {
    const struct engine *e = c->batch->engine;
    if (!engine_passes(rc)) {
        c->refused = err_slug();
        snprintf(c->why, sizeof c->why, "the result could not be stored: %s", err_text());
    }
    if ((c->tries & (c->tries - 1)) == 0) /* 1, 2, 4, ... */
        log_event(e->c.log, LOG_WARN, "commit_failed",
                  LOG_FIELDS(log_text("slug", str_from(err_slug())), log_text("lead", c->job->lead),
                             log_integer("tries", c->tries)));
    submit_later(c);
}

void command_done(struct write *w, err rc) {
    /* All three commands begin with their write. */
    struct command *c = (struct command *)((char *)w - offsetof(struct command, finish));
    struct engine *e = c->batch->engine;
    crash_point("command_done");
    if (c->repeated)
        atomic_fetch_sub(&c->batch->repeated, 1);
    if (rc != OK) {
        command_failed(c, rc);
        return;
    }
    bool calls = calls_claimer(e, c);
    count(e, c);
    command_ended(c);
    if (calls)
        engine_nudge(e);
}

struct lease job_lease(const struct job *job) {
    return (struct lease){.tenant = job->tenant, .lead = job->lead, .gen = job->gen, .fence = job->fence, .key = job->key};
}

/* A person must look at the lead. What the reason says was the fault perhaps, when that is refused as well. */
static void turn_into_dead(struct command *c) {
    bool again = c->kind == COMMAND_GIVEBACK;
    const char *slug = again ? "commit_refused" : c->refused;
    c->kind = COMMAND_GIVEBACK;
    c->giveback = (struct giveback){.write = {.done = command_done},
                                    .store = c->batch->engine->c.store,
                                    .lease = job_lease(c->job),
                                    .dead = true,
                                    .slug = slug,
                                    .reason = again ? STR("the store refuses what became of this lead") : str_from(c->why)};
    c->refused = NULL;
}

struct submitting {
    struct command *command;
    struct arena *arena;
    struct sealer *sealer;
};

static err submit_guarded(void *ctx) {
    struct submitting *s = ctx;
    struct command *c = s->command;
    struct store *store = c->batch->engine->c.store;
    switch (c->kind) {
    case COMMAND_FINISH:
        c->finish.arena = s->arena;
        return store_finish(store, s->sealer, &c->finish);
    case COMMAND_PARK:
        c->park.arena = s->arena;
        return store_park(store, s->sealer, &c->park);
    default:
        return store_giveback(store, &c->giveback);
    }
}

void command_submit(struct command *c, struct arena *arena, struct sealer *sealer) {
    c->tries++;
    err rc = arena_run(arena, submit_guarded, &(struct submitting){c, arena, sealer});
    if (rc == OK)
        return;
    if (c->repeated)
        atomic_fetch_sub(&c->batch->repeated, 1);
    command_failed(c, rc);
}

/* In memory of the claimer's own, which is emptied when the store holds none of it: repeating for hours costs nothing. */
void engine_submit_again(struct command *c, struct sealer *sealer) {
    struct batch *b = c->batch;
    atomic_fetch_add(&b->open, 1);
    if (!b->again)
        b->again = arena_new(AGAIN_BYTE);
    else if (atomic_load(&b->repeated) == 0)
        arena_reset(b->again);
    if (b->again) {
        if (c->refused)
            turn_into_dead(c);
        c->repeated = true;
        atomic_fetch_add(&b->repeated, 1);
        command_submit(c, b->again, sealer);
    } else {
        submit_later(c);
    }
    batch_release(b);
}

void engine_drop_commands(struct engine *e) {
    while (e->again) {
        struct command *c = e->again;
        e->again = c->next;
        job_free(c->job);
        batch_release(c->batch);
    }
}
