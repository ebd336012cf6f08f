/* evaluation.c — from predictions and outcomes to the parts of a report. */
#include "learn/evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *x, const void *y) {
    const double *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* Twentieths, tiers and break-even, each once. */
static size_t pick_thresholds(const struct evaluation_opts *o, double at[24]) {
    size_t n = 0, kept = 0;
    for (int i = 1; i < 20; i++)
        at[n++] = i / 20.0;
    const double more[] = {o->hot, o->warm, curves_break_even(&o->costs)};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (more[i] > 0 && more[i] < 1)
            at[n++] = more[i];
    qsort(at, n, sizeof *at, ascending);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || at[i] - at[kept - 1] > 1e-9)
            at[kept++] = at[i];
    return kept;
}

void evaluation_compute(struct arena *a, const double *p, const double *y, size_t n, const struct evaluation_opts *opts,
                        struct evaluation_part *out) {
    const struct ranking *r = ranking_new(a, p, y, n);
    double at[24];
    size_t n_threshold = pick_thresholds(opts, at);
    struct threshold_row *rows = ARENA_ARRAY(a, n_threshold, struct threshold_row);
    for (size_t i = 0; i < n_threshold; i++)
        rows[i] = curves_at_threshold(r, at[i], &opts->costs);
    *out = (struct evaluation_part){
        .threshold = rows, .n_threshold = n_threshold, .cheapest = curves_cheapest(r, &opts->costs)};
    metrics_of_ranking(a, r, &opts->metrics, &out->metrics);
    curves_compute(a, r, &out->metrics.floor, &out->curves);
}

const struct evaluation_part *evaluation_judged(const struct evaluation *e) {
    return e->test ? e->test : e->out_of_fold ? e->out_of_fold : e->train;
}

/* ---- segments ---- */

/* The rows of each level, one level after another: start[l] .. start[l + 1] of `rows`. */
static void sort_rows_by_level(const struct segment_by *by, size_t n, size_t *start, uint32_t *rows) {
    memset(start, 0, (by->n_level + 2) * sizeof *start);
    for (size_t i = 0; i < n; i++)
        if (by->level_of[i] < by->n_level)
            start[by->level_of[i] + 2]++;
    for (size_t l = 1; l < by->n_level + 2; l++)
        start[l] += start[l - 1];
    for (size_t i = 0; i < n; i++)
        if (by->level_of[i] < by->n_level)
            rows[start[by->level_of[i] + 1]++] = (uint32_t)i;
}

static struct evaluation_segment judge_segment(struct arena *a, const double *p, const double *y, const uint32_t *rows,
                                               size_t n) {
    struct arena_mark mark = arena_mark(a);
    double *sp = ARENA_ARRAY(a, n, double), *sy = ARENA_ARRAY(a, n, double), value[METRIC_COUNT], sum = 0;
    for (size_t i = 0; i < n; i++) {
        sp[i] = p[rows[i]];
        sy[i] = y[rows[i]];
        sum += sp[i];
    }
    const struct ranking *r = ranking_new(a, sp, sy, n);
    struct ece_floor floor;
    metrics_values(a, r, value);
    metrics_ece_floor(a, r, n, 200, &floor);
    struct evaluation_segment s = {.rows = n,
                                   .positives = r->n_positive,
                                   .observed = (double)r->n_positive / (double)n,
                                   .mean_prediction = sum / (double)n,
                                   .auc = value[METRIC_AUC],
                                   .ece = value[METRIC_ECE],
                                   .ece_floor = floor.p95.value};
    metrics_wilson((double)s.positives, (double)n, &s.low, &s.high);
    arena_rewind(a, mark);
    return s;
}

static int larger_first(const void *x, const void *y) {
    const struct evaluation_segment *a = x, *b = y;
    return a->rows != b->rows ? (a->rows < b->rows) - (a->rows > b->rows) : str_compare(a->level, b->level);
}

void evaluation_segments(struct arena *a, const double *p, const double *y, size_t n, const struct segment_by *by,
                         size_t n_by, size_t min_row, const struct evaluation_segment **out, size_t *n_out) {
    size_t most = 0, total = 0;
    for (size_t f = 0; f < n_by; f++)
        most += by[f].n_level;
    struct evaluation_segment *segments = ARENA_ARRAY(a, most, struct evaluation_segment);
    for (size_t f = 0; f < n_by; f++) {
        size_t *start = ARENA_ARRAY(a, by[f].n_level + 2, size_t), first = total;
        uint32_t *rows = ARENA_ARRAY(a, n, uint32_t);
        sort_rows_by_level(&by[f], n, start, rows);
        for (size_t l = 0; l < by[f].n_level; l++) {
            size_t size = start[l + 1] - start[l];
            if (size == 0 || size < min_row)
                continue;
            segments[total] = judge_segment(a, p, y, rows + start[l], size);
            segments[total].field = by[f].field;
            segments[total++].level = by[f].level[l];
        }
        qsort(segments + first, total - first, sizeof *segments, larger_first);
    }
    *out = segments;
    *n_out = total;
}

/* Squares are part of their field and have no term of their own to show. */
static bool is_looked_at(const struct bundle *b, size_t term) {
    const size_t n_field = b->schema->n_field, first = bundle_first_interaction(b);
    if (term >= first)
        return b->schema->interaction[term - first].first != b->schema->interaction[term - first].second;
    return term < n_field ? field_is_used(&b->schema->field[term]) : b->profile->section[term - n_field].present;
}

void evaluation_list_features(struct arena *a, const struct bundle *b, struct evaluation *e) {
    struct evaluation_feature *feature = ARENA_ARRAY(a, b->n_term, struct evaluation_feature);
    e->n_feature = 0;
    for (size_t t = 0; t < b->n_term; t++)
        if (is_looked_at(b, t))
            feature[e->n_feature++] = (struct evaluation_feature){
                .name = bundle_term_title(b, t), .group = bundle_term_group(b, t), .importance = b->importance[t]};
    e->feature = feature;
}
