/* test_rate_header.c — Retry-After in its forms, the families of rate limit headers, and Link. */
#include "egress/rate_header.h"
#include "unit.h"

#define NOW_MS 1767225600000ll /* 2026-01-01T00:00:00Z, a Thursday */

static void retry_after_forms(void **state) {
    (void)state;
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {{"120", 120000},
                 {" 120 ", 120000},
                 {"0", 0},
                 {"1.5", 1500},
                 {"-5", 0},
                 {"Thu, 01 Jan 2026 00:01:00 GMT", 60000},
                 {"Thursday, 01-Jan-26 00:01:00 GMT", 60000},
                 {"Thu Jan  1 00:01:00 2026", 60000},
                 {"Wed, 31 Dec 2025 23:59:59 GMT", 0},
                 {"Thu, 01 Jan 2099 00:00:00 GMT", RATE_HEADER_MAX_MS},
                 {"99999999999999999999", RATE_HEADER_MAX_MS},
                 {"", -1},
                 {"soon", -1},
                 {"1e3", -1},
                 {"0x10", -1},
                 {"inf", -1},
                 {"nan", -1},
                 {"12 seconds", -1},
                 {"Thu, 01 Jan 2026 00:01:00 GMT; x", -1},
                 {"Thu, 99 Jan 2026 00:01:00 GMT", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (rate_header_after_ms(str_from(cases[i].value), NOW_MS) != cases[i].ms)
            fail_msg("\"%s\" is %lld", cases[i].value, (long long)rate_header_after_ms(str_from(cases[i].value), NOW_MS));
    assert_int_equal(rate_header_after_ms((str){"1\0002", 3}, NOW_MS), -1);
}

struct expected {
    const char *name[3], *value[3];
    struct rate_header is;
};

static void families(void **state) {
    (void)state;
    static const struct expected cases[] = {
        {{"Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"}, {"7", "0", "60"}, {7000, -1, 0, 60000}},
        {{"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
         {"5000", "4999", "1767225660"},
         {-1, 5000, 4999, 60000}},
        {{"X-RateLimit-Reset"}, {"1767225660000"}, {-1, -1, -1, 60000}},
        {{"X-RateLimit-Reset"}, {"Thu, 01 Jan 2026 00:01:00 GMT"}, {-1, -1, -1, 60000}},
        {{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}, {"100, 100;w=60", "12", "30"}, {-1, 100, 12, 30000}},
        {{"RateLimit"}, {"\"default\";r=50;t=30"}, {-1, -1, 50, 30000}},
        {{"RateLimit"}, {"\"minute\";r=50;t=30, \"day\";r=9;t=3600"}, {-1, -1, 9, 3600000}},
        {{"RateLimit"}, {"limit=100, remaining=50, reset=5"}, {-1, 100, 50, 5000}},
        {{"X-Rate-Limit-Remaining-Second", "X-Rate-Limit-Remaining-Day"}, {"3", "2"}, {-1, -1, 2, -1}},
        {{"X-HubSpot-RateLimit-Remaining"}, {"9"}, {-1, -1, 9, -1}},
        {{"X-RateLimit-Remaining", "X-RateLimit-Limit"}, {"many", "-1"}, {-1, -1, -1, -1}},
        {{"X-RateLimit-Remaining"}, {"999999999999999999999"}, {-1, -1, 1000000000000000, -1}},
        {{"Retry-After", "Retry-After"}, {"5", "9"}, {9000, -1, -1, -1}},
        {{"Content-Type"}, {"1"}, {-1, -1, -1, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_field f[3];
        size_t n = 0;
        for (; n < 3 && cases[i].name[n]; n++)
            f[n] = (struct http_field){str_from(cases[i].name[n]), str_from(cases[i].value[n])};
        struct rate_header is = rate_header_read(f, n, NOW_MS);
        if (memcmp(&is, &cases[i].is, sizeof is) != 0)
            fail_msg("case %zu: after %lld limit %lld left %lld reset %lld", i, (long long)is.after_ms, (long long)is.limit,
                     (long long)is.left, (long long)is.reset_ms);
    }
}

static void links(void **state) {
    (void)state;
    static const struct {
        const char *value, *rel, *target; /* NULL: none */
    } cases[] = {{"<https://a/?p=2>; rel=\"next\", <https://a/?p=9>; rel=\"last\"", "next", "https://a/?p=2"},
                 {"<https://a/?p=2>; rel=\"next\", <https://a/?p=9>; rel=\"last\"", "last", "https://a/?p=9"},
                 {"<https://a/?a=1,2;3>; rel=prev,</b>;title=\"a,b;rel=next\"; rel=next", "next", "/b"},
                 {"</b>; rel=\"prev NEXT\"", "next", "/b"},
                 {"</b>; rev=next", "next", NULL},
                 {"</b>", "next", NULL},
                 {"</b; rel=next", "next", NULL},
                 {"rel=next", "next", NULL},
                 {"<>; rel=next", "next", ""},
                 {"", "next", NULL},
                 {"<a>; rel=\"next", "next", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str target = STR("untouched");
        bool found = rate_header_link(str_from(cases[i].value), str_from(cases[i].rel), &target);
        assert_str(target, found ? cases[i].target ? cases[i].target : "?" : "untouched");
        assert_int_equal(found, cases[i].target != NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after_forms),
        cmocka_unit_test(families),
        cmocka_unit_test(links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
