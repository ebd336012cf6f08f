/* test_utf8.c — every code point, every short byte string, repair and Latin-1. */
#include "base/utf8.h"
#include "unit.h"

static void every_code_point_goes_there_and_back(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        char text[UTF8_CHARACTER_BYTE];
        size_t n = utf8_encode(code, text), at = 0;
        if (!utf8_valid((str){text, n}) || utf8_next((str){text, n}, &at) != (int32_t)code || at != n)
            fail_msg("U+%04X", (unsigned)code);
        for (size_t cut = 1; cut < n; cut++)
            if (utf8_valid((str){text, cut}))
                fail_msg("U+%04X cut to %zu bytes", (unsigned)code, cut);
    }
}

/* The definition by decoding: shortest form, no surrogate, not above the last code point. */
static bool valid_by_definition(const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n;) {
        unsigned lead = p[i];
        size_t len = lead < 0x80 ? 1 : (lead & 0xE0) == 0xC0 ? 2 : (lead & 0xF0) == 0xE0 ? 3 : (lead & 0xF8) == 0xF0 ? 4 : 0;
        if (len == 0 || i + len > n)
            return false;
        static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000}, mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
        unsigned code = lead & mask[len];
        for (size_t k = 1; k < len; k++) {
            if ((p[i + k] & 0xC0) != 0x80)
                return false;
            code = code << 6 | (p[i + k] & 0x3F);
        }
        if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        i += len;
    }
    return true;
}

static void agrees_with_the_definition(void **state) {
    (void)state;
    static const unsigned char edge[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                         0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF};
    enum { N = sizeof edge };
    unsigned char text[4];
    for (size_t i = 0; i < (size_t)N * N * N * N; i++) {
        size_t rest = i;
        for (int k = 0; k < 4; k++, rest /= N)
            text[k] = edge[rest % N];
        for (size_t n = 1; n <= 4; n++)
            if (utf8_valid((str){(char *)text, n}) != valid_by_definition(text, n))
                fail_msg("%02X %02X %02X %02X, %zu bytes", text[0], text[1], text[2], text[3], n);
    }
}

static void finds_the_fault_wherever_it_is(void **state) {
    (void)state;
    char text[200];
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'x', sizeof text);
        text[at] = (char)0xE9;
        assert_int_equal(utf8_valid_prefix((str){text, sizeof text}), at);
        assert_false(utf8_is_plain_ascii((str){text, sizeof text}));
        text[at] = '\0';
        assert_true(utf8_valid((str){text, sizeof text}));
        assert_false(utf8_is_plain_ascii((str){text, sizeof text}));
        text[at] = 'x';
        assert_true(utf8_is_plain_ascii((str){text, at}));
    }
}

static void next_always_moves(void **state) {
    (void)state;
    str s = STR("a\xFF\xC3\xA9\xE2\x82");
    const int32_t expected[] = {'a', -1, 0xE9, -1, -1};
    size_t at = 0;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(utf8_next(s, &at), expected[i]);
    assert_int_equal(at, s.len);
    assert_int_equal(utf8_next(s, &at), -1);
    assert_int_equal(at, s.len);
}

static void latin1_becomes_utf8(void **state) {
    (void)state;
    char to[16];
    assert_str(((str){to, utf8_from_latin1(STR("caf\xE9 \xFF"), to)}), "caf\xC3\xA9 \xC3\xBF");
}

static void cuts_on_characters(void **state) {
    (void)state;
    str s = STR("a\xE2\x82\xAC"
                "b"); /* a€b */
    assert_int_equal(utf8_cut(s, 9).len, 5);
    assert_int_equal(utf8_cut(s, 4).len, 4);
    assert_int_equal(utf8_cut(s, 3).len, 1);
    assert_int_equal(utf8_cut(s, 2).len, 1);
    assert_int_equal(utf8_cut(s, 0).len, 0);
    assert_int_equal(utf8_cut(STR("\x80\x80\x80\x80\x80\x80\x80\x80"), 6).len, 6);
}

static void repairs(void **state) {
    assert_str(utf8_repair(*state, STR("caf\xC3\xA9")), "caf\xC3\xA9");
    assert_str(utf8_repair(*state, STR("caf\xE9!")), "caf\xEF\xBF\xBD!");
    assert_str(utf8_repair(*state, STR("a\0b")), "a\xEF\xBF\xBD"
                                                 "b");
    assert_str(utf8_repair(*state, STR("\xF0\x9F")), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_goes_there_and_back),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(finds_the_fault_wherever_it_is),
        cmocka_unit_test(next_always_moves),
        cmocka_unit_test(latin1_becomes_utf8),
        cmocka_unit_test(cuts_on_characters),
        ARENA_TEST(repairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
