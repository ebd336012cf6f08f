/* vault_source.c — master keys out of files, the environment and commands. */
#include "store/vault_priv.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Locked memory for what a source says, before it is a key. */
struct text {
    char *ptr;
    size_t len;
    bool bare; /* 32 bytes may be the key itself */
};

static const char *source_name(const struct vault_source *s) { return s->kind == VAULT_COMMAND ? s->argv[0] : s->name; }

/* ---- the key in the text ---- */

static bool read_hex(str s, unsigned char key[KEY_BYTE]) {
    size_t n = 0;
    const char *end = NULL;
    return s.len == 2 * KEY_BYTE && sodium_hex2bin(key, KEY_BYTE, s.ptr, s.len, NULL, &n, &end) == 0 && n == KEY_BYTE &&
           end == s.ptr + s.len;
}

static bool read_base64(str s, unsigned char key[KEY_BYTE]) {
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        size_t n = 0;
        const char *end = NULL;
        if (sodium_base642bin(key, KEY_BYTE, s.ptr, s.len, NULL, &n, &end, variants[i]) == 0 && n == KEY_BYTE &&
            end == s.ptr + s.len)
            return true;
    }
    return false;
}

/* A file made from /dev/zero is a key that everybody has. */
static bool all_equal(const unsigned char key[KEY_BYTE]) {
    unsigned char difference = 0;
    for (size_t i = 1; i < KEY_BYTE; i++)
        difference |= key[i] ^ key[0];
    return difference == 0;
}

static err read_key(const struct vault_source *source, const struct text *t, unsigned char key[KEY_BYTE]) {
    str s = str_trim((str){t->ptr, t->len});
    bool good = true;
    if (t->bare && t->len == KEY_BYTE)
        memcpy(key, t->ptr, KEY_BYTE);
    else
        good = read_hex(s, key) || read_base64(s, key);
    if (good && !all_equal(key))
        return OK;
    sodium_memzero(key, KEY_BYTE);
    return fail(ERR_INPUT, "vault_master_form",
                "%s: no master key: 32 random bytes as 64 hexadecimal digits or base64 are wanted", source_name(source));
}

/* ---- files ---- */

static err check_mode(const char *path, int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail(ERR_AGAIN, "file_read", "%s cannot be examined: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(ERR_DENIED, "vault_master_mode", "%s: the master key must be a regular file", path);
    if ((st.st_mode & 077) != 0)
        return fail(ERR_DENIED, "vault_master_mode", "%s: the master key is open to others (mode %03o); chmod 600 it", path,
                    (unsigned)(st.st_mode & 0777));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fail(ERR_DENIED, "vault_master_mode", "%s: the master key belongs to another user (%u)", path,
                    (unsigned)st.st_uid);
    return OK;
}

static err read_fd(const char *name, int fd, struct text *t) {
    for (;;) {
        ssize_t n = read(fd, t->ptr + t->len, VAULT_SOURCE_BYTE + 1 - t->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(ERR_AGAIN, "file_read", "%s: reading failed: %s", name, strerror(errno));
        if (n == 0)
            return OK;
        t->len += (size_t)n;
        if (t->len > VAULT_SOURCE_BYTE)
            return fail(ERR_LIMIT, "vault_source_large", "%s: more than %d bytes are no master key", name,
                        VAULT_SOURCE_BYTE);
    }
}

static err read_file(const struct vault_source *source, struct text *t) {
    int fd = open(source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? fail(ERR_ABSENT, "vault_master_absent", "%s: there is no such key file", source->name)
                   : fail(ERR_DENIED, "vault_master_mode", "%s cannot be opened: %s", source->name, strerror(errno));
    err rc = check_mode(source->name, fd);
    if (rc == OK)
        rc = read_fd(source->name, fd, t);
    close(fd);
    t->bare = true;
    return rc;
}

/* ---- the environment ---- */

static err read_environment(const struct vault_source *source, struct text *t) {
    char *value = getenv(source->name);
    if (!value)
        return fail(ERR_ABSENT, "vault_master_absent", "the environment has no variable %s", source->name);
    size_t len = strlen(value);
    bool fits = len <= VAULT_SOURCE_BYTE;
    if (fits) {
        memcpy(t->ptr, value, len);
        t->len = len;
    }
    /* In place, so that /proc/PID/environ forgets it too. */
    sodium_memzero(value, len);
    unsetenv(source->name);
    return fits ? OK
                : fail(ERR_LIMIT, "vault_source_large", "%s: more than %d bytes are no master key", source->name,
                       VAULT_SOURCE_BYTE);
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

static int spawn(const struct vault_source *source, int out, pid_t *pid) {
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
    return fail(ERR_AGAIN, "vault_command_late", "%s: the command did not give the master key in time", c->name);
}

/* Waits until something can be read or the time is over. */
static err wait_output(const struct command *c) {
    for (;;) {
        int64_t left = left_ns(c);
        if (left == 0)
            return late(c);
        fd_set set;
        FD_ZERO(&set);
        FD_SET(c->out, &set);
        struct timespec limit = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        int n = pselect(c->out + 1, &set, NULL, NULL, &limit, NULL);
        if (n > 0)
            return OK;
        if (n < 0 && errno != EINTR)
            return fail(ERR_AGAIN, "file_read", "%s: waiting failed: %s", c->name, strerror(errno));
    }
}

static err read_output(const struct command *c, struct text *t) {
    for (;;) {
        TRY(wait_output(c));
        ssize_t n = read(c->out, t->ptr + t->len, VAULT_SOURCE_BYTE + 1 - t->len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return fail(ERR_AGAIN, "file_read", "%s: reading failed: %s", c->name, strerror(errno));
        if (n == 0)
            return OK;
        t->len += (size_t)n;
        if (t->len > VAULT_SOURCE_BYTE)
            return fail(ERR_LIMIT, "vault_source_large", "%s: the command printed more than %d bytes", c->name,
                        VAULT_SOURCE_BYTE);
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
        return fail(ERR_DENIED, "vault_command_failed", "%s: the command for the master key was killed", c->name);
    if (WEXITSTATUS(status) != 0)
        return fail(ERR_DENIED, "vault_command_failed", "%s: the command for the master key ended with status %d", c->name,
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

static err read_command(const struct vault_source *source, struct text *t) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(ERR_AGAIN, "file_read", "%s: no pipe: %s", source->argv[0], strerror(errno));
    struct command c = {.name = source->argv[0], .pid = -1, .out = ends[0], .clock = clock_system()};
    c.deadline_ns = c.clock.steady_ns() + (source->limit_ms > 0 ? source->limit_ms : VAULT_COMMAND_MS) * 1000000;
    int why = c.out < FD_SETSIZE ? spawn(source, ends[1], &c.pid) : EMFILE;
    close(ends[1]);
    err rc = why == 0 ? OK
                      : fail(ERR_INPUT, "vault_command_missing", "%s: the command for the master key cannot be run: %s",
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

err vault_source_read(const struct vault_source *source, unsigned char key[KEY_BYTE]) {
    static err (*const readers[])(const struct vault_source *, struct text *) = {
        [VAULT_FILE] = read_file, [VAULT_ENVIRONMENT] = read_environment, [VAULT_COMMAND] = read_command};
    struct text t = {.ptr = sodium_malloc(VAULT_SOURCE_BYTE + 1)};
    if (!t.ptr)
        return fail(ERR_LIMIT, "memory_limit", "no locked memory for the master key");
    err rc = readers[source->kind](source, &t);
    if (rc == OK)
        rc = read_key(source, &t, key);
    sodium_free(t.ptr);
    return rc;
}
