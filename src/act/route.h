/* route.h — the last stage: where a lead goes with its score, who is told, and when it is scored again. */
#ifndef GALENA_ACT_ROUTE_H
#define GALENA_ACT_ROUTE_H

#include "lead/run.h"

/* What a run is pinned to, as far as its end goes. */
struct route_policy {
    const str *target; /* n_target names of deliveries */
    size_t n_target;
    int64_t rescore_day[TIER_COUNT]; /* days until a timer scores a lead of that tier again; 0: never */
};

/* Sets run->path, delivery and rescore_ms by run->outcome, which is set:
 *   scored            … > scored > assigned (hot), nurturing (warm), archived (cold)
 *   disqualified      … > scored > archived
 *   insufficient_data … > pending_scoring, of a lead that is new; else the lead stays where it is
 *   failed, cancelled the lead stays where it is; nothing is delivered
 * A lead that is nurturing or archived passes through rescored. One that is assigned, converted or disqualified stays so:
 * the score is kept and delivered, the state is its owner's. Timers are for leads that end nurturing or archived with a
 * score. ERR_LIMIT for more targets than RUN_MAX_DELIVERY. */
err route_lead(struct run *run, const struct route_policy *policy) MUST_CHECK;

#endif
