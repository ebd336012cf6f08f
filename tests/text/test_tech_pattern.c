/* test_tech_pattern.c — JavaScript's regular expressions as PCRE2 reads them, tags, and version templates. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "unit.h"

#include "text/tech_pattern.h"

#include <pcre2.h>

static struct buf *room(void **state) { return buf_in(*state, 1 << 20); }

/* Whether the translation finds `regex` in `text`; where it is, in *match. */
static bool finds(void **state, const char *regex, const char *text, str *match) {
    struct buf *exact = room(state), *rough = room(state);
    bool utf;
    assert_ok(tech_pattern_translate(str_from(regex), exact, rough, &utf));
    int code;
    size_t at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_code *c = pcre2_compile((PCRE2_SPTR)exact->ptr, exact->len - 1,
                                  PCRE2_CASELESS | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | (utf ? PCRE2_UTF : 0),
                                  &code, &at, context);
    if (!c)
        fail_msg("%s → %s does not compile", regex, exact->ptr);
    pcre2_match_data *m = pcre2_match_data_create(4, NULL);
    const bool found = pcre2_match(c, (PCRE2_SPTR)text, strlen(text), 0, 0, m, NULL) >= 0;
    const PCRE2_SIZE *o = pcre2_get_ovector_pointer(m);
    if (found && match)
        *match = (str){text + o[0], o[1] - o[0]};
    pcre2_match_data_free(m);
    pcre2_code_free(c);
    pcre2_compile_context_free(context);
    return found;
}

static void test_javascript(void **state) {
    static const struct {
        const char *regex, *yes, *no;
    } all[] = {
        {"a\\/b", "xA/Bx", "ab"},
        {"\\Ab", "ab", "b"},
        {"\\a", "A", "\a"},
        {"a[^]b", "a\nb", "ab"},
        {"a[]b|c", "c", "ab"},
        {"[[]x", "[x", "x"},
        {"[[:alpha:]]", ":]", "q]"},
        {"a{b", "a{b", "ab"},
        {"a{,3}", "a{,3}", "aa"},
        {"x{2}y", "xxy", "xy"},
        {"a$", "ba", "a\n"},
        {"a.b", "axb", "a\rb"},
        {"\\1a", "\001a", "b"},
        {"(a)\\1", "aA", "ab"},
        {"(?:(a)|b)\\1c", "bc", "ad"},
        {"[\\w-.]", "-", "+"},
        {"[a\\b]", "\b", "b"},
        {"\\v", "\v", "\n"},
        {"(?<n>a)b", "ab", "b"},
        {"a(?!b)", "ac", "ab"},
        {"(?<!x)a", "ya", "xa"},
        {"\\u00e9", "\xC3\xA9", "e"},
        {"Priv[e\xC3\xA9]s", "priv\xC3\xA9s", "privas"},
        {"\\x41", "a", "b"},
        {"a\\-b", "a-b", "ab"},
        {"\\_a", "_a", "a"},
        {"a(?=b)c?", "ab", "ac"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!finds(state, all[i].regex, all[i].yes, NULL))
            fail_msg("%s does not match \"%s\"", all[i].regex, all[i].yes);
        if (finds(state, all[i].regex, all[i].no, NULL))
            fail_msg("%s matches \"%s\"", all[i].regex, all[i].no);
    }
}

static void test_bounded(void **state) {
    char text[600];
    memset(text, 'x', sizeof text);
    str match;
    text[0] = '<';
    text[299] = '\0';
    assert_true(finds(state, "<[^>]+", text, &match));
    assert_int_equal(match.len, 1 + TECH_REPEAT_MAX);
    text[290] = '!';
    assert_false(finds(state, "<[^>]*!", text, NULL));
    assert_true(finds(state, "<(?:x)*!", text, NULL)); /* groups are not bounded */
    assert_true(finds(state, "<.+?x", text, &match));
    assert_int_equal(match.len, 3);
}

static void test_refused(void **state) {
    static const char *const bad[] = {"(",     ")",       "[a",   "a\\",   "*a",  "a**",
                                      "(?i)a", "(*VERB)", "(?R)", "(?>a)", "a|+", "(?<1>a)"};
    struct buf *exact = room(state), *rough = room(state);
    bool utf;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tech_pattern_translate(str_from(bad[i]), exact, rough, &utf) == OK)
            fail_msg("%s is taken", bad[i]);
    char *many = arena_alloc(*state, TECH_PATTERN_BYTE + 1);
    memset(many, 'a', TECH_PATTERN_BYTE + 1);
    assert_fails(tech_pattern_translate((str){many, TECH_PATTERN_BYTE + 1}, exact, rough, &utf), ERR_LIMIT,
                 "tech_pattern_long");
    memset(many, '(', 1000);
    assert_fails(tech_pattern_translate((str){many, 1000}, exact, rough, &utf), ERR_INPUT, "tech_pattern");
}

static void test_tags(void **state) {
    (void)state;
    struct tech_parts p = tech_pattern_split(STR("a\\;version:\\1\\;confidence:50"));
    assert_str(p.regex, "a");
    assert_str(p.version, "\\1");
    assert_int_equal(p.confidence, 50);
    p = tech_pattern_split(STR("\\;version:\\1?a:b:c\\;what\\;confidence:900"));
    assert_str(p.regex, "");
    assert_str(p.version, "\\1?a:b:c");
    assert_int_equal(p.confidence, 100);
    assert_int_equal(tech_pattern_split(STR("x\\;confidence:0")).confidence, 0);
}

static str fill(const char *version, const char *one, const char *two) {
    static char space[64];
    const str group[] = {STR("whole match here"), str_from(one), str_from(two)};
    return tech_version_fill(str_from(version), group, 3, space, sizeof space);
}

static void test_versions(void **state) {
    (void)state;
    assert_str(fill("\\1", "1.2.3", NULL), "1.2.3");
    assert_str(fill("\\1.\\2", "1", "9"), "1.9");
    assert_str(fill("\\1?new:old", "x", NULL), "new");
    assert_str(fill("\\1?new:old", NULL, NULL), "old");
    assert_str(fill("\\1?\\1:\\2", NULL, "7"), "7");
    assert_str(fill("\\1?\\1:\\2", "6", "7"), "6");
    assert_str(fill("\\1", "12345678901", NULL), ""); /* too long to be filled in: the reference goes */
    assert_str(fill("2+", NULL, NULL), "2+");
    assert_str(fill("\\1 \\2", NULL, "4"), "4");
    assert_str(fill("", "1", "2"), "");
    assert_str(fill("\\1?new:", NULL, NULL), "");
    assert_str(fill("\\1?new: ", NULL, NULL), "");
    assert_true(tech_version_better(STR("1.2"), STR("1")));
    assert_false(tech_version_better(STR("1"), STR("1")));
    assert_false(tech_version_better(STR("20240101"), STR("")));
    assert_false(tech_version_better(STR("1.2.3.4.5.6.7.8.9"), STR("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_javascript), ARENA_TEST(test_bounded),  ARENA_TEST(test_refused),
        ARENA_TEST(test_tags),       ARENA_TEST(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
