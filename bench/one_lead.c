/* one_lead.c — how long one lead takes through a loaded model: encode its cells, score with interval, explain, three
 * reasons.
 *
 *   one_lead MODEL TABLE.csv [ROUNDS]
 *
 * The leads are rows of cells in memory, each scored by itself, as a service would. Prints one JSON object with the median
 * and the 99th percentile of the thread's CPU time in microseconds, and of the time on the clock, which other work on the
 * machine makes longer. */
#include "explain/reason.h"
#include "intake/table.h"
#include "learn/predict.h"
#include "score/scorer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_LEADS = 20000, REASONS = 3 };

struct bench {
    struct arena *a, *scratch;
    const struct bundle *bundle;
    struct vectoriser *vectoriser;
    struct vector *vector;
    struct table_row *lead;
    size_t n_lead;
    struct buf *text;
};

static double us_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static err load(struct bench *b, const char *model, const char *path) {
    struct bundle *bundle;
    struct table *t;
    size_t n_column;
    TRY(bundle_load(b->a, model, &bundle));
    TRY(table_open(b->a, &(struct table_options){.path = path}, &t));
    const str *column = table_columns(t, &n_column);
    TRY(predict_bind(b->a, bundle, str_from(path), column, n_column, &b->vectoriser));
    b->lead = ARENA_ARRAY(b->a, MAX_LEADS, struct table_row);
    for (size_t n = 1; n > 0;) {
        struct table_row *rows;
        TRY(table_read(t, b->a, 1024, &rows, &n));
        for (size_t i = 0; i < n && b->n_lead < MAX_LEADS; i++)
            if (rows[i].status == OK)
                b->lead[b->n_lead++] = rows[i];
    }
    b->bundle = bundle;
    b->vector = vector_new(b->a, b->vectoriser);
    b->text = buf_in(b->a, 1 << 16);
    return b->n_lead > 0 ? OK : fail(ERR_INPUT, "no_rows", "%s has no leads", path);
}

static void write_reasons(struct bench *b, const double *share, const struct extra_term *extra) {
    const size_t n_field = b->bundle->schema->n_field;
    const struct reason_input in = {.schema = b->bundle->schema,
                                    .value = b->vector->encoded->value,
                                    .extra = extra,
                                    .n_extra = b->bundle->n_term - n_field,
                                    .share = share,
                                    .base_rate = b->bundle->base_rate};
    uint32_t rank[REASONS];
    size_t n = reason_rank(share, b->bundle->n_term, REASONS, rank);
    buf_clear(b->text);
    for (size_t k = 0; k < n; k++)
        reason_write(b->text, &in, rank[k]);
}

/* Everything that a caller waits for. */
static double score_lead(struct bench *b, const str *cell) {
    const struct bundle *m = b->bundle;
    struct arena_mark mark = arena_mark(b->scratch);
    struct score s;
    double *share = ARENA_ARRAY(b->scratch, m->n_term, double);
    struct extra_term *extra = ARENA_ARRAY(b->scratch, m->n_term - m->schema->n_field, struct extra_term);
    vectorise_row(b->vectoriser, cell, 0, b->vector);
    scorer_score(m, &b->vector->row, 1, b->vector->missing, 0.95, b->scratch, &s);
    scorer_explain(m, &b->vector->row, 1, b->scratch, share);
    for (size_t k = 0; m->profile && k < m->n_term - m->schema->n_field; k++)
        extra[k] = (struct extra_term){.title = bundle_term_title(m, m->schema->n_field + k),
                                       .value = b->vector->subscores ? b->vector->subscores->section[k].score : 0};
    write_reasons(b, share, extra);
    arena_rewind(b->scratch, mark);
    return s.high - s.low;
}

static int by_size(const void *x, const void *y) {
    const double *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

static void print(const char *name, double *us, size_t n, const char *end) {
    qsort(us, n, sizeof *us, by_size);
    printf("\"%s_median_us\": %.1f, \"%s_p99_us\": %.1f%s", name, us[n / 2], name, us[n * 99 / 100], end);
}

static err measure(struct bench *b, size_t rounds) {
    const size_t n = rounds * b->n_lead;
    double *cpu = ARENA_ARRAY(b->a, n, double), *wall = ARENA_ARRAY(b->a, n, double), width = 0;
    for (size_t k = 0; k < n; k++) {
        const double from = us_of(CLOCK_MONOTONIC), cpu_from = us_of(CLOCK_THREAD_CPUTIME_ID);
        width += score_lead(b, b->lead[k % b->n_lead].cell);
        cpu[k] = us_of(CLOCK_THREAD_CPUTIME_ID) - cpu_from;
        wall[k] = us_of(CLOCK_MONOTONIC) - from;
    }
    printf("{\"leads\": %zu, \"mean_width\": %.4f, ", n, width / (double)n);
    print("cpu", cpu, n, ", ");
    print("wall", wall, n, "}\n");
    return OK;
}

int main(int n, char **arg) {
    if (n < 3) {
        fprintf(stderr, "usage: one_lead MODEL TABLE [ROUNDS]\n");
        return 1;
    }
    struct bench b = {.a = arena_new((size_t)4 << 30), .scratch = arena_new((size_t)256 << 20)};
    err rc = load(&b, arg[1], arg[2]);
    if (rc == OK)
        rc = measure(&b, n > 3 ? strtoul(arg[3], NULL, 10) : 3);
    if (rc != OK)
        fprintf(stderr, "one_lead: %s\n", err_text());
    arena_free(b.scratch);
    arena_free(b.a);
    return err_exit_code(rc);
}
