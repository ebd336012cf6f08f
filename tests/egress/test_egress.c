/* test_egress.c — calls through the door: what answers mean, what is shared, what is refused, and how calls end. */
#include "egress_support.h"

static void answers_have_classes(void **state) {
    struct door *d = door_open(state, NULL);
    static const struct {
        const char *path;
        enum egress_class class;
        const char *slug;
    } cases[] = {{"/ok", EGRESS_OK, ""},
                 {"/status/204", EGRESS_EMPTY, "egress_empty"},
                 {"/status/404", EGRESS_EMPTY, "egress_empty"},
                 {"/status/400", EGRESS_PERMANENT, "egress_permanent"},
                 {"/status/302", EGRESS_PERMANENT, "egress_permanent"},
                 {"/status/401", EGRESS_AUTH, "egress_auth"},
                 {"/status/500", EGRESS_TRANSIENT, "egress_transient"},
                 {"/reset", EGRESS_UNKNOWN, "http_outcome_unknown"},
                 {"/truncated", EGRESS_TRANSIENT, "http_bad_answer"},
                 {"/garbage", EGRESS_UNKNOWN, "http_bad_answer"},
                 {"/status/402", EGRESS_QUOTA, "egress_quota"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct egress_call c = call_of(d, cases[i].path);
        c.credential = str_from(cases[i].path);
        c.limit_ms = 5000;
        struct kept *k = ask(d, c);
        expect(k, cases[i].class, cases[i].slug);
        bool passing = cases[i].class == EGRESS_TRANSIENT || cases[i].class == EGRESS_UNKNOWN;
        assert_int_equal(k->attempt, passing ? 3 : 1);
    }
    door_close(d);
}

static void what_cannot_be_called_is_refused(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_call c = call_of(d, "/ok");
    struct kept *k;
    c.source = STR("nobody");
    expect(ask(d, c), EGRESS_REFUSED, "egress_no_source");
    c = call_of(d, "/ok");
    c.url = STR("ftp://127.0.0.1/");
    expect(ask(d, c), EGRESS_REFUSED, "http_bad_url");
    c.url = STR("http://10.1.2.3/");
    expect(ask(d, c), EGRESS_REFUSED, "http_address_refused");
    struct egress_field bad = {STR("X-A"), STR("a\r\nB: c"), false};
    c = call_of(d, "/ok");
    c.field = &bad;
    c.n_field = 1;
    expect(ask(d, c), EGRESS_REFUSED, "http_bad_field");
    c.done = NULL;
    assert_fails(egress_submit(d->egress, &c, NULL), ERR_INPUT, "egress_call");
    c = call_of(d, "/inside");
    c.max_redirects = 5;
    k = ask(d, c);
    expect(k, EGRESS_REFUSED, "http_address_refused");
    c = call_of(d, "/loop");
    c.max_redirects = 5;
    expect(ask(d, c), EGRESS_PERMANENT, "http_too_many_redirects");
    c = call_of(d, "/huge");
    expect(ask(d, c), EGRESS_PERMANENT, "http_answer_too_large");
    door_close(d);
}

/* ---- consent, region, personal data ---- */

static err leave_out(void *ctx, struct egress_request *r) {
    struct kept *k = ctx;
    (void)k;
    if (r->remove & EGRESS_PERSONAL_EMAIL)
        r->body = str_copy(r->arena, STR("email=removed"));
    r->field[r->n_field++] =
        (struct egress_field){STR("Authorization"), str_format(r->arena, "Bearer %s-%u", "sesame", r->attempt), true};
    return OK;
}

static void personal_data_stays(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_source s = plain_source();
    s.may_see = EGRESS_PERSONAL_NAME;
    s.regions = "eu";
    assert_ok(egress_source_set(d->egress, &s));
    struct egress_call c = call_of(d, "/ok");
    c.method = STR("POST");
    c.body = STR("email=ada@example.com");
    c.personal = EGRESS_PERSONAL_NAME | EGRESS_PERSONAL_EMAIL;
    c.consent = EGRESS_PERSONAL_NAME;
    expect(ask(d, c), EGRESS_REFUSED, "egress_consent");
    c.consent = EGRESS_PERSONAL_ALL;
    expect(ask(d, c), EGRESS_REFUSED, "egress_personal");
    c.region = STR("us");
    c.prepare = leave_out;
    expect(ask(d, c), EGRESS_REFUSED, "egress_region");
    assert_int_equal(d->world->hits, 0);
    c.region = STR("eu");
    expect(ask(d, c), EGRESS_OK, "");
    assert_null(strstr(d->world->seen, "ada@example.com"));
    assert_non_null(strstr(d->world->seen, "email=removed"));
    assert_non_null(strstr(d->world->seen, "Authorization: Bearer sesame-1\r\n"));
    door_close(d);
}

/* ---- cache and single flight ---- */

static struct egress_call cached_call(struct door *d, const char *path, const char *key) {
    struct egress_call c = call_of(d, path);
    c.cache_key = str_from(key);
    c.cache_ms = 60000;
    c.empty_cache_ms = 1000;
    c.call_micro = 10;
    c.hit_micro = 5;
    return c;
}

static void answers_are_shared(void **state) {
    struct door *d = door_open(state, NULL);
    enum { N = 50 };
    struct kept *k[N];
    snprintf(d->world->extra, sizeof d->world->extra, "Link: </ok?2>; rel=next\r\n");
    for (int i = 0; i < N; i++)
        k[i] = submit(d, cached_call(d, "/gate", "one"));
    net_wait(d->world->hits == 1);
    atomic_store(&d->world->gate, true);
    int64_t spent = 0;
    for (int i = 0; i < N; i++) {
        expect(wait_for(k[i]), EGRESS_OK, "");
        assert_str(k[i]->body, "gate");
        assert_int_equal(k[i]->shared, i != 0);
        spent += k[i]->cost.micro;
    }
    assert_int_equal(spent, 15);
    assert_int_equal(d->world->hits, 1);
    struct kept *again = ask(d, cached_call(d, "/gate", "one"));
    assert_true(again->cached && again->cost.micro == 0 && again->attempt == 0);
    assert_str(again->body, "gate");
    expect(ask(d, cached_call(d, "/ok", "two")), EGRESS_OK, "");
    struct kept *linked = ask(d, cached_call(d, "/ok", "two"));
    assert_true(linked->cached);
    assert_str(linked->link, "</ok?2>; rel=next");
    assert_int_equal(linked->status, 200);
    /* Nothing known is known for a shorter time. */
    assert_int_equal(ask(d, cached_call(d, "/none", "three"))->cost.micro, 10);
    struct kept *empty = ask(d, cached_call(d, "/none", "three"));
    expect(empty, EGRESS_EMPTY, "egress_empty");
    assert_true(empty->cached);
    atomic_fetch_add(&push_ms, 1500);
    assert_false(ask(d, cached_call(d, "/none", "three"))->cached);
    /* Failures are not kept. */
    expect(ask(d, cached_call(d, "/status/400", "four")), EGRESS_PERMANENT, "egress_permanent");
    assert_false(ask(d, cached_call(d, "/status/400", "four"))->cached);
    door_close(d);
}

static void a_follower_takes_over(void **state) {
    struct door *d = door_open(state, NULL);
    struct kept *first = submit(d, cached_call(d, "/gate", "k")), *second = submit(d, cached_call(d, "/gate", "k")),
                *third = submit(d, cached_call(d, "/gate", "k"));
    net_wait(d->world->hits == 1);
    egress_cancel(d->egress, third->id);
    expect(wait_for(third), EGRESS_REFUSED, "egress_cancelled");
    egress_cancel(d->egress, first->id);
    expect(wait_for(first), EGRESS_UNKNOWN, "egress_cancelled");
    assert_int_equal(first->cost.micro, 15); /* it may have been bought */
    net_wait(d->world->hits == 2);
    atomic_store(&d->world->gate, true);
    expect(wait_for(second), EGRESS_OK, "");
    assert_false(second->shared);
    egress_cancel(d->egress, second->id);
    egress_cancel(d->egress, UINT64_MAX);
    door_close(d);
}

static void two_doors_make_one_call(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress *other = egress_of(d->cache, NULL);
    struct egress_source s = plain_source();
    assert_ok(egress_source_set(other, &s));
    struct kept *here = submit(d, cached_call(d, "/gate", "k"));
    net_wait(d->world->hits == 1);
    struct kept *there = submit_to(d, other, cached_call(d, "/gate", "k"));
    poll(NULL, 0, 30);
    assert_int_equal(d->world->hits, 1);
    atomic_store(&d->world->gate, true);
    expect(wait_for(here), EGRESS_OK, "");
    expect(wait_for(there), EGRESS_OK, "");
    assert_true(there->cached);
    assert_int_equal(d->world->hits, 1);
    egress_stop(other);
    door_close(d);
}

/* ---- retries ---- */

static void passing_faults_are_tried_again(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_call c = call_of(d, "/flaky");
    c.call_micro = 7;
    atomic_store(&d->world->fail_left, 2);
    struct kept *k = ask(d, c);
    expect(k, EGRESS_OK, "");
    assert_int_equal(k->attempt, 3);
    assert_int_equal(k->cost.micro, 7);
    /* What may have been done is not done again. */
    atomic_store(&d->world->fail_left, 2);
    c.method = STR("POST");
    k = ask(d, c);
    expect(k, EGRESS_TRANSIENT, "egress_transient");
    assert_int_equal(k->attempt, 1);
    c.url = url_of(d, "/reset");
    k = ask(d, c);
    expect(k, EGRESS_UNKNOWN, "http_outcome_unknown");
    assert_int_equal(k->attempt, 1);
    assert_int_equal(k->cost.micro, 7);
    c.idempotent = true;
    k = ask(d, c);
    assert_int_equal(k->attempt, 3);
    assert_int_equal(k->cost.micro, 21);
    door_close(d);
}

static void retries_have_a_budget(void **state) {
    struct door *d = door_open(state, NULL);
    enum { N = 200 };
    struct kept *k[N];
    struct egress_source s = plain_source();
    s.max_attempt = 8;
    assert_ok(egress_source_set(d->egress, &s));
    for (int i = 0; i < N; i++) {
        struct egress_call c = call_of(d, "/status/500");
        c.credential = str_format(d->arena, "c%d", i); /* a breaker for each, so that none opens */
        k[i] = submit(d, c);
    }
    for (int i = 0; i < N; i++)
        expect(wait_for(k[i]), EGRESS_TRANSIENT, "egress_transient");
    assert_in_range(d->world->hits, N + 20, N + 10 + N / 10);
    door_close(d);
}

static void the_answer_can_say_more(void *ctx, const struct egress_response *r, struct egress_verdict *v) {
    (void)ctx;
    if (str_find(r->body, STR("\"error\"")) >= 0)
        v->class = EGRESS_PERMANENT;
    else
        v->cost = (struct budget_amount){3, 40};
}

static void answers_can_be_classified(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_call c = call_of(d, "/error200");
    c.classify = the_answer_can_say_more;
    c.call_micro = 9;
    c.max_token = 100;
    c.tenant = STR("t");
    expect(ask(d, c), EGRESS_PERMANENT, "egress_permanent");
    c.url = url_of(d, "/ok");
    struct kept *k = ask(d, c);
    assert_int_equal(k->cost.micro, 3);
    assert_int_equal(k->cost.token, 40);
    door_close(d);
}

/* ---- deadlines ---- */

static void deadlines_hold(void **state) {
    struct door *d = door_open(state, NULL);
    static const char *const paths[] = {"/stall", "/drip", "/status/500", "/throttle", "/reset"};
    enum { LIMIT_MS = 1000, EACH = 8 };
    struct kept *k[sizeof paths / sizeof *paths * EACH];
    size_t n = 0;
    struct egress_source s = plain_source();
    s.max_attempt = 1000;
    s.base_ms = s.cap_ms = 50;
    assert_ok(egress_source_set(d->egress, &s));
    atomic_store(&d->world->throttle_left, 1000000);
    snprintf(d->world->throttle_after, sizeof d->world->throttle_after, "30");
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++)
        for (int i = 0; i < EACH; i++) {
            struct egress_call c = call_of(d, paths[p]);
            c.credential = str_format(d->arena, "%zu-%d", p, i);
            c.limit_ms = LIMIT_MS;
            k[n++] = submit(d, c);
        }
    for (size_t i = 0; i < n; i++) {
        wait_for(k[i]);
        assert_true(k[i]->class != EGRESS_OK);
        if (k[i]->elapsed_us > LIMIT_MS * 1100)
            fail_msg("%s took %lld us", paths[i / EACH], (long long)k[i]->elapsed_us);
    }
    expect(k[0], EGRESS_UNKNOWN, str_equal(k[0]->slug, STR("egress_unknown")) ? "egress_unknown" : "http_outcome_unknown");
    door_close(d);
}

static void calls_end_when_the_door_closes(void **state) {
    struct door *d = door_open(state, NULL);
    enum { N = 40 };
    struct kept *k[N];
    struct egress_source s = plain_source();
    s.max_in_flight = 10;
    assert_ok(egress_source_set(d->egress, &s));
    for (int i = 0; i < N; i++)
        k[i] = submit(d, i % 2 ? call_of(d, "/stall") : cached_call(d, "/stall", "k"));
    net_wait(d->world->hits >= 10);
    egress_stop(d->egress);
    for (int i = 0; i < N; i++) {
        assert_true(k[i]->done);
        assert_str(k[i]->slug, "egress_stopped");
    }
    cache_close(d->cache);
    world_stop(d->world);
}

static void few_calls(struct egress_settings *s) { s->max_calls = 4; }

static void calls_are_bounded(void **state) {
    struct door *d = door_open(state, few_calls);
    struct kept *k[4];
    for (int i = 0; i < 4; i++)
        k[i] = submit(d, call_of(d, "/gate"));
    struct egress_call c = call_of(d, "/gate");
    c.done = keep_answer;
    assert_fails(egress_submit(d->egress, &c, NULL), ERR_LIMIT, "egress_full");
    atomic_store(&d->world->gate, true);
    for (int i = 0; i < 4; i++)
        expect(wait_for(k[i]), EGRESS_OK, "");
    net_wait(egress_counters(d->egress).open == 0);
    expect(ask(d, call_of(d, "/gate")), EGRESS_OK, "");
    door_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(answers_have_classes),
        ARENA_TEST(what_cannot_be_called_is_refused),
        ARENA_TEST(personal_data_stays),
        ARENA_TEST(answers_are_shared),
        ARENA_TEST(a_follower_takes_over),
        ARENA_TEST(two_doors_make_one_call),
        ARENA_TEST(passing_faults_are_tried_again),
        ARENA_TEST(retries_have_a_budget),
        ARENA_TEST(answers_can_be_classified),
        ARENA_TEST(deadlines_hold),
        ARENA_TEST(calls_end_when_the_door_closes),
        ARENA_TEST(calls_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
