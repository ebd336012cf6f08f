/* test_signature.c — the examples of RFC 4231, published vectors of webhook senders, and the header of our own hooks. */
#include "net/signature.h"
#include "base/file.h"
#include "base/json.h"
#include "unit.h"

static str hex_of(struct arena *a, str secret, str message) {
    unsigned char mac[SIGNATURE_BYTE];
    signature_hmac(secret, &message, 1, mac);
    return signature_hex(a, mac);
}

static void examples_of_rfc_4231(void **state) {
    char key[131], data[152];
    memset(key, 0x0b, 20);
    assert_str(hex_of(*state, (str){key, 20}, STR("Hi There")),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_str(hex_of(*state, STR("Jefe"), STR("what do ya want for nothing?")),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    memset(data, 0xdd, 50);
    assert_str(hex_of(*state, (str){key, 20}, (str){data, 50}),
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    assert_str(hex_of(*state, (str){key, 131}, STR("Test Using Larger Than Block-Size Key - Hash Key First")),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void an_empty_secret_is_a_secret_of_no_bytes(void **state) {
    /* python3: hmac.new(b"", b"", "sha256").hexdigest() */
    assert_str(hex_of(*state, STR(""), STR("")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    /* and not the key of the call before */
    hex_of(*state, STR("other"), STR("x"));
    assert_str(hex_of(*state, (str){0}, (str){0}), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void parts_are_one_message(void **state) {
    const str parts[] = {STR("what do "), STR(""), {NULL, 0}, STR("ya want"), STR(" for nothing?")};
    unsigned char mac[SIGNATURE_BYTE];
    signature_hmac(STR("Jefe"), parts, 5, mac);
    assert_str(signature_hex(*state, mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_str(signature_base64(*state, mac), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    assert_true(signature_matches_hex(STR("5BDCC146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), mac));
    assert_false(signature_matches_hex(STR("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844"), mac));
    assert_false(signature_matches_hex(STR("5bdc"), mac));
    assert_false(signature_matches_hex((str){0}, mac));
    assert_true(signature_matches_base64(STR("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="), mac));
    assert_false(signature_matches_base64(STR("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM"), mac));
    assert_true(signature_equal(STR("a"), STR("a")) && !signature_equal(STR("a"), STR("b")) &&
                !signature_equal(STR("a"), STR("ab")) && signature_equal(STR(""), (str){0}));
}

static str member(const struct json *object, const char *name) {
    str value;
    assert_ok(json_get_string(object, str_from(name), &value));
    return value;
}

/* Senders sign with the same code over their own arrangement of time and body. */
static void vectors_of_senders(void **state) {
    const char *shared = getenv("GALENA_SHARED");
    str bytes;
    const struct json *root = NULL;
    if (!shared ||
        file_read_all(*state, str_format(*state, "%s/contracts/signature-vectors.json", shared).ptr, 1 << 20, &bytes) != OK)
        return; /* cmocka's skip() counts as a failure in TAP */
    assert_ok(json_parse(*state, bytes, NULL, &root));
    const struct json *slack = json_pointer(root, STR("/slack/0"));
    const str slack_parts[] = {STR("v0:"), member(slack, "timestamp"), STR(":"), member(slack, "body")};
    unsigned char mac[SIGNATURE_BYTE];
    signature_hmac(member(slack, "secret"), slack_parts, 4, mac);
    str expected = member(slack, "expected");
    assert_true(str_starts(expected, STR("v0=")));
    assert_true(signature_matches_hex(str_slice(expected, 3, expected.len), mac));
    const struct json *third = json_pointer(root, STR("/hubspot/3"));
    assert_str(member(third, "version"), "v3");
    const str parts[] = {member(third, "method"), member(third, "uri"), member(third, "body"), member(third, "timestamp")};
    signature_hmac(member(third, "secret"), parts, 4, mac);
    assert_true(signature_matches_base64(member(third, "expected"), mac));
}

enum { NOW = 1764000000, WINDOW = 300 };

static err check(str value, str body) {
    const str secret[] = {STR("old secret"), STR("new secret")};
    return signature_check(value, secret, 2, NOW, WINDOW, body, NULL);
}

static void what_was_made_is_accepted(void **state) {
    const str both[] = {STR("new secret"), STR("newer secret")}, one[] = {STR("old secret")}, none[] = {STR("")};
    str value = signature_make(*state, both, 2, NOW, STR("{\"a\":1}"));
    int64_t at_s = 0;
    /* python3: hmac.new(b"new secret", b'1764000000.{"a":1}', "sha256").hexdigest() */
    assert_str(value, "t=1764000000,v1=ba7c4e008c98c99e20b046f37b42e0a96aa6fc1f202767c2b173f8cea39748dd"
                      ",v1=7534915fe9dd01ee81dc2c212f2886f3d2be6e34f4e7a762cd3a65bbbfa3b134");
    assert_ok(check(value, STR("{\"a\":1}")));
    assert_ok(signature_check(value, both, 2, NOW + WINDOW, WINDOW, STR("{\"a\":1}"), &at_s));
    assert_int_equal(at_s, NOW);
    assert_ok(check(signature_make(*state, one, 1, NOW - WINDOW, STR("")), STR("")));
    assert_fails(check(value, STR("{\"a\":2}")), ERR_DENIED, "signature_wrong");
    assert_fails(signature_check(value, one, 1, NOW, WINDOW, STR("{\"a\":1}"), NULL), ERR_DENIED, "signature_wrong");
    value = signature_make(*state, none, 1, NOW, STR("x"));
    assert_fails(signature_check(value, none, 1, NOW, WINDOW, STR("x"), NULL), ERR_DENIED, "signature_wrong");
}

static void the_time_is_signed_and_has_a_window(void **state) {
    const str secret[] = {STR("old secret")};
    assert_fails(check(signature_make(*state, secret, 1, NOW - WINDOW - 1, STR("b")), STR("b")), ERR_DENIED,
                 "signature_expired");
    assert_fails(check(signature_make(*state, secret, 1, NOW + WINDOW + 1, STR("b")), STR("b")), ERR_DENIED,
                 "signature_expired");
    str value = signature_make(*state, secret, 1, NOW - WINDOW - 1, STR("b"));
    str forged = str_format(*state, "t=%d%.*s", NOW, (int)value.len - 12, value.ptr + 12);
    assert_fails(check(forged, STR("b")), ERR_DENIED, "signature_wrong");
}

static void malformed_headers_are_refused(void **state) {
    static const char *const bad[] = {
        "",
        "t=1764000000",
        "v1=00",
        "t=,v1=00",
        "t=-1,v1=00",
        "t=1764000000",
        "t=1,t=2,v1=00",
        "t=17640000000000000000,v1=00",
        "t=1764000000 v1=00",
        "t=1e9,v1=00",
        "t=+1,v1=00",
        "junk",
        "t=1,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0,v1=0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(check(str_from(bad[i]), STR("b")), ERR_INPUT, "signature_malformed");
    char *longer = arena_alloc(*state, SIGNATURE_MAX_HEADER_BYTE + 1);
    memset(longer, ',', SIGNATURE_MAX_HEADER_BYTE + 1);
    assert_fails(check((str){longer, SIGNATURE_MAX_HEADER_BYTE + 1}, STR("b")), ERR_INPUT, "signature_malformed");
    /* Codes of other lengths and versions are no fault, but no match either. */
    assert_fails(check(STR("t=1764000000, v0=zz, v1=abc, future=1"), STR("b")), ERR_DENIED, "signature_wrong");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(examples_of_rfc_4231),          ARENA_TEST(an_empty_secret_is_a_secret_of_no_bytes),
        ARENA_TEST(parts_are_one_message),         ARENA_TEST(vectors_of_senders),
        ARENA_TEST(what_was_made_is_accepted),     ARENA_TEST(the_time_is_signed_and_has_a_window),
        ARENA_TEST(malformed_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
