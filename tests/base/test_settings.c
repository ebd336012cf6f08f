/* test_settings.c — values from command lines and other sources into a struct. */
#include "unit.h"

#include "base/settings.h"

enum color { RED, GREEN, BLUE };
static const char *const colors[] = {"red", "green", "blue", NULL};

struct values {
    bool verbose, quick;
    str title, out;
    int64_t rows, unset;
    double rate, share, free_number;
    enum color color;
    struct setting_list exclude;
};

static const struct setting table[] = {
    {.name = "verbose", .letter = 'v', .type = SETTING_FLAG, .offset = offsetof(struct values, verbose)},
    {.name = "quick", .letter = 'q', .type = SETTING_FLAG, .offset = offsetof(struct values, quick)},
    {.name = "title", .type = SETTING_STRING, .offset = offsetof(struct values, title), .fallback = "none"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     .offset = offsetof(struct values, out),
     .arg = "DIR",
     .required = true,
     .help = "where"},
    {.name = "rows",
     .letter = 'n',
     .type = SETTING_INTEGER,
     .offset = offsetof(struct values, rows),
     .fallback = "10",
     .min = 1,
     .max = 100},
    {.name = "unset", .type = SETTING_INTEGER, .offset = offsetof(struct values, unset)},
    {.name = "rate",
     .type = SETTING_NUMBER,
     .offset = offsetof(struct values, rate),
     .fallback = "0.5",
     .min = -1,
     .max = 1},
    {.name = "share", .type = SETTING_FRACTION, .offset = offsetof(struct values, share)},
    {.name = "free-number", .type = SETTING_NUMBER, .offset = offsetof(struct values, free_number)},
    {.name = "color",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct values, color),
     .fallback = "green",
     .choices = colors},
    {.name = "exclude", .letter = 'x', .type = SETTING_LIST, .offset = offsetof(struct values, exclude)},
};

struct words {
    str file;
    struct setting_list more;
};

static const struct argument arguments[] = {
    {.name = "FILE", .help = "the file", .offset = offsetof(struct words, file)},
    {.name = "MORE", .help = "more files", .offset = offsetof(struct words, more), .optional = true, .many = true},
};

struct fixture {
    struct settings settings;
    struct values values;
    struct words words;
};

static struct fixture *fresh(struct arena *a) {
    struct fixture *f = ARENA_NEW(a, struct fixture);
    settings_init(&f->settings, a, arguments, 2, &f->words);
    settings_add(&f->settings, table, sizeof table / sizeof *table, &f->values);
    return f;
}

/* Parses words separated by blanks; '_' stands for a blank inside a word. */
static err parse(struct fixture *f, const char *line) {
    char *argv[32], *text = str_cstr(f->settings.arena, str_from(line));
    int argc = 0;
    for (char *at = text, *word; (word = strsep(&at, " "));) {
        for (char *c = word; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        if (*word)
            argv[argc++] = word;
    }
    return settings_parse(&f->settings, argc, argv);
}

static void fallbacks_are_in_place(void **state) {
    struct fixture *f = fresh(*state);
    assert_false(f->values.verbose);
    assert_str(f->values.title, "none");
    assert_null(f->values.out.ptr);
    assert_int_equal(f->values.rows, 10);
    assert_true(f->values.unset == SETTING_UNSET);
    assert_close(f->values.rate, 0.5, 0);
    assert_true(isnan(f->values.share));
    assert_int_equal(f->values.color, GREEN);
    assert_int_equal(f->values.exclude.n, 0);
    assert_string_equal(settings_origin(&f->settings, STR("rows")), "default");
    assert_null(settings_origin(&f->settings, STR("out")));
}

static void every_form_is_read(void **state) {
    struct fixture *f = fresh(*state);
    assert_ok(parse(f, "a.csv --title=A_b -o dir -n5 --rate -0.25 --share 30% -vq --color blue -x one,two b.csv"));
    assert_str(f->words.file, "a.csv");
    assert_int_equal(f->words.more.n, 1);
    assert_str(f->words.more.item[0], "b.csv");
    assert_str(f->values.title, "A b");
    assert_str(f->values.out, "dir");
    assert_int_equal(f->values.out.ptr[f->values.out.len], 0);
    assert_int_equal(f->values.rows, 5);
    assert_close(f->values.rate, -0.25, 0);
    assert_close(f->values.share, 0.3, 1e-15);
    assert_true(f->values.verbose && f->values.quick);
    assert_int_equal(f->values.color, BLUE);
    assert_int_equal(f->values.exclude.n, 2);
    assert_str(f->values.exclude.item[1], "two");
    assert_string_equal(settings_origin(&f->settings, STR("rows")), "the command line");
}

static void double_hyphen_ends_options_and_single_is_a_word(void **state) {
    struct fixture *f = fresh(*state);
    assert_ok(parse(f, "- --verbose -- --out -v"));
    assert_str(f->words.file, "-");
    assert_int_equal(f->words.more.n, 2);
    assert_str(f->words.more.item[0], "--out");
    assert_str(f->words.more.item[1], "-v");
    assert_null(f->values.out.ptr);
}

static void lists_grow_trim_and_escape(void **state) {
    struct fixture *f = fresh(*state);
    assert_ok(parse(f, "a -x one,_two_,,three --exclude Lead\\,_Source -x four"));
    const char *expected[] = {"one", "two", "three", "Lead, Source", "four"};
    assert_int_equal(f->values.exclude.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_str(f->values.exclude.item[i], expected[i]);
    /* A later layer replaces what an earlier one said. */
    assert_ok(settings_apply(&f->settings, "GALENA_EXCLUDE", STR("exclude"), STR("zero")));
    assert_int_equal(f->values.exclude.n, 1);
}

static void wrong_usage_is_named(void **state) {
    static const struct {
        const char *line, *slug, *part;
    } cases[] = {
        {"--tilte x", "usage_unknown_option", "unknown option --tilte; did you mean --title?"},
        {"--titl x", "usage_unknown_option", "did you mean --title?"}, /* no abbreviations */
        {"--zzzzzzzz", "usage_unknown_option", "unknown option --zzzzzzzz"},
        {"-Z", "usage_unknown_option", "unknown option -Z"},
        {"--out", "usage_missing_value", "--out needs a value: --out DIR"},
        {"--out --verbose", "usage_missing_value", "--verbose follows"},
        {"-o", "usage_missing_value", "--out needs a value"},
        {"--verbose=1", "usage_unwanted_value", "--verbose takes no value"},
        {"--rows 0", "usage_bad_value", "a whole number from 1 to 100"},
        {"--rows 101", "usage_bad_value", "--rows cannot be \"101\""},
        {"--rows 1.5", "usage_bad_value", "a whole number"},
        {"--rows 99999999999999999999", "usage_bad_value", "a whole number"},
        {"--rows=", "usage_bad_value", "a whole number"},
        {"--rate nan", "usage_bad_value", "a number"},
        {"--rate 1e999", "usage_bad_value", "a number"},
        {"--rate 2", "usage_bad_value", "from -1 to 1"},
        {"--share 1.01", "usage_bad_value", "a number from 0 to 1"},
        {"--share 101%", "usage_bad_value", "a number from 0 to 1"},
        {"--share %", "usage_bad_value", "a number from 0 to 1"},
        {"--color gren", "usage_bad_value", "one of red, green, blue; did you mean green?"},
        {"--color RED", "usage_bad_value", "did you mean red?"},
        {"--title=", "usage_bad_value", "--title cannot be \"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture *f = fresh(*state);
        assert_fails(parse(f, cases[i].line), ERR_INPUT, cases[i].slug);
        if (!strstr(err_text(), cases[i].part))
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].line, err_text(), cases[i].part);
    }
}

static void what_is_missing_is_named(void **state) {
    struct fixture *f = fresh(*state);
    assert_ok(parse(f, "--out d"));
    assert_fails(settings_check(&f->settings), ERR_INPUT, "usage_missing_argument");
    f = fresh(*state);
    assert_ok(parse(f, "a"));
    assert_fails(settings_check(&f->settings), ERR_INPUT, "usage_missing_option");
    assert_non_null(strstr(err_text(), "--out DIR is missing: where"));
    assert_ok(parse(f, "--out d"));
    assert_ok(settings_check(&f->settings));
}

static void too_many_words_are_refused(void **state) {
    struct settings s;
    struct words words = {0};
    char *const argv[] = {(char[]){"a"}, (char[]){"b"}};
    settings_init(&s, *state, arguments, 1, &words);
    assert_fails(settings_parse(&s, 2, argv), ERR_INPUT, "usage_unexpected_argument");
    settings_init(&s, *state, NULL, 0, NULL);
    assert_fails(settings_parse(&s, 1, argv), ERR_INPUT, "usage_unexpected_argument");
}

static void sources_are_layers(void **state) {
    struct fixture *f = fresh(*state);
    assert_ok(settings_apply(&f->settings, "galena.yaml, line 3", STR("rows"), STR("20")));
    assert_ok(settings_apply(&f->settings, "GALENA_VERBOSE", STR("verbose"), STR("Yes")));
    assert_int_equal(f->values.rows, 20);
    assert_true(f->values.verbose);
    assert_string_equal(settings_origin(&f->settings, STR("rows")), "galena.yaml, line 3");
    assert_ok(parse(f, "a --rows 30"));
    assert_int_equal(f->values.rows, 30);
    assert_fails(settings_apply(&f->settings, "galena.yaml, line 4", STR("rows"), STR("many")), ERR_INPUT,
                 "usage_bad_value");
    assert_true(strncmp(err_text(), "galena.yaml, line 4: --rows", 27) == 0);
    assert_fails(settings_apply(&f->settings, "galena.yaml, line 5", STR("row"), STR("1")), ERR_INPUT,
                 "usage_unknown_option");
    assert_fails(settings_apply(&f->settings, "GALENA_VERBOSE", STR("verbose"), STR("maybe")), ERR_INPUT, "usage_bad_value");
    assert_int_equal(f->values.rows, 30); /* a refused value changes nothing */
}

static void parts_share_a_command_line(void **state) {
    static const struct setting shared[] = {{.name = "json", .type = SETTING_FLAG, .offset = 0}};
    struct fixture *f = fresh(*state);
    bool json = false;
    settings_add(&f->settings, shared, 1, &json);
    assert_ok(parse(f, "a --json --rows 3"));
    assert_true(json);
    assert_int_equal(f->values.rows, 3);
}

static void near_names_are_found(void **state) {
    static const char *const names[] = {"train", "score", "evaluate", "profile check"};
    assert_string_equal(settings_nearest(*state, STR("trian"), names, 4), "train");
    assert_string_equal(settings_nearest(*state, STR("SCORE"), names, 4), "score");
    assert_string_equal(settings_nearest(*state, STR("evalute"), names, 4), "evaluate");
    assert_string_equal(settings_nearest(*state, STR("profile chek"), names, 4), "profile check");
    assert_null(settings_nearest(*state, STR("xyz"), names, 4));
    assert_null(settings_nearest(*state, STR(""), names, 4));
    char text[200];
    memset(text, 'a', sizeof text);
    assert_null(settings_nearest(*state, (str){text, sizeof text}, names, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(fallbacks_are_in_place),
        ARENA_TEST(every_form_is_read),
        ARENA_TEST(double_hyphen_ends_options_and_single_is_a_word),
        ARENA_TEST(lists_grow_trim_and_escape),
        ARENA_TEST(wrong_usage_is_named),
        ARENA_TEST(what_is_missing_is_named),
        ARENA_TEST(too_many_words_are_refused),
        ARENA_TEST(sources_are_layers),
        ARENA_TEST(parts_share_a_command_line),
        ARENA_TEST(near_names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
