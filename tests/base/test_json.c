/* test_json.c — places and messages of the reader, getters, equality, and the writer. */
#include "base/json_support.h"

#include <math.h>

static const struct json *parse(void *arena, const char *text) {
    const struct json *v = NULL;
    assert_ok(json_parse(arena, str_from(text), NULL, &v));
    return v;
}

static void assert_message(void *arena, const char *text, const char *slug, const char *message) {
    const struct json *v = NULL;
    assert_fails(json_parse(arena, str_from(text), NULL, &v), ERR_INPUT, slug);
    assert_string_equal(err_text(), message);
    assert_null(v);
}

static void builds_a_tree(void **state) {
    const struct json *v = parse(
        *state, "{\"a\": [1, -2.5, \"x\\u0000y\\ud83d\\ude00\"], \"b\": {\"c\": true, \"d\": null}, \"e\": -0, \"f\": 1e5}");
    const struct json *a = json_get(v, STR("a"));
    assert_int_equal(v->count, 4);
    assert_int_equal(a->items[0].integer, 1);
    assert_true(a->items[1].type == JSON_REAL && a->items[1].real == -2.5);
    assert_true(str_equal(a->items[2].string, (str){"x\0y\xF0\x9F\x98\x80", 7}));
    assert_int_equal(a->items[2].string.ptr[7], '\0');
    assert_true(json_pointer(v, STR("/b/c"))->boolean);
    assert_int_equal(json_pointer(v, STR("/b/d"))->type, JSON_NULL);
    assert_true(json_get(v, STR("e"))->type == JSON_REAL && signbit(json_get(v, STR("e"))->real));
    assert_true(json_get(v, STR("f"))->real == 100000);
    assert_null(json_get(v, STR("g")));
    assert_null(json_get(NULL, STR("g")));
    assert_null(json_get(a, STR("g")));
}

static void does_not_point_into_the_text(void **state) {
    char text[] = "{\"key\": \"value\"}";
    const struct json *v = parse(*state, text);
    memset(text, 'z', sizeof text);
    assert_str(json_get(v, STR("key"))->string, "value");
}

static void values_know_their_place(void **state) {
    const struct json *v = parse(*state, "\n {\"\xC3\xA9\xE2\x82\xAC\": 1,\r\n\t\"b\": [\"\\u0041\", 2]}");
    assert_true(v->line == 2 && v->column == 2);
    assert_true(v->members[0].value.line == 2 && v->members[0].value.column == 9);
    assert_true(v->members[0].line == 2 && v->members[0].column == 3);
    assert_true(v->members[1].line == 3 && v->members[1].column == 2);
    struct json key = json_key_of(&v->members[1]);
    assert_true(key.line == 3 && key.column == 2 && key.type == JSON_STRING);
    assert_str(key.string, "b");
    const struct json *b = &v->members[1].value;
    assert_true(b->line == 3 && b->column == 7);
    assert_true(b->items[1].line == 3 && b->items[1].column == 18);
}

static void messages_say_what_was_expected(void **state) {
    assert_message(*state, "[1,\n 2,\n  \"x\"  4]", "json_unexpected",
                   "line 3, column 8: a comma or ] was expected after the item, not `4`");
    assert_message(*state, "{\"a\": 1 \"b\"", "json_unexpected",
                   "line 1, column 9: a comma or } was expected after the member, not `\"`");
    assert_message(*state, "[1,", "json_unfinished", "line 1, column 4: a value was expected, but the text ends here");
    assert_message(*state, "[\"\xC3\xA9\xC3\xA9\", \x01]", "json_unexpected",
                   "line 1, column 8: a value was expected, not the byte 0x01");
    assert_message(*state, "[\"\xC3\xA9\xFF\"]", "json_utf8", "line 1, column 4: the text is not UTF-8: byte 0xFF");
    assert_message(*state, "{\"a\": 1,\n \"a\": 2}", "json_duplicate_key",
                   "line 2, column 2: the key `a` appears twice in this object");
    assert_message(*state, "[0123]", "json_number_zero", "line 1, column 2: a number must not start with a zero");
    assert_message(*state, "nul", "json_unexpected",
                   "line 1, column 1: a value was expected (true, false and null are the only bare words), not `n`");
}

static void limits_hold(void **state) {
    const struct json *v = NULL;
    const struct json_limits limits = {.max_byte = 20, .max_depth = 3, .max_value = 6};
    assert_ok(json_parse(*state, STR("[[[1,2,3]]]"), &limits, &v));
    assert_fails(json_parse(*state, STR("[[[[1]]]]"), &limits, &v), ERR_LIMIT, "json_too_deep");
    assert_fails(json_parse(*state, STR("[[[1,2,3,4]]]"), &limits, &v), ERR_LIMIT, "json_too_many");
    assert_fails(json_parse(*state, STR("[1,                 1]"), &limits, &v), ERR_LIMIT, "json_too_large");
    assert_string_equal(err_text(), "the text has 22 bytes, more than the limit of 20");
}

/* Opens `n` brackets, and closes them if asked to. */
static str nested(struct arena *a, size_t n, const char *open, char close) {
    size_t width = strlen(open);
    char *text = arena_alloc(a, n * (width + 1) + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * width, open, width);
    if (close)
        memset(text + n * width, close, n);
    return (str){text, n * (width + (close != '\0'))};
}

static void depth_is_bounded(void **state) {
    const struct json *v = NULL;
    const struct json_limits deepest = {.max_depth = UINT32_MAX};
    assert_fails(json_parse(*state, nested(*state, 100000, "[", ']'), NULL, &v), ERR_LIMIT, "json_too_deep");
    assert_fails(json_parse(*state, nested(*state, 100000, "{\"\":", 0), &deepest, &v), ERR_LIMIT, "json_too_deep");
    assert_ok(json_parse(*state, nested(*state, JSON_DEPTH_MAX, "[", ']'), &deepest, &v));
    assert_fails(json_parse(*state, nested(*state, JSON_DEPTH_MAX + 1, "[", ']'), &deepest, &v), ERR_LIMIT, "json_too_deep");
    struct buf *out = buf_in(*state, 1 << 20);
    assert_ok(json_parse(*state, nested(*state, JSON_DEPTH_MAX, "[", ']'), &deepest, &v));
    json_write_canonical(out, v);
    assert_int_equal(out->len, 2 * JSON_DEPTH_MAX);
}

/* 32 members and more are kept sorted: every key is found, and a second is noticed wherever it stands. */
static void large_objects(void **state) {
    for (unsigned n = 20; n < 200; n += 9) {
        struct buf *b = buf_in(*state, 1 << 20);
        buf_add_byte(b, '{');
        for (unsigned i = 0; i < n; i++)
            buf_add_format(b, "%s\"k%u\":%u", i > 0 ? "," : "", i * 7919 % n, i * 7919 % n);
        const struct json *v = NULL;
        str text = str_format(*state, "%.*s}", STR_ARG(buf_str(b)));
        assert_ok(json_parse(*state, text, NULL, &v));
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(json_get(v, str_format(*state, "k%u", i))->integer, i);
        assert_null(json_get(v, STR("k")));
        text = str_format(*state, "%.*s,\n\"k%u\":0}", STR_ARG(buf_str(b)), n / 2);
        assert_fails(json_parse(*state, text, NULL, &v), ERR_INPUT, "json_duplicate_key");
        assert_string_equal(err_text(),
                            str_format(*state, "line 2, column 1: the key `k%u` appears twice in this object", n / 2).ptr);
    }
}

struct work {
    struct arena *arena;
    str text;
};

static err parse_work(void *ctx) {
    const struct work *w = ctx;
    const struct json *v;
    return json_parse(w->arena, w->text, NULL, &v);
}

/* 1 MB holds the text and not its values; nothing may leak on the way out. */
static void a_full_arena_is_a_limit(void **state) {
    struct arena *small = arena_new(1 << 20);
    char *ones = arena_alloc(*state, 200002);
    for (size_t i = 0; i < 100000; i++)
        memcpy(ones + 1 + i * 2, "1,", 2);
    ones[0] = '[';
    struct work w = {small, {ones, 200001}};
    assert_fails(arena_run(small, parse_work, &w), ERR_LIMIT, "memory_limit");
    arena_reset(small);
    w.text = nested(*state, 100, "[", ']');
    assert_ok(arena_run(small, parse_work, &w));
    arena_free(small);
}

static void pointers(void **state) {
    const struct json *v =
        parse(*state, "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"m~n\": 8, \" \": 7, \"~1\": 9}");
    assert_ptr_equal(json_pointer(v, STR("")), v);
    assert_str(json_pointer(v, STR("/foo/0"))->string, "bar");
    assert_int_equal(json_pointer(v, STR("/"))->integer, 0);
    assert_int_equal(json_pointer(v, STR("/a~1b"))->integer, 1);
    assert_int_equal(json_pointer(v, STR("/m~0n"))->integer, 8);
    assert_int_equal(json_pointer(v, STR("/ "))->integer, 7);
    assert_int_equal(json_pointer(v, STR("/~01"))->integer, 9);
    const char *const absent[] = {"foo",      "/foo/2", "/foo/00", "/foo/-", "/foo/",
                                  "/foo/0/x", "/m~n",   "/m~2n",   "/x",     "/foo/99999999999999999999"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_null(json_pointer(v, str_from(absent[i])));
    assert_null(json_pointer(NULL, STR("/a")));
}

static void typed_reads(void **state) {
    const struct json *v = parse(*state, "{\"s\": \"x\", \"n\": 2.5, \"i\": 3,\n \"w\": 1e3, \"b\": true, \"a\": [1, 2.5], "
                                         "\"o\": {}, \"bad\": [1, \"2\"]}"),
                      *child;
    str s;
    double number, *numbers;
    int64_t integer;
    bool boolean;
    size_t n;
    assert_ok(json_get_string(v, STR("s"), &s));
    assert_str(s, "x");
    assert_ok(json_get_number(v, STR("n"), &number));
    assert_true(number == 2.5);
    assert_ok(json_get_number(v, STR("i"), &number));
    assert_true(number == 3);
    assert_ok(json_get_integer(v, STR("w"), &integer));
    assert_int_equal(integer, 1000);
    assert_ok(json_get_bool(v, STR("b"), &boolean));
    assert_true(boolean);
    assert_ok(json_get_array(v, STR("a"), &child));
    assert_ok(json_get_object(v, STR("o"), &child));
    assert_int_equal(child->type, JSON_OBJECT);
    assert_ok(json_get_numbers(*state, v, STR("a"), &numbers, &n));
    assert_true(n == 2 && numbers[0] == 1 && numbers[1] == 2.5);

    assert_fails(json_get_string(v, STR("zip"), &s), ERR_ABSENT, "json_absent");
    assert_string_equal(err_text(), "line 1, column 1: the key `zip` is missing");
    assert_fails(json_get_string(v, STR("w"), &s), ERR_INPUT, "json_type");
    assert_string_equal(err_text(), "line 2, column 7: `w` must be text, not a number");
    assert_fails(json_get_integer(v, STR("n"), &integer), ERR_INPUT, "json_type");
    assert_fails(json_get_bool(v, STR("i"), &boolean), ERR_INPUT, "json_type");
    assert_fails(json_get_number(v, STR("s"), &number), ERR_INPUT, "json_type");
    assert_fails(json_get_array(v, STR("o"), &child), ERR_INPUT, "json_type");
    assert_fails(json_get_object(v, STR("a"), &child), ERR_INPUT, "json_type");
    assert_fails(json_get_numbers(*state, v, STR("bad"), &numbers, &n), ERR_INPUT, "json_type");
    assert_non_null(strstr(err_text(), "item 2 of `bad` must be a number, not text"));
    assert_fails(json_get_string(NULL, STR("s"), &s), ERR_ABSENT, "json_absent");
    assert_fails(json_get_string(json_get(v, STR("a")), STR("s"), &s), ERR_INPUT, "json_type");
}

static bool same(void *arena, const char *a, const char *b) { return json_equal(parse(arena, a), parse(arena, b)); }

static void equality(void **state) {
    assert_true(same(*state, "{\"a\": 1, \"b\": [true, null]}", "{\"b\": [true, null], \"a\": 1.0}"));
    assert_true(same(*state, "0", "-0"));
    assert_false(same(*state, "{\"a\": 1}", "{\"b\": 1}"));
    assert_false(same(*state, "{\"a\": 1}", "{\"a\": 1, \"b\": 1}"));
    assert_false(same(*state, "[1, 2]", "[2, 1]"));
    assert_false(same(*state, "true", "false"));
    assert_false(same(*state, "\"1\"", "1"));
    assert_false(same(*state, "9007199254740993", "9007199254740992.0")); /* their doubles are equal, they are not */
    assert_true(same(*state, "9007199254740992", "9007199254740992.0"));
    assert_false(same(*state, "9223372036854775807", "9223372036854775808.0"));
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(parse(*state, "null"), NULL));
}

static void writes(void **state) {
    struct buf *out = buf_in(*state, 1 << 20);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_put_string(&w, STR("name"), (str){"a\"\\\b\f\n\r\t\x01\0\x7f/\xC3\xA9\xFF!", 16});
    json_put_number(&w, STR("p"), 0.1);
    json_put_number(&w, STR("nan"), (double)NAN);
    json_put_integer(&w, STR("i"), INT64_MIN);
    json_put_bool(&w, STR("b"), false);
    json_put_numbers(&w, STR("xs"), (double[]){1, -0.0, 1e300}, 3);
    json_key(&w, STR("o"));
    json_open_object(&w);
    json_close_object(&w);
    json_key(&w, STR("a"));
    json_open_array(&w);
    json_null(&w);
    json_open_array(&w);
    json_close_array(&w);
    json_string(&w, STR(""));
    json_close_array(&w);
    json_close_object(&w);
    assert_str(buf_str(out), "{\"name\":\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u0000\x7f/"
                             "\xC3\xA9\xEF\xBF\xBD!\",\"p\":0.1,\"nan\":null,\"i\":-9223372036854775808,"
                             "\"b\":false,\"xs\":[1,-0,1e+300],\"o\":{},\"a\":[null,[],\"\"]}");
}

static void writes_with_indent(void **state) {
    struct buf *out = buf_in(*state, 1 << 20);
    struct json_writer w;
    json_write_begin(&w, out, 2);
    json_value(&w, parse(*state, "{\"a\": [1, {}], \"b\": []}"));
    assert_str(buf_str(out), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

static void canonical_form(void **state) {
    struct buf *out = buf_in(*state, 1 << 20);
    json_write_canonical(
        out, parse(*state, "{\"b\": 1.0, \"a\": {\"z\": -0, \"\": 1e3, \"Z\": 18014398509481984.0}, \"aa\": 1e300}"));
    assert_str(buf_str(out), "{\"a\":{\"\":1000,\"Z\":18014398509481984,\"z\":0},\"aa\":1e+300,\"b\":1}");
}

static void real_numbers_stay_real_beyond_their_precision(void **state) {
    struct buf *out = buf_in(*state, 1 << 20);
    struct json_writer w;
    const double values[] = {0x1p53, 0x1p60, 0x1p63, -0x1p63, 123456789012345678.0, 1e19};
    json_write_begin(&w, out, 0);
    json_open_array(&w);
    for (size_t i = 0; i < 6; i++)
        json_number(&w, values[i]);
    json_close_array(&w);
    const struct json *v;
    assert_ok(json_parse(*state, buf_str(out), NULL, &v));
    for (size_t i = 0; i < 6; i++)
        assert_true(json_number_of(&v->items[i]) == values[i] && (i == 0 || v->items[i].type == JSON_REAL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(builds_a_tree),
        ARENA_TEST(does_not_point_into_the_text),
        ARENA_TEST(values_know_their_place),
        ARENA_TEST(messages_say_what_was_expected),
        ARENA_TEST(limits_hold),
        ARENA_TEST(depth_is_bounded),
        ARENA_TEST(large_objects),
        ARENA_TEST(a_full_arena_is_a_limit),
        ARENA_TEST(pointers),
        ARENA_TEST(typed_reads),
        ARENA_TEST(equality),
        ARENA_TEST(writes),
        ARENA_TEST(writes_with_indent),
        ARENA_TEST(canonical_form),
        ARENA_TEST(real_numbers_stay_real_beyond_their_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
