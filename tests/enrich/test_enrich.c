/* test_enrich.c — the look-up: what is asked, what an answer may change, and going on without one. */
#include "enrich/enrich.h"
#include "lead/column.h"
#include "unit.h"

static const struct enrich_subject ada = {.email = STR_INIT("ada@x.example"), .domain = STR_INIT("x.example")};

static struct run *new_run(struct arena *a, const char *body) {
    struct run *run = ARENA_NEW(a, struct run);
    struct columns c = {.arena = a};
    *run = (struct run){.arena = a, .lead = STR("L"), .now_ms = 1000};
    assert_ok(json_parse(a, str_from(body), NULL, &run->neutral));
    assert_ok(columns_add(&c, (str){0}, run->neutral, 0));
    run->column = c.column;
    run->n_column = c.n;
    return run;
}

static struct run *answered(struct arena *a, const char *body, const char *answer) {
    struct run *run = new_run(a, body);
    assert_ok(enrich_lead(run, &ada));
    assert_true(run_waits(run));
    run->ask[0].answered = true;
    assert_ok(json_parse(a, str_from(answer), NULL, &run->ask[0].answer));
    assert_ok(enrich_lead(run, &ada));
    return run;
}

static void an_answer_fills_what_the_lead_leaves_empty(void **state) {
    struct run *run = answered(*state, "{\"a\":\"mine\",\"b\":\"\"}",
                               "{\"fields\":{\"a\":\"theirs\",\"b\":\"theirs\",\"company\":{\"size\":5},\"n\":null}}");
    assert_int_equal(enrich_end_of(run), ENRICH_ANSWERED);
    assert_str(run_cell(run, STR("a")), "mine");
    assert_str(run_cell(run, STR("b")), "theirs");
    assert_str(run_cell(run, STR("company.size")), "5");
    assert_int_equal(run->n_column, 3);
    assert_int_equal(run->column[0].from, 0);
    assert_int_equal(run->column[1].from, 1);
    assert_int_equal(run->column[2].from, 1);
}

static void an_answer_may_overwrite_when_it_says_so(void **state) {
    struct run *run = answered(*state, "{\"a\":\"mine\"}", "{\"fields\":{\"a\":\"theirs\"},\"overwrite\":true}");
    assert_str(run_cell(run, STR("a")), "theirs");
    assert_int_equal(run->column[0].from, 1);
    run = answered(*state, "{\"a\":\"mine\"}", "{\"fields\":{\"a\":\"\"},\"overwrite\":true}");
    assert_str(run_cell(run, STR("a")), "mine");
    run = answered(*state, "{\"a\":\"mine\"}", "{\"fields\":{\"a\":\"theirs\"},\"overwrite\":\"yes\"}");
    assert_str(run_cell(run, STR("a")), "mine");
}

static void an_answer_of_another_form_changes_nothing(void **state) {
    struct arena *a = *state;
    static const char *const answers[] = {
        "[]", "17", "{}", "{\"fields\":[]}", "{\"fields\":{\"\":1}}", "{\"fields\":{\"a\":{\"b\":1},\"a.b\":2}}"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct run *run = answered(a, "{\"x\":1}", answers[i]);
        assert_int_equal(enrich_end_of(run), ENRICH_UNREADABLE);
        assert_int_equal(run->n_column, 1);
    }
    struct buf *many = buf_in(a, 1 << 20);
    buf_add(many, STR("{\"fields\":{\"f\":0"));
    for (int i = 0; i < 1000; i++)
        buf_add_format(many, ",\"f%d\":0", i);
    buf_add(many, STR("}}"));
    assert_int_equal(answered(a, "{\"x\":1}", str_cstr(a, buf_str(many)))->n_column, 1);
}

static void it_goes_on_with_less(void **state) {
    struct run *run = new_run(*state, "{\"x\":1}");
    assert_ok(enrich_lead(run, &ada));
    assert_int_equal(enrich_end_of(run), ENRICH_WAITS);
    run->ask[0].answered = true;
    run->ask[0].rc = ERR_REMOTE;
    assert_ok(enrich_lead(run, &ada));
    assert_int_equal(enrich_end_of(run), ENRICH_FAILED);
    run->ask[0].answered = false;
    run->deadline_ms = run->now_ms;
    assert_ok(enrich_lead(run, &ada));
    assert_int_equal(enrich_end_of(run), ENRICH_LATE);
    assert_int_equal(run->n_column, 1);
}

static void nothing_is_asked_in_vain(void **state) {
    struct run *run = new_run(*state, "{\"consent\":{\"enrichment_opt_out\":true}}");
    assert_ok(enrich_lead(run, &ada));
    assert_int_equal(run->n_ask, 0);
    run = new_run(*state, "{\"x\":1}");
    assert_ok(enrich_lead(run, &(struct enrich_subject){0}));
    assert_int_equal(run->n_ask, 0);
    run->deadline_ms = run->now_ms;
    assert_ok(enrich_lead(run, &ada));
    assert_int_equal(run->n_ask, 0);
    assert_int_equal(enrich_end_of(run), ENRICH_NOT_ASKED);
    assert_string_equal(enrich_end_name(ENRICH_UNREADABLE), "unreadable");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_answer_fills_what_the_lead_leaves_empty),
        ARENA_TEST(an_answer_may_overwrite_when_it_says_so),
        ARENA_TEST(an_answer_of_another_form_changes_nothing),
        ARENA_TEST(it_goes_on_with_less),
        ARENA_TEST(nothing_is_asked_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
