/* test_world.c — the market is the same whenever it is drawn, and its truth is what it says. */
#include "unit.h"

#include "base/time.h"
#include "sandbox/world.h"

static struct world market(enum world_truth truth) {
    return (struct world){.seed = 3,
                          .n_companies = 3000,
                          .first_day = time_days_from_civil((struct civil){2026, 1, 5}),
                          .n_days = 300,
                          .leads_per_day = 40,
                          .truth = truth};
}

static void a_company_depends_on_its_number_only(void **state) {
    struct world w = market(WORLD_LINEAR);
    struct world_company x, y, z;
    world_company(*state, &w, 17, &x);
    world_company(*state, &w, 18, &y);
    world_company(*state, &w, 17, &z);
    assert_true(str_equal(x.name, z.name) && str_equal(x.domain, z.domain) && x.employees == z.employees);
    assert_false(str_equal(x.domain, y.domain));
    w.seed++;
    world_company(*state, &w, 17, &z);
    assert_false(x.employees == z.employees);
}

static int by_text(const void *x, const void *y) { return str_compare(*(const str *)x, *(const str *)y); }

/* Domains are a company's own; some names are not, and those are in the world on purpose. */
static void domains_differ_and_some_names_do_not(void **state) {
    enum { N = 20000 };
    struct world w = market(WORLD_LINEAR);
    w.n_companies = N;
    str *domain = arena_alloc(*state, N * sizeof *domain), *name = arena_alloc(*state, N * sizeof *name);
    size_t same = 0;
    for (uint64_t i = 0; i < N; i++) {
        struct world_company c;
        world_company(*state, &w, i, &c);
        domain[i] = c.domain;
        name[i] = c.short_name;
        assert_true(c.parent < (int64_t)i);
        assert_true(str_empty(c.former_name) == (c.renamed_day == 0));
    }
    qsort(domain, N, sizeof *domain, by_text);
    qsort(name, N, sizeof *name, by_text);
    for (size_t i = 1; i < N; i++) {
        assert_false(str_equal(domain[i], domain[i - 1]));
        same += str_equal(name[i], name[i - 1]);
    }
    assert_in_range(same, N / 50, N / 20);
}

struct tally {
    double n, p, won, sum_high, won_high, n_high, again, junk;
    int64_t last_ms;
};

static struct tally walk_all(void **state, const struct world *w) {
    struct tally t = {0};
    struct world_walk walk;
    world_walk_begin(&walk, w);
    for (;;) {
        struct arena_mark mark = arena_mark(*state);
        struct world_lead l;
        if (!world_walk_next(&walk, *state, &l))
            return t;
        assert_true(l.received_ms >= t.last_ms);
        t.last_ms = l.received_ms;
        assert_int_equal(l.number, (uint64_t)t.n);
        t.n++;
        t.again += l.same_as >= 0;
        t.junk += l.same_as == WORLD_JUNK;
        assert_true(l.same_as < (int64_t)l.number);
        if (l.same_as == WORLD_JUNK) {
            assert_true(l.outcome == WORLD_DISQUALIFIED || l.outcome == WORLD_OPEN);
        } else if (l.outcome != WORLD_OPEN) {
            assert_true(l.probability > 0 && l.probability < 1);
            assert_true(l.outcome_ms > l.received_ms);
            t.p += l.probability;
            t.won += l.outcome == WORLD_WON;
            bool high = l.probability > 0.5;
            t.n_high += high;
            t.sum_high += high ? l.probability : 0;
            t.won_high += high && l.outcome == WORLD_WON;
        }
        arena_rewind(*state, mark);
    }
}

/* Arrivals come in order and as often as said; sales follow the stated probability up to what sales people add. */
static void leads_arrive_and_sell_as_promised(void **state) {
    for (int truth = 0; truth < WORLD_TRUTH_COUNT; truth++) {
        struct world w = market((enum world_truth)truth);
        struct tally t = walk_all(state, &w);
        assert_close(t.n / (w.leads_per_day * w.n_days), 1, 0.12);
        assert_close(t.again / t.n, 0.06, 0.01);
        assert_close(t.junk / t.n, 0.025, 0.006);
        assert_true(t.won / t.n > 0.10 && t.won / t.n < 0.30);
        assert_close(t.won / t.p, 1, 0.12);
        assert_close(t.won_high / t.sum_high, 1, 0.12);
    }
}

static void a_walk_can_be_repeated(void **state) {
    struct world w = market(WORLD_TREE);
    struct world_walk one, two;
    world_walk_begin(&one, &w);
    world_walk_begin(&two, &w);
    for (int i = 0; i < 500; i++) {
        struct arena_mark mark = arena_mark(*state);
        struct world_lead x, y;
        assert_true(world_walk_next(&one, *state, &x) && world_walk_next(&two, *state, &y));
        assert_true(str_equal(x.email, y.email) && str_equal(x.company_name, y.company_name));
        assert_true(x.received_ms == y.received_ms && x.outcome == y.outcome && x.probability == y.probability);
        arena_rewind(*state, mark);
    }
}

/* The day the market changes, the same lead has another probability, and not before. */
static void drift_changes_the_truth_on_its_day(void **state) {
    struct world w = market(WORLD_LINEAR), d = w;
    struct world_company c;
    struct world_person p;
    struct world_engagement did = {.visits = 3, .pages = 9, .opens = 1, .event_day = w.first_day};
    d.drift_day = 100;
    world_company(*state, &w, 5, &c);
    world_person(*state, &w, &c, 1, &p);
    int64_t before = w.first_day + 99, after = w.first_day + 100;
    assert_true(world_probability(&w, &c, &p, &did, before) == world_probability(&d, &c, &p, &did, before));
    assert_false(world_probability(&w, &c, &p, &did, after) == world_probability(&d, &c, &p, &did, after));
}

/* Of each source: how many companies it knows, how often it is right, and how often it repeats another's mistake. */
static void sources_are_as_good_as_they_say(void **state) {
    struct world w = market(WORLD_LINEAR);
    int64_t day = w.first_day + 100;
    double repeated = 0, mistakes = 0;
    for (size_t s = 0; s < world_n_sources; s++) {
        double known = 0, right = 0, told = 0, elsewhere = 0;
        for (uint64_t i = 0; i < w.n_companies; i++) {
            struct arena_mark mark = arena_mark(*state);
            struct world_claim claim[WORLD_FIELD_COUNT], theirs[WORLD_FIELD_COUNT];
            bool wrong_entity, x;
            size_t n = world_ask(*state, &w, s, i, day, claim, &wrong_entity);
            known += n > 0;
            elsewhere += wrong_entity;
            for (size_t k = 0; k < n; k++) {
                assert_true(claim[k].seen_day <= day && !str_empty(claim[k].value));
                if (claim[k].field == WORLD_USES)
                    continue;
                told++;
                right += claim[k].right;
            }
            if (world_sources[s].upstream == 0 && world_ask(*state, &w, 0, i, day, theirs, &x) > 0 && n > 0 &&
                !theirs[0].right) {
                mistakes++;
                repeated += str_equal(theirs[0].value, claim[0].value);
            }
            arena_rewind(*state, mark);
        }
        double share = known / (double)w.n_companies;
        assert_true(share > 0.2 && share < 0.98);
        assert_close(elsewhere / known, world_sources[s].wrong_entity, 0.012);
        if (told > 0 && world_sources[s].upstream < 0) /* who copies is as good as what he copies */
            assert_close(right / told, world_sources[s].accuracy, 0.07);
    }
    assert_true(mistakes > 20 && repeated > 0.5 * mistakes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_company_depends_on_its_number_only), ARENA_TEST(domains_differ_and_some_names_do_not),
        ARENA_TEST(leads_arrive_and_sell_as_promised),    ARENA_TEST(a_walk_can_be_repeated),
        ARENA_TEST(drift_changes_the_truth_on_its_day),   ARENA_TEST(sources_are_as_good_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
