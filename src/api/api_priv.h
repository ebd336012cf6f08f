/* api_priv.h — what the parts of the API share. */
#ifndef GALENA_API_API_PRIV_H
#define GALENA_API_API_PRIV_H

#include "api/api.h"
#include "base/json.h"
#include "store/seal.h"

#include <pthread.h>

enum { API_MAX_BODY_BYTE = 64 << 20, API_ANSWER_BYTE = 64 << 20, API_BATCH_LEADS = 1000 };

/* One request on its way. Lives in the request's arena. */
struct call {
    struct api *api;
    struct http_request *r;
    const struct route *route;
    str id;                    /* of the lead or key in the path; empty when there is none */
    const struct api_key *key; /* whose scopes were checked; a copy */
    str tenant, actor;
    int64_t begun_ns;
    struct store_reader *reader; /* in handlers that run on the pool */
};

/* Answers of handlers: OK when the request was or will be answered; else the failure becomes a problem document. */
typedef err handler_fn(struct call *c);

struct route {
    const char *method, *path; /* "/v1/leads/{id}"; one variable at most */
    unsigned scope;            /* enum key_scope; 0: open to all (`open` must say so) */
    bool open;
    bool pooled;           /* may block: runs on the pool */
    const char *operation; /* operationId of the description */
    handler_fn *handle;
};

extern const struct route routes[];
extern const size_t n_routes;

struct api_auth;
struct api_pool;
struct api_events;

struct api {
    struct api_config c;
    struct arena *arena;
    struct api_auth *auth;
    struct api_pool *pool;
    struct api_events *events;
    pthread_mutex_t lock; /* guards the list of sealers */
    struct sealer **sealer;
    size_t n_sealer;
    struct metric *requests[6];
    struct histogram *latency;
};

/* ---- answers ---- */

/* Sends the document; its bytes must live in the request's arena. */
void api_send_json(struct call *c, int status, str body);

/* A problem document for the recorded failure; `status` 0: by its code. */
void api_send_problem(struct call *c, int status, err rc);

/* The same with fields after it: Retry-After in seconds when after_ms > 0; `pointer` (JSON pointer, may be NULL). */
void api_send_problem_at(struct call *c, int status, err rc, int64_t after_ms, const char *pointer);

/* Writes a problem's members (code, title, detail, status) into an open object. */
void api_put_problem(struct json_writer *w, int status, const char *slug, const char *detail);

int api_status_of(err rc, const char *slug);

/* A new document: a buffer in the request's arena. */
struct document {
    struct buf *text;
    struct json_writer w;
};
struct document *document_new(struct call *c);
void document_send(struct call *c, int status, struct document *d);

/* RFC 3339 time, or null for 0. */
void api_put_time(struct json_writer *w, str key, int64_t ms);
void api_put_text(struct json_writer *w, str key, str value); /* null when ptr is NULL */

/* The body as JSON, with limits. ERR_INPUT. */
err api_read_body(struct call *c, const struct json **out) MUST_CHECK;

/* ---- auth.c ---- */

err auth_new(struct api *api, struct api_auth **out) MUST_CHECK;
void auth_stop(struct api_auth *auth);
/* Who asks: sets c->key, tenant, actor. ERR_DENIED "key_absent", "key_unknown", "key_revoked", "key_scope"; ERR_LIMIT
 * "rate_limited" with *after_ms. */
err auth_check(struct call *c, int64_t *after_ms) MUST_CHECK;

/* ---- pool.c ---- */

err pool_new(struct api *api, struct api_pool **out) MUST_CHECK;
void pool_stop(struct api_pool *pool);
/* ERR_AGAIN "api_busy" when too many wait. */
err pool_run(struct api_pool *pool, struct call *c) MUST_CHECK;

/* ---- sealers ---- */

err api_sealer_take(struct api *api, struct sealer **out) MUST_CHECK;
void api_sealer_give(struct api *api, struct sealer *sealer);

/* ---- handlers ---- */

handler_fn leads_post, healthz, readyz, metrics_get, queue_get, lead_get, lead_list, lead_rescore, lead_cancel, lead_erase,
    erase_post, dead_list, redrive_post, keys_post, keys_get, key_delete, rotate_post, audit_get, sweep_get, outcomes_post,
    hook_post, events_get, tenants_get, tenant_put, openapi_get;

#endif
