/* egress_priv.h — what the files of the door share: calls, sources with their lanes, flights, and who may touch what.
 *
 * A call belongs to the deciding thread from egress_submit's end of the inbox until it is freed there. Lanes and sources are
 * only ever added; what others read of them is atomic. */
#ifndef GALENA_EGRESS_EGRESS_PRIV_H
#define GALENA_EGRESS_EGRESS_PRIV_H

#include "egress/answer_form.h"

#include "base/metrics.h"
#include "base/rng.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NAME_BYTE = 128, FLIGHT_NAME_BYTE = 67, MAX_LINE = 3 };

/* ---- counts; written by the deciding thread, read by all ---- */

struct stats {
    atomic_uint_fast64_t calls, class[EGRESS_CLASS_COUNT], attempts, retries, cached, shared, waiting, in_flight;
    _Atomic int64_t micro, token, uncertain_micro, uncertain_token;
    _Atomic int64_t failing_ppm; /* moving share of attempts that failed */
    _Atomic int64_t last_ms;     /* steady clock, of the last attempt; 0: never */
    struct histogram latency;
};

/* ---- sources and lanes ---- */

struct source_config {
    struct source_config *next; /* older ones, kept until the end for calls that hold them */
    struct egress_source s;
    char *regions;
};

struct lane;

struct source {
    struct source *next;
    char name[NAME_BYTE + 1];
    _Atomic(struct source_config *) config; /* the newest */
    _Atomic(struct lane *) lane;
    struct stats stats;
    int64_t window_ms; /* of the retry budget */
    unsigned calls, retries;
};

enum rest { REST_NONE, REST_QUOTA, REST_AUTH };

/* One credential of a source: what waits, and how fast it may go out. */
struct lane {
    struct lane *next;
    struct source *source;
    char credential[NAME_BYTE + 1];
    struct stats stats;
    struct call *first, *last; /* that wait to be sent */
    unsigned in_flight;
    int64_t wake_ms;                  /* when it is looked at again by itself; INT64_MAX: when something happens */
    int64_t hold_ms;                  /* throttled until; steady clock, as all here */
    int64_t seen_ms;                  /* when others' hold was looked up */
    unsigned throttled, refused_auth; /* in a row */
    struct breaker breaker;
    enum rest rest;
    _Atomic int64_t rest_until_ms;
    _Atomic int breaker_state;
    _Atomic int64_t breaker_until_ms;
    _Atomic int64_t left; /* that the other side still allows; -1: it did not say */
    int64_t left_until_ms;
};

/* ---- calls ---- */

enum stage { STAGE_NEW, STAGE_CLAIMING, STAGE_FOLLOWING, STAGE_WAITING, STAGE_FLYING, STAGE_PAUSING, STAGE_ENDED };

/* What the HTTP client brought, in a block of its own. */
struct arrival {
    void *block; /* NULL: no memory for it */
    err rc;
    const char *slug, *text;
    bool ambiguous;
    int status;
    const struct http_field *header;
    size_t n_header;
    str body;
    int64_t elapsed_us;
};

/* Who asks for one answer: the leader is on its way, the others follow. */
struct flight {
    struct flight *next; /* in its bucket */
    char name[FLIGHT_NAME_BYTE];
    struct call *leader, *first, *last; /* followers */
    bool claimed;
    uint64_t token;
};

struct call {
    struct call *next, *prev; /* in inbox, lane, flight's followers, or ready list */
    struct call *arrived;     /* in the list of arrivals */
    struct egress *egress;
    struct egress_call c; /* texts stand behind the struct */
    struct egress_field *field;
    str lead_account;
    uint64_t id, http_id;
    size_t size;
    struct source *source;
    const struct source_config *config;
    struct lane *lane;
    struct flight *flight;
    enum stage stage;
    bool cancelled;          /* under the lock */
    bool in_http;            /* an arrival will come */
    bool reserved, allowed;  /* of the budget; by the breaker */
    bool late;               /* ended by its deadline while in flight */
    unsigned taken;          /* bits of the rates whose token it has */
    unsigned attempt, tries; /* sent; those that count */
    int64_t day, poll_ms;
    struct budget_amount most, cost;
    int64_t submitted_ns, begun_wall_ms, begun_ns, deadline_ns, timer_ns;
    size_t heap_at, out_byte; /* heap_at: 1.. */
    struct arrival arrival;
};

struct log_ring;

/* Something else to do on the deciding thread. */
struct task {
    struct task *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct egress {
    struct egress_settings s;
    struct http_client *http;
    struct cache *own_cache;
    struct budget *own_budget;
    struct clock clock;
    struct rng rng;
    pthread_t thread;
    struct arena *cache_arena, *send_arena; /* the thread's */
    struct log_ring *log;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct call *inbox, *inbox_last, *arrivals, *arrivals_last;
    struct task *task, *task_last;
    struct call **slot;
    uint32_t *generation;
    uint32_t *free_slot;
    size_t n_free;
    bool stopping, any_cancel;
    _Atomic(struct source *) source;

    /* the thread's */
    struct call **heap; /* by timer_ns; from 1 */
    size_t n_heap;
    struct call *ready, *ready_last; /* leaders that took over */
    struct flight **flight;
    size_t n_flight_bucket;
    size_t alive; /* calls not freed */
    bool ending;  /* all calls were told that it stops */
    atomic_uint_fast64_t submitted, done;
};

static inline int64_t steady_ms(const struct egress *e) { return e->clock.steady_ns() / 1000000; }
static inline void bump(atomic_uint_fast64_t *n) { atomic_fetch_add_explicit(n, 1, memory_order_relaxed); }

/* ---- egress.c ---- */
void call_free(struct call *c);
/* The call is looked at again at that time (or its deadline, when that is earlier). */
void timer_set(struct call *c, int64_t at_ns);
void timer_clear(struct call *c);
void ready_add(struct egress *e, struct call *c);

/* ---- source.c ---- */
struct source *source_find(struct egress *e, str name);
struct lane *lane_find(struct source *s, str credential); /* made when it is not there; NULL without memory */
void sources_free(struct egress *e);
bool source_may_retry(struct source *s, int64_t now_ms, bool retry);

/* ---- rules.c: from a new call to the lane ---- */
void rules_begin(struct call *c);   /* guard, consent, cache */
void rules_claim(struct call *c);   /* another process makes the answer: is it there? */
void rules_proceed(struct call *c); /* budget, then the lane */
void budget_release(struct call *c, struct budget_amount spent);
void flight_end(struct call *c, const struct egress_answer *answer, bool own);
void flight_leave(struct call *c);

/* ---- lane.c ---- */
void lane_enter(struct call *c, bool front);
void lane_leave(struct call *c);
void lane_pump(struct lane *l);
void lane_judge(struct lane *l, const struct call *c, enum egress_class class, const struct egress_verdict *v);
void lane_show(struct lane *l);

/* ---- attempt.c ---- */
bool attempt_send(struct call *c); /* false: it ended instead */
void attempt_arrived(struct call *c);

/* ---- answer.c ---- */
/* Ends a call. `own`: for a reason of its own, so that one who follows may try in its place. */
void call_end(struct call *c, enum egress_class class, err rc, const char *slug, const char *text, bool own);
void call_answer(struct call *c, struct egress_answer *answer, bool own);
/* As call_end with the failure recorded for this thread. */
void call_refuse(struct call *c, err rc, bool own);
void record_attempt(struct call *c, enum egress_class class, const char *slug, struct budget_amount cost, bool uncertain,
                    bool last, bool cached);
bool answer_cached(struct call *c, struct egress_answer *out); /* lives in the cache's arena */
void answer_keep(struct call *c, const struct egress_answer *a);

/* ---- call_log.c ---- */
struct log_ring *log_new(size_t n);
void log_free(struct log_ring *l);
bool log_wants(struct log_ring *l, str source);
/* A URL without what could name a person or open a door. */
void log_mask_url(struct buf *to, str url, bool personal);
void log_attempt(struct call *c, enum egress_class class, const char *slug, struct budget_amount cost);

#endif
