/* secret.c — secrets out of files, the environment and commands. */
#include "store/secret.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files ---- */

static err check_mode(const char *path, int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail(ERR_AGAIN, "file_read", "%s cannot be examined: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(ERR_DENIED, "secret_mode", "%s: a secret must be a regular file", path);
    if ((st.st_mode & 077) != 0)
        return fail(ERR_DENIED, "secret_mode", "%s: the secret is open to others (mode %03o); chmod 600 it", path,
                    (unsigned)(st.st_mode & 0777));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fail(ERR_DENIED, "secret_mode", "%s: the secret belongs to another user (%u)", path, (unsigned)st.st_uid);
    return OK;
}

static err read_fd(const char *name, int fd, struct secret_text *t) {
    for (;;) {
        ssize_t n = read(fd, t->ptr + t->len, SECRET_BYTE + 1 - t->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(ERR_AGAIN, "file_read", "%s: reading failed: %s", name, strerror(errno));
        if (n == 0)
            return OK;
        t->len += (size_t)n;
        if (t->len > SECRET_BYTE)
            return fail(ERR_LIMIT, "secret_large", "%s: more than %d bytes are no secret", name, SECRET_BYTE);
    }
}

static err read_file(const struct secret_source *source, struct secret_text *t) {
    int fd = open(source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? fail(ERR_ABSENT, "secret_absent", "%s: there is no such file", source->name)
                   : fail(ERR_DENIED, "secret_mode", "%s cannot be opened: %s", source->name, strerror(errno));
    err rc = check_mode(source->name, fd);
    if (rc == OK)
        rc = read_fd(source->name, fd, t);
    close(fd);
    return rc;
}

/* ---- the environment ---- */

static err read_environment(const struct secret_source *source, struct secret_text *t) {
    char *value = getenv(source->name);
    if (!value)
        return fail(ERR_ABSENT, "secret_absent", "the environment has no variable %s", source->name);
    size_t len = strlen(value);
    bool fits = len <= SECRET_BYTE;
    if (fits) {
        memcpy(t->ptr, value, len);
        t->len = len;
    }
    /* In place, so that /proc/PID/environ forgets it too. */
    sodium_memzero(value, len);
    unsetenv(source->name);
    return fits ? OK : fail(ERR_LIMIT, "secret_large", "%s: more than %d bytes are no secret", source->name, SECRET_BYTE);
}

/* ---- commands ---- */

struct command {
    const char *name;
    pid_t pid;
    int out; /* our end of its standard output */
    struct clock clock;
    int64_t deadline_ns;
};

static int64_t left_ns(const struct command *c) {
    int64_t left = c->deadline_ns - c->clock.steady_ns();
    return left > 0 ? left : 0;
}

static int spawn(const struct secret_source *source, int out, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    /* posix_spawn takes char *const[] and does not write to it. */
    union {
        const char *const *given;
        char *const *wanted;
    } argv = {.given = source->argv};
    int why = posix_spawnp(pid, source->argv[0], &files, &how, argv.wanted, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return why;
}

static err late(const struct command *c) {
    return fail(ERR_AGAIN, "secret_command_late", "%s: the command did not give the secret in time", c->name);
}

/* Waits until something can be read or the time is over. */
static err wait_output(const struct command *c) {
    for (;;) {
        int64_t left = left_ns(c);
        if (left == 0)
            return late(c);
        struct pollfd out = {.fd = c->out, .events = POLLIN};
        int n = poll(&out, 1, (int)(left / 1000000 + 1 < INT_MAX ? left / 1000000 + 1 : INT_MAX));
        if (n > 0)
            return OK;
        if (n < 0 && errno != EINTR)
            return fail(ERR_AGAIN, "file_read", "%s: waiting failed: %s", c->name, strerror(errno));
    }
}

static err read_output(const struct command *c, struct secret_text *t) {
    for (;;) {
        TRY(wait_output(c));
        ssize_t n = read(c->out, t->ptr + t->len, SECRET_BYTE + 1 - t->len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return fail(ERR_AGAIN, "file_read", "%s: reading failed: %s", c->name, strerror(errno));
        if (n == 0)
            return OK;
        t->len += (size_t)n;
        if (t->len > SECRET_BYTE)
            return fail(ERR_LIMIT, "secret_large", "%s: the command printed more than %d bytes", c->name, SECRET_BYTE);
    }
}

/* Waits for its end. A command may close its output long before it ends. */
static err wait_end(struct command *c) {
    int status = 0;
    pid_t done;
    while ((done = waitpid(c->pid, &status, WNOHANG)) == 0 || (done < 0 && errno == EINTR)) {
        if (left_ns(c) == 0)
            return late(c);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    c->pid = -1;
    if (done < 0 || !WIFEXITED(status))
        return fail(ERR_DENIED, "secret_command_failed", "%s: the command for the secret was killed", c->name);
    if (WEXITSTATUS(status) != 0)
        return fail(ERR_DENIED, "secret_command_failed", "%s: the command for the secret ended with status %d", c->name,
                    WEXITSTATUS(status));
    return OK;
}

static void kill_command(struct command *c) {
    if (c->pid <= 0)
        return;
    kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static err read_command(const struct secret_source *source, struct secret_text *t) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(ERR_AGAIN, "file_read", "%s: no pipe: %s", source->argv[0], strerror(errno));
    struct command c = {.name = source->argv[0], .pid = -1, .out = ends[0], .clock = clock_system()};
    c.deadline_ns = c.clock.steady_ns() + (source->limit_ms > 0 ? source->limit_ms : SECRET_COMMAND_MS) * 1000000;
    int why = spawn(source, ends[1], &c.pid);
    close(ends[1]);
    err rc = why == 0 ? OK
                      : fail(ERR_INPUT, "secret_command_missing", "%s: the command for the secret cannot be run: %s",
                             source->argv[0], strerror(why));
    if (rc == OK)
        rc = read_output(&c, t);
    if (rc == OK)
        rc = wait_end(&c);
    if (why == 0)
        kill_command(&c);
    close(c.out);
    return rc;
}

err secret_read(const struct secret_source *source, struct secret_text *out) {
    static err (*const readers[])(const struct secret_source *, struct secret_text *) = {
        [SECRET_FILE] = read_file, [SECRET_ENVIRONMENT] = read_environment, [SECRET_COMMAND] = read_command};
    struct secret_text t = {.ptr = sodium_init() < 0 ? NULL : sodium_malloc(SECRET_BYTE + 1)};
    if (!t.ptr)
        return fail(ERR_LIMIT, "memory_limit", "no locked memory for a secret");
    err rc = readers[source->kind](source, &t);
    if (rc == OK)
        *out = t;
    else
        sodium_free(t.ptr);
    return rc;
}

void secret_text_free(struct secret_text *t) {
    sodium_free(t->ptr);
    *t = (struct secret_text){0};
}
