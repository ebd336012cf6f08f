/* postgres_pipeline.c — the pipeline to the server: statements go out, answers are read as they come.
 *
 * The connection never blocks: whoever waits, waits for both directions, so that full buffers on both sides cannot hold each
 * other up. Each statement sent has an entry in a ring that says what to do with its answer. */
#include "store/postgres_priv.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { PUMP_EVERY = 32 };

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
err postgres_lost(struct db *db) {
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
err postgres_wait(struct db *db, bool write) {
    struct postgres *p = state(db);
    struct pollfd fd = {.fd = PQsocket(p->conn), .events = (short)(POLLIN | (write ? POLLOUT : 0))};
    int n = 0;
    do
        n = poll(&fd, 1, p->wait_ms);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return postgres_lost(db);
    if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) && PQconsumeInput(p->conn) != 1 && PQisBusy(p->conn))
        return postgres_lost(db);
    return OK;
}

static err read_ready(struct db *db);

/* Sends what is buffered, reading meanwhile. */
err postgres_pump(struct db *db) {
    struct postgres *p = state(db);
    for (;;) {
        int rest = PQflush(p->conn);
        if (rest < 0)
            return postgres_lost(db);
        if (rest == 0)
            return OK;
        TRY(postgres_wait(db, true));
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
        /* Without a word from the server, postgres_lost() decides. */
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
            TRY(postgres_pump(db));
            if (p->n_expect == 0)
                return OK;
            if (PQisBusy(p->conn))
                TRY(postgres_wait(db, false));
        }
        struct expect e = *head(p);
        PQclear(p->result);
        p->result = PQgetResult(p->conn);
        if (PQstatus(p->conn) == CONNECTION_BAD) {
            if (p->result)
                take_result(db, &e, p->result);
            return postgres_lost(db);
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

void postgres_expect(struct postgres *p, struct expect e) {
    p->expect[(p->head + p->n_expect) % POSTGRES_EXPECT_MAX] = e;
    p->n_expect++;
}

static err synchronise(struct db *db) {
    struct postgres *p = state(db);
    if (p->unsynced == 0)
        return OK;
    if (PQpipelineSync(p->conn) != 1)
        return postgres_lost(db);
    p->unsynced = 0;
    postgres_expect(p, (struct expect){.what = EXPECT_SYNC});
    return OK;
}

/* Waits for all answers. */
err postgres_finish(struct db *db) {
    struct postgres *p = state(db);
    TRY(synchronise(db));
    TRY(postgres_pump(db));
    while (p->n_expect > 0)
        TRY(read_one(db));
    return db->failed != OK && !p->discard ? db_recall(db) : OK;
}

/* Room in the ring for one entry and a synchronisation point, and output that does not pile up. */
err postgres_make_room(struct db *db) {
    struct postgres *p = state(db);
    if (p->unsynced >= POSTGRES_SYNC_EVERY)
        TRY(synchronise(db));
    if (p->unsynced % PUMP_EVERY == PUMP_EVERY - 1)
        TRY(postgres_pump(db));
    if (p->n_expect + 4 < POSTGRES_EXPECT_MAX)
        return OK;
    TRY(synchronise(db));
    TRY(postgres_pump(db));
    while (p->n_expect > POSTGRES_EXPECT_MAX / 2)
        TRY(read_one(db));
    return OK;
}

err postgres_send_fixed(struct db *db, const char *text, enum expect_what what) {
    struct postgres *p = state(db);
    TRY(postgres_make_room(db));
    if (PQsendQueryParams(p->conn, text, 0, NULL, NULL, NULL, NULL, 0) != 1)
        return postgres_lost(db);
    postgres_expect(p, (struct expect){.what = what});
    p->unsynced++;
    return OK;
}

err postgres_send_begin(struct db *db) {
    struct postgres *p = state(db);
    if (!p->begin_due)
        return OK;
    p->begin_due = false;
    return postgres_send_fixed(db, db->role == DB_WRITER ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                               EXPECT_BEGIN);
}
