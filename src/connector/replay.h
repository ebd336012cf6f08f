/* replay.h — golden folders: what a connector makes of recorded answers, compared with what it should.
 *
 * DIR/CONNECTOR/CASE/ has ask.json {"operation", "input", "settings", "page", "token", "now"}, answer.http (status line,
 * header fields, empty line, body) and expect.json (the request, the class, the observations, the next page). */
#ifndef GALENA_CONNECTOR_REPLAY_H
#define GALENA_CONNECTOR_REPLAY_H

#include "connector/connector.h"

struct replay_result {
    str connector, name; /* of the case */
    bool good;
    str difference; /* what differs, or what failed */
};

struct replay_results {
    struct replay_result *item;
    size_t n, n_good;
};

/* Replays all cases of `c` in `folder`; with `accept` what is made now is written as what is expected. ERR_ABSENT
 * ("replay_folder") when there is no folder of that connector; a case that cannot be read is a result that is not good. */
err replay_connector(struct arena *a, struct program_host *h, const struct connector *c, const char *folder, bool accept,
                     struct replay_results *out) MUST_CHECK;

#endif
