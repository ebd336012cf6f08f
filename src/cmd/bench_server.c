/* bench_server.c — the processes of a measurement: the program as a server and as workers, on a place of their own. */
#include "base/file.h"
#include "base/time.h"
#include "cmd/bench_priv.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 60000 };

/* ---- processes ---- */

/* Starts the program with these words; its output goes to DIR/NAME.log. */
static err start(struct bench *b, const char *const *argv, const char *log, pid_t *pid) {
    const char *path = str_format(b->s->arena, "%s/%s", b->dir, log).ptr;
    *pid = fork();
    if (*pid < 0)
        return fail(ERR_AGAIN, "bench_fork", "the system gives no process: %s", strerror(errno));
    if (*pid > 0)
        return OK;
    FILE *out = fopen(path, "w");
    if (out) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(out), STDERR_FILENO);
    }
    execv(b->program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static err run(struct bench *b, const char *const *argv, const char *log) {
    pid_t pid;
    int status;
    TRY(start(b, argv, log, &pid));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    return fail(ERR_AGAIN, "bench_step", "galena %s failed; see %s/%s", argv[1], b->dir, log);
}

const char *bench_path(struct bench *b, const char *name) { return str_format(b->s->arena, "%s/%s", b->dir, name).ptr; }

err bench_make_model(struct bench *b) {
    if (b->o->model.len > 0) {
        b->model = b->o->model.ptr;
        return OK;
    }
    b->model = bench_path(b, "bench.model");
    const char *sample[] = {b->program, "sample", "--out", b->dir, "--rows", "4000", NULL};
    const char *train[] = {b->program, "train",     bench_path(b, "leads_past.csv"),
                           "--target", "converted", "--id",
                           "lead_id",  "--family",  "logistic",
                           "--out",    b->model,    NULL};
    TRY(run(b, sample, "sample.log"));
    return run(b, train, "train.log");
}

/* ---- the server ---- */

static err wait_for_server(struct bench *b) {
    const char *path = bench_path(b, "data/control.json");
    int64_t until = b->s->clock.steady_ns() + START_MS * 1000000ll;
    for (;;) {
        str text, token;
        const struct json *v;
        int status;
        struct stat st;
        if (stat(path, &st) == 0) {
            TRY(file_read_all(b->s->arena, path, 65536, &text));
            TRY(file_read_all(b->s->arena, bench_path(b, "data/control.token"), 65536, &token));
            TRY(json_parse(b->s->arena, text, NULL, &v));
            TRY(json_get_string(v, STR("api"), &b->address));
            b->token = str_trim(token);
            return OK;
        }
        if (waitpid(b->server, &status, WNOHANG) == b->server || b->s->clock.steady_ns() > until) {
            b->server = 0;
            return fail(ERR_AGAIN, "bench_server", "galena serve did not start; see %s/serve.log", b->dir);
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

/* What server and workers have in common, behind n words. A delivery row for each score goes to a target that is never
 * called: nobody listens there, and it is not allowed either. */
static void put_common(struct bench *b, const char **argv, size_t n) {
    argv[n++] = "--model";
    argv[n++] = b->model;
    argv[n++] = "--workers";
    argv[n++] = str_format(b->s->arena, "%lld", (long long)b->o->workers).ptr;
    if (b->o->database.len > 0) {
        argv[n++] = "--database";
        argv[n++] = b->o->database.ptr;
        argv[n++] = "--master-key";
        argv[n++] = bench_path(b, "master.key");
    }
    argv[n++] = "--deliver-url";
    argv[n++] = "http://127.0.0.1:9/";
    argv[n++] = "--deliver-hold";
    argv[n] = NULL;
}

err bench_start_server(struct bench *b) {
    struct arena *a = b->s->arena;
    const char *argv[24];
    size_t n = 0;
    argv[n++] = b->program;
    argv[n++] = "serve";
    argv[n++] = "--quiet";
    argv[n++] = "--data";
    argv[n++] = bench_path(b, "data");
    argv[n++] = "--listen";
    argv[n++] = "127.0.0.1:0";
    argv[n++] = "--writers";
    argv[n++] = str_format(a, "%lld", (long long)b->o->writers).ptr;
    if (b->o->database.len > 0)
        TRY(vault_master_new(bench_path(b, "master.key")));
    put_common(b, argv, n);
    TRY(start(b, argv, "serve.log", &b->server));
    return wait_for_server(b);
}

err bench_start_workers(struct bench *b) {
    if (b->o->processes > 0 && b->o->database.len == 0)
        return session_usage("usage_processes",
                             "more processes need a database that is shared: --database postgresql://...");
    for (int64_t i = 0; i < b->o->processes; i++) {
        const char *log = str_format(b->s->arena, "worker-%lld.log", (long long)i).ptr;
        const char *argv[24] = {b->program, "worker", "--quiet"};
        put_common(b, argv, 3);
        TRY(start(b, argv, log, &b->worker[i]));
    }
    return OK;
}

/* Ends a process; adds its CPU time to *cpu_us; *rss_byte: the highest peak of those ended. */
static void stop_process(pid_t *pid, double *cpu_us, int64_t *rss_byte) {
    struct rusage u = {0};
    int status;
    if (*pid <= 0)
        return;
    kill(*pid, SIGTERM);
    while (wait4(*pid, &status, 0, &u) < 0 && errno == EINTR) {
    }
    *pid = 0;
    *cpu_us += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    if ((int64_t)u.ru_maxrss * 1024 > *rss_byte)
        *rss_byte = (int64_t)u.ru_maxrss * 1024;
}

void bench_stop_all(struct bench *b, double *cpu_us, int64_t *rss_byte) {
    *cpu_us = 0;
    *rss_byte = 0;
    for (size_t i = 0; i < MOST_PROCESSES; i++)
        stop_process(&b->worker[i], cpu_us, rss_byte);
    stop_process(&b->server, cpu_us, rss_byte);
}
