/* api.c — from a request to its handler. */
#include "api/api_priv.h"

#include <stdlib.h>

enum { MOST_SEALERS = 64 };

/* ---- sealers ---- */

err api_sealer_take(struct api *api, struct sealer **out) {
    *out = NULL;
    pthread_mutex_lock(&api->lock);
    if (api->n_sealer > 0)
        *out = api->sealer[--api->n_sealer];
    pthread_mutex_unlock(&api->lock);
    return *out ? OK : sealer_new(api->c.vault, out);
}

void api_sealer_give(struct api *api, struct sealer *sealer) {
    pthread_mutex_lock(&api->lock);
    bool room = api->n_sealer < MOST_SEALERS;
    if (room)
        api->sealer[api->n_sealer++] = sealer;
    pthread_mutex_unlock(&api->lock);
    if (!room)
        sealer_free(sealer);
}

/* ---- routes ---- */

/* True when `path` is what the template says; *id is what stands for its variable. */
static bool matches(const char *template, str path, str *id) {
    str t = str_from(template), have, want;
    *id = (str){0};
    for (bool more = true; more;) {
        more = str_split(&t, '/', &want);
        if (str_split(&path, '/', &have) != more)
            return false;
        if (!more)
            break;
        if (str_starts(want, STR("{"))) {
            if (have.len == 0)
                return false;
            *id = have;
        } else if (!str_equal(want, have)) {
            return false;
        }
    }
    return true;
}

/* HEAD is GET without the body, which the server leaves out. */
static bool same_method(str method, const char *wanted) {
    return str_equal(method, str_from(wanted)) || (str_equal(method, STR("HEAD")) && strcmp(wanted, "GET") == 0);
}

/* The route; NULL with *allow: the methods that this path has, or empty when there is no such path. */
static const struct route *find_route(struct call *c, str *allow) {
    *allow = (str){0};
    for (size_t i = 0; i < n_routes; i++) {
        str id;
        if (!matches(routes[i].path, c->r->path, &id))
            continue;
        if (same_method(c->r->method, routes[i].method)) {
            c->id = id;
            return &routes[i];
        }
        *allow = allow->len == 0 ? str_from(routes[i].method)
                                 : str_format(c->r->arena, "%.*s, %s", STR_ARG(*allow), routes[i].method);
    }
    return NULL;
}

static void no_route(struct call *c, str allow) {
    static const struct route none = {.open = true};
    c->route = &none;
    if (allow.len == 0) {
        api_send_problem(c, 404, fail(ERR_ABSENT, "route_unknown", "there is nothing at this path"));
        return;
    }
    api_send_problem(c, 405, fail(ERR_INPUT, "method_not_allowed", "this path takes %.*s", STR_ARG(allow)));
}

/* A body must say that it is JSON; hooks take what comes. */
static err check_type(struct call *c) {
    str type = http_request_header(c->r, STR("Content-Type"));
    if (c->r->body.len == 0 || str_starts(c->r->path, STR("/hooks/")))
        return OK;
    str kind = type;
    ptrdiff_t semicolon = str_find_byte(type, ';');
    kind = str_trim(semicolon < 0 ? type : str_slice(type, 0, (size_t)semicolon));
    if (str_equal_nocase(kind, STR("application/json")))
        return OK;
    return fail(ERR_INPUT, "content_type", "the body must be application/json");
}

static void serve(struct call *c) {
    str allow;
    int64_t after_ms = 0;
    c->route = find_route(c, &allow);
    if (!c->route) {
        no_route(c, allow);
        return;
    }
    err rc = auth_check(c, &after_ms);
    if (rc != OK) {
        api_send_problem_at(c, 0, rc, after_ms, NULL);
        return;
    }
    rc = check_type(c);
    if (rc != OK) {
        api_send_problem(c, 415, rc);
        return;
    }
    rc = c->route->pooled ? pool_run(c->api->pool, c) : c->route->handle(c);
    if (rc != OK)
        api_send_problem(c, 0, rc);
}

void api_handle(void *ctx, struct http_request *r) {
    struct api *api = ctx;
    struct call *c = ARENA_NEW(r->arena, struct call);
    *c = (struct call){.api = api, .r = r, .begun_ns = api->c.clock.steady_ns()};
    serve(c);
}

/* ---- making ---- */

static void destroy(void *ctx) {
    struct api *api = ctx;
    while (api->n_sealer > 0)
        sealer_free(api->sealer[--api->n_sealer]);
    pthread_mutex_destroy(&api->lock);
}

static void register_metrics(struct api *api) {
    static const char *const label[] = {
        "", "status=\"1xx\"", "status=\"2xx\"", "status=\"3xx\"", "status=\"4xx\"", "status=\"5xx\""};
    for (size_t k = 1; k < 6; k++)
        api->requests[k] =
            metrics_counter(api->c.metrics, "galena_http_requests_total", "Requests by class of answer", label[k]);
    api->requests[0] = api->requests[5];
    api->latency = metrics_histogram(api->c.metrics, "galena_http_seconds", "From a whole request to its answer", "");
}

err api_new(struct arena *a, const struct api_config *c, struct api **out) {
    struct api *api = ARENA_NEW(a, struct api);
    api->c = *c;
    api->arena = a;
    pthread_mutex_init(&api->lock, NULL);
    arena_defer(a, destroy, api);
    api->sealer = ARENA_ARRAY(a, MOST_SEALERS, struct sealer *);
    register_metrics(api);
    TRY(auth_new(api, &api->auth));
    TRY(pool_new(api, &api->pool));
    *out = api;
    return OK;
}

void api_stop(struct api *api) {
    pool_stop(api->pool);
    auth_stop(api->auth);
}
