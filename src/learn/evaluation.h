/* evaluation.h — everything that is known about how good a model is: what the report and `--json` are written from. */
#ifndef GALENA_LEARN_EVALUATION_H
#define GALENA_LEARN_EVALUATION_H

#include "ml/curves.h"
#include "score/bundle.h"

/* Figures and curves of predictions for rows whose outcome is known. */
struct evaluation_part {
    struct metrics metrics;
    struct curves curves;
    const struct threshold_row *threshold; /* 0.05, 0.10, ..., 0.95, the tiers and the break-even, ascending */
    size_t n_threshold;
    struct threshold_row cheapest; /* see curves_cheapest */
};

/* What a feature adds to the model: mean absolute contribution in log-odds, or another measure of the caller. >= 0. */
struct evaluation_feature {
    str name, group;
    double importance;
};

/* A finding a person should know: a leak, a field left out, little data. */
struct evaluation_warning {
    str code, field, message; /* stable name; column or empty; a sentence */
};

/* A family that took part. */
struct evaluation_member {
    str family;
    double weight;   /* in the final log-odds; 0: considered and left out */
    double log_loss; /* cross-validated on training rows */
};

/* The rows in which `field` has `level`. */
struct evaluation_segment {
    str field, level;
    size_t rows, positives;
    double observed, low, high; /* share of positives with Wilson's 95 % interval */
    double mean_prediction;
    double auc, ece;  /* NaN where not defined */
    double ece_floor; /* 95th percentile by chance */
};

struct evaluation_seconds {
    double read, fit, evaluate, total;
};

/* Fill what is known; empty texts, NULL and 0 leave their part out of the report. */
struct evaluation {
    str data_name, target, positive;    /* file; outcome column and the value that means converted */
    str split, family, calibration;     /* "hash:0.3"; "auto"; "beta" */
    str model_name, model_id;           /* file or name; digest or version */
    str profile_name, made_at, program; /* profile behind the model; time of day, ISO 8601; "galena 0.1.0" */
    uint64_t seed;
    size_t rows, train_rows, test_rows, positives;

    const struct evaluation_part *test;        /* rows the model has not seen */
    const struct evaluation_part *train;       /* rows it was fitted to: flattering */
    const struct evaluation_part *out_of_fold; /* training rows, each predicted without its fold */
    bool no_signal;                            /* nothing better than the base rate was found */

    struct costs costs;
    bool costs_assumed; /* nobody said them: evaluation_default_costs */
    double hot, warm;   /* tier thresholds; 0: none */

    const struct evaluation_member *member;
    size_t n_member;
    const struct evaluation_segment *segment;
    size_t n_segment;
    const struct evaluation_feature *feature; /* any order: reports sort by importance */
    size_t n_feature;
    const struct evaluation_warning *warning;
    size_t n_warning;

    str against_name; /* another model on the same rows, when `against` is set */
    const struct comparison *against;

    struct evaluation_seconds seconds;
    int64_t peak_rss_byte;
};

/* Ten of revenue for one of pursuit: a stand-in until somebody says what they are. */
static const struct costs evaluation_default_costs = {.revenue = 10, .pursuit = 1};

struct evaluation_opts {
    struct metrics_opts metrics;
    struct costs costs;
    double hot, warm; /* tier thresholds that get a row of their own; 0: none */
};

/* Figures, curves and threshold table of n >= 1 probabilities p and outcomes y (0 or 1). */
void evaluation_compute(struct arena *a, const double *p, const double *y, size_t n, const struct evaluation_opts *opts,
                        struct evaluation_part *out);

/* One way to cut the rows into segments. */
struct segment_by {
    str field;
    const str *level; /* n_level names */
    size_t n_level;
    const uint32_t *level_of; /* n: the level of each row; n_level or more: none */
};

/* A segment for each level of each field that has at least `min_row` rows (at least 1), larger ones first within a field. */
void evaluation_segments(struct arena *a, const double *p, const double *y, size_t n, const struct segment_by *by,
                         size_t n_by, size_t min_row, const struct evaluation_segment **out, size_t *n_out);

/* Lists in e->feature all that the model may look at, of importance 0 too: used fields, and sections that its profile has.
 */
void evaluation_list_features(struct arena *a, const struct bundle *b, struct evaluation *e);

/* The part that says how the model will do on new leads: test, else out-of-fold, else train, else NULL. */
const struct evaluation_part *evaluation_judged(const struct evaluation *e);

#endif
