/* answer.c — JSON documents and problem documents (RFC 9457). */
#include "api/api_priv.h"
#include "base/time.h"

static const struct http_field json_fields[] = {
    {STR_INIT("Content-Type"), STR_INIT("application/json")},
    {STR_INIT("Cache-Control"), STR_INIT("no-store")},
    {STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff")},
};

enum { JSON_FIELDS = sizeof json_fields / sizeof *json_fields, MOST_FIELDS = 8 };

static void count(struct call *c, int status) {
    struct api *api = c->api;
    metric_add(api->requests[status / 100], 1);
    histogram_add_us(api->latency, (api->c.clock.steady_ns() - c->begun_ns) / 1000);
}

/* The caller's request id comes back, so that both sides can name the same request. */
static size_t common_fields(struct call *c, struct http_field *field) {
    size_t n = 0;
    for (; n < JSON_FIELDS; n++)
        field[n] = json_fields[n];
    str id = http_request_header(c->r, STR("X-Request-Id"));
    if (id.len > 0 && id.len <= 128 && http_field_sendable((struct http_field){STR("X-Request-Id"), id}))
        field[n++] = (struct http_field){STR("X-Request-Id"), id};
    return n;
}

static void respond(struct call *c, int status, const struct http_field *field, size_t n, str body) {
    count(c, status);
    http_respond(c->r, status, arena_copy(c->r->arena, field, n * sizeof *field), n, body);
}

void api_send_json(struct call *c, int status, str body) {
    struct http_field field[MOST_FIELDS];
    size_t n = common_fields(c, field);
    respond(c, status, field, n, body);
}

/* ---- documents ---- */

struct document *document_new(struct call *c) {
    struct document *d = ARENA_NEW(c->r->arena, struct document);
    d->text = buf_in(c->r->arena, API_ANSWER_BYTE);
    json_write_begin(&d->w, d->text, 0);
    return d;
}

void document_send(struct call *c, int status, struct document *d) {
    err rc = buf_check(d->text);
    if (rc != OK)
        api_send_problem(c, 0, rc);
    else
        api_send_json(c, status, buf_str(d->text));
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
    if (value.ptr)
        json_string(w, value);
    else
        json_null(w);
}

err api_read_body(struct call *c, const struct json **out) {
    const struct json_limits limits = {.max_byte = API_MAX_BODY_BYTE, .max_depth = 32, .max_value = 10000000};
    return json_parse(c->r->arena, c->r->body, &limits, out);
}

/* ---- problems ---- */

int api_status_of(err rc, const char *slug) {
    str s = str_from(slug);
    switch (rc) {
    case ERR_INPUT:
        return 400;
    case ERR_ABSENT:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_DENIED:
        return str_starts(s, STR("key_scope")) ? 403 : str_starts(s, STR("key_")) ? 401 : 403;
    case ERR_LIMIT:
        return str_equal(s, STR("store_full")) || str_equal(s, STR("memory_limit"))     ? 503
               : str_equal(s, STR("rate_limited")) || str_equal(s, STR("backlog_full")) ? 429
                                                                                        : 413;
    case ERR_AGAIN:
        return 503;
    default:
        return 500;
    }
}

void api_put_problem(struct json_writer *w, int status, const char *slug, const char *detail) {
    json_put_string(w, STR("code"), str_from(slug));
    json_put_string(w, STR("title"), str_from(http_status_text(status)));
    json_put_integer(w, STR("status"), status);
    json_put_string(w, STR("detail"), str_from(detail));
}

void api_send_problem_at(struct call *c, int status, err rc, int64_t after_ms, const char *pointer) {
    struct document *d = document_new(c);
    struct http_field field[MOST_FIELDS];
    size_t n = common_fields(c, field);
    if (status == 0)
        status = api_status_of(rc, err_slug());
    field[0].value = STR("application/problem+json");
    json_open_object(&d->w);
    json_put_string(&d->w, STR("type"), STR("about:blank"));
    api_put_problem(&d->w, status, err_slug(), err_text());
    json_put_string(&d->w, STR("instance"), c->r->path);
    if (pointer)
        json_put_string(&d->w, STR("pointer"), str_from(pointer));
    json_close_object(&d->w);
    if (status == 503 && after_ms == 0)
        after_ms = 1000;
    if (after_ms > 0)
        field[n++] =
            (struct http_field){STR("Retry-After"), str_format(c->r->arena, "%lld", (long long)((after_ms + 999) / 1000))};
    if (status == 401)
        field[n++] = (struct http_field){STR("WWW-Authenticate"), STR("Bearer")};
    respond(c, status, field, n, buf_str(d->text));
}

void api_send_problem(struct call *c, int status, err rc) { api_send_problem_at(c, status, rc, 0, NULL); }
