/* http_watch.c — the thread that accepts connections, counts them by address, and cuts off those whose time is over. */
#include "net/http_server_priv.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_AT_ONCE = 64, BACK_OFF_MS = 50, HANG_UP_CHECK_MS = 1000, HANG_UPS_AT_ONCE = 64 };

/* The place for `address` in its bucket: where its entry hangs or would hang. */
static struct http_peer **find_peer(struct http_server *s, const struct address *address) {
    unsigned char hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, address->byte, sizeof address->byte, s->peer_key);
    size_t bucket = (size_t)(hash[0] | hash[1] << 8) % HTTP_PEER_BUCKETS;
    struct http_peer **at = &s->peer[bucket];
    while (*at && memcmp((*at)->address.byte, address->byte, sizeof address->byte) != 0)
        at = &(*at)->next;
    return at;
}

/* One connection more for the address; NULL when it has as many as it may. */
static struct http_peer *add_peer(struct http_server *s, struct address address) {
    if (!address_is_v4(&address))
        memset(address.byte + 8, 0, 8); /* IPv6: who has one address of a /64 has them all */
    struct http_peer **at = find_peer(s, &address);
    if (!*at) {
        *at = calloc(1, sizeof **at);
        if (!*at)
            return NULL;
        (*at)->address = address;
    }
    if ((*at)->n >= s->settings.max_connections_per_address)
        return NULL;
    (*at)->n++;
    return *at;
}

static void drop_peer(struct http_server *s, struct http_peer *peer) {
    if (--peer->n > 0)
        return;
    struct http_peer **at = find_peer(s, &peer->address);
    *at = peer->next;
    free(peer);
}

/* Under lock. */
static void forget_conn(struct http_server *s, struct http_conn *conn) {
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        s->conn = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    if (s->conn_by_fd[conn->fd] == conn)
        s->conn_by_fd[conn->fd] = NULL;
    drop_peer(s, conn->peer);
    s->n_conn--;
    atomic_fetch_sub(&s->total.connections_open, 1);
    free(conn);
}

/* Under lock. NULL when a limit forbids it. */
static struct http_conn *make_conn(struct http_server *s, int fd, const struct address *address) {
    if (s->n_conn >= s->settings.max_connections || (size_t)fd >= s->n_fd)
        return NULL;
    if (s->conn_by_fd[fd])
        forget_conn(s, s->conn_by_fd[fd]); /* closed, and not yet said to be: see http_conn_not_taken */
    struct http_peer *peer = add_peer(s, *address);
    struct http_conn *conn = peer ? calloc(1, sizeof *conn) : NULL;
    if (!conn) {
        if (peer)
            drop_peer(s, peer);
        return NULL;
    }
    conn->fd = fd;
    conn->number = ++s->last_number;
    conn->peer = peer;
    address_format(address, conn->peer_text);
    http_conn_phase(conn, HTTP_IDLE, http_now_ns() + s->settings.idle_ms * 1000000);
    conn->next = s->conn;
    if (s->conn)
        s->conn->prev = conn;
    s->conn = conn;
    s->conn_by_fd[fd] = conn;
    s->n_conn++;
    atomic_fetch_add(&s->total.connections_open, 1);
    return conn;
}

void http_conn_not_taken(struct http_server *s, int fd, uint64_t number) {
    pthread_mutex_lock(&s->lock);
    struct http_conn *conn = s->conn_by_fd[fd];
    if (conn && conn->number == number)
        forget_conn(s, conn);
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&s->total.connections_refused, 1);
}

static void take_connection(struct http_server *s, int fd, const struct sockaddr *from, socklen_t len) {
    struct address address;
    bool known = address_from_socket(from, &address);
    pthread_mutex_lock(&s->lock);
    struct http_conn *conn = known ? make_conn(s, fd, &address) : NULL;
    struct http_loop *loop = &s->loop[s->next_loop++ % s->n_loop];
    uint64_t number = conn ? conn->number : 0;
    if (conn)
        conn->loop = loop;
    pthread_mutex_unlock(&s->lock);
    if (!conn) {
        atomic_fetch_add(&s->total.connections_refused, 1);
        close(fd);
        return;
    }
    atomic_fetch_add(&s->total.connections, 1);
    if (!http_loop_give(loop, fd, number, from, len)) {
        close(fd);
        http_conn_not_taken(s, fd, number);
    }
}

/* False when no descriptor or memory is left, so that accepting must wait. */
static bool accept_some(struct http_server *s) {
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(s->listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            take_connection(s, fd, (const struct sockaddr *)&from, len);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return false;
        else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF || errno == EINVAL)
            return true;
    }
    return true;
}

void http_conn_notify(void *ctx, struct MHD_Connection *connection, void **socket_context,
                      enum MHD_ConnectionNotificationCode code) {
    struct http_server *s = ctx;
    pthread_mutex_lock(&s->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct http_conn *conn = info ? s->conn_by_fd[info->connect_fd] : NULL;
        if (conn)
            conn->started = true;
        *socket_context = conn;
    } else if (*socket_context) {
        forget_conn(s, *socket_context); /* the descriptor is closed after this */
        *socket_context = NULL;
    }
    pthread_mutex_unlock(&s->lock);
}

void http_conn_phase(struct http_conn *conn, enum http_phase phase, int64_t deadline_ns) {
    atomic_store_explicit(&conn->phase, (int)phase, memory_order_relaxed);
    atomic_store_explicit(&conn->deadline_ns, deadline_ns, memory_order_relaxed);
}

void http_conn_cut(struct http_server *s, struct http_conn *conn) {
    atomic_store_explicit(&conn->deadline_ns, 0, memory_order_relaxed);
    http_watch_wake(s);
}

/* Ends what goes over the socket; libmicrohttpd notices and closes it. */
static void cut_overdue(struct http_server *s, int64_t now_ns) {
    bool draining = atomic_load(&s->draining);
    pthread_mutex_lock(&s->lock);
    for (struct http_conn *c = s->conn; c; c = c->next) {
        int phase = atomic_load_explicit(&c->phase, memory_order_relaxed);
        bool idle = phase == HTTP_IDLE;
        if (!c->started || (atomic_load_explicit(&c->deadline_ns, memory_order_relaxed) > now_ns && !(draining && idle)))
            continue;
        shutdown(c->fd, SHUT_RDWR);
        atomic_store_explicit(&c->deadline_ns, HTTP_NEVER, memory_order_relaxed);
        if (!idle)
            atomic_fetch_add(&s->total.connections_dropped, 1);
    }
    pthread_mutex_unlock(&s->lock);
}

/* Clients of quiet streams that have closed their side: nothing else would notice before the next chunk. */
static void hang_up_gone(struct http_server *s) {
    struct http_stream *gone[HANG_UPS_AT_ONCE];
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    for (struct http_conn *c = s->conn; c && n < HANG_UPS_AT_ONCE; c = c->next) {
        char byte;
        if (!c->stream || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
            continue;
        http_stream_ref(c->stream);
        gone[n++] = c->stream;
    }
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        http_stream_hang_up(gone[i]);
        http_stream_unref(gone[i]);
    }
}

static bool has_connections(struct http_server *s) {
    pthread_mutex_lock(&s->lock);
    bool any = s->conn != NULL;
    pthread_mutex_unlock(&s->lock);
    return any;
}

static void stop_listening(struct http_server *s) {
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    s->listen_fd = -1;
}

static void *watch(void *ctx) {
    struct http_server *s = ctx;
    bool accepting = true;
    int64_t checked_ns = 0;
    while (!atomic_load(&s->ending)) {
        bool draining = atomic_load(&s->draining);
        bool listens = accepting && !draining;
        if (draining)
            stop_listening(s);
        struct pollfd fds[2] = {{.fd = s->wake_fd, .events = POLLIN}, {.fd = s->listen_fd, .events = POLLIN}};
        int wait_ms = has_connections(s) ? (int)s->tick_ms : -1;
        if (!accepting && (wait_ms < 0 || wait_ms > BACK_OFF_MS))
            wait_ms = BACK_OFF_MS;
        accepting = true;
        if (poll(fds, listens ? 2 : 1, wait_ms) > 0) {
            uint64_t count;
            if (fds[0].revents && read(s->wake_fd, &count, sizeof count) < 0)
                continue;
            if (listens && fds[1].revents)
                accepting = accept_some(s);
        }
        int64_t now_ns = http_now_ns();
        cut_overdue(s, now_ns);
        http_answer_overdue(s, now_ns, false);
        if (now_ns - checked_ns >= HANG_UP_CHECK_MS * INT64_C(1000000)) {
            checked_ns = now_ns;
            hang_up_gone(s);
        }
    }
    return NULL;
}

void http_watch_wake(struct http_server *s) {
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);
    (void)n; /* it fails only when the thread is about to wake anyway */
}

err http_watch_start(struct http_server *s) {
    if (pthread_create(&s->watch, NULL, watch, s) != 0)
        return fail(ERR_AGAIN, "http_server_start", "the HTTP server cannot start a thread");
    s->watching = true;
    return OK;
}

void http_watch_end(struct http_server *s) {
    if (!s->watching)
        return;
    atomic_store(&s->ending, true);
    http_watch_wake(s);
    pthread_join(s->watch, NULL);
    s->watching = false;
}
