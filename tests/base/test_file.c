/* test_file.c — whole files in; files out complete or not at all. */
#include "base/file.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A fresh directory under /tmp, removed with the arena. */
static void remove_directory(void *ctx) {
    char *path = ctx;
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;)
        unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

static const char *directory(struct arena *a) {
    char *path = str_cstr(a, STR("/tmp/galena-test-XXXXXX"));
    assert_non_null(mkdtemp(path));
    arena_defer(a, remove_directory, path);
    return path;
}

static const char *in(struct arena *a, const char *dir, const char *name) { return str_format(a, "%s/%s", dir, name).ptr; }

/* Files in a directory, "." and ".." aside. */
static int count_files(const char *path) {
    int n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void writes_and_reads(void **state) {
    struct arena *a = *state;
    const char *dir = directory(a), *path = in(a, dir, "x");
    str text;
    assert_ok(file_write_all(a, path, STR("one\ntwo\0three")));
    assert_ok(file_read_all(a, path, 100, &text));
    assert_true(str_equal(text, STR("one\ntwo\0three")));
    assert_int_equal(text.ptr[text.len], '\0');
    assert_ok(file_write_all(a, path, STR("")));
    assert_ok(file_read_all(a, path, 0, &text));
    assert_int_equal(text.len, 0);
    assert_int_equal(count_files(dir), 1);
}

static void writes_large_files_in_pieces(void **state) {
    struct arena *a = *state;
    const char *path = in(a, directory(a), "x");
    struct file_out *f = NULL;
    assert_ok(file_create(a, path, &f));
    size_t total = 0;
    char *piece = arena_alloc(a, 700000), *expected = arena_alloc(a, 8000000);
    for (size_t n = 1; total + n < 8000000 && n < 700000; n = n * 3 + 1) {
        for (size_t i = 0; i < n; i++)
            expected[total + i] = piece[i] = (char)((total + i) * 2654435761u >> 24);
        assert_ok(file_write(f, (str){piece, n}));
        total += n;
    }
    assert_ok(file_commit(f));
    str text;
    assert_ok(file_read_all(a, path, 8000000, &text));
    assert_int_equal(text.len, total);
    assert_memory_equal(text.ptr, expected, total);
}

static void nothing_appears_without_commit(void **state) {
    struct arena *a = *state, *work = arena_new(1 << 20);
    const char *dir = directory(a), *path = in(a, dir, "x");
    struct file_out *f = NULL;
    assert_ok(file_write_all(a, path, STR("old")));
    assert_ok(file_create(work, path, &f));
    assert_ok(file_write(f, STR("new")));
    assert_int_equal(count_files(dir), 2);
    arena_free(work);
    assert_int_equal(count_files(dir), 1);
    str text;
    assert_ok(file_read_all(a, path, 100, &text));
    assert_str(text, "old");
    assert_ok(file_create(a, path, &f));
    file_discard(f);
    file_discard(f);
    assert_int_equal(file_commit(f), ERR_AGAIN);
    assert_int_equal(count_files(dir), 1);
}

static void keeps_mode_and_links(void **state) {
    struct arena *a = *state;
    const char *dir = directory(a), *path = in(a, dir, "x"), *link_path = in(a, dir, "link");
    assert_ok(file_write_all(a, path, STR("old")));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink("x", link_path), 0);
    assert_ok(file_write_all(a, link_path, STR("new")));
    struct stat st;
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(st.st_size, 3);
}

static void errors_are_clear(void **state) {
    struct arena *a = *state;
    const char *dir = directory(a);
    str text = STR("untouched");
    struct file_out *f = NULL;
    assert_fails(file_read_all(a, in(a, dir, "none"), 100, &text), ERR_ABSENT, "file_missing");
    assert_non_null(strstr(err_text(), "none"));
    assert_fails(file_read_all(a, dir, 100, &text), ERR_INPUT, "file_directory");
    assert_fails(file_create(a, dir, &f), ERR_INPUT, "file_directory");
    assert_fails(file_create(a, in(a, dir, "none/x"), &f), ERR_ABSENT, "file_missing");
    assert_ok(file_write_all(a, in(a, dir, "x"), STR("12345")));
    assert_fails(file_read_all(a, in(a, dir, "x"), 4, &text), ERR_LIMIT, "file_too_large");
    assert_ok(file_read_all(a, in(a, dir, "x"), 5, &text));
    char long_name[5000];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_not_equal(file_create(a, long_name, &f), OK);
    assert_null(f);
    assert_int_equal(count_files(dir), 1);
}

static void denied_without_rights(void **state) {
    struct arena *a = *state;
    if (geteuid() == 0)
        return; /* nothing is denied to root */
    const char *dir = directory(a), *path = in(a, dir, "x");
    str text;
    assert_ok(file_write_all(a, path, STR("secret")));
    assert_int_equal(chmod(path, 0), 0);
    assert_fails(file_read_all(a, path, 100, &text), ERR_DENIED, "file_denied");
}

static void a_full_disk_is_told(void **state) {
    struct file_out *f = NULL;
    if (access("/dev/full", W_OK) != 0)
        return;
    assert_ok(file_create(*state, "/dev/full", &f));
    assert_ok(file_write(f, STR("buffered")));
    assert_fails(file_commit(f), ERR_AGAIN, "disk_full");
    assert_ok(file_create(*state, "/dev/full", &f));
    char *large = arena_alloc(*state, 1 << 20);
    assert_fails(file_write(f, (str){large, 1 << 20}), ERR_AGAIN, "disk_full");
    assert_fails(file_write(f, STR("x")), ERR_AGAIN, "file_write");
    assert_fails(file_commit(f), ERR_AGAIN, "file_write");
}

/* A limit on the size of files stands in for a disk that fills up half way. */
static void a_disk_that_fills_leaves_nothing(void **state) {
    struct arena *a = *state;
    const char *dir = directory(a), *path = in(a, dir, "x");
    assert_ok(file_write_all(a, path, STR("old")));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, 100000});
        struct file_out *f = NULL;
        char *large = arena_alloc(a, 300000);
        err rc = file_create(a, path, &f);
        if (rc == OK)
            rc = file_write(f, (str){large, 300000});
        file_discard(f);
        _exit(rc == ERR_AGAIN && strcmp(err_slug(), "disk_full") == 0 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    str text;
    assert_ok(file_read_all(a, path, 100, &text));
    assert_str(text, "old");
    assert_int_equal(count_files(dir), 1);
}

static void what_is_no_file_is_written_directly(void **state) {
    struct arena *a = *state;
    const char *path = in(a, directory(a), "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_ok(file_write_all(a, path, STR("through the pipe")));
    char text[32] = {0};
    assert_int_equal(read(reader, text, sizeof text), 16);
    assert_string_equal(text, "through the pipe");

    struct file_out *f = NULL;
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    assert_ok(file_create(a, path, &f));
    assert_ok(file_write(f, STR("too late")));
    close(reader);
    assert_fails(file_commit(f), ERR_AGAIN, "pipe_closed");
    signal(SIGPIPE, old);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
}

static void on_signal(int number) {
    (void)number;
    file_discard_all();
    _exit(9);
}

static void a_signal_removes_what_was_begun(void **state) {
    struct arena *a = *state;
    const char *dir = directory(a);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, on_signal);
        struct file_out *one = NULL, *two = NULL, *done = NULL;
        if (file_create(a, in(a, dir, "one"), &one) != OK || file_create(a, in(a, dir, "two"), &two) != OK ||
            file_create(a, in(a, dir, "done"), &done) != OK || file_commit(done) != OK || count_files(dir) != 3)
            _exit(1);
        raise(SIGTERM);
        _exit(2);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 9);
    assert_int_equal(count_files(dir), 1);
    assert_int_equal(access(in(a, dir, "done"), F_OK), 0);
}

static void slots_are_given_back(void **state) {
    struct arena *a = *state;
    const char *dir = directory(a);
    struct file_out *f[FILE_OUT_COUNT + 1] = {0};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < FILE_OUT_COUNT; i++)
            assert_ok(file_create(a, in(a, dir, "x"), &f[i]));
        assert_fails(file_create(a, in(a, dir, "x"), &f[FILE_OUT_COUNT]), ERR_LIMIT, "file_count");
        for (int i = 0; i < FILE_OUT_COUNT; i++) {
            if (i % 2)
                assert_ok(file_commit(f[i]));
            else
                file_discard(f[i]);
        }
    }
    assert_int_equal(count_files(dir), 1);
}

static void minus_is_standard_output_and_input(void **state) {
    struct arena *a = *state;
    int to_child[2], from_child[2];
    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(from_child), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(to_child[0], STDIN_FILENO);
        dup2(from_child[1], STDOUT_FILENO);
        close(to_child[1]);
        str text;
        _exit(file_read_all(a, "-", 100, &text) == OK && file_write_all(a, "-", text) == OK ? 0 : 1);
    }
    assert_int_equal(write(to_child[1], "echo", 4), 4);
    close(to_child[1]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char text[16] = {0};
    assert_int_equal(read(from_child[0], text, sizeof text), 4);
    assert_string_equal(text, "echo");
    close(to_child[0]);
    close(from_child[0]);
    close(from_child[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(writes_and_reads),
        ARENA_TEST(writes_large_files_in_pieces),
        ARENA_TEST(nothing_appears_without_commit),
        ARENA_TEST(keeps_mode_and_links),
        ARENA_TEST(errors_are_clear),
        ARENA_TEST(denied_without_rights),
        ARENA_TEST(a_full_disk_is_told),
        ARENA_TEST(a_disk_that_fills_leaves_nothing),
        ARENA_TEST(what_is_no_file_is_written_directly),
        ARENA_TEST(a_signal_removes_what_was_begun),
        ARENA_TEST(slots_are_given_back),
        ARENA_TEST(minus_is_standard_output_and_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
