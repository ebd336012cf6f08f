/* test_stages.c — a lead along all its stages: the same score as in a file, waiting, lateness, failures, sameness. */
#include "flow/assay.h"
#include "base/number.h"
#include "run_support.h"

#include <unistd.h>

static const char *const families[] = {"logistic", "naive_bayes", "gbdt", "auto", "subscore", "bayesian"};

enum { N_FAMILY = sizeof families / sizeof *families };

static const char rules_profile[] = "format: 1\nname: Rules\nfields:\n  origin: [Origin, Source]\n  visits: [Visits, hits]\n"
                                    "firmographics:\n  - field: origin\n    values: {Referral: 1, Ads: 0.5}\n"
                                    "behaviour:\n  - field: visits\n    at_least: 5\n"
                                    "negative_personas:\n  - name: Many visits\n    when: {field: visits, above: 15}\n";

/* ---- as in a file ---- */

struct file_scores {
    const struct json **line;
    size_t n;
};

static void unlink_path(void *ctx) { unlink(ctx); }

/* What `galena score` writes, line by line. */
static struct file_scores score_file(struct arena *a, const struct model_pin *pin, const char *path) {
    char *to = str_cstr(a, STR("/tmp/galena-stages-XXXXXX"));
    int fd = mkstemp(to);
    assert_true(fd >= 0);
    close(fd);
    arena_defer(a, unlink_path, to);
    struct table *t;
    struct file_out *out;
    struct assay_result r;
    const struct assay_options o = {.bundle = pin_bundle(pin),
                                    .profile = pin_profile(pin),
                                    .hot = pin_hot(pin),
                                    .warm = pin_warm(pin),
                                    .reasons = 3,
                                    .interval = 0.95,
                                    .threads = 1,
                                    .json_lines = true,
                                    .now_ms = RUN_NOW_MS};
    assert_ok(table_open(a, &(struct table_options){.path = path}, &t));
    assert_ok(file_create(a, to, &out));
    assert_ok(assay_run(a, t, &o, out, NULL, &r));
    assert_ok(file_commit(out));
    struct file_scores f = {.line = ARENA_ARRAY(a, r.rows, const struct json *)};
    str text, line;
    assert_ok(file_read_all(a, to, (size_t)64 << 20, &text));
    while (str_split(&text, '\n', &line) && line.len > 0)
        assert_ok(json_parse(a, line, NULL, &f.line[f.n++]));
    assert_int_equal(f.n, r.rows);
    return f;
}

/* The row as a lead: numbers as numbers, lists as lists, in `custom` when asked. */
static str lead_of_row(struct arena *a, const struct json *row, bool custom) {
    struct buf *out = buf_in(a, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_key(&w, STR("person"));
    json_open_object(&w);
    json_put_string(&w, STR("email"), STR("Ada@Example.com"));
    json_close_object(&w);
    if (custom) {
        json_key(&w, STR("custom"));
        json_open_object(&w);
    }
    for (uint32_t i = 0; i < row->count; i++) {
        const struct json_member *m = &row->members[i];
        str cell = m->value.string, part;
        int64_t number;
        if (str_starts(m->key, STR("galena_")))
            continue;
        json_key(&w, m->key);
        if (number_parse_integer(cell, &number)) {
            json_integer(&w, number);
        } else if (str_equal(m->key, STR("interests")) && cell.len > 0) {
            json_open_array(&w);
            while (str_split(&cell, ';', &part))
                json_string(&w, part);
            json_close_array(&w);
        } else {
            json_string(&w, cell);
        }
    }
    if (custom)
        json_close_object(&w);
    json_close_object(&w);
    return buf_str(out);
}

static double number_at(const struct json *v, const char *key) {
    double x;
    assert_ok(json_get_number(v, str_from(key), &x));
    return x;
}

static void assert_same(struct arena *a, const struct json *row, const struct run *run) {
    str status, text;
    assert_ok(json_get_string(row, STR("galena_status"), &status));
    assert_str(status, run_outcome_name(run->outcome));
    if (run->outcome != RUN_SCORED) {
        assert_ok(json_get_string(row, STR("galena_reason_1"), &text));
        assert_str(text, str_cstr(a, run->note));
        return;
    }
    const double score[] = {number_at(row, "galena_score"), number_at(row, "galena_low"), number_at(row, "galena_high")};
    const double mine[] = {run->score.probability, run->score.low, run->score.high};
    assert_memory_equal(score, mine, sizeof mine);
    assert_ok(json_get_string(row, STR("galena_tier"), &text));
    assert_str(text, tier_name(run->tier));
    for (size_t k = 0; k <= run->n_reason && k < 3; k++) {
        err rc = json_get_string(row, str_format(a, "galena_reason_%zu", k + 1), &text);
        assert_int_equal(rc, k < run->n_reason ? OK : ERR_ABSENT);
        if (rc == OK)
            assert_str(text, str_cstr(a, run->reason[k].text));
    }
}

static size_t compare_all(struct arena *a, const struct model_pin *pin, const char *path) {
    struct file_scores f = score_file(a, pin, path);
    struct scratch *scratch = scratch_new(a);
    size_t outcomes[RUN_OUTCOME_COUNT] = {0};
    for (size_t i = 0; i < f.n; i++)
        for (int custom = 0; custom < 2; custom++) {
            struct run *run = run_new(a, pin, lead_of_row(a, f.line[i], custom));
            size_t stage = 0;
            run->scratch = custom ? scratch : NULL;
            assert_ok(stages_step(run, &stage, NULL));
            assert_same(a, f.line[i], run);
            outcomes[run->outcome]++;
        }
    assert_true(outcomes[RUN_SCORED] > 0);
    return outcomes[RUN_DISQUALIFIED];
}

static void a_lead_scores_as_its_row_in_a_file(void **state) {
    struct arena *a = *state;
    for (size_t k = 0; k < N_FAMILY; k++)
        compare_all(a, run_pin(a, families[k]), golden_path(a, "leads.csv"));
}

static void a_lead_scores_as_its_row_by_the_profile_alone(void **state) {
    struct arena *a = *state;
    compare_all(a, run_pin_of(a, pin_defaults(), (str){0}, golden_bytes(a, "profile.yaml")), golden_path(a, "past.csv"));
}

static void rules_of_another_profile_disqualify_as_in_a_file(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin =
        run_pin_of(a, pin_defaults(), golden_bytes(a, "v1-logistic.model"), str_from(rules_profile));
    size_t n = compare_all(a, pin, golden_path(a, "past.csv"));
    n += compare_all(a, pin, golden_path(a, "leads.csv"));
    const struct model_pin *alone = run_pin_of(a, pin_defaults(), (str){0}, str_from(rules_profile));
    n += compare_all(a, alone, golden_path(a, "leads.csv"));
    assert_true(n > 0);
}

/* ---- names ---- */

static void a_term_is_found_under_any_of_its_names(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin = run_pin_of(a, pin_defaults(), (str){0}, str_from(rules_profile));
    static const char *const bodies[] = {"{\"Origin\":\"Referral\",\"Visits\":9}", "{\"Source\":\"Referral\",\"hits\":9}",
                                         "{\"custom\":{\"SOURCE\":\"Referral\",\"HITS\":\"9\"}}",
                                         "{\"Origin\":\"Referral\",\"Source\":\"Ads\",\"Visits\":9,\"hits\":50}"};
    struct run *first = run_to_end(a, pin, str_from(bodies[0]));
    assert_int_equal(first->outcome, RUN_SCORED);
    for (size_t i = 1; i < sizeof bodies / sizeof *bodies; i++) {
        struct run *run = run_to_end(a, pin, str_from(bodies[i]));
        assert_memory_equal(&run->score, &first->score, sizeof run->score);
    }
    struct run *blank = run_to_end(a, pin, STR("{\"Origin\":\"\",\"Source\":\"Referral\",\"Visits\":9}"));
    assert_true(blank->score.probability < first->score.probability);
}

static void a_lead_of_whom_nothing_is_said_is_refused(void **state) {
    struct arena *a = *state;
    struct run *run = run_new(a, run_pin(a, "logistic"), STR("{\"colour\":\"red\",\"person\":{\"first\":\"Ada\"}}"));
    size_t stage = 0;
    assert_fails(stages_step(run, &stage, NULL), ERR_INPUT, "lead_empty");
    assert_int_equal(stage, 0);
    assert_null(strstr(err_text(), "Ada"));
    assert_int_equal(run_to_end(a, run_pin(a, "logistic"), STR("{\"visits\":3}"))->n_column, 1);
}

/* ---- waiting ---- */

static const struct model_pin *looking_up(struct arena *a) {
    struct pin_terms t = pin_defaults();
    t.enrich = STR("directory");
    return run_pin_of(a, t, golden_bytes(a, "v1-logistic.model"), (str){0});
}

static const char asking[] = "{\"person\":{\"email\":\"Ada@Example.com\"},\"source\":\"Ads\"}";

static void a_question_makes_the_run_wait_until_it_is_answered(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin = looking_up(a);
    struct run *run = run_new(a, pin, str_from(asking));
    size_t stage = 0;
    assert_ok(stages_step(run, &stage, NULL));
    assert_int_equal(stage, 1);
    assert_true(run_waits(run));
    assert_int_equal(run->n_ask, 1);
    assert_str(run->ask[0].request,
               "{\"domain\":\"example.com\",\"email\":\"ada@example.com\",\"lead\":\"01J00000000000000000000000\"}");
    /* Parked, and taken up again by another process: nothing but the body and the answer is left. */
    struct run *again = run_new(a, pin, str_from(asking));
    again->n_ask = 1;
    again->ask[0] = run->ask[0];
    again->ask[0].answered = true;
    assert_ok(json_parse(a, STR("{\"fields\":{\"visits\":18,\"source\":\"Referral\"}}"), NULL, &again->ask[0].answer));
    assert_ok(stages_step(again, &stage, NULL));
    assert_int_equal(stage, n_stages);
    struct run *told = run_to_end(a, run_pin(a, "logistic"), STR("{\"source\":\"Ads\",\"visits\":18}"));
    assert_memory_equal(&again->score, &told->score, sizeof told->score);
}

static void after_the_deadline_nothing_is_waited_for(void **state) {
    struct arena *a = *state;
    struct run *run = run_new(a, looking_up(a), str_from(asking)), *late;
    size_t stage = 0;
    run->deadline_ms = RUN_NOW_MS + 1;
    assert_ok(stages_step(run, &stage, NULL));
    assert_int_equal(stage, 1);
    late = run_new(a, run->pin, str_from(asking));
    late->n_ask = 1;
    late->ask[0] = run->ask[0];
    late->now_ms = late->deadline_ms = RUN_NOW_MS + 1;
    assert_ok(stages_step(late, &stage, NULL));
    assert_int_equal(stage, n_stages);
    assert_int_equal(late->outcome, RUN_SCORED);
    assert_true(str_find(run_snapshot(a, late), STR("\"enrichment\":{\"end\":\"late\"}")) > 0);
}

/* ---- the end ---- */

static void paths_deliveries_and_timers_follow_from_the_tier(void **state) {
    struct arena *a = *state;
    struct pin_terms t = pin_defaults();
    t.target[t.n_target++] = STR("callback");
    t.rescore_day[TIER_COLD] = 30;
    const struct model_pin *pin = run_pin_of(a, t, golden_bytes(a, "v1-logistic.model"), (str){0});
    struct run *run = run_to_end(a, pin, STR("{\"source\":\"Ads\",\"interests\":[\"mail\"],\"newsletter\":false}"));
    char path[LIFECYCLE_PATH_BYTE];
    str text = {path, lifecycle_path_format(&run->path, path)};
    assert_str(text, "ingested>pending_enrichment>pending_scoring>scored>archived");
    assert_int_equal(run->n_delivery, 1);
    assert_str(run->delivery[0].target, "callback");
    assert_true(run->rescore_ms == RUN_NOW_MS + 30 * 86400000ll);
    stages_fail(run, STR("it broke"));
    assert_int_equal(run->n_delivery, 0);
    assert_int_equal(run->path.n, 1);
}

static int64_t ticks;
static int64_t tick(void) { return ticks += 2000; }

static void stages_are_timed(void **state) {
    struct arena *a = *state;
    const struct clock clock = {.steady_ns = tick};
    struct stage_timing timing = {.clock = &clock};
    struct run *run = run_new(a, run_pin(a, "logistic"), STR("{\"source\":\"Ads\"}"));
    size_t stage = 0;
    assert_ok(stages_step(run, &stage, &timing));
    assert_str(stages_timing_text(a, &timing),
               "{\"validate\":2,\"enrich\":2,\"vectorise\":2,\"score\":2,\"explain\":2,\"route\":2}");
}

static void the_same_lead_gives_the_same_bytes(void **state) {
    struct arena *a = *state;
    static const str one = STR_INIT("{\"source\":\"Ads\",\"visits\":18,\"interests\":[\"erp\",\"mail\"]}"),
                     other = STR_INIT(
                         "{ \"interests\" : [\"erp\", \"mail\"], \"custom\":{\"visits\":18.0}, \"source\":\" Ads \"}");
    struct scratch *scratch = scratch_new(a);
    for (size_t k = 0; k < N_FAMILY; k++) {
        const struct model_pin *pin = run_pin(a, families[k]);
        str first = run_snapshot(a, run_to_end(a, pin, one));
        for (int round = 0; round < 2; round++) {
            struct run *run = run_new(a, pin, round ? other : one);
            size_t stage = 0;
            run->scratch = scratch;
            assert_ok(stages_step(run, &stage, NULL));
            assert_str(run_snapshot(a, run), str_cstr(a, first));
        }
    }
}

/* ---- hostile bodies ---- */

static err step(void *ctx) {
    size_t stage = 0;
    return stages_step(ctx, &stage, NULL);
}

/* As much as the limits allow, of each kind of thing. */
static str swollen(struct arena *a, int kind) {
    static const char *const heads[] = {"{\"a\":[0", "{\"email\":\"a@b.cd\"", "{\"a\":[[]", "{\"a\":[\"\""};
    struct buf *out = buf_in(a, (size_t)1 << 20);
    buf_add(out, str_from(heads[kind]));
    for (int i = 0; i < 4000 && out->len < 250000; i++)
        switch (kind) {
        case 0:
            buf_add(out, STR(",1e15,1e300"));
            break;
        case 1:
            buf_add_format(out, ",\"f%d\":{\"%050d\":\"%04d\"}", i, i, i);
            break;
        case 2:
            buf_add(out, STR(",[1e15]"));
            break;
        default:
            buf_add_format(out, ",\"%050d\"", i);
        }
    buf_add(out, str_from(kind == 1 ? "}" : "]}"));
    return buf_str(out);
}

static void no_body_needs_more_memory_than_promised(void **state) {
    struct arena *a = *state;
    const struct model_pin *pin = run_pin(a, "logistic");
    size_t most = 0;
    for (int kind = 0; kind < 4; kind++) {
        struct arena *small = arena_new(STAGES_ARENA_BYTE);
        struct run *run = run_new(a, pin, swollen(a, kind));
        run->arena = small;
        run->scratch = scratch_new(a);
        err rc = arena_run(small, step, run);
        if (rc != OK && rc != ERR_INPUT)
            fail_msg("kind %d: %s", kind, err_text());
        most = arena_used(small) > most ? arena_used(small) : most;
        arena_free(small);
    }
    assert_in_range(most, 1 << 18, STAGES_ARENA_BYTE / 4);
}

/* ---- as it was before ---- */

static void assert_as_before(const struct json *was, const struct json *is) {
    static const char *const exact[] = {"contributions", "facts", "outcome", "reasons", "tier", "external", "at_ms", "v"};
    static const char *const close[] = {"base", "high", "log_odds", "low", "probability"};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        assert_true(json_equal(json_get(was, str_from(exact[i])), json_get(is, str_from(exact[i]))));
    for (size_t i = 0; i < sizeof close / sizeof *close; i++)
        assert_close(number_at(was, close[i]), number_at(is, close[i]), 1e-12);
}

/* tests/golden/runs; GALENA_WRITE_GOLDEN=1 writes what is not there yet, and nothing else. */
static str golden_run(struct arena *a, const char *family, const struct run *run) {
    const char *name = str_format(a, "../runs/v1-%s.json", family).ptr;
    if (getenv("GALENA_WRITE_GOLDEN") && access(golden_path(a, name), F_OK) != 0)
        assert_ok(file_write_all(a, golden_path(a, name), run_snapshot(a, run)));
    return golden_bytes(a, name);
}

static void snapshots_of_earlier_versions_come_out_again(void **state) {
    struct arena *a = *state;
    str lead = golden_bytes(a, "../runs/lead.json"), text;
    for (size_t k = 0; k < N_FAMILY; k++) {
        const struct model_pin *pin = run_pin(a, families[k]);
        struct run *run = run_to_end(a, pin, lead), again = {.arena = a};
        const struct json *was, *is;
        bool same;
        text = golden_run(a, families[k], run);
        assert_ok(snapshot_read(a, text, &was));
        assert_ok(snapshot_read(a, run_snapshot(a, run), &is));
        assert_as_before(was, is);
        assert_ok(snapshot_replay(text, pin, &again, &same));
        assert_close(again.score.probability, run->score.probability, 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_lead_scores_as_its_row_in_a_file),
        ARENA_TEST(a_lead_scores_as_its_row_by_the_profile_alone),
        ARENA_TEST(rules_of_another_profile_disqualify_as_in_a_file),
        ARENA_TEST(a_term_is_found_under_any_of_its_names),
        ARENA_TEST(a_lead_of_whom_nothing_is_said_is_refused),
        ARENA_TEST(a_question_makes_the_run_wait_until_it_is_answered),
        ARENA_TEST(after_the_deadline_nothing_is_waited_for),
        ARENA_TEST(paths_deliveries_and_timers_follow_from_the_tier),
        ARENA_TEST(stages_are_timed),
        ARENA_TEST(the_same_lead_gives_the_same_bytes),
        ARENA_TEST(no_body_needs_more_memory_than_promised),
        ARENA_TEST(snapshots_of_earlier_versions_come_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
