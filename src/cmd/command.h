/* command.h — what a subcommand is, and how the command line finds and runs one.
 *
 * A command is one const struct in a file of its own and one line in commands.c. Its parsing, --help, man page and shell
 * completion come from the struct. */
#ifndef GALENA_CMD_COMMAND_H
#define GALENA_CMD_COMMAND_H

#include "base/settings.h"
#include "cmd/session.h"

struct command {
    const char *name;        /* "train", or two words: "profile check" */
    const char *summary;     /* one line, no capital, no full stop: "fit a model to past leads" */
    const char *description; /* paragraphs, separated by an empty line; wrapped when shown */
    const char *examples;    /* lines: "# what it does" and below it "galena ..."; NULL when there are none */
    const struct setting *settings;
    size_t n_setting;
    const struct argument *arguments;
    size_t n_argument;
    size_t options_size; /* of the struct that settings and arguments fill; 0 when there are none of both */
    const char *usage;   /* after "galena NAME"; NULL: made from the tables */
    bool configured;     /* also takes settings from --config FILE (a setting of its own table) and the environment */

    /* options: the filled struct. Results are written to s->out. A failure is shown once, by the caller. */
    err (*run)(struct session *s, const void *options);
};

/* For the table members of struct command. */
#define COMMAND_SETTINGS(table)  .settings = (table), .n_setting = sizeof(table) / sizeof *(table)
#define COMMAND_ARGUMENTS(table) .arguments = (table), .n_argument = sizeof(table) / sizeof *(table)

/* All commands, in the order of the help. */
extern const struct command *const commands[];
extern const size_t n_commands;

/* The settings that every command takes: --json, --quiet, --color, --log, --log-level, --help. */
struct common_options {
    bool help, json, quiet;
    enum color_mode color;
    str log;
    enum log_level log_level;
};
extern const struct setting common_settings[];
extern const size_t n_common_settings;

/* The command of that name (one or two words), or NULL. */
const struct command *command_find(str name);

/* Reads the options of the running command anew into `options`, which is zeros: for a reload. */
err command_options(struct session *s, void *options) MUST_CHECK;

/* The whole program: reads argv, runs a command, shows its failure. Returns the exit code of the process
 * (docs/exit-codes.md). */
int command_main(int argc, char **argv);

#endif
