/* http_client.c — the client's thread: calls that wait, calls that fly, and libcurl between them. */
#include "net/http_client_priv.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { POLL_MS = 60000, QUEUE_CHECK_MS = 100, EVENTS = 256, MANY_IN_FLIGHT = 512 };

struct list {
    struct http_flight *first, *last;
    unsigned n;
};

struct http_client {
    struct http_client_settings settings;
    struct address_range *allow;
    char *ca_file, *user_agent;
    CURLM *multi;
    int epoll, wake;     /* wake: an eventfd in epoll */
    int64_t timer_ns;    /* the thread's: when libcurl wants to be called; -1: not */
    int64_t sweep_ns;    /* the thread's: when those that wait are looked through next */
    atomic_bool cancels; /* somebody was cancelled since the lists were looked through */
    pthread_t thread;
    CURL **spare; /* the thread's: handles to use again */
    unsigned n_spare;
    pthread_mutex_t lock;
    /* under lock: */
    struct list waiting, flying; /* what flies is changed and ended by the thread only */
    uint64_t next_id;
    bool stopping;
    struct {
        atomic_uint_fast64_t calls, in_flight, waiting, failed, connections, body_in, body_out;
    } total;
};

struct http_client_settings http_client_defaults(void) {
    return (struct http_client_settings){.max_in_flight = 64,
                                         .max_queue = 1024,
                                         .max_connections_per_host = 8,
                                         .connect_ms = 5000,
                                         .total_ms = 30000,
                                         .max_header_byte = 64 * 1024,
                                         .max_body_byte = 4 << 20,
                                         .user_agent = "galena/" GALENA_VERSION};
}

static void append(struct list *list, struct http_flight *f) {
    f->prev = list->last;
    f->next = NULL;
    if (list->last)
        list->last->next = f;
    else
        list->first = f;
    list->last = f;
    list->n++;
}

static void take_out(struct list *list, struct http_flight *f) {
    if (f->prev)
        f->prev->next = f->next;
    else
        list->first = f->next;
    if (f->next)
        f->next->prev = f->prev;
    else
        list->last = f->prev;
    list->n--;
}

static struct http_flight *find(const struct list *list, uint64_t id) {
    struct http_flight *f = list->first;
    while (f && f->id != id)
        f = f->next;
    return f;
}

static void land(struct http_client *c, struct http_flight *f) {
    pthread_mutex_lock(&c->lock);
    take_out(&c->flying, f);
    pthread_mutex_unlock(&c->lock);
    atomic_fetch_sub(&c->total.in_flight, 1);
}

static int64_t now_ns(void) { return clock_system().steady_ns(); }

static CURL *take_handle(struct http_client *c) { return c->n_spare > 0 ? c->spare[--c->n_spare] : curl_easy_init(); }

static void give_handle(struct http_client *c, CURL *easy) {
    if (!easy)
        return;
    curl_easy_reset(easy);
    if (c->n_spare < c->settings.max_in_flight)
        c->spare[c->n_spare++] = easy;
    else
        curl_easy_cleanup(easy);
}

/* Delivers the recorded outcome of a call that is in no list and in no multi handle. */
static void finish(struct http_client *c, struct http_flight *f, err rc, bool ambiguous) {
    long connections = 0;
    if (f->easy && curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK)
        atomic_fetch_add(&c->total.connections, (uint_fast64_t)connections);
    atomic_fetch_add(&c->total.body_in, f->answer.len);
    atomic_fetch_add(&c->total.body_out, f->body_sent);
    if (rc != OK)
        atomic_fetch_add(&c->total.failed, 1);
    http_flight_deliver(f, rc, ambiguous);
    give_handle(c, f->easy);
    http_flight_free(f);
}

static void finish_flying(struct http_client *c, struct http_flight *f, CURLcode code, bool cancelled) {
    bool ambiguous;
    curl_multi_remove_handle(c->multi, f->easy);
    land(c, f);
    err rc = http_flight_outcome(f, code, cancelled, &ambiguous);
    finish(c, f, rc, ambiguous);
}

/* Puts a prepared call on the wire; on failure it is finished. */
static void launch(struct http_client *c, struct http_flight *f) {
    if (http_flight_prepare(f) && curl_multi_add_handle(c->multi, f->easy) == CURLM_OK)
        return;
    land(c, f);
    err rc = fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
    finish(c, f, rc, false);
}

static void start_flight(struct http_client *c, struct http_flight *f) {
    f->easy = take_handle(c);
    if (f->easy) {
        launch(c, f);
        return;
    }
    land(c, f);
    err rc = fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
    finish(c, f, rc, false);
}

static void end_exchange(struct http_client *c, struct http_flight *f, CURLcode code) {
    err rc = OK;
    if (code == CURLE_OK && http_flight_redirect(f, &rc)) {
        curl_multi_remove_handle(c->multi, f->easy);
        launch(c, f);
    } else if (rc != OK) {
        curl_multi_remove_handle(c->multi, f->easy);
        land(c, f);
        finish(c, f, rc, false);
    } else {
        finish_flying(c, f, code, false);
    }
}

/* The next that waits and may start, or is to be given up: cancelled, or out of time. NULL when there is none. */
static struct http_flight *next_waiting(struct http_client *c, bool *give_up) {
    int64_t now = now_ns();
    pthread_mutex_lock(&c->lock);
    /* Looking through thousands for each that starts would be slow. */
    bool sweep = now >= c->sweep_ns || c->stopping;
    struct http_flight *f = sweep ? c->waiting.first : NULL;
    while (f && !f->cancelled && f->deadline_ns > now && !c->stopping)
        f = f->next;
    *give_up = f != NULL;
    if (sweep && !f)
        c->sweep_ns = now + QUEUE_CHECK_MS * 1000000ll;
    if (!f && c->flying.n < c->settings.max_in_flight)
        f = c->waiting.first;
    if (f) {
        take_out(&c->waiting, f);
        atomic_fetch_sub(&c->total.waiting, 1);
    }
    if (f && !*give_up) {
        append(&c->flying, f); /* at once, so that a cancellation finds it in one list or the other */
        atomic_fetch_add(&c->total.in_flight, 1);
    }
    pthread_mutex_unlock(&c->lock);
    return f;
}

static void serve_waiting(struct http_client *c) {
    struct http_flight *f;
    bool give_up;
    while ((f = next_waiting(c, &give_up))) {
        if (!give_up) {
            start_flight(c, f);
            continue;
        }
        pthread_mutex_lock(&c->lock);
        bool cancelled = f->cancelled || c->stopping;
        pthread_mutex_unlock(&c->lock);
        err rc = cancelled ? fail(ERR_AGAIN, "http_cancelled", "the call was cancelled")
                           : fail(ERR_AGAIN, "http_timeout", "time was over before the request was sent");
        finish(c, f, rc, false);
    }
}

static struct http_flight *next_cancelled(struct http_client *c) {
    pthread_mutex_lock(&c->lock);
    struct http_flight *f = c->flying.first;
    while (f && !f->cancelled)
        f = f->next;
    pthread_mutex_unlock(&c->lock);
    return f;
}

static void serve_cancelled(struct http_client *c) {
    struct http_flight *f;
    while ((f = next_cancelled(c)))
        finish_flying(c, f, CURLE_OK, true);
}

static void serve_finished(struct http_client *c) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(c->multi, &left))) {
        struct http_flight *f = NULL;
        CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &f) == CURLE_OK && f)
            end_exchange(c, f, code);
    }
}

static bool is_stopping(struct http_client *c) {
    pthread_mutex_lock(&c->lock);
    bool stopping = c->stopping;
    pthread_mutex_unlock(&c->lock);
    return stopping;
}

/* ---- libcurl and epoll ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known) {
    struct http_client *c = ctx;
    struct epoll_event e = {.data.fd = fd};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, &e);
        return 0;
    }
    e.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (epoll_ctl(c->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
        return -1;
    if (!known)
        curl_multi_assign(c->multi, fd, c);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx) {
    struct http_client *c = ctx;
    (void)multi;
    c->timer_ns = timeout_ms < 0 ? -1 : now_ns() + timeout_ms * 1000000;
    return 0;
}

static void wake(struct http_client *c) {
    uint64_t one = 1;
    ssize_t n = write(c->wake, &one, sizeof one); /* full is as good as written */
    (void)n;
}

static void serve_timer(struct http_client *c) {
    int running;
    if (c->timer_ns < 0 || now_ns() < c->timer_ns)
        return;
    c->timer_ns = -1;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static int wait_ms(const struct http_client *c) {
    /* What waits is behind what flies, and has its own time limits. */
    int64_t ms = atomic_load(&c->total.waiting) > 0 ? QUEUE_CHECK_MS : POLL_MS;
    if (c->timer_ns >= 0) {
        int64_t left = (c->timer_ns - now_ns() + 999999) / 1000000;
        ms = left < 0 ? 0 : left < ms ? left : ms;
    }
    return (int)ms;
}

static void serve_sockets(struct http_client *c) {
    struct epoll_event event[EVENTS];
    int running, n = epoll_wait(c->epoll, event, EVENTS, wait_ms(c));
    for (int i = 0; i < n; i++) {
        uint32_t e = event[i].events;
        if (event[i].data.fd == c->wake) {
            uint64_t count;
            ssize_t got = read(c->wake, &count, sizeof count);
            (void)got;
            continue;
        }
        int flags = (e & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                    (e & EPOLLERR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(c->multi, event[i].data.fd, flags, &running);
    }
}

static void *run(void *ctx) {
    struct http_client *c = ctx;
    while (!is_stopping(c)) {
        if (atomic_exchange(&c->cancels, false)) {
            serve_cancelled(c);
            c->sweep_ns = 0;
        }
        serve_waiting(c);
        serve_timer(c);
        serve_finished(c);
        serve_waiting(c);
        serve_sockets(c);
        serve_finished(c);
    }
    while (c->flying.first)
        finish_flying(c, c->flying.first, CURLE_OK, true);
    serve_waiting(c);
    return NULL;
}

static void free_client(struct http_client *c) {
    for (unsigned i = 0; i < c->n_spare; i++)
        curl_easy_cleanup(c->spare[i]);
    if (c->multi)
        curl_multi_cleanup(c->multi);
    if (c->epoll >= 0)
        close(c->epoll);
    if (c->wake >= 0)
        close(c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c->spare);
    free(c->allow);
    free(c->ca_file);
    free(c->user_agent);
    free(c);
    curl_global_cleanup();
}

static bool copy_text(const char *from, char **to) {
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

static bool open_events(struct http_client *c) {
    struct epoll_event e = {.events = EPOLLIN};
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e.data.fd = c->wake;
    c->timer_ns = -1;
    return c->epoll >= 0 && c->wake >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->wake, &e) == 0;
}

/* False when there is no memory. */
static bool fill_client(struct http_client *c, const struct http_client_settings *settings) {
    c->settings = *settings;
    c->spare = calloc(settings->max_in_flight + 1, sizeof(CURL *));
    c->allow = calloc(settings->n_allow + 1, sizeof *c->allow);
    c->multi = curl_multi_init();
    if (!open_events(c) || !c->spare || !c->allow || !c->multi || !copy_text(settings->ca_file, &c->ca_file) ||
        !copy_text(settings->user_agent, &c->user_agent))
        return false;
    if (settings->n_allow > 0)
        memcpy(c->allow, settings->allow, settings->n_allow * sizeof *c->allow);
    c->settings.allow = c->allow;
    c->settings.ca_file = c->ca_file;
    c->settings.user_agent = c->user_agent;
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)settings->max_connections_per_host);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)settings->max_in_flight);
    return true;
}

err http_client_start(const struct http_client_settings *settings, struct http_client **client) {
    if (settings->max_in_flight > MANY_IN_FLIGHT)
        (void)http_raise_file_limit();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(ERR_AGAIN, "http_client_start", "libcurl cannot start");
    struct http_client *c = calloc(1, sizeof *c);
    if (!c) {
        curl_global_cleanup();
        return fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory");
    }
    c->epoll = c->wake = -1;
    pthread_mutex_init(&c->lock, NULL);
    if (!fill_client(c, settings) || pthread_create(&c->thread, NULL, run, c) != 0) {
        free_client(c);
        return fail(ERR_AGAIN, "http_client_start", "the HTTP client has no memory or threads");
    }
    *client = c;
    return OK;
}

void http_client_stop(struct http_client *c) {
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_mutex_unlock(&c->lock);
    wake(c);
    pthread_join(c->thread, NULL);
    free_client(c);
}

err http_client_send(struct http_client *c, const struct http_call *call, uint64_t *id) {
    struct http_flight *f = NULL;
    TRY(http_flight_new(&c->settings, call, &f));
    pthread_mutex_lock(&c->lock);
    bool stopping = c->stopping, full = c->waiting.n >= c->settings.max_queue;
    if (!stopping && !full) {
        f->id = ++c->next_id;
        if (id)
            *id = f->id;
        append(&c->waiting, f);
        atomic_fetch_add(&c->total.waiting, 1);
        atomic_fetch_add(&c->total.calls, 1);
        f = NULL; /* the thread's */
    }
    pthread_mutex_unlock(&c->lock);
    if (!f) {
        wake(c);
        return OK;
    }
    http_flight_free(f);
    if (stopping)
        return fail(ERR_CONFLICT, "http_client_stopping", "the HTTP client is stopping");
    return fail(ERR_LIMIT, "http_queue_full", "%u calls wait already", c->settings.max_queue);
}

void http_client_cancel(struct http_client *c, uint64_t id) {
    pthread_mutex_lock(&c->lock);
    struct http_flight *f = find(&c->waiting, id);
    if (!f)
        f = find(&c->flying, id);
    if (f)
        f->cancelled = true;
    pthread_mutex_unlock(&c->lock);
    atomic_store(&c->cancels, true);
    wake(c);
}

err http_client_check_url(const struct http_client *c, str url) { return http_flight_check_url(&c->settings, url); }

struct http_client_counters http_client_counters(const struct http_client *c) {
    return (struct http_client_counters){.calls = c->total.calls,
                                         .in_flight = c->total.in_flight,
                                         .waiting = c->total.waiting,
                                         .failed = c->total.failed,
                                         .connections = c->total.connections,
                                         .body_in_byte = c->total.body_in,
                                         .body_out_byte = c->total.body_out};
}
