/* lifecycle.h — the states of a lead, and which may follow which.
 *
 *   ingested → pending_enrichment → pending_scoring → scored
 *   scored → assigned (tier hot) | nurturing (warm) | archived (cold)
 *   assigned → converted | disqualified;  nurturing → disqualified
 *   nurturing, archived → rescored → scored
 * Anything else is refused. */
#ifndef GALENA_LEAD_LIFECYCLE_H
#define GALENA_LEAD_LIFECYCLE_H

#include "base/str.h"

/* If you change this: the tables in lifecycle.c, docs/lifecycle.md. Stored as these numbers. */
enum lead_state {
    LEAD_INGESTED,
    LEAD_PENDING_ENRICHMENT,
    LEAD_PENDING_SCORING,
    LEAD_SCORED,
    LEAD_ASSIGNED,
    LEAD_NURTURING,
    LEAD_ARCHIVED,
    LEAD_RESCORED,
    LEAD_CONVERTED,
    LEAD_DISQUALIFIED,
    LEAD_STATE_COUNT
};

const char *lead_state_name(enum lead_state state); /* "ingested", "pending_enrichment", ... */

/* The state of that name; false when there is none. */
bool lead_state_parse(str name, enum lead_state *out);

bool lifecycle_allows(enum lead_state from, enum lead_state to);

/* ERR_CONFLICT "lifecycle_refused", naming both states, when `to` may not follow `from`. */
err lifecycle_check(enum lead_state from, enum lead_state to) MUST_CHECK;

enum { LIFECYCLE_PATH_MAX = 8, LIFECYCLE_PATH_BYTE = 128 };

/* Several steps that one commit takes: path[0] is the state before. */
struct lifecycle_path {
    enum lead_state state[LIFECYCLE_PATH_MAX];
    size_t n;
};

/* Adds a step; as lifecycle_check. A path begins with one state, which is not checked. */
err lifecycle_step(struct lifecycle_path *path, enum lead_state to) MUST_CHECK;

/* "ingested>pending_enrichment"; returns the length. No NUL is written. */
size_t lifecycle_path_format(const struct lifecycle_path *path, char text[LIFECYCLE_PATH_BYTE]);

#endif
