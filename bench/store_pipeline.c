/* store_pipeline.c — leads through the store without HTTP: accepted born leased, finished with a score and a delivery.
 *
 * store_pipeline URL [LEADS [SUBMITTERS]]: one JSON line. URL: sqlite:PATH or postgresql://…; the tables must be empty. */
#include "base/file.h"
#include "query.h"
#include "store/migrate.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BODY_BYTE = 2048, SLOTS = 3000, SNAPSHOT_BYTE = 700 };

struct slot {
    struct accept accept; /* first: its write is the slot's */
    struct finish finish;
    struct accepted lead;
    struct new_lead in;
    struct run run;
    struct arena *arena;
    struct submitter *owner;
    struct slot *next;
    char external[32];
    char body[BODY_BYTE + 1];
    bool accepted;
};

/* One thread that seals and submits. */
struct submitter {
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct slot *idle, *to_finish;
    size_t n, done;
    struct store *store;
    struct sealer *sealer;
    unsigned number;
    pthread_t id;
};

static _Atomic int64_t writer_cpu_ns;
static _Atomic size_t failures;

static int64_t cpu_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void give(struct slot *s, bool finished, err rc) {
    struct submitter *o = s->owner;
    if (rc != OK) {
        if (atomic_fetch_add(&failures, 1) == 0)
            fprintf(stderr, "failed: %s\n", err_text());
        finished = true;
    }
    atomic_store(&writer_cpu_ns, cpu_ns(CLOCK_THREAD_CPUTIME_ID));
    pthread_mutex_lock(&o->lock);
    s->next = finished ? o->idle : o->to_finish;
    *(finished ? &o->idle : &o->to_finish) = s;
    o->done += finished;
    pthread_cond_signal(&o->some);
    pthread_mutex_unlock(&o->lock);
}

static void accept_done(struct write *w, err rc) { give((struct slot *)w, false, rc); }
static void finish_done(struct write *w, err rc) {
    give((struct slot *)((char *)w - offsetof(struct slot, finish)), true, rc);
}

/* About the entropy of a real form: words and numbers, JSON. */
static void write_body(struct slot *s, unsigned number, size_t i) {
    static const char *const words[] = {"enterprise", "pricing", "integration", "manufacturing", "sales", "warehouse",
                                        "analytics",  "support", "platform",    "logistics",     "cloud", "security"};
    size_t at = (size_t)snprintf(s->body, sizeof s->body,
                                 "{\"email\":\"person.%u.%zu@company-%zu.example\",\"company\":{\"name\":\"Company %zu\","
                                 "\"employees\":%zu},\"note\":\"",
                                 number, i, i % 5000, i % 5000, i * 7 % 9000);
    uint64_t x = i * 2654435761u + number;
    while (at + 24 < BODY_BYTE) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        at +=
            (size_t)snprintf(s->body + at, sizeof s->body - at, "%s %u ", words[(x >> 33) % 12], (unsigned)(x >> 40) % 1000);
    }
    snprintf(s->body + at, sizeof s->body - at, "\"}");
}

static err submit_accept(struct submitter *o, struct slot *s, size_t i) {
    arena_reset(s->arena);
    write_body(s, o->number, i);
    snprintf(s->external, sizeof s->external, "%u-%zu", o->number, i);
    s->in = (struct new_lead){.source = STR("api"),
                              .external = str_from(s->external),
                              .body = str_from(s->body),
                              .email = str_format(s->arena, "person.%u.%zu@company-%zu.example", o->number, i, i % 5000),
                              .domain = str_format(s->arena, "company-%zu.example", i % 5000),
                              .priority = RUN_NORMAL,
                              .lease = true};
    s->lead = (struct accepted){.in = &s->in};
    s->accept = (struct accept){.write.done = accept_done,
                                .tenant = STR("bench"),
                                .cause = STR("accepted"),
                                .actor = STR("key:bench"),
                                .pins = STR("{\"model\":\"0123456789abcdef\",\"profile\":\"0123456789abcdef\"}"),
                                .lead = &s->lead,
                                .n = 1,
                                .arena = s->arena};
    return store_accept(o->store, o->sealer, &s->accept);
}

static err submit_finish(struct submitter *o, struct slot *s) {
    s->run = (struct run){.outcome = RUN_SCORED, .tier = TIER_WARM, .score = {0.25, 0.125, 0.5, 0, 0}};
    static const enum lead_state path[] = {LEAD_INGESTED, LEAD_PENDING_ENRICHMENT, LEAD_PENDING_SCORING, LEAD_SCORED,
                                           LEAD_NURTURING};
    memcpy(s->run.path.state, path, sizeof path);
    s->run.path.n = 5;
    s->run.n_delivery = 1;
    s->run.delivery[0].target = STR("crm");
    s->finish = (struct finish){.write.done = finish_done,
                                .lease = {STR("bench"), {s->lead.id, RUN_ID_BYTE}, 1, 1, s->lead.key},
                                .run = &s->run,
                                .attempt = 1,
                                .scored_ms = clock_system().wall_ms(),
                                .pins = s->accept.pins,
                                .cause = s->accept.cause,
                                .actor = STR("system"),
                                .timing = STR("{\"validate\":9,\"vectorise\":14,\"score\":6,\"explain\":5,\"route\":1}"),
                                .snapshot = str_slice(str_from(s->body), 100, 100 + SNAPSHOT_BYTE),
                                .arena = s->arena};
    return store_finish(o->store, o->sealer, &s->finish);
}

static struct slot *wait_for(struct submitter *o, size_t begun, bool *finish) {
    pthread_mutex_lock(&o->lock);
    while (!o->to_finish && !(o->idle && begun < o->n) && o->done < o->n)
        pthread_cond_wait(&o->some, &o->lock);
    *finish = o->to_finish != NULL;
    struct slot **list = *finish ? &o->to_finish : &o->idle;
    struct slot *s = *finish || begun < o->n ? *list : NULL;
    if (s)
        *list = s->next;
    pthread_mutex_unlock(&o->lock);
    return s;
}

static err drive(void *ctx) {
    struct submitter *o = ctx;
    struct slot *s = NULL;
    bool finish = false;
    for (size_t begun = 0; (s = wait_for(o, begun, &finish));) {
        err rc = finish ? submit_finish(o, s) : submit_accept(o, s, begun++);
        while (rc == ERR_LIMIT) {
            usleep(1000);
            rc = finish ? store_finish(o->store, o->sealer, &s->finish) : store_accept(o->store, o->sealer, &s->accept);
        }
        if (rc != OK)
            return rc;
    }
    return OK;
}

static void *submit_all(void *ctx) {
    if (drive(ctx) != OK) {
        fprintf(stderr, "store_pipeline: %s\n", err_text());
        exit(2);
    }
    return NULL;
}

/* Bytes that this process has handed to the system for writing. */
static double written_byte(void) {
    char text[512] = "";
    FILE *f = fopen("/proc/self/io", "r");
    if (!f)
        return 0;
    const size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    const char *at = strstr(text, "wchar: ");
    return at ? strtod(at + 7, NULL) : 0;
}

struct bench {
    const char *url;
    size_t leads;
    unsigned submitters;
    struct arena *a;
};

static err open_store(struct bench *b, struct vault *v, struct store **out) {
    const struct db_config d = {.url = b->url, .catalogue = &store_catalogue};
    struct db *db = NULL;
    struct migrate_report report;
    TRY(db_open(b->a, &d, &db));
    TRY(store_migrate(db, &report));
    db_close(db);
    const struct store_config c = {.url = str_from(b->url), .clock = clock_system(), .vault = v};
    TRY(store_open(b->a, &c, out));
    return store_tenant_ensure(*out, STR("bench"));
}

static void start(struct submitter *o, struct bench *b, struct store *s, struct vault *v, unsigned number) {
    *o = (struct submitter){.n = b->leads / b->submitters, .store = s, .number = number};
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->some, NULL);
    if (sealer_new(v, &o->sealer) != OK)
        exit(2);
    for (unsigned i = 0; i < SLOTS / b->submitters; i++) {
        struct slot *slot = calloc(1, sizeof *slot);
        slot->owner = o;
        slot->arena = arena_new(1 << 20);
        slot->next = o->idle;
        o->idle = slot;
    }
    pthread_create(&o->id, NULL, submit_all, o);
}

static err bench(void *ctx) {
    struct bench *b = ctx;
    setenv("GALENA_BENCH_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1);
    const struct vault_source source = {.kind = VAULT_ENVIRONMENT, .name = "GALENA_BENCH_KEY"};
    struct vault *v = NULL;
    struct store *s = NULL;
    TRY(vault_open(&source, 1, &v));
    TRY(open_store(b, v, &s));
    struct submitter *o = ARENA_ARRAY(b->a, b->submitters, struct submitter);
    const struct clock clock = clock_system();
    const int64_t begin = clock.steady_ns(), cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    const double written = written_byte();
    for (unsigned i = 0; i < b->submitters; i++)
        start(&o[i], b, s, v, i);
    for (unsigned i = 0; i < b->submitters; i++)
        pthread_join(o[i].id, NULL);
    const double second = clock_second_since(&clock, begin), n = (double)(b->leads / b->submitters * b->submitters);
    const double cpu_us = (double)(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e3;
    struct writer_stats stats;
    store_stats(s, &stats);
    printf("{\"leads\":%.0f,\"failed\":%zu,\"leads_per_s\":%.0f,\"writer_cpu_us_per_lead\":%.1f,\"cpu_us_per_lead\":%.1f,"
           "\"commits\":%llu,\"commands_per_commit\":%.0f,\"written_byte_per_lead\":%.0f,\"checkpoints\":%llu}\n",
           n, atomic_load(&failures), n / second, (double)atomic_load(&writer_cpu_ns) / 1e3 / n, cpu_us / n,
           (unsigned long long)stats.commits, (double)stats.commands / (double)stats.commits, (written_byte() - written) / n,
           (unsigned long long)stats.checkpoints);
    store_close(s);
    return OK;
}

int main(int argc, char **argv) {
    struct bench b = {.url = argc > 1 ? argv[1] : "sqlite:/tmp/galena-store-bench.db",
                      .leads = argc > 2 ? strtoul(argv[2], NULL, 10) : 50000,
                      .submitters = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1,
                      .a = arena_new((size_t)1 << 30)};
    if (arena_run(b.a, bench, &b) != OK) {
        fprintf(stderr, "store_pipeline: %s\n", err_text());
        return 2;
    }
    arena_free(b.a);
    return 0;
}
