/* test_crash.c — a process that is killed at every point of a commit loses nothing it acknowledged and leaves a sound file.
 *
 * The child is this program again: it submits commands in order and writes each number that became durable to a pipe. */
#include "both.h"

#include "store/writer.h"

#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { COMMANDS = 100000, IN_FLIGHT = 400 };

struct command {
    struct write write;
    int64_t id;
};

static err apply(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    (void)ctx;
    struct db_value *row = ARENA_ARRAY(db_scratch(db), 2 * n, struct db_value);
    for (size_t i = 0; i < n; i++) {
        row[2 * i] = db_integer(((struct command *)(void *)batch[i])->id);
        row[2 * i + 1] = db_integer(1);
    }
    return db_post(db, TEST_FENCED_ADD, row, n, NULL);
}

/* The acknowledgement is one write of the whole number: a pipe takes it or not. */
static void acknowledge(struct write *w, err rc) {
    int64_t id = ((struct command *)(void *)w)->id;
    if (rc != OK || write(STDOUT_FILENO, &id, sizeof id) != sizeof id)
        _exit(3);
}

static const struct write_kind kind_add = {"add", apply, NULL};

static int child(const char *url, int64_t from) {
    struct arena *a = arena_new((size_t)1 << 30);
    struct writer_config c = {
        .db = {.url = url, .catalogue = &test_catalogue}, .checkpoint_byte = 1 << 20, .max_queue = IN_FLIGHT};
    struct writer *w = NULL;
    if (writer_new(a, &c, &w) != OK)
        return 2;
    struct command *command = ARENA_ARRAY(a, COMMANDS, struct command);
    for (int64_t i = 0; i < COMMANDS; i++) {
        command[i] = (struct command){{.kind = &kind_add, .done = acknowledge}, from + i};
        while (writer_submit(w, &command[i].write) != OK)
            sched_yield();
    }
    writer_stop(w);
    return 0;
}

/* Runs the child until it is killed, by itself or after `kill_after` acknowledgements. Returns the number acknowledged,
 * which must come in order. */
static int64_t run_child(struct fixture *f, const char *crash, int64_t from, int64_t kill_after) {
    int out[2];
    assert_int_equal(pipe(out), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)from);
    if (crash)
        setenv("GALENA_CRASH", crash, 1);
    const char *const argv[] = {"test_crash", f->url, number, NULL};
    pid_t pid = 0;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    unsetenv("GALENA_CRASH");
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    int64_t n = 0, id = 0;
    while (read(out[0], &id, sizeof id) == sizeof id) {
        assert_int_equal(id, from + n);
        if (++n == kill_after)
            kill(pid, SIGKILL);
    }
    close(out[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return n;
}

static err read_count(void *ctx, struct db_row *row) {
    *(int64_t *)ctx = db_row_integer(row, 1);
    return OK;
}

static void assert_sound(struct fixture *f) {
    if (f->kind == DB_POSTGRES)
        return;
    sqlite3 *handle = NULL;
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    sqlite3_close(handle);
}

/* All that was acknowledged is there, in one piece, and at most what was in flight besides. Returns the number of rows. */
static int64_t assert_kept(struct fixture *f, int64_t acknowledged) {
    struct db *db = both_open(f, DB_WRITER);
    int64_t n = -1, last = 0;
    assert_ok(db_query(db, TEST_FENCED_TOTAL, NULL, read_count, &n));
    assert_ok(db_query(db, TEST_FENCED_LAST, NULL, read_count, &last));
    assert_true(n >= acknowledged);
    assert_true(n <= acknowledged + 2 * IN_FLIGHT);
    assert_int_equal(last, n); /* without gaps */
    db_close(db);
    return n;
}

static void test_kills(void **state) {
    struct fixture *f = both_fixture(state);
#ifndef GALENA_CRASH_POINTS
    skip();
#endif
    db_close(f->db);
    const struct {
        const char *crash;
        int64_t kill_after;
    } cases[] = {
        {"writer_before_commit:1", 0},
        {"writer_after_commit:1", 0},
        {"writer_before_commit:7", 0},
        {"writer_after_commit:7", 0},
        {"checkpoint:1", 0},
        {"after_checkpoint:1", 0},
        {"checkpoint:3", 0},
        {NULL, 1},
        {NULL, 2000},
        {NULL, 9000},
        {NULL, 17321},
    };
    int64_t rows = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (f->kind == DB_POSTGRES && cases[i].crash && strstr(cases[i].crash, "checkpoint"))
            continue;
        int64_t n = run_child(f, cases[i].crash, rows, cases[i].kill_after);
        if (cases[i].crash && strstr(cases[i].crash, ":1") && strstr(cases[i].crash, "before"))
            assert_int_equal(n, 0);
        assert_sound(f);
        rows = assert_kept(f, rows + n);
    }
}

int main(int argc, char **argv) {
    if (argc == 3)
        return child(argv[1], strtoll(argv[2], NULL, 10));
    const struct CMUnitTest tests[] = {BOTH(test_kills)};
    return cmocka_run_group_tests_name("store/crash", tests, both_group_begin, both_group_end);
}
