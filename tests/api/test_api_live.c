/* test_api_live.c — live streams and signed hooks. */
#include "api_world.h"
#include "net/signature.h"

#define LEAD "{\"lead_id\":\"L1\",\"person\":{\"email\":\"ada@example.com\"},\"custom\":{\"employees\":120}}"

/* ---- streams ---- */

/* Opens a stream and reads the head of its answer. */
static int listen_to(struct world *w, str token, const char *fields, int *status) {
    int fd = net_connect(w->port);
    char head[8192];
    size_t n = 0;
    send_request(w, fd, "GET", "/v1/events", token, fields, (str){0});
    while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
        assert_true(n < sizeof head);
        assert_int_equal(net_receive(fd, head + n, 1), 1);
        n++;
    }
    assert_int_equal(sscanf(head, "HTTP/1.1 %d", status), 1);
    return fd;
}

/* A stream as it comes: in chunks (RFC 9112 7.1), which end anywhere. */
struct chunks {
    char *raw, *text;
    size_t n_raw, n, at, cap; /* at: of the raw bytes, the first that are not yet in the text */
};

static struct chunks chunks_new(struct world *w) {
    const size_t cap = 2 << 20;
    return (struct chunks){arena_alloc(w->a, cap), arena_alloc(w->a, cap), 0, 0, 0, cap};
}

/* Receives some; the whole text so far. */
static str chunks_read(struct chunks *c, int fd) {
    ssize_t more = net_receive(fd, c->raw + c->n_raw, c->cap - c->n_raw - 1);
    assert_true(more > 0);
    c->n_raw += (size_t)more;
    c->raw[c->n_raw] = '\0';
    for (char *end; (end = strstr(c->raw + c->at, "\r\n"));) {
        size_t size = strtoul(c->raw + c->at, NULL, 16), from = (size_t)(end - c->raw) + 2;
        if (from + size + 2 > c->n_raw)
            break;
        memcpy(c->text + c->n, c->raw + from, size);
        c->n += size;
        c->at = from + size + 2;
    }
    return (str){c->text, c->n};
}

/* Reads until the text has come; everything so far. */
static str read_until(struct world *w, int fd, const char *text) {
    struct chunks c = chunks_new(w);
    str so_far = {0};
    while (str_find(so_far, str_from(text)) < 0)
        so_far = chunks_read(&c, fd);
    return so_far;
}

/* The data of the events in a stream's text, as JSON. */
static const struct json *event_data(struct world *w, str text, const char *id) {
    ptrdiff_t at = str_find(text, str_format(w->a, "data: {\"id\":\"%s\"", id));
    assert_true(at >= 0);
    str line = str_slice(text, (size_t)at + 6, text.len);
    const struct json *v;
    assert_ok(json_parse(w->a, str_slice(line, 0, (size_t)str_find_byte(line, '\n')), NULL, &v));
    return v;
}

static void test_what_is_scored_is_told(void **state) {
    struct world *w = *state;
    int status;
    int fd = listen_to(w, w->read, "", &status);
    assert_int_equal(status, 200);
    str elsewhere = post_lead(w, w->other, LEAD), id = post_lead(w, w->all, LEAD);
    str text = read_until(w, fd, "\"}\n\n");
    assert_true(str_find(text, STR("event: scored\n")) >= 0);
    assert_true(str_find(text, elsewhere) < 0);
    const struct json *v = event_data(w, text, str_cstr(w->a, id));
    check_schema(w, json_pointer(w->description, STR("/components/schemas/ScoredEvent")), v, "event");
    assert_true(str_equal(member_text(v, "outcome"), STR("scored")));
    close(fd);
    net_wait(http_server_counters(w->server).streams_open == 0);
}

static str event_id_before(struct world *w, str text, str lead) {
    ptrdiff_t at = str_find(text, str_format(w->a, "-%.*s\n", STR_ARG(lead)));
    assert_true(at > 0);
    ptrdiff_t from = at;
    while (from > 0 && text.ptr[from - 1] != ' ')
        from--;
    return str_slice(text, (size_t)from, (size_t)at + 1 + RUN_ID_BYTE);
}

static void test_a_stream_goes_on_where_it_was(void **state) {
    struct world *w = *state;
    int status;
    str one = post_lead(w, w->all, LEAD);
    wait_ended(w, w->all, one);
    str two = post_lead(w, w->all, "{\"lead_id\":\"L2\",\"custom\":{\"employees\":77}}");
    wait_ended(w, w->all, two);
    int fd = listen_to(w, w->read, "Last-Event-ID: 1-00000000000000000000000000\r\n", &status);
    str text = read_until(w, fd, str_format(w->a, "\"id\":\"%.*s\"", STR_ARG(two)).ptr);
    assert_true(str_find(text, one) >= 0 && str_find(text, one) < str_find(text, two));
    close(fd);
    str place = event_id_before(w, text, one);
    fd = listen_to(w, w->read, str_format(w->a, "Last-Event-ID: %.*s\r\n", STR_ARG(place)).ptr, &status);
    text = read_until(w, fd, str_format(w->a, "\"id\":\"%.*s\"", STR_ARG(two)).ptr);
    assert_true(str_find(text, one) < 0);
    close(fd);
    assert_code(ask_with(w, "GET", "/v1/events", w->read, "Last-Event-ID: yesterday\r\n", (str){0}), 400, "event_id");
    assert_code(get(w, "/v1/events?since=1", w->read), 400, "query_unknown");
}

static void test_a_tenant_has_so_many_listeners(void **state) {
    struct world *w = *state;
    int fd[32], status;
    for (int i = 0; i < 32; i++) {
        fd[i] = listen_to(w, w->read, "", &status);
        assert_int_equal(status, 200);
    }
    struct reply r = get(w, "/v1/events", w->read);
    assert_code(r, 503, "events_full");
    assert_true(reply_field(&r, "Retry-After").len > 0);
    int other = listen_to(w, w->other, "", &status);
    assert_int_equal(status, 200);
    for (int i = 0; i < 32; i++)
        close(fd[i]);
    net_wait(http_server_counters(w->server).streams_open == 1);
    for (int64_t until = net_now_ms() + WAIT_MS;;) { /* the place of who has gone is free at the next look */
        int again = listen_to(w, w->read, "", &status);
        close(again);
        if (status == 200)
            break;
        assert_true(net_now_ms() < until);
        poll(NULL, 0, 20);
    }
    close(other);
}

static void test_a_listener_that_does_not_read_harms_nobody(void **state) {
    struct world *w = *state;
    int status, small = 4096;
    int deaf = net_connect(w->port);
    setsockopt(deaf, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    send_request(w, deaf, "GET", "/v1/events", w->read, "", (str){0});
    int fd = listen_to(w, w->read, "", &status);
    struct buf *b = buf_in(w->a, 16 << 20);
    buf_add(b, STR("{\"leads\":["));
    for (int i = 0; i < 1000; i++)
        buf_add_format(b, "%s{\"lead_id\":\"S%d\",\"custom\":{\"employees\":%d}}", i > 0 ? "," : "", i, 10 + i);
    buf_add(b, STR("]}"));
    struct reply r = ask(w, "POST", "/v1/leads", w->all, str_cstr(w->a, buf_str(b)));
    assert_status(r, 202);
    const struct json *leads = json_get(r.json, STR("leads"));
    struct chunks c = chunks_new(w);
    str text = {0};
    for (size_t seen = 0; seen < 1000;) {
        text = chunks_read(&c, fd);
        seen = 0;
        for (ptrdiff_t at; (at = str_find(text, STR("event: scored\n"))) >= 0; seen++)
            text = str_slice(text, (size_t)at + 14, text.len);
    }
    assert_true(str_find((str){c.text, c.n}, member_text(&leads->items[999], "id")) >= 0);
    close(fd);
    close(deaf);
}

static void test_streams_end_with_the_service(void **state) {
    struct world *w = *state;
    int status;
    int fd = listen_to(w, w->read, "", &status);
    int other = listen_to(w, w->other, "", &status);
    api_stop(w->api);
    const int stream[] = {fd, other};
    for (size_t i = 0; i < 2; i++) {
        struct chunks c = chunks_new(w);
        while (!str_ends((str){c.raw, c.n_raw}, STR("\r\n0\r\n\r\n")))
            chunks_read(&c, stream[i]);
    }
    close(fd);
    close(other);
}

/* ---- hooks ---- */

static struct reply hook(struct world *w, const char *target, const char *secret, int64_t at_s, const char *body,
                         const char *signed_body) {
    const str secrets[] = {str_from(secret)};
    str signature = signature_make(w->a, secrets, 1, at_s, str_from(signed_body));
    const char *fields =
        str_format(w->a, "Content-Type: application/json\r\nGalena-Signature: %.*s\r\n", STR_ARG(signature)).ptr;
    return ask_with(w, "POST", target, (str){0}, fields, str_from(body));
}

static int64_t now_s(void) { return clock_system().wall_ms() / 1000; }

static void test_a_signed_hook_brings_leads(void **state) {
    struct world *w = *state;
    struct reply r = hook(w, "/hooks/generic?tenant=acme", HOOK_SECRET, now_s(), LEAD, LEAD);
    assert_status(r, 202);
    r = wait_ended(w, w->read, member_text(r.json, "id"));
    assert_true(str_equal(member_text(r.json, "source"), STR("generic")));
    static const char many[] = "{\"leads\":[{\"lead_id\":\"a\",\"custom\":{\"employees\":1}},{\"person\":2}]}";
    r = hook(w, "/hooks/generic?tenant=acme", HOOK_OLD_SECRET, now_s() - 200, many, many);
    assert_status(r, 202);
    assert_int_equal(member_integer(r.json, "accepted"), 1);
    assert_int_equal(member_integer(r.json, "rejected"), 1);
    r = hook(w, "/hooks/generic", HOOK_SECRET, now_s(), LEAD, LEAD); /* "default": another message of that second */
    assert_true(r.status == 202 || r.status == 403);
}

static void test_hooks_that_are_refused(void **state) {
    struct world *w = *state;
    const char *target = "/hooks/generic?tenant=acme";
    assert_code(ask(w, "POST", target, (str){0}, LEAD), 403, "signature_absent");
    assert_code(ask(w, "POST", target, w->all, LEAD), 403, "signature_absent");
    assert_code(hook(w, target, "another secret!!", now_s(), LEAD, LEAD), 403, "signature_wrong");
    assert_code(hook(w, target, HOOK_SECRET, now_s(), "{\"lead_id\":\"L2\"}", LEAD), 403, "signature_wrong");
    assert_code(hook(w, target, HOOK_SECRET, now_s() - 301, LEAD, LEAD), 403, "signature_expired");
    assert_code(hook(w, target, HOOK_SECRET, now_s() + 310, LEAD, LEAD), 403, "signature_expired");
    assert_code(ask_with(w, "POST", target, (str){0}, "Galena-Signature: nonsense\r\n", STR(LEAD)), 400,
                "signature_malformed");
    assert_code(hook(w, "/hooks/other", HOOK_SECRET, now_s(), LEAD, LEAD), 404, "connector_unknown");
    assert_code(hook(w, "/hooks/generic?tenant=nobody", HOOK_SECRET, now_s(), LEAD, LEAD), 404, "tenant_unknown");
    assert_code(hook(w, "/hooks/generic?tenant=a%20b", HOOK_SECRET, now_s(), LEAD, LEAD), 400, "tenant_name");
    assert_code(hook(w, "/hooks/generic?x=1", HOOK_SECRET, now_s(), LEAD, LEAD), 400, "query_unknown");
    assert_int_equal(hook(w, target, HOOK_SECRET, now_s() - 1, "{", "{").status, 400);
    struct reply r = get(w, "/v1/leads", w->read);
    assert_int_equal(json_get(r.json, STR("leads"))->count, 0);
}

static void test_a_message_that_comes_again_does_nothing(void **state) {
    struct world *w = *state;
    const int64_t at = now_s();
    struct reply first = hook(w, "/hooks/generic?tenant=acme", HOOK_SECRET, at, LEAD, LEAD);
    assert_status(first, 202);
    struct reply again = hook(w, "/hooks/generic?tenant=acme", HOOK_SECRET, at, LEAD, LEAD);
    assert_status(again, 202);
    assert_true(str_equal(reply_field(&again, "Idempotent-Replayed"), STR("true")));
    assert_true(str_equal(member_text(first.json, "id"), member_text(again.json, "id")));
    /* The other secret signs the same message. */
    again = hook(w, "/hooks/generic?tenant=acme", HOOK_OLD_SECRET, at, LEAD, LEAD);
    assert_true(str_equal(reply_field(&again, "Idempotent-Replayed"), STR("true")));
    assert_code(hook(w, "/hooks/generic?tenant=other", HOOK_SECRET, at, LEAD, LEAD), 403, "hook_replayed");
    assert_int_equal(json_get(get(w, "/v1/leads", w->read).json, STR("leads"))->count, 1);
    assert_int_equal(json_get(get(w, "/v1/leads", w->other).json, STR("leads"))->count, 0);
}

static int begin_no_hook(void **state) { return world_begin_with(state, &(struct world_options){.no_hook = true}); }

static void test_without_a_secret_there_is_no_hook(void **state) {
    struct world *w = *state;
    assert_code(hook(w, "/hooks/generic", HOOK_SECRET, now_s(), LEAD, LEAD), 404, "connector_unknown");
    assert_code(hook(w, "/hooks/generic", "", now_s(), LEAD, LEAD), 404, "connector_unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_what_is_scored_is_told),
        WORLD_TEST(test_a_stream_goes_on_where_it_was),
        WORLD_TEST(test_a_tenant_has_so_many_listeners),
        WORLD_TEST(test_a_listener_that_does_not_read_harms_nobody),
        WORLD_TEST(test_streams_end_with_the_service),
        WORLD_TEST(test_a_signed_hook_brings_leads),
        WORLD_TEST(test_hooks_that_are_refused),
        WORLD_TEST(test_a_message_that_comes_again_does_nothing),
        cmocka_unit_test_setup_teardown(test_without_a_secret_there_is_no_hook, begin_no_hook, world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
