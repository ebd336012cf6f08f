/* test_reason.c — ranking, wording, and that no sentence speaks against its share. */
#include "explain/reason.h"
#include "unit.h"

static const struct level levels[] = {{.text = STR_INIT("Web")}, {.text = STR_INIT("Referral")}};
static const double level_rate[] = {0.2, 0.8, 0.1, 0.15}, level_share[] = {0.5, 0.3, 0.1, 0.1};
static const struct field fields[] = {
    {.name = STR_INIT("Lead Source"),
     .type = FIELD_CATEGORY,
     .level = levels,
     .n_level = 2,
     .level_rate = level_rate,
     .level_share = level_share},
    {.name = STR_INIT("visits"),
     .title = STR_INIT("Visits"),
     .type = FIELD_NUMERIC,
     .typical_converted = 900,
     .typical_other = 200},
    {.name = STR_INIT("=cmd"), .type = FIELD_CATEGORY, .level = levels, .n_level = 2},
};
static const struct interaction interactions[] = {{.first = 0, .second = 1}, {.first = 1, .second = 2}};
static const struct schema schema = {.field = fields, .n_field = 3, .interaction = interactions, .n_interaction = 2};
static const struct extra_term extra[] = {{.title = STR_INIT("Firmographic fit"), .value = 0.8666}};

static str sentence(struct arena *a, const struct field_value *value, const double *share, uint32_t term) {
    struct reason_input in = {
        .schema = &schema, .value = value, .extra = extra, .n_extra = 1, .share = share, .base_rate = 0.4};
    struct buf *out = buf_in(a, 4096);
    reason_write(out, &in, term);
    return buf_str(out);
}

static void known_values_are_named_with_what_is_typical(void **state) {
    const struct field_value v[] = {
        {VALUE_KNOWN, 1, 0, STR("Referral")}, {VALUE_KNOWN, 0, 1487.2, STR("1487.2")}, {VALUE_MISSING, 3, 0, STR("")}};
    const double share[] = {1.2, 0.7, 0, -0.5};
    assert_str(sentence(*state, v, share, 0),
               "Lead Source is Referral (80 % of such leads convert, 40 % of all): multiplies the odds by 3.32");
    assert_str(sentence(*state, v, share, 1),
               "Visits is 1,487 (typical of converted leads: 900, of the others: 200): multiplies the odds by 2.01");
    assert_str(sentence(*state, v, share, 3), "Firmographic fit is 0.87: divides the odds by 1.65");
}

static void missing_and_rare_values_say_so(void **state) {
    const struct field_value v[] = {
        {VALUE_MISSING, 3, 0, STR("")}, {VALUE_INVALID, 1, 0, STR("many")}, {VALUE_UNSEEN, 2, 0, STR("X")}};
    const double share[] = {-0.7, -0.1, 0.1, 0};
    assert_str(sentence(*state, v, share, 0),
               "Lead Source is not known (15 % of such leads convert, 40 % of all): divides the odds by 2.01");
    assert_str(sentence(*state, v, share, 1), "Visits cannot be read: divides the odds by 1.11");
    assert_str(sentence(*state, v, share, 2), "=cmd is X, which is rare: multiplies the odds by 1.11");
}

/* What is typical stays out where it would argue for the other side. */
static void comparisons_never_contradict_the_sign(void **state) {
    const struct field_value v[] = {
        {VALUE_KNOWN, 1, 0, STR("Referral")}, {VALUE_KNOWN, 0, 950, STR("950")}, {VALUE_KNOWN, 0, 0, STR("Web")}};
    const double share[] = {-0.4, -0.4, 0.4, 0};
    assert_str(sentence(*state, v, share, 0), "Lead Source is Referral: divides the odds by 1.49");
    assert_str(sentence(*state, v, share, 1), "Visits is 950: divides the odds by 1.49");
}

/* What both say together, beyond what each says: the values of both are named. */
static void interactions_name_both_fields(void **state) {
    const struct field_value v[] = {
        {VALUE_KNOWN, 1, 0, STR("Referral")}, {VALUE_KNOWN, 0, 1487.2, STR("1487.2")}, {VALUE_MISSING, 3, 0, STR("")}};
    const double share[] = {0, 0, 0, 0, 0.7, -0.7};
    assert_str(sentence(*state, v, share, 4),
               "Lead Source is Referral and Visits is 1,487, beyond each alone: multiplies the odds by 2.01");
    assert_str(sentence(*state, v, share, 5),
               "Visits is 1,487 and =cmd is not known, beyond each alone: divides the odds by 2.01");
}

static void ranks_by_size_and_leaves_zero_out(void **state) {
    (void)state;
    const double share[] = {0, -0.5, 0.2, NAN, 0.019, 3, -0.2, 0.5};
    uint32_t rank[REASON_MAX];
    assert_int_equal(reason_rank(share, 8, 3, rank), 3);
    assert_int_equal(rank[0], 5);
    assert_int_equal(rank[1], 1); /* ties by index */
    assert_int_equal(rank[2], 7);
    assert_int_equal(reason_rank(share, 8, 20, rank), 5);
    assert_int_equal(reason_rank(share, 8, 0, rank), 0);
    assert_int_equal(reason_rank(share, 1, 3, rank), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(known_values_are_named_with_what_is_typical), ARENA_TEST(missing_and_rare_values_say_so),
        ARENA_TEST(comparisons_never_contradict_the_sign),       ARENA_TEST(interactions_name_both_fields),
        cmocka_unit_test(ranks_by_size_and_leaves_zero_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
