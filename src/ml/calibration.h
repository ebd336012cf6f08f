/* calibration.h — maps from log-odds to calibrated probabilities.
 *
 * Every map is non-decreasing and its result lies in [1e-15, 1 - 1e-15], so that a calibrated score never contradicts the
 * order or the sign of the contributions behind it. */
#ifndef GALENA_ML_CALIBRATION_H
#define GALENA_ML_CALIBRATION_H

#include "base/json.h"

/* From the simplest to the richest. If you change this: calibration_kind_name. */
enum calibration_kind {
    CALIBRATION_NONE,     /* sigma(z) */
    CALIBRATION_PLATT,    /* sigma(a z + c), a >= 0 (Platt 1999) */
    CALIBRATION_BETA,     /* sigma(a ln p - b ln(1 - p) + c), p = sigma(z), a, b >= 0 (Kull, Silva Filho, Flach 2017) */
    CALIBRATION_ISOTONIC, /* pool adjacent violators; linear between the centres of blocks, flat beyond */
    CALIBRATION_KIND_COUNT
};

/* Const and shareable once made.
 *
 * Isotonic interpolates because steps cost: over simulated maps of 300 to 30,000 rows the excess log loss of straight lines
 * between block centres was about half that of steps (0.0041 against 0.0078 at 1,000 rows). */
struct calibration {
    enum calibration_kind kind;
    double a, b, c;
    size_t n_knot; /* isotonic: n_knot >= 1 points, z ascending strictly, logit not descending */
    const double *z, *p;
};

/* "none", "platt", "beta", "isotonic". */
const char *calibration_kind_name(enum calibration_kind kind);

/* The calibrated probability of log-odds z, and its log-odds. z may be infinite, not NaN. */
double calibration_apply(const struct calibration *c, double z);
double calibration_apply_logit(const struct calibration *c, double z);

/* Fits one kind to n log-odds and outcomes; weight may be NULL. With one class only, or n == 0, the map is `none`. */
void calibration_fit(struct arena *a, enum calibration_kind kind, const double *z, const double *y, const double *weight,
                     size_t n, struct calibration *out);

/* Chooses a kind by cross-validation over fold[n] in 0..n_fold-1 and refits it on all rows. z must be out-of-fold
 * predictions. The simplest kind whose paired loss is within one standard error of the best wins; isotonic counts as best
 * only when it leads by two standard errors, because it overfits small data. With n_fold < 2 the choice is
 * `none`. */
void calibration_choose(struct arena *a, const double *z, const double *y, const double *weight, size_t n,
                        const uint32_t *fold, uint32_t n_fold, struct calibration *out);

/* One JSON value, and back. load: ERR_CORRUPT (slug "calibration_corrupt") for anything that is not a finite, non-decreasing
 * map. */
void calibration_save(const struct calibration *c, struct json_writer *w);
err calibration_load(struct arena *a, const struct json *v, struct calibration *out) MUST_CHECK;

#endif
