/* fusion_number.h — what a quantity is when sources measure it: noise, bias and gross errors of each source, the age of
 * claims, jumps of the truth, and noise that depends on size, fitted by EM with the posterior of every item on a grid.
 *
 * A claim y of source s, made `age` years ago, of a truth x, with V = variance_s exp(slope (x - centre)) + drift age:
 *   (1 - gross_s) [(1 - J) t7(y - bias_s - x; V) + J t7(y - bias_s - x; V + jump_variance)] + gross_s B(y),
 * J = 1 - exp(-jump_rate age), t7 Student's t with 7 degrees of freedom (Lange, Little, Taylor 1989), B the density of the
 * field's values: a gross error is the value of something else. x has a t7 prior around the field's centre. All in the unit
 * of y; amounts that spread over decades are given as logarithms. */
#ifndef GALENA_ML_FUSION_NUMBER_H
#define GALENA_ML_FUSION_NUMBER_H

#include "ml/fusion_copy.h"

#include <stdbool.h>

enum { FUSION_GRID_CLAIM = 12, FUSION_GRID_NODE = 12 * 11 + 9 };

/* One field. verified: of each item the known truth, else NaN. The rest as in fusion_category.h. */
struct fusion_number_data {
    size_t n_item, n_source;
    const uint32_t *start, *source;
    const double *y; /* of each claim, finite */
    const float *age_year, *trust, *share;
    const double *verified;
    double spread_least; /* sources are not taken to be exacter than this standard deviation, above 0 */
};

struct fusion_number_source {
    double bias, variance, gross, evidence;
};

struct fusion_number_model {
    double centre, spread; /* of the field's values: location and scale of the prior */
    double drift, jump_rate, jump_variance, slope;
    double mean_variance, mean_gross, level; /* level: what part of the posterior an interval of 90 % must hold */
    struct fusion_number_source *source;
    struct fusion_copy copy;
    double copy_tolerance; /* claims of dependent sources this close are one claim */
    unsigned rounds;
};

/* A posterior, summed up: median, central interval, the mass within `near` of the median. */
struct fusion_number_fact {
    double median, low, high, near;
};

void fusion_number_fit(struct arena *a, const struct fusion_number_data *d, struct fusion_number_model *out);

/* The posterior of item i under a fitted model; near: half width of what counts as the same value. Reads this item's claims
 * alone. */
void fusion_number_infer(const struct fusion_number_model *m, const struct fusion_number_data *d, size_t i, double near,
                         struct fusion_number_fact *out);

#endif
