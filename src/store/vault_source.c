/* vault_source.c — master keys out of files, the environment and commands. */
#include "store/vault_priv.h"

#include "store/secret.h"

#include <sodium.h>

static const char *source_name(const struct vault_source *s) { return s->kind == VAULT_COMMAND ? s->argv[0] : s->name; }

/* ---- the key in the text ---- */

static bool read_hex(str s, unsigned char key[KEY_BYTE]) {
    size_t n = 0;
    const char *end = NULL;
    return s.len == 2 * KEY_BYTE && sodium_hex2bin(key, KEY_BYTE, s.ptr, s.len, NULL, &n, &end) == 0 && n == KEY_BYTE &&
           end == s.ptr + s.len;
}

static bool read_base64(str s, unsigned char key[KEY_BYTE]) {
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        size_t n = 0;
        const char *end = NULL;
        if (sodium_base642bin(key, KEY_BYTE, s.ptr, s.len, NULL, &n, &end, variants[i]) == 0 && n == KEY_BYTE &&
            end == s.ptr + s.len)
            return true;
    }
    return false;
}

/* A file made from /dev/zero is a key that everybody has. */
static bool all_equal(const unsigned char key[KEY_BYTE]) {
    unsigned char difference = 0;
    for (size_t i = 1; i < KEY_BYTE; i++)
        difference |= key[i] ^ key[0];
    return difference == 0;
}

static err read_key(const struct vault_source *source, const struct secret_text *t, bool bare, unsigned char key[KEY_BYTE]) {
    str s = str_trim((str){t->ptr, t->len});
    bool good = true;
    if (bare && t->len == KEY_BYTE)
        memcpy(key, t->ptr, KEY_BYTE);
    else
        good = read_hex(s, key) || read_base64(s, key);
    if (good && !all_equal(key))
        return OK;
    sodium_memzero(key, KEY_BYTE);
    return fail(ERR_INPUT, "vault_master_form",
                "%s: no master key: 32 random bytes as 64 hexadecimal digits or base64 are wanted", source_name(source));
}

err vault_source_read(const struct vault_source *source, unsigned char key[KEY_BYTE]) {
    static const enum secret_kind kind[] = {
        [VAULT_FILE] = SECRET_FILE, [VAULT_ENVIRONMENT] = SECRET_ENVIRONMENT, [VAULT_COMMAND] = SECRET_COMMAND};
    const struct secret_source from = {
        .kind = kind[source->kind], .name = source->name, .argv = source->argv, .limit_ms = source->limit_ms};
    struct secret_text t;
    TRY(secret_read(&from, &t));
    err rc = read_key(source, &t, source->kind == VAULT_FILE, key);
    secret_text_free(&t);
    return rc;
}
