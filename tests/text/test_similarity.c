/* test_similarity.c — string similarities against published values and their own laws. */
#include "unit.h"

#include "base/rng.h"
#include "text/similarity.h"

/* Winkler's published examples (U.S. Census Bureau, strcmp95 without its extras). */
static void test_published(void **state) {
    (void)state;
    assert_close(text_jaro(STR("martha"), STR("marhta")), 0.944444444, 1e-9);
    assert_close(text_jaro_winkler(STR("martha"), STR("marhta")), 0.961111111, 1e-9);
    assert_close(text_jaro(STR("dwayne"), STR("duane")), 0.822222222, 1e-9);
    assert_close(text_jaro_winkler(STR("dwayne"), STR("duane")), 0.84, 1e-9);
    assert_close(text_jaro(STR("dixon"), STR("dicksonx")), 0.766666667, 1e-9);
    assert_close(text_jaro_winkler(STR("dixon"), STR("dicksonx")), 0.813333333, 1e-9);
    assert_close(text_jaro(STR("jellyfish"), STR("smellyfish")), 0.896296296, 1e-9);
    assert_close(text_jaro(STR("abc"), STR("xyz")), 0, 0);
}

static void test_edges(void **state) {
    (void)state;
    assert_close(text_jaro(STR(""), STR("")), 1, 0);
    assert_close(text_jaro_winkler(STR(""), STR("a")), 0, 0);
    assert_close(text_jaro(STR("a"), STR("a")), 1, 0);
    assert_close(text_alike(STR(""), STR("")), 1, 0);
    assert_close(text_words_alike(STR(" "), STR("a")), 0, 0);
}

static void test_edits(void **state) {
    (void)state;
    assert_int_equal(text_edits(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(text_edits(STR("ab"), STR("ba")), 1);
    assert_int_equal(text_edits(STR("ca"), STR("abc")), 3); /* 2 without the restriction */
    assert_int_equal(text_edits(STR(""), STR("abc")), 3);
    assert_int_equal(text_edits(STR("müller"), STR("muller")), 1); /* characters, not bytes */
    assert_int_equal(text_edits(STR("иванов"), STR("ивонав")), 2);
}

static void test_words(void **state) {
    (void)state;
    assert_close(text_words_alike(STR("john smith"), STR("smith john")), 1, 1e-12);
    assert_close(text_words_alike(STR("acme"), STR("acme systems")), (1 + 4 / 11.0) / 2, 1e-12);
    assert_close(text_words_alike(STR("abc def"), STR("xyz uvw")), 0, 0);
    assert_true(text_words_alike(STR("jon smith"), STR("smith john")) > 0.9);
    /* a word is used once */
    assert_true(text_words_alike(STR("new new"), STR("new york")) < 0.8);
}

static str any_text(struct rng *r, char *room, size_t cap) {
    static const char letters[] = "aab \xC3\xA9xyz";
    const size_t n = rng_below(r, cap);
    for (size_t i = 0; i < n; i++)
        room[i] = rng_below(r, 50) ? letters[rng_below(r, sizeof letters - 1)] : (char)rng_below(r, 256);
    return (str){room, n};
}

/* Symmetric, within bounds, 1 for equal texts; edits obey the triangle inequality's weaker form |len| bounds. */
static void test_laws(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(11);
    char x[90], y[90];
    for (int i = 0; i < 30000; i++) {
        const size_t cap = i % 10 ? 12 : sizeof x;
        const str a = any_text(&rng, x, cap), b = any_text(&rng, y, cap);
        double (*const like[])(str, str) = {text_jaro, text_jaro_winkler, text_alike, text_words_alike};
        for (size_t k = 0; k < 4; k++) {
            const double s = like[k](a, b);
            assert_true(s >= 0 && s <= 1 + 1e-12);
            assert_close(s, like[k](b, a), 0);
            assert_close(like[k](a, a), 1, 1e-12);
        }
        assert_int_equal(text_edits(a, b), text_edits(b, a));
        assert_int_equal(text_edits(a, a), 0);
        assert_true(text_edits(a, b) <= (a.len > b.len ? a.len : b.len));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_published), cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_edits), cmocka_unit_test(test_words),
                                       cmocka_unit_test(test_laws)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
