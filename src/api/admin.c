/* admin.c — keys, tenants, the master key, the audit log. */
#include "api/api_priv.h"

enum { KEY_NAME_BYTE = 128 };

static const struct {
    const char *name;
    unsigned scope;
} scopes[] = {{"ingest", SCOPE_INGEST}, {"read", SCOPE_READ}, {"write", SCOPE_WRITE}, {"admin", SCOPE_ADMIN}};
enum { SCOPES = sizeof scopes / sizeof *scopes };

static struct store *store_of(const struct call *c) { return c->api->c.store; }

/* ---- keys ---- */

static err read_scopes(const struct json *list, unsigned *out) {
    *out = 0;
    if (!list || list->type != JSON_ARRAY || list->count == 0)
        return fail(ERR_INPUT, "key_scopes", "\"scopes\" is a list of ingest, read, write and admin");
    for (uint32_t i = 0; i < list->count; i++) {
        size_t k = 0;
        while (k < SCOPES &&
               !(list->items[i].type == JSON_STRING && str_equal(list->items[i].string, str_from(scopes[k].name))))
            k++;
        if (k == SCOPES)
            return fail(ERR_INPUT, "key_scopes", "\"scopes\" is a list of ingest, read, write and admin");
        *out |= scopes[k].scope;
    }
    return OK;
}

err api_read_key(struct call *c, struct api_key *out) {
    static const char *const member[] = {"name", "scopes", "rate", "burst"};
    const struct json *v;
    *out = (struct api_key){.tenant = c->tenant};
    TRY(api_check_query(c, NULL, 0));
    TRY(api_read_object(c, member, 4, &v));
    TRY(api_member_text(v, "name", KEY_NAME_BYTE, &out->name));
    TRY(api_member_number(v, "rate", 1e6, &out->rate));
    TRY(api_member_number(v, "burst", 1e6, &out->burst));
    if (out->name.len == 0)
        return fail(ERR_INPUT, "body_member", "\"name\" says what the key is for");
    return read_scopes(json_get(v, STR("scopes")), &out->scopes);
}

static void put_key(struct json_writer *w, const struct api_key *k) {
    json_put_string(w, STR("id"), k->id);
    json_put_string(w, STR("name"), k->name);
    json_put_string(w, STR("hint"), k->hint);
    json_key(w, STR("scopes"));
    json_open_array(w);
    for (size_t i = 0; i < SCOPES; i++)
        if (k->scopes & scopes[i].scope)
            json_string(w, str_from(scopes[i].name));
    json_close_array(w);
    json_put_number(w, STR("rate"), k->rate);
    json_put_number(w, STR("burst"), k->burst);
    api_put_time(w, STR("created_at"), k->created_ms);
    api_put_time(w, STR("revoked_at"), k->revoked_ms);
}

/* A key that has just been made is found by its token: so that it is known what was stored. */
err keys_post(struct call *c) {
    struct api_key k, made;
    str token;
    TRY(api_read_key(c, &k));
    if (c->control) /* the operator's way to make a tenant */
        TRY(store_tenant_ensure(store_of(c), c->tenant));
    TRY(store_key_create(store_of(c), c->arena, &k, c->actor, &token));
    TRY(store_key_find(c->reader, c->arena, token, &made));
    struct document *d = document_new(c);
    json_open_object(&d->w);
    put_key(&d->w, &made);
    json_put_string(&d->w, STR("token"), token);
    json_close_object(&d->w);
    return document_send(c, 201, d);
}

err keys_get(struct call *c) {
    struct document *d = document_new(c);
    struct api_key *k;
    size_t n;
    TRY(api_check_query(c, NULL, 0));
    TRY(store_key_list(c->reader, c->arena, c->tenant, &k, &n));
    json_open_object(&d->w);
    json_key(&d->w, STR("keys"));
    json_open_array(&d->w);
    for (size_t i = 0; i < n; i++) {
        json_open_object(&d->w);
        put_key(&d->w, &k[i]);
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}

err key_delete(struct call *c) {
    struct document *d = document_new(c);
    TRY(api_check_query(c, NULL, 0));
    if (!api_is_id(c->id))
        return fail(ERR_ABSENT, "api_key_absent", "there is no key of that name");
    TRY(store_key_revoke(store_of(c), c->tenant, c->id, c->actor));
    auth_forget(c->api->auth);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("id"), c->id);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}

/* ---- master, audit ---- */

err rotate_post(struct call *c) {
    static const char *const member[] = {"tenants"};
    const struct json *v;
    bool tenants = false;
    size_t n = 0;
    TRY(api_check_query(c, NULL, 0));
    TRY(api_read_object(c, member, 1, &v));
    TRY(api_member_bool(v, "tenants", &tenants));
    TRY(store_rotate(store_of(c), tenants, c->actor, &n));
    return api_answer_one(c, 200, STR("rewrapped"), (int64_t)n);
}

err audit_get(struct call *c) {
    struct document *d = document_new(c);
    size_t n = 0;
    TRY(api_check_query(c, NULL, 0));
    TRY(store_audit_verify(c->reader, c->arena, c->tenant, &n));
    TRY(store_audit_add(store_of(c), c->tenant, c->actor, STR("audit.verify"), (str){"", 0}, (str){"", 0}));
    json_open_object(&d->w);
    json_put_string(&d->w, STR("tenant"), c->tenant);
    json_put_integer(&d->w, STR("entries"), (int64_t)n);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}

/* ---- tenants ---- */

static void put_tenant(struct json_writer *w, const struct backlog_view *v) {
    json_open_object(w);
    json_put_string(w, STR("tenant"), v->tenant);
    json_put_integer(w, STR("live"), v->n);
    json_put_integer(w, STR("weight"), v->weight);
    json_put_integer(w, STR("max_backlog"), v->max_backlog);
    json_put_integer(w, STR("max_running"), v->max_running);
    json_close_object(w);
}

err tenants_get(struct call *c) {
    struct document *d = document_new(c);
    struct backlog_view *v;
    size_t n;
    TRY(api_check_query(c, NULL, 0));
    TRY(store_backlog(c->reader, c->arena, &v, &n));
    json_open_object(&d->w);
    json_key(&d->w, STR("tenants"));
    json_open_array(&d->w);
    for (size_t i = 0; i < n; i++)
        put_tenant(&d->w, &v[i]);
    json_close_array(&d->w);
    json_close_object(&d->w);
    return document_send(c, 200, d);
}

err tenant_put(struct call *c) {
    static const char *const member[] = {"weight", "max_backlog", "max_running"};
    const int64_t most = 1000000000;
    struct backlog_view t = {.tenant = c->id, .weight = 1};
    const struct json *v;
    TRY(api_check_query(c, NULL, 0));
    TRY(api_check_tenant(c->id));
    TRY(api_read_object(c, member, 3, &v));
    TRY(api_member_integer(v, "weight", 1, 1000, &t.weight));
    TRY(api_member_integer(v, "max_backlog", 0, most, &t.max_backlog));
    TRY(api_member_integer(v, "max_running", 0, most, &t.max_running));
    TRY(store_tenant_ensure(store_of(c), c->id));
    TRY(store_tenant_set(store_of(c), c->id, t.weight, t.max_backlog, t.max_running));
    const str detail = str_format(c->arena, "{\"weight\":%lld,\"max_backlog\":%lld,\"max_running\":%lld}",
                                  (long long)t.weight, (long long)t.max_backlog, (long long)t.max_running);
    TRY(store_audit_add(store_of(c), c->id, c->actor, STR("tenant.set"), c->id, detail));
    struct document *d = document_new(c);
    put_tenant(&d->w, &t);
    return document_send(c, 200, d);
}
