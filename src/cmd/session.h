/* session.h — what a command is given besides its options: memory, streams, time, and the options all commands share. */
#ifndef GALENA_CMD_SESSION_H
#define GALENA_CMD_SESSION_H

#include "base/json.h"
#include "base/log.h"
#include "cmd/terminal.h"

struct session {
    struct arena *arena;      /* lives as long as the process; the command runs guarded by it */
    struct terminal out, err; /* results and summaries go to out; progress, warnings and errors to err */
    bool json;                /* --json: standard output carries one JSON document and nothing else */
    bool quiet;               /* --quiet: no progress, no notes on standard error */
    bool data_on_stdout; /* set by a command whose data goes to standard output ("--out -"): its summary then goes to err */
    bool failure_shown;  /* set by a command whose JSON document tells of its failure: only the exit code follows */
    struct clock clock;
    struct log log;                /* --log; a log to nowhere when not given */
    const struct command *command; /* the one that runs */
    int argc;                      /* its words, after its name */
    char *const *argv;
};

/* Where the summary belongs: out, or err when the data is on standard output. */
static inline const struct terminal *session_summary(const struct session *s) {
    return s->data_on_stdout ? &s->err : &s->out;
}

/* A warning for people, on standard error, also with --json (which has its own warnings) unless --quiet: "galena: warning:
 * ...". */
void session_warn(const struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* The one JSON document of a command with --json: written through `w`, then printed where the summary belongs. */
struct session_document {
    struct buf *text;
    struct json_writer w;
};
struct session_document *session_document_new(const struct session *s);
err session_document_print(const struct session *s, struct session_document *d) MUST_CHECK;

/* A fault in how the command was called: exit code 1. `slug` begins with "usage_". */
err session_usage(const char *slug, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

#endif
