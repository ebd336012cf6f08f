/* timer.c — the heart, which keeps this process's leases; and the keeper: timers that score leads again, the sweep for what
 * was lost.
 *
 * Threads of their own, so that neither busy workers nor long reading cost a lease. Intervals are those of the clock that
 * does not jump. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

enum { CLOCK_MS = 1000, CLOCK_BACK_MS = 2000, TICK_MOST = 1000, SWEEP_BYTE = 64 << 20, SWEEP_GRACE_MS = 3600 * 1000 };

static void beat(struct engine *e) {
    crash_point("heartbeat");
    if (store_heartbeat(e->c.store) == OK)
        atomic_store(&e->beat_ns, e->c.clock.steady_ns());
    else
        log_event(e->c.log, LOG_ERROR, "heartbeat_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
}

/* Attempts are due by the wall clock, which outlives this process; when it is set back, nothing waits for its old time. */
static void watch_clock(struct engine *e) {
    int64_t offset = e->c.clock.wall_ms() - e->c.clock.steady_ns() / 1000000, back = e->clock_offset_ms - offset;
    if (back >= CLOCK_BACK_MS) {
        int64_t wait = e->c.retry.cap_ms > e->c.ask_wait_ms ? e->c.retry.cap_ms : e->c.ask_wait_ms;
        log_event(e->c.log, LOG_WARN, "clock_back", LOG_FIELDS(log_integer("ms", back)));
        if (store_clock_back(e->c.store, e->c.clock.wall_ms() + back + wait) != OK)
            return; /* again next time */
        engine_nudge(e);
    }
    e->clock_offset_ms = offset;
}

/* Makes the runs that timers call for, a thousand at a time. */
static void tick(struct engine *e) {
    size_t n = 1;
    while (n > 0 && !engine_is_draining(e)) {
        if (store_tick(e->c.store, engine_pins(e), TICK_MOST, &n) != OK) {
            log_event(e->c.log, LOG_WARN, "tick_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
            return;
        }
        if (n > 0)
            engine_nudge(e);
    }
}

struct sweeping {
    struct engine *e;
    struct arena *arena;
};

/* With a reader of its own: it reads for long. */
static err sweep_guarded(void *ctx) {
    struct sweeping *s = ctx;
    struct engine *e = s->e;
    struct store_reader *reader;
    struct lead_view *lost;
    size_t n;
    TRY(store_reader_open(e->c.store, s->arena, &reader));
    TRY(store_lost(reader, s->arena, e->c.clock.wall_ms() - SWEEP_GRACE_MS, &lost, &n));
    atomic_store(&e->lost, (int64_t)n);
    for (size_t i = 0; i < n && i < 100; i++)
        log_event(e->c.log, LOG_ERROR, "lead_lost",
                  LOG_FIELDS(log_text("tenant", lost[i].tenant), log_text("lead", lost[i].lead)));
    log_event(e->c.log, n > 0 ? LOG_ERROR : LOG_INFO, "sweep", LOG_FIELDS(log_integer("lost", (int64_t)n)));
    return OK;
}

static void sweep(struct engine *e) {
    struct arena *arena = arena_new(SWEEP_BYTE);
    if (!arena)
        return;
    if (arena_run(arena, sweep_guarded, &(struct sweeping){e, arena}) != OK)
        log_event(e->c.log, LOG_WARN, "sweep_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
    arena_free(arena);
}

/* Something done every `every_ms`. */
struct duty {
    void (*fn)(struct engine *e);
    int64_t every_ms, next_ns;
};

static int64_t run_duties(struct engine *e, struct duty *duty, size_t n) {
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        if (e->c.clock.steady_ns() >= duty[i].next_ns) {
            duty[i].fn(e);
            duty[i].next_ns = e->c.clock.steady_ns() + duty[i].every_ms * 1000000;
        }
        first = duty[i].next_ns < first ? duty[i].next_ns : first;
    }
    return first;
}

static void run_until_stopped(struct engine *e, struct duty *duty, size_t n) {
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        pthread_mutex_unlock(&e->lock);
        int64_t next_ns = run_duties(e, duty, n);
        int64_t ms = (next_ns - e->c.clock.steady_ns()) / 1000000 + 1;
        pthread_mutex_lock(&e->lock);
        if (!e->stopping && ms > 0)
            engine_wait(&e->heart_call, &e->lock, ms);
    }
    pthread_mutex_unlock(&e->lock);
}

void *engine_beat(void *engine) {
    struct engine *e = engine;
    struct duty duty = {beat, e->c.heartbeat_ms, e->c.clock.steady_ns() + e->c.heartbeat_ms * 1000000};
    run_until_stopped(e, &duty, 1);
    return NULL;
}

void *engine_keep(void *engine) {
    struct engine *e = engine;
    int64_t now_ns = e->c.clock.steady_ns();
    struct duty duty[] = {{watch_clock, CLOCK_MS, now_ns},
                          {tick, e->c.tick_ms, now_ns + e->c.tick_ms * 1000000},
                          {sweep, e->c.sweep_ms, now_ns}};
    run_until_stopped(e, duty, sizeof duty / sizeof *duty);
    return NULL;
}
