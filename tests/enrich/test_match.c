/* test_match.c — names as words, look-ups in small registries written by hand, and pairs of names. */
#include "unit.h"

#include "enrich/match.h"

static const struct match_forms *forms_of(void **state) {
    const struct match_forms *f;
    assert_ok(match_forms_load(*state, &f));
    return f;
}

/* The words of a name with blanks between them. */
static str words(void **state, const struct match_forms *f, const char *name) {
    struct match_name m;
    match_name_read(f, str_from(name), &m);
    return str_join(*state, m.token, m.n, STR(" "));
}

static void names_lose_what_is_not_the_name(void **state) {
    const struct match_forms *f = forms_of(state);
    static const char *const cases[][2] = {
        {"Acme, Inc.", "acme"},
        {"ACME L.L.C.", "acme"},
        {"Acme Holdings Co., Ltd.", "acme holding"},
        {"The Acme Company", "acme"},
        {"Acme Company (The)", "acme"},
        {"Acme Gesellschaft mit beschränkter Haftung", "acme"},
        {"G.m.b.H. Acme", "acme"},
        {"Acme Foods S.A. de C.V.", "acme food"},
        {"ACME CORP /DE/", "acme"},
        {"ACME CORP/ADR", "acme"},
        {"ACME FUND\\MA", "acme fund"},
        {"Acme News Corp (Class A)", "acme news"},
        {"Müller & Söhne", "muller sohne"},
        {"J.P. Acme", "jp acme"},
        {"Acme Int'l Svcs", "acme international service"},
        {"Acme Organisation", "acme organization"},
        {"Acme Fund V L.P.", "acme fund v"},
        {"OOO Ромашка", "romashka"},
        {"Inc.", "inc"},
        {"and", "and"},
        {"...", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_str(words(state, f, cases[i][0]), cases[i][1]);
}

static void legal_forms_have_classes(void **state) {
    const struct match_forms *f = forms_of(state);
    struct match_name a, b, c;
    match_name_read(f, STR("Acme GmbH"), &a);
    match_name_read(f, STR("Acme LLC"), &b);
    match_name_read(f, STR("Acme LP"), &c);
    assert_int_equal(a.form, b.form);
    assert_int_not_equal(a.form, c.form);
    match_name_read(f, STR("Acme"), &c);
    assert_int_equal(c.form, 0);
}

static void numbers_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned n;
    } cases[] = {{"7", 7}, {"iv", 4}, {"xxiii", 23}, {"ix", 9}, {"2027", 2027}, {"v", 5}, {"acme", 0}, {"4x", 0}, {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(match_token_number(str_from(cases[i].text)), cases[i].n);
}

static void long_names_are_cut(void **state) {
    const struct match_forms *f = forms_of(state);
    struct match_name m;
    char text[4096];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "abc "[i % 4];
    match_name_read(f, (str){text, sizeof text}, &m);
    assert_int_equal(m.n, MATCH_TOKEN_MAX);
    memset(text, 'x', sizeof text);
    match_name_read(f, (str){text, sizeof text}, &m);
    assert_true(m.n <= 1);
}

static const struct registry_row companies[] = {
    {STR_INIT("1"), STR_INIT("Zephyrine Robotics, Inc."), STR_INIT("Oldname Automata Ltd"),
     STR_INIT("https://www.zephyrine.example/"), STR_INIT("Norway"), STR_INIT("Bergen")},
    {STR_INIT("2"), STR_INIT("Blue Harbor Foods LLC"), STR_INIT(""), STR_INIT("blueharbor.example"), STR_INIT("Ireland"),
     STR_INIT("Cork")},
    {STR_INIT("3"), STR_INIT("Blue Harbor Foods Ltd"), STR_INIT(""), STR_INIT("bhf.example"), STR_INIT("Malta"),
     STR_INIT("Valletta")},
    {STR_INIT("4"), STR_INIT("Kestrelbank Growth Fund IV"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
    {STR_INIT("5"), STR_INIT("Kestrelbank Growth Fund V"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
    {STR_INIT("6"), STR_INIT("Allied Mutual Plumbers Association"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
    {STR_INIT("7"), STR_INIT("Good Willow Bakery"), STR_INIT(""), STR_INIT(""), STR_INIT(""), STR_INIT("")},
};
enum { N_COMPANY = sizeof companies / sizeof *companies, N_FILLER = 600 };

static const struct registry_row *filler(struct arena *a, size_t i) {
    static const char *const first[] = {"Vantor",  "Quillex", "Mordane", "Hespera", "Tolvix", "Brunda",
                                        "Carvane", "Dolmere", "Ezzora",  "Fennick", "Galtus", "Hovrin"};
    static const char *const second[] = {"Group", "Foods", "Fund", "Robotics", "Energy", "Blue Water", "Growth Partners"};
    struct registry_row *r = ARENA_NEW(a, struct registry_row);
    *r = (struct registry_row){
        .id = str_format(a, "f%zu", i),
        .name = str_format(a, "%s%c%c %s", first[i % 12], 'a' + (int)(i / 12 % 26), 'a' + (int)(i / 312), second[i % 7])};
    return r;
}

static const struct registry *build(void **state, bool backwards) {
    struct registry_builder *b = registry_new(*state, forms_of(state));
    const struct registry *r;
    for (size_t i = 0; i < N_COMPANY + N_FILLER; i++) {
        const size_t k = backwards ? N_COMPANY + N_FILLER - 1 - i : i;
        assert_ok(registry_add(b, k < N_COMPANY ? &companies[k] : filler(*state, k)));
    }
    assert_ok(registry_build(b, &r));
    return r;
}

/* The id that is found; "?" when ambiguous, "-" when none. */
static str link(struct match_finder *f, const struct registry *r, const struct match_query *q) {
    struct match_result m;
    match_find(f, q, &m);
    assert_true(m.confidence >= 0 && m.confidence <= 1 && m.margin >= 0 && m.margin <= m.confidence);
    double sum = 0;
    for (size_t i = 0; i < m.n; i++) {
        assert_true(i == 0 || m.candidate[i].probability <= m.candidate[i - 1].probability);
        sum += m.candidate[i].probability;
    }
    assert_true(sum <= 1 + 1e-9);
    return m.status == MATCH_NONE        ? STR("-")
           : m.status == MATCH_AMBIGUOUS ? STR("?")
                                         : registry_entry_of(r, m.candidate[0].organisation).id;
}

static void names_find_their_organisation(void **state) {
    const struct registry *r = build(state, false);
    struct match_finder *f = match_finder_new(*state, r, 0);
    static const char *const cases[][2] = {
        {"Zephyrine Robotics", "1"},
        {"ZEPHYRINE ROBOTICS LIMITED", "1"},
        {"Robotics, Zephyrine", "1"},
        {"Zephyrine", "1"},
        {"Oldname Automata", "1"},
        {"Blue Harbor Foods", "?"},
        {"Kestrelbank Growth Fund IV", "4"},
        {"Kestrelbank Growth Fund 5", "5"},
        {"Kestrelbank Growth Fund IX", "-"},
        {"GoodWillow Bakery", "7"},
        {"Goodwillow Bakery Ltd", "7"},
        {"Completely Other", "-"},
        {"Robotics", "-"},
        {"", "-"},
        {"\xff\xfe", "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const str got = link(f, r, &(struct match_query){.name = str_from(cases[i][0])});
        if (!str_equal(got, str_from(cases[i][1])))
            fail_msg("\"%s\" finds %.*s, not %s", cases[i][0], STR_ARG(got), cases[i][1]);
    }
}

static void other_columns_decide_between_equals(void **state) {
    const struct registry *r = build(state, false);
    struct match_finder *f = match_finder_new(*state, r, 0);
    const str name = STR("Blue Harbor Foods");
    assert_str(link(f, r, &(struct match_query){.name = name, .domain = STR("jo@bhf.example")}), "3");
    assert_str(link(f, r, &(struct match_query){.name = name, .domain = STR("shop.blueharbor.example")}), "2");
    assert_str(link(f, r, &(struct match_query){.name = name, .country = STR("MALTA"), .city = STR("Valletta")}), "3");
    assert_str(link(f, r, &(struct match_query){.name = name, .city = STR("Cork")}), "2");
}

static void earlier_names_are_told(void **state) {
    const struct registry *r = build(state, false);
    struct match_finder *f = match_finder_new(*state, r, 0);
    struct match_result m;
    match_find(f, &(struct match_query){.name = STR("Oldname Automata")}, &m);
    assert_true(m.n > 0 && m.candidate[0].former);
    assert_str(registry_entry_of(r, m.candidate[0].organisation).name, "Zephyrine Robotics, Inc.");
}

/* Slips find the organisation among the candidates. */
static void slips_are_candidates(void **state) {
    const struct registry *r = build(state, false);
    struct match_finder *f = match_finder_new(*state, r, 0);
    static const char *const cases[] = {"Zephyrin Robotics", "Zepyhrine Robotics", "Zephirine Robotics", "ZZephyrine"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct match_result m;
        match_find(f, &(struct match_query){.name = str_from(cases[i])}, &m);
        assert_true(m.n > 0);
        assert_str(registry_entry_of(r, m.candidate[0].organisation).id, "1");
    }
}

static void order_of_rows_does_not_matter(void **state) {
    const struct registry *a = build(state, false), *b = build(state, true);
    struct match_finder *f = match_finder_new(*state, a, 0), *g = match_finder_new(*state, b, 0);
    for (size_t i = 0; i < N_FILLER; i += 7) {
        const struct match_query q = {.name = str_slice(filler(*state, i)->name, i % 3, 40)};
        struct match_result x, y;
        match_find(f, &q, &x);
        match_find(g, &q, &y);
        assert_int_equal(x.n, y.n);
        assert_true(x.confidence == y.confidence && x.status == y.status);
        for (size_t k = 0; k < x.n; k++)
            assert_int_equal(x.candidate[k].organisation, y.candidate[k].organisation);
    }
}

static void pairs_are_symmetric(void **state) {
    struct match_pairs *p = match_pairs_new(*state, forms_of(state));
    static const char *const names[] = {"Acme Inc",
                                        "Acme Incorporated",
                                        "Acne Inc",
                                        "Blue Harbor Foods",
                                        "Harbor Blue",
                                        "IBM",
                                        "International Business Machines",
                                        "",
                                        "...",
                                        "Иван Петров",
                                        "Ivan Petrov",
                                        "Fund IV",
                                        "Fund V",
                                        "Jo Ann van der Berg",
                                        "J. Berg"};
    enum { N = sizeof names / sizeof *names };
    for (size_t i = 0; i < N; i++)
        match_pairs_count(p, i % 2 ? MATCH_PERSON : MATCH_ORGANISATION, str_from(names[i]));
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++)
            for (int kind = MATCH_ORGANISATION; kind <= MATCH_PERSON; kind++) {
                const double x = match_pair(p, (enum match_kind)kind, str_from(names[i]), str_from(names[k]));
                const double y = match_pair(p, (enum match_kind)kind, str_from(names[k]), str_from(names[i]));
                assert_true(x >= 0 && x <= 1);
                assert_close(x, y, 1e-12);
            }
}

static void pairs_are_told_apart(void **state) {
    struct match_pairs *p = match_pairs_new(*state, forms_of(state));
    static const struct {
        enum match_kind kind;
        const char *a, *b;
        bool same;
    } cases[] = {
        {MATCH_ORGANISATION, "Acme Incorporated", "ACME Inc.", true},
        {MATCH_ORGANISATION, "OOO Vector", "Vector Ltd", true},
        {MATCH_ORGANISATION, "Good Willow", "Goodwillow", true},
        {MATCH_ORGANISATION, "Zephyrine Robotics", "Zephirine Robotics", true},
        {MATCH_ORGANISATION, "International Postal Union", "IPU", true},
        {MATCH_ORGANISATION, "Quillex & Mordane", "Q&M", true},
        {MATCH_ORGANISATION, "Quillex & Mordane", "M&Q", false},
        {MATCH_ORGANISATION, "Zephyrine Robotics", "Mordane Foods", false},
        {MATCH_ORGANISATION, "Bank of Norland (Bergen)", "Bank of Norland (Cork)", false},
        {MATCH_PERSON, "Petrov, Ivan", "Ivan Petrov", true},
        {MATCH_PERSON, "Dr. Ivan Petrov", "Иван Петров", true},
        {MATCH_PERSON, "Ivan Sergeevich Petrov", "Ivan Petrov", true},
        {MATCH_PERSON, "Ivan Sergeevich Petrov", "Ivan Borisovich Petrov", false},
        {MATCH_PERSON, "Maria Petrov", "Gerhard Lindqvist", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double x = match_pair(p, cases[i].kind, str_from(cases[i].a), str_from(cases[i].b));
        if ((x >= 0.5) != cases[i].same)
            fail_msg("\"%s\" and \"%s\": %.3f", cases[i].a, cases[i].b, x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(names_lose_what_is_not_the_name),
        ARENA_TEST(legal_forms_have_classes),
        ARENA_TEST(numbers_are_read),
        ARENA_TEST(long_names_are_cut),
        ARENA_TEST(names_find_their_organisation),
        ARENA_TEST(other_columns_decide_between_equals),
        ARENA_TEST(earlier_names_are_told),
        ARENA_TEST(slips_are_candidates),
        ARENA_TEST(order_of_rows_does_not_matter),
        ARENA_TEST(pairs_are_symmetric),
        ARENA_TEST(pairs_are_told_apart),
    };
    return cmocka_run_group_tests_name("enrich/match", tests, NULL, NULL);
}
