/* sqlite.c — the driver for SQLite: one file, one writing connection that alone moves the log into the file. */
#include "base/crash_point.h"
#include "store/db_priv.h"
#include "store/sqlite_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESTART_WAIT_MS = 200 };

struct sqlite {
    sqlite3 *handle;
    sqlite3_stmt **statement; /* by number; NULL until first used */
    sqlite3_stmt *active;     /* a query that a call-back may have left by a jump */
    sqlite3_stmt *begin, *commit, *rollback;
    int lock_fd; /* -1 for a reader */
    int busy_ms;
    uint64_t page_byte;
    uint64_t wal_page, moved_page; /* in the log; of them in the file as well */
};

static struct sqlite *state(const struct db *db) { return db->state; }

struct code {
    int rc; /* SQLite's, primary or extended */
    err code;
    const char *slug, *phrase;
};

/* The first line that fits counts, so extended codes stand before primary ones. */
static const struct code codes[] = {
    {SQLITE_CONSTRAINT_UNIQUE, ERR_CONFLICT, "db_unique", "a key is taken"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, ERR_CONFLICT, "db_unique", "a key is taken"},
    {SQLITE_CONSTRAINT_ROWID, ERR_CONFLICT, "db_unique", "a key is taken"},
    {SQLITE_BUSY_SNAPSHOT, ERR_CONFLICT, "db_serialization", "somebody changed the data first"},
    {SQLITE_CONSTRAINT, ERR_INPUT, "db_constraint", "a value that the tables refuse"},
    {SQLITE_BUSY, ERR_AGAIN, "db_busy", "locked by another connection"},
    {SQLITE_LOCKED, ERR_AGAIN, "db_busy", "locked by another statement"},
    {SQLITE_FULL, ERR_AGAIN, "disk_full", "the disk is full"},
    {SQLITE_IOERR, ERR_AGAIN, "db_io", "reading or writing failed"},
    {SQLITE_INTERRUPT, ERR_AGAIN, "db_timeout", "interrupted"},
    {SQLITE_CORRUPT, ERR_CORRUPT, "db_corrupt", "the file is damaged"},
    {SQLITE_NOTADB, ERR_CORRUPT, "db_corrupt", "not a SQLite file"},
    {SQLITE_READONLY, ERR_DENIED, "db_denied", "may not be written"},
    {SQLITE_PERM, ERR_DENIED, "db_denied", "not allowed"},
    {SQLITE_AUTH, ERR_DENIED, "db_denied", "not allowed"},
    {SQLITE_CANTOPEN, ERR_DENIED, "db_denied", "cannot be opened"},
    {SQLITE_TOOBIG, ERR_INPUT, "db_value", "a value is too long"},
    {SQLITE_MISMATCH, ERR_INPUT, "db_value", "a value of the wrong type"},
    {SQLITE_NOMEM, ERR_LIMIT, "memory_limit", "no memory"},
};

/* SQLite's own sentence names tables and columns, but of values only what the schema holds. */
err sqlite_fault(sqlite3 *handle, int rc, const char *name, const char *what) {
    int why = handle ? sqlite3_system_errno(handle) : 0;
    int primary = rc & 0xff;
    if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && (why == ENOSPC || why == EDQUOT))
        return fail(ERR_AGAIN, "disk_full", "%s: %s: the disk is full", name, what);
    const char *detail = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].rc == rc || codes[i].rc == primary)
            return (fail)(codes[i].code, codes[i].slug, "%s: %s: %s (%s)", name, what, codes[i].phrase, detail);
    return fail(ERR_CORRUPT, "db_schema", "%s: %s: the tables are not what this program expects (%s)", name, what, detail);
}

static err fault(const struct db *db, int rc, const char *what) {
    return sqlite_fault(state(db)->handle, rc, db->name, what);
}

/* Who holds the lock, as far as the file tells. */
static long lock_holder(int fd) {
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

/* The lock belongs to the open file, so it ends with the process, however that ends. The file stays: removing it would let
 * two programs lock two files of one name. */
err db_lock_file(const char *path, int *fd) {
    char name[4096];
    int n = snprintf(name, sizeof name, "%s.lock", path);
    if (n < 0 || (size_t)n >= sizeof name)
        return fail(ERR_INPUT, "db_url", "the path of the database is too long");
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return errno == ENOSPC || errno == EDQUOT ? fail(ERR_AGAIN, "disk_full", "%s: %s", name, strerror(errno))
               : errno == ENOENT                  ? fail(ERR_ABSENT, "db_missing", "%s: no such directory", path)
                                                  : fail(ERR_DENIED, "db_denied", "%s: %s", name, strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        long pid = lock_holder(lock);
        close(lock);
        return fail(ERR_CONFLICT, "db_in_use",
                    "%s is in use: the process %ld writes to it. Only one may; stop it first, or use PostgreSQL", path, pid);
    }
    char text[32];
    n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* Only a message depends on it. */
    (void)!ftruncate(lock, 0);
    (void)!pwrite(lock, text, (size_t)n, 0);
    *fd = lock;
    return OK;
}

static err run_text(struct db *db, const char *sql) {
    int rc = sqlite3_exec(state(db)->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : fault(db, rc, "a setting");
}

/* The first column of the first row of a pragma. */
static err read_pragma(struct db *db, const char *sql, char *to, size_t cap) {
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(state(db)->handle, sql, -1, &s, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(s, 0);
        snprintf(to, cap, "%s", text ? (const char *)text : "");
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        rc = SQLITE_OK;
    }
    err done = rc == SQLITE_OK ? OK : fault(db, rc, sql);
    sqlite3_finalize(s);
    return done;
}

static int on_commit(void *ctx, sqlite3 *handle, const char *name, int pages) {
    (void)handle;
    (void)name;
    struct sqlite *s = ctx;
    uint64_t now = pages < 0 ? 0 : (uint64_t)pages;
    if (now < s->wal_page)
        s->moved_page = 0; /* the log began anew */
    s->wal_page = now;
    return SQLITE_OK;
}

static err set_up_writer(struct db *db) {
    char mode[16] = "";
    TRY(run_text(db, "PRAGMA page_size=8192; PRAGMA secure_delete=ON; PRAGMA synchronous=FULL"));
    TRY(read_pragma(db, "PRAGMA journal_mode=WAL", mode, sizeof mode));
    if (strcmp(mode, "wal") != 0)
        return fail(ERR_INPUT, "db_unsupported", "%s: this file system cannot hold a write-ahead log", db->name);
    return run_text(db, "PRAGMA mmap_size=0");
}

static err set_up(struct db *db) {
    struct sqlite *s = state(db);
    sqlite3_extended_result_codes(s->handle, 1);
    sqlite3_busy_timeout(s->handle, s->busy_ms);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (db->role == DB_WRITER)
        TRY(set_up_writer(db));
    TRY(run_text(db,
                 "PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY"));
    if (db->role == DB_READER)
        TRY(run_text(db, "PRAGMA query_only=ON"));
    char page[16] = "";
    TRY(read_pragma(db, "PRAGMA page_size", page, sizeof page));
    s->page_byte = strtoull(page, NULL, 10);
    if (db->role == DB_READER)
        return OK;
    sqlite3_wal_hook(s->handle, on_commit, s); /* after wal_autocheckpoint, which takes it away */
    /* What an earlier writer left in the log; readers may hold it back. */
    crash_point("open_checkpoint");
    (void)!db->driver->checkpoint(db, DB_CHECKPOINT_PASSIVE);
    return OK;
}

/* Makes the file, so that nobody but its owner may ever read it. */
static err make_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(ERR_DENIED, "db_denied", "%s: %s", path, strerror(errno));
    close(fd);
    return OK;
}

static err open_sqlite(struct arena *a, const struct db_config *c, struct db *db) {
    struct sqlite *s = ARENA_NEW(a, struct sqlite);
    s->lock_fd = -1;
    s->busy_ms = c->lock_timeout_ms;
    s->statement = ARENA_ARRAY(a, db_statement_count(db), sqlite3_stmt *);
    db->state = s;
    struct stat st;
    bool exists = stat(db->name, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return fail(ERR_INPUT, "db_url", "%s is a directory", db->name);
    if (db->role == DB_WRITER) {
        TRY(db_lock_file(db->name, &s->lock_fd));
        TRY(make_file(db->name));
    } else if (!exists) {
        return fail(ERR_ABSENT, "db_missing", "%s: there is no database", db->name);
    }
    /* Its statistics cost a lock at every allocation. Before the first use in a process; later it changes nothing. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    const char *vfs = db->role == DB_WRITER ? sqlite_log_vfs() : NULL;
    int rc = sqlite3_open_v2(db->name, &s->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs);
    if (rc != SQLITE_OK)
        return fault(db, rc, "opening");
    return set_up(db);
}

static void close_sqlite(struct db *db) {
    struct sqlite *s = state(db);
    if (!s)
        return;
    for (size_t i = 0; i < db_statement_count(db); i++)
        sqlite3_finalize(s->statement[i]);
    sqlite3_finalize(s->begin);
    sqlite3_finalize(s->commit);
    sqlite3_finalize(s->rollback);
    if (s->handle)
        sqlite3_close(s->handle);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    db->state = NULL;
}

/* Prepares *to on first use. */
static err prepare_text(struct db *db, const char *text, const char *name, sqlite3_stmt **to) {
    if (*to)
        return OK;
    int rc = sqlite3_prepare_v3(state(db)->handle, text, -1, SQLITE_PREPARE_PERSISTENT, to, NULL);
    return rc == SQLITE_OK ? OK : fault(db, rc, name);
}

static err prepare(struct db *db, unsigned query) {
    const struct db_statement *s = db_statement(db, query);
    return prepare_text(db, s->text[DB_SQLITE], s->name, &state(db)->statement[query]);
}

static void reset_active(struct sqlite *s) {
    if (s->active)
        sqlite3_reset(s->active);
    s->active = NULL;
}

/* BEGIN and its like. */
static err run_fixed(struct db *db, const char *text, sqlite3_stmt **to) {
    TRY(prepare_text(db, text, text, to));
    int rc = sqlite3_step(*to);
    err done = rc == SQLITE_DONE ? OK : fault(db, rc, text);
    sqlite3_reset(*to);
    return done;
}

static err begin(struct db *db) {
    struct sqlite *s = state(db);
    reset_active(s);
    if (db->alone)
        return OK;
    return run_fixed(db, db->role == DB_WRITER ? "BEGIN IMMEDIATE" : "BEGIN", &s->begin);
}

static void rollback(struct db *db) {
    struct sqlite *s = state(db);
    reset_active(s);
    /* Some failures (a full disk) have rolled back already. */
    if (!sqlite3_get_autocommit(s->handle))
        (void)!run_fixed(db, "ROLLBACK", &s->rollback);
}

static err commit(struct db *db) {
    struct sqlite *s = state(db);
    reset_active(s);
    if (db->alone)
        return OK;
    err rc = sqlite3_get_autocommit(s->handle) ? fail(ERR_AGAIN, "db_io", "%s: the transaction was lost", db->name)
                                               : run_fixed(db, "COMMIT", &s->commit);
    if (rc != OK) {
        (void)db_remember(db, rc);
        rollback(db);
        return db_recall(db);
    }
    return OK;
}

static int bind_value(sqlite3_stmt *s, int i, const struct db_value *v) {
    static const char nothing[1] = "";
    switch (v->type) {
    case DB_NULL:
        return sqlite3_bind_null(s, i);
    case DB_INTEGER:
        return sqlite3_bind_int64(s, i, v->integer);
    case DB_REAL:
        return sqlite3_bind_double(s, i, v->real);
    case DB_TEXT:
        return sqlite3_bind_text64(s, i, v->text.len ? v->text.ptr : nothing, v->text.len, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(s, i, v->blob.len ? v->blob.ptr : nothing, v->blob.len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

/* Values are not copied: they outlive the step. */
static err bind(struct db *db, unsigned query, const struct db_value *param) {
    sqlite3_stmt *s = state(db)->statement[query];
    const struct db_statement *what = db_statement(db, query);
    int rc = SQLITE_OK;
    assert(param || what->n_param == 0);
    for (unsigned i = 0; i < what->n_param && rc == SQLITE_OK; i++)
        rc = bind_value(s, (int)i + 1, &param[i]);
    if (what->now && rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, (int)what->n_param + 1, db->clock.wall_ms());
    return rc == SQLITE_OK ? OK : fault(db, rc, what->name);
}

/* Runs the bound statement to its end without looking at rows. */
static err step_through(struct db *db, unsigned query, int64_t *changed) {
    struct sqlite *state_ = state(db);
    sqlite3_stmt *s = state_->statement[query];
    int64_t before = sqlite3_total_changes64(state_->handle);
    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(s);
    err done = rc == SQLITE_DONE ? OK : fault(db, rc, db_statement(db, query)->name);
    /* sqlite3_changes keeps the number of the last statement that changed something. */
    if (done == OK && changed)
        *changed = sqlite3_total_changes64(state_->handle) == before ? 0 : sqlite3_changes64(state_->handle);
    sqlite3_reset(s);
    return done;
}

static err post(struct db *db, unsigned query, const struct db_value *param, size_t n_row, int64_t *changed) {
    TRY(prepare(db, query));
    reset_active(state(db));
    unsigned n = db_statement(db, query)->n_param;
    err rc = OK;
    for (size_t row = 0; row < n_row && rc == OK; row++) {
        rc = bind(db, query, n > 0 ? param + row * n : NULL);
        if (rc == OK)
            rc = step_through(db, query, changed ? &changed[row] : NULL);
    }
    sqlite3_clear_bindings(state(db)->statement[query]);
    return rc;
}

static err flush(struct db *db) {
    (void)db;
    return OK;
}

static void read_column(sqlite3_stmt *s, int i, struct db_value *v) {
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER:
        *v = db_integer(sqlite3_column_int64(s, i));
        break;
    case SQLITE_FLOAT:
        *v = db_real(sqlite3_column_double(s, i));
        break;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(s, i);
        *v = db_text((str){text ? text : "", (size_t)sqlite3_column_bytes(s, i)});
        break;
    }
    case SQLITE_BLOB: {
        const char *blob = sqlite3_column_blob(s, i);
        *v = db_blob((str){blob ? blob : "", (size_t)sqlite3_column_bytes(s, i)});
        break;
    }
    default:
        *v = db_null();
    }
}

static err give_rows(struct db *db, unsigned query, size_t index, db_row_fn *fn, void *ctx) {
    sqlite3_stmt *s = state(db)->statement[query];
    int n = sqlite3_column_count(s), rc = SQLITE_DONE;
    if (n > DB_COLUMN_MAX)
        return fail(ERR_CORRUPT, "db_column", "%s: more than %d columns", db_statement(db, query)->name, DB_COLUMN_MAX);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++)
            read_column(s, i, &db->column[i]);
        struct db_row row = {.n = (size_t)n, .value = db->column, .index = index};
        TRY(db_give_row(db, query, &row, fn, ctx));
    }
    return rc == SQLITE_DONE ? OK : fault(db, rc, db_statement(db, query)->name);
}

static err query_rows(struct db *db, unsigned query, const struct db_value *param, size_t n_row, db_row_fn *fn, void *ctx) {
    TRY(prepare(db, query));
    struct sqlite *s = state(db);
    reset_active(s);
    unsigned n = db_statement(db, query)->n_param;
    err rc = OK;
    for (size_t row = 0; row < n_row && rc == OK; row++) {
        rc = bind(db, query, n > 0 ? param + row * n : NULL);
        s->active = s->statement[query];
        if (rc == OK)
            rc = give_rows(db, query, row, fn, ctx);
        reset_active(s);
    }
    sqlite3_clear_bindings(s->statement[query]);
    return rc;
}

static err script(struct db *db, const char *sql) {
    int rc = sqlite3_exec(state(db)->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : fault(db, rc, "the script");
}

/* BEGIN IMMEDIATE has done it. */
static err lock_schema(struct db *db) {
    (void)db;
    return OK;
}

static err checkpoint(struct db *db, enum db_checkpoint how) {
    static const int modes[] = {[DB_CHECKPOINT_PASSIVE] = SQLITE_CHECKPOINT_PASSIVE,
                                [DB_CHECKPOINT_RESTART] = SQLITE_CHECKPOINT_RESTART,
                                [DB_CHECKPOINT_TRUNCATE] = SQLITE_CHECKPOINT_TRUNCATE};
    struct sqlite *s = state(db);
    assert(db->role == DB_WRITER);
    int pages = 0, moved = 0;
    sqlite3_busy_timeout(s->handle, RESTART_WAIT_MS);
    int rc = sqlite3_wal_checkpoint_v2(s->handle, NULL, modes[how], &pages, &moved);
    err done = rc == SQLITE_OK ? OK : fault(db, rc, "moving the log into the file");
    sqlite3_busy_timeout(s->handle, s->busy_ms);
    if (pages >= 0 && moved >= 0) {
        s->wal_page = (uint64_t)pages;
        s->moved_page = (uint64_t)moved;
    }
    return done;
}

static struct db_wal wal(const struct db *db) {
    const struct sqlite *s = state(db);
    return (struct db_wal){s->wal_page * s->page_byte, (s->wal_page - s->moved_page) * s->page_byte};
}

const struct db_driver db_driver_sqlite = {
    .open = open_sqlite,
    .close = close_sqlite,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .post = post,
    .flush = flush,
    .query = query_rows,
    .prepare = prepare,
    .script = script,
    .lock_schema = lock_schema,
    .checkpoint = checkpoint,
    .wal = wal,
};
