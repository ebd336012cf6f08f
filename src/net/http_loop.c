/* http_loop.c — the threads that run libmicrohttpd.
 *
 * It has threads of its own, but in them version 0.9.75 sleeps on after 128 events at once, all of which wait until
 * something else happens (its loop for further events reuses the time-out of the first). Driven from outside it never
 * sleeps. */
#include "net/http_server_priv.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST_SLEEP_MS = 1000 };

/* An accepted connection on its way to a loop. */
struct http_given {
    struct http_given *next;
    int fd;
    uint64_t number; /* the connection's */
    struct sockaddr_storage from;
    socklen_t from_len;
};

/* One wake-up at a time is enough. */
static void wake(struct http_loop *loop) {
    if (atomic_exchange(&loop->woken, true))
        return;
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof one);
    (void)n; /* it fails only when the thread is about to wake anyway */
}

bool http_loop_give(struct http_loop *loop, int fd, uint64_t number, const struct sockaddr *from, socklen_t len) {
    struct http_given *given = calloc(1, sizeof *given);
    if (!given)
        return false;
    given->fd = fd;
    given->number = number;
    memcpy(&given->from, from, len);
    given->from_len = len;
    pthread_mutex_lock(&loop->lock);
    given->next = loop->given;
    loop->given = given;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
    return true;
}

void http_loop_resume(struct http_conn *conn, struct MHD_Connection *connection) {
    struct http_loop *loop = conn->loop; /* the connection may be gone at the next moment */
    MHD_resume_connection(connection);
    wake(loop);
}

static struct http_given *take_given(struct http_loop *loop) {
    pthread_mutex_lock(&loop->lock);
    struct http_given *list = loop->given;
    loop->given = NULL;
    pthread_mutex_unlock(&loop->lock);
    return list;
}

static void add_given(struct http_loop *loop) {
    for (struct http_given *g = take_given(loop), *next; g; g = next) {
        next = g->next;
        if (MHD_add_connection(loop->daemon, g->fd, (const struct sockaddr *)&g->from, g->from_len) != MHD_YES)
            http_conn_not_taken(loop->server, g->fd, g->number); /* it has closed the descriptor */
        free(g);
    }
}

static int sleep_ms(struct http_loop *loop) {
    MHD_UNSIGNED_LONG_LONG left = 0;
    if (MHD_get_timeout(loop->daemon, &left) != MHD_YES || left > LONGEST_SLEEP_MS)
        return LONGEST_SLEEP_MS;
    return (int)left;
}

static void *run(void *ctx) {
    struct http_loop *loop = ctx;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd fds[2] = {{.fd = info->epoll_fd, .events = POLLIN}, {.fd = loop->wake_fd, .events = POLLIN}};
    while (!atomic_load(&loop->ending)) {
        poll(fds, 2, sleep_ms(loop));
        if (fds[1].revents & POLLIN) {
            uint64_t count;
            ssize_t n = read(loop->wake_fd, &count, sizeof count);
            (void)n;
            atomic_store(&loop->woken, false);
            add_given(loop);
        }
        MHD_run(loop->daemon);
    }
    return NULL;
}

err http_loop_start(struct http_loop *loop, struct http_server *server, struct MHD_Daemon *daemon) {
    loop->server = server;
    loop->daemon = daemon;
    atomic_init(&loop->ending, false);
    atomic_init(&loop->woken, false);
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd >= 0 && pthread_create(&loop->thread, NULL, run, loop) == 0)
        return OK;
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    MHD_stop_daemon(daemon);
    return fail(ERR_AGAIN, "http_server_start", "the HTTP server cannot start its threads");
}

void http_loop_end(struct http_loop *loop) {
    atomic_store(&loop->ending, true);
    wake(loop);
    pthread_join(loop->thread, NULL);
    for (struct http_given *g = take_given(loop), *next; g; g = next) {
        next = g->next;
        close(g->fd);
        http_conn_not_taken(loop->server, g->fd, g->number);
        free(g);
    }
    MHD_stop_daemon(loop->daemon);
    close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
}
