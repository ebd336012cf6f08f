/* program_jv.h — values of ours as libjq's, and back. */
#ifndef GALENA_CONNECTOR_PROGRAM_JV_H
#define GALENA_CONNECTOR_PROGRAM_JV_H

#include "base/json.h"

#include <jv.h>

/* A copy. Whole numbers that a double cannot hold exactly become text: they are identifiers. */
jv jv_from_json(const struct json *v);

/* What may be made in the arena. */
struct jv_room {
    size_t values, bytes;
};

/* A copy in the arena; does not consume v. False when it nests beyond 128 levels or the room is used up. */
bool jv_to_json(struct arena *a, jv v, struct jv_room *room, struct json *out);

#endif
