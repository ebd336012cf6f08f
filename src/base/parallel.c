/* parallel.c — threads that take parts from one counter. */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_THREADS = 64, SENTENCE_BYTE = 1024 };

struct pool {
    parallel_fn *fn;
    void *ctx;
    size_t n, scratch_byte;
    atomic_size_t next;
    atomic_bool stop;
    pthread_mutex_t lock; /* guards what follows */
    size_t failed_part;
    err code;
    const char *slug;
    char sentence[SENTENCE_BYTE];
};

struct part {
    struct pool *pool;
    size_t i;
    struct arena *scratch;
};

unsigned parallel_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

static void note_failure(struct pool *p, size_t i, err code) {
    atomic_store(&p->stop, true);
    pthread_mutex_lock(&p->lock);
    if (p->code == OK || i < p->failed_part) {
        p->code = code;
        p->failed_part = i;
        p->slug = err_slug();
        snprintf(p->sentence, sizeof p->sentence, "%s", err_text());
    }
    pthread_mutex_unlock(&p->lock);
}

static err run_part(void *ctx) {
    struct part *part = ctx;
    return part->pool->fn(part->pool->ctx, part->i, part->scratch);
}

static void *take_parts(void *ctx) {
    struct pool *p = ctx;
    struct arena *scratch = arena_new(p->scratch_byte);
    if (!scratch) {
        note_failure(p, 0, fail(ERR_LIMIT, "memory_limit", "no memory for a worker thread"));
        return NULL;
    }
    for (size_t i; !atomic_load(&p->stop) && (i = atomic_fetch_add(&p->next, 1)) < p->n;) {
        struct part part = {.pool = p, .i = i, .scratch = scratch};
        err rc = arena_run(scratch, run_part, &part);
        if (rc != OK)
            note_failure(p, i, rc);
        arena_reset(scratch);
    }
    arena_free(scratch);
    return NULL;
}

err parallel_for(size_t n, unsigned threads, size_t scratch_byte, parallel_fn *fn, void *ctx) {
    struct pool p = {.fn = fn, .ctx = ctx, .n = n, .scratch_byte = scratch_byte, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (threads == 0)
        threads = parallel_cores();
    if (threads > n)
        threads = (unsigned)n;
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    pthread_t ids[MAX_THREADS];
    unsigned started = 0;
    while (started + 1 < threads && pthread_create(&ids[started], NULL, take_parts, &p) == 0)
        started++;
    take_parts(&p); /* this thread works too, so that a refused pthread_create only costs time */
    for (unsigned t = 0; t < started; t++)
        pthread_join(ids[t], NULL);
    pthread_mutex_destroy(&p.lock);
    return p.code == OK ? OK : fail(p.code, p.slug, "%s", p.sentence);
}
