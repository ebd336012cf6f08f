/* test_svg.c — escaping, ticks, and marks that stay in their frame. */
#include "learn/svg.h"
#include "unit.h"

static str escaped(struct arena *a, str text) {
    struct buf *out = buf_in(a, 4096);
    svg_escape(out, text);
    return buf_str(out);
}

static void text_becomes_harmless(void **state) {
    assert_str(escaped(*state, STR("<script>alert('1' & \"2\")</script>")),
               "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;");
    assert_str(escaped(*state, STR("Grüße, 東京")), "Grüße, 東京");
    assert_str(escaped(*state, STR("a\0b\x01"
                                   "c\td")),
               "a\xef\xbf\xbd"
               "b\xef\xbf\xbd"
               "c\td");
    assert_str(escaped(*state, STR("\xff\xc0\xaf")), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_str(escaped(*state, STR("a\u202eb\u2066c\ufeff")), "a\xef\xbf\xbd"
                                                              "b\xef\xbf\xbd"
                                                              "c\xef\xbf\xbd");
    assert_str(escaped(*state, STR("\xef\xbf\xbf")), "\xef\xbf\xbd"); /* U+FFFF is no XML character */
    assert_str(escaped(*state, (str){0}), "");
}

static void ticks_are_round(void **state) {
    (void)state;
    double t[8];
    assert_int_equal(svg_ticks(0, 1, 6, t), 6);
    assert_close(t[1], 0.2, 1e-12);
    assert_close(t[5], 1, 1e-12);
    assert_int_equal(svg_ticks(0, 733, 6, t), 4);
    assert_close(t[3], 600, 1e-9);
    assert_int_equal(svg_ticks(-0.013, 0.009, 6, t), 4);
    assert_close(t[0], -0.01, 1e-15);
    assert_close(t[2], 0, 0);
    for (double high = 1e-6; high < 1e7; high *= 1.37) {
        size_t n = svg_ticks(0, high, 6, t);
        assert_in_range(n, 3, 6);
        assert_true(t[n - 1] <= high * (1 + 1e-9));
    }
}

static void marks_stay_in_the_frame(void **state) {
    struct svg_plot p = {.out = buf_in(*state, 1 << 16), .width = 200, .height = 100};
    p.x = (struct svg_axis){0, 1, SVG_PERCENT, "a < b", false};
    p.y = (struct svg_axis){0, 10, SVG_NUMBER, "y", false};
    svg_begin(&p, "title & more");
    const struct svg_point points[] = {{-5, -5}, {0.5, NAN}, {0.5, 5}, {INFINITY, 3}, {9, 99}};
    svg_line(&p, points, 5, SVG_FIRST);
    svg_mark(&p, (struct svg_point){NAN, 1}, SVG_FIRST, "never");
    svg_bar(&p, 0, 1, 0, NAN, SVG_FIRST, "never");
    svg_end(&p);
    assert_ok(buf_check(p.out));
    str s = buf_str(p.out);
    assert_true(str_find(s, STR("a &lt; b")) > 0 && str_find(s, STR("<title>title &amp; more</title>")) > 0);
    assert_true(str_find(s, STR("never")) < 0 && str_find(s, STR("nan")) < 0 && str_find(s, STR("inf")) < 0);
    assert_true(str_find(s, STR("M62.0 58.0M119.0 34.0M176.0 10.0")) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(text_becomes_harmless),
        ARENA_TEST(ticks_are_round),
        ARENA_TEST(marks_stay_in_the_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
