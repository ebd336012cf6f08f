/* test_mail.c — e-mail addresses and domains: what is one, and its one spelling. */
#include "unit.h"
#include "validate/mail.h"

static void addresses_have_one_spelling(void **state) {
    static const char *const good[][2] = {
        {" Ada@Example.COM ", "ada@example.com"},
        {"a.b+c@x-y.example", "a.b+c@x-y.example"},
        {"\xC3\xA9@\xC3\xA9x.fr", "\xC3\xA9@\xC3\xA9x.fr"},
        {"o'neil@example.org", "o'neil@example.org"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        str out = {0};
        assert_true(mail_address(*state, str_from(good[i][0]), &out));
        assert_str(out, good[i][1]);
    }
}

static void other_texts_are_no_addresses(void **state) {
    static const char *const bad[] = {"",          "ada",       "@x.com",    "ada@",          "ada@x",
                                      "a b@x.com", "a@b@c.com", "a@x..com",  "a@-x.com",      "Ada <ada@x.com>",
                                      "a@x.com,b", ".a@x.com",  "a.@x.com",  "a\n@x.com",     "a@x .com",
                                      "\"a\"@x.y", "a@x.com.",  "a@[1.2.3]", "mailto:a@x.com"};
    str out = STR("untouched");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mail_address(*state, str_from(bad[i]), &out))
            fail_msg("\"%s\" was taken for an address", bad[i]);
    assert_str(out, "untouched");
    str longest = str_format(*state, "%065d@example.com", 0);
    assert_false(mail_address(*state, longest, &out));
    assert_true(mail_address(*state, str_slice(longest, 1, longest.len), &out));
}

static void domains_have_one_spelling(void **state) {
    static const char *const good[][2] = {{"Example.com", "example.com"},
                                          {"https://www.Example.com/about?x=1", "example.com"},
                                          {"www.example.co.uk", "example.co.uk"},
                                          {"example.com.", "example.com"}};
    static const char *const bad[] = {"",       "example",  "exa mple.com", "a..b",  ".com",
                                      "-a.com", "https://", "a@b.com",      "x:80.y"};
    str out;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(mail_domain(*state, str_from(good[i][0]), &out));
        assert_str(out, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mail_domain(*state, str_from(bad[i]), &out));
}

static void private_mail_says_nothing_of_a_company(void **state) {
    (void)state;
    assert_true(mail_is_private(STR("gmail.com")));
    assert_false(mail_is_private(STR("example.com")));
    assert_str(mail_domain_of(STR("a@b.c")), "b.c");
    assert_int_equal(mail_domain_of(STR("a")).len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(addresses_have_one_spelling),
        ARENA_TEST(other_texts_are_no_addresses),
        ARENA_TEST(domains_have_one_spelling),
        ARENA_TEST(private_mail_says_nothing_of_a_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
