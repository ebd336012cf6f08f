/* answer.c — JSON documents and problem documents (RFC 9457), and the fields that every answer has. */
#include "api/api_priv.h"
#include "base/time.h"

#include <assert.h>

/* What the browser of somebody who opens such a document may do with it: nothing. */
static const struct http_field common_fields[] = {
    {STR_INIT("Content-Type"), STR_INIT("application/json")},
    {STR_INIT("Cache-Control"), STR_INIT("no-store")},
    {STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff")},
    {STR_INIT("Content-Security-Policy"), STR_INIT("default-src 'none'; frame-ancestors 'none'")},
    {STR_INIT("Referrer-Policy"), STR_INIT("no-referrer")},
};
enum { COMMON_FIELDS = sizeof common_fields / sizeof *common_fields };

static const struct http_field transport_field = {STR_INIT("Strict-Transport-Security"), STR_INIT("max-age=31536000")};

/* The caller's request id comes back, or gets one, so that both sides can name the same request. */
static str request_id(struct call *c) {
    str id = http_request_header(c->r, STR("X-Request-Id"));
    bool good = id.len > 0 && id.len <= 128;
    for (size_t i = 0; good && i < id.len; i++)
        good = id.ptr[i] > ' ' && id.ptr[i] < 0x7f;
    if (good)
        return id;
    return str_format(c->arena, "%08llx-%llx", (unsigned long long)c->api->start,
                      (unsigned long long)atomic_fetch_add(&c->api->serial, 1));
}

void api_prepare(struct call *c) {
    struct api_answer *x = &c->answer;
    if (x->n_field > 0)
        return;
    memcpy(x->field, common_fields, sizeof common_fields);
    x->n_field = COMMON_FIELDS;
    if (c->r->tls)
        x->field[x->n_field++] = transport_field;
    if (c->request_id.len == 0)
        c->request_id = request_id(c);
    x->field[x->n_field++] = (struct http_field){STR("X-Request-Id"), c->request_id};
}

void api_answer_field(struct call *c, str name, str value) {
    struct api_answer *x = &c->answer;
    api_prepare(c);
    for (size_t i = 0; i < x->n_field; i++)
        if (str_equal(x->field[i].name, name)) {
            x->field[i].value = value;
            return;
        }
    assert(x->n_field < API_ANSWER_FIELDS);
    x->field[x->n_field++] = (struct http_field){name, value};
}

void api_answer(struct call *c, int status, str body) {
    api_prepare(c);
    c->answer.status = status;
    c->answer.body = body;
}

static void tell(const struct call *c) {
    const struct api_config *o = &c->api->c;
    str operation = c->route && c->route->operation ? str_from(c->route->operation) : STR("none");
    log_event(o->log, LOG_WARN, "request_failed",
              LOG_FIELDS(log_text("operation", operation), log_integer("status", c->answer.status),
                         log_text("slug", c->fault ? str_from(c->fault) : (str){0}), log_text("request", c->request_id)));
}

void api_send(struct call *c) {
    struct api *api = c->api;
    const struct api_answer *x = &c->answer;
    metric_add(api->requests[x->status / 100], 1);
    histogram_add_us(api->latency, (api->c.clock.steady_ns() - c->begun_ns) / 1000);
    if (x->status >= 500)
        tell(c);
    http_respond(c->r, x->status, x->field, x->n_field, x->body);
}

/* ---- documents ---- */

struct document *document_new(struct call *c) {
    struct document *d = ARENA_NEW(c->arena, struct document);
    d->text = buf_in(c->arena, API_ANSWER_BYTE);
    json_write_begin(&d->w, d->text, 0);
    return d;
}

err document_send(struct call *c, int status, struct document *d) {
    TRY(buf_check(d->text));
    api_answer(c, status, buf_str(d->text));
    return OK;
}

void api_put_time(struct json_writer *w, str key, int64_t ms) {
    char text[TIME_TEXT_BYTE];
    json_key(w, key);
    if (ms == 0)
        json_null(w);
    else
        json_string(w, (str){text, time_format(ms, text)});
}

void api_put_text(struct json_writer *w, str key, str value) {
    json_key(w, key);
    if (value.len > 0)
        json_string(w, value);
    else
        json_null(w);
}

err api_answer_one(struct call *c, int status, str key, int64_t value) {
    struct document *d = document_new(c);
    json_open_object(&d->w);
    json_put_integer(&d->w, key, value);
    json_close_object(&d->w);
    return document_send(c, status, d);
}

/* ---- problems ---- */

struct exception {
    err rc;
    const char *slug;
    int status;
};

/* Failures that are not what their code says in general. */
static const struct exception exceptions[] = {
    {ERR_DENIED, "key_absent", 401},    {ERR_DENIED, "key_unknown", 401},       {ERR_DENIED, "key_revoked", 401},
    {ERR_LIMIT, "rate_limited", 429},   {ERR_LIMIT, "backlog_full", 429},       {ERR_LIMIT, "store_full", 503},
    {ERR_LIMIT, "events_full", 503},    {ERR_LIMIT, "buffer_limit", 500},       {ERR_INPUT, "content_type", 415},
    {ERR_INPUT, "content_coding", 415}, {ERR_INPUT, "method_not_allowed", 405},
};

int api_status_of(err rc, const char *slug) {
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (exceptions[i].rc == rc && strcmp(exceptions[i].slug, slug) == 0)
            return exceptions[i].status;
    switch (rc) {
    case ERR_INPUT:
        return 400;
    case ERR_ABSENT:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_DENIED:
        return 403;
    case ERR_LIMIT:
        return 413;
    case ERR_AGAIN:
        return 503;
    default:
        return 500;
    }
}

/* What the inside says of itself is for the log, not for callers. */
static const char *detail_of(int status, const char *text) {
    if (status < 500)
        return text;
    return status == 503 ? "this cannot be done now; repeat the request later"
                         : "the service failed at this; its log has more under the request's identifier";
}

void api_put_problem(struct json_writer *w, int status, const char *slug, const char *detail) {
    json_put_string(w, STR("code"), str_from(slug));
    json_put_string(w, STR("title"), str_from(http_status_text(status)));
    json_put_integer(w, STR("status"), status);
    json_put_string(w, STR("detail"), str_from(detail_of(status, detail)));
}

static void write_problem(struct call *c, struct json_writer *w, int status, const char *pointer) {
    json_open_object(w);
    json_put_string(w, STR("type"), STR("about:blank"));
    api_put_problem(w, status, err_slug(), err_text());
    json_put_string(w, STR("request_id"), c->request_id);
    if (pointer)
        json_put_string(w, STR("pointer"), str_from(pointer));
    json_close_object(w);
}

static str seconds_text(struct call *c, int64_t ms) {
    return ms == 1000 ? STR("1") : str_format(c->arena, "%lld", (long long)((ms + 999) / 1000));
}

void api_problem_in(struct call *c, struct buf *room, err rc) {
    struct json_writer w;
    int status = api_status_of(rc, err_slug());
    c->fault = err_slug();
    buf_clear(room);
    json_write_begin(&w, room, 0);
    write_problem(c, &w, status, NULL);
    api_answer_field(c, STR("Content-Type"), STR("application/problem+json"));
    if (status == 503)
        api_answer_field(c, STR("Retry-After"), STR("1"));
    api_answer(c, status, buf_str(room));
}

void api_problem(struct call *c, int status, err rc, const char *pointer) {
    struct document *d = document_new(c);
    if (status == 0)
        status = api_status_of(rc, err_slug());
    c->fault = err_slug();
    c->answer.n_field = 0; /* of an answer that was begun */
    api_prepare(c);
    write_problem(c, &d->w, status, pointer);
    api_answer_field(c, STR("Content-Type"), STR("application/problem+json"));
    if (status == 503 && c->after_ms <= 0)
        c->after_ms = 1000;
    if (c->after_ms > 0)
        api_answer_field(c, STR("Retry-After"), seconds_text(c, c->after_ms));
    if (status == 401)
        api_answer_field(c, STR("WWW-Authenticate"), STR("Bearer"));
    auth_tell_rate(c);
    api_answer(c, status, buf_str(d->text));
}
