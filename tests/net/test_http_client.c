/* test_http_client.c — calls to servers that behave and servers that do not, and what is never called. */
#include "net_support.h"

#include "net/http_client.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* A copy of a result that outlives its function. */
struct outcome {
    struct arena *arena;
    atomic_bool done;
    err rc;
    str slug, body, head;
    bool ambiguous;
    int status;
    unsigned redirects;
    str address;
};

static void note(void *ctx, const struct http_result *result) {
    struct outcome *o = ctx;
    o->rc = result->rc;
    o->slug = str_copy(o->arena, str_from(result->slug));
    o->body = str_copy(o->arena, result->body);
    o->ambiguous = result->ambiguous;
    o->status = result->status;
    o->redirects = result->redirects;
    o->address = str_copy(o->arena, result->address);
    str mark = http_field_value(result->header, result->n_header, STR("X-Answer"));
    o->head = str_copy(o->arena, mark);
    assert_true(result->rc == OK ? result->text[0] == '\0' : result->text[0] != '\0');
    atomic_store(&o->done, true);
}

/* Each has an arena of its own, as results come on the client's thread. */
static struct outcome *new_outcome(struct arena *a) {
    struct outcome *o = ARENA_NEW(a, struct outcome);
    o->arena = arena_new(64 << 20);
    return o;
}

static void drop_outcome(struct outcome *o) { arena_free(o->arena); }

static struct address_range loopback(void) {
    struct address_range range;
    assert_ok(address_parse_range(STR("127.0.0.0/8"), &range));
    return range;
}

static struct http_client *start_client(void (*change)(struct http_client_settings *s)) {
    struct http_client_settings s = http_client_defaults();
    struct http_client *c = NULL;
    struct address_range allow = loopback();
    s.allow = &allow;
    s.n_allow = 1;
    if (change)
        change(&s);
    assert_ok(http_client_start(&s, &c));
    return c;
}

static struct outcome *call_it(struct arena *a, struct http_client *c, struct http_call call) {
    struct outcome *o = new_outcome(a);
    call.done = note;
    call.ctx = o;
    if (!call.method.ptr)
        call.method = STR("GET");
    assert_ok(http_client_send(c, &call, NULL));
    net_wait(atomic_load(&o->done));
    return o;
}

static void expect(struct outcome *o, err rc, const char *slug, bool ambiguous) {
    if (o->rc != rc || !str_equal(o->slug, str_from(slug)) || o->ambiguous != ambiguous)
        fail_msg("%s %.*s%s, not %s %s", err_name(o->rc), STR_ARG(o->slug), o->ambiguous ? " ambiguous" : "", err_name(rc),
                 slug);
    drop_outcome(o);
}

/* A server that does as its path says. */
static void handle(void *ctx, struct http_request *r) {
    const int *other_port = ctx;
    static const struct http_field marked = {STR_INIT("X-Answer"), STR_INIT("yes")};
    struct http_field to = {STR("Location"), STR("/there")};
    str key = http_request_header(r, STR("X-Key"));
    if (str_equal(r->path, STR("/echo"))) {
        str type = http_request_header(r, STR("Content-Type")), agent = http_request_header(r, STR("User-Agent"));
        http_respond(r, 201, &marked, 1,
                     str_format(r->arena, "%.*s %.*s %.*s %.*s %.*s", STR_ARG(r->method), STR_ARG(key), STR_ARG(type),
                                STR_ARG(agent), STR_ARG(r->body)));
    } else if (str_equal(r->path, STR("/there"))) {
        http_respond(r, 200, NULL, 0, str_format(r->arena, "there %.*s", STR_ARG(key)));
    } else if (str_equal(r->path, STR("/redirect"))) {
        http_respond(r, 302, &to, 1, STR(""));
    } else if (str_equal(r->path, STR("/loop"))) {
        to.value = STR("/loop");
        http_respond(r, 302, &to, 1, STR(""));
    } else if (str_equal(r->path, STR("/away"))) {
        to.value = str_format(r->arena, "http://127.0.0.1:%d/there", *other_port);
        http_respond(r, 302, &to, 1, STR(""));
    } else if (str_equal(r->path, STR("/inside"))) {
        to.value = STR("http://10.0.0.1/");
        http_respond(r, 302, &to, 1, STR(""));
    } else if (str_equal(r->path, STR("/file"))) {
        to.value = STR("file:///etc/passwd");
        http_respond(r, 302, &to, 1, STR(""));
    } else if (str_equal(r->path, STR("/named"))) {
        to.value = STR("http://user@127.0.0.1/");
        http_respond(r, 302, &to, 1, STR(""));
    } else if (str_equal(r->path, STR("/large"))) {
        size_t n = 100000;
        char *text = arena_alloc(r->arena, n);
        memset(text, 'x', n);
        http_respond(r, 200, NULL, 0, (str){text, n});
    } else if (str_equal(r->path, STR("/wide"))) {
        char *text = arena_alloc(r->arena, 3000);
        memset(text, 'x', 3000);
        struct http_field wide = {STR("X-Wide"), {text, 3000}};
        http_respond(r, 200, &wide, 1, STR(""));
    } else {
        http_respond(r, 404, NULL, 0, STR("absent"));
    }
}

struct servers {
    struct http_server *one, *other;
    int other_port;
    char base[64];
};

static struct http_server *start_server(int *ctx, const char *cert, const char *key) {
    struct http_server_settings s = http_server_defaults();
    struct http_server *server = NULL;
    s.handle = handle;
    s.ctx = ctx;
    s.threads = 1;
    s.cert_file = cert;
    s.key_file = key;
    assert_ok(http_server_start(&s, &server));
    return server;
}

static struct servers *start_servers(struct arena *a) {
    struct servers *s = ARENA_NEW(a, struct servers);
    s->one = start_server(&s->other_port, NULL, NULL);
    s->other = start_server(&s->other_port, NULL, NULL);
    s->other_port = http_server_port(s->other);
    snprintf(s->base, sizeof s->base, "http://127.0.0.1:%d", http_server_port(s->one));
    return s;
}

static void stop_servers(struct servers *s) {
    http_server_stop(s->one, 0);
    http_server_stop(s->other, 0);
}

static str at(struct arena *a, const struct servers *s, const char *path) { return str_format(a, "%s%s", s->base, path); }

static void calls_are_answered(void **state) {
    struct servers *s = start_servers(*state);
    struct http_client *c = start_client(NULL);
    const struct http_field header[] = {
        {STR("X-Key"), STR("k")}, {STR("Content-Type"), STR("text/plain")}, {STR("X-Empty"), STR("")}};
    struct outcome *o = call_it(
        *state, c,
        (struct http_call){
            .method = STR("POST"), .url = at(*state, s, "/echo"), .header = header, .n_header = 3, .body = STR("hello")});
    assert_int_equal(o->status, 201);
    assert_str(o->body, "POST k text/plain galena/" GALENA_VERSION " hello");
    assert_str(o->head, "yes");
    assert_str(o->address, "127.0.0.1");
    expect(o, OK, "", false);
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < 5; i++) {
        o = call_it(*state, c, (struct http_call){.method = str_from(methods[i]), .url = at(*state, s, "/echo")});
        assert_str(o->body, str_format(*state, "%s   galena/" GALENA_VERSION " ", methods[i]).ptr);
        expect(o, OK, "", false);
    }
    o = call_it(*state, c, (struct http_call){.method = STR("HEAD"), .url = at(*state, s, "/echo")});
    assert_int_equal(o->status, 201);
    assert_int_equal(o->body.len, 0);
    expect(o, OK, "", false);
    o = call_it(*state, c, (struct http_call){.url = at(*state, s, "/none")});
    assert_int_equal(o->status, 404);
    assert_str(o->body, "absent");
    expect(o, OK, "", false);
    struct http_client_counters n = http_client_counters(c);
    assert_int_equal(n.calls, 8);
    assert_int_equal(n.failed, 0);
    assert_true(n.connections <= 4); /* used again, but for requests that could not be told from a repetition */
    http_client_stop(c);
    stop_servers(s);
}

static void small_limits(struct http_client_settings *s) {
    s->max_body_byte = 99999;
    s->max_header_byte = 2000;
}

static void answers_have_limits(void **state) {
    struct servers *s = start_servers(*state);
    struct http_client *c = start_client(small_limits);
    expect(call_it(*state, c, (struct http_call){.url = at(*state, s, "/large")}), ERR_LIMIT, "http_answer_too_large",
           false);
    expect(call_it(*state, c, (struct http_call){.url = at(*state, s, "/wide")}), ERR_LIMIT, "http_answer_too_large", false);
    struct outcome *o = call_it(*state, c, (struct http_call){.url = at(*state, s, "/large"), .max_body_byte = 100000});
    assert_int_equal(o->body.len, 100000);
    expect(o, OK, "", false);
    http_client_stop(c);
    stop_servers(s);
}

static void redirections_are_followed_when_asked(void **state) {
    struct servers *s = start_servers(*state);
    struct http_client *c = start_client(NULL);
    const struct http_field key = {STR("X-Key"), STR("secret")};
    struct http_call call = {.url = at(*state, s, "/redirect"), .header = &key, .n_header = 1};
    struct outcome *o = call_it(*state, c, call);
    assert_int_equal(o->status, 302);
    expect(o, OK, "", false);
    call.max_redirects = 2;
    o = call_it(*state, c, call);
    assert_str(o->body, "there secret");
    assert_int_equal(o->redirects, 1);
    expect(o, OK, "", false);
    call.url = at(*state, s, "/away");
    o = call_it(*state, c, call);
    assert_str(o->body, "there "); /* the key stays at home */
    expect(o, OK, "", false);
    call.method = STR("POST");
    o = call_it(*state, c, call);
    assert_int_equal(o->status, 302);
    expect(o, OK, "", false);
    call.method = STR("GET");
    call.url = at(*state, s, "/loop");
    expect(call_it(*state, c, call), ERR_LIMIT, "http_too_many_redirects", false);
    call.url = at(*state, s, "/inside");
    expect(call_it(*state, c, call), ERR_DENIED, "http_address_refused", false);
    call.url = at(*state, s, "/file");
    expect(call_it(*state, c, call), ERR_DENIED, "http_redirect_refused", false);
    call.url = at(*state, s, "/named");
    expect(call_it(*state, c, call), ERR_DENIED, "http_redirect_refused", false);
    http_client_stop(c);
    stop_servers(s);
}

static void nothing_allowed(struct http_client_settings *s) { s->n_allow = 0; }

static void private_addresses_are_refused(void **state) {
    struct servers *s = start_servers(*state);
    struct http_client *c = start_client(nothing_allowed);
    static const char *const hosts[] = {
        "127.0.0.1", "localhost",       "127.1",    "2130706433",        "0x7f.1",         "[::1]", "[::ffff:127.0.0.1]",
        "0.0.0.0",   "169.254.169.254", "10.0.0.1", "[64:ff9b::7f00:1]", "[fd00:ec2::254]"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        str url = str_format(*state, "http://%s:%d/echo", hosts[i], http_server_port(s->one));
        struct outcome *o = call_it(*state, c, (struct http_call){.url = url});
        if (o->rc != ERR_DENIED)
            fail_msg("%.*s: %s %.*s", STR_ARG(url), err_name(o->rc), STR_ARG(o->slug));
        expect(o, ERR_DENIED, "http_address_refused", false);
    }
    setenv("http_proxy", at(*state, s, "").ptr, 1);
    setenv("ALL_PROXY", at(*state, s, "").ptr, 1);
    expect(call_it(*state, c, (struct http_call){.url = STR("http://10.0.0.1/")}), ERR_DENIED, "http_address_refused",
           false);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(http_server_counters(s->one).connections, 0);
    http_client_stop(c);
    stop_servers(s);
}

static void what_cannot_be_called_is_refused_at_once(void **state) {
    (void)state;
    static const char *const urls[] = {"",
                                       "relative",
                                       "file:///etc/passwd",
                                       "ftp://127.0.0.1/",
                                       "gopher://127.0.0.1/",
                                       "http://",
                                       "http://user@127.0.0.1/",
                                       "http://u:p@127.0.0.1/",
                                       "http://:p@127.0.0.1/",
                                       "http:///x",
                                       "http://127.0.0.1:99999/",
                                       "http://127.0.0.1/\r\nX: y",
                                       "http://127.0.0.1/ a",
                                       "dict://127.0.0.1/"};
    struct http_client *c = start_client(NULL);
    struct http_call call = {.method = STR("GET"), .done = note};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        call.url = str_from(urls[i]);
        assert_fails(http_client_send(c, &call, NULL), ERR_INPUT, "http_bad_url");
    }
    call.url = (str){"http://127.0.0.1/\0x", 19};
    assert_fails(http_client_send(c, &call, NULL), ERR_INPUT, "http_bad_url");
    struct http_field split = {STR("X-A"), STR("b\r\nX-C: d")};
    call = (struct http_call){
        .method = STR("GET"), .url = STR("http://127.0.0.1/"), .header = &split, .n_header = 1, .done = note};
    assert_fails(http_client_send(c, &call, NULL), ERR_INPUT, "http_bad_field");
    call.n_header = 0;
    call.method = STR("GET / HTTP/1.1\r\n");
    assert_fails(http_client_send(c, &call, NULL), ERR_INPUT, "http_bad_field");
    http_client_stop(c);
}

/* A server of one connection after another that says what it is told to and then closes, resets or keeps still. */
struct script {
    const char *answer;
    bool read_request, reset, keep_still;
    int fd, port;
    pthread_t thread;
    atomic_int connections;
    atomic_bool over;
};

static void play(struct script *s, int fd) {
    char text[4096];
    size_t n = 0;
    while (s->read_request && (n < 2 || memcmp(text + n - 2, "{}", 2) != 0)) { /* all requests here end so */
        ssize_t more = net_receive(fd, text + n, sizeof text - n);
        if (more <= 0)
            return;
        n += (size_t)more;
    }
    if (s->answer)
        send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
    while (s->keep_still && !atomic_load(&s->over))
        poll(NULL, 0, 1);
    if (s->reset) {
        struct linger reset = {.l_onoff = 1};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
}

static void *serve_script(void *ctx) {
    struct script *s = ctx;
    while (!atomic_load(&s->over)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 5) != 1)
            continue;
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        atomic_fetch_add(&s->connections, 1);
        play(s, fd);
        close(fd);
    }
    return NULL;
}

static void start_script(struct script *s) {
    struct sockaddr_in any = net_loopback(0);
    socklen_t len = sizeof any;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (const struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(s->fd, 16), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&any, &len), 0);
    s->port = ntohs(any.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve_script, s), 0);
}

static void stop_script(struct script *s) {
    atomic_store(&s->over, true);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static struct outcome *call_script(struct arena *a, struct http_client *c, struct script *s, int64_t total_ms) {
    start_script(s);
    struct outcome *o = call_it(a, c,
                                (struct http_call){.method = STR("POST"),
                                                   .url = str_format(a, "http://127.0.0.1:%d/", s->port),
                                                   .body = STR("{}"),
                                                   .total_ms = total_ms});
    stop_script(s);
    return o;
}

static void outcomes_that_are_not_known_say_so(void **state) {
    struct http_client *c = start_client(NULL);
    struct script silent = {.read_request = true, .keep_still = true};
    expect(call_script(*state, c, &silent, 100), ERR_AGAIN, "http_outcome_unknown", true);
    struct script closes = {.read_request = true};
    expect(call_script(*state, c, &closes, 0), ERR_AGAIN, "http_outcome_unknown", true);
    assert_int_equal(closes.connections, 1); /* not repeated behind our back */
    struct script resets = {.read_request = true, .reset = true};
    expect(call_script(*state, c, &resets, 0), ERR_AGAIN, "http_outcome_unknown", true);
    struct script half = {
        .read_request = true, .answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .keep_still = true};
    expect(call_script(*state, c, &half, 100), ERR_AGAIN, "http_outcome_unknown", true);
    http_client_stop(c);
}

static void broken_answers_are_the_other_sides_fault(void **state) {
    struct http_client *c = start_client(NULL);
    struct script cut = {.read_request = true, .answer = "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf"};
    struct outcome *o = call_script(*state, c, &cut, 0);
    assert_int_equal(o->status, 201);
    assert_str(o->body, "half");
    expect(o, ERR_REMOTE, "http_bad_answer", false);
    struct script strange = {.read_request = true, .answer = "220 mail.example ESMTP\r\n"};
    expect(call_script(*state, c, &strange, 0), ERR_REMOTE, "http_bad_answer", true);
    http_client_stop(c);
}

/* A connection that was kept and is broken when used again: libcurl must not repeat a POST by itself. */
static void a_kept_connection_that_breaks_repeats_nothing(void **state) {
    struct http_client *c = start_client(NULL);
    struct script s = {
        .read_request = true, .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .keep_still = false};
    start_script(&s);
    for (int i = 0; i < 3; i++) {
        struct outcome *o = call_it(*state, c,
                                    (struct http_call){.method = STR("POST"),
                                                       .body = STR("{}"),
                                                       .url = str_format(*state, "http://127.0.0.1:%d/", s.port)});
        /* Closed before (a new connection) or in the middle (not known), never twice. */
        assert_true(o->rc == OK || str_equal(o->slug, STR("http_outcome_unknown")));
        drop_outcome(o);
    }
    assert_true(s.connections <= 3);
    stop_script(&s);
    http_client_stop(c);
}

static void refusals_are_passing_faults(void **state) {
    struct http_client *c = start_client(NULL);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = net_loopback(0);
    socklen_t len = sizeof any;
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof any), 0); /* bound, and nobody listens */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
    expect(call_it(*state, c, (struct http_call){.url = str_format(*state, "http://127.0.0.1:%d/", ntohs(any.sin_port))}),
           ERR_AGAIN, "http_connect_failed", false);
    close(fd);
    expect(call_it(*state, c, (struct http_call){.url = STR("http://no.such.host.invalid/")}), ERR_AGAIN,
           "http_host_unknown", false);
    http_client_stop(c);
}

static void one_at_a_time(struct http_client_settings *s) {
    s->max_in_flight = 1;
    s->max_queue = 2;
}

static void calls_wait_are_cancelled_and_are_refused(void **state) {
    struct http_client *c = start_client(one_at_a_time);
    struct script silent = {.read_request = true, .keep_still = true};
    start_script(&silent);
    struct outcome *o[4];
    uint64_t id[4];
    struct http_call call = {.method = STR("POST"),
                             .url = str_format(*state, "http://127.0.0.1:%d/", silent.port),
                             .body = STR("{}"),
                             .done = note};
    for (int i = 0; i < 4; i++)
        o[i] = new_outcome(*state);
    call.ctx = o[0];
    assert_ok(http_client_send(c, &call, &id[0]));
    net_wait(http_client_counters(c).in_flight == 1 && atomic_load(&silent.connections) == 1);
    for (int i = 1; i < 3; i++) {
        call.ctx = o[i];
        assert_ok(http_client_send(c, &call, &id[i]));
    }
    call.ctx = o[3];
    assert_fails(http_client_send(c, &call, &id[3]), ERR_LIMIT, "http_queue_full");
    http_client_cancel(c, id[1]);
    net_wait(atomic_load(&o[1]->done));
    expect(o[1], ERR_AGAIN, "http_cancelled", false);
    assert_false(atomic_load(&o[0]->done));
    http_client_cancel(c, 12345);
    http_client_cancel(c, id[0]);
    net_wait(atomic_load(&o[0]->done));
    assert_str(o[0]->slug, "http_cancelled");
    drop_outcome(o[0]);
    http_client_stop(c); /* ends the third */
    assert_true(atomic_load(&o[2]->done));
    assert_str(o[2]->slug, "http_cancelled");
    drop_outcome(o[2]);
    drop_outcome(o[3]);
    stop_script(&silent);
}

static void time_runs_while_a_call_waits(void **state) {
    struct http_client *c = start_client(one_at_a_time);
    struct script silent = {.read_request = true, .keep_still = true};
    start_script(&silent);
    struct outcome *first = new_outcome(*state);
    struct http_call call = {.method = STR("POST"),
                             .url = str_format(*state, "http://127.0.0.1:%d/", silent.port),
                             .body = STR("{}"),
                             .done = note,
                             .ctx = first};
    assert_ok(http_client_send(c, &call, NULL));
    expect(call_it(*state, c, (struct http_call){.url = call.url, .total_ms = 30}), ERR_AGAIN, "http_timeout", false);
    http_client_stop(c);
    drop_outcome(first);
    stop_script(&silent);
}

static void count_done(void *ctx, const struct http_result *result) {
    atomic_int *n = ctx;
    if (result->rc == OK && result->status == 201)
        atomic_fetch_add(n, 1);
}

static void many_calls_share_few_connections(void **state) {
    struct servers *s = start_servers(*state);
    struct http_client *c = start_client(NULL);
    atomic_int n = 0;
    struct http_call call = {
        .method = STR("PUT"), .url = at(*state, s, "/echo"), .body = STR("x"), .done = count_done, .ctx = &n};
    for (int i = 0; i < 500; i++)
        assert_ok(http_client_send(c, &call, NULL));
    net_wait(atomic_load(&n) == 500);
    assert_true(http_server_counters(s->one).connections <= 8);
    http_client_stop(c);
    stop_servers(s);
}

/* A key and a certificate that is its own authority, for `host`, as two files. */
static void make_certificate(const char *host, const char *key_file, const char *cert_file) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_true(key && cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
    X509_set_issuer_name(cert, name);
    char alternative[128];
    snprintf(alternative, sizeof alternative, "IP:%s", host);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
    assert_non_null(names);
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = fopen(key_file, "w");
    assert_true(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(file) == 0);
    file = fopen(cert_file, "w");
    assert_true(file && PEM_write_X509(file, cert) == 1 && fclose(file) == 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static const char *trusted_file;
static void trusts_one(struct http_client_settings *s) { s->ca_file = trusted_file; }

/* A call to an HTTPS server with a certificate for `host`, by a client that trusts it or only the system's authorities. */
static struct outcome *call_tls(struct arena *a, const char *folder, const char *host, bool trust) {
    char key[128], cert[128];
    int none = 0;
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    make_certificate(host, key, cert);
    trusted_file = cert;
    struct http_server *server = start_server(&none, cert, key);
    struct http_client *c = start_client(trust ? trusts_one : NULL);
    struct outcome *o = NULL;
    for (int i = 0; i < 2; i++) {
        if (o)
            drop_outcome(o);
        o = call_it(a, c,
                    (struct http_call){.method = STR("PUT"),
                                       .body = STR("secret"),
                                       .url = str_format(a, "https://127.0.0.1:%d/echo", http_server_port(server))});
    }
    http_client_stop(c);
    http_server_stop(server, 0);
    unlink(key);
    unlink(cert);
    return o;
}

static void tls_is_verified(void **state) {
    char folder[] = "/tmp/galena-tls-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct outcome *o = call_tls(*state, folder, "127.0.0.1", true);
    assert_int_equal(o->status, 201);
    expect(o, OK, "", false);
    expect(call_tls(*state, folder, "127.0.0.1", false), ERR_DENIED, "http_tls_refused", false);
    expect(call_tls(*state, folder, "127.0.0.2", true), ERR_DENIED, "http_tls_refused", false);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(calls_are_answered),
        ARENA_TEST(answers_have_limits),
        ARENA_TEST(redirections_are_followed_when_asked),
        ARENA_TEST(private_addresses_are_refused),
        ARENA_TEST(what_cannot_be_called_is_refused_at_once),
        ARENA_TEST(outcomes_that_are_not_known_say_so),
        ARENA_TEST(broken_answers_are_the_other_sides_fault),
        ARENA_TEST(a_kept_connection_that_breaks_repeats_nothing),
        ARENA_TEST(refusals_are_passing_faults),
        ARENA_TEST(calls_wait_are_cancelled_and_are_refused),
        ARENA_TEST(time_runs_while_a_call_waits),
        ARENA_TEST(many_calls_share_few_connections),
        ARENA_TEST(tls_is_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
