/* stages.h — the way of a lead, in order, and how a run goes along it.
 *
 * Everything here works on memory alone: no store, no socket, no clock but the one that measures. The same body under the
 * same pins with the same answers and the same run->now_ms gives the same bytes. */
#ifndef GALENA_FLOW_STAGES_H
#define GALENA_FLOW_STAGES_H

#include "base/clock.h"
#include "flow/pin.h"
#include "lead/run.h"

/* validate, enrich, vectorise, score, explain, route */
extern const struct stage stages[];
extern const size_t n_stages;
enum { STAGE_MAX = 8 };

/* What the arena of a run should hold at least: no body within the limits needs as much, answers aside. */
enum { STAGES_ARENA_BYTE = 32 << 20 };

/* A thread's room for vectors, sub-scores and contributions, made for the pin it was used with last. What a run holds may
 * point into it until the thread's next run begins. NULL when the system has no memory. */
struct scratch *scratch_new(struct arena *a);

/* Microseconds are for people; nanoseconds add up better. */
struct stage_timing {
    const struct clock *clock; /* NULL: nothing is measured */
    int64_t ns[STAGE_MAX];
};

/* Goes on from *stage until the end (*stage = n_stages), until a question is open (*stage is the stage that asked: park the
 * run, and begin again with its answers) or until a stage fails (*stage is that one; its error). Once the run's deadline has
 * passed nothing is waited for. A run whose results of earlier stages are gone, since it was parked, begins at the first
 * again, whatever *stage says: stages are pure. run->pin must be set; arena, tenant, lead, gen, state, times, body and asks
 * as well. */
err stages_step(struct run *run, size_t *stage, struct stage_timing *timing) MUST_CHECK;

/* Ends a run that cannot go on: outcome failed, the note `reason`, the lead stays where it is, nothing is delivered. */
void stages_fail(struct run *run, str reason);

/* {"validate":12,"enrich":0,...}, whole microseconds, in the arena. */
str stages_timing_text(struct arena *a, const struct stage_timing *timing);

#endif
