/* progress.h — one line that shows how far the work is, on terminals only.
 *
 * "reading leads.csv  ████████▌       53%  412,000 rows/s  0:07 left". Redrawn at most ten times a second, erased at the
 * end; nothing at all in pipes, with --quiet and in the first third of a second. Belongs to one thread. */
#ifndef GALENA_CMD_PROGRESS_H
#define GALENA_CMD_PROGRESS_H

#include "cmd/session.h"

struct progress {
    const struct terminal *to; /* NULL: show nothing */
    struct clock clock;
    const char *label, *unit;
    double total; /* 0 when not known */
    int64_t start_ns, drawn_ns;
    bool visible;
};

/* Begins. `label` says what is done ("reading leads.csv"), `unit` what is counted ("rows"; "bytes" is shown as MB). total:
 * how many there will be, 0 when nobody knows. */
void progress_begin(struct progress *p, const struct session *s, const char *label, const char *unit, double total);

/* `done` of the total are done. Cheap enough to be called for each row: it reads the clock only. */
void progress_at(struct progress *p, double done);

/* Erases the line. Harmless twice. */
void progress_end(struct progress *p);

#endif
