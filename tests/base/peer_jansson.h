/* peer_jansson.h — a second opinion on JSON texts, for tests and fuzz targets.
 *
 * The library is loaded at run time and its header seen by one file only: several of its names are also ours. */
#ifndef GALENA_TESTS_BASE_PEER_JANSSON_H
#define GALENA_TESTS_BASE_PEER_JANSSON_H

#include "base/arena.h"
#include "base/str.h"

struct peer;

/* NULL when the library is not installed. Closed with the arena. */
struct peer *peer_open(struct arena *a);

/* True when jansson reads the text; *out is what it read, written again, with reals in 17 digits. */
bool peer_rewrite(const struct peer *p, struct arena *a, str text, str *out);

/* NULL when json_parse and jansson both refuse the text or read the same from it, else what differs. Three differences are
 * known and allowed: jansson keeps no NUL byte in keys, passes over one behind a number or word, and has no limit to what we
 * call ERR_LIMIT. */
const char *peer_difference(const struct peer *p, struct arena *a, str text);

#endif
