/* test_str.c — comparing, finding, cutting, joining. */
#include "unit.h"

static void compares(void **state) {
    (void)state;
    assert_true(str_equal(STR("abc"), str_from("abc")));
    assert_false(str_equal(STR("abc"), STR("ab")));
    assert_true(str_equal((str){0}, STR("")));
    assert_true(str_equal_nocase(STR("AbC"), STR("aBc")));
    assert_false(str_equal_nocase(STR("\xC3\x84"), STR("\xC3\xA4")));
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("ab"), STR("a")) > 0);
    assert_int_equal(str_compare(STR("a"), STR("a")), 0);
    assert_true(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
}

static void finds(void **state) {
    (void)state;
    assert_int_equal(str_find(STR("hello"), STR("ll")), 2);
    assert_int_equal(str_find(STR("hello"), STR("x")), -1);
    assert_int_equal(str_find((str){0}, STR("x")), -1);
    assert_int_equal(str_find_nocase(STR("Lead STAGE now"), STR("stage")), 5);
    assert_int_equal(str_find_byte(STR("a=b"), '='), 1);
}

static void cuts(void **state) {
    (void)state;
    assert_str(str_trim(STR(" \t a b \r\n")), "a b");
    assert_str(str_trim(STR("   ")), "");
    assert_str(str_slice(STR("hello"), 1, 3), "el");
    assert_str(str_slice(STR("hello"), 4, 99), "o");
    assert_str(str_slice(STR("hello"), 9, 99), "");
}

static void splits(void **state) {
    (void)state;
    str rest = STR("a,,b,"), part;
    const char *expected[] = {"a", "", "b", ""};
    for (int i = 0; i < 4; i++) {
        assert_true(str_split(&rest, ',', &part));
        assert_str(part, expected[i]);
    }
    assert_false(str_split(&rest, ',', &part));
}

static void builds(void **state) {
    str parts[] = {STR("a"), STR(""), STR("c")};
    assert_str(str_join(*state, parts, 3, STR(", ")), "a, , c");
    assert_str(str_join(*state, parts, 0, STR(", ")), "");
    assert_str(str_format(*state, "%d-%s", 5, "x"), "5-x");
    assert_str(str_lower(*state, STR("ABC\xC3\x84")), "abc\xC3\x84");
    assert_string_equal(str_cstr(*state, STR("abc")), "abc");
}

static void hash_depends_on_every_byte(void **state) {
    char text[40];
    memset(text, 'x', sizeof text);
    (void)state;
    for (size_t len = 1; len < sizeof text; len++) {
        uint64_t h = str_hash((str){text, len});
        assert_true(h != str_hash((str){text, len - 1}));
        for (size_t i = 0; i < len; i++) {
            text[i] = 'y';
            assert_true(h != str_hash((str){text, len}));
            text[i] = 'x';
        }
    }
}

static void folds_case_and_space(void **state) {
    (void)state;
    char room[16];
    assert_str(str_fold(STR("  New \t York "), room, sizeof room), "new york");
    assert_str(str_fold(STR(""), room, sizeof room), "");
    assert_str(str_fold(STR("A much longer text Than the Room"), room, sizeof room), "A much longer text Than the Room");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(finds),
        cmocka_unit_test(cuts),
        cmocka_unit_test(splits),
        ARENA_TEST(builds),
        cmocka_unit_test(hash_depends_on_every_byte),
        cmocka_unit_test(folds_case_and_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
