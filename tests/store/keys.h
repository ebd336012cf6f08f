/* keys.h — vaults with known master keys for tests. */
#ifndef GALENA_TESTS_STORE_KEYS_H
#define GALENA_TESTS_STORE_KEYS_H

#include "store/vault.h"
#include "unit.h"

#include <stdlib.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

static inline struct vault_source source_of(const char *hex) {
    setenv("GALENA_TEST_KEY", hex, 1);
    return (struct vault_source){.kind = VAULT_ENVIRONMENT, .name = "GALENA_TEST_KEY"};
}

static inline struct vault *vault_of(const char *hex) {
    const struct vault_source source = source_of(hex);
    struct vault *v;
    assert_ok(vault_open(&source, 1, &v));
    return v;
}

static inline str tenant_str(const unsigned char *wrapped) {
    return (str){(const char *)wrapped, VAULT_TENANT_WRAPPED_BYTE};
}
static inline str lead_str(const unsigned char *wrapped) { return (str){(const char *)wrapped, VAULT_LEAD_WRAPPED_BYTE}; }

#endif
