/* fusion_set.h — which members a list has when each source may leave some out and add others: sensitivity and false
 * positives of each source, fitted by EM (the latent truth model of Zhao and others, VLDB 2012, as point estimates).
 *
 * A member is true with the field's prior; source s names a true one with probability found_s, and one that is not true with
 * added_s. A source that says nothing of an item says nothing of its members. Any member of the field may be true of an item
 * though nobody names it. Sources that have the very same list far more often than others do repeat one another. */
#ifndef GALENA_ML_FUSION_SET_H
#define GALENA_ML_FUSION_SET_H

#include "ml/fusion_copy.h"

/* One field. Item i has claims start[i]..start[i+1]-1 and members first[i]..first[i+1]-1; claim c names the members
 * named[name_start[c]..name_start[c+1]-1], counted from 0 within the item, each once. verified: of each member 1 true, 0
 * not, -1 unknown. */
struct fusion_set_data {
    size_t n_item, n_source;
    size_t n_member; /* different members of the whole field: what could be named of any item */
    const uint32_t *start, *first, *source, *name_start, *named;
    const float *trust, *share;
    const signed char *verified;
};

struct fusion_set_source {
    double found, added, evidence;
};

struct fusion_set_model {
    double prior, mean_found, mean_added;
    double collision; /* chance that a source adds what another has added: mistakes have common causes */
    struct fusion_set_source *source;
    struct fusion_copy copy;
    double same_by_chance; /* how often sources that do not repeat one another have the same list */
    unsigned rounds;
};

void fusion_set_fit(struct arena *a, const struct fusion_set_data *d, struct fusion_set_model *out);

/* p[0..k-1]: how probable each member of item i is; k = first[i+1] - first[i]. */
void fusion_set_infer(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i, double *p);

/* How probable each of the n_member - k members is that nobody names of item i. */
double fusion_set_unnamed(const struct fusion_set_model *m, const struct fusion_set_data *d, size_t i);

#endif
