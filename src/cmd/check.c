/* check.c — galena check: says what is wrong with a file, with line and column. */
#include "cmd/command.h"

enum check_kind { KIND_AUTO, KIND_LEADS, KIND_SCHEMA, KIND_PROFILE, KIND_MODEL };
static const char *const kinds[] = {"auto", "leads", "schema", "profile", "model", NULL};

struct check_options {
    str file;
    enum check_kind kind;
};

static const struct argument check_arguments[] = {
    {.name = "FILE", .help = "the file to look at; - is standard input", .offset = offsetof(struct check_options, file)},
};

static const struct setting check_settings[] = {
    {.name = "kind",
     .letter = 'k',
     .type = SETTING_CHOICE,
     .offset = offsetof(struct check_options, kind),
     .arg = "KIND",
     .fallback = "auto",
     .choices = kinds,
     .help = "what the file is meant to be; auto tells from the contents"},
};

static err run_check(struct session *s, const void *options) {
    const struct check_options *o = options;
    (void)s;
    return fail(ERR_ABSENT, "check_absent", "%s: no check for this kind of file yet", o->file.ptr);
}

const struct command command_check = {
    .name = "check",
    .summary = "say what is wrong with a file",
    .description = "Reads a file of leads (CSV or JSON lines), a feature schema, a profile or a model and says what is "
                   "wrong with it, with "
                   "line and column. Ends with exit code 0 when nothing is.",
    COMMAND_ARGUMENTS(check_arguments),
    COMMAND_SETTINGS(check_settings),
    .options_size = sizeof(struct check_options),
    .run = run_check,
};
