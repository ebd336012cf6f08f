/* test_http_server.c — requests and answers over real sockets: framing, limits, late answers, clean stop. */
#include "net_support.h"

#include <sys/resource.h>

struct fixture {
    struct arena *arena;
    struct http_server *server;
    int port;
    /* a request that waits for its answer */
    pthread_mutex_t lock;
    struct http_request *held[64];
    size_t n_held;
    atomic_int handled;
    atomic_bool blocked;
};

static const struct http_field PLAIN = {STR_INIT("Content-Type"), STR_INIT("text/plain")};

static str describe(const struct http_request *r) {
    str text = str_format(r->arena, "%.*s %.*s", STR_ARG(r->method), STR_ARG(r->path));
    for (size_t i = 0; i < r->n_query; i++)
        text =
            str_format(r->arena, "%.*s [%.*s=%.*s]", STR_ARG(text), STR_ARG(r->query[i].name), STR_ARG(r->query[i].value));
    str mark = http_request_header(r, STR("x-mark"));
    return str_format(r->arena, "%.*s mark=%.*s peer=%.*s body=%.*s", STR_ARG(text), STR_ARG(mark), STR_ARG(r->peer),
                      STR_ARG(r->body));
}

static void hold(struct fixture *f, struct http_request *r) {
    pthread_mutex_lock(&f->lock);
    assert_true(f->n_held < 64);
    f->held[f->n_held++] = r;
    pthread_mutex_unlock(&f->lock);
}

static size_t count_held(struct fixture *f) {
    pthread_mutex_lock(&f->lock);
    size_t n = f->n_held;
    pthread_mutex_unlock(&f->lock);
    return n;
}

static void handle(void *ctx, struct http_request *r) {
    struct fixture *f = ctx;
    atomic_fetch_add(&f->handled, 1);
    if (str_equal(r->path, STR("/hold"))) {
        hold(f, r);
    } else if (str_equal(r->path, STR("/greedy"))) {
        for (;;)
            arena_alloc(r->arena, 1 << 16);
    } else if (str_equal(r->path, STR("/large"))) {
        size_t n = (size_t)8 << 20;
        char *text = arena_alloc(r->arena, n);
        memset(text, 'x', n);
        http_respond(r, 200, &PLAIN, 1, (str){text, n});
    } else if (str_equal(r->path, STR("/split"))) {
        struct http_field bad = {STR("X-Bad"), STR("a\r\nSet-Cookie: b")};
        http_respond(r, 200, &bad, 1, STR("never"));
    } else if (str_equal(r->path, STR("/block"))) { /* the loop itself, until it is let go */
        atomic_store(&f->blocked, true);
        while (atomic_load(&f->blocked))
            poll(NULL, 0, 1);
        http_respond(r, 204, NULL, 0, STR(""));
    } else if (str_equal(r->path, STR("/empty"))) {
        http_respond(r, 204, NULL, 0, STR(""));
    } else {
        http_respond(r, 200, &PLAIN, 1, describe(r));
    }
}

static struct http_server_settings settings_for(struct fixture *f) {
    struct http_server_settings s = http_server_defaults();
    s.threads = 2;
    s.handle = handle;
    s.ctx = f;
    return s;
}

static struct fixture *start_with(struct arena *a, void (*change)(struct http_server_settings *s)) {
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    pthread_mutex_init(&f->lock, NULL);
    struct http_server_settings s = settings_for(f);
    if (change)
        change(&s);
    assert_ok(http_server_start(&s, &f->server));
    f->port = http_server_port(f->server);
    assert_true(f->port > 0);
    return f;
}

static void stop(struct fixture *f, int64_t drain_ms) {
    http_server_stop(f->server, drain_ms);
    pthread_mutex_destroy(&f->lock);
}

static void a_request_is_taken_apart(void **state) {
    struct fixture *f = start_with(*state, NULL);
    struct net_answer answer = net_ask(
        *state, f->port,
        "POST /v1/a%20b?q=x%26y&empty&two=a+b HTTP/1.1\r\nHost: h\r\nX-MARK:  m1 \r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(answer.status, 200);
    assert_str(answer.body, "POST /v1/a b [q=x&y] [empty=] [two=a b] mark=m1 peer=127.0.0.1 body=hello");
    assert_str(net_answer_field(&answer, "Content-Type"), "text/plain");
    assert_str(net_ask(*state, f->port, "GET http://other.example/abs?x=1 HTTP/1.1\r\nHost: h\r\n\r\n").body,
               "GET /abs [x=1] mark= peer=127.0.0.1 body=");
    stop(f, 1000);
}

static void a_connection_is_kept_and_requests_may_follow_at_once(void **state) {
    struct fixture *f = start_with(*state, NULL);
    int fd = net_connect(f->port);
    for (int i = 0; i < 3; i++) {
        net_send_text(fd, "GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(net_receive_answer(*state, fd, true).status, 200);
    }
    net_send_text(fd, "GET /one HTTP/1.1\r\nHost: h\r\n\r\nPOST /two HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
                      "GET /three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_str(net_receive_answer(*state, fd, true).body, "GET /one mark= peer=127.0.0.1 body=");
    assert_str(net_receive_answer(*state, fd, true).body, "POST /two mark= peer=127.0.0.1 body=ab");
    assert_str(net_receive_answer(*state, fd, true).body, "GET /three mark= peer=127.0.0.1 body=");
    assert_true(net_closed(fd));
    close(fd);
    struct http_server_counters c = http_server_counters(f->server);
    assert_int_equal(c.connections, 1);
    assert_int_equal(c.requests, 6);
    assert_int_equal(c.status[2], 6);
    assert_int_equal(c.body_in_byte, 2);
    stop(f, 1000);
}

static void head_has_the_length_and_no_body(void **state) {
    struct fixture *f = start_with(*state, NULL);
    int fd = net_connect(f->port);
    net_send_text(fd, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
    struct net_answer answer = net_receive_answer(*state, fd, false);
    assert_str(net_answer_field(&answer, "Content-Length"), "34");
    answer = net_receive_answer(*state, fd, true);
    assert_int_equal(answer.status, 204);
    close(fd);
    stop(f, 1000);
}

static void bodies_come_in_chunks_and_in_pieces(void **state) {
    struct fixture *f = start_with(*state, NULL);
    struct net_answer answer = net_ask(*state, f->port,
                                       "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n");
    assert_str(answer.body, "POST /c mark= peer=127.0.0.1 body=hello world");
    int fd = net_connect(f->port);
    const char *request = "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    for (const char *p = request; *p; p++)
        net_send(fd, (str){p, 1});
    assert_str(net_receive_answer(*state, fd, true).body, "POST /slow mark= peer=127.0.0.1 body=abc");
    close(fd);
    stop(f, 1000);
}

static void a_large_body_arrives_byte_for_byte(void **state) {
    struct fixture *f = start_with(*state, NULL);
    size_t n = (1 << 20) - 3;
    char *body = arena_alloc(*state, n);
    for (size_t i = 0; i < n; i++)
        body[i] = (char)('a' + i * i % 26);
    int fd = net_connect(f->port);
    net_send(fd, str_format(*state, "PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", n));
    net_send(fd, (str){body, n});
    struct net_answer answer = net_receive_answer(*state, fd, true);
    assert_int_equal(answer.status, 200);
    assert_true(answer.body.len > n && memcmp(answer.body.ptr + answer.body.len - n, body, n) == 0);
    close(fd);
    stop(f, 1000);
}

static void small_bodies_only(struct http_server_settings *s) { s->max_body_byte = 1000; }

static void too_large_a_body_is_refused(void **state) {
    struct fixture *f = start_with(*state, small_bodies_only);
    int fd = net_connect(f->port);
    /* Said before it is sent: refused before it is read. */
    net_send_text(fd, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
    struct net_answer answer = net_receive_answer(*state, fd, true);
    assert_int_equal(answer.status, 413);
    assert_str(net_answer_field(&answer, "Content-Type"), "application/problem+json");
    assert_true(net_closed(fd));
    close(fd);
    /* Not said: counted. */
    fd = net_connect(f->port);
    char *chunk = arena_alloc(*state, 600);
    memset(chunk, 'x', 600);
    net_send_text(fd, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n");
    net_send(fd, (str){chunk, 600});
    net_send_text(fd, "\r\n258\r\n");
    net_send(fd, (str){chunk, 600});
    net_send_text(fd, "\r\n0\r\n\r\n");
    assert_int_equal(net_receive_answer(*state, fd, true).status, 413);
    assert_true(net_closed(fd));
    close(fd);
    assert_int_equal(atomic_load(&f->handled), 0);
    assert_int_equal(http_server_counters(f->server).requests_rejected, 2);
    stop(f, 1000);
}

/* Who goes on sending in spite of the limit is cut off. */
static void an_endless_body_is_cut_off(void **state) {
    struct fixture *f = start_with(*state, small_bodies_only);
    int fd = net_connect(f->port);
    char *chunk = arena_alloc(*state, 600);
    memset(chunk, 'x', 600);
    net_send_text(fd, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    int i = 0;
    for (; i < 100000; i++)
        if (send(fd, "258\r\n", 5, MSG_NOSIGNAL) < 0 || send(fd, chunk, 600, MSG_NOSIGNAL) < 0 ||
            send(fd, "\r\n", 2, MSG_NOSIGNAL) < 0)
            break;
    assert_true(i < 100000);
    close(fd);
    stop(f, 1000);
}

static void two_readings_of_a_request_are_refused(void **state) {
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /?a=%f HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET relative HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    struct fixture *f = start_with(*state, NULL);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct net_answer answer = net_ask(*state, f->port, requests[i]);
        if (answer.status != 400)
            fail_msg("%d for %s", answer.status, requests[i]);
    }
    assert_int_equal(net_ask(*state, f->port, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n").status, 501);
    assert_int_equal(atomic_load(&f->handled), 0);
    stop(f, 1000);
}

static void too_large_a_head_is_refused(void **state) {
    struct fixture *f = start_with(*state, NULL);
    char *value = arena_alloc(*state, 20000);
    memset(value, 'v', 19999);
    struct net_answer answer =
        net_ask(*state, f->port, str_format(*state, "GET / HTTP/1.1\r\nHost: h\r\nX-Long: %s\r\n\r\n", value).ptr);
    assert_true(answer.status == 431 || answer.status == 413);
    answer = net_ask(*state, f->port, str_format(*state, "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", value).ptr);
    assert_true(answer.status == 414 || answer.status == 431);
    assert_int_equal(atomic_load(&f->handled), 0);
    stop(f, 1000);
}

static void faults_of_the_handler_become_answers(void **state) {
    struct fixture *f = start_with(*state, NULL);
    assert_int_equal(net_ask(*state, f->port, "GET /greedy HTTP/1.1\r\nHost: h\r\n\r\n").status, 413);
    struct net_answer answer = net_ask(*state, f->port, "GET /split HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(answer.status, 500);
    assert_null(net_answer_field(&answer, "Set-Cookie").ptr);
    assert_int_equal(net_ask(*state, f->port, "GET /after HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    stop(f, 1000);
}

/* Answers all that is held, from this thread. */
static void *answer_held(void *ctx) {
    struct fixture *f = ctx;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_held; i++)
        http_respond(f->held[i], 202, &PLAIN, 1, f->held[i]->body);
    f->n_held = 0;
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void answer_from_a_thread(struct fixture *f) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_held, f), 0);
    pthread_join(thread, NULL);
}

static void answers_may_come_later_from_another_thread(void **state) {
    struct fixture *f = start_with(*state, NULL);
    enum { N = 20 };
    int fd[N];
    for (int i = 0; i < N; i++) {
        fd[i] = net_connect(f->port);
        net_send(fd[i], str_format(*state, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n%03d", i));
    }
    net_wait(count_held(f) == N);
    /* Nothing of it holds a thread. */
    assert_int_equal(net_ask(*state, f->port, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    answer_from_a_thread(f);
    for (int i = 0; i < N; i++) {
        struct net_answer answer = net_receive_answer(*state, fd[i], true);
        assert_int_equal(answer.status, 202);
        assert_int_equal(strtol(answer.body.ptr, NULL, 10), i);
        net_send_text(fd[i], "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(net_receive_answer(*state, fd[i], true).status, 200);
        close(fd[i]);
    }
    stop(f, 1000);
}

static void one_loop(struct http_server_settings *s) { s->threads = 1; }

/* libmicrohttpd takes 128 events at once; 127 and 129 stand for "fewer" and "more". */
static void events_that_come_at_once_are_all_served(void **state) {
    struct fixture *f = start_with(*state, one_loop);
    for (int n = 127; n <= 129; n++) {
        int fd[129], blocker = net_connect(f->port);
        for (int i = 0; i < n; i++) {
            fd[i] = net_connect(f->port);
            net_send_text(fd[i], "GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
            assert_int_equal(net_receive_answer(*state, fd[i], true).status, 200);
        }
        net_send_text(blocker, "GET /block HTTP/1.1\r\nHost: h\r\n\r\n");
        net_wait(atomic_load(&f->blocked));
        for (int i = 0; i < n; i++)
            net_send_text(fd[i], "GET /all HTTP/1.1\r\nHost: h\r\n\r\n");
        atomic_store(&f->blocked, false);
        for (int i = 0; i < n; i++) {
            assert_int_equal(net_receive_answer(*state, fd[i], true).status, 200);
            close(fd[i]);
        }
        close(blocker);
        net_wait(http_server_counters(f->server).connections_open == 0);
    }
    stop(f, 1000);
}

/* A thread answers as fast as the handler hands over, so that both orders of "suspend" and "answer" occur. */
static void *answer_quickly(void *ctx) {
    struct fixture *f = ctx;
    while (atomic_load(&f->handled) >= 0) {
        answer_held(f);
        sched_yield();
    }
    return NULL;
}

static void answers_race_with_the_suspension(void **state) {
    struct fixture *f = start_with(*state, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_quickly, f), 0);
    int fd = net_connect(f->port);
    for (int i = 0; i < 2000; i++) {
        net_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok");
        struct arena_mark mark = arena_mark(*state);
        assert_str(net_receive_answer(*state, fd, true).body, "ok");
        arena_rewind(*state, mark);
    }
    close(fd);
    atomic_store(&f->handled, -1000000);
    pthread_join(thread, NULL);
    stop(f, 1000);
}

static void a_client_may_close_its_half(void **state) {
    struct fixture *f = start_with(*state, NULL);
    int fd = net_connect(f->port);
    net_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nhalf");
    shutdown(fd, SHUT_WR);
    net_wait(count_held(f) == 1);
    answer_from_a_thread(f);
    assert_str(net_receive_answer(*state, fd, true).body, "half");
    assert_true(net_closed(fd));
    close(fd);
    stop(f, 1000);
}

static void an_answer_to_nobody_does_nothing(void **state) {
    struct fixture *f = start_with(*state, NULL);
    for (int i = 0; i < 5; i++) {
        int fd = net_connect(f->port);
        struct linger reset = {.l_onoff = 1};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        net_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\ngone");
        net_wait(count_held(f) == (size_t)i + 1);
        close(fd);
    }
    assert_str(f->held[0]->body, "gone");
    answer_from_a_thread(f);
    net_wait(http_server_counters(f->server).connections_open == 0);
    stop(f, 1000);
}

static void quick_answers_wanted(struct http_server_settings *s) { s->answer_ms = 50; }

static void a_handler_that_is_too_slow_is_answered_for(void **state) {
    struct fixture *f = start_with(*state, quick_answers_wanted);
    int fd = net_connect(f->port);
    net_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nX-Mark: m\r\nContent-Length: 4\r\n\r\nslow");
    struct net_answer answer = net_receive_answer(*state, fd, true);
    assert_int_equal(answer.status, 503);
    net_send_text(fd, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(net_receive_answer(*state, fd, true).status, 200);
    close(fd);
    net_wait(http_server_counters(f->server).connections_open == 0);
    /* The request outlives its connection. */
    assert_int_equal(count_held(f), 1);
    assert_str(f->held[0]->body, "slow");
    assert_str(http_request_header(f->held[0], STR("X-Mark")), "m");
    answer_from_a_thread(f);
    assert_int_equal(http_server_counters(f->server).requests_unanswered, 1);
    stop(f, 1000);
}

static void short_times(struct http_server_settings *s) {
    s->receive_ms = 150;
    s->idle_ms = 150;
    s->send_ms = 150;
    s->send_byte_per_s = 1 << 30;
}

/* Sends a byte each 20 ms until it is cut off. */
static int64_t trickle_until_cut(int fd, const char *bytes) {
    int64_t began = net_now_ms();
    for (size_t i = 0;; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char byte;
        if (poll(&p, 1, 20) > 0 && recv(fd, &byte, 1, 0) <= 0)
            return net_now_ms() - began;
        if (send(fd, i < strlen(bytes) ? &bytes[i] : "x", 1, MSG_NOSIGNAL) < 0)
            return net_now_ms() - began;
        if (net_now_ms() - began > WAIT_MS)
            fail_msg("never cut off");
    }
}

static void slow_senders_are_cut_off(void **state) {
    static const char *const starts[] = {
        "", "G", "GET / HTTP/1.1\r\nHost: h\r\nX-A: ", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"};
    struct fixture *f = start_with(*state, short_times);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        int fd = net_connect(f->port);
        net_send_text(fd, starts[i]);
        assert_true(trickle_until_cut(fd, i == 0 ? "GET /very-long-path" : "") >= 100);
        close(fd);
    }
    assert_int_equal(atomic_load(&f->handled), 0);
    net_wait(http_server_counters(f->server).connections_open == 0);
    assert_int_equal(http_server_counters(f->server).connections_dropped, 2);
    stop(f, 1000);
}

static void idle_connections_are_closed(void **state) {
    struct fixture *f = start_with(*state, short_times);
    int fd = net_connect(f->port);
    net_send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(net_receive_answer(*state, fd, true).status, 200);
    assert_true(net_closed(fd));
    close(fd);
    stop(f, 1000);
}

static void stop_reading(struct fixture *f, int fd) {
    int small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    net_send_text(fd, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    net_wait(http_server_counters(f->server).status[2] == 1);
}

static void a_client_that_does_not_read_is_cut_off(void **state) {
    struct fixture *f = start_with(*state, short_times);
    int fd = net_connect(f->port);
    stop_reading(f, fd);
    net_wait(http_server_counters(f->server).connections_open == 0);
    assert_int_equal(http_server_counters(f->server).connections_dropped, 1);
    close(fd);
    stop(f, 1000);
}

static void a_stop_does_not_wait_for_readers_without_end(void **state) {
    struct fixture *f = start_with(*state, NULL);
    int fd = net_connect(f->port);
    stop_reading(f, fd);
    stop(f, 20);
    close(fd);
}

static void two_of_an_address(struct http_server_settings *s) { s->max_connections_per_address = 2; }
static void three_in_all(struct http_server_settings *s) { s->max_connections = 3; }

static void count_allowed(struct arena *a, void (*change)(struct http_server_settings *s), int allowed) {
    struct fixture *f = start_with(a, change);
    int fd[8];
    for (int i = 0; i < allowed; i++) {
        fd[i] = net_connect(f->port);
        net_send_text(fd[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(net_receive_answer(a, fd[i], true).status, 200);
    }
    int refused = net_connect(f->port);
    assert_true(net_closed(refused));
    close(refused);
    assert_int_equal(http_server_counters(f->server).connections_refused, 1);
    close(fd[0]); /* makes room */
    net_wait(http_server_counters(f->server).connections_open == (uint64_t)allowed - 1);
    assert_int_equal(net_ask(a, f->port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
    for (int i = 1; i < allowed; i++)
        close(fd[i]);
    stop(f, 1000);
}

static void connections_are_limited(void **state) {
    count_allowed(*state, two_of_an_address, 2);
    count_allowed(*state, three_in_all, 3);
}

static void little_room_for_bodies(struct http_server_settings *s) { s->max_bodies_byte = 1000; }

static void bodies_in_flight_are_limited(void **state) {
    struct fixture *f = start_with(*state, little_room_for_bodies);
    int first = net_connect(f->port);
    net_send_text(first, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n");
    net_wait(http_server_counters(f->server).requests == 1);
    assert_int_equal(net_ask(*state, f->port, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n").status, 503);
    assert_int_equal(net_ask(*state, f->port, "POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok").status, 200);
    close(first);
    net_wait(http_server_counters(f->server).connections_open == 0);
    char *body = arena_alloc(*state, 200);
    memset(body, 'x', 199);
    net_wait(net_ask(*state, f->port,
                     str_format(*state, "POST /d HTTP/1.1\r\nHost: h\r\nContent-Length: 199\r\n\r\n%s", body).ptr)
                 .status == 200);
    stop(f, 1000);
}

static void many(struct http_server_settings *s) { s->max_connections_per_address = 100000; }

static void two_thousand_idle_connections_are_survived(void **state) {
    struct fixture *f = start_with(*state, many);
    enum { N = 2000 };
    int *fd = ARENA_ARRAY(*state, N, int);
    for (int i = 0; i < N; i++)
        fd[i] = net_connect(f->port);
    net_wait(http_server_counters(f->server).connections_open == N);
    for (int i = 0; i < N; i += 100) {
        net_send_text(fd[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(net_receive_answer(*state, fd[i], true).status, 200);
    }
    for (int i = 0; i < N; i++)
        close(fd[i]);
    net_wait(http_server_counters(f->server).connections_open == 0);
    stop(f, 1000);
}

static double cpu_second(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A server that cannot accept waits, and does not ask the kernel again and again. */
static void without_descriptors_nothing_spins(void **state) {
    struct fixture *f = start_with(*state, NULL);
    struct rlimit limit, none;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = net_loopback(f->port);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0); /* the kernel's queue takes it */
    double before = cpu_second();
    poll(NULL, 0, 300);
    double used = cpu_second() - before;
    uint64_t accepted = http_server_counters(f->server).connections;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(accepted, 0);
    assert_true(used < 0.15);
    net_send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(net_receive_answer(*state, fd, true).status, 200);
    close(fd);
    stop(f, 1000);
}

static void *stop_with_patience(void *ctx) {
    http_server_stop(ctx, WAIT_MS);
    return NULL;
}

static void a_stop_waits_for_what_is_in_flight(void **state) {
    struct fixture *f = start_with(*state, NULL);
    int busy = net_connect(f->port), idle = net_connect(f->port);
    net_send_text(busy, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nlast");
    net_wait(count_held(f) == 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_with_patience, f->server), 0);
    assert_true(net_closed(idle));
    struct sockaddr_in to = net_loopback(f->port);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    net_wait(connect(late, (const struct sockaddr *)&to, sizeof to) != 0 ||
             (close(late), late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), false));
    answer_held(f);
    struct net_answer answer = net_receive_answer(*state, busy, true);
    assert_str(answer.body, "last");
    assert_str(net_answer_field(&answer, "Connection"), "close");
    assert_true(net_closed(busy));
    pthread_join(thread, NULL);
    close(busy);
    close(idle);
    close(late);
    pthread_mutex_destroy(&f->lock);
}

static void a_stop_answers_what_nobody_answers(void **state) {
    struct fixture *f = start_with(*state, NULL);
    int fd = net_connect(f->port);
    net_send_text(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nlost");
    net_wait(count_held(f) == 1);
    http_server_stop(f->server, 20);
    assert_int_equal(net_receive_answer(*state, fd, true).status, 503);
    close(fd);
    /* The request is still the handler's. */
    assert_str(f->held[0]->body, "lost");
    answer_held(f);
    pthread_mutex_destroy(&f->lock);
}

static void places_to_listen(void **state) {
    (void)state;
    struct fixture f = {.n_held = 0};
    struct http_server_settings s = settings_for(&f);
    struct http_server *server = NULL, *second = NULL;
    static const char *const bad[] = {
        "", "8080", "::1:80", "h:", "127.0.0.1:x", "127.0.0.1:70000", "no.such.host.invalid:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s.listen = bad[i];
        assert_fails(http_server_start(&s, &server), ERR_INPUT, "http_listen_address");
    }
    s.listen = "[::1]:0";
    if (http_server_start(&s, &server) == OK) /* IPv6 may be switched off */
        http_server_stop(server, 0);
    s.listen = ":0";
    assert_ok(http_server_start(&s, &server));
    char taken[32];
    snprintf(taken, sizeof taken, ":%d", http_server_port(server));
    s.listen = taken;
    assert_fails(http_server_start(&s, &second), ERR_CONFLICT, "http_listen_in_use");
    int fd = net_connect(http_server_port(server));
    close(fd);
    http_server_stop(server, 0);
    s.listen = "127.0.0.1:0";
    s.cert_file = "/nonexistent";
    assert_fails(http_server_start(&s, &server), ERR_INPUT, "http_tls_files");
    s.key_file = "/nonexistent";
    assert_fails(http_server_start(&s, &server), ERR_INPUT, "http_tls_files");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_request_is_taken_apart),
        ARENA_TEST(a_connection_is_kept_and_requests_may_follow_at_once),
        ARENA_TEST(head_has_the_length_and_no_body),
        ARENA_TEST(bodies_come_in_chunks_and_in_pieces),
        ARENA_TEST(a_large_body_arrives_byte_for_byte),
        ARENA_TEST(too_large_a_body_is_refused),
        ARENA_TEST(an_endless_body_is_cut_off),
        ARENA_TEST(two_readings_of_a_request_are_refused),
        ARENA_TEST(too_large_a_head_is_refused),
        ARENA_TEST(faults_of_the_handler_become_answers),
        ARENA_TEST(answers_may_come_later_from_another_thread),
        ARENA_TEST(answers_race_with_the_suspension),
        ARENA_TEST(events_that_come_at_once_are_all_served),
        ARENA_TEST(a_client_may_close_its_half),
        ARENA_TEST(an_answer_to_nobody_does_nothing),
        ARENA_TEST(a_handler_that_is_too_slow_is_answered_for),
        ARENA_TEST(slow_senders_are_cut_off),
        ARENA_TEST(idle_connections_are_closed),
        ARENA_TEST(a_client_that_does_not_read_is_cut_off),
        ARENA_TEST(a_stop_does_not_wait_for_readers_without_end),
        ARENA_TEST(connections_are_limited),
        ARENA_TEST(bodies_in_flight_are_limited),
        ARENA_TEST(two_thousand_idle_connections_are_survived),
        ARENA_TEST(without_descriptors_nothing_spins),
        ARENA_TEST(a_stop_waits_for_what_is_in_flight),
        ARENA_TEST(a_stop_answers_what_nobody_answers),
        cmocka_unit_test(places_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
