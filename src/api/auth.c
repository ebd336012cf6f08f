/* auth.c — bearer keys: found by the hash of their token, remembered for some seconds, held to their rates. */
#include "api/api_priv.h"

#include <stdlib.h>

enum { SLOTS = 1024, FRESH_MS = 5000, NAME_BYTE = 128 };

/* A key, or the knowledge that there is none. Everything in the slot itself: a slot may be taken over at any time. */
struct slot {
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
    int64_t until_ms; /* steady; 0: empty */
    bool known;
    struct api_key key; /* its tenant and id are in `text` */
    char text[2 * NAME_BYTE];
};

struct api_auth {
    struct api *api;
    pthread_mutex_t lock; /* guards the slots */
    struct slot *slot;
    pthread_mutex_t reader_lock;
    struct store_reader *reader;
    unsigned char control_hash[VAULT_TOKEN_HASH_BYTE];
    bool has_control;
};

err auth_new(struct api *api, struct api_auth **out) {
    struct api_auth *auth = ARENA_NEW(api->arena, struct api_auth);
    auth->api = api;
    auth->slot = ARENA_ARRAY(api->arena, SLOTS, struct slot);
    pthread_mutex_init(&auth->lock, NULL);
    pthread_mutex_init(&auth->reader_lock, NULL);
    auth->has_control = vault_token_hash(api->c.control_token, auth->control_hash);
    TRY(store_reader_open(api->c.store, api->arena, &auth->reader));
    *out = auth;
    return OK;
}

void auth_stop(struct api_auth *auth) { store_reader_close(auth->reader); }

static int64_t now_ms(const struct api_auth *auth) { return auth->api->c.clock.steady_ns() / 1000000; }

static struct slot *slot_of(struct api_auth *auth, const unsigned char *hash) {
    return &auth->slot[(hash[0] | (unsigned)hash[1] << 8) % SLOTS];
}

/* True when it is remembered whether there is such a key: *known, and then *key, in the arena. */
static bool look(struct api_auth *auth, const unsigned char *hash, struct arena *a, struct api_key *key, bool *known) {
    struct slot *s = slot_of(auth, hash), copy; /* the arena is not used under the lock */
    pthread_mutex_lock(&auth->lock);
    copy = *s;
    pthread_mutex_unlock(&auth->lock);
    if (copy.until_ms <= now_ms(auth) || !vault_equal(copy.hash, hash, VAULT_TOKEN_HASH_BYTE))
        return false;
    *known = copy.known;
    if (copy.known) {
        *key = copy.key;
        key->tenant = str_copy(a, (str){copy.text, copy.key.tenant.len});
        key->id = str_copy(a, (str){copy.text + NAME_BYTE, copy.key.id.len});
    }
    return true;
}

static void keep(struct api_auth *auth, const unsigned char *hash, const struct api_key *key) {
    struct slot *s = slot_of(auth, hash);
    if (key && (key->tenant.len > NAME_BYTE || key->id.len > NAME_BYTE))
        return;
    pthread_mutex_lock(&auth->lock);
    memcpy(s->hash, hash, VAULT_TOKEN_HASH_BYTE);
    s->known = key != NULL;
    if (key) {
        memcpy(s->text, key->tenant.ptr, key->tenant.len);
        memcpy(s->text + NAME_BYTE, key->id.ptr, key->id.len);
        s->key = *key;
        s->key.name = s->key.hint = (str){0};
    }
    s->until_ms = now_ms(auth) + FRESH_MS;
    pthread_mutex_unlock(&auth->lock);
}

static err find(struct api_auth *auth, str token, struct arena *a, struct api_key *out) {
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
    bool known = false;
    if (!vault_token_hash(token, hash))
        return fail(ERR_DENIED, "key_unknown", "this is no key of this service");
    if (look(auth, hash, a, out, &known))
        return known ? OK : fail(ERR_DENIED, "key_unknown", "this is no key of this service, or it was revoked");
    pthread_mutex_lock(&auth->reader_lock);
    err rc = store_key_find(auth->reader, a, token, out);
    pthread_mutex_unlock(&auth->reader_lock);
    if (rc == OK || rc == ERR_DENIED)
        keep(auth, hash, rc == OK ? out : NULL);
    return rc;
}

static bool is_control(const struct api_auth *auth, str token) {
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
    return auth->has_control && vault_token_hash(token, hash) && vault_equal(hash, auth->control_hash, sizeof hash);
}

static err limit(struct call *c, int64_t *after_ms) {
    if (!(c->key->rate > 0))
        return OK;
    double burst = c->key->burst >= 1 ? c->key->burst : c->key->rate < 1 ? 1 : c->key->rate;
    str name = str_format(c->r->arena, "rate:%.*s:%.*s", STR_ARG(c->tenant), STR_ARG(c->key->id));
    if (cache_take(c->api->c.cache, name, c->key->rate, burst, 1, after_ms))
        return OK;
    return fail(ERR_LIMIT, "rate_limited", "this key may make %g requests a second", c->key->rate);
}

static void become_control(struct call *c) {
    struct api_key *key = ARENA_NEW(c->r->arena, struct api_key);
    str tenant = http_request_header(c->r, STR("Galena-Tenant"));
    key->scopes = SCOPE_INGEST | SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN;
    key->tenant = tenant.len > 0 ? tenant : STR("default");
    key->id = STR("control");
    c->key = key;
}

err auth_check(struct call *c, int64_t *after_ms) {
    str given = http_request_header(c->r, STR("Authorization"));
    if (c->route->open)
        return OK;
    if (given.len < 7 || !str_equal_nocase(str_slice(given, 0, 7), STR("Bearer ")))
        return fail(ERR_DENIED, "key_absent", "the request has no key: send \"Authorization: Bearer KEY\"");
    str token = str_trim(str_slice(given, 7, given.len));
    if (is_control(c->api->auth, token)) {
        become_control(c);
    } else {
        struct api_key *key = ARENA_NEW(c->r->arena, struct api_key);
        TRY(find(c->api->auth, token, c->r->arena, key));
        c->key = key;
    }
    c->tenant = c->key->tenant;
    c->actor = str_format(c->r->arena, "key:%.*s", STR_ARG(c->key->id));
    if ((c->key->scopes & c->route->scope) == 0)
        return fail(ERR_DENIED, "key_scope", "this key may not do that");
    return limit(c, after_ms);
}
