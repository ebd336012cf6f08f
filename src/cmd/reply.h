/* reply.h — what the commands that speak with the service share: reading its answers and showing them to people. */
#ifndef GALENA_CMD_REPLY_H
#define GALENA_CMD_REPLY_H

#include "cmd/session.h"

/* Prints the answer as the command's one JSON document. */
err reply_print(struct session *s, const struct json *v) MUST_CHECK;

/* A member that is text; empty when it is not there or null. */
str reply_text(const struct json *object, const char *key);

/* A member that is a whole number; 0 when it is not there. */
int64_t reply_integer(const struct json *object, const char *key);

/* A member that is a number, with so many digits behind the point; empty when there is none. */
str reply_number(struct arena *a, const struct json *object, const char *key, int digits);

/* A member that is a list, or NULL. */
const struct json *reply_list(const struct json *object, const char *key);

/* A member that is a time of the API ("2026-06-30T08:15:00.123Z"), as people read it: "2026-06-30 08:15:00" (UTC). */
str reply_time(struct arena *a, const struct json *object, const char *key);

/* How long before now a member's time was: "2 min 05 s"; empty when there is none. */
str reply_age(struct session *s, const struct json *object, const char *key);

/* A probability in percent, "3.1 %", and an interval, "0.5 to 16.5 %"; empty when there is none. */
str reply_score(struct arena *a, const struct json *object);
str reply_interval(struct arena *a, const struct json *object);

/* A lead's live run, "waiting at enrich", "dead: target_refused"; empty when there is none. */
str reply_run(struct arena *a, const struct json *lead);

/* How a tier is coloured. */
enum style reply_tier_style(str tier);

/* "1 lead", "2 leads". */
str reply_count(struct arena *a, int64_t n, const char *one, const char *many);

#endif
