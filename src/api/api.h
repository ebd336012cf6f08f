/* api.h — the HTTP face: routes, keys and scopes, limits, problem documents.
 *
 * A request is matched against the one table of routes (routes.c), its key is checked (auth.c), and its handler makes an
 * answer: on the server's thread when nothing can block, from the writer's call-back when it waits for a commit (POST
 * /v1/leads), or on a thread of the small pool that does what may block. Every refusal is a problem document (RFC 9457) with
 * a stable code. */
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
    const str *hook_secret;  /* that may sign requests to /hooks/generic; none: there is no such connector */
    size_t n_hook_secret;
    str control_token; /* has all scopes, for the tenant that the header Galena-Tenant names; empty: there is none */
    bool open_metrics; /* /metrics needs no key */
    str version;
};

/* Lives in `a`. ERR_AGAIN "api_thread"; errors of store_reader_open. */
err api_new(struct arena *a, const struct api_config *c, struct api **out) MUST_CHECK;

/* /metrics shows this server's counters too, until api_stop; the server outlives that. */
enum api_listener { API_PUBLIC, API_CONTROL, API_LISTENERS };
void api_watch(struct api *api, enum api_listener which, struct http_server *server);

/* An http_handle_fn; ctx is the struct api. */
void api_handle(void *ctx, struct http_request *r);

/* Ends live streams and the pool; requests that come or still wait get 503. Before http_server_stop and store_close. */
void api_stop(struct api *api);

#endif
