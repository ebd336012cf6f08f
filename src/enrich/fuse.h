/* fuse.h — observations become facts: what several sources claim of objects, resolved field by field, with a confidence.
 *
 * Claims are gathered with fuse_add in any order; fuse_run fits one model a field (attribute) of the kind its values call
 * for (ml/fusion_category.h, fusion_number.h, fusion_set.h) and gives one fact for each object and attribute. The result
 * does not depend on the order of the claims, to the bit (of values that are equally probable the first claimed is taken),
 * and an exact repetition of a claim by its source changes nothing. Memory is O(claims). What a source is worth in one field
 * is also evidence for the others. */
#ifndef GALENA_ENRICH_FUSE_H
#define GALENA_ENRICH_FUSE_H

#include "enrich/fuse_value.h"

#include <stdint.h>

#define FUSE_UNKNOWN_TIME INT64_MIN

/* Attribute and its type, where the user knows better than the values tell. */
struct fuse_override {
    str attribute;
    enum fuse_type type;
};

struct fuse_options {
    const struct fuse_override *override;
    size_t n_override;
    const str *anchor; /* sources whose claims are verified: taken as true, and others are measured by them */
    size_t n_anchor;
    uint64_t max_claim; /* 0: 50 million */
};

/* One observation. Texts are copied. */
struct fuse_claim {
    str object, attribute, value, source;
    int64_t observed_ms; /* or FUSE_UNKNOWN_TIME */
    double confidence;   /* what the source states, in (0, 1]; NaN when it states nothing */
};

/* What is taken to be true of one attribute of one object. */
struct fuse_fact {
    str object, attribute, value;
    enum fuse_type type;
    double confidence; /* that the value is right; of an amount: that the truth lies within 10 % of it */
    double low, high;  /* of an amount the interval of 90 %; else NaN */
    bool contested;    /* sources contradict it, and not by an outlier alone */
    bool verified;     /* an anchor says so */
    uint32_t n_for, n_against;
    const uint32_t *sources; /* fuse_source numbers: first those for it, then those against, each in order of name */
};

/* What was learned of one source in one field. */
struct fuse_source_worth {
    str source, attribute;
    double evidence;           /* claims behind it */
    double accuracy;           /* one value or a list; else NaN. Of a list: the part of the members that it names */
    double added;              /* of a list: how often it names a wrong candidate; else NaN */
    double bias, noise, gross; /* of an amount: bias and standard deviation (of the logarithm when log), errors */
    bool log;
};

struct fuse_field {
    str attribute;
    enum fuse_type type;
    bool log; /* an amount whose differences are ratios */
    uint64_t claims, items;
    unsigned rounds, dependent_pairs;
};

struct fuse_result {
    struct fuse_fact *fact; /* in the order in which the claims first name them */
    size_t n_fact;
    struct fuse_field *field;
    size_t n_field;
    struct fuse_source_worth *worth;
    size_t n_worth;
    uint64_t claims, empty, repeated, superseded; /* given; without a value; said twice; replaced by the source itself */
    size_t n_source, n_object;
};

struct fuse;

struct fuse *fuse_new(struct arena *a, const struct fuse_options *o);

/* Takes a claim; one whose value says nothing is only counted. ERR_INPUT: "fuse_no_object", "fuse_no_attribute",
 * "fuse_no_source"; ERR_LIMIT "fuse_claims". */
err fuse_add(struct fuse *f, const struct fuse_claim *c) MUST_CHECK;

/* All facts. Once. */
void fuse_run(struct fuse *f, struct fuse_result *out);

str fuse_source(const struct fuse *f, uint32_t number);

#endif
