/* curves.c — curves, deciles, reliability and thresholds of a ranking. */
#include "ml/curves.h"

#include <math.h>
#include <stdbool.h>

/* Rows flagged and positives among them. */
struct cut {
    double threshold;
    size_t rows, positives;
};

static struct curve_point point_of(const struct ranking *r, const struct cut *c) {
    double positives = (double)r->n_positive, negatives = (double)(r->n - r->n_positive);
    return (struct curve_point){
        .threshold = c->threshold,
        .flagged_share = (double)c->rows / (double)r->n,
        .recall = (double)c->positives / positives,
        .precision = (double)c->positives / (double)c->rows,
        .false_positive_rate = (double)(c->rows - c->positives) / negatives,
    };
}

/* Cuts above each group, the best first, and the one that flags nothing: r->n_group + 1 of them. */
static struct cut *all_cuts(struct arena *a, const struct ranking *r) {
    struct cut *cuts = ARENA_ARRAY(a, r->n_group + 1, struct cut), at = {.threshold = INFINITY};
    cuts[0] = at;
    for (size_t k = 1; k <= r->n_group; k++) {
        size_t g = r->n_group - k;
        at = (struct cut){r->p[g], at.rows + ranking_rows(r, g), at.positives + r->count[2 * g + 1]};
        cuts[k] = at;
    }
    return cuts;
}

/* Whether cut k lies on the straight line from k - 1 to k + 1 of the ROC. */
static bool on_line(const struct cut *c, size_t k) {
    double p1 = (double)(c[k].positives - c[k - 1].positives), n1 = (double)(c[k].rows - c[k - 1].rows) - p1;
    double p2 = (double)(c[k + 1].positives - c[k].positives), n2 = (double)(c[k + 1].rows - c[k].rows) - p2;
    return p1 * n2 == p2 * n1;
}

/* ROC: by the length of the way, so that steep parts keep their points. */
static double roc_progress(const struct ranking *r, const struct cut *c) {
    double positives = (double)r->n_positive, negatives = (double)(r->n - r->n_positive);
    double tpr = positives > 0 ? (double)c->positives / positives : 0;
    double fpr = negatives > 0 ? (double)(c->rows - c->positives) / negatives : 0;
    return (tpr + fpr) / ((positives > 0) + (negatives > 0));
}

static double recall_progress(const struct ranking *r, const struct cut *c) {
    return r->n_positive ? (double)c->positives / (double)r->n_positive : (double)c->rows / (double)r->n;
}

/* Keeps at most CURVE_MAX_POINT of n cuts: the first, the last, and whichever first reaches each further step of progress.
 */
static struct curve thin(struct arena *a, const struct ranking *r, const struct cut *cuts, size_t n,
                         double (*progress)(const struct ranking *, const struct cut *)) {
    struct curve_point *points = ARENA_ARRAY(a, n < CURVE_MAX_POINT ? n : CURVE_MAX_POINT, struct curve_point);
    size_t kept = 0;
    for (size_t k = 0; k < n; k++) {
        double due = (double)kept / (CURVE_MAX_POINT - 1);
        if (n <= CURVE_MAX_POINT || k + 1 == n || (kept + 1 < CURVE_MAX_POINT && progress(r, &cuts[k]) >= due))
            points[kept++] = point_of(r, &cuts[k]);
    }
    return (struct curve){kept, points};
}

static struct curve roc_curve(struct arena *a, const struct ranking *r, const struct cut *cuts) {
    struct cut *bends = ARENA_ARRAY(a, r->n_group + 1, struct cut);
    size_t n = 0;
    for (size_t k = 0; k <= r->n_group; k++)
        if (k == 0 || k == r->n_group || !on_line(cuts, k))
            bends[n++] = cuts[k];
    return thin(a, r, bends, n, roc_progress);
}

/* ---- shares of rows, with ties divided ---- */

/* Positives among the best `rows` rows (fractional within a tie); *k moves on from the cut where the last call ended. */
static double positives_among(const struct cut *cuts, double rows, size_t *k) {
    while ((double)cuts[*k].rows < rows)
        (*k)++;
    if (*k == 0)
        return 0;
    const struct cut *from = &cuts[*k - 1], *to = &cuts[*k];
    double share = (rows - (double)from->rows) / (double)(to->rows - from->rows);
    return (double)from->positives + share * (double)(to->positives - from->positives);
}

static struct curve gain_curve(struct arena *a, const struct ranking *r, const struct cut *cuts) {
    enum { STEP = 100 };
    struct curve_point *points = ARENA_ARRAY(a, STEP + 1, struct curve_point);
    size_t k = 0;
    for (size_t i = 0; i <= STEP; i++) {
        double rows = (double)r->n * (double)i / STEP, positives = positives_among(cuts, rows, &k);
        points[i] = (struct curve_point){
            .threshold = cuts[k].threshold,
            .flagged_share = (double)i / STEP,
            .recall = positives / (double)r->n_positive,
            .precision = positives / rows,
            .false_positive_rate = (rows - positives) / (double)(r->n - r->n_positive),
        };
    }
    return (struct curve){STEP + 1, points};
}

/* Sums over consecutive parts of the rows in ascending order: part b has size[b] rows. */
struct part {
    size_t rows;
    double prediction, positives, lowest;
};

static void fill_parts(const struct ranking *r, struct part *parts, size_t n_part) {
    size_t b = 0;
    double left = (double)parts[0].rows;
    for (size_t g = 0; g < r->n_group; g++) {
        double rows = ranking_rows(r, g), rate = r->count[2 * g + 1] / rows;
        while (rows > 0) {
            while (left <= 0 && b + 1 < n_part)
                left = (double)parts[++b].rows;
            double taken = fmin(rows, left);
            if (left == (double)parts[b].rows)
                parts[b].lowest = r->p[g];
            parts[b].prediction += taken * r->p[g];
            parts[b].positives += taken * rate;
            left -= taken;
            rows -= taken;
        }
    }
}

static void fill_deciles(const struct ranking *r, struct decile *out) {
    struct part parts[CURVE_DECILE] = {{0}};
    double base = (double)r->n_positive / (double)r->n, found = 0;
    for (size_t b = 0; b < CURVE_DECILE; b++)
        parts[CURVE_DECILE - 1 - b].rows = r->n / CURVE_DECILE + (b < r->n % CURVE_DECILE);
    fill_parts(r, parts, CURVE_DECILE);
    for (size_t i = 0; i < CURVE_DECILE; i++) {
        const struct part *p = &parts[CURVE_DECILE - 1 - i];
        double rows = (double)p->rows;
        found += p->positives;
        out[i] = (struct decile){.rows = p->rows,
                                 .positives = p->positives,
                                 .mean_prediction = p->prediction / rows,
                                 .rate = p->positives / rows,
                                 .lift = p->positives / rows / base,
                                 .gain = found / (double)r->n_positive,
                                 .lowest = p->lowest};
    }
}

static void fill_reliability(const struct ranking *r, const struct ece_floor *floor, struct reliability_bin *out) {
    struct part parts[METRICS_BIN] = {{0}};
    for (size_t b = 0; b < METRICS_BIN; b++)
        parts[b].rows = metrics_bin_size(r->n, b);
    fill_parts(r, parts, METRICS_BIN);
    for (size_t b = 0; b < METRICS_BIN; b++) {
        double rows = (double)parts[b].rows, mean = parts[b].prediction / rows;
        out[b] =
            (struct reliability_bin){.rows = parts[b].rows, .mean_prediction = mean, .observed = parts[b].positives / rows};
        metrics_wilson(parts[b].positives, rows, &out[b].low, &out[b].high);
        out[b].band_low = fmax(0, mean + floor->band_low[b]);
        out[b].band_high = fmin(1, mean + floor->band_high[b]);
    }
}

void curves_compute(struct arena *a, const struct ranking *r, const struct ece_floor *floor, struct curves *out) {
    const struct cut *cuts = all_cuts(a, r);
    *out = (struct curves){
        .roc = roc_curve(a, r, cuts),
        .pr = thin(a, r, cuts, r->n_group + 1, recall_progress),
        .gain = gain_curve(a, r, cuts),
    };
    fill_deciles(r, out->decile);
    fill_reliability(r, floor, out->reliability);
    for (size_t g = 0; g < r->n_group; g++) {
        struct score_bin *bin = &out->score[metrics_score_bin(r->p[g])];
        bin->rows += ranking_rows(r, g);
        bin->positives += r->count[2 * g + 1];
    }
}

/* ---- thresholds and costs ---- */

static struct threshold_row row_of(const struct ranking *r, const struct cut *c, const struct costs *costs) {
    double tp = (double)c->positives, fp = (double)(c->rows - c->positives), fn = (double)(r->n_positive - c->positives);
    return (struct threshold_row){
        .threshold = c->threshold,
        .flagged = c->rows,
        .tp = c->positives,
        .fp = c->rows - c->positives,
        .fn = r->n_positive - c->positives,
        .precision = tp / (tp + fp),
        .recall = tp / (tp + fn),
        .f1 = 2 * tp / (2 * tp + fp + fn), /* Eq. 79, and 0 instead of 0/0 where nothing flagged is right */
        .cost = costs->pursuit * fp + costs->revenue * fn,
        .utility = costs->revenue * tp - costs->pursuit * fp,
    };
}

struct threshold_row curves_at_threshold(const struct ranking *r, double threshold, const struct costs *costs) {
    struct cut c = {.threshold = threshold};
    for (size_t g = r->n_group; g-- > 0 && r->p[g] >= threshold;) {
        c.rows += ranking_rows(r, g);
        c.positives += r->count[2 * g + 1];
    }
    return row_of(r, &c, costs);
}

double curves_break_even(const struct costs *costs) { return costs->pursuit / (costs->revenue + costs->pursuit); }

struct threshold_row curves_cheapest(const struct ranking *r, const struct costs *costs) {
    struct cut at = {.threshold = INFINITY}, best = at;
    double utility = 0, best_utility = 0;
    for (size_t g = r->n_group; g-- > 0;) {
        at = (struct cut){r->p[g], at.rows + ranking_rows(r, g), at.positives + r->count[2 * g + 1]};
        utility = costs->revenue * (double)at.positives - costs->pursuit * (double)(at.rows - at.positives);
        if (utility > best_utility) {
            best_utility = utility;
            best = at;
        }
    }
    return row_of(r, &best, costs);
}
