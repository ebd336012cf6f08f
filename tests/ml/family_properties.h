/* family_properties.h — what holds for every model family, whatever it computes. */
#ifndef GALENA_TESTS_ML_FAMILY_PROPERTIES_H
#define GALENA_TESTS_ML_FAMILY_PROPERTIES_H

#include "ml/family.h"
#include "unit.h"

/* Leads drawn from a known truth. Columns, by field: three standardised numbers and two sub-scores, three categories of four
 * levels (one level a row, sometimes none), a field of three levels of which several may hold at once, and a column that is
 * never filled. `use` marks them for every kind of family. */
struct sample {
    struct dataset *data;
    unsigned char *use;
    uint32_t *field, *fold;
    uint32_t n_fold, n_field;
    double *truth; /* n log-odds */
};
struct sample *sample_new(struct arena *a, size_t n, uint64_t seed);

/* Options that go with the sample: its masks, fields and folds; one thread. */
struct fit_opts sample_opts(const struct sample *s);

/* All of the checks below on one fitted model. `state` is the test's arena (ARENA_TEST); `o` has the seed, and may have
 * other options that matter to the family. */
void family_check(void **state, const struct model_family *f, const struct sample *s, const struct fit_opts *o);

/* Saved, loaded and saved again: the same bytes; and the loaded model answers the same. */
void family_check_stored(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m);

/* Base and shares sum to the log-odds within 1e-9, at any scale, added to what was there; the base is the same for every row
 * and near the mean log-odds, relative to 1 + its size (family_check allows 0.3); spread is finite and not negative. */
void family_check_shares(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m,
                         double base_tolerance);

/* The same seed gives the same model, on one thread and on two, and whether or not out-of-fold predictions are wanted; other
 * rows give another. */
void family_check_deterministic(struct arena *a, const struct model_family *f, const struct sample *s,
                                const struct fit_opts *o);

/* Outcomes all 0, or all 1: ERR_INPUT. */
void family_check_one_class(struct arena *a, const struct model_family *f, const struct sample *s, const struct fit_opts *o);

/* Out-of-fold predictions are finite, differ from predictions in the sample, and do not know their own outcome: their log
 * loss is worse than in the sample but better than that of the base rate. */
void family_check_out_of_fold(struct arena *a, const struct model_family *f, const struct sample *s,
                              const struct fit_opts *o);

/* Stored models with one value replaced, one key renamed, or of another shape: refused with ERR_CORRUPT, or accepted and
 * then usable without a crash; never anything else. */
void family_check_corrupt(struct arena *a, const struct model_family *f, const struct sample *s, const struct model *m);

/* For families that treat weights exactly: a row of weight k is k rows. Log-odds agree within the tolerance. */
void family_check_weights(struct arena *a, const struct model_family *f, const struct sample *s, const struct fit_opts *o,
                          double tolerance);

/* The spread of one row. */
static inline double family_spread(const struct model_family *f, const struct model *m, struct row x) {
    double sd;
    f->spread(m, &x, 1, &sd);
    return sd;
}

#endif
