/* migrate.c — compares the table of applied migrations with those in the program, and applies what is missing. */
#include "store/migrate.h"

#include "store/db_priv.h"

#include <assert.h>
#include <inttypes.h>

/* Made before anything else and never changed. */
static const char *const table[DB_KIND_COUNT] = {
    [DB_SQLITE] = "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                  "checksum TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT",
    [DB_POSTGRES] = "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
                    "checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)",
};

struct comparison {
    struct db *db;
    size_t n; /* applied, all as in the program */
};

static err compare_row(void *ctx, struct db_row *row) {
    struct comparison *c = ctx;
    const struct db_catalogue *in = c->db->catalogue;
    int64_t version = db_row_integer(row, 0);
    str name = db_row_text(row, 1), checksum = db_row_text(row, 2);
    if (version > (int64_t)in->n_migration)
        return fail(ERR_CONFLICT, "migration_newer",
                    "%s: the tables have version %" PRId64 ", this program knows %zu: use the newer program", c->db->name,
                    version, in->n_migration);
    if (version != (int64_t)c->n + 1)
        return fail(ERR_CORRUPT, "migration_gap", "%s: migration %zu was never applied, but %" PRId64 " was", c->db->name,
                    c->n + 1, version);
    const struct db_migration *m = &in->migration[c->n];
    if (!str_equal(checksum, str_from(m->checksum)))
        return fail(ERR_CORRUPT, "migration_changed",
                    "%s: migration %u was applied as \"%.*s\" with other contents than \"%s\" has in this program",
                    c->db->name, m->version, STR_ARG(name), m->name);
    c->n++;
    return OK;
}

static err compare(struct db *db, size_t *applied) {
    struct comparison c = {.db = db};
    TRY(db_query(db, db_own_query(db, DRIVER_MIGRATION_LIST), NULL, compare_row, &c));
    *applied = c.n;
    return OK;
}

static err script(struct db *db, const char *sql) { return db_remember(db, db->driver->script(db, sql)); }

/* One step in a transaction: the table, or the next migration. *done when nothing is missing. */
static err step(struct db *db, size_t *applied, bool *done) {
    TRY(db_remember(db, db->driver->lock_schema(db)));
    TRY(script(db, table[db->kind]));
    TRY(compare(db, applied));
    *done = *applied == db->catalogue->n_migration;
    if (*done)
        return OK;
    const struct db_migration *m = &db->catalogue->migration[*applied];
    err rc = script(db, m->text[db->kind]);
    if (rc != OK)
        return err_prefix(rc, "migration %u \"%s\"", m->version, m->name);
    return db_exec(db, db_own_query(db, DRIVER_MIGRATION_ADD),
                   DB_ROW(db_integer(m->version), db_text(str_from(m->name)), db_text(str_from(m->checksum))), NULL);
}

err store_migrate(struct db *db, struct migrate_report *out) {
    assert(!db->in_tx && db->role == DB_WRITER);
    struct migrate_report report = {0};
    bool done = false;
    for (bool first = true; !done; first = false) {
        size_t applied = 0;
        TRY(db_begin(db));
        err rc = step(db, &applied, &done);
        if (rc != OK) {
            db_rollback(db);
            return rc;
        }
        TRY(db_commit(db));
        if (first)
            report.before = (unsigned)applied;
        report.after = (unsigned)applied + !done;
        report.n_applied += !done;
    }
    *out = report;
    return OK;
}

err store_migrate_check(struct db *db, struct migrate_report *out) {
    size_t applied = 0;
    err rc = compare(db, &applied);
    /* Without its table the database is empty or not ours. */
    if (rc == ERR_CORRUPT && strcmp(err_slug(), "db_schema") == 0)
        rc = OK;
    TRY(rc);
    *out = (struct migrate_report){.before = (unsigned)applied, .after = (unsigned)applied};
    if (applied < db->catalogue->n_migration)
        return fail(ERR_CONFLICT, "migration_missing",
                    "%s: the tables have version %zu, this program needs %zu: run galena migrate", db->name, applied,
                    db->catalogue->n_migration);
    return OK;
}
