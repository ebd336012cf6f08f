/* test_buf.c — growth, the maximum, formatting. */
#include "base/buf.h"
#include "unit.h"

static void grows_and_formats(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_add_format(&b, "%d,", i);
    assert_ok(buf_check(&b));
    assert_true(str_starts(buf_str(&b), STR("0,1,2,3,")));
    assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4);
    buf_done(&b);
}

static void long_format_is_whole(void **state) {
    struct buf *b = buf_in(*state, 1 << 20);
    buf_add_format(b, "%2000d|", 7);
    assert_int_equal(b->len, 2001);
    assert_int_equal(b->ptr[1999], '7');
}

static void maximum_marks_and_stays_marked(void **state) {
    struct buf *b = buf_in(*state, 10);
    buf_add(b, STR("12345678"));
    buf_add(b, STR("9abc"));
    buf_add(b, STR("x"));
    assert_str(buf_str(b), "12345678");
    assert_fails(buf_check(b), ERR_LIMIT, "buffer_limit");
    buf_clear(b);
    buf_add(b, STR("0123456789"));
    assert_ok(buf_check(b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_formats),
        ARENA_TEST(long_format_is_whole),
        ARENA_TEST(maximum_marks_and_stays_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
