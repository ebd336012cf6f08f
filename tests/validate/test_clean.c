/* test_clean.c — the values of a lead: each kind's form, what is refused, and how one value helps another. */
#include "unit.h"
#include "validate/amount.h"
#include "validate/clean.h"
#include "validate/company.h"
#include "validate/host.h"
#include "validate/letters.h"
#include "validate/person.h"

struct expected {
    const char *text, *clean, *rule; /* clean NULL: refused for that rule */
};

static void check(void *state, const struct expected *e, const struct clean_value *v) {
    if (e->clean && !str_equal(v->value, str_from(e->clean)))
        fail_msg("\"%s\" became \"%.*s\", not \"%s\"", e->text, STR_ARG(v->value), e->clean);
    assert_str(clean_rule_text(state, v), e->rule);
    const bool same = e->clean && str_equal(str_from(e->clean), str_from(e->text));
    assert_int_equal(v->status, !e->clean ? CLEAN_INVALID : same ? CLEAN_OK : CLEAN_CORRECTED);
    assert_true(v->confidence > 0 && v->confidence <= 1);
}

/* Cleans each text as the one value of a lead. */
static void check_kind(void *state, enum clean_kind kind, const struct expected *e, size_t n) {
    struct cleaner *c;
    assert_ok(cleaner_new(state, &(struct cleaner_options){0}, &c));
    for (size_t i = 0; i < n; i++) {
        struct clean_input in = {0};
        struct clean_output out;
        in.cell[kind] = str_from(e[i].text);
        clean_lead(c, state, &in, &out);
        check(state, &e[i], &out.value[kind]);
    }
}
#define CHECK_KIND(kind, table) check_kind(*state, kind, table, sizeof(table) / sizeof *(table))

static void names_of_people(void **state) {
    static const struct expected cases[] = {
        {"Ada Lovelace", "Ada Lovelace", ""},
        {"LOVELACE, ADA", "Ada Lovelace", "case+surname_first"},
        {"ludwig van beethoven", "Ludwig van Beethoven", "case"},
        {"OLIVER O'NEIL-MCDONALD", "Oliver O'Neil-Mcdonald", "case"},
        {"RONALD MCDONALD", "Ronald McDonald", "case"},
        {"Jean DUPONT", "Jean Dupont", "case"},
        {"Dr. Wolfgang von der Heide, PhD", "Wolfgang von der Heide", "honorific+suffix"},
        {"William \"Bill\" Smith", "William Smith", "nickname"},
        {"Robert (Bob) Smith", "Robert Smith", "nickname"},
        {"john smith iii", "John Smith III", "case"},
        {"  Ada \xC2\xA0 Lovelace", "Ada Lovelace", "space"},
        {"\xC3\x96MER \xC3\x87"
         "ELIK",
         "\xC3\x96mer \xC3\x87"
         "elik",
         "case"},
        {"\xD0\x98\xD0\x92\xD0\x90\xD0\x9D", "\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD", "case"},
        {"\xE7\x8E\x8B\xE5\xB0\x8F\xE6\x98\x8E", "\xE7\x8E\x8B\xE5\xB0\x8F\xE6\x98\x8E", ""},
        {"ada@example.com", NULL, "is_email"},
        {"+49 30 901820", NULL, "is_phone"},
        {"Acme Consulting Group", NULL, "is_company"},
        {"Acme GmbH", NULL, "is_company"},
        {"123", NULL, "no_letters"},
    };
    CHECK_KIND(CLEAN_NAME, cases);
}

static void given_and_family(void **state) {
    static const char *const cases[][3] = {
        {"Ludwig van Beethoven", "Ludwig", "van Beethoven"},
        {"Ada King Lovelace", "Ada King", "Lovelace"},
        {"John Smith Jr.", "John", "Smith"},
        {"Madonna", "Madonna", ""},
        {"\xE7\x8E\x8B\xE5\xB0\x8F\xE6\x98\x8E", "\xE5\xB0\x8F\xE6\x98\x8E", "\xE7\x8E\x8B"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_value v;
        struct person_name n;
        person_clean(*state, str_from(cases[i][0]), &v, &n);
        assert_str(n.given, cases[i][1]);
        assert_str(n.family, cases[i][2]);
    }
}

static void companies(void **state) {
    static const struct expected cases[] = {
        {"Acme Inc.", "Acme Inc.", ""},
        {"ACME WIDGETS G.M.B.H.", "Acme Widgets GmbH", "case+legal_form"},
        {"Acme, Inc", "Acme Inc.", "legal_form"},
        {"M\xC3\xBCller & S\xC3\xB6hne gmbh & co. kg", "M\xC3\xBCller & S\xC3\xB6hne GmbH & Co. KG", "legal_form"},
        {"Apple Inc. (NASDAQ: AAPL)", "Apple Inc.", "stock_ticker"},
        {"Smith Holdings LLC d/b/a Joe's Diner", "Smith Holdings LLC", "trading_as"},
        {"IBM", "IBM", ""},
        {"acme corp", "Acme Corp.", "case+legal_form"},
        {"XYZ sp. z o.o.", "XYZ Sp. z o.o.", "legal_form"},
        {"Widget S.A. DE C.V.", "Widget SA de CV", "legal_form"},
        {"Call Me", "Call Me", ""},
        {"Such As", "Such As", ""},
        {"PT Astra Tbk", "PT Astra Tbk", ""},
        {"\"Acme AG\"", "Acme AG", "wrapped"},
        {"\xD0\x9E\xD0\x9E\xD0\x9E \xD0\xAF\xD0\xB1\xD0\xBB\xD0\xBE\xD0\xBA\xD0\xBE",
         "OOO \xD0\xAF\xD0\xB1\xD0\xBB\xD0\xBE\xD0\xBA\xD0\xBE", "legal_form"},
        {"+1", NULL, "no_letters"},
    };
    struct clean_value v;
    str form;
    const struct legal_forms *l = legal_forms_load(*state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        company_clean(l, *state, str_from(cases[i].text), &v, &form);
        check(*state, &cases[i], &v);
    }
    company_clean(l, *state, STR("Acme Trading Co., Ltd."), &v, &form);
    assert_str(form, "Co., Ltd.");
    str base;
    assert_false(company_split(l, STR("Limited"), &base, &form));
}

static void domains(void **state) {
    static const struct expected cases[] = {
        {"example.com", "example.com", ""},
        {"https://www.Example.co.uk/about?x=1", "example.co.uk", "case+scheme+path+subdomain"},
        {"ada@mail.example.org", "example.org", "subdomain+from_email"},
        {"b\xC3\xBC"
         "cher.de",
         "xn--bcher-kva.de", "idn"},
        {"example.com:8080", "example.com", "path"},
        {"co.uk", NULL, "public_suffix"},
        {"example.con", NULL, "unknown_suffix"},
        {"localhost", NULL, "not_a_domain"},
        {"10.1.2.3", NULL, "not_a_domain"},
        {"exa_mple.com", NULL, "not_a_domain"},
    };
    CHECK_KIND(CLEAN_DOMAIN, cases);
    assert_true(host_suffix_is_known(STR("a.museum")));
    assert_false(host_suffix_is_known(STR("a.nosuchthing")));
    assert_str(host_registered(STR("a.b.c.com")), "c.com");
}

static void countries_and_languages(void **state) {
    static const struct expected countries[] = {{"DE", "DE", ""},
                                                {"deu", "DE", "country_code"},
                                                {"Deutschland", "DE", "country_name"},
                                                {"the netherlands", "NL", "country_name"},
                                                {"UK", "GB", "country_name"},
                                                {"U.S.A.", "US", "country_name"},
                                                {"C\xC3\xB4te d\xE2\x80\x99Ivoire", "CI", "country_name"},
                                                {"\xE6\x97\xA5\xE6\x9C\xAC", "JP", "country_name"},
                                                {"Atlantis", NULL, "unknown"}};
    static const struct expected languages[] = {{"de", "de", ""},
                                                {"de-AT", "de", "language_code"},
                                                {"German", "de", "language_name"},
                                                {"fran\xC3\xA7"
                                                 "ais",
                                                 "fr", "language_name"},
                                                {"Klingon", NULL, "unknown"}};
    CHECK_KIND(CLEAN_COUNTRY, countries);
    CHECK_KIND(CLEAN_REGION, countries);
    CHECK_KIND(CLEAN_LANGUAGE, languages);
}

static void amounts(void **state) {
    static const struct expected money[] = {{"3500000", "3500000", ""},
                                            {"$3.5M", "3500000 USD", "multiplier+currency"},
                                            {"1.200,50 \xE2\x82\xAC", "1200.5 EUR", "number+currency"},
                                            {"10-20 mn", "10000000-20000000", "multiplier+range"},
                                            {"(1,234.00)", "-1234", "number"},
                                            {"12 %", NULL, "unknown"},
                                            {"a lot", NULL, "unknown"}};
    static const struct expected headcount[] = {{"51-200", "51-200", "range"},
                                                {"10,000+", "10000+", "number+range"},
                                                {"51-200 employees", "51-200", "number+range"},
                                                {"~40 Mitarbeiter", "40", "number"},
                                                {"< 10", "0-10", "range"},
                                                {"1K", "1000", "multiplier"},
                                                {"5.5", NULL, "unknown"},
                                                {"-3", NULL, "unknown"},
                                                {"30000000", NULL, "unknown"}};
    static const struct expected dates[] = {
        {"2026-03-01", "2026-03-01", ""},         {"Mar 1, 2026", "2026-03-01", "iso_date"},
        {"25/12/2026", "2026-12-25", "iso_date"}, {"2026/03/01 10:00", "2026-03-01T10:00:00Z", "iso_date"},
        {"03/04/2026", NULL, "ambiguous"},        {"2026-02-30", NULL, "unknown"}};
    CHECK_KIND(CLEAN_MONEY, money);
    CHECK_KIND(CLEAN_HEADCOUNT, headcount);
    CHECK_KIND(CLEAN_DATE, dates);
    struct clean_value v;
    amount_clean_date(*state, STR("03/04/2026"), TIME_DAY_FIRST, &v);
    assert_str(v.value, "2026-04-03");
    amount_clean_date(*state, STR("03/04/2026"), TIME_MONTH_FIRST, &v);
    assert_str(v.value, "2026-03-04");
}

static void industries_by_code_name_and_words(void **state) {
    static const struct expected cases[] = {{"541511", "541511", ""},
                                            {"SaaS", "5112", "industry_title"},
                                            {"Software Publishers", "5112", "industry_title"},
                                            {"retail", "44-45", "industry_title"},
                                            {"Computer Systems Design", "5415", "industry_words"},
                                            {"quux frobnication", NULL, "unknown"}};
    CHECK_KIND(CLEAN_INDUSTRY, cases);
}

static void phones(void **state) {
    static const struct {
        const char *text, *region, *country, *clean, *rule, *type;
    } cases[] = {
        {"(212) 555-0123", "US", NULL, "+12125550123", "e164", "fixed_line_or_mobile"},
        {"020 7946 0018", "GB", NULL, "+442079460018", "e164", "fixed_line"},
        {"020 7946 0018", NULL, "United Kingdom", "+442079460018", "e164+region_from_country", "fixed_line"},
        {"+49 30 901820", NULL, NULL, "+4930901820", "e164", "fixed_line"},
        {"+4930901820", "FR", NULL, "+4930901820", "", "fixed_line"},
        {"0044 20 7946 0018", "US", NULL, "+442079460018", "e164+international_zeros", "fixed_line"},
        {"212-555-0123 ext. 204", "US", NULL, "+12125550123", "e164+extension", "fixed_line_or_mobile"},
        {"020 7946 0018", NULL, NULL, "", "no_region", ""},
        {"12345", "US", NULL, "", "not_in_region", ""},
        {"call me", "US", NULL, "", "not_a_phone", ""},
    };
    struct cleaner *c;
    assert_ok(cleaner_new(*state, &(struct cleaner_options){0}, &c));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_input in = {0};
        struct clean_output out;
        in.cell[CLEAN_PHONE] = str_from(cases[i].text);
        in.cell[CLEAN_REGION] = str_from(cases[i].region);
        in.cell[CLEAN_COUNTRY] = str_from(cases[i].country);
        clean_lead(c, *state, &in, &out);
        assert_str(out.value[CLEAN_PHONE].value, cases[i].clean);
        assert_str(clean_rule_text(*state, &out.value[CLEAN_PHONE]), cases[i].rule);
        assert_str(out.phone_type, cases[i].type);
    }
}

static void nothing_is_empty_and_too_much_is_refused(void **state) {
    struct cleaner *c;
    struct clean_output out;
    assert_ok(cleaner_new(*state, &(struct cleaner_options){0}, &c));
    const str huge = str_format(*state, "%03000d", 1);
    for (unsigned k = 0; k < CLEAN_KIND_COUNT; k++) {
        enum clean_kind back;
        assert_true(clean_kind_of(str_from(clean_kind_name((enum clean_kind)k)), &back) && back == k);
        struct clean_input in = {0};
        static const char *const nothing[] = {"", " \t", "N/A", "null", "-"};
        for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
            in.cell[k] = str_from(nothing[i]);
            clean_lead(c, *state, &in, &out);
            assert_int_equal(out.value[k].status, CLEAN_EMPTY);
            assert_int_equal(out.value[k].value.len, 0);
        }
        in.cell[k] = huge;
        clean_lead(c, *state, &in, &out);
        assert_int_equal(out.value[k].status, CLEAN_INVALID);
        assert_true(clean_has(&out.value[k], RULE_TOO_LONG));
    }
}

static void letters_of_two_cases(void **state) {
    (void)state;
    for (uint32_t c = 1; c < 0x2000; c++) {
        if (c == 0x130 || c == 0x131 || c == 0x178 || c == 0xDF || c == 0x3C2)
            continue;
        const uint32_t small = letters_small(c), large = letters_large(c);
        assert_true(small == c || large == c);
        assert_true(letters_large(small) == large || small == c);
        assert_true(letters_small(large) == small || large == c);
    }
    assert_int_equal(letters_large(0x17E), 0x17D);
    assert_int_equal(letters_small(0x160), 0x161);
    assert_int_equal(letters_large(0xFF), 0x178);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(names_of_people),
        ARENA_TEST(given_and_family),
        ARENA_TEST(companies),
        ARENA_TEST(domains),
        ARENA_TEST(countries_and_languages),
        ARENA_TEST(amounts),
        ARENA_TEST(industries_by_code_name_and_words),
        ARENA_TEST(phones),
        ARENA_TEST(nothing_is_empty_and_too_much_is_refused),
        ARENA_TEST(letters_of_two_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
