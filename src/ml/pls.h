/* pls.h — predictive lead scoring as a widespread open-source CRM suite does it: a comparator, not a family.
 *
 * Won and lost leads are counted by team, field and value; a score is naive Bayes over these counts, with the suite's own
 * rules: 0.1 added to every count that exists, a won lead counts for every stage and a lost one for the stages it reached,
 * teams are separate worlds, pairs never seen are skipped, tags below 50 leads are skipped, and the result is rounded to two
 * decimals and kept within 0.01 and 99.99. It is reproduced as it is, weaknesses included.
 *
 * Everything is a code: teams 0..n_team-1, fields 0..n_field-1, values 0..n_value[field]-1, stages 0..n_stage-1 in order. */
#ifndef GALENA_ML_PLS_H
#define GALENA_ML_PLS_H

#include "base/arena.h"

#include <stdbool.h>

static const uint32_t PLS_NO_TEAM = UINT32_MAX;

/* A field's value in a lead. A field that is empty is left out, unless its emptiness is a value (phone and e-mail quality):
 * then that has a code. Several pairs of one field are tags. */
struct pls_value {
    uint32_t field, value;
};

enum pls_outcome { PLS_OPEN, PLS_WON, PLS_LOST };

struct pls_lead {
    uint32_t team; /* or PLS_NO_TEAM */
    uint32_t stage;
    enum pls_outcome outcome; /* open leads are not counted */
    const struct pls_value *value;
    size_t n_value;
};

struct pls_shape {
    uint32_t n_team, n_field, n_stage;
    const uint32_t *n_value; /* n_field */
    const bool *is_tag;      /* n_field: values with fewer than 50 leads are skipped; NULL: none */
    uint32_t first_stage;    /* lowest stage not bound to a team: its counts are the totals */
    uint32_t won_stage;      /* leads there score 100 */
};

struct pls;

/* Counts the closed leads of `leads`. The shape is copied. ERR_INPUT "pls_code" for a code that the shape does not have. */
err pls_new(struct arena *a, const struct pls_shape *shape, const struct pls_lead *leads, size_t n,
            struct pls **out) MUST_CHECK;

/* Per cent, 0.01 to 99.99 (100 in the won stage), two decimals. ERR_ABSENT "pls_no_counts" when the lead's scope has no won
 * or no lost leads in the first stage, where the suite shows 0; ERR_INPUT "pls_code". */
err pls_score(const struct pls *p, const struct pls_lead *lead, double *per_cent) MUST_CHECK;

#endif
