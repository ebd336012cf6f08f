/* snapshot.h — what a finished run leaves behind: the facts as the model saw them, the score and where it comes from
 * (docs/formats/snapshot.md), and the body of the call-back made of it (docs/formats/callback.md). */
#ifndef GALENA_FLOW_SNAPSHOT_H
#define GALENA_FLOW_SNAPSHOT_H

#include "base/buf.h"
#include "flow/pin.h"

enum { SNAPSHOT_VERSION = 1, SNAPSHOT_MAX_BYTE = 1 << 20 };

/* Appends the snapshot of a run that has an outcome: one JSON object without white space, its keys in byte order and its
 * facts in the order of the pin's fields, so that equal runs give equal bytes. To be called before the thread's scratch is
 * used for another run. Check the buffer at the end. If you change this: docs/formats/snapshot.md, SNAPSHOT_VERSION,
 * snapshot_replay. */
void snapshot_write(const struct run *run, struct buf *out);

/* The snapshot as a tree. ERR_CORRUPT "snapshot_damaged", "snapshot_newer". */
err snapshot_read(struct arena *a, str text, const struct json **out) MUST_CHECK;

/* Makes the run again from a snapshot's facts under `pin`, in `run` (whose arena, and perhaps scratch, are set), as far as
 * its contributions. *same: outcome, probability, interval and log-odds are those of the snapshot, bit for bit. Errors of
 * snapshot_read. */
err snapshot_replay(str snapshot, const struct model_pin *pin, struct run *run, bool *same) MUST_CHECK;

/* callback.c: what a delivery says beyond the snapshot. */
struct callback {
    str tenant, lead, target;
    int64_t gen, scored_ms;
    str snapshot, pins;
};

/* Appends the JSON body of a signed call-back. Its values are absolute, so that the last generation wins, and repeating it
 * does no harm. ERR_CORRUPT "snapshot_damaged". */
err callback_write(struct arena *a, const struct callback *c, struct buf *out) MUST_CHECK;

/* "tenant:lead:gen:target", in the arena: the Idempotency-Key of a delivery. */
str callback_key(struct arena *a, const struct callback *c);

#endif
