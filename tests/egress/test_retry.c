/* test_retry.c — back-off, Retry-After, and the states of a breaker. */
#include "egress/breaker.h"
#include "egress/retry.h"
#include "unit.h"

static void test_backoff_is_full_jitter(void **state) {
    (void)state;
    struct retry_policy p = retry_defaults();
    struct rng r = rng_from_seed(1);
    for (int64_t attempt = 1; attempt < p.max_attempt; attempt++) {
        int64_t most = p.base_ms << (attempt - 1);
        most = most < p.cap_ms ? most : p.cap_ms;
        double sum = 0;
        for (int i = 0; i < 4000; i++) {
            struct retry_decision d = retry_decide(&p, ERR_AGAIN, attempt, 0, &r);
            assert_int_equal(d.verdict, RETRY_AGAIN);
            assert_in_range(d.delay_ms, 0, most);
            sum += (double)d.delay_ms;
        }
        assert_close(sum / 4000 / (double)most, 0.5, 0.03);
    }
    assert_int_equal(retry_decide(&p, ERR_AGAIN, p.max_attempt, 0, &r).verdict, RETRY_DEAD);
    p.max_attempt = 100;
    for (int i = 0; i < 100; i++)
        assert_in_range(retry_decide(&p, ERR_REMOTE, 60, 0, &r).delay_ms, 0, p.cap_ms);
}

static void test_classes(void **state) {
    (void)state;
    struct retry_policy p = retry_defaults();
    struct rng r = rng_from_seed(2);
    static const err dead[] = {ERR_INPUT, ERR_ABSENT, ERR_DENIED, ERR_CORRUPT};
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        assert_int_equal(retry_decide(&p, dead[i], 1, 0, &r).verdict, RETRY_DEAD);
    assert_int_equal(retry_decide(&p, ERR_CONFLICT, 1, 0, &r).delay_ms, 0);
    struct retry_decision limit = retry_decide(&p, ERR_LIMIT, 99, 0, &r);
    assert_int_equal(limit.verdict, RETRY_WAIT);
    assert_in_range(limit.delay_ms, p.limit_ms, p.limit_ms + p.base_ms);
    assert_int_equal(retry_decide(&p, ERR_LIMIT, 1, 7000, &r).delay_ms, 7000);
    assert_int_equal(retry_decide(&p, ERR_AGAIN, 1, 7000, &r).delay_ms, 7000);
}

static void test_retry_after(void **state) {
    (void)state;
    assert_int_equal(retry_after_ms("120", 0), 120000);
    assert_int_equal(retry_after_ms("0", 0), 0);
    assert_int_equal(retry_after_ms("-5", 0), 0);
    assert_int_equal(retry_after_ms("", 0), 0);
    assert_int_equal(retry_after_ms("99999999999999999999", 0), 86400000);
    assert_int_equal(retry_after_ms("soon", 0), 0);
    assert_int_equal(retry_after_ms("Thu, 01 Jan 1970 00:01:00 GMT", 10000), 50000);
    assert_int_equal(retry_after_ms("Thu, 01 Jan 1970 00:01:00 GMT", 100000), 0);
}

static void fail_many(struct breaker *b, int n, int64_t now_ms, struct rng *r) {
    for (int i = 0; i < n; i++)
        if (breaker_allows(b, now_ms))
            breaker_ended(b, true, now_ms, r);
}

static void test_breaker_opens_and_closes(void **state) {
    (void)state;
    struct breaker b = {0};
    struct rng r = rng_from_seed(3);
    fail_many(&b, BREAKER_LEAST - 1, 0, &r);
    assert_int_equal(b.state, BREAKER_CLOSED);
    fail_many(&b, 1, 0, &r);
    assert_int_equal(b.state, BREAKER_OPEN);
    assert_in_range(b.until_ms, BREAKER_OPEN_MS / 2, BREAKER_OPEN_MS);
    assert_false(breaker_allows(&b, b.until_ms - 1));
    int64_t at = b.until_ms;
    assert_true(breaker_allows(&b, at));
    assert_int_equal(b.state, BREAKER_HALF_OPEN);
    assert_false(breaker_allows(&b, at)); /* one trial at a time */
    breaker_ended(&b, false, at, &r);
    for (int i = 0; i < BREAKER_TRIALS; i++)
        assert_true(breaker_allows(&b, at));
    assert_false(breaker_allows(&b, at));
    for (int i = 0; i < BREAKER_TRIALS; i++)
        breaker_ended(&b, false, at, &r);
    assert_int_equal(b.state, BREAKER_CLOSED);
}

static void test_breaker_waits_longer(void **state) {
    (void)state;
    struct breaker b = {0};
    struct rng r = rng_from_seed(4);
    fail_many(&b, BREAKER_LEAST, 0, &r);
    int64_t most = BREAKER_OPEN_MS;
    for (int i = 0; i < 10; i++) {
        int64_t at = b.until_ms;
        assert_true(breaker_allows(&b, at));
        breaker_ended(&b, true, at, &r);
        most = most * 2 < BREAKER_OPEN_MOST_MS ? most * 2 : BREAKER_OPEN_MOST_MS;
        assert_int_equal(b.state, BREAKER_OPEN);
        assert_in_range(b.until_ms - at, most / 2, most);
    }
}

/* Fewer than half of the calls fail: it stays closed; and an old window is forgotten. */
static void test_breaker_stays_closed(void **state) {
    (void)state;
    struct breaker b = {0};
    struct rng r = rng_from_seed(5);
    for (int i = 0; i < 1000; i++) {
        assert_true(breaker_allows(&b, i));
        breaker_ended(&b, i % 3 == 0, i, &r);
    }
    assert_int_equal(b.state, BREAKER_CLOSED);
    struct breaker slow = {0};
    for (int i = 0; i < 100; i++)
        fail_many(&slow, 1, i * 2000, &r);
    assert_int_equal(slow.state, BREAKER_CLOSED); /* 15 in a window: too few to judge */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff_is_full_jitter),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_breaker_opens_and_closes),
        cmocka_unit_test(test_breaker_waits_longer),
        cmocka_unit_test(test_breaker_stays_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
