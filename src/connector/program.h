/* program.h — jq programs in connector files: what they may call, and how they are run within limits.
 *
 * A program that is only a path (".a.b[0].c", ".a?", also several joined by "//", and plain constants) is run by our own
 * code on the JSON tree. Everything else goes through libjq. What a program may call is a list of names (program.c): no
 * files, environment, further inputs, modules, clock, regular expressions (they cannot be interrupted) and no assignments.
 * docs/adr/0010-jq-in-process-with-watchdog.md says why, and what is not protected against. */
#ifndef GALENA_CONNECTOR_PROGRAM_H
#define GALENA_CONNECTOR_PROGRAM_H

#include "base/json.h"

#include <stdint.h>

enum { PROGRAM_MAX_BYTE = 16384 };

/* A program as it stands in a file; constant after program_parse. */
struct program;

/* The programs of one file: compiled together, since what compiling costs (about 25 ms) is not the program but jq's library.
 */
struct program_group;
struct program_group *program_group_new(struct arena *a);

/* Checks `text` and remembers where it stands ("FILE", line, column) for messages. ERR_INPUT ("program_forbidden",
 * "program_form"), ERR_LIMIT ("program_size"). What only jq can tell (its syntax) is told by program_check or by the first
 * run. */
err program_parse(struct arena *a, struct program_group *group, str text, const char *file, uint32_t line, uint32_t column,
                  const struct program **out) MUST_CHECK;

/* True when it runs without libjq. */
bool program_is_path(const struct program *p);
str program_text(const struct program *p);

/* What runs programs: compiled ones, and a watchdog. One for each thread that runs programs; not shared. */
struct program_host;

struct program_limits {
    int64_t cpu_ms;    /* of one run; 0: 100 */
    size_t max_output; /* results of one run; 0: 1,000 */
    size_t max_value;  /* values in all results together; 0: 100,000 */
    size_t max_byte;   /* of text in all results together; 0: 4 MiB */
};

/* The files whose programs it runs must live as long. limits may be NULL. ERR_AGAIN ("program_host") when there is no thread
 * or memory. The arena gives everything back. */
err program_host_new(struct arena *a, const struct program_limits *limits, struct program_host **out) MUST_CHECK;

/* Values that programs see as $input, $setting, $status, $headers, $page; NULL: null. */
struct program_context {
    const struct json *input, *setting, *headers, *page;
    int status;
};

/* Keeps libjq's form of `input` for the runs on it that follow, until program_release: the tree must live that long. */
void program_hold(struct program_host *h, const struct json *input);
void program_release(struct program_host *h);

/* Compiles, so that its syntax is checked: about 25 ms. ERR_INPUT ("program_syntax") with place and jq's own words. */
err program_check(struct program_host *h, const struct program *p) MUST_CHECK;

/* Runs `p` on `input` (NULL: null): *out are its results (trees in the arena), *n how many. ERR_INPUT: "program_syntax";
 * "program_failed" when the program says error, with the place, the program and the beginning of what it was given.
 * ERR_LIMIT: "program_time", "program_output". */
err program_run(struct program_host *h, struct arena *a, const struct program *p, const struct json *input,
                const struct program_context *context, const struct json ***out, size_t *n) MUST_CHECK;

/* The first result, or NULL when there is none or it is null. */
err program_first(struct program_host *h, struct arena *a, const struct program *p, const struct json *input,
                  const struct program_context *context, const struct json **out) MUST_CHECK;

/* How many programs were compiled, and how often libjq ran. */
struct program_counters {
    uint64_t compiled, run, path_run;
};
struct program_counters program_host_counters(const struct program_host *h);

#endif
