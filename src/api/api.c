/* api.c — from a request to its handler. */
#include "api/api_priv.h"

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

/* ---- the way of a request ---- */

/* A body must say that it is JSON, and come as it is; hooks take what comes. */
static err check_type(struct call *c) {
    str type = http_request_header(c->r, STR("Content-Type"));
    if (c->r->body.len == 0 || c->route->handle == hook_post)
        return OK;
    str coding = http_request_header(c->r, STR("Content-Encoding"));
    if (coding.len > 0 && !str_equal_nocase(coding, STR("identity")))
        return fail(ERR_INPUT, "content_coding", "the body must not be compressed");
    ptrdiff_t semicolon = str_find_byte(type, ';');
    if (str_equal_nocase(str_trim(semicolon < 0 ? type : str_slice(type, 0, (size_t)semicolon)), STR("application/json")))
        return OK;
    return fail(ERR_INPUT, "content_type", "the body must be application/json");
}

static err serve(struct call *c) {
    TRY(auth_check(c));
    TRY(check_type(c));
    auth_tell_rate(c);
    return c->route->handle(c);
}

static err refuse_route(struct call *c, str allow) {
    if (allow.len == 0)
        return fail(ERR_ABSENT, "route_unknown", "there is nothing at this path");
    err rc = fail(ERR_INPUT, "method_not_allowed", "this path takes %.*s", STR_ARG(allow));
    api_problem(c, 0, rc, NULL);
    api_answer_field(c, STR("Allow"), allow);
    return OK;
}

/* What may block or takes long goes to the pool; the rest is done here. */
static err dispatch(struct call *c) {
    str allow;
    if (atomic_load(&c->api->stopped))
        return fail(ERR_AGAIN, "api_stopping", "the service is stopping");
    c->route = route_find(c->arena, c->r->method, c->r->path, &c->id, &allow);
    if (!c->route)
        return refuse_route(c, allow);
    if (!auth_begin(c) && !c->route->pooled && c->r->body.len <= API_LARGE_BODY)
        return serve(c);
    *c->later = true;
    err rc = pool_run(c->api->pool, c, serve);
    if (rc != OK)
        *c->later = false;
    return rc;
}

void api_handle(void *ctx, struct http_request *r) {
    struct api *api = ctx;
    struct call *c = ARENA_NEW(r->arena, struct call);
    bool later = false;
    *c = (struct call){.api = api, .r = r, .arena = r->arena, .begun_ns = api->c.clock.steady_ns(), .later = &later};
    arena_defer(r->arena, pool_leave, c);
    err rc = dispatch(c);
    if (later)
        return;
    if (rc != OK)
        api_problem(c, 0, rc, NULL);
    api_send(c);
}

/* ---- making ---- */

static void destroy(void *ctx) {
    struct api *api = ctx;
    while (api->n_sealer > 0)
        sealer_free(api->sealer[--api->n_sealer]);
    pthread_mutex_destroy(&api->lock);
}

err api_new(struct arena *a, const struct api_config *c, struct api **out) {
    struct api *api = ARENA_NEW(a, struct api);
    api->c = *c;
    api->arena = a;
    api->start = (uint64_t)c->clock.wall_ms() & 0xffffffff;
    pthread_mutex_init(&api->lock, NULL);
    arena_defer(a, destroy, api);
    api->sealer = ARENA_ARRAY(a, MOST_SEALERS, struct sealer *);
    health_register(api);
    TRY(auth_new(api, &api->auth));
    err rc = pool_new(api, &api->pool);
    if (rc == OK)
        rc = events_new(api, &api->events);
    if (rc != OK) {
        api_stop(api);
        return rc;
    }
    *out = api;
    return OK;
}

void api_stop(struct api *api) {
    atomic_store(&api->stopped, true);
    if (api->events)
        events_stop(api->events);
    if (api->pool)
        pool_stop(api->pool);
}
