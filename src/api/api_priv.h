/* api_priv.h — what the parts of the API share.
 *
 * A handler makes an answer in its call (api_answer, api_problem, document_send) and returns; the answer is sent when it has
 * returned, because from then on the call and its memory may be gone. A handler that is answered later sets *c->later before
 * it hands the call to whoever will call api_send, and touches it no more. */
#ifndef GALENA_API_API_PRIV_H
#define GALENA_API_API_PRIV_H

#include "api/api.h"
#include "base/json.h"
#include "store/seal.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    API_ANSWER_BYTE = 64 << 20,
    API_BATCH_LEADS = 1000,
    API_BATCH_OUTCOMES = 1000,
    API_PAGE_LEADS = 100, /* of a list when no limit is named */
    API_PAGE_MOST = 500,
    API_LARGE_BODY = 64 << 10, /* larger ones are read on the pool */
    API_ROOM_BYTE = 192 << 20, /* memory of a call on the pool */
    API_ANSWER_FIELDS = 14,
    API_NAME_BYTE = 128,
    API_TENANT_BYTE = 64
};

struct api_answer {
    int status;
    struct http_field field[API_ANSWER_FIELDS];
    size_t n_field;
    str body;
};

struct room;

/* One request on its way. Lives in the request's arena. */
struct call {
    struct api *api;
    struct http_request *r;
    const struct route *route;
    struct arena *arena;       /* for everything the answer needs: the request's, or on the pool the room's */
    struct room *rooms;        /* on the pool */
    str id;                    /* what stands for the variable of the path; empty when there is none */
    const struct api_key *key; /* whose scopes are checked; a copy */
    bool control;              /* it is the control token */
    str tenant, actor, request_id;
    int64_t begun_ns, after_ms;  /* after_ms > 0: Retry-After */
    struct store_reader *reader; /* in handlers that run on the pool */
    unsigned char token_hash[VAULT_TOKEN_HASH_BYTE];
    bool has_token, recalled, limited;
    err recalled_rc;
    bool *later;        /* to be set before the call is handed to somebody else, who sends the answer */
    void *user;         /* of the handler */
    const char *fault;  /* slug of what failed, for the log */
    double rate, burst; /* > 0: the limit it was held to */
    struct api_answer answer;
};

/* OK when the answer is made or will be sent later; else the failure becomes a problem document. */
typedef err handler_fn(struct call *c);

struct route {
    const char *method, *path; /* "/v1/leads/{id}"; one variable at most */
    unsigned scope;            /* enum key_scope: one of these is needed; 0: open to all, and then `open` must say so */
    bool open;
    bool control;          /* for the control token alone */
    bool pooled;           /* may block: runs on the pool */
    const char *operation; /* operationId of the description */
    handler_fn *handle;
};

extern const struct route routes[];
extern const size_t n_routes;

/* The route of a request, and what stands for its variable. NULL when there is none: *allow then names the methods that the
 * path has ("GET, HEAD"), or is empty when there is no such path. */
const struct route *route_find(struct arena *a, str method, str path, str *id, str *allow);

struct api_auth;
struct api_pool;
struct api_events;

struct api_watched {
    struct http_server *_Atomic server;
    struct metric *connections, *refused, *dropped, *open, *in_flight, *rejected, *unanswered, *in_byte, *out_byte, *streams;
};

/* What /metrics shows of the writer. */
struct api_writer_metrics {
    struct metric *commits, *commands, *failed, *refused, *commit_us, *rollbacks, *queue, *queue_byte, *wal_byte,
        *checkpoints;
    struct metric *commit_bucket[WRITER_BUCKET_COUNT], *batch_bucket[WRITER_BUCKET_COUNT];
};

struct api {
    struct api_config c;
    struct arena *arena;
    struct api_auth *auth;
    struct api_pool *pool;
    struct api_events *events;
    atomic_bool stopped;
    atomic_uint_fast64_t serial; /* of requests that bring no identifier of their own */
    uint64_t start;              /* tells processes apart in those */
    pthread_mutex_t lock;        /* guards the list of sealers */
    struct sealer **sealer;
    size_t n_sealer;
    struct metric *requests[6];
    struct histogram *latency;
    struct api_writer_metrics writer;
    struct api_watched watched[API_LISTENERS];
};

/* ---- answers ---- */

/* The answer is these bytes of JSON, which live in c->arena or for ever. */
void api_answer(struct call *c, int status, str body);

/* Adds a header field; the value lives as the body does. */
void api_answer_field(struct call *c, str name, str value);

/* The answer is a problem document for the recorded failure; `status` 0: by its code. `pointer`: JSON pointer to what is
 * wrong in the request, may be NULL. */
void api_problem(struct call *c, int status, err rc, const char *pointer);

/* The same into bytes that are there already, for threads that may not use the arena. */
void api_problem_in(struct call *c, struct buf *room, err rc);

/* Writes a problem's members (code, title, detail, status) into an open object. */
void api_put_problem(struct json_writer *w, int status, const char *slug, const char *detail);

int api_status_of(err rc, const char *slug);

/* Sends the answer. The call is gone afterwards. From any thread. */
void api_send(struct call *c);

/* Fields that every answer has, so that api_answer adds none; called by api_answer when it was not before. */
void api_prepare(struct call *c);

/* A new document: a buffer in the call's arena. */
struct document {
    struct buf *text;
    struct json_writer w;
};
struct document *document_new(struct call *c);
err document_send(struct call *c, int status, struct document *d) MUST_CHECK;

/* RFC 3339 time, or null for 0. */
void api_put_time(struct json_writer *w, str key, int64_t ms);
void api_put_text(struct json_writer *w, str key, str value); /* null when empty */
/* {"KEY": value}, the whole answer. */
err api_answer_one(struct call *c, int status, str key, int64_t value) MUST_CHECK;

/* ---- requests: request.c ---- */

/* The body as JSON within limits. ERR_INPUT, ERR_LIMIT. */
err api_read_body(struct call *c, const struct json_limits *limits, const struct json **out) MUST_CHECK;

/* The body as an object with no members but these. ERR_INPUT "body_form", "body_member"; an absent body is {}. */
err api_read_object(struct call *c, const char *const *member, size_t n, const struct json **out) MUST_CHECK;

/* Members of such an object; absent: *out stays as it is. ERR_INPUT "body_member". */
err api_member_text(const struct json *object, const char *key, size_t most, str *out) MUST_CHECK;
err api_member_integer(const struct json *object, const char *key, int64_t least, int64_t most, int64_t *out) MUST_CHECK;
err api_member_number(const struct json *object, const char *key, double most, double *out) MUST_CHECK;
err api_member_bool(const struct json *object, const char *key, bool *out) MUST_CHECK;
err api_member_time(const struct json *object, const char *key, int64_t *ms) MUST_CHECK;

/* The query has no parameters but these, and none twice. ERR_INPUT "query_unknown", "query_twice". */
err api_check_query(struct call *c, const char *const *name, size_t n) MUST_CHECK;

/* Parameters; absent: *out stays as it is. ERR_INPUT "query_value". */
err api_query_text(struct call *c, const char *name, size_t most, str *out) MUST_CHECK;
err api_query_integer(struct call *c, const char *name, int64_t least, int64_t most, int64_t *out) MUST_CHECK;
err api_query_time(struct call *c, const char *name, int64_t *ms) MUST_CHECK;
/* One of `count` names: its number. */
err api_query_name(struct call *c, const char *name, const char *(*name_of)(int i), int count, int *out) MUST_CHECK;

/* True for 26 characters of a lead's or key's identifier. */
bool api_is_id(str text);

/* c->id is one, or ERR_ABSENT "lead_unknown". */
err api_check_lead_id(struct call *c) MUST_CHECK;

/* A name of a tenant: 1 to 64 letters, digits, '-', '_', '.'. ERR_INPUT "tenant_name". */
err api_check_tenant(str name) MUST_CHECK;

/* What a list asks for; a body with one key; one outcome of a body (`at` at most a day after now_ms). ERR_INPUT; ERR_ABSENT
 * "lead_unknown"; ERR_LIMIT "outcome_detail". */
err api_read_filter(struct call *c, struct lead_filter *f) MUST_CHECK;
err api_read_key(struct call *c, struct api_key *out) MUST_CHECK;
struct api_outcome {
    str lead, kind, detail;
    int64_t at_ms;
};
err api_read_outcome(struct call *c, const struct json *v, int64_t now_ms, struct api_outcome *out) MUST_CHECK;

/* ---- lead_json.c ---- */

/* The members of a lead, into an open object; `whole`: as store_lead reads it, so that it is known whether it is erased. */
void api_put_lead(struct json_writer *w, const struct lead_view *v, bool whole);
/* A list of leads; `tenants`: each with its tenant. */
void api_put_leads(struct json_writer *w, str key, const struct lead_view *v, size_t n, bool tenants);
const char *api_state_name(int state);
const char *api_outcome_name(int outcome);
const char *api_tier_name(int tier);
const char *api_run_name(int status);
str api_stage_name(int64_t stage);

/* ---- auth.c ---- */

err auth_new(struct api *api, struct api_auth **out) MUST_CHECK;

/* Reads the token. True when it cannot be said without the store whose it is: then auth_check needs c->reader. */
bool auth_begin(struct call *c);

/* Who asks: sets c->key, tenant, actor. ERR_DENIED "key_absent", "key_unknown", "key_revoked", "key_scope"; ERR_LIMIT
 * "rate_limited" with c->after_ms. */
err auth_check(struct call *c) MUST_CHECK;

/* Fields that tell the limit the call was held to. */
void auth_tell_rate(struct call *c);

/* Keys are looked up anew: one of them was revoked. */
void auth_forget(struct api_auth *auth);

/* ---- pool.c ---- */

err pool_new(struct api *api, struct api_pool **out) MUST_CHECK;
void pool_stop(struct api_pool *pool);
/* Calls fn(c) on a thread of the pool with c->arena and c->reader set, makes a problem of its failure, and sends the answer
 * unless it is to come later. From any thread. ERR_AGAIN "api_busy" when too many wait: then nothing was done. */
err pool_run(struct api_pool *pool, struct call *c, handler_fn *fn) MUST_CHECK;

/* The request is over: to be deferred in its arena before pool_run. */
void pool_leave(void *ctx);

/* ---- events.c ---- */

err events_new(struct api *api, struct api_events **out) MUST_CHECK;
void events_stop(struct api_events *e);

/* Where a listener goes on: "MILLISECONDS-LEAD". */
struct event_id {
    int64_t ms;
    char lead[RUN_ID_BYTE + 1];
};
bool event_id_parse(str text, struct event_id *out);

/* ---- leads_post.c ---- */

/* Takes the leads of the body in for c->tenant; `source` for those that name none. */
err leads_take(struct call *c, str source, str idempotency_key, enum run_priority priority) MUST_CHECK;

/* ---- health.c ---- */

void health_register(struct api *api);

/* ---- sealers ---- */

err api_sealer_take(struct api *api, struct sealer **out) MUST_CHECK;
void api_sealer_give(struct api *api, struct sealer *sealer);

/* ---- handlers ---- */

handler_fn leads_post, healthz, readyz, metrics_get, queue_get, lead_get, lead_list, lead_rescore, lead_cancel, lead_erase,
    erase_post, dead_list, redrive_post, keys_post, keys_get, key_delete, rotate_post, audit_get, sweep_get, outcomes_post,
    hook_post, events_get, tenants_get, tenant_put, openapi_get;

#endif
