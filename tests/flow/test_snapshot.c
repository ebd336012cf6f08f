/* test_snapshot.c — what a run leaves behind: made again to the bit from it, and the call-back. */
#include "run_support.h"

static const char *const families[] = {"logistic", "naive_bayes", "gbdt", "auto", "subscore", "bayesian"};

static const char *const bodies[] = {
    "{\"source\":\"Ads\",\"visits\":18,\"interests\":[\"erp\",\"mail\"],\"founded\":\"2005-12-15\",\"newsletter\":false}",
    "{\"source\":\"Referral\",\"interests\":[\"a;b\",\" mail \",\"\"],\"visits\":\"\"}",
    "{\"custom\":{\"visits\":-3.25e2},\"source\":\"\xC3\xA9\\u0007 \\\"x\\\"\"}",
    "{\"email\":\"ada@x.example\"}",
    "{\"source\":\"Ads\",\"interests\":[\"mail\"],\"newsletter\":true,\"founded\":\"not a day\",\"visits\":1e300}",
};

enum { N_FAMILY = sizeof families / sizeof *families, N_BODY = sizeof bodies / sizeof *bodies };

static const char two_names[] = "format: 1\nname: P\nfields:\n  origin: [Origin, source]\n  visits: [Visits, hits]\n"
                                "firmographics:\n  - field: origin\n    values: {Referral: 1, Ads: 0.5}\n"
                                "behaviour:\n  - field: visits\n    at_least: 5\n"
                                "negative_personas:\n  - name: Many visits\n    when: {field: visits, above: 40}\n";

static void assert_replays(struct arena *a, const struct model_pin *pin, const char *body) {
    struct run *run = run_to_end(a, pin, str_from(body));
    str snapshot = run_snapshot(a, run);
    struct run again = {.arena = a, .lead = run->lead};
    bool same = false;
    assert_ok(snapshot_replay(snapshot, pin, &again, &same));
    if (!same)
        fail_msg("not the same again: %.*s", STR_ARG(snapshot));
    assert_int_equal(again.n_share, run->n_share);
    for (size_t t = 0; t < run->n_share; t++)
        assert_memory_equal(&again.share[t], &run->share[t], sizeof *run->share);
}

static void a_run_is_made_again_to_the_bit(void **state) {
    struct arena *a = *state;
    for (size_t k = 0; k < N_FAMILY; k++)
        for (size_t i = 0; i < N_BODY; i++)
            assert_replays(a, run_pin(a, families[k]), bodies[i]);
    const struct model_pin *alone = run_pin_of(a, pin_defaults(), (str){0}, str_from(two_names)),
                           *both = run_pin_of(a, pin_defaults(), golden_bytes(a, "v1-gbdt.model"), str_from(two_names));
    static const char *const more[] = {
        "{\"Origin\":\"\",\"source\":\"Ads\",\"hits\":7}", "{\"hits\":41,\"source\":\"Ads\"}",
        "{\"ORIGIN\":\"\",\"Origin\":null,\"source\":\"Ads\",\"VISITS\":\"8\",\"hits\":null}"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        assert_replays(a, alone, more[i]);
        assert_replays(a, both, more[i]);
    }
}

static void another_model_does_not_give_the_same(void **state) {
    struct arena *a = *state;
    struct run again = {.arena = a};
    bool same = true;
    str snapshot = run_snapshot(a, run_to_end(a, run_pin(a, "logistic"), str_from(bodies[0])));
    assert_ok(snapshot_replay(snapshot, run_pin(a, "gbdt"), &again, &same));
    assert_false(same);
}

static void it_says_what_a_score_was_made_from(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin = run_pin(a, "logistic");
    struct run *run = run_to_end(a, pin, STR("{\"lead_id\":\"L-7\",\"colour\":\"red\",\"visits\":18,\"source\":\"Ads\"}"));
    const struct json *v, *list;
    double sum, number;
    assert_ok(snapshot_read(a, run_snapshot(a, run), &v));
    assert_str(json_get(v, STR("external"))->string, "L-7");
    assert_int_equal(json_get(v, STR("facts"))->count, 2);
    assert_str(json_get(json_get(v, STR("facts")), STR("visits"))->string, "18");
    assert_ok(json_get_number(v, STR("base"), &sum));
    assert_ok(json_get_array(v, STR("contributions"), &list));
    for (uint32_t i = 0; i < list->count; i++)
        sum += json_number_of(&list->items[i].items[1]);
    assert_ok(json_get_number(v, STR("log_odds"), &number));
    assert_close(sum, number, 1e-4 * (list->count + 1));
    assert_ok(json_get_array(v, STR("reasons"), &list));
    assert_int_equal(list->count, run->n_reason);
    assert_str(json_get(v, STR("pins"))->string, hash_hex(a, pin_text(pin)).ptr);
}

static void keys_are_in_byte_order(void **state) {
    struct arena *a = *state;
    const struct json *v;
    for (size_t i = 0; i < N_BODY; i++) {
        assert_ok(snapshot_read(a, run_snapshot(a, run_to_end(a, run_pin(a, "auto"), str_from(bodies[i]))), &v));
        for (uint32_t k = 1; k < v->count; k++)
            assert_true(str_compare(v->members[k - 1].key, v->members[k].key) < 0);
    }
}

static void what_is_not_a_snapshot_is_told(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin = run_pin(a, "logistic");
    struct run run = {.arena = a};
    bool same;
    static const char *const bad[] = {"",
                                      "17",
                                      "{}",
                                      "{\"v\":0}",
                                      "{\"v\":1,\"at_ms\":1,\"facts\":[]}",
                                      "{\"v\":1,\"facts\":{}}",
                                      "{\"v\":1,\"at_ms\":1,\"facts\":{\"\":1}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(snapshot_replay(str_from(bad[i]), pin, &run, &same), ERR_CORRUPT, "snapshot_damaged");
    assert_fails(snapshot_replay(STR("{\"v\":2}"), pin, &run, &same), ERR_CORRUPT, "snapshot_newer");
}

static void a_failed_run_leaves_its_reason(void **state) {
    struct arena *a = *state;
    struct run *run = run_new(a, run_pin(a, "logistic"), STR("{"));
    size_t stage = 0;
    assert_int_equal(stages_step(run, &stage, NULL), ERR_INPUT);
    stages_fail(run, str_copy(a, str_from(err_text())));
    str text = run_snapshot(a, run);
    assert_true(str_find(text, STR("\"outcome\":\"failed\"")) > 0);
    assert_true(str_find(text, STR("\"note\":\"line 1")) > 0);
    assert_int_equal(str_find(text, STR("\"facts\"")), -1);
    run->pin = NULL;
    assert_int_equal(str_find(run_snapshot(a, run), STR("\"pins\"")), -1);
}

/* ---- call-back ---- */

static void a_call_back_says_all_in_absolute_values(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin = run_pin(a, "logistic");
    struct run *run = run_to_end(a, pin, STR("{\"lead_id\":\"L-7\",\"visits\":18,\"source\":\"Ads\"}"));
    const struct callback c = {.tenant = run->tenant,
                               .lead = run->lead,
                               .target = STR("callback"),
                               .gen = 3,
                               .scored_ms = RUN_NOW_MS,
                               .snapshot = run_snapshot(a, run),
                               .pins = pin_text(pin)};
    struct buf *out = buf_in(a, 1 << 16);
    const struct json *v;
    double score;
    assert_ok(callback_write(a, &c, out));
    assert_ok(json_parse(a, buf_str(out), NULL, &v));
    static const char *const texts[][2] = {{"external_id", "L-7"},
                                           {"idempotency_key", "acme:01J00000000000000000000000:3:callback"},
                                           {"lead", "01J00000000000000000000000"},
                                           {"tenant", "acme"},
                                           {"outcome", "scored"},
                                           {"scored_at", "2026-06-30T00:00:00Z"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_str(json_get(v, str_from(texts[i][0]))->string, texts[i][1]);
    assert_ok(json_get_number(v, STR("score"), &score));
    assert_true(score == run->score.probability);
    assert_int_equal(json_get(v, STR("generation"))->integer, 3);
    assert_int_equal(json_get(v, STR("reasons"))->count, run->n_reason);
    assert_str(json_get(json_get(v, STR("made_by")), STR("model"))->string, str_cstr(a, pin_terms(pin)->model));
    assert_fails(callback_write(a, &(struct callback){.snapshot = STR("{")}, out), ERR_CORRUPT, "snapshot_damaged");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_run_is_made_again_to_the_bit),          ARENA_TEST(another_model_does_not_give_the_same),
        ARENA_TEST(it_says_what_a_score_was_made_from),      ARENA_TEST(keys_are_in_byte_order),
        ARENA_TEST(what_is_not_a_snapshot_is_told),          ARENA_TEST(a_failed_run_leaves_its_reason),
        ARENA_TEST(a_call_back_says_all_in_absolute_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
