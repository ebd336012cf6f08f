/* signature.c — HMAC-SHA256 by OpenSSL, its texts, and the header of signed web hooks. */
#include "net/signature.h"

#include "base/number.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { HEX_BYTE = 2 * SIGNATURE_BYTE, BASE64_BYTE = 44, MAX_CODES = 16, MAX_TIME_DIGITS = 12 };

/* HMAC of memory fails only when OpenSSL has no memory or is broken: then nothing may be called signed. */
static void must(bool ok) {
    if (!ok)
        abort();
}

void signature_hmac(str secret, const str *part, size_t n_part, unsigned char mac[SIGNATURE_BYTE]) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
    size_t n = 0;
    /* A NULL key would mean "the key of before". */
    const void *key = secret.len > 0 ? secret.ptr : "";
    must(ctx && EVP_MAC_init(ctx, key, secret.len, params) == 1);
    for (size_t i = 0; i < n_part; i++)
        must(part[i].len == 0 || EVP_MAC_update(ctx, (const unsigned char *)part[i].ptr, part[i].len) == 1);
    must(EVP_MAC_final(ctx, mac, &n, SIGNATURE_BYTE) == 1 && n == SIGNATURE_BYTE);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(hmac);
}

static void to_hex(const unsigned char mac[SIGNATURE_BYTE], char text[HEX_BYTE]) {
    for (size_t i = 0; i < SIGNATURE_BYTE; i++) {
        text[2 * i] = "0123456789abcdef"[mac[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
    }
}

str signature_hex(struct arena *a, const unsigned char mac[SIGNATURE_BYTE]) {
    char text[HEX_BYTE];
    to_hex(mac, text);
    return str_copy(a, (str){text, sizeof text});
}

str signature_base64(struct arena *a, const unsigned char mac[SIGNATURE_BYTE]) {
    unsigned char text[BASE64_BYTE + 1];
    EVP_EncodeBlock(text, mac, SIGNATURE_BYTE);
    return str_copy(a, (str){(const char *)text, BASE64_BYTE});
}

bool signature_equal(str a, str b) { return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0); }

bool signature_matches_hex(str given, const unsigned char mac[SIGNATURE_BYTE]) {
    char text[HEX_BYTE], lower[HEX_BYTE];
    if (given.len != HEX_BYTE)
        return false;
    for (size_t i = 0; i < HEX_BYTE; i++) {
        char c = given.ptr[i];
        lower[i] = c >= 'A' && c <= 'F' ? (char)(c + 'a' - 'A') : c;
    }
    to_hex(mac, text);
    return CRYPTO_memcmp(lower, text, HEX_BYTE) == 0;
}

bool signature_matches_base64(str given, const unsigned char mac[SIGNATURE_BYTE]) {
    unsigned char text[BASE64_BYTE + 1];
    EVP_EncodeBlock(text, mac, SIGNATURE_BYTE);
    return signature_equal(given, (str){(const char *)text, BASE64_BYTE});
}

/* HMAC(secret, "at.body"). */
static void sign(str secret, str at, str body, unsigned char mac[SIGNATURE_BYTE]) {
    const str part[] = {at, STR("."), body};
    signature_hmac(secret, part, 3, mac);
}

str signature_make(struct arena *a, const str *secret, size_t n_secret, int64_t now_s, str body) {
    assert(n_secret >= 1 && n_secret <= SIGNATURE_MAX_SECRETS);
    char at[NUMBER_TEXT_BYTE];
    size_t n_at = number_format_integer(now_s, at);
    size_t len = 2 + n_at + n_secret * (4 + HEX_BYTE);
    char *text = arena_alloc(a, len + 1), *p = text;
    memcpy(p, "t=", 2);
    memcpy(p + 2, at, n_at);
    p += 2 + n_at;
    for (size_t i = 0; i < n_secret; i++, p += 4 + HEX_BYTE) {
        unsigned char mac[SIGNATURE_BYTE];
        sign(secret[i], (str){at, n_at}, body, mac);
        memcpy(p, ",v1=", 4);
        to_hex(mac, p + 4);
    }
    return (str){text, len};
}

/* What stands in the header. */
struct parsed {
    str at; /* the digits as sent: they are what is signed */
    int64_t at_s;
    str code[MAX_CODES];
    size_t n_code;
};

static err malformed(const char *why) {
    return fail(ERR_INPUT, "signature_malformed", "the signature is not \"t=SECONDS,v1=HEX\": %s", why);
}

static err parse_time(str value, struct parsed *p) {
    if (p->at.ptr)
        return malformed("more than one t");
    if (str_empty(value) || value.len > MAX_TIME_DIGITS)
        return malformed("t is no time");
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return malformed("t is no time");
    if (!number_parse_integer(value, &p->at_s))
        return malformed("t is no time");
    p->at = value;
    return OK;
}

/* Elements with other names are left for later versions. */
static err parse_element(str element, struct parsed *p) {
    ptrdiff_t equals = str_find_byte(element, '=');
    if (equals < 0)
        return malformed("an element without '='");
    str name = str_slice(element, 0, (size_t)equals), value = str_slice(element, (size_t)equals + 1, element.len);
    if (str_equal(name, STR("t")))
        return parse_time(value, p);
    if (!str_equal(name, STR("v1")))
        return OK;
    if (p->n_code == MAX_CODES)
        return malformed("too many codes");
    p->code[p->n_code++] = value;
    return OK;
}

static err parse_value(str value, struct parsed *p) {
    *p = (struct parsed){0};
    if (value.len > SIGNATURE_MAX_HEADER_BYTE)
        return malformed("too long");
    for (str rest = value, element; str_split(&rest, ',', &element);)
        TRY(parse_element(str_trim(element), p));
    if (!p->at.ptr)
        return malformed("t is missing");
    return p->n_code > 0 ? OK : malformed("v1 is missing");
}

static bool any_matches(const struct parsed *p, const str *secret, size_t n_secret, str body) {
    bool found = false;
    for (size_t i = 0; i < n_secret; i++) {
        unsigned char mac[SIGNATURE_BYTE];
        if (str_empty(secret[i]))
            continue;
        sign(secret[i], p->at, body, mac);
        for (size_t k = 0; k < p->n_code; k++)
            found |= signature_matches_hex(p->code[k], mac);
    }
    return found;
}

err signature_check(str value, const str *secret, size_t n_secret, int64_t now_s, int64_t window_s, str body,
                    int64_t *at_s) {
    struct parsed p;
    TRY(parse_value(value, &p));
    if (!any_matches(&p, secret, n_secret, body))
        return fail(ERR_DENIED, "signature_wrong", "no code of the signature was made with a known secret for this body");
    int64_t age = now_s - p.at_s;
    if (age > window_s || age < -window_s)
        return fail(ERR_DENIED, "signature_expired", "the signature is %lld seconds %s, allowed are %lld",
                    (long long)(age < 0 ? -age : age), age < 0 ? "ahead" : "old", (long long)window_s);
    if (at_s)
        *at_s = p.at_s;
    return OK;
}
