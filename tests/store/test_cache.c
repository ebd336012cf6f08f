/* test_cache.c — the cache in memory: expiry, bounds, early refresh and rates, on a clock that stands still. */
#include "store/cache_suite.h"

#include "base/rng.h"

enum { BOUND_BYTE = 1 << 20 };

static int open_with(void **state, size_t max_byte) {
    struct arena *a = arena_new((size_t)1 << 30);
    struct suite *s = ARENA_NEW(a, struct suite);
    const struct cache_options o = {.clock = suite_clock(), .seed = 42, .max_byte = max_byte};
    s->a = a;
    assert_ok(cache_open(&o, &s->cache));
    *state = s;
    return 0;
}

static int setup(void **state) { return open_with(state, 0); }
static int setup_small(void **state) { return open_with(state, BOUND_BYTE); }

static int teardown(void **state) {
    struct suite *s = *state;
    cache_close(s->cache);
    arena_free(s->a);
    return 0;
}

static void test_expiry(void **state) {
    struct suite *s = *state;
    str got;
    cache_put(s->cache, STR("brief"), STR("x"), 100);
    cache_put(s->cache, STR("long"), STR("y"), INT64_MAX);
    suite_advance_ms(99);
    assert_true(cache_get(s->cache, STR("brief"), s->a, &got));
    suite_advance_ms(1);
    assert_false(cache_get(s->cache, STR("brief"), s->a, &got));
    suite_advance_ms(INT64_C(1000) * 86400 * 365);
    assert_true(cache_get(s->cache, STR("long"), s->a, &got));
    struct cache_counts n;
    cache_count(s->cache, &n);
    assert_int_equal(n.hit, 2);
    assert_int_equal(n.miss, 1);
    assert_int_equal(n.entry, 1);
    assert_false(n.remote || n.remote_up);
}

/* Random puts: never above the bound; what is used stays, what is not goes. */
static void test_bounds(void **state) {
    struct suite *s = *state;
    struct rng r = rng_from_seed(5);
    struct cache_counts n;
    char value[2000];
    str got;
    memset(value, 'v', sizeof value);
    cache_put(s->cache, STR("used"), STR("kept"), 1000000);
    for (int i = 0; i < 20000; i++) {
        struct arena_mark mark = arena_mark(s->a);
        cache_put(s->cache, str_format(s->a, "key-%d", i), (str){value, rng_below(&r, sizeof value)}, 1000000);
        assert_true(cache_get(s->cache, STR("used"), s->a, &got));
        arena_rewind(s->a, mark);
        if (i % 100 == 0) {
            cache_count(s->cache, &n);
            assert_true(n.byte <= BOUND_BYTE);
        }
    }
    cache_count(s->cache, &n);
    assert_true(n.byte > BOUND_BYTE * 9 / 10);
    assert_int_equal(n.put - n.evicted, n.entry);
    assert_true(cache_get(s->cache, STR("key-19999"), s->a, &got));
    assert_false(cache_get(s->cache, STR("key-0"), s->a, &got));
    /* A value that cannot be kept takes the old one with it. */
    char *large = arena_alloc(s->a, BOUND_BYTE);
    cache_put(s->cache, STR("used"), (str){large, BOUND_BYTE}, 1000000);
    assert_false(cache_get(s->cache, STR("used"), s->a, &got));
}

/* With cost 100 ms and 150 ms left an asker refreshes with probability exp(-1.5). */
static void test_early_refresh_is_as_likely_as_it_should_be(void **state) {
    struct suite *s = *state;
    enum { TRIALS = 4000 };
    struct suite_made m = {.cache = s->cache, .value = STR("x"), .cost_ms = 100};
    struct cache_counts n;
    str got;
    for (int i = 0; i < TRIALS; i++) {
        struct arena_mark mark = arena_mark(s->a);
        str key = str_format(s->a, "early-%d", i);
        assert_ok(cache_fetch(s->cache, key, 1000, suite_producer(&m), s->a, &got));
        suite_advance_ms(850);
        assert_ok(cache_fetch(s->cache, key, 1000, suite_producer(&m), s->a, &got));
        arena_rewind(s->a, mark);
    }
    cache_count(s->cache, &n);
    double p = exp(-1.5), sigma = sqrt(p * (1 - p) / TRIALS);
    assert_close((double)n.early / TRIALS, p, 4.5 * sigma);
    assert_int_equal(m.times, TRIALS + (int)n.early);
    assert_int_equal(n.produced, (uint64_t)m.times);
}

static void test_a_failed_refresh_leaves_the_old_value(void **state) {
    struct suite *s = *state;
    struct suite_made m = {.cache = s->cache, .value = STR("old"), .cost_ms = 1000000};
    str got;
    assert_ok(cache_fetch(s->cache, STR("dear"), 1000, suite_producer(&m), s->a, &got));
    suite_advance_ms(999); /* due but for one draw in a million */
    m.code = ERR_REMOTE;
    assert_ok(cache_fetch(s->cache, STR("dear"), 1000, suite_producer(&m), s->a, &got));
    assert_str(got, "old");
    assert_int_equal(m.times, 2);
}

static void test_claims_end_by_themselves(void **state) {
    struct suite *s = *state;
    uint64_t first, second;
    assert_true(cache_claim(s->cache, STR("work"), 100, &first));
    suite_advance_ms(99);
    assert_false(cache_claim(s->cache, STR("work"), 100, &second));
    suite_advance_ms(1);
    assert_true(cache_claim(s->cache, STR("work"), 100, &second));
    cache_release(s->cache, STR("work"), first); /* too late: it is another's now */
    assert_false(cache_claim(s->cache, STR("work"), 100, &first));
}

static void test_token_bucket(void **state) {
    struct suite *s = *state;
    const str key = STR("rate");
    int64_t retry_ms;
    for (int i = 0; i < 5; i++)
        assert_true(cache_take(s->cache, key, 10, 5, 1, &retry_ms));
    assert_false(cache_take(s->cache, key, 10, 5, 1, &retry_ms));
    assert_int_equal(retry_ms, 100);
    assert_false(cache_take(s->cache, key, 10, 5, 2.5, &retry_ms));
    assert_int_equal(retry_ms, 250);
    suite_advance_ms(99);
    assert_false(cache_take(s->cache, key, 10, 5, 1, &retry_ms));
    assert_int_equal(retry_ms, 1);
    suite_advance_ms(1);
    assert_true(cache_take(s->cache, key, 10, 5, 1, &retry_ms));
    assert_int_equal(retry_ms, 0);
    suite_advance_ms(1000000); /* no more than full */
    assert_true(cache_take(s->cache, key, 10, 5, 5, &retry_ms));
    assert_false(cache_take(s->cache, key, 10, 5, 1, &retry_ms));
    assert_false(cache_take(s->cache, key, 10, 5, 6, &retry_ms));
    assert_int_equal(retry_ms, -1);
}

/* Whatever the rate, no stretch of time holds more than burst + rate * length; and a patient asker gets the whole rate. */
static void test_rates_over_time(void **state) {
    struct suite *s = *state;
    struct rng r = rng_from_seed(9);
    for (int trial = 0; trial < 20; trial++) {
        double rate = 1 + 200 * rng_uniform(&r), burst = 2 + (double)rng_below(&r, 20), granted = 0;
        str key = str_format(s->a, "rate-%d", trial);
        int64_t start_ns = suite_now_ns, retry_ms;
        for (int i = 0; i < 2000; i++) {
            if (cache_take(s->cache, key, rate, burst, 1, &retry_ms))
                granted++;
            suite_advance_ms((int64_t)rng_below(&r, 4));
        }
        double seconds = (double)(suite_now_ns - start_ns) / 1e9;
        assert_true(granted <= burst + rate * seconds + 1e-6);
        /* Asked often enough that no token is lost over the brim, all but the last one or two are used. */
        assert_true(granted >= burst + rate * seconds - 2);
    }
}

static void test_options(void **state) {
    (void)state;
    struct cache *c;
    const struct cache_options o = {.redis_url = "http://localhost"};
    assert_int_equal(cache_open(&o, &c), ERR_INPUT);
    assert_true(strcmp(err_slug(), "cache_url") == 0 || strcmp(err_slug(), "cache_no_redis") == 0);
    cache_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SUITE_TESTS(setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup_small, teardown),
        cmocka_unit_test_setup_teardown(test_early_refresh_is_as_likely_as_it_should_be, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_failed_refresh_leaves_the_old_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_end_by_themselves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_token_bucket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rates_over_time, setup, teardown),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
