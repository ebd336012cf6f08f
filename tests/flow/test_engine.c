/* test_engine.c — leads through the engine on a real store: all end, once, in order, whatever happens. */
#include "engine_support.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- all end once ---- */

static void many_leads(struct world *w, unsigned workers, size_t n, size_t tenants) {
    w->c.workers = workers;
    world_start(w);
    for (size_t t = 0; t < tenants; t++)
        world_accept(w, (struct world_leads){.tenant = str_format(w->a, "t%zu", t), .n = n / tenants});
    world_all_ended(w, n);
    assert_int_equal(world_sql(w, "SELECT count(DISTINCT tenant) FROM score"), tenants);
    assert_int_equal(metric_get(w->engine->m.stale), 0);
    struct lead_view *lost;
    size_t n_lost = 1;
    assert_ok(store_lost(w->reader, w->a, INT64_MAX, &lost, &n_lost));
    assert_int_equal(n_lost, 0);
}

static void test_all_end_once_with_one_worker(void **state) { many_leads(*state, 1, 10000, 20); }
static void test_all_end_once_with_four_workers(void **state) { many_leads(*state, 4, 10000, 20); }

static void test_the_surplus_is_claimed(void **state) {
    struct world *w = *state;
    w->c.max_job = 100;
    w->c.workers = 2;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 3000, .batch = 60});
    world_all_ended(w, 3000);
    assert_true(metric_get(w->engine->m.claimed) > 0);
}

/* Waiting leads that are larger together than a claim may hold are claimed in smaller parts. */
static void test_large_leads_are_claimed_in_parts(void **state) {
    struct world *w = *state;
    char *body = malloc(200100);
    size_t at = (size_t)snprintf(
        body, 200100, "{\"crm_id\":\"L%%zu\",\"custom\":{\"employees\":200,\"industry\":\"Software\"},\"note\":\"");
    memset(body + at, 'x', 200000 - at);
    memcpy(body + 200000, "\"}", 3);
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 1500, .batch = 20, .no_lease = true, .body = body});
    world_start(w);
    world_wait(world_sql(w, "SELECT count(*) FROM run WHERE status < 3") == 0);
    free(body);
}

/* ---- order ---- */

static void test_priority_and_age(void **state) {
    struct world *w = *state;
    w->c.batch = 1;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.first = 0, .n = 20, .priority = RUN_BULK, .no_lease = true});
    atomic_fetch_add(&world_jump_ms, run_priority_delay_ms(RUN_BULK) + 1000);
    world_accept(w, (struct world_leads){.first = 100, .n = 20, .priority = RUN_BULK, .no_lease = true});
    world_accept(w, (struct world_leads){.first = 200, .n = 20, .priority = RUN_NORMAL, .no_lease = true});
    world_accept(w, (struct world_leads){.first = 300, .n = 20, .priority = RUN_INTERACTIVE, .no_lease = true});
    world_start(w);
    world_all_ended(w, 80);
    /* old bulk, interactive, normal, bulk: by the order in which leads were accepted, which their identifiers tell */
    static const char order[] =
        "SELECT group_concat(k, '') FROM (SELECT (SELECT count(*) FROM lead l WHERE l.lead < s.lead) / 20 "
        "AS k FROM score s ORDER BY s.rowid)";
    str got = world_text(w, order);
    assert_str(got, "00000000000000000000333333333333333333332222222222222222222211111111111111111111");
}

/* What was dead for long does not come before everybody else when it is woken. */
static void test_redrive_queues_behind(void **state) {
    struct world *w = *state;
    w->c.batch = 1;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.first = 0, .n = 10, .priority = RUN_BULK, .no_lease = true});
    world_run_sql(w, "UPDATE run SET status = 3, slug = 'x'");
    atomic_fetch_add(&world_jump_ms, 3600 * 1000);
    size_t n = 0;
    assert_ok(store_redrive(w->store, STR("acme"), (str){0}, (str){0}, 1000, STR("test"), &n));
    assert_int_equal(n, 10);
    world_accept(w, (struct world_leads){.first = 100, .n = 10, .priority = RUN_INTERACTIVE, .no_lease = true});
    world_start(w);
    world_all_ended(w, 20);
    str got = world_text(
        w, "SELECT group_concat(k, '') FROM (SELECT (SELECT count(*) FROM lead l WHERE l.lead < s.lead) / 10 AS k "
           "FROM score s ORDER BY s.rowid)");
    assert_str(got, "11111111110000000000");
}

/* ---- failures of stages ---- */

static void test_a_bad_body_is_a_dead_letter(void **state) {
    struct world *w = *state;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 3, .body = "{\"crm_id\":\"L%zu\",\"person\":{\"email\":5}}"});
    world_accept(w, (struct world_leads){.first = 10, .n = 3});
    world_wait(world_sql(w, "SELECT count(*) FROM run WHERE status = 3") == 3 && world_scores(w) == 3);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run WHERE slug LIKE 'lead_%' AND reason LIKE '%email%'"), 3);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM lead WHERE outcome = 4"), 3);
    assert_int_equal(metric_get(w->engine->m.dead), 3);
    world_wait(backlog_total(w->engine->backlog) == 0);
    /* Woken, they are open again, and die again. */
    size_t n = 0;
    assert_ok(store_redrive(w->store, STR("acme"), (str){0}, (str){0}, 1000, STR("test"), &n));
    assert_int_equal(n, 3);
    engine_nudge(w->engine);
    world_wait(metric_get(w->engine->m.dead) == 6);
}

static void test_a_model_that_is_gone(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 40, .no_lease = true});
    world_run_sql(w, "DELETE FROM artifact");
    world_start(w);
    world_wait(world_sql(w, "SELECT count(*) FROM run WHERE status = 3 AND slug = 'artifact_unknown'") == 40);
    assert_true(world_text(w, "SELECT reason FROM run LIMIT 1").len > 10);
}

static void test_too_little_memory_is_a_dead_letter(void **state) {
    struct world *w = *state;
    w->c.run_byte = 2000;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 5});
    world_wait(world_sql(w, "SELECT count(*) FROM run WHERE status = 3 AND slug = 'memory_limit'") == 5);
}

/* ---- stop and start ---- */

static void test_stop_gives_leases_back(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 2000}); /* born leased; no worker yet */
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run WHERE status = 1"), 2000);
    world_stop_engine(w);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run WHERE status = 0 AND suspect = 0 AND attempt = 0"), 2000);
    world_open_store(w);
    world_start(w);
    world_all_ended(w, 2000);
}

static void test_stop_in_the_midst(void **state) {
    struct world *w = *state;
    w->c.workers = 2;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 3000});
    world_stop_engine(w);
    int64_t scored = world_scores(w);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run WHERE status = 0"), 3000 - scored);
    world_open_store(w);
    world_start(w);
    world_all_ended(w, 3000);
}

/* A process that died with many leases: each comes back as a suspect, one at a time, without waiting for the poll. */
static void test_many_suspects_are_soon_done(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 300});
    store_reader_close(w->reader);
    store_abandon(w->store);
    arena_free(w->engine_arena);
    w->engine = NULL;
    world_open_store(w);
    w->c.poll_ms = 5000;
    world_start(w);
    int64_t begin = clock_system().steady_ns();
    world_all_ended(w, 300);
    assert_true(clock_system().steady_ns() - begin < 60 * 1000000000ll);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM score WHERE attempt <> 2"), 0);
}

/* While a suspect is at work no other is claimed: its death would be blamed on both. */
static void test_one_suspect_at_a_time(void **state) {
    (void)state;
    struct ready *r = ready_new(&(struct ready_limits){.max_job = 10, .max_byte = 1000});
    struct job *job = calloc(1, sizeof *job);
    job->suspect = true;
    ready_put(r, job);
    assert_int_equal(ready_look(r).suspects, 1);
    assert_ptr_equal(ready_take(r, 5), job);
    assert_int_equal(ready_look(r).suspects, 1);
    ready_done(r, job);
    assert_int_equal(ready_look(r).suspects, 0);
    free(job);
    ready_free(r);
}

/* ---- a store that fails for a while ---- */

/* Starts the engine, and nobody but us can write from now on. The jobs are put in when it is so. */
static void lock_store(struct world *w) {
    struct job *jobs = ready_drain(w->engine->ready);
    world_start(w);
    assert_int_equal(sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ready_put(w->engine->ready, jobs);
}

static void test_a_store_that_fails_for_a_while(void **state) {
    struct world *w = *state;
    w->c.workers = 2;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 1000});
    lock_store(w);
    world_wait(metric_get(w->engine->m.resubmitted) > 100);
    assert_int_equal(world_scores(w), 0);
    assert_true(engine_look(w->engine).commands > 0);
    sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    world_all_ended(w, 1000);
}

/* No frame of a log fits any more: the disk is full. Repeating costs no memory, however long that lasts. */
static void test_a_full_disk(void **state) {
    struct world *w = *state;
    struct rlimit limit, none;
    struct rusage before, after;
    w->c.poll_ms = 1;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 640});
    struct job *jobs = ready_drain(w->engine->ready);
    world_start(w);
    world_wait(engine_look(w->engine).alive);
    getrlimit(RLIMIT_FSIZE, &none);
    limit = none;
    limit.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ready_put(w->engine->ready, jobs);
    world_wait(metric_get(w->engine->m.resubmitted) > 6400);
    getrusage(RUSAGE_SELF, &before);
    world_wait(metric_get(w->engine->m.resubmitted) > 25600);
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10);
    assert_int_equal(world_scores(w), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    world_all_ended(w, 640);
}

/* Stopped while the store fails: nothing is lost, nothing leaks. */
static void test_stop_while_the_store_fails(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 100});
    lock_store(w);
    world_wait(metric_get(w->engine->m.resubmitted) > 0);
    engine_stop(w->engine, 10);
    sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    world_stop_engine(w);
    world_open_store(w);
    world_start(w);
    world_wait(world_sql(w, "SELECT count(*) FROM run") == 0);
    assert_int_equal(world_scores(w), 100);
}

/* ---- what happens to a lead meanwhile ---- */

static void test_cancelled_in_memory(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 20});
    str lead = world_text(w, "SELECT min(lead) FROM run");
    assert_ok(store_cancel(w->store, STR("acme"), lead, STR("test")));
    world_start(w);
    world_all_ended(w, 20);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM score WHERE outcome = 5"), 1);
    assert_int_equal(metric_get(w->engine->m.stale), 1);
}

static void test_erased_in_memory(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 20});
    str lead = world_text(w, "SELECT min(lead) FROM run");
    size_t n = 0;
    (void)!store_erase(w->store, STR("acme"), lead, (str){0}, STR("test"), &n);
    world_start(w);
    world_wait(world_sql(w, "SELECT count(*) FROM run") == 0);
    world_wait(engine_look(w->engine).commands == 0);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM score WHERE outcome = 1"), 19);
}

static void test_backlog_is_bounded(void **state) {
    struct world *w = *state;
    int64_t after_ms = 0;
    bool lease;
    w->c.max_backlog = 100;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 100});
    assert_fails(engine_admit(w->engine, STR("acme"), 1, 10, &lease, &after_ms), ERR_LIMIT, "backlog_full");
    assert_true(after_ms > 0);
    /* A lead that came again with another body is no lead more. */
    world_start(w);
    world_all_ended(w, 100);
    assert_ok(engine_admit(w->engine, STR("acme"), 100, 10, &lease, &after_ms));
    engine_rejected(w->engine, STR("acme"), 100, lease, 10);
    assert_int_equal(backlog_total(w->engine->backlog), 0);
}

/* Bodies that replace those of live runs, cancelled runs and dead ones leave no trace in the counts. */
static void test_backlog_does_not_drift(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 50, .no_lease = true});
    world_accept(
        w, (struct world_leads){.n = 50, .no_lease = true, .body = "{\"crm_id\":\"L%zu\",\"custom\":{\"employees\":7}}"});
    assert_int_equal(world_sql(w, "SELECT count(*) FROM run"), 50);
    world_start(w);
    world_wait(world_sql(w, "SELECT count(*) FROM run") == 0);
    world_wait(backlog_total(w->engine->backlog) == 0);
}

/* ---- timers and pins ---- */

static void test_the_timer_scores_again(void **state) {
    struct world *w = *state;
    w->c.tick_ms = 20;
    w->terms.rescore_day[TIER_HOT] = w->terms.rescore_day[TIER_WARM] = w->terms.rescore_day[TIER_COLD] = 1;
    w->terms.hot = 0.999;
    w->terms.warm = 0.99;
    world_start(w);
    world_accept(w, (struct world_leads){.n = 30});
    world_all_ended(w, 30);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM lead WHERE rescore_ms IS NOT NULL"), 30);
    atomic_fetch_add(&world_jump_ms, TIME_DAY_MS + 60000);
    world_all_ended(w, 60);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM score WHERE gen = 2 AND cause = 'timer'"), 30);
    assert_int_equal(
        world_sql(w, "SELECT count(*) FROM history WHERE gen = 2 AND path = 'archived>rescored>scored>archived'"), 30);
}

static void test_runs_keep_their_pins(void **state) {
    struct world *w = *state;
    world_make_engine(w);
    world_accept(w, (struct world_leads){.n = 500});
    str before = w->pins;
    w->terms.hot = 0.7;
    world_pin(w);
    assert_false(str_equal(before, w->pins));
    assert_ok(engine_reload(w->engine, w->pins));
    world_start(w);
    world_accept(w, (struct world_leads){.first = 1000, .n = 500});
    world_all_ended(w, 1000);
    assert_int_equal(world_sql(w, "SELECT count(*) FROM score WHERE pins LIKE '%0.7%'"), 500);
    assert_fails(
        engine_reload(w->engine, STR("{\"profile\":\"0000000000000000000000000000000000000000000000000000000000000000\"}")),
        ERR_ABSENT, "artifact_unknown");
    assert_true(str_equal(engine_pins(w->engine), w->pins));
}

/* ---- idle ---- */

static long switches(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_nvcsw;
}

static void test_idle_is_quiet(void **state) {
    struct world *w = *state;
    w->c.poll_ms = 250;
    w->c.lookup.url = w->c.callback.url = "http://127.0.0.1:1/";
    world_start(w);
    world_accept(w, (struct world_leads){.n = 100});
    world_wait(world_scores(w) == 100);
    poll(NULL, 0, 3000); /* the writer moves its log, the claimer finds nothing more */
    struct writer_stats before, after;
    store_stats(w->store, &before);
    long n = switches();
    poll(NULL, 0, 4000);
    n = switches() - n;
    store_stats(w->store, &after);
    print_message("# %ld wake-ups in 4 s, %llu commits\n", n, (unsigned long long)(after.commits - before.commits));
#ifndef __SANITIZE_THREAD__ /* whose own thread does not sleep */
    assert_true(n <= 20);
#endif
    assert_true(after.commits - before.commits <= 1); /* the heart may have beaten */
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_all_end_once_with_one_worker),
        WORLD_TEST(test_all_end_once_with_four_workers),
        WORLD_TEST(test_the_surplus_is_claimed),
        WORLD_TEST(test_large_leads_are_claimed_in_parts),
        WORLD_TEST(test_priority_and_age),
        WORLD_TEST(test_redrive_queues_behind),
        WORLD_TEST(test_a_bad_body_is_a_dead_letter),
        WORLD_TEST(test_a_model_that_is_gone),
        WORLD_TEST(test_too_little_memory_is_a_dead_letter),
        WORLD_TEST(test_stop_gives_leases_back),
        WORLD_TEST(test_stop_in_the_midst),
        WORLD_TEST(test_many_suspects_are_soon_done),
        cmocka_unit_test(test_one_suspect_at_a_time),
        WORLD_TEST(test_a_store_that_fails_for_a_while),
        WORLD_TEST(test_a_full_disk),
        WORLD_TEST(test_stop_while_the_store_fails),
        WORLD_TEST(test_cancelled_in_memory),
        WORLD_TEST(test_erased_in_memory),
        WORLD_TEST(test_backlog_is_bounded),
        WORLD_TEST(test_backlog_does_not_drift),
        WORLD_TEST(test_the_timer_scores_again),
        WORLD_TEST(test_runs_keep_their_pins),
        WORLD_TEST(test_idle_is_quiet),
    };
    if (getenv("ONLY")) /* one test */
        cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
