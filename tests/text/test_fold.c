/* test_fold.c — folded texts and how they sound. */
#include "unit.h"

#include "base/rng.h"
#include "base/utf8.h"
#include "text/fold.h"

static str fold(struct arena *a, const char *text) {
    char *to = arena_alloc(a, 256);
    return (str){to, text_fold(str_from(text), to, 256)};
}

static void test_letters(void **state) {
    struct arena *a = *state;
    assert_str(fold(a, "  Müller-Lüdenscheidt, Jr. "), "muller ludenscheidt jr");
    assert_str(fold(a, "O'Brien"), "obrien");
    assert_str(fold(a, "ÆRØ Straße Œuvre Þór Łódź"), "aero strasse oeuvre thor lodz");
    assert_str(fold(a, "ÀÿĀžŽ"), "ayazz");
    assert_str(fold(a, "ИВАНОВ Ёлка"), "иванов ёлка");
    assert_str(fold(a, "株式会社"), "株式会社");
    assert_str(fold(a, "e\xCC\x81t\xC3\xA9"), "ete"); /* a combining mark, and one letter */
    assert_str(fold(a, "\xFF\xFE"), "");
    assert_str(fold(a, ""), "");
    assert_str(fold(a, "--"), "");
}

static void test_room(void **state) {
    (void)state;
    char to[4];
    assert_int_equal(text_fold(STR("abcdef"), to, 4), 4);
    assert_memory_equal(to, "abcd", 4);
    assert_int_equal(text_fold(STR("abc д"), to, 4), 3); /* never half a character, nor a blank at the end */
    assert_int_equal(text_fold(STR("abc"), to, 0), 0);
}

/* Any bytes: what comes out is UTF-8, fits, and folds to itself. */
static void test_any_bytes(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(5);
    for (int i = 0; i < 20000; i++) {
        char bytes[40], once[64], twice[64];
        const size_t n = rng_below(&rng, sizeof bytes), cap = rng_below(&rng, sizeof once);
        for (size_t k = 0; k < n; k++)
            bytes[k] = (char)(rng_below(&rng, 3) ? 0xC0 + rng_below(&rng, 64) : rng_below(&rng, 256));
        const str first = {once, text_fold((str){bytes, n}, once, cap)};
        assert_true(first.len <= cap && utf8_valid(first));
        const str second = {twice, text_fold(first, twice, sizeof twice)};
        assert_true(str_equal(first, second));
    }
}

static void test_sound(void **state) {
    (void)state;
    /* Soundex's own examples: Robert and Rupert alike, Rubin not; Tymczak, Pfister and Ashcraft with its h passed over. */
    assert_true(text_sound(STR("robert")) == text_sound(STR("rupert")));
    assert_true(text_sound(STR("robert")) != text_sound(STR("rubin")));
    assert_true(text_sound(STR("ashcraft")) == text_sound(STR("ashcroft")));
    assert_true(text_sound(STR("smith")) == text_sound(STR("smyth")));
    assert_true(text_sound(STR("philip")) != 0 && text_sound(STR("knight")) == text_sound(STR("night")));
    assert_int_equal(text_sound(STR("ashcraft")), 'a' * 8 * 8 * 8 * 8 + 02613);
    assert_true(text_sound(STR("")) == 0);
    assert_true(text_sound(STR("иванов")) != 0 && text_sound(STR("иванов")) != text_sound(STR("петров")));
    assert_true(text_sound(STR("le clerc")) == text_sound(STR("leclerc")));
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_letters), cmocka_unit_test(test_room),
                                       cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_sound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
