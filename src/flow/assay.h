/* assay.h — the assay of a file of leads: every row through vectorise, score and explain, and out again with its score.
 *
 * Rows stream in batches, so that memory does not depend on their number; batches run on several threads and are written in
 * file order, so that the result does not depend on how many. Every row ends in exactly one status (lead/record.h) and in
 * one row of the output. */
#ifndef GALENA_FLOW_ASSAY_H
#define GALENA_FLOW_ASSAY_H

#include "base/file.h"
#include "intake/reject.h"
#include "lead/record.h"
#include "score/bundle.h"

struct assay_options {
    const struct bundle *bundle;   /* NULL: the profile alone scores */
    const struct profile *profile; /* its negative personas disqualify; NULL: those of the bundle's profile, if any */
    double hot, warm;              /* tier thresholds when there is no bundle */
    size_t reasons;                /* 0..REASON_MAX */
    double interval;               /* such as 0.95; 0: no interval, its columns repeat the score */
    unsigned threads;              /* 0: all cores */
    bool json_lines;               /* write JSON lines rather than CSV */
    int64_t now_ms;                /* from which the age of events counts */
    void (*progress)(void *ctx, uint64_t rows, uint64_t byte, uint64_t total_byte); /* may be NULL */
    void *progress_ctx;
};

enum { ASSAY_SHOWN_FAULTS = 5, ASSAY_HISTOGRAM = 20 };

/* A cell or row that could not be read, for people. */
struct assay_fault {
    uint64_t line;
    str column, reason;
};

struct assay_result {
    uint64_t rows, status[RECORD_STATUS_COUNT], tier[TIER_COUNT];
    uint64_t invalid_cells;              /* scored as missing */
    uint64_t histogram[ASSAY_HISTOGRAM]; /* of probabilities, by twentieths */
    double probability_sum, width_sum;
    struct assay_fault fault[ASSAY_SHOWN_FAULTS]; /* the first ones */
    size_t n_fault;
    str *absent; /* columns that the model looks at and the file lacks, most important first: scored as not known */
    size_t n_absent;
};

/* Reads `table` to its end and writes to `out`. `reject` (may be NULL) gets failed rows and unreadable cells. Result texts
 * live in `a`. Errors: of binding ("encoder_…", "profile_no_columns"), of reading and of writing. */
err assay_run(struct arena *a, struct table *table, const struct assay_options *o, struct file_out *out,
              struct reject *reject, struct assay_result *result) MUST_CHECK;

#endif
