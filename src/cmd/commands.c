/* commands.c — the list of commands. If you change this: galena_commands in meson.build of this folder. */
#include "cmd/command.h"

extern const struct command command_train, command_score, command_evaluate, command_explain, command_schema,
    command_profile_check, command_profile_show, command_profile_diff, command_model_show, command_model_list,
    command_sample, command_check, command_help, command_version;

const struct command *const commands[] = {
    &command_train,         &command_score,        &command_evaluate,     &command_explain,    &command_schema,
    &command_profile_check, &command_profile_show, &command_profile_diff, &command_model_show, &command_model_list,
    &command_sample,        &command_check,        &command_help,         &command_version,
};
const size_t n_commands = sizeof commands / sizeof *commands;
