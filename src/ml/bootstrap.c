/* bootstrap.c — intervals of the figures, and of the difference of two models, by resampling rows. */
#include "ml/metrics_priv.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *x, const void *y) {
    const double *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

void metrics_sort(double *values, size_t n) { qsort(values, n, sizeof *values, ascending); }

double metrics_quantile(const double *sorted, size_t n, double q) {
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* The sort and one pass cost about the same for 3e7 row visits as a second of a slow core. */
static unsigned affordable_resamples(const struct metrics_opts *o, size_t n, unsigned otherwise) {
    unsigned wanted = o && o->resamples ? o->resamples : otherwise;
    double limit = fmax(40, 3e7 / (double)n);
    return wanted > limit ? (unsigned)limit : wanted;
}

static size_t draw_row(struct rng *rng, size_t n) { return (size_t)(rng_uniform(rng) * (double)n); }

/* ---- intervals from resampled values ---- */

static size_t drop_undefined(double *values, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    return kept;
}

static double mean_of(const double *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

static double deviation_of(const double *values, size_t n, double mean) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
}

/* The 95 % interval of `value` from its resamples, which get sorted; under 200 of them the tails are not resolved, so that
 * the normal form is the better one. NaN when nothing is defined. */
static struct estimate interval(double value, double *resampled, size_t n) {
    size_t kept = drop_undefined(resampled, n);
    if (kept == 0 || !isfinite(value))
        return (struct estimate){value, NAN, NAN};
    if (kept < 200) {
        double half = 1.959963984540054 * deviation_of(resampled, kept, mean_of(resampled, kept));
        return (struct estimate){value, value - half, value + half};
    }
    metrics_sort(resampled, kept);
    return (struct estimate){value, metrics_quantile(resampled, kept, 0.025), metrics_quantile(resampled, kept, 0.975)};
}

static void centre_on(double value, double *resampled, size_t n) {
    double shift = value - mean_of(resampled, n);
    for (size_t i = 0; i < n; i++)
        resampled[i] += shift;
}

/* The largest value a figure can have. */
static double ceiling_of(enum metric m) { return m == METRIC_LOG_LOSS || m == METRIC_LIFT_AT_10 ? INFINITY : 1; }

/* ---- one model ---- */

/* The slot of each row in ascending order of probability: draws near one another in rank are near one another in memory,
 * and the intervals do not depend on the order of rows. */
static uint32_t *slots_by_rank(struct arena *a, const struct ranking *r) {
    uint32_t *slot = ARENA_ARRAY(a, r->n, uint32_t);
    size_t at = 0;
    for (uint32_t s = 0; s < 2 * r->n_group; s++)
        for (uint32_t k = 0; k < r->count[s]; k++)
            slot[at++] = s;
    return slot;
}

/* Rows that one part of the draw jumps about in: their slots and counts fit a core's cache. */
enum { BLOCK_ROW = 8192 };

/* Draws n of n rows with replacement: first how many fall in each block of ranks, then which ones. `in_block` has room for a
 * number each block. Returns how many are positive. */
static size_t draw_resample(const uint32_t *slot, size_t n, struct rng *rng, uint32_t *in_block, uint32_t *count) {
    size_t blocks = (n + BLOCK_ROW - 1) / BLOCK_ROW, positives = 0;
    memset(in_block, 0, blocks * sizeof *in_block);
    if (blocks == 1)
        in_block[0] = (uint32_t)n;
    else
        for (size_t k = 0; k < n; k++)
            in_block[draw_row(rng, n) / BLOCK_ROW]++;
    for (size_t b = 0; b < blocks; b++) {
        size_t first = b * BLOCK_ROW, rows = n - first < BLOCK_ROW ? n - first : BLOCK_ROW;
        for (uint32_t k = 0; k < in_block[b]; k++) {
            uint32_t s = slot[first + draw_row(rng, rows)];
            count[s]++;
            positives += s & 1;
        }
    }
    return positives;
}

/* resampled[m * n_draw + i]: figure m of resample i. */
static void resample_all(struct arena *a, const struct ranking *r, struct rng rng, size_t n_draw, double *resampled) {
    const double *slot_loss = metrics_slot_loss(a, r);
    const uint32_t *slot = slots_by_rank(a, r);
    uint32_t *count = ARENA_ARRAY(a, 2 * r->n_group, uint32_t), *in_block = ARENA_ARRAY(a, r->n / BLOCK_ROW + 1, uint32_t);
    for (size_t i = 0; i < n_draw; i++) {
        memset(count, 0, 2 * r->n_group * sizeof *count);
        double value[METRIC_COUNT];
        size_t positives = draw_resample(slot, r->n, &rng, in_block, count);
        metrics_pass(r, slot_loss, count, r->n, positives, value);
        for (size_t m = 0; m < METRIC_COUNT; m++)
            resampled[m * n_draw + i] = value[m];
    }
}

static void add_intervals(struct arena *a, const struct ranking *r, struct rng rng, struct metrics *out) {
    size_t n_draw = out->resamples;
    double *resampled = ARENA_ARRAY(a, METRIC_COUNT * n_draw, double);
    resample_all(a, r, rng, n_draw, resampled);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        struct estimate *e = &out->of[m];
        if (m == METRIC_ECE_FLOOR_P95)
            continue;
        if (m == METRIC_ECE)
            centre_on(e->value, resampled + m * n_draw, n_draw);
        *e = interval(e->value, resampled + m * n_draw, n_draw);
        if (isfinite(e->low)) {
            e->low = fmax(0, e->low);
            e->high = fmin(ceiling_of((enum metric)m), e->high);
        }
    }
}

static double entropy_of_share(double p) { return p <= 0 || p >= 1 ? 0 : -p * log(p) - (1 - p) * log1p(-p); }

void metrics_of_ranking(struct arena *a, const struct ranking *r, const struct metrics_opts *opts, struct metrics *out) {
    assert(r->n > 0);
    struct arena_mark mark = arena_mark(a);
    struct rng root = rng_from_seed(opts ? opts->seed : 0), for_rows = rng_fork(&root, 1), for_floor = rng_fork(&root, 2);
    double value[METRIC_COUNT], n = (double)r->n, sum = 0;
    for (size_t g = 0; g < r->n_group; g++)
        sum += ranking_rows(r, g) * r->p[g];
    *out = (struct metrics){.n = r->n, .n_positive = r->n_positive, .resamples = affordable_resamples(opts, r->n, 300)};
    out->base_rate = (double)r->n_positive / n;
    out->mean_prediction = sum / n;
    out->base_log_loss = entropy_of_share(out->base_rate);
    out->entropy = metrics_entropy(r);
    metrics_values(a, r, value);
    for (size_t m = 0; m < METRIC_COUNT; m++)
        out->of[m].value = value[m];
    metrics_ece_floor(a, r, rng_next(&for_floor), opts ? opts->floor_draws : 0, &out->floor);
    out->of[METRIC_ECE_FLOOR_P95] = out->floor.p95;
    add_intervals(a, r, for_rows, out);
    arena_rewind(a, mark);
}

void metrics_compute(struct arena *a, const double *p, const double *y, size_t n, const struct metrics_opts *opts,
                     struct metrics *out) {
    struct arena_mark mark = arena_mark(a);
    metrics_of_ranking(a, ranking_new(a, p, y, n), opts, out);
    arena_rewind(a, mark);
}

/* ---- two models on the same rows ---- */

enum { DIFF_AUC, DIFF_LOG_LOSS, DIFF_BRIER, DIFF_COUNT };

struct pair {
    const struct ranking *first, *second;
    double *loss, *square; /* n: first minus second, row by row */
};

static double auc_of_counts(const struct ranking *r, const uint32_t *count, double positives, double negatives) {
    double pairs = 0, below = 0;
    for (size_t g = 0; g < r->n_group; g++) {
        pairs += count[2 * g + 1] * (below + 0.5 * count[2 * g]);
        below += count[2 * g];
    }
    return pairs / (positives * negatives);
}

static void row_differences(struct arena *a, struct pair *pair) {
    const struct ranking *f = pair->first, *s = pair->second;
    const double *loss_f = metrics_slot_loss(a, f), *loss_s = metrics_slot_loss(a, s);
    for (size_t i = 0; i < f->n; i++) {
        double y = f->slot[i] & 1, ef = y - f->p[f->slot[i] / 2], es = y - s->p[s->slot[i] / 2];
        pair->loss[i] = loss_f[f->slot[i]] - loss_s[s->slot[i]];
        pair->square[i] = ef * ef - es * es;
    }
}

/* One resample: how often row i is in it goes to the slots of both rankings. */
static void resample_pair(const struct pair *pair, struct rng *rng, uint32_t *count_f, uint32_t *count_s, double *value) {
    const struct ranking *f = pair->first, *s = pair->second;
    double loss = 0, square = 0, n = (double)f->n;
    size_t positives = 0;
    memset(count_f, 0, 2 * f->n_group * sizeof *count_f);
    memset(count_s, 0, 2 * s->n_group * sizeof *count_s);
    for (size_t k = 0; k < f->n; k++) {
        size_t i = draw_row(rng, f->n);
        count_f[f->slot[i]]++;
        count_s[s->slot[i]]++;
        positives += f->slot[i] & 1;
        loss += pair->loss[i];
        square += pair->square[i];
    }
    double pos = (double)positives, neg = n - pos;
    value[DIFF_AUC] = auc_of_counts(f, count_f, pos, neg) - auc_of_counts(s, count_s, pos, neg);
    value[DIFF_LOG_LOSS] = loss / n;
    value[DIFF_BRIER] = square / n;
}

/* Two-sided: twice the share of resamples on the far side of zero, the estimate itself counted; for few resamples, normal.
 */
static struct difference judge(double value, double *resampled, size_t n) {
    size_t kept = drop_undefined(resampled, n), above = 0, below = 0;
    for (size_t i = 0; i < kept; i++) {
        above += resampled[i] >= 0;
        below += resampled[i] <= 0;
    }
    size_t far = above < below ? above : below;
    double p = fmin(1, 2 * (double)(far + 1) / (double)(kept + 1));
    if (kept < 200) {
        double sd = deviation_of(resampled, kept, mean_of(resampled, kept));
        p = sd > 0 ? erfc(fabs(value) / sd / sqrt(2)) : 1;
    }
    struct estimate e = interval(value, resampled, kept);
    return (struct difference){e.value, e.low, e.high, isfinite(value) ? p : NAN};
}

void metrics_compare(struct arena *a, const double *first, const double *second, const double *y, size_t n,
                     const struct metrics_opts *opts, struct comparison *out) {
    assert(n > 0);
    struct arena_mark mark = arena_mark(a);
    struct pair pair = {.first = ranking_new(a, first, y, n), .second = ranking_new(a, second, y, n)};
    pair.loss = ARENA_ARRAY(a, n, double);
    pair.square = ARENA_ARRAY(a, n, double);
    row_differences(a, &pair);
    size_t n_draw = affordable_resamples(opts, n, 1000);
    double *resampled = ARENA_ARRAY(a, DIFF_COUNT * n_draw, double), value[DIFF_COUNT];
    uint32_t *count_f = ARENA_ARRAY(a, 2 * pair.first->n_group, uint32_t);
    uint32_t *count_s = ARENA_ARRAY(a, 2 * pair.second->n_group, uint32_t);
    struct rng root = rng_from_seed(opts ? opts->seed : 0), rng = rng_fork(&root, 3);
    for (size_t i = 0; i < n_draw; i++) {
        resample_pair(&pair, &rng, count_f, count_s, value);
        for (size_t d = 0; d < DIFF_COUNT; d++)
            resampled[d * n_draw + i] = value[d];
    }
    double positives = (double)pair.first->n_positive, negatives = (double)n - positives;
    out->auc = judge(auc_of_counts(pair.first, pair.first->count, positives, negatives) -
                         auc_of_counts(pair.second, pair.second->count, positives, negatives),
                     resampled, n_draw);
    out->log_loss = judge(mean_of(pair.loss, n), resampled + DIFF_LOG_LOSS * n_draw, n_draw);
    out->brier = judge(mean_of(pair.square, n), resampled + DIFF_BRIER * n_draw, n_draw);
    out->resamples = (unsigned)n_draw;
    arena_rewind(a, mark);
}
