/* metrics.c — the figures of one ranking, and the noise floor of its calibration error. */
#include "ml/metrics_priv.h"

#include "base/rng.h"

#include <math.h>
#include <stdbool.h>

static const char *const names[METRIC_COUNT] = {
    [METRIC_AUC] = "auc",
    [METRIC_LOG_LOSS] = "log_loss",
    [METRIC_BRIER] = "brier",
    [METRIC_ECE] = "ece",
    [METRIC_ECE_FLOOR_P95] = "ece_floor_p95",
    [METRIC_PR_AUC] = "pr_auc",
    [METRIC_PRECISION_AT_10] = "precision_at_10",
    [METRIC_LIFT_AT_10] = "lift_at_10",
};

const char *metric_name(enum metric m) { return names[m]; }

size_t metrics_bin_size(size_t n, size_t b) { return n / METRICS_BIN + (b < n % METRICS_BIN); }

/* ---- bins of equal mass ---- */

static void next_open_bin(struct bin_walk *w) {
    while (w->room == 0 && w->bin + 1 < METRICS_BIN)
        w->room = metrics_bin_size(w->n, ++w->bin);
}

void bin_walk_start(struct bin_walk *w, size_t n) {
    *w = (struct bin_walk){.n = n, .room = metrics_bin_size(n, 0)};
    next_open_bin(w);
}

void bin_walk_add(struct bin_walk *w, size_t rows, double excess) {
    while (rows > w->room) {
        double part = excess * (double)w->room / (double)rows;
        w->gap[w->bin] += part;
        excess -= part;
        rows -= w->room;
        w->room = 0;
        next_open_bin(w);
    }
    w->gap[w->bin] += excess;
    w->room -= rows;
    next_open_bin(w);
}

double bin_walk_ece(const struct bin_walk *w) {
    double total = 0;
    for (size_t b = 0; b < METRICS_BIN; b++)
        total += fabs(w->gap[b]);
    return total / (double)w->n;
}

/* ---- the pass ---- */

double *metrics_slot_loss(struct arena *a, const struct ranking *r) {
    double *loss = ARENA_ARRAY(a, 2 * r->n_group, double);
    for (size_t g = 0; g < r->n_group; g++) {
        double p = fmin(fmax(r->p[g], 1e-15), 1 - 1e-15);
        loss[2 * g] = -log1p(-p);
        loss[2 * g + 1] = -log(p);
    }
    return loss;
}

/* Sums that one pass collects. */
struct tally {
    double pairs; /* (negative below positive) pairs, half a pair for a tie */
    double loss, square, step, top;
    size_t below, below_positive; /* rows and positives in lower groups */
};

void metrics_pass(const struct ranking *r, const double *slot_loss, const uint32_t *count, size_t n, size_t n_positive,
                  double value[METRIC_COUNT]) {
    size_t top_size = n < 10 ? 1 : n / 10, cut = n - top_size;
    struct tally t = {0};
    struct bin_walk bins;
    bin_walk_start(&bins, n);
    for (size_t g = 0; g < r->n_group; g++) {
        uint32_t rows = count[2 * g] + count[2 * g + 1];
        if (rows == 0)
            continue;
        double negative = count[2 * g], positive = count[2 * g + 1], p = r->p[g];
        t.loss += negative * slot_loss[2 * g] + positive * slot_loss[2 * g + 1];
        t.square += negative * p * p + positive * (1 - p) * (1 - p);
        bin_walk_add(&bins, rows, positive - rows * p);
        if (positive > 0) {
            t.pairs += positive * ((double)(t.below - t.below_positive) + 0.5 * negative);
            t.step += positive * (double)(n_positive - t.below_positive) / (double)(n - t.below);
            if (t.below + rows > cut) {
                size_t inside = t.below + rows - (t.below > cut ? t.below : cut);
                t.top += positive * (double)inside / rows;
            }
        }
        t.below += rows;
        t.below_positive += count[2 * g + 1];
    }
    double positives = (double)n_positive, negatives = (double)(n - n_positive), all = (double)n;
    value[METRIC_AUC] = t.pairs / (positives * negatives); /* 0/0 is NaN: not defined with one class */
    value[METRIC_LOG_LOSS] = t.loss / all;
    value[METRIC_BRIER] = t.square / all;
    value[METRIC_ECE] = bin_walk_ece(&bins);
    value[METRIC_ECE_FLOOR_P95] = NAN;
    value[METRIC_PR_AUC] = t.step / positives;
    value[METRIC_PRECISION_AT_10] = t.top / (double)top_size;
    value[METRIC_LIFT_AT_10] = value[METRIC_PRECISION_AT_10] / (positives / all);
}

void metrics_values(struct arena *a, const struct ranking *r, double value[METRIC_COUNT]) {
    struct arena_mark mark = arena_mark(a);
    metrics_pass(r, metrics_slot_loss(a, r), r->count, r->n, r->n_positive, value);
    arena_rewind(a, mark);
}

size_t metrics_score_bin(double p) { return p < 1 ? (size_t)(p * METRICS_SCORE_BIN) : METRICS_SCORE_BIN - 1; }

double metrics_entropy(const struct ranking *r) {
    double rows[METRICS_SCORE_BIN] = {0}, entropy = 0;
    for (size_t g = 0; g < r->n_group; g++)
        rows[metrics_score_bin(r->p[g])] += ranking_rows(r, g);
    for (size_t b = 0; b < METRICS_SCORE_BIN; b++)
        if (rows[b] > 0)
            entropy -= rows[b] / (double)r->n * log(rows[b] / (double)r->n);
    return entropy;
}

void metrics_wilson(double k, double n, double *low, double *high) {
    const double z = 1.959963984540054;
    if (!(n > 0)) {
        *low = 0;
        *high = 1;
        return;
    }
    double share = k / n, scale = 1 / (1 + z * z / n), centre = (share + z * z / (2 * n)) * scale;
    double half = z * scale * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *low = k <= 0 ? 0 : fmax(0, centre - half);
    *high = k >= n ? 1 : fmin(1, centre + half);
}

/* ---- the noise floor ---- */

/* Neighbouring groups whose outcomes are drawn together: either all within one bin, or one group of ties across several. */
struct cell {
    size_t first, end; /* groups */
    size_t rows;
    double mean, variance; /* of the sum of outcomes */
    size_t least, n_below; /* the sum is least + k with chance below[k] - below[k - 1], k < n_below */
    double *below;
};

/* Above this variance a sum of independent outcomes is drawn as a normal number: its skewness is then under 0.13. */
static const double normal_from_variance = 64;

static size_t cut_into_cells(const struct ranking *r, struct cell *cells) {
    size_t n = 0;
    struct bin_walk w;
    bin_walk_start(&w, r->n);
    size_t open_bin = METRICS_BIN; /* the bin that the last cell may still be extended in */
    for (size_t g = 0; g < r->n_group; g++) {
        size_t rows = ranking_rows(r, g), bin = w.bin;
        bool within = rows <= w.room;
        if (!within || open_bin != bin)
            cells[n++] = (struct cell){.first = g};
        cells[n - 1].end = g + 1;
        cells[n - 1].rows += rows;
        cells[n - 1].mean += (double)rows * r->p[g];
        cells[n - 1].variance += (double)rows * r->p[g] * (1 - r->p[g]);
        open_bin = within ? bin : METRICS_BIN;
        bin_walk_add(&w, rows, 0);
    }
    return n;
}

/* Chances below this are left out at the ends of a distribution. */
static const double least_chance = 1e-18;

/* The distribution of the sum of the cell's outcomes (Poisson binomial), row by row. `chance` is room for rows + 1 values.
 */
static void distribute(struct arena *a, const struct ranking *r, struct cell *c, double *chance) {
    size_t first = 0, last = 0;
    chance[0] = 1;
    for (size_t g = c->first; g < c->end; g++) {
        const double p = r->p[g], q = 1 - p;
        for (size_t rows = ranking_rows(r, g); rows > 0; rows--) {
            chance[last + 1] = chance[last] * p;
            for (size_t k = last; k > first; k--)
                chance[k] = chance[k] * q + chance[k - 1] * p;
            chance[first] *= q;
            last++;
            while (first < last && chance[first] < least_chance)
                first++;
            while (last > first && chance[last] < least_chance)
                last--;
        }
    }
    c->least = first;
    c->n_below = last - first + 1;
    c->below = arena_copy(a, chance + first, c->n_below * sizeof *chance);
    for (size_t k = 1; k < c->n_below; k++)
        c->below[k] += c->below[k - 1];
}

static void distribute_cells(struct arena *a, const struct ranking *r, struct cell *cells, size_t n) {
    double *chance = ARENA_ARRAY(a, r->n + 1, double);
    for (size_t c = 0; c < n; c++)
        if (cells[c].variance < normal_from_variance)
            distribute(a, r, &cells[c], chance);
}

/* A draw of sum (outcome - probability) over the rows of a cell. */
static double draw_excess(const struct cell *c, struct rng *rng) {
    if (!c->below)
        return sqrt(c->variance) * rng_normal(rng);
    const double u = rng_uniform(rng);
    size_t k = 0, end = c->n_below - 1; /* the last takes what rounding left */
    while (k < end) {
        const size_t middle = (k + end) / 2;
        if (c->below[middle] > u)
            end = middle;
        else
            k = middle + 1;
    }
    return (double)(c->least + k) - c->mean;
}

/* Quantiles of the simulated figures: ece[draws], and gap of METRICS_BIN x draws. Sorts both. */
static void summarise(double *ece, double *gap, size_t draws, size_t n, struct ece_floor *out) {
    double d = (double)draws, half = 1.959963984540054 * sqrt(0.95 * 0.05 / d);
    out->mean = 0;
    for (size_t i = 0; i < draws; i++)
        out->mean += ece[i] / d;
    metrics_sort(ece, draws);
    out->p95 = (struct estimate){metrics_quantile(ece, draws, 0.95), metrics_quantile(ece, draws, 0.95 - half),
                                 metrics_quantile(ece, draws, fmin(1, 0.95 + half))};
    for (size_t b = 0; b < METRICS_BIN; b++) {
        double rows = (double)metrics_bin_size(n, b);
        metrics_sort(gap + b * draws, draws);
        out->band_low[b] = rows > 0 ? metrics_quantile(gap + b * draws, draws, 0.025) / rows : 0;
        out->band_high[b] = rows > 0 ? metrics_quantile(gap + b * draws, draws, 0.975) / rows : 0;
    }
}

enum { MOST_DRAWS = 300 };

void metrics_ece_floor(struct arena *a, const struct ranking *r, uint64_t seed, unsigned draws, struct ece_floor *out) {
    struct arena_mark mark = arena_mark(a);
    double affordable = 1e8 / (double)r->n;
    size_t d = draws ? draws : affordable > MOST_DRAWS ? MOST_DRAWS : affordable < 200 ? 200 : (size_t)affordable;
    struct cell *cells = ARENA_ARRAY(a, (size_t)3 * METRICS_BIN, struct cell);
    size_t n_cell = cut_into_cells(r, cells);
    distribute_cells(a, r, cells, n_cell);
    double *ece = ARENA_ARRAY(a, d, double), *gap = ARENA_ARRAY(a, METRICS_BIN * d, double);
    struct rng rng = rng_from_seed(seed);
    for (size_t i = 0; i < d; i++) {
        struct bin_walk w;
        bin_walk_start(&w, r->n);
        for (size_t c = 0; c < n_cell; c++)
            bin_walk_add(&w, cells[c].rows, draw_excess(&cells[c], &rng));
        ece[i] = bin_walk_ece(&w);
        for (size_t b = 0; b < METRICS_BIN; b++)
            gap[b * d + i] = w.gap[b];
    }
    summarise(ece, gap, d, r->n, out);
    arena_rewind(a, mark);
}
