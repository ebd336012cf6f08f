/* backup.c — copies of a SQLite file with their manifest. */
#include "store/backup.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "store/db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTE = 4096, STEP_PAGES = 1024, CHUNK_BYTE = 1 << 20, MANIFEST_BYTE = 64 * 1024, BUSY_MS = 5000 };

static err only_sqlite(str url) {
    enum db_kind kind = DB_SQLITE;
    TRY(db_url_kind(url, &kind));
    if (kind == DB_POSTGRES)
        return fail(ERR_INPUT, "backup_postgres",
                    "a PostgreSQL database is copied with its own tools: pg_dump or pg_basebackup");
    return OK;
}

static const char *beside(struct arena *a, const char *path, const char *suffix) {
    return str_format(a, "%s%s", path, suffix).ptr;
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static void close_handle(void *ctx) { sqlite3_close(ctx); }

static err open_handle(struct arena *a, const char *path, int flags, sqlite3 **out) {
    int rc = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL);
    arena_defer(a, close_handle, *out);
    if (rc != SQLITE_OK)
        return sqlite_fault(*out, rc, path, "opening");
    sqlite3_extended_result_codes(*out, 1);
    sqlite3_busy_timeout(*out, BUSY_MS);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return OK;
}

/* First column of the first row into *text. */
static err ask(struct arena *a, sqlite3 *handle, const char *path, const char *sql, str *text) {
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(s, 0);
        *text = str_copy(a, str_from(found ? found : ""));
    }
    err done = rc == SQLITE_ROW || rc == SQLITE_DONE ? OK : sqlite_fault(handle, rc, path, sql);
    sqlite3_finalize(s);
    return done;
}

/* The whole of it, with foreign keys. Backups are plain files without a log, so reading writes nothing beside them. */
static err check_file(struct arena *a, const char *path, int64_t *version) {
    sqlite3 *handle = NULL;
    str text = {0};
    struct arena_mark mark = arena_mark(a);
    int rc = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    arena_defer(a, close_handle, handle);
    err done = rc == SQLITE_OK ? OK : sqlite_fault(handle, rc, path, "opening");
    if (done == OK)
        done = ask(a, handle, path, "PRAGMA integrity_check(1)", &text);
    if (done == OK && !str_equal(text, STR("ok")))
        done = fail(ERR_CORRUPT, "db_corrupt", "%s: %.*s", path, STR_ARG(text));
    str violation = {0};
    if (done == OK)
        done = ask(a, handle, path, "PRAGMA foreign_key_check", &violation);
    if (done == OK && violation.ptr)
        done =
            fail(ERR_CORRUPT, "db_corrupt", "%s: rows of %.*s refer to rows that are not there", path, STR_ARG(violation));
    if (done == OK)
        done = ask(a, handle, path, "SELECT coalesce(max(version), 0) FROM migration", &text);
    *version = done == OK ? strtoll(text.ptr, NULL, 10) : 0;
    arena_rewind(a, mark);
    return done;
}

/* Size and SHA-256 of a file. */
static err digest(struct arena *a, const char *path, uint64_t *byte, str *hex) {
    struct hash h;
    unsigned char sum[HASH_BYTE];
    char text[HASH_HEX_BYTE + 1];
    int fd = -1;
    TRY(file_open(path, &fd));
    char *chunk = malloc(CHUNK_BYTE);
    ssize_t n = chunk ? 1 : -1;
    uint64_t total = 0;
    hash_begin(&h);
    while (n > 0 && (n = read(fd, chunk, CHUNK_BYTE)) > 0) {
        hash_add(&h, (str){chunk, (size_t)n});
        total += (uint64_t)n;
    }
    free(chunk);
    close(fd);
    if (n < 0)
        return fail(ERR_AGAIN, "file_read", "%s: %s", path, strerror(errno));
    hash_end(&h, sum);
    hash_to_hex(sum, text);
    *byte = total;
    *hex = str_copy(a, (str){text, HASH_HEX_BYTE});
    return OK;
}

/* A read transaction held from the beginning pins one moment, so that a busy writer does not make the copy begin again. */
static err copy_pages(struct arena *a, const char *from, const char *to) {
    sqlite3 *source = NULL, *target = NULL;
    TRY(open_handle(a, from, SQLITE_OPEN_READWRITE, &source));
    TRY(open_handle(a, to, SQLITE_OPEN_READWRITE, &target));
    str count = {0};
    int rc = sqlite3_exec(source, "PRAGMA query_only=ON; BEGIN", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return sqlite_fault(source, rc, from, "reading");
    TRY(ask(a, source, from, "SELECT count(*) FROM sqlite_schema", &count));
    sqlite3_backup *b = sqlite3_backup_init(target, "main", source, "main");
    if (!b)
        return sqlite_fault(target, sqlite3_errcode(target), to, "copying");
    do
        rc = sqlite3_backup_step(b, STEP_PAGES);
    while (rc == SQLITE_OK);
    int done = sqlite3_backup_finish(b);
    if (rc != SQLITE_DONE || done != SQLITE_OK)
        return sqlite_fault(target, rc != SQLITE_DONE ? rc : done, to, "copying");
    /* A plain file: what belongs to it stands in it. */
    rc = sqlite3_exec(target, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : sqlite_fault(target, rc, to, "closing the copy");
}

/* On the disk, name included. */
static err sync_path(const char *path, bool directory) {
    char name[PATH_BYTE];
    snprintf(name, sizeof name, "%s", path);
    char *slash = directory ? strrchr(name, '/') : NULL;
    if (slash)
        slash[slash == name] = '\0';
    else if (directory)
        snprintf(name, sizeof name, ".");
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || directory);
    int why = errno;
    if (fd >= 0)
        close(fd);
    return ok ? OK : fail(ERR_AGAIN, "file_write", "%s: %s", path, strerror(why));
}

static err rename_file(const char *from, const char *to) {
    if (rename(from, to) != 0)
        return fail(ERR_AGAIN, "file_write", "%s: %s", to, strerror(errno));
    return OK;
}

/* A new, empty file beside `path` that only its owner reads. */
static err make_temporary(struct arena *a, const char *path, const char **out) {
    char *name = str_cstr(a, str_format(a, "%s.tmp-XXXXXX", path));
    int fd = mkstemp(name);
    if (fd < 0)
        return errno == ENOSPC ? fail(ERR_AGAIN, "disk_full", "%s: %s", path, strerror(errno))
                               : fail(ERR_DENIED, "file_denied", "%s: %s", path, strerror(errno));
    close(fd);
    *out = name;
    return OK;
}

static err write_manifest(struct arena *a, const char *path, const struct backup_report *r) {
    str text = str_format(
        a, "{\"format\":1,\"byte\":%" PRIu64 ",\"sha256\":\"%.*s\",\"version\":%" PRId64 ",\"created_ms\":%" PRId64 "}\n",
        r->byte, STR_ARG(r->sha256), r->version, r->created_ms);
    return file_write_all(a, beside(a, path, ".manifest"), text);
}

static err make_copy(struct arena *a, const char *from, const char *temporary, struct backup_report *r) {
    struct arena_mark mark = arena_mark(a);
    err rc = copy_pages(a, from, temporary);
    arena_rewind(a, mark); /* closes both */
    TRY(rc);
    TRY(check_file(a, temporary, &r->version));
    TRY(digest(a, temporary, &r->byte, &r->sha256));
    return sync_path(temporary, false);
}

err backup_create(struct arena *a, const char *url, const char *path, struct clock clock, struct backup_report *out) {
    TRY(only_sqlite(str_from(url)));
    const char *from = str_cstr(a, db_url_path(str_from(url))), *temporary = NULL;
    if (!exists(from))
        return fail(ERR_ABSENT, "db_missing", "%s: there is no database", from);
    if (exists(path))
        return fail(ERR_CONFLICT, "backup_exists", "%s is there already; a backup never writes over a file", path);
    struct backup_report r = {.created_ms = clock.wall_ms()};
    TRY(make_temporary(a, path, &temporary));
    err rc = make_copy(a, from, temporary, &r);
    /* The manifest first: a file under its name has one. */
    if (rc == OK)
        rc = write_manifest(a, path, &r);
    if (rc == OK)
        rc = rename_file(temporary, path);
    if (rc != OK) {
        unlink(temporary);
        return rc;
    }
    TRY(sync_path(path, true));
    *out = r;
    return OK;
}

static err damaged(const char *path, const char *why) {
    return fail(ERR_CORRUPT, "backup_damaged", "%s is not the backup that was made: %s", path, why);
}

static err read_manifest(struct arena *a, const char *path, struct backup_report *r) {
    str text = {0};
    const struct json *m = NULL;
    const char *name = beside(a, path, ".manifest");
    TRY(file_read_all(a, name, MANIFEST_BYTE, &text));
    if (json_parse(a, text, NULL, &m) != OK || m->type != JSON_OBJECT)
        return damaged(path, "its manifest is no JSON object");
    int64_t format = 0, byte = 0;
    if (json_get_integer(m, STR("format"), &format) != OK || format != 1)
        return damaged(path, "its manifest has a format that this program does not know");
    if (json_get_integer(m, STR("byte"), &byte) != OK || json_get_string(m, STR("sha256"), &r->sha256) != OK ||
        json_get_integer(m, STR("version"), &r->version) != OK ||
        json_get_integer(m, STR("created_ms"), &r->created_ms) != OK)
        return damaged(path, "its manifest lacks something");
    r->byte = (uint64_t)byte;
    return OK;
}

err backup_verify(struct arena *a, const char *path, struct backup_report *out) {
    struct backup_report said = {0}, is = {0};
    TRY(read_manifest(a, path, &said));
    TRY(digest(a, path, &is.byte, &is.sha256));
    if (is.byte != said.byte || !str_equal(is.sha256, said.sha256))
        return damaged(path, is.byte != said.byte ? "its size differs" : "its SHA-256 differs");
    TRY(check_file(a, path, &is.version));
    if (is.version != said.version)
        return damaged(path, "the version of its tables differs");
    *out = said;
    return OK;
}

static err copy_bytes(const char *from, const char *to, const char *path) {
    int in = -1;
    TRY(file_open(from, &in));
    int fd = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0)
        n = copy_file_range(in, NULL, fd, NULL, CHUNK_BYTE, 0);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && n == 0) {
        n = -1;
        why = errno;
    }
    close(in);
    if (n < 0)
        return why == ENOSPC || why == EDQUOT ? fail(ERR_AGAIN, "disk_full", "%s: %s", path, strerror(why))
                                              : fail(ERR_AGAIN, "file_write", "%s: %s", path, strerror(why));
    return OK;
}

/* Puts the old files out of the way. The main file first: without it its log means nothing. */
static err put_aside(struct arena *a, const char *path, int64_t now_ms) {
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        const char *from = beside(a, path, parts[i]);
        if (exists(from))
            TRY(rename_file(from, str_format(a, "%s.replaced-%" PRId64 "%s", path, now_ms, parts[i]).ptr));
    }
    return OK;
}

struct restore {
    struct arena *a;
    const char *from, *to;
    bool replace;
    int64_t now_ms;
    const struct backup_report *report;
};

/* With the lock held. */
static err put_in_place(const struct restore *r) {
    if (exists(r->to) && !r->replace)
        return fail(ERR_CONFLICT, "backup_exists", "%s is there already; say that it shall be replaced", r->to);
    const char *temporary = NULL;
    TRY(make_temporary(r->a, r->to, &temporary));
    struct backup_report copied = {0};
    err rc = copy_bytes(r->from, temporary, r->to);
    if (rc == OK)
        rc = sync_path(temporary, false);
    if (rc == OK)
        rc = digest(r->a, temporary, &copied.byte, &copied.sha256);
    if (rc == OK && !str_equal(copied.sha256, r->report->sha256))
        rc = damaged(r->from, "it changed while it was copied");
    if (rc == OK)
        rc = put_aside(r->a, r->to, r->now_ms);
    if (rc == OK)
        rc = rename_file(temporary, r->to);
    if (rc == OK)
        return sync_path(r->to, true);
    unlink(temporary);
    return rc;
}

err backup_restore(struct arena *a, const char *path, const char *url, bool replace, struct clock clock,
                   struct backup_report *out) {
    TRY(only_sqlite(str_from(url)));
    struct backup_report report = {0};
    TRY(backup_verify(a, path, &report));
    struct restore r = {a, path, str_cstr(a, db_url_path(str_from(url))), replace, clock.wall_ms(), &report};
    int fd = -1;
    TRY(db_lock_file(r.to, &fd));
    err rc = put_in_place(&r);
    close(fd);
    TRY(rc);
    *out = report;
    return OK;
}
