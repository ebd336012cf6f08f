/* test_program.c — what programs give, what they may not do, and that none runs away. */
#include "connector/program.h"
#include "unit.h"

#include <time.h>

struct bench {
    struct arena *arena;
    struct program_host *host;
    struct program_group *group;
};

static struct bench bench_new(void **state) {
    struct bench b = {.arena = *state, .group = program_group_new(*state)};
    const struct program_limits limits = {.cpu_ms = 60};
    assert_ok(program_host_new(b.arena, &limits, &b.host));
    return b;
}

static const struct json *parse(struct bench *b, const char *text) {
    const struct json *v;
    assert_ok(json_parse(b->arena, str_from(text), NULL, &v));
    return v;
}

static const struct program *program(struct bench *b, const char *text) {
    const struct program *p;
    assert_ok(program_parse(b->arena, b->group, str_from(text), "x.yaml", 7, 3, &p));
    return p;
}

/* All results as one line of JSON, or the slug of the failure. */
static const char *run(struct bench *b, const char *text, const char *input) {
    const struct json **list, *in = parse(b, input);
    const struct program_context context = {.input = in, .status = 200};
    size_t n;
    if (program_run(b->host, b->arena, program(b, text), in, &context, &list, &n) != OK)
        return err_slug();
    struct buf *out = buf_in(b->arena, 1 << 20);
    struct json_writer w;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(out, ' ');
        json_write_begin(&w, out, 0);
        json_value(&w, list[i]);
    }
    buf_add_byte(out, 0);
    return buf_str(out).ptr;
}

#define DOCUMENT                                                                                                            \
    "{\"a\":{\"b\":[{\"c\":1},{\"c\":\"two\"}],\"x "                                                                        \
    "y\":true},\"n\":null,\"f\":false,\"t\":\"text\"}"

/* The paths that are run without libjq give what libjq gives for the same path in brackets. */
static void paths_are_as_jq(void **state) {
    static const char *const path[] = {
        ".",     ".a.b[0].c",      ".a.b[-1].c",   ".a.b[9].c", ".a[\"x y\"]", ".a.\"x y\"",  ".n.z",    ".t.z",
        ".t.z?", ".a[0]",          ".a[0]?",       ".n // 5",   ".f // .t",    ".t.z // .t",  ".a.b[0]", "\"const\"",
        "1.5",   ".n // .f // .n", ".zz // \"d\"", "null",      ".t[0]",       ".f // false", ".a.b.c",  ".n // .t.z"};
    struct bench b = bench_new(state);
    for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
        assert_true(program_is_path(program(&b, path[i])));
        char wrapped[64];
        snprintf(wrapped, sizeof wrapped, "(%s)", path[i]);
        const char *ours = run(&b, path[i], DOCUMENT), *theirs = run(&b, wrapped, DOCUMENT);
        /* "?" that gives nothing at all is null with us: what a mapping makes of both is the same. */
        if (!str_ends(str_from(path[i]), STR("?")))
            assert_string_equal(ours, theirs);
    }
    assert_true(program_host_counters(b.host).path_run >= 24);
}

static void jq_runs(void **state) {
    struct bench b = bench_new(state);
    assert_string_equal(run(&b, ".a.b | map(.c)", DOCUMENT), "[1,\"two\"]");
    assert_string_equal(run(&b, ".a.b[].c", DOCUMENT), "1 \"two\"");
    assert_string_equal(run(&b, "{status: $status, t, t2: .t, k: $input.t}", DOCUMENT),
                        "{\"status\":200,\"t\":\"text\",\"t2\":\"text\",\"k\":\"text\"}");
    assert_string_equal(run(&b, "def my_f(g; $n): g + $n; my_f(.a.b[0].c; 2)", DOCUMENT), "3");
    assert_string_equal(run(&b, "3 * 4 # twelve", "null"), "12");
    assert_string_equal(run(&b, "\"n=\\(.a.b[0].c + 1)\"", DOCUMENT), "\"n=2\"");
    /* What a double cannot hold is an identifier. */
    assert_string_equal(run(&b, "[.big]", "{\"big\":9007199254740993}"), "[\"9007199254740993\"]");
    assert_string_equal(run(&b, "[infinite, 0.5, -3]", "null"), "[null,0.5,-3]");
    assert_string_equal(run(&b, "empty", "null"), "");
}

static void forbidden(void **state) {
    static const char *const bad[] = {"input",
                                      "[inputs]",
                                      "env.HOME",
                                      "$ENV.HOME",
                                      "debug",
                                      "input_filename",
                                      "import \"a\" as a; 1",
                                      "include \"a\"; 1",
                                      "$__loc__",
                                      "halt",
                                      "\"x\" | halt_error",
                                      "now",
                                      "test(\"(a+)+$\")",
                                      "[1114112] | implode",
                                      ".a = 1",
                                      ".a |= 2",
                                      ".a += 1",
                                      "setpath([1e9]; 1)",
                                      "get_search_list",
                                      "modulemeta",
                                      "\"\\(env)\"",
                                      "def env: 1; env",
                                      "def my_f(input): input; 1",
                                      "{a: env}",
                                      "[1, env, 2]",
                                      "stderr",
                                      "input_line_number",
                                      "builtins",
                                      "1) | env | (1",
                                      "(1",
                                      "\"open",
                                      "limit(1; env)",
                                      "path(..)",
                                      "gsub(\"a\";\"b\")",
                                      "{(env.A): 1}",
                                      "localtime",
                                      "label $out | 1",
                                      "@evil",
                                      ".a //= 1",
                                      "_plus(1; 2)",
                                      "def _plus(a; b): 1; 1 + 1"};
    struct bench b = bench_new(state);
    const struct program *p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err rc = program_parse(b.arena, b.group, str_from(bad[i]), "x.yaml", 7, 3, &p);
        if (rc != ERR_INPUT || strcmp(err_slug(), "program_forbidden") != 0)
            fail_msg("allowed: %s", bad[i]);
    }
    /* Words that only look so. */
    assert_string_equal(run(&b, "[.input, {env: 1}.env, {input}] # env", "{\"input\":5}"), "[5,1,{\"input\":5}]");
    assert_string_equal(run(&b, "\"env \\(1) input\"", "null"), "\"env 1 input\"");
}

static void runaways_end(void **state) {
    static const struct {
        const char *program, *slug;
    } bad[] = {{"[range(1e12)]", "program_time"},
               {"def f: f; f", "program_time"},
               {"repeat(1)", "program_output"},
               {"[repeat(1)]", "program_time"},
               {"[recurse(. + 1)] | length", "program_time"},
               {"def g: 1 + g; g", "program_time"},
               {"last(range(1e15))", "program_time"},
               {"reduce range(1e12) as $i (0; . + $i)", "program_time"},
               {"until(false; .)", "program_time"},
               {"\"xxxxxxxxxx\" * 1e9", "program_failed"},
               {"[range(150000)]", "program_output"},
               {"range(100000)", "program_output"}};
    struct bench b = bench_new(state);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const clock_t began = clock();
        assert_string_equal(run(&b, bad[i].program, "1"), bad[i].slug);
        /* Limit, compiling (under sanitizers too), giving back what was made. */
        assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 5);
        /* The host goes on working. */
        assert_string_equal(run(&b, "[.[] | . + 1]", "[1,2]"), "[2,3]");
    }
}

static void faults_name_the_place(void **state) {
    struct bench b = bench_new(state);
    const struct json *out;
    assert_fails(program_first(b.host, b.arena, program(&b, ".a.b | map(.c + 1) | add"), parse(&b, DOCUMENT), NULL, &out),
                 ERR_INPUT, "program_failed");
    assert_true(strstr(err_text(), "x.yaml:7:3: ") && strstr(err_text(), "map(.c + 1)") &&
                strstr(err_text(), "given {\"a\""));
    assert_fails(program_first(b.host, b.arena, program(&b, ".t.z.y"), parse(&b, DOCUMENT), NULL, &out), ERR_INPUT,
                 "program_failed");
    assert_non_null(strstr(err_text(), "given \"text\""));
    assert_fails(program_check(b.host, program(&b, ".a | if then")), ERR_INPUT, "program_syntax");
    assert_true(strstr(err_text(), "x.yaml:7:3") && strstr(err_text(), "syntax error"));
}

static void held_input_is_the_same(void **state) {
    struct bench b = bench_new(state);
    const struct json *v = parse(&b, DOCUMENT), *out;
    const struct program *p = program(&b, ".a.b | length");
    program_hold(b.host, v);
    for (int i = 0; i < 3; i++) {
        assert_ok(program_first(b.host, b.arena, p, v, NULL, &out));
        assert_int_equal(out->integer, 2);
    }
    program_release(b.host);
    assert_ok(program_first(b.host, b.arena, p, parse(&b, "{}"), NULL, &out));
    assert_int_equal(out->integer, 0);
    assert_int_equal(program_host_counters(b.host).compiled, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(paths_are_as_jq),
        ARENA_TEST(jq_runs),
        ARENA_TEST(forbidden),
        ARENA_TEST(runaways_end),
        ARENA_TEST(faults_name_the_place),
        ARENA_TEST(held_input_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
