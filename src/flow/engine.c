/* engine.c — the engine's parts, made, started, stopped; and the gate through which leads come in. */
#include "flow/engine_priv.h"

#include "base/time.h"

#include <time.h>

struct engine_config engine_defaults(void) {
    return (struct engine_config){
        .workers = 1,
        .batch = 32,
        .max_job = 10000,
        .max_job_byte = (size_t)128 << 20,
        .run_byte = (size_t)64 << 20,
        .max_backlog = 1000000,
        .poll_ms = 250,
        .heartbeat_ms = 10000,
        .tick_ms = 60000,
        .sweep_ms = TIME_DAY_MS,
        .max_crash = 3,
        .retry = retry_defaults(),
        .ask_wait_ms = 60000,
        .lookup = {.timeout_ms = 10000, .max_in_flight = 64},
        .callback = {.timeout_ms = 10000, .max_in_flight = 64},
    };
}

/* ---- metrics ---- */

static const char *label(struct arena *a, const char *name, const char *value) {
    return str_format(a, "%s=\"%s\"", name, value).ptr;
}

static void register_counts(struct engine_metrics *m, struct metrics *x) {
    m->accepted = metrics_counter(x, "galena_leads_accepted_total", "Leads accepted by this process", "");
    m->parked = metrics_counter(x, "galena_runs_parked_total", "Runs that went to wait for answers", "");
    m->claimed = metrics_counter(x, "galena_runs_claimed_total", "Runs claimed from the store", "");
    m->retried =
        metrics_counter(x, "galena_runs_retried_total", "Attempts that failed and are repeated", "class=\"counted\"");
    m->waited = metrics_counter(x, "galena_runs_retried_total", "Attempts that failed and are repeated", "class=\"limit\"");
    m->dead = metrics_counter(x, "galena_runs_dead_total", "Runs that became dead letters", "");
    m->stale = metrics_counter(x, "galena_commits_stale_total", "Commits refused because the lease was lost", "");
    m->resubmitted = metrics_counter(x, "galena_commits_repeated_total", "Commits that failed for now and are repeated", "");
    m->recovered = metrics_counter(x, "galena_leases_expired_total", "Leases taken over from silent workers", "");
    m->buried = metrics_counter(x, "galena_runs_poison_total", "Runs given up because their workers died", "");
    m->backlog_refused = metrics_counter(x, "galena_backlog_refused_total", "Leads refused over a tenant's backlog", "");
    m->lost = metrics_gauge(x, "galena_leads_lost", "Accepted leads without an end or a run, by the last sweep", "");
    m->waiting = metrics_gauge(x, "galena_queue_jobs", "Runs in this process", "state=\"waiting\"");
    m->running = metrics_gauge(x, "galena_queue_jobs", "Runs in this process", "state=\"running\"");
    m->oldest = metrics_gauge(x, "galena_queue_oldest_milliseconds", "Age of the run that was due first", "");
}

static void register_metrics(struct engine *e) {
    static const char *const delivery[] = {"ready", "sent", "unknown", "done", "dead", "superseded"};
    struct engine_metrics *m = &e->m;
    struct metrics *x = e->c.metrics;
    register_counts(m, x);
    for (int k = 0; k < RUN_OUTCOME_COUNT; k++)
        m->outcome[k] = metrics_counter(x, "galena_runs_ended_total", "Runs that ended, by outcome",
                                        label(e->arena, "outcome", run_outcome_name((enum run_outcome)k)));
    for (int k = 0; k <= DELIVERY_SUPERSEDED; k++)
        m->delivery[k] = metrics_counter(x, "galena_deliveries_total", "Deliveries by what became of them",
                                         label(e->arena, "status", delivery[k]));
    for (size_t k = 0; k < n_stages; k++)
        m->stage[k] =
            metrics_histogram(x, "galena_stage_seconds", "Time in each stage", label(e->arena, "stage", stages[k].name));
    m->run = metrics_histogram(x, "galena_run_seconds", "Time of a run's computation", "");
    m->commit = metrics_histogram(x, "galena_commit_seconds", "From the end of a computation to its durable commit", "");
    m->end_to_end = metrics_histogram(x, "galena_end_to_end_seconds", "From acceptance to the end of a run", "");
}

static void collect(void *ctx) {
    struct engine *e = ctx;
    struct engine_view v = engine_look(e);
    metric_set(e->m.waiting, (int64_t)v.waiting);
    metric_set(e->m.running, (int64_t)v.running);
    metric_set(e->m.oldest, v.oldest_ms);
    metric_set(e->m.lost, v.lost);
}

/* ---- making ---- */

/* The store's reader is one thread's; pins are fetched seldom. */
static err fetch_artifact(void *ctx, struct arena *a, str kind, str id, str *content) {
    struct engine *e = ctx;
    str name;
    pthread_mutex_lock(&e->reader_lock);
    err rc = store_artifact(e->reader, a, kind, id, &name, content);
    pthread_mutex_unlock(&e->reader_lock);
    return rc;
}

static void destroy(void *ctx) {
    struct engine *e = ctx;
    ready_free(e->ready);
    engine_free_pool(e);
    sealer_free(e->exchange_sealer);
    pthread_cond_destroy(&e->call);
    pthread_cond_destroy(&e->heart_call);
    pthread_cond_destroy(&e->quiet);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->exchange_lock);
    pthread_mutex_destroy(&e->reader_lock);
}

/* Waits are measured by the clock that does not jump. */
static void init_condition(pthread_cond_t *c) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

static void init_locks(struct engine *e) {
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->exchange_lock, NULL);
    pthread_mutex_init(&e->reader_lock, NULL);
    init_condition(&e->call);
    init_condition(&e->heart_call);
    init_condition(&e->quiet);
}

static void set_pins(struct engine *e, str text) {
    str *copy = ARENA_NEW(e->arena, str);
    *copy = str_copy(e->arena, text);
    atomic_store(&e->pins_text, copy);
}

err engine_new(struct arena *a, const struct engine_config *c, struct engine **out) {
    struct engine *e = ARENA_NEW(a, struct engine);
    e->c = *c;
    e->arena = a;
    if (!e->c.metrics)
        e->c.metrics = metrics_new(a);
    init_locks(e);
    e->exchange_rng = rng_from_seed(c->seed ^ 4);
    arena_defer(a, destroy, e);
    set_pins(e, c->pins);
    const struct ready_limits limits = {c->max_job, c->max_job_byte, (size_t)c->max_running};
    if (!(e->ready = ready_new(&limits)))
        return fail(ERR_LIMIT, "memory_limit", "no memory for the queue");
    e->backlog = backlog_new(a);
    register_metrics(e);
    metrics_collect_with(e->c.metrics, collect, e);
    e->lookup = target_new(a, "lookup", &c->lookup, c->http, c->clock, c->seed ^ 1, e->c.metrics);
    e->callback = target_new(a, "callback", &c->callback, c->http, c->clock, c->seed ^ 2, e->c.metrics);
    TRY(sealer_new(c->vault, &e->exchange_sealer));
    TRY(store_reader_open(c->store, a, &e->reader));
    TRY(pin_cache_new(a, (struct pin_source){fetch_artifact, e}, 4, &e->pin_cache));
    *out = e;
    return OK;
}

/* ---- running ---- */

static err start_thread(pthread_t *thread, void *(*fn)(void *), void *ctx) {
    if (pthread_create(thread, NULL, fn, ctx) != 0)
        return fail(ERR_AGAIN, "engine_thread", "the system gives no more threads");
    return OK;
}

err engine_start(struct engine *e) {
    TRY(store_heartbeat(e->c.store));
    atomic_store(&e->beat_ns, e->c.clock.steady_ns());
    TRY(start_thread(&e->heart, engine_beat, e));
    e->heart_runs = true;
    TRY(start_thread(&e->claimer, engine_claim, e));
    e->claimer_runs = true;
    unsigned n = e->c.workers < ENGINE_MAX_WORKERS ? e->c.workers : ENGINE_MAX_WORKERS;
    for (; e->n_worker < n; e->n_worker++)
        TRY(start_thread(&e->worker[e->n_worker], engine_work, e));
    return OK;
}

void engine_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(cond, lock, &until);
}

static void wait_for_commands(struct engine *e, int64_t until_ns) {
    pthread_mutex_lock(&e->lock);
    while (e->commands > 0 && e->c.clock.steady_ns() < until_ns)
        engine_wait(&e->quiet, &e->lock, 50);
    pthread_mutex_unlock(&e->lock);
}

void engine_stop(struct engine *e, int64_t drain_ms) {
    int64_t until_ns = e->c.clock.steady_ns() + drain_ms * 1000000;
    ready_stop(e->ready);
    for (; e->n_worker > 0; e->n_worker--)
        pthread_join(e->worker[e->n_worker - 1], NULL);
    wait_for_commands(e, until_ns);
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_broadcast(&e->call);
    pthread_cond_broadcast(&e->heart_call);
    pthread_mutex_unlock(&e->lock);
    if (e->claimer_runs)
        pthread_join(e->claimer, NULL);
    if (e->heart_runs)
        pthread_join(e->heart, NULL);
    e->claimer_runs = e->heart_runs = false;
    store_reader_close(e->reader);
}

/* ---- the gate ---- */

err engine_admit(struct engine *e, str tenant, size_t n, size_t byte, bool *lease, int64_t *retry_after_ms) {
    if (!backlog_admit(e->backlog, tenant, n, e->c.max_backlog)) {
        metric_add(e->m.backlog_refused, (int64_t)n);
        *retry_after_ms = e->c.poll_ms > 1000 ? e->c.poll_ms : 1000;
        return fail(ERR_LIMIT, "backlog_full", "too many leads of this tenant wait; send more when they are done");
    }
    *lease = e->c.workers > 0 && ready_reserve(e->ready, n, byte);
    return OK;
}

void engine_accepted(struct engine *e, const struct accept *c, bool lease, size_t byte) {
    struct job *first = NULL, **end = &first;
    int64_t now_ms = e->c.clock.wall_ms();
    size_t fresh = 0, leased = 0;
    for (size_t i = 0; i < c->n && !c->replayed && !c->key_conflict; i++) {
        if (c->lead[i].verdict == ACCEPT_DUPLICATE)
            continue;
        fresh++;
        struct job *job = c->lead[i].leased ? job_from_accepted(c, &c->lead[i], now_ms) : NULL;
        if (job) {
            *end = job;
            end = &job->next;
            leased++;
        }
    }
    if (lease)
        ready_release(e->ready, c->n, byte);
    ready_put(e->ready, first);
    metric_add(e->m.accepted, (int64_t)fresh);
    backlog_add(e->backlog, c->tenant, (int64_t)fresh - (int64_t)c->n);
    if (leased < fresh)
        engine_nudge(e);
}

void engine_rejected(struct engine *e, str tenant, size_t n, bool lease, size_t byte) {
    if (lease)
        ready_release(e->ready, n, byte);
    backlog_add(e->backlog, tenant, -(int64_t)n);
}

str engine_pins(struct engine *e) { return *atomic_load(&e->pins_text); }

static err set_pins_guarded(void *ctx) {
    void **x = ctx;
    set_pins(x[0], *(str *)x[1]);
    return OK;
}

err engine_reload(struct engine *e, str pins) {
    /* The pin is loaded now: a model that cannot be read must not be what new runs are pinned to. */
    const struct model_pin *pin;
    TRY(pin_cache_get(e->pin_cache, pins, &pin));
    pin_cache_release(e->pin_cache, pin);
    void *x[2] = {e, &pins};
    return arena_run(e->arena, set_pins_guarded, x);
}

void engine_nudge(struct engine *e) {
    pthread_mutex_lock(&e->lock);
    if (!e->nudged) {
        e->nudged = true;
        pthread_cond_signal(&e->call);
    }
    pthread_mutex_unlock(&e->lock);
}

void engine_later(struct engine *e, struct later *l) {
    pthread_mutex_lock(&e->lock);
    l->next = e->later;
    e->later = l;
    pthread_mutex_unlock(&e->lock);
}

struct engine_view engine_look(struct engine *e) {
    struct ready_view r = ready_look(e->ready);
    struct engine_view v = {.waiting = r.waiting,
                            .running = r.running,
                            .suspects = r.suspects,
                            .deliveries = (size_t)atomic_load(&e->deliveries),
                            .asks = (size_t)atomic_load(&e->asks),
                            .lost = atomic_load(&e->lost)};
    int64_t age = r.oldest_due > 0 ? e->c.clock.wall_ms() - r.oldest_due : 0;
    v.oldest_ms = age > 0 ? age : 0;
    v.alive = e->c.clock.steady_ns() - atomic_load(&e->beat_ns) < 3 * e->c.heartbeat_ms * 1000000;
    v.lookup_open = target_state(e->lookup) == BREAKER_OPEN;
    v.callback_open = target_state(e->callback) == BREAKER_OPEN;
    pthread_mutex_lock(&e->lock);
    v.commands = e->commands;
    pthread_mutex_unlock(&e->lock);
    return v;
}
