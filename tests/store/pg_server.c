/* pg_server.c — initdb and postgres as children of the test. */
#include "pg_server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct pg_server {
    char bin[256], directory[64], data[96], url[256];
    uid_t uid;
    gid_t gid;
    pid_t pid, owner;
};

static bool find_programs(struct pg_server *s) {
    glob_t found;
    bool ok = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0 && found.gl_pathc > 0;
    if (ok) {
        const char *path = found.gl_pathv[found.gl_pathc - 1];
        snprintf(s->bin, sizeof s->bin, "%.*s", (int)(strrchr(path, '/') - path), path);
    }
    globfree(&found);
    return ok;
}

static bool find_user(struct pg_server *s) {
    s->uid = getuid();
    s->gid = getgid();
    if (s->uid != 0)
        return true;
    const struct passwd *user = getpwnam("postgres");
    if (!user)
        user = getpwnam("nobody");
    if (!user)
        return false;
    s->uid = user->pw_uid;
    s->gid = user->pw_gid;
    return true;
}

/* Only async-signal-safe calls: other threads of the test may hold locks. */
static pid_t spawn(const struct pg_server *s, const char *const *argv) {
    char log[96], program[320];
    snprintf(log, sizeof log, "%s/log", s->directory);
    snprintf(program, sizeof program, "%s/%s", s->bin, argv[0]);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    if (getuid() == 0 && (setgroups(0, NULL) != 0 || setgid(s->gid) != 0 || setuid(s->uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent)
        _exit(125);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(STDIN_FILENO);
    execv(program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static bool run(const struct pg_server *s, const char *const *argv) {
    pid_t pid = spawn(s, argv);
    int status = -1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool pg_server_sql(const struct pg_server *s, const char *sql) {
    return run(s, (const char *const[]){"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", s->url, "-c", sql, NULL});
}

static bool wait_ready(struct pg_server *s) {
    for (int i = 0; i < 600; i++) {
        if (run(s, (const char *const[]){"pg_isready", "-q", "-d", s->url, NULL}))
            return true;
        int status = 0;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

bool pg_server_resume(struct pg_server *s) {
    s->pid = spawn(s, (const char *const[]){"postgres", "-D", s->data, "-c", "listen_addresses=", "-c", "fsync=on", "-c",
                                            "max_connections=40", "-c", "shared_buffers=64MB", "-k", s->directory, NULL});
    return s->pid > 0 && wait_ready(s);
}

void pg_server_kill(struct pg_server *s) {
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGQUIT);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    s->pid = 0;
}

static void stop(void *ctx) {
    struct pg_server *s = ctx;
    if (getpid() != s->owner)
        return;
    pg_server_kill(s);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", s->directory, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

struct pg_server *pg_server_start(struct arena *a, const char **why) {
    struct pg_server *s = ARENA_NEW(a, struct pg_server);
    s->owner = getpid();
    *why = "PostgreSQL is not installed (/usr/lib/postgresql/*/bin)";
    if (!find_programs(s))
        return NULL;
    *why = "there is no user postgres or nobody to run PostgreSQL as";
    if (!find_user(s))
        return NULL;
    *why = "no directory for PostgreSQL";
    snprintf(s->directory, sizeof s->directory, "/tmp/galena-pg-XXXXXX");
    if (!mkdtemp(s->directory))
        return NULL;
    arena_defer(a, stop, s);
    if (chown(s->directory, s->uid, s->gid) != 0)
        return NULL;
    snprintf(s->data, sizeof s->data, "%s/data", s->directory);
    snprintf(s->url, sizeof s->url, "postgresql:///postgres?host=%s&user=postgres", s->directory);
    *why = "initdb failed";
    if (!run(s, (const char *const[]){"initdb", "-D", s->data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                                      "--locale=C.UTF-8", "--no-sync", NULL}))
        return NULL;
    *why = "PostgreSQL did not start";
    return pg_server_resume(s) ? s : NULL;
}

const char *pg_server_url(const struct pg_server *s) { return s->url; }
