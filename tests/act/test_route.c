/* test_route.c — where a lead goes by its outcome, its tier and where it was. */
#include "act/route.h"
#include "unit.h"

static const str targets[] = {STR_INIT("callback"), STR_INIT("crm")};

static const struct route_policy policy = {
    .target = targets, .n_target = 2, .rescore_day = {[TIER_COLD] = 30, [TIER_WARM] = 7, [TIER_HOT] = 1}};

static const char *path_of(struct arena *a, struct run *run) {
    char text[LIFECYCLE_PATH_BYTE];
    assert_ok(route_lead(run, &policy));
    return str_cstr(a, (str){text, lifecycle_path_format(&run->path, text)});
}

struct expected {
    enum lead_state state;
    enum run_outcome outcome;
    enum tier tier;
    const char *path;
    int64_t day; /* until the timer */
};

static void the_path_follows_from_outcome_tier_and_state(void **state) {
    static const struct expected cases[] = {
        {LEAD_INGESTED, RUN_SCORED, TIER_HOT, "ingested>pending_enrichment>pending_scoring>scored>assigned", 0},
        {LEAD_INGESTED, RUN_SCORED, TIER_WARM, "ingested>pending_enrichment>pending_scoring>scored>nurturing", 7},
        {LEAD_INGESTED, RUN_SCORED, TIER_COLD, "ingested>pending_enrichment>pending_scoring>scored>archived", 30},
        {LEAD_INGESTED, RUN_DISQUALIFIED, TIER_COLD, "ingested>pending_enrichment>pending_scoring>scored>archived", 0},
        {LEAD_INGESTED, RUN_INSUFFICIENT, TIER_COLD, "ingested>pending_enrichment>pending_scoring", 0},
        {LEAD_INGESTED, RUN_FAILED, TIER_COLD, "ingested", 0},
        {LEAD_PENDING_ENRICHMENT, RUN_SCORED, TIER_HOT, "pending_enrichment>pending_scoring>scored>assigned", 0},
        {LEAD_PENDING_SCORING, RUN_SCORED, TIER_HOT, "pending_scoring>scored>assigned", 0},
        {LEAD_PENDING_SCORING, RUN_INSUFFICIENT, TIER_COLD, "pending_scoring", 0},
        {LEAD_NURTURING, RUN_SCORED, TIER_HOT, "nurturing>rescored>scored>assigned", 0},
        {LEAD_NURTURING, RUN_INSUFFICIENT, TIER_COLD, "nurturing", 0},
        {LEAD_ARCHIVED, RUN_SCORED, TIER_WARM, "archived>rescored>scored>nurturing", 7},
        {LEAD_ARCHIVED, RUN_DISQUALIFIED, TIER_COLD, "archived>rescored>scored>archived", 0},
        {LEAD_RESCORED, RUN_SCORED, TIER_COLD, "rescored>scored>archived", 30},
        {LEAD_SCORED, RUN_SCORED, TIER_COLD, "scored>archived", 30},
        {LEAD_ASSIGNED, RUN_SCORED, TIER_COLD, "assigned", 0},
        {LEAD_CONVERTED, RUN_SCORED, TIER_HOT, "converted", 0},
        {LEAD_DISQUALIFIED, RUN_SCORED, TIER_HOT, "disqualified", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expected *c = &cases[i];
        struct run run = {.state = c->state, .outcome = c->outcome, .tier = c->tier, .now_ms = 5};
        assert_string_equal(path_of(*state, &run), c->path);
        assert_true(run.rescore_ms == (c->day > 0 ? 5 + c->day * 86400000ll : 0));
        assert_int_equal(run.n_delivery, c->outcome == RUN_FAILED ? 0 : 2);
    }
}

/* Whatever happens, no path holds a step that the lifecycle refuses. */
static void no_path_has_a_refused_step(void **state) {
    (void)state;
    for (int s = 0; s < LEAD_STATE_COUNT; s++)
        for (int o = 0; o < RUN_OUTCOME_COUNT; o++)
            for (int t = 0; t < TIER_COUNT; t++) {
                struct run run = {.state = (enum lead_state)s, .outcome = (enum run_outcome)o, .tier = (enum tier)t};
                assert_ok(route_lead(&run, &policy));
                assert_int_equal(run.path.state[0], s);
                for (size_t i = 1; i < run.path.n; i++)
                    assert_true(lifecycle_allows(run.path.state[i - 1], run.path.state[i]));
            }
}

static void there_are_at_most_so_many_targets(void **state) {
    (void)state;
    struct run run = {.outcome = RUN_SCORED};
    assert_fails(route_lead(&run, &(struct route_policy){.n_target = RUN_MAX_DELIVERY + 1}), ERR_LIMIT, "route_targets");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_path_follows_from_outcome_tier_and_state),
        ARENA_TEST(no_path_has_a_refused_step),
        ARENA_TEST(there_are_at_most_so_many_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
