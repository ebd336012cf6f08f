/* test_plan.c — which source next: closed forms, an exact comparison for small cases, limits, learning. */
#include "unit.h"

#include "enrich/plan_priv.h"

enum { MILLION = 1000000 };

static double log_odds_of(double p) { return log(p / (1 - p)); }

/* A plan that knows P(hit) of each source and field for sure, without findability. */
static struct plan *known(struct arena *a, const struct plan_source *source, size_t n_source, size_t n_field,
                          const double *hit) {
    struct plan *p = plan_new(
        a, &(struct plan_settings){.n_source = n_source, .n_field = n_field, .n_segment = 1, .source = source, .seed = 1});
    for (size_t i = 0; i < p->n_parameter; i++)
        p->parameter[i].mean = 0;
    for (size_t s = 0; s < n_source; s++)
        for (size_t f = 0; f < n_field; f++)
            p->parameter[plan_at_cell(p, s, f, 0)].mean = log_odds_of(hit[s * n_field + f]);
    return p;
}

static void lead_of(const struct plan *p, struct plan_lead *lead) {
    plan_lead_begin(p, 0, lead);
    for (size_t f = 0; f < p->set.n_field; f++)
        lead->weight[f] = MILLION;
}

/* Where misses cost, the first is the one with most hits for its price; where only hits cost, the cheapest. */
static void the_order_is_that_of_the_exchange_argument(void **state) {
    const double hit[] = {0.9, 0.3, 0.5};
    const struct plan_source calls[] = {{1, 90, 0, 0}, {1, 10, 0, 0}, {1, 20, 0, 0}};
    const struct plan_source hits[] = {{1, 0, 90, 0}, {1, 0, 30, 0}, {1, 0, 20, 0}};
    const int by_ratio[] = {1, 2, 0}, by_price[] = {2, 1, 0};
    for (int kind = 0; kind < 2; kind++) {
        struct plan *p = known(*state, kind ? hits : calls, 3, 1, hit);
        struct plan_lead lead;
        lead_of(p, &lead);
        for (int k = 0; k < 3; k++) {
            struct plan_choice c = plan_choose(p, &lead, 0);
            assert_int_equal(c.source, kind ? by_price[k] : by_ratio[k]);
            assert_close(c.gain, MILLION * hit[c.source], 1e-6);
            assert_close(c.charge,
                         kind ? hit[c.source] * (double)hits[c.source].price_hit : (double)calls[c.source].price_call, 1e-6);
            plan_answer(p, &lead, (size_t)c.source, 0, 0);
        }
        assert_int_equal(plan_choose(p, &lead, 0).source, PLAN_NONE);
    }
}

static void nothing_is_bought_that_brings_nothing(void **state) {
    const double hit[] = {0.5, 0.5};
    const struct plan_source source[] = {{1, 100, 0, 0}, {1, 100, 0, 0}};
    struct plan *p = known(*state, source, 2, 1, hit);
    struct plan_lead lead;
    lead_of(p, &lead);
    assert_int_equal(plan_choose(p, &lead, 4999).source, 0);
    struct plan_choice c = plan_choose(p, &lead, 5001); /* 0.5 of a million for 100 */
    assert_int_equal(c.source, PLAN_NONE);
    assert_close(c.runner_up_index, 5000, 1e-6);
    lead.left = 99;
    assert_int_equal(plan_choose(p, &lead, 0).source, PLAN_NONE);
    lead_of(p, &lead);
    lead.barred = 3;
    assert_int_equal(plan_choose(p, &lead, 0).source, PLAN_NONE);
    lead_of(p, &lead);
    lead.weight[0] = 0;
    assert_int_equal(plan_choose(p, &lead, 0).source, PLAN_NONE);
    lead_of(p, &lead);
    plan_answer(p, &lead, 0, 1, 100);
    assert_int_equal(plan_choose(p, &lead, 0).source, PLAN_NONE);
    lead_of(p, &lead);
    lead.trust[0] = 0.7; /* a second opinion is worth the rest */
    plan_answer(p, &lead, 0, 1, 100);
    assert_close(plan_choose(p, &lead, 0).gain, 0.5 * 0.3 * MILLION, 1e-6);
}

/* ---- exact optimum of small cases ---- */

struct game {
    size_t n_source, n_field;
    int64_t price[4];
    double hit[4 * 3];
};

/* Expected number of fields filled from here on by the best policy: a call fills each field with its own chance. */
static double best_value(const struct game *g, unsigned asked, unsigned filled, int64_t left) {
    double best = 0;
    for (size_t s = 0; s < g->n_source; s++) {
        double value = 0;
        if (asked >> s & 1 || g->price[s] > left)
            continue;
        for (unsigned hits = 0; hits < 1u << g->n_field; hits++) {
            double chance = 1;
            for (size_t f = 0; f < g->n_field; f++)
                chance *= hits >> f & 1 ? g->hit[s * g->n_field + f] : 1 - g->hit[s * g->n_field + f];
            value += chance * (__builtin_popcount(hits & ~filled) +
                               best_value(g, asked | 1u << s, filled | hits, left - g->price[s]));
        }
        best = fmax(best, value);
    }
    return best;
}

static double plan_value(struct plan *p, const struct game *g, const struct plan_lead *lead) {
    struct plan_choice c = plan_choose(p, lead, 0);
    double value = 0;
    if (c.source == PLAN_NONE)
        return 0;
    const size_t s = (size_t)c.source;
    for (unsigned hits = 0; hits < 1u << g->n_field; hits++) {
        struct plan_lead next = *lead;
        double chance = 1, fresh = 0;
        for (size_t f = 0; f < g->n_field; f++) {
            chance *= hits >> f & 1 ? g->hit[s * g->n_field + f] : 1 - g->hit[s * g->n_field + f];
            fresh += hits >> f & 1 && lead->confidence[f] < 1;
        }
        plan_answer(p, &next, s, hits, g->price[s]);
        value += chance * (fresh + plan_value(p, g, &next));
    }
    return value;
}

static void small_cases_come_near_the_optimum(void **state) {
    enum { GAMES = 300 };
    struct rng r = rng_from_seed(5);
    double sum = 0, worst = 1;
    for (int k = 0; k < GAMES; k++) {
        struct arena_mark mark = arena_mark(*state);
        struct game g = {.n_source = 2 + rng_below(&r, 3), .n_field = 1 + rng_below(&r, 3)};
        struct plan_source source[4];
        int64_t total = 0;
        for (size_t s = 0; s < g.n_source; s++) {
            g.price[s] = 1 + (int64_t)rng_below(&r, 6);
            total += g.price[s];
            source[s] = (struct plan_source){(1u << g.n_field) - 1, g.price[s], 0, 0};
            for (size_t f = 0; f < g.n_field; f++)
                g.hit[s * g.n_field + f] = 0.05 + 0.9 * rng_uniform(&r);
        }
        struct plan *p = known(*state, source, g.n_source, g.n_field, g.hit);
        struct plan_lead lead;
        lead_of(p, &lead);
        lead.left = 1 + (int64_t)rng_below(&r, (uint64_t)total);
        double best = best_value(&g, 0, 0, lead.left), ratio = best > 0 ? plan_value(p, &g, &lead) / best : 1;
        assert_true(ratio < 1 + 1e-9);
        sum += ratio;
        worst = fmin(worst, ratio);
        arena_rewind(*state, mark);
    }
    assert_true(worst >= 0.63);
    assert_true(sum / GAMES >= 0.97);
}

/* ---- learning ---- */

/* Two sources that know the same leads: what the first says of a lead is told of the second. */
static void it_learns_rates_and_findability(void **state) {
    const struct plan_source source[] = {{3, 10, 0, 0}, {3, 10, 0, 0}};
    struct plan *p =
        plan_new(*state, &(struct plan_settings){.n_source = 2, .n_field = 2, .n_segment = 2, .source = source, .seed = 1});
    struct rng r = rng_from_seed(2);
    double seen = 0, hits_first = 0;
    for (int i = 0; i < 8000; i++) {
        uint64_t hits[PLAN_SOURCES] = {0};
        struct plan_lead lead;
        size_t segment = (size_t)rng_below(&r, 2);
        double z = rng_normal(&r);
        for (size_t s = 0; s < 2; s++)
            for (size_t f = 0; f < 2; f++)
                hits[s] |= (uint64_t)(rng_uniform(&r) < 1 / (1 + exp(-(segment ? 1.0 : -1.5) - 1.5 * z))) << f;
        plan_lead_begin(p, segment, &lead);
        plan_answer(p, &lead, 0, hits[0], 10);
        plan_answer(p, &lead, 1, hits[1], 10);
        plan_learn(p, &lead, hits, 0);
        if (segment == 0) {
            seen++;
            hits_first += (hits[0] & 1) != 0;
        }
    }
    struct plan_lead fresh, found, missed;
    plan_lead_begin(p, 0, &fresh);
    assert_close(plan_probability(p, &fresh, 0, 0), hits_first / seen, 0.03);
    found = missed = fresh;
    plan_answer(p, &found, 0, 3, 10);
    plan_answer(p, &missed, 0, 0, 10);
    assert_true(plan_probability(p, &found, 1, 0) > plan_probability(p, &fresh, 1, 0) + 0.2);
    assert_true(plan_probability(p, &missed, 1, 0) < plan_probability(p, &fresh, 1, 0) - 0.05);
    plan_lead_begin(p, 1, &fresh);
    assert_true(plan_probability(p, &fresh, 0, 0) > 0.6);
    double *saved = ARENA_ARRAY(*state, plan_state_count(p), double);
    plan_state_save(p, saved);
    struct plan *again = plan_new(*state, &p->set);
    assert_true(plan_state_load(again, saved));
    assert_true(plan_probability(again, &found, 1, 1) == plan_probability(p, &found, 1, 1));
    saved[plan_state_count(p) - 1] = 0;
    assert_false(plan_state_load(again, saved));
    saved[plan_state_count(p) - 1] = NAN;
    assert_false(plan_state_load(again, saved));
    assert_true(plan_probability(again, &found, 1, 1) == plan_probability(p, &found, 1, 1));
}

static void what_is_old_fades(void **state) {
    const struct plan_source source[] = {{1, 10, 0, 0}};
    struct plan *p =
        plan_new(*state, &(struct plan_settings){
                             .n_source = 1, .n_field = 1, .n_segment = 1, .source = source, .forget_days = 30, .seed = 1});
    struct plan_lead lead;
    uint64_t hits[PLAN_SOURCES] = {0};
    plan_lead_begin(p, 0, &lead);
    double before = plan_probability(p, &lead, 0, 0);
    for (int i = 0; i < 500; i++) {
        plan_lead_begin(p, 0, &lead);
        plan_answer(p, &lead, 0, hits[0] = 1, 10);
        plan_learn(p, &lead, hits, 0);
    }
    plan_lead_begin(p, 0, &lead);
    double learned = plan_probability(p, &lead, 0, 0);
    assert_true(learned > 0.95);
    struct plan_lead nobody;
    plan_lead_begin(p, 0, &nobody); /* nothing asked, only the time */
    plan_learn(p, &nobody, hits, 300);
    assert_true(plan_probability(p, &lead, 0, 0) < learned - 0.1);
    plan_learn(p, &nobody, hits, 5000);
    assert_close(plan_probability(p, &lead, 0, 0), before, 0.02);
}

/* Trials stay within their share of the money, and go on for ever. */
static void trials_are_few_and_have_their_propensity(void **state) {
    enum { LEADS = 20000 };
    const double hit[] = {0.9, 0.02};
    const struct plan_source source[] = {{1, 10, 0, 0}, {1, 10, 0, 0}};
    struct plan *p = known(*state, source, 2, 1, hit);
    p->set.explore_share = 0.02;
    double tried = 0, spent = 0, expected = 0, chosen = 0;
    for (int i = 0; i < LEADS; i++) {
        struct plan_lead lead;
        lead_of(p, &lead);
        struct plan_choice c = plan_choose(p, &lead, MILLION * 0.05);
        assert_true(c.propensity > 0 && c.propensity <= 1);
        spent += c.source == PLAN_NONE ? 0 : 10;
        tried += c.explores;
        chosen += !c.explores;
        expected += c.explores ? 0 : c.propensity;
        if (c.source != PLAN_NONE)
            plan_answer(p, &lead, (size_t)c.source, c.source == 0, 10);
    }
    assert_true(tried > 5 && tried * 10 <= 0.02 * spent + 10);
    assert_close(expected / chosen, 1, 0.03);
}

static void a_round_asks_different_sources_within_what_is_left(void **state) {
    const double hit[] = {0.6, 0.6, 0.6};
    const struct plan_source source[] = {{1, 10, 0, 0}, {1, 11, 0, 0}, {1, 12, 0, 0}};
    struct plan *p = known(*state, source, 3, 1, hit);
    struct plan_lead lead;
    struct plan_choice out[3];
    lead_of(p, &lead);
    lead.left = 22;
    assert_int_equal(plan_choose_round(p, &lead, 0, 3, out), 2);
    assert_int_equal(out[0].source, 0);
    assert_int_equal(out[1].source, 1);
    assert_close(out[1].gain, 0.6 * 0.4 * MILLION, 1e-6);
    assert_int_equal(lead.asked, 0);
}

/* Leads of different worth all day: the budget is spent by its end, and hardly exceeded. */
static void the_price_keeps_to_the_budget(void **state) {
    (void)state;
    for (int start = 0; start < 3; start++) {
        enum { N = 20000 };
        struct rng r = rng_from_seed(9);
        struct plan_price m = {.price = (double[]){0.001, 1, 1000}[start], .budget = 4000};
        for (int i = 0; i < N; i++) {
            double ratio = exp(rng_normal(&r)), charge = ratio >= m.price && m.spent < m.budget ? 1 : 0;
            plan_price_move(&m, charge, (i + 1.0) / N);
        }
        assert_true(m.spent <= m.budget);
        assert_close(m.spent / m.budget, 1, 0.06);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_order_is_that_of_the_exchange_argument),
        ARENA_TEST(nothing_is_bought_that_brings_nothing),
        ARENA_TEST(small_cases_come_near_the_optimum),
        ARENA_TEST(it_learns_rates_and_findability),
        ARENA_TEST(what_is_old_fades),
        ARENA_TEST(trials_are_few_and_have_their_propensity),
        ARENA_TEST(a_round_asks_different_sources_within_what_is_left),
        ARENA_TEST(the_price_keeps_to_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
