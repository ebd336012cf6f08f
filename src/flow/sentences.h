/* sentences.h — the reasons of one lead after another, written into the same room: shared by files and runs. */
#ifndef GALENA_FLOW_SENTENCES_H
#define GALENA_FLOW_SENTENCES_H

#include "base/buf.h"
#include "explain/reason.h"
#include "score/bundle.h"

/* What a lead's sentences are made from. */
struct sentence_input {
    const struct field_value *value; /* of the bundle's fields */
    const double *section;           /* sub-scores of the bundle's profile; NULL without one */
    const str *credit_value;         /* by the profile alone: the cells its criteria were read from */
    const double *share;             /* of terms; by the profile alone, of criteria */
};

struct sentences {
    const struct bundle *bundle;
    size_t most;
    struct extra_term *extra; /* sections of the bundle's profile; or the criteria of the profile that scores alone */
    size_t n_extra;
    struct buf text; /* the sentences of one lead, one behind the other */
    uint32_t term[REASON_MAX];
    str sentence[REASON_MAX]; /* n, in `text`: valid until the next lead */
    size_t n;
};

/* Room for up to `most` sentences a lead. Without a bundle the profile scores alone. */
struct sentences *sentences_new(struct arena *a, const struct bundle *b, const struct profile *p, size_t most);

/* The sentences of one lead; allocates nothing. */
void sentences_make(struct sentences *x, const struct sentence_input *in);

#endif
