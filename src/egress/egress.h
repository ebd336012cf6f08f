/* egress.h — the one door out: calls are submitted from any thread, every rule is applied to each, and the answer comes to a
 * function.
 *
 * The rules, in this order: the address may be called (final address at the connection, redirections too) · consent and
 * region · cache, with one call for all who ask for the same · budget · rate limit, ours and what the other side says ·
 * circuit breaker · deadline · personal data the other side may not see · send · size limit while reading · what the answer
 * means · try again, within a retry budget · record.
 *
 * One thread of its own decides; libcurl's thread (net/http_client.h) moves the bytes; call-backs run on the deciding thread
 * and must not block. A call that waits holds no thread. Money is in micro-units of one currency. */
#ifndef GALENA_EGRESS_EGRESS_H
#define GALENA_EGRESS_EGRESS_H

#include "base/clock.h"
#include "egress/breaker.h"
#include "egress/budget.h"
#include "net/http.h"
#include "net/http_client.h"
#include "store/cache.h"

struct egress;

enum { EGRESS_MAX_FIELD = 60, EGRESS_MAX_RATE = 4 };

/* What an answer means. If you change this: egress_class_name. */
enum egress_class {
    EGRESS_OK,        /* what was asked for */
    EGRESS_EMPTY,     /* the other side knows nothing about it */
    EGRESS_THROTTLED, /* too fast: later, not counted as an attempt */
    EGRESS_QUOTA,     /* the quota of a day or month is used up: this credential rests */
    EGRESS_AUTH,      /* the credential is not accepted: it rests until it is renewed or a trial succeeds */
    EGRESS_PERMANENT, /* asking again does not help */
    EGRESS_TRANSIENT, /* a passing fault */
    EGRESS_UNKNOWN,   /* it may have arrived, and what became of it is not known */
    EGRESS_REFUSED,   /* it did not go out: one of our own rules */
    EGRESS_CLASS_COUNT
};
const char *egress_class_name(enum egress_class class); /* "ok", "empty", "throttled", ... */

/* Classes of personal data; a set is their sum. */
enum egress_personal {
    EGRESS_PERSONAL_NAME = 1,
    EGRESS_PERSONAL_EMAIL = 2,
    EGRESS_PERSONAL_PHONE = 4,
    EGRESS_PERSONAL_ADDRESS = 8,
    EGRESS_PERSONAL_NETWORK = 16, /* IP addresses, devices */
    EGRESS_PERSONAL_BEHAVIOUR = 32,
    EGRESS_PERSONAL_TEXT = 64, /* free text, in which anything may stand */
    EGRESS_PERSONAL_ALL = 127
};

/* ---- sources ---- */

/* At most `requests` at once, and that many in each per_ms (a token bucket). */
struct egress_rate {
    double requests;
    int64_t per_ms;
};

struct egress_source {
    const char *name;    /* "companies_house" */
    const char *regions; /* where its data goes, "eu us"; "" or NULL: not known, which no call that minds will accept */
    unsigned may_see;    /* classes of personal data it may see */
    struct egress_rate rate[EGRESS_MAX_RATE]; /* of each credential; all of them hold */
    size_t n_rate;
    unsigned max_in_flight;   /* of each credential; 0: 64 */
    int64_t timeout_ms;       /* of one attempt; 0: 30,000 */
    int64_t connect_ms;       /* 0: 5,000 */
    size_t max_body_byte;     /* of an answer; 0: 4 MiB */
    unsigned max_attempt;     /* 0: 3 */
    int64_t base_ms, cap_ms;  /* of the wait between attempts; 0: 250, 10,000 */
    int64_t quota_ms;         /* rest after EGRESS_QUOTA when the answer does not say; 0: 900,000 */
    int64_t auth_ms;          /* rest after EGRESS_AUTH; 0: 60,000 */
    struct budget_amount day; /* what may be spent a day by all; the amount of zeros: nothing that costs */
};

/* Enters a source, or replaces one of the same name for calls that come from now on; its breakers and counts stay. Copied.
 * ERR_INPUT "egress_source" (no name, or figures out of range), ERR_LIMIT "memory_limit". From any thread. */
err egress_source_set(struct egress *e, const struct egress_source *source) MUST_CHECK;

/* ---- calls ---- */

/* A header field. What is secret is masked in every text and zeroed after use. */
struct egress_field {
    str name, value;
    bool secret;
};

/* What came, for those who say what it means. Valid during the call. */
struct egress_response {
    int status;
    const struct http_field *header;
    size_t n_header;
    str body;
};

/* What it means. Filled with what the status and the headers say before `classify` may change it. */
struct egress_verdict {
    enum egress_class class;
    int64_t after_ms;          /* when to come again; 0: not said */
    int64_t left, reset_ms;    /* calls left, and how long that counts; -1: not said */
    struct budget_amount cost; /* what this attempt cost; -1 in a part: as the prices of the call say */
};

/* A request on its way out. `prepare` may replace url, body and fields by texts that live in the arena or in ctx: it leaves
 * out what is in `remove`, and puts credentials on, so that they exist only while a request is sent. */
struct egress_request {
    unsigned remove;  /* classes of personal data that the source may not see */
    unsigned attempt; /* from 1 */
    struct arena *arena;
    str method, url, body;
    struct egress_field field[EGRESS_MAX_FIELD];
    size_t n_field;
};

struct egress_answer;
struct egress_record;

/* Texts are copied by egress_submit; call-backs and ctx must stay until `done`. */
struct egress_call {
    str source, operation;
    str credential; /* a name, not the secret: the rate limit and the breaker are its own */
    str tenant, lead;
    str method, url;
    const struct egress_field *field; /* at most EGRESS_MAX_FIELD */
    size_t n_field;
    str body;

    str cache_key; /* of the request, without tenant and credential when the answer does not depend on them; empty: not
                      cached, nor shared */
    int64_t cache_ms, empty_cache_ms; /* how long EGRESS_OK and EGRESS_EMPTY are kept; 0: not */

    int64_t call_micro, hit_micro;              /* price of a call that was answered ok or empty, and of ok besides */
    int64_t max_token;                          /* reserved of the budgets' tokens; the verdict says how many were used */
    struct budget_amount tenant_day, lead_most; /* the limits of this tenant's day and of this lead */
    struct budget_amount lead_spent;            /* what the lead had cost before this process knew it */

    int64_t limit_ms; /* from submission to `done`, waits and retries included; 0: 60,000 */
    bool idempotent;  /* doing it twice is as good as once: it may be tried again when its outcome is not known. GET, HEAD,
                         PUT and DELETE are so without saying. */
    unsigned max_redirects; /* 0: a redirection is an answer like any other */
    unsigned personal;      /* classes of personal data in it */
    unsigned consent;       /* classes that may leave at all */
    str region;             /* the lead's data must stay here: "eu"; empty: anywhere */

    /* NULL: as the status says. */
    void (*classify)(void *ctx, const struct egress_response *response, struct egress_verdict *verdict);
    /* Called before each attempt goes out; a failure ends the call with it. NULL: the request is sent as it was submitted,
     * and not at all when it has personal data that the source may not see. */
    err (*prepare)(void *ctx, struct egress_request *r);
    void (*done)(void *ctx, const struct egress_answer *answer); /* called exactly once */
    void *ctx;
};

/* How a call ended. Valid during `done`.
 *
 *   class             rc            slug
 *   EGRESS_OK         OK
 *   EGRESS_EMPTY      ERR_ABSENT    egress_empty
 *   EGRESS_THROTTLED  ERR_LIMIT     egress_throttled: until after the deadline
 *   EGRESS_QUOTA      ERR_LIMIT     egress_quota
 *   EGRESS_AUTH       ERR_DENIED    egress_auth
 *   EGRESS_PERMANENT  ERR_INPUT     egress_permanent, or as http_result: not understood, too large, TLS
 *   EGRESS_TRANSIENT  ERR_AGAIN     egress_transient, or as http_result
 *   EGRESS_UNKNOWN    ERR_AGAIN     egress_unknown, or as http_result
 *   EGRESS_REFUSED    ERR_DENIED    http_address_refused, egress_consent, egress_region, egress_personal
 *                     ERR_LIMIT     egress_budget_lead, egress_budget_tenant, egress_budget_source, egress_rate,
 *                                   egress_resting_quota, egress_breaker
 *                     ERR_DENIED    egress_resting_auth
 *                     ERR_AGAIN     egress_deadline, egress_cancelled, egress_stopped
 *                     ERR_INPUT     http_bad_url, http_bad_field, egress_no_source, and what `prepare` said
 */
struct egress_answer {
    enum egress_class class;
    err rc;
    const char *slug, *text;         /* "" when OK; never with a secret or personal data in it */
    int status;                      /* 0: none came */
    const struct http_field *header; /* from the cache only Content-Type, Link, ETag and Last-Modified */
    size_t n_header;
    str body;
    bool cached, shared; /* from the cache; from a call of somebody else that was under way */
    int64_t age_ms;      /* of a cached answer */
    struct budget_amount cost;
    unsigned attempt; /* sent */
    int64_t elapsed_us, after_ms;
};

/* For the journal: one for each attempt that was sent, and one with attempt 0 for a call that ended without. Texts without
 * secrets and personal data. */
struct egress_record {
    str source, operation, credential, tenant, lead;
    enum egress_class class;
    const char *slug;
    int status;
    unsigned attempt;
    bool cached, last;
    struct budget_amount cost;
    bool uncertain; /* whether the cost was incurred is not known */
    int64_t begun_ms, elapsed_us;
    size_t out_byte, in_byte;
};

/* Submits a copy. On OK `done` is called once; *id (may be NULL) names it for egress_cancel. Else it is not called:
 * ERR_INPUT "egress_call" (no source, method, url or done, too many fields), ERR_LIMIT "egress_full" or "memory_limit",
 * ERR_CONFLICT "egress_stopping". From any thread, call-backs included. */
err egress_submit(struct egress *e, const struct egress_call *call, uint64_t *id) MUST_CHECK;

/* Runs fn(ctx) soon, once, on the deciding thread, where call-backs run: for work that shares what they use. ERR_CONFLICT
 * "egress_stopping", ERR_LIMIT "memory_limit": it will not run. From any thread. */
err egress_post(struct egress *e, void (*fn)(void *ctx), void *ctx) MUST_CHECK;

/* Ends the call soon, with egress_cancelled; does nothing when it has ended. From any thread. */
void egress_cancel(struct egress *e, uint64_t id);

/* ---- the door ---- */

struct egress_settings {
    unsigned max_calls;                /* submitted and not done; 0: 16,384 */
    unsigned max_in_flight;            /* on the wire; 0: 4,096 */
    unsigned max_connections_per_host; /* 0: no limit of its own */
    const struct address_range *allow; /* addresses that may be called though they are not public; copied */
    size_t n_allow;
    const char *ca_file;                                            /* NULL: the system's authorities */
    struct cache *cache;                                            /* shared by those who share rate limits and answers */
    struct budget *budget;                                          /* NULL: a book of its own */
    struct clock clock;                                             /* zeros: the machine's */
    uint64_t seed;                                                  /* of jitter; 0: from the clock */
    unsigned log_call;                                              /* how many calls the log on request keeps; 0: 256 */
    void (*journal)(void *ctx, const struct egress_record *record); /* NULL: none */
    void *journal_ctx;
    bool (*resolve)(void *ctx, str host, struct address *out); /* as in net/http_client.h; NULL: the system's */
    void *resolve_ctx;
};

/* ERR_AGAIN "http_client_start" or "egress_start", ERR_LIMIT "memory_limit". */
err egress_start(const struct egress_settings *settings, struct egress **out) MUST_CHECK;

/* Ends all calls with egress_stopped, waits until their functions have returned, frees it. Not to be called from a
 * call-back. NULL is allowed. */
void egress_stop(struct egress *e);

/* ---- what can be seen; from any thread ---- */

enum egress_health { EGRESS_IDLE, EGRESS_HEALTHY, EGRESS_DEGRADED, EGRESS_DOWN };
const char *egress_health_name(enum egress_health health);

/* A source, or with `credential` one of its credentials. */
struct egress_view {
    const char *source, *credential; /* in the arena; credential "" for the whole source */
    enum egress_health health;       /* of the last minutes: down while a breaker is open or a credential rests */
    enum breaker_state breaker;      /* the worst of its credentials */
    int64_t rest_ms;                 /* until it may be called again; 0: now */
    uint64_t calls, by_class[EGRESS_CLASS_COUNT];
    uint64_t attempts, retries, cached, shared;
    uint64_t waiting, in_flight;           /* now */
    double hit_rate;                       /* ok / (ok + empty), of the calls that were answered; -1: none were */
    double cache_rate;                     /* (cached + shared) / calls; -1: none */
    struct budget_amount spent, uncertain; /* since the start; what of it may not have been incurred */
    struct budget_amount spent_day;        /* of this process, today (UTC); sources only */
    int64_t p50_us, p95_us, p99_us;        /* of attempts; upper bounds of buckets */
    int64_t learned_left;                  /* calls the other side says are left; -1: it did not say */
};

/* One view for each source and for each of its credentials, by name. */
void egress_views(struct egress *e, struct arena *a, struct egress_view **views, size_t *n);

struct egress_counters {
    uint64_t submitted, done, open, in_flight, body_in_byte, body_out_byte, connections;
};
struct egress_counters egress_counters(struct egress *e);

/* The log on request: from egress_log_start to egress_log_stop each attempt leaves one line; the last ones are kept. Secrets
 * and all values of queries are masked; paths lose what could name a person. */
void egress_log_start(struct egress *e, str source); /* empty: all sources */
void egress_log_stop(struct egress *e);
void egress_log_read(struct egress *e, struct arena *a, str **lines, size_t *n); /* the oldest first */

#endif
