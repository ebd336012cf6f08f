/* settle.h — how a lead ends that could be read: scored, too little known, or disqualified, with a sentence that says why.
 *
 * Shared by the assay of files and the stages of runs, so that both give a lead the same score. */
#ifndef GALENA_FLOW_SETTLE_H
#define GALENA_FLOW_SETTLE_H

#include "features/vectorise.h"
#include "score/bundle.h"

/* What is asked of every lead of a model. */
struct settling {
    const struct bundle *bundle;
    const uint32_t *ranked; /* used fields, most important first */
    size_t n_ranked;
    double field_importance; /* their sum */
};

struct settling settling_of(struct arena *a, const struct bundle *b);

/* Under a model. `rules`: sub-scores of the profile whose negative personas disqualify (NULL: none, then those of v). *note,
 * in the arena, is set when the answer is not RECORD_SCORED. */
enum record_status settle_vector(const struct settling *s, const struct vector *v, const struct subscores *rules,
                                 struct arena *a, str *note);

/* By the profile alone. */
enum record_status settle_profile(const struct profile_binding *b, const struct subscores *s, struct arena *a, str *note);

/* The profile's own score; level 0: no interval. */
struct score settle_profile_score(const struct profile *p, const struct subscores *s, double level);

#endif
