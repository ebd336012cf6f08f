/* command.c — finds the command that the command line names, fills its options, runs it and shows its failure. */
#include "cmd/command.h"

#include "base/file.h"
#include "base/json.h"
#include "cmd/config.h"
#include "cmd/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

enum { EXIT_USAGE = 1, EXIT_SIGNAL = 128 };

static const char *const color_names[] = {"auto", "always", "never", NULL};
static const char *const level_names[] = {"debug", "info", "warn", "error", NULL};

const struct setting common_settings[] = {
    {.name = "json",
     .type = SETTING_FLAG,
     .offset = offsetof(struct common_options, json),
     .help = "print one JSON document for programs instead of text for people"},
    {.name = "quiet",
     .letter = 'q',
     .type = SETTING_FLAG,
     .offset = offsetof(struct common_options, quiet),
     .help = "no progress and no warnings on standard error"},
    {.name = "color",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct common_options, color),
     .fallback = "auto",
     .arg = "WHEN",
     .choices = color_names,
     .help = "colours in the output"},
    {.name = "log",
     .type = SETTING_PATH,
     .offset = offsetof(struct common_options, log),
     .help = "append JSON lines about what the program does to FILE; - is standard error"},
    {.name = "log-level",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct common_options, log_level),
     .fallback = "info",
     .arg = "LEVEL",
     .choices = level_names,
     .help = "the least important events to log"},
    {.name = "help",
     .letter = 'h',
     .type = SETTING_FLAG,
     .offset = offsetof(struct common_options, help),
     .help = "show the help of the command and end"},
};
const size_t n_common_settings = sizeof common_settings / sizeof *common_settings;

/* ---- session.h ---- */

void session_warn(const struct session *s, const char *format, ...) {
    char text[1024];
    va_list args;
    if (s->quiet)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(s->err.file, "galena: %swarning:%s ", terminal_style(&s->err, STYLE_WARN), terminal_style(&s->err, STYLE_PLAIN));
    terminal_put(&s->err, str_from(text));
    fputc('\n', s->err.file);
}

enum { DOCUMENT_MAX_BYTE = 64 << 20 };

struct session_document *session_document_new(const struct session *s) {
    struct session_document *d = ARENA_NEW(s->arena, struct session_document);
    d->text = buf_in(s->arena, DOCUMENT_MAX_BYTE);
    json_write_begin(&d->w, d->text, 2);
    return d;
}

err session_document_print(const struct session *s, struct session_document *d) {
    buf_add_byte(d->text, '\n');
    TRY(buf_check(d->text));
    terminal_put(session_summary(s), buf_str(d->text));
    return OK;
}

err session_usage(const char *slug, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(ERR_INPUT, slug, "%s", text);
}

/* ---- finding the command ---- */

const struct command *command_find(str name) {
    for (size_t i = 0; i < n_commands; i++)
        if (str_equal(name, str_from(commands[i]->name)))
            return commands[i];
    return NULL;
}

/* Whether `word` is the first of two words that name a command. */
static bool is_group(str word) {
    for (size_t i = 0; i < n_commands; i++) {
        str name = str_from(commands[i]->name);
        if (name.len > word.len && str_starts(name, word) && name.ptr[word.len] == ' ')
            return true;
    }
    return false;
}

static err unknown_command(struct arena *a, str name) {
    const char **names = ARENA_ARRAY(a, n_commands, const char *);
    for (size_t i = 0; i < n_commands; i++)
        names[i] = commands[i]->name;
    const char *near = settings_nearest(a, name, names, n_commands);
    if (near)
        return session_usage("usage_unknown_command", "unknown command \"%.*s\"; did you mean \"%s\"?", STR_ARG(name), near);
    return session_usage("usage_unknown_command", "unknown command \"%.*s\"; \"galena help\" lists all", STR_ARG(name));
}

/* The command that argv[0..argc) begins with; *n_word of them are its name. */
static err find_in(struct arena *a, int argc, char *const *argv, const struct command **out, int *n_word) {
    str first = str_from(argv[0]);
    *n_word = 1;
    if (is_group(first) && argc > 1 && argv[1][0] != '-') {
        *n_word = 2;
        first = str_format(a, "%s %s", argv[0], argv[1]);
    }
    *out = command_find(first);
    return *out ? OK : unknown_command(a, first);
}

/* ---- running it ---- */

struct call {
    struct session session;
    int argc; /* without the program's name */
    char *const *argv;
};

/* Whether the words ask for `option` before "--"; needed before the options are known to be right. */
static bool asks_for(int argc, char *const *argv, const char *option, const char *letter) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0 || (letter && strcmp(argv[i], letter) == 0))
            return true;
    return false;
}

static void close_log(void *ctx) {
    struct session *s = ctx;
    if (s->log.fd > STDERR_FILENO)
        close(s->log.fd);
    s->log.fd = -1;
}

static err open_log(struct session *s, const struct common_options *o) {
    s->log = (struct log){.fd = -1, .level = o->log_level, .clock = s->clock};
    if (!o->log.ptr)
        return OK;
    if (str_equal(o->log, STR("-"))) {
        s->log.fd = STDERR_FILENO;
        return OK;
    }
    s->log.fd = open(o->log.ptr, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (s->log.fd < 0)
        return fail(errno == EACCES ? ERR_DENIED : ERR_ABSENT, "log_open", "--log %s: %s", o->log.ptr, strerror(errno));
    arena_defer(s->arena, close_log, s);
    return OK;
}

static err run_logged(struct session *s, const struct command *c, const void *options) {
    int64_t start_ns = s->clock.steady_ns();
    log_event(&s->log, LOG_INFO, "command_begin",
              LOG_FIELDS(log_text("command", str_from(c->name)), log_text("version", STR(GALENA_VERSION))));
    err rc = c->run(s, options);
    log_event(&s->log, rc == OK ? LOG_INFO : LOG_ERROR, "command_end",
              LOG_FIELDS(log_text("command", str_from(c->name)), log_text("status", str_from(err_name(rc))),
                         log_text("error", rc == OK ? STR("") : str_from(err_slug())),
                         log_number("seconds", clock_second_since(&s->clock, start_ns))));
    return rc;
}

/* The value of --config among the words, or that of GALENA_CONFIG, or NULL: needed before the options can be read. */
static const char *config_file(int argc, char *const *argv) {
    const char *path = getenv("GALENA_CONFIG");
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[i + 1];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            path = argv[i] + 9;
    }
    return path && *path ? path : NULL;
}

/* Fills options and common from all layers: the tables' fallbacks, file, environment, command line. */
static err read_options(struct session *s, void *options, struct common_options *common) {
    const struct command *c = s->command;
    struct settings settings;
    settings_init(&settings, s->arena, c->arguments, c->n_argument, options);
    settings_add(&settings, c->settings, c->n_setting, options);
    settings_add(&settings, common_settings, n_common_settings, common);
    if (c->configured) {
        const char *path = config_file(s->argc, s->argv);
        if (path)
            TRY(config_apply_file(&settings, s->arena, path));
        TRY(config_apply_environment(&settings, s->arena));
    }
    TRY(settings_parse(&settings, s->argc, s->argv));
    return settings_check(&settings);
}

err command_options(struct session *s, void *options) {
    struct common_options common = {0};
    return read_options(s, options, &common);
}

static err run_command(struct session *s, const struct command *c, int argc, char *const *argv) {
    s->command = c;
    s->argc = argc;
    s->argv = argv;
    if (asks_for(argc, argv, "--help", "-h")) {
        describe_command(s->arena, &s->out, c);
        return OK;
    }
    void *options = arena_alloc(s->arena, c->options_size);
    struct common_options common = {0};
    TRY(read_options(s, options, &common));
    s->json = common.json;
    s->quiet = common.quiet;
    s->out = terminal_of(stdout, common.color);
    s->err = terminal_of(stderr, common.color);
    TRY(open_log(s, &common));
    return run_logged(s, c, options);
}

/* Used by the build: the text of manual pages and completion. */
static err run_hidden(struct session *s, int argc, char *const *argv) {
    if (strcmp(argv[0], "__complete") == 0)
        return describe_completion(s->arena, s->out.file, argc > 1 ? str_from(argv[1]) : STR(""));
    const struct command *c = NULL;
    int n_word;
    if (argc > 1)
        TRY(find_in(s->arena, argc - 1, argv + 1, &c, &n_word));
    describe_manual(s->arena, s->out.file, c);
    return OK;
}

static err dispatch(void *ctx) {
    struct call *call = ctx;
    struct session *s = &call->session;
    int argc = call->argc, n_word;
    char *const *argv = call->argv;
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        describe_overview(s->arena, &s->out, STR(""));
        return OK;
    }
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
        fputs("galena " GALENA_VERSION "\n", s->out.file);
        return OK;
    }
    if (strcmp(argv[0], "__man") == 0 || strcmp(argv[0], "__complete") == 0)
        return run_hidden(s, argc, argv);
    if (argv[0][0] == '-')
        return session_usage("usage_unknown_option", "unknown option %s; options come after the command", argv[0]);
    if (is_group(str_from(argv[0])) && (argc == 1 || argv[1][0] == '-')) {
        describe_overview(s->arena, &s->out, str_from(argv[0]));
        return OK;
    }
    const struct command *c;
    TRY(find_in(s->arena, argc, argv, &c, &n_word));
    return run_command(s, c, argc - n_word, argv + n_word);
}

/* ---- the process ---- */

/* Leaves at once, as the default action would, but not before half-written files are gone. */
static void on_signal(int number) {
    file_discard_all();
    _exit(EXIT_SIGNAL + number);
}

static void handle_signals(void) {
    struct sigaction leave = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &leave, NULL);
    sigaction(SIGTERM, &leave, NULL);
    sigaction(SIGHUP, &leave, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* a closed pipe becomes a failed write */
    sigaction(SIGXFSZ, &ignore, NULL); /* so does a file beyond the size that is allowed */
}

/* Three quarters of the machine's memory, at least 1 GiB: enough to never be in the way of honest work, and less than what
 * makes the machine unusable. */
static size_t memory_limit(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page_byte = sysconf(_SC_PAGESIZE);
    size_t limit = pages > 0 && page_byte > 0 ? (size_t)pages / 4 * 3 * (size_t)page_byte : 0;
    return limit > (size_t)1 << 30 ? limit : (size_t)1 << 30;
}

static bool is_usage(const char *slug) { return strncmp(slug, "usage_", 6) == 0; }

static int exit_code(err rc) { return rc != OK && is_usage(err_slug()) ? EXIT_USAGE : err_exit_code(rc); }

/* The sentence of the failure, and the part after its first newline, which is the hint. */
struct message {
    str sentence, hint;
};

static struct message message_of(const char *text) {
    str all = str_from(text);
    ptrdiff_t newline = str_find_byte(all, '\n');
    if (newline < 0)
        return (struct message){all, {0}};
    return (struct message){str_slice(all, 0, (size_t)newline), str_slice(all, (size_t)newline + 1, all.len)};
}

static void show_error_text(const struct session *s, struct message m) {
    const struct terminal *t = &s->err;
    fprintf(t->file, "galena: %serror[%s]:%s ", terminal_style(t, STYLE_BAD), err_slug(), terminal_style(t, STYLE_PLAIN));
    terminal_put(t, m.sentence);
    fputc('\n', t->file);
    if (m.hint.len > 0) {
        fputs("  hint: ", t->file);
        terminal_put(t, m.hint);
        fputc('\n', t->file);
    }
    if (is_usage(err_slug()))
        fprintf(t->file, "Try \"galena help%s%s\".\n", s->command ? " " : "", s->command ? s->command->name : "");
}

/* {"error":{"code":"input","name":"csv_unclosed_quote","message":"...","hint":"...","exit_code":2}}: the one document on
 * standard output, or a line on standard error when data goes to standard output. */
static void show_error_json(const struct session *s, err rc, struct message m) {
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1 << 16);
    json_write_begin(&w, &out, 0);
    json_open_object(&w);
    json_key(&w, STR("error"));
    json_open_object(&w);
    json_put_string(&w, STR("code"), is_usage(err_slug()) ? STR("usage") : str_from(err_name(rc)));
    json_put_string(&w, STR("name"), str_from(err_slug()));
    json_put_string(&w, STR("message"), m.sentence);
    if (m.hint.len > 0)
        json_put_string(&w, STR("hint"), m.hint);
    json_put_integer(&w, STR("exit_code"), exit_code(rc));
    json_close_object(&w);
    json_close_object(&w);
    buf_add_byte(&out, '\n');
    fwrite(out.ptr, 1, out.len, s->data_on_stdout ? stderr : stdout);
    buf_done(&out);
    fflush(stdout);
}

static void show_error(const struct session *s, err rc) {
    struct message m = message_of(err_text());
    if (s->json)
        show_error_json(s, rc, m);
    else
        show_error_text(s, m);
}

/* Ends the output. A reader that went away ("galena ... | head") is no fault worth a message, but what it got is not all. */
static int finish(const struct session *s, err rc) {
    errno = 0;
    bool broken = fflush(stdout) != 0 || ferror(stdout);
    if ((broken && errno == EPIPE) || (rc != OK && strcmp(err_slug(), "pipe_closed") == 0))
        return EXIT_SIGNAL + SIGPIPE;
    if (rc == OK && broken)
        rc = fail(ERR_AGAIN, "output_write", "standard output: %s", strerror(errno));
    if (rc != OK && !s->failure_shown)
        show_error(s, rc);
    return exit_code(rc);
}

int command_main(int argc, char **argv) {
    struct arena *arena = arena_new(memory_limit());
    if (!arena) {
        fputs("galena: error[memory_limit]: the system has no memory left\n", stderr);
        return err_exit_code(ERR_LIMIT);
    }
    handle_signals();
    struct call call = {.session = {.arena = arena,
                                    .out = terminal_of(stdout, COLOR_AUTO),
                                    .err = terminal_of(stderr, COLOR_AUTO),
                                    .clock = clock_system(),
                                    .log = {.fd = -1}},
                        .argc = argc > 0 ? argc - 1 : 0,
                        .argv = argv + 1};
    call.session.json = asks_for(call.argc, call.argv, "--json", NULL);
    int code = finish(&call.session, arena_run(arena, dispatch, &call));
    arena_free(arena);
    return code;
}
