/* health.c — health, readiness, metrics, the description, and what waits. */
#include "api/api_priv.h"
#include "base/asset.h"

enum { SHOWN_BUCKETS = WRITER_BUCKET_COUNT };

/* ---- health ---- */

static err send_state(struct call *c, int status, str state) {
    struct document *d = document_new(c);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("status"), state);
    json_put_string(&d->w, STR("version"), c->api->c.version);
    json_close_object(&d->w);
    return document_send(c, status, d);
}

err healthz(struct call *c) { return send_state(c, 200, STR("ok")); }

/* Ready: commits go through, as the heartbeat shows. */
err readyz(struct call *c) {
    if (!engine_look(c->api->c.engine).alive)
        return fail(ERR_AGAIN, "store_silent", "the store takes no commits");
    return send_state(c, 200, STR("ready"));
}

err openapi_get(struct call *c) {
    api_answer(c, 200, asset_get(STR("openapi/galena.json")));
    api_answer_field(c, STR("Cache-Control"), STR("public, max-age=300"));
    return OK;
}

/* ---- metrics ---- */

/* A cumulative bucket of a histogram whose bounds are powers of two; `unit` 1e6: counted in microseconds, shown in seconds.
 */
static const char *bucket_label(struct api *api, size_t i, double unit) {
    if (i + 1 == SHOWN_BUCKETS)
        return "le=\"+Inf\"";
    return str_format(api->arena, "le=\"%.9g\"", (double)(1ull << i) / unit).ptr;
}

static void register_writer(struct api *api) {
    struct metrics *m = api->c.metrics;
    struct api_writer_metrics *w = &api->writer;
    w->commits = metrics_counter(m, "galena_store_commits_total", "Transactions", "");
    w->commands = metrics_counter(m, "galena_store_commands_total", "Commands in them", "");
    w->rollbacks = metrics_counter(m, "galena_store_rollbacks_total", "Transactions given up", "");
    w->failed = metrics_counter(m, "galena_store_commands_failed_total", "Commands that failed", "");
    w->refused = metrics_counter(m, "galena_store_full_total", "Commands refused because the store was full", "");
    w->commit_us = metrics_counter(m, "galena_store_commit_microseconds_total", "From BEGIN to the end of COMMIT", "");
    w->queue = metrics_gauge(m, "galena_store_queue_commands", "Commands that wait for the writer", "");
    w->queue_byte = metrics_gauge(m, "galena_store_queue_bytes", "Memory of the commands that wait", "");
    w->wal_byte = metrics_gauge(m, "galena_store_wal_bytes", "Log that is not yet in the file (SQLite)", "");
    w->checkpoints = metrics_counter(m, "galena_store_checkpoints_total", "Times the log was moved into the file", "");
    for (size_t i = 0; i < SHOWN_BUCKETS; i++)
        w->commit_bucket[i] = metrics_counter(m, "galena_store_commit_bucket", "Transactions by duration in seconds",
                                              bucket_label(api, i, 1e6));
    for (size_t i = 0; i < SHOWN_BUCKETS; i++)
        w->batch_bucket[i] =
            metrics_counter(m, "galena_store_batch_bucket", "Transactions by number of commands", bucket_label(api, i, 1));
}

static void show_writer(struct api *api) {
    struct api_writer_metrics *w = &api->writer;
    struct writer_stats s;
    int64_t commits = 0, batches = 0;
    store_stats(api->c.store, &s);
    metric_set(w->commits, (int64_t)s.commits);
    metric_set(w->commands, (int64_t)s.commands);
    metric_set(w->rollbacks, (int64_t)s.rollbacks);
    metric_set(w->failed, (int64_t)s.failed);
    metric_set(w->refused, (int64_t)s.refused);
    metric_set(w->commit_us, (int64_t)(s.commit_ns / 1000));
    metric_set(w->queue, (int64_t)s.queue);
    metric_set(w->queue_byte, (int64_t)s.queue_byte);
    metric_set(w->wal_byte, (int64_t)s.wal_byte);
    metric_set(w->checkpoints, (int64_t)s.checkpoints);
    for (size_t i = 0; i < SHOWN_BUCKETS; i++) {
        metric_set(w->commit_bucket[i], commits += (int64_t)s.commit_bucket[i]);
        metric_set(w->batch_bucket[i], batches += (int64_t)s.batch_bucket[i]);
    }
}

static void show_server(struct api_watched *x) {
    struct http_server *server = atomic_load(&x->server);
    if (!server)
        return;
    const struct http_server_counters n = http_server_counters(server);
    metric_set(x->connections, (int64_t)n.connections);
    metric_set(x->refused, (int64_t)n.connections_refused);
    metric_set(x->dropped, (int64_t)n.connections_dropped);
    metric_set(x->open, (int64_t)n.connections_open);
    metric_set(x->in_flight, (int64_t)n.requests_in_flight);
    metric_set(x->rejected, (int64_t)n.requests_rejected);
    metric_set(x->unanswered, (int64_t)n.requests_unanswered);
    metric_set(x->in_byte, (int64_t)n.body_in_byte);
    metric_set(x->out_byte, (int64_t)n.body_out_byte);
    metric_set(x->streams, (int64_t)n.streams_open);
}

static void collect(void *ctx) {
    struct api *api = ctx;
    if (atomic_load(&api->stopped))
        return;
    show_writer(api);
    for (size_t i = 0; i < API_LISTENERS; i++)
        show_server(&api->watched[i]);
}

static void register_server(struct api *api, enum api_listener which, const char *label) {
    struct metrics *m = api->c.metrics;
    struct api_watched *x = &api->watched[which];
    x->connections = metrics_counter(m, "galena_http_connections_total", "Connections accepted", label);
    x->refused = metrics_counter(m, "galena_http_connections_refused_total", "Connections over a limit", label);
    x->dropped = metrics_counter(m, "galena_http_connections_dropped_total", "Connections that were too slow", label);
    x->open = metrics_gauge(m, "galena_http_connections", "Connections open", label);
    x->in_flight = metrics_gauge(m, "galena_http_requests_in_flight", "Requests begun and not answered", label);
    x->rejected = metrics_counter(m, "galena_http_requests_rejected_total", "Requests malformed or too large", label);
    x->unanswered = metrics_counter(m, "galena_http_requests_late_total", "Requests answered too late with 503", label);
    x->in_byte = metrics_counter(m, "galena_http_received_bytes_total", "Bytes of bodies of requests", label);
    x->out_byte = metrics_counter(m, "galena_http_sent_bytes_total", "Bytes of bodies of answers", label);
    x->streams = metrics_gauge(m, "galena_http_streams", "Live streams open", label);
}

void health_register(struct api *api) {
    static const char *const label[] = {
        "", "class=\"1xx\"", "class=\"2xx\"", "class=\"3xx\"", "class=\"4xx\"", "class=\"5xx\""};
    for (size_t k = 1; k < 6; k++)
        api->requests[k] =
            metrics_counter(api->c.metrics, "galena_http_requests_total", "Requests by class of answer", label[k]);
    api->requests[0] = api->requests[5];
    api->latency = metrics_histogram(api->c.metrics, "galena_http_seconds", "From a whole request to its answer", "");
    register_server(api, API_PUBLIC, "listener=\"public\"");
    register_server(api, API_CONTROL, "listener=\"control\"");
    register_writer(api);
    metrics_collect_with(api->c.metrics, collect, api);
}

void api_watch(struct api *api, enum api_listener which, struct http_server *server) {
    atomic_store(&api->watched[which].server, server);
}

err metrics_get(struct call *c) {
    struct buf *text = buf_in(c->arena, 1 << 22);
    metrics_write(c->api->c.metrics, text);
    TRY(buf_check(text));
    api_answer(c, 200, buf_str(text));
    api_answer_field(c, STR("Content-Type"), STR("text/plain; version=0.0.4"));
    return OK;
}

/* ---- what waits ---- */

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

static void put_waiting(struct json_writer *w, const struct queue_view *v) {
    json_open_object(w);
    json_put_string(w, STR("tenant"), v->tenant);
    json_put_string(w, STR("status"), str_from(run_status_name(v->status)));
    json_put_string(w, STR("stage"), api_stage_name(v->stage));
    json_put_integer(w, STR("count"), v->n);
    api_put_time(w, STR("oldest_at"), v->oldest_ms);
    api_put_text(w, STR("worker"), v->worker);
    api_put_text(w, STR("code"), v->slug);
    json_close_object(w);
}

err queue_get(struct call *c) {
    struct queue_view *view;
    size_t n;
    struct document *d = document_new(c);
    struct engine_view process = engine_look(c->api->c.engine);
    TRY(api_check_query(c, NULL, 0));
    TRY(store_queue(c->reader, c->arena, &view, &n));
    json_open_object(&d->w);
    json_key(&d->w, STR("queue"));
    json_open_array(&d->w);
    for (size_t i = 0; i < n; i++)
        if (c->control || str_equal(view[i].tenant, c->tenant))
            put_waiting(&d->w, &view[i]);
    json_close_array(&d->w);
    put_process(&d->w, &process);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}
