/* commands.c — the list of commands. If you change this: galena_commands in meson.build of this folder. */
#include "cmd/command.h"

extern const struct command command_sample, command_check, command_help, command_version;

const struct command *const commands[] = {
    &command_sample,
    &command_check,
    &command_help,
    &command_version,
};
const size_t n_commands = sizeof commands / sizeof *commands;
