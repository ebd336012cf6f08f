/* test_http_stream.c — server-sent events: pushed chunks, clients that stop reading, clients that go, a server that stops.
 */
#include "net_support.h"

struct fixture {
    struct arena *arena;
    struct http_server *server;
    int port;
    size_t max_queue_byte;
    struct http_stream *_Atomic stream;
    atomic_int closed;
};

static void on_closed(void *ctx) {
    struct fixture *f = ctx;
    atomic_fetch_add(&f->closed, 1);
}

static void handle(void *ctx, struct http_request *r) {
    static const struct http_field events = {STR_INIT("Content-Type"), STR_INIT("text/event-stream")};
    struct fixture *f = ctx;
    struct http_stream_settings settings = {.max_queue_byte = f->max_queue_byte, .closed = on_closed, .ctx = f};
    if (str_equal(r->path, STR("/events")))
        f->stream = http_stream_open(r, 200, &events, 1, &settings);
    else
        http_respond(r, 200, NULL, 0, STR("plain"));
}

static struct fixture *start(struct arena *a, size_t max_queue_byte) {
    struct fixture *f = ARENA_NEW(a, struct fixture);
    struct http_server_settings s = http_server_defaults();
    s.threads = 2;
    s.handle = handle;
    s.ctx = f;
    s.idle_ms = 400; /* makes the watch thread look often; a stream has no such limit */
    f->arena = a;
    f->max_queue_byte = max_queue_byte;
    assert_ok(http_server_start(&s, &f->server));
    f->port = http_server_port(f->server);
    return f;
}

static int subscribe(struct fixture *f) {
    int fd = net_connect(f->port);
    f->stream = NULL;
    net_send_text(fd, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
    net_wait(f->stream);
    return fd;
}

/* What a chunked body that has come so far says, without its framing (chunks here hold no digits or line ends). */
static str next_chunk(struct arena *a, int fd) {
    char line[32];
    size_t n = 0;
    while (n < 2 || line[n - 1] != '\n') {
        assert_true(n < sizeof line);
        assert_int_equal(net_receive(fd, line + n, 1), 1);
        n++;
    }
    size_t len = strtoul(line, NULL, 16), got = 0;
    char *text = arena_alloc(a, len + 2);
    while (got < len + 2) {
        ssize_t more = net_receive(fd, text + got, len + 2 - got);
        assert_true(more > 0);
        got += (size_t)more;
    }
    return (str){text, len};
}

static void *push_hundred(void *ctx) {
    struct fixture *f = ctx;
    for (int i = 0; i < 100; i++)
        assert_true(http_stream_push(f->stream, STR("data: abc\n\n")));
    return NULL;
}

static void chunks_arrive_as_they_are_pushed(void **state) {
    struct fixture *f = start(*state, 1 << 20);
    int fd = subscribe(f);
    struct net_answer answer = net_receive_answer(*state, fd, false);
    assert_int_equal(answer.status, 200);
    assert_str(net_answer_field(&answer, "Content-Type"), "text/event-stream");
    assert_true(http_stream_push(f->stream, STR("data: one\n\n")));
    assert_str(next_chunk(*state, fd), "data: one\n\n");
    assert_true(http_stream_push(f->stream, STR("")));
    assert_true(http_stream_push(f->stream, STR("data: two\n\n")));
    assert_str(next_chunk(*state, fd), "data: two\n\n");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, push_hundred, f), 0);
    for (size_t got = 0; got < 1100;)
        got += next_chunk(*state, fd).len;
    pthread_join(thread, NULL);
    assert_true(http_stream_push(f->stream, STR("bye")));
    http_stream_close(f->stream);
    assert_str(next_chunk(*state, fd), "bye");
    assert_int_equal(next_chunk(*state, fd).len, 0);
    net_wait(atomic_load(&f->closed) == 1);
    /* The connection can be used again. */
    net_send_text(fd, "GET /plain HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_str(net_receive_answer(*state, fd, true).body, "plain");
    close(fd);
    http_server_stop(f->server, 1000);
    assert_int_equal(atomic_load(&f->closed), 1);
}

static void a_reader_that_stops_is_dropped(void **state) {
    struct fixture *f = start(*state, 64 * 1024);
    int fd = subscribe(f);
    char *chunk = arena_alloc(*state, 8192);
    memset(chunk, 'x', 8192);
    int pushed = 0;
    while (http_stream_push(f->stream, (str){chunk, 8192})) {
        assert_true(++pushed < 100000); /* what the kernel takes is bounded, too */
        sched_yield();
    }
    assert_false(http_stream_push(f->stream, STR("more")));
    net_wait(atomic_load(&f->closed) == 1);
    net_wait(http_server_counters(f->server).connections_open == 0);
    struct http_server_counters c = http_server_counters(f->server);
    assert_int_equal(c.streams_dropped, 1);
    assert_int_equal(c.streams_open, 0);
    http_stream_close(f->stream);
    close(fd);
    http_server_stop(f->server, 1000);
}

static void a_chunk_larger_than_the_queue_drops_the_stream(void **state) {
    struct fixture *f = start(*state, 4);
    int fd = subscribe(f);
    assert_true(http_stream_push(f->stream, STR("1234")));
    assert_false(http_stream_push(f->stream, STR("12345")));
    net_wait(atomic_load(&f->closed) == 1);
    http_stream_close(f->stream);
    assert_true(net_closed(fd));
    close(fd);
    http_server_stop(f->server, 1000);
}

static void a_client_that_goes_is_noticed(void **state) {
    struct fixture *f = start(*state, 1 << 20);
    int fd = subscribe(f);
    net_receive_answer(*state, fd, false);
    close(fd);
    net_wait(atomic_load(&f->closed) == 1); /* without a push */
    assert_false(http_stream_push(f->stream, STR("nobody")));
    http_stream_close(f->stream);
    http_server_stop(f->server, 1000);
}

static void a_stop_ends_streams(void **state) {
    struct fixture *f = start(*state, 1 << 20);
    int first = subscribe(f);
    struct http_stream *one = f->stream;
    int second = subscribe(f);
    assert_true(http_stream_push(one, STR("last")));
    http_server_stop(f->server, 5000);
    assert_int_equal(atomic_load(&f->closed), 2);
    assert_false(http_stream_push(one, STR("late")));
    http_stream_close(one);
    http_stream_close(f->stream);
    str all = net_receive_all(*state, first);
    assert_true(str_ends(all, STR("\r\n4\r\nlast\r\n0\r\n\r\n")));
    close(first);
    close(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(chunks_arrive_as_they_are_pushed),
        ARENA_TEST(a_reader_that_stops_is_dropped),
        ARENA_TEST(a_chunk_larger_than_the_queue_drops_the_stream),
        ARENA_TEST(a_client_that_goes_is_noticed),
        ARENA_TEST(a_stop_ends_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
