/* db_priv.h — what the drivers share: the connection, the table of driver functions, the remembered failure. */
#ifndef GALENA_STORE_DB_PRIV_H
#define GALENA_STORE_DB_PRIV_H

#include "store/db.h"
#include "store/driver_sql.h"

enum { DB_COLUMN_MAX = 128, DB_PARAM_MAX = 64, DB_FAULT_BYTE = 768 };

/* Functions get checked parameters. Those that change or read data set nothing in `fault`: db.c keeps what they return. */
struct db_driver {
    err (*open)(struct arena *a, const struct db_config *c, struct db *db);
    void (*close)(struct db *db);
    err (*begin)(struct db *db);
    err (*commit)(struct db *db); /* on failure the transaction is over */
    void (*rollback)(struct db *db);
    err (*post)(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed);
    err (*flush)(struct db *db);
    err (*query)(struct db *db, unsigned query, const struct db_value *param, size_t n_row, db_row_fn *fn, void *ctx);
    err (*prepare)(struct db *db, unsigned query);
    err (*script)(struct db *db, const char *sql); /* several statements, inside a transaction */
    err (*lock_schema)(struct db *db);             /* inside a transaction: nobody else migrates until its end */
    err (*checkpoint)(struct db *db, enum db_checkpoint how);
    struct db_wal (*wal)(const struct db *db);
};

extern const struct db_driver db_driver_sqlite;
#ifdef GALENA_POSTGRES
extern const struct db_driver db_driver_postgres;
#endif

struct db {
    const struct db_driver *driver;
    enum db_kind kind;
    enum db_role role;
    const struct db_catalogue *catalogue;
    struct clock clock;
    struct arena *scratch;
    const char *name; /* for messages: the path, or the URL without passwords */
    bool open, in_tx;
    bool alone; /* the transaction is one statement that only reads: BEGIN and COMMIT are spared */
    err failed; /* of the transaction: nothing but a roll-back is possible */
    const char *failed_slug;
    char failed_text[DB_FAULT_BYTE];
    struct db_value column[DB_COLUMN_MAX]; /* of the row that is handed out */
    void *state;                           /* the driver's */
};

/* The statements of sql/driver have numbers behind those of the catalogue. */
static inline size_t db_statement_count(const struct db *db) { return db->catalogue->n_statement + db_own.n_statement; }
static inline unsigned db_own_query(const struct db *db, unsigned own) { return (unsigned)db->catalogue->n_statement + own; }
static inline const struct db_statement *db_statement(const struct db *db, unsigned query) {
    size_t n = db->catalogue->n_statement;
    return query < n ? &db->catalogue->statement[query] : &db_own.statement[query - n];
}

/* Remembers the thread's last failure as the transaction's, unless there is one already. Returns rc. */
err db_remember(struct db *db, err rc);
/* Records the remembered failure as the thread's last again. */
err db_recall(const struct db *db) MUST_CHECK;

/* Hands `row` to fn and checks that it was read as what it is. */
err db_give_row(struct db *db, unsigned query, struct db_row *row, db_row_fn *fn, void *ctx) MUST_CHECK;

/* The lock file beside a SQLite file. ERR_CONFLICT "db_in_use". *fd is closed by whoever wants to give the lock up. */
err db_lock_file(const char *path, int *fd) MUST_CHECK;

/* The failure of a call to the library (result code `rc`, extended) for `what`. */
struct sqlite3;
err sqlite_fault(struct sqlite3 *handle, int rc, const char *name, const char *what) MUST_CHECK;

#endif
