/* metrics.h — how good predicted probabilities are, each figure with a 95 % interval, and whether two models differ.
 *
 * Tied probabilities are treated as one group everywhere, so that the order of rows never matters: a cut through a group
 * takes its rows in proportion, each with the group's mean outcome. A figure that is not defined (AUC with one class) is
 * NaN. */
#ifndef GALENA_ML_METRICS_H
#define GALENA_ML_METRICS_H

#include "ml/ranking.h"

enum { METRICS_BIN = 15, METRICS_SCORE_BIN = 20 };

/* If you change this: metric_name in metrics.c, docs on `--json`, the glossary in learn/report_html.c. */
enum metric {
    METRIC_AUC,             /* Eq. 80: exact, ties by ranks */
    METRIC_LOG_LOSS,        /* mean negative log-likelihood in nats, probabilities clipped to [1e-15, 1 - 1e-15] */
    METRIC_BRIER,           /* mean squared error of the probability */
    METRIC_ECE,             /* expected calibration error over METRICS_BIN bins of equal mass */
    METRIC_ECE_FLOOR_P95,   /* 95th percentile of the ECE of a perfectly calibrated model with these probabilities */
    METRIC_PR_AUC,          /* average precision: sum over thresholds of (recall step) * precision, as scikit-learn */
    METRIC_PRECISION_AT_10, /* share of positives among the best floor(n / 10), at least 1, rows (Eq. 77) */
    METRIC_LIFT_AT_10,      /* that share over the base rate: 1 + the lift of Eq. 75 */
    METRIC_COUNT
};

/* "auc", "log_loss", ...: the keys of the JSON report. */
const char *metric_name(enum metric m);

struct estimate {
    double value, low, high; /* the figure and its 95 % interval */
};

/* What a perfectly calibrated model with these probabilities would show by chance on this many rows. */
struct ece_floor {
    double mean;
    struct estimate p95;                                  /* interval: simulation error */
    double band_low[METRICS_BIN], band_high[METRICS_BIN]; /* 95 % range of (observed - mean predicted), bin by bin */
};

struct metrics {
    size_t n, n_positive;
    struct estimate of[METRIC_COUNT];
    struct ece_floor floor;
    double base_rate, mean_prediction;
    double base_log_loss; /* of always predicting the base rate */
    double entropy;       /* Eq. 95, see metrics_entropy */
    unsigned resamples;   /* that the intervals rest on */
};

struct metrics_opts {
    uint64_t seed;
    unsigned floor_draws; /* 0: 300; see metrics_ece_floor */
    unsigned resamples;   /* 0: 300; fewer on very many rows, so that the work stays bounded */
};

/* All figures of n rows. Intervals: percentiles of the bootstrap over rows; on so many rows that under 200 resamples are
 * affordable, value ± 1.96 bootstrap standard deviations. Two are made otherwise: the resampled ECE is moved so that its
 * mean is the estimate, because resampling adds noise to every bin and so raises ECE; and the floor's interval is its
 * simulation error. Deterministic for a seed. `opts` may be NULL. n >= 1. */
void metrics_compute(struct arena *a, const double *p, const double *y, size_t n, const struct metrics_opts *opts,
                     struct metrics *out);

/* The same from a ranking. */
void metrics_of_ranking(struct arena *a, const struct ranking *r, const struct metrics_opts *opts, struct metrics *out);

/* The figures alone, without intervals and floor (which is set to NaN). */
void metrics_values(struct arena *a, const struct ranking *r, double value[METRIC_COUNT]);

/* Simulates `draws` (0: 300, fewer on very many rows, never under 200) sets of outcomes from the probabilities themselves.
 */
void metrics_ece_floor(struct arena *a, const struct ranking *r, uint64_t seed, unsigned draws, struct ece_floor *out);

/* Eq. 95: Shannon entropy in nats of the distribution of predictions over 20 bins of equal width on [0, 1]; 0 when all fall
 * in one bin, ln 20 when they spread evenly. Low for a sharp, bimodal model, and also for one that says the same of
 * everybody. */
double metrics_entropy(const struct ranking *r);

/* The bin of [0, 1], cut into METRICS_SCORE_BIN of equal width, that p falls in. */
size_t metrics_score_bin(double p);

/* Rows in bin b when n rows are cut into METRICS_BIN bins whose sizes differ by at most one, the larger first. */
size_t metrics_bin_size(size_t n, size_t b);

/* Difference first - second of a figure on the same rows. */
struct difference {
    double value, low, high;
    double p_value; /* two-sided, of no difference; at least 2 / (resamples + 1) */
};

struct comparison {
    struct difference auc, log_loss, brier;
    unsigned resamples;
};

/* Paired bootstrap of two models' probabilities for the same rows. `opts` may be NULL (1,000 resamples). */
void metrics_compare(struct arena *a, const double *first, const double *second, const double *y, size_t n,
                     const struct metrics_opts *opts, struct comparison *out);

/* Wilson's 95 % interval of a share of k in n. n may be 0: [0, 1]. */
void metrics_wilson(double k, double n, double *low, double *high);

#endif
