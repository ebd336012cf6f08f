/* assay_priv.h — what the assay's reading and writing halves share. */
#ifndef GALENA_FLOW_ASSAY_PRIV_H
#define GALENA_FLOW_ASSAY_PRIV_H

#include "features/vectorise.h"
#include "flow/assay.h"
#include "flow/settle.h"

struct assay_row {
    const struct table_row *in;
    enum record_status status;
    str note; /* why it was not scored */
    struct row x;
    unsigned char *missing; /* n_term */
    const struct field_value *value;
    double section[SECTION_COUNT];
    const double *share;     /* of the terms in the log-odds; by the profile alone: of its criteria */
    const str *credit_value; /* by the profile alone: the cells the criteria were read from */
    uint32_t n_invalid;
    struct score score;
};

/* A cell that could not be read. */
struct assay_invalid {
    size_t row;
    uint32_t position; /* 1-based column of the file */
    str column, reason;
};

struct assay_batch {
    struct arena *arena; /* of the rows read */
    struct table_row *in;
    size_t n;
    struct assay_row *row; /* in the thread's scratch, like `missing` */
    unsigned char *missing;
    struct arena *scratch;
    struct assay *owner;
    struct buf out;
    struct assay_invalid *invalid; /* in `arena`: all of them when there is a rejects file, else those that are shown */
    size_t n_invalid, cap_invalid, n_invalid_all;
    uint64_t status[RECORD_STATUS_COUNT], tier[TIER_COUNT], histogram[ASSAY_HISTOGRAM];
    double probability_sum, width_sum;
};

struct assay {
    struct arena *a;
    const struct assay_options *o;
    const struct bundle *bundle;
    const struct profile *profile; /* that scores alone, or whose rules disqualify; may be NULL */
    struct assay_result *result;
    struct vectoriser *vectoriser;         /* NULL without a bundle */
    const struct profile_binding *binding; /* of `profile`; NULL when the file has none of its columns */
    double hot, warm;
    const str *column; /* of the file */
    size_t n_column;
    bool *own; /* columns of an earlier assay, which the new ones replace */
    bool any_own;
    bool keep_invalid; /* every cell that could not be read is wanted */
    char delimiter;
    struct settling settling; /* of the bundle */
    struct assay_batch *batch;
    size_t n_batch;
};

/* assay_profile.c: scores a batch by the profile alone. */
void assay_score_by_profile(const struct assay *w, struct assay_batch *b, struct arena *scratch);

/* The header of a CSV file; nothing for JSON lines. Also marks the columns that are to be replaced. */
void assay_write_head(struct assay *w, struct buf *out);

/* Explains and writes the rows of a batch to b->out and counts them. */
void assay_write_batch(const struct assay *w, struct assay_batch *b, struct arena *scratch);

#endif
