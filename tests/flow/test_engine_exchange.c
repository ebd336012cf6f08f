/* test_engine_exchange.c — questions and deliveries against a server that misbehaves: answers are journalled once, effects
 * are made once, nobody waits for ever. */
#include "engine_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

static const char answer_text[] = "{\"fields\":{\"employees\":300},\"price_micro\":1500}";

/* The number behind "…:L"? Keys name our identifiers: what a lead gets depends on how many keys came before it. */
static unsigned order_of(struct host *h, const char *key) {
    unsigned i = 0;
    pthread_mutex_lock(&h->lock);
    while (i < h->n_seen && strcmp(h->seen[i].key, key) != 0)
        i++;
    pthread_mutex_unlock(&h->lock);
    return i;
}

static bool answers_well(struct host *h, struct http_request *r, const struct served *s) {
    (void)h;
    (void)s;
    host_reply(r, 200, answer_text);
    return true;
}

static bool holds(struct host *h, struct http_request *r, const struct served *s) {
    (void)h;
    (void)r;
    (void)s;
    return false;
}

static void with_lookup(struct world *w, struct host *h) {
    w->terms.enrich = STR("lookup");
    w->c.lookup.url = h ? h->url : NULL;
    w->c.lookup.max_in_flight = 32;
}

/* Lets the minutes pass for which retries are budgeted and breakers stay open. */
static void pass_time_until(struct world *w, const char *sql) {
    for (int i = 0; i < 200 && world_sql(w, sql) == 0; i++) {
        poll(NULL, 0, 100);
        atomic_fetch_add(&world_jump_ms, 20000);
    }
    assert_true(world_sql(w, sql) != 0);
}

/* ---- questions ---- */

enum { MISCHIEF = 7 };

/* Each lead in another way, and well at the end. */
static bool answers_badly(struct host *h, struct http_request *r, const struct served *s) {
    static const struct http_field soon[] = {{STR_INIT("Retry-After"), STR_INIT("1")}};
    unsigned way = order_of(h, s->key) % MISCHIEF;
    if (way == 1 && s->before < 2)
        host_reply(r, 500, "oops");
    else if (way == 2 && s->before < 1)
        http_respond(r, 429, soon, 1, (str){0});
    else if (way == 3 && s->before < 2)
        host_reply(r, 200, "{\"fields\":{\"employ");
    else if (way == 4)
        host_reply(r, 404, "{}");
    else if (way == 5 && s->before < 1)
        host_reply(r, 200, "{\"fields\":{},\"price_micro\":-1}");
    else if (way == 6)
        host_reply(r, 400, "{}");
    else
        host_reply(r, 200, answer_text);
    return true;
}

static void test_answers_are_journalled_once(void **state) {
    struct world *w = *state;
    struct host *h = host_start(answers_badly);
    with_lookup(w, h);
    w->c.ask_wait_ms = TIME_DAY_MS;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 140});
    pass_time_until(w, "SELECT count(*) = 140 FROM score");
    world_all_ended(w, 140);
    /* 20 of each way: 4 has nothing to say, 6 is refused */
    assert_int_equal(world_sql(w, "SELECT count(*) FROM ask WHERE status = 2"), 120);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM ask WHERE status = 3 AND slug = 'target_refused'"), 20);
    assert_int_equal(world_sql(w, "SELECT sum(price_micro) FROM ask"), 100 * 1500);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM ask WHERE attempt > 3"), 0);
    assert_int_equal(metric_get(w->engine->m.dead), 0);
    world_stop_engine(w);
    host_stop(h);
}

/* To be told to wait is no attempt. */
static bool says_wait(struct host *h, struct http_request *r, const struct served *s) {
    (void)h;
    if (s->before < 20)
        host_reply(r, 429, "{}");
    else
        host_reply(r, 200, answer_text);
    return true;
}

static void test_waiting_is_not_counted(void **state) {
    struct world *w = *state;
    struct host *h = host_start(says_wait);
    with_lookup(w, h);
    w->c.retry.limit_ms = 10;
    w->c.retry.base_ms = 5;
    w->c.retry.max_attempt = 3;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 5});
    world_all_ended(w, 5);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM ask WHERE status = 2 AND attempt = 1"), 5);
    world_stop_engine(w);
    host_stop(h);
}

static void test_parked_runs_hold_nothing(void **state) {
    struct world *w = *state;
    struct host *h = host_start(holds);
    with_lookup(w, h);
    w->c.ask_wait_ms = 3600000;
    w->c.lookup.timeout_ms = 3600000;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 2000});
    world_wait(world_sql(w, "SELECT count(*) FROM run WHERE status = 2") == 2000);
    assert_int_equal(ready_look(w->engine->ready).running, 0);
    world_accept(w, (struct world_leads){.first = 5000,
                                         .n = 10,
                                         .body = "{\"crm_id\":\"L%zu\",\"consent\":{\"enrichment_opt_out\":true},"
                                                 "\"custom\":{\"employees\":200,\"industry\":\"Software\"}}"});
    world_wait(world_scores(w) == 10);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run WHERE status = 2"), 2000);
    /* Whoever waits too long is scored without. */
    atomic_fetch_add(&world_jump_ms, 3600000);
    world_all_ended(w, 2010);
    host_stop(h);
}

static void test_deadline_of_a_lead(void **state) {
    struct world *w = *state;
    struct host *h = host_start(holds);
    with_lookup(w, h);
    w->c.ask_wait_ms = 3600000;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 20, .deadline_ms = world_wall_ms() + 300});
    world_all_ended(w, 20);
    host_stop(h);
}

static void test_no_one_to_ask_any_more(void **state) {
    struct world *w = *state;
    with_lookup(w, NULL);
    w->c.ask_wait_ms = 100;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 20});
    world_all_ended(w, 20);
}

/* The run has ended without the answer: nobody pays for it any more. */
static void test_nobody_asks_for_a_run_that_ended(void **state) {
    struct world *w = *state;
    struct host *h = host_start(answers_well);
    with_lookup(w, NULL);
    w->c.ask_wait_ms = 50;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 20});
    world_all_ended(w, 20);
    world_stop_engine(w);
    world_open_store(w);
    w->c.lookup.url = h->url;
    world_start(w);
    world_wait(world_sql(w, "SELECT count(*) FROM ask WHERE status IN (0, 1)") == 0);
    assert_int_equal(atomic_load(&h->posts), 0);
    world_stop_engine(w);
    host_stop(h);
}

static void test_cancel_reaches_a_parked_run(void **state) {
    struct world *w = *state;
    struct host *h = host_start(holds);
    with_lookup(w, h);
    world_start(w);
    world_accept(w, (struct world_leads){.n = 1});
    world_wait(world_sql(w, "SELECT count(*) FROM run WHERE status = 2") == 1);
    assert_ok(store_cancel(w->store, STR("acme"), world_text(w, "SELECT lead FROM run"), STR("test")));
    world_all_ended(w, 1);
    assert_int_equal(world_sql(w, "SELECT outcome FROM lead"), RUN_CANCELLED);
    host_stop(h);
}

/* The answer to a question about somebody who was erased meanwhile can be kept by nobody. */
static bool answers_on_command(struct host *h, struct http_request *r, const struct served *s) {
    (void)s;
    if (atomic_load(&h->mode) == 0)
        return false;
    host_reply(r, 200, answer_text);
    return true;
}

static void test_answer_about_the_erased(void **state) {
    struct world *w = *state;
    struct host *h = host_start(answers_on_command);
    size_t n = 0;
    with_lookup(w, h);
    world_start(w);
    world_accept(w, (struct world_leads){.n = 3});
    world_wait(atomic_load(&h->held) == 3);
    (void)!store_erase(w->store, STR("acme"), world_text(w, "SELECT min(lead) FROM run"), (str){0}, STR("test"), &n);
    assert_int_equal(n, 1);
    atomic_store(&h->mode, 1);
    for (unsigned i = 0; i < 3; i++)
        host_reply(h->hold[i], 200, answer_text);
    atomic_store(&h->held, 0);
    world_wait(world_sql(w, "SELECT count(*) FROM score WHERE outcome = 1") == 2);
    world_wait(engine_look(w->engine).asks == 0);
    world_stop_engine(w);
    host_stop(h);
}

/* ---- the breaker ---- */

static bool fails_until_told(struct host *h, struct http_request *r, const struct served *s) {
    (void)s;
    if (atomic_load(&h->mode) == 0)
        host_reply(r, 500, "{}");
    else
        host_reply(r, 200, answer_text);
    return true;
}

static void test_breaker_opens_and_closes(void **state) {
    struct world *w = *state;
    struct host *h = host_start(fails_until_told);
    with_lookup(w, h);
    w->c.ask_wait_ms = TIME_DAY_MS;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 100});
    world_wait(engine_look(w->engine).lookup_open);
    unsigned posts = atomic_load(&h->posts);
    poll(NULL, 0, 300);
    assert_true(atomic_load(&h->posts) < posts + 40); /* those under way when it opened */
    assert_int_equal(world_sql(w, "SELECT count(*) FROM ask WHERE attempt > 8"), 0);
    atomic_store(&h->mode, 1);
    for (int i = 0; i < 40 && world_scores(w) < 100; i++) {
        atomic_fetch_add(&world_jump_ms, BREAKER_OPEN_MS);
        poll(NULL, 0, 250);
    }
    world_all_ended(w, 100);
    assert_false(engine_look(w->engine).lookup_open);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM ask WHERE status = 2"), 100);
    world_stop_engine(w);
    host_stop(h);
}

/* ---- deliveries ---- */

static void with_callback(struct world *w, const char *url) {
    w->terms.target[0] = STR("callback");
    w->terms.n_target = 1;
    w->c.callback.url = url;
    w->c.callback.max_in_flight = 32;
}

static bool takes_badly(struct host *h, struct http_request *r, const struct served *s) {
    static const struct http_field soon[] = {{STR_INIT("Retry-After"), STR_INIT("1")}};
    unsigned way = order_of(h, s->key) % 5;
    if (way == 1 && s->before < 2)
        host_reply(r, 502, "{}");
    else if (way == 2 && s->before < 1)
        http_respond(r, 503, soon, 1, (str){0});
    else if (way == 3)
        host_reply(r, 409, "{}");
    else if (way == 4)
        host_reply(r, atomic_load(&h->mode) ? 200 : 422, "{}");
    else
        host_reply(r, 200, "");
    return true;
}

static void test_deliveries(void **state) {
    struct world *w = *state;
    struct host *h = host_start(takes_badly);
    size_t n = 0;
    with_callback(w, h->url);
    world_start(w);
    world_accept(w, (struct world_leads){.n = 100});
    world_all_ended(w, 100);
    pass_time_until(w, "SELECT count(*) = 0 FROM delivery WHERE status IN (0, 1, 2)");
    assert_int_equal(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 3"), 60);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 5 AND done_ms IS NOT NULL"), 20);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 4 AND slug = 'target_refused'"), 20);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM delivery WHERE attempt > 3"), 0);
    atomic_store(&h->mode, 1);
    assert_ok(store_redrive(w->store, STR("acme"), (str){0}, (str){0}, 1000, STR("test"), &n));
    assert_int_equal(n, 20);
    engine_nudge(w->engine);
    pass_time_until(w, "SELECT count(*) = 80 FROM delivery WHERE status = 3");
    assert_int_equal(engine_look(w->engine).deliveries, 0);
    world_stop_engine(w);
    host_stop(h);
}

/* Many more than may be in flight go out one after the other, not one handful a poll. */
static bool takes_well(struct host *h, struct http_request *r, const struct served *s) {
    (void)h;
    (void)s;
    host_reply(r, 200, "");
    return true;
}

static void test_deliveries_do_not_wait_for_the_poll(void **state) {
    struct world *w = *state;
    struct host *h = host_start(takes_well);
    with_callback(w, h->url);
    w->c.poll_ms = 20000;
    w->c.callback.max_in_flight = 8;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 400});
    world_wait(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 3") == 400);
    assert_int_equal(atomic_load(&h->posts), 400);
    world_stop_engine(w);
    host_stop(h);
}

static void test_switched_off_deliveries_are_kept(void **state) {
    struct world *w = *state;
    with_callback(w, NULL);
    world_start(w);
    world_accept(w, (struct world_leads){.n = 10});
    world_all_ended(w, 10);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 0 AND attempt = 0"), 10);
}

/* What was kept goes out when there is somebody again. */
static void test_another_target(void **state) {
    struct world *w = *state;
    struct host *h = host_start(takes_well);
    with_callback(w, NULL);
    world_start(w);
    world_accept(w, (struct world_leads){.n = 10});
    world_all_ended(w, 10);
    struct target_settings callback = w->c.callback;
    callback.url = h->url;
    engine_retarget(w->engine, &w->c.lookup, &callback);
    world_wait(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 3") == 10);
    assert_int_equal(atomic_load(&h->posts), 10);
    world_stop_engine(w);
    host_stop(h);
}

static void test_a_target_that_nobody_knows(void **state) {
    struct world *w = *state;
    struct host *h = host_start(takes_well);
    with_callback(w, h->url);
    w->terms.target[0] = STR("crm");
    world_start(w);
    world_accept(w, (struct world_leads){.n = 5});
    world_wait(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 4 AND slug = 'target_unknown'") == 5);
    assert_int_equal(atomic_load(&h->posts), 0);
    world_stop_engine(w);
    host_stop(h);
}

/* A process that only accepts sends nothing. */
static void test_without_workers_nothing_is_sent(void **state) {
    struct world *w = *state;
    struct host *h = host_start(takes_well);
    with_callback(w, h->url);
    w->c.hold_deliveries = true;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 5});
    world_all_ended(w, 5);
    world_stop_engine(w);
    world_open_store(w);
    w->c.hold_deliveries = false;
    w->c.workers = 0;
    world_start(w);
    poll(NULL, 0, 300);
    assert_int_equal(atomic_load(&h->posts), 0);
    world_stop_engine(w);
    host_stop(h);
}

/* ---- ambiguous deliveries ---- */

/* Reads a request and breaks the connection off: who sent it cannot know what became of it. */
struct breaker_off {
    int fd, port;
    pthread_t thread;
    _Atomic unsigned posts;
    _Atomic bool well; /* from now on it answers */
};

static void break_off(struct breaker_off *b, int fd) {
    char text[65536];
    size_t n = 0, want = 0;
    while (n < sizeof text - 1) {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        text[n] = 0;
        const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        want = end && length ? (size_t)(end - text) + 4 + strtoul(length + 16, NULL, 10) : 0;
        if (want > 0 && n >= want)
            break;
    }
    atomic_fetch_add(&b->posts, want > 0 && n >= want);
    if (atomic_load(&b->well)) {
        static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        (void)!send(fd, ok, sizeof ok - 1, MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
    } else {
        const struct linger reset = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    close(fd);
}

static void *break_all_off(void *ctx) {
    struct breaker_off *b = ctx;
    for (int fd; (fd = accept(b->fd, NULL, NULL)) >= 0;)
        break_off(b, fd);
    return NULL;
}

static void breaker_off_start(struct breaker_off *b) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    b->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(b->fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(b->fd, 64), 0);
    assert_int_equal(getsockname(b->fd, (struct sockaddr *)&at, &len), 0);
    b->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&b->thread, NULL, break_all_off, b), 0);
}

static void breaker_off_stop(struct breaker_off *b) {
    shutdown(b->fd, SHUT_RDWR);
    pthread_join(b->thread, NULL);
    close(b->fd);
}

/* mode 0: throttled; 1: it arrived; 2: it did not. */
static bool tells_status(struct host *h, struct http_request *r, const struct served *s) {
    assert_true(str_equal(s->method, STR("GET")));
    int mode = atomic_load(&h->mode);
    host_reply(r, mode == 0 ? 429 : mode == 1 ? 200 : 404, "{}");
    return true;
}

static void ambiguous(struct world *w, bool with_status, int mode, unsigned posts) {
    static struct breaker_off b;
    b = (struct breaker_off){0};
    breaker_off_start(&b);
    struct host *h = host_start(tells_status);
    with_callback(w, str_format(w->a, "http://127.0.0.1:%d/in", b.port).ptr);
    w->c.callback.status_url = with_status ? h->status_url : NULL;
    w->c.retry.limit_ms = 10;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 3});
    world_wait(atomic_load(&b.posts) >= 3);
    atomic_store(&b.well, true);
    if (with_status) {
        /* while its status cannot be had, nothing is sent */
        world_wait(atomic_load(&h->gets) > 10);
        assert_int_equal(atomic_load(&b.posts), 3);
        atomic_store(&h->mode, mode);
    }
    world_wait(world_sql(w, "SELECT count(*) FROM delivery WHERE status = 3") == 3);
    if (with_status)
        assert_int_equal(atomic_load(&b.posts), posts);
    world_stop_engine(w);
    host_stop(h);
    breaker_off_stop(&b);
}

static void test_ambiguous_that_arrived(void **state) { ambiguous(*state, true, 1, 3); }
static void test_ambiguous_that_did_not_arrive(void **state) { ambiguous(*state, true, 2, 6); }
static void test_ambiguous_without_status(void **state) { ambiguous(*state, false, 0, 0); }

/* ---- the store fails while answers come ---- */

static void test_answers_survive_a_store_that_fails(void **state) {
    struct world *w = *state;
    struct host *h = host_start(answers_on_command);
    with_lookup(w, h);
    w->c.lookup.max_in_flight = 64;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 50});
    world_wait(atomic_load(&h->held) == 50);
    sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    atomic_store(&h->mode, 1);
    for (unsigned i = 0; i < 50; i++)
        host_reply(h->hold[i], 200, answer_text);
    atomic_store(&h->held, 0);
    world_wait(metric_get(w->engine->m.resubmitted) >= 50);
    sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    world_all_ended(w, 50);
    assert_int_equal(world_sql(w, "SELECT sum(price_micro) FROM ask"), 50 * 1500);
    assert_int_equal(atomic_load(&h->posts), 50); /* nothing was bought twice */
    world_stop_engine(w);
    host_stop(h);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_answers_are_journalled_once),
        WORLD_TEST(test_waiting_is_not_counted),
        WORLD_TEST(test_parked_runs_hold_nothing),
        WORLD_TEST(test_deadline_of_a_lead),
        WORLD_TEST(test_no_one_to_ask_any_more),
        WORLD_TEST(test_nobody_asks_for_a_run_that_ended),
        WORLD_TEST(test_cancel_reaches_a_parked_run),
        WORLD_TEST(test_answer_about_the_erased),
        WORLD_TEST(test_breaker_opens_and_closes),
        WORLD_TEST(test_deliveries),
        WORLD_TEST(test_deliveries_do_not_wait_for_the_poll),
        WORLD_TEST(test_switched_off_deliveries_are_kept),
        WORLD_TEST(test_another_target),
        WORLD_TEST(test_a_target_that_nobody_knows),
        WORLD_TEST(test_without_workers_nothing_is_sent),
        WORLD_TEST(test_ambiguous_that_arrived),
        WORLD_TEST(test_ambiguous_that_did_not_arrive),
        WORLD_TEST(test_ambiguous_without_status),
        WORLD_TEST(test_answers_survive_a_store_that_fails),
    };
    if (getenv("ONLY")) /* one test */
        cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
