/* schema.h — the feature schema: what each field of a file of leads is, and how it becomes numbers (Eq. 1-4, 33).
 *
 * Inferred from a training file (features/infer.h), shown to the user, kept as YAML that may be edited, and stored inside every
 * model, so that training and scoring compute the same numbers. The fitted constants (levels, bin edges, centre, scale) are part
 * of it: a schema with them is complete, one without them is completed from the training rows. */
#ifndef GALENA_LEAD_SCHEMA_H
#define GALENA_LEAD_SCHEMA_H

#include "base/json.h"

enum { SCHEMA_VERSION = 1 };

/* If you change this: schema_type_names in schema.c, docs/formats/schema.md, share/schemas/schema.json, the encoder. */
enum field_type {
    FIELD_NUMERIC,    /* a quantity */
    FIELD_CATEGORY,   /* one of several levels; codes such as a region number too */
    FIELD_MULTI,      /* several levels in one cell, separated */
    FIELD_FLAG,       /* yes or no */
    FIELD_DATE,       /* a day or a moment */
    FIELD_TEXT,       /* free text: ignored for now */
    FIELD_IDENTIFIER, /* names the row: never a feature */
    FIELD_CONSTANT,   /* one value everywhere: never a feature */
    FIELD_IGNORED,    /* excluded by the user, or by the leakage sentinel */
    FIELD_TYPE_COUNT
};

enum transform { TRANSFORM_NONE, TRANSFORM_LOG1P, TRANSFORM_COUNT }; /* Eq. 4: log(s + 1) for sizes */

/* A level of a category. Its first spelling is the one shown; other spellings (case variants) are merged into it. */
struct level {
    str text;
    const str *variant; /* other spellings */
    size_t n_variant;
};

struct field {
    str name;  /* column name in the file */
    str title; /* for people; the name when not set */
    str unit;  /* "" when none */
    str group; /* firmographic, technographic, demographic, chronographic, behavioural, textual, other */
    enum field_type type;
    enum transform transform;
    const str *missing; /* tokens that mean "not known" here, besides the empty cell */
    size_t n_missing;

    /* category, multi, flag: the levels with a column of their own, in order. Rarer ones share the level "other". */
    const struct level *level;
    size_t n_level;
    bool has_other; /* rare levels were pooled at training */
    char separator; /* multi */

    /* numeric and date (after being made a number): fitted on training rows */
    const double *edge; /* inner bin edges, ascending, of the untransformed number */
    size_t n_edge;
    double low, high;      /* the transformed number is clipped to this range */
    double center, scale;  /* then standardised: (t - center) / scale */
    double minimum;        /* smallest value allowed before log1p; a smaller one is an input error for the row */
    bool missing_seen;     /* some training row lacked it */
    int64_t reference_ms;  /* date: day 0 */

    /* what is typical, for reasons and for imputation: over the training rows that know the field */
    const double *level_rate;       /* n_level + 2 (other, missing): share of positives, shrunk */
    const double *level_share;      /* n_level + 2: share of training rows */
    double typical_converted;       /* numeric: median among converted rows */
    double typical_other;           /* numeric: median among the rest */
    const double *quantile;         /* numeric: 21 quantiles (0, 5, ..., 100 %) of the known values */
};

struct schema {
    int64_t version;
    str target, positive; /* label column and the value that means converted; target "" when none */
    str id, time;         /* columns, "" when none */
    const struct field *field;
    size_t n_field;
};

/* The file form: JSON tree (YAML for people; JSON inside models) to schema and back. from_json: ERR_INPUT with line and column
 * for an unknown key or a wrong type; nothing it says is trusted. */
err schema_from_json(struct arena *a, const struct json *v, struct schema **out) MUST_CHECK;
void schema_to_json(struct json_writer *w, const struct schema *s);

const char *field_type_name(enum field_type type);

/* Index of the field with that column name, or -1. */
ptrdiff_t schema_find(const struct schema *s, str name);

#endif
