/* test_sentiment.c — directions and what they are said of, per entity. */
#include "unit.h"

#include "base/rng.h"
#include "text/sentiment.h"

static const struct lexicon *lexicon(struct arena *a) {
    const struct lexicon *l = NULL;
    assert_int_equal(lexicon_load(a, &l), OK);
    return l;
}

static void check(const struct lexicon *l, const char *text, const char *entity, const char *label) {
    const struct sentiment s = sentiment_judge(l, str_from(text), str_from(entity));
    if (strcmp(sentiment_label_name(s.label), label) != 0)
        print_message("%s [%s]: %f\n", text, entity ? entity : "", s.score);
    assert_string_equal(sentiment_label_name(s.label), label);
    assert_true(s.score >= -1 && s.score <= 1);
}

static void test_directions(void **state) {
    const struct lexicon *l = lexicon(*state);
    check(l, "Operating profit rose to EUR 5.0 mn", NULL, "positive");
    check(l, "Operating profit fell to EUR 5.0 mn", NULL, "negative");
    check(l, "Net loss narrowed to EUR 2.8 mn", NULL, "positive");
    check(l, "Net loss widens to EUR 2.8 mn", NULL, "negative");
    check(l, "The company cuts costs", NULL, "positive");
    check(l, "The company raises its dividend", NULL, "positive");
    check(l, "Higher costs hit the company", NULL, "negative");
    check(l, "The company has offices in Oslo", NULL, "neutral");
    check(l, "Sales did not grow", NULL, "negative");
    check(l, "", NULL, "neutral");
}

static void test_amounts(void **state) {
    const struct lexicon *l = lexicon(*state);
    check(l, "Operating profit was EUR 5.1 mn, compared to EUR 3.0 mn a year earlier", NULL, "positive");
    check(l, "Operating profit was EUR 3.1 mn, compared to EUR 5.0 mn a year earlier", NULL, "negative");
    check(l, "Operating loss totalled EUR 0.8 mn, compared to a profit of EUR 0.5 mn", NULL, "negative");
    check(l, "Operating profit was EUR 3.1 mn in 2009", NULL, "neutral");
}

static void test_entities(void **state) {
    const struct lexicon *l = lexicon(*state);
    check(l, "Acme surges while Globex plunges", "Acme", "positive");
    check(l, "Acme surges while Globex plunges", "Globex", "negative");
    check(l, "Acme, Initech and Globex fall", "Acme", "negative");
    check(l, "UBS downgrades Acme", "Acme", "negative");
    check(l, "UBS downgrades Acme", "UBS", "neutral");
    check(l, "Acme shares to rise: Globex Securities", "Globex Securities", "neutral");
    check(l, "Acme surges", "Nobody", "positive"); /* not there: the text as a whole */
}

/* Any bytes, and any entity cut from them. */
static void test_any_bytes(void **state) {
    const struct lexicon *l = lexicon(*state);
    struct rng r = rng_from_seed(3);
    static const char *const words[] = {"profit ", "fell ",    "not ", "3.1 mn, ", "compared to ",
                                        "\xff",    "loss of ", "; ",   "12",       "EUR3 .8 "};
    for (int i = 0; i < 3000; i++) {
        char text[400];
        size_t n = 0;
        while (n < 380 && rng_below(&r, 40) > 0) {
            const char *w = words[rng_below(&r, 10)];
            for (size_t k = 0; w[k] && n < sizeof text; k++)
                text[n++] = w[k];
        }
        uint32_t sense[SENTIMENT_SENSE_MAX];
        const size_t from = rng_below(&r, n + 1), to = from + rng_below(&r, n - from + 1);
        const struct sentiment s = sentiment_judge(l, (str){text, n}, str_slice((str){text, n}, from, to));
        assert_true(s.score >= -1 && s.score <= 1);
        assert_true(sentiment_senses(l, (str){text, n}, (str){0}, sense) <= SENTIMENT_SENSE_MAX);
    }
}

static void test_lexicon_faults(void **state) {
    struct arena *a = *state;
    const struct lexicon *l;
    assert_int_equal(lexicon_parse(a, STR("up 1: rise\n# note\n\ndown 2: slip++ carry+ cat*\n"), &l), OK);
    check(l, "it slipped", NULL, "negative");
    check(l, "it slipping", NULL, "negative");
    check(l, "it carries", NULL, "negative");
    check(l, "two cats", NULL, "negative");
    check(l, "it rises", NULL, "neutral"); /* only the form that is given */
    assert_int_equal(lexicon_parse(a, STR("sideways 1: rise\n"), &l), ERR_CORRUPT);
    assert_int_equal(lexicon_parse(a, STR("up x: rise\n"), &l), ERR_CORRUPT);
    assert_string_equal(err_slug(), "lexicon_damaged");
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_directions), ARENA_TEST(test_amounts), ARENA_TEST(test_entities),
                                       ARENA_TEST(test_any_bytes), ARENA_TEST(test_lexicon_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
