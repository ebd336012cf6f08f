/* test_pls.c — the comparator reproduces the suite's published expectations. */
#include "ml/pls.h"
#include "unit.h"

enum { COUNTRY, STATE, EMAIL, PHONE, SOURCE, FIELDS };
static const uint32_t n_value[FIELDS] = {3, 3, 3, 3, 3};

/* Rows of notes/peers.md, with the codes of the phone and e-mail quality in full: correct, incorrect, unset. */
static const struct {
    uint32_t team, value[FIELDS], stage;
    enum pls_outcome outcome;
} rows[] = {
    {1, {0, 0, 0, 0, 0}, 0, PLS_LOST}, {1, {1, 1, 1, 1, 1}, 1, PLS_LOST}, {1, {2, 2, 2, 2, 2}, 2, PLS_WON},
    {1, {0, 1, 2, 2, 2}, 1, PLS_OPEN}, {1, {1, 1, 2, 2, 1}, 0, PLS_OPEN}, {2, {0, 1, 2, 2, 1}, 2, PLS_LOST},
    {2, {0, 1, 2, 2, 2}, 1, PLS_LOST}, {2, {0, 2, 2, 2, 2}, 0, PLS_WON},  {2, {0, 1, 2, 2, 2}, 1, PLS_OPEN},
    {2, {1, 0, 2, 2, 1}, 1, PLS_OPEN}, {3, {1, 1, 2, 2, 1}, 2, PLS_WON},  {3, {0, 1, 2, 2, 0}, 0, PLS_LOST},
    {3, {1, 2, 2, 2, 2}, 0, PLS_LOST}, {3, {0, 1, 2, 2, 2}, 1, PLS_OPEN},
};
enum { ROWS = sizeof rows / sizeof rows[0], FIRST_OF_TEAM_3 = 10 };

struct world {
    struct pls_value value[ROWS][FIELDS];
    struct pls_lead lead[ROWS];
};

/* Quality is unset on all leads. */
static struct world *make_world(struct arena *a, bool third_team) {
    struct world *w = ARENA_NEW(a, struct world);
    for (uint32_t i = 0; i < ROWS; i++) {
        for (uint32_t f = 0; f < FIELDS; f++)
            w->value[i][f] = (struct pls_value){f, f == EMAIL || f == PHONE ? 2 : rows[i].value[f]};
        uint32_t team = i >= FIRST_OF_TEAM_3 && !third_team ? PLS_NO_TEAM : rows[i].team;
        w->lead[i] = (struct pls_lead){
            .team = team, .stage = rows[i].stage, .outcome = rows[i].outcome, .value = w->value[i], .n_value = FIELDS};
    }
    return w;
}

static const struct pls_shape shape = {.n_team = 4, .n_field = FIELDS, .n_stage = 4, .n_value = n_value, .won_stage = 3};

static double score(struct arena *a, const struct pls_shape *s, const struct world *w, size_t i) {
    struct pls *p;
    double per_cent = -1;
    assert_ok(pls_new(a, s, w->lead, ROWS, &p));
    assert_ok(pls_score(p, &w->lead[i], &per_cent));
    return per_cent;
}

static void reproduces_the_golden_vector(void **state) {
    const struct world *teams = make_world(*state, true), *two = make_world(*state, false);
    assert_close(score(*state, &shape, teams, 3), 33.49, 1e-12);
    assert_close(score(*state, &shape, teams, 8), 7.74, 1e-12);
    assert_close(score(*state, &shape, teams, 13), 35.09, 1e-12);
    assert_close(score(*state, &shape, two, 13), 35.19, 1e-12);
}

static void unknown_team_uses_all(void **state) {
    struct world *w = make_world(*state, false);
    double of_all = score(*state, &shape, w, 13);
    w->lead[13].team = 0; /* a team without leads */
    assert_close(score(*state, &shape, w, 13), of_all, 0);
}

static void won_stage_scores_100_and_open_counts_nothing(void **state) {
    struct world *w = make_world(*state, true);
    w->lead[3].stage = 3;
    assert_close(score(*state, &shape, w, 3), 100, 0);
    assert_close(score(*state, &shape, w, 13), 35.09, 1e-12);
}

static void rare_tags_are_skipped(void **state) {
    bool is_tag[FIELDS] = {[SOURCE] = true};
    struct pls_shape tags = shape;
    tags.is_tag = is_tag;
    struct world *w = make_world(*state, true), *without = make_world(*state, true);
    for (size_t i = 0; i < ROWS; i++)
        without->lead[i].n_value = SOURCE;
    assert_close(score(*state, &tags, w, 3), score(*state, &shape, without, 3), 0);
}

static void refuses_codes_it_does_not_have(void **state) {
    struct world *w = make_world(*state, true);
    struct pls *p;
    w->value[0][0].value = 3;
    assert_fails(pls_new(*state, &shape, w->lead, ROWS, &p), ERR_INPUT, "pls_code");
    w->value[0][0].value = 0;
    w->lead[0].stage = 4;
    assert_fails(pls_new(*state, &shape, w->lead, ROWS, &p), ERR_INPUT, "pls_code");
    assert_ok(pls_new(*state, &shape, NULL, 0, &p));
    double per_cent;
    assert_fails(pls_score(p, &w->lead[1], &per_cent), ERR_ABSENT, "pls_no_counts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reproduces_the_golden_vector),
        ARENA_TEST(unknown_team_uses_all),
        ARENA_TEST(won_stage_scores_100_and_open_counts_nothing),
        ARENA_TEST(rare_tags_are_skipped),
        ARENA_TEST(refuses_codes_it_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
