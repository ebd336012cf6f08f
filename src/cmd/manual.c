/* manual.c — manual pages in man(7) macros. */
#include "cmd/describe.h"

static const char exit_status[] =
    ".TP\n.B 0\nsuccess\n"
    ".TP\n.B 1\nthe command was called wrongly: unknown option, missing argument\n"
    ".TP\n.B 2\nthe data is wrong and a person must change it\n"
    ".TP\n.B 3\nsomething is not there: a file, a column, a row\n"
    ".TP\n.B 4\nsomebody changed it first\n"
    ".TP\n.B 5\na passing fault such as a full disk: try again\n"
    ".TP\n.B 6\na limit on memory, size or count was reached\n"
    ".TP\n.B 7\nnot allowed\n"
    ".TP\n.B 8\nanother program or service broke its contract\n"
    ".TP\n.B 9\nGalena\\(cqs own data fails its checks, for example a model file that was altered\n"
    ".TP\n.B 128+N\nended by signal N; no half-written file is left under its final name\n";

/* Text with everything that roff would read as a command made harmless. */
static void put_text(FILE *to, str text) {
    bool line_start = true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (line_start && (c == '.' || c == '\''))
            fputs("\\&", to);
        if (c == '\\')
            fputs("\\e", to);
        else if (c == '-')
            fputs("\\-", to);
        else if (c == '\'')
            fputs("\\(aq", to);
        else
            fputc(c, to);
        line_start = c == '\n';
    }
}

static void put_paragraphs(FILE *to, str text) {
    while (text.ptr) {
        ptrdiff_t gap = str_find(text, STR("\n\n"));
        put_text(to, gap < 0 ? text : str_slice(text, 0, (size_t)gap));
        text = gap < 0 ? (str){0} : (str){text.ptr + gap + 2, text.len - (size_t)gap - 2};
        fputs(text.ptr ? "\n.PP\n" : "\n", to);
    }
}

static str hyphenated(struct arena *a, const char *name) {
    str s = str_copy(a, str_from(name));
    char *to = str_cstr(a, s);
    for (char *c = to; *c; c++)
        if (*c == ' ')
            *c = '-';
    return (str){to, s.len};
}

static void put_settings(struct arena *a, FILE *to, const struct setting *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n", to);
        if (x[i].letter)
            fprintf(to, "\\fB\\-%c\\fR, ", x[i].letter);
        fputs("\\fB\\-\\-", to);
        put_text(to, str_from(x[i].name));
        fputs("\\fR", to);
        if (*setting_arg(&x[i])) {
            fputs(" \\fI", to);
            put_text(to, str_from(setting_arg(&x[i])));
            fputs("\\fR", to);
        }
        fputc('\n', to);
        put_text(to, describe_setting(a, &x[i]));
        fputs(".\n", to);
    }
}

static void put_examples(FILE *to, const char *examples) {
    str rest = str_from(examples), line;
    fputs(".SH EXAMPLES\n", to);
    while (str_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        bool comment = line.ptr[0] == '#';
        fputs(comment ? ".PP\n" : ".PP\n.RS 4\n.EX\n", to);
        put_text(to, comment ? str_trim(str_slice(line, 1, line.len)) : line);
        fputs(comment ? ":\n" : "\n.EE\n.RE\n", to);
    }
}

static void put_exit_and_see_also(struct arena *a, FILE *to, const struct command *self) {
    fprintf(to, ".SH EXIT STATUS\n%s.SH SEE ALSO\n", exit_status);
    if (self)
        fputs(".BR galena (1)", to);
    for (size_t i = 0, n = self ? 1 : 0; i < n_commands; i++) {
        if (commands[i] == self)
            continue;
        fputs(n++ > 0 ? ",\n.BR " : ".BR ", to);
        fputs("galena\\-", to);
        put_text(to, hyphenated(a, commands[i]->name));
        fputs(" (1)", to);
    }
    fputc('\n', to);
}

static void put_program(struct arena *a, FILE *to) {
    fputs(".TH GALENA 1 \"\" \"galena " GALENA_VERSION "\" \"User Commands\"\n"
          ".SH NAME\ngalena \\- score sales leads\n"
          ".SH SYNOPSIS\n.B galena\n.I COMMAND\n[\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n.br\n"
          ".B galena help\n[\\fICOMMAND\\fR]\n.br\n.B galena \\-\\-version\n"
          ".SH DESCRIPTION\nGalena learns from past leads, of which it is known whether they became customers, and gives "
          "new leads "
          "a calibrated probability, an honest interval and reasons.\n.PP\n"
          "Files of leads are CSV (also compressed with gzip) or JSON lines; \\- is standard input or output.\n"
          ".SH COMMANDS\n",
          to);
    for (size_t i = 0; i < n_commands; i++) {
        fputs(".TP\n.BR galena\\-", to);
        put_text(to, hyphenated(a, commands[i]->name));
        fputs(" (1)\n", to);
        put_text(to, str_from(commands[i]->summary));
        fputc('\n', to);
    }
    fputs(".SH OPTIONS OF EVERY COMMAND\n", to);
    put_settings(a, to, common_settings, n_common_settings);
    fputs(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nwhen set and not empty, no colours are used\n"
          ".SH MESSAGES\nA failure is one line on standard error, \\(lqgalena: error[name]: sentence\\(rq. The name is "
          "stable and may be "
          "relied on by scripts; a line with a hint may follow. With \\-\\-json the same is also the document on standard "
          "output.\n",
          to);
}

static void put_command(struct arena *a, FILE *to, const struct command *c) {
    str page = hyphenated(a, c->name);
    fprintf(to, ".TH \"GALENA\\-");
    for (size_t i = 0; i < page.len; i++) {
        char letter = page.ptr[i];
        fputc(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter, to);
    }
    fputs("\" 1 \"\" \"galena " GALENA_VERSION "\" \"User Commands\"\n.SH NAME\ngalena\\-", to);
    put_text(to, page);
    fputs(" \\- ", to);
    put_text(to, str_from(c->summary));
    fputs("\n.SH SYNOPSIS\n.B galena\n", to);
    put_text(to, describe_usage(a, c));
    fputs("\n.SH DESCRIPTION\n", to);
    put_paragraphs(to, str_from(c->description));
    if (c->n_argument > 0)
        fputs(".SH ARGUMENTS\n", to);
    for (size_t i = 0; i < c->n_argument; i++) {
        fprintf(to, ".TP\n.I %s\n", c->arguments[i].name);
        put_text(to, str_from(c->arguments[i].help));
        fputs(".\n", to);
    }
    fputs(".SH OPTIONS\n", to);
    put_settings(a, to, c->settings, c->n_setting);
    put_settings(a, to, common_settings, n_common_settings);
    if (c->examples)
        put_examples(to, c->examples);
}

void describe_manual(struct arena *a, FILE *to, const struct command *c) {
    if (c)
        put_command(a, to, c);
    else
        put_program(a, to);
    put_exit_and_see_also(a, to, c);
}
