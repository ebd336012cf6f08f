/* help.c — galena help, galena version. */
#include "cmd/describe.h"

struct help_options {
    struct setting_list word;
};

static const struct argument help_arguments[] = {
    {.name = "COMMAND",
     .help = "the command to describe; without one, all commands are listed",
     .offset = offsetof(struct help_options, word),
     .optional = true,
     .many = true},
};

static err run_help(struct session *s, const void *options) {
    const struct help_options *o = options;
    str name = str_join(s->arena, o->word.item, o->word.n, STR(" "));
    const struct command *c = command_find(name);
    if (c) {
        describe_command(s->arena, &s->out, c);
        return OK;
    }
    for (size_t i = 0; i < n_commands; i++) {
        if (name.len == 0 || (str_starts(str_from(commands[i]->name), name) && commands[i]->name[name.len] == ' ')) {
            describe_overview(s->arena, &s->out, name);
            return OK;
        }
    }
    return session_usage("usage_unknown_command", "there is no command \"%.*s\"; \"galena help\" lists all", STR_ARG(name));
}

const struct command command_help = {
    .name = "help",
    .summary = "describe the program or one of its commands",
    .description =
        "Prints what a command does, its arguments and options, and examples. \"galena COMMAND --help\" prints the same.",
    .examples = "# all commands\ngalena help\n# one command\ngalena help sample\n",
    COMMAND_ARGUMENTS(help_arguments),
    .options_size = sizeof(struct help_options),
    .run = run_help,
};

static err run_version(struct session *s, const void *options) {
    (void)options;
    if (s->json)
        fputs("{\"name\":\"galena\",\"version\":\"" GALENA_VERSION "\"}\n", s->out.file);
    else
        fputs("galena " GALENA_VERSION "\n", s->out.file);
    return OK;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the version of the program",
    .description = "Prints name and version, as \"galena --version\" does.",
    .run = run_version,
};
