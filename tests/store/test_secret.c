/* test_secret.c — references to secrets, and the ring that reads each once. */
#include "store/secret.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static str write_secret(struct arena *a, const char *folder, str bytes, mode_t mode) {
    str path = str_format(a, "%s/secret", folder);
    unlink(path.ptr);
    int fd = open(path.ptr, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return str_format(a, "file:%.*s", STR_ARG(path));
}

static char *new_folder(struct arena *a) {
    char *folder = str_cstr(a, STR("/tmp/galena-secret-XXXXXX"));
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void drop_folder(struct arena *a, const char *folder) {
    unlink(str_format(a, "%s/secret", folder).ptr);
    rmdir(folder);
}

static void references(void **state) {
    struct secret_source s;
    assert_ok(secret_parse(*state, STR("file:/run/secrets/a b"), &s));
    assert_int_equal(s.kind, SECRET_FILE);
    assert_string_equal(s.name, "/run/secrets/a b");
    assert_ok(secret_parse(*state, STR("env:CRM_TOKEN"), &s));
    assert_int_equal(s.kind, SECRET_ENVIRONMENT);
    assert_string_equal(s.name, "CRM_TOKEN");
    assert_ok(secret_parse(*state, STR("command:pass  show crm"), &s));
    assert_int_equal(s.kind, SECRET_COMMAND);
    assert_string_equal(s.argv[0], "pass");
    assert_string_equal(s.argv[2], "crm");
    assert_null(s.argv[3]);
    static const char *const bad[] = {"", "file:", "env:", "command:", "command:  ", "sesame-open", "FILE:/x", "http://x/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_fails(secret_parse(*state, str_from(bad[i]), &s), ERR_INPUT, "secret_reference");
        assert_null(strstr(err_text(), "sesame")); /* people write the secret itself there */
    }
    assert_fails(secret_parse(*state, (str){"file:a\0b", 8}, &s), ERR_INPUT, "secret_reference");
    str many = STR("command:");
    for (int i = 0; i <= SECRET_WORDS; i++)
        many = str_format(*state, "%.*sx ", STR_ARG(many));
    assert_fails(secret_parse(*state, many, &s), ERR_INPUT, "secret_reference");
}

static void files_are_read_once_and_again(void **state) {
    char *folder = new_folder(*state);
    struct secret_ring *r = NULL;
    str first, again;
    bool changed;
    str reference = write_secret(*state, folder, STR(" sesame\n"), 0600);
    assert_ok(secret_ring_new(&r));
    assert_ok(secret_ring_get(r, reference, &first));
    assert_str(first, "sesame");
    write_secret(*state, folder, STR("open"), 0600);
    assert_ok(secret_ring_get(r, reference, &again));
    assert_ptr_equal(again.ptr, first.ptr);
    assert_ok(secret_ring_renew(r, reference, &changed, &again));
    assert_true(changed);
    assert_str(again, "open");
    assert_str(first, "sesame"); /* calls under way may still use it */
    assert_ok(secret_ring_renew(r, reference, &changed, &again));
    assert_false(changed);
    assert_ok(secret_ring_get(r, reference, &again));
    assert_str(again, "open");
    /* A failure leaves what was there. */
    write_secret(*state, folder, STR("open"), 0644);
    assert_fails(secret_ring_renew(r, reference, &changed, &again), ERR_DENIED, "secret_mode");
    write_secret(*state, folder, STR(" \n"), 0600);
    assert_fails(secret_ring_renew(r, reference, &changed, &again), ERR_INPUT, "secret_empty");
    assert_ok(secret_ring_get(r, reference, &again));
    assert_str(again, "open");
    assert_fails(secret_ring_get(r, STR("file:/nowhere/at/all"), &again), ERR_ABSENT, "secret_absent");
    secret_ring_free(r);
    drop_folder(*state, folder);
}

static void variables_are_wiped(void **state) {
    (void)state;
    struct secret_ring *r = NULL;
    str secret;
    bool changed = true;
    assert_int_equal(setenv("GALENA_TEST_SECRET", "sesame", 1), 0);
    const char *where = getenv("GALENA_TEST_SECRET");
    assert_ok(secret_ring_new(&r));
    assert_ok(secret_ring_get(r, STR("env:GALENA_TEST_SECRET"), &secret));
    assert_str(secret, "sesame");
    assert_null(getenv("GALENA_TEST_SECRET"));
    assert_int_equal(where[0], '\0');
    assert_ok(secret_ring_get(r, STR("env:GALENA_TEST_SECRET"), &secret));
    assert_ok(secret_ring_renew(r, STR("env:GALENA_TEST_SECRET"), &changed, &secret));
    assert_false(changed);
    assert_str(secret, "sesame");
    assert_fails(secret_ring_get(r, STR("env:GALENA_TEST_OTHER"), &secret), ERR_ABSENT, "secret_absent");
    secret_ring_free(r);
}

static void commands_print_it(void **state) {
    (void)state;
    struct secret_ring *r = NULL;
    str secret;
    assert_ok(secret_ring_new(&r));
    assert_ok(secret_ring_get(r, STR("command:echo ses ame"), &secret));
    assert_str(secret, "ses ame");
    /* No shell stands between. */
    assert_ok(secret_ring_get(r, STR("command:echo $HOME;"), &secret));
    assert_str(secret, "$HOME;");
    assert_fails(secret_ring_get(r, STR("command:false"), &secret), ERR_DENIED, "secret_command_failed");
    assert_fails(secret_ring_get(r, STR("command:galena-no-such-program"), &secret), ERR_INPUT, "secret_command_missing");
    assert_fails(secret_ring_get(r, STR("command:true"), &secret), ERR_INPUT, "secret_empty");
    secret_ring_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(references),
        ARENA_TEST(files_are_read_once_and_again),
        cmocka_unit_test(variables_are_wiped),
        cmocka_unit_test(commands_print_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
