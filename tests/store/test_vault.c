/* test_vault.c — masters, tenant keys, rotation, blind indexes and tokens. */
#include "store/keys.h"
#include "store/seal.h"

#include "base/hash.h"
#include "base/parallel.h"

#include <sodium.h>

static const str acme = STR_INIT("acme"), lead = STR_INIT("lead-1");

static void test_master_ids_tell_keys_apart(void **state) {
    (void)state;
    unsigned char a[VAULT_MASTER_ID_BYTE], b[VAULT_MASTER_ID_BYTE], key[32], hash[16];
    struct vault *v = vault_of(KEY_A);
    vault_master_id(v, a);
    for (unsigned char i = 0; i < 32; i++)
        key[i] = i;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)"galena master key id", 20, key, sizeof key);
    assert_memory_equal(a, hash, sizeof a);
    const struct vault_source second = source_of(KEY_B);
    assert_ok(vault_master_add(v, &second, false));
    vault_master_id(v, b);
    assert_memory_equal(a, b, sizeof a); /* the first still wraps */
    const struct vault_source again = source_of(KEY_B);
    assert_ok(vault_master_add(v, &again, true));
    vault_master_id(v, b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(vault_master_known(v, a) && vault_master_known(v, b));
    b[0] ^= 1;
    assert_false(vault_master_known(v, b));
    vault_close(v);
}

static void test_tenant_keys_open_only_for_their_tenant_and_master(void **state) {
    (void)state;
    unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE];
    struct vault *v = vault_of(KEY_A), *same = vault_of(KEY_A), *other = vault_of(KEY_B);
    assert_ok(vault_tenant_new(v, acme, wrapped));
    assert_fails(vault_tenant_new(v, acme, wrapped), ERR_CONFLICT, "vault_tenant_exists");
    assert_int_equal(vault_tenant_version(v, acme), 1);
    assert_int_equal(vault_tenant_version(same, acme), 0);
    assert_ok(vault_tenant_load(same, acme, tenant_str(wrapped)));
    assert_ok(vault_tenant_load(same, acme, tenant_str(wrapped)));
    assert_fails(vault_tenant_load(same, STR("beta"), tenant_str(wrapped)), ERR_CORRUPT, "vault_forged");
    assert_fails(vault_tenant_load(other, acme, tenant_str(wrapped)), ERR_DENIED, "vault_no_master");
    assert_fails(vault_tenant_load(other, STR(""), tenant_str(wrapped)), ERR_INPUT, "vault_name");
    vault_close(v);
    vault_close(same);
    vault_close(other);
}

/* Which error does not matter; that it is one does. */
static void test_every_altered_byte_of_a_wrapped_key_is_noticed(void **state) {
    (void)state;
    unsigned char tenant[VAULT_TENANT_WRAPPED_BYTE], key[VAULT_LEAD_WRAPPED_BYTE], out[VAULT_LEAD_WRAPPED_BYTE];
    struct vault *v = vault_of(KEY_A), *w = vault_of(KEY_A);
    struct sealer *s;
    assert_ok(vault_tenant_new(v, acme, tenant));
    assert_ok(sealer_new(v, &s));
    assert_ok(sealer_lead_new(s, acme, lead, key));
    for (size_t i = 0; i < sizeof tenant; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            tenant[i] ^= (unsigned char)(1u << bit);
            assert_int_not_equal(vault_tenant_load(w, acme, tenant_str(tenant)), OK);
            tenant[i] ^= (unsigned char)(1u << bit);
        }
    assert_int_equal(vault_tenant_version(w, acme), 0);
    for (size_t i = 0; i < sizeof key; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            key[i] ^= (unsigned char)(1u << bit);
            assert_int_not_equal(vault_lead_rewrap(v, acme, lead, lead_str(key), out), OK);
            key[i] ^= (unsigned char)(1u << bit);
        }
    for (size_t n = 0; n < sizeof tenant; n++)
        assert_fails(vault_tenant_load(w, acme, (str){(const char *)tenant, n}), ERR_CORRUPT, "vault_form");
    tenant[0] = 2;
    assert_fails(vault_tenant_load(w, acme, tenant_str(tenant)), ERR_CORRUPT, "vault_version");
    assert_ok(vault_lead_rewrap(v, acme, lead, lead_str(key), out));
    assert_fails(vault_lead_rewrap(v, acme, STR("lead-2"), lead_str(key), out), ERR_CORRUPT, "vault_forged");
    assert_fails(vault_lead_rewrap(v, STR("beta"), lead, lead_str(key), out), ERR_ABSENT, "vault_tenant_unknown");
    sealer_free(s);
    vault_close(v);
    vault_close(w);
}

/* New master, then new tenant key, then the old ones gone: the cell still opens, and indexes stay. */
static void test_rotation_end_to_end(void **state) {
    struct arena *a = *state;
    const struct seal_cell cell = {STR("lead"), STR("body"), STR("")};
    unsigned char t1[VAULT_TENANT_WRAPPED_BYTE], t1b[VAULT_TENANT_WRAPPED_BYTE], t2[VAULT_TENANT_WRAPPED_BYTE];
    unsigned char k1[VAULT_LEAD_WRAPPED_BYTE], k2[VAULT_LEAD_WRAPPED_BYTE], index[2][VAULT_INDEX_BYTE], audit[2][32];
    struct vault_wrapping what;
    struct sealer *s;
    struct buf *sealed = buf_in(a, 4096);
    str plain;
    struct vault *v = vault_of(KEY_A);
    assert_ok(vault_tenant_new(v, acme, t1));
    assert_ok(sealer_new(v, &s));
    assert_ok(sealer_lead_new(s, acme, lead, k1));
    assert_ok(sealer_seal(s, cell, STR("Ada Byron"), sealed));
    assert_ok(vault_index(v, acme, VAULT_INDEX_EMAIL, STR("ada@example.com"), index[0]));
    assert_ok(vault_audit_key(v, acme, audit[0]));

    const struct vault_source fresh = source_of(KEY_B);
    assert_ok(vault_master_add(v, &fresh, true));
    assert_ok(vault_tenant_rewrap(v, acme, tenant_str(t1), t1b));
    assert_ok(vault_wrapping_of(tenant_str(t1b), &what));
    assert_int_equal(what.version, 1);
    unsigned char id[VAULT_MASTER_ID_BYTE];
    vault_master_id(v, id);
    assert_memory_equal(what.master, id, sizeof id);
    assert_ok(vault_tenant_renew(v, acme, tenant_str(t1b), t2));
    assert_fails(vault_tenant_renew(v, acme, tenant_str(t1b), t2), ERR_CONFLICT, "vault_tenant_exists");
    assert_int_equal(vault_tenant_version(v, acme), 2);
    assert_ok(vault_lead_rewrap(v, acme, lead, lead_str(k1), k2));
    assert_ok(vault_wrapping_of(lead_str(k2), &what));
    assert_int_equal(what.version, 2);
    sealer_free(s);
    vault_close(v);

    v = vault_of(KEY_B); /* the old master is gone */
    assert_fails(vault_tenant_load(v, acme, tenant_str(t1)), ERR_DENIED, "vault_no_master");
    assert_ok(vault_tenant_load(v, acme, tenant_str(t2)));
    assert_ok(sealer_new(v, &s));
    assert_fails(sealer_lead_open(s, acme, lead, lead_str(k1)), ERR_ABSENT, "vault_tenant_unknown");
    assert_ok(sealer_lead_open(s, acme, lead, lead_str(k2)));
    assert_ok(sealer_unseal(s, cell, buf_str(sealed), 0, a, &plain));
    assert_str(plain, "Ada Byron");
    assert_ok(vault_tenant_load(v, acme, tenant_str(t1b)));
    assert_ok(sealer_lead_open(s, acme, lead, lead_str(k1)));
    assert_ok(sealer_unseal(s, cell, buf_str(sealed), 0, a, &plain));
    assert_ok(vault_index(v, acme, VAULT_INDEX_EMAIL, STR("ada@example.com"), index[1]));
    assert_ok(vault_audit_key(v, acme, audit[1]));
    assert_memory_equal(index[0], index[1], VAULT_INDEX_BYTE);
    assert_memory_equal(audit[0], audit[1], 32);
    sealer_free(s);
    vault_close(v);
}

static void expect_index(struct vault *v, str tenant, enum vault_index_kind kind, const char *value, const char *like,
                         bool same) {
    unsigned char a[VAULT_INDEX_BYTE], b[VAULT_INDEX_BYTE];
    assert_ok(vault_index(v, tenant, kind, str_from(value), a));
    assert_ok(vault_index(v, acme, kind, str_from(like), b));
    assert_int_equal(memcmp(a, b, sizeof a) == 0, same);
}

static void test_blind_indexes(void **state) {
    (void)state;
    unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE], a[VAULT_INDEX_BYTE], b[VAULT_INDEX_BYTE];
    struct vault *v = vault_of(KEY_A);
    const str beta = STR("beta");
    assert_fails(vault_index(v, acme, VAULT_INDEX_EMAIL, STR("a@b.c"), a), ERR_ABSENT, "vault_tenant_unknown");
    assert_ok(vault_tenant_new(v, acme, wrapped));
    assert_ok(vault_tenant_new(v, beta, wrapped));
    expect_index(v, acme, VAULT_INDEX_EMAIL, " Ada@Example.COM\n", "ada@example.com", true);
    expect_index(v, acme, VAULT_INDEX_EMAIL, "ada@example.com", "ade@example.com", false);
    expect_index(v, beta, VAULT_INDEX_EMAIL, "ada@example.com", "ada@example.com", false);
    expect_index(v, acme, VAULT_INDEX_DOMAIN, "EXAMPLE.com.", "example.com", true);
    expect_index(v, acme, VAULT_INDEX_PHONE, "+49 (30) 123-45", "+493012345", true);
    expect_index(v, acme, VAULT_INDEX_PHONE, "+493012345", "493012345", false);
    expect_index(v, acme, VAULT_INDEX_EXTERNAL_ID, "00Qa", "00QA", false);
    assert_ok(vault_index(v, acme, VAULT_INDEX_EMAIL, STR("example.com"), a));
    assert_ok(vault_index(v, acme, VAULT_INDEX_DOMAIN, STR("example.com"), b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_fails(vault_index(v, acme, VAULT_INDEX_EMAIL, STR(" \t"), a), ERR_INPUT, "vault_value");
    assert_fails(vault_index(v, acme, VAULT_INDEX_PHONE, STR("+"), a), ERR_INPUT, "vault_value");
    char big[VAULT_VALUE_BYTE + 1];
    memset(big, 'a', sizeof big);
    assert_ok(vault_index(v, acme, VAULT_INDEX_EMAIL, (str){big, VAULT_VALUE_BYTE}, a));
    assert_fails(vault_index(v, acme, VAULT_INDEX_EMAIL, (str){big, sizeof big}, a), ERR_INPUT, "vault_value");
    vault_tenant_forget(v, beta);
    assert_int_equal(vault_tenant_version(v, beta), 0);
    assert_int_equal(vault_tenant_version(v, acme), 1);
    vault_tenant_forget(v, (str){0});
    assert_int_equal(vault_tenant_version(v, acme), 0);
    vault_close(v);
}

/* The whole derivation again by libsodium's own functions: root → index key → index. */
static void test_index_derivation_is_the_documented_one(void **state) {
    (void)state;
    unsigned char w[VAULT_TENANT_WRAPPED_BYTE], master[32], secret[64], key[32], want[VAULT_INDEX_BYTE],
        got[VAULT_INDEX_BYTE];
    struct vault *v = vault_of(KEY_A);
    assert_ok(vault_tenant_new(v, acme, w));
    for (unsigned char i = 0; i < 32; i++)
        master[i] = i;
    unsigned char bound[256];
    size_t n = 0;
    const struct {
        const void *at;
        size_t len;
        bool counted;
    } parts[] = {{"galena tenant key", 17, true}, {w, 13, false}, {"acme", 4, true}};
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].counted) {
            const unsigned char len[4] = {(unsigned char)parts[i].len};
            memcpy(bound + n, len, 4);
            n += 4;
        }
        memcpy(bound + n, parts[i].at, parts[i].len);
        n += parts[i].len;
    }
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(secret, NULL, NULL, w + 37, 80, bound, n, w + 13, master),
                     0);
    crypto_kdf_derive_from_key(key, sizeof key, VAULT_INDEX_EMAIL, "galindex", secret + 32);
    crypto_generichash(want, sizeof want, (const unsigned char *)"ada@example.com", 15, key, sizeof key);
    assert_ok(vault_index(v, acme, VAULT_INDEX_EMAIL, STR("Ada@Example.com"), got));
    assert_memory_equal(want, got, sizeof got);
    vault_close(v);
}

static void test_tokens(void **state) {
    struct arena *a = *state;
    struct vault_token t, u;
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
    vault_token_new(&t);
    vault_token_new(&u);
    assert_int_equal(strlen(t.text), VAULT_TOKEN_BYTE);
    assert_string_not_equal(t.text, u.text);
    assert_true(str_starts(str_from(t.text), str_from(t.shown)) && strlen(t.shown) == VAULT_TOKEN_SHOWN_BYTE);
    char hex[HASH_HEX_BYTE + 1];
    hash_to_hex(t.hash, hex);
    assert_true(str_equal(hash_hex(a, str_from(t.text)), str_from(hex)));
    assert_true(vault_token_hash(str_from(t.text), hash));
    assert_true(vault_equal(hash, t.hash, sizeof hash));
    assert_false(vault_equal(hash, u.hash, sizeof hash));
    assert_false(vault_token_hash(str_slice(str_from(t.text), 0, 45), hash));
    t.text[20] = ' ';
    assert_false(vault_token_hash(str_from(t.text), hash));
    u.text[0] = 'G';
    assert_false(vault_token_hash(str_from(u.text), hash));
}

enum { THREADS = 4, PARTS = 64 };

struct crowd {
    struct vault *vault;
    unsigned char wrapped[PARTS][VAULT_TENANT_WRAPPED_BYTE];
};

/* Seals and unseals for one tenant while others load, renew and forget theirs. */
static err join_crowd(void *ctx, size_t i, struct arena *scratch) {
    struct crowd *c = ctx;
    unsigned char key[VAULT_LEAD_WRAPPED_BYTE], next[VAULT_TENANT_WRAPPED_BYTE], index[VAULT_INDEX_BYTE];
    const struct seal_cell cell = {STR("lead"), STR("body"), STR("")};
    str tenant = str_format(scratch, "tenant-%zu", i), plain;
    struct buf *out = buf_in(scratch, 4096);
    struct sealer *s;
    TRY(vault_tenant_new(c->vault, tenant, c->wrapped[i]));
    TRY(sealer_new(c->vault, &s));
    err rc = sealer_lead_new(s, tenant, STR("x"), key);
    if (rc == OK)
        rc = sealer_seal(s, cell, tenant, out);
    if (rc == OK)
        rc = vault_tenant_renew(c->vault, tenant, tenant_str(c->wrapped[i]), next);
    vault_tenant_forget(c->vault, tenant);
    if (rc == OK)
        rc = vault_tenant_load(c->vault, tenant, tenant_str(c->wrapped[i]));
    if (rc == OK)
        rc = vault_index(c->vault, tenant, VAULT_INDEX_EMAIL, tenant, index);
    if (rc == OK)
        rc = sealer_lead_open(s, tenant, STR("x"), lead_str(key));
    if (rc == OK)
        rc = sealer_unseal(s, cell, buf_str(out), 0, scratch, &plain);
    if (rc == OK && !str_equal(plain, tenant))
        rc = fail(ERR_CORRUPT, "test_other", "another tenant's text");
    sealer_free(s);
    return rc;
}

static void test_many_threads(void **state) {
    struct crowd *c = ARENA_NEW(*state, struct crowd);
    c->vault = vault_of(KEY_A);
    assert_ok(parallel_for(PARTS, THREADS, 1 << 20, join_crowd, c));
    for (size_t i = 0; i < PARTS; i++)
        assert_int_equal(vault_tenant_version(c->vault, str_format(*state, "tenant-%zu", i)), 1);
    vault_close(c->vault);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_master_ids_tell_keys_apart),
        cmocka_unit_test(test_tenant_keys_open_only_for_their_tenant_and_master),
        cmocka_unit_test(test_every_altered_byte_of_a_wrapped_key_is_noticed),
        ARENA_TEST(test_rotation_end_to_end),
        cmocka_unit_test(test_blind_indexes),
        cmocka_unit_test(test_index_derivation_is_the_documented_one),
        ARENA_TEST(test_tokens),
        ARENA_TEST(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
