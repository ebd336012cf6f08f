/* control.h — how commands look at leads and change them: calls to the API of the running service, or of one made for the
 * moment. */
#ifndef GALENA_CMD_CONTROL_H
#define GALENA_CMD_CONTROL_H

#include "cmd/place.h"

struct control_options {
    struct place_options place;
    str tenant;
};

#define CONTROL_SETTINGS(options, control)                                                                                  \
    PLACE_SETTINGS_AT(offsetof(options, control) + offsetof(struct control_options, place)), {                              \
        .name = "tenant", .type = SETTING_STRING,                                                                           \
        .offset = offsetof(options, control) + offsetof(struct control_options, tenant), .fallback = "default",             \
        .arg = "NAME", .help = "whose leads"                                                                                \
    }

struct control;

/* Finds the running service of the data directory, or starts one inside this process (without workers), which ends with the
 * session's arena. ERR_ABSENT "place_empty" when there is no database in the data directory; control_make makes one. */
err control_open(struct session *s, const struct control_options *o, struct control **out) MUST_CHECK;
err control_make(struct session *s, const struct control_options *o, struct control **out) MUST_CHECK;

/* True when the service runs in this process only: nobody works on leads. */
bool control_is_own(const struct control *c);

/* OK when leads may come in: a service runs, or one has run here and left word of what scores. ERR_ABSENT
 * "nothing_scores". */
err control_can_accept(const struct control *c) MUST_CHECK;

/* Tells people, on standard error, when nobody works on what was just begun. */
void control_tell_idle(const struct control *c);

/* One call; waits for its answer. `body` may be empty. *answer: the JSON that came (NULL: none). A problem document becomes
 * an error with its code and detail. */
err control_call(struct control *c, const char *method, str path, str body, const struct json **answer) MUST_CHECK;

/* Appends `text` to a path or query, percent-encoded. */
void control_escape(struct buf *out, str text);

#endif
