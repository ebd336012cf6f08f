/* encode.h — rows of text to the numbers that models see, by a fitted schema (Eq. 1-4, 33).
 *
 * The columns of one field are adjacent, in this order:
 *   numeric  number · missing · one a missing token of its own · bins
 *   category, flag, multi  (rate) · levels · other · missing · one a missing token of its own
 *   date     number (days since the reference) · missing · tokens · bins · 12 months · 7 weekdays (Monday first)
 * and after the columns of all fields the products of the schema's interactions (Eq. 33; ml/products.h), for additive
 * families. Numbers are clipped, log1p-transformed where the schema says so (Eq. 4), and standardised; indicators are 1 (Eq.
 * 3). A known number is always listed, even when it is 0; a field that is not known lists no number, which is "missing" to
 * trees.
 *
 * A category of many levels has the log-odds of its level's conversion rate (shrunk, over the training rows) as a number of
 * its own: trees cut hundreds of levels with it at once. Its most frequent levels alone are columns for trees, and for
 * additive families; the rest are known by the rate. Training rows must not know their own outcome by it:
 * encoder_order_rates.
 *
 * The width depends on the schema alone, not on the file. An encoder is const after encoder_new and may be shared by
 * threads; each thread has its own struct encoded. */
#ifndef GALENA_FEATURES_ENCODE_H
#define GALENA_FEATURES_ENCODE_H

#include "lead/frame.h"
#include "lead/record.h"
#include "lead/schema.h"
#include "ml/dataset.h"
#include "ml/products.h"

enum feature_kind {
    FEATURE_NUMBER,
    FEATURE_MISSING,
    FEATURE_BIN,
    FEATURE_LEVEL,
    FEATURE_OTHER,
    FEATURE_RATE,
    FEATURE_PRODUCT,
    FEATURE_KIND_COUNT
};

/* One column. */
struct feature {
    str id;    /* "Lead Source=Google", "TotalVisits", "TotalVisits[3,5)", "TotalVisits=?": unique, stable for a schema */
    str label; /* for people: "Lead Source is Google", "TotalVisits from 3 to below 5", "TotalVisits is not known" */
    uint32_t field; /* index into the schema's fields; product: the first of the two */
    enum feature_kind kind;
    unsigned char use; /* mask of enum column_use (ml/family.h) */
    uint32_t slot;     /* level: its index; bin: its index; missing: 0, or 1 + j for missing token j; date parts: see
                          encode_columns.c;     product: index into the schema's interactions */
};

struct encoder;

/* One encoded row, with room for any row of its encoder. */
struct encoded {
    struct row row; /* points into the room below; valid until the next encode_row */
    uint32_t *col;
    double *val;
    struct field_value *value; /* one a field of the schema (lead/record.h); fields that are not used are VALUE_MISSING and
                                  not counted; number is NaN unless known */
    uint32_t *last;            /* one a field: where in its table the last text was found */
    uint32_t n_known, n_missing, n_unseen, n_invalid; /* of the fields in use */
};

/* Binds a schema to the columns of a file. Used fields that the file lacks count as missing (encoder_absent). ERR_INPUT when
 * a used field is not fitted (slug "schema_unfitted"), the file has none of them (slug "encoder_no_column"), or an
 * interaction names a column that its field does not make (slug "schema_interaction"). */
err encoder_new(struct arena *a, const struct schema *s, const str *columns, size_t n_column,
                struct encoder **out) MUST_CHECK;

size_t encoder_width(const struct encoder *e);                   /* number of columns, d */
const struct feature *encoder_features(const struct encoder *e); /* d of them */
const unsigned char *encoder_use(const struct encoder *e);       /* d masks, as struct fit_opts wants them */
const uint32_t *encoder_field(const struct encoder *e);          /* d field indices, likewise */
const struct schema *encoder_schema(const struct encoder *e);
const struct products *encoder_products(const struct encoder *e);   /* n is 0 without interactions */
const uint32_t *encoder_absent(const struct encoder *e, size_t *n); /* used fields that the file lacks */
size_t encoder_used(const struct encoder *e);                       /* number of used fields */

/* The most entries a row can have: what encoded_new makes room for. A multi-value field lists at most its levels and
 * "other". */
size_t encoder_max_nonzero(const struct encoder *e);

struct encoded *encoded_new(struct arena *a, const struct encoder *e);

/* Encodes one row: cell[] has the file's columns in the order given to encoder_new, and must outlive the use of
 * out->value[].text. Never fails and never allocates. A cell that is not of its field's type (words in a number, 2026-02-30,
 * a number below the field's minimum) is VALUE_INVALID: counted, encoded as missing, and explained by encode_explain; the
 * caller decides. */
void encode_row(const struct encoder *e, const str *cell, struct encoded *out);

/* Why the cell of a field is VALUE_INVALID: "column Founded (date): \"2026-02-30\" is a day that the calendar does not
 * have". */
str encode_explain(struct arena *a, const struct encoder *e, uint32_t field, const struct field_value *v);

/* Replaces each row's rate numbers by those of the rows before it in a random order (Prokhorenkova et al. 2018): neither the
 * row's own outcome nor, as when folds take turns, its absence can be read from them. s: rows of the encoder, further
 * columns behind its own allowed, with outcomes in s->y. */
void encoder_order_rates(struct arena *a, const struct encoder *e, struct dataset *s, uint64_t seed);

#endif
