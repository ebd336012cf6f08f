/* webhook.c — checks the signatures that outside systems put on their calls. */
#include "connector/webhook.h"

#include "base/hash.h"
#include "net/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { MAX_SECRET = 8, DIGEST_MAX = 64 };

struct check {
    struct arena *arena;
    const struct connector_webhook *webhook;
    const struct webhook_call *call;
    int64_t now_ms;
};

static str field(const struct check *c, const char *name) {
    return http_field_value(c->call->header, c->call->n_header, str_from(name));
}

static err unsigned_call(const char *what) { return fail(ERR_DENIED, "webhook_unsigned", "the call has no %s", what); }

static str hex_of(struct arena *a, const unsigned char *bytes, size_t n) {
    char *text = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return (str){text, 2 * n};
}

static str base64_of(struct arena *a, const unsigned char *bytes, size_t n) {
    unsigned char *text = arena_alloc(a, 4 * ((n + 2) / 3) + 1);
    int len = EVP_EncodeBlock(text, bytes, (int)n);
    return (str){(const char *)text, (size_t)len};
}

static str sha256_of(struct arena *a, const str *part, size_t n) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    hash_begin(&h);
    for (size_t i = 0; i < n; i++)
        hash_add(&h, part[i]);
    hash_end(&h, digest);
    return hex_of(a, digest, HASH_BYTE);
}

/* What HubSpot signs in v3: some escapes of the URL are undone first. */
static str decode_some(struct arena *a, str url) {
    static const char codes[][3] = {"3A", "2F", "3F", "40", "21", "24", "27", "28", "29", "2A", "2C", "3B"};
    static const char signs[] = ":/?@!$'()*,;";
    char *out = arena_alloc(a, url.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < url.len; i++) {
        char c = url.ptr[i];
        for (size_t k = 0; c == '%' && i + 2 < url.len && k < sizeof signs - 1; k++)
            if (str_equal_nocase(str_slice(url, i + 1, i + 3), (str){codes[k], 2})) {
                c = signs[k];
                i += 2;
            }
        out[n++] = c;
    }
    return (str){out, n};
}

static bool read_integer(str s, int64_t *out) {
    int64_t n = 0;
    if (s.len == 0 || s.len > 16)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        n = n * 10 + (s.ptr[i] - '0');
    }
    *out = n;
    return true;
}

/* Not older, and not further in the future, than the window. */
static err check_time(const struct check *c, str stamp, int64_t unit_ms) {
    int64_t at;
    if (!read_integer(stamp, &at))
        return fail(ERR_INPUT, "webhook_malformed", "the time of the call is not a number");
    int64_t age_ms = c->now_ms - at * unit_ms, window_ms = c->webhook->window_s * 1000;
    if (age_ms > window_ms || age_ms < -window_ms)
        return fail(ERR_DENIED, "webhook_expired", "the call is %lld s away from now; %lld are allowed",
                    (long long)(age_ms / 1000), (long long)c->webhook->window_s);
    return OK;
}

static bool hubspot_v3(const struct check *c, str secret, str given, str stamp) {
    const str part[] = {c->call->method, decode_some(c->arena, c->call->url), c->call->body, stamp};
    unsigned char mac[SIGNATURE_BYTE];
    signature_hmac(secret, part, 4, mac);
    return signature_matches_base64(given, mac);
}

static bool hubspot_old(const struct check *c, str secret, str given, bool v2) {
    const str one[] = {secret, c->call->body}, two[] = {secret, c->call->method, c->call->url, c->call->body};
    str made = v2 ? sha256_of(c->arena, two, 4) : sha256_of(c->arena, one, 2);
    return signature_equal(str_lower(c->arena, given), made);
}

static bool slack(const struct check *c, str secret, str given, str stamp) {
    const str part[] = {STR("v0:"), stamp, STR(":"), c->call->body};
    unsigned char mac[SIGNATURE_BYTE];
    signature_hmac(secret, part, 4, mac);
    return str_starts(given, STR("v0=")) && signature_matches_hex(str_slice(given, 3, given.len), mac);
}

static bool hmac(const struct check *c, str secret, str given) {
    const struct connector_webhook *w = c->webhook;
    unsigned char mac[DIGEST_MAX];
    unsigned n = 0;
    if (!str_starts(given, w->prefix))
        return false;
    given = str_slice(given, w->prefix.len, given.len);
    if (w->digest == DIGEST_SHA256_PLAIN) {
        const str part[] = {secret, c->call->body};
        return signature_equal(str_lower(c->arena, given), sha256_of(c->arena, part, 2));
    }
    if (!HMAC(w->digest == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256(), secret.ptr, (int)secret.len,
              (const unsigned char *)(c->call->body.ptr ? c->call->body.ptr : ""), c->call->body.len, mac, &n))
        return false;
    return w->base64 ? signature_equal(given, base64_of(c->arena, mac, n))
                     : signature_equal(str_lower(c->arena, given), hex_of(c->arena, mac, n));
}

/* The shared token of a body that is JSON. */
static err member_of(const struct check *c, str *out) {
    static const struct json_limits limits = {.max_byte = 8 << 20, .max_depth = 64, .max_value = 200000};
    const struct json *v;
    if (json_parse(c->arena, c->call->body, &limits, &v) != OK)
        return fail(ERR_INPUT, "webhook_malformed", "the body of the call is not JSON");
    const struct json *token = json_get(v, c->webhook->member);
    *out = token && token->type == JSON_STRING ? token->string : (str){0};
    return OK;
}

struct given {
    str code, stamp;
    enum { GIVEN_V1, GIVEN_V2, GIVEN_V3, GIVEN_OTHER } form;
};

static err read_hubspot(const struct check *c, struct given *g) {
    str v3 = field(c, "X-HubSpot-Signature-v3"), version = field(c, "X-HubSpot-Signature-Version");
    g->stamp = field(c, "X-HubSpot-Request-Timestamp");
    if (v3.ptr) {
        *g = (struct given){v3, g->stamp, GIVEN_V3};
        return OK;
    }
    *g = (struct given){field(c, "X-HubSpot-Signature"), {0}, str_equal_nocase(version, STR("v2")) ? GIVEN_V2 : GIVEN_V1};
    return g->code.ptr ? OK : unsigned_call("X-HubSpot-Signature");
}

static err read_given(const struct check *c, struct given *g) {
    const struct connector_webhook *w = c->webhook;
    *g = (struct given){.form = GIVEN_OTHER};
    switch (w->type) {
    case WEBHOOK_HUBSPOT:
        return read_hubspot(c, g);
    case WEBHOOK_SLACK:
        g->code = field(c, "X-Slack-Signature");
        g->stamp = field(c, "X-Slack-Request-Timestamp");
        return g->code.ptr && g->stamp.ptr ? OK : unsigned_call("X-Slack-Signature");
    case WEBHOOK_TOKEN:
        if (w->member.len > 0)
            TRY(member_of(c, &g->code));
        else
            g->code = http_field_value(c->call->header, c->call->n_header, w->header);
        return g->code.len > 0 ? OK : unsigned_call("token");
    case WEBHOOK_HMAC:
        g->code = http_field_value(c->call->header, c->call->n_header, w->header);
        return g->code.len > 0 ? OK : unsigned_call("signature");
    case WEBHOOK_NONE:
    case WEBHOOK_TYPE_COUNT:
    default:
        return unsigned_call("signature, and its sender has none");
    }
}

static bool genuine(const struct check *c, str secret, const struct given *g) {
    switch (c->webhook->type) {
    case WEBHOOK_HUBSPOT:
        return g->form == GIVEN_V3 ? hubspot_v3(c, secret, g->code, g->stamp)
                                   : hubspot_old(c, secret, g->code, g->form == GIVEN_V2);
    case WEBHOOK_SLACK:
        return slack(c, secret, g->code, g->stamp);
    case WEBHOOK_TOKEN:
        return signature_equal(g->code, secret);
    case WEBHOOK_HMAC:
        return hmac(c, secret, g->code);
    case WEBHOOK_NONE:
    case WEBHOOK_TYPE_COUNT:
    default:
        return false;
    }
}

err webhook_verify(struct arena *a, const struct connector_webhook *w, const str *secret, size_t n_secret, int64_t now_ms,
                   const struct webhook_call *call, str *key) {
    const struct check c = {a, w, call, now_ms};
    struct given g;
    bool good = false;
    TRY(read_given(&c, &g));
    for (size_t i = 0; i < n_secret && i < MAX_SECRET; i++)
        good = (secret[i].len > 0 && genuine(&c, secret[i], &g)) || good;
    if (!good)
        return fail(ERR_DENIED, "webhook_wrong", "the signature of the call was not made with the secret");
    if (w->type == WEBHOOK_SLACK)
        TRY(check_time(&c, g.stamp, 1000));
    if (g.form == GIVEN_V3)
        TRY(check_time(&c, g.stamp, 1));
    if (key) {
        const str part[] = {call->method, STR("\n"), call->url, STR("\n"), g.stamp,
                            STR("\n"),    g.code,    STR("\n"), call->body};
        *key = sha256_of(a, part, sizeof part / sizeof *part);
    }
    return OK;
}
