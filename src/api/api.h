/* api.h — the HTTP face: routes, keys and scopes, limits, problem documents.
 *
 * A request is matched against the one table of routes (routes.c), its key is checked (auth.c), and its handler answers: at
 * once, from the writer's call-back when it waits for a commit (POST /v1/leads), or from a thread of the small pool that
 * does what may block. Every refusal is a problem document (RFC 9457) with a stable code. */
#ifndef GALENA_API_API_H
#define GALENA_API_API_H

#include "flow/engine.h"
#include "net/http_server.h"
#include "store/cache.h"

struct api;

struct api_config {
    struct store *store;
    struct engine *engine;
    struct vault *vault;
    struct clock clock;
    const struct log *log;   /* may be NULL */
    struct metrics *metrics; /* what /metrics shows; the API adds its own */
    struct cache *cache;     /* rates, replays */
    const str *hook_secret;  /* that may sign requests to /hooks/generic */
    size_t n_hook_secret;
    str control_token; /* has all scopes, for the tenant that the header Galena-Tenant names; empty: there is none */
    bool open_metrics; /* /metrics needs no key */
    str version;
};

/* Lives in `a`. ERR_AGAIN "api_thread"; errors of store_reader_open. */
err api_new(struct arena *a, const struct api_config *c, struct api **out) MUST_CHECK;

/* An http_handle_fn. */
void api_handle(void *api, struct http_request *r);

/* Ends live streams and the pool; requests that still wait get 503. Before http_server_stop. */
void api_stop(struct api *api);

#endif
