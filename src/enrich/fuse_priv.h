/* fuse_priv.h — the claims of one field as the models take them. */
#ifndef GALENA_ENRICH_FUSE_PRIV_H
#define GALENA_ENRICH_FUSE_PRIV_H

#include "enrich/fuse.h"

/* Texts that repeat are stored once; numbers count from 0 in order of appearance until names_rank. */
struct names {
    str *text;
    uint32_t *slot;
    size_t n, cap, slots;
};

void names_init(struct names *t, struct arena *a);
uint32_t names_add(struct names *t, struct arena *a, str text);

/* rank[n]: the place of each text in byte order. Reorders the texts accordingly; names_add must not be called after. */
uint32_t *names_rank(struct names *t, struct arena *a);

struct observation {
    uint32_t object, attribute, source, value; /* value: number of the text */
    int64_t at_ms;
    float confidence;
    bool anchor, dropped, supports;
    uint64_t order; /* when it came */
};

/* One field: its observations, sorted by object, source, value. */
struct field_view {
    struct arena *arena; /* for results */
    const struct fuse_options *options;
    const struct names *objects, *sources, *values;
    str attribute;
    enum fuse_type type;
    struct observation *o;
    size_t n;
    int64_t newest_ms;
    const double *usual;    /* what each source states on average, NaN when nothing */
    const uint32_t *family; /* of each source: sources named "crm:anna" and "crm:ben" are a family */
    size_t n_family;
    const uint32_t *start; /* n_item + 1: where each item begins in o */
    size_t n_item;
};

/* Accuracy of each source in one field of single values. */
struct field_accuracy {
    bool known;
    double mean, *accuracy, *evidence;
};

/* Fuses a field of single values. prior: accuracy expected of each source, or NULL. With fact NULL only learns. */
void field_fuse_category(const struct field_view *v, const double *prior, struct fuse_fact *fact, struct fuse_field *field,
                         struct field_accuracy *learned);
void field_fuse_amount(const struct field_view *v, struct fuse_fact *fact, struct fuse_field *field,
                       struct fuse_source_worth *worth);
void field_fuse_list(const struct field_view *v, struct fuse_fact *fact, struct fuse_field *field,
                     struct fuse_source_worth *worth);

/* Age in years, stated confidence against the source's usual, and 1 / claims of its source of observations from..to-1, the
 * dropped and the anchors left out; returns how many there are. at: the observation of each claim. */
struct field_claims {
    uint32_t *start, *source, *at; /* start: n_item + 1 */
    float *age_year, *trust, *share;
    size_t n;
};
void field_claims_new(const struct field_view *v, struct arena *a, struct field_claims *out);

/* Lists the sources of item i for and against (observation.supports). */
void field_list_sources(const struct field_view *v, size_t i, struct fuse_fact *fact);

#endif
