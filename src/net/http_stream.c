/* http_stream.c — answers without end: a bounded queue between who pushes and the client. */
#include "net/http_server_priv.h"

#include <sys/socket.h>

enum { FIRST_QUEUE_BYTE = 1024, READ_BLOCK_BYTE = 4096, LAST_WORDS_MS = 1000, ENDS_AT_ONCE = 64 };

struct http_stream {
    struct http_server *server;
    atomic_int refs; /* the owner's and libmicrohttpd's */
    size_t max;
    void (*closed)(void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    /* under lock: */
    struct MHD_Connection *connection; /* NULL when libmicrohttpd is done with it */
    struct http_conn *conn;
    char *queue;
    size_t from, to, cap; /* queue[from..to) is not yet taken */
    bool asleep;          /* suspended until something is pushed */
    bool ended, dead;
    bool dropped; /* dead, and its socket is shut down */
};

struct http_stream *http_stream_new(struct http_work *w, const struct http_stream_settings *settings) {
    struct http_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->server = w->server;
    s->max = settings->max_queue_byte;
    s->closed = settings->closed;
    s->ctx = settings->ctx;
    s->connection = w->connection;
    s->conn = w->conn;
    atomic_init(&s->refs, 2);
    pthread_mutex_init(&s->lock, NULL);
    http_server_ref(s->server);
    atomic_fetch_add(&s->server->total.streams_open, 1);
    pthread_mutex_lock(&s->server->lock);
    w->conn->stream = s;
    s->ended = atomic_load(&s->server->draining);
    pthread_mutex_unlock(&s->server->lock);
    return s;
}

void http_stream_ref(struct http_stream *s) { atomic_fetch_add(&s->refs, 1); }

void http_stream_unref(struct http_stream *s) {
    if (atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    struct http_server *server = s->server;
    pthread_mutex_destroy(&s->lock);
    free(s->queue);
    free(s);
    http_server_unref(server);
}

void http_stream_gone(struct http_stream *s) {
    struct http_server *server = s->server;
    pthread_mutex_lock(&server->lock);
    if (s->conn)
        s->conn->stream = NULL;
    pthread_mutex_unlock(&server->lock);
    pthread_mutex_lock(&s->lock);
    s->dead = true;
    s->asleep = false;
    s->connection = NULL;
    s->conn = NULL;
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_sub(&server->total.streams_open, 1);
    if (s->closed)
        s->closed(s->ctx);
    http_stream_unref(s);
}

static void on_free(void *ctx) { http_stream_gone(ctx); }

/* libmicrohttpd asks for bytes. */
static ssize_t take_bytes(void *ctx, uint64_t pos, char *to, size_t max) {
    (void)pos;
    struct http_stream *s = ctx;
    ssize_t n = 0;
    pthread_mutex_lock(&s->lock);
    size_t waiting = s->to - s->from;
    if (s->dropped) {
        *to = '\n'; /* goes nowhere. Writing it fails, which ends the connection: libmicrohttpd 0.9.75 would forget one */
        n = 1;      /* whose reader fails after the last event of its socket, as that of the shutdown is */
    } else if (s->dead) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (waiting > 0) {
        n = (ssize_t)(waiting < max ? waiting : max);
        memcpy(to, s->queue + s->from, (size_t)n);
        s->from += (size_t)n;
        atomic_fetch_add(&s->server->total.body_out, (uint_fast64_t)n);
    } else if (s->ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->asleep = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

struct MHD_Response *http_stream_response(struct http_stream *s) {
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, READ_BLOCK_BYTE, take_bytes, s, on_free);
    if (!response)
        http_stream_gone(s);
    return response;
}

/* Under the stream's lock. */
static void wake(struct http_stream *s) {
    if (!s->asleep)
        return;
    s->asleep = false;
    http_loop_resume(s->conn, s->connection);
}

/* Room behind `to` for n bytes; false when the queue would become too long. */
static bool make_room(struct http_stream *s, size_t n) {
    size_t used = s->to - s->from;
    if (n > s->max || used > s->max - n)
        return false;
    if (s->cap - s->to >= n)
        return true;
    if (used > 0)
        memmove(s->queue, s->queue + s->from, used);
    s->from = 0;
    s->to = used;
    if (s->cap - used >= n)
        return true;
    size_t cap = s->cap < FIRST_QUEUE_BYTE ? FIRST_QUEUE_BYTE : s->cap * 2;
    while (cap < used + n)
        cap *= 2;
    char *queue = realloc(s->queue, cap);
    if (!queue)
        return false;
    s->queue = queue;
    s->cap = cap;
    return true;
}

/* Under the stream's lock: the client does not read, so that only shutting its socket down ends it. */
static void drop(struct http_stream *s) {
    s->dead = s->dropped = true;
    atomic_fetch_add(&s->server->total.streams_dropped, 1);
    if (s->conn) {
        atomic_fetch_add(&s->server->total.connections_dropped, 1);
        shutdown(s->conn->fd, SHUT_RDWR); /* open as long as the stream has its connection */
    }
    wake(s);
}

bool http_stream_push(struct http_stream *s, str chunk) {
    pthread_mutex_lock(&s->lock);
    bool open = !s->dead && !s->ended;
    if (open && chunk.len > 0) {
        open = make_room(s, chunk.len);
        if (open) {
            memcpy(s->queue + s->to, chunk.ptr, chunk.len);
            s->to += chunk.len;
            wake(s);
        } else {
            drop(s);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return open;
}

static void end(struct http_stream *s) {
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    if (s->conn && !s->dropped) /* who does not read the last words either loses them */
        http_conn_phase(s->conn, HTTP_STREAMING, http_now_ns() + LAST_WORDS_MS * INT64_C(1000000));
    wake(s);
    pthread_mutex_unlock(&s->lock);
}

void http_stream_close(struct http_stream *s) {
    if (!s)
        return;
    end(s);
    http_stream_unref(s);
}

void http_stream_hang_up(struct http_stream *s) {
    pthread_mutex_lock(&s->lock);
    s->dead = true;
    wake(s);
    pthread_mutex_unlock(&s->lock);
}

void http_stream_end_all(struct http_server *server) {
    struct http_stream *found[ENDS_AT_ONCE];
    size_t n;
    do {
        n = 0;
        pthread_mutex_lock(&server->lock);
        for (struct http_conn *c = server->conn; c && n < ENDS_AT_ONCE; c = c->next) {
            if (!c->stream)
                continue;
            found[n++] = c->stream;
            http_stream_ref(c->stream);
            c->stream = NULL; /* found once is enough */
        }
        pthread_mutex_unlock(&server->lock);
        for (size_t i = 0; i < n; i++) {
            end(found[i]);
            http_stream_unref(found[i]);
        }
    } while (n == ENDS_AT_ONCE);
}
