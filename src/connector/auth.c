/* auth.c — puts credentials on requests, asks for tokens and reads what is answered. */
#include "connector/auth.h"

#include "connector/template_priv.h"

#include <openssl/evp.h>

#define GRANT_JWT     "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define GOOGLE_TOKENS "https://oauth2.googleapis.com/token"

bool connector_auth_has_token(const struct connector_binding *b) {
    return b->auth->type == AUTH_OAUTH_CLIENT || b->auth->type == AUTH_OAUTH_REFRESH || b->auth->type == AUTH_OAUTH_JWT ||
           b->auth->type == AUTH_SERVICE_ACCOUNT;
}

/* "" for what is not there at all. */
static err fill(struct arena *a, const struct connector_binding *b, struct connector_template t, str *out) {
    const struct template_values v = {.binding = b};
    bool absent;
    *out = STR("");
    if (!t.text.ptr)
        return OK;
    TRY(template_fill(a, &v, t, USE_PLAIN, &absent, NULL, out));
    if (absent)
        *out = STR("");
    return OK;
}

static err missing(const struct connector_binding *b, const char *what) {
    return fail(ERR_INPUT, "connector_credential", "%.*s: %s is missing or cannot be sent", STR_ARG(b->connector->name),
                what);
}

static err add_field(struct connector_request *r, str name, str value, bool secret) {
    if (r->n_header == CONNECTOR_REQUEST_FIELDS)
        return fail(ERR_LIMIT, "connector_request_size", "more than %d header fields", CONNECTOR_REQUEST_FIELDS);
    if (!http_field_sendable((struct http_field){name, value}))
        return fail(ERR_INPUT, "connector_credential", "the credential has characters that a header cannot carry");
    r->secret_header |= secret ? UINT64_C(1) << r->n_header : 0;
    r->header[r->n_header++] = (struct http_field){name, value};
    return OK;
}

static str base64(struct arena *a, str s) {
    unsigned char *text = arena_alloc(a, 4 * ((s.len + 2) / 3) + 1);
    int n = EVP_EncodeBlock(text, (const unsigned char *)s.ptr, (int)s.len);
    return (str){(const char *)text, (size_t)n};
}

static err add_basic(struct arena *a, struct connector_request *r, str user, str password) {
    str pair = str_format(a, "%.*s:%.*s", STR_ARG(user), STR_ARG(password));
    return add_field(r, STR("Authorization"), str_format(a, "Basic %.*s", STR_ARG(base64(a, pair))), true);
}

/* ---- assertions ---- */

static void put_text(struct json_writer *w, const char *key, str value) {
    if (value.len > 0)
        json_put_string(w, str_from(key), value);
}

struct assertion {
    str issuer, subject, audience, scope, key, key_id;
    int64_t life_s;
    enum jwt_algorithm algorithm;
    bool short_lived; /* iss and iat only (APNs) */
};

static err assert_jwt(struct arena *a, const struct assertion *x, int64_t now_ms, str *out) {
    struct buf *head = buf_in(a, 8192), *claims = buf_in(a, 8192);
    struct json_writer w;
    json_write_begin(&w, head, 0);
    json_open_object(&w);
    json_put_string(&w, STR("alg"), x->algorithm == JWT_ES256 ? STR("ES256") : STR("RS256"));
    if (!x->short_lived)
        json_put_string(&w, STR("typ"), STR("JWT"));
    put_text(&w, "kid", x->key_id);
    json_close_object(&w);
    json_write_begin(&w, claims, 0);
    json_open_object(&w);
    put_text(&w, "iss", x->issuer);
    put_text(&w, "sub", x->subject);
    put_text(&w, "aud", x->audience);
    put_text(&w, "scope", x->scope);
    json_put_integer(&w, STR("iat"), now_ms / 1000);
    if (!x->short_lived)
        json_put_integer(&w, STR("exp"), now_ms / 1000 + x->life_s);
    json_close_object(&w);
    TRY(buf_check(head));
    TRY(buf_check(claims));
    return jwt_sign(a, x->algorithm, buf_str(head), buf_str(claims), x->key, out);
}

static err read_assertion(struct arena *a, const struct connector_binding *b, struct assertion *x) {
    const struct connector_auth *auth = b->auth;
    *x = (struct assertion){.life_s = auth->jwt_life_s};
    TRY(fill(a, b, auth->issuer, &x->issuer));
    TRY(fill(a, b, auth->subject, &x->subject));
    TRY(fill(a, b, auth->audience, &x->audience));
    TRY(fill(a, b, auth->key_id, &x->key_id));
    return fill(a, b, auth->key, &x->key);
}

/* Google's key file is JSON; its members are the issuer and the key. */
static err read_account(struct arena *a, const struct connector_binding *b, struct assertion *x, str *token_url) {
    static const struct json_limits limits = {.max_byte = 65536, .max_depth = 8, .max_value = 200};
    str text;
    const struct json *v;
    *x = (struct assertion){.life_s = 3600};
    TRY(fill(a, b, b->auth->key, &text));
    if (json_parse(a, text, &limits, &v) != OK || json_get_string(v, STR("client_email"), &x->issuer) != OK ||
        json_get_string(v, STR("private_key"), &x->key) != OK)
        return missing(b, "a service account's key file (JSON with client_email and private_key)");
    if (json_get_string(v, STR("private_key_id"), &x->key_id) != OK)
        x->key_id = STR("");
    TRY(fill(a, b, b->auth->subject, &x->subject));
    TRY(fill(a, b, b->auth->scope, &x->scope));
    TRY(fill(a, b, b->auth->token_url, token_url));
    if (token_url->len == 0 && json_get_string(v, STR("token_uri"), token_url) != OK)
        *token_url = STR(GOOGLE_TOKENS);
    /* Who gets the assertion is who it is for. */
    TRY(fill(a, b, b->auth->audience, &x->audience));
    if (x->audience.len == 0)
        x->audience = STR(GOOGLE_TOKENS);
    return OK;
}

/* ---- token requests ---- */

static void add_form(struct buf *form, const char *name, str value) {
    if (value.len == 0)
        return;
    if (form->len > 0)
        buf_add_byte(form, '&');
    template_encode(form, str_from(name));
    buf_add_byte(form, '=');
    template_encode(form, value);
}

static err add_client(struct arena *a, const struct connector_binding *b, struct buf *form, struct connector_request *r) {
    str id, secret;
    TRY(fill(a, b, b->auth->client_id, &id));
    TRY(fill(a, b, b->auth->client_secret, &secret));
    if (b->auth->client_basic)
        return add_basic(a, r, id, secret);
    add_form(form, "client_id", id);
    add_form(form, "client_secret", secret);
    return OK;
}

static err add_grant(struct arena *a, const struct connector_binding *b, str refresh, int64_t now_ms, struct buf *form,
                     struct connector_request *r, str *account_url) {
    struct assertion x;
    str text;
    switch (b->auth->type) {
    case AUTH_OAUTH_CLIENT:
        add_form(form, "grant_type", STR("client_credentials"));
        TRY(fill(a, b, b->auth->scope, &text));
        add_form(form, "scope", text);
        return add_client(a, b, form, r);
    case AUTH_OAUTH_REFRESH:
        add_form(form, "grant_type", STR("refresh_token"));
        if (refresh.len == 0)
            TRY(fill(a, b, b->auth->refresh_token, &refresh));
        if (refresh.len == 0)
            return missing(b, "the refresh token");
        TRY(add_client(a, b, form, r));
        add_form(form, "refresh_token", refresh);
        return OK;
    case AUTH_OAUTH_JWT:
        TRY(read_assertion(a, b, &x));
        break;
    default:
        TRY(read_account(a, b, &x, account_url));
        break;
    }
    TRY(assert_jwt(a, &x, now_ms, &text));
    add_form(form, "grant_type", STR(GRANT_JWT));
    add_form(form, "assertion", text);
    return OK;
}

/* With a base URL given by the user (a test world), tokens come from there as well, under their own path. */
static str move_to_base(struct arena *a, const struct connector_binding *b, str url) {
    ptrdiff_t scheme = str_find(url, STR("://"));
    if (!b->base_url.ptr || scheme < 0)
        return url;
    str rest = str_slice(url, (size_t)scheme + 3, url.len), base = b->base_url;
    ptrdiff_t slash = str_find_byte(rest, '/');
    while (str_ends(base, STR("/")))
        base.len--;
    return str_format(a, "%.*s%.*s", STR_ARG(base), STR_ARG(slash < 0 ? STR("") : str_slice(rest, (size_t)slash, rest.len)));
}

err connector_token_request(struct arena *a, const struct connector_binding *b, str refresh, int64_t now_ms,
                            struct connector_request *out) {
    struct connector_request r = {.method = STR("POST")};
    struct buf *form = buf_in(a, 1 << 17);
    const struct template_values v = {.binding = b};
    str account_url = {0}, value;
    TRY(add_grant(a, b, refresh, now_ms, form, &r, &account_url));
    for (size_t i = 0; i < b->auth->n_extra; i++) {
        TRY(fill(a, b, b->auth->extra[i].value, &value));
        add_form(form, b->auth->extra[i].name.ptr, value);
    }
    if (account_url.ptr)
        r.url = account_url;
    else
        TRY(template_fill(a, &v, b->auth->token_url, USE_HOST, NULL, NULL, &r.url));
    r.url = move_to_base(a, b, r.url);
    if (!template_is_origin(r.url))
        return missing(b, "the address of the token service");
    TRY(add_field(&r, STR("Content-Type"), STR("application/x-www-form-urlencoded"), false));
    TRY(add_field(&r, STR("Accept"), STR("application/json"), false));
    r.body = buf_str(form);
    *out = r;
    return buf_check(form);
}

static str text_member(const struct json *v, const char *key) {
    const struct json *m = json_get(v, str_from(key));
    return m && m->type == JSON_STRING ? m->string : (str){0};
}

static int64_t life_of(const struct json *v, int64_t fallback_s) {
    const struct json *m = json_get(v, STR("expires_in"));
    int64_t s = m && m->type == JSON_INTEGER ? m->integer : 0;
    for (size_t i = 0; m && m->type == JSON_STRING && i < m->string.len && i < 9; i++)
        s = m->string.ptr[i] >= '0' && m->string.ptr[i] <= '9' ? s * 10 + (m->string.ptr[i] - '0') : s;
    return s > 0 && s < 400 * 86400ll ? s : fallback_s;
}

err connector_token_read(struct arena *a, const struct connector_binding *b, const struct connector_answer *answer,
                         int64_t now_ms, struct connector_token *out) {
    static const struct json_limits limits = {.max_byte = 1 << 20, .max_depth = 16, .max_value = 1000};
    const struct json *v = NULL;
    str name = b->connector->name;
    if (answer->status == 429 || answer->status == 408 || answer->status >= 500)
        return fail(ERR_AGAIN, "connector_token_later", "%.*s gives no token now: HTTP status %d", STR_ARG(name),
                    answer->status);
    bool parsed = json_parse(a, answer->body, &limits, &v) == OK;
    str error = text_member(v, "error"), more = text_member(v, "error_description");
    if (answer->status >= 400 || error.len > 0)
        return fail(ERR_DENIED, "connector_token_refused", "%.*s refuses the credential: %.*s%s%.*s", STR_ARG(name),
                    STR_ARG(error.len > 0 ? str_slice(error, 0, 80) : STR("no reason given")), more.len > 0 ? ": " : "",
                    STR_ARG(str_slice(more, 0, 200)));
    str access = text_member(v, "access_token");
    if (!parsed || access.len == 0)
        return fail(ERR_REMOTE, "connector_token_form", "%.*s answers a token request without access_token", STR_ARG(name));
    *out = (struct connector_token){.access = access,
                                    .refresh = text_member(v, "refresh_token"),
                                    .expires_ms = now_ms + 1000 * life_of(v, b->auth->token_life_s)};
    if (b->auth->base_from.len > 0 && !b->base_url.ptr) {
        str base = text_member(v, b->auth->base_from.ptr);
        if (base.len > 0 && !template_is_origin(base))
            return fail(ERR_REMOTE, "connector_token_form", "%.*s answers a token request with an address that is none",
                        STR_ARG(name));
        out->base_url = base.len > 0 ? base : (str){0};
    }
    return OK;
}

/* ---- on the request ---- */

/* ACCOUNT.USER in capitals, without a region behind the account's locator; dots of other account names become dashes. */
static err snowflake(struct arena *a, const struct connector_binding *b, int64_t now_ms, str *out) {
    struct assertion x;
    str fingerprint;
    TRY(read_assertion(a, b, &x));
    TRY(jwt_key_fingerprint(a, x.key, &fingerprint));
    char *name = str_cstr(a, x.issuer);
    for (size_t i = 0; i < x.issuer.len; i++)
        name[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
    x.subject = (str){name, x.issuer.len};
    x.issuer = str_format(a, "%.*s.%.*s", STR_ARG(x.subject), STR_ARG(fingerprint));
    x.life_s = 3540;
    return assert_jwt(a, &x, now_ms, out);
}

static err apns(struct arena *a, const struct connector_binding *b, int64_t now_ms, str *out) {
    struct assertion x;
    TRY(read_assertion(a, b, &x));
    x.algorithm = JWT_ES256;
    x.short_lived = true;
    /* The same token for half an hour: Apple refuses those that change more often than every 20 minutes. */
    return assert_jwt(a, &x, now_ms - now_ms % 1800000, out);
}

static err add_query(struct arena *a, struct connector_request *r, str name, str value) {
    struct buf *url = buf_in(a, CONNECTOR_MAX_URL_BYTE);
    buf_add(url, r->url);
    buf_add_byte(url, str_find_byte(r->url, '?') < 0 ? '?' : '&');
    template_encode(url, name);
    buf_add_byte(url, '=');
    template_encode(url, value);
    r->url = buf_str(url);
    r->secret_url = true;
    return buf_check(url);
}

static err sign_aws(struct arena *a, const struct connector_binding *b, int64_t now_ms, struct connector_request *r) {
    struct sigv4_key k;
    TRY(fill(a, b, b->auth->access_key, &k.access_key));
    TRY(fill(a, b, b->auth->secret_key, &k.secret_key));
    TRY(fill(a, b, b->auth->session_token, &k.session_token));
    TRY(fill(a, b, b->auth->region, &k.region));
    TRY(fill(a, b, b->auth->service, &k.service));
    return sigv4_sign(a, &k, now_ms, r);
}

static err add_token(struct arena *a, const struct connector_binding *b, str scheme, str token,
                     struct connector_request *r) {
    if (token.len == 0)
        return missing(b, "the token");
    str value = scheme.len > 0 ? str_format(a, "%.*s %.*s", STR_ARG(scheme), STR_ARG(token)) : token;
    return add_field(r, STR("Authorization"), value, true);
}

err connector_authenticate(struct arena *a, const struct connector_binding *b, const struct connector_token *token,
                           int64_t now_ms, struct connector_request *request) {
    const struct connector_auth *x = b->auth;
    str value, user;
    switch (x->type) {
    case AUTH_HEADER:
        TRY(fill(a, b, x->field.value, &value));
        return value.len > 0 ? add_field(request, x->field.name, value, true) : missing(b, "the key");
    case AUTH_QUERY:
        TRY(fill(a, b, x->field.value, &value));
        return value.len > 0 ? add_query(a, request, x->field.name, value) : missing(b, "the key");
    case AUTH_BASIC:
        TRY(fill(a, b, x->user, &user));
        TRY(fill(a, b, x->password, &value));
        return user.len > 0 ? add_basic(a, request, user, value) : missing(b, "the user");
    case AUTH_BEARER:
        TRY(fill(a, b, x->password, &value));
        return add_token(a, b, x->scheme, value, request);
    case AUTH_OAUTH_CLIENT:
    case AUTH_OAUTH_REFRESH:
    case AUTH_OAUTH_JWT:
    case AUTH_SERVICE_ACCOUNT:
        return add_token(a, b, x->scheme, token ? token->access : (str){0}, request);
    case AUTH_AWS_SIGV4:
        return sign_aws(a, b, now_ms, request);
    case AUTH_SNOWFLAKE_KEY:
        TRY(snowflake(a, b, now_ms, &value));
        TRY(add_field(request, STR("X-Snowflake-Authorization-Token-Type"), STR("KEYPAIR_JWT"), false));
        return add_token(a, b, x->scheme, value, request);
    case AUTH_APNS:
        TRY(apns(a, b, now_ms, &value));
        return add_token(a, b, x->scheme, value, request);
    case AUTH_NONE:
    case AUTH_TYPE_COUNT:
    default:
        return OK;
    }
}
