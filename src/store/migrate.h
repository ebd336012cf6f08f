/* migrate.h — brings the tables up to date: sql/schema/NNNN_name.sql, in order, each in a transaction of its own. */
#ifndef GALENA_STORE_MIGRATE_H
#define GALENA_STORE_MIGRATE_H

#include "store/db.h"

struct migrate_report {
    unsigned before, after; /* versions; 0: empty */
    size_t n_applied;
};

/* Applies what is missing. Two programs that start together do it once (PostgreSQL: advisory lock). What was applied stays
 * when a later one fails. Errors of db.h, and ERR_CORRUPT "migration_changed" (an applied file had other contents),
 * "migration_gap"; ERR_CONFLICT "migration_newer" (the database was made by a newer program). */
err store_migrate(struct db *db, struct migrate_report *out) MUST_CHECK;

/* OK when the tables are what this program expects; ERR_CONFLICT "migration_missing" when `galena migrate` must run first;
 * else as store_migrate. Changes nothing: for readers and workers. */
err store_migrate_check(struct db *db, struct migrate_report *out) MUST_CHECK;

#endif
