/* test_notify.c — what a service manager would hear, at a path and at an abstract name. */
#include "net/notify.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket at `name` ('@': abstract), which NOTIFY_SOCKET names. */
static int listen_at(const char *name) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    size_t n = strlen(name);
    memcpy(at.sun_path, name, n);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *hear(int fd, char text[256]) {
    ssize_t n = recv(fd, text, 255, MSG_DONTWAIT);
    assert_true(n > 0);
    text[n] = '\0';
    return text;
}

static void messages_arrive_at(const char *name) {
    char text[256];
    int fd = listen_at(name);
    assert_ok(notify_ready());
    assert_string_equal(hear(fd, text), "READY=1");
    assert_ok(notify_alive());
    assert_string_equal(hear(fd, text), "WATCHDOG=1");
    assert_ok(notify_reloading());
    assert_memory_equal(hear(fd, text), "RELOADING=1\nMONOTONIC_USEC=", 27);
    assert_true(strtoll(text + 27, NULL, 10) > 0);
    assert_ok(notify_stopping());
    assert_string_equal(hear(fd, text), "STOPPING=1");
    assert_ok(notify_send(STR("STATUS=fine")));
    assert_string_equal(hear(fd, text), "STATUS=fine");
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

static void messages_arrive(void **state) {
    char folder[] = "/tmp/galena-notify-XXXXXX";
    assert_non_null(mkdtemp(folder));
    str path = str_format(*state, "%s/socket", folder);
    messages_arrive_at(path.ptr);
    messages_arrive_at(str_format(*state, "@%s", folder).ptr);
    unlink(path.ptr);
    rmdir(folder);
}

static void without_a_manager_nothing_happens(void **state) {
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_ok(notify_ready());
    setenv("NOTIFY_SOCKET", "", 1);
    assert_ok(notify_ready());
    unsetenv("NOTIFY_SOCKET");
}

static void faults_are_told(void **state) {
    char *path = arena_alloc(*state, 300);
    memset(path, '/', 299);
    const char *const bad[] = {"relative", "@", "/", path};
    for (size_t i = 0; i < 4; i++) {
        setenv("NOTIFY_SOCKET", bad[i], 1);
        assert_fails(notify_ready(), ERR_INPUT, "notify_bad_socket");
    }
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    assert_fails(notify_ready(), ERR_AGAIN, "notify_failed");
    unsetenv("NOTIFY_SOCKET");
}

static void the_watchdog_waits_for_this_process_only(void **state) {
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", str_format(*state, "%d", (int)getpid()).ptr, 1);
    assert_int_equal(notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "junk", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(messages_arrive),
        ARENA_TEST(without_a_manager_nothing_happens),
        ARENA_TEST(faults_are_told),
        ARENA_TEST(the_watchdog_waits_for_this_process_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
