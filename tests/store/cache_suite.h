/* cache_suite.h — what every driver of the cache must do; and a clock that tests move. */
#ifndef GALENA_TESTS_STORE_CACHE_SUITE_H
#define GALENA_TESTS_STORE_CACHE_SUITE_H

#include "base/parallel.h"
#include "store/cache.h"
#include "unit.h"

#include <sched.h>
#include <stdatomic.h>

static atomic_int_least64_t suite_now_ns = INT64_C(1000000000000);
static inline int64_t suite_steady(void) { return suite_now_ns; }
static inline int64_t suite_wall(void) { return suite_now_ns / 1000000; }
static inline void suite_advance_ms(int64_t ms) { suite_now_ns += ms * 1000000; }
static inline struct clock suite_clock(void) { return (struct clock){suite_wall, suite_steady}; }

struct suite {
    struct arena *a;
    struct cache *cache;
};

/* ---- producers ---- */

struct suite_made {
    struct cache *cache;
    uint64_t wait_for; /* others who must wait before the value is made */
    int64_t cost_ms;
    size_t huge; /* bytes to ask of the arena */
    str value;
    err code;
    atomic_int times;
};

static inline err suite_produce(void *ctx, struct arena *a, str *value) {
    struct suite_made *m = ctx;
    struct cache_counts n;
    atomic_fetch_add(&m->times, 1);
    do {
        sched_yield();
        cache_count(m->cache, &n);
    } while (n.waited < m->wait_for);
    suite_advance_ms(m->cost_ms);
    if (m->huge > 0)
        arena_alloc(a, m->huge);
    if (m->code != OK)
        return fail(m->code, "test_refused", "no value of number %d today", 7);
    *value = str_copy(a, m->value);
    return OK;
}

static inline struct cache_producer suite_producer(struct suite_made *m) {
    return (struct cache_producer){suite_produce, m};
}

/* ---- tests; *state is a struct suite ---- */

static inline void suite_any_bytes(void **state) {
    struct suite *s = *state;
    str got = STR("untouched");
    const str keys[] = {STR("plain"), STR("with space\r\n"), STR("nul\0inside"), STR("\xff\xfe")};
    const str values[] = {STR("one"), STR("\r\n$3\r\n"), STR("a\0b"), STR("")};
    for (size_t i = 0; i < 4; i++)
        assert_false(cache_get(s->cache, keys[i], s->a, &got));
    assert_str(got, "untouched");
    for (size_t i = 0; i < 4; i++)
        cache_put(s->cache, keys[i], values[i], 60000);
    for (size_t i = 0; i < 4; i++) {
        assert_true(cache_get(s->cache, keys[i], s->a, &got));
        assert_true(str_equal(got, values[i]));
        assert_int_equal(got.ptr[got.len], '\0');
    }
    cache_put(s->cache, keys[0], STR("two"), 60000);
    assert_true(cache_get(s->cache, keys[0], s->a, &got));
    assert_str(got, "two");
    cache_remove(s->cache, keys[0]);
    assert_false(cache_get(s->cache, keys[0], s->a, &got));
    cache_remove(s->cache, keys[0]);
    cache_put(s->cache, keys[1], STR("gone at once"), 0);
    assert_true(cache_get(s->cache, keys[1], s->a, &got)); /* nothing was stored */
    assert_true(str_equal(got, values[1]));
}

static inline void suite_sizes(void **state) {
    struct suite *s = *state;
    str got;
    char *large = arena_alloc(s->a, CACHE_VALUE_BYTE + 1);
    for (size_t i = 0; i <= CACHE_VALUE_BYTE; i++)
        large[i] = (char)(i * 2654435761u >> 13);
    for (size_t n = 1; n <= 1 << 20; n *= 4) {
        cache_put(s->cache, STR("sized"), (str){large, n}, 60000);
        assert_true(cache_get(s->cache, STR("sized"), s->a, &got));
        assert_true(str_equal(got, (str){large, n}));
    }
    cache_put(s->cache, STR("over"), (str){large, CACHE_VALUE_BYTE + 1}, 60000);
    assert_false(cache_get(s->cache, STR("over"), s->a, &got));
    cache_put(s->cache, (str){large, CACHE_KEY_BYTE + 1}, STR("x"), 60000);
    assert_false(cache_get(s->cache, (str){large, CACHE_KEY_BYTE + 1}, s->a, &got));
    cache_put(s->cache, (str){large, CACHE_KEY_BYTE}, STR("x"), 60000);
    assert_true(cache_get(s->cache, (str){large, CACHE_KEY_BYTE}, s->a, &got));
    cache_put(s->cache, (str){0}, STR("x"), 60000);
    assert_false(cache_get(s->cache, (str){0}, s->a, &got));
}

static inline void suite_fetch(void **state) {
    struct suite *s = *state;
    struct suite_made m = {.cache = s->cache, .value = STR("made")};
    str got;
    for (int i = 0; i < 3; i++) {
        got = (str){0};
        assert_ok(cache_fetch(s->cache, STR("fetched"), 60000, suite_producer(&m), s->a, &got));
        assert_str(got, "made");
    }
    assert_int_equal(m.times, 1);
    m.code = ERR_REMOTE;
    for (int i = 0; i < 2; i++)
        assert_fails(cache_fetch(s->cache, STR("failing"), 60000, suite_producer(&m), s->a, &got), ERR_REMOTE,
                     "test_refused");
    assert_int_equal(m.times, 3); /* a failure is not stored */
    m.code = OK;
    for (int i = 0; i < 2; i++)
        assert_ok(cache_fetch(s->cache, STR("never kept"), 0, suite_producer(&m), s->a, &got));
    assert_int_equal(m.times, 5);
    char *longer = arena_alloc(s->a, CACHE_KEY_BYTE + 1);
    assert_ok(cache_fetch(s->cache, (str){longer, CACHE_KEY_BYTE + 1}, 60000, suite_producer(&m), s->a, &got));
    assert_str(got, "made");
}

enum { SUITE_CROWD = 8 };

struct suite_asking {
    struct suite *s;
    struct suite_made m;
    const char *key;
    atomic_int good, refused, full;
};

static inline err suite_ask(void *ctx, size_t i, struct arena *scratch) {
    struct suite_asking *w = ctx;
    str got;
    (void)i;
    err rc = cache_fetch(w->s->cache, str_from(w->key), 60000, suite_producer(&w->m), scratch, &got);
    if (rc == OK && str_equal(got, w->m.value))
        atomic_fetch_add(&w->good, 1);
    if (rc == ERR_REMOTE && strcmp(err_slug(), "test_refused") == 0 && strcmp(err_text(), "no value of number 7 today") == 0)
        atomic_fetch_add(&w->refused, 1);
    if (rc == ERR_LIMIT)
        atomic_fetch_add(&w->full, 1);
    return OK;
}

/* All ask at once; the value is made when all others wait. */
static inline void suite_single_flight(void **state) {
    struct suite *s = *state;
    struct cache_counts n;
    struct suite_asking w = {.s = s, .key = "crowd", .m = {.cache = s->cache, .value = STR("made once")}};
    cache_count(s->cache, &n);
    w.m.wait_for = n.waited + SUITE_CROWD - 1;
    assert_ok(parallel_for(SUITE_CROWD, SUITE_CROWD, 1 << 20, suite_ask, &w));
    assert_int_equal(w.m.times, 1);
    assert_int_equal(w.good, SUITE_CROWD);
    w.key = "crowd that is refused";
    w.m.code = ERR_REMOTE;
    w.m.wait_for += SUITE_CROWD - 1;
    assert_ok(parallel_for(SUITE_CROWD, SUITE_CROWD, 1 << 20, suite_ask, &w));
    assert_int_equal(w.m.times, 2);
    assert_int_equal(w.refused, SUITE_CROWD);
    w.key = "crowd whose maker runs out of memory";
    w.m.huge = 2 << 20;
    w.m.wait_for += SUITE_CROWD - 1;
    assert_ok(parallel_for(SUITE_CROWD, SUITE_CROWD, 1 << 20, suite_ask, &w));
    assert_int_equal(w.m.times, 3);
    assert_int_equal(w.full, SUITE_CROWD);
}

struct suite_taking {
    struct cache *cache;
    atomic_int granted;
};

static inline err suite_take_many(void *ctx, size_t i, struct arena *scratch) {
    struct suite_taking *w = ctx;
    int64_t retry_ms;
    (void)i, (void)scratch;
    for (int k = 0; k < 20; k++)
        if (cache_take(w->cache, STR("shared"), 0.001, 50, 1, &retry_ms))
            atomic_fetch_add(&w->granted, 1);
    return OK;
}

/* 160 ask for 50. */
static inline void suite_take_in_a_crowd(void **state) {
    struct suite *s = *state;
    struct suite_taking w = {.cache = s->cache};
    int64_t retry_ms;
    assert_ok(parallel_for(SUITE_CROWD, SUITE_CROWD, 1 << 20, suite_take_many, &w));
    assert_int_equal(w.granted, 50);
    assert_false(cache_take(s->cache, STR("shared"), 0.001, 50, 1, &retry_ms));
    assert_in_range(retry_ms, 900000, 1000000);
    assert_false(cache_take(s->cache, STR("shared"), 0.001, 50, 51, &retry_ms));
    assert_int_equal(retry_ms, -1);
    assert_true(cache_take(s->cache, STR("another"), 0.001, 50, 50, &retry_ms));
    assert_int_equal(retry_ms, 0);
    assert_true(cache_take(s->cache, STR("another"), 0.001, 50, 0, &retry_ms));
}

static inline err suite_mix(void *ctx, size_t i, struct arena *scratch) {
    struct suite *s = ctx;
    struct suite_made m = {.cache = s->cache, .value = STR("mixed")};
    str got;
    for (size_t k = 0; k < 200; k++) {
        str key = str_format(scratch, "mix-%zu", (i * 7 + k) % 50);
        if (k % 5 == 0)
            cache_put(s->cache, key, STR("mixed"), 60000);
        else if (k % 11 == 0)
            cache_remove(s->cache, key);
        else
            TRY(cache_fetch(s->cache, key, 60000, suite_producer(&m), scratch, &got));
        if (cache_get(s->cache, key, scratch, &got) && !str_equal(got, STR("mixed")))
            return fail(ERR_CORRUPT, "test_other", "a value that nobody put there");
    }
    return OK;
}

/* For the thread sanitizer. */
static inline void suite_many_threads(void **state) {
    assert_ok(parallel_for(SUITE_CROWD * 2, SUITE_CROWD, 4 << 20, suite_mix, *state));
}

static inline void suite_claims(void **state) {
    struct suite *s = *state;
    uint64_t mine, theirs, other;
    assert_true(cache_claim(s->cache, STR("work"), CACHE_LOCK_MS, &mine));
    assert_false(cache_claim(s->cache, STR("work"), CACHE_LOCK_MS, &theirs));
    assert_true(cache_claim(s->cache, STR("other work"), CACHE_LOCK_MS, &other));
    cache_release(s->cache, STR("work"), mine + 1); /* nobody's */
    assert_false(cache_claim(s->cache, STR("work"), CACHE_LOCK_MS, &theirs));
    cache_release(s->cache, STR("work"), mine);
    assert_true(cache_claim(s->cache, STR("work"), CACHE_LOCK_MS, &theirs));
    cache_release(s->cache, STR("work"), theirs);
    cache_release(s->cache, STR("other work"), other);
    cache_release(s->cache, STR("never claimed"), other);
}

#define SUITE_TESTS(setup, teardown)                                                                                        \
    cmocka_unit_test_setup_teardown(suite_any_bytes, setup, teardown),                                                      \
        cmocka_unit_test_setup_teardown(suite_sizes, setup, teardown),                                                      \
        cmocka_unit_test_setup_teardown(suite_fetch, setup, teardown),                                                      \
        cmocka_unit_test_setup_teardown(suite_single_flight, setup, teardown),                                              \
        cmocka_unit_test_setup_teardown(suite_take_in_a_crowd, setup, teardown),                                            \
        cmocka_unit_test_setup_teardown(suite_claims, setup, teardown),                                                     \
        cmocka_unit_test_setup_teardown(suite_many_threads, setup, teardown)

#endif
