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
    atomic_size_t open;     /* commands not yet durable, and one for each thread that submits some */
    struct arena *again;    /* the claimer's, for commands that it submits again; NULL at first */
    atomic_size_t repeated; /* commands that the store has and whose memory is in `again` */
    struct batch *next;     /* in the pool */
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
    bool repeated;        /* its memory is in batch->again */
    const char *refused;  /* slug: the store refuses it, and would again */
    char why[256];        /* and why */
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
    bool unknown, failed; /* of a delivery: an earlier try may have arrived; did not go well */
    char reason[64];
    atomic_int holds; /* threads that have it in hand: who submits, and the store */
    bool again, given_up, marked;
    struct arena_mark mark; /* of the arena before a commit was tried */
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
    struct store_reader *reader; /* behind reader_lock; for short reads */
    pthread_mutex_t reader_lock;

    pthread_t worker[ENGINE_MAX_WORKERS], claimer, heart, keeper;
    unsigned n_worker;
    bool claimer_runs, heart_runs, keeper_runs;

    pthread_mutex_t lock;            /* guards what follows */
    pthread_cond_t call;             /* the claimer's */
    bool nudged, draining, stopping; /* draining: nothing new is begun */
    struct command *again;           /* to be submitted again */
    struct exchanged *again_exchanged;
    size_t commands; /* submitted and not durable */
    struct batch *pool;
    size_t n_pool;
    pthread_cond_t quiet; /* commands fell to 0 */

    pthread_cond_t heart_call; /* and the keeper's */
    int64_t clock_offset_ms;   /* the keeper's: of the wall clock from the steady one */
    _Atomic int64_t beat_ns;   /* of the last heartbeat that was durable */
    _Atomic int64_t lost;
    _Atomic int64_t asks, deliveries;       /* under way, or not durable yet */
    atomic_bool more_asks, more_deliveries; /* more are due than were taken */
    atomic_bool doubtful;                   /* the store may have leased runs to us that we do not know of */

    struct target *lookup, *callback;
    pthread_mutex_t exchange_lock; /* guards what follows */
    struct sealer *exchange_sealer;
    struct rng exchange_rng;
};

/* worker.c: the thread of one worker. */
void *engine_work(void *engine);

/* command.c */
/* A batch that is open once, for who takes it; NULL when there is no memory. */
struct batch *batch_get(struct engine *e);
/* One command less, or who took it is done: the last one gives its memory back. */
void batch_release(struct batch *b);
/* Frees the batches that nobody uses. */
void engine_free_pool(struct engine *e);

struct lease job_lease(const struct job *job);

/* Hands a command to the store, with memory from `arena`; command_done, on the store's thread, ends it or sees to it that it
 * is submitted again. The batch must be held by the caller: when this returns the command may be gone. */
void command_submit(struct command *c, struct arena *arena, struct sealer *sealer);
void command_done(struct write *w, err rc);

/* Submits a command again that failed for now. On the claimer's thread, with its sealer. */
void engine_submit_again(struct command *c, struct sealer *sealer);

/* Frees commands that nobody will submit again. */
void engine_drop_commands(struct engine *e);

/* A failure of the store that passes: the same command may go well later. */
bool engine_passes(err rc);

/* True from engine_stop on. */
bool engine_is_draining(struct engine *e);

/* claimer.c: claims runs, asks and deliveries; submits again what failed. */
void *engine_claim(void *engine);

/* exchange.c */
/* A new one in an arena of its own, filled by prepare(), which may only run out of memory: that is waited for. NULL when the
 * engine stops meanwhile. */
struct exchanged *engine_exchange(struct engine *e, bool is_answer, err (*prepare)(struct exchanged *x, const void *ctx),
                                  const void *ctx);
void exchanged_free(struct exchanged *x);
/* Commits what came of it, again and again until it is durable; then frees it. */
void exchanged_commit(struct exchanged *x);
void exchanged_commit_again(struct engine *e);
/* When to try again, in the jitter of the engine; under its policy. */
struct retry_decision exchanged_decide(struct engine *e, const struct exchange *x, int64_t attempt);
/* What it means that a call could not be sent. */
struct exchange exchanged_unsent(struct engine *e, err rc);

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

/* asker.c, sender.c: take what is open and send it. True when there was as much as could be sent. */
bool engine_ask(struct engine *e);
bool engine_deliver(struct engine *e);

/* timer.c: the heart; and the keeper of timers and the sweep. */
void *engine_beat(void *engine);
void *engine_keep(void *engine);

/* backlog.c */
struct backlog *backlog_new(struct arena *a);
void backlog_load(struct backlog *b, const struct backlog_view *view, size_t n);
/* True when the tenant may have n more, under `most` (0: no limit) unless it has a limit of its own. Counts them when so. */
bool backlog_admit(struct backlog *b, str tenant, size_t n, int64_t most);
/* Of what was admitted, `admitted` is decided, and the tenant has `more` live runs. */
void backlog_settle(struct backlog *b, str tenant, size_t admitted, int64_t more);
int64_t backlog_total(struct backlog *b);
/* Something changed since it was loaded, or may have. */
bool backlog_is_old(struct backlog *b);

static inline int64_t engine_micro_since(const struct engine *e, int64_t ns) { return (e->c.clock.steady_ns() - ns) / 1000; }

/* Waits on `cond` under `lock` at most `ms`. */
void engine_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

#endif
