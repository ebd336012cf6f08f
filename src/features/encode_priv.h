/* encode_priv.h — what the files that make an encoder share: the columns of each field and the spellings of its levels. */
#ifndef GALENA_FEATURES_ENCODE_PRIV_H
#define GALENA_FEATURES_ENCODE_PRIV_H

#include "features/encode.h"

enum { N_MONTH = 12, N_WEEKDAY = 7 };

/* A spelling and the slot it stands for: a level, or n_level + 1 and on for what is missing. */
struct entry {
    uint64_t hash;
    str text;
    uint32_t slot; /* + 1; 0 when free */
};
/* A field of the schema in a file. */
struct binding {
    const struct field *f;
    int32_t column; /* of the file, or -1 */
    enum field_type type;
    uint32_t number, missing, bin, level, month; /* first column of each part */
    uint32_t rate;                               /* column of the rate */
    double *rate_of;                             /* field_slots(): log-odds; NULL: no such column */
    struct entry *table;
    size_t mask; /* table size - 1 */
};

struct encoder {
    const struct schema *schema;
    struct binding *bind; /* one a field */
    struct feature *feature;
    unsigned char *use;
    uint32_t *field_of, *absent;
    size_t width, cap, n_absent, n_used, max_nonzero;
    struct products products;
};

/* The slot that stands for a text, + 1; 0 when none does. */
static inline uint32_t encode_find(const struct binding *b, str text) {
    uint64_t h = str_hash(text);
    for (size_t at = h & b->mask; b->table[at].slot; at = (at + 1) & b->mask)
        if (b->table[at].hash == h && str_equal(b->table[at].text, text))
            return b->table[at].slot;
    return 0;
}

/* As find, looking first where the last row's text was: neighbouring rows are often alike, and comparing is cheaper than
 * hashing. */
static inline uint32_t encode_find_again(const struct binding *b, str text, uint32_t *last) {
    const struct entry *guess = &b->table[*last];
    if (str_equal(guess->text, text))
        return guess->slot;
    uint64_t h = str_hash(text);
    for (size_t at = h & b->mask; b->table[at].slot; at = (at + 1) & b->mask)
        if (b->table[at].hash == h && str_equal(b->table[at].text, text)) {
            *last = (uint32_t)at;
            return b->table[at].slot;
        }
    return 0;
}

/* Log-odds of a conversion rate, kept finite. */
double encode_rate_number(double rate);

str encode_number_text(struct arena *a, double v);

/* ---- encode_columns.c ---- */

/* At most so many columns come from a field. */
size_t encode_columns_most(const struct field *f);

/* Adds the columns of field i, and says in its binding where they begin. */
void encode_columns_add(struct arena *a, struct encoder *e, uint32_t i);

/* Adds the products of the schema's interactions (Eq. 33), behind the columns that are multiplied. ERR_INPUT
 * "schema_interaction". */
err encode_products_add(struct arena *a, struct encoder *e) MUST_CHECK;

#endif
