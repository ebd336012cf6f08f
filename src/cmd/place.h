/* place.h — where Galena keeps what it keeps, and how: the options that say so, and their opening.
 *
 * A data directory holds galena.db (SQLite, unless --database names a PostgreSQL), master.key (made at the first start, mode
 * 0600, unless another is named: whoever has only the database cannot read it, whoever loses the key has lost the data),
 * and, while `galena serve` runs, control.json and control.token. */
#ifndef GALENA_CMD_PLACE_H
#define GALENA_CMD_PLACE_H

#include "cmd/command.h"
#include "store/migrate.h"
#include "store/store.h"

struct place_options {
    str config, data, database, key_command;
    struct setting_list master_key;
};

/* The settings that fill a struct place_options so many bytes into the options of a command. */
#define PLACE_SETTINGS_AT(byte)                                                                                             \
    {.name = "config",                                                                                                      \
     .type = SETTING_PATH,                                                                                                  \
     .offset = (byte) + offsetof(struct place_options, config),                                                             \
     .help =                                                                                                                \
         "a YAML file with settings by these names; the environment (GALENA_DATA for --data) and the command line win"},    \
        {.name = "data",                                                                                                    \
         .letter = 'd',                                                                                                     \
         .type = SETTING_PATH,                                                                                              \
         .offset = (byte) + offsetof(struct place_options, data),                                                           \
         .fallback = "galena-data",                                                                                         \
         .arg = "DIR",                                                                                                      \
         .help = "the directory with the database and the master key; made when it is not there"},                          \
        {.name = "database",                                                                                                \
         .type = SETTING_STRING,                                                                                            \
         .offset = (byte) + offsetof(struct place_options, database),                                                       \
         .arg = "URL",                                                                                                      \
         .help = "postgresql://... instead of the SQLite file in the data directory"},                                      \
        {.name = "master-key",                                                                                              \
         .type = SETTING_LIST,                                                                                              \
         .offset = (byte) + offsetof(struct place_options, master_key),                                                     \
         .arg = "FILE,...",                                                                                                 \
         .help = "files with master keys; the first one wraps, the others only open (default: master.key in the data "      \
                 "directory; GALENA_MASTER_SECRET may hold the key itself)"},                                               \
    {                                                                                                                       \
        .name = "key-command", .type = SETTING_STRING, .offset = (byte) + offsetof(struct place_options, key_command),      \
        .arg = "COMMAND",                                                                                                   \
        .help = "a program that prints the master key, with its arguments, separated by spaces; run without a shell"        \
    }

/* The settings that fill the member `place` of `options`. */
#define PLACE_SETTINGS(options, place) PLACE_SETTINGS_AT(offsetof(options, place))

/* A file in the data directory. */
const char *place_path(struct arena *a, const struct place_options *o, const char *name);

/* The database's URL: --database, or the SQLite file. */
str place_url(struct arena *a, const struct place_options *o);

/* Makes the data directory (mode 0700) when it is not there. */
err place_make(struct session *s, const struct place_options *o) MUST_CHECK;

/* The vault with the master keys; with SQLite the key file is made at the first time. Call before any thread starts. */
err place_vault(struct session *s, const struct place_options *o, struct vault **out) MUST_CHECK;

/* Brings the tables up to date (SQLite), or checks that they are (PostgreSQL, where `galena migrate` does it, unless the
 * database is empty). */
err place_migrate(struct session *s, const struct place_options *o, bool apply, struct migrate_report *out) MUST_CHECK;

/* True for a PostgreSQL database. */
bool place_is_shared(const struct place_options *o);

#endif
