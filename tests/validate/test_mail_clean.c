/* test_mail_clean.c — e-mail addresses as people write them: what becomes of them, their class, and slips. */
#include "unit.h"
#include "validate/mail_clean.h"

static void clean(struct arena *a, const char *text, const char *company, struct clean_value *v, struct mail_cleaned *m) {
    mail_clean(mail_lists_load(a), a, str_from(text), str_from(company), 0.5, v, m);
}

static void what_was_meant(void **state) {
    static const struct {
        const char *text, *clean, *rule;
    } cases[] = {
        {"ada@example.com", "ada@example.com", ""},
        {" Ada.L@Example.COM ", "ada.l@example.com", "space+case"},
        {"Ada Lovelace <ada@example.org>", "ada@example.org", "wrapped"},
        {"mailto:ada@example.org?subject=x", "ada@example.org", "wrapped"},
        {"ada(at)example.org", "ada@example.org", "at_word"},
        {"ada [at] example [dot] org", "ada@example.org", "space+at_word"},
        {"ada @ example.org", "ada@example.org", "space"},
        {"ada..l@example..org.", "ada.l@example.org", "dots"},
        {"ada@example,org", "ada@example.org", "comma_for_dot"},
        {"ada+crm@example.org", "ada+crm@example.org", ""},
        {"ada@b\xC3\xBC"
         "cher.de",
         "ada@xn--bcher-kva.de", "idn"},
        {"ada@gmial.com", "ada@gmail.com", "provider_typo"},
        {"ada@gmailcom", "ada@gmail.com", "provider_typo"},
        {"ada@hotmial.con", "ada@hotmail.com", "provider_typo"},
        {"ada@acme-widgets.cmo", "ada@acme-widgets.com", "suffix_typo"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_value v;
        struct mail_cleaned m;
        clean(*state, cases[i].text, "", &v, &m);
        assert_str(v.value, cases[i].clean);
        assert_str(clean_rule_text(*state, &v), cases[i].rule);
        assert_int_equal(v.status, *cases[i].rule ? CLEAN_CORRECTED : CLEAN_OK);
        assert_true(v.confidence > 0.5 && v.confidence <= 1);
    }
}

static void what_cannot_be_used(void **state) {
    static const char *const cases[][2] = {{"ada", "no_at"},
                                           {"@example.com", "local_part"},
                                           {"a b@example.com", "local_part"},
                                           {"ada@", "not_a_domain"},
                                           {"ada@exa mple.com", "not_a_domain"},
                                           {"ada@-x-.com", "not_a_domain"},
                                           {"ada@example.invalidsuffix", "unknown_suffix"},
                                           {"ada@10.0.0.1", "not_a_domain"},
                                           {"ada@\xFF.com", "not_utf8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_value v;
        struct mail_cleaned m;
        clean(*state, cases[i][0], "", &v, &m);
        assert_int_equal(v.status, CLEAN_INVALID);
        assert_int_equal(v.value.len, 0);
        assert_str(clean_rule_text(*state, &v), cases[i][1]);
        assert_int_equal(m.class, MAIL_INVALID);
    }
}

static void classes(void **state) {
    static const struct {
        const char *text;
        enum mail_class class;
    } cases[] = {{"ada@example.com", MAIL_CORPORATE},
                 {"info@example.com", MAIL_ROLE},
                 {"sales.emea@example.com", MAIL_ROLE},
                 {"jobs2@example.com", MAIL_ROLE},
                 {"salesman@example.com", MAIL_CORPORATE},
                 {"ada@gmail.com", MAIL_FREE},
                 {"info@gmail.com", MAIL_FREE},
                 {"ada@mailinator.com", MAIL_DISPOSABLE},
                 {"ada@x.mailinator.com", MAIL_DISPOSABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct clean_value v;
        struct mail_cleaned m;
        clean(*state, cases[i].text, "", &v, &m);
        assert_string_equal(mail_class_name(m.class), mail_class_name(cases[i].class));
    }
}

static void slips_of_every_kind(void **state) {
    static const char *const slips[][2] = {
        {"yaho.com", "yahoo.com"},  {"yahooo.com", "yahoo.com"},       {"yhaoo.com", "yahoo.com"},
        {"tahoo.com", "yahoo.com"}, {"outlook.co", "outlook.com"},     {"outlook.vom", "outlook.com"},
        {"gmx.dr", "gmx.de"},       {"hotmail.couk", "hotmail.co.uk"}, {"protonmial.com", "protonmail.com"},
        {"seznma.cz", "seznam.cz"}};
    const struct mail_lists *l = mail_lists_load(*state);
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        str provider;
        double confidence = 0;
        if (!mail_typo(l, str_from(slips[i][0]), &provider, &confidence))
            fail_msg("%s was not taken for a slip", slips[i][0]);
        assert_str(provider, slips[i][1]);
        assert_true(confidence > 0.4 && confidence <= 1);
    }
}

static void what_is_no_slip_stays(void **state) {
    static const char *const good[] = {"gmail.com",   "example.com",  "ibm.com",       "ge.com",
                                       "gm.com",      "yahoo.pl",     "orange.com",    "free.de",
                                       "cloud.com",   "webex.com",    "look.com",      "mailchimp.com",
                                       "hubspot.com", "liveramp.com", "microsoft.com", "wolfram.com"};
    const struct mail_lists *l = mail_lists_load(*state);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        str provider;
        double confidence;
        if (mail_typo(l, str_from(good[i]), &provider, &confidence) && confidence >= 0.5)
            fail_msg("%s was taken for a slip of %.*s", good[i], STR_ARG(provider));
    }
}

/* The row says that the domain is the company's own: it is not corrected, though it looks like a slip. */
static void the_company_knows_better(void **state) {
    struct clean_value v;
    struct mail_cleaned m;
    clean(*state, "ada@sol.com", "", &v, &m);
    assert_str(v.value, "ada@aol.com");
    clean(*state, "ada@sol.com", "SOL Group Ltd.", &v, &m);
    assert_str(v.value, "ada@sol.com");
    assert_int_equal(m.suggestion.len, 0);
}

static void what_is_not_sure_is_only_suggested(void **state) {
    struct clean_value v;
    struct mail_cleaned m;
    mail_clean(mail_lists_load(*state), *state, STR("ada@sol.com"), (str){0}, 0.95, &v, &m);
    assert_str(v.value, "ada@sol.com");
    assert_int_equal(v.status, CLEAN_OK);
    assert_str(m.suggestion, "ada@aol.com");
    assert_true(m.suggestion_confidence < 0.95);
}

static void cleaning_again_changes_nothing(void **state) {
    static const char *const texts[] = {"Ada <ada@gmail,com>", "ADA@B\303\274CHER.DE", "ada@yaho.com", "x(at)y.org"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct clean_value once, twice;
        struct mail_cleaned m;
        clean(*state, texts[i], "", &once, &m);
        mail_clean(mail_lists_load(*state), *state, once.value, (str){0}, 0.5, &twice, &m);
        assert_int_equal(twice.status, CLEAN_OK);
        assert_true(str_equal(once.value, twice.value));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_was_meant),
        ARENA_TEST(what_cannot_be_used),
        ARENA_TEST(classes),
        ARENA_TEST(slips_of_every_kind),
        ARENA_TEST(what_is_no_slip_stays),
        ARENA_TEST(the_company_knows_better),
        ARENA_TEST(what_is_not_sure_is_only_suggested),
        ARENA_TEST(cleaning_again_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
