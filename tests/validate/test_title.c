/* test_title.c — job titles: the level and area that the words say, and one spelling. */
#include "unit.h"
#include "validate/title.h"

static void levels(void **state) {
    (void)state;
    static const struct {
        const char *title;
        enum title_level level;
    } cases[] = {
        {"CEO", TITLE_C_SUITE},
        {"C.E.O.", TITLE_C_SUITE},
        {"Chief Happiness Officer", TITLE_C_SUITE},
        {"Co-Founder & VP Engineering", TITLE_C_SUITE},
        {"cofounder", TITLE_C_SUITE},
        {"Chairman of the Board", TITLE_C_SUITE},
        {"Member of the Supervisory Board", TITLE_C_SUITE},
        {"President & COO", TITLE_C_SUITE},
        {"President", TITLE_C_SUITE},
        {"CFO and Executive Vice President", TITLE_C_SUITE},
        {"Gesch\xC3\xA4"
         "ftsf\xC3\xBChrer",
         TITLE_C_SUITE},
        {"Executive Vice President, Chief Risk Officer", TITLE_VP},
        {"V.P. Sales", TITLE_VP},
        {"Vice-President of Trading", TITLE_VP},
        {"SVP & Director", TITLE_VP},
        {"Director of Operations", TITLE_DIRECTOR},
        {"Head of Data", TITLE_DIRECTOR},
        {"Managing Director", TITLE_DIRECTOR},
        {"Brand President", TITLE_DIRECTOR},
        {"President, National Accounts", TITLE_DIRECTOR},
        {"Chief Architect", TITLE_DIRECTOR},
        {"Chief of Staff", TITLE_DIRECTOR},
        {"Director of Engineering & Site Manager", TITLE_DIRECTOR},
        {"Abteilungsleiter Einkauf", TITLE_DIRECTOR},
        {"Account Mgr.", TITLE_MANAGER},
        {"Team Lead, Search", TITLE_MANAGER},
        {"General Manager, East", TITLE_MANAGER},
        {"Gerente de Ventas", TITLE_MANAGER},
        {"Lead Generation Specialist", TITLE_OTHER},
        {"Assistant to the CEO", TITLE_OTHER},
        {"Executive Assistant to the Vice President", TITLE_OTHER},
        {"Office of the CTO", TITLE_OTHER},
        {"Board Certified Physician", TITLE_OTHER},
        {"Headhunter", TITLE_OTHER},
        {"Head Coach", TITLE_OTHER},
        {"Professor and Chair of the Department of Physics", TITLE_OTHER},
        {"Software Engineer", TITLE_OTHER},
        {"Account Executive", TITLE_OTHER},
        {"", TITLE_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (title_level_of(str_from(cases[i].title)) != cases[i].level)
            fail_msg("\"%s\" is %s, not %s", cases[i].title, title_level_name(title_level_of(str_from(cases[i].title))),
                     title_level_name(cases[i].level));
}

/* Case, accents and blanks say nothing about the level. */
static void levels_do_not_depend_on_case(void **state) {
    static const char *const titles[] = {"Vice President, Sales", "Head of Data", "Co-Founder", "Team Lead", "Nurse"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        char *large = str_cstr(*state, str_from(titles[i]));
        for (char *c = large; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        assert_int_equal(title_level_of(str_from(titles[i])), title_level_of(str_from(large)));
        assert_int_equal(title_level_of(str_from(titles[i])), title_level_of(str_lower(*state, str_from(titles[i]))));
    }
}

static void areas(void **state) {
    (void)state;
    static const struct {
        const char *title;
        enum title_area area;
    } cases[] = {{"CEO", TITLE_BUSINESS},
                 {"Chief Technology Officer", TITLE_TECHNICAL},
                 {"VP of Marketing", TITLE_SALES_MARKETING},
                 {"Software Engineer", TITLE_TECHNICAL},
                 {"Software Development", TITLE_TECHNICAL},
                 {"Sales Manager", TITLE_SALES_MARKETING},
                 {"Nurse", TITLE_NO_AREA},
                 {"Director of Operations", TITLE_BUSINESS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double p[TITLE_AREA_COUNT], sum = 0;
        const str title = str_from(cases[i].title);
        assert_string_equal(title_area_name(title_area_of(title, title_level_of(title), p)), title_area_name(cases[i].area));
        for (unsigned k = 0; k < TITLE_AREA_COUNT; k++)
            sum += p[k];
        assert_close(sum, 1, 1e-12);
        for (unsigned k = 0; k < TITLE_AREA_COUNT; k++)
            assert_true(p[cases[i].area] >= p[k]);
    }
}

static void one_spelling(void **state) {
    static const char *const cases[][3] = {{"SR. VP OF MARKETING", "Senior VP of Marketing", "case+abbreviation"},
                                           {"Sales  Mgr", "Sales Manager", "space+abbreviation"},
                                           {"head of it", "Head of IT", "case"},
                                           {"Engineer", "Engineer", ""},
                                           {"GESCH\xC3\x84"
                                            "FTSF\xC3\x9CHRER",
                                            "Gesch\xC3\xA4"
                                            "ftsf\xC3\xBChrer",
                                            "case"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_value v;
        title_clean(*state, str_from(cases[i][0]), &v);
        assert_str(v.value, cases[i][1]);
        assert_str(clean_rule_text(*state, &v), cases[i][2]);
    }
    struct clean_value v;
    title_clean(*state, STR("12/3"), &v);
    assert_int_equal(v.status, CLEAN_INVALID);
}

static void long_titles_are_cut(void **state) {
    char *text = str_cstr(*state, str_format(*state, "%05000d", 0));
    for (size_t i = 0; i < 5000; i++)
        text[i] = i % 2 ? ' ' : 'a';
    assert_int_equal(title_level_of((str){text, 5000}), TITLE_OTHER);
    for (size_t i = 0; i < 5000; i++)
        text[i] = '&';
    assert_int_equal(title_level_of((str){text, 5000}), TITLE_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(levels),       ARENA_TEST(levels_do_not_depend_on_case), ARENA_TEST(areas),
        ARENA_TEST(one_spelling), ARENA_TEST(long_titles_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
