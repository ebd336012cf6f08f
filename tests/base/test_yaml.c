/* test_yaml.c — what is read and how it is typed, what is refused and where, and round trips. */
#include "base/json_support.h"

#include "base/yaml.h"

#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 2000 };
#else
enum { ROUNDS = 20000 };
#endif

/* The YAML text reads to the same tree as the JSON text. */
static void assert_reads(struct arena *a, const char *yaml, const char *json) {
    const struct json *v = NULL, *expected = NULL;
    assert_ok(yaml_parse(a, str_from(yaml), NULL, &v));
    assert_ok(json_parse(a, str_from(json), NULL, &expected));
    if (!json_equal(v, expected)) {
        struct buf *out = buf_in(a, 1 << 20);
        json_write_canonical(out, v);
        fail_msg("%s\nis %.*s, not %s", yaml, STR_ARG(buf_str(out)), json);
    }
}

static void reads_structures(void **state) {
    assert_reads(*state, "a: 1\nb:\n  - x\n  - y: 2\n    z: [1, {q: r}]\nc: {d: e, \"f\": 'g'}\n",
                 "{\"a\":1,\"b\":[\"x\",{\"y\":2,\"z\":[1,{\"q\":\"r\"}]}],\"c\":{\"d\":\"e\",\"f\":\"g\"}}");
    assert_reads(*state, "a:\n- 1\n- 2\n", "{\"a\":[1,2]}");
    assert_reads(*state, "# comment\n---\n- - 1\n  - 2\n- []\n- {}\n...\n", "[[1,2],[],{}]");
    assert_reads(*state, "text: |\n  one\n  two\n\nfold: >-\n  one\n  two\n",
                 "{\"text\":\"one\\ntwo\\n\",\"fold\":\"one two\"}");
    assert_reads(*state, "a: one\n  two\nb: 'it''s'\nc: \"\\u20ac\\x41\\0\\e\\N\"\n",
                 "{\"a\":\"one two\",\"b\":\"it's\",\"c\":\"\\u20acA\\u0000\\u001b\\u0085\"}");
    assert_reads(*state, "{\"a\": [1, 2.5, null, true], \"b\": \"\\ud83d\\ude00\"}",
                 "{\"a\":[1,2.5,null,true],\"b\":\"\\ud83d\\ude00\"}");
    assert_reads(*state, "? a\n: b\n", "{\"a\":\"b\"}");
    assert_reads(*state,
                 "\xEF\xBB\xBF"
                 "a: 1",
                 "{\"a\":1}");
    assert_reads(*state, "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}");
    assert_reads(*state, "plain", "\"plain\"");
    assert_reads(*state, "---\n", "null");
    assert_reads(*state, "url: http://example.com/a?b=c#d\ntime: 12:30:45\n",
                 "{\"url\":\"http://example.com/a?b=c#d\",\"time\":\"12:30:45\"}");
}

static void types_plain_scalars(void **state) {
    const char *const cases[][2] = {{"~", "null"},
                                    {"null", "null"},
                                    {"Null", "null"},
                                    {"NULL", "null"},
                                    {"nULL", "\"nULL\""},
                                    {"true", "true"},
                                    {"True", "true"},
                                    {"TRUE", "true"},
                                    {"false", "false"},
                                    {"False", "false"},
                                    {"FALSE", "false"},
                                    {"tRUE", "\"tRUE\""},
                                    {"yes", "\"yes\""},
                                    {"No", "\"No\""},
                                    {"on", "\"on\""},
                                    {"off", "\"off\""},
                                    {"y", "\"y\""},
                                    {"0", "0"},
                                    {"-12", "-12"},
                                    {"+7", "7"},
                                    {"007", "7"},
                                    {"0o17", "15"},
                                    {"0o18", "\"0o18\""},
                                    {"0x1F", "31"},
                                    {"0xG", "\"0xG\""},
                                    {"0x", "\"0x\""},
                                    {"-0x1", "\"-0x1\""},
                                    {"1.5", "1.5"},
                                    {".5", "0.5"},
                                    {"5.", "5"},
                                    {"+.5e1", "5"},
                                    {"1e3", "1000"},
                                    {"1E-2", "0.01"},
                                    {"-0", "0"},
                                    {".", "\".\""},
                                    {"1e", "\"1e\""},
                                    {"1.2.3", "\"1.2.3\""},
                                    {"1_000", "\"1_000\""},
                                    {"+", "\"+\""},
                                    {"e5", "\"e5\""},
                                    {"2026-01-02", "\"2026-01-02\""},
                                    {"nan", "\"nan\""},
                                    {"inf", "\"inf\""},
                                    {"\"1\"", "\"1\""},
                                    {"'null'", "\"null\""},
                                    {"''", "\"\""},
                                    {"0x7FFFFFFFFFFFFFFF", "9223372036854775807"},
                                    {"-9223372036854775808", "-9223372036854775808"},
                                    {"51-200", "\"51-200\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_reads(*state, cases[i][0], cases[i][1]);
        assert_reads(*state, str_format(*state, "[%s]", cases[i][0]).ptr, str_format(*state, "[%s]", cases[i][1]).ptr);
    }
}

static void refuses(void **state) {
    const struct {
        const char *text, *slug, *place;
    } cases[] = {{"a: 1\nb: &x 2\n", "yaml_anchor", "line 2, column 4"},
                 {"a: 1\nb: *a\n", "yaml_alias", "line 2, column 4"},
                 {"<<: *a\n", "yaml_alias", "line 1, column 5"},
                 {"*a : 1\n", "yaml_alias", "line 1, column 1"},
                 {"&a a: 1\n", "yaml_anchor", "line 1, column 1"},
                 {"- 1\n- !!str 2\n", "yaml_tag", "line 2, column 3"},
                 {"- !point {x: 1}\n", "yaml_tag", "line 1, column 3"},
                 {"a: !x\nb: 1\n", "yaml_tag", "line 1, column 4"},
                 {"--- 1\n--- 2\n", "yaml_documents", "line 2, column 1"},
                 {"a: 1\nb:\n  c: 2\n  c: 3\n", "yaml_duplicate_key", "line 4, column 3"},
                 {"{a: 1, \"a\": 2}", "yaml_duplicate_key", "line 1, column 8"},
                 {"? [a]\n: 1\n", "yaml_key", "line 1, column 3"},
                 {"? {a: b}\n: 1\n", "yaml_key", "line 1, column 3"},
                 {"a: 1\n12: x\n", "yaml_key", "line 2, column 1"},
                 {"true: x\n", "yaml_key", "line 1, column 1"},
                 {"~: x\n", "yaml_key", "line 1, column 1"},
                 {"a: .inf\n", "yaml_number_range", "line 1, column 4"},
                 {"a: -.INF\n", "yaml_number_range", "line 1, column 4"},
                 {"a: .nan\n", "yaml_number_range", "line 1, column 4"},
                 {"a: 1e999\n", "yaml_number_range", "line 1, column 4"},
                 {"a: 99999999999999999999\n", "yaml_number_range", "line 1, column 4"},
                 {"a: 0xFFFFFFFFFFFFFFFF\n", "yaml_number_range", "line 1, column 4"},
                 {"a: [1, 2\nb: 3\n", "yaml_syntax", "line 3"},
                 {"a: b: c\n", "yaml_syntax", "line 1, column 5"},
                 {"a: 'x\n", "yaml_syntax", "line 1, column 5"},
                 {"a:\n\tb: 1\n", "yaml_syntax", "line 2"},
                 {"a: 1\n b: 2\n", "yaml_syntax", "line 1, column 4"},
                 {"a: 'x\n", "yaml_syntax", "line 1, column 5"},
                 {"a: \"\\q\"\n", "yaml_syntax", "line 1"},
                 {"\xC3\xA9: \"\xFF\"\n", "yaml_utf8", "line 1, column 5"},
                 {"a: 1\nb: \x01\n", "yaml_control", "line 2, column 4"},
                 {"a: \x7f\n", "yaml_control", "line 1, column 4"},
                 {"", "yaml_empty", ""},
                 {"# only a comment\n", "yaml_empty", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct json *v = NULL;
        err rc = yaml_parse(*state, str_from(cases[i].text), NULL, &v);
        if (rc != ERR_INPUT || strcmp(err_slug(), cases[i].slug) != 0 || !strstr(err_text(), cases[i].place) || v)
            fail_msg("%s: %s [%s] %s", cases[i].text, err_name(rc), rc ? err_slug() : "", rc ? err_text() : "");
    }
    const struct json *v = NULL;
    assert_fails(yaml_parse(*state, (str){"a: b\0c", 6}, NULL, &v), ERR_INPUT, "yaml_control");
}

static void limits_hold(void **state) {
    const struct json *v = NULL;
    const struct json_limits limits = {.max_byte = 64, .max_depth = 3, .max_value = 6};
    assert_ok(yaml_parse(*state, STR("[[[1, 2, 3]]]"), &limits, &v));
    assert_fails(yaml_parse(*state, STR("[[[[1]]]]"), &limits, &v), ERR_LIMIT, "yaml_too_deep");
    assert_fails(yaml_parse(*state, STR("- - - - 1"), &limits, &v), ERR_LIMIT, "yaml_too_deep");
    assert_fails(yaml_parse(*state, STR("[[[1, 2, 3, 4]]]"), &limits, &v), ERR_LIMIT, "yaml_too_many");
    assert_fails(yaml_parse(*state, STR("a: 34567890123456789012345678901234567890123456789012345678901234"), &limits, &v),
                 ERR_LIMIT, "yaml_too_large");
    char *deep = arena_alloc(*state, 100001);
    memset(deep, '[', 100000);
    err rc = yaml_parse(*state, (str){deep, 100000}, NULL, &v);
    assert_true(rc == ERR_LIMIT || rc == ERR_INPUT);
}

static void places(void **state) {
    const struct json *v = NULL;
    assert_ok(yaml_parse(*state, STR("\xC3\xA9\xC3\xA9: x\nlist:\n  - 1\n  - k: v\nempty:\n"), NULL, &v));
    const struct json *list = json_get(v, STR("list"));
    assert_true(v->members[0].value.line == 1 && v->members[0].value.column == 5);
    assert_true(v->members[0].line == 1 && v->members[0].column == 1);
    assert_true(list->items[0].line == 3 && list->items[0].column == 5);
    assert_true(json_get(&list->items[1], STR("k"))->line == 4 && json_get(&list->items[1], STR("k"))->column == 8);
    assert_int_equal(json_get(v, STR("empty"))->line, 5);
    assert_ok(yaml_parse(*state, STR("\"\xC3\xA9\": 'x'\n'b': [\"y\"]\n"), NULL, &v));
    assert_true(v->members[0].column == 1 && v->members[0].value.column == 6);
    assert_true(v->members[1].column == 1 && v->members[1].value.items[0].column == 7);
}

static void assert_writes(struct arena *a, const char *json, const char *yaml) {
    const struct json *v = NULL;
    struct buf *out = buf_in(a, 1 << 20);
    assert_ok(json_parse(a, str_from(json), NULL, &v));
    yaml_write(out, v);
    assert_str(buf_str(out), yaml);
}

static void writes_block_style(void **state) {
    assert_writes(*state,
                  "{\"name\":\"Acme GmbH\",\"size\":12,\"tags\":[\"a\",\"b "
                  "c\"],\"o\":{\"x\":1.5,\"z\":{}},\"list\":[{\"k\":1,\"l\":[]},[1,[2]],\"z\"]}",
                  "name: Acme GmbH\nsize: 12\ntags: [a, b c]\no:\n  x: 1.5\n  z: {}\nlist:\n  - k: 1\n    l: []\n  - - 1\n  "
                  "  - [2]\n  - z\n");
    assert_writes(*state, "[]", "[]\n");
    assert_writes(*state, "\"x\"", "x\n");
    assert_writes(*state, "null", "null\n");
}

static void quotes_what_could_be_misread(void **state) {
    const char *const quoted[] = {"yes", "No",   "ON",  "off",  "y",    "null", "~",   "true",       "False", "1",
                                  "-1",  "1.5",  "1e5", "0x1f", ".inf", "",     " a",  "a ",         "- a",   "a: b",
                                  "a:",  "a #b", "#a",  "&a",   "*a",   "!a",   "%a",  "@a",         "[a",    "{a",
                                  "a,b", "'a",   "?",   "|",    ">",    "-",    "---", "2026-01-02", "<<"};
    const char *const plain[] = {"a",        "Acme", "a b", "http://x.y/z?q=1", "a_b-c.d", "Yes please", "/path",
                                 "nullable", "_x",   "a&b"};
    for (size_t i = 0; i < sizeof quoted / sizeof *quoted; i++)
        assert_writes(*state, str_format(*state, "\"%s\"", quoted[i]).ptr, str_format(*state, "\"%s\"\n", quoted[i]).ptr);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_writes(*state, str_format(*state, "\"%s\"", plain[i]).ptr, str_format(*state, "%s\n", plain[i]).ptr);
}

static void assert_survives(struct arena *a, const struct json *tree) {
    struct buf *out = buf_in(a, 1 << 22);
    const struct json *back = NULL;
    yaml_write(out, tree);
    assert_ok(buf_check(out));
    err rc = yaml_parse(a, buf_str(out), NULL, &back);
    if (rc != OK || !json_equal(tree, back))
        fail_msg("%s\n%.*s", rc ? err_text() : "changed", STR_ARG(buf_str(out)));
}

static void trees_survive_writing(void **state) {
    struct arena *a = *state;
    struct rng r = rng_from_seed(31);
    for (int i = 0; i < ROUNDS; i++) {
        struct arena_mark mark = arena_mark(a);
        struct json tree = random_tree(a, &r, 4);
        assert_survives(a, &tree);
        arena_rewind(a, mark);
    }
}

static void long_keys_and_texts_survive(void **state) {
    char *text = arena_alloc(*state, 70001);
    memset(text, 'k', 70000);
    for (size_t len = 100; len <= 70000; len = len * 3 / 2) {
        const struct json_member member = {.key = {text, len}, .value = {.type = JSON_STRING, .string = {text, len}}};
        const struct json inner = {.type = JSON_OBJECT, .count = 1, .members = &member};
        const struct json_member outer = {.key = {text, len}, .value = inner};
        assert_survives(*state, &(struct json){.type = JSON_OBJECT, .count = 1, .members = &outer});
    }
}

/* Damaged texts are read or refused, never printed about, and nothing is lost when the arena gives up. */
static void damage_is_harmless(void **state) {
    struct arena *a = *state;
    struct rng r = rng_from_seed(32);
    for (int i = 0; i < ROUNDS / 2; i++) {
        struct arena_mark mark = arena_mark(a);
        struct json tree = random_tree(a, &r, 3);
        struct buf *out = buf_in(a, 1 << 22);
        const struct json *v = NULL;
        yaml_write(out, &tree);
        str text = random_damage(a, &r, buf_str(out));
        if (yaml_parse(a, text, NULL, &v) == OK)
            assert_survives(a, v);
        arena_rewind(a, mark);
    }
}

struct work {
    struct arena *arena;
    str text;
};

static err parse_work(void *ctx) {
    const struct work *w = ctx;
    const struct json *v;
    return yaml_parse(w->arena, w->text, NULL, &v);
}

static void a_full_arena_is_a_limit(void **state) {
    struct arena *small = arena_new(100 * 1000);
    char *ones = arena_alloc(*state, 60002);
    for (size_t i = 0; i < 15000; i++)
        memcpy(ones + i * 4, "- a\n", 4);
    struct work w = {small, {ones, 60000}};
    assert_fails(arena_run(small, parse_work, &w), ERR_LIMIT, "memory_limit");
    arena_free(small);
}

static void nothing_is_printed(void **state) {
    FILE *capture = tmpfile();
    int keep = dup(2);
    const struct json *v = NULL;
    assert_true(capture && keep >= 0 && dup2(fileno(capture), 2) == 2);
    err rc = yaml_parse(*state, STR("a: [1, 2\nb: : c\n  - 'x"), NULL, &v);
    fflush(stderr);
    dup2(keep, 2);
    close(keep);
    assert_int_equal(rc, ERR_INPUT);
    fseek(capture, 0, SEEK_END);
    assert_int_equal(ftell(capture), 0);
    fclose(capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reads_structures),
        ARENA_TEST(types_plain_scalars),
        ARENA_TEST(refuses),
        ARENA_TEST(limits_hold),
        ARENA_TEST(places),
        ARENA_TEST(writes_block_style),
        ARENA_TEST(quotes_what_could_be_misread),
        ARENA_TEST(trees_survive_writing),
        ARENA_TEST(long_keys_and_texts_survive),
        ARENA_TEST(damage_is_harmless),
        ARENA_TEST(a_full_arena_is_a_limit),
        ARENA_TEST(nothing_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
