/* test_pin.c — the text of pins, pins made of it, and the cache that shares them. */
#include "base/parallel.h"
#include "run_support.h"

#include <stdatomic.h>

static const char id_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void the_text_leaves_out_what_is_usual(void **state) {
    struct pin_terms t = pin_defaults();
    str text;
    t.model = str_from(id_a);
    t.program = STR("1.0");
    assert_ok(pin_write(*state, &t, &text));
    assert_str(text, str_format(*state, "{\"model\":\"%s\",\"program\":\"1.0\"}", id_a).ptr);
}

static void terms_come_back_as_they_were(void **state) {
    struct pin_terms t = pin_defaults(), back;
    str text, again;
    t.model = t.profile = str_from(id_a);
    t.hot = 0.7;
    t.warm = 0.1;
    t.interval = 0;
    t.reasons = 0;
    t.enrich = STR("directory");
    t.target[0] = STR("callback");
    t.target[1] = STR("crm");
    t.n_target = 2;
    t.rescore_day[TIER_WARM] = 7;
    assert_ok(pin_write(*state, &t, &text));
    assert_ok(pin_read(*state, text, &back));
    assert_true(back.hot == 0.7 && back.warm == 0.1 && back.interval == 0 && back.reasons == 0 && back.n_target == 2);
    assert_str(back.target[1], "crm");
    assert_str(back.enrich, "directory");
    assert_int_equal(back.rescore_day[TIER_WARM], 7);
    assert_ok(pin_write(*state, &back, &again));
    assert_str(again, str_cstr(*state, text));
}

static void impossible_terms_are_refused(void **state) {
    str text;
    for (int k = 0; k < 9; k++) {
        struct pin_terms t = pin_defaults();
        t.model = str_from(id_a);
        switch (k) {
        case 0:
            t.model = (str){0};
            break;
        case 1:
            t.model = STR("A");
            break;
        case 2:
            t.interval = 1;
            break;
        case 3:
            t.reasons = 21;
            break;
        case 4:
            t.warm = 0.9;
            break;
        case 5:
            t.enrich = STR("a b");
            break;
        case 6:
            t.target[t.n_target++] = (str){0};
            break;
        case 7:
            t.target[0] = t.target[1] = STR("x");
            t.n_target = 2;
            break;
        default:
            t.rescore_day[0] = -1;
        }
        assert_fails(pin_write(*state, &t, &text), ERR_INPUT, "pin_terms");
    }
}

static void damaged_text_is_found(void **state) {
    static const char *const bad[] = {
        "",
        "17",
        "{}",
        "{\"model\":17}",
        "{\"profile\":\"x\"}",
        "{\"profile\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"deliver\":\"x\"}",
        "{\"profile\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"reasons\":1e9}",
        "{\"profile\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"rescore_day\":[1]}"};
    struct pin_terms t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(pin_read(*state, str_from(bad[i]), &t), ERR_CORRUPT, "pin_text");
}

static void bytes_of_another_model_are_refused(void **state) {
    struct arena *a = *state;
    str model = golden_bytes(a, "v1-logistic.model"), text;
    struct pin_terms t = pin_defaults();
    struct model_pin *pin;
    t.model = hash_hex(a, model);
    assert_ok(pin_write(a, &t, &text));
    assert_fails(pin_load(text, golden_bytes(a, "v1-gbdt.model"), (str){0}, &pin), ERR_CORRUPT, "pin_artifact");
    assert_fails(pin_load(text, (str){0}, (str){0}, &pin), ERR_CORRUPT, "pin_artifact");
    assert_fails(pin_load(STR("x"), model, (str){0}, &pin), ERR_CORRUPT, "pin_text");
}

/* ---- the cache ---- */

struct shelf {
    str bytes;
    atomic_int fetched;
    bool broken;
};

static err fetch(void *ctx, struct arena *a, str kind, str id, str *content) {
    struct shelf *s = ctx;
    (void)id;
    assert_true(str_equal(kind, STR("model")));
    atomic_fetch_add(&s->fetched, 1);
    if (s->broken)
        return fail(ERR_AGAIN, "shelf", "not now");
    *content = str_copy(a, s->bytes);
    return OK;
}

static str text_with(struct arena *a, const struct shelf *s, size_t reasons) {
    struct pin_terms t = pin_defaults();
    str text;
    t.model = hash_hex(a, s->bytes);
    t.reasons = reasons;
    assert_ok(pin_write(a, &t, &text));
    return text;
}

static void a_pin_is_loaded_once_and_kept_while_used(void **state) {
    struct arena *a = *state;
    struct shelf s = {.bytes = golden_bytes(a, "v1-naive_bayes.model")};
    struct pin_cache *c;
    const struct model_pin *one, *two, *other;
    assert_ok(pin_cache_new(a, (struct pin_source){fetch, &s}, 0, &c));
    assert_ok(pin_cache_get(c, text_with(a, &s, 1), &one));
    assert_ok(pin_cache_get(c, text_with(a, &s, 1), &two));
    assert_ptr_equal(one, two);
    assert_int_equal(s.fetched, 1);
    assert_ok(pin_cache_get(c, text_with(a, &s, 2), &other));
    assert_ptr_not_equal(one, other);
    pin_cache_release(c, one);
    assert_int_equal(run_to_end(a, one, STR("{\"source\":\"Ads\"}"))->outcome, RUN_SCORED); /* `two` still holds it */
    pin_cache_release(c, two);
    assert_ok(pin_cache_get(c, text_with(a, &s, 1), &one));
    assert_int_equal(s.fetched, 3);
    pin_cache_release(c, one);
    pin_cache_release(c, other);
}

static void a_failure_is_not_kept(void **state) {
    struct arena *a = *state;
    struct shelf s = {.bytes = golden_bytes(a, "v1-naive_bayes.model"), .broken = true};
    struct pin_cache *c;
    const struct model_pin *pin;
    assert_ok(pin_cache_new(a, (struct pin_source){fetch, &s}, 2, &c));
    assert_fails(pin_cache_get(c, text_with(a, &s, 1), &pin), ERR_AGAIN, "shelf");
    s.broken = false;
    assert_ok(pin_cache_get(c, text_with(a, &s, 1), &pin));
    pin_cache_release(c, pin);
    assert_ok(pin_cache_get(c, text_with(a, &s, 1), &pin));
    assert_int_equal(s.fetched, 2);
    pin_cache_release(c, pin);
}

struct crowd {
    struct pin_cache *c;
    str text[3];
};

static err use_pins(void *ctx, size_t i, struct arena *a) {
    const struct crowd *crowd = ctx;
    for (size_t k = 0; k < 20; k++) {
        const struct model_pin *pin;
        struct run *run;
        size_t stage = 0;
        TRY(pin_cache_get(crowd->c, crowd->text[(i + k) % 3], &pin));
        run = run_new(a, pin, STR("{\"source\":\"Ads\"}"));
        TRY(stages_step(run, &stage, NULL));
        pin_cache_release(crowd->c, pin);
    }
    return OK;
}

static void threads_share_pins(void **state) {
    struct arena *a = *state;
    struct shelf s = {.bytes = golden_bytes(a, "v1-naive_bayes.model")};
    struct crowd crowd;
    for (size_t k = 0; k < 3; k++)
        crowd.text[k] = text_with(a, &s, k);
    assert_ok(pin_cache_new(a, (struct pin_source){fetch, &s}, 1, &crowd.c));
    assert_ok(parallel_for(8, 4, (size_t)64 << 20, use_pins, &crowd));
    assert_true(s.fetched >= 3 && s.fetched <= 160);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_text_leaves_out_what_is_usual),
        ARENA_TEST(terms_come_back_as_they_were),
        ARENA_TEST(impossible_terms_are_refused),
        ARENA_TEST(damaged_text_is_found),
        ARENA_TEST(bytes_of_another_model_are_refused),
        ARENA_TEST(a_pin_is_loaded_once_and_kept_while_used),
        ARENA_TEST(a_failure_is_not_kept),
        ARENA_TEST(threads_share_pins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
