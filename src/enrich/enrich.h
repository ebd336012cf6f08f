/* enrich.h — the second stage: what others know of the lead becomes further columns.
 *
 * One question, "lookup", to a target that the run is pinned to. Its request is a JSON object of what the lead is known by
 * ("lead", "email", "domain", "company"); its answer an object with "fields" (flattened like the lead's own extras,
 * lead/column.h) and perhaps "overwrite": true. Without that an answer fills only what the lead leaves empty. */
#ifndef GALENA_ENRICH_ENRICH_H
#define GALENA_ENRICH_ENRICH_H

#include "lead/run.h"

#define ENRICH_ASK "lookup"

/* What the question may tell of the lead. */
struct enrich_subject {
    str email, domain, company;
};

/* Puts the question, and merges the answer when it is there. Goes on with less when there is none: it failed, it is not of
 * that form, the run's deadline has passed, the lead says nothing to ask by, or consent.enrichment_opt_out is true. The
 * columns say which came from the answer (run_column.from). Fails only as run_ask does. */
err enrich_lead(struct run *run, const struct enrich_subject *subject) MUST_CHECK;

/* What became of the question, for the record. */
enum enrich_end { ENRICH_NOT_ASKED, ENRICH_WAITS, ENRICH_ANSWERED, ENRICH_FAILED, ENRICH_LATE, ENRICH_UNREADABLE };
enum enrich_end enrich_end_of(const struct run *run);
const char *enrich_end_name(enum enrich_end end); /* "answered", "failed", ... */

#endif
