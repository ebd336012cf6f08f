/* vectorise.h — a lead's row to its feature vector: the encoded fields and, with a profile, its fit (Eq. 1-13, 33-34).
 *
 * Columns: those of the encoder; then one for each criterion of the profile, its credit minus what an average lead has
 * (profile/prior.h); then one for each section, the sub-score minus what an average lead has, for the family "subscore"
 * alone. What is unknown lists nothing and so moves nothing. Terms are what contributions are summed by: the fields of the
 * schema, then the sections, then the schema's interactions; the square of a number belongs to its field. */
#ifndef GALENA_FEATURES_VECTORISE_H
#define GALENA_FEATURES_VECTORISE_H

#include "features/encode.h"
#include "profile/prior.h"

struct vectoriser;

/* One lead's vector, with room for any row. */
struct vector {
    struct row row; /* points into the room below; valid until the next vectorise_row */
    const struct encoded *encoded;
    const struct subscores *subscores; /* NULL without a profile */
    unsigned char *missing;            /* n_term: the term is not known (sections, interactions: never) */
};

/* Binds schema and profile (NULL: none) to a file's columns. Errors of encoder_new. A file without any of the profile's
 * columns is no error: then every sub-score is unknown. */
err vectoriser_new(struct arena *a, const struct schema *s, const struct profile *p, const str *columns, size_t n_column,
                   struct vectoriser **out) MUST_CHECK;

size_t vectoriser_width(const struct vectoriser *v);             /* columns, d */
size_t vectoriser_first_criterion(const struct vectoriser *v);   /* column of the profile's first criterion */
size_t vectoriser_terms(const struct vectoriser *v);             /* fields, SECTION_COUNT with a profile, interactions */
const unsigned char *vectoriser_use(const struct vectoriser *v); /* d masks of enum column_use */
const uint32_t *vectoriser_term(const struct vectoriser *v);     /* d: the term a column belongs to */
const struct encoder *vectoriser_encoder(const struct vectoriser *v);
const struct profile_binding *vectoriser_binding(const struct vectoriser *v); /* NULL without a profile or its columns */

struct vector *vector_new(struct arena *a, const struct vectoriser *v);

/* Vectorises one row of cells; never fails and never allocates. `now_ms`: the moment from which the profile's events age. */
void vectorise_row(const struct vectoriser *v, const str *cell, int64_t now_ms, struct vector *out);

/* Rows of a frame as a dataset with outcomes y[n] (NULL: zeros). *missing, when not NULL, gets n * n_term marks. */
void vectorise_rows(struct arena *a, const struct vectoriser *v, const struct frame *f, const uint32_t *rows, size_t n,
                    const double *y, int64_t now_ms, struct dataset **out, const unsigned char **missing);

/* A dataset and its marks made before the schema had interactions, as `v` with them would have made it. */
void vectorise_widen(struct arena *a, const struct vectoriser *v, struct dataset **s, const unsigned char **missing);

/* The sub-score that an average lead has in a section, from the criteria's typical credits. */
double vectorise_typical(const struct profile *p, enum profile_section section);

#endif
