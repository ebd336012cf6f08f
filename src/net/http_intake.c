/* http_intake.c — a request from its first line to the handler. */
#include "net/http_server_priv.h"

enum { KEPT_SPACES = 256, KEPT_BODY_BYTE = 64 * 1024, CHUNK_ROOM_BYTE = 16 * 1024 };

static struct http_conn *conn_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static int64_t after_ms(int64_t now_ns, int64_t ms) { return now_ns + ms * 1000000; }

/* The first line is complete: only now memory is spent on the request, and little of it until the header fields are, too. */
void *http_on_target(void *ctx, const char *target, struct MHD_Connection *connection) {
    struct http_server *s = ctx;
    struct http_conn *conn = conn_of(connection);
    size_t len = strlen(target);
    struct http_work *w = conn ? malloc(sizeof *w + len + 1) : NULL;
    if (!w)
        return NULL;
    memset(w, 0, sizeof *w);
    memcpy(w->target, target, len + 1);
    w->request.target = (str){w->target, len};
    w->server = s;
    w->connection = connection;
    w->conn = conn;
    atomic_init(&w->refs, 1);
    http_server_ref(s);
    atomic_fetch_add(&s->total.in_flight, 1);
    http_conn_phase(conn, HTTP_RECEIVING, after_ms(http_now_ns(), s->settings.receive_ms));
    return w;
}

static struct http_space *new_space(const struct http_server *s) {
    struct http_space *space = calloc(1, sizeof *space);
    if (!space)
        return NULL;
    space->arena = arena_new(s->settings.arena_byte);
    if (!space->arena) {
        free(space);
        return NULL;
    }
    buf_init(&space->body, s->settings.max_body_byte + 1);
    return space;
}

static struct http_space *take_space(struct http_server *s) {
    pthread_mutex_lock(&s->lock);
    struct http_space *space = s->space;
    if (space) {
        s->space = space->next;
        s->n_space--;
    }
    pthread_mutex_unlock(&s->lock);
    return space ? space : new_space(s);
}

void http_space_free(struct http_space *space) {
    arena_free(space->arena);
    buf_done(&space->body);
    free(space);
}

void http_space_give_back(struct http_server *s, struct http_space *space) {
    arena_reset(space->arena);
    buf_clear(&space->body);
    if (space->body.cap > KEPT_BODY_BYTE)
        buf_done(&space->body);
    pthread_mutex_lock(&s->lock);
    bool keep = s->n_space < KEPT_SPACES;
    if (keep) {
        space->next = s->space;
        s->space = space;
        s->n_space++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!keep)
        http_space_free(space);
}

/* Refuses at once: what follows of the request is not read, the connection is closed. */
static enum MHD_Result refuse(struct http_work *w, int status) {
    if (!http_work_claim(w))
        return MHD_NO;
    atomic_fetch_add(&w->server->total.rejected, 1);
    http_answer_refusal(&w->answer, status);
    return http_answer_send(w);
}

/* Counts `more` bytes of body against all requests in flight. */
static bool reserve(struct http_work *w, size_t more) {
    struct http_server *s = w->server;
    size_t before = atomic_fetch_add(&s->bodies_byte, more);
    w->reserved_byte += more;
    return before <= s->settings.max_bodies_byte && more <= s->settings.max_bodies_byte - before;
}

/* Room for `need` bytes and the NUL; 0 or the status of a refusal. */
static int make_room(struct http_work *w, size_t need) {
    struct buf *body = &w->space->body;
    if (body->len + need > w->server->settings.max_body_byte)
        return MHD_HTTP_CONTENT_TOO_LARGE;
    if (!reserve(w, need))
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    return buf_reserve(body, need + 1) ? 0 : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result begin(struct http_work *w, struct MHD_Connection *connection, const char *method) {
    struct http_server *s = w->server;
    w->connection = connection;
    w->space = take_space(s);
    if (!w->space)
        return MHD_NO;
    struct http_request *r = &w->request;
    r->arena = w->space->arena;
    r->peer = str_from(w->conn->peer_text);
    r->tls = s->settings.cert_file != NULL;
    atomic_fetch_add(&s->total.requests, 1);
    int64_t length = 0;
    int status = http_read_head(w, method, &length);
    if (status == 0 && length > 0)
        status = (uint64_t)length > s->settings.max_body_byte ? MHD_HTTP_CONTENT_TOO_LARGE : make_room(w, (size_t)length);
    if (status != 0)
        return refuse(w, status);
    w->step = HTTP_STEP_BODY;
    return MHD_YES;
}

/* A body over its limit is read to its end, or as much again, so that its sender gets to read the refusal. */
static enum MHD_Result take_body(struct http_work *w, const char *bytes, size_t n) {
    struct buf *body = &w->space->body;
    atomic_fetch_add(&w->server->total.body_in, n);
    bool announced = body->len + n <= w->reserved_byte;
    if (w->refused == 0 && !announced)
        w->refused = make_room(w, n);
    if (w->refused == 0) {
        buf_add(body, (str){bytes, n});
        return MHD_YES;
    }
    w->discarded += n;
    return w->discarded <= w->server->settings.max_body_byte ? MHD_YES : MHD_NO;
}

static err call_handler(void *ctx) {
    struct http_work *w = ctx;
    struct http_request *r = &w->request;
    /* The method's text is libmicrohttpd's, too. */
    r->method = str_copy(r->arena, r->method);
    r->peer = str_copy(r->arena, r->peer);
    w->server->settings.handle(w->server->settings.ctx, r);
    return OK;
}

/* The handler did not answer at once: the connection leaves the loop until somebody does. Whoever comes second, this or the
 * answer, resumes it. */
static enum MHD_Result suspend(struct http_work *w) {
    struct http_server *s = w->server;
    MHD_suspend_connection(w->connection);
    pthread_mutex_lock(&s->lock);
    w->waiting = true;
    w->prev = NULL;
    w->next = s->waiting;
    if (s->waiting)
        s->waiting->prev = w;
    s->waiting = w;
    pthread_mutex_unlock(&s->lock);
    int expected = HTTP_WITH_HANDLER;
    if (!atomic_compare_exchange_strong(&w->stage, &expected, HTTP_SUSPENDED)) {
        http_work_unlink(w);
        http_loop_resume(w->conn, w->connection);
        atomic_fetch_sub(&s->with_handler, 1);
    }
    return MHD_YES;
}

static enum MHD_Result hand_over(struct http_work *w, const char *method) {
    struct http_server *s = w->server;
    struct http_request *r = &w->request;
    struct buf *body = &w->space->body;
    buf_add_byte(body, '\0');
    if (w->refused == 0 && body->over)
        w->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
    atomic_fetch_add(&s->with_handler, 1); /* before the look at `refusing`: see http_server_stop */
    if (atomic_load(&s->refusing))
        w->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
    if (w->refused != 0) {
        atomic_fetch_sub(&s->with_handler, 1);
        return refuse(w, w->refused);
    }
    r->method = str_from(method);
    r->body = (str){body->ptr, body->len - 1};
    r->received_ns = http_now_ns();
    r->deadline_ns = after_ms(r->received_ns, s->settings.answer_ms);
    w->step = HTTP_STEP_HANDED;
    http_conn_phase(w->conn, HTTP_HANDLED, HTTP_NEVER);
    atomic_fetch_add(&w->refs, 1);
    if (arena_run(r->arena, call_handler, w) != OK)
        http_work_give_up(w, MHD_HTTP_CONTENT_TOO_LARGE);
    if (atomic_load(&w->stage) != HTTP_ANSWERED)
        return suspend(w);
    atomic_fetch_sub(&s->with_handler, 1);
    return http_answer_send(w);
}

enum MHD_Result http_on_access(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *upload, size_t *n_upload, void **work) {
    (void)ctx;
    (void)url;
    (void)version;
    struct http_work *w = *work;
    if (!w)
        return MHD_NO;
    if (w->step == HTTP_STEP_HEAD)
        return begin(w, connection, method);
    if (w->step == HTTP_STEP_BODY && *n_upload > 0) {
        size_t n = *n_upload;
        *n_upload = 0;
        return take_body(w, upload, n);
    }
    if (w->step == HTTP_STEP_BODY)
        return hand_over(w, method);
    if (w->step == HTTP_STEP_HANDED && atomic_load(&w->stage) == HTTP_ANSWERED)
        return http_answer_send(w);
    return w->step == HTTP_STEP_DONE ? MHD_YES : MHD_NO;
}

void http_on_completed(void *ctx, struct MHD_Connection *connection, void **work, enum MHD_RequestTerminationCode code) {
    (void)connection;
    struct http_server *s = ctx;
    struct http_work *w = *work;
    *work = NULL;
    if (!w)
        return;
    http_work_claim(w); /* an answer that comes now does nothing */
    if (w->step == HTTP_STEP_HANDED && atomic_load(&w->stage) == HTTP_ANSWERED && w->answer.stream)
        http_stream_gone(w->answer.stream); /* the client went before its answer was begun */
    http_conn_phase(w->conn, HTTP_IDLE, after_ms(http_now_ns(), s->settings.idle_ms));
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK) /* nobody can use it any more, whatever was asked meanwhile */
        http_conn_cut(s, w->conn);
    atomic_fetch_sub(&s->total.in_flight, 1);
    http_work_unref(w);
}
