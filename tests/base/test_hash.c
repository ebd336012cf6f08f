/* test_hash.c — the examples of FIPS 180-4, whole and in pieces. */
#include "base/hash.h"
#include "unit.h"

static void examples_of_the_standard(void **state) {
    assert_str(hash_hex(*state, STR("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_str(hash_hex(*state, (str){0}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_str(hash_hex(*state, STR("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_str(hash_hex(*state, STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters_in_pieces(void **state) {
    (void)state;
    char block[1000], hex[HASH_HEX_BYTE + 1];
    unsigned char digest[HASH_BYTE];
    memset(block, 'a', sizeof block);
    struct hash h;
    hash_begin(&h);
    for (size_t left = 1000000, n = 1; left > 0; left -= n, n = n % 997 + 1) {
        n = n < left ? n : left;
        hash_add(&h, (str){block, n});
    }
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(examples_of_the_standard), cmocka_unit_test(a_million_letters_in_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
