/* engine_priv.h — what the parts of the engine share. */
#ifndef GALENA_FLOW_ENGINE_PRIV_H
#define GALENA_FLOW_ENGINE_PRIV_H

#include "flow/engine.h"
#include "flow/ready.h"
#include "flow/stages.h"
#include "store/seal.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { ENGINE_MAX_WORKERS = 64 };

/* Memory of the jobs that a worker takes at once: lives until the last of their commands is durable. */
struct batch {
    struct engine *engine;
    struct arena *arena;
    atomic_size_t open;    /* commands not yet durable, and one for the worker */
    atomic_bool submitted; /* the worker is done with it: another thread may use the arena */
    struct batch *next;    /* in the pool */
};

enum command_kind { COMMAND_FINISH, COMMAND_PARK, COMMAND_GIVEBACK };

/* The one command that ends a job's lease. */
struct command {
    enum command_kind kind;
    union {
        struct finish finish;
        struct park park;
        struct giveback giveback;
    };
    struct job *job;
    struct batch *batch;
    struct run *run;
    int64_t begun_ns;
    unsigned tries;
    struct command *next; /* among those to be submitted again */
};

/* An exchange with an outside party, from its claim in the store to the durable commit of what came of it. */
struct exchanged {
    union {
        struct write write; /* both below begin with one */
        struct ask_answer answer;
        struct delivery_done delivered;
    };
    bool is_answer;
    struct engine *engine;
    struct arena *arena; /* holds this struct as well */
    str key, body;
    int64_t attempt;
    bool unknown, failed;   /* of a delivery: an earlier try may have arrived; did not go well */
    struct exchanged *next; /* among those to be committed again */
};

struct engine_metrics {
    struct metric *accepted, *outcome[RUN_OUTCOME_COUNT], *parked, *retried, *waited, *dead, *stale, *resubmitted,
        *recovered, *buried, *claimed, *lost, *waiting, *running, *oldest, *backlog_refused,
        *delivery[DELIVERY_SUPERSEDED + 1];
    struct histogram *stage[STAGE_MAX], *run, *end_to_end, *commit;
};

/* What a tenant has alive, so that its backlog can be bounded without asking the store each time. */
struct backlog;

struct engine {
    struct engine_config c;
    struct arena *arena;
    struct engine_metrics m;
    struct ready *ready;
    struct backlog *backlog;
    struct pin_cache *pin_cache;
    _Atomic(const str *) pins_text;
    struct store_reader *reader; /* for artifacts; behind reader_lock */
    pthread_mutex_t reader_lock;

    pthread_t worker[ENGINE_MAX_WORKERS], claimer, heart;
    unsigned n_worker;
    bool claimer_runs, heart_runs;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t call;  /* the claimer's */
    bool nudged, stopping;
    struct command *again; /* to be submitted again */
    struct exchanged *again_exchanged;
    struct later *later;
    size_t commands; /* submitted and not durable */
    struct batch *pool;
    size_t n_pool;
    pthread_cond_t quiet; /* commands fell to 0 */

    pthread_cond_t heart_call;
    _Atomic int64_t beat_ns; /* of the last heartbeat that was durable */
    _Atomic int64_t lost, asks, deliveries;

    struct target *lookup, *callback;
    pthread_mutex_t exchange_lock; /* guards what follows */
    struct sealer *exchange_sealer;
    struct rng exchange_rng;
};

/* worker.c: the thread of one worker. */
void *engine_work(void *engine);

/* Frees the batches that nobody uses. */
void engine_free_pool(struct engine *e);

/* Submits a command again that failed for now; `sealer` is the calling thread's. */
void engine_submit(struct command *c, struct sealer *sealer);

/* claimer.c: claims runs, asks and deliveries; submits again what failed. */
void *engine_claim(void *engine);

/* exchange.c */
/* A new one in an arena of its own, or NULL. */
struct exchanged *exchanged_new(struct engine *e, bool is_answer);
void exchanged_free(struct exchanged *x);
/* Commits what came of it, again and again until it is durable; then frees it. */
void exchanged_commit(struct exchanged *x);
void exchanged_commit_again(struct engine *e);
/* When to try again, in the jitter of the engine; under its policy. */
struct retry_decision exchanged_decide(struct engine *e, const struct exchange *x, int64_t attempt);

/* A claim that its thread waits for. */
struct awaited {
    union {
        struct write write; /* all of them begin with one */
        struct claim claim;
        struct ask_claim asks;
        struct delivery_claim deliveries;
    };
    sem_t done;
    err rc;
    const char *slug;
};
/* Submits and waits until it is done. */
err engine_await(struct awaited *x, err (*submit)(struct awaited *x)) MUST_CHECK;

/* The answer to its commit was lost: what it claimed is ours, perhaps. */
bool engine_claimed_perhaps(const struct awaited *x);

/* asker.c, sender.c: take what is open and send it. True when there was as much as could be sent. */
bool engine_ask(struct engine *e);
bool engine_deliver(struct engine *e);

/* timer.c: heartbeats, timers, the sweep. */
void *engine_beat(void *engine);

/* backlog.c */
struct backlog *backlog_new(struct arena *a);
void backlog_load(struct backlog *b, const struct backlog_view *view, size_t n);
/* True when the tenant may have n more, under `most` (0: no limit) unless it has a limit of its own. Counts them when so. */
bool backlog_admit(struct backlog *b, str tenant, size_t n, int64_t most);
void backlog_add(struct backlog *b, str tenant, int64_t n);
int64_t backlog_total(struct backlog *b);

/* Waits on `cond` under `lock` at most `ms`. */
void engine_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

#endif
