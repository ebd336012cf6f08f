/* admin.c — tenants, artifacts, API keys, the audit log. */
#include "store/audit.h"
#include "store/store_priv.h"

#include "base/hash.h"

#include <sodium.h>

/* ---- audit ---- */

struct last_entry {
    struct audit_head head;
};

static err keep_last(void *ctx, struct db_row *row) {
    struct last_entry *l = ctx;
    str hash = db_row_blob(row, 1);
    if (hash.len != AUDIT_HASH_BYTE)
        return fail(ERR_CORRUPT, "audit_form", "an entry of the audit log has a hash of %zu bytes", hash.len);
    l->head.seq = (uint64_t)db_row_integer(row, 0);
    memcpy(l->head.hash, hash.ptr, hash.len);
    return OK;
}

static err audit_key(struct store *s, struct db *db, str tenant, unsigned char key[VAULT_AUDIT_KEY_BYTE]) {
    err rc = vault_audit_key(s->vault, tenant, key);
    if (rc != ERR_ABSENT)
        return rc;
    TRY(store_keys_load(s, db, tenant));
    return vault_audit_key(s->vault, tenant, key);
}

err store_audit_entry(struct store *s, struct db *db, str tenant, str actor, str action, str subject, str detail) {
    unsigned char key[VAULT_AUDIT_KEY_BYTE];
    struct first_row locked;
    struct last_entry last = {0};
    struct audit_entry e = {.tenant = tenant, .actor = actor, .action = action, .subject = subject, .detail = detail};
    /* One after the other within a tenant. */
    TRY(store_first_row(db, QUERY_TENANT_LOCK, DB_ROW(db_text(tenant)), &locked));
    TRY(db_query(db, QUERY_AUDIT_LAST, DB_ROW(db_text(tenant)), keep_last, &last));
    TRY(db_now(db, &e.at_ms));
    TRY(audit_key(s, db, tenant, key));
    audit_append(key, &last.head, &e);
    vault_wipe(key, sizeof key);
    return db_exec(db, QUERY_AUDIT_ADD,
                   DB_ROW(db_text(tenant), db_integer((int64_t)e.seq), db_integer(e.at_ms), db_text(actor), db_text(action),
                          db_text(subject), db_text(detail), db_blob((str){(const char *)e.hash, sizeof e.hash})),
                   NULL);
}

struct note {
    struct store *store;
    str tenant, actor, action, subject, detail;
};

static err write_note(struct db *db, void *ctx) {
    const struct note *n = ctx;
    return store_audit_entry(n->store, db, n->tenant, n->actor, n->action, n->subject, n->detail);
}

err store_audit_add(struct store *s, str tenant, str actor, str action, str subject, str detail) {
    struct note n = {s, tenant, actor, action, subject, detail};
    return store_call(s, write_note, &n);
}

/* ---- tenants ---- */

struct tenancy {
    struct store *store;
    str tenant;
    int64_t weight, max_backlog, max_running;
};

static err ensure_tenant(struct db *db, void *ctx) {
    const struct tenancy *t = ctx;
    int64_t added = 0;
    TRY(db_exec(db, QUERY_TENANT_ADD, DB_ROW(db_text(t->tenant)), &added));
    if (added == 0)
        return store_keys_load(t->store, db, t->tenant);
    unsigned char wrapped[VAULT_TENANT_WRAPPED_BYTE];
    TRY(vault_tenant_draft(t->store->vault, t->tenant, (str){0}, wrapped));
    return db_exec(db, QUERY_TENANT_KEY_ADD,
                   DB_ROW(db_text(t->tenant), db_integer(1), db_blob((str){(const char *)wrapped, sizeof wrapped})), NULL);
}

err store_tenant_ensure(struct store *s, str tenant) {
    struct tenancy t = {.store = s, .tenant = tenant};
    if (tenant.len == 0 || tenant.len > TENANT_NAME_BYTE)
        return fail(ERR_INPUT, "vault_name", "the name of a tenant has 1 to %d bytes", TENANT_NAME_BYTE);
    TRY(store_call(s, ensure_tenant, &t));
    return vault_tenant_version(s->vault, tenant) > 0 ? OK : store_keys_look(s, tenant);
}

static err set_tenant(struct db *db, void *ctx) {
    const struct tenancy *t = ctx;
    int64_t changed = 0;
    TRY(db_exec(db, QUERY_TENANT_SET,
                DB_ROW(db_text(t->tenant), db_integer(t->weight), db_integer(t->max_backlog), db_integer(t->max_running)),
                &changed));
    return changed ? OK : fail(ERR_ABSENT, "tenant_unknown", "there is no tenant \"%.*s\"", STR_ARG(t->tenant));
}

err store_tenant_set(struct store *s, str tenant, int64_t weight, int64_t max_backlog, int64_t max_running) {
    struct tenancy t = {s, tenant, weight, max_backlog, max_running};
    if (weight < 1 || weight > 1000 || max_backlog < 0 || max_running < 0)
        return fail(ERR_INPUT, "tenant_limits", "a tenant's weight is 1 to 1000, its limits are 0 or more");
    return store_call(s, set_tenant, &t);
}

/* ---- artifacts ---- */

struct artifact {
    str kind, id, name, content;
};

static err put_artifact(struct db *db, void *ctx) {
    const struct artifact *a = ctx;
    return db_exec(db, QUERY_ARTIFACT_ADD, DB_ROW(db_text(a->kind), db_text(a->id), db_text(a->name), db_blob(a->content)),
                   NULL);
}

err store_artifact_put(struct store *s, str kind, str name, str content, char id[HASH_HEX_BYTE + 1]) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    char hex[HASH_HEX_BYTE + 1];
    hash_begin(&h);
    hash_add(&h, content);
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
    struct artifact a = {kind, {hex, HASH_HEX_BYTE}, name, content};
    TRY(store_call(s, put_artifact, &a));
    memcpy(id, hex, sizeof hex);
    return OK;
}

/* ---- API keys ---- */

struct key_change {
    struct store *store;
    const struct api_key *key;
    const struct vault_token *token;
    str tenant, id, actor;
};

static err add_key(struct db *db, void *ctx) {
    const struct key_change *c = ctx;
    const struct api_key *k = c->key;
    TRY(db_exec(db, QUERY_API_KEY_ADD,
                DB_ROW(db_text(k->tenant), db_text(c->id),
                       db_blob((str){(const char *)c->token->hash, VAULT_TOKEN_HASH_BYTE}), db_text(k->name),
                       db_text(str_from(c->token->shown)), db_integer(k->scopes), db_real(k->rate), db_real(k->burst)),
                NULL));
    return store_audit_entry(c->store, db, k->tenant, c->actor, STR("key.create"), c->id, (str){"", 0});
}

err store_key_create(struct store *s, struct arena *a, const struct api_key *k, str actor, str *token) {
    char id[RUN_ID_BYTE + 1];
    struct vault_token made;
    if (k->scopes == 0 || k->scopes > (SCOPE_INGEST | SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN) || !(k->rate >= 0) ||
        !(k->burst >= 0))
        return fail(ERR_INPUT, "key_form", "a key has at least one scope, and no negative rate or burst");
    store_new_id(s, id);
    vault_token_new(&made);
    struct key_change c = {.store = s, .key = k, .token = &made, .id = {id, RUN_ID_BYTE}, .actor = actor};
    err rc = store_call(s, add_key, &c);
    if (rc == OK)
        *token = str_copy(a, str_from(made.text));
    vault_wipe(&made, sizeof made);
    return rc;
}

static err revoke_key(struct db *db, void *ctx) {
    const struct key_change *c = ctx;
    int64_t changed = 0;
    struct first_row known;
    const struct db_value param[] = {db_text(c->tenant), db_text(c->id)};
    TRY(store_first_row(db, QUERY_API_KEY_KNOWN, param, &known));
    if (!known.found)
        return fail(ERR_ABSENT, "api_key_absent", "there is no key %.*s", STR_ARG(c->id));
    TRY(db_exec(db, QUERY_API_KEY_REVOKE, param, &changed));
    return changed ? store_audit_entry(c->store, db, c->tenant, c->actor, STR("key.revoke"), c->id, (str){"", 0}) : OK;
}

err store_key_revoke(struct store *s, str tenant, str id, str actor) {
    struct key_change c = {.store = s, .tenant = tenant, .id = id, .actor = actor};
    return store_call(s, revoke_key, &c);
}
