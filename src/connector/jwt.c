/* jwt.c — signed JSON web tokens, by OpenSSL. */
#include "connector/auth.h"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/hash.h"

enum { MAX_PEM = 32768, MAX_SIGNATURE = 2048, ES256_HALF = 32 };

static err bad_key(const char *what) { return fail(ERR_INPUT, "connector_credential", "the private key %s", what); }

static void free_key(void *key) { EVP_PKEY_free(key); }

/* No password is ever asked for. */
static int no_password(char *buf, int size, int writing, void *ctx) {
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

/* A key pasted into one line keeps its line ends as "\n": both forms are read. */
static str real_lines(struct arena *a, str pem) {
    char *out = arena_alloc(a, pem.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < pem.len; i++)
        if (pem.ptr[i] == '\\' && i + 1 < pem.len && pem.ptr[i + 1] == 'n') {
            out[n++] = '\n';
            i++;
        } else {
            out[n++] = pem.ptr[i];
        }
    return (str){out, n};
}

static err read_key(struct arena *a, str pem, int type, EVP_PKEY **out) {
    if (pem.len == 0 || pem.len > MAX_PEM)
        return bad_key("is empty or too long");
    pem = real_lines(a, pem);
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    if (!key)
        return bad_key("is not PEM without a password");
    arena_defer(a, free_key, key);
    if (EVP_PKEY_get_base_id(key) != type)
        return bad_key(type == EVP_PKEY_RSA ? "is not an RSA key" : "is not an EC key");
    if (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < 2048)
        return bad_key("has fewer than 2,048 bits");
    *out = key;
    return OK;
}

static str base64url(struct arena *a, const unsigned char *bytes, size_t n) {
    char *text = arena_alloc(a, 4 * ((n + 2) / 3) + 1);
    int len = EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
    while (len > 0 && text[len - 1] == '=')
        len--;
    for (int i = 0; i < len; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return (str){text, (size_t)len};
}

static bool sign(EVP_PKEY *key, str text, unsigned char *out, size_t *n) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(ctx, out, n, (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* JWS has r and s of 32 bytes each (RFC 7518 3.4), OpenSSL gives DER. */
static bool raw_signature(const unsigned char *der, size_t n, unsigned char out[2 * ES256_HALF]) {
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool good = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), out, ES256_HALF) == ES256_HALF &&
                BN_bn2binpad(ECDSA_SIG_get0_s(s), out + ES256_HALF, ES256_HALF) == ES256_HALF;
    ECDSA_SIG_free(s);
    return good;
}

err jwt_sign(struct arena *a, enum jwt_algorithm algorithm, str header, str claims, str pem, str *out) {
    EVP_PKEY *key;
    unsigned char made[MAX_SIGNATURE], raw[2 * ES256_HALF];
    size_t n = sizeof made;
    TRY(read_key(a, pem, algorithm == JWT_RS256 ? EVP_PKEY_RSA : EVP_PKEY_EC, &key));
    str head = base64url(a, (const unsigned char *)header.ptr, header.len);
    str body = base64url(a, (const unsigned char *)claims.ptr, claims.len);
    str text = str_format(a, "%.*s.%.*s", STR_ARG(head), STR_ARG(body));
    if ((size_t)EVP_PKEY_get_size(key) > sizeof made || !sign(key, text, made, &n))
        return bad_key("does not sign");
    if (algorithm == JWT_ES256 && !raw_signature(made, n, raw))
        return bad_key("is not of the curve P-256");
    str signature = algorithm == JWT_ES256 ? base64url(a, raw, sizeof raw) : base64url(a, made, n);
    *out = str_format(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(signature));
    return OK;
}

err jwt_key_fingerprint(struct arena *a, str pem, str *out) {
    EVP_PKEY *key;
    unsigned char *der = NULL, digest[HASH_BYTE], text[64];
    TRY(read_key(a, pem, EVP_PKEY_RSA, &key));
    int n = i2d_PUBKEY(key, &der);
    if (n <= 0)
        return bad_key("has no public part");
    struct hash h;
    hash_begin(&h);
    hash_add(&h, (str){(const char *)der, (size_t)n});
    hash_end(&h, digest);
    OPENSSL_free(der);
    int len = EVP_EncodeBlock(text, digest, HASH_BYTE);
    *out = str_format(a, "SHA256:%.*s", len, (const char *)text);
    return OK;
}
