/* schema.h — the feature schema: what each field of a file of leads is, and how it becomes numbers (Eq. 1-4, 33).
 *
 * Inferred from a training file (features/infer.h), shown to the user, kept as YAML that may be edited, and stored inside
 * every model, so that training and scoring compute the same numbers. A field has choices (type, transform, missing tokens,
 * levels, bin edges: what a person may edit) and fitted constants (centre, scale, rates: what only the training rows can
 * say). A field without the latter is not `fitted`; features/infer.h fits it from training rows. docs/formats/schema.md
 * explains the file to its users. */
#ifndef GALENA_LEAD_SCHEMA_H
#define GALENA_LEAD_SCHEMA_H

#include "base/json.h"
#include "base/time.h"

enum {
    SCHEMA_VERSION = 1,
    SCHEMA_MAX_FIELD = 10000,
    SCHEMA_MAX_LEVEL = 5000, /* of one field */
    SCHEMA_MAX_EDGE = 1000,
    SCHEMA_MAX_MISSING = 64,     /* tokens of one field */
    SCHEMA_MAX_TEXT_BYTE = 4096, /* of any name, level or token */
    SCHEMA_N_QUANTILE = 21,      /* 0, 5, ..., 100 % */
    SCHEMA_MAX_PRODUCT = 64      /* of all interactions together */
};

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

/* Which choices the schema file states; the rest is inferred. */
enum field_given {
    GIVEN_TYPE = 1,
    GIVEN_TRANSFORM = 2,
    GIVEN_MISSING = 4,
    GIVEN_LEVELS = 8,
    GIVEN_EDGES = 16,
    GIVEN_MINIMUM = 32,
    GIVEN_GROUP = 64,
    GIVEN_DECIMAL = 128,
    GIVEN_SEPARATOR = 256,
    GIVEN_DATE_ORDER = 512
};

/* A level of a category. Its most frequent spelling is the one shown; other spellings (case, space) are merged into it. */
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
    str note;  /* why it is what it is, for the person who reads the file */
    enum field_type type;
    enum transform transform;
    unsigned given; /* enum field_given */

    /* Tokens that mean "not known" here, besides the empty cell. The first n_missing_own of them were frequent enough to get
     * a column each: "Select" and the empty cell are both missing and may yet say different things. */
    const str *missing;
    size_t n_missing, n_missing_own;
    bool missing_seen; /* some training row lacked it */

    /* category, multi, flag: the levels with a column of their own, in order. Rarer ones share the level "other". */
    const struct level *level;
    size_t n_level;
    bool has_other; /* rare levels were pooled at training */
    char separator; /* multi */

    /* numeric and date (after being made a number: days since reference_ms) */
    char decimal;               /* '.' or ',': the decimal mark in this column */
    enum time_order date_order; /* date: how 03/04/2026 is read */
    const double *edge;         /* inner bin edges, ascending, of the untransformed number; a bin holds its lower edge */
    size_t n_edge;
    double minimum;       /* smaller values are input errors; -INFINITY when all are allowed, 0 under log1p */
    double low, high;     /* the transformed number is clipped to this range */
    double center, scale; /* then standardised: (t - center) / scale; scale > 0 */
    int64_t reference_ms; /* date: day 0 */

    /* What is typical, over the training rows, for reasons and for imputation. Shares sum to 1. Rates are shares of
     * positives, shrunk towards the base rate; NULL when the schema was made without outcomes. */
    const double *level_rate,
        *level_share;                   /* field_slots(): the levels, other, missing, then each token with its own column */
    const double *bin_rate, *bin_share; /* n_edge + 1, among the rows that know the number; NULL when n_edge is 0 */
    double typical_converted;           /* numeric: median among converted rows; NaN when there are none */
    double typical_other;               /* numeric: median among the rest */
    const double *quantile;             /* numeric, date: SCHEMA_N_QUANTILE quantiles of the known values, or NULL */

    bool fitted; /* the constants above are there and agree with the choices */
};

/* Two columns multiplied, named by their ids (features/encode.h): {"Lead Origin=API", "TotalVisits"}. */
struct product {
    str first, second;
};

/* Two fields that say more together than each alone, as products of their columns (Eq. 33); or the square of one number,
 * both fields being the same. */
struct interaction {
    str title;              /* "Lead Origin × TotalVisits", "TotalVisits squared" */
    uint32_t first, second; /* fields, in use */
    const struct product *product;
    size_t n_product; /* at least 1 */
};

/* Something a person should know about the training file. */
struct schema_warning {
    str code;  /* "case_variants", "mixed_types", "unparsable_values", "many_missing", "ambiguous_numbers", "column_unlisted"
                */
    str field; /* column */
    str message;
};

struct schema {
    int64_t version;
    str target, positive; /* label column and the value that means converted; target "" when none */
    str id, time;         /* columns, "" when none */
    const struct field *field;
    size_t n_field;
    const struct interaction *interaction;
    size_t n_interaction;
    bool interaction_given;               /* the file states them, if only that there are none: then training selects none */
    const struct schema_warning *warning; /* of the inference; not part of the file */
    size_t n_warning;
};

/* The file form: JSON tree (YAML for people; JSON inside models) to schema and back. Only a field's name is required.
 * from_json: ERR_INPUT with line and column for an unknown key, a wrong type or an impossible value (slugs "schema_…");
 * nothing it says is trusted. Fitted constants that do not agree with edited choices are dropped: the field is then not
 * `fitted`. */
err schema_from_json(struct arena *a, const struct json *v, struct schema **out) MUST_CHECK;

/* The schema as one JSON value, fitted constants included: reading it back gives an equal schema. */
void schema_to_json(struct json_writer *w, const struct schema *s);

/* The choices alone: what `galena schema` shows and a person edits. */
void schema_to_json_choices(struct json_writer *w, const struct schema *s);

const char *field_type_name(enum field_type type); /* "numeric", "category", ... */

/* True when the type makes features: numeric, category, multi, flag, date. */
bool field_is_used(const struct field *f);

/* True for the types with levels: category, multi, flag. */
bool field_has_levels(const struct field *f);

/* Length of level_rate and level_share: n_level + 2 + n_missing_own. Index n_level is "other", n_level + 1 is missing, and
 * n_level + 2 + j the token missing[j]. For numbers and dates n_level is 0 and slot 0 is "known". */
static inline size_t field_slots(const struct field *f) { return f->n_level + 2 + f->n_missing_own; }

/* An interaction of two fields with its title. `product` is kept, not copied. */
struct interaction schema_interaction(struct arena *a, const struct schema *s, uint32_t first, uint32_t second,
                                      const struct product *product, size_t n_product);

/* Index of the field with that column name, or -1. */
ptrdiff_t schema_find(const struct schema *s, str name);

#endif
