/* bench.c — galena bench pipeline: drives the real program over HTTP on loopback and says what it does, in one JSON line.
 *
 * It makes its own place (a temporary directory, or the PostgreSQL database that is named), trains a model on sample leads,
 * starts `galena serve` as a process of its own, sends leads of 2 KB as fast as they are taken or at a fixed rate, waits
 * until each one is scored, and stops the server, whose CPU time is what is reported. */
#include "base/time.h"
#include "cmd/bench_priv.h"

#include <errno.h>
#include <math.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
        sum += stat(bench_path(b, name[i]), &st) == 0 ? (double)st.st_size : 0;
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
    bench_stop_all(b, &cpu_us, &rss);
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
    bench_make_leads(b);
    return bench_make_model(b);
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
    TRY(bench_start_server(b));
    TRY(bench_start_workers(b));
    TRY(start_client(b));
    int64_t begin_ns = s->clock.steady_ns();
    TRY(bench_send_leads(b, begin_ns));
    f.accept_s = clock_second_since(&s->clock, begin_ns);
    TRY(wait_for_end(b, metrics, &f));
    f.all_s = clock_second_since(&s->clock, begin_ns);
    TRY(fetch(b, "/metrics", metrics));
    f.byte = stored_byte(b);
    bench_stop_all(b, &f.cpu_us, &f.rss_byte);
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
