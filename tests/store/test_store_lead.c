/* test_store_lead.c — a lead comes in, once; is worked on, scored, scored again, delivered; what is refused. */
#include "store_fixture.h"

/* ---- accept ---- */

static void test_accepts_once(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("x-1"), STR("{\"email\":\"a@example.com\"}"));
    in.email = STR("a@example.com");
    const struct accepted *first = accept_one(f, in), *second = accept_one(f, in);
    assert_int_equal(first->verdict, ACCEPT_NEW);
    assert_int_equal(second->verdict, ACCEPT_DUPLICATE);
    assert_string_equal(first->id, second->id);
    assert_int_equal(claim_runs(f, (struct claim_options){.most = 10})->n, 1);
    const struct lead_view v = look_at(f, id_of(first));
    assert_str(v.body, "{\"email\":\"a@example.com\"}");
    assert_int_equal(v.state, LEAD_INGESTED);
    assert_int_equal(v.run_status, RUN_LEASED);
    assert_int_equal(lost_count(f), 0);
}

static void test_equal_bodies_without_id_are_one_lead(void **state) {
    struct store_fixture *f = fixture(state);
    const struct new_lead in[] = {lead_of((str){0}, STR("{\"n\":1}")), lead_of((str){0}, STR("{\"n\":2}")),
                                  lead_of((str){0}, STR("{\"n\":1}"))};
    struct accept *c = NULL;
    assert_ok(accept_leads(f, (struct accept_options){0}, in, 3, &c));
    assert_int_equal(c->lead[1].verdict, ACCEPT_NEW);
    assert_int_equal(c->lead[2].verdict, ACCEPT_DUPLICATE);
    assert_string_equal(c->lead[0].id, c->lead[2].id);
    assert_true(strcmp(c->lead[0].id, c->lead[1].id) != 0);
}

static void test_other_tenants_have_other_leads(void **state) {
    struct store_fixture *f = fixture(state);
    assert_ok(store_tenant_ensure(f->store, STR("beta")));
    const struct new_lead in = lead_of(STR("x-1"), STR("{\"n\":1}"));
    struct accept *one = NULL, *two = NULL;
    assert_ok(accept_leads(f, (struct accept_options){0}, &in, 1, &one));
    assert_ok(accept_leads(f, (struct accept_options){.tenant = STR("beta")}, &in, 1, &two));
    assert_int_equal(two->lead[0].verdict, ACCEPT_NEW);
    struct lead_view v;
    assert_fails(store_lead(f->reader, f->a, STR("beta"), id_of(&one->lead[0]), &v), ERR_ABSENT, "lead_unknown");
}

static void test_unknown_tenant_is_refused(void **state) {
    struct store_fixture *f = fixture(state);
    const struct new_lead in = lead_of(STR("x-1"), STR("{}"));
    struct accept *c = NULL;
    assert_int_equal(accept_leads(f, (struct accept_options){.tenant = STR("nobody")}, &in, 1, &c), ERR_INPUT);
    assert_string_equal(err_slug(), "tenant_unknown");
}

static void test_idempotency_key(void **state) {
    struct store_fixture *f = fixture(state);
    const struct new_lead in[] = {lead_of(STR("k-1"), STR("{\"n\":1}")), lead_of(STR("k-2"), STR("{\"n\":2}"))};
    const struct new_lead other = lead_of(STR("k-3"), STR("{\"n\":3}"));
    const struct accept_options keyed = {.key = STR("order-66")};
    struct accept *one = NULL, *two = NULL, *three = NULL;
    assert_ok(accept_leads(f, keyed, in, 2, &one));
    assert_false(one->replayed);
    assert_ok(accept_leads(f, keyed, in, 2, &two));
    assert_true(two->replayed);
    assert_false(two->key_conflict);
    assert_string_equal(one->lead[0].id, two->lead[0].id);
    assert_string_equal(one->lead[1].id, two->lead[1].id);
    assert_ok(accept_leads(f, keyed, &other, 1, &three));
    assert_true(three->key_conflict);
    assert_false(three->replayed);
    assert_int_equal(claim_runs(f, (struct claim_options){.most = 10})->n, 2);
}

static void test_replay_names_the_duplicates(void **state) {
    struct store_fixture *f = fixture(state);
    const struct new_lead in[] = {lead_of(STR("k-1"), STR("{\"n\":1}")), lead_of(STR("k-2"), STR("{\"n\":2}"))};
    const struct accepted *before = accept_one(f, in[1]);
    struct accept *one = NULL, *two = NULL;
    assert_ok(accept_leads(f, (struct accept_options){.key = STR("k")}, in, 2, &one));
    assert_string_equal(one->lead[1].id, before->id);
    assert_ok(accept_leads(f, (struct accept_options){.key = STR("k")}, in, 2, &two));
    assert_true(two->replayed);
    assert_string_equal(two->lead[1].id, before->id);
}

static void test_key_expires(void **state) {
    struct store_fixture *f = fixture(state);
    const struct new_lead in = lead_of(STR("k-1"), STR("{\"n\":1}")), other = lead_of(STR("k-2"), STR("{\"n\":2}"));
    struct accept *c = NULL;
    assert_ok(accept_leads(f, (struct accept_options){.key = STR("k")}, &in, 1, &c));
    atomic_fetch_add(&fixture_ms, 25 * 3600 * 1000);
    assert_ok(accept_leads(f, (struct accept_options){.key = STR("k")}, &other, 1, &c));
    assert_false(c->key_conflict);
    assert_int_equal(c->lead[0].verdict, ACCEPT_NEW);
}

/* ---- a new body for a known lead ---- */

static void test_update_supersedes_the_live_run(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("u-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *first = accept_one(f, in);
    assert_true(first->leased);
    in.body = STR("{\"n\":2}");
    const struct accepted *second = accept_one(f, in);
    assert_int_equal(second->verdict, ACCEPT_UPDATED);
    assert_string_equal(first->id, second->id);
    assert_int_equal(second->gen, 2);
    assert_true(finish_is_stale(f, lease_born(first), scored_run(f, LEAD_INGESTED, TIER_HOT, 0)));
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10});
    assert_int_equal(c->n, 1);
    assert_str(c->run[0].body, "{\"n\":2}");
    assert_int_equal(c->run[0].gen, 2);
    assert_int_equal(c->run[0].fence, 3);
}

static void test_old_body_that_comes_late_is_known(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("u-1"), STR("{\"n\":1}"));
    (void)accept_one(f, in);
    in.body = STR("{\"n\":2}");
    const struct accepted *second = accept_one(f, in);
    in.body = STR("{\"n\":1}");
    assert_int_equal(accept_one(f, in)->verdict, ACCEPT_DUPLICATE);
    assert_str(look_at(f, id_of(second)).body, "{\"n\":2}");
}

static void test_update_of_a_scored_lead(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("u-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *first = accept_one(f, in);
    assert_false(finish_is_stale(f, lease_born(first), scored_run(f, LEAD_INGESTED, TIER_WARM, 0)));
    in.body = STR("{\"n\":2}");
    assert_int_equal(accept_one(f, in)->gen, 2);
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10});
    assert_int_equal(c->n, 1);
    assert_int_equal(c->run[0].state, LEAD_NURTURING);
    assert_false(finish_is_stale(f, lease_of(&c->run[0]), scored_run(f, LEAD_NURTURING, TIER_HOT, 0)));
    in.body = STR("{\"n\":3}"); /* assigned: the body is kept, but no passage begins */
    const struct accepted *third = accept_one(f, in);
    assert_int_equal(third->verdict, ACCEPT_UPDATED);
    assert_int_equal(third->gen, 2);
    assert_str(look_at(f, id_of(first)).body, "{\"n\":3}");
    assert_int_equal(claim_runs(f, (struct claim_options){.most = 10})->n, 0);
    assert_int_equal(lost_count(f), 0);
}

/* ---- finish ---- */

static void test_finish_writes_everything(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("f-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *l = accept_one(f, in);
    assert_false(finish_is_stale(f, lease_born(l), scored_run(f, LEAD_INGESTED, TIER_HOT, 2)));
    const struct lead_view v = look_at(f, id_of(l));
    assert_int_equal(v.state, LEAD_ASSIGNED);
    assert_int_equal(v.outcome, RUN_SCORED);
    assert_true(v.scored && !v.live);
    assert_int_equal(v.tier, TIER_HOT);
    assert_close(v.probability, 0.75, 0);
    struct score_view *score;
    struct history_view *history;
    struct delivery_view *delivery;
    size_t n = 0;
    assert_ok(store_scores(f->reader, f->a, STR("acme"), id_of(l), &score, &n));
    assert_int_equal(n, 1);
    assert_str(score[0].snapshot, "{\"facts\":\"private snapshot\"}");
    assert_ok(store_history(f->reader, f->a, STR("acme"), id_of(l), &history, &n));
    assert_int_equal(n, 1);
    assert_str(history[0].path, "ingested>pending_enrichment>pending_scoring>scored>assigned");
    assert_ok(store_deliveries(f->reader, f->a, STR("acme"), id_of(l), &delivery, &n));
    assert_int_equal(n, 2);
    assert_int_equal(lost_count(f), 0);
}

static void test_finish_twice_is_stale(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("f-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *l = accept_one(f, in);
    const struct run *run = scored_run(f, LEAD_INGESTED, TIER_HOT, 1);
    assert_false(finish_is_stale(f, lease_born(l), run));
    assert_true(finish_is_stale(f, lease_born(l), run));
}

static void test_finish_from_another_state_is_refused_alone(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("f-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *l = accept_one(f, in);
    bool stale = true;
    assert_fails(finish_with(f, f->store, lease_born(l), scored_run(f, LEAD_NURTURING, TIER_HOT, 0), &stale), ERR_CONFLICT,
                 "lifecycle_refused");
    assert_false(finish_is_stale(f, lease_born(l), scored_run(f, LEAD_INGESTED, TIER_HOT, 0)));
}

static void test_end_without_a_score(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("f-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *l = accept_one(f, in);
    struct run *run = ARENA_NEW(f->a, struct run);
    run->outcome = RUN_INSUFFICIENT;
    run->path = (struct lifecycle_path){.state = {LEAD_INGESTED, LEAD_PENDING_ENRICHMENT, LEAD_PENDING_SCORING}, .n = 3};
    assert_false(finish_is_stale(f, lease_born(l), run));
    const struct lead_view v = look_at(f, id_of(l));
    assert_int_equal(v.outcome, RUN_INSUFFICIENT);
    assert_int_equal(v.state, LEAD_PENDING_SCORING);
    assert_false(v.scored);
    assert_int_equal(lost_count(f), 0);
}

/* ---- rescore, cancel, outcome, tick ---- */

static struct accepted *scored_lead(struct store_fixture *f, str external, enum tier tier, size_t n_delivery) {
    struct new_lead in = lead_of(external, STR("{\"n\":1}"));
    in.lease = true;
    struct accepted *l = accept_one(f, in);
    assert_false(finish_is_stale(f, lease_born(l), scored_run(f, LEAD_INGESTED, tier, n_delivery)));
    return l;
}

static err rescore(struct store_fixture *f, str lead, int64_t *gen) {
    return store_rescore(f->store, STR("acme"), lead, STR("by hand"), STR("test"), STR("{}"), RUN_INTERACTIVE, gen);
}

static void test_rescore(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accepted *warm = scored_lead(f, STR("w"), TIER_WARM, 0), *hot = scored_lead(f, STR("h"), TIER_HOT, 0);
    int64_t gen = 0;
    assert_ok(rescore(f, id_of(warm), &gen));
    assert_int_equal(gen, 2);
    assert_fails(rescore(f, id_of(warm), &gen), ERR_CONFLICT, "run_alive");
    assert_fails(rescore(f, id_of(hot), &gen), ERR_CONFLICT, "lifecycle_refused");
    assert_fails(rescore(f, STR("01HAAAAAAAAAAAAAAAAAAAAAAA"), &gen), ERR_ABSENT, "lead_unknown");
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10});
    assert_int_equal(c->n, 1);
    assert_false(finish_is_stale(f, lease_of(&c->run[0]), scored_run(f, LEAD_NURTURING, TIER_COLD, 0)));
    struct score_view *score;
    size_t n = 0;
    assert_ok(store_scores(f->reader, f->a, STR("acme"), id_of(warm), &score, &n));
    assert_int_equal(n, 2);
}

static void test_cancel_makes_the_work_stale(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("c-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *l = accept_one(f, in);
    assert_ok(store_cancel(f->store, STR("acme"), id_of(l), STR("test")));
    assert_true(finish_is_stale(f, lease_born(l), scored_run(f, LEAD_INGESTED, TIER_HOT, 1)));
    assert_int_equal(look_at(f, id_of(l)).outcome, RUN_CANCELLED);
    assert_fails(store_cancel(f->store, STR("acme"), id_of(l), STR("test")), ERR_ABSENT, "run_unknown");
    assert_int_equal(lost_count(f), 0);
    int64_t gen = 0;
    assert_ok(rescore(f, id_of(l), &gen));
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10});
    assert_int_equal(c->n, 1);
    assert_true(finish_is_stale(f, lease_born(l), scored_run(f, LEAD_INGESTED, TIER_HOT, 1)));
    assert_false(finish_is_stale(f, lease_of(&c->run[0]), scored_run(f, LEAD_INGESTED, TIER_HOT, 1)));
}

static void test_outcomes(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accepted *hot = scored_lead(f, STR("h"), TIER_HOT, 0), *warm = scored_lead(f, STR("w"), TIER_WARM, 0);
    const str acme = STR("acme"), me = STR("test"), detail = STR("{\"amount\":5}");
    assert_ok(store_outcome(f->store, acme, id_of(hot), 5, STR("meeting"), me, detail));
    assert_int_equal(look_at(f, id_of(hot)).state, LEAD_ASSIGNED);
    assert_ok(store_outcome(f->store, acme, id_of(hot), 6, STR("converted"), me, detail));
    assert_ok(store_outcome(f->store, acme, id_of(hot), 6, STR("converted"), me, detail));
    assert_int_equal(look_at(f, id_of(hot)).state, LEAD_CONVERTED);
    assert_fails(store_outcome(f->store, acme, id_of(warm), 6, STR("converted"), me, detail), ERR_CONFLICT,
                 "lifecycle_refused");
    assert_ok(store_outcome(f->store, acme, id_of(warm), 7, STR("disqualified"), me, (str){0}));
    assert_fails(store_outcome(f->store, acme, STR("nobody"), 7, STR("converted"), me, (str){0}), ERR_ABSENT,
                 "lead_unknown");
    struct history_view *history;
    size_t n = 0;
    assert_ok(store_history(f->reader, f->a, acme, id_of(hot), &history, &n));
    assert_int_equal(n, 2);
}

static void test_timer_scores_again(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in = lead_of(STR("t-1"), STR("{\"n\":1}"));
    in.lease = true;
    const struct accepted *l = accept_one(f, in);
    struct ticketed_finish *t = ARENA_NEW(f->a, struct ticketed_finish);
    t->c = (struct finish){.lease = lease_born(l),
                           .run = scored_run(f, LEAD_INGESTED, TIER_COLD, 0),
                           .scored_ms = fixture_now(f),
                           .rescore_ms = fixture_now(f) + (f->kind == DB_SQLITE ? 1000 : -1),
                           .pins = STR("{}"),
                           .cause = STR("accepted"),
                           .actor = STR("test"),
                           .timing = STR("{}"),
                           .arena = f->a};
    assert_ok(SUBMIT(finish, t, store_finish(f->store, f->sealer, &t->c)));
    size_t n = 0;
    if (f->kind == DB_SQLITE) {
        assert_ok(store_tick(f->store, STR("{\"v\":2}"), 100, &n));
        assert_int_equal(n, 0);
        atomic_fetch_add(&fixture_ms, 1000);
    }
    assert_ok(store_tick(f->store, STR("{\"v\":2}"), 100, &n));
    assert_int_equal(n, 1);
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10});
    assert_int_equal(c->n, 1);
    assert_str(c->run[0].cause, "timer");
    assert_str(c->run[0].pins, "{\"v\":2}");
    assert_ok(store_tick(f->store, STR("{}"), 100, &n));
    assert_int_equal(n, 0);
}

/* ---- deliveries ---- */

static struct delivery_claim *claim_deliveries(struct store_fixture *f, size_t most) {
    struct ticketed_delivery_claim *t = ARENA_NEW(f->a, struct ticketed_delivery_claim);
    t->c = (struct delivery_claim){.most = most, .arena = f->a};
    assert_ok(SUBMIT(delivery_claim, t, store_delivery_claim(f->store, &t->c)));
    return &t->c;
}

static bool end_delivery(struct store_fixture *f, const struct due_delivery *d, enum delivery_status status,
                         int64_t delay_ms) {
    struct ticketed_delivery_done *t = ARENA_NEW(f->a, struct ticketed_delivery_done);
    t->c = (struct delivery_done){.tenant = d->tenant,
                                  .lead = d->lead,
                                  .target = d->target,
                                  .gen = d->gen,
                                  .fence = d->fence,
                                  .status = status,
                                  .delay_ms = delay_ms,
                                  .slug = status == DELIVERY_DONE ? NULL : "http_status",
                                  .reason = STR("503")};
    assert_ok(SUBMIT(delivery_done, t, store_delivery_done(f->store, &t->c)));
    return t->c.stale;
}

static void test_delivery_is_sent_once(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accepted *l = scored_lead(f, STR("d-1"), TIER_HOT, 2);
    const struct delivery_claim *c = claim_deliveries(f, 10);
    assert_int_equal(c->n, 2);
    assert_str(c->delivery[0].snapshot, "{\"facts\":\"private snapshot\"}");
    assert_int_equal(claim_deliveries(f, 10)->n, 0);
    assert_false(end_delivery(f, &c->delivery[0], DELIVERY_DONE, 0));
    assert_true(end_delivery(f, &c->delivery[0], DELIVERY_DONE, 0));
    assert_false(end_delivery(f, &c->delivery[1], DELIVERY_UNKNOWN, 0));
    const struct delivery_claim *again = claim_deliveries(f, 10);
    assert_int_equal(again->n, 1);
    assert_true(again->delivery[0].unknown);
    assert_int_equal(again->delivery[0].attempt, 2);
    assert_true(end_delivery(f, &c->delivery[1], DELIVERY_DONE, 0));
    assert_false(end_delivery(f, &again->delivery[0], DELIVERY_DEAD, 0));
    size_t n = 0;
    assert_ok(store_redrive(f->store, STR("acme"), id_of(l), (str){"", 0}, 10, STR("test"), &n));
    assert_int_equal(n, 1);
    assert_int_equal(claim_deliveries(f, 10)->n, 1);
}

static void test_newer_delivery_supersedes(void **state) {
    struct store_fixture *f = fixture(state);
    const struct accepted *l = scored_lead(f, STR("d-1"), TIER_WARM, 1);
    int64_t gen = 0;
    assert_ok(rescore(f, id_of(l), &gen));
    const struct claim *c = claim_runs(f, (struct claim_options){.most = 10});
    assert_false(finish_is_stale(f, lease_of(&c->run[0]), scored_run(f, LEAD_NURTURING, TIER_HOT, 1)));
    const struct delivery_claim *d = claim_deliveries(f, 10);
    assert_int_equal(d->n, 1);
    assert_int_equal(d->delivery[0].gen, 2);
    struct delivery_view *v;
    size_t n = 0;
    assert_ok(store_deliveries(f->reader, f->a, STR("acme"), id_of(l), &v, &n));
    assert_int_equal(v[0].status, DELIVERY_SUPERSEDED);
}

static void test_crash_leaves_deliveries_unknown(void **state) {
    struct store_fixture *f = fixture(state);
    (void)scored_lead(f, STR("d-1"), TIER_HOT, 1);
    const struct delivery_claim *c = claim_deliveries(f, 10);
    assert_int_equal(c->n, 1);
    crash_and_reopen(f);
    const struct delivery_claim *again = claim_deliveries(f, 10);
    assert_int_equal(again->n, 1);
    assert_true(again->delivery[0].unknown);
    assert_true(again->delivery[0].fence > c->delivery[0].fence);
    assert_true(end_delivery(f, &c->delivery[0], DELIVERY_DONE, 0));
}

/* ---- lists, keys, artifacts ---- */

static void test_lists(void **state) {
    struct store_fixture *f = fixture(state);
    struct new_lead in[25];
    struct accept *c = NULL;
    for (int i = 0; i < 25; i++) {
        in[i] = lead_of(str_format(f->a, "l-%d", i), str_format(f->a, "{\"n\":%d}", i));
        in[i].email = i % 5 == 0 ? STR("Same@Example.com") : (str){0};
    }
    assert_ok(accept_leads(f, (struct accept_options){0}, in, 25, &c));
    struct lead_filter filter = {
        .tenant = STR("acme"), .state = -1, .tier = -1, .outcome = -1, .run_status = -1, .limit = 10, .newest_first = true};
    struct lead_view *v;
    size_t n = 0, total = 0;
    str next = {0};
    do {
        filter.after = next;
        assert_ok(store_list(f->reader, f->a, &filter, &v, &n, &next));
        for (size_t i = 1; i < n; i++)
            assert_true(str_compare(v[i].lead, v[i - 1].lead) < 0);
        total += n;
    } while (next.len > 0);
    assert_int_equal(total, 25);
    filter.after = (str){0};
    filter.email = STR("same@example.com");
    assert_ok(store_list(f->reader, f->a, &filter, &v, &n, &next));
    assert_int_equal(n, 5);
    filter.email = (str){0};
    filter.state = LEAD_SCORED;
    assert_ok(store_list(f->reader, f->a, &filter, &v, &n, &next));
    assert_int_equal(n, 0);
    struct backlog_view *backlog;
    assert_ok(store_backlog(f->reader, f->a, &backlog, &n));
    assert_int_equal(n, 1);
    assert_int_equal(backlog[0].n, 25);
    struct queue_view *queue;
    assert_ok(store_queue(f->reader, f->a, &queue, &n));
    assert_int_equal(n, 1);
    assert_int_equal(queue[0].n, 25);
}

static void test_scored_since(void **state) {
    struct store_fixture *f = fixture(state);
    for (int i = 0; i < 5; i++)
        (void)scored_lead(f, str_format(f->a, "s-%d", i), TIER_WARM, 0);
    struct lead_view *v;
    size_t n = 0;
    assert_ok(store_scored_since(f->reader, f->a, STR("acme"), 0, (str){"", 0}, 3, &v, &n));
    assert_int_equal(n, 3);
    assert_ok(store_scored_since(f->reader, f->a, STR("acme"), v[2].scored_ms, v[2].lead, 10, &v, &n));
    assert_int_equal(n, 2);
}

static void test_keys_and_artifacts(void **state) {
    struct store_fixture *f = fixture(state);
    const struct api_key k = {.tenant = STR("acme"), .name = STR("web"), .scopes = SCOPE_INGEST, .rate = 5, .burst = 10};
    str token;
    struct api_key found, *list;
    size_t n = 0;
    assert_ok(store_key_create(f->store, f->a, &k, STR("test"), &token));
    assert_ok(store_key_find(f->reader, f->a, token, &found));
    assert_str(found.name, "web");
    assert_int_equal(found.scopes, SCOPE_INGEST);
    assert_fails(store_key_find(f->reader, f->a, STR("gk_nonsense"), &found), ERR_DENIED, "key_unknown");
    assert_ok(store_key_list(f->reader, f->a, (str){"", 0}, &list, &n));
    assert_int_equal(n, 1);
    assert_ok(store_key_revoke(f->store, STR("acme"), found.id, STR("test")));
    assert_fails(store_key_find(f->reader, f->a, token, &found), ERR_DENIED, "key_revoked");
    assert_fails(store_key_revoke(f->store, STR("acme"), STR("x"), STR("test")), ERR_ABSENT, "api_key_absent");
    char id[HASH_HEX_BYTE + 1];
    str name, content;
    assert_ok(store_artifact_put(f->store, STR("model"), STR("first"), STR("\1\2\3"), id));
    assert_ok(store_artifact_put(f->store, STR("model"), STR("first"), STR("\1\2\3"), id));
    assert_ok(store_artifact(f->reader, f->a, STR("model"), str_from(id), &name, &content));
    assert_str(content, "\1\2\3");
    assert_fails(store_artifact(f->reader, f->a, STR("model"), STR("x"), &name, &content), ERR_ABSENT, "artifact_unknown");
    assert_ok(store_audit_add(f->store, STR("acme"), STR("me"), STR("x.y"), STR("z"), STR("{}")));
    assert_ok(store_audit_verify(f->reader, f->a, STR("acme"), &n));
    assert_int_equal(n, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_BOTH(test_accepts_once),
        STORE_BOTH(test_equal_bodies_without_id_are_one_lead),
        STORE_BOTH(test_other_tenants_have_other_leads),
        STORE_BOTH(test_unknown_tenant_is_refused),
        STORE_BOTH(test_idempotency_key),
        STORE_BOTH(test_replay_names_the_duplicates),
        STORE_SQLITE(test_key_expires),
        STORE_BOTH(test_update_supersedes_the_live_run),
        STORE_BOTH(test_old_body_that_comes_late_is_known),
        STORE_BOTH(test_update_of_a_scored_lead),
        STORE_BOTH(test_finish_writes_everything),
        STORE_BOTH(test_finish_twice_is_stale),
        STORE_BOTH(test_finish_from_another_state_is_refused_alone),
        STORE_BOTH(test_end_without_a_score),
        STORE_BOTH(test_rescore),
        STORE_BOTH(test_cancel_makes_the_work_stale),
        STORE_BOTH(test_outcomes),
        STORE_BOTH(test_timer_scores_again),
        STORE_BOTH(test_delivery_is_sent_once),
        STORE_BOTH(test_newer_delivery_supersedes),
        STORE_BOTH(test_crash_leaves_deliveries_unknown),
        STORE_BOTH(test_lists),
        STORE_BOTH(test_scored_since),
        STORE_BOTH(test_keys_and_artifacts),
    };
    return cmocka_run_group_tests_name("store lead", tests, fixture_group_begin, fixture_group_end);
}
