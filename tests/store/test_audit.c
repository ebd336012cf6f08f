/* test_audit.c — chains: known hashes, and each kind of tampering found at the right entry. */
#include "store/audit.h"
#include "unit.h"

#include "base/hash.h"

#include <sodium.h>

enum { N = 8 };

static const unsigned char key[AUDIT_KEY_BYTE] = "0123456789abcdef0123456789abcdef";

struct chain {
    struct audit_entry entry[N + 2];
    size_t n, at;
    struct audit_head head;
};

static err give(void *ctx, const struct audit_entry **out) {
    struct chain *c = ctx;
    *out = c->at < c->n ? &c->entry[c->at++] : NULL;
    return OK;
}

static struct chain make(const unsigned char *with, str tenant) {
    struct chain c = {.n = N};
    static const char *const actors[] = {"system", "key:gk_ab12cd"};
    for (size_t i = 0; i < N; i++) {
        c.entry[i] = (struct audit_entry){.at_ms = 1767225600000 + (int64_t)i,
                                          .tenant = tenant,
                                          .actor = str_from(actors[i % 2]),
                                          .action = STR("lead.erase"),
                                          .subject = STR("lead:1"),
                                          .detail = i % 3 ? STR("{\"a\":1}") : STR("")};
        audit_append(with, &c.head, &c.entry[i]);
        assert_int_equal(c.entry[i].seq, i + 1);
    }
    return c;
}

static struct audit_report verify(struct chain *c, const unsigned char *with, const struct audit_head *anchor) {
    struct audit_report r;
    c->at = 0;
    assert_ok(audit_verify(with, STR("acme"), (struct audit_source){give, c}, NULL, anchor, &r));
    return r;
}

static void expect(struct chain *c, const struct audit_head *anchor, enum audit_fault fault, uint64_t seq, uint64_t count) {
    struct audit_report r = verify(c, key, anchor);
    if (r.fault != fault || r.seq != seq || r.count != count)
        fail_msg("found %d at %llu after %llu, expected %d at %llu after %llu", r.fault, (unsigned long long)r.seq,
                 (unsigned long long)r.count, fault, (unsigned long long)seq, (unsigned long long)count);
}

/* The documented bytes, put together by hand. */
static void test_the_hash_is_the_documented_one(void **state) {
    (void)state;
    struct audit_entry e = {
        .at_ms = 258, .tenant = STR("t"), .actor = STR("ac"), .action = STR("act"), .subject = STR(""), .detail = STR("{}")};
    static const unsigned char bytes[] = "galena audit 1\0"
                                         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                         "\1\0\0\0\0\0\0\0"
                                         "\2\1\0\0\0\0\0\0"
                                         "\1\0\0\0\0\0\0\0t"
                                         "\2\0\0\0\0\0\0\0ac"
                                         "\3\0\0\0\0\0\0\0act"
                                         "\0\0\0\0\0\0\0\0"
                                         "\2\0\0\0\0\0\0\0{}";
    unsigned char want[AUDIT_HASH_BYTE];
    struct audit_head head = {0};
    audit_append(NULL, &head, &e);
    crypto_hash_sha256(want, bytes, sizeof bytes - 1);
    assert_memory_equal(e.hash, want, sizeof want);
    head = (struct audit_head){0};
    audit_append(key, &head, &e);
    crypto_auth_hmacsha256(want, bytes, sizeof bytes - 1, key);
    assert_memory_equal(e.hash, want, sizeof want);
    assert_memory_equal(head.hash, want, sizeof want);
    assert_int_equal(head.seq, 1);
}

static void test_a_good_chain(void **state) {
    (void)state;
    struct chain c = make(key, STR("acme")), plain = make(NULL, STR("acme")), empty = {.n = 0};
    expect(&c, NULL, AUDIT_GOOD, 0, N);
    expect(&c, &c.head, AUDIT_GOOD, 0, N);
    assert_int_equal(verify(&plain, NULL, NULL).fault, AUDIT_GOOD);
    expect(&empty, NULL, AUDIT_GOOD, 0, 0);
    struct audit_report r = verify(&c, key, NULL);
    assert_memory_equal(r.head.hash, c.head.hash, AUDIT_HASH_BYTE);
    assert_int_equal(r.head.seq, N);
}

static void test_each_altered_field_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < N; i++)
        for (int field = 0; field < 6; field++) {
            struct chain c = make(key, STR("acme"));
            struct audit_entry *e = &c.entry[i];
            str *const texts[] = {&e->actor, &e->action, &e->subject, &e->detail};
            if (field < 4)
                *texts[field] = STR("altered");
            else if (field == 4)
                e->at_ms++;
            else
                e->hash[31] ^= 1;
            expect(&c, NULL, AUDIT_ALTERED, i + 1, i);
        }
}

/* The text moves from one field to the next: the lengths in the hash notice. */
static void test_fields_do_not_run_together(void **state) {
    (void)state;
    struct chain c = make(key, STR("acme"));
    c.entry[2].action = STR("lead.eras");
    c.entry[2].subject = STR("elead:1");
    expect(&c, NULL, AUDIT_ALTERED, 3, 2);
}

static void test_missing_reordered_repeated_and_foreign(void **state) {
    (void)state;
    struct chain c = make(key, STR("acme"));
    memmove(&c.entry[3], &c.entry[4], 4 * sizeof c.entry[0]);
    c.n--;
    expect(&c, NULL, AUDIT_MISSING, 4, 3);
    c = make(key, STR("acme"));
    memmove(&c.entry[0], &c.entry[1], 7 * sizeof c.entry[0]);
    c.n--;
    expect(&c, NULL, AUDIT_MISSING, 1, 0);
    c = make(key, STR("acme"));
    struct audit_entry e = c.entry[3];
    c.entry[3] = c.entry[5];
    c.entry[5] = e;
    expect(&c, NULL, AUDIT_REORDERED, 4, 3);
    c = make(key, STR("acme"));
    c.entry[4] = c.entry[3];
    expect(&c, NULL, AUDIT_REORDERED, 4, 4);
    c = make(key, STR("acme"));
    c.entry[6].tenant = STR("beta");
    expect(&c, NULL, AUDIT_FOREIGN, 7, 6);
    /* Two entries that trade their numbers look altered. */
    c = make(key, STR("acme"));
    e = c.entry[3];
    c.entry[3] = c.entry[4];
    c.entry[4] = e;
    c.entry[3].seq = 4;
    c.entry[4].seq = 5;
    expect(&c, NULL, AUDIT_ALTERED, 4, 3);
}

static void test_anchors(void **state) {
    (void)state;
    struct chain c = make(key, STR("acme"));
    const struct audit_head anchor = c.head;
    c.n = 5;
    expect(&c, NULL, AUDIT_GOOD, 0, 5); /* nobody can know */
    expect(&c, &anchor, AUDIT_TRUNCATED, 6, 5);
    c.n = 0;
    expect(&c, &anchor, AUDIT_TRUNCATED, 1, 0);
    /* Somebody with the key makes another history: only the anchor tells. */
    c = make(key, STR("acme"));
    c.entry[2].detail = STR("{\"forged\":true}");
    struct audit_head head = {0};
    for (size_t i = 0; i < N; i++)
        audit_append(key, &head, &c.entry[i]);
    expect(&c, NULL, AUDIT_GOOD, 0, N);
    expect(&c, &anchor, AUDIT_REBUILT, N, N - 1);
}

static void test_without_the_key_no_chain_can_be_made(void **state) {
    (void)state;
    static const unsigned char guess[AUDIT_KEY_BYTE] = "another key of thirty-two bytes!";
    struct chain c = make(guess, STR("acme")), plain = make(NULL, STR("acme"));
    expect(&c, NULL, AUDIT_ALTERED, 1, 0);
    expect(&plain, NULL, AUDIT_ALTERED, 1, 0);
}

static void test_verifying_goes_on_from_a_head(void **state) {
    (void)state;
    struct chain c = make(key, STR("acme"));
    struct audit_head from = {.seq = 3};
    struct audit_report r;
    memcpy(from.hash, c.entry[2].hash, AUDIT_HASH_BYTE);
    c.at = 3;
    assert_ok(audit_verify(key, STR("acme"), (struct audit_source){give, &c}, &from, &c.head, &r));
    assert_int_equal(r.fault, AUDIT_GOOD);
    assert_int_equal(r.count, N - 3);
    from.hash[0] ^= 1;
    c.at = 3;
    assert_ok(audit_verify(key, STR("acme"), (struct audit_source){give, &c}, &from, NULL, &r));
    assert_int_equal(r.fault, AUDIT_ALTERED);
    assert_int_equal(r.seq, 4);
    struct audit_head other = {.seq = 3};
    c.at = 3;
    assert_ok(audit_verify(key, STR("acme"), (struct audit_source){give, &c}, &from, &other, &r));
    assert_int_equal(r.fault, AUDIT_REBUILT);
}

static err break_off(void *ctx, const struct audit_entry **out) {
    struct chain *c = ctx;
    if (c->at == 3)
        return fail(ERR_AGAIN, "test_broken", "the database went away");
    return give(c, out);
}

static void test_a_failing_source_is_a_failure(void **state) {
    (void)state;
    struct chain c = make(key, STR("acme"));
    struct audit_report r = {.count = 77};
    assert_fails(audit_verify(key, STR("acme"), (struct audit_source){break_off, &c}, NULL, NULL, &r), ERR_AGAIN,
                 "test_broken");
    assert_int_equal(r.count, 77);
    for (int f = 0; f < AUDIT_FAULT_COUNT; f++)
        assert_non_null(audit_fault_text((enum audit_fault)f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hash_is_the_documented_one),
        cmocka_unit_test(test_a_good_chain),
        cmocka_unit_test(test_each_altered_field_is_found),
        cmocka_unit_test(test_fields_do_not_run_together),
        cmocka_unit_test(test_missing_reordered_repeated_and_foreign),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_without_the_key_no_chain_can_be_made),
        cmocka_unit_test(test_verifying_goes_on_from_a_head),
        cmocka_unit_test(test_a_failing_source_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
