/* bench.c — galena bench pipeline: drives the real program over HTTP on loopback and says what it does, in one JSON line.
 *
 * It makes its own place (a temporary directory, or the PostgreSQL database that is named), trains a model on sample leads,
 * starts `galena serve` as a process of its own, sends leads of 2 KB as fast as they are taken or at a fixed rate, waits
 * until each one is scored, and stops the server, whose CPU time is what is reported. */
#include "base/file.h"
#include "base/rng.h"
#include "base/time.h"
#include "cmd/control.h"
#include "net/http_client.h"
#include "sandbox/sample.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LEAD_BYTE = 2048,
    HEAD_BYTE = 80,
    DISTINCT_LEADS = 2000,
    START_MS = 60000,
    MOST_IN_FLIGHT = 1024,
    MOST_PROCESSES = 16
};

struct bench_options {
    int64_t leads, batch, parallel, workers, writers, processes;
    double rate;
    str database, model, dir;
    bool keep;
};

struct bench {
    struct session *s;
    const struct bench_options *o;
    const char *dir, *program, *model;
    pid_t server;
    pid_t worker[MOST_PROCESSES]; /* galena worker, beside the server */
    str address, token;
    struct http_client *client;
    str *body; /* DISTINCT_LEADS lead texts, without identifier and address */
    /* sending */
    pthread_mutex_t lock;
    pthread_cond_t room;
    size_t in_flight;
    uint64_t accepted, refused, failed;
    double *accept_ms;
    size_t n_accept;
};

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

static const char *in_dir(struct bench *b, const char *name) { return str_format(b->s->arena, "%s/%s", b->dir, name).ptr; }

static err make_model(struct bench *b) {
    if (b->o->model.len > 0) {
        b->model = b->o->model.ptr;
        return OK;
    }
    b->model = in_dir(b, "bench.model");
    const char *sample[] = {b->program, "sample", "--out", b->dir, "--rows", "4000", NULL};
    const char *train[] = {b->program, "train",     in_dir(b, "leads_past.csv"),
                           "--target", "converted", "--id",
                           "lead_id",  "--family",  "logistic",
                           "--out",    b->model,    NULL};
    TRY(run(b, sample, "sample.log"));
    return run(b, train, "train.log");
}

/* ---- the server ---- */

static err wait_for_server(struct bench *b) {
    const char *path = in_dir(b, "data/control.json");
    int64_t until = b->s->clock.steady_ns() + START_MS * 1000000ll;
    for (;;) {
        str text, token;
        const struct json *v;
        int status;
        struct stat st;
        if (stat(path, &st) == 0) {
            TRY(file_read_all(b->s->arena, path, 65536, &text));
            TRY(file_read_all(b->s->arena, in_dir(b, "data/control.token"), 65536, &token));
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
        argv[n++] = in_dir(b, "master.key");
    }
    argv[n++] = "--deliver-url";
    argv[n++] = "http://127.0.0.1:9/";
    argv[n++] = "--deliver-hold";
    argv[n] = NULL;
}

static err start_server(struct bench *b) {
    struct arena *a = b->s->arena;
    const char *argv[24];
    size_t n = 0;
    argv[n++] = b->program;
    argv[n++] = "serve";
    argv[n++] = "--quiet";
    argv[n++] = "--data";
    argv[n++] = in_dir(b, "data");
    argv[n++] = "--listen";
    argv[n++] = "127.0.0.1:0";
    argv[n++] = "--writers";
    argv[n++] = str_format(a, "%lld", (long long)b->o->writers).ptr;
    if (b->o->database.len > 0)
        TRY(vault_master_new(in_dir(b, "master.key")));
    put_common(b, argv, n);
    TRY(start(b, argv, "serve.log", &b->server));
    return wait_for_server(b);
}

static err start_workers(struct bench *b) {
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

static void stop_all(struct bench *b, double *cpu_us, int64_t *rss_byte) {
    *cpu_us = 0;
    *rss_byte = 0;
    for (size_t i = 0; i < MOST_PROCESSES; i++)
        stop_process(&b->worker[i], cpu_us, rss_byte);
    stop_process(&b->server, cpu_us, rss_byte);
}

/* ---- leads ---- */

/* Words in random order: a sentence that repeats would be compressed to nothing. */
static void add_notes(struct buf *out, struct rng *r, size_t n) {
    static const char *const words[] = {
        "asked", "about",  "prices", "for",   "twelve", "seats",   "next",  "quarter", "pilot",    "with",   "the",
        "team",  "in",     "Leeds",  "wants", "demo",   "migrate", "from",  "legacy",  "system",   "budget", "approved",
        "needs", "export", "audit",  "trail", "single", "sign-on", "board", "meeting", "contract", "ends",   "June"};
    size_t end = out->len + n;
    while (out->len < end) {
        str word = str_from(words[rng_below(r, sizeof words / sizeof *words)]);
        buf_add(out, str_slice(word, 0, end - out->len));
        if (out->len < end)
            buf_add_byte(out, ' ');
    }
}

static str lead_text(struct arena *a, uint64_t i) {
    const struct sample_world world = {.seed = 7, .first_ms = 1704067200000, .last_ms = 1735689600000};
    struct rng r = rng_from_seed(i);
    struct sample_lead lead;
    struct buf *out = buf_in(a, 1 << 16);
    struct json_writer w;
    sample_draw(a, &world, i, &lead);
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_put_string(&w, STR("source"), STR("bench"));
    json_key(&w, STR("custom"));
    json_open_object(&w);
    for (int c = 1; c < SAMPLE_COLUMN_COUNT; c++)
        if (lead.cell[c].len > 0)
            json_put_string(&w, str_from(sample_names[c]), lead.cell[c]);
    json_close_object(&w);
    struct buf *notes = buf_in(a, 1 << 16);
    if (out->len + HEAD_BYTE < LEAD_BYTE)
        add_notes(notes, &r, LEAD_BYTE - HEAD_BYTE - out->len);
    json_put_string(&w, STR("notes"), buf_str(notes));
    json_close_object(&w);
    str text = buf_str(out);
    return str_slice(text, 1, text.len); /* without its brace: identifier and address come before */
}

static void make_leads(struct bench *b) {
    b->body = ARENA_ARRAY(b->s->arena, DISTINCT_LEADS, str);
    for (uint64_t i = 0; i < DISTINCT_LEADS; i++)
        b->body[i] = lead_text(b->s->arena, i);
}

/* ---- sending ---- */

struct sending {
    struct bench *b;
    int64_t due_ns;
    uint64_t n;
};

static void sent(void *ctx, const struct http_result *r) {
    struct sending *x = ctx;
    struct bench *b = x->b;
    int64_t now_ns = b->s->clock.steady_ns();
    pthread_mutex_lock(&b->lock);
    if (r->rc == OK && r->status == 202) {
        b->accepted += x->n;
        b->accept_ms[b->n_accept++] = (double)(now_ns - x->due_ns) / 1e6;
    } else if (r->rc == OK && (r->status == 429 || r->status == 503)) {
        b->refused += x->n;
    } else {
        b->failed += x->n;
    }
    b->in_flight--;
    pthread_cond_signal(&b->room);
    pthread_mutex_unlock(&b->lock);
    free(x);
}

static void write_request(struct bench *b, struct buf *out, uint64_t first, uint64_t n) {
    buf_clear(out);
    if (n > 1)
        buf_add(out, STR("{\"leads\":["));
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(out, ',');
        unsigned long long id = first + i;
        buf_add_format(out, "{\"crm_id\":\"b%llu\",\"email\":\"u%llu@example%llu.test\",", id, id, id % 997);
        buf_add(out, b->body[(first + i) % DISTINCT_LEADS]);
    }
    if (n > 1)
        buf_add(out, STR("]}"));
}

/* Waits until there may be another request, and, at a fixed rate, until it is due. */
static int64_t wait_for_turn(struct bench *b, int64_t begin_ns, uint64_t first) {
    pthread_mutex_lock(&b->lock);
    size_t most = b->o->rate > 0 ? MOST_IN_FLIGHT : (size_t)b->o->parallel;
    while (b->in_flight >= most)
        pthread_cond_wait(&b->room, &b->lock);
    b->in_flight++;
    pthread_mutex_unlock(&b->lock);
    int64_t due = b->o->rate > 0 ? begin_ns + (int64_t)((double)first / b->o->rate * 1e9) : b->s->clock.steady_ns();
    int64_t wait = due - b->s->clock.steady_ns();
    if (wait > 0)
        nanosleep(&(struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000}, NULL);
    return due;
}

static err send_leads(struct bench *b, int64_t begin_ns) {
    struct buf *out = buf_in(b->s->arena, (size_t)16 << 20);
    const struct http_field field[] = {{STR("Authorization"), str_format(b->s->arena, "Bearer %.*s", STR_ARG(b->token))},
                                       {STR("Content-Type"), STR("application/json")}};
    str url = str_format(b->s->arena, "%.*s/v1/leads", STR_ARG(b->address));
    for (uint64_t first = 0; first < (uint64_t)b->o->leads;) {
        uint64_t left = (uint64_t)b->o->leads - first, n = left < (uint64_t)b->o->batch ? left : (uint64_t)b->o->batch;
        struct sending *x = malloc(sizeof *x);
        if (!x)
            return fail(ERR_LIMIT, "memory_limit", "no memory for a request");
        *x = (struct sending){b, wait_for_turn(b, begin_ns, first), n};
        write_request(b, out, first, n);
        const struct http_call call = {
            .method = STR("POST"), .url = url, .header = field, .n_header = 2, .body = buf_str(out), .done = sent, .ctx = x};
        TRY(http_client_send(b->client, &call, NULL));
        first += n;
    }
    pthread_mutex_lock(&b->lock);
    while (b->in_flight > 0)
        pthread_cond_wait(&b->room, &b->lock);
    pthread_mutex_unlock(&b->lock);
    return OK;
}

struct figures {
    double accept_s, all_s, ended, dead, cpu_us, byte;
    int64_t rss_byte;
};

/* ---- looking ---- */

struct metrics_text {
    sem_t *done;
    struct buf *text;
};

static void got_metrics(void *ctx, const struct http_result *r) {
    struct metrics_text *m = ctx;
    if (r->rc == OK && r->status == 200)
        buf_add(m->text, r->body);
    sem_post(m->done);
}

static err fetch(struct bench *b, const char *path, struct buf *text) {
    sem_t done;
    struct metrics_text m = {&done, text};
    const struct http_field field = {STR("Authorization"), str_format(b->s->arena, "Bearer %.*s", STR_ARG(b->token))};
    const struct http_call call = {.method = STR("GET"),
                                   .url = str_format(b->s->arena, "%.*s%s", STR_ARG(b->address), path),
                                   .header = &field,
                                   .n_header = 1,
                                   .done = got_metrics,
                                   .ctx = &m};
    buf_clear(text);
    sem_init(&done, 0, 0);
    TRY(http_client_send(b->client, &call, NULL));
    while (sem_wait(&done) != 0) {
    }
    sem_destroy(&done);
    return OK;
}

/* Sum of the series whose lines begin with `prefix`. */
static double metric_sum(str text, const char *prefix) {
    double sum = 0;
    for (str line; str_split(&text, '\n', &line);) {
        ptrdiff_t space = str_starts(line, str_from(prefix)) ? str_find_byte(line, ' ') : -1;
        char number[64] = "";
        str value = space < 0 ? (str){0} : str_slice(line, (size_t)space + 1, line.len);
        if (value.len > 0 && value.len < sizeof number) {
            memcpy(number, value.ptr, value.len);
            sum += strtod(number, NULL);
        }
    }
    return sum;
}

/* Runs that are alive, by the store: what other processes ended does not show in this server's metrics. */
static err count_live(struct bench *b, struct buf *text, double *live, double *dead) {
    const struct json *v, *queue;
    *live = *dead = 0;
    TRY(fetch(b, "/v1/queue", text));
    TRY(json_parse(b->s->arena, buf_str(text), NULL, &v));
    queue = json_get(v, STR("queue"));
    for (uint32_t i = 0; queue && i < queue->count; i++) {
        int64_t count;
        str status;
        TRY(json_get_integer(&queue->items[i], STR("count"), &count));
        TRY(json_get_string(&queue->items[i], STR("status"), &status));
        *(str_equal(status, STR("dead")) ? dead : live) += (double)count;
    }
    return OK;
}

static err count_ended(struct bench *b, struct buf *text, struct figures *f) {
    double live = 0;
    if (b->o->processes > 0) {
        TRY(count_live(b, text, &live, &f->dead));
        f->ended = (double)b->accepted - live - f->dead;
        return OK;
    }
    TRY(fetch(b, "/metrics", text));
    f->ended = metric_sum(buf_str(text), "galena_runs_ended_total{");
    f->dead = metric_sum(buf_str(text), "galena_runs_dead_total");
    return OK;
}

/* Waits until all that was accepted has ended, or nothing moves for half a minute. */
static err wait_for_end(struct bench *b, struct buf *text, struct figures *f) {
    int64_t moved_ns = b->s->clock.steady_ns();
    for (double before = 0;;) {
        TRY(count_ended(b, text, f));
        double now = f->ended + f->dead;
        if (now > before)
            moved_ns = b->s->clock.steady_ns();
        before = now;
        if (now >= (double)b->accepted || b->s->clock.steady_ns() - moved_ns > 30 * 1000000000ll)
            return OK;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

/* ---- figures ---- */

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double quantile(const double *sorted, size_t n, double q) {
    size_t i = (size_t)((double)n * q);
    return n == 0 ? NAN : sorted[i < n ? i : n - 1];
}

/* Upper bound, in ms, of the bucket in which quantile q of a histogram lies. */
static double histogram_quantile(str text, const char *name, double q) {
    char prefix[128], total_name[128];
    snprintf(prefix, sizeof prefix, "%s_bucket{le=\"", name);
    snprintf(total_name, sizeof total_name, "%s_count", name);
    double total = metric_sum(text, total_name);
    for (str line; str_split(&text, '\n', &line);) {
        if (!str_starts(line, str_from(prefix)))
            continue;
        ptrdiff_t space = str_find_byte(line, ' ');
        char bound[32] = "", count[32] = "";
        str tail = str_slice(line, strlen(prefix), line.len), n = str_slice(line, (size_t)space + 1, line.len);
        memcpy(bound, tail.ptr, tail.len < 31 ? tail.len : 31);
        memcpy(count, n.ptr, n.len < 31 ? n.len : 31);
        if (strtod(count, NULL) >= q * total)
            return strtod(bound, NULL) * 1000;
    }
    return NAN;
}

static double stored_byte(struct bench *b) {
    static const char *const name[] = {"data/galena.db", "data/galena.db-wal"};
    double sum = 0;
    struct stat st;
    for (size_t i = 0; i < 2; i++)
        sum += stat(in_dir(b, name[i]), &st) == 0 ? (double)st.st_size : 0;
    return sum;
}

static void put_pair(struct json_writer *w, const char *key, double p50, double p99) {
    json_key(w, str_from(key));
    json_open_object(w);
    json_put_number(w, STR("p50"), p50);
    json_put_number(w, STR("p99"), p99);
    json_close_object(w);
}

static err report(struct bench *b, const struct figures *f, str metrics) {
    bool shared = b->o->database.len > 0;
    struct buf *out = buf_in(b->s->arena, 1 << 16);
    struct json_writer w;
    qsort(b->accept_ms, b->n_accept, sizeof *b->accept_ms, compare);
    json_write_begin(&w, out, 0);
    json_open_object(&w);
    json_put_string(&w, STR("bench"), STR("pipeline"));
    json_put_integer(&w, STR("leads"), b->o->leads);
    json_put_integer(&w, STR("accepted"), (int64_t)b->accepted);
    json_put_integer(&w, STR("refused"), (int64_t)b->refused);
    json_put_integer(&w, STR("failed"), (int64_t)b->failed);
    json_put_integer(&w, STR("dead"), (int64_t)f->dead);
    json_put_integer(&w, STR("lost"), (int64_t)b->accepted - (int64_t)f->ended - (int64_t)f->dead);
    json_put_number(&w, STR("accepted_per_s"), floor((double)b->accepted / f->accept_s));
    json_put_number(&w, STR("scored_per_s"), floor(f->ended / f->all_s));
    put_pair(&w, "accept_ms", quantile(b->accept_ms, b->n_accept, 0.5), quantile(b->accept_ms, b->n_accept, 0.99));
    put_pair(&w, "end_to_end_ms", histogram_quantile(metrics, "galena_end_to_end_seconds", 0.5),
             histogram_quantile(metrics, "galena_end_to_end_seconds", 0.99));
    json_put_number(&w, STR("cpu_us_per_lead"), round(f->cpu_us / f->ended * 10) / 10);
    if (!shared)
        json_put_number(&w, STR("bytes_per_lead"), round(f->byte / f->ended));
    json_put_integer(&w, STR("peak_rss_bytes"), f->rss_byte);
    json_put_integer(&w, STR("batch"), b->o->batch);
    json_put_integer(&w, STR("parallel"), b->o->parallel);
    json_put_number(&w, STR("rate"), b->o->rate);
    json_put_integer(&w, STR("processes"), 1 + b->o->processes);
    double load[1] = {NAN};
    if (getloadavg(load, 1) == 1)
        json_put_number(&w, STR("load1"), round(load[0] * 10) / 10);
    json_put_string(&w, STR("store"), shared ? STR("postgresql") : STR("sqlite"));
    json_put_string(&w, STR("durability"), shared ? STR("synchronous_commit=on") : STR("synchronous=FULL"));
    json_close_object(&w);
    buf_add_byte(out, '\n');
    TRY(buf_check(out));
    terminal_put(&b->s->out, buf_str(out));
    return OK;
}

/* ---- the whole ---- */

static void clean_up(void *ctx) {
    struct bench *b = ctx;
    double cpu_us;
    int64_t rss;
    http_client_stop(b->client);
    stop_all(b, &cpu_us, &rss);
    if (!b->o->keep && b->o->dir.len == 0) {
        const char *argv[] = {"/bin/rm", "-rf", b->dir, NULL};
        pid_t pid = fork();
        if (pid == 0) {
            execv(argv[0], (char *const *)(uintptr_t)argv);
            _exit(127);
        }
        waitpid(pid, NULL, 0);
    }
}

static err prepare(struct bench *b) {
    struct arena *a = b->s->arena;
    const char *tmp = getenv("TMPDIR");
    char *dir = str_cstr(a, b->o->dir.len > 0 ? b->o->dir : str_format(a, "%s/galena-bench-XXXXXX", tmp ? tmp : "/tmp"));
    if (b->o->dir.len > 0 ? mkdir(dir, 0700) != 0 && errno != EEXIST : !mkdtemp(dir))
        return fail(ERR_DENIED, "bench_dir", "cannot make %s: %s", dir, strerror(errno));
    b->dir = dir;
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || n == sizeof path)
        return fail(ERR_ABSENT, "bench_program", "cannot tell where this program is");
    b->program = str_cstr(a, (str){path, (size_t)n});
    arena_defer(a, clean_up, b);
    b->accept_ms = ARENA_ARRAY(a, (size_t)b->o->leads + 1, double);
    make_leads(b);
    return make_model(b);
}

static err start_client(struct bench *b) {
    struct http_client_settings c = http_client_defaults();
    struct address_range loopback;
    TRY(address_parse_range(STR("127.0.0.1"), &loopback));
    c.allow = &loopback;
    c.n_allow = 1;
    c.max_in_flight = MOST_IN_FLIGHT;
    c.max_queue = MOST_IN_FLIGHT;
    c.max_connections_per_host = (unsigned)b->o->parallel;
    return http_client_start(&c, &b->client);
}

static err run_bench_pipeline(struct session *s, const void *options) {
    struct bench *b = ARENA_NEW(s->arena, struct bench);
    *b = (struct bench){.s = s, .o = options};
    struct figures f = {0};
    struct buf *metrics = buf_in(s->arena, 1 << 22);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->room, NULL);
    TRY(prepare(b));
    TRY(start_server(b));
    TRY(start_workers(b));
    TRY(start_client(b));
    int64_t begin_ns = s->clock.steady_ns();
    TRY(send_leads(b, begin_ns));
    f.accept_s = clock_second_since(&s->clock, begin_ns);
    TRY(wait_for_end(b, metrics, &f));
    f.all_s = clock_second_since(&s->clock, begin_ns);
    TRY(fetch(b, "/metrics", metrics));
    f.byte = stored_byte(b);
    stop_all(b, &f.cpu_us, &f.rss_byte);
    return report(b, &f, buf_str(metrics));
}

#define AT(member) .offset = offsetof(struct bench_options, member)

static const struct setting bench_table[] = {
    {.name = "leads", .type = SETTING_INTEGER, AT(leads), .fallback = "100000", .min = 1, .max = 1e8, .help = "how many"},
    {.name = "rate",
     .type = SETTING_NUMBER,
     AT(rate),
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .arg = "N",
     .help = "leads a second; 0: as fast as they are taken"},
    {.name = "batch",
     .type = SETTING_INTEGER,
     AT(batch),
     .fallback = "50",
     .min = 1,
     .max = 1000,
     .help = "leads in one request"},
    {.name = "parallel",
     .type = SETTING_INTEGER,
     AT(parallel),
     .fallback = "16",
     .min = 1,
     .max = 512,
     .help = "requests under way at once"},
    {.name = "workers",
     .type = SETTING_INTEGER,
     AT(workers),
     .fallback = "1",
     .min = 1,
     .max = 64,
     .help = "worker threads of the server"},
    {.name = "writers",
     .type = SETTING_INTEGER,
     AT(writers),
     .fallback = "2",
     .min = 1,
     .max = 16,
     .help = "its writing connections to PostgreSQL"},
    {.name = "processes",
     .type = SETTING_INTEGER,
     AT(processes),
     .fallback = "0",
     .max = MOST_PROCESSES,
     .help = "galena worker processes beside the server (PostgreSQL)"},
    {.name = "database",
     .type = SETTING_STRING,
     AT(database),
     .arg = "URL",
     .help = "an empty PostgreSQL database; SQLite when left out"},
    {.name = "model",
     .type = SETTING_PATH,
     AT(model),
     .help = "the model that scores; made from sample leads when left out"},
    {.name = "dir",
     .type = SETTING_PATH,
     AT(dir),
     .arg = "DIR",
     .help = "where the data goes; a temporary directory when left out"},
    {.name = "keep", .type = SETTING_FLAG, AT(keep), .help = "leave the temporary directory"},
};

const struct command command_bench_pipeline = {
    .name = "bench pipeline",
    .summary = "measure the durable pipeline",
    .description = "Starts galena serve as a process of its own on an empty place, sends it leads of 2 KB over HTTP on "
                   "loopback, waits until each is scored, "
                   "and prints one JSON line: rates, latencies, CPU time of the server for each lead, bytes kept for each "
                   "lead. Every lead is validated, "
                   "scored with its interval and reasons, and gets a delivery row, all durable; deliveries are held. With "
                   "--rate the requests are due at fixed "
                   "times and latencies count from when each was due.",
    .examples = "galena bench pipeline --leads 200000\ngalena bench pipeline --rate 5000 --batch 1\n",
    COMMAND_SETTINGS(bench_table),
    .options_size = sizeof(struct bench_options),
    .run = run_bench_pipeline,
};
