/* unit.h — what every unit test includes: cmocka with the headers it needs, and an arena fixture. */
#ifndef GALENA_TESTS_UNIT_H
#define GALENA_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* cmocka's macro of that name is in the way of err.h's function. */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "base/arena.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>

/* Setup and teardown: *state is a fresh arena of 1 GiB. */
static inline int unit_arena_new(void **state) {
    *state = arena_new((size_t)1 << 30);
    return *state ? 0 : -1;
}

static inline int unit_arena_free(void **state) {
    arena_free(*state);
    return 0;
}

#define ARENA_TEST(fn) cmocka_unit_test_setup_teardown(fn, unit_arena_new, unit_arena_free)

#define assert_ok(call)                                                                                                     \
    do {                                                                                                                    \
        err assert_rc_ = (call);                                                                                            \
        if (assert_rc_ != OK)                                                                                               \
            fail_msg("%s: %s [%s] %s", #call, err_name(assert_rc_), err_slug(), err_text());                                \
    } while (0)

/* The call fails with this code and slug. */
#define assert_fails(call, code, slug)                                                                                      \
    do {                                                                                                                    \
        assert_int_equal((call), (code));                                                                                   \
        assert_string_equal(err_slug(), (slug));                                                                            \
    } while (0)

#define assert_str(s, literal)                                                                                              \
    do {                                                                                                                    \
        str assert_s_ = (s);                                                                                                \
        if (!str_equal(assert_s_, str_from(literal)))                                                                       \
            fail_msg("%s is \"%.*s\", not \"%s\"", #s, STR_ARG(assert_s_), literal);                                        \
    } while (0)

#define assert_close(a, b, tolerance)                                                                                       \
    do {                                                                                                                    \
        double assert_a_ = (a), assert_b_ = (b);                                                                            \
        if (!(fabs(assert_a_ - assert_b_) <= (tolerance)))                                                                  \
            fail_msg("%s = %.17g, expected %s = %.17g within %g", #a, assert_a_, #b, assert_b_, (double)(tolerance));       \
    } while (0)

#endif
