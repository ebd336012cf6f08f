/* metrics.h — numbers that the running program counts, and their Prometheus text.
 *
 * A struct metrics is made once and handed to those who count; there is no global registry. Registering is for the start of
 * the program, on one thread; counting is lock-free and may happen anywhere. Names and labels follow Prometheus'
 * conventions: unit in the name ("_seconds", "_bytes"), counters end in "_total". */
#ifndef GALENA_BASE_METRICS_H
#define GALENA_BASE_METRICS_H

#include "base/buf.h"

#include <stdatomic.h>

enum { METRICS_MAX_SERIES = 1024, METRICS_N_BUCKET = 16 };

/* One number that only grows (counter) or that is set (gauge). */
struct metric {
    _Atomic int64_t value;
};

/* Durations, counted in buckets whose upper bounds are metrics_bound_ms. */
struct histogram {
    _Atomic int64_t bucket[METRICS_N_BUCKET + 1]; /* the last: beyond all bounds */
    _Atomic int64_t sum_us;
};

struct metrics;

/* Lives in `a`. */
struct metrics *metrics_new(struct arena *a);

/* Registers a series. `name` is shared by series that differ in `labels` ("stage=\"score\"", or "" for none) and is
 * described once, by the first of them. Strings must outlive the metrics. At most METRICS_MAX_SERIES: more is a bug and
 * asserts. */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *labels);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *labels);
struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *labels);

/* Called before each exposition: sets gauges that are cheaper to look up than to keep. At most 8. */
void metrics_collect_with(struct metrics *m, void (*fn)(void *ctx), void *ctx);

static inline void metric_add(struct metric *x, int64_t n) { atomic_fetch_add_explicit(&x->value, n, memory_order_relaxed); }
static inline void metric_set(struct metric *x, int64_t v) { atomic_store_explicit(&x->value, v, memory_order_relaxed); }
static inline int64_t metric_get(const struct metric *x) {
    return atomic_load_explicit(&((struct metric *)(uintptr_t)x)->value, memory_order_relaxed);
}

/* Counts one duration. */
void histogram_add_us(struct histogram *h, int64_t us);

/* Upper bound of bucket i in microseconds. */
int64_t metrics_bound_us(size_t i);

/* Upper bound of the bucket that holds quantile q of what was counted, in microseconds; 0 when nothing was. */
int64_t histogram_quantile_us(const struct histogram *h, double q);

/* Prometheus text exposition, version 0.0.4. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif
