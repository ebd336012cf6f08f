/* settings.h — one table from which parsing, defaults, validation, --help, the man page and shell completion come.
 *
 * A table describes the members of a plain struct. Values arrive in layers, later ones over earlier ones: the fallbacks of
 * the table, then any source (a configuration file, the environment), then the command line. Every value is checked when it
 * is set; settings_check() at the end tells what is still missing.
 *
 * Usage errors are ERR_INPUT with a slug that starts with "usage_". */
#ifndef GALENA_BASE_SETTINGS_H
#define GALENA_BASE_SETTINGS_H

#include "base/str.h"

#include <stdint.h>

/* The type of a setting, and the C type of the member at its offset. If you change this: type_names in settings.c, and the
 * completion in cmd/describe.c. */
enum setting_type {
    SETTING_FLAG,     /* bool */
    SETTING_STRING,   /* str that ends in NUL; ptr NULL when never set */
    SETTING_PATH,     /* as STRING, a file name; "-" is standard input or output */
    SETTING_INTEGER,  /* int64_t in min..max; SETTING_UNSET when never set */
    SETTING_NUMBER,   /* double in min..max, finite; NaN when never set */
    SETTING_FRACTION, /* double in 0..1 (and in min..max when max > min); "30%" is understood; NaN when never set */
    SETTING_CHOICE,   /* int, or an enum that counts from 0: the index into choices; -1 when never set */
    SETTING_LIST      /* struct setting_list: separated by commas ("\," is a comma in an item); given twice, it grows */
};

#define SETTING_UNSET INT64_MIN

struct setting_list {
    const str *item; /* each ends in NUL; white space around it removed; never empty */
    size_t n;
};

struct setting {
    const char *name; /* "out" for --out; also the key in a configuration file, and GALENA_OUT in the environment */
    char letter;      /* 'o' for -o, or 0 */
    enum setting_type type;
    bool required;
    size_t offset;
    const char *fallback; /* as it would be written by a user, or NULL */
    const char *arg;      /* what the value is called in the help: "FILE"; NULL: after the type */
    const char *help; /* a sentence without the full stop at its end; the default and the choices are added by the program */
    double min, max;  /* bounds of INTEGER, NUMBER and FRACTION when max > min; both are allowed values */
    const char *const *choices; /* CHOICE: ends in NULL */
};

/* A word that is not an option. Optional ones come after required ones; only the last may be `many`. */
struct argument {
    const char *name; /* "FILE" */
    const char *help;
    size_t offset; /* str, or struct setting_list when many */
    bool optional, many;
};

/* One table with the struct it fills. */
struct settings_part {
    const struct setting *setting;
    size_t n_setting;
    void *values;
    const char **origin; /* n_setting: who set it last ("default", "the command line", ...), NULL when nobody did */
};

/* All that one command understands: its own table, and those shared with others. A name is looked up in the first part
 * first. */
struct settings {
    struct settings_part part[4];
    size_t n_part;
    const struct argument *argument;
    size_t n_argument;
    void *argument_values;
    struct arena *arena; /* values live here */
};

void settings_init(struct settings *s, struct arena *a, const struct argument *argument, size_t n_argument,
                   void *argument_values);

/* Adds a table and puts its fallbacks into *values. A fallback that its own setting refuses is a bug and asserts. */
void settings_add(struct settings *s, const struct setting *setting, size_t n_setting, void *values);

/* Sets one value from a named place ("galena.yaml, line 3", "GALENA_SEED"). Flags take true, yes, on, 1 and false, no, off,
 * 0. Slugs: usage_unknown_option (a near name is proposed), usage_bad_value. */
err settings_apply(struct settings *s, const char *origin, str name, str value) MUST_CHECK;

/* Reads the words of a command line: --name VALUE, --name=VALUE, -o VALUE, -oVALUE, -ab for two flags, -- ends the options,
 * and a lone "-" is a word. Names are never abbreviated. Slugs: usage_unknown_option, usage_missing_value,
 * usage_unwanted_value, usage_bad_value, usage_unexpected_argument. */
err settings_parse(struct settings *s, int argc, char *const *argv) MUST_CHECK;

/* After the last layer: every required setting and argument is there. Slugs: usage_missing_option, usage_missing_argument.
 */
err settings_check(const struct settings *s) MUST_CHECK;

/* Who set `name` last, or NULL. */
const char *settings_origin(const struct settings *s, str name);

/* What a value is called in the help: "FILE", or "N", "TEXT", ... after the type. "" for flags. */
const char *setting_arg(const struct setting *x);

/* The one of n names that was probably meant by `word`, or NULL when none is near (edit distance with swaps). */
const char *settings_nearest(struct arena *a, str word, const char *const *names, size_t n);

#endif
