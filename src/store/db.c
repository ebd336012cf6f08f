/* db.c — what both drivers have in common: opening, checks of parameters, transactions, reading of rows. */
#include "store/db_priv.h"

#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static void close_deferred(void *ctx) {
    struct db *db = ctx;
    db_close(db);
    arena_free(db->scratch);
    db->scratch = NULL;
}

static bool is_postgres(str url) { return str_starts(url, STR("postgresql://")) || str_starts(url, STR("postgres://")); }

err db_url_kind(str url, enum db_kind *kind) {
    ptrdiff_t colon = str_find(url, STR("://"));
    if (str_empty(url) || str_equal(url, STR("sqlite:")) || (colon >= 0 && !is_postgres(url)))
        return fail(ERR_INPUT, "db_url", "a database is sqlite:PATH, PATH or postgresql://HOST/NAME, not \"%.*s\"",
                    colon < 0 ? (int)url.len : (int)colon + 3, url.ptr);
    *kind = is_postgres(url) ? DB_POSTGRES : DB_SQLITE;
    return OK;
}

str db_url_path(str url) { return str_starts(url, STR("sqlite:")) ? str_slice(url, 7, url.len) : url; }

/* Where the value of a password in `url` begins, at or after `from`; its length goes to *len. */
static ptrdiff_t find_password(str url, size_t from, size_t *len) {
    ptrdiff_t at = str_find(str_slice(url, from, url.len), STR("password="));
    if (at < 0)
        return -1;
    size_t begin = from + (size_t)at + 9;
    *len = 0;
    while (begin + *len < url.len && !strchr("& ", url.ptr[begin + *len]))
        ++*len;
    return (ptrdiff_t)begin;
}

/* The part between "user:" and the last "@" before the path. */
static ptrdiff_t find_user_password(str url, size_t *len) {
    ptrdiff_t slashes = str_find(url, STR("://"));
    if (slashes < 0)
        return -1;
    size_t from = (size_t)slashes + 3, at = from, end = from;
    while (end < url.len && url.ptr[end] != '?')
        end++;
    bool found = false;
    for (size_t i = from; i < end; i++)
        if (url.ptr[i] == '@') {
            at = i;
            found = true;
        }
    ptrdiff_t colon = found ? str_find_byte(str_slice(url, from, at), ':') : -1;
    if (colon < 0)
        return -1;
    *len = at - from - (size_t)colon - 1;
    return (ptrdiff_t)from + colon + 1;
}

str db_redact(struct arena *a, str url) {
    size_t len = 0;
    ptrdiff_t at = find_user_password(url, &len);
    if (at >= 0)
        url = str_format(a, "%.*s***%.*s", (int)at, url.ptr, (int)(url.len - (size_t)at - len), url.ptr + at + len);
    for (size_t from = 0; (at = find_password(url, from, &len)) >= 0; from = (size_t)at + 3)
        url = str_format(a, "%.*s***%.*s", (int)at, url.ptr, (int)(url.len - (size_t)at - len), url.ptr + at + len);
    return url;
}

static struct db_config with_defaults(const struct db_config *c) {
    struct db_config full = *c;
    if (!full.clock.wall_ms)
        full.clock = clock_system();
    if (!full.application)
        full.application = "galena";
    if (full.connect_timeout_ms == 0)
        full.connect_timeout_ms = 5000;
    if (full.statement_timeout_ms == 0)
        full.statement_timeout_ms = 30000;
    if (full.lock_timeout_ms == 0)
        full.lock_timeout_ms = 5000;
    if (full.idle_timeout_ms == 0)
        full.idle_timeout_ms = 60000;
    if (full.scratch_byte == 0)
        full.scratch_byte = (size_t)256 << 20;
    return full;
}

static const struct db_driver *driver_of(enum db_kind kind) {
#ifdef GALENA_POSTGRES
    return kind == DB_POSTGRES ? &db_driver_postgres : &db_driver_sqlite;
#else
    return kind == DB_POSTGRES ? NULL : &db_driver_sqlite;
#endif
}

err db_open(struct arena *a, const struct db_config *c, struct db **out) {
    assert(c->catalogue);
    struct db_config full = with_defaults(c);
    str url = str_from(c->url);
    enum db_kind kind = DB_SQLITE;
    TRY(db_url_kind(url, &kind));
    if (!driver_of(kind))
        return fail(ERR_INPUT, "db_unsupported", "this program was built without PostgreSQL (meson option postgres)");
    struct db *db = ARENA_NEW(a, struct db);
    db->driver = driver_of(kind);
    db->kind = kind;
    db->role = c->role;
    db->catalogue = arena_copy(a, c->catalogue, sizeof *c->catalogue);
    db->clock = full.clock;
    db->name = str_cstr(a, kind == DB_SQLITE ? db_url_path(url) : db_redact(a, url));
    db->scratch = arena_new(full.scratch_byte);
    if (!db->scratch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a connection to %s", db->name);
    arena_defer(a, close_deferred, db);
    full.url = str_cstr(a, url);
    db->open = true;
    err rc = db->driver->open(a, &full, db);
    if (rc != OK) {
        db_close(db);
        return rc;
    }
    *out = db;
    return OK;
}

void db_close(struct db *db) {
    if (!db->open)
        return;
    db->driver->close(db);
    db->open = db->in_tx = false;
}

enum db_kind db_kind(const struct db *db) { return db->kind; }

struct arena *db_scratch(struct db *db) {
    return db->scratch;
}

bool db_in_transaction(const struct db *db) { return db->in_tx; }

err db_remember(struct db *db, err rc) {
    if (rc == OK || db->failed != OK)
        return rc;
    db->failed = rc;
    db->failed_slug = err_slug();
    snprintf(db->failed_text, sizeof db->failed_text, "%s", err_text());
    return rc;
}

err db_recall(const struct db *db) { return (fail)(db->failed, db->failed_slug, "%s", db->failed_text); }

/* A transaction without emptying the scratch memory, where a caller's parameters may be. */
static err begin(struct db *db, bool alone) {
    assert(!db->in_tx);
    db->alone = alone;
    if (!db->open)
        return fail(ERR_AGAIN, "db_lost", "%s: the connection was closed", db->name);
    db->failed = OK;
    TRY(db->driver->begin(db));
    db->in_tx = true;
    return OK;
}

err db_begin(struct db *db) {
    TRY(begin(db, false));
    arena_reset(db->scratch);
    return OK;
}

void db_rollback(struct db *db) {
    if (!db->in_tx)
        return;
    char text[DB_FAULT_BYTE];
    const char *slug = err_slug();
    snprintf(text, sizeof text, "%s", err_text());
    db->driver->rollback(db);
    db->in_tx = false;
    (void)!(fail)(ERR_AGAIN, slug, "%s", text);
}

err db_commit(struct db *db) {
    assert(db->in_tx);
    if (db->failed != OK) {
        db_rollback(db);
        return db_recall(db);
    }
    err rc = db->driver->commit(db);
    db->in_tx = false;
    return rc;
}

static err check_value(const struct db *db, unsigned query, const struct db_value *v, size_t row, unsigned i) {
    const char *name = db_statement(db, query)->name;
    if (v->type == DB_REAL && isnan(v->real))
        return fail(ERR_INPUT, "db_nan", "%s: parameter %u of row %zu is not a number", name, i + 1, row);
    if (v->type != DB_TEXT || v->text.len == 0)
        return OK;
    if (memchr(v->text.ptr, 0, v->text.len))
        return fail(ERR_INPUT, "db_nul", "%s: parameter %u of row %zu is a text with a NUL byte", name, i + 1, row);
    if (!utf8_valid(v->text))
        return fail(ERR_INPUT, "db_utf8", "%s: parameter %u of row %zu is a text that is not UTF-8", name, i + 1, row);
    return OK;
}

static err check(const struct db *db, unsigned query, const struct db_value *param, size_t n_row) {
    assert(query < db_statement_count(db));
    if (db->in_tx && db->failed != OK)
        return db_recall(db);
    unsigned n = db_statement(db, query)->n_param;
    assert(n <= DB_PARAM_MAX && (n == 0 || param || n_row == 0));
    for (size_t row = 0; row < n_row; row++)
        for (unsigned i = 0; i < n; i++)
            TRY(check_value(db, query, &param[row * n + i], row, i));
    return OK;
}

/* Ends a transaction that a single call made for itself. */
static err finish(struct db *db, bool own, err rc) {
    (void)db_remember(db, rc);
    if (!own)
        return rc;
    return db_commit(db);
}

err db_post(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    assert(db->in_tx);
    TRY(db_remember(db, check(db, query, param, n_row)));
    return db_remember(db, db->driver->post(db, query, param, n_row, changed));
}

err db_flush(struct db *db) {
    if (db->in_tx && db->failed != OK)
        return db_recall(db);
    return db_remember(db, db->driver->flush(db));
}

err db_exec_many(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    bool own = !db->in_tx;
    err rc = check(db, query, param, n_row);
    if (rc != OK)
        return own ? rc : db_remember(db, rc);
    if (own)
        TRY(begin(db, false));
    rc = db->driver->post(db, query, param, n_row, changed);
    if (rc == OK && !own)
        rc = db->driver->flush(db);
    return finish(db, own, rc);
}

err db_exec(struct db *db, unsigned query, const struct db_value *param, int64_t *changed) {
    return db_exec_many(db, query, param, 1, changed);
}

err db_query_many(struct db *db, unsigned query, const struct db_value *param, size_t n_row, db_row_fn *fn, void *ctx) {
    bool own = !db->in_tx;
    err rc = check(db, query, param, n_row);
    if (rc != OK)
        return own ? rc : db_remember(db, rc);
    if (own)
        TRY(begin(db, db->role == DB_READER && n_row == 1));
    return finish(db, own, db->driver->query(db, query, param, n_row, fn, ctx));
}

err db_query(struct db *db, unsigned query, const struct db_value *param, db_row_fn *fn, void *ctx) {
    return db_query_many(db, query, param, 1, fn, ctx);
}

static err take_integer(void *ctx, struct db_row *row) {
    *(int64_t *)ctx = db_row_integer(row, 0);
    return OK;
}

err db_now(struct db *db, int64_t *ms) {
    if (db->kind == DB_SQLITE) {
        *ms = db->clock.wall_ms();
        return OK;
    }
    return db_query(db, db_own_query(db, DRIVER_NOW), NULL, take_integer, ms);
}

err db_prepare_all(struct db *db) {
    assert(!db->in_tx);
    TRY(begin(db, false));
    err rc = OK;
    for (unsigned i = 0; rc == OK && i < db->catalogue->n_statement; i++)
        rc = db->driver->prepare(db, i);
    return finish(db, true, rc);
}

err db_checkpoint(struct db *db, enum db_checkpoint how) {
    assert(!db->in_tx);
    return db->driver->checkpoint ? db->driver->checkpoint(db, how) : OK;
}

struct db_wal db_wal(const struct db *db) {
    return db->driver->wal && db->open ? db->driver->wal(db) : (struct db_wal){0};
}

err db_give_row(struct db *db, unsigned query, struct db_row *row, db_row_fn *fn, void *ctx) {
    row->fault = 0;
    TRY(fn(ctx, row));
    if (row->fault)
        return fail(ERR_CORRUPT, "db_column", "%s: column %zu was read as what it is not", db_statement(db, query)->name,
                    row->fault);
    return OK;
}

static const struct db_value *column(struct db_row *r, size_t i, enum db_type type) {
    if (i < r->n && r->value[i].type == type)
        return &r->value[i];
    if ((i >= r->n || r->value[i].type != DB_NULL) && !r->fault)
        r->fault = i + 1;
    return NULL;
}

int64_t db_row_integer(struct db_row *r, size_t i) {
    const struct db_value *v = column(r, i, DB_INTEGER);
    return v ? v->integer : 0;
}

double db_row_real(struct db_row *r, size_t i) {
    if (i < r->n && r->value[i].type == DB_INTEGER)
        return (double)r->value[i].integer;
    const struct db_value *v = column(r, i, DB_REAL);
    return v ? v->real : 0;
}

str db_row_text(struct db_row *r, size_t i) {
    const struct db_value *v = column(r, i, DB_TEXT);
    return v ? v->text : (str){0};
}

str db_row_blob(struct db_row *r, size_t i) {
    const struct db_value *v = column(r, i, DB_BLOB);
    return v ? v->blob : (str){0};
}
