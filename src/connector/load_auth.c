/* load_auth.c — reads how a connector proves who asks, and how its callers do. */
#include "connector/load_priv.h"

static const char *const auth_names[] = {"none",          "header",        "query",     "basic",           "bearer",
                                         "oauth_client",  "oauth_refresh", "oauth_jwt", "service_account", "aws_sigv4",
                                         "snowflake_key", "apns",          NULL};
static const char *const webhook_names[] = {"none", "hubspot", "slack", "token", "hmac", NULL};
static const char *const digest_names[] = {"sha256", "sha1", "sha256_plain", NULL};

const char *connector_auth_name(enum connector_auth_type type) { return auth_names[type]; }

/* Which templates each type must have. */
static err check_auth(const struct loader *l, const struct json *v, const struct connector_auth *x) {
    const struct {
        enum connector_auth_type type;
        const char *key;
        const struct connector_template *value;
    } need[] = {
        {AUTH_BASIC, "user", &x->user},
        {AUTH_BEARER, "token", &x->password},
        {AUTH_HEADER, "value", &x->field.value},
        {AUTH_QUERY, "value", &x->field.value},
        {AUTH_OAUTH_CLIENT, "token_url", &x->token_url},
        {AUTH_OAUTH_CLIENT, "client_id", &x->client_id},
        {AUTH_OAUTH_CLIENT, "client_secret", &x->client_secret},
        {AUTH_OAUTH_REFRESH, "token_url", &x->token_url},
        {AUTH_OAUTH_REFRESH, "client_id", &x->client_id},
        {AUTH_OAUTH_REFRESH, "refresh_token", &x->refresh_token},
        {AUTH_OAUTH_JWT, "token_url", &x->token_url},
        {AUTH_OAUTH_JWT, "issuer", &x->issuer},
        {AUTH_OAUTH_JWT, "key", &x->key},
        {AUTH_SERVICE_ACCOUNT, "key", &x->key},
        {AUTH_SERVICE_ACCOUNT, "scope", &x->scope},
        {AUTH_AWS_SIGV4, "access_key", &x->access_key},
        {AUTH_AWS_SIGV4, "secret_key", &x->secret_key},
        {AUTH_AWS_SIGV4, "region", &x->region},
        {AUTH_AWS_SIGV4, "service", &x->service},
        {AUTH_SNOWFLAKE_KEY, "issuer", &x->issuer},
        {AUTH_SNOWFLAKE_KEY, "key", &x->key},
        {AUTH_APNS, "issuer", &x->issuer},
        {AUTH_APNS, "key", &x->key},
        {AUTH_APNS, "key_id", &x->key_id},
    };
    if ((x->type == AUTH_HEADER || x->type == AUTH_QUERY) && x->field.name.len == 0)
        return load_fault(l, v, "authentication by %s says which: name", auth_names[x->type]);
    for (size_t i = 0; i < sizeof need / sizeof *need; i++)
        if (need[i].type == x->type && !need[i].value->text.ptr)
            return load_fault(l, v, "authentication by %s needs %s", auth_names[x->type], need[i].key);
    return OK;
}

static err load_templates(const struct loader *l, const struct json *v, struct connector_auth *x) {
    const struct {
        const char *key;
        struct connector_template *out;
    } part[] = {{"value", &x->field.value},
                {"user", &x->user},
                {"password", &x->password},
                {"token", &x->password},
                {"token_url", &x->token_url},
                {"client_id", &x->client_id},
                {"client_secret", &x->client_secret},
                {"refresh_token", &x->refresh_token},
                {"scope", &x->scope},
                {"issuer", &x->issuer},
                {"subject", &x->subject},
                {"audience", &x->audience},
                {"key", &x->key},
                {"key_id", &x->key_id},
                {"access_key", &x->access_key},
                {"secret_key", &x->secret_key},
                {"session_token", &x->session_token},
                {"region", &x->region},
                {"service", &x->service}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        TRY(load_template(l, v, part[i].key, part[i].out));
    return OK;
}

static err load_one(const struct loader *l, const struct json *v, str name, struct connector_auth *x) {
    int type = AUTH_NONE;
    *x = (struct connector_auth){.scheme = STR("Bearer"), .token_life_s = 3600, .jwt_life_s = 180};
    TRY(load_choice(l, v, "type", auth_names, &type));
    x->type = (enum connector_auth_type)type;
    x->name = name.ptr ? name : str_from(auth_names[type]);
    TRY(load_text(l, v, "name", &x->field.name));
    TRY(load_templates(l, v, x));
    TRY(load_bool(l, v, "client_basic", &x->client_basic));
    TRY(load_text(l, v, "scheme", &x->scheme));
    TRY(load_text(l, v, "base_from", &x->base_from));
    TRY(load_integer(l, v, "token_life_s", 60, 365 * 86400, &x->token_life_s));
    TRY(load_integer(l, v, "assertion_life_s", 60, 3600, &x->jwt_life_s));
    TRY(load_parameters(l, v, "extra", &x->extra, &x->n_extra));
    return check_auth(l, v, x);
}

err load_auth(struct loader *l, const struct json *root) {
    const struct json *v = json_get(root, STR("authentication"));
    bool several = v && v->type == JSON_OBJECT && !json_get(v, STR("type"));
    size_t n = several ? v->count : 1;
    struct connector_auth *list = ARENA_ARRAY(l->arena, n ? n : 1, struct connector_auth);
    l->connector->auth = list;
    l->connector->n_auth = n;
    if (!v) {
        list[0] = (struct connector_auth){.name = STR("none"), .type = AUTH_NONE};
        return OK;
    }
    if (!several)
        return load_one(l, v, (str){0}, &list[0]);
    for (uint32_t i = 0; i < v->count; i++)
        TRY(load_one(l, &v->members[i].value, v->members[i].key, &list[i]));
    return n > 0 ? OK : load_fault(l, v, "authentication names at least one way");
}

err load_webhook(struct loader *l, const struct json *root) {
    const struct json *v = json_get(root, STR("webhook"));
    struct connector_webhook *w = &l->connector->webhook;
    int type = WEBHOOK_NONE, digest = DIGEST_SHA256;
    bool known = false;
    w->window_s = 300;
    if (!v)
        return OK;
    TRY(load_choice(l, v, "type", webhook_names, &type));
    TRY(load_choice(l, v, "digest", digest_names, &digest));
    w->type = (enum connector_webhook_type)type;
    w->digest = (enum webhook_digest)digest;
    TRY(load_text(l, v, "secret", &w->secret));
    TRY(load_text(l, v, "header", &w->header));
    TRY(load_text(l, v, "prefix", &w->prefix));
    TRY(load_text(l, v, "member", &w->member));
    TRY(load_bool(l, v, "base64", &w->base64));
    TRY(load_integer(l, v, "window_s", 1, 86400, &w->window_s));
    for (size_t i = 0; i < l->connector->n_setting; i++)
        known = known || (str_equal(l->connector->setting[i].name, w->secret) && l->connector->setting[i].secret);
    if (w->type != WEBHOOK_NONE && !known)
        return load_fault(l, v, "the secret of webhooks is one of the secret settings");
    if ((w->type == WEBHOOK_HMAC && w->header.len == 0) ||
        (w->type == WEBHOOK_TOKEN && (w->header.len == 0) == (w->member.len == 0)))
        return load_fault(l, v, "a webhook says where its code is: header, or for a token header or member");
    return OK;
}
