/* sample.c — galena sample: makes files of leads with known truth, to try the program on. */
#include "cmd/command.h"

struct sample_options {
    str out;
    int64_t rows, seed;
};

static const struct setting sample_settings[] = {
    {.name = "rows",
     .letter = 'n',
     .type = SETTING_INTEGER,
     .offset = offsetof(struct sample_options, rows),
     .fallback = "4000",
     .min = 10,
     .max = 10000000,
     .help = "past leads to make; a tenth as many new ones are made besides"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct sample_options, seed),
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992,
     .help = "the same seed gives the same files"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     .offset = offsetof(struct sample_options, out),
     .required = true,
     .arg = "DIR",
     .help = "folder to write to; made if it is not there"},
};

static err run_sample(struct session *s, const void *options) {
    const struct sample_options *o = options;
    (void)s;
    return fail(ERR_ABSENT, "sample_absent", "%s: nothing written yet", o->out.ptr);
}

const struct command command_sample = {
    .name = "sample",
    .summary = "make sample leads to try the program on",
    .description =
        "Writes leads of invented companies whose true probability of conversion is known: leads_past.csv with the outcome, "
        "leads_new.csv without it, truth.csv with the true probability of every lead, and profile.yaml, an ideal customer "
        "profile that fits them roughly.",
    .examples = "# 4,000 past leads and 400 new ones\ngalena sample --out demo\n",
    COMMAND_SETTINGS(sample_settings),
    .options_size = sizeof(struct sample_options),
    .run = run_sample,
};
