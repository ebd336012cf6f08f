/* test_store_random.c — commands in random order, checked step by step against a model in memory. */
#include "base/rng.h"
#include "store_fixture.h"

enum { LEADS = 20, BODIES = 8, LEASES = 400, MAX_CRASH = 3 };

enum model_run { RUN_NONE = -1 }; /* else enum run_status */

/* What a lead must look like. */
struct model_lead {
    bool exists, seen[BODIES];
    int body;
    str id;
    enum lead_state state;
    enum run_outcome outcome;
    int64_t gen;
    int run;
    int64_t fence, attempt, crash;
    bool suspect;
};

/* A lease that was given out at some time, good or lost. */
struct model_lease {
    size_t lead;
    struct lease lease;
};

struct model {
    struct store_fixture *f;
    struct rng rng;
    struct model_lead lead[LEADS];
    struct model_lease lease[LEASES];
    size_t n_lease, finished, stale, crashes;
};

static size_t pick(struct model *m, size_t n) { return (size_t)rng_below(&m->rng, n); }

static void keep_lease(struct model *m, size_t lead, struct lease lease) {
    const size_t at = m->n_lease < LEASES ? m->n_lease++ : pick(m, LEASES);
    m->lease[at] = (struct model_lease){lead, lease};
}

/* One of the last few, or any. */
static const struct model_lease *pick_lease(struct model *m) {
    const size_t n = m->n_lease, few = n < 6 ? n : 6;
    return &m->lease[pick(m, 3) > 0 ? n - 1 - pick(m, few) : pick(m, n)];
}

/* True when the command that carries it must be obeyed. */
static bool holds(const struct model *m, const struct model_lease *l) {
    const struct model_lead *lead = &m->lead[l->lead];
    return lead->run == RUN_LEASED && lead->gen == l->lease.gen && lead->fence == l->lease.fence;
}

static void begin_generation(struct model_lead *l) {
    l->fence = l->run == RUN_NONE ? 0 : l->fence + 1;
    l->gen++;
    l->run = RUN_READY;
    l->attempt = l->crash = 0;
    l->suspect = false;
    l->outcome = RUN_OPEN;
}

static void do_accept(struct model *m) {
    const size_t k = pick(m, LEADS);
    const int body = (int)pick(m, BODIES);
    struct model_lead *l = &m->lead[k];
    struct new_lead in = lead_of(str_format(m->f->a, "x-%zu", k), str_format(m->f->a, "{\"n\":%d}", body));
    in.lease = pick(m, 2) == 0;
    const struct accepted *a = accept_one(m->f, in);
    if (!l->exists) {
        assert_int_equal(a->verdict, ACCEPT_NEW);
        *l = (struct model_lead){.exists = true, .body = body, .id = id_of(a), .gen = 1, .run = RUN_READY};
        if (in.lease) {
            l->run = RUN_LEASED;
            l->fence = l->attempt = 1;
            keep_lease(m, k, lease_born(a));
        }
    } else {
        assert_true(str_equal(id_of(a), l->id));
        assert_int_equal(a->verdict, l->seen[body] ? ACCEPT_DUPLICATE : ACCEPT_UPDATED);
        assert_false(a->leased);
        if (!l->seen[body]) {
            l->body = body;
            if (l->run != RUN_NONE || store_may_pass(l->state))
                begin_generation(l);
        }
    }
    l->seen[body] = true;
    assert_int_equal(a->gen, l->gen);
}

static struct model_lead *find(struct model *m, str id) {
    for (size_t i = 0; i < LEADS; i++)
        if (m->lead[i].exists && str_equal(m->lead[i].id, id))
            return &m->lead[i];
    return NULL;
}

static size_t count_innocent(const struct model *m) {
    size_t n = 0;
    for (size_t i = 0; i < LEADS; i++)
        n += m->lead[i].exists && m->lead[i].run == RUN_READY && !m->lead[i].suspect;
    return n;
}

/* Suspects that may come: those with few crashes to their account, or those before the last but one, or one of the rest. */
static size_t suspects_of_turn(const struct model *m) {
    enum { LAST = MAX_CRASH - 1 };
    size_t early = 0, late = 0, last = 0;
    for (size_t i = 0; i < LEADS; i++) {
        const struct model_lead *l = &m->lead[i];
        if (!l->exists || l->run != RUN_READY || !l->suspect)
            continue;
        early += l->crash < LAST - 1;
        late += l->crash == LAST - 1;
        last += l->crash >= LAST;
    }
    return early > 0 ? early : late > 0 ? late : last > 0;
}

static void check_claimed(struct model *m, const struct claimed *r) {
    struct model_lead *l = find(m, r->lead);
    assert_non_null(l);
    assert_int_equal(l->run, RUN_READY);
    l->run = RUN_LEASED;
    l->fence++;
    l->attempt++;
    l->crash += l->suspect;
    assert_int_equal(r->suspect, l->suspect);
    assert_int_equal(r->crash, l->crash);
    assert_int_equal(r->fence, l->fence);
    assert_int_equal(r->attempt, l->attempt);
    assert_int_equal(r->gen, l->gen);
    assert_int_equal(r->state, l->state);
    assert_str(r->body, str_format(m->f->a, "{\"n\":%d}", l->body).ptr);
    keep_lease(m, (size_t)(l - m->lead), lease_of(r));
}

static void do_claim(struct model *m) {
    const struct claim_options o = {.most = 1 + pick(m, 4), .suspects = pick(m, 3) == 0};
    size_t buried = 0;
    for (size_t i = 0; i < LEADS && o.suspects; i++) {
        struct model_lead *l = &m->lead[i];
        if (l->exists && l->run == RUN_READY && l->suspect && l->crash >= MAX_CRASH) {
            l->run = RUN_DEAD;
            l->fence++;
            buried++;
        }
    }
    const size_t suspects = o.suspects ? suspects_of_turn(m) : 0, ready = suspects + count_innocent(m);
    const struct claim *c = claim_runs(m->f, o);
    assert_int_equal(c->n_buried, buried);
    assert_int_equal(c->n, ready < o.most ? ready : o.most);
    for (size_t i = 0; i < c->n; i++)
        check_claimed(m, &c->run[i]);
}

static void do_finish(struct model *m) {
    if (m->n_lease == 0)
        return;
    const struct model_lease *k = pick_lease(m);
    struct model_lead *l = &m->lead[k->lead];
    const bool good = holds(m, k);
    const enum tier tier = pick(m, 20) == 0 ? TIER_HOT : pick(m, 2) == 0 ? TIER_WARM : TIER_COLD;
    struct run *run = scored_run(m->f, good ? l->state : LEAD_INGESTED, tier, 1);
    assert_int_equal(finish_is_stale(m->f, k->lease, run), !good);
    m->stale += !good;
    if (!good)
        return;
    m->finished++;
    l->state = run->path.state[run->path.n - 1];
    l->outcome = RUN_SCORED;
    l->run = RUN_NONE;
}

static void do_giveback(struct model *m) {
    if (m->n_lease == 0)
        return;
    const struct model_lease *k = pick_lease(m);
    struct model_lead *l = &m->lead[k->lead];
    const bool good = holds(m, k), dead = pick(m, 4) == 0, counted = pick(m, 2) == 0;
    assert_int_equal(
        give_back(m->f,
                  (struct giveback){.lease = k->lease, .dead = dead, .counted = counted, .slug = "s", .reason = STR("r")}),
        !good);
    if (!good)
        return;
    l->run = dead ? RUN_DEAD : RUN_READY;
    l->attempt -= !counted;
    l->suspect = false;
    l->crash = 0;
}

static void do_cancel(struct model *m) {
    struct model_lead *l = &m->lead[pick(m, LEADS)];
    if (!l->exists)
        return;
    err rc = store_cancel(m->f->store, STR("acme"), l->id, STR("test"));
    assert_int_equal(rc, l->run == RUN_NONE ? ERR_ABSENT : OK);
    if (rc != OK)
        return;
    l->run = RUN_NONE;
    l->outcome = RUN_CANCELLED;
}

static void do_rescore(struct model *m) {
    struct model_lead *l = &m->lead[pick(m, LEADS)];
    if (!l->exists)
        return;
    int64_t gen = 0;
    err rc = store_rescore(m->f->store, STR("acme"), l->id, STR("by hand"), STR("test"), STR("{}"), RUN_NORMAL, &gen);
    const bool may = store_may_pass(l->state) && l->run == RUN_NONE;
    assert_int_equal(rc, may ? OK : ERR_CONFLICT);
    if (!may)
        return;
    begin_generation(l);
    assert_int_equal(gen, l->gen);
}

static void do_redrive(struct model *m) {
    size_t n = 0, expected = 0;
    assert_ok(store_redrive(m->f->store, STR("acme"), (str){"", 0}, (str){"", 0}, 100, STR("test"), &n));
    for (size_t i = 0; i < LEADS; i++) {
        struct model_lead *l = &m->lead[i];
        if (!l->exists || l->run != RUN_DEAD)
            continue;
        expected++;
        l->run = RUN_READY;
        l->attempt = l->crash = 0;
        l->suspect = false;
    }
    assert_int_equal(n, expected);
}

static void do_crash(struct model *m) {
    crash_and_reopen(m->f);
    m->crashes++;
    size_t held = 0;
    for (size_t i = 0; i < LEADS; i++) {
        struct model_lead *l = &m->lead[i];
        if (!l->exists || l->run != RUN_LEASED)
            continue;
        held++;
        l->run = RUN_READY;
        l->suspect = true;
    }
    const struct claim *c = claim_runs(m->f, (struct claim_options){.most = 1});
    assert_int_equal(c->n_recovered, held);
    assert_int_equal(c->n, count_innocent(m) > 0);
    for (size_t i = 0; i < c->n; i++)
        check_claimed(m, &c->run[i]);
}

static void check_all(struct model *m) {
    for (size_t i = 0; i < LEADS; i++) {
        const struct model_lead *l = &m->lead[i];
        if (!l->exists)
            continue;
        const struct lead_view v = look_at(m->f, l->id);
        assert_int_equal(v.state, l->state);
        assert_int_equal(v.outcome, l->outcome);
        assert_int_equal(v.gen, l->gen);
        assert_int_equal(v.live, l->run != RUN_NONE);
        if (!v.live)
            continue;
        assert_int_equal(v.run_status, l->run);
        assert_int_equal(v.fence, l->fence);
        assert_int_equal(v.attempt, l->attempt);
        assert_int_equal(v.run_gen, l->gen);
    }
    assert_int_equal(lost_count(m->f), 0);
}

static void play(struct store_fixture *f, uint64_t seed, int steps) {
    struct model *m = ARENA_NEW(f->a, struct model);
    *m = (struct model){.f = f, .rng = rng_from_seed(seed)};
    static void (*const deeds[])(struct model *) = {do_accept, do_accept,   do_claim,  do_claim,   do_claim,   do_finish,
                                                    do_finish, do_giveback, do_cancel, do_rescore, do_rescore, do_redrive};
    for (int i = 0; i < steps; i++) {
        if (pick(m, 60) == 0)
            do_crash(m);
        else
            deeds[pick(m, sizeof deeds / sizeof *deeds)](m);
        if (i % 10 == 9)
            check_all(m);
    }
    check_all(m);
    print_message("# seed %llu: %zu passages finished, %zu stale, %zu crashes\n", (unsigned long long)seed, m->finished,
                  m->stale, m->crashes);
    assert_true(m->finished > 0 && m->stale > 0);
}

static void test_random_order(void **state) {
    struct store_fixture *f = fixture(state);
    const char *given = getenv("GALENA_SEED");
    play(f, given ? strtoull(given, NULL, 10) : 20260101, f->kind == DB_SQLITE ? 1500 : 600);
}

static void test_random_order_again(void **state) { play(fixture(state), 7, 700); }

int main(void) {
    const struct CMUnitTest tests[] = {STORE_BOTH(test_random_order), STORE_SQLITE(test_random_order_again)};
    return cmocka_run_group_tests_name("store random", tests, fixture_group_begin, fixture_group_end);
}
