/* column_priv.h — the distinct cells of one column over the training rows: what inference, fitting and the sentinel work on.
 */
#ifndef GALENA_FEATURES_COLUMN_PRIV_H
#define GALENA_FEATURES_COLUMN_PRIV_H

#include "lead/frame.h"
#include "lead/schema.h"

struct distinct {
    str text; /* without surrounding space */
    uint32_t n;
    double positive; /* rows with y = 1; 0 without outcomes */
};

struct column {
    size_t n_row;
    struct distinct *value; /* n_value, in byte order: nothing depends on the order of the rows */
    size_t n_value;
    uint32_t *value_of; /* n_row indices into value */
};

void column_count(struct arena *a, const str *cell, const uint32_t *rows, size_t n, const double *y, struct column *out);

/* Distinct cells that differ only in ASCII case and white space, as one group. group_of[n_value]; groups are numbered in
 * order of the folded text. */
struct spellings {
    uint32_t *group_of;
    size_t n_group;
    uint32_t *best; /* n_group: index of the most frequent spelling (ties by bytes) */
    uint32_t *n;    /* n_group: rows */
};
void column_fold(struct arena *a, const struct column *c, struct spellings *out);

/* A number of the column with how many rows have it; ascending, distinct. */
struct tally {
    double value;
    double n, positive;
};

/* The linear-interpolation quantile (Hyndman and Fan's type 7) of the tallied numbers, weights taken as whole rows. n > 0.
 */
double tally_quantile(const struct tally *t, size_t n, double p);

/* Quantile when each row counts `positive` (or the rest) instead of n; NaN when there are none. */
double tally_quantile_of(const struct tally *t, size_t n, double p, bool positive);

/* The number (or days since reference_ms) a cell says; false when it cannot be read or is below f->minimum. */
bool column_read(str text, const struct field *f, double *out);

/* Reads every distinct cell for which skip[] is 0 as the field says (number or days since reference_ms); sorts and merges.
 * Cells that cannot be read, or are below f->minimum, are counted in *invalid (rows) and *example. */
struct tally *column_tally(struct arena *a, const struct column *c, const struct field *f, const unsigned char *skip,
                           size_t *n, size_t *invalid, str *example);

/* Inner edges of at most n_bin bins of near-equal mass, each of at least `least` rows; a number with the mass of a bin gets
 * one of its own. Returns how many; edges has room for n_bin. */
size_t tally_edges(const struct tally *t, size_t n, size_t n_bin, double least, double *edges);

#endif
