/* doctor.c — galena doctor: looks at the installation and the data, and says what is wrong and what to do. */
#include "cmd/control.h"
#include "cmd/present.h"
#include "cmd/reply.h"
#include "store/query.h"

#include <errno.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOST_FINDINGS = 32, TEXT_COLUMN = 27, MAX_WIDTH = 100 };

enum verdict { FINE, NOTE, WRONG };

struct finding {
    enum verdict verdict;
    const char *check;
    str text;
};

struct doctor_options {
    struct control_options control;
};

struct doctor {
    struct session *s;
    const struct doctor_options *o;
    struct finding finding[MOST_FINDINGS];
    size_t n;
};

static void find(struct doctor *d, enum verdict verdict, const char *check, str text) {
    if (d->n < MOST_FINDINGS)
        d->finding[d->n++] = (struct finding){verdict, check, text};
}

static void find_failure(struct doctor *d, const char *check) {
    find(d, WRONG, check, str_format(d->s->arena, "[%s] %s", err_slug(), err_text()));
}

/* ---- checks ---- */

static void check_directory(struct doctor *d) {
    struct arena *a = d->s->arena;
    const char *path = str_cstr(a, d->o->control.place.data);
    struct stat st;
    struct statvfs fs;
    if (stat(path, &st) != 0) {
        find(d, place_is_shared(&d->o->control.place) ? NOTE : WRONG, "data directory",
             str_format(a, "%s: %s; galena serve makes it", path, strerror(errno)));
        return;
    }
    if (st.st_mode & 077)
        find(d, WRONG, "data directory",
             str_format(a, "%s can be read by others (mode %03o): chmod 700 it", path, st.st_mode & 0777));
    else
        find(d, FINE, "data directory", str_format(a, "%s, for its owner alone", path));
    if (statvfs(path, &fs) != 0)
        return;
    double free_gb = (double)fs.f_bavail * (double)fs.f_frsize / 1e9;
    find(d,
         free_gb < 0.2 ? WRONG
         : free_gb < 2 ? NOTE
                       : FINE,
         "disk", str_format(a, "%.1f GB free; a lead takes about 5 KB", free_gb));
}

static void check_key(struct doctor *d) {
    const char *path = place_path(d->s->arena, &d->o->control.place, "master.key");
    struct stat st;
    if (d->o->control.place.master_key.n == 0 && stat(path, &st) == 0 && (st.st_mode & 077))
        find(d, WRONG, "master key", str_format(d->s->arena, "%s can be read by others: chmod 600 it", path));
    else if (d->o->control.place.master_key.n == 0 && stat(path, &st) == 0)
        find(d, NOTE, "master key",
             str_format(d->s->arena, "%s lies beside the data: keep a copy elsewhere, and the backups without it", path));
    else
        find(d, FINE, "master key", STR("not kept in the data directory"));
}

struct version_of {
    struct doctor *d;
    str text;
};

static err copy_text(void *ctx, struct db_row *row) {
    struct version_of *v = ctx;
    v->text = str_copy(v->d->s->arena, db_row_text(row, 0));
    return OK;
}

/* Versions 3.7.0 to 3.51.2 may damage the file when two connections write or checkpoint at once. */
static void check_sqlite_version(struct doctor *d, str version) {
    int part[3] = {0};
    for (int i = 0; i < 3; i++) {
        str number;
        if (!str_split(&version, '.', &number))
            break;
        for (size_t k = 0; k < number.len && number.ptr[k] >= '0' && number.ptr[k] <= '9'; k++)
            part[i] = part[i] * 10 + number.ptr[k] - '0';
    }
    bool mended = part[0] > 3 || (part[0] == 3 && (part[1] > 51 || (part[1] == 51 && part[2] >= 3)));
    str text = str_format(d->s->arena, "SQLite %d.%d.%d", part[0], part[1], part[2]);
    if (!mended)
        text = str_format(
            d->s->arena,
            "%.*s, older than the mending of its log race (3.51.3): harmless here, where one connection alone writes "
            "and checkpoints; do not open galena.db with other programs that write",
            STR_ARG(text));
    find(d, mended ? FINE : NOTE, "database program", text);
}

static void check_database(struct doctor *d) {
    struct arena *a = d->s->arena;
    const struct place_options *place = &d->o->control.place;
    const struct db_config c = {.url = str_cstr(a, place_url(a, place)),
                                .role = DB_READER,
                                .catalogue = &store_catalogue,
                                .clock = d->s->clock,
                                .application = "galena doctor"};
    struct db *db;
    struct migrate_report report = {0};
    struct version_of version = {.d = d};
    if (db_open(a, &c, &db) != OK) {
        find_failure(d, "database");
        return;
    }
    if (db_query(db, QUERY_DOCTOR_VERSION, NULL, copy_text, &version) != OK)
        find_failure(d, "database");
    else if (db_kind(db) == DB_SQLITE)
        check_sqlite_version(d, version.text);
    else
        find(d, FINE, "database program", str_format(a, "PostgreSQL %.*s", STR_ARG(version.text)));
    if (store_migrate_check(db, &report) == OK)
        find(d, FINE, "tables", str_format(a, "version %u, as this program expects", report.after));
    else
        find_failure(d, "tables");
    db_close(db);
}

static void check_log(struct doctor *d) {
    struct stat st;
    if (place_is_shared(&d->o->control.place) ||
        stat(place_path(d->s->arena, &d->o->control.place, "galena.db-wal"), &st) != 0)
        return;
    double mb = (double)st.st_size / 1e6;
    find(d, mb > 1000 ? WRONG : FINE, "write-ahead log",
         str_format(d->s->arena,
                    mb > 1000 ? "%.0f MB: a reader holds it open; look for a long export or an open sqlite3" : "%.0f MB",
                    mb));
}

static void check_files(struct doctor *d) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    find(d, limit.rlim_max < 4096 ? NOTE : FINE, "open files",
         str_format(d->s->arena, "at most %llu; each connection takes one", (unsigned long long)limit.rlim_max));
}

static bool flag(const struct json *v, const char *key, bool otherwise) {
    bool b;
    return json_get_bool(v, str_from(key), &b) == OK ? b : otherwise;
}

static void check_service(struct doctor *d) {
    struct control *c;
    const struct json *v, *process, *lost;
    if (control_open(d->s, &d->o->control, &c) != OK || control_call(c, "GET", STR("/v1/queue"), (str){0}, &v) != OK) {
        find_failure(d, "service");
        return;
    }
    process = json_get(v, STR("process"));
    if (control_is_own(c))
        find(d, NOTE, "service", STR("galena serve does not run on this data: nothing is scored"));
    else if (!flag(process, "alive", true))
        find(d, WRONG, "service", STR("it runs, but its heart has stopped: the store does not take its commits"));
    else
        find(d, FINE, "service", STR("runs"));
    if (flag(process, "callback_open", false))
        find(d, WRONG, "deliveries", STR("the target keeps failing; none is sent until it answers again"));
    if (flag(process, "lookup_open", false))
        find(d, WRONG, "look-ups", STR("the target keeps failing; leads are scored without it"));
    if (control_call(c, "GET", STR("/v1/sweep"), (str){0}, &v) != OK || json_get_array(v, STR("lost"), &lost) != OK)
        find_failure(d, "lost leads");
    else
        find(d, lost->count == 0 ? FINE : WRONG, "lost leads",
             lost->count == 0 ? STR("none: every accepted lead has an end or a run")
                              : str_format(d->s->arena, "%u accepted leads have neither an end nor a run", lost->count));
}

/* ---- report ---- */

static err print(struct doctor *d, size_t n_wrong) {
    static const char *const word[] = {"ok", "note", "WRONG"};
    static const enum style style[] = {STYLE_GOOD, STYLE_WARN, STYLE_BAD};
    struct session *s = d->s;
    if (s->json) {
        struct session_document *doc = session_document_new(s);
        json_open_object(&doc->w);
        json_key(&doc->w, STR("findings"));
        json_open_array(&doc->w);
        for (size_t i = 0; i < d->n; i++) {
            json_open_object(&doc->w);
            json_put_string(&doc->w, STR("check"), str_from(d->finding[i].check));
            json_put_string(&doc->w, STR("verdict"),
                            d->finding[i].verdict == WRONG ? STR("wrong") : str_from(word[d->finding[i].verdict]));
            json_put_string(&doc->w, STR("text"), d->finding[i].text);
            json_close_object(&doc->w);
        }
        json_close_array(&doc->w);
        json_put_integer(&doc->w, STR("wrong"), (int64_t)n_wrong);
        json_close_object(&doc->w);
        return session_document_print(s, doc);
    }
    for (size_t i = 0; i < d->n; i++) {
        const struct finding *f = &d->finding[i];
        fprintf(s->out.file, "  %s%-5s%s  %-16s  ", terminal_style(&s->out, style[f->verdict]), word[f->verdict],
                terminal_style(&s->out, STYLE_PLAIN), f->check);
        present_wrap(&s->out, f->text, TEXT_COLUMN, TEXT_COLUMN, s->out.width < MAX_WIDTH ? s->out.width : MAX_WIDTH);
    }
    if (n_wrong == 0)
        fputs("\nNothing is wrong.\n", s->out.file);
    else
        fprintf(s->out.file, "\n%.*s wrong.\n", STR_ARG(reply_count(s->arena, (int64_t)n_wrong, "thing is", "things are")));
    return OK;
}

static err run_doctor(struct session *s, const void *options) {
    struct doctor d = {.s = s, .o = options};
    size_t n_wrong = 0;
    check_directory(&d);
    check_key(&d);
    check_database(&d);
    check_log(&d);
    check_files(&d);
    check_service(&d);
    for (size_t i = 0; i < d.n; i++)
        n_wrong += d.finding[i].verdict == WRONG;
    TRY(print(&d, n_wrong));
    if (n_wrong == 0)
        return OK;
    s->failure_shown = true;
    return fail(ERR_CORRUPT, "doctor_wrong", "%zu things are wrong", n_wrong);
}

static const struct setting doctor_table[] = {CONTROL_SETTINGS(struct doctor_options, control)};

const struct command command_doctor = {
    .name = "doctor",
    .summary = "look at the installation and the data for faults",
    .description =
        "Checks the data directory, the master key, the database and its version, the tables, disk space and limits, the "
        "running service, "
        "and that no accepted lead is lost. Each fault is said with its remedy; the exit code tells whether there was one.",
    COMMAND_SETTINGS(doctor_table),
    .options_size = sizeof(struct doctor_options),
    .configured = true,
    .run = run_doctor,
};
