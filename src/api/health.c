/* health.c — health, readiness, metrics, and what waits. */
#include "api/api_priv.h"

static void send_state(struct call *c, int status, str state) {
    struct document *d = document_new(c);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("status"), state);
    json_put_string(&d->w, STR("version"), c->api->c.version);
    json_close_object(&d->w);
    document_send(c, status, d);
}

err healthz(struct call *c) {
    send_state(c, 200, STR("ok"));
    return OK;
}

/* Ready: commits go through, as the heartbeat shows. */
err readyz(struct call *c) {
    bool alive = engine_look(c->api->c.engine).alive;
    send_state(c, alive ? 200 : 503, alive ? STR("ready") : STR("the store takes no commits"));
    return OK;
}

err metrics_get(struct call *c) {
    static const struct http_field field[] = {{STR_INIT("Content-Type"), STR_INIT("text/plain; version=0.0.4")}};
    struct buf *text = buf_in(c->r->arena, 1 << 22);
    metrics_write(c->api->c.metrics, text);
    TRY(buf_check(text));
    http_respond(c->r, 200, field, 1, buf_str(text));
    return OK;
}

static void put_process(struct json_writer *w, const struct engine_view *v) {
    json_key(w, STR("process"));
    json_open_object(w);
    json_put_integer(w, STR("waiting"), (int64_t)v->waiting);
    json_put_integer(w, STR("running"), (int64_t)v->running);
    json_put_integer(w, STR("suspects"), (int64_t)v->suspects);
    json_put_integer(w, STR("commits"), (int64_t)v->commands);
    json_put_integer(w, STR("oldest_ms"), v->oldest_ms);
    json_put_integer(w, STR("lost"), v->lost);
    json_put_bool(w, STR("alive"), v->alive);
    json_put_bool(w, STR("lookup_open"), v->lookup_open);
    json_put_bool(w, STR("callback_open"), v->callback_open);
    json_close_object(w);
}

err queue_get(struct call *c) {
    struct queue_view *view;
    size_t n;
    struct document *d = document_new(c);
    struct engine_view process = engine_look(c->api->c.engine);
    bool all = str_equal(c->key->id, STR("control"));
    TRY(store_queue(c->reader, c->r->arena, &view, &n));
    json_open_object(&d->w);
    json_key(&d->w, STR("queue"));
    json_open_array(&d->w);
    for (size_t i = 0; i < n; i++) {
        if (!all && !str_equal(view[i].tenant, c->tenant))
            continue;
        json_open_object(&d->w);
        json_put_string(&d->w, STR("tenant"), view[i].tenant);
        json_put_string(&d->w, STR("status"), str_from(run_status_name(view[i].status)));
        json_put_integer(&d->w, STR("stage"), view[i].stage);
        json_put_integer(&d->w, STR("count"), view[i].n);
        api_put_time(&d->w, STR("oldest_at"), view[i].oldest_ms);
        api_put_text(&d->w, STR("worker"), view[i].worker);
        api_put_text(&d->w, STR("code"), view[i].slug);
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    put_process(&d->w, &process);
    json_close_object(&d->w);
    document_send(c, 200, d);
    return OK;
}
