/* replay.c — replays golden folders. */
#include "connector/replay.h"

#include "base/file.h"
#include "base/time.h"
#include "connector/auth.h"

#include <dirent.h>
#include <stdlib.h>

enum { MAX_CASE = 200, MAX_FILE = 4 << 20, MAX_HEADER = 100 };

/* 2026-11-01T00:00:00Z, when a case does not say when it is asked. */
static const int64_t SOME_DAY_MS = INT64_C(1793491200000);

struct replay {
    struct arena *arena;
    struct program_host *host;
    const struct connector *connector;
    const char *folder;
    bool accept;
    struct json_writer w;
};

/* ---- reading a case ---- */

static err read_answer(struct arena *a, str text, struct connector_answer *out) {
    struct http_field *field = ARENA_ARRAY(a, MAX_HEADER, struct http_field);
    str line;
    *out = (struct connector_answer){.header = field};
    if (!str_split(&text, '\n', &line) || !str_starts(line, STR("HTTP/")))
        return fail(ERR_INPUT, "replay_form", "answer.http begins with a status line");
    ptrdiff_t blank = str_find_byte(line, ' ');
    for (size_t i = (size_t)blank + 1; blank > 0 && i < line.len && line.ptr[i] >= '0' && line.ptr[i] <= '9'; i++)
        out->status = out->status < 1000 ? out->status * 10 + (line.ptr[i] - '0') : out->status;
    while (str_split(&text, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0)
            break;
        ptrdiff_t colon = str_find_byte(line, ':');
        if (colon <= 0 || out->n_header == MAX_HEADER)
            return fail(ERR_INPUT, "replay_form", "answer.http has a header line without ':', or more than %d", MAX_HEADER);
        field[out->n_header++] =
            (struct http_field){str_slice(line, 0, (size_t)colon), str_trim(str_slice(line, (size_t)colon + 1, line.len))};
    }
    out->body = text;
    return OK;
}

static err read_page(const struct json *ask, struct connector_page *out) {
    const struct json *v = json_get(ask, STR("page"));
    *out = (struct connector_page){0};
    if (!v)
        return OK;
    err rc = json_get_integer(v, STR("number"), &out->number);
    if (rc == OK || rc == ERR_ABSENT)
        rc = json_get_integer(v, STR("offset"), &out->offset);
    if (rc == OK || rc == ERR_ABSENT)
        rc = json_get_string(v, STR("cursor"), &out->cursor);
    return rc == ERR_ABSENT ? OK : rc;
}

/* ---- writing what was made ---- */

static void put_header(struct json_writer *w, const struct connector_request *r) {
    json_key(w, STR("headers"));
    json_open_object(w);
    for (size_t i = 0; i < r->n_header; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || str_equal(r->header[k].name, r->header[i].name);
        if (!seen)
            json_put_string(w, r->header[i].name, r->header[i].value);
    }
    json_close_object(w);
}

static void put_request(struct arena *a, struct json_writer *w, const struct connector_request *r) {
    const struct json *body;
    json_open_object(w);
    json_put_string(w, STR("method"), r->method);
    json_put_string(w, STR("url"), r->url);
    put_header(w, r);
    if (r->body.len > 0) {
        json_key(w, STR("body"));
        if (json_parse(a, r->body, NULL, &body) == OK)
            json_value(w, body);
        else
            json_string(w, r->body);
    }
    json_close_object(w);
}

static void put_filled(struct json_writer *w, const char *key, str value) {
    if (value.len > 0)
        json_put_string(w, str_from(key), value);
}

static void put_entity(struct json_writer *w, const struct connector_entity *e) {
    json_open_object(w);
    put_filled(w, "name", e->name);
    put_filled(w, "domain", e->domain);
    put_filled(w, "country", e->country);
    put_filled(w, "email", e->email);
    put_filled(w, "id", e->id);
    json_close_object(w);
}

static void put_observation(struct json_writer *w, const struct connector_observation *o) {
    char text[TIME_TEXT_BYTE];
    json_open_object(w);
    json_put_string(w, STR("field"), o->field);
    json_key(w, STR("value"));
    json_value(w, o->value);
    put_filled(w, "unit", o->unit);
    if (o->observed_ms != CONNECTOR_UNKNOWN_TIME)
        json_put_string(w, STR("observed"), (str){text, time_format(o->observed_ms, text)});
    if (o->confidence < 1)
        json_put_number(w, STR("confidence"), o->confidence);
    if (o->entity > 0)
        json_put_integer(w, STR("entity"), o->entity);
    json_close_object(w);
}

static void put_observations(struct json_writer *w, const struct connector_operation *op,
                             const struct connector_observations *o) {
    if (o->n_entity > 0) {
        json_key(w, STR("entities"));
        json_open_array(w);
        for (size_t i = 0; i < o->n_entity; i++)
            put_entity(w, &o->entity[i]);
        json_close_array(w);
        json_key(w, STR("observations"));
        json_open_array(w);
        for (size_t i = 0; i < o->n; i++)
            put_observation(w, &o->item[i]);
        json_close_array(w);
    }
    if (op->result) {
        json_key(w, STR("result"));
        json_value(w, o->result);
    }
    if (o->n_fault == 0)
        return;
    json_key(w, STR("faults"));
    json_open_array(w);
    for (size_t i = 0; i < o->n_fault; i++)
        json_string(w, o->fault[i].field);
    json_close_array(w);
}

static void put_verdict(struct json_writer *w, const struct connector_verdict *v) {
    json_put_string(w, STR("class"), str_from(connector_class_name(v->class)));
    put_filled(w, "reason", v->reason);
    if (v->retry_after_ms > 0)
        json_put_integer(w, STR("retry_after_ms"), v->retry_after_ms);
    if (v->remaining >= 0)
        json_put_integer(w, STR("remaining"), v->remaining);
}

static void put_next(struct json_writer *w, const struct connector_page *next) {
    json_key(w, STR("next"));
    json_open_object(w);
    json_put_integer(w, STR("number"), next->number);
    json_put_integer(w, STR("offset"), next->offset);
    put_filled(w, "cursor", next->cursor);
    json_close_object(w);
}

/* ---- one case ---- */

struct asked {
    const struct connector_binding *binding;
    const struct connector_operation *op;
    const struct json *input;
    struct connector_page page;
    str token;
    int64_t now_ms;
};

static err read_ask(struct replay *r, const char *folder, struct asked *out) {
    static const struct json empty = {.type = JSON_OBJECT};
    const struct json *ask, *settings = NULL;
    str text, operation, now;
    TRY(file_read_all(r->arena, str_format(r->arena, "%s/ask.json", folder).ptr, MAX_FILE, &text));
    TRY(json_parse(r->arena, text, NULL, &ask));
    TRY(json_get_string(ask, STR("operation"), &operation));
    TRY(connector_operation(r->connector, operation, &out->op));
    settings = json_get(ask, STR("settings"));
    out->input = json_get(ask, STR("input")) ? json_get(ask, STR("input")) : &empty;
    out->now_ms = SOME_DAY_MS;
    if (json_get_string(ask, STR("now"), &now) == OK)
        TRY(time_parse(now, TIME_ORDER_UNKNOWN, &out->now_ms));
    if (json_get_string(ask, STR("token"), &out->token) != OK)
        out->token = STR("TOKEN");
    TRY(connector_bind(r->arena, r->connector, settings, &out->binding));
    return read_page(ask, &out->page);
}

static err replay_answer(struct replay *r, const struct asked *q, const char *folder) {
    struct connector_answer answer;
    struct connector_verdict verdict;
    struct connector_observations seen = {0};
    struct connector_page next;
    bool more;
    str text;
    TRY(file_read_all(r->arena, str_format(r->arena, "%s/answer.http", folder).ptr, MAX_FILE, &text));
    TRY(read_answer(r->arena, text, &answer));
    TRY(connector_classify(r->host, r->arena, q->binding, q->op, &answer, q->now_ms, &verdict));
    put_verdict(&r->w, &verdict);
    if (verdict.class != CONNECTOR_OK)
        return OK;
    TRY(connector_map(r->host, r->arena, q->binding, q->op, q->input, &answer, verdict.body, &seen));
    put_observations(&r->w, q->op, &seen);
    err rc = connector_next_page(r->host, r->arena, q->binding, q->op, &q->page, &answer, verdict.body, &more, &next);
    if (rc != OK)
        json_put_string(&r->w, STR("next_fault"), str_from(err_slug()));
    else if (more)
        put_next(&r->w, &next);
    return OK;
}

static err make(struct replay *r, const char *folder, struct buf *made) {
    struct asked q = {0};
    struct connector_request request;
    TRY(read_ask(r, folder, &q));
    json_write_begin(&r->w, made, 2);
    json_open_object(&r->w);
    json_key(&r->w, STR("request"));
    TRY(connector_build(r->host, r->arena, q.binding, q.op, q.input, &q.page, (str){0}, &request));
    const struct connector_token token = {.access = q.token, .expires_ms = INT64_MAX};
    /* A signature of a key that is made anew each time cannot be compared; the tests of auth.h have vectors. */
    if (q.binding->auth->type != AUTH_SNOWFLAKE_KEY && q.binding->auth->type != AUTH_APNS)
        TRY(connector_authenticate(r->arena, q.binding, &token, q.now_ms, &request));
    put_request(r->arena, &r->w, &request);
    TRY(replay_answer(r, &q, folder));
    json_close_object(&r->w);
    buf_add_byte(made, '\n');
    return buf_check(made);
}

/* The first member in which two documents differ. */
static str first_difference(struct arena *a, str path, const struct json *want, const struct json *got) {
    if (want && got && want->type == got->type && want->type == JSON_OBJECT) {
        for (uint32_t i = 0; i < want->count; i++) {
            const struct json *g = json_get(got, want->members[i].key);
            if (!g || !json_equal(&want->members[i].value, g))
                return first_difference(a, str_format(a, "%.*s/%.*s", STR_ARG(path), STR_ARG(want->members[i].key)),
                                        &want->members[i].value, g);
        }
        for (uint32_t i = 0; i < got->count; i++)
            if (!json_get(want, got->members[i].key))
                return str_format(a, "%.*s/%.*s is new", STR_ARG(path), STR_ARG(got->members[i].key));
    }
    if (want && got && want->type == JSON_ARRAY && got->type == JSON_ARRAY)
        for (uint32_t i = 0; i < want->count && i < got->count; i++)
            if (!json_equal(&want->items[i], &got->items[i]))
                return first_difference(a, str_format(a, "%.*s/%u", STR_ARG(path), i), &want->items[i], &got->items[i]);
    struct buf *text = buf_in(a, 4096);
    struct json_writer w;
    json_write_begin(&w, text, 0);
    if (got)
        json_value(&w, got);
    else
        json_null(&w);
    return str_format(a, "%.*s is now %.*s", STR_ARG(path), STR_ARG(str_slice(buf_str(text), 0, 200)));
}

static err compare(struct replay *r, const char *folder, str made, struct replay_result *out) {
    str text, path = str_format(r->arena, "%s/expect.json", folder);
    const struct json *want, *got;
    TRY(json_parse(r->arena, made, NULL, &got));
    if (r->accept) {
        out->good = true;
        return file_write_all(r->arena, path.ptr, made);
    }
    TRY(file_read_all(r->arena, path.ptr, MAX_FILE, &text));
    TRY(json_parse(r->arena, text, NULL, &want));
    out->good = json_equal(want, got);
    if (!out->good)
        out->difference = first_difference(r->arena, STR(""), want, got);
    return OK;
}

static void replay_case(struct replay *r, const char *name, struct replay_result *out) {
    struct buf *made = buf_in(r->arena, MAX_FILE);
    str folder = str_format(r->arena, "%s/%s", r->folder, name);
    *out = (struct replay_result){.connector = r->connector->name, .name = str_copy(r->arena, str_from(name))};
    err rc = make(r, folder.ptr, made);
    if (rc == OK)
        rc = compare(r, folder.ptr, buf_str(made), out);
    if (rc != OK) {
        out->good = false;
        out->difference = str_format(r->arena, "[%s] %s", err_slug(), err_text());
    }
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void close_folder(void *folder) { closedir(folder); }

err replay_connector(struct arena *a, struct program_host *h, const struct connector *c, const char *folder, bool accept,
                     struct replay_results *out) {
    struct replay r = {.arena = a, .host = h, .connector = c, .accept = accept};
    const char **name = ARENA_ARRAY(a, MAX_CASE, const char *);
    size_t n = 0;
    r.folder = str_format(a, "%s/%.*s", folder, STR_ARG(c->name)).ptr;
    DIR *d = opendir(r.folder);
    if (!d)
        return fail(ERR_ABSENT, "replay_folder", "%s: there are no cases", r.folder);
    arena_defer(a, close_folder, d);
    for (const struct dirent *e = readdir(d); e && n < MAX_CASE; e = readdir(d))
        if (e->d_name[0] != '.')
            name[n++] = str_cstr(a, str_from(e->d_name));
    if (n > 0)
        qsort(name, n, sizeof *name, by_text);
    *out = (struct replay_results){.item = ARENA_ARRAY(a, n, struct replay_result), .n = n};
    for (size_t i = 0; i < n; i++) {
        replay_case(&r, name[i], &out->item[i]);
        out->n_good += out->item[i].good ? 1 : 0;
    }
    return OK;
}
