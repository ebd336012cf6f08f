/* test_arena.c — limits, guards, deferred clean-ups, rewinding. */
#include "unit.h"

static err take_too_much(void *ctx) {
    arena_alloc(ctx, 2048);
    return OK;
}

static void limit_ends_the_guarded_work(void **state) {
    (void)state;
    struct arena *a = arena_new(1024);
    assert_fails(arena_run(a, take_too_much, a), ERR_LIMIT, "memory_limit");
    arena_alloc(a, 512); /* the arena itself stays usable */
    arena_free(a);
}

static err overflow_product(void *ctx) {
    arena_array(ctx, SIZE_MAX / 2, 16);
    return OK;
}

static void overflowing_product_is_a_limit(void **state) {
    assert_fails(arena_run(*state, overflow_product, *state), ERR_LIMIT, "memory_limit");
}

static err nested(void *ctx) {
    struct arena **two = ctx;
    assert_int_equal(arena_run(two[1], take_too_much, two[1]), ERR_LIMIT);
    arena_alloc(two[0], 10);
    return ERR_AGAIN;
}

static void guards_of_two_arenas_nest(void **state) {
    (void)state;
    struct arena *two[2] = {arena_new(1 << 20), arena_new(64)};
    assert_int_equal(arena_run(two[0], nested, two), ERR_AGAIN);
    arena_free(two[0]);
    arena_free(two[1]);
}

static void blocks_are_aligned_zeroed_and_apart(void **state) {
    unsigned char *last = NULL;
    for (size_t size = 0; size < 300; size++) {
        unsigned char *p = arena_alloc(*state, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        for (size_t i = 0; i < size; i++)
            p[i] = 0xAB;
        assert_ptr_not_equal(p, last);
        last = p;
    }
}

static void large_blocks_get_their_own_chunk(void **state) {
    char *p = arena_alloc(*state, 20u << 20);
    p[(20u << 20) - 1] = 1;
    assert_int_equal(arena_used(*state), 20u << 20);
}

static int trail;
static void one(void *ctx) {
    (void)ctx;
    trail = trail * 10 + 1;
}
static void two(void *ctx) {
    (void)ctx;
    trail = trail * 10 + 2;
}
static void three(void *ctx) {
    (void)ctx;
    trail = trail * 10 + 3;
}

static void deferred_runs_latest_first(void **state) {
    trail = 0;
    arena_defer(*state, one, NULL);
    arena_defer(*state, two, NULL);
    struct arena_mark mark = arena_mark(*state);
    arena_defer(*state, three, NULL);
    arena_rewind(*state, mark);
    assert_int_equal(trail, 3);
    arena_reset(*state);
    assert_int_equal(trail, 321);
    arena_reset(*state);
    assert_int_equal(trail, 321);
}

static void rewind_gives_memory_back(void **state) {
    arena_alloc(*state, 100);
    struct arena_mark mark = arena_mark(*state);
    size_t before = arena_used(*state);
    for (int i = 0; i < 100; i++)
        arena_alloc(*state, 100000);
    arena_rewind(*state, mark);
    assert_int_equal(arena_used(*state), before);
    arena_alloc(*state, 100);
}

static void grow_keeps_what_was_there(void **state) {
    size_t cap = 0;
    int *items = NULL;
    for (size_t n = 0; n < 1000; n++) {
        if (n == cap)
            items = arena_grow(*state, items, &cap, n + 1, sizeof *items);
        items[n] = (int)n;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_ends_the_guarded_work), ARENA_TEST(overflowing_product_is_a_limit),
        cmocka_unit_test(guards_of_two_arenas_nest),   ARENA_TEST(blocks_are_aligned_zeroed_and_apart),
        ARENA_TEST(large_blocks_get_their_own_chunk),  ARENA_TEST(deferred_runs_latest_first),
        ARENA_TEST(rewind_gives_memory_back),          ARENA_TEST(grow_keeps_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
