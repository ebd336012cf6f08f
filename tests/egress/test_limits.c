/* test_limits.c — how fast and how often: rate limits that workers share, what the other side says, breakers, rests, money.
 */
#include "egress_support.h"

#include "base/time.h"

/* When calls went out, by the journals of both doors. */
enum { MAX_SENT = 1000 };
struct sent {
    atomic_int n;
    int64_t at_ms[MAX_SENT];
};
static struct sent sent;

static void note_sent(void *ctx, const struct egress_record *r) {
    struct sent *s = ctx;
    int at = atomic_fetch_add(&s->n, 1);
    assert_true(at < MAX_SENT);
    s->at_ms[at] = r->begun_ms;
}

static void with_sent(struct egress_settings *s) {
    s->journal = note_sent;
    s->journal_ctx = &sent;
}

static int by_time(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int most_in_window(struct sent *s, int64_t window_ms) {
    int most = 0, n = s->n;
    qsort(s->at_ms, (size_t)n, sizeof *s->at_ms, by_time);
    for (int i = 0, from = 0; i < n; i++) {
        while (s->at_ms[i] - s->at_ms[from] >= window_ms)
            from++;
        most = i - from + 1 > most ? i - from + 1 : most;
    }
    return most;
}

static void two_doors_share_a_rate(void **state) {
    atomic_store(&sent.n, 0);
    struct door *d = door_open(state, with_sent);
    struct egress *other = egress_of(d->cache, with_sent);
    struct egress_source s = plain_source();
    s.rate[0] = (struct egress_rate){20, 400};
    s.rate[1] = (struct egress_rate){1000, 60000};
    s.n_rate = 2;
    assert_ok(egress_source_set(d->egress, &s));
    assert_ok(egress_source_set(other, &s));
    enum { N = 30 };
    struct kept *k[2 * N];
    int64_t start = net_now_ms();
    for (int i = 0; i < 2 * N; i++)
        k[i] = submit_to(d, i % 2 ? other : d->egress, call_of(d, "/ok"));
    for (int i = 0; i < 2 * N; i++)
        expect(wait_for(k[i]), EGRESS_OK, "");
    int64_t took = net_now_ms() - start;
    assert_true(took >= 800); /* 20 in each 400 ms: sixty need two periods and more */
    /* A thread may be held up between taking its turn and looking at the clock. */
    assert_int_equal(sent.n, 2 * N);
    assert_in_range(most_in_window(&sent, 350), 1, 20);
    egress_stop(other);
    door_close(d);
}

static void a_rate_that_cannot_be_met_is_said_at_once(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_source s = plain_source();
    s.rate[0] = (struct egress_rate){1, 3600000};
    s.n_rate = 1;
    assert_ok(egress_source_set(d->egress, &s));
    expect(ask(d, call_of(d, "/ok")), EGRESS_OK, "");
    struct kept *k = ask(d, call_of(d, "/ok"));
    expect(k, EGRESS_REFUSED, "egress_rate");
    assert_true(k->elapsed_us < 1000000);
    assert_int_equal(d->world->hits, 1);
    door_close(d);
}

/* ---- what the other side says ---- */

static int64_t throttled_ms(struct door *d, const char *after) {
    struct egress_call c = call_of(d, "/throttle");
    atomic_store(&d->world->throttle_left, 1);
    snprintf(d->world->throttle_after, sizeof d->world->throttle_after, "%s", after);
    int64_t start = net_now_ms();
    struct kept *k = ask(d, c);
    expect(k, EGRESS_OK, "");
    assert_int_equal(k->attempt, 2);
    return net_now_ms() - start;
}

static void retry_after_is_kept(void **state) {
    struct door *d = door_open(state, NULL);
    assert_in_range(throttled_ms(d, "1"), 1000, 3000);
    /* A date two seconds ahead, which a whole second's fraction may shorten to one. */
    time_t at = (time_t)(pushed_wall_ms() / 1000) + 2;
    struct tm tm;
    char date[64];
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm));
    assert_in_range(throttled_ms(d, date), 990, 4000);
    /* Later than the deadline: said at once. */
    struct egress_call c = call_of(d, "/throttle");
    atomic_store(&d->world->throttle_left, 1);
    snprintf(d->world->throttle_after, sizeof d->world->throttle_after, "7200");
    struct kept *k = ask(d, c);
    expect(k, EGRESS_THROTTLED, "egress_throttled");
    assert_int_equal(k->after_ms, 7200000);
    /* And the next one does not go out, here and in other workers. */
    struct egress *other = egress_of(d->cache, NULL);
    struct egress_source s = plain_source();
    assert_ok(egress_source_set(other, &s));
    int hits = d->world->hits;
    expect(ask(d, call_of(d, "/ok")), EGRESS_REFUSED, "egress_rate");
    expect(wait_for(submit_to(d, other, call_of(d, "/ok"))), EGRESS_REFUSED, "egress_rate");
    struct egress_call free_of_it = call_of(d, "/ok");
    free_of_it.credential = STR("another");
    expect(ask(d, free_of_it), EGRESS_OK, "");
    assert_int_equal(d->world->hits, hits + 1);
    egress_stop(other);
    door_close(d);
}

static void what_is_left_is_learned(void **state) {
    struct door *d = door_open(state, NULL);
    snprintf(d->world->extra, sizeof d->world->extra, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1\r\n");
    expect(ask(d, call_of(d, "/ok")), EGRESS_OK, "");
    struct egress_view *v;
    size_t n;
    egress_views(d->egress, d->arena, &v, &n);
    assert_int_equal(n, 2);
    assert_int_equal(v[1].learned_left, 0);
    int64_t start = net_now_ms();
    d->world->extra[0] = '\0';
    expect(ask(d, call_of(d, "/ok")), EGRESS_OK, "");
    assert_in_range(net_now_ms() - start, 900, 3000);
    /* Three are left: of ten at once no more go out than that before an answer says more. */
    snprintf(d->world->extra, sizeof d->world->extra, "RateLimit: \"default\";r=3;t=600\r\n");
    expect(ask(d, call_of(d, "/ok")), EGRESS_OK, "");
    int hits = d->world->hits;
    struct kept *k[10];
    for (int i = 0; i < 10; i++)
        k[i] = submit(d, call_of(d, "/gate"));
    net_wait(d->world->hits == hits + 3);
    poll(NULL, 0, 30);
    assert_int_equal(d->world->hits, hits + 3);
    atomic_store(&d->world->gate, true);
    for (int i = 0; i < 10; i++)
        wait_for(k[i]);
    door_close(d);
}

/* ---- breaker ---- */

static struct egress_view view_of(struct door *d, const char *credential) {
    struct egress_view *v;
    size_t n;
    egress_views(d->egress, d->arena, &v, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].credential, credential) == 0)
            return v[i];
    fail_msg("no view of \"%s\"", credential);
    return (struct egress_view){0};
}

static void the_breaker_lives(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_source s = plain_source();
    s.max_attempt = 1;
    assert_ok(egress_source_set(d->egress, &s));
    struct egress_call bad = call_of(d, "/status/500"), good = call_of(d, "/ok");
    for (int i = 0; i < BREAKER_LEAST; i++)
        expect(ask(d, bad), EGRESS_TRANSIENT, "egress_transient");
    assert_int_equal(view_of(d, "").breaker, BREAKER_OPEN);
    assert_int_equal(view_of(d, "").health, EGRESS_DOWN);
    assert_true(view_of(d, "").rest_ms > BREAKER_OPEN_MS / 2 - 1000);
    for (int i = 0; i < 50; i++)
        expect(ask(d, good), EGRESS_REFUSED, "egress_breaker");
    assert_int_equal(d->world->hits, BREAKER_LEAST);
    /* Half open: one trial fails and it opens for longer. */
    atomic_fetch_add(&push_ms, BREAKER_OPEN_MS + 1);
    expect(ask(d, bad), EGRESS_TRANSIENT, "egress_transient");
    expect(ask(d, good), EGRESS_REFUSED, "egress_breaker");
    assert_int_equal(d->world->hits, BREAKER_LEAST + 1);
    /* While a trial is under way nobody else goes; a credential of its own is not concerned. */
    atomic_fetch_add(&push_ms, 2 * BREAKER_OPEN_MS + 1);
    struct kept *trial = submit(d, call_of(d, "/gate"));
    net_wait(d->world->hits == BREAKER_LEAST + 2);
    expect(ask(d, good), EGRESS_REFUSED, "egress_breaker");
    good.credential = STR("other");
    expect(ask(d, good), EGRESS_OK, "");
    atomic_store(&d->world->gate, true);
    expect(wait_for(trial), EGRESS_OK, "");
    good.credential = STR("");
    for (int i = 0; i <= BREAKER_TRIALS; i++)
        expect(ask(d, good), EGRESS_OK, "");
    assert_int_equal(view_of(d, "").breaker, BREAKER_CLOSED);
    door_close(d);
}

static void stalls_open_the_breaker(void **state) {
    struct door *d = door_open(state, NULL);
    struct kept *k[BREAKER_LEAST];
    struct egress_call c = call_of(d, "/stall");
    c.limit_ms = 150;
    for (int i = 0; i < BREAKER_LEAST; i++)
        k[i] = submit(d, c);
    for (int i = 0; i < BREAKER_LEAST; i++)
        assert_int_equal(wait_for(k[i])->class, EGRESS_UNKNOWN);
    net_wait(view_of(d, "").breaker == BREAKER_OPEN);
    door_close(d);
}

static void credentials_rest(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_call refused = call_of(d, "/status/401"), good = call_of(d, "/ok");
    refused.credential = good.credential = STR("token");
    expect(ask(d, refused), EGRESS_AUTH, "egress_auth");
    expect(ask(d, good), EGRESS_OK, ""); /* it was renewed */
    for (int i = 0; i < 3; i++)
        expect(ask(d, refused), EGRESS_AUTH, "egress_auth");
    struct kept *k = ask(d, good);
    expect(k, EGRESS_REFUSED, "egress_resting_auth");
    assert_int_equal(k->rc, ERR_DENIED);
    assert_int_equal(view_of(d, "token").health, EGRESS_DOWN);
    atomic_fetch_add(&push_ms, 61000);
    expect(ask(d, good), EGRESS_OK, "");
    struct egress_call quota = call_of(d, "/status/402");
    quota.credential = STR("paid");
    expect(ask(d, quota), EGRESS_QUOTA, "egress_quota");
    quota.url = url_of(d, "/ok");
    k = ask(d, quota);
    expect(k, EGRESS_REFUSED, "egress_resting_quota");
    assert_int_equal(k->rc, ERR_LIMIT);
    atomic_fetch_add(&push_ms, 900001);
    expect(ask(d, quota), EGRESS_OK, "");
    door_close(d);
}

/* ---- money ---- */

struct buying {
    struct door *d;
    struct egress *egress;
    struct kept *kept[100];
};

static void *buy(void *ctx) {
    struct buying *b = ctx;
    for (size_t i = 0; i < 100; i++) {
        struct egress_call c = call_of(b->d, i % 3 ? "/ok" : "/none");
        c.tenant = STR("acme");
        c.lead = str_format(b->d->arena, "lead-%zu", i % 10);
        c.call_micro = 100;
        c.hit_micro = 900;
        c.tenant_day = (struct budget_amount){20000, 0};
        c.lead_most = (struct budget_amount){6000, 0};
        b->kept[i] = submit_to(b->d, b->egress, c);
    }
    return NULL;
}

static struct budget *shared_budget;
static void with_budget(struct egress_settings *s) { s->budget = shared_budget; }

/* Two doors with one book, many calls: the limit is never passed, and the books agree to the cent. */
static void budgets_are_hard(void **state) {
    assert_ok(budget_new(&(struct budget_settings){0}, &shared_budget));
    struct door *d = door_open(state, with_budget);
    struct egress *other = egress_of(d->cache, with_budget);
    struct egress_source s = plain_source();
    assert_ok(egress_source_set(other, &s));
    struct buying b[2] = {{.d = d, .egress = d->egress}, {.d = d, .egress = other}};
    for (int t = 0; t < 2; t++)
        buy(&b[t]);
    int64_t spent = 0, lead[10] = {0};
    int refused = 0;
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < 100; i++) {
            struct kept *k = wait_for(b[t].kept[i]);
            spent += k->cost.micro;
            lead[i % 10] += k->cost.micro;
            refused += k->class == EGRESS_REFUSED;
            if (k->class == EGRESS_REFUSED)
                assert_true(str_starts(k->slug, STR("egress_budget_")));
        }
    int64_t day = pushed_wall_ms() / TIME_DAY_MS;
    struct budget_state book = budget_look(shared_budget, BUDGET_TENANT, STR("acme"), day);
    assert_int_equal(book.spent.micro, spent);
    assert_int_equal(book.reserved.micro, 0);
    assert_true(spent <= 20000 && spent > 8000 && refused > 0);
    for (int i = 0; i < 10; i++)
        assert_true(lead[i] <= 6000);
    int64_t seen = 0;
    struct egress_view *v;
    size_t n;
    egress_views(d->egress, d->arena, &v, &n);
    seen += v[0].spent.micro;
    assert_int_equal(v[0].spent_day.micro, spent);
    egress_views(other, d->arena, &v, &n);
    seen += v[0].spent.micro;
    assert_int_equal(seen, spent);
    egress_stop(other);
    door_close(d);
    budget_free(shared_budget);
}

static void a_source_without_budget_sells_nothing(void **state) {
    struct door *d = door_open(state, NULL);
    struct egress_source s = plain_source();
    s.day = (struct budget_amount){0, 0};
    assert_ok(egress_source_set(d->egress, &s));
    struct egress_call c = call_of(d, "/ok");
    expect(ask(d, c), EGRESS_OK, ""); /* free */
    c.call_micro = 1;
    expect(ask(d, c), EGRESS_REFUSED, "egress_budget_source");
    c.call_micro = 0;
    c.max_token = 1;
    expect(ask(d, c), EGRESS_REFUSED, "egress_budget_source");
    s.name = "";
    assert_fails(egress_source_set(d->egress, &s), ERR_INPUT, "egress_source");
    s = plain_source();
    s.rate[0] = (struct egress_rate){0, 1000};
    s.n_rate = 1;
    assert_fails(egress_source_set(d->egress, &s), ERR_INPUT, "egress_source");
    door_close(d);
}

/* ---- journal and log ---- */

struct journal {
    atomic_int n, last, cached, attempts;
    atomic_int_least64_t micro, uncertain;
};
static struct journal journal;

static void note(void *ctx, const struct egress_record *r) {
    struct journal *j = ctx;
    atomic_fetch_add(&j->n, 1);
    atomic_fetch_add(&j->last, r->last);
    atomic_fetch_add(&j->cached, r->cached);
    atomic_fetch_add(&j->attempts, r->attempt > 0);
    atomic_fetch_add(&j->micro, r->cost.micro);
    atomic_fetch_add(&j->uncertain, r->uncertain ? r->cost.micro : 0);
}

static void with_journal(struct egress_settings *s) {
    s->journal = note;
    s->journal_ctx = &journal;
    s->log_call = 8;
}

static void all_is_written_down(void **state) {
    journal = (struct journal){0};
    struct door *d = door_open(state, with_journal);
    const struct egress_field field[] = {{STR("Authorization"), STR("Bearer sesame"), true},
                                         {STR("X-Note"), STR("ada@example.com"), false},
                                         {STR("Accept"), STR("application/json"), false}};
    egress_log_start(d->egress, STR("source"));
    struct egress_call c = call_of(d, "/ok/ada@example.com/x?key=sesame&email=ada%40example.com&bare");
    c.field = field;
    c.n_field = 3;
    c.call_micro = 10;
    c.cache_key = STR("k");
    c.cache_ms = 1000;
    ask(d, c);
    ask(d, c); /* from the cache */
    c.url = url_of(d, "/reset?token=sesame");
    c.cache_key = STR("");
    ask(d, c); /* three attempts, each of which may have been bought */
    c.url = STR("http://10.0.0.1/");
    ask(d, c);
    assert_int_equal(journal.n, 6);
    assert_int_equal(journal.last, 4);
    assert_int_equal(journal.cached, 1);
    assert_int_equal(journal.attempts, 4);
    assert_int_equal(journal.micro, 40);
    assert_int_equal(journal.uncertain, 30);
    str *lines;
    size_t n;
    egress_log_read(d->egress, d->arena, &lines, &n);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(str_find(lines[i], STR("sesame")), -1);
        assert_int_equal(str_find(lines[i], STR("ada")), -1);
    }
    assert_true(str_find(lines[0], STR("/ok/***/x?key=***&email=***&*** ok ")) > 0);
    assert_true(str_find(lines[0], STR("Authorization:***,X-Note:***,Accept:application/json")) > 0);
    egress_log_stop(d->egress);
    c = call_of(d, "/ok");
    for (int i = 0; i < 20; i++)
        ask(d, c);
    egress_log_read(d->egress, d->arena, &lines, &n);
    assert_int_equal(n, 4);
    egress_log_start(d->egress, STR(""));
    for (int i = 0; i < 20; i++)
        ask(d, c);
    egress_log_read(d->egress, d->arena, &lines, &n);
    assert_int_equal(n, 8);
    door_close(d);
}

static void figures_add_up(void **state) {
    struct door *d = door_open(state, NULL);
    for (int i = 0; i < 6; i++)
        ask(d, call_of(d, i % 3 ? "/ok" : "/none"));
    struct egress_view v = view_of(d, "");
    assert_int_equal(v.calls, 6);
    assert_int_equal(v.by_class[EGRESS_OK], 4);
    assert_int_equal(v.by_class[EGRESS_EMPTY], 2);
    assert_close(v.hit_rate, 4.0 / 6, 1e-12);
    assert_close(v.cache_rate, 0, 1e-12);
    assert_int_equal(v.attempts, 6);
    assert_int_equal(v.in_flight + v.waiting, 0);
    assert_true(v.p50_us > 0 && v.p50_us <= v.p95_us && v.p95_us <= v.p99_us);
    assert_int_equal(v.health, EGRESS_HEALTHY);
    struct egress_counters c = egress_counters(d->egress);
    assert_int_equal(c.submitted, 6);
    assert_int_equal(c.done, 6);
    door_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(two_doors_share_a_rate),
        ARENA_TEST(a_rate_that_cannot_be_met_is_said_at_once),
        ARENA_TEST(retry_after_is_kept),
        ARENA_TEST(what_is_left_is_learned),
        ARENA_TEST(the_breaker_lives),
        ARENA_TEST(stalls_open_the_breaker),
        ARENA_TEST(credentials_rest),
        ARENA_TEST(budgets_are_hard),
        ARENA_TEST(a_source_without_budget_sells_nothing),
        ARENA_TEST(all_is_written_down),
        ARENA_TEST(figures_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
