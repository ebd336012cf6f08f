/* program_priv.h — what a program is inside, shared by its reader, its path runner and libjq's host. */
#ifndef GALENA_CONNECTOR_PROGRAM_PRIV_H
#define GALENA_CONNECTOR_PROGRAM_PRIV_H

#include "connector/program.h"

enum { PATH_MAX_STEP = 16, PATH_MAX_CHOICE = 8 };

/* Which of the named values a program uses. If you change this: variable_names in program.c. */
enum program_variable { VAR_INPUT, VAR_SETTING, VAR_STATUS, VAR_HEADERS, VAR_PAGE, VAR_COUNT };

struct path_step {
    str key;       /* ptr NULL: an index */
    int64_t index; /* negative counts from the end */
    bool quiet;    /* "?": another type gives nothing */
};

/* One alternative of "a // b": a path, or a constant. */
struct path_choice {
    const struct json *constant; /* NULL: a path */
    size_t n_step;
    struct path_step step[PATH_MAX_STEP];
};

struct program_path {
    size_t n;
    struct path_choice choice[];
};

struct program {
    str text;
    const char *file;
    uint32_t line, column;
    uint32_t number;                 /* in its group */
    uint32_t variables;              /* bits of enum program_variable */
    const struct program_path *path; /* NULL: for libjq */
    struct program_group *group;
};

struct program_group {
    struct arena *arena;
    const struct program **item; /* those for libjq */
    size_t n, cap;
};

/* The path form of `text`, or NULL when it has none. */
const struct program_path *path_parse(struct arena *a, str text);

/* Runs it: *out is NULL for nothing or null. False when a step meets a type that has no such member; *bad is that value and
 * *step where. */
struct path_problem {
    const struct json *value;
    const struct path_step *step;
};
bool path_run(const struct program_path *p, const struct json *input, const struct json **out, struct path_problem *problem);

/* "FILE:LINE:COLUMN: WHAT in `PROGRAM`, given VALUE" as ERR_INPUT with the slug "program_failed". */
err program_fault(const struct program *p, const char *what, const struct json *given) MUST_CHECK;

#endif
