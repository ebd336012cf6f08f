/* bundle.h — a trained model as it travels: schema, families with their weights, calibration, profile, lineage, in one file.
 *
 * File format (docs/formats/model.md): a first line "galena-model VERSION SHA-256 BYTES" and a JSON document of that many
 * bytes with that checksum. Everything scoring needs is inside. */
#ifndef GALENA_SCORE_BUNDLE_H
#define GALENA_SCORE_BUNDLE_H

#include "base/json.h"
#include "lead/schema.h"
#include "ml/calibration.h"
#include "ml/family.h"
#include "profile/profile.h"

#define BUNDLE_MAGIC "galena-model " /* what every model file begins with */

enum { BUNDLE_VERSION = 1, BUNDLE_MAX_MEMBER = 8 };

/* One fitted family with its weight in the log-odds of the whole. */
struct bundle_member {
    const struct model_family *family;
    const struct model *model;
    double weight; /* >= 0 */
};

/* If you change this: bundle_write, bundle_read, docs/formats/model.md, BUNDLE_VERSION, tests/golden/models. */
struct bundle {
    str name;    /* for people: the file name it was saved under */
    str family;  /* as asked for: auto, logistic, ... */
    str program; /* version of galena that made it */
    int64_t created_ms;
    uint64_t seed;
    bool no_signal; /* cross-validation found nothing better than the base rate: the model predicts it */

    const struct schema *schema;
    const struct profile *profile; /* NULL when trained without one */

    /* log-odds = intercept + sum of weight * member; calibration maps them to the probability */
    double intercept;
    struct bundle_member member[BUNDLE_MAX_MEMBER];
    size_t n_member;
    const struct calibration *calibration;
    /* variance of the log-odds = (spread_scale * sum of weight * spread)^2 + excess */
    double spread_scale; /* > 0 */
    double excess;       /* >= 0; what the members' spreads do not show, the same for all leads */
    double base_rate;    /* share of converted training rows */

    /* by column and by term; a term is a field of the schema, or, after the fields, a sub-score of the profile, or, after
     * those, an interaction of the schema */
    size_t n_column, n_term;
    const uint32_t *term_of_column;
    const double *importance; /* n_term mean absolute shares over training rows */
    const double *imputation; /* n_term variances of the log-odds when the term's value is drawn from its distribution */

    double hot, warm; /* tier thresholds on the probability */
    str path;         /* of the file it was read from, for messages; not part of it */

    const struct json *lineage; /* what it was trained on, with which split and metrics: an object */
};

/* Serialises. */
err bundle_write(const struct bundle *b, struct buf *out) MUST_CHECK;

/* Reads a file's bytes, which must outlive the bundle. ERR_CORRUPT (slugs "model_cut", "model_checksum", "model_damaged"),
 * ERR_INPUT (slugs "model_not_a_model", "model_newer": made by a later galena). Nothing in it is trusted, not even under a
 * right checksum. */
err bundle_read(struct arena *a, str bytes, struct bundle **out) MUST_CHECK;

/* The file, with its name in every message. */
err bundle_load(struct arena *a, const char *path, struct bundle **out) MUST_CHECK;

/* The term of the schema's first interaction; n_term when it has none. */
size_t bundle_first_interaction(const struct bundle *b);

/* Title of a term: the field's title, the sub-score's, or the interaction's. */
str bundle_term_title(const struct bundle *b, size_t term);
str bundle_term_group(const struct bundle *b, size_t term);

/* The families a file may hold, by name. NULL when there is no such family. */
const struct model_family *family_find(str name);

#endif
