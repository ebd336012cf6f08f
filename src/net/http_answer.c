/* http_answer.c — answers: decided once, by the handler or by a deadline, and sent by libmicrohttpd's thread. */
#include "net/http_server_priv.h"

#include <stdio.h>

enum { OVERDUE_AT_ONCE = 64 };

static const struct http_field PROBLEM_FIELD = {STR_INIT("Content-Type"), STR_INIT("application/problem+json")};

/* RFC 9457. */
static const struct {
    int status;
    str body;
} PROBLEMS[] = {
    {400, STR_INIT("{\"type\":\"about:blank\",\"code\":\"http_malformed\",\"title\":\"Bad Request\",\"status\":400,"
                   "\"detail\":\"The request line or its header fields are malformed or ambiguous.\"}\n")},
    {413, STR_INIT("{\"type\":\"about:blank\",\"code\":\"http_too_large\",\"title\":\"Content Too Large\",\"status\":413,"
                   "\"detail\":\"The request is larger than this server accepts.\"}\n")},
    {431, STR_INIT("{\"type\":\"about:blank\",\"code\":\"http_header_too_large\",\"title\":\"Request Header Fields Too "
                   "Large\",\"status\":431,"
                   "\"detail\":\"There are too many header fields.\"}\n")},
    {500, STR_INIT("{\"type\":\"about:blank\",\"code\":\"http_failed\",\"title\":\"Internal Server Error\",\"status\":500,"
                   "\"detail\":\"The answer could not be sent.\"}\n")},
    {501, STR_INIT("{\"type\":\"about:blank\",\"code\":\"http_coding\",\"title\":\"Not Implemented\",\"status\":501,"
                   "\"detail\":\"This server reads no transfer encoding but chunked.\"}\n")},
    {503, STR_INIT("{\"type\":\"about:blank\",\"code\":\"http_busy\",\"title\":\"Service Unavailable\",\"status\":503,"
                   "\"detail\":\"The server is busy or stopping; repeat the request later.\"}\n")},
};

void http_answer_refusal(struct http_answer *answer, int status) {
    answer->status = status;
    answer->field[0] = PROBLEM_FIELD;
    answer->n_field = 1;
    if (status == 503)
        answer->field[answer->n_field++] = (struct http_field){STR("Retry-After"), STR("1")};
    answer->close = true;
    for (size_t i = 0; i < sizeof PROBLEMS / sizeof *PROBLEMS; i++)
        if (PROBLEMS[i].status == status)
            answer->body = PROBLEMS[i].body;
}

bool http_work_claim(struct http_work *w) {
    bool expected = false;
    return atomic_compare_exchange_strong(&w->claimed, &expected, true);
}

void http_work_unlink(struct http_work *w) {
    struct http_server *s = w->server;
    pthread_mutex_lock(&s->lock);
    if (w->waiting) {
        if (w->prev)
            w->prev->next = w->next;
        else
            s->waiting = w->next;
        if (w->next)
            w->next->prev = w->prev;
        w->waiting = false;
    }
    pthread_mutex_unlock(&s->lock);
}

void http_work_publish(struct http_work *w) {
    if (atomic_exchange(&w->stage, HTTP_ANSWERED) != HTTP_SUSPENDED)
        return; /* libmicrohttpd's thread is on its way and will see it */
    struct http_server *s = w->server;
    http_work_unlink(w);
    http_loop_resume(w->conn, w->connection);
    atomic_fetch_sub(&s->with_handler, 1);
}

void http_work_unref(struct http_work *w) {
    if (atomic_fetch_sub(&w->refs, 1) != 1)
        return;
    struct http_server *s = w->server;
    atomic_fetch_sub(&s->bodies_byte, w->reserved_byte);
    if (w->space)
        http_space_give_back(s, w->space);
    free(w);
    http_server_unref(s);
}

static bool fill_answer(struct http_answer *answer, int status, const struct http_field *field, size_t n_field) {
    if (status < 200 || status > 599 || n_field > HTTP_MAX_ANSWER_FIELDS)
        return false;
    for (size_t i = 0; i < n_field; i++) {
        if (!http_field_sendable(field[i]))
            return false;
        answer->field[i] = field[i];
    }
    answer->status = status;
    answer->n_field = n_field;
    return true;
}

void http_respond(struct http_request *r, int status, const struct http_field *field, size_t n_field, str body) {
    struct http_work *w = (struct http_work *)r;
    if (atomic_exchange(&w->given_up, true))
        return;
    if (http_work_claim(w)) {
        if (fill_answer(&w->answer, status, field, n_field))
            w->answer.body = body;
        else
            http_answer_refusal(&w->answer, MHD_HTTP_INTERNAL_SERVER_ERROR);
        http_work_publish(w);
    }
    http_work_unref(w);
}

void http_work_give_up(struct http_work *w, int status) {
    if (atomic_exchange(&w->given_up, true))
        return;
    if (http_work_claim(w)) {
        http_answer_refusal(&w->answer, status);
        http_work_publish(w);
    }
    http_work_unref(w);
}

struct http_stream *http_stream_open(struct http_request *r, int status, const struct http_field *field, size_t n_field,
                                     const struct http_stream_settings *settings) {
    struct http_work *w = (struct http_work *)r;
    struct http_stream *stream = NULL;
    if (atomic_exchange(&w->given_up, true))
        return NULL;
    if (http_work_claim(w)) {
        if (fill_answer(&w->answer, status, field, n_field))
            stream = http_stream_new(w, settings);
        if (stream)
            w->answer.stream = stream;
        else
            http_answer_refusal(&w->answer, MHD_HTTP_INTERNAL_SERVER_ERROR);
        http_work_publish(w);
    }
    http_work_unref(w);
    return stream;
}

/* libmicrohttpd wants names and values that end in NUL. */
static bool add_field(struct MHD_Response *response, struct http_field field) {
    char text[1024];
    size_t need = field.name.len + field.value.len + 2;
    char *name = need <= sizeof text ? text : malloc(need);
    if (!name)
        return false;
    char *value = name + field.name.len + 1;
    memcpy(name, field.name.ptr, field.name.len);
    name[field.name.len] = '\0';
    if (field.value.len > 0)
        memcpy(value, field.value.ptr, field.value.len);
    value[field.value.len] = '\0';
    bool added = MHD_add_response_header(response, name, value) == MHD_YES;
    if (name != text)
        free(name);
    return added;
}

static struct MHD_Response *make_response(struct http_work *w) {
    struct http_answer *answer = &w->answer;
    struct MHD_Response *response = NULL;
    if (answer->stream)
        response = http_stream_response(answer->stream);
    else if (str_empty(answer->body))
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    else /* it lives in the arena, which lives until the answer is sent */
        response =
            MHD_create_response_from_buffer(answer->body.len, (void *)(uintptr_t)answer->body.ptr, MHD_RESPMEM_PERSISTENT);
    bool good = response != NULL;
    for (size_t i = 0; good && i < answer->n_field; i++)
        good = add_field(response, answer->field[i]);
    if (good && (answer->close || atomic_load(&w->server->draining)))
        good = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (good)
        return response;
    if (response)
        MHD_destroy_response(response);
    return NULL;
}

enum MHD_Result http_answer_send(struct http_work *w) {
    struct http_server *s = w->server;
    const struct http_answer *answer = &w->answer;
    struct MHD_Response *response = make_response(w);
    if (!response)
        return MHD_NO;
    w->step = HTTP_STEP_DONE;
    atomic_fetch_add(&s->total.status[answer->status / 100], 1);
    if (answer->stream) {
        http_conn_phase(w->conn, HTTP_STREAMING, HTTP_NEVER);
    } else {
        int64_t ms = s->settings.send_ms + (int64_t)(answer->body.len / s->settings.send_byte_per_s) * 1000;
        atomic_fetch_add(&s->total.body_out, answer->body.len);
        http_conn_phase(w->conn, HTTP_SENDING, http_now_ns() + ms * 1000000);
    }
    enum MHD_Result queued = MHD_queue_response(w->connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Claims some that are overdue, each with a reference; under lock. */
static size_t claim_overdue(struct http_server *s, int64_t now_ns, bool all, struct http_work **claimed) {
    size_t n = 0;
    for (struct http_work *w = s->waiting; w && n < OVERDUE_AT_ONCE; w = w->next) {
        if ((!all && w->request.deadline_ns > now_ns) || !http_work_claim(w))
            continue;
        atomic_fetch_add(&w->refs, 1);
        claimed[n++] = w;
    }
    return n;
}

void http_answer_overdue(struct http_server *s, int64_t now_ns, bool all) {
    struct http_work *claimed[OVERDUE_AT_ONCE];
    size_t n;
    do {
        pthread_mutex_lock(&s->lock);
        n = claim_overdue(s, now_ns, all, claimed);
        pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; i < n; i++) {
            atomic_fetch_add(&s->total.unanswered, 1);
            http_answer_refusal(&claimed[i]->answer, MHD_HTTP_SERVICE_UNAVAILABLE);
            claimed[i]->answer.close = false;
            http_work_publish(claimed[i]);
            http_work_unref(claimed[i]);
        }
    } while (n == OVERDUE_AT_ONCE);
}

str http_request_header(const struct http_request *r, str name) { return http_field_value(r->header, r->n_header, name); }

bool http_request_query(const struct http_request *r, str name, str *value) {
    for (size_t i = 0; i < r->n_query; i++)
        if (str_equal(r->query[i].name, name)) {
            *value = r->query[i].value;
            return true;
        }
    return false;
}
