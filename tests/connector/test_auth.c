/* test_auth.c — credentials on requests: published vectors of SigV4, tokens made and checked with fresh keys, token flows.
 */
#include "connector_support.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const int64_t NOW_MS = INT64_C(1790000000000);

static str field(const struct connector_request *r, const char *name) {
    return http_field_value(r->header, r->n_header, str_from(name));
}

static bool has(str s, const char *part) { return str_find(s, str_from(part)) >= 0; }

/* ---- SigV4 ---- */

static const struct sigv4_key aws = {.access_key = STR_INIT("AKIDEXAMPLE"),
                                     .secret_key = STR_INIT("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                     .region = STR_INIT("us-east-1"),
                                     .service = STR_INIT("service")};

static void sigv4_get_vanilla(void **state) {
    struct connector_request r = {.method = STR("GET"), .url = STR("https://example.amazonaws.com/"), .body = STR("")};
    assert_ok(sigv4_sign(*state, &aws, INT64_C(1440938160000), &r));
    assert_str(field(&r, "X-Amz-Date"), "20150830T123600Z");
    assert_str(
        field(&r, "Authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

static void sigv4_bedrock(void **state) {
    struct sigv4_key k = aws;
    k.service = STR("bedrock");
    struct connector_request r = {
        .method = STR("POST"),
        .url =
            STR("https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"),
        .body = STR("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}"),
        .header = {{STR("Content-Type"), STR("application/json")}},
        .n_header = 1};
    assert_ok(sigv4_sign(*state, &k, INT64_C(1767225600000), &r));
    assert_true(str_ends(field(&r, "Authorization"),
                         STR("SignedHeaders=content-type;host;x-amz-date, "
                             "Signature=a89c1d6aa44a808d5303ed39350c676edd399c664a1461b4875fda765df1576b")));
    /* The credential is marked as not to be shown. */
    assert_true(r.secret_header >> (r.n_header - 1) & 1);
}

/* AWS' suite, get-vanilla-query-order-key-case. */
static void sigv4_orders_the_query(void **state) {
    struct connector_request r = {
        .method = STR("GET"), .url = STR("https://example.amazonaws.com/?Param2=value2&Param1=value1"), .body = STR("")};
    assert_ok(sigv4_sign(*state, &aws, INT64_C(1440938160000), &r));
    assert_true(str_ends(field(&r, "Authorization"),
                         STR("Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")));
}

/* ---- JWT ---- */

static str pem_of(struct arena *a, EVP_PKEY *key) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &text);
    str pem = str_copy(a, (str){text, (size_t)n});
    BIO_free(bio);
    return pem;
}

/* base64url without padding → bytes. */
static size_t decode(str s, unsigned char *out) {
    char text[4096];
    size_t n = 0;
    for (; n < s.len; n++)
        text[n] = (char)(s.ptr[n] == '-' ? '+' : s.ptr[n] == '_' ? '/' : s.ptr[n]);
    size_t padding = (4 - n % 4) % 4;
    for (size_t i = 0; i < padding; i++)
        text[n++] = '=';
    int len = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
    assert_true(len >= 0);
    return (size_t)len - padding;
}

static bool verifies(EVP_PKEY *key, str token) {
    unsigned char signature[1024], *der = NULL;
    size_t dot = token.len;
    while (token.ptr[dot - 1] != '.')
        dot--;
    size_t n = decode(str_slice(token, dot, token.len), signature);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        assert_int_equal(n, 64);
        ECDSA_SIG *s = ECDSA_SIG_new();
        ECDSA_SIG_set0(s, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
        n = (size_t)i2d_ECDSA_SIG(s, &der);
        ECDSA_SIG_free(s);
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(ctx, der ? der : signature, n, (const unsigned char *)token.ptr, dot - 1) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return good;
}

static const struct json *claims_of(struct arena *a, str token) {
    str part;
    unsigned char text[4096];
    const struct json *v;
    assert_true(str_split(&token, '.', &part) && str_split(&token, '.', &part));
    size_t n = decode(part, text);
    assert_ok(json_parse(a, (str){(const char *)text, n}, NULL, &v));
    return v;
}

static str text_of(const struct json *v, const char *key) {
    str s;
    assert_ok(json_get_string(v, str_from(key), &s));
    return s;
}

static void tokens_verify(void **state) {
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256"), *small = EVP_RSA_gen(1024);
    str token, again;
    assert_ok(jwt_sign(*state, JWT_RS256, STR("{\"alg\":\"RS256\"}"), STR("{\"iss\":\"x\"}"), pem_of(*state, rsa), &token));
    assert_true(verifies(rsa, token) && str_starts(token, STR("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.")));
    /* A key pasted into one line is the same key. */
    str pem = pem_of(*state, rsa);
    struct buf *line = buf_in(*state, 8192);
    for (size_t i = 0; i < pem.len; i++)
        buf_add(line, pem.ptr[i] == '\n' ? STR("\\n") : str_slice(pem, i, i + 1));
    assert_ok(jwt_sign(*state, JWT_RS256, STR("{\"alg\":\"RS256\"}"), STR("{\"iss\":\"x\"}"), buf_str(line), &again));
    assert_true(str_equal(token, again));
    assert_ok(jwt_sign(*state, JWT_ES256, STR("{}"), STR("{}"), pem_of(*state, ec), &token));
    assert_true(verifies(ec, token));
    assert_fails(jwt_sign(*state, JWT_RS256, STR("{}"), STR("{}"), pem_of(*state, ec), &token), ERR_INPUT,
                 "connector_credential");
    assert_fails(jwt_sign(*state, JWT_RS256, STR("{}"), STR("{}"), pem_of(*state, small), &token), ERR_INPUT,
                 "connector_credential");
    assert_fails(jwt_sign(*state, JWT_RS256, STR("{}"), STR("{}"), STR("not a key"), &token), ERR_INPUT,
                 "connector_credential");
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(small);
}

/* ---- flows ---- */

#define HEAD "connector: 1\nname: x\ntitle: X\nkind: crm\nbase_url: https://api.example\noperations: {a: {url: /a}}\n"

static struct connector_answer answer(int status, const char *body) {
    return (struct connector_answer){.status = status, .body = str_from(body)};
}

static void refresh_token_flow(void **state) {
    struct place p = place_new(
        state,
        HEAD
        "settings: {id: {help: i}, secret: {secret: true, help: s}, refresh: {secret: true, help: r}}\n"
        "authentication: {type: oauth_refresh, token_url: 'https://login.example/token', client_id: '{setting.id}', "
        "client_secret: '{setting.secret}', refresh_token: '{setting.refresh}', base_from: instance_url, scheme: Zoho-x}\n",
        "{\"id\":\"a&b\",\"secret\":\"s=1\",\"refresh\":\"r1\"}");
    struct connector_request r;
    struct connector_token t;
    assert_true(connector_auth_has_token(p.binding));
    assert_ok(connector_token_request(p.arena, p.binding, (str){0}, NOW_MS, &r));
    assert_str(r.url, "https://login.example/token");
    assert_str(r.body, "grant_type=refresh_token&client_id=a%26b&client_secret=s%3D1&refresh_token=r1");
    assert_ok(connector_token_request(p.arena, p.binding, STR("newer"), NOW_MS, &r));
    assert_true(str_ends(r.body, STR("refresh_token=newer")));
    struct connector_answer good = answer(
        200,
        "{\"access_token\":\"t1\",\"refresh_token\":\"r2\",\"expires_in\":1800,\"instance_url\":\"https://eu.example\"}");
    assert_ok(connector_token_read(p.arena, p.binding, &good, NOW_MS, &t));
    assert_str(t.access, "t1");
    assert_str(t.refresh, "r2");
    assert_str(t.base_url, "https://eu.example");
    assert_int_equal(t.expires_ms, NOW_MS + 1800000);
    struct connector_request call = {.method = STR("GET"), .url = STR("https://eu.example/a")};
    assert_ok(connector_authenticate(p.arena, p.binding, &t, NOW_MS, &call));
    assert_str(field(&call, "Authorization"), "Zoho-x t1");
    assert_int_equal(call.secret_header, 1);
    assert_fails(connector_authenticate(p.arena, p.binding, NULL, NOW_MS, &call), ERR_INPUT, "connector_credential");
}

static void token_answers_that_are_none(void **state) {
    struct place p = place_new(state,
                               HEAD "settings: {id: {help: i}}\nauthentication: {type: oauth_client, token_url: "
                                    "'https://login.example/token', client_id: '{setting.id}', client_secret: x}\n",
                               "{\"id\":\"i\"}");
    const struct {
        int status;
        const char *body;
        err code;
        const char *slug;
    } bad[] = {{400, "{\"error\":\"invalid_grant\",\"error_description\":\"user hasn't approved\"}", ERR_DENIED,
                "connector_token_refused"},
               {200, "{\"error\":\"invalid_code\"}", ERR_DENIED, "connector_token_refused"},
               {401, "<html>", ERR_DENIED, "connector_token_refused"},
               {429, "", ERR_AGAIN, "connector_token_later"},
               {503, "", ERR_AGAIN, "connector_token_later"},
               {200, "{\"access_token\":5}", ERR_REMOTE, "connector_token_form"},
               {200, "{\"access_to", ERR_REMOTE, "connector_token_form"},
               {200, "[]", ERR_REMOTE, "connector_token_form"}};
    struct connector_token t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct connector_answer x = answer(bad[i].status, bad[i].body);
        assert_fails(connector_token_read(p.arena, p.binding, &x, NOW_MS, &t), bad[i].code, bad[i].slug);
    }
    struct connector_answer evil = answer(200, "{\"access_token\":\"a\\r\\nX-Evil: 1\"}");
    struct connector_request call = {.method = STR("GET"), .url = STR("https://api.example/a")};
    assert_ok(connector_token_read(p.arena, p.binding, &evil, NOW_MS, &t));
    assert_fails(connector_authenticate(p.arena, p.binding, &t, NOW_MS, &call), ERR_INPUT, "connector_credential");
}

static void jwt_bearer_and_service_account(void **state) {
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    str pem = pem_of(*state, rsa);
    struct buf *settings = buf_in(*state, 16384), *account = buf_in(*state, 16384);
    struct json_writer w;
    json_write_begin(&w, account, 0);
    json_open_object(&w);
    json_put_string(&w, STR("client_email"), STR("bot@project.example"));
    json_put_string(&w, STR("private_key"), pem);
    json_put_string(&w, STR("private_key_id"), STR("kid1"));
    json_close_object(&w);
    json_write_begin(&w, settings, 0);
    json_open_object(&w);
    json_put_string(&w, STR("pem"), pem);
    json_put_string(&w, STR("account"), buf_str(account));
    json_put_string(&w, STR("authentication"), STR("account"));
    json_close_object(&w);
    buf_add_byte(settings, 0);
    struct place p =
        place_new(state,
                  HEAD "settings: {pem: {secret: true, help: p}, account: {secret: true, help: a}}\n"
                       "authentication:\n"
                       "  jwt: {type: oauth_jwt, token_url: 'https://login.example/token', issuer: consumer, subject: "
                       "me@x.example, audience: "
                       "'https://login.example', key: '{setting.pem}'}\n"
                       "  account: {type: service_account, key: '{setting.account}', scope: 'https://scope.example/a'}\n",
                  settings->ptr);
    struct connector_request r;
    assert_ok(connector_token_request(p.arena, p.binding, (str){0}, NOW_MS, &r));
    assert_str(r.url, "https://oauth2.googleapis.com/token");
    str assertion = str_slice(r.body, (size_t)str_find(r.body, STR("assertion=")) + 10, r.body.len);
    assert_true(verifies(rsa, assertion));
    const struct json *claims = claims_of(p.arena, assertion);
    int64_t n;
    assert_str(text_of(claims, "iss"), "bot@project.example");
    assert_str(text_of(claims, "aud"), "https://oauth2.googleapis.com/token");
    assert_str(text_of(claims, "scope"), "https://scope.example/a");
    assert_ok(json_get_integer(claims, STR("exp"), &n));
    assert_int_equal(n, NOW_MS / 1000 + 3600);
    EVP_PKEY_free(rsa);
}

static void keys_in_headers_and_queries(void **state) {
    struct place p =
        place_new(state,
                  HEAD "settings: {k: {secret: true, help: k}}\nauthentication: {type: query, name: api_key, value: "
                       "'{setting.k}'}\n",
                  "{\"k\":\"a b&c\"}");
    struct connector_request r = {.method = STR("GET"), .url = STR("https://api.example/a?x=1")};
    assert_ok(connector_authenticate(p.arena, p.binding, NULL, NOW_MS, &r));
    assert_str(r.url, "https://api.example/a?x=1&api_key=a%20b%26c");
    assert_true(r.secret_url);
    p = place_new(state, HEAD "settings: {u: {help: u}}\nauthentication: {type: basic, user: '{setting.u}'}\n",
                  "{\"u\":\"Aladdin\"}");
    r = (struct connector_request){.method = STR("GET"), .url = STR("https://api.example/a")};
    assert_ok(connector_authenticate(p.arena, p.binding, NULL, NOW_MS, &r));
    assert_str(field(&r, "authorization"), "Basic QWxhZGRpbjo=");
    p = place_new(
        state, HEAD "settings: {u: {secret: true, help: u}}\nauthentication: {type: bearer, token: '{setting.u}'}\n", "{}");
    assert_fails(connector_authenticate(p.arena, p.binding, NULL, NOW_MS, &r), ERR_INPUT, "connector_input");
    assert_false(has(str_from(err_text()), "Aladdin"));
}

static void snowflake_key_pair(void **state) {
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    struct buf *settings = buf_in(*state, 16384);
    struct json_writer w;
    str fingerprint, pem = pem_of(*state, rsa);
    json_write_begin(&w, settings, 0);
    json_open_object(&w);
    json_put_string(&w, STR("pem"), pem);
    json_close_object(&w);
    buf_add_byte(settings, 0);
    struct place p =
        place_new(state,
                  HEAD "settings: {pem: {secret: true, help: p}}\nauthentication: {type: snowflake_key, issuer: "
                       "xy12345.galena, key: '{setting.pem}'}\n",
                  settings->ptr);
    struct connector_request r = {.method = STR("POST"), .url = STR("https://x.example/")};
    assert_ok(connector_authenticate(p.arena, p.binding, NULL, NOW_MS, &r));
    assert_str(field(&r, "X-Snowflake-Authorization-Token-Type"), "KEYPAIR_JWT");
    str token = str_slice(field(&r, "Authorization"), 7, SIZE_MAX);
    assert_true(verifies(rsa, token));
    const struct json *claims = claims_of(p.arena, token);
    assert_ok(jwt_key_fingerprint(p.arena, pem, &fingerprint));
    assert_int_equal(fingerprint.len, 7 + 44);
    assert_str(text_of(claims, "sub"), "XY12345.GALENA");
    assert_true(str_equal(text_of(claims, "iss"), str_format(p.arena, "XY12345.GALENA.%.*s", STR_ARG(fingerprint))));
    EVP_PKEY_free(rsa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(sigv4_get_vanilla),
        ARENA_TEST(sigv4_bedrock),
        ARENA_TEST(sigv4_orders_the_query),
        ARENA_TEST(tokens_verify),
        ARENA_TEST(refresh_token_flow),
        ARENA_TEST(token_answers_that_are_none),
        ARENA_TEST(jwt_bearer_and_service_account),
        ARENA_TEST(keys_in_headers_and_queries),
        ARENA_TEST(snowflake_key_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
