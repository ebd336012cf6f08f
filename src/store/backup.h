/* backup.h — a copy of the SQLite file while the program runs, its verification, and the way back.
 *
 * A backup is two files: PATH, a SQLite file, and PATH.manifest, JSON with size, SHA-256, version of the tables and time.
 * PATH appears complete and checked or not at all. */
#ifndef GALENA_STORE_BACKUP_H
#define GALENA_STORE_BACKUP_H

#include "store/db.h"

struct backup_report {
    uint64_t byte;
    int64_t created_ms;
    int64_t version; /* of the tables */
    str sha256;      /* hexadecimal */
};

/* Copies the database `url` as it is at this moment into the new file `path`, runs SQLite's integrity check on the copy,
 * writes the manifest. Writers go on meanwhile; their log cannot begin anew until the copy is made. ERR_INPUT
 * "backup_postgres" (use pg_dump or pg_basebackup), ERR_CONFLICT "backup_exists", ERR_CORRUPT "db_corrupt". */
err backup_create(struct arena *a, const char *url, const char *path, struct clock clock,
                  struct backup_report *out) MUST_CHECK;

/* Checks the backup at `path`: size and SHA-256 as in the manifest, SQLite's integrity check. ERR_CORRUPT "backup_damaged",
 * ERR_ABSENT "file_missing". */
err backup_verify(struct arena *a, const char *path, struct backup_report *out) MUST_CHECK;

/* Verifies the backup at `path` and puts a copy of it in the place of the database `url`. ERR_CONFLICT "db_in_use" while a
 * process writes there, "backup_exists" when there is a database and `replace` is false. With `replace` the old files stay
 * beside it as NAME.replaced-TIME. */
err backup_restore(struct arena *a, const char *path, const char *url, bool replace, struct clock clock,
                   struct backup_report *out) MUST_CHECK;

#endif
