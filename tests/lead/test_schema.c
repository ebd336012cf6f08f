/* test_schema.c — the file form of the schema: both ways, and what is refused. */
#include "lead/schema.h"
#include "base/asset.h"
#include "base/json_schema.h"
#include "base/rng.h"
#include "base/yaml.h"
#include "unit.h"

static err read(struct arena *a, str text, bool yaml, struct schema **out) {
    const struct json *v;
    TRY(yaml ? yaml_parse(a, text, NULL, &v) : json_parse(a, text, NULL, &v));
    return schema_from_json(a, v, out);
}

static str write(struct arena *a, const struct schema *s, bool choices) {
    struct buf *b = buf_in(a, (size_t)1 << 24);
    struct json_writer w;
    json_write_begin(&w, b, 0);
    (choices ? schema_to_json_choices : schema_to_json)(&w, s);
    assert_ok(buf_check(b));
    return buf_str(b);
}

static const char full[] =
    "{\"version\":1,\"target\":\"Converted\",\"positive\":\"1\",\"id\":\"Lead\",\"fields\":["
    "{\"name\":\"Size\",\"title\":\"Employees\",\"type\":\"numeric\",\"group\":\"firmographic\",\"unit\":\"people\","
    "\"note\":\"why\","
    "\"missing\":[\"-1\",\"n/"
    "k\"],\"transform\":\"log1p\",\"decimal\":\".\",\"minimum\":0,\"edges\":[10,100],\"fitted\":{\"missing_seen\":true,"
    "\"own_missing\":1,\"low\":0,\"high\":6.5,\"center\":2,\"scale\":0.1,\"typical_converted\":50,\"typical_other\":9,"
    "\"quantiles\":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],\"bin_rate\":[0.1,0.2,0.3],\"bin_share\":[0.5,0."
    "25,0.25],"
    "\"rate\":[0.1,0.2,0.3],\"share\":[0.8,0.1,0.1]}},"
    "{\"name\":\"Source\",\"type\":\"category\",\"group\":\"other\",\"missing\":[],\"levels\":[{\"text\":\"Google\","
    "\"also\":[\"google\"]},\"Fair\"],"
    "\"fitted\":{\"missing_seen\":false,\"own_missing\":0,\"has_other\":true,\"rate\":[0.1,0.2,0.3,0.4],\"share\":[0.7,0.1,"
    "0.1,0.1]}},"
    "{\"name\":\"Created\",\"type\":\"date\",\"group\":\"chronographic\",\"missing\":[],\"edges\":[],\"date_order\":\"day_"
    "first\",\"fitted\":{"
    "\"missing_seen\":false,\"own_missing\":0,\"low\":0,\"high\":60,\"center\":30,\"scale\":10,\"reference_ms\":"
    "1767225600000}},"
    "{\"name\":\"Lead\",\"type\":\"identifier\",\"group\":\"other\"}]}";

static void reads_what_it_writes(void **state) {
    struct schema *s, *again;
    assert_ok(read(*state, str_from(full), false, &s));
    assert_str(write(*state, s, false), full);
    assert_true(s->field[0].fitted && s->field[1].fitted && s->field[2].fitted);
    assert_int_equal(s->field[0].n_missing_own, 1);
    assert_str(s->field[1].level[0].variant[0], "google");
    assert_true(isnan(s->field[2].typical_converted));
    struct buf *yaml = buf_in(*state, 1 << 20);
    const struct json *v;
    assert_ok(json_parse(*state, str_from(full), NULL, &v));
    yaml_write(yaml, v);
    assert_ok(read(*state, buf_str(yaml), true, &again));
    assert_str(write(*state, again, false), full);
    assert_ok(read(*state, write(*state, s, true), false, &again)); /* choices alone: nothing is fitted */
    assert_false(again->field[0].fitted);
    assert_int_equal(again->field[0].n_edge, 2);
    assert_str(write(*state, again, true), str_cstr(*state, write(*state, s, true)));
}

static void reads_what_people_write(void **state) {
    struct schema *s;
    assert_ok(read(*state,
                   STR("target: Bought\npositive: 1\nfields:\n  - name: pdays\n    missing: [-1, unknown]\n  - name: "
                       "Region\n    levels: [1, 2, 3]\n"
                       "  - {name: Sure, type: flag, levels: [no, yes]}\n"),
                   true, &s));
    assert_str(s->positive, "1");
    assert_str(s->field[0].missing[0], "-1");
    assert_int_equal(s->field[0].given & GIVEN_TYPE, 0);
    assert_int_equal(s->field[1].type, FIELD_CATEGORY); /* levels say so */
    assert_str(s->field[1].level[2].text, "3");
    assert_str(s->field[2].level[0].text, "no");
    assert_int_equal(schema_find(s, STR("Sure")), 2);
    assert_int_equal(schema_find(s, STR("sure")), -1);
}

static void refuses_what_makes_no_sense(void **state) {
    static const struct {
        const char *text, *slug;
    } rows[] = {
        {"[]", "schema_type"},
        {"{}", "schema_value"},
        {"{\"fields\":{}}", "schema_type"},
        {"{\"fields\":[1]}", "schema_type"},
        {"{\"fields\":[{}]}", "schema_value"},
        {"{\"fields\":[],\"colour\":1}", "schema_unknown_key"},
        {"{\"fields\":[],\"version\":2}", "schema_version"},
        {"{\"fields\":[],\"version\":0}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"kind\":1}]}", "schema_unknown_key"},
        {"{\"fields\":[{\"name\":\"a\",\"type\":\"number\"}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"type\":3}]}", "schema_value"},
        {"{\"fields\":[{\"name\":[]}]}", "schema_type"},
        {"{\"fields\":[{\"name\":\"a\",\"edges\":[2,1]}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"edges\":[1,1]}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"edges\":[\"x\"]}]}", "schema_type"},
        {"{\"fields\":[{\"name\":\"a\",\"levels\":[\"x\",\"x\"]}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"levels\":[\"\"]}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"levels\":[{\"name\":\"x\"}]}]}", "schema_unknown_key"},
        {"{\"fields\":[{\"name\":\"a\",\"separator\":\"ab\"}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"decimal\":\";\"}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"type\":\"numeric\",\"transform\":\"log1p\",\"minimum\":-1}]}", "schema_value"},
        {"{\"fields\":[{\"name\":\"a\",\"type\":\"numeric\",\"fitted\":{\"mean\":1}}]}", "schema_unknown_key"},
        {"{\"fields\":[{\"name\":\"a\",\"type\":\"numeric\",\"fitted\":{\"own_missing\":-1}}]}", "schema_value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct schema *s;
        err rc = read(*state, str_from(rows[i].text), false, &s);
        if (rc != ERR_INPUT || strcmp(err_slug(), rows[i].slug) != 0)
            fail_msg("%s: %s [%s] %s", rows[i].text, err_name(rc), err_slug(), err_text());
        assert_non_null(strstr(err_text(), "line 1, column"));
    }
}

static void an_unknown_key_is_said_where_it_stands(void **state) {
    struct schema *s;
    assert_fails(read(*state, STR("{\"fields\":[\n {\"name\":\"a\",\n  \"kind\":   1}]}"), false, &s), ERR_INPUT,
                 "schema_unknown_key");
    assert_non_null(strstr(err_text(), "line 3, column 3: "));
    assert_fails(read(*state, STR("{\"fields\":[{\"name\":\"a\",\"levels\":[{\n\"colour\": 2}]}]}"), false, &s), ERR_INPUT,
                 "schema_unknown_key");
    assert_non_null(strstr(err_text(), "line 2, column 1: "));
}

static void its_json_schema_agrees(void **state) {
    static const struct {
        const char *text;
        err form;
    } rows[] = {{full, OK},
                {"{\"fields\":[]}", OK},
                {"{\"fields\":[{\"name\":5,\"type\":\"multi\",\"separator\":\"|\",\"missing\":[-1,true,null,\"x\"]}]}", OK},
                {"{\"fields\":[{\"name\":\"a\",\"kind\":1}]}", ERR_INPUT},
                {"{\"fields\":[{\"name\":\"a\",\"type\":\"number\"}]}", ERR_INPUT},
                {"{\"fields\":[{\"name\":\"a\",\"levels\":[{\"name\":\"x\"}]}]}", ERR_INPUT},
                {"{\"fields\":[{\"name\":\"a\",\"fitted\":{\"mean\":1}}]}", ERR_INPUT}};
    const struct json *form, *v;
    assert_ok(json_parse(*state, asset_get(STR("schemas/schema.json")), NULL, &form));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_problems problems;
        struct schema *s;
        assert_ok(json_parse(*state, str_from(rows[i].text), NULL, &v));
        if (json_schema_check(*state, form, v, &problems) != rows[i].form)
            fail_msg("%s: %s", rows[i].text, problems.n > 0 ? problems.items[0].text.ptr : "no problem");
        assert_int_equal(schema_from_json(*state, v, &s), rows[i].form);
    }
}

/* Constants that do not fit the choices are not used: the field is fitted anew instead. */
static void drops_constants_that_do_not_agree(void **state) {
    static const char *const edits[][2] = {
        {"\"Fair\"]", "\"Fair\",\"Radio\"]"},
        {"\"edges\":[10,100]", "\"edges\":[10]"},
        {"\"scale\":0.1", "\"scale\":0"},
        {"\"scale\":0.1", "\"scale\":-1"},
        {"\"low\":0,\"high\":6.5", "\"low\":7,\"high\":6.5"},
        {"\"own_missing\":1", "\"own_missing\":3"},
        {"\"rate\":[0.1,0.2,0.3]", "\"rate\":[0.1,0.2,1.3]"},
        {"\"low\":0,\"high\":6.5,", ""},
        {"\"scale\":0.1", "\"scale\":1e-310"},
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        str text = str_from(full), from = str_from(edits[i][0]);
        ptrdiff_t at = str_find(text, from);
        assert_true(at > 0);
        str edited = str_format(*state, "%.*s%s%s", (int)at, full, edits[i][1], full + at + from.len);
        struct schema *s;
        assert_ok(read(*state, edited, false, &s));
        if (s->field[i == 0 ? 1 : 0].fitted)
            fail_msg("fitted although %s", edits[i][1]);
    }
}

/* Property: a schema file with any byte changed or cut is read or refused, and what is read can be written. */
static const char paired[] = "{\"fields\":[{\"name\":\"Size\",\"title\":\"Employees\",\"type\":\"numeric\"},"
                             "{\"name\":\"Source\",\"type\":\"category\",\"levels\":[\"Web\"]},{\"name\":\"Lead\",\"type\":"
                             "\"identifier\"}],\"interactions\":";

static err read_paired(struct arena *a, const char *interactions, struct schema **out) {
    return read(a, str_format(a, "%.*s%s}", (int)(sizeof paired - 1), paired, interactions), false, out);
}

static void interactions_are_read_and_written(void **state) {
    static const char list[] = "[{\"fields\":[\"Size\",\"Source\"],\"products\":[[\"Size\",\"Source=Web\"],[\"Size=?\","
                               "\"Source=Web\"]]},{\"fields\":[\"Size\",\"Size\"],\"products\":[[\"Size\",\"Size\"]]}]";
    struct schema *s;
    assert_ok(read_paired(*state, list, &s));
    assert_int_equal(s->n_interaction, 2);
    assert_str(s->interaction[0].title, "Employees × Source");
    assert_str(s->interaction[1].title, "Employees squared");
    assert_int_equal(s->interaction[0].n_product, 2);
    assert_str(s->interaction[0].product[1].first, "Size=?");
    const str tail = str_format(*state, "\"interactions\":%s}", list), whole = write(*state, s, false);
    assert_true(str_equal(str_slice(whole, whole.len - tail.len, whole.len), tail));
    const str choices = write(*state, s, true);
    assert_true(str_equal(str_slice(choices, choices.len - tail.len, choices.len), tail));
    assert_ok(read_paired(*state, "[]", &s)); /* none, and none are to be looked for */
    assert_true(s->interaction_given && s->n_interaction == 0);
    assert_ok(read(*state, STR("{\"fields\":[]}"), false, &s));
    assert_false(s->interaction_given);
}

static void interactions_that_cannot_be_are_refused(void **state) {
    static const char *const bad[] = {
        "1",
        "[1]",
        "[{}]",
        "[{\"fields\":[\"Size\",\"Source\"]}]",
        "[{\"fields\":[\"Size\",\"Source\"],\"products\":[]}]",
        "[{\"fields\":[\"Size\",\"Source\"],\"products\":[[\"Size\"]]}]",
        "[{\"fields\":[\"Size\",\"Source\"],\"products\":[[\"Size\",1]]}]",
        "[{\"fields\":[\"Size\",\"Nothing\"],\"products\":[[\"Size\",\"x\"]]}]",
        "[{\"fields\":[\"Size\",\"Lead\"],\"products\":[[\"Size\",\"Lead\"]]}]",
        "[{\"fields\":[\"Source\",\"Source\"],\"products\":[[\"Source=Web\",\"Source=Web\"]]}]",
    };
    struct schema *s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(read_paired(*state, bad[i], &s), ERR_INPUT, "schema_interaction");
    assert_fails(read_paired(*state, "[{\"fields\":[\"Size\",\"Source\"],\"product\":[]}]", &s), ERR_INPUT,
                 "schema_unknown_key");
    struct buf *many = buf_in(*state, 1 << 16);
    buf_add(many, STR("[{\"fields\":[\"Size\",\"Source\"],\"products\":["));
    for (int i = 0; i <= SCHEMA_MAX_PRODUCT; i++)
        buf_add_format(many, "%s[\"Size\",\"Source=Web\"]", i > 0 ? "," : "");
    buf_add(many, STR("]}]"));
    assert_fails(read_paired(*state, str_cstr(*state, buf_str(many)), &s), ERR_INPUT, "schema_interaction");
}

static void damaged_files_are_safe(void **state) {
    struct rng r = rng_from_seed(1);
    struct arena_mark mark = arena_mark(*state);
    for (size_t i = 0; i < 20000; i++) {
        char *text = str_cstr(*state, str_from(full));
        size_t n = sizeof full - 1, edits = 1 + rng_below(&r, 3);
        for (size_t k = 0; k < edits; k++)
            text[rng_below(&r, n)] = "0123456789-.e\"[]{},:x"[rng_below(&r, 21)];
        struct schema *s;
        if (read(*state, (str){text, rng_below(&r, 10) ? n : rng_below(&r, n)}, false, &s) == OK)
            write(*state, s, false);
        arena_rewind(*state, mark);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reads_what_it_writes),
        ARENA_TEST(reads_what_people_write),
        ARENA_TEST(refuses_what_makes_no_sense),
        ARENA_TEST(an_unknown_key_is_said_where_it_stands),
        ARENA_TEST(its_json_schema_agrees),
        ARENA_TEST(drops_constants_that_do_not_agree),
        ARENA_TEST(interactions_are_read_and_written),
        ARENA_TEST(interactions_that_cannot_be_are_refused),
        ARENA_TEST(damaged_files_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
