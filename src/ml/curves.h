/* curves.h — what a ranking looks like at every threshold: ROC, precision and recall, gain and lift, reliability, costs. */
#ifndef GALENA_ML_CURVES_H
#define GALENA_ML_CURVES_H

#include "ml/metrics.h"

enum { CURVE_MAX_POINT = 200, CURVE_DECILE = 10 };

/* One threshold: the rows with p >= threshold are flagged. */
struct curve_point {
    double threshold;     /* +infinity where nothing is flagged */
    double flagged_share; /* of all rows */
    double recall;        /* Eq. 78: true positive rate */
    double precision;     /* Eq. 77: NaN where nothing is flagged */
    double false_positive_rate;
};

/* Every point of the ROC at which the ranking changes direction or, when these are more than CURVE_MAX_POINT, as many evenly
 * spread along the curve, corners (0, 0) and (1, 1) always among them. Undefined rates (one class) are NaN. */
struct curve {
    size_t n;
    const struct curve_point *point; /* thresholds descend */
};

/* Rows by decile of score, the best first. */
struct decile {
    size_t rows;
    double positives; /* a tie across deciles is shared, so that this may be fractional */
    double mean_prediction, rate, lift;
    double gain;   /* share of all positives in this and the better deciles */
    double lowest; /* smallest probability in it */
};

struct reliability_bin {
    size_t rows;
    double mean_prediction, observed;
    double low, high;           /* Wilson's 95 % interval of observed */
    double band_low, band_high; /* where observed falls 95 times in 100 when the model is calibrated */
};

/* Costs and revenue in one unit, of one lead. */
struct costs {
    double revenue; /* R: won by pursuing a lead that converts; losing one is a false negative and costs it (Eq. 76, 81) */
    double pursuit; /* c: spent in vain on one that does not convert: a false positive */
};

struct threshold_row {
    double threshold;
    size_t flagged, tp, fp, fn;
    double precision, recall, f1; /* Eq. 77-79; NaN where undefined */
    double cost;                  /* Eq. 76: pursuit * FP + revenue * FN */
    double utility;               /* Eq. 82 summed over outcomes: revenue * TP - pursuit * FP */
};

/* Rows whose probability falls in one twentieth of [0, 1]: the distribution of Eq. 95. */
struct score_bin {
    size_t rows, positives;
};

struct curves {
    struct curve roc, pr;
    struct decile decile[CURVE_DECILE];
    struct curve gain; /* at each per cent of rows: flagged_share against recall */
    struct reliability_bin reliability[METRICS_BIN];
    struct score_bin score[METRICS_SCORE_BIN];
};

/* Computes all of them. r->n >= 1. */
void curves_compute(struct arena *a, const struct ranking *r, const struct ece_floor *floor, struct curves *out);

/* One row of the threshold table: rows with p >= threshold are pursued. */
struct threshold_row curves_at_threshold(const struct ranking *r, double threshold, const struct costs *costs);

/* Eq. 82-83: the probability from which the expected utility of pursuing is positive, c / (R + c). NaN when both are 0. */
double curves_break_even(const struct costs *costs);

/* The threshold with the least cost on these very rows, for comparison only: it is fitted to them. +infinity: pursue nobody.
 */
struct threshold_row curves_cheapest(const struct ranking *r, const struct costs *costs);

#endif
