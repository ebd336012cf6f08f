/* redis_server.h — a real Redis server for a test, on a socket in a folder of its own. */
#ifndef GALENA_TESTS_STORE_REDIS_SERVER_H
#define GALENA_TESTS_STORE_REDIS_SERVER_H

#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct redis_server {
    const char *folder, *socket, *url;
    pid_t pid;
};

static inline bool redis_server_there(void) {
    const char *path = getenv("PATH");
    str rest = str_from(path ? path : "/usr/bin"), part;
    while (str_split(&rest, ':', &part)) {
        char name[1024];
        snprintf(name, sizeof name, "%.*s/redis-server", STR_ARG(part));
        if (access(name, X_OK) == 0)
            return true;
    }
    return false;
}

/* Reads what the server says until it is ready. Then nobody listens any more: it says little, and a pipe holds 64 KiB. */
static inline void redis_server_await(int fd) {
    char text[16384];
    size_t n = 0;
    ssize_t got;
    while (n < sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - n)) > 0) {
        n += (size_t)got;
        text[n] = '\0';
        if (strstr(text, "eady to accept connections"))
            return;
    }
    fail_msg("redis-server does not start: %.*s", (int)n, text);
}

/* By the main thread: the server ends with the thread that started it. */
static inline void redis_server_start(struct redis_server *r, const char *password) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    r->pid = fork();
    if (r->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves no server behind */
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", r->socket, "--save", "", "--appendonly", "no",
               "--dir", r->folder, "--daemonize", "no", "--requirepass", password, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    redis_server_await(ends[0]);
    if (dup2(ends[0], 200) < 0) /* stays open, or the server's next word would end it */
        fail_msg("no file descriptor for the server's output");
    close(ends[0]);
}

static inline void redis_server_stop(struct redis_server *r) {
    if (r->pid <= 0)
        return;
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    r->pid = 0;
}

/* Prepares the names; nothing runs yet. */
static inline struct redis_server *redis_server_new(struct arena *a) {
    struct redis_server *r = ARENA_NEW(a, struct redis_server);
    char *folder = str_cstr(a, STR("/tmp/galena-redis-XXXXXX"));
    r->folder = mkdtemp(folder);
    assert_non_null(r->folder);
    r->socket = str_format(a, "%s/redis.sock", folder).ptr;
    r->url = str_format(a, "redis+unix://%s", r->socket).ptr;
    return r;
}

static inline void redis_server_free(struct redis_server *r) {
    redis_server_stop(r);
    unlink(r->socket);
    rmdir(r->folder);
}

#endif
