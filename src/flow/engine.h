/* engine.h — takes runs through the stages, durably: workers, claims, retries, questions, deliveries, timers.
 *
 * A run is leased to this process, either from birth (engine_admit said there is room) or by a claim. A worker takes it
 * through its pure stages in memory and submits one command: its end, its parking, or its return. Only that commit counts;
 * its fence makes a commit by somebody who has lost the lease a no-op. So a crash at any moment repeats computation and
 * nothing else.
 *
 * Threads: workers, one that claims and sends, one that beats the heart, one that keeps the timers, and those of the store's
 * writer and of the HTTP client, which call back. */
#ifndef GALENA_FLOW_ENGINE_H
#define GALENA_FLOW_ENGINE_H

#include "base/log.h"
#include "base/metrics.h"
#include "flow/pin.h"
#include "egress/retry.h"
#include "flow/target.h"
#include "store/store.h"

struct engine;

/* The names of the targets in pins. */
#define ENGINE_LOOKUP   "lookup"
#define ENGINE_CALLBACK "callback"

struct engine_config {
    struct store *store;
    struct vault *vault;
    struct clock clock;
    const struct log *log;   /* may be NULL */
    struct metrics *metrics; /* may be NULL */
    str pins;                /* the text of what new runs are pinned to (flow/pin.h) */
    struct http_client *http;
    unsigned workers;                 /* 0: this process accepts, and neither works nor asks nor delivers */
    unsigned batch;                   /* jobs a worker takes at once */
    size_t max_job, max_job_byte;     /* in memory */
    size_t run_byte;                  /* limit of a run's arena */
    int64_t max_backlog, max_running; /* of a tenant; 0: no limit */
    int64_t poll_ms;                  /* between looks at the store when nothing calls for one; longer when idle */
    int64_t heartbeat_ms, tick_ms, sweep_ms;
    int64_t max_crash;
    struct retry_policy retry; /* of stages, questions and deliveries */
    int64_t ask_wait_ms;       /* how long a run waits for answers */
    struct target_settings lookup, callback;
    bool hold_deliveries; /* they are promised and kept, and none is sent */
    uint64_t seed;        /* of the jitter */
};

/* Defaults for everything but store, vault, clock, pins and http. */
struct engine_config engine_defaults(void);

/* Lives in `a`; the configuration is copied, what it points to must outlive the engine. */
err engine_new(struct arena *a, const struct engine_config *c, struct engine **out) MUST_CHECK;

/* Starts the threads. ERR_AGAIN "engine_thread". */
err engine_start(struct engine *e) MUST_CHECK;

/* Stops claiming; lets workers finish the runs they are at, and waits at most drain_ms for their commits and for answers
 * that are under way. Then no thread of the engine runs any more. store_close gives the leases of what nobody began back. */
void engine_stop(struct engine *e, int64_t drain_ms);

/* May n more leads of the tenant come in? ERR_LIMIT "backlog_full", with *retry_after_ms: the tenant is over its backlog.
 * *lease: there is room to work on them at once: they may be accepted born leased, and engine_accepted or engine_rejected
 * must follow. */
err engine_admit(struct engine *e, str tenant, size_t n, size_t byte, bool *lease, int64_t *retry_after_ms) MUST_CHECK;

/* From accept's done, OK: born-leased runs go to the workers, others call for a claim. `lease` and `byte` as they were at
 * admission. */
void engine_accepted(struct engine *e, const struct accept *c, bool lease, size_t byte);

/* The accept failed: gives back what was reserved. */
void engine_rejected(struct engine *e, str tenant, size_t n, bool lease, size_t byte);

/* Call it, beside engine_rejected, when an accept of born-leased leads ended in "commit_unknown": the store may hold runs as
 * ours that nobody works on. All of this process's leases are given back soon; work under way is thrown away, none lost. */
void engine_doubt(struct engine *e);

/* What new runs are pinned to now, and another text for those that come from now on. */
str engine_pins(struct engine *e);
err engine_reload(struct engine *e, str pins) MUST_CHECK;

/* Other addresses, secrets and bounds for questions and deliveries that go out from now on, those that wait included. */
void engine_retarget(struct engine *e, const struct target_settings *lookup, const struct target_settings *callback);

/* Something became ready: look at the store soon. */
void engine_nudge(struct engine *e);

struct engine_view {
    size_t waiting, running, suspects, commands, deliveries, asks; /* the last two: under way */
    int64_t oldest_ms;               /* age of the job that was due first; 0 when nothing waits */
    int64_t lost;                    /* by the last sweep */
    bool alive;                      /* the heart beats: the last beat is younger than its lease */
    bool lookup_open, callback_open; /* breakers */
};
struct engine_view engine_look(struct engine *e);

#endif
