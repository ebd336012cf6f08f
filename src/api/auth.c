/* auth.c — bearer keys: found by the hash of their token, remembered for some seconds, held to their rates. */
#include "api/api_priv.h"

enum { SLOTS = 1024, FRESH_MS = 5000, UNKNOWN_PER_S = 20, UNKNOWN_BURST = 200 };

/* A key, or the knowledge that there is none. Everything in the slot itself: a slot may be taken over at any time. */
struct slot {
    unsigned char hash[VAULT_TOKEN_HASH_BYTE];
    int64_t until_ms; /* steady; 0: empty */
    uint64_t epoch;   /* when it was looked up */
    err rc;
    struct api_key key; /* its tenant and id are in `text` */
    char text[2 * API_NAME_BYTE];
};

struct api_auth {
    struct api *api;
    pthread_mutex_t lock; /* guards the slots and the epoch */
    struct slot *slot;
    uint64_t epoch; /* rises when a key is revoked here: what was looked up before counts no more */
    unsigned char control_hash[VAULT_TOKEN_HASH_BYTE];
    bool has_control;
};

static void destroy(void *ctx) {
    struct api_auth *auth = ctx;
    pthread_mutex_destroy(&auth->lock);
}

err auth_new(struct api *api, struct api_auth **out) {
    struct api_auth *auth = ARENA_NEW(api->arena, struct api_auth);
    auth->api = api;
    auth->slot = ARENA_ARRAY(api->arena, SLOTS, struct slot);
    pthread_mutex_init(&auth->lock, NULL);
    arena_defer(api->arena, destroy, auth);
    auth->has_control = vault_token_hash(api->c.control_token, auth->control_hash);
    *out = auth;
    return OK;
}

void auth_forget(struct api_auth *auth) {
    pthread_mutex_lock(&auth->lock);
    auth->epoch++;
    pthread_mutex_unlock(&auth->lock);
}

/* ---- memory ---- */

static int64_t now_ms(const struct api_auth *auth) { return auth->api->c.clock.steady_ns() / 1000000; }

static struct slot *slot_of(struct api_auth *auth, const unsigned char *hash) {
    return &auth->slot[(hash[0] | (unsigned)hash[1] << 8) % SLOTS];
}

/* True when it is remembered what that token is: *rc, and when that is OK *out, in the arena. */
static bool recall(struct api_auth *auth, const unsigned char *hash, struct arena *a, const struct api_key **out, err *rc) {
    struct slot copy; /* the arena is not used under the lock */
    int64_t now = now_ms(auth);
    pthread_mutex_lock(&auth->lock);
    copy = *slot_of(auth, hash);
    bool fresh = copy.until_ms > now && copy.epoch == auth->epoch;
    pthread_mutex_unlock(&auth->lock);
    if (!fresh || !vault_equal(copy.hash, hash, VAULT_TOKEN_HASH_BYTE))
        return false;
    *rc = copy.rc;
    if (copy.rc != OK)
        return true;
    struct api_key *key = arena_copy(a, &copy.key, sizeof copy.key);
    key->tenant = str_copy(a, (str){copy.text, copy.key.tenant.len});
    key->id = str_copy(a, (str){copy.text + API_NAME_BYTE, copy.key.id.len});
    *out = key;
    return true;
}

static uint64_t epoch_of(struct api_auth *auth) {
    pthread_mutex_lock(&auth->lock);
    uint64_t epoch = auth->epoch;
    pthread_mutex_unlock(&auth->lock);
    return epoch;
}

static void keep(struct api_auth *auth, const unsigned char *hash, err rc, const struct api_key *key, uint64_t epoch) {
    if (rc == OK && (key->tenant.len > API_NAME_BYTE || key->id.len > API_NAME_BYTE))
        return;
    struct slot s = {.until_ms = now_ms(auth) + FRESH_MS, .epoch = epoch, .rc = rc};
    memcpy(s.hash, hash, VAULT_TOKEN_HASH_BYTE);
    if (rc == OK) {
        memcpy(s.text, key->tenant.ptr, key->tenant.len);
        memcpy(s.text + API_NAME_BYTE, key->id.ptr, key->id.len);
        s.key = *key;
        s.key.name = s.key.hint = (str){0};
    }
    pthread_mutex_lock(&auth->lock);
    *slot_of(auth, hash) = s;
    pthread_mutex_unlock(&auth->lock);
}

/* ---- whose it is ---- */

static bool is_open(const struct call *c) {
    return c->route->open || (c->api->c.open_metrics && c->route->handle == metrics_get);
}

static bool is_control(const struct call *c) {
    const struct api_auth *auth = c->api->auth;
    return c->has_token && auth->has_control && vault_equal(c->token_hash, auth->control_hash, sizeof c->token_hash);
}

static str bearer_of(const struct call *c) {
    str given = http_request_header(c->r, STR("Authorization"));
    bool bearer = given.len >= 7 && str_equal_nocase(str_slice(given, 0, 7), STR("Bearer "));
    return bearer ? str_trim(str_slice(given, 7, given.len)) : (str){0};
}

bool auth_begin(struct call *c) {
    if (is_open(c))
        return false;
    c->has_token = vault_token_hash(bearer_of(c), c->token_hash);
    if (!c->has_token || is_control(c))
        return false;
    c->recalled = recall(c->api->auth, c->token_hash, c->arena, &c->key, &c->recalled_rc);
    return !c->recalled;
}

static err unknown(void) { return fail(ERR_DENIED, "key_unknown", "this is no key of this service, or it was revoked"); }

static err become_control(struct call *c) {
    struct api_key *key = ARENA_NEW(c->arena, struct api_key);
    str tenant = http_request_header(c->r, STR("Galena-Tenant"));
    *key = (struct api_key){.scopes = SCOPE_INGEST | SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN,
                            .tenant = tenant.len > 0 ? tenant : STR("default"),
                            .id = STR("control")};
    c->key = key;
    c->control = true;
    return api_check_tenant(key->tenant);
}

/* Tokens that nobody knows cost a look at the store: who guesses is slowed down. */
static err look_up(struct call *c) {
    struct api_auth *auth = c->api->auth;
    struct api_key *key = ARENA_NEW(c->arena, struct api_key);
    uint64_t epoch = epoch_of(auth);
    err rc = store_key_find(c->reader, c->arena, bearer_of(c), key);
    if (rc == OK || rc == ERR_DENIED)
        keep(auth, c->token_hash, rc, key, epoch);
    c->key = key;
    if (rc != ERR_DENIED)
        return rc;
    str peer = str_format(c->arena, "unknown:%.*s", STR_ARG(c->r->peer));
    if (!cache_take(c->api->c.cache, peer, UNKNOWN_PER_S, UNKNOWN_BURST, 1, &c->after_ms))
        return fail(ERR_LIMIT, "rate_limited", "too many requests with unknown keys come from this address");
    return unknown();
}

static err find_key(struct call *c) {
    if (!c->has_token)
        return bearer_of(c).len > 0
                   ? unknown()
                   : fail(ERR_DENIED, "key_absent", "the request has no key: send \"Authorization: Bearer KEY\"");
    if (!c->recalled)
        return look_up(c);
    return c->recalled_rc == OK ? OK : unknown();
}

/* ---- rates ---- */

static err limit(struct call *c) {
    if (!(c->key->rate > 0))
        return OK;
    c->rate = c->key->rate;
    c->burst = c->key->burst >= 1 ? c->key->burst : c->key->rate < 1 ? 1 : c->key->rate;
    str name = str_format(c->arena, "rate:%.*s:%.*s", STR_ARG(c->tenant), STR_ARG(c->key->id));
    if (cache_take(c->api->c.cache, name, c->rate, c->burst, 1, &c->after_ms))
        return OK;
    c->limited = true;
    return fail(ERR_LIMIT, "rate_limited", "this key may make %g requests a second", c->key->rate);
}

/* draft-ietf-httpapi-ratelimit-headers: so many requests in the window that fills the bucket. What is left is told only when
 * it is nothing: buckets may be shared, and asking them again would cost as much as the request. */
void auth_tell_rate(struct call *c) {
    if (!(c->rate > 0))
        return;
    double window = c->burst / c->rate;
    str policy = str_format(c->arena, "\"key\";q=%.0f;w=%.0f", c->burst, window < 1 ? 1 : window);
    api_answer_field(c, STR("RateLimit-Policy"), policy);
    if (c->limited)
        api_answer_field(c, STR("RateLimit"),
                         str_format(c->arena, "\"key\";r=0;t=%lld", (long long)((c->after_ms + 999) / 1000)));
}

err auth_check(struct call *c) {
    if (is_open(c))
        return OK;
    TRY(is_control(c) ? become_control(c) : find_key(c));
    c->tenant = c->key->tenant;
    c->actor = str_format(c->arena, "key:%.*s", STR_ARG(c->key->id));
    TRY(limit(c));
    if ((c->key->scopes & c->route->scope) == 0)
        return fail(ERR_DENIED, "key_scope", "this key has not the scope for that");
    if (c->route->control && !c->control)
        return fail(ERR_DENIED, "key_scope", "this is for the operator of the service alone");
    return OK;
}
