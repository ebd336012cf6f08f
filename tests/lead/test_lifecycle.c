/* test_lifecycle.c — the diagram of a lead's states, edge by edge, and the questions of a run. */
#include "unit.h"

#include "lead/lifecycle.h"
#include "lead/run.h"

/* Every edge of the diagram, and no other. */
static void test_edges(void **state) {
    (void)state;
    static const enum lead_state edge[][2] = {
        {LEAD_INGESTED, LEAD_PENDING_ENRICHMENT},
        {LEAD_PENDING_ENRICHMENT, LEAD_PENDING_SCORING},
        {LEAD_PENDING_SCORING, LEAD_SCORED},
        {LEAD_SCORED, LEAD_ASSIGNED},
        {LEAD_SCORED, LEAD_NURTURING},
        {LEAD_SCORED, LEAD_ARCHIVED},
        {LEAD_ASSIGNED, LEAD_CONVERTED},
        {LEAD_ASSIGNED, LEAD_DISQUALIFIED},
        {LEAD_NURTURING, LEAD_DISQUALIFIED},
        {LEAD_NURTURING, LEAD_RESCORED},
        {LEAD_ARCHIVED, LEAD_RESCORED},
        {LEAD_RESCORED, LEAD_SCORED},
    };
    const size_t n_edge = sizeof edge / sizeof *edge;
    for (int from = 0; from < LEAD_STATE_COUNT; from++)
        for (int to = 0; to < LEAD_STATE_COUNT; to++) {
            bool wanted = false;
            for (size_t k = 0; k < n_edge; k++)
                wanted |= edge[k][0] == (enum lead_state)from && edge[k][1] == (enum lead_state)to;
            assert_int_equal(lifecycle_allows((enum lead_state)from, (enum lead_state)to), wanted);
        }
}

static void test_refusal_names_both(void **state) {
    (void)state;
    assert_int_equal(lifecycle_check(LEAD_CONVERTED, LEAD_SCORED), ERR_CONFLICT);
    assert_string_equal(err_slug(), "lifecycle_refused");
    assert_string_equal(err_text(), "a lead that is converted cannot become scored");
}

static void test_path(void **state) {
    (void)state;
    struct lifecycle_path p = {.state = {LEAD_INGESTED}, .n = 1};
    assert_int_equal(lifecycle_step(&p, LEAD_PENDING_ENRICHMENT), OK);
    assert_int_equal(lifecycle_step(&p, LEAD_SCORED), ERR_CONFLICT);
    assert_int_equal(lifecycle_step(&p, LEAD_PENDING_SCORING), OK);
    char text[LIFECYCLE_PATH_BYTE];
    size_t n = lifecycle_path_format(&p, text);
    assert_true(str_equal((str){text, n}, STR("ingested>pending_enrichment>pending_scoring")));
}

static void test_names(void **state) {
    (void)state;
    for (int k = 0; k < LEAD_STATE_COUNT; k++) {
        enum lead_state back;
        assert_true(lead_state_parse(str_from(lead_state_name((enum lead_state)k)), &back));
        assert_int_equal(back, k);
    }
    enum lead_state none;
    assert_false(lead_state_parse(STR("hot"), &none));
}

static void test_asks(void **state) {
    struct run run = {.arena = *state};
    const struct run_ask *answer;
    assert_int_equal(run_ask(&run, STR("registry"), STR("{}"), &answer), OK);
    assert_null(answer);
    assert_true(run_waits(&run));
    assert_int_equal(run_ask(&run, STR("registry"), STR("{}"), &answer), OK);
    assert_int_equal(run.n_ask, 1);
    run.ask[0].answered = true;
    assert_int_equal(run_ask(&run, STR("registry"), STR("{}"), &answer), OK);
    assert_ptr_equal(answer, &run.ask[0]);
    assert_false(run_waits(&run));
    for (size_t i = 1; i < RUN_MAX_ASK; i++)
        assert_int_equal(run_ask(&run, str_format(*state, "q%zu", i), STR("{}"), &answer), OK);
    assert_int_equal(run_ask(&run, STR("one more"), STR("{}"), &answer), ERR_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges), cmocka_unit_test(test_refusal_names_both),
        cmocka_unit_test(test_path),  cmocka_unit_test(test_names),
        ARENA_TEST(test_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
