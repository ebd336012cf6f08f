/* postgres.c — the driver for PostgreSQL: statements, transactions and scripts, sent through the pipeline. */
#include "store/postgres_priv.h"

#include <poll.h>
#include <stdio.h>

enum { SILENCE_MS = 10000, ARRAY_BYTE = 1 << 30 };

static struct postgres *state(const struct db *db) { return db->state; }

static void statement_name(char name[16], unsigned query, bool many) { snprintf(name, 16, "%c%u", many ? 'm' : 's', query); }

/* Prepares on first use and learns the types of the parameters. */
static err prepare(struct db *db, unsigned query, bool many) {
    struct postgres *p = state(db);
    const struct db_statement *s = db_statement(db, query);
    struct prepared *to = many ? &p->many[query] : &p->single[query];
    if (to->ready)
        return OK;
    TRY(postgres_send_begin(db));
    TRY(postgres_finish(db));
    char name[16];
    statement_name(name, query, many);
    if (PQsendPrepare(p->conn, name, many ? s->many : s->text[DB_POSTGRES], 0, NULL) != 1)
        return postgres_lost(db);
    postgres_expect(p, (struct expect){.what = EXPECT_PREPARE, .query = query, .n_row = many});
    if (PQsendDescribePrepared(p->conn, name) != 1)
        return postgres_lost(db);
    postgres_expect(p, (struct expect){.what = EXPECT_PREPARE, .query = query, .n_row = many});
    p->unsynced += 2;
    TRY(postgres_finish(db));
    if (s->n_param == 0)
        to->ready = true;
    return to->ready ? OK : fail(ERR_CORRUPT, "db_schema", "%s: the server sees another number of parameters", s->name);
}

static err prepare_both(struct db *db, unsigned query) {
    TRY(prepare(db, query, false));
    return db_statement(db, query)->many ? prepare(db, query, true) : OK;
}

/* Sends the prepared statement with the encoded parameters. */
static err send_prepared(struct db *db, struct expect e, bool many) {
    struct postgres *p = state(db);
    char name[16];
    statement_name(name, e.query, many);
    TRY(postgres_make_room(db));
    if (PQsendQueryPrepared(p->conn, name, (int)db_statement(db, e.query)->n_param, p->param, p->length, p->format, 1) != 1)
        return postgres_lost(db);
    postgres_expect(p, e);
    p->unsynced++;
    return OK;
}

static err post_many(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    const struct db_statement *s = db_statement(db, query);
    TRY(prepare(db, query, true));
    for (size_t from = 0; from < n_row; from += POSTGRES_MANY_ROW) {
        size_t n = n_row - from < POSTGRES_MANY_ROW ? n_row - from : POSTGRES_MANY_ROW;
        TRY(postgres_encode_many(db, s, &state(db)->many[query], param + from * s->n_param, n));
        TRY(postgres_send_begin(db));
        TRY(send_prepared(
            db, (struct expect){.what = EXPECT_MANY, .query = query, .n_row = n, .changed = changed ? changed + from : NULL},
            true));
        TRY(postgres_pump(db));
    }
    return OK;
}

static err post(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    const struct db_statement *s = db_statement(db, query);
    if (s->many && n_row >= POSTGRES_MANY_FROM)
        return post_many(db, query, param, n_row, changed);
    TRY(prepare(db, query, false));
    for (size_t row = 0; row < n_row; row++) {
        TRY(postgres_encode(db, s, &state(db)->single[query], s->n_param > 0 ? param + row * s->n_param : NULL));
        TRY(postgres_send_begin(db));
        TRY(send_prepared(
            db, (struct expect){.what = EXPECT_EXEC, .query = query, .changed = changed ? &changed[row] : NULL}, false));
    }
    return OK;
}

static err query_rows(struct db *db, unsigned query, const struct db_value *param, size_t n_row, db_row_fn *fn, void *ctx) {
    const struct db_statement *s = db_statement(db, query);
    TRY(prepare(db, query, false));
    for (size_t row = 0; row < n_row; row++) {
        TRY(postgres_encode(db, s, &state(db)->single[query], s->n_param > 0 ? param + row * s->n_param : NULL));
        TRY(postgres_send_begin(db));
        TRY(send_prepared(db, (struct expect){.what = EXPECT_QUERY, .query = query, .row = row, .fn = fn, .ctx = ctx},
                          false));
    }
    return postgres_finish(db);
}

/* A server that ended the connection while it was idle has said so, or closed it. */
static bool is_open(const struct postgres *p) {
    struct pollfd fd = {.fd = p->conn ? PQsocket(p->conn) : -1, .events = POLLIN};
    for (int i = 0; i < 3 && fd.fd >= 0 && poll(&fd, 1, 0) > 0; i++)
        if (PQconsumeInput(p->conn) != 1)
            return false;
    return p->conn && PQstatus(p->conn) == CONNECTION_OK;
}

static err begin(struct db *db) {
    struct postgres *p = state(db);
    if (p->conn && p->n_expect > 0) { /* a call-back was left by a jump */
        p->discard = true;
        (void)!postgres_finish(db);
        p->discard = false;
        db->failed = OK;
    }
    if (!is_open(p))
        TRY(postgres_connect(db));
    p->begin_due = !db->alone;
    return OK;
}

static void rollback(struct db *db) {
    struct postgres *p = state(db);
    if (!p->conn)
        return;
    bool sent = !p->begin_due;
    p->begin_due = false;
    p->discard = true;
    if (db->alone ? p->n_expect > 0 : sent && postgres_send_fixed(db, "ROLLBACK", EXPECT_ROLLBACK) == OK)
        (void)!postgres_finish(db);
    p->discard = false;
    /* A session that is not where it should be is not used again. */
    if (p->conn && (PQstatus(p->conn) == CONNECTION_BAD || PQtransactionStatus(p->conn) != PQTRANS_IDLE ||
                    (db->failed == ERR_AGAIN && strcmp(db->failed_slug, "db_lost") == 0)))
        postgres_disconnect(db);
}

static err commit(struct db *db) {
    struct postgres *p = state(db);
    if (!p->conn)
        return fail(ERR_AGAIN, "db_lost", "%s: the connection to the database broke", db->name);
    if (p->begin_due || db->alone) {
        p->begin_due = false;
        return OK;
    }
    p->committed = false;
    err rc = postgres_send_fixed(db, "COMMIT", EXPECT_COMMIT);
    if (rc == OK)
        rc = postgres_finish(db);
    if (rc != OK && p->committed) {
        postgres_disconnect(db); /* the next transaction connects again */
        db->failed = OK;
        return OK;
    }
    if (rc != OK) {
        (void)db_remember(db, rc);
        rollback(db);
        return db_recall(db);
    }
    return OK;
}

/* Scripts have several statements, which only the simple protocol takes, outside pipelines. */
static err script(struct db *db, const char *sql) {
    struct postgres *p = state(db);
    TRY(postgres_send_begin(db));
    TRY(postgres_finish(db));
    if (PQexitPipelineMode(p->conn) != 1 || PQsendQuery(p->conn, sql) != 1)
        return postgres_lost(db);
    p->wait_ms = -1; /* rewriting a table takes as long as it takes */
    err rc = postgres_pump(db);
    while (rc == OK) {
        while (rc == OK && PQisBusy(p->conn))
            rc = postgres_wait(db, false);
        if (rc != OK)
            break;
        PQclear(p->result);
        if (!(p->result = PQgetResult(p->conn)))
            break;
        ExecStatusType status = PQresultStatus(p->result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            (void)db_remember(db, postgres_result_fault(db, p->result, "the script"));
        if (PQstatus(p->conn) == CONNECTION_BAD)
            rc = postgres_lost(db);
    }
    p->wait_ms = p->statement_timeout_ms + SILENCE_MS;
    if (rc == OK && PQenterPipelineMode(p->conn) != 1)
        rc = postgres_lost(db);
    return db->failed != OK ? db_recall(db) : rc;
}

/* The lock ends with the transaction, and so do the longer time limits. */
static err lock_schema(struct db *db) {
    return script(db, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'; "
                      "SELECT pg_advisory_xact_lock(x'67616c656e61'::bigint)");
}

static err flush(struct db *db) {
    if (!state(db)->conn)
        return OK;
    return postgres_finish(db);
}

static err open_postgres(struct arena *a, const struct db_config *c, struct db *db) {
    struct postgres *p = ARENA_NEW(a, struct postgres);
    p->single = ARENA_ARRAY(a, db_statement_count(db), struct prepared);
    p->many = ARENA_ARRAY(a, db_statement_count(db), struct prepared);
    p->statement_timeout_ms = c->statement_timeout_ms;
    p->wait_ms = c->statement_timeout_ms + SILENCE_MS;
    buf_init(&p->array, ARRAY_BYTE);
    db->state = p;
    TRY(postgres_read_url(a, c, db));
    return postgres_connect(db);
}

static void close_postgres(struct db *db) {
    struct postgres *p = state(db);
    if (!p)
        return;
    postgres_disconnect(db);
    buf_done(&p->array);
    db->state = NULL;
}

const struct db_driver db_driver_postgres = {
    .open = open_postgres,
    .close = close_postgres,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .post = post,
    .flush = flush,
    .query = query_rows,
    .prepare = prepare_both,
    .script = script,
    .lock_schema = lock_schema,
};
