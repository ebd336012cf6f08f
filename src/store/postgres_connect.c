/* postgres_connect.c — reads the URL once, connects as often as needed. */
#include "store/postgres_priv.h"

#include <limits.h>
#include <stdio.h>

static void free_options(void *ctx) { PQconninfoFree(ctx); }

static bool given(const PQconninfoOption *o, const char *keyword) {
    for (; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val != NULL;
    return false;
}

struct list {
    struct arena *a;
    char **keyword, **value;
    size_t n;
};

static void add(struct list *l, const char *keyword, str value) {
    l->keyword[l->n] = str_cstr(l->a, str_from(keyword));
    l->value[l->n++] = str_cstr(l->a, value);
}

/* What the URL does not say and we want otherwise than the library does: a host that vanished is noticed. */
static void add_defaults(struct list *l, const PQconninfoOption *o, const struct db_config *c) {
    const struct {
        const char *keyword, *value;
    } wanted[] = {
        {"application_name", c->application}, {"keepalives_idle", "15"},
        {"keepalives_interval", "5"},         {"keepalives_count", "3"},
        {"tcp_user_timeout", "30000"},        {"target_session_attrs", c->role == DB_WRITER ? "read-write" : "any"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!given(o, wanted[i].keyword))
            add(l, wanted[i].keyword, str_from(wanted[i].value));
    if (!given(o, "connect_timeout"))
        add(l, "connect_timeout",
            str_format(l->a, "%d", c->connect_timeout_ms < 2000 ? 2 : (c->connect_timeout_ms + 999) / 1000));
    add(l, "client_encoding", STR("UTF8"));
}

static str session_options(struct arena *a, const struct db_config *c, const char *given_options) {
    return str_format(a,
                      "-c statement_timeout=%d -c lock_timeout=%d -c idle_in_transaction_session_timeout=%d "
                      "-c synchronous_commit=on -c client_min_messages=warning%s%s%s",
                      c->statement_timeout_ms, c->lock_timeout_ms, c->idle_timeout_ms,
                      c->role == DB_READER ? " -c default_transaction_read_only=on" : "", given_options ? " " : "",
                      given_options ? given_options : "");
}

err postgres_read_url(struct arena *a, const struct db_config *c, struct db *db) {
    struct postgres *p = postgres_state(db);
    char *message = NULL;
    PQconninfoOption *o = PQconninfoParse(c->url, &message);
    /* The library's sentence may quote a piece of the password. */
    PQfreemem(message);
    if (!o)
        return fail(ERR_INPUT, "db_url", "%s: not a URL as PostgreSQL's library reads it", db->name);
    arena_defer(a, free_options, o);
    size_t n = 16;
    for (const PQconninfoOption *i = o; i->keyword; i++)
        n++;
    struct list l = {a, ARENA_ARRAY(a, n, char *), ARENA_ARRAY(a, n, char *), 0};
    const char *options = NULL;
    for (const PQconninfoOption *i = o; i->keyword; i++) {
        if (!i->val || strcmp(i->keyword, "client_encoding") == 0)
            continue;
        if (strcmp(i->keyword, "options") == 0)
            options = i->val;
        else
            add(&l, i->keyword, str_from(i->val));
        if (strcmp(i->keyword, "password") == 0)
            p->password = str_copy(a, str_from(i->val));
    }
    add_defaults(&l, o, c);
    add(&l, "options", session_options(a, c, options));
    p->keyword = l.keyword;
    p->value = l.value;
    return OK;
}

static void ignore_notice(void *ctx, const char *message) {
    (void)ctx;
    (void)message;
}

void postgres_disconnect(struct db *db) {
    struct postgres *p = postgres_state(db);
    PQclear(p->result);
    p->result = NULL;
    PQfinish(p->conn);
    p->conn = NULL;
    p->head = p->n_expect = p->unsynced = 0;
    p->begin_due = p->discard = false;
    for (size_t i = 0; i < db_statement_count(db); i++)
        p->single[i].ready = p->many[i].ready = false;
}

err postgres_connect(struct db *db) {
    struct postgres *p = postgres_state(db);
    postgres_disconnect(db);
    p->conn = PQconnectdbParams((const char *const *)p->keyword, (const char *const *)p->value, 0);
    if (!p->conn || PQstatus(p->conn) != CONNECTION_OK) {
        err rc = postgres_connect_fault(db, p->conn);
        postgres_disconnect(db);
        return rc;
    }
    PQsetNoticeProcessor(p->conn, ignore_notice, NULL);
    const char *encoding = PQparameterStatus(p->conn, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        err rc = fail(ERR_INPUT, "db_unsupported", "%s: the database's encoding is %s; it must be UTF8", db->name,
                      encoding ? encoding : "unknown");
        postgres_disconnect(db);
        return rc;
    }
    if (PQsetnonblocking(p->conn, 1) != 0 || PQenterPipelineMode(p->conn) != 1) {
        err rc = postgres_connect_fault(db, p->conn);
        postgres_disconnect(db);
        return rc;
    }
    return OK;
}
