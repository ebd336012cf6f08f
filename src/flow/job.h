/* job.h — a leased run in memory, between the claim and the commit that ends its lease. */
#ifndef GALENA_FLOW_JOB_H
#define GALENA_FLOW_JOB_H

#include "store/store.h"

/* Memory that several jobs share: a claim's arena. The last one frees it. */
struct hold;

struct job {
    str tenant, lead, cause, pins, body;
    str key;           /* the lead's data key, wrapped */
    const char *fault; /* slug, when the body cannot be read */
    int64_t gen, accepted_ms, deadline_ms, attempt, fence, due;
    enum run_priority priority;
    enum lead_state state;
    bool suspect; /* a worker died that held it */
    const struct run_ask *ask;
    size_t n_ask;
    size_t byte;       /* memory that it keeps alive, about */
    struct hold *hold; /* of the claim it came with; NULL: it is one block of its own */
    struct job *next;
};

/* A job for a lead that was accepted born leased. A copy, in one block. NULL when there is no memory. */
struct job *job_from_accepted(const struct accept *c, const struct accepted *lead, int64_t now_ms);

/* Jobs for the runs of a claim, which take its arena over: n of them, linked; *byte: what each counts. NULL when there is no
 * memory; then the arena stays the caller's. */
struct job *job_from_claim(const struct claim *c);

void job_free(struct job *job);

#endif
