/* http_server.c — starts and stops the server's threads, and counts. */
#include "net/http_server_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/parallel.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    POOL_EXTRA_BYTE = 4096, /* of a connection's memory, for the answer's head */
    SPARE_FILES = 128,      /* descriptors that are not for connections */
    MAX_FILES = 1 << 20,
    MAX_PEM_BYTE = 1 << 20,
    LAST_ANSWERS_MS = 500,
    MIN_TICK_MS = 5,
    MAX_TICK_MS = 500,
};

int64_t http_now_ns(void) { return clock_system().steady_ns(); }

static void pause_ms(long ms) {
    struct timespec t = {.tv_nsec = ms * 1000000};
    nanosleep(&t, NULL);
}

struct http_server_settings http_server_defaults(void) {
    return (struct http_server_settings){.listen = "127.0.0.1:0",
                                         .max_header_byte = 8 * 1024,
                                         .max_body_byte = 1 << 20,
                                         .max_bodies_byte = 256 << 20,
                                         .arena_byte = 16 << 20,
                                         .max_query = 64,
                                         .max_connections = 16384,
                                         .max_connections_per_address = 1024,
                                         .idle_ms = 60000,
                                         .receive_ms = 30000,
                                         .answer_ms = 30000,
                                         .send_ms = 30000,
                                         .send_byte_per_s = 16 * 1024};
}

void http_server_ref(struct http_server *s) { atomic_fetch_add(&s->refs, 1); }

static void free_server(struct http_server *s) {
    for (struct http_space *space = s->space, *next; space; space = next) {
        next = space->next;
        http_space_free(space);
    }
    if (s->wake_fd >= 0)
        close(s->wake_fd);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    pthread_mutex_destroy(&s->lock);
    free(s->conn_by_fd);
    free(s);
}

void http_server_unref(struct http_server *s) {
    if (atomic_fetch_sub(&s->refs, 1) == 1)
        free_server(s);
}

static int64_t min4(int64_t a, int64_t b, int64_t c, int64_t d) {
    int64_t ab = a < b ? a : b, cd = c < d ? c : d;
    return ab < cd ? ab : cd;
}

static err new_server(const struct http_server_settings *settings, struct http_server **out) {
    struct http_server *s = calloc(1, sizeof *s);
    size_t n_fd = http_raise_file_limit();
    n_fd = n_fd > MAX_FILES ? MAX_FILES : n_fd;
    if (s)
        s->conn_by_fd = calloc(n_fd, sizeof(struct http_conn *));
    if (!s || !s->conn_by_fd) {
        free(s);
        return fail(ERR_AGAIN, "http_server_start", "the HTTP server has no memory");
    }
    s->settings = *settings;
    s->n_fd = n_fd;
    size_t most = n_fd > 2 * SPARE_FILES ? n_fd - SPARE_FILES : n_fd / 2;
    if (s->settings.max_connections > most)
        s->settings.max_connections = (unsigned)most;
    int64_t tick = min4(settings->idle_ms, settings->receive_ms, settings->answer_ms, settings->send_ms) / 4;
    s->tick_ms = tick < MIN_TICK_MS ? MIN_TICK_MS : tick > MAX_TICK_MS ? MAX_TICK_MS : tick;
    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    s->listen_fd = -1;
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    randombytes_buf(s->peer_key, sizeof s->peer_key);
    *out = s;
    return s->wake_fd >= 0 ? OK : fail(ERR_AGAIN, "http_server_start", "the HTTP server has no file descriptors");
}

/* Escapes are decoded by http_head.c, which refuses bad ones. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *connection, char *text) {
    (void)ctx;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, const char *key, const char *cert) {
    const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    /* Limits on connections and times are the watch thread's. */
    return MHD_start_daemon(flags | (key ? (unsigned)MHD_USE_TLS : 0), 0, NULL, NULL, http_on_access, s, MHD_OPTION_ARRAY,
                            key ? tls : plain, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s,
                            MHD_OPTION_NOTIFY_CONNECTION, http_conn_notify, s, MHD_OPTION_URI_LOG_CALLBACK, http_on_target,
                            s, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            s->settings.max_header_byte + POOL_EXTRA_BYTE, MHD_OPTION_CONNECTION_LIMIT,
                            s->settings.max_connections + SPARE_FILES, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static void forget_key(void *ctx) {
    const str *key = ctx;
    sodium_memzero((void *)(uintptr_t)key->ptr, key->len);
}

struct pem {
    const struct http_server_settings *settings;
    struct arena *arena;
    str key, cert;
};

static err read_pem(void *ctx) {
    struct pem *pem = ctx;
    TRY(file_read_all(pem->arena, pem->settings->key_file, MAX_PEM_BYTE, &pem->key));
    arena_defer(pem->arena, forget_key, &pem->key);
    return file_read_all(pem->arena, pem->settings->cert_file, MAX_PEM_BYTE, &pem->cert);
}

static err start_daemons(struct http_server *s, struct pem *pem) {
    const struct http_server_settings *set = &s->settings;
    if (!set->key_file != !set->cert_file)
        return fail(ERR_INPUT, "http_tls_files", "TLS needs both a certificate file and a key file");
    if (set->key_file && arena_run(pem->arena, read_pem, pem) != OK)
        return fail(ERR_INPUT, "http_tls_files", "certificate or key cannot be read: %.500s", err_text());
    unsigned n = set->threads ? set->threads : parallel_cores();
    for (n = n > HTTP_MAX_THREADS ? HTTP_MAX_THREADS : n; s->n_loop < n; s->n_loop++) {
        struct MHD_Daemon *daemon = start_daemon(s, pem->key.ptr, pem->cert.ptr);
        if (!daemon && set->key_file && s->n_loop == 0)
            return fail(ERR_INPUT, "http_tls_files", "\"%.200s\" and \"%.200s\" are no certificate with its key in PEM",
                        set->cert_file, set->key_file);
        if (!daemon)
            return fail(ERR_AGAIN, "http_server_start", "the HTTP server has no memory or file descriptors");
        TRY(http_loop_start(&s->loop[s->n_loop], s, daemon));
    }
    return OK;
}

static err start_parts(struct http_server *s) {
    TRY(http_listen(s->settings.listen, &s->listen_fd, &s->port));
    struct pem pem = {.settings = &s->settings, .arena = arena_new(4 * MAX_PEM_BYTE)};
    if (!pem.arena)
        return fail(ERR_AGAIN, "http_server_start", "the HTTP server has no memory");
    err rc = start_daemons(s, &pem);
    arena_free(pem.arena);
    return rc == OK ? http_watch_start(s) : rc;
}

err http_server_start(const struct http_server_settings *settings, struct http_server **server) {
    struct http_server *s = NULL;
    err rc = new_server(settings, &s);
    if (rc == OK)
        rc = start_parts(s);
    if (rc == OK)
        *server = s;
    else
        http_server_stop(s, 0);
    return rc;
}

int http_server_port(const struct http_server *s) { return s->port; }

/* Waits until nothing is in flight, or the time has come. */
static void wait_for_flights(struct http_server *s, int64_t until_ns) {
    while (atomic_load(&s->total.in_flight) > 0 && http_now_ns() < until_ns)
        pause_ms(2);
}

/* A daemon must not be stopped while connections are suspended. Who counts in with_handler has looked at `refusing` after
 * counting, so that once it is zero no more can be suspended. */
static void answer_the_rest(struct http_server *s) {
    atomic_store(&s->refusing, true);
    while (atomic_load(&s->with_handler) > 0) {
        http_answer_overdue(s, 0, true);
        pause_ms(1);
    }
}

void http_server_stop(struct http_server *s, int64_t drain_ms) {
    if (!s)
        return;
    atomic_store(&s->draining, true);
    if (s->watching) {
        http_watch_wake(s);
        http_stream_end_all(s);
        wait_for_flights(s, http_now_ns() + drain_ms * 1000000);
        answer_the_rest(s);
        wait_for_flights(s, http_now_ns() + LAST_ANSWERS_MS * INT64_C(1000000));
    }
    http_watch_end(s);
    for (unsigned i = 0; i < s->n_loop; i++)
        http_loop_end(&s->loop[i]);
    http_server_unref(s);
}

struct http_server_counters http_server_counters(const struct http_server *s) {
    const struct http_totals *t = &s->total;
    struct http_server_counters c = {.connections = t->connections,
                                     .connections_refused = t->connections_refused,
                                     .connections_dropped = t->connections_dropped,
                                     .connections_open = t->connections_open,
                                     .requests = t->requests,
                                     .requests_in_flight = t->in_flight,
                                     .requests_rejected = t->rejected,
                                     .requests_unanswered = t->unanswered,
                                     .body_in_byte = t->body_in,
                                     .body_out_byte = t->body_out,
                                     .streams_open = t->streams_open,
                                     .streams_dropped = t->streams_dropped};
    for (int i = 0; i < 6; i++)
        c.status[i] = t->status[i];
    return c;
}
