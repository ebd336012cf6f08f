/* reason.h — sentences that say why a score is what it is.
 *
 * A reason is one term of the model (a field, a sub-score of the profile, or an interaction of two fields) with its share of
 * the log-odds: it names the value, what is typical when that is known and agrees with the direction, and by how much the
 * share multiplies or divides the odds relative to the average lead. The sentences are the model's own: their signs are the
 * signs of the shares, the largest come first, and a term without a share is never a reason. */
#ifndef GALENA_EXPLAIN_REASON_H
#define GALENA_EXPLAIN_REASON_H

#include "base/buf.h"
#include "lead/record.h"
#include "lead/schema.h"

enum { REASON_MAX = 20 };

/* Smallest share, in log-odds, that is worth a sentence: odds times or divided by 1.02. */
#define REASON_LEAST_SHARE 0.02

/* A term beyond the fields: a sub-score of the profile with its value for this lead, or a criterion with the cell it read.
 */
struct extra_term {
    str title;    /* "Firmographic fit" */
    double value; /* shown with two decimals when there is no text */
    str text;
};

struct reason_input {
    const struct schema *schema;
    const struct field_value *value; /* one for each field of the schema */
    const struct extra_term *extra;
    size_t n_extra;
    const double *share; /* n_field + n_extra + n_interaction shares of the log-odds */
    double base_rate;    /* share of converted leads at training; NaN when unknown */
};

/* Indices of the up to `most` terms with the largest absolute shares of at least REASON_LEAST_SHARE, largest first; ties by
 * index. Returns how many. `most` is at most REASON_MAX. */
size_t reason_rank(const double *share, size_t n, size_t most, uint32_t *out);

/* Appends the sentence for one term. */
void reason_write(struct buf *out, const struct reason_input *in, uint32_t term);

#endif
