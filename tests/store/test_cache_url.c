/* test_cache_url.c — URLs of Redis servers. */
#include "store/cache_url.h"
#include "unit.h"

static void expect(const char *url, const char *host, int port, const char *path, int db, const char *user,
                   const char *password) {
    struct cache_url u;
    assert_ok(cache_url_parse(str_from(url), &u));
    assert_string_equal(u.host, host);
    assert_int_equal(u.port, port);
    assert_string_equal(u.path, path);
    assert_int_equal(u.db, db);
    assert_string_equal(u.user, user);
    assert_string_equal(u.password, password);
}

static void test_good(void **state) {
    (void)state;
    expect("redis://localhost", "localhost", 6379, "", 0, "", "");
    expect("redis://localhost/", "localhost", 6379, "", 0, "", "");
    expect("redis://10.0.0.7:7000/15", "10.0.0.7", 7000, "", 15, "", "");
    expect("redis://:p%40ss%3a%2f@cache.example:6380/2", "cache.example", 6380, "", 2, "", "p@ss:/");
    expect("redis://:a@b@cache", "cache", 6379, "", 0, "", "a@b");
    expect("redis://galena:secret@[::1]:6381/3", "::1", 6381, "", 3, "galena", "secret");
    expect("redis://[fe80::1]", "fe80::1", 6379, "", 0, "", "");
    expect("redis+unix:///run/redis/redis.sock", "", 6379, "/run/redis/redis.sock", 0, "", "");
    expect("redis+unix://:pw@/run/r.sock?db=4", "", 6379, "/run/r.sock", 4, "", "pw");
}

static void test_bad(void **state) {
    struct arena *a = *state;
    static const char *const urls[] = {
        "",
        "localhost:6379",
        "rediss://localhost",
        "http://localhost",
        "redis://",
        "redis:///1",
        "redis://:6379",
        "redis://h:",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:6379x",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/10000",
        "redis://h/1/2",
        "redis://user@h",
        "redis://%zz@h",
        "redis://h%0",
        "redis://h%00",
        "redis://[::1",
        "redis+unix://run/r.sock",
        "redis+unix:///r?db=x",
        "redis+unix:///r?x=1",
    };
    struct cache_url u;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        if (cache_url_parse(str_from(urls[i]), &u) == OK)
            fail_msg("%s was accepted", urls[i]);
        assert_string_equal(err_slug(), "cache_url");
    }
    char *longer = arena_alloc(a, 300);
    memset(longer, 'h', 299);
    assert_fails(cache_url_parse(str_format(a, "redis://%s", longer), &u), ERR_INPUT, "cache_url");
    assert_fails(cache_url_parse(str_format(a, "redis+unix:///%s", longer), &u), ERR_INPUT, "cache_url");
    assert_fails(cache_url_parse(STR("redis://:sesame@h/x"), &u), ERR_INPUT, "cache_url");
    assert_null(strstr(err_text(), "sesame"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), ARENA_TEST(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
