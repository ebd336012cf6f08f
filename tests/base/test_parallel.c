/* test_parallel.c — every part runs once, failures come back with their sentence. */
#include "base/parallel.h"
#include "unit.h"

static err count_part(void *ctx, size_t i, struct arena *scratch) {
    int *seen = ctx;
    arena_alloc(scratch, 1000);
    seen[i]++;
    return OK;
}

static void every_part_runs_once(void **state) {
    (void)state;
    for (unsigned threads = 0; threads < 5; threads++) {
        int seen[1000] = {0};
        assert_ok(parallel_for(1000, threads, 4096, count_part, seen));
        for (int i = 0; i < 1000; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_ok(parallel_for(0, 4, 4096, count_part, NULL));
}

static err fail_at_seven(void *ctx, size_t i, struct arena *scratch) {
    (void)ctx;
    (void)scratch;
    return i == 7 ? fail(ERR_CORRUPT, "seven", "part %zu is bad", i) : OK;
}

static void failure_keeps_its_sentence(void **state) {
    (void)state;
    assert_fails(parallel_for(100, 4, 4096, fail_at_seven, NULL), ERR_CORRUPT, "seven");
    assert_string_equal(err_text(), "part 7 is bad");
}

static err take_too_much(void *ctx, size_t i, struct arena *scratch) {
    (void)ctx;
    (void)i;
    arena_alloc(scratch, 1 << 20);
    return OK;
}

static void scratch_limit_fails_the_part(void **state) {
    (void)state;
    assert_fails(parallel_for(10, 3, 4096, take_too_much, NULL), ERR_LIMIT, "memory_limit");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once),
        cmocka_unit_test(failure_keeps_its_sentence),
        cmocka_unit_test(scratch_limit_fails_the_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
