/* store_writer.c — rows a second and CPU time of the store's writer: store_writer URL [LEADS [THREADS [arrays|single
 * [CHECKPOINT_MB [RATE]]]]].
 *
 * A lead is three commands, each submitted when the one before is durable: accepted (lead, body of 2 KB, run), enriched
 * (result of 300 bytes, run moved under its fence), scored (result, run, lead, delivery): 9 rows, 3 of them updates. With
 * RATE leads arrive at that rate instead of as fast as they can. The database at URL must be empty. */
#include "bench_sql.h"
#include "store/migrate.h"
#include "store/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BODY = 2048, RESULT = 300, WINDOW = 4000, ROWS_A_LEAD = 9, BUCKETS = 20000 };

struct stream {
    struct writer *writer;
    struct clock clock;
    bool single;
    str body, result;
    pthread_mutex_t lock;
    pthread_cond_t room;
    size_t in_flight;
    uint64_t accept[BUCKETS], end[BUCKETS]; /* leads by milliseconds / 10 */
    atomic_int failed;
};

struct lead {
    struct write write;
    struct stream *bench;
    int64_t id, begin_ns;
    int step;
};

static struct lead *of(struct write *w) { return (struct lead *)(void *)w; }

static unsigned pick(const struct stream *b, unsigned query) {
    return b->single ? query + (BENCH_LEAD_ADD_SINGLE - BENCH_LEAD_ADD) : query;
}

/* Posts `query` for the batch with tenant, id and two more values of `what`. */
static err post(struct db *db, unsigned query, struct write *const *batch, size_t n, unsigned n_param, struct db_value third,
                struct db_value fourth) {
    struct db_value *row = ARENA_ARRAY(db_scratch(db), n * n_param, struct db_value);
    int64_t *changed = ARENA_ARRAY(db_scratch(db), n, int64_t);
    const struct db_value values[4] = {db_integer(1), db_null(), third, fourth};
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < n_param; k++)
            row[i * n_param + k] = k == 1 ? db_integer(of(batch[i])->id) : values[k];
    for (size_t i = 0; i < n; i++)
        batch[i]->changed = &changed[i];
    return db_post(db, query, row, n, changed);
}

static err apply_accept(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    struct stream *b = ctx;
    TRY(post(db, pick(b, BENCH_LEAD_ADD), batch, n, 3, db_integer(1700000000000), db_null()));
    TRY(post(db, pick(b, BENCH_BODY_ADD), batch, n, 3, db_blob(b->body), db_null()));
    return post(db, pick(b, BENCH_RUN_ADD), batch, n, 2, db_null(), db_null());
}

static err apply_enrich(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    struct stream *b = ctx;
    TRY(post(db, pick(b, BENCH_RESULT_ADD), batch, n, 4, db_integer(1), db_blob(b->result)));
    return post(db, pick(b, BENCH_RUN_MOVE), batch, n, 3, db_integer(1), db_null());
}

static err apply_score(struct db *db, struct write *const *batch, size_t n, void *ctx) {
    struct stream *b = ctx;
    TRY(post(db, pick(b, BENCH_RESULT_ADD), batch, n, 4, db_integer(2), db_blob(b->result)));
    TRY(post(db, pick(b, BENCH_LEAD_STATE), batch, n, 3, db_integer(3), db_null()));
    TRY(post(db, pick(b, BENCH_DELIVERY_ADD), batch, n, 3, db_integer(1700000000000), db_null()));
    return post(db, pick(b, BENCH_RUN_MOVE), batch, n, 3, db_integer(1), db_null());
}

static struct write_kind kinds[3] = {
    {"accept", apply_accept, NULL}, {"enrich", apply_enrich, NULL}, {"score", apply_score, NULL}};

static void note(struct stream *b, uint64_t *buckets, const struct lead *l) {
    int64_t at = (b->clock.steady_ns() - l->begin_ns) / 100000; /* tenths of a millisecond */
    buckets[at < BUCKETS ? at : BUCKETS - 1]++;
}

static void on_done(struct write *w, err rc) {
    struct lead *l = of(w);
    struct stream *b = l->bench;
    if (rc != OK && atomic_fetch_add(&b->failed, 1) == 0)
        fprintf(stderr, "failed: %s\n", err_text());
    if (l->step == 0)
        note(b, b->accept, l);
    if (rc == OK && ++l->step < 3) {
        w->kind = &kinds[l->step];
        w->byte = RESULT;
        while (writer_submit(b->writer, w) != OK)
            ;
        return;
    }
    note(b, b->end, l);
    pthread_mutex_lock(&b->lock);
    b->in_flight--;
    pthread_cond_signal(&b->room);
    pthread_mutex_unlock(&b->lock);
}

/* In ms. */
static double quantile(const uint64_t *buckets, double q) {
    uint64_t n = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        n += buckets[i];
    for (int i = 0; i < BUCKETS; i++)
        if ((double)(seen += buckets[i]) >= q * (double)n)
            return (i + 1) / 10.0;
    return 0;
}

static void pace(struct stream *b, int64_t begin_ns, int64_t i, double rate) {
    int64_t due = begin_ns + (int64_t)((double)i / rate * 1e9), now = b->clock.steady_ns();
    if (due > now)
        nanosleep(&(struct timespec){(due - now) / 1000000000, (due - now) % 1000000000}, NULL);
}

static void produce(struct stream *b, struct lead *lead, int64_t n, double rate) {
    int64_t begin = b->clock.steady_ns();
    for (int64_t i = 0; i < n; i++) {
        if (rate > 0)
            pace(b, begin, i, rate);
        pthread_mutex_lock(&b->lock);
        while (b->in_flight >= WINDOW)
            pthread_cond_wait(&b->room, &b->lock);
        b->in_flight++;
        pthread_mutex_unlock(&b->lock);
        lead[i] = (struct lead){{.kind = &kinds[0], .done = on_done, .byte = BODY}, b, i, b->clock.steady_ns(), 0};
        while (writer_submit(b->writer, &lead[i].write) != OK)
            ;
    }
    pthread_mutex_lock(&b->lock);
    while (b->in_flight > 0)
        pthread_cond_wait(&b->room, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static double cpu_second(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static err make_tables(const char *url) {
    struct arena *a = arena_new((size_t)1 << 30);
    struct db_config c = {.url = url, .catalogue = &bench_catalogue};
    struct db *db = NULL;
    struct migrate_report report;
    err rc = db_open(a, &c, &db);
    if (rc == OK)
        rc = store_migrate(db, &report);
    arena_free(a);
    return rc;
}

static str noise(struct arena *a, size_t n) {
    char *text = arena_alloc(a, n);
    uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        text[i] = (char)x;
    }
    return (str){text, n};
}

int main(int argc, char **argv) {
    int64_t n = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000;
    if (argc < 2 || n <= 0 || make_tables(argv[1]) != OK) {
        fprintf(stderr, "usage: store_writer URL [LEADS [THREADS [arrays|single [CHECKPOINT_MB [RATE]]]]]\n%s\n",
                err_text());
        return 1;
    }
    struct arena *a = arena_new((size_t)4 << 30);
    struct stream b = {.clock = clock_system(),
                       .single = argc > 4 && strcmp(argv[4], "single") == 0,
                       .body = noise(a, BODY),
                       .result = noise(a, RESULT)};
    pthread_mutex_init(&b.lock, NULL);
    pthread_cond_init(&b.room, NULL);
    const struct write_kind *order[3] = {&kinds[0], &kinds[1], &kinds[2]};
    for (int i = 0; i < 3; i++)
        kinds[i].ctx = &b;
    struct writer_config c = {.db = {.url = argv[1], .catalogue = &bench_catalogue},
                              .kind = order,
                              .n_kind = 3,
                              .threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1,
                              .checkpoint_byte = argc > 5 ? strtoull(argv[5], NULL, 10) << 20 : 0};
    if (writer_new(a, &c, &b.writer) != OK) {
        fprintf(stderr, "%s\n", err_text());
        return 1;
    }
    struct lead *lead = ARENA_ARRAY(a, (size_t)n, struct lead);
    double cpu = cpu_second();
    int64_t begin = b.clock.steady_ns();
    produce(&b, lead, n, argc > 6 ? strtod(argv[6], NULL) : 0);
    double took = clock_second_since(&b.clock, begin);
    cpu = cpu_second() - cpu;
    struct writer_stats s;
    writer_stats(b.writer, &s);
    printf("{\"leads\":%lld,\"failed\":%d,\"leads_per_s\":%.0f,\"rows_per_s\":%.0f,\"cpu_us_per_lead\":%.1f,\"cpu_us_per_"
           "row\":%.2f,"
           "\"commits\":%llu,\"commands_per_commit\":%.0f,\"commit_ms\":%.2f,\"accept_ms\":{\"p50\":%.1f,\"p99\":%.1f},"
           "\"end_ms\":{\"p50\":%.1f,\"p99\":%.1f},\"checkpoints\":%llu,\"checkpoint_max_ms\":%.0f}\n",
           (long long)n, atomic_load(&b.failed), (double)n / took, (double)n * ROWS_A_LEAD / took, cpu * 1e6 / (double)n,
           cpu * 1e6 / (double)n / ROWS_A_LEAD, (unsigned long long)s.commits, (double)s.commands / (double)s.commits,
           (double)s.commit_ns / 1e6 / (double)s.commits, quantile(b.accept, 0.5), quantile(b.accept, 0.99),
           quantile(b.end, 0.5), quantile(b.end, 0.99), (unsigned long long)s.checkpoints,
           (double)s.checkpoint_max_ns / 1e6);
    arena_free(a);
    return 0;
}
