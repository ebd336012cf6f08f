/* egress.c — what the door out costs: egress [CALLS] [IN_FLIGHT]
 *
 * A child process answers 4 KB of JSON over HTTP/1.1 on loopback. Prints the CPU time of an answered call, whole (with
 * libcurl and the kernel's sockets) and of the deciding thread alone (rules, cache look-up, budget, rate limit, breaker,
 * classification, journal), the same with a connector (request built, answer read, 15 observations), and the memory of 2,000
 * calls parked at a server that does not answer. */
#include "egress/ask.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 50000, IN_FLIGHT = 256, PARKED = 2000, BODY_BYTE = 4096, WARM_UP = 2000 };

static char body[BODY_BYTE];

static void handle(void *ctx, struct http_request *r) {
    static const struct http_field field[] = {{STR_INIT("Content-Type"), STR_INIT("application/json")},
                                              {STR_INIT("X-RateLimit-Remaining"), STR_INIT("100000")},
                                              {STR_INIT("X-RateLimit-Reset"), STR_INIT("60")}};
    (void)ctx;
    http_respond(r, 200, field, 3, (str){body, sizeof body});
}

/* Serves until its parent has gone; its port comes over the pipe. */
static void serve(int out) {
    struct http_server_settings s = http_server_defaults();
    struct http_server *server = NULL;
    s.handle = handle;
    s.threads = 1;
    s.max_connections = s.max_connections_per_address = 8192;
    if (http_server_start(&s, &server) != OK)
        _exit(1);
    int port = http_server_port(server);
    if (write(out, &port, sizeof port) != sizeof port)
        _exit(1);
    for (;;)
        pause();
}

/* 4 KB with fifteen figures in it. */
static void fill_body(void) {
    size_t n = (size_t)snprintf(body, sizeof body, "{\"name\":\"Example\"");
    for (int i = 0; i < 15; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, ",\"f%d\":{\"value\":%d}", i, i * 1000);
    n += (size_t)snprintf(body + n, sizeof body - n, ",\"list\":[");
    while (n < sizeof body - 64)
        n += (size_t)snprintf(body + n, sizeof body - n, "{\"city\":\"Turin\",\"staff\":12},");
    n += (size_t)snprintf(body + n, sizeof body - n, "0]}");
    memset(body + n, ' ', sizeof body - n);
}

static double cpu_us(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct bench {
    struct egress *egress;
    str url;
    atomic_int done, failed, journal;
    _Atomic double thread_us; /* of the deciding thread, at the last answer */
};

static void done(void *ctx, const struct egress_answer *a) {
    struct bench *b = ctx;
    if (a->class != EGRESS_OK)
        atomic_fetch_add(&b->failed, 1);
    atomic_store(&b->thread_us, cpu_us(CLOCK_THREAD_CPUTIME_ID));
    atomic_fetch_add(&b->done, 1);
}

static void classify(void *ctx, const struct egress_response *r, struct egress_verdict *v) { (void)ctx, (void)r, (void)v; }

static void note(void *ctx, const struct egress_record *r) {
    struct bench *b = ctx;
    (void)r;
    atomic_fetch_add(&b->journal, 1);
}

static void submit(struct bench *b, int i, bool keyed) {
    static const struct egress_field field[] = {{STR_INIT("Authorization"), STR_INIT("Bearer 0123456789abcdef"), true},
                                                {STR_INIT("Accept"), STR_INIT("application/json"), false}};
    char key[32], lead[32];
    int n = snprintf(key, sizeof key, "key-%d", i), m = snprintf(lead, sizeof lead, "lead-%d", i);
    struct egress_call c = {.source = STR("bench"),
                            .operation = STR("company"),
                            .credential = STR("main"),
                            .tenant = STR("tenant"),
                            .lead = {lead, (size_t)m},
                            .method = STR("GET"),
                            .url = b->url,
                            .field = field,
                            .n_field = 2,
                            .cache_key = {key, keyed ? (size_t)n : 0},
                            .cache_ms = 3600000,
                            .call_micro = 10,
                            .hit_micro = 100,
                            .tenant_day = {BUDGET_NO_LIMIT, BUDGET_NO_LIMIT},
                            .lead_most = {1000, 0},
                            .consent = EGRESS_PERSONAL_ALL,
                            .classify = classify,
                            .done = done,
                            .ctx = b};
    while (egress_submit(b->egress, &c, NULL) != OK)
        usleep(100);
}

static void run(struct bench *b, int from, int n, int in_flight) {
    atomic_store(&b->done, 0);
    for (int i = 0; i < n; i++) {
        while (i - atomic_load(&b->done) >= in_flight)
            usleep(50);
        submit(b, from + i, true);
    }
    while (atomic_load(&b->done) < n)
        usleep(50);
}

static void line(const char *what, const char *bar, double measured, const char *unit) {
    printf("| %-58s | %10s | %10.1f %-5s |\n", what, bar, measured, unit);
}

static void time_calls(struct bench *b, int n, int in_flight) {
    run(b, 0, WARM_UP, in_flight);
    double whole = cpu_us(CLOCK_PROCESS_CPUTIME_ID), thread = b->thread_us;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    run(b, WARM_UP, n, in_flight);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double second = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    line("CPU of a call, whole (libcurl, sockets, submitting)", "", (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - whole) / n, "us");
    line("CPU of a call, deciding thread", "", (b->thread_us - thread) / n, "us");
    line("calls a second, server beside it", "", n / second, "/s");
    thread = b->thread_us;
    run(b, WARM_UP, n, in_flight);
    line("CPU of a call that the cache answers, deciding thread", "", (b->thread_us - thread) / n, "us");
}

/* ---- with a connector ---- */

static void asked(void *ctx, const struct ask_answer *a) {
    struct bench *b = ctx;
    if (a->rc != OK || a->found->n != 15)
        atomic_fetch_add(&b->failed, 1);
    atomic_store(&b->thread_us, cpu_us(CLOCK_THREAD_CPUTIME_ID));
    atomic_fetch_add(&b->done, 1);
}

struct asking {
    struct bench *b;
    struct asker *asker;
    struct ask ask;
    int port;
};

static err prepare(struct arena *a, struct asking *w) {
    struct buf *yaml = buf_in(a, 1 << 16);
    const struct connector *c;
    const struct json *settings;
    buf_add_format(yaml,
                   "connector: 1\nname: bench\ntitle: t\nkind: source\ndocumentation: https://example.com/\nterms: none\n"
                   "personal_data: none\nsettings: {key: {secret: true, help: k}}\nbase_url: https://example.com\n"
                   "authentication: {type: bearer, token: \"{setting.key}\"}\noperations:\n  look:\n    title: t\n"
                   "    url: /v1/company\n    query: {domain: \"{input.domain}\"}\n    price: {micro: 100, per: hit}\n"
                   "    identity: {name: .name}\n    map:\n");
    for (int i = 0; i < 15; i++)
        buf_add_format(yaml, "      account.f%d: .f%d.value\n", i, i);
    TRY(connector_parse(a, buf_str(yaml), "bench.yaml", &c));
    TRY(json_parse(a, str_format(a, "{\"key\":\"k\",\"base_url\":\"http://127.0.0.1:%d\"}", w->port), NULL, &settings));
    TRY(connector_bind(a, c, settings, &w->ask.binding));
    TRY(connector_operation(c, STR("look"), &w->ask.operation));
    return json_parse(a, STR("{\"domain\":\"example.com\"}"), NULL, &w->ask.input);
}

static void ask_many(struct asking *w, int n, int in_flight) {
    struct bench *b = w->b;
    atomic_store(&b->done, 0);
    for (int i = 0; i < n; i++) {
        while (i - atomic_load(&b->done) >= in_flight)
            usleep(50);
        while (asker_ask(w->asker, &w->ask) != OK)
            usleep(100);
    }
    while (atomic_load(&b->done) < n)
        usleep(50);
}

static void time_asks(struct bench *b, struct asking *w, int n, int in_flight) {
    ask_many(w, WARM_UP, in_flight);
    double whole = cpu_us(CLOCK_PROCESS_CPUTIME_ID), thread = b->thread_us;
    ask_many(w, n, in_flight);
    line("CPU of an ask: request, rules, answer, 15 observations", "150 us", (b->thread_us - thread) / n, "us");
    line("the same with libcurl and sockets", "", (cpu_us(CLOCK_PROCESS_CPUTIME_ID) - whole) / n, "us");
}

static double resident_mb(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* A port whose connections the kernel takes and nobody answers. */
static int deaf_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return 0;
    return ntohs(at.sin_port);
}

static void park(struct bench *b) {
    char url[64];
    int n = snprintf(url, sizeof url, "http://127.0.0.1:%d/deaf", deaf_port());
    b->url = (str){url, (size_t)n};
    double before = resident_mb();
    for (int i = 0; i < PARKED; i++)
        submit(b, i, false);
    for (int i = 0; i < 200 && egress_counters(b->egress).in_flight < PARKED; i++)
        usleep(50000);
    usleep(500000);
    printf("  in flight: %d\n", (int)egress_counters(b->egress).in_flight);
    line("memory of 2,000 calls in flight", "100 MB", resident_mb() - before, "MB");
}

int main(int argc, char **argv) {
    int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : CALLS,
        in_flight = argc > 2 ? (int)strtol(argv[2], NULL, 10) : IN_FLIGHT;
    int ends[2], port = 0;
    signal(SIGPIPE, SIG_IGN);
    fill_body();
    if (pipe(ends) != 0)
        return 1;
    pid_t child = fork();
    if (child == 0)
        serve(ends[1]);
    if (child < 0 || read(ends[0], &port, sizeof port) != sizeof port)
        return 1;
    char url[64];
    int len = snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/company?domain=example.com", port);
    struct bench b = {.url = {url, (size_t)len}};
    struct address_range allow;
    struct cache *cache = NULL;
    struct egress_source source = {.name = "bench",
                                   .rate = {{1e9, 1000}},
                                   .n_rate = 1,
                                   .max_in_flight = 4096,
                                   .day = {BUDGET_NO_LIMIT, BUDGET_NO_LIMIT}};
    struct cache_options co = {.max_byte = (size_t)1 << 30};
    if (address_parse_range(STR("127.0.0.0/8"), &allow) != OK || cache_open(&co, &cache) != OK)
        return 1;
    struct egress_settings s = {.allow = &allow, .n_allow = 1, .cache = cache, .journal = note, .journal_ctx = &b};
    if (egress_start(&s, &b.egress) != OK || egress_source_set(b.egress, &source) != OK)
        return 1;
    printf("| %-58s | %10s | %16s |\n", "", "bar", "measured");
    time_calls(&b, n, in_flight);
    struct arena *a = arena_new(64 << 20);
    struct asking w = {.b = &b, .port = port, .ask = {.done = asked, .ctx = &b}};
    w.ask.call.tenant = STR("tenant");
    w.ask.call.credential = STR("main");
    w.ask.call.tenant_day = w.ask.call.lead_most = (struct budget_amount){BUDGET_NO_LIMIT, BUDGET_NO_LIMIT};
    err rc = asker_new(b.egress, &w.asker);
    if (rc == OK)
        rc = prepare(a, &w);
    if (rc == OK)
        time_asks(&b, &w, n, in_flight);
    else
        printf("  %s: %s\n", err_slug(), err_text());
    printf("  failed: %d\n", (int)b.failed);
    park(&b);
    egress_stop(b.egress);
    asker_free(w.asker);
    arena_free(a);
    cache_close(cache);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return 0;
}
