/* test_vault_source.c — master keys out of files, the environment and commands, and new key files. */
#include "store/keys.h"

#include "base/clock.h"
#include "store/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    const char *folder;
    struct vault *vault;
};

static int setup(void **state) {
    struct arena *a = arena_new(64 << 20);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->a = a;
    char *folder = str_cstr(a, STR("/tmp/galena-vault-XXXXXX"));
    f->folder = mkdtemp(folder);
    f->vault = vault_of(KEY_B);
    *state = f;
    return f->folder ? 0 : -1;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    vault_close(f->vault);
    /* A handful of files with known names. */
    static const char *const names[] = {"key", "other", "command", "pid", "pipe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(str_format(f->a, "%s/%s", f->folder, names[i]).ptr);
    rmdir(f->folder);
    arena_free(f->a);
    return 0;
}

static const char *path_of(struct fixture *f, const char *name) { return str_format(f->a, "%s/%s", f->folder, name).ptr; }

static const char *write_file(struct fixture *f, const char *name, str bytes, mode_t mode) {
    const char *path = path_of(f, name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static err load(struct fixture *f, const char *path) {
    const struct vault_source s = {.kind = VAULT_FILE, .name = path};
    return vault_master_add(f->vault, &s, true);
}

/* All three forms of a key are the same key. */
static void test_forms(void **state) {
    struct fixture *f = *state;
    unsigned char want[VAULT_MASTER_ID_BYTE], got[VAULT_MASTER_ID_BYTE];
    struct vault *v = vault_of(KEY_A);
    vault_master_id(v, want);
    vault_close(v);
    char bare[32];
    for (int i = 0; i < 32; i++)
        bare[i] = (char)i;
    const str forms[] = {STR(KEY_A),
                         STR("  " KEY_A "\r\n"),
                         STR("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n"),
                         STR("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"),
                         STR("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
                         {bare, 32}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct vault *fresh = vault_of(KEY_B);
        const struct vault_source s = {.kind = VAULT_FILE, .name = write_file(f, "key", forms[i], 0600)};
        assert_ok(vault_master_add(fresh, &s, true));
        vault_master_id(fresh, got);
        assert_memory_equal(got, want, sizeof want);
        vault_close(fresh);
    }
    const str bad[] = {STR(""),
                       STR("\n"),
                       STR(KEY_A "00"),
                       STR(KEY_A " 00"),
                       {bare, 31},
                       STR("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="),
                       STR("password123"),
                       STR("0x" KEY_A)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(load(f, write_file(f, "key", bad[i], 0600)), ERR_INPUT, "vault_master_form");
    memset(bare, 0, sizeof bare);
    assert_fails(load(f, write_file(f, "key", (str){bare, 32}, 0600)), ERR_INPUT, "vault_master_form");
    char *large = arena_alloc(f->a, SECRET_BYTE + 1);
    memset(large, '0', SECRET_BYTE + 1);
    assert_fails(load(f, write_file(f, "key", (str){large, SECRET_BYTE + 1}, 0600)), ERR_LIMIT, "secret_large");
}

static void test_modes(void **state) {
    struct fixture *f = *state;
    static const mode_t closed[] = {0600, 0400, 0700}, open_modes[] = {0640, 0604, 0660, 0644, 0620, 0601, 0610};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        assert_ok(load(f, write_file(f, "key", STR(KEY_A), closed[i])));
    for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++)
        assert_fails(load(f, write_file(f, "key", STR(KEY_A), open_modes[i])), ERR_DENIED, "secret_mode");
    assert_fails(load(f, f->folder), ERR_DENIED, "secret_mode");
    assert_fails(load(f, path_of(f, "absent")), ERR_ABSENT, "secret_absent");
    assert_int_equal(mkfifo(path_of(f, "pipe"), 0600), 0);
    assert_fails(load(f, path_of(f, "pipe")), ERR_DENIED, "secret_mode"); /* and does not hang */
    if (geteuid() == 0) {                                                 /* only root can give a file away */
        assert_int_equal(chown(write_file(f, "key", STR(KEY_A), 0600), 12345, 12345), 0);
        assert_fails(load(f, path_of(f, "key")), ERR_DENIED, "secret_mode");
    }
}

static void test_new_key_file(void **state) {
    struct fixture *f = *state;
    struct stat st;
    const char *path = path_of(f, "key");
    mode_t old = umask(0);
    assert_ok(vault_master_new(path));
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 65);
    assert_int_equal(st.st_nlink, 1);
    assert_ok(load(f, path));
    unsigned char first[VAULT_MASTER_ID_BYTE], second[VAULT_MASTER_ID_BYTE];
    vault_master_id(f->vault, first);
    assert_fails(vault_master_new(path), ERR_CONFLICT, "vault_master_exists");
    assert_ok(load(f, path));
    vault_master_id(f->vault, second);
    assert_memory_equal(first, second, sizeof first);
    assert_ok(vault_master_new(path_of(f, "other")));
    assert_ok(load(f, path_of(f, "other")));
    vault_master_id(f->vault, second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_fails(vault_master_new(path_of(f, "no/such/key")), ERR_ABSENT, "file_missing");
}

static void test_the_environment_is_read_once(void **state) {
    (void)state;
    static char variable[] = "GALENA_TEST_ONCE=" KEY_A; /* the environment's own bytes, as at the start of a program */
    assert_int_equal(putenv(variable), 0);
    const struct vault_source s = {.kind = VAULT_ENVIRONMENT, .name = "GALENA_TEST_ONCE"};
    struct vault *v;
    assert_ok(vault_open(&s, 1, &v));
    assert_null(getenv("GALENA_TEST_ONCE"));
    assert_true(sodium_is_zero((unsigned char *)variable + 17, 64));
    vault_close(v);
    assert_fails(vault_open(&s, 1, &v), ERR_ABSENT, "secret_absent");
}

static err run(struct fixture *f, const char *script, int64_t limit_ms) {
    const char *path = write_file(f, "command", str_format(f->a, "#!/bin/sh\n%s\n", script), 0700);
    const char *const argv[] = {path, "a b", "$HOME;`id`", NULL};
    const struct vault_source s = {.kind = VAULT_COMMAND, .argv = argv, .limit_ms = limit_ms};
    return vault_master_add(f->vault, &s, true);
}

static void test_commands(void **state) {
    struct fixture *f = *state;
    unsigned char want[VAULT_MASTER_ID_BYTE], got[VAULT_MASTER_ID_BYTE];
    struct vault *v = vault_of(KEY_A);
    vault_master_id(v, want);
    vault_close(v);
    assert_ok(run(f, "echo " KEY_A, 0));
    vault_master_id(f->vault, got);
    assert_memory_equal(got, want, sizeof want);
    /* Arguments come as they are, through no shell; standard input is empty. */
    assert_ok(run(f, "[ \"$1\" = 'a b' ] && [ \"$2\" = '$HOME;`id`' ] && [ -z \"$(cat)\" ] && echo " KEY_A, 0));
    assert_fails(run(f, "echo " KEY_A "; exit 3", 0), ERR_DENIED, "secret_command_failed");
    assert_non_null(strstr(err_text(), "status 3"));
    assert_fails(run(f, "echo " KEY_A "; kill -9 $$", 0), ERR_DENIED, "secret_command_failed");
    assert_fails(run(f, "echo nothing", 0), ERR_INPUT, "vault_master_form");
    assert_fails(run(f, "head -c 20000 /dev/zero", 0), ERR_LIMIT, "secret_large");
    assert_fails(run(f, "cat /dev/zero", 0), ERR_LIMIT, "secret_large");
    const char *const absent[] = {"/no/such/command", NULL};
    const struct vault_source s = {.kind = VAULT_COMMAND, .argv = absent};
    assert_fails(vault_master_add(f->vault, &s, true), ERR_INPUT, "secret_command_missing");
}

/* The command is stopped, and what it started too. */
static void test_late_commands_are_stopped(void **state) {
    struct fixture *f = *state;
    struct clock c = clock_system();
    int64_t start = c.steady_ns();
    assert_fails(run(f, "sleep 600 & echo $! > \"$(dirname \"$0\")/pid\"; wait", 200), ERR_AGAIN, "secret_command_late");
    assert_true(clock_second_since(&c, start) < 60);
    int fd = open(path_of(f, "pid"), O_RDONLY);
    char text[32] = "";
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    long pid = strtol(text, NULL, 10);
    char stat_path[64];
    snprintf(stat_path, sizeof stat_path, "/proc/%ld/stat", pid);
    /* Gone, or dead and not yet collected by its new parent; on a busy machine a little later. */
    bool dead = false;
    while (!dead && clock_second_since(&c, start) < 60) {
        char line[256] = "";
        fd = open(stat_path, O_RDONLY);
        ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : 0;
        if (fd >= 0)
            close(fd);
        dead = n <= 0 || strstr(line, ") Z") || strstr(line, ") X");
        sched_yield();
    }
    assert_true(dead);
    /* Closing the output is not ending. */
    assert_fails(run(f, "echo " KEY_A "; exec >&-; sleep 600", 200), ERR_AGAIN, "secret_command_late");
}

static void test_the_first_of_many_masters_wraps(void **state) {
    struct fixture *f = *state;
    const char *const argv[] = {"printf", "%s", KEY_B, NULL}; /* found in PATH */
    const struct vault_source sources[] = {{.kind = VAULT_FILE, .name = write_file(f, "key", STR(KEY_A), 0600)},
                                           {.kind = VAULT_COMMAND, .argv = argv}};
    unsigned char a[VAULT_MASTER_ID_BYTE], b[VAULT_MASTER_ID_BYTE], id[VAULT_MASTER_ID_BYTE];
    struct vault *va = vault_of(KEY_A), *vb = vault_of(KEY_B), *v;
    vault_master_id(va, a);
    vault_master_id(vb, b);
    assert_ok(vault_open(sources, 2, &v));
    vault_master_id(v, id);
    assert_memory_equal(id, a, sizeof id);
    assert_true(vault_master_known(v, b));
    vault_close(va);
    vault_close(vb);
    vault_close(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_key_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_environment_is_read_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_commands_are_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_first_of_many_masters_wraps, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
