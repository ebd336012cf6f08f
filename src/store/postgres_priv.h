/* postgres_priv.h — the parts of the driver for PostgreSQL: connection, pipeline, values, errors. */
#ifndef GALENA_STORE_POSTGRES_PRIV_H
#define GALENA_STORE_POSTGRES_PRIV_H

#include "base/buf.h"
#include "store/db_priv.h"

#include <libpq-fe.h>

enum {
    POSTGRES_EXPECT_MAX = 2048, /* answers that may be outstanding */
    POSTGRES_SYNC_EVERY = 500,  /* statements between two points at which errors end */
    POSTGRES_MANY_ROW = 500,    /* rows of one array */
    POSTGRES_MANY_FROM = 4      /* fewer rows are sent one by one */
};

/* An answer that is to come. */
enum expect_what {
    EXPECT_BEGIN,
    EXPECT_COMMIT,
    EXPECT_ROLLBACK,
    EXPECT_EXEC,
    EXPECT_MANY,
    EXPECT_QUERY,
    EXPECT_PREPARE,
    EXPECT_SYNC
};
struct expect {
    enum expect_what what;
    unsigned query;
    size_t row, n_row;
    int64_t *changed;
    db_row_fn *fn;
    void *ctx;
};

/* A prepared statement of this connection: the types the server found for its parameters. */
struct prepared {
    bool ready;
    Oid type[DB_PARAM_MAX];
};

struct postgres {
    PGconn *conn;            /* NULL when there is no connection */
    char **keyword, **value; /* of the connection; the arena's */
    str password;            /* to be kept out of messages */
    struct prepared *single, *many;
    struct expect expect[POSTGRES_EXPECT_MAX];
    size_t head, n_expect;
    size_t unsynced;  /* statements since the last synchronisation point */
    bool committed;   /* the server has said so; what it says after that changes nothing */
    bool begin_due;   /* BEGIN goes with the first statement */
    bool discard;     /* answers are passed over: nobody waits for them any more */
    PGresult *result; /* being read */
    int wait_ms;      /* longest silence; < 0: any */
    int statement_timeout_ms;
    struct buf array; /* for parameters of EXPECT_MANY */
    char number[DB_PARAM_MAX][8];
    const char *param[DB_PARAM_MAX];
    int length[DB_PARAM_MAX], format[DB_PARAM_MAX];
};

static inline struct postgres *postgres_state(const struct db *db) { return db->state; }

/* postgres_pipeline.c */

/* What is sent waits in a ring for its answer; errors are remembered by the connection (db_remember). */
/* Room in the ring for one entry and a synchronisation point, and output that does not pile up. */
err postgres_make_room(struct db *db) MUST_CHECK;
/* The next answer belongs to `e`. After postgres_make_room. */
void postgres_expect(struct postgres *p, struct expect e);
/* Sends a text without parameters; BEGIN, when it is due. */
err postgres_send_fixed(struct db *db, const char *text, enum expect_what what) MUST_CHECK;
err postgres_send_begin(struct db *db) MUST_CHECK;
/* Sends what is buffered, reading meanwhile. */
err postgres_pump(struct db *db) MUST_CHECK;
/* Waits for all answers. */
err postgres_finish(struct db *db) MUST_CHECK;
/* Waits until the server has sent something or, with `write`, takes more. */
err postgres_wait(struct db *db, bool write) MUST_CHECK;
/* The connection is gone: ends it. "db_lost", or "commit_unknown" when a COMMIT was under way. */
err postgres_lost(struct db *db);

/* postgres_connect.c */

/* Reads the URL and the settings once. */
err postgres_read_url(struct arena *a, const struct db_config *c, struct db *db) MUST_CHECK;
/* Connects; host names are looked up anew. */
err postgres_connect(struct db *db) MUST_CHECK;
/* Ends the connection and forgets what was sent. */
void postgres_disconnect(struct db *db);

/* postgres_error.c */

/* What the server said about a statement. */
err postgres_result_fault(const struct db *db, const PGresult *result, const char *name) MUST_CHECK;
/* "db_lost", or what hindered a connection. */
err postgres_connect_fault(const struct db *db, PGconn *conn) MUST_CHECK;

/* postgres_value.c */

/* Writes row `param` into p->param and its like. */
err postgres_encode(struct db *db, const struct db_statement *s, const struct prepared *types,
                    const struct db_value *param) MUST_CHECK;
/* The same with arrays of n_row rows. */
err postgres_encode_many(struct db *db, const struct db_statement *s, const struct prepared *types,
                         const struct db_value *param, size_t n_row) MUST_CHECK;
/* Row `row` of a result into db->column. */
err postgres_decode(struct db *db, const struct db_statement *s, const PGresult *result, int row) MUST_CHECK;

#endif
