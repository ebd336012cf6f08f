/* describe.h — commands described for people and shells, from the same tables that parse them. */
#ifndef GALENA_CMD_DESCRIBE_H
#define GALENA_CMD_DESCRIBE_H

#include "cmd/command.h"

/* The list of commands, or those that begin with `group` ("profile"). */
void describe_overview(struct arena *a, const struct terminal *t, str group);

/* What `galena COMMAND --help` prints. */
void describe_command(struct arena *a, const struct terminal *t, const struct command *c);

/* A manual page in man(7) macros: galena(1) for c == NULL, else galena-train(1), galena-profile-check(1), ... */
void describe_manual(struct arena *a, FILE *to, const struct command *c);

/* A completion script; `shell` is "bash" or "zsh". ERR_INPUT for another. */
err describe_completion(struct arena *a, FILE *to, str shell) MUST_CHECK;

/* "train FILE --target COL --out FILE [OPTION...]" */
str describe_usage(struct arena *a, const struct command *c);

/* The help of a setting with choices and default: "family to fit: auto, logistic (default: auto)". */
str describe_setting(struct arena *a, const struct setting *x);

#endif
