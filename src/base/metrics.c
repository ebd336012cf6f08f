/* metrics.c — the registered series, and how they are written. */
#include "base/metrics.h"

#include <assert.h>

enum { MAX_COLLECTORS = 8 };

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct series {
    enum kind kind;
    const char *name, *help, *labels;
    union {
        struct metric *metric;
        struct histogram *histogram;
    };
};

struct metrics {
    struct arena *arena;
    struct series series[METRICS_MAX_SERIES];
    size_t n;
    struct {
        void (*fn)(void *ctx);
        void *ctx;
    } collector[MAX_COLLECTORS];
    size_t n_collector;
};

/* From 100 µs to 60 s: a commit is below the first ones, a day's wait beyond the last. */
static const int64_t bounds_us[METRICS_N_BUCKET] = {100,   250,    500,    1000,    2500,    5000,     10000,    25000,
                                                    50000, 100000, 250000, 1000000, 2500000, 10000000, 30000000, 60000000};

struct metrics *metrics_new(struct arena *a) {
    struct metrics *m = ARENA_NEW(a, struct metrics);
    m->arena = a;
    return m;
}

static struct series *add(struct metrics *m, enum kind kind, const char *name, const char *help, const char *labels) {
    assert(m->n < METRICS_MAX_SERIES);
    struct series *s = &m->series[m->n++];
    *s = (struct series){.kind = kind, .name = name, .help = help, .labels = labels};
    return s;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *labels) {
    return add(m, COUNTER, name, help, labels)->metric = ARENA_NEW(m->arena, struct metric);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *labels) {
    return add(m, GAUGE, name, help, labels)->metric = ARENA_NEW(m->arena, struct metric);
}

struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *labels) {
    return add(m, HISTOGRAM, name, help, labels)->histogram = ARENA_NEW(m->arena, struct histogram);
}

void metrics_collect_with(struct metrics *m, void (*fn)(void *ctx), void *ctx) {
    assert(m->n_collector < MAX_COLLECTORS);
    m->collector[m->n_collector].fn = fn;
    m->collector[m->n_collector++].ctx = ctx;
}

int64_t metrics_bound_us(size_t i) { return bounds_us[i]; }

void histogram_add_us(struct histogram *h, int64_t us) {
    size_t i = 0;
    while (i < METRICS_N_BUCKET && us > bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

static int64_t bucket_get(const struct histogram *h, size_t i) {
    return atomic_load_explicit(&((struct histogram *)(uintptr_t)h)->bucket[i], memory_order_relaxed);
}

int64_t histogram_quantile_us(const struct histogram *h, double q) {
    int64_t n = 0, seen = 0;
    for (size_t i = 0; i <= METRICS_N_BUCKET; i++)
        n += bucket_get(h, i);
    if (n == 0)
        return 0;
    for (size_t i = 0; i < METRICS_N_BUCKET; i++) {
        seen += bucket_get(h, i);
        if ((double)seen >= q * (double)n)
            return bounds_us[i];
    }
    return bounds_us[METRICS_N_BUCKET - 1];
}

/* ---- writing ---- */

static void write_number(struct buf *out, const struct series *s) {
    buf_add_format(out, *s->labels ? "%s{%s} %lld\n" : "%s%s %lld\n", s->name, s->labels, (long long)metric_get(s->metric));
}

static void write_histogram(struct buf *out, const struct series *s) {
    const char *comma = *s->labels ? "," : "";
    int64_t n = 0;
    for (size_t i = 0; i < METRICS_N_BUCKET; i++) {
        n += bucket_get(s->histogram, i);
        buf_add_format(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", s->name, s->labels, comma, (double)bounds_us[i] / 1e6,
                       (long long)n);
    }
    n += bucket_get(s->histogram, METRICS_N_BUCKET);
    const char *open = *s->labels ? "{" : "", *close = *s->labels ? "}" : "";
    double sum = (double)atomic_load_explicit(&s->histogram->sum_us, memory_order_relaxed) / 1e6;
    buf_add_format(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", s->name, s->labels, comma, (long long)n);
    buf_add_format(out, "%s_sum%s%s%s %.6f\n", s->name, open, s->labels, close, sum);
    buf_add_format(out, "%s_count%s%s%s %lld\n", s->name, open, s->labels, close, (long long)n);
}

static bool described_before(const struct metrics *m, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (str_equal(str_from(m->series[k].name), str_from(m->series[i].name)))
            return true;
    return false;
}

/* A family: its description, then all its series, as the format asks. */
static void write_family(const struct metrics *m, size_t first, struct buf *out) {
    static const char *const type[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    const struct series *f = &m->series[first];
    buf_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, type[f->kind]);
    for (size_t i = first; i < m->n; i++) {
        const struct series *s = &m->series[i];
        if (!str_equal(str_from(s->name), str_from(f->name)))
            continue;
        if (s->kind == HISTOGRAM)
            write_histogram(out, s);
        else
            write_number(out, s);
    }
}

void metrics_write(const struct metrics *m, struct buf *out) {
    for (size_t i = 0; i < m->n_collector; i++)
        m->collector[i].fn(m->collector[i].ctx);
    for (size_t i = 0; i < m->n; i++)
        if (!described_before(m, i))
            write_family(m, i, out);
}
