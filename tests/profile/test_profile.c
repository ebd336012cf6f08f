/* test_profile.c — reading documents, good and hostile, and comparing two of them. */
#include "profile_support.h"

static void reads_a_document(void **state) {
    const struct profile *p = profile_of(
        *state,
        "format: 1\nname: n\nversion: \"2.0\"\nbase_rate: 0.2\nstrength: 80\neffect: 3\nweights: {behaviour: 2}\n"
        "fields: {a: [A, B]}\nmissing: Select\nbehaviour:\n  - {name: v, field: a, above: 3, weight: -2, typical: 0.1}\n"
        "technographics: {field: t, required: {X: 2}, negative: [Y]}\n");
    assert_str(p->version, "2.0");
    assert_close(p->base_rate, 0.2, 0);
    assert_close(p->strength, 80, 0);
    assert_int_equal(p->n_criterion, 3);
    assert_int_equal(p->criterion[0].section, SECTION_TECHNOGRAPHICS);
    assert_close(p->criterion[1].weight, -1, 0);
    assert_close(p->criterion[1].typical, 0, 0);
    assert_close(p->criterion[2].typical, 0.1, 0);
    assert_close(p->section[SECTION_BEHAVIOUR].weight, 2, 0);
    assert_false(p->section[SECTION_FIRMOGRAPHICS].present);
    assert_int_equal(p->field[0].n_column, 2);
    assert_str(p->missing[0], "Select");
}

static void json_and_yaml_are_equal(void **state) {
    const struct profile *y = profile_of(*state, "format: 1\nname: n\nfirmographics:\n  - field: a\n    range: [1, null]\n");
    const struct profile *j = profile_of(
        *state, " {\"format\": 1, \"name\": \"n\", \"firmographics\": [{\"field\": \"a\", \"range\": [1, null]}]}");
    assert_true(json_equal(y->document, j->document));
    assert_true(str_equal(profile_hash(*state, y), profile_hash(*state, j)));
    assert_int_equal(profile_hash(*state, y).len, 64);
    struct buf *out = buf_in(*state, 1 << 16);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    profile_to_json(&w, y);
    const struct profile *again = profile_of(*state, str_cstr(*state, buf_str(out)));
    assert_true(isinf(again->criterion[0].high));
    size_t n;
    const struct profile_change *change;
    profile_diff(*state, y, again, &change, &n);
    assert_int_equal(n, 0);
}

/* Body lines go behind a good head; the first problem has this slug. */
static void refuses(void **state, const char *body, const char *slug, const char *said) {
    struct profile *p;
    str text = str_format(*state, "format: 1\nname: n\n%s\n", body);
    err rc = profile_parse(*state, text, "p.yaml", &p);
    if (rc == OK)
        fail_msg("accepted: %s", body);
    if (strcmp(err_slug(), slug) != 0 || !strstr(err_text(), said))
        fail_msg("%s: [%s] %s", body, err_slug(), err_text());
}

static void refuses_what_is_wrong(void **state) {
    const char *bad = "profile_bad_value", *key = "profile_unknown_key";
    refuses(state, "firmographic:\n  - {field: a, above: 1}", key,
            "line 3, column 1: firmographic: the key \"firmographic\" is "
            "not known; did you mean \"firmographics\"?");
    refuses(state, "firmographics:\n  - {field: a, abov: 1}", key, "line 4, column 16: firmographics[0].abov");
    refuses(state, "firmographics:\n  - {field: a, above: 1, width: 2}", key, "width");
    refuses(state, "firmographics:\n  - {above: 1}", bad, "\"field\" is needed");
    refuses(state, "firmographics:\n  - {field: a}", bad, "exactly one of");
    refuses(state, "firmographics:\n  - {field: a, above: 1, below: 2}", bad, "exactly one of");
    refuses(state, "firmographics:\n  - {field: a, above: x}", bad, "a number");
    refuses(state, "firmographics:\n  - {field: a, above: 1, weight: -1}", bad, "weight");
    refuses(state, "behaviour:\n  - {field: a, above: 1, weight: 0}", bad, "other than 0");
    refuses(state, "firmographics:\n  - {field: a, range: [2, 1]}", bad, "ascending");
    refuses(state, "firmographics:\n  - {field: a, range: [null, null]}", bad, "ascending");
    refuses(state, "firmographics:\n  - {field: a, range: [-1, 5], scale: log}", bad, "below 0");
    refuses(state, "firmographics:\n  - {field: a, range: [1, 5], scale: cubic}", bad, "log or linear");
    refuses(state, "firmographics:\n  - {field: a, values: {x: 2}}", bad, "above 0 and at most 1");
    refuses(state, "firmographics:\n  - {field: a, values: [x, X]}", bad, "twice");
    refuses(state, "firmographics:\n  - {field: a, values: []}", bad, "list of texts");
    refuses(state, "firmographics:\n  - {field: a, naics: [5]}", bad, "2 to 6 digits");
    refuses(state, "firmographics:\n  - {field: a, sic: [\"12345\"]}", bad, "2 to 4 digits");
    refuses(state, "demographics:\n  - {field: a, seniority: [bos]}", bad, "level");
    refuses(state, "demographics:\n  - {field: a, keywords: [\"--\"]}", bad, "letters or digits");
    refuses(state, "chronographics:\n  - {field: a, decay: 1, half_life: 2}", bad, "not both");
    refuses(state, "chronographics:\n  - {field: a, decay: -1}", bad, "from 0 to");
    refuses(state, "technographics: {required: [a]}", bad, "field");
    refuses(state, "technographics: [a]", bad, "object");
    refuses(state, "weights: {behaviour: -1}\nbehaviour: [{field: a, above: 1}]", bad, "weights.behaviour");
    refuses(state, "base_rate: 1\nbehaviour: [{field: a, above: 1}]", bad, "base_rate");
    refuses(state, "negative_personas: [{name: x}]\nbehaviour: [{field: a, above: 1}]", bad, "when");
    refuses(state, "negative_personas: [{name: x, when: {field: a, is: b, above: 1}}]\nbehaviour: [{field: a, above: 1}]",
            bad, "exactly one");
    refuses(state, "description: x", "profile_empty", "no criteria");
    refuses(state, "weights: {behaviour: 0}\nbehaviour: [{field: a, above: 1}]", "profile_empty", "weights");
    refuses(state, "name: again", "yaml_duplicate_key", "p.yaml");
}

static void tells_all_problems_in_order(void **state) {
    const struct profile_problem *p;
    size_t n;
    assert_ok(profile_check(*state,
                            STR("format: 2\nnme: x\nfirmographics:\n  - {field: a, rang: [1, 2]}\n  - 7\nstrength: no\n"),
                            "p.yaml", &p, &n));
    assert_int_equal(n, 6);
    for (size_t i = 1; i < n; i++)
        assert_true(p[i - 1].line <= p[i].line);
    assert_str(p[n - 1].path, "strength");
    struct profile *out;
    assert_fails(profile_parse(*state, STR("[1]"), "p.yaml", &out), ERR_INPUT, "profile_bad_value");
    assert_ok(profile_check(*state, STR("format: 1\nname: n\nbehaviour: [{field: a, above: 1}]\n"), "p.yaml", &p, &n));
    assert_int_equal(n, 0);
}

static void bounds_the_size(void **state) {
    struct buf *text = buf_in(*state, 1 << 24);
    buf_add(text, STR("format: 1\nname: n\nbehaviour:\n"));
    for (int i = 0; i < PROFILE_MAX_CRITERIA + 1; i++)
        buf_add_format(text, "  - {field: f%d, above: 1}\n", i);
    struct profile *p;
    assert_fails(profile_parse(*state, buf_str(text), "p", &p), ERR_INPUT, "profile_bad_value");
    while (text->len <= PROFILE_MAX_BYTE)
        buf_add(text, STR("# a comment that makes the document too large\n"));
    assert_int_equal(profile_parse(*state, buf_str(text), "p", &p), ERR_LIMIT);
}

static void knows_levels(void **state) {
    (void)state;
    static const struct {
        const char *title;
        enum seniority level;
    } cases[] = {{"CEO", SENIORITY_C_LEVEL},
                 {"Chief Executive Officer", SENIORITY_C_LEVEL},
                 {"c-level", SENIORITY_C_LEVEL},
                 {"President", SENIORITY_C_LEVEL},
                 {"SVP, Sales", SENIORITY_VP},
                 {"Vice President, Engineering", SENIORITY_VP},
                 {"Director of IT", SENIORITY_DIRECTOR},
                 {"Managing Director", SENIORITY_C_LEVEL},
                 {"Head of Growth", SENIORITY_HEAD},
                 {"Product Manager", SENIORITY_MANAGER},
                 {"Product Owner", SENIORITY_INDIVIDUAL},
                 {"Founder & CEO", SENIORITY_OWNER},
                 {"Executive Assistant to the CEO", SENIORITY_INDIVIDUAL},
                 {"Senior Engineer", SENIORITY_SENIOR},
                 {"Sales Intern", SENIORITY_INTERN},
                 {"International Sales", SENIORITY_INDIVIDUAL},
                 {"", SENIORITY_INDIVIDUAL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (profile_seniority_of(str_from(cases[i].title)) != cases[i].level)
            fail_msg("%s is %s", cases[i].title, profile_seniority_name(profile_seniority_of(str_from(cases[i].title))));
    for (int level = 0; level < SENIORITY_COUNT; level++)
        assert_int_equal(profile_seniority_of(str_from(profile_seniority_name((enum seniority)level))), level);
}

static void words_are_cut_whole(void **state) {
    (void)state;
    char to[15];
    size_t n = profile_words(STR("VP, Sales & Ops\xc3\xa9"), to, sizeof to);
    assert_str(((str){to, n}), " vp sales ");
    assert_int_equal(profile_words(STR(" ,;"), to, sizeof to), 0);
    assert_int_equal(profile_words(STR("abcdefghijklmnopqrst"), to, sizeof to), 0);
}

static void diff_says_what_changed(void **state) {
    const struct profile *a = profile_of(*state, "format: 1\nname: n\nbase_rate: 0.1\nfirmographics:\n"
                                                 "  - {name: size, field: e, range: [50, 500], weight: 3}\n"
                                                 "  - {field: country, values: [US, CA]}\n");
    const struct profile *b = profile_of(*state, "format: 1\nname: n\nbase_rate: 0.2\nstrength: 50\nfirmographics:\n"
                                                 "  - {field: new, above: 2}\n"
                                                 "  - {name: size, field: e, range: [100, 500], weight: 3}\n"
                                                 "  - {field: country, values: [US]}\n");
    const struct profile_change *c;
    size_t n;
    profile_diff(*state, a, b, &c, &n);
    assert_int_equal(n, 5);
    assert_str(c[0].path, "base_rate");
    assert_str(c[0].before, "0.1");
    assert_str(c[0].after, "0.2");
    assert_str(c[1].path, "firmographics › size › range");
    assert_str(c[1].before, "50 to 500");
    assert_str(c[1].after, "100 to 500");
    assert_str(c[2].path, "firmographics › country › values › CA");
    assert_true(c[2].removed && !c[2].added);
    assert_str(c[3].path, "firmographics › new");
    assert_str(c[3].after, "field: new, above: 2");
    assert_true(c[3].added);
    assert_str(c[4].path, "strength");
}

static void example_profiles_are_good(void **state) {
    static const char *const files[] = {"example-b2b-saas.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[4096], *text = arena_alloc(*state, 65536);
        snprintf(path, sizeof path, "%s/profiles/%s", getenv("GALENA_SHARE"), files[i]);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t n = fread(text, 1, 65535, f);
        fclose(f);
        struct profile *p;
        assert_ok(profile_parse(*state, (str){text, n}, path, &p));
        assert_true(p->n_criterion > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reads_a_document),    ARENA_TEST(json_and_yaml_are_equal),     ARENA_TEST(refuses_what_is_wrong),
        ARENA_TEST(bounds_the_size),     ARENA_TEST(tells_all_problems_in_order), ARENA_TEST(knows_levels),
        ARENA_TEST(words_are_cut_whole), ARENA_TEST(diff_says_what_changed),      ARENA_TEST(example_profiles_are_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
