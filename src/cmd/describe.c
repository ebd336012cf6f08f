/* describe.c — the help texts. */
#include "cmd/describe.h"

#include "cmd/present.h"

enum { TEXT_COLUMN = 26, MAX_WIDTH = 100 };

static const double NO_BOUND = 1e15; /* a maximum from here on is not worth saying */

static size_t text_width(const struct terminal *t) { return t->width < MAX_WIDTH ? t->width : MAX_WIDTH; }

static str option_label(struct arena *a, const struct setting *x) {
    const char *arg = setting_arg(x);
    str letter = x->letter ? str_format(a, "-%c, ", x->letter) : STR("    ");
    return str_format(a, "%.*s--%s%s%s", STR_ARG(letter), x->name, *arg ? " " : "", arg);
}

str describe_setting(struct arena *a, const struct setting *x) {
    str text = str_from(x->help);
    if (x->type == SETTING_CHOICE) {
        str all[64];
        size_t n = 0;
        for (; x->choices[n] && n < sizeof all / sizeof *all; n++)
            all[n] = str_from(x->choices[n]);
        text = str_format(a, "%.*s: %s", STR_ARG(text), str_join(a, all, n, STR(", ")).ptr);
    }
    if (x->max > x->min && x->max >= NO_BOUND)
        text = str_format(a, "%.*s; at least %.15g", STR_ARG(text), x->min);
    else if (x->max > x->min)
        text = str_format(a, "%.*s; from %.15g to %.15g", STR_ARG(text), x->min, x->max);
    if (x->required)
        return str_format(a, "%.*s (required)", STR_ARG(text));
    return x->fallback ? str_format(a, "%.*s (default: %s)", STR_ARG(text), x->fallback) : text;
}

str describe_usage(struct arena *a, const struct command *c) {
    if (c->usage)
        return str_format(a, "%s %s", c->name, c->usage);
    str text = str_from(c->name);
    for (size_t i = 0; i < c->n_argument; i++) {
        const struct argument *x = &c->arguments[i];
        text = str_format(a, "%.*s %s%s%s%s", STR_ARG(text), x->optional ? "[" : "", x->name, x->many ? "..." : "",
                          x->optional ? "]" : "");
    }
    for (size_t i = 0; i < c->n_setting; i++)
        if (c->settings[i].required)
            text = str_format(a, "%.*s --%s %s", STR_ARG(text), c->settings[i].name, setting_arg(&c->settings[i]));
    return str_format(a, "%.*s [OPTION...]", STR_ARG(text));
}

/* A label in the left column and wrapped text in the right one. */
static void put_entry(const struct terminal *t, str label, size_t column, str text) {
    size_t at = 2 + terminal_columns(label);
    fputs("  ", t->file);
    terminal_put_style(t, STYLE_ACCENT, label);
    if (at + 2 > column) {
        fputc('\n', t->file);
        at = 0;
    }
    fprintf(t->file, "%*s", (int)(column - at), "");
    present_wrap(t, text, column, column, text_width(t));
}

static void put_settings(struct arena *a, const struct terminal *t, const char *heading, const struct setting *x, size_t n) {
    if (n > 0)
        present_heading(t, heading);
    for (size_t i = 0; i < n; i++)
        put_entry(t, option_label(a, &x[i]), TEXT_COLUMN, describe_setting(a, &x[i]));
}

static void put_examples(const struct terminal *t, const char *examples) {
    str rest = str_from(examples), line;
    present_heading(t, "Examples");
    while (str_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        fputs(line.ptr[0] == '#' ? "  " : "  $ ", t->file);
        terminal_put_style(t, line.ptr[0] == '#' ? STYLE_DIM : STYLE_PLAIN, line);
        fputc('\n', t->file);
    }
}

void describe_command(struct arena *a, const struct terminal *t, const struct command *c) {
    terminal_put_style(t, STYLE_BOLD, str_format(a, "galena %s", c->name));
    fprintf(t->file, " - %s\n", c->summary);
    present_heading(t, "Usage");
    fputs("  galena ", t->file);
    present_wrap(t, describe_usage(a, c), 9, 11, text_width(t));
    fputc('\n', t->file);
    present_wrap(t, str_from(c->description), 0, 0, text_width(t));
    if (c->n_argument > 0)
        present_heading(t, "Arguments");
    for (size_t i = 0; i < c->n_argument; i++)
        put_entry(t, str_from(c->arguments[i].name), TEXT_COLUMN, str_from(c->arguments[i].help));
    put_settings(a, t, "Options", c->settings, c->n_setting);
    put_settings(a, t, "Options of every command", common_settings, n_common_settings);
    if (c->examples)
        put_examples(t, c->examples);
}

static bool in_group(const struct command *c, str group) {
    return group.len == 0 || (str_starts(str_from(c->name), group) && c->name[group.len] == ' ');
}

void describe_overview(struct arena *a, const struct terminal *t, str group) {
    size_t column = 14;
    if (group.len == 0)
        fputs("galena scores sales leads: it learns from past leads and gives new ones a calibrated probability,\n"
              "an interval and reasons.\n",
              t->file);
    for (size_t i = 0; i < n_commands; i++)
        if (in_group(commands[i], group) && strlen(commands[i]->name) + 4 > column)
            column = strlen(commands[i]->name) + 4;
    present_heading(t, "Usage");
    fprintf(t->file, "  galena %s [ARGUMENT...] [OPTION...]\n",
            group.len == 0 ? "COMMAND" : str_format(a, "%.*s COMMAND", STR_ARG(group)).ptr);
    present_heading(t, "Commands");
    for (size_t i = 0; i < n_commands; i++)
        if (in_group(commands[i], group))
            put_entry(t, str_from(commands[i]->name), column, str_from(commands[i]->summary));
    fputs("\n\"galena help COMMAND\" describes one of them. \"galena --version\" prints the version.\n", t->file);
}
