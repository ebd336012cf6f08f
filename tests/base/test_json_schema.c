/* test_json_schema.c — each keyword accepts and refuses, with its sentence, place and pointer. */
#include "base/json_support.h"

#include "base/json_schema.h"
#include "base/yaml.h"

static const struct json *parse(void *arena, const char *text) {
    const struct json *v = NULL;
    assert_ok(json_parse(arena, str_from(text), NULL, &v));
    return v;
}

struct row {
    const char *schema, *value;
    const char *text; /* of the first problem; NULL when the value is good */
};

static void check_rows(struct arena *a, const struct row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct json_problems problems;
        err rc = json_schema_check(a, parse(a, rows[i].schema), parse(a, rows[i].value), &problems);
        if (rc != (rows[i].text ? ERR_INPUT : OK))
            fail_msg("%s on %s: %s [%s] %s", rows[i].schema, rows[i].value, err_name(rc), err_slug(), err_text());
        assert_int_equal(problems.n > 0, rows[i].text != NULL);
        if (rows[i].text)
            assert_str(problems.items[0].text, rows[i].text);
    }
}

#define CHECK_ROWS(a, rows) check_rows((a), (rows), sizeof(rows) / sizeof *(rows))

static void values(void **state) {
    const struct row rows[] = {
        {"true", "[1]", NULL},
        {"{}", "null", NULL},
        {"false", "1", "the document is not allowed"},
        {"{\"type\": \"null\"}", "null", NULL},
        {"{\"type\": \"null\"}", "0", "the document must be null, not a whole number"},
        {"{\"type\": \"boolean\"}", "false", NULL},
        {"{\"type\": \"integer\"}", "3", NULL},
        {"{\"type\": \"integer\"}", "3.0", NULL},
        {"{\"type\": \"integer\"}", "3.5", "the document must be a whole number, not a fraction"},
        {"{\"type\": \"number\"}", "3", NULL},
        {"{\"type\": \"number\"}", "\"3\"", "the document must be a number, not text"},
        {"{\"type\": [\"string\", \"array\"]}", "[]", NULL},
        {"{\"type\": [\"string\", \"array\"]}", "{}", "the document must be text or a list, not an object"},
        {"{\"enum\": [\"hot\", \"warm\", 1]}", "1.0", NULL},
        {"{\"enum\": [\"hot\", \"warm\"]}", "\"wram\"",
         "the document must be one of `hot`, `warm`, not `wram`; did you mean `warm`?"},
        {"{\"enum\": [\"hot\", 1, true]}", "\"elephant\"", "the document must be one of `hot`, 1, true, not `elephant`"},
        {"{\"const\": {\"a\": [1]}}", "{\"a\": [1]}", NULL},
        {"{\"const\": 2}", "3", "the document must be 2, not 3"},
    };
    CHECK_ROWS(*state, rows);
}

static void numbers_and_texts(void **state) {
    const struct row rows[] = {
        {"{\"minimum\": 0, \"maximum\": 1}", "0", NULL},
        {"{\"minimum\": 0, \"maximum\": 1}", "1", NULL},
        {"{\"minimum\": 0, \"maximum\": 1}", "-0.1", "the document must be at least 0, not -0.1"},
        {"{\"minimum\": 0, \"maximum\": 1}", "1.5", "the document must be at most 1, not 1.5"},
        {"{\"exclusiveMinimum\": 0}", "1e-300", NULL},
        {"{\"exclusiveMinimum\": 0}", "0", "the document must be more than 0, not 0"},
        {"{\"exclusiveMaximum\": 1}", "0.99", NULL},
        {"{\"exclusiveMaximum\": 1}", "1", "the document must be less than 1, not 1"},
        {"{\"maximum\": 9007199254740992}", "9007199254740993",
         "the document must be at most 9007199254740992, not 9007199254740993"},
        {"{\"minimum\": 5}", "\"a\"", NULL},
        {"{\"minLength\": 1}", "\"\"", "the document must not be empty"},
        {"{\"minLength\": 3}", "\"\xC3\xA9\xC3\xA9\"", "the document must have at least 3 characters, not 2"},
        {"{\"maxLength\": 2}", "\"\xC3\xA9\xE2\x82\xAC\"", NULL},
        {"{\"maxLength\": 1}", "\"ab\"", "the document must have at most 1 character, not 2"},
        {"{\"minLength\": 3}", "1", NULL},
    };
    CHECK_ROWS(*state, rows);
}

static void objects(void **state) {
    const char *const lead =
        "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, \"weight\": {\"type\": \"number\"}},"
        " \"required\": [\"name\"], \"additionalProperties\": false}";
    const struct row rows[] = {
        {lead, "{\"name\": \"x\", \"weight\": 2}", NULL},
        {lead, "{\"weight\": 2}", "the key `name` is missing"},
        {lead, "{\"name\": \"x\", \"weigth\": 2}", "unknown key `weigth`; did you mean `weight`?"},
        {lead, "{\"name\": \"x\", \"nmae\": 2}", "unknown key `nmae`; known are name, weight"}, /* name is there already */
        {lead, "{\"name\": \"x\", \"colour\": 2}", "unknown key `colour`; known are name, weight"},
        {lead, "{\"name\": 1}", "`name` must be text, not a whole number"},
        {lead, "[]", "the document must be an object, not a list"},
        {"{\"required\": [\"a\"], \"properties\": {\"a\": {}}}", "7", NULL},
        {"{\"additionalProperties\": {\"type\": \"number\"}}", "{\"a\": 1, \"b\": 2}", NULL},
        {"{\"additionalProperties\": {\"type\": \"number\"}}", "{\"a\": 1, \"b\": null}", "`b` must be a number, not null"},
        {"{\"additionalProperties\": false}", "{\"a\": 1}", "unknown key `a`"},
        {"{\"properties\": {\"a\": false}}", "{\"a\": 1}", "`a` is not allowed"},
        {"{\"properties\": {\"a\": {\"required\": [\"b\"]}}}", "{\"a\": {}}", "the key `b` is missing in `a`"},
        {"{\"minProperties\": 1}", "{}", "the document must have at least 1 key, not 0"},
        {"{\"maxProperties\": 1}", "{\"a\": 1, \"b\": 2}", "the document must have at most 1 key, not 2"},
    };
    CHECK_ROWS(*state, rows);
}

static void lists(void **state) {
    const struct row rows[] = {
        {"{\"items\": {\"type\": \"integer\"}}", "[1, 2]", NULL},
        {"{\"items\": {\"type\": \"integer\"}}", "[1, \"2\"]", "item 2 must be a whole number, not text"},
        {"{\"prefixItems\": [{\"type\": \"string\"}], \"items\": {\"type\": \"number\"}}", "[\"a\", 1, 2]", NULL},
        {"{\"prefixItems\": [{\"type\": \"string\"}], \"items\": {\"type\": \"number\"}}", "[1, 1]",
         "item 1 must be text, not a whole number"},
        {"{\"prefixItems\": [{\"type\": \"string\"}], \"items\": {\"type\": \"number\"}}", "[\"a\", \"b\"]",
         "item 2 must be a number, not text"},
        {"{\"prefixItems\": [true], \"items\": false}", "[1, 2]", "item 2 is not allowed"},
        {"{\"minItems\": 2}", "[1]", "the document must have at least 2 items, not 1"},
        {"{\"maxItems\": 2}", "[1, 2, 3]", "the document must have at most 2 items, not 3"},
        {"{\"uniqueItems\": true}", "[1, \"1\", [1], {\"a\": 1, \"b\": 2}, {\"a\": 1}]", NULL},
        {"{\"uniqueItems\": true}", "[{\"a\": 1, \"b\": 2}, 3, {\"b\": 2, \"a\": 1.0}]", "item 3 is the same as item 1"},
        {"{\"uniqueItems\": false}", "[1, 1]", NULL},
    };
    CHECK_ROWS(*state, rows);
}

static void combinations(void **state) {
    const char *const one =
        "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"object\", \"required\": [\"a\"]}, {\"enum\": [\"x\"]}]}";
    const struct row rows[] = {
        {one, "\"y\"", NULL},
        {one, "\"x\"", "the document must have exactly one of the 3 forms that are allowed here, not 2"},
        {one, "{\"a\": 1}", NULL},
        {"{\"anyOf\": [{\"type\": \"string\"}, {\"minimum\": 3}]}", "5", NULL},
        {"{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"number\"}}}]}",
         "{\"a\": \"b\"}",
         "the document has none of the 2 forms that are allowed here; for the nearest one: `a` must be a number, not text"},
        {"{\"allOf\": [{\"minimum\": 1}, {\"maximum\": 3}]}", "2", NULL},
        {"{\"allOf\": [{\"minimum\": 1}, {\"maximum\": 3}]}", "4", "the document must be at most 3, not 4"},
        {"{\"not\": {\"type\": \"string\"}}", "1", NULL},
        {"{\"not\": {\"type\": \"string\"}}", "\"x\"", "the document has a form that is not allowed here"},
        {"{\"$ref\": \"#/$defs/p\", \"$defs\": {\"p\": {\"minimum\": 0}}}", "1", NULL},
        {"{\"$ref\": \"#/$defs/p\", \"$defs\": {\"p\": {\"minimum\": 0}}}", "-1", "the document must be at least 0, not -1"},
        {"{\"type\": [\"array\", \"integer\"], \"items\": {\"$ref\": \"#\"}}", "[1, [2, [[3]]]]", NULL},
        {"{\"type\": [\"array\", \"integer\"], \"items\": {\"$ref\": \"#\"}}", "[1, [2, [[\"3\"]]]]",
         "item 1 must be a list or a whole number, not text"},
    };
    CHECK_ROWS(*state, rows);
}

static void every_problem_has_its_place(void **state) {
    const struct json *value = NULL,
                      *schema = parse(
                          *state,
                          "{\"type\": \"object\", \"required\": [\"name\"], \"additionalProperties\": false,"
                          "\"properties\": {\"a/b\": {\"items\": {\"maximum\": 2}}, \"weight\": {\"type\": \"number\"}}}");
    struct json_problems problems;
    assert_ok(yaml_parse(*state, STR("weigth: 1\n\"a/b\":\n  - 1\n  - 5\n  - 2\n  - 7\n"), NULL, &value));
    assert_fails(json_schema_check(*state, schema, value, &problems), ERR_INPUT, "json_schema");
    assert_string_equal(err_text(), "line 1, column 1: the key `name` is missing");
    assert_int_equal(problems.n, 4);
    assert_str(problems.items[0].pointer, "");
    assert_str(problems.items[1].pointer, "/weigth");
    assert_true(problems.items[1].line == 1 && problems.items[1].column == 1);
    assert_str(problems.items[2].pointer, "/a~1b/1");
    assert_str(problems.items[2].text, "item 2 must be at most 2, not 5");
    assert_true(problems.items[2].line == 4 && problems.items[2].column == 5);
    assert_str(problems.items[3].pointer, "/a~1b/3");
    for (size_t i = 1; i < problems.n; i++)
        assert_non_null(json_pointer(value, problems.items[i].pointer));
}

static void problems_are_bounded(void **state) {
    struct json_problems problems;
    struct json items[100];
    for (int i = 0; i < 100; i++)
        items[i] = (struct json){.type = JSON_INTEGER, .integer = i};
    const struct json value = {.type = JSON_ARRAY, .count = 100, .items = items};
    assert_fails(json_schema_check(*state, parse(*state, "{\"items\": {\"type\": \"string\"}}"), &value, &problems),
                 ERR_INPUT, "json_schema");
    assert_string_equal(err_text(), "item 1 must be text, not a whole number"); /* made by a program: no line to name */
    assert_true(problems.n == JSON_PROBLEM_MAX && problems.more);
}

static void bad_schemas_are_noticed_whatever_the_value(void **state) {
    const char *const schemas[] = {"1",
                                   "[]",
                                   "{\"typ\": \"string\"}",
                                   "{\"pattern\": \"x\"}",
                                   "{\"format\": \"date\"}",
                                   "{\"type\": \"text\"}",
                                   "{\"type\": []}",
                                   "{\"enum\": []}",
                                   "{\"enum\": 1}",
                                   "{\"minimum\": \"1\"}",
                                   "{\"minLength\": -1}",
                                   "{\"minItems\": 1.5}",
                                   "{\"required\": [1]}",
                                   "{\"required\": \"a\"}",
                                   "{\"properties\": []}",
                                   "{\"properties\": {\"a\": {\"x\": 1}}}",
                                   "{\"items\": [true]}",
                                   "{\"items\": {\"x\": 1}}",
                                   "{\"anyOf\": []}",
                                   "{\"anyOf\": [{\"x\": 1}]}",
                                   "{\"not\": 1}",
                                   "{\"additionalProperties\": 1}",
                                   "{\"uniqueItems\": 1}",
                                   "{\"$ref\": \"#/$defs/a\"}",
                                   "{\"$ref\": \"other.json\"}",
                                   "{\"$ref\": 1}",
                                   "{\"$defs\": {\"a\": {\"x\": 1}}}",
                                   "{\"$ref\": \"#/enum/0\", \"enum\": [{}]}",
                                   "{\"$defs\": 1}"};
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct json_problems problems;
        err rc = json_schema_check(*state, parse(*state, schemas[i]), parse(*state, "null"), &problems);
        if (rc != ERR_CORRUPT || strcmp(err_slug(), "json_schema_bad") != 0)
            fail_msg("%s: %s", schemas[i], err_name(rc));
    }
    struct json_problems problems;
    assert_fails(
        json_schema_check(*state, parse(*state, "{\"type\": \"object\",\n \"patern\": 1}"), parse(*state, "1"), &problems),
        ERR_CORRUPT, "json_schema_bad");
    assert_string_equal(err_text(), "line 2, column 12: the schema's `patern` is not a keyword that is supported here");
}

static void endless_references_end(void **state) {
    struct json_problems problems;
    assert_fails(json_schema_check(*state, parse(*state, "{\"$ref\": \"#\"}"), parse(*state, "1"), &problems), ERR_LIMIT,
                 "json_schema_depth");
    assert_fails(json_schema_check(*state, parse(*state, "{\"not\": {\"$ref\": \"#\"}}"), parse(*state, "1"), &problems),
                 ERR_LIMIT, "json_schema_depth");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(values),
        ARENA_TEST(numbers_and_texts),
        ARENA_TEST(objects),
        ARENA_TEST(lists),
        ARENA_TEST(combinations),
        ARENA_TEST(every_problem_has_its_place),
        ARENA_TEST(problems_are_bounded),
        ARENA_TEST(bad_schemas_are_noticed_whatever_the_value),
        ARENA_TEST(endless_references_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
