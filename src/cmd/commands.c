/* commands.c — the commands, in the order of the help. If you change this: galena_commands in meson.build of this folder. */
#include "cmd/command.h"

/* clang-format off */
extern const struct command command_train;
extern const struct command command_score;
extern const struct command command_evaluate;
extern const struct command command_explain;
extern const struct command command_schema;
extern const struct command command_profile_check;
extern const struct command command_profile_show;
extern const struct command command_profile_diff;
extern const struct command command_model_show;
extern const struct command command_model_list;
extern const struct command command_clean;
extern const struct command command_dedupe;
extern const struct command command_match;
extern const struct command command_registry_build;
extern const struct command command_fuse;
extern const struct command command_technologies;
extern const struct command command_rules_fetch;
extern const struct command command_text_train;
extern const struct command command_sentiment;
extern const struct command command_topics;
extern const struct command command_redact;
extern const struct command command_connector_list;
extern const struct command command_connector_show;
extern const struct command command_connector_test;
extern const struct command command_connector_new;
extern const struct command command_serve;
extern const struct command command_worker;
extern const struct command command_lead_list;
extern const struct command command_lead_show;
extern const struct command command_lead_import;
extern const struct command command_lead_rescore;
extern const struct command command_lead_cancel;
extern const struct command command_lead_retry;
extern const struct command command_lead_erase;
extern const struct command command_queue;
extern const struct command command_key_create;
extern const struct command command_key_list;
extern const struct command command_key_revoke;
extern const struct command command_key_rotate;
extern const struct command command_audit_verify;
extern const struct command command_migrate;
extern const struct command command_backup;
extern const struct command command_restore;
extern const struct command command_doctor;
extern const struct command command_bench_pipeline;
extern const struct command command_sample;
extern const struct command command_simulate;
extern const struct command command_check;
extern const struct command command_help;
extern const struct command command_version;

const struct command *const commands[] = {
    &command_train,
    &command_score,
    &command_evaluate,
    &command_explain,
    &command_schema,
    &command_profile_check,
    &command_profile_show,
    &command_profile_diff,
    &command_model_show,
    &command_model_list,
    &command_clean,
    &command_dedupe,
    &command_match,
    &command_registry_build,
    &command_fuse,
    &command_technologies,
    &command_rules_fetch,
    &command_text_train,
    &command_sentiment,
    &command_topics,
    &command_redact,
    &command_connector_list,
    &command_connector_show,
    &command_connector_test,
    &command_connector_new,
    &command_serve,
    &command_worker,
    &command_lead_list,
    &command_lead_show,
    &command_lead_import,
    &command_lead_rescore,
    &command_lead_cancel,
    &command_lead_retry,
    &command_lead_erase,
    &command_queue,
    &command_key_create,
    &command_key_list,
    &command_key_revoke,
    &command_key_rotate,
    &command_audit_verify,
    &command_migrate,
    &command_backup,
    &command_restore,
    &command_doctor,
    &command_bench_pipeline,
    &command_sample,
    &command_simulate,
    &command_check,
    &command_help,
    &command_version,
};
/* clang-format on */
const size_t n_commands = sizeof commands / sizeof *commands;
