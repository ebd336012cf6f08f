/* test_pii.c — personal data by form, checksum and context; masks that can be taken off again. */
#include "unit.h"

#include "base/rng.h"
#include "base/utf8.h"
#include "text/pii.h"

static struct pii_finder *finder(struct arena *a) {
    const struct pii_words *words = NULL;
    assert_int_equal(pii_words_load(a, &words), OK);
    return pii_finder_new(a, words);
}

/* The only span of `text` is `what`, of `type`; what NULL: there is none. */
static void check(struct pii_finder *f, const char *text, const char *what, enum pii_type type) {
    const struct pii_span *span;
    bool more;
    const size_t n = pii_find(f, str_from(text), &span, &more);
    if (n != (what ? 1 : 0) || (what && span[0].type != type))
        print_message("%s: %zu spans, the first %s\n", text, n, n ? pii_type_name(span[0].type) : "");
    assert_int_equal(n, what ? 1 : 0);
    assert_false(more);
    if (!what)
        return;
    assert_int_equal(span[0].type, type);
    assert_str(str_slice(str_from(text), span[0].begin, span[0].end), what);
    assert_true(span[0].confidence > 0 && span[0].confidence <= 1);
}

static void test_forms(void **state) {
    struct pii_finder *f = finder(*state);
    check(f, "mail to jane.doe+x@mail.example.org, please", "jane.doe+x@mail.example.org", PII_EMAIL_ADDRESS);
    check(f, "see https://www.example.com/a?b=1.", "https://www.example.com/a?b=1", PII_DOMAIN_NAME);
    check(f, "from 192.168.10.1 again", "192.168.10.1", PII_IP_ADDRESS);
    check(f, "from 2001:db8::ff00:42:8329 again", "2001:db8::ff00:42:8329", PII_IP_ADDRESS);
    check(f, "we use version 1.2.3.4.5 of it", NULL, PII_PERSON);
    check(f, "it is 300.1.2.3", NULL, PII_PERSON);
    check(f, "the number is 123-45-6789 as said", "123-45-6789", PII_US_SSN);
    check(f, "it happened on 2015-12-22 04:34:22 as said", "2015-12-22 04:34:22", PII_DATE_TIME);
    check(f, "it happened on March 3, 2015", "March 3, 2015", PII_DATE_TIME);
    check(f, "it was founded in 1977.", "1977", PII_DATE_TIME);
    check(f, "we sold 1977 units", NULL, PII_PERSON);
}

/* Examples of ISO 13616 and of card makers; one digit changed is no such number unless it is called one. */
static void test_checksums(void **state) {
    struct pii_finder *f = finder(*state);
    check(f, "pay to GB29 NWBK 6016 1331 9268 19 today", "GB29 NWBK 6016 1331 9268 19", PII_IBAN_CODE);
    check(f, "pay to DE89370400440532013000 today", "DE89370400440532013000", PII_IBAN_CODE);
    check(f, "part DE89370400440532013001 is there", NULL, PII_PERSON);
    check(f, "it is 4111 1111 1111 1111 then", "4111 1111 1111 1111", PII_CREDIT_CARD);
    check(f, "it is 378282246310005 then", "378282246310005", PII_CREDIT_CARD);
    check(f, "it is 4111111111111112 then", NULL, PII_PERSON);
    check(f, "my card is 4111111111111112 then", "4111111111111112", PII_CREDIT_CARD);
}

static void test_numbers(void **state) {
    struct pii_finder *f = finder(*state);
    check(f, "call me on +44 20 7946 0958 today", "+44 20 7946 0958", PII_PHONE_NUMBER);
    check(f, "call (212) 555-0123 today", "(212) 555-0123", PII_PHONE_NUMBER);
    check(f, "sales of EUR 12 345 678 this time", NULL, PII_PERSON);
    check(f, "a ratio of 3.14159265 it is", NULL, PII_PERSON);
    check(f, "my zip code is 35350", "35350", PII_ZIP_CODE);
    check(f, "she is 42 years old", "42", PII_AGE);
    check(f, "the driver's license number D1234567 expired", "D1234567", PII_US_DRIVER_LICENSE);
}

static void test_names(void **state) {
    struct pii_finder *f = finder(*state);
    check(f, "My name is Jane Doe", "Jane Doe", PII_PERSON);
    check(f, "we spoke with Krisztián Szöllösy about it", "Krisztián Szöllösy", PII_PERSON);
    check(f, "I will be travelling to New Zealand next week", "New Zealand", PII_GPE);
    check(f, "I work for Example Dynamics Ltd", "Example Dynamics Ltd", PII_ORGANIZATION);
    check(f, "they serve good Norwegian food", "Norwegian", PII_NRP);
    check(f, "Please send it to 221 Baker Street", "221 Baker Street", PII_STREET_ADDRESS);
    check(f, "Capitalized words like Wisdom and Discipline are often mistaken", NULL, PII_PERSON);
    check(f, "How do I check my balance on my credit card?", NULL, PII_PERSON);
    check(f, "", NULL, PII_PERSON);
}

static void test_characters(void **state) {
    struct pii_finder *f = finder(*state);
    const struct pii_span *span;
    bool more;
    const str text = STR("äöü é: jane@example.org");
    assert_int_equal(pii_find(f, text, &span, &more), 1);
    assert_int_equal(span[0].begin_char, 7);
    assert_int_equal(span[0].end_char, 23);
}

static void test_masks(void **state) {
    struct arena *a = *state;
    struct pii_finder *f = finder(a);
    const struct pii_span *span;
    bool more;
    const str text =
        STR("My name is Jane Doe, jane@example.org or jan@example.org; [EMAIL_ADDRESS_1] is taken. jane@example.org");
    const size_t n = pii_find(f, text, &span, &more);
    const struct pii_masked m = pii_mask(a, text, span, n);
    assert_str(
        m.text,
        "My name is [PERSON_1], [EMAIL_ADDRESS_2] or [EMAIL_ADDRESS_3]; [EMAIL_ADDRESS_1] is taken. [EMAIL_ADDRESS_2]");
    assert_int_equal(m.n, 3);
    assert_true(str_equal(pii_unmask(a, m.text, m.secret, m.n), text));
    assert_str(pii_unmask(a, STR("Dear [PERSON_1], [PERSON_2]"), m.secret, m.n), "Dear Jane Doe, [PERSON_2]");
}

/* Any bytes, longer than a piece too: spans are in order, apart, within the text, and come off again. */
static void test_any_bytes(void **state) {
    struct arena *a = *state;
    struct pii_finder *f = finder(a);
    struct rng r = rng_from_seed(9);
    static const char *const part[] = {
        "Jane Doe ", "4111 1111 1111 1111 ",        "+44 20 7946 0958", "\n", "a@b.co ", "Apt. ", "12 ",
        "\xff\xc3",  "GB29 NWBK 6016 1331 9268 19", "Street ",          "::", "1.2.3.4", "in ",   "- ",
        ", "};
    for (int i = 0; i < 60; i++) {
        const size_t size = i < 55 ? 600 : 300000;
        char *text = arena_alloc(a, size + 64);
        size_t n = 0;
        while (n < size) {
            const char *w = part[rng_below(&r, 15)];
            const size_t len = strlen(w);
            memcpy(text + n, w, len);
            n += len;
        }
        const struct pii_span *span;
        bool more;
        const size_t k = pii_find(f, (str){text, n}, &span, &more);
        for (size_t s = 0; s < k; s++) {
            assert_true(span[s].begin < span[s].end && span[s].end <= n && span[s].begin_char < span[s].end_char);
            assert_true(s == 0 || span[s - 1].end <= span[s].begin);
        }
        if (i < 55) {
            const struct pii_masked m = pii_mask(a, (str){text, n}, span, k);
            assert_true(str_equal(pii_unmask(a, m.text, m.secret, m.n), (str){text, n}));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_forms),    ARENA_TEST(test_checksums),  ARENA_TEST(test_numbers),
                                       ARENA_TEST(test_names),    ARENA_TEST(test_characters), ARENA_TEST(test_masks),
                                       ARENA_TEST(test_any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
