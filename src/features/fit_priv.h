/* fit_priv.h — the fitted constants of one field, from the training rows alone. */
#ifndef GALENA_FEATURES_FIT_PRIV_H
#define GALENA_FEATURES_FIT_PRIV_H

#include "features/column_priv.h"

struct fit_opts_field {
    bool has_y;
    double base_rate; /* share of positives among the training rows */
    uint32_t rare;    /* a level needs as many rows */
    uint32_t max_level, n_bin;
};

/* Rate of positives among n rows, shrunk to the base rate as if some average rows had been seen before. */
double fit_shrunk_rate(double positive, double n, double base);

/* Splits a multi-value cell; false when no part is left. Parts are trimmed and may be empty. */
bool multi_next(str *rest, char separator, str *part);

/* How many different parts the cells have under f->separator. */
size_t multi_vocabulary(struct arena *a, const struct column *c, const struct field *f, const unsigned char *missing);

/* missing[v] = 1 for the distinct cells that mean "not known" under f->missing, and 0 else. */
void fit_mark_missing(const struct column *c, const struct field *f, unsigned char *missing);

/* Fits levels, edges, transform (each unless given), clipping, standardisation and statistics of f, whose type, missing
 * tokens, decimal mark and separator are set. */
void fit_field(struct arena *a, const struct column *c, const struct fit_opts_field *o, struct field *f);

#endif
