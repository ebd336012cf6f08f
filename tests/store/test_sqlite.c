/* test_sqlite.c — what only SQLite has: the file, its lock, its log, a full disk. */
#include "both.h"

#include "base/file.h"
#include "store/db_priv.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

static void test_the_file(void **state) {
    struct fixture *f = both_fixture(state);
    struct stat st;
    const char *const parts[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(stat(str_format(f->a, "%s%s", f->path, parts[i]).ptr, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    str head = {0};
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_TRUNCATE));
    assert_ok(file_read_all(f->a, f->path, 1 << 24, &head));
    assert_int_equal((unsigned char)head.ptr[16] << 8 | (unsigned char)head.ptr[17], 8192);
    assert_int_equal(head.ptr[18], 2); /* write-ahead log */
    assert_int_equal(head.len % 8192, 0);
}

/* Runs fn in a child; what it returns is its exit status. */
static int in_child(struct fixture *f, int (*fn)(struct fixture *f)) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(fn(f));
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int second_writer(struct fixture *f) {
    struct db_config c = both_config(f);
    struct db *db = NULL;
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getppid());
    return db_open(f->a, &c, &db) == ERR_CONFLICT && strcmp(err_slug(), "db_in_use") == 0 && strstr(err_text(), pid) ? 0 : 1;
}

static int other_reader(struct fixture *f) {
    struct db_config c = both_config(f);
    c.role = DB_READER;
    struct db *db = NULL;
    int64_t n = 0;
    if (db_open(f->a, &c, &db) != OK || db_query(db, TEST_FENCED_TOTAL, NULL, read_count, &n) != OK)
        return 1;
    err rc = db_exec(db, TEST_FENCED_CLEAR, NULL, NULL);
    db_close(db);
    return n == 10 && rc == ERR_DENIED ? 0 : 2;
}

static void test_one_writer_many_readers(void **state) {
    struct fixture *f = both_fixture(state);
    add(f->db, 0, 10);
    assert_int_equal(in_child(f, second_writer), 0);
    assert_int_equal(in_child(f, other_reader), 0);
    struct db_config c = both_config(f);
    struct db *db = NULL;
    assert_fails(db_open(f->a, &c, &db), ERR_CONFLICT, "db_in_use"); /* in the same process too */
    assert_int_equal(rows_of(f->db), 10);
    db_close(f->db);
    assert_ok(db_open(f->a, &c, &db));
    c.role = DB_READER;
    c.url = "/nowhere/x.db";
    assert_fails(db_open(f->a, &c, &db), ERR_ABSENT, "db_missing");
    c.role = DB_WRITER;
    assert_fails(db_open(f->a, &c, &db), ERR_ABSENT, "db_missing");
    c.url = f->directory;
    assert_fails(db_open(f->a, &c, &db), ERR_INPUT, "db_url");
}

static void test_the_lock_ends_with_its_process(void **state) {
    struct fixture *f = both_fixture(state);
    db_close(f->db);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct db_config c = both_config(f);
        struct db *db = NULL;
        err rc = db_open(f->a, &c, &db);
        if (write(ready[1], rc == OK ? "y" : "n", 1) == 1)
            pause();
        _exit(1);
    }
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    struct db_config c = both_config(f);
    struct db *db = NULL;
    assert_fails(db_open(f->a, &c, &db), ERR_CONFLICT, "db_in_use");
    assert_non_null(strstr(err_text(), str_format(f->a, "process %ld", (long)pid).ptr));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_ok(db_open(f->a, &c, &db));
    close(ready[0]);
    close(ready[1]);
}

static void limit_pages(struct db *db, const char *sql) { assert_ok(db->driver->script(db, sql)); }

/* Fails closed, keeps what was there, and goes on when there is room again. */
static void test_a_full_disk(void **state) {
    struct fixture *f = both_fixture(state);
    add(f->db, 0, 10);
    limit_pages(f->db, "PRAGMA max_page_count=20");
    char *body = arena_alloc(f->a, 500000);
    memset(body, 'x', 500000);
    for (int i = 0; i < 3; i++) {
        assert_ok(db_begin(f->db));
        assert_ok(db_exec(f->db, TEST_FENCED_ADD, DB_ROW(db_integer(100), db_integer(1)), NULL));
        assert_fails(db_exec(f->db, TEST_EVERY_ADD,
                             DB_ROW(db_integer(1), db_null(), db_null(), db_text((str){body, 500000}), db_null()), NULL),
                     ERR_AGAIN, "disk_full");
        assert_fails(db_commit(f->db), ERR_AGAIN, "disk_full");
    }
    assert_int_equal(rows_of(f->db), 10);
    limit_pages(f->db, "PRAGMA max_page_count=100000");
    add(f->db, 10, 20);
    assert_int_equal(rows_of(f->db), 20);
}

/* The log cannot grow: COMMIT itself fails. */
static void test_the_log_cannot_grow(void **state) {
    struct fixture *f = both_fixture(state);
    add(f->db, 0, 10);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, small = {200000, RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    err rc = OK;
    int64_t id = 10;
    while (rc == OK && id < 10000) {
        rc = db_exec(f->db, TEST_FENCED_ADD, DB_ROW(db_integer(id), db_integer(1)), NULL);
        id += rc == OK;
    }
    assert_int_equal(rc, ERR_AGAIN);
    assert_int_equal(db_exec(f->db, TEST_FENCED_ADD, DB_ROW(db_integer(id), db_integer(1)), NULL), ERR_AGAIN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(rows_of(f->db), id);
    add(f->db, id, id + 5);
    assert_int_equal(rows_of(f->db), id + 5);
}

static void test_damaged_files(void **state) {
    struct fixture *f = both_fixture(state);
    const char *path = str_format(f->a, "%s/other.db", f->directory).ptr;
    char *text = arena_alloc(f->a, 100000);
    memset(text, 'T', 100000);
    assert_ok(file_write_all(f->a, path, (str){text, 100000}));
    struct db_config c = both_config(f);
    c.url = path;
    struct db *db = NULL;
    assert_fails(db_open(f->a, &c, &db), ERR_CORRUPT, "db_corrupt");
    add(f->db, 0, 5000);
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_TRUNCATE));
    db_close(f->db);
    int fd = open(f->path, O_RDWR);
    for (int page = 2; page < 20; page++)
        assert_int_equal(pwrite(fd, text, 4000, page * 8192), 4000);
    close(fd);
    assert_ok(db_open(f->a, &(struct db_config){.url = f->path, .catalogue = &test_catalogue}, &db));
    int64_t n = 0;
    assert_fails(db_query(db, TEST_FENCED_TOTAL, NULL, read_count, &n), ERR_CORRUPT, "db_corrupt");
}

static void test_the_log_is_moved(void **state) {
    struct fixture *f = both_fixture(state);
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_TRUNCATE));
    assert_int_equal(db_wal(f->db).byte, 0);
    struct db *reader = both_open(f, DB_READER);
    assert_ok(db_begin(reader));
    assert_int_equal(rows_of(reader), 0);
    add(f->db, 0, 3000);
    struct db_wal before = db_wal(f->db);
    assert_true(before.byte > 0 && before.unmoved_byte == before.byte);
    /* A reader of the moment before holds it back; nobody waits for long. */
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_PASSIVE));
    assert_int_equal(db_wal(f->db).unmoved_byte, before.byte);
    assert_fails(db_checkpoint(f->db, DB_CHECKPOINT_TRUNCATE), ERR_AGAIN, "db_busy");
    add(f->db, 3000, 3001);
    assert_ok(db_commit(reader));
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_PASSIVE));
    assert_int_equal(db_wal(f->db).unmoved_byte, 0);
    add(f->db, 3001, 3002); /* the log begins anew */
    assert_true(db_wal(f->db).byte < before.byte && db_wal(f->db).byte > 0);
    assert_ok(db_checkpoint(f->db, DB_CHECKPOINT_TRUNCATE));
    struct stat st;
    assert_int_equal(stat(str_format(f->a, "%s-wal", f->path).ptr, &st), 0);
    assert_int_equal(st.st_size, 0);
    /* What a killed writer left is moved when the next one opens. */
    add(f->db, 4000, 4001);
    db_close(f->db);
    assert_int_equal(stat(str_format(f->a, "%s-wal", f->path).ptr, &st), 0);
    assert_true(st.st_size > 0);
    struct db *db = both_open(f, DB_WRITER);
    assert_int_equal(rows_of(db), 3003);
    assert_int_equal(db_wal(db).unmoved_byte, 0);
}

static void test_a_foreign_lock(void **state) {
    struct fixture *f = both_fixture(state);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    db_close(f->db);
    struct db_config c = both_config(f);
    c.lock_timeout_ms = 50;
    struct db *db = NULL;
    assert_ok(db_open(f->a, &c, &db));
    assert_fails(db_exec(db, TEST_FENCED_CLEAR, NULL, NULL), ERR_AGAIN, "db_busy");
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(db_exec(db, TEST_FENCED_CLEAR, NULL, NULL));
    sqlite3_close(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ONLY_SQLITE(test_the_file),
        ONLY_SQLITE(test_one_writer_many_readers),
        ONLY_SQLITE(test_the_lock_ends_with_its_process),
        ONLY_SQLITE(test_a_full_disk),
        ONLY_SQLITE(test_the_log_cannot_grow),
        ONLY_SQLITE(test_damaged_files),
        ONLY_SQLITE(test_the_log_is_moved),
        ONLY_SQLITE(test_a_foreign_lock),
    };
    return cmocka_run_group_tests_name("store/sqlite", tests, NULL, NULL);
}
