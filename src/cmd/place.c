/* place.c — the data directory, the master key, the database's address. */
#include "cmd/place.h"

#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char master_variable[] = "GALENA_MASTER_SECRET";

const char *place_path(struct arena *a, const struct place_options *o, const char *name) {
    return str_format(a, "%.*s/%s", STR_ARG(o->data), name).ptr;
}

bool place_is_shared(const struct place_options *o) {
    return str_starts(o->database, STR("postgresql:")) || str_starts(o->database, STR("postgres:"));
}

str place_url(struct arena *a, const struct place_options *o) {
    return o->database.len > 0 ? o->database : str_format(a, "sqlite:%.*s/galena.db", STR_ARG(o->data));
}

err place_make(struct session *s, const struct place_options *o) {
    const char *path = str_cstr(s->arena, o->data);
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    return fail(errno == EACCES || errno == EPERM ? ERR_DENIED
                : errno == ENOSPC                 ? ERR_AGAIN
                                                  : ERR_ABSENT,
                "place_make", "cannot make the data directory %s: %s", path, strerror(errno));
}

/* ---- keys ---- */

static const char **split_command(struct arena *a, str command) {
    const char **argv = ARENA_ARRAY(a, command.len + 2, const char *);
    size_t n = 0;
    for (str part; str_split(&command, ' ', &part);)
        if (part.len > 0)
            argv[n++] = str_cstr(a, part);
    return argv;
}

/* The file in the data directory, made at the first start of an embedded database. */
static err default_key(struct session *s, const struct place_options *o, const char **out) {
    *out = place_path(s->arena, o, "master.key");
    struct stat st;
    if (stat(*out, &st) == 0)
        return OK;
    if (place_is_shared(o))
        return fail(ERR_INPUT, "usage_master_key",
                    "a shared database needs a master key: --master-key FILE, --key-command or %s", master_variable);
    if (stat(place_path(s->arena, o, "galena.db"), &st) == 0)
        return fail(ERR_ABSENT, "vault_master_absent",
                    "%s: the master key of this database is not there; name it with --master-key", *out);
    TRY(vault_master_new(*out));
    session_warn(s, "made a new master key, %s: keep a copy in a safe place; without it the data cannot be read", *out);
    return OK;
}

err place_vault(struct session *s, const struct place_options *o, struct vault **out) {
    struct vault_source *source = ARENA_ARRAY(s->arena, o->master_key.n + 3, struct vault_source);
    size_t n = 0;
    if (getenv(master_variable))
        source[n++] = (struct vault_source){.kind = VAULT_ENVIRONMENT, .name = master_variable};
    if (o->key_command.len > 0)
        source[n++] = (struct vault_source){.kind = VAULT_COMMAND,
                                            .argv = (const char *const *)split_command(s->arena, o->key_command)};
    for (size_t i = 0; i < o->master_key.n; i++)
        source[n++] = (struct vault_source){.kind = VAULT_FILE, .name = str_cstr(s->arena, o->master_key.item[i])};
    if (n == 0) {
        source[n].kind = VAULT_FILE;
        TRY(default_key(s, o, &source[n].name));
        n++;
    }
    return vault_open(source, n, out);
}

/* ---- tables ---- */

err place_migrate(struct session *s, const struct place_options *o, bool apply, struct migrate_report *out) {
    const struct db_config c = {.url = str_cstr(s->arena, place_url(s->arena, o)),
                                .catalogue = &store_catalogue,
                                .clock = s->clock,
                                .application = "galena migrate"};
    struct db *db;
    TRY(db_open(s->arena, &c, &db));
    err rc = store_migrate_check(db, out);
    if (rc != OK && (apply || out->before == 0) && strcmp(err_slug(), "migration_missing") == 0)
        rc = store_migrate(db, out);
    db_close(db);
    return rc;
}
