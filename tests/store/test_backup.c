/* test_backup.c — copies made while a writer works, their checks, and the way back. */
#include "both.h"

#include "base/file.h"
#include "store/backup.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct clock clock_of_test(void) { return (struct clock){both_clock_ms, clock_system().steady_ns}; }

static void add(struct db *db, int64_t from, int64_t to) {
    assert_ok(db_begin(db));
    for (int64_t i = from; i < to; i++)
        assert_ok(db_exec(db, TEST_FENCED_ADD, DB_ROW(db_integer(i), db_integer(1)), NULL));
    assert_ok(db_commit(db));
}

static err read_count(void *ctx, struct db_row *row) {
    *(int64_t *)ctx = db_row_integer(row, 1);
    return OK;
}

static int64_t rows_of(struct db *db) {
    int64_t n = -1;
    assert_ok(db_query(db, TEST_FENCED_TOTAL, NULL, read_count, &n));
    return n;
}

static const char *name_in(struct fixture *f, const char *name) { return str_format(f->a, "%s/%s", f->directory, name).ptr; }

static bool is_there(const char *path) { return access(path, F_OK) == 0; }

static void test_a_backup_comes_back(void **state) {
    struct fixture *f = both_fixture(state);
    struct backup_report made = {0}, seen = {0};
    const char *path = name_in(f, "copy.db");
    add(f->db, 0, 1000);
    assert_ok(backup_create(f->a, f->url, path, clock_of_test(), &made));
    assert_int_equal(made.version, 2);
    assert_true(made.created_ms == both_clock_ms());
    assert_int_equal(made.sha256.len, 64);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, made.byte);
    assert_ok(backup_verify(f->a, path, &seen));
    assert_str(seen.sha256, made.sha256.ptr);
    add(f->db, 1000, 1500); /* the writer was never closed */
    assert_fails(backup_create(f->a, f->url, path, clock_of_test(), &made), ERR_CONFLICT, "backup_exists");
    /* In use, then not to be replaced, then replaced. */
    assert_fails(backup_restore(f->a, path, f->url, true, clock_of_test(), &seen), ERR_CONFLICT, "db_in_use");
    db_close(f->db);
    assert_fails(backup_restore(f->a, path, f->url, false, clock_of_test(), &seen), ERR_CONFLICT, "backup_exists");
    assert_ok(backup_restore(f->a, path, f->url, true, clock_of_test(), &seen));
    struct db *db = both_open(f, DB_WRITER);
    struct migrate_report report;
    assert_ok(store_migrate_check(db, &report));
    assert_int_equal(rows_of(db), 1000);
    add(db, 1000, 1001);
    db_close(db);
    /* The old one lies beside it with all its rows, those in its log too. */
    f->url = name_in(f, "t.db.replaced-1234567890123");
    assert_int_equal(rows_of(both_open(f, DB_READER)), 1500);
    /* Into an empty place. */
    f->url = name_in(f, "new.db");
    assert_ok(backup_restore(f->a, path, f->url, false, clock_of_test(), &seen));
    assert_int_equal(rows_of(both_open(f, DB_WRITER)), 1000);
}

static void flip_byte(const char *path, off_t at) {
    int fd = open(path, O_RDWR);
    char c = 0;
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void test_damage_is_seen(void **state) {
    struct fixture *f = both_fixture(state);
    struct backup_report r = {0};
    const char *path = name_in(f, "copy.db"), *manifest = name_in(f, "copy.db.manifest");
    add(f->db, 0, 1000);
    assert_ok(backup_create(f->a, f->url, path, clock_of_test(), &r));
    for (off_t at = 0; at < (off_t)r.byte; at += (off_t)r.byte / 7) {
        flip_byte(path, at);
        assert_fails(backup_verify(f->a, path, &r), ERR_CORRUPT, "backup_damaged");
        flip_byte(path, at);
    }
    assert_ok(backup_verify(f->a, path, &r));
    assert_int_equal(truncate(path, (off_t)r.byte - 100), 0);
    assert_fails(backup_restore(f->a, path, name_in(f, "x.db"), false, clock_of_test(), &r), ERR_CORRUPT, "backup_damaged");
    assert_false(is_there(name_in(f, "x.db")));
    const char *const bad[] = {"", "[]", "{", "{\"format\":2}", "{\"format\":1,\"byte\":\"x\"}", "{\"format\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_ok(file_write_all(f->a, manifest, str_from(bad[i])));
        assert_fails(backup_verify(f->a, path, &r), ERR_CORRUPT, "backup_damaged");
    }
    unlink(manifest);
    assert_fails(backup_verify(f->a, path, &r), ERR_ABSENT, "file_missing");
}

static void test_a_damaged_source_gives_no_backup(void **state) {
    struct fixture *f = both_fixture(state);
    struct backup_report r = {0};
    add(f->db, 0, 5000);
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_TRUNCATE));
    db_close(f->db);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    for (off_t page = 5; page * 8192 < st.st_size; page++)
        flip_byte(f->path, page * 8192);
    const char *path = name_in(f, "copy.db");
    assert_fails(backup_create(f->a, f->url, path, clock_of_test(), &r), ERR_CORRUPT, "db_corrupt");
    assert_false(is_there(path));
}

static void test_other_databases(void **state) {
    struct fixture *f = both_fixture(state);
    struct backup_report r = {0};
    assert_fails(backup_create(f->a, "postgresql://h/x", name_in(f, "y"), clock_of_test(), &r), ERR_INPUT,
                 "backup_postgres");
    assert_fails(backup_restore(f->a, name_in(f, "y"), "postgresql://h/x", true, clock_of_test(), &r), ERR_INPUT,
                 "backup_postgres");
    assert_fails(backup_create(f->a, name_in(f, "none.db"), name_in(f, "y"), clock_of_test(), &r), ERR_ABSENT, "db_missing");
    assert_false(is_there(name_in(f, "none.db")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ONLY_SQLITE(test_a_backup_comes_back),
        ONLY_SQLITE(test_damage_is_seen),
        ONLY_SQLITE(test_a_damaged_source_gives_no_backup),
        ONLY_SQLITE(test_other_databases),
    };
    return cmocka_run_group_tests_name("store/backup", tests, NULL, NULL);
}
