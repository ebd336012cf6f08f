/* migrate.c — galena migrate, backup, restore. */
#include "cmd/place.h"
#include "cmd/present.h"
#include "store/backup.h"

struct migrate_options {
    struct place_options place;
    str file;
    bool replace;
};

static err run_migrate(struct session *s, const void *options) {
    const struct migrate_options *o = options;
    struct migrate_report report = {0};
    if (!place_is_shared(&o->place))
        TRY(place_make(s, &o->place));
    TRY(place_migrate(s, &o->place, true, &report));
    if (!s->json) {
        if (report.n_applied == 0)
            fprintf(s->out.file, "The tables are up to date (version %u).\n", report.after);
        else
            fprintf(s->out.file, "The tables went from version %u to %u.\n", report.before, report.after);
        return OK;
    }
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("before"), report.before);
    json_put_integer(&d->w, STR("after"), report.after);
    json_put_integer(&d->w, STR("applied"), (int64_t)report.n_applied);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static err tell_backup(struct session *s, const struct migrate_options *o, const struct backup_report *r, const char *done) {
    if (!s->json) {
        fprintf(s->out.file, "%s %.*s: %.*s, checked.\nSHA-256 %.*s\n", done, STR_ARG(o->file),
                STR_ARG(present_byte(s->arena, (double)r->byte)), STR_ARG(r->sha256));
        return OK;
    }
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("file"), o->file);
    json_put_integer(&d->w, STR("bytes"), (int64_t)r->byte);
    json_put_string(&d->w, STR("sha256"), r->sha256);
    json_put_integer(&d->w, STR("version"), r->version);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static err run_backup(struct session *s, const void *options) {
    const struct migrate_options *o = options;
    struct backup_report report;
    TRY(backup_create(s->arena, str_cstr(s->arena, place_url(s->arena, &o->place)), o->file.ptr, s->clock, &report));
    return tell_backup(s, o, &report, "Saved to");
}

static err run_restore(struct session *s, const void *options) {
    const struct migrate_options *o = options;
    struct backup_report report;
    TRY(place_make(s, &o->place));
    TRY(backup_restore(s->arena, o->file.ptr, str_cstr(s->arena, place_url(s->arena, &o->place)), o->replace, s->clock,
                       &report));
    return tell_backup(s, o, &report, "Restored from");
}

#define AT(member) .offset = offsetof(struct migrate_options, member)

static const struct setting migrate_table[] = {PLACE_SETTINGS(struct migrate_options, place)};
static const struct setting restore_table[] = {
    PLACE_SETTINGS(struct migrate_options, place),
    {.name = "replace",
     .type = SETTING_FLAG,
     AT(replace),
     .help = "put it in the place of a database that is there; that one is kept beside it"},
};
static const struct argument file_arguments[] = {{.name = "FILE", .help = "the backup", AT(file)}};

const struct command command_migrate = {
    .name = "migrate",
    .summary = "bring the tables up to date",
    .description = "Applies the migrations that are missing, each in a transaction. galena serve does it by itself on "
                   "SQLite; on PostgreSQL it "
                   "is done once, before the new programs start.",
    .examples = "galena migrate --database postgresql://galena@db/galena\n",
    COMMAND_SETTINGS(migrate_table),
    .options_size = sizeof(struct migrate_options),
    .configured = true,
    .run = run_migrate,
};

const struct command command_backup = {
    .name = "backup",
    .summary = "copy the database while it runs",
    .description = "Copies the SQLite database of the data directory to FILE, checks the copy, and writes FILE.manifest "
                   "with its size and "
                   "SHA-256. The master key is not in it: keep that elsewhere. For PostgreSQL use pg_dump or pg_basebackup.",
    .examples = "galena backup /backups/leads-2026-03-01.db --data leads\n",
    COMMAND_SETTINGS(migrate_table),
    COMMAND_ARGUMENTS(file_arguments),
    .options_size = sizeof(struct migrate_options),
    .configured = true,
    .run = run_backup,
};

const struct command command_restore = {
    .name = "restore",
    .summary = "put a backup back",
    .description = "Verifies a backup against its manifest and puts a copy of it into the data directory. Refused while a "
                   "program uses the "
                   "database.",
    .examples = "galena restore /backups/leads-2026-03-01.db --data leads\n",
    COMMAND_SETTINGS(restore_table),
    COMMAND_ARGUMENTS(file_arguments),
    .options_size = sizeof(struct migrate_options),
    .configured = true,
    .run = run_restore,
};
