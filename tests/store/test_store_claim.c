/* test_store_claim.c — who gets which run: order, fairness, lost leases, suspects, parking, retries, the dead. */
#include "store_fixture.h"

static const struct claim_options ten = {.most = 10};

static struct accept *accept_many(struct store_fixture *f, str tenant, size_t n, bool lease) {
    struct new_lead *in = ARENA_ARRAY(f->a, n, struct new_lead);
    struct accept *c = NULL;
    for (size_t i = 0; i < n; i++) {
        in[i] = lead_of(str_format(f->a, "m-%zu", i), str_format(f->a, "{\"n\":%zu}", i));
        in[i].lease = lease;
    }
    assert_ok(accept_leads(f, (struct accept_options){.tenant = tenant}, in, n, &c));
    return c;
}

static bool retry(struct store_fixture *f, const struct claimed *r, int64_t delay_ms, bool counted) {
    return give_back(
        f, (struct giveback){
               .lease = lease_of(r), .delay_ms = delay_ms, .counted = counted, .slug = "http_status", .reason = STR("503")});
}

/* ---- order ---- */

static void test_due_first(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in[3] = {lead_of(STR("a"), STR("{\"n\":1}")), lead_of(STR("b"), STR("{\"n\":2}")),
                             lead_of(STR("c"), STR("{\"n\":3}"))};
    in[0].priority = RUN_BULK;
    in[2].priority = RUN_INTERACTIVE;
    struct accept *c = NULL;
    assert_ok(accept_leads(f, (struct accept_options){0}, in, 3, &c));
    const struct claim *k = claim_runs(f, ten);
    assert_int_equal(k->n, 3);
    assert_str(k->run[0].body, "{\"n\":3}");
    assert_str(k->run[1].body, "{\"n\":2}");
    assert_str(k->run[2].body, "{\"n\":1}");
}

/* A bulk run that has waited longer than its class must is due before an interactive one that has just come. */
static void test_bulk_ages(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead old = lead_of(STR("a"), STR("{\"n\":1}")), young = lead_of(STR("b"), STR("{\"n\":2}"));
    old.priority = RUN_BULK;
    young.priority = RUN_INTERACTIVE;
    (void)accept_one(f, old);
    atomic_fetch_add(&fixture_ms, run_priority_delay_ms(RUN_BULK) + 1);
    (void)accept_one(f, young);
    const struct claim *k = claim_runs(f, (struct claim_options){.most = 1});
    assert_str(k->run[0].body, "{\"n\":1}");
}

static void test_delayed_start(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("a"), STR("{\"n\":1}"));
    in.run_ms = fixture_wall_ms() + 5000;
    (void)accept_one(f, in);
    assert_int_equal(claim_runs(f, ten)->n, 0);
    atomic_fetch_add(&fixture_ms, 5000);
    assert_int_equal(claim_runs(f, ten)->n, 1);
}

static void test_nobody_gets_a_run_twice(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 30, false);
    assert_int_equal(claim_runs(f, (struct claim_options){.most = 20})->n, 20);
    assert_int_equal(claim_runs(f, (struct claim_options){.most = 20})->n, 10);
    assert_int_equal(claim_runs(f, (struct claim_options){.most = 20})->n, 0);
}

/* ---- fairness ---- */

static size_t count_of(const struct claim *c, str tenant) {
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += str_equal(c->run[i].tenant, tenant);
    return n;
}

static void test_a_flood_does_not_drown_others(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 2000, false);
    for (int i = 0; i < 100; i++) {
        const str tenant = str_format(f->a, "t%03d", i);
        assert_ok(store_tenant_ensure(f->store, tenant));
        (void)accept_many(f, tenant, 2, false);
    }
    const struct claim *first = claim_runs(f, (struct claim_options){.most = 202});
    assert_int_equal(first->n, 202);
    for (int i = 0; i < 100; i++)
        assert_int_equal(count_of(first, str_format(f->a, "t%03d", i)), 2);
    assert_int_equal(count_of(first, STR("acme")), 2);
}

static void test_small_claims_take_turns(void **state) {
    struct store_fixture *f = fixture(state);
    size_t got[3] = {0};
    const str tenants[3] = {STR("acme"), STR("beta"), STR("gamma")};
    for (int i = 0; i < 3; i++) {
        assert_ok(store_tenant_ensure(f->store, tenants[i]));
        (void)accept_many(f, tenants[i], 20, false);
    }
    for (int k = 0; k < 30; k++) {
        const struct claim *c = claim_runs(f, (struct claim_options){.most = 1});
        for (int i = 0; i < 3; i++)
            got[i] += count_of(c, tenants[i]);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(got[i], 10);
}

static void test_weights_and_caps(void **state) {
    struct store_fixture *f = fixture(state);
    const str tenants[3] = {STR("acme"), STR("beta"), STR("gamma")};
    for (int i = 0; i < 3; i++) {
        assert_ok(store_tenant_ensure(f->store, tenants[i]));
        (void)accept_many(f, tenants[i], 100, false);
    }
    assert_ok(store_tenant_set(f->store, STR("beta"), 3, 0, 0));
    assert_ok(store_tenant_set(f->store, STR("gamma"), 1, 0, 5));
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 45});
    assert_int_equal(c->n, 45);
    assert_int_equal(count_of(c, STR("gamma")), 5);
    assert_int_equal(count_of(c, STR("acme")), 10);
    assert_int_equal(count_of(c, STR("beta")), 30);
    assert_int_equal(count_of(claim_runs(f, (struct claim_options){.most = 45}), STR("gamma")), 0);
    const struct claim *capped = claim_runs(f, (struct claim_options){.most = 45, .tenant_most = 7});
    assert_int_equal(count_of(capped, STR("acme")), 7);
}

/* ---- lost leases ---- */

static void test_a_silent_worker_loses_its_runs(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accept *born = accept_many(f, STR("acme"), 1, true);
    struct new_lead in = lead_of(STR("z"), STR("{\"z\":1}"));
    (void)accept_one(f, in);
    const struct claim *c = claim_runs(f, ten);
    assert_int_equal(c->n, 1);
    crash_and_reopen(f);
    const struct claim *others = claim_runs(f, ten);
    assert_int_equal(others->n_recovered, 2);
    assert_int_equal(others->n, 0); /* suspects */
    const struct claim *suspect = claim_runs(f, (struct claim_options){.most = 10, .suspects = true});
    assert_int_equal(suspect->n, 2);
    assert_true(suspect->run[0].suspect);
    assert_int_equal(suspect->run[0].crash, 1);
    assert_int_equal(suspect->run[0].fence, 2);
    assert_int_equal(suspect->run[0].attempt, 2);
    const struct run *run = scored_run(f, LEAD_INGESTED, TIER_HOT, 0);
    assert_true(finish_is_stale(f, lease_born(&born->lead[0]), run));
    assert_true(finish_is_stale(f, lease_of(&c->run[0]), run));
    assert_true(retry(f, &c->run[0], 0, true));
    assert_false(finish_is_stale(f, lease_of(&suspect->run[0]), run));
    assert_int_equal(lost_count(f), 0);
}

static void test_closing_gives_leases_back(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 3, true);
    store_close(f->store);
    f->store = fixture_open(f);
    const struct claim *c = claim_runs(f, ten);
    assert_int_equal(c->n, 3);
    assert_int_equal(c->n_recovered, 0);
    assert_false(c->run[0].suspect);
    assert_int_equal(c->run[0].attempt, 1);
    assert_int_equal(c->run[0].fence, 2);
}

static void test_poison_dies_and_neighbours_live(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accept *c = accept_many(f, STR("acme"), 3, true);
    const str poison = {c->lead[1].id, RUN_ID_BYTE};
    size_t finished = 0, buried = 0, crashes = 1;
    crash_and_reopen(f);
    for (int i = 0; i < 20; i++) {
        const struct claim *k = claim_runs(f, (struct claim_options){.most = 10, .suspects = true});
        buried += k->n_buried;
        if (k->n == 0)
            break;
        bool fatal = false;
        for (size_t j = 0; j < k->n; j++)
            fatal = fatal || str_equal(k->run[j].lead, poison);
        if (fatal) {
            assert_int_equal(k->n, crashes < 3 ? 3 : 1); /* alone before it is given up */
            crashes++;
            crash_and_reopen(f);
            continue;
        }
        for (size_t j = 0; j < k->n; j++)
            assert_false(finish_is_stale(f, lease_of(&k->run[j]), scored_run(f, LEAD_INGESTED, TIER_HOT, 0)));
        finished += k->n;
    }
    assert_int_equal(crashes, 4);
    assert_int_equal(finished, 2);
    assert_int_equal(buried, 1);
    const struct lead_view v = look_at(f, poison);
    assert_int_equal(v.run_status, RUN_DEAD);
    assert_str(v.slug, "worker_crash");
    assert_int_equal(lost_count(f), 0);
}

/* Two processes on one database, threads that claim at the same time: no run is given out twice. */
struct claimer {
    struct store_fixture *f;
    struct store *store;
    struct arena *a;
    struct claim *claims[200];
    size_t n;
};

static void *claim_until_empty(void *ctx) {
    struct claimer *k = ctx;
    for (int empty = 0; empty < 5 && k->n < 200;) {
        struct ticketed_claim *t = ARENA_NEW(k->a, struct ticketed_claim);
        t->c = (struct claim){.most = 7, .max_crash = 3, .arena = k->a};
        t->c.write.done = claim_punch;
        ticket_init(&t->ticket);
        if (store_claim(k->store, &t->c) != OK || ticket_wait(&t->ticket) != OK)
            break;
        k->claims[k->n++] = &t->c;
        empty = t->c.n == 0 ? empty + 1 : 0;
    }
    return NULL;
}

static int by_id(const void *a, const void *b) { return str_compare(*(const str *)a, *(const str *)b); }

static void test_two_stores_share_without_overlap(void **state) {
    struct store_fixture *f = fixture(state);
    enum { RUNS = 600, CLAIMERS = 4 };
    (void)accept_many(f, STR("acme"), RUNS, false);
    struct store *other = fixture_open(f);
    struct claimer k[CLAIMERS];
    pthread_t id[CLAIMERS];
    for (int i = 0; i < CLAIMERS; i++) {
        k[i] = (struct claimer){.f = f, .store = i % 2 ? other : f->store, .a = arena_new((size_t)64 << 20)};
        assert_int_equal(pthread_create(&id[i], NULL, claim_until_empty, &k[i]), 0);
    }
    str *all = ARENA_ARRAY(f->a, 2 * RUNS, str);
    size_t n = 0;
    for (int i = 0; i < CLAIMERS; i++) {
        pthread_join(id[i], NULL);
        for (size_t c = 0; c < k[i].n; c++)
            for (size_t r = 0; r < k[i].claims[c]->n; r++)
                all[n++] = k[i].claims[c]->run[r].lead;
    }
    assert_int_equal(n, RUNS);
    qsort(all, n, sizeof *all, by_id);
    for (size_t i = 1; i < n; i++)
        assert_true(str_compare(all[i - 1], all[i]) < 0);
    for (int i = 0; i < CLAIMERS; i++)
        arena_free(k[i].a);
    store_close(other);
}

/* ---- parking ---- */

static bool park_with(struct store_fixture *f, const struct claimed *r, const char *const *names, size_t n,
                      int64_t until_ms) {
    struct ticketed_park *t = ARENA_NEW(f->a, struct ticketed_park);
    struct run_ask *ask = ARENA_ARRAY(f->a, n, struct run_ask);
    for (size_t i = 0; i < n; i++)
        ask[i] = (struct run_ask){.name = str_from(names[i]), .request = STR("{\"ask\":\"private\"}")};
    t->c = (struct park){
        .lease = lease_of(r), .stage = 2, .wait_ms = 7200000, .until_ms = until_ms, .ask = ask, .n_ask = n, .arena = f->a};
    assert_ok(SUBMIT(park, t, store_park(f->store, f->sealer, &t->c)));
    return t->c.stale;
}

static struct ask_claim *claim_asks(struct store_fixture *f) {
    struct ticketed_ask_claim *t = ARENA_NEW(f->a, struct ticketed_ask_claim);
    t->c = (struct ask_claim){.most = 10, .arena = f->a};
    assert_ok(SUBMIT(ask_claim, t, store_ask_claim(f->store, &t->c)));
    return &t->c;
}

static struct ask_answer *answer_ask(struct store_fixture *f, const struct open_ask *ask, err rc, str answer) {
    struct ticketed_ask_answer *t = ARENA_NEW(f->a, struct ticketed_ask_answer);
    t->c = (struct ask_answer){.tenant = ask->tenant,
                               .lead = ask->lead,
                               .name = ask->name,
                               .gen = ask->gen,
                               .rc = rc,
                               .answer = answer,
                               .key = ask->key,
                               .price_micro = 250,
                               .slug = rc == OK ? NULL : "no_answer",
                               .arena = f->a};
    assert_ok(SUBMIT(ask_answer, t, store_ask_answer(f->store, f->sealer, &t->c)));
    return &t->c;
}

static void test_parked_until_all_is_answered(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accept *c = accept_many(f, STR("acme"), 1, false);
    const struct claim *k = claim_runs(f, ten);
    static const char *const names[] = {"registry", "site"};
    assert_false(park_with(f, &k->run[0], names, 2, fixture_now(f) + 3600000));
    assert_true(park_with(f, &k->run[0], names, 2, fixture_now(f) + 3600000));
    assert_int_equal(claim_runs(f, ten)->n, 0);
    const struct ask_claim *asks = claim_asks(f);
    assert_int_equal(asks->n, 2);
    assert_str(asks->ask[0].request, "{\"ask\":\"private\"}");
    assert_int_equal(claim_asks(f)->n, 0);
    assert_false(answer_ask(f, &asks->ask[0], OK, STR("{\"employees\":7}"))->ready);
    assert_true(answer_ask(f, &asks->ask[0], OK, STR("{\"employees\":8}"))->stale);
    assert_int_equal(claim_runs(f, ten)->n, 0);
    assert_true(answer_ask(f, &asks->ask[1], ERR_REMOTE, (str){0})->ready);
    const struct claim *again = claim_runs(f, ten);
    assert_int_equal(again->n, 1);
    const struct claimed *r = &again->run[0];
    assert_int_equal(r->n_ask, 2);
    assert_int_equal(r->stage, 2);
    assert_int_equal(r->fence, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(r->ask[i].answered);
        if (str_equal(r->ask[i].name, asks->ask[0].name)) {
            assert_int_equal(r->ask[i].rc, OK);
            assert_int_equal(json_get(r->ask[i].answer, STR("employees"))->integer, 7);
            assert_int_equal(r->ask[i].price_micro, 250);
        } else {
            assert_int_not_equal(r->ask[i].rc, OK);
        }
    }
    struct ask_view *v;
    size_t n = 0;
    assert_ok(store_asks(f->reader, f->a, STR("acme"), (str){c->lead[0].id, RUN_ID_BYTE}, &v, &n));
    assert_int_equal(n, 2);
}

static void test_parked_wakes_at_its_time(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 1, false);
    const struct claim *k = claim_runs(f, ten);
    static const char *const names[] = {"registry"};
    assert_false(park_with(f, &k->run[0], names, 1, fixture_wall_ms() + 1000));
    assert_int_equal(claim_runs(f, ten)->n, 0);
    atomic_fetch_add(&fixture_ms, 1000);
    const struct claim *again = claim_runs(f, ten);
    assert_int_equal(again->n, 1);
    assert_false(again->run[0].ask[0].answered);
}

static void test_asks_of_a_silent_worker_are_asked_again(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 1, false);
    const struct claim *k = claim_runs(f, ten);
    static const char *const names[] = {"registry"};
    assert_false(park_with(f, &k->run[0], names, 1, fixture_now(f) + 3600000));
    assert_int_equal(claim_asks(f)->n, 1);
    crash_and_reopen(f);
    const struct ask_claim *again = claim_asks(f);
    assert_int_equal(again->n, 1);
    assert_int_equal(again->ask[0].attempt, 2);
    assert_true(answer_ask(f, &again->ask[0], OK, STR("{}"))->ready);
    assert_int_equal(claim_runs(f, ten)->n, 1);
}

static void test_cancel_reaches_a_parked_run(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accept *c = accept_many(f, STR("acme"), 1, false);
    const struct claim *k = claim_runs(f, ten);
    static const char *const names[] = {"registry"};
    assert_false(park_with(f, &k->run[0], names, 1, fixture_now(f) + 3600000));
    const struct ask_claim *asks = claim_asks(f);
    assert_ok(store_cancel(f->store, STR("acme"), (str){c->lead[0].id, RUN_ID_BYTE}, STR("test")));
    assert_true(answer_ask(f, &asks->ask[0], OK, STR("{}"))->stale);
    assert_int_equal(claim_runs(f, ten)->n, 0);
}

/* ---- retries and the dead ---- */

static void test_retries_count(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 1, false);
    int64_t fence = 0;
    for (int i = 1; i <= 4; i++) {
        const struct claim *k = claim_runs(f, ten);
        assert_int_equal(k->n, 1);
        assert_int_equal(k->run[0].attempt, i);
        assert_true(k->run[0].fence > fence);
        fence = k->run[0].fence;
        assert_false(retry(f, &k->run[0], 0, true));
    }
    const struct claim *k = claim_runs(f, ten);
    assert_false(retry(f, &k->run[0], 0, false));
    assert_int_equal(claim_runs(f, ten)->run[0].attempt, 5);
}

static void test_retry_waits_for_its_time(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 1, false);
    const struct claim *k = claim_runs(f, ten);
    assert_false(retry(f, &k->run[0], 500, true));
    assert_int_equal(claim_runs(f, ten)->n, 0);
    atomic_fetch_add(&fixture_ms, 500);
    assert_int_equal(claim_runs(f, ten)->n, 1);
}

static void test_dead_letters_come_back(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 3, false);
    const struct claim *k = claim_runs(f, ten);
    for (size_t i = 0; i < 3; i++)
        assert_false(give_back(f, (struct giveback){.lease = lease_of(&k->run[i]),
                                                    .counted = true,
                                                    .dead = true,
                                                    .slug = i == 0 ? "json_type" : "http_status",
                                                    .reason = STR("it cannot be")}));
    assert_int_equal(claim_runs(f, ten)->n, 0);
    struct lead_filter filter = {
        .tenant = STR("acme"), .state = -1, .tier = -1, .outcome = -1, .run_status = RUN_DEAD, .slug = STR("http_status")};
    struct lead_view *v;
    size_t n = 0;
    str next;
    assert_ok(store_list(f->reader, f->a, &filter, &v, &n, &next));
    assert_int_equal(n, 2);
    assert_str(v[0].reason, "it cannot be");
    assert_ok(store_redrive(f->store, STR("acme"), (str){"", 0}, STR("http_status"), 1, STR("test"), &n));
    assert_int_equal(n, 1);
    const struct claim *back = claim_runs(f, ten);
    assert_int_equal(back->n, 1);
    assert_int_equal(back->run[0].attempt, 1);
    assert_int_equal(back->run[0].fence, 2);
    assert_ok(store_redrive(f->store, STR("acme"), (str){"", 0}, (str){"", 0}, 10, STR("test"), &n));
    assert_int_equal(n, 2);
    assert_int_equal(lost_count(f), 0);
}

/* The time of a claim does not grow with what waits. */
static double claim_second(struct store_fixture *f) {
    const int64_t begin = clock_system().steady_ns();
    for (int i = 0; i < 20; i++)
        assert_int_equal(claim_runs(f, (struct claim_options){.most = 20})->n, 20);
    return (double)(clock_system().steady_ns() - begin) / 1e9;
}

static void test_claims_stay_quick(void **state) {
    struct store_fixture *f = fixture(state);
    (void)accept_many(f, STR("acme"), 1000, false);
    const double few = claim_second(f);
    const char *fill = "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 100000) "
                       "INSERT INTO run (tenant, lead, gen, status, priority, run_ms, due, deadline_ms, stage, attempt, "
                       "fence, accepted_ms, cause, pins) SELECT 'acme', 'ZZ' || (100000 + i), 1, 0, 1, 0, "
                       "9000000000000 + i, 0, 0, 0, 0, 0, '', '' FROM k";
    if (f->kind == DB_POSTGRES) {
        assert_true(pg_server_sql(fixture_program.server, fill));
        assert_true(pg_server_sql(fixture_program.server, "ANALYZE run"));
    } else {
        store_close(f->store);
        char command[2048];
        snprintf(command, sizeof command, "sqlite3 %s \"%s\"", f->url, fill);
        if (system(command) != 0) {
            f->store = fixture_open(f);
            skip();
        }
        f->store = fixture_open(f);
    }
    const double many = claim_second(f);
    print_message("# claims of 20 runs: %.2f ms among 1,000, %.2f ms among 101,000\n", few * 50, many * 50);
    assert_true(many < 10 * few + 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_BOTH(test_due_first),
        STORE_SQLITE(test_bulk_ages),
        STORE_SQLITE(test_delayed_start),
        STORE_BOTH(test_nobody_gets_a_run_twice),
        STORE_BOTH(test_a_flood_does_not_drown_others),
        STORE_BOTH(test_small_claims_take_turns),
        STORE_BOTH(test_weights_and_caps),
        STORE_BOTH(test_a_silent_worker_loses_its_runs),
        STORE_BOTH(test_closing_gives_leases_back),
        STORE_BOTH(test_poison_dies_and_neighbours_live),
        STORE_POSTGRES(test_two_stores_share_without_overlap),
        STORE_BOTH(test_parked_until_all_is_answered),
        STORE_SQLITE(test_parked_wakes_at_its_time),
        STORE_BOTH(test_asks_of_a_silent_worker_are_asked_again),
        STORE_BOTH(test_cancel_reaches_a_parked_run),
        STORE_BOTH(test_retries_count),
        STORE_SQLITE(test_retry_waits_for_its_time),
        STORE_BOTH(test_dead_letters_come_back),
        STORE_BOTH(test_claims_stay_quick),
    };
    return cmocka_run_group_tests_name("store claim", tests, fixture_group_begin, fixture_group_end);
}
