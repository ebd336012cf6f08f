/* hook.c — POST /hooks/{connector}: signed requests of other programs, which bring leads.
 *
 * "generic" is signed as net/signature.h says. A message that comes again is the same request to the store (its name is the
 * idempotency key, which is durable), so that nothing is done twice and a sender that missed the answer gets it again. The
 * signature does not cover the tenant of the query: the cache remembers for which one a message came. */
#include "api/api_priv.h"
#include "base/hash.h"
#include "net/signature.h"

enum { WINDOW_S = 300, REMEMBER_MS = 2 * WINDOW_S * 1000 };

/* A name for time and body, which are what is signed. */
static str message_name(struct call *c, int64_t at_s) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    char hex[HASH_HEX_BYTE + 1];
    hash_begin(&h);
    hash_add(&h, str_format(c->arena, "%lld.", (long long)at_s));
    hash_add(&h, c->r->body);
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
    return str_format(c->arena, "hook:%s", hex);
}

static err check_replay(struct call *c, str name) {
    struct cache *cache = c->api->c.cache;
    str tenant;
    if (!cache_get(cache, name, c->arena, &tenant)) {
        cache_put(cache, name, c->tenant, REMEMBER_MS);
        return OK;
    }
    if (str_equal(tenant, c->tenant))
        return OK;
    return fail(ERR_DENIED, "hook_replayed", "this message came before for another tenant");
}

static err check_signature(struct call *c, int64_t *at_s) {
    const struct api_config *o = &c->api->c;
    str given = http_request_header(c->r, STR(SIGNATURE_FIELD));
    if (given.len == 0)
        return fail(ERR_DENIED, "signature_absent", "the request has no " SIGNATURE_FIELD);
    return signature_check(given, o->hook_secret, o->n_hook_secret, o->clock.wall_ms() / 1000, WINDOW_S, c->r->body, at_s);
}

err hook_post(struct call *c) {
    static const char *const parameter[] = {"tenant"};
    int64_t at_s;
    if (!str_equal(c->id, STR("generic")) || c->api->c.n_hook_secret == 0)
        return fail(ERR_ABSENT, "connector_unknown", "there is no such connector here");
    TRY(check_signature(c, &at_s));
    TRY(api_check_query(c, parameter, 1));
    c->tenant = STR("default");
    c->actor = STR("hook:generic");
    TRY(api_query_text(c, "tenant", API_TENANT_BYTE, &c->tenant));
    TRY(api_check_tenant(c->tenant));
    str name = message_name(c, at_s);
    TRY(check_replay(c, name));
    return leads_take(c, STR("generic"), name, RUN_NORMAL);
}
