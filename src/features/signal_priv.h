/* signal_priv.h — how much one field tells about the outcome, as the leakage sentinel sees it. */
#ifndef GALENA_FEATURES_SIGNAL_PRIV_H
#define GALENA_FEATURES_SIGNAL_PRIV_H

#include "features/column_priv.h"

/* Groups of rows whose conversion is nearly settled: nearly always (99 % lower bound of the rate at or above `always`) or
 * nearly never (upper bound at or below `never`). Shares are of all positives, all negatives and all rows. */
struct settled {
    double positives, negatives, rows;                 /* held by nearly-always groups; by nearly-never groups; by both */
    double always_n, always_rate, never_n, never_rate; /* pooled */
    size_t n_always, n_never;
    str always_level, never_level; /* the largest of each kind; "" for an empty cell */
    double always_level_n, always_level_rate, never_level_n, never_level_rate;
};

struct signal {
    const struct field *field;
    double auc;                 /* cross-fitted over levels or bins, missing ones included */
    double known_auc;           /* of "is it filled?" alone, either direction */
    double known_n, known_rate; /* rows that have a value, and their conversion */
    double missing_n, missing_rate;
    struct settled settled; /* levels; for numbers only "missing" and "filled" count */
    size_t n_group;
    double low_n, low_rate,
        low_value; /* numbers: the longest run of lowest rows that nearly never convert, up to low_value */
    double agree;  /* share of rows that a rule "group of the majority" gets right */
};

struct outcome {
    const double *y;
    const unsigned char *fold; /* 0..4 */
    size_t n;
    double positives, base;
};

/* The bounds of a Wilson interval at 99 %. */
double wilson_low(double positive, double n);
double wilson_high(double positive, double n);

/* Rates beyond which a level is nearly settled, for a base rate. */
double settled_always(double base);
double settled_never(double base);

void signal_measure(struct arena *a, const struct column *c, const struct field *f, const struct outcome *o,
                    struct signal *out);

#endif
