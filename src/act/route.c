/* route.c — where a lead goes with its score. */
#include "act/route.h"

#include "base/time.h"

/* Whether a lead in this state moves on with a score, and the state before `scored`. */
static const struct way {
    bool moves;
    enum lead_state next; /* the state after this one */
} ways[LEAD_STATE_COUNT] = {
    [LEAD_INGESTED] = {true, LEAD_PENDING_ENRICHMENT},
    [LEAD_PENDING_ENRICHMENT] = {true, LEAD_PENDING_SCORING},
    [LEAD_PENDING_SCORING] = {true, LEAD_SCORED},
    [LEAD_NURTURING] = {true, LEAD_RESCORED},
    [LEAD_ARCHIVED] = {true, LEAD_RESCORED},
    [LEAD_RESCORED] = {true, LEAD_SCORED},
    [LEAD_SCORED] = {true, LEAD_SCORED},
    [LEAD_ASSIGNED] = {false, LEAD_ASSIGNED},
    [LEAD_CONVERTED] = {false, LEAD_CONVERTED},
    [LEAD_DISQUALIFIED] = {false, LEAD_DISQUALIFIED},
};

static enum lead_state last_state(const struct run *run) { return run->path.state[run->path.n - 1]; }

static err go_to(struct run *run, enum lead_state until) {
    while (last_state(run) != until)
        TRY(lifecycle_step(&run->path, ways[last_state(run)].next));
    return OK;
}

static err find_path(struct run *run) {
    static const enum lead_state end_of_tier[TIER_COUNT] = {
        [TIER_COLD] = LEAD_ARCHIVED, [TIER_WARM] = LEAD_NURTURING, [TIER_HOT] = LEAD_ASSIGNED};
    run->path = (struct lifecycle_path){.state = {run->state}, .n = 1};
    bool fresh = run->state == LEAD_INGESTED || run->state == LEAD_PENDING_ENRICHMENT;
    if (!ways[run->state].moves)
        return OK;
    if (run->outcome == RUN_INSUFFICIENT)
        return fresh ? go_to(run, LEAD_PENDING_SCORING) : OK;
    if (run->outcome != RUN_SCORED && run->outcome != RUN_DISQUALIFIED)
        return OK;
    TRY(go_to(run, LEAD_SCORED));
    return lifecycle_step(&run->path, run->outcome == RUN_DISQUALIFIED ? LEAD_ARCHIVED : end_of_tier[run->tier]);
}

static void set_timer(struct run *run, const struct route_policy *policy) {
    enum lead_state end = last_state(run);
    int64_t day = policy->rescore_day[run->tier];
    if (run->outcome == RUN_SCORED && day > 0 && (end == LEAD_NURTURING || end == LEAD_ARCHIVED))
        run->rescore_ms = run->now_ms + day * TIME_DAY_MS;
}

err route_lead(struct run *run, const struct route_policy *policy) {
    if (policy->n_target > RUN_MAX_DELIVERY)
        return fail(ERR_LIMIT, "route_targets", "a lead is delivered to at most %d targets", RUN_MAX_DELIVERY);
    run->n_delivery = 0;
    run->rescore_ms = 0;
    TRY(find_path(run));
    set_timer(run, policy);
    if (run->outcome == RUN_FAILED || run->outcome == RUN_CANCELLED)
        return OK;
    for (size_t i = 0; i < policy->n_target; i++)
        run->delivery[run->n_delivery++].target = policy->target[i];
    return OK;
}
