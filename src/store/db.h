/* db.h — one connection to the database, SQLite or PostgreSQL behind the same functions.
 *
 * Statements are named: they stand in sql/query and are called by their number (enum query in the generated
 * "store/query.h"). A connection is used by one thread at a time. Three levels of batching, cheapest last:
 *   db_exec, db_query             one row of parameters, one round trip
 *   db_exec_many, db_query_many   many rows of parameters, one round trip
 *   db_post                       as db_exec_many, but the counts come with the next db_flush or db_commit, so that BEGIN,
 *                                 all statements and COMMIT share one round trip
 * PostgreSQL runs a statement that has a `-- @postgres_many` text once for up to 500 rows, with arrays; others are sent as a
 * pipeline. Such a text returns the number of each row of parameters that changed something, or nothing at all if every one
 * must. SQLite loops over the prepared statement.
 *
 * Outside a transaction each call is a transaction of its own. After an error inside a transaction nothing but
 * db_rollback is possible (a failed db_commit has rolled back already).
 *
 * Errors of every call that reaches the database, with the transaction rolled back or to be rolled back by the caller:
 *   ERR_AGAIN    db_busy (locked, out of time, too many connections), db_timeout, db_lost (no connection; the next
 *                transaction connects again), disk_full, db_io, commit_unknown (the connection broke between COMMIT
 *                and its answer: the transaction may be there or not)
 *   ERR_CONFLICT db_unique (a unique key is taken), db_serialization (deadlock, concurrent change)
 *   ERR_INPUT    db_constraint, db_value (out of range, too long), db_nul (NUL byte in a text), db_utf8, db_nan,
 *                db_parameter (a value of another type than the statement wants)
 *   ERR_CORRUPT  db_corrupt, db_schema (the tables are not what the program expects), db_column (a column of another type
 *                than was read)
 *   ERR_DENIED   db_denied (password, permissions, read-only)
 * Messages name statement, table and constraint, never a parameter's value. */
#ifndef GALENA_STORE_DB_H
#define GALENA_STORE_DB_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

struct db;

enum db_kind { DB_SQLITE, DB_POSTGRES, DB_KIND_COUNT };

/* A WRITER of a SQLite file is alone: a second one, in this or another process, is refused. READERs change nothing. */
enum db_role { DB_WRITER, DB_READER };

/* Generated from sql/ by tools/embed_sql.py. */
struct db_statement {
    const char *name;
    const char *text[DB_KIND_COUNT]; /* parameters ?1… and $1… */
    const char *many;                /* PostgreSQL, over arrays; NULL when there is none */
    unsigned n_param;                /* without the clock */
    bool now;                        /* SQLite: parameter n_param + 1 is the time */
};
struct db_migration {
    unsigned version; /* 1, 2, 3, … */
    const char *name;
    const char *checksum; /* SHA-256 of the file, hexadecimal */
    const char *text[DB_KIND_COUNT];
};
struct db_catalogue {
    const struct db_statement *statement;
    size_t n_statement;
    const struct db_migration *migration;
    size_t n_migration;
};

/* Every field 0 means the default named behind it. */
struct db_config {
    const char *url;                      /* "sqlite:PATH", a path, or "postgresql://…" as libpq reads it */
    enum db_role role;                    /* DB_WRITER */
    const struct db_catalogue *catalogue; /* must be given */
    struct clock clock;                   /* the machine's; SQLite's $now; PostgreSQL uses the server's */
    const char *application;              /* "galena"; PostgreSQL: application_name */
    int connect_timeout_ms;               /* 5,000 for each host of the URL */
    int statement_timeout_ms;             /* 30,000 */
    int lock_timeout_ms;                  /* 5,000; SQLite: busy_timeout */
    int idle_timeout_ms;                  /* 60,000: idle_in_transaction_session_timeout */
    size_t scratch_byte;                  /* 256 MiB: limit of db_scratch */
};

enum db_type { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT, DB_BLOB };

struct db_value {
    enum db_type type;
    union {
        int64_t integer;
        double real; /* not NaN */
        str text;    /* UTF-8 without NUL */
        str blob;
    };
};

static inline struct db_value db_null(void) { return (struct db_value){DB_NULL, {0}}; }
static inline struct db_value db_integer(int64_t v) { return (struct db_value){DB_INTEGER, {.integer = v}}; }
static inline struct db_value db_real(double v) { return (struct db_value){DB_REAL, {.real = v}}; }
static inline struct db_value db_text(str v) { return (struct db_value){DB_TEXT, {.text = v}}; }
static inline struct db_value db_blob(str v) { return (struct db_value){DB_BLOB, {.blob = v}}; }
/* NULL when v.ptr is NULL. */
static inline struct db_value db_text_or_null(str v) { return v.ptr ? db_text(v) : db_null(); }
static inline struct db_value db_blob_or_null(str v) { return v.ptr ? db_blob(v) : db_null(); }

/* Parameters of one row: DB_ROW(db_integer(1), db_text(s)). */
#define DB_ROW(...) ((const struct db_value[]){__VA_ARGS__})

/* Opens; PostgreSQL connects. Closed with the arena. ERR_INPUT "db_url"; ERR_CONFLICT "db_in_use" (another process writes
 * to this SQLite file; the message names its pid); ERR_ABSENT "db_missing" (a reader of a file that is not there, a
 * database the server does not have); ERR_INPUT "db_unsupported" (built without PostgreSQL; the server's encoding is not
 * UTF8). A SQLite file that is not there is made, readable by its owner only. */
err db_open(struct arena *a, const struct db_config *c, struct db **out) MUST_CHECK;

/* Before the arena does it. Harmless twice. A writer's WAL stays: see db_checkpoint. */
void db_close(struct db *db);

enum db_kind db_kind(const struct db *db);

/* A transaction. Writers: SQLite BEGIN IMMEDIATE; PostgreSQL READ COMMITTED, sent with the first statement. Readers: one
 * snapshot. Connects again if the connection was lost. Empties db_scratch. */
err db_begin(struct db *db) MUST_CHECK;
/* OK: durable. Else nothing is changed and the transaction is over; but see "commit_unknown". */
err db_commit(struct db *db) MUST_CHECK;
/* Harmless without a transaction. Keeps the sentence of the failure that led to it. */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* Memory for the work of one transaction: emptied by the next db_begin. Guard it with arena_run (the writer does). */
struct arena *db_scratch(struct db *db);

/* Runs a statement with its n_param values. *changed (may be NULL): rows inserted, updated or deleted. */
err db_exec(struct db *db, unsigned query, const struct db_value *param, int64_t *changed) MUST_CHECK;

/* The same with each of n_row rows of parameters (row-major, n_row × n_param). changed[i] (may be NULL) belongs to row i. */
err db_exec_many(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) MUST_CHECK;

/* As db_exec_many, inside a transaction only, and changed[] (may be NULL) is filled not later than by the next db_flush,
 * db_commit, or other call that waits: it must live that long. Parameters need not outlive the call. */
err db_post(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) MUST_CHECK;
/* Waits for what was posted. */
err db_flush(struct db *db) MUST_CHECK;

/* One row of an answer; valid during the call-back only. */
struct db_row {
    size_t n;
    const struct db_value *value;
    size_t index; /* the row of parameters it answers */
    size_t fault; /* 1 + the first column that was read as what it is not; db_query then fails */
};
static inline bool db_row_null(const struct db_row *r, size_t i) { return i >= r->n || r->value[i].type == DB_NULL; }
/* NULL reads as 0 and as {NULL, 0}. An integer may be read as a real. A text of length 0 has a ptr. */
int64_t db_row_integer(struct db_row *r, size_t i);
double db_row_real(struct db_row *r, size_t i);
str db_row_text(struct db_row *r, size_t i);
str db_row_blob(struct db_row *r, size_t i);

/* Called for each row, in order. A failure ends the query, which returns it. Must not use the connection. */
typedef err db_row_fn(void *ctx, struct db_row *row);

/* Runs a statement and hands out its rows, all of which are held in memory by PostgreSQL's client: use LIMIT. Statements
 * that change something may return rows too (RETURNING). */
err db_query(struct db *db, unsigned query, const struct db_value *param, db_row_fn *fn, void *ctx) MUST_CHECK;
/* With each of n_row rows of parameters; row->index says which. */
err db_query_many(struct db *db, unsigned query, const struct db_value *param, size_t n_row, db_row_fn *fn,
                  void *ctx) MUST_CHECK;

/* ms since the epoch: the server's clock (PostgreSQL), or the configured one. */
err db_now(struct db *db, int64_t *ms) MUST_CHECK;

/* SQLite's write-ahead log, as the writer knows it: its length, and how much of it is not in the file yet. 0 for PostgreSQL.
 */
struct db_wal {
    uint64_t byte, unmoved_byte;
};
struct db_wal db_wal(const struct db *db);

/* Prepares every statement of the catalogue: ERR_CORRUPT "db_schema" names the first that does not fit the tables. */
err db_prepare_all(struct db *db) MUST_CHECK;

/* Moves SQLite's log into the file. PASSIVE waits for nobody; RESTART waits for readers (at most 200 ms, else
 * ERR_AGAIN "db_busy"), so that the log begins anew; TRUNCATE also gives its space back. Outside transactions, writers
 * only. Nothing for PostgreSQL. */
enum db_checkpoint { DB_CHECKPOINT_PASSIVE, DB_CHECKPOINT_RESTART, DB_CHECKPOINT_TRUNCATE };
err db_checkpoint(struct db *db, enum db_checkpoint how) MUST_CHECK;

/* The URL with every password replaced by ***: for messages. */
str db_redact(struct arena *a, str url);

/* Which driver the URL asks for: ERR_INPUT "db_url" when none. */
err db_url_kind(str url, enum db_kind *kind) MUST_CHECK;

/* The path in "sqlite:PATH" or "PATH". */
str db_url_path(str url);

#endif
