/* postgres.c — the driver for PostgreSQL: statements go out as a pipeline, answers are read as they come.
 *
 * The connection never blocks: whoever waits, waits for both directions, so that full buffers on both sides cannot hold each
 * other up. Each statement sent has an entry in a ring that says what to do with its answer. */
#include "store/postgres_priv.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { PUMP_EVERY = 32, SILENCE_MS = 10000, ARRAY_BYTE = 1 << 30 };

static struct postgres *state(const struct db *db) { return db->state; }

static struct expect *head(struct postgres *p) { return &p->expect[p->head]; }

static void pop(struct postgres *p) {
    p->head = (p->head + 1) % POSTGRES_EXPECT_MAX;
    p->n_expect--;
}

static bool awaits(const struct postgres *p, enum expect_what what) {
    for (size_t i = 0; i < p->n_expect; i++)
        if (p->expect[(p->head + i) % POSTGRES_EXPECT_MAX].what == what)
            return true;
    return false;
}

static err commit_unknown(struct db *db) {
    return db_remember(db, fail(ERR_AGAIN, "commit_unknown",
                                "%s: the connection broke before the answer to COMMIT: the changes may be there or not",
                                db->name));
}

/* The connection is gone. A COMMIT under way without a word from the server may have happened. */
static err lost(struct db *db) {
    struct postgres *p = state(db);
    bool unknown = db->failed == OK && awaits(p, EXPECT_COMMIT);
    postgres_disconnect(db);
    if (db->failed != OK)
        return db_recall(db);
    if (unknown)
        return commit_unknown(db);
    return db_remember(db, fail(ERR_AGAIN, "db_lost", "%s: the connection to the database broke", db->name));
}

/* Waits until the server has sent something or, with `write`, takes more. */
static err wait_for(struct db *db, bool write) {
    struct postgres *p = state(db);
    struct pollfd fd = {.fd = PQsocket(p->conn), .events = (short)(POLLIN | (write ? POLLOUT : 0))};
    int n = 0;
    do
        n = poll(&fd, 1, p->wait_ms);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return lost(db);
    if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) && PQconsumeInput(p->conn) != 1 && PQisBusy(p->conn))
        return lost(db);
    return OK;
}

static err read_ready(struct db *db);

/* Sends what is buffered, reading meanwhile. */
static err pump(struct db *db) {
    struct postgres *p = state(db);
    for (;;) {
        int rest = PQflush(p->conn);
        if (rest < 0)
            return lost(db);
        if (rest == 0)
            return OK;
        TRY(wait_for(db, true));
        TRY(read_ready(db));
    }
}

static int64_t affected(PGresult *r) {
    const char *text = PQcmdTuples(r);
    return *text ? strtoll(text, NULL, 10) : 0;
}

/* Counts of a statement over arrays: the numbers of the rows that changed something, or only how many. */
static err take_many(struct db *db, const struct expect *e, PGresult *r) {
    const struct db_statement *s = db_statement(db, e->query);
    if (PQresultStatus(r) == PGRES_COMMAND_OK) {
        if (affected(r) != (int64_t)e->n_row)
            return fail(ERR_CORRUPT, "db_schema", "%s: the text for many rows does not say which rows it changed", s->name);
        for (size_t i = 0; e->changed && i < e->n_row; i++)
            e->changed[i] = 1;
        return OK;
    }
    for (size_t i = 0; e->changed && i < e->n_row; i++)
        e->changed[i] = 0;
    for (int row = 0; row < PQntuples(r); row++) {
        TRY(postgres_decode(db, s, r, row));
        int64_t i = db->column[0].type == DB_INTEGER ? db->column[0].integer : 0;
        if (i < 1 || i > (int64_t)e->n_row)
            return fail(ERR_CORRUPT, "db_schema", "%s: the text for many rows gives no row numbers", s->name);
        if (e->changed)
            e->changed[i - 1]++;
    }
    return OK;
}

static err take_rows(struct db *db, const struct expect *e, PGresult *r) {
    const struct db_statement *s = db_statement(db, e->query);
    for (int row = 0; row < PQntuples(r); row++) {
        TRY(postgres_decode(db, s, r, row));
        struct db_row view = {.n = (size_t)PQnfields(r), .value = db->column, .index = e->row};
        TRY(db_give_row(db, e->query, &view, e->fn, e->ctx));
    }
    return OK;
}

static void take_types(struct db *db, const struct expect *e, PGresult *r) {
    struct prepared *to = e->n_row ? &state(db)->many[e->query] : &state(db)->single[e->query];
    int n = PQnparams(r);
    for (int i = 0; i < n && i < DB_PARAM_MAX; i++)
        to->type[i] = PQparamtype(r, i);
    to->ready = n == (int)db_statement(db, e->query)->n_param;
}

static const char *name_of(const struct db *db, const struct expect *e) {
    switch (e->what) {
    case EXPECT_BEGIN:
        return "BEGIN";
    case EXPECT_COMMIT:
        return "COMMIT";
    case EXPECT_ROLLBACK:
        return "ROLLBACK";
    default:
        return db_statement(db, e->query)->name;
    }
}

/* A good answer to the entry. */
static err take(struct db *db, const struct expect *e, PGresult *r) {
    struct postgres *p = state(db);
    switch (e->what) {
    case EXPECT_COMMIT:
        /* The server answers COMMIT of a failed transaction with ROLLBACK. */
        if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
            return fail(ERR_AGAIN, "db_busy", "%s: the server rolled the transaction back", db->name);
        p->committed = true;
        return OK;
    case EXPECT_EXEC:
        if (e->changed && !p->discard)
            *e->changed = affected(r);
        return OK;
    case EXPECT_MANY:
        return p->discard ? OK : take_many(db, e, r);
    case EXPECT_QUERY:
        return p->discard || db->failed != OK ? OK : take_rows(db, e, r);
    case EXPECT_PREPARE:
        if (PQnparams(r) > 0)
            take_types(db, e, r);
        return OK;
    default:
        return OK;
    }
}

/* The server ends the connection: the sentence is not about the statement, which may have been done. */
static bool is_farewell(const PGresult *r) {
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state && strncmp(state, "57P", 3) == 0;
}

static void take_result(struct db *db, const struct expect *e, PGresult *r) {
    switch (PQresultStatus(r)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        (void)db_remember(db, take(db, e, r));
        break;
    case PGRES_PIPELINE_ABORTED:
    case PGRES_PIPELINE_SYNC:
    case PGRES_EMPTY_QUERY:
        break;
    default:
        if (e->what == EXPECT_COMMIT && db->failed == OK && is_farewell(r))
            (void)!commit_unknown(db);
        /* Without a word from the server, lost() decides. */
        if (PQresultErrorField(r, PG_DIAG_SQLSTATE) && db->failed == OK &&
            !(e->what == EXPECT_COMMIT && PQstatus(state(db)->conn) == CONNECTION_BAD))
            (void)db_remember(db, postgres_result_fault(db, r, name_of(db, e)));
    }
}

/* Reads the answer to the oldest entry. The library has all of it, or is made to wait. */
static err read_one(struct db *db) {
    struct postgres *p = state(db);
    for (;;) {
        while (PQisBusy(p->conn)) {
            TRY(pump(db));
            if (p->n_expect == 0)
                return OK;
            if (PQisBusy(p->conn))
                TRY(wait_for(db, false));
        }
        struct expect e = *head(p);
        PQclear(p->result);
        p->result = PQgetResult(p->conn);
        if (PQstatus(p->conn) == CONNECTION_BAD) {
            if (p->result)
                take_result(db, &e, p->result);
            return lost(db);
        }
        if (!p->result && e.what != EXPECT_SYNC) {
            pop(p);
            return OK;
        }
        if (!p->result)
            continue;
        if (e.what == EXPECT_SYNC && PQresultStatus(p->result) == PGRES_PIPELINE_SYNC) {
            pop(p);
            return OK;
        }
        take_result(db, &e, p->result);
    }
}

/* Reads what has come without waiting. */
static err read_ready(struct db *db) {
    struct postgres *p = state(db);
    while (p->n_expect > 0 && !PQisBusy(p->conn))
        TRY(read_one(db));
    return OK;
}

static void expect(struct postgres *p, struct expect e) {
    p->expect[(p->head + p->n_expect) % POSTGRES_EXPECT_MAX] = e;
    p->n_expect++;
}

static err synchronise(struct db *db) {
    struct postgres *p = state(db);
    if (p->unsynced == 0)
        return OK;
    if (PQpipelineSync(p->conn) != 1)
        return lost(db);
    p->unsynced = 0;
    expect(p, (struct expect){.what = EXPECT_SYNC});
    return OK;
}

/* Waits for all answers. */
static err finish(struct db *db) {
    struct postgres *p = state(db);
    TRY(synchronise(db));
    TRY(pump(db));
    while (p->n_expect > 0)
        TRY(read_one(db));
    return db->failed != OK && !p->discard ? db_recall(db) : OK;
}

/* Room in the ring for one entry and a synchronisation point, and output that does not pile up. */
static err make_room(struct db *db) {
    struct postgres *p = state(db);
    if (p->unsynced >= POSTGRES_SYNC_EVERY)
        TRY(synchronise(db));
    if (p->unsynced % PUMP_EVERY == PUMP_EVERY - 1)
        TRY(pump(db));
    if (p->n_expect + 4 < POSTGRES_EXPECT_MAX)
        return OK;
    TRY(synchronise(db));
    TRY(pump(db));
    while (p->n_expect > POSTGRES_EXPECT_MAX / 2)
        TRY(read_one(db));
    return OK;
}

static err send_fixed(struct db *db, const char *text, enum expect_what what) {
    struct postgres *p = state(db);
    TRY(make_room(db));
    if (PQsendQueryParams(p->conn, text, 0, NULL, NULL, NULL, NULL, 0) != 1)
        return lost(db);
    expect(p, (struct expect){.what = what});
    p->unsynced++;
    return OK;
}

static err send_begin(struct db *db) {
    struct postgres *p = state(db);
    if (!p->begin_due)
        return OK;
    p->begin_due = false;
    return send_fixed(db, db->role == DB_WRITER ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", EXPECT_BEGIN);
}

static void statement_name(char name[16], unsigned query, bool many) { snprintf(name, 16, "%c%u", many ? 'm' : 's', query); }

/* Prepares on first use and learns the types of the parameters. */
static err prepare(struct db *db, unsigned query, bool many) {
    struct postgres *p = state(db);
    const struct db_statement *s = db_statement(db, query);
    struct prepared *to = many ? &p->many[query] : &p->single[query];
    if (to->ready)
        return OK;
    TRY(send_begin(db));
    TRY(finish(db));
    char name[16];
    statement_name(name, query, many);
    if (PQsendPrepare(p->conn, name, many ? s->many : s->text[DB_POSTGRES], 0, NULL) != 1)
        return lost(db);
    expect(p, (struct expect){.what = EXPECT_PREPARE, .query = query, .n_row = many});
    if (PQsendDescribePrepared(p->conn, name) != 1)
        return lost(db);
    expect(p, (struct expect){.what = EXPECT_PREPARE, .query = query, .n_row = many});
    p->unsynced += 2;
    TRY(finish(db));
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
    TRY(make_room(db));
    if (PQsendQueryPrepared(p->conn, name, (int)db_statement(db, e.query)->n_param, p->param, p->length, p->format, 1) != 1)
        return lost(db);
    expect(p, e);
    p->unsynced++;
    return OK;
}

static err post_many(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    const struct db_statement *s = db_statement(db, query);
    TRY(prepare(db, query, true));
    for (size_t from = 0; from < n_row; from += POSTGRES_MANY_ROW) {
        size_t n = n_row - from < POSTGRES_MANY_ROW ? n_row - from : POSTGRES_MANY_ROW;
        TRY(postgres_encode_many(db, s, &state(db)->many[query], param + from * s->n_param, n));
        TRY(send_begin(db));
        TRY(send_prepared(
            db, (struct expect){.what = EXPECT_MANY, .query = query, .n_row = n, .changed = changed ? changed + from : NULL},
            true));
        TRY(pump(db));
    }
    return OK;
}

static err post(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    const struct db_statement *s = db_statement(db, query);
    if (s->many && n_row >= POSTGRES_MANY_FROM)
        return post_many(db, query, param, n_row, changed);
    TRY(prepare(db, query, false));
    for (size_t row = 0; row < n_row; row++) {
        TRY(postgres_encode(db, s, &state(db)->single[query], param + row * s->n_param));
        TRY(send_begin(db));
        TRY(send_prepared(
            db, (struct expect){.what = EXPECT_EXEC, .query = query, .changed = changed ? &changed[row] : NULL}, false));
    }
    return OK;
}

static err query_rows(struct db *db, unsigned query, const struct db_value *param, size_t n_row, db_row_fn *fn, void *ctx) {
    const struct db_statement *s = db_statement(db, query);
    TRY(prepare(db, query, false));
    for (size_t row = 0; row < n_row; row++) {
        TRY(postgres_encode(db, s, &state(db)->single[query], param + row * s->n_param));
        TRY(send_begin(db));
        TRY(send_prepared(db, (struct expect){.what = EXPECT_QUERY, .query = query, .row = row, .fn = fn, .ctx = ctx},
                          false));
    }
    return finish(db);
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
        (void)!finish(db);
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
    if (db->alone ? p->n_expect > 0 : sent && send_fixed(db, "ROLLBACK", EXPECT_ROLLBACK) == OK)
        (void)!finish(db);
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
    err rc = send_fixed(db, "COMMIT", EXPECT_COMMIT);
    if (rc == OK)
        rc = finish(db);
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
    TRY(send_begin(db));
    TRY(finish(db));
    if (PQexitPipelineMode(p->conn) != 1 || PQsendQuery(p->conn, sql) != 1)
        return lost(db);
    p->wait_ms = -1; /* rewriting a table takes as long as it takes */
    err rc = pump(db);
    while (rc == OK) {
        while (rc == OK && PQisBusy(p->conn))
            rc = wait_for(db, false);
        if (rc != OK)
            break;
        PQclear(p->result);
        if (!(p->result = PQgetResult(p->conn)))
            break;
        ExecStatusType status = PQresultStatus(p->result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            (void)db_remember(db, postgres_result_fault(db, p->result, "the script"));
        if (PQstatus(p->conn) == CONNECTION_BAD)
            rc = lost(db);
    }
    p->wait_ms = p->statement_timeout_ms + SILENCE_MS;
    if (rc == OK && PQenterPipelineMode(p->conn) != 1)
        rc = lost(db);
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
    return finish(db);
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
