/* timer.c — the heart, which keeps this process's leases; timers that score leads again; the sweep for what was lost.
 *
 * A thread of its own, so that busy workers never lose their leases. Intervals are those of the clock that does not jump. */
#include "flow/engine_priv.h"

#include "base/crash_point.h"

enum { TICK_MOST = 1000, SWEEP_BYTE = 64 << 20, SWEEP_GRACE_MS = 3600 * 1000 };

static void beat(struct engine *e) {
    crash_point("heartbeat");
    if (store_heartbeat(e->c.store) == OK)
        atomic_store(&e->beat_ns, e->c.clock.steady_ns());
    else
        log_event(e->c.log, LOG_ERROR, "heartbeat_failed", LOG_FIELDS(log_text("slug", str_from(err_slug()))));
}

/* Makes the runs that timers call for, a thousand at a time. */
static void tick(struct engine *e) {
    size_t n = TICK_MOST;
    while (n == TICK_MOST) {
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

static err sweep_guarded(void *ctx) {
    struct sweeping *s = ctx;
    struct engine *e = s->e;
    struct lead_view *lost;
    size_t n;
    pthread_mutex_lock(&e->reader_lock);
    err rc = store_lost(e->reader, s->arena, e->c.clock.wall_ms() - SWEEP_GRACE_MS, &lost, &n);
    pthread_mutex_unlock(&e->reader_lock);
    TRY(rc);
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

void *engine_beat(void *engine) {
    struct engine *e = engine;
    int64_t now_ns = e->c.clock.steady_ns();
    struct duty duty[] = {
        {beat, e->c.heartbeat_ms, now_ns + e->c.heartbeat_ms * 1000000},
        {tick, e->c.tick_ms, now_ns + e->c.tick_ms * 1000000},
        {sweep, e->c.sweep_ms, now_ns},
    };
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        pthread_mutex_unlock(&e->lock);
        int64_t next_ns = run_duties(e, duty, sizeof duty / sizeof *duty);
        int64_t ms = (next_ns - e->c.clock.steady_ns()) / 1000000 + 1;
        pthread_mutex_lock(&e->lock);
        if (!e->stopping && ms > 0)
            engine_wait(&e->heart_call, &e->lock, ms);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}
