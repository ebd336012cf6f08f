/* commands.c — the list of commands. If you change this: galena_commands in meson.build of this folder. */
#include "cmd/command.h"

extern const struct command command_train, command_score, command_evaluate, command_explain, command_fuse, command_schema,
    command_profile_check, command_profile_show, command_profile_diff, command_model_show, command_model_list, command_serve,
    command_worker, command_lead_list, command_lead_show, command_lead_import, command_lead_rescore, command_lead_cancel,
    command_lead_retry, command_lead_erase, command_queue, command_key_create, command_key_list, command_key_revoke,
    command_key_rotate, command_audit_verify, command_migrate, command_backup, command_restore, command_doctor,
    command_bench_pipeline, command_sample, command_dedupe, command_check, command_help, command_version;

const struct command *const commands[] = {
    &command_train,          &command_score,         &command_evaluate,     &command_explain,      &command_fuse,
    &command_schema,         &command_profile_check, &command_profile_show, &command_profile_diff, &command_model_show,
    &command_model_list,     &command_serve,         &command_worker,       &command_lead_list,    &command_lead_show,
    &command_lead_import,    &command_lead_rescore,  &command_lead_cancel,  &command_lead_retry,   &command_lead_erase,
    &command_queue,          &command_key_create,    &command_key_list,     &command_key_revoke,   &command_key_rotate,
    &command_audit_verify,   &command_migrate,       &command_backup,       &command_restore,      &command_doctor,
    &command_bench_pipeline, &command_sample,        &command_dedupe,       &command_check,        &command_help,
    &command_version,
};
const size_t n_commands = sizeof commands / sizeof *commands;
