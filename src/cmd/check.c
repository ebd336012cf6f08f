/* check.c — galena check: says what is wrong with a file, with line and column. */
#include "base/asset.h"
#include "base/file.h"
#include "base/json_schema.h"
#include "base/number.h"
#include "base/yaml.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "connector/connector.h"
#include "intake/table.h"
#include "lead/schema.h"
#include "profile/profile.h"
#include "score/bundle.h"

#include <unistd.h>

enum check_kind { KIND_AUTO, KIND_LEADS, KIND_SCHEMA, KIND_PROFILE, KIND_MODEL, KIND_CONNECTOR };
static const char *const kinds[] = {"auto", "leads", "schema", "profile", "model", "connector", NULL};
static const char *const kind_titles[] = {"", "a file of leads", "a feature schema", "a profile", "a model", "a connector"};

enum { HEAD_BYTE = 1 << 16, MAX_DOCUMENT_BYTE = 64 << 20, MAX_PROBLEM = 50 };

struct check_options {
    str file;
    enum check_kind kind;
};

static const struct argument check_arguments[] = {
    {.name = "FILE", .help = "the file to look at", .offset = offsetof(struct check_options, file)},
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

/* One thing wrong. line 0: the file as a whole. */
struct problem {
    uint64_t line, column;
    str name, message;
};

struct finding {
    struct session *session;
    const char *path;
    enum check_kind kind;
    struct problem problem[MAX_PROBLEM];
    size_t n_problem; /* all of them; the first MAX_PROBLEM are kept */
    uint64_t rows, columns;
};

static void note(struct finding *f, struct problem p) {
    if (f->n_problem < MAX_PROBLEM)
        f->problem[f->n_problem] = p;
    f->n_problem++;
}

/* ---- what it is ---- */

static bool has_line(str head, str start) {
    str line;
    while (str_split(&head, '\n', &line))
        if (str_starts(line, start))
            return true;
    return false;
}

/* Profiles and schemas are told by keys that only they have; what is neither is a file of leads. */
static enum check_kind kind_of_text(str head) {
    static const char *const sections[] = {"firmographics", "technographics", "demographics", "chronographics", "behaviour"};
    str start = str_trim(str_starts(head, STR("\xef\xbb\xbf")) ? str_slice(head, 3, head.len) : head);
    char key[40];
    bool json = str_starts(start, STR("{"));
    if (str_starts(head, STR("galena-model ")))
        return KIND_MODEL;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        int n = snprintf(key, sizeof key, json ? "\"%s\"" : "%s:", sections[i]);
        if (json ? str_find(head, (str){key, (size_t)n}) >= 0 : has_line(head, (str){key, (size_t)n}))
            return KIND_PROFILE;
    }
    if (!json && has_line(head, STR("connector:")) && has_line(head, STR("operations:")))
        return KIND_CONNECTOR;
    if (json ? str_find(head, STR("\"fields\"")) >= 0 && str_find(head, STR("\"version\"")) >= 0
             : has_line(head, STR("fields:")) && has_line(head, STR("version:")))
        return KIND_SCHEMA;
    return KIND_LEADS;
}

static err find_kind(struct session *s, const char *path, enum check_kind *kind) {
    int fd;
    if (strcmp(path, "-") == 0)
        return session_usage("usage_kind", "--kind is needed for standard input");
    TRY(file_open(path, &fd));
    char *head = arena_alloc(s->arena, HEAD_BYTE);
    ssize_t n = read(fd, head, HEAD_BYTE);
    close(fd);
    *kind = n > 0 ? kind_of_text((str){head, (size_t)n}) : KIND_LEADS;
    return OK;
}

/* ---- the checks ---- */

static err check_leads(struct finding *f) {
    struct arena *a = f->session->arena;
    struct table_options o = {.path = f->path};
    struct table *t;
    struct table_row *row;
    size_t columns, n;
    TRY(table_open(a, &o, &t));
    table_columns(t, &columns);
    struct progress progress;
    progress_begin(&progress, f->session, "reading", "bytes", (double)table_bytes_total(t));
    err rc;
    do {
        struct arena_mark mark = arena_mark(a);
        rc = table_read(t, a, SIZE_MAX, &row, &n);
        size_t before = f->n_problem;
        for (size_t i = 0; rc == OK && i < n; i++)
            if (row[i].status != OK)
                note(f, (struct problem){row[i].line, row[i].column, str_from(row[i].slug), row[i].reason});
        f->rows += rc == OK ? n : 0;
        /* Reasons that are kept must outlive the batch. */
        if (rc == OK && (f->n_problem == before || before >= MAX_PROBLEM))
            arena_rewind(a, mark);
        progress_at(&progress, (double)table_bytes_read(t));
    } while (rc == OK && n > 0);
    progress_end(&progress);
    f->columns = columns;
    return rc;
}

static err check_profile(struct finding *f) {
    const struct profile_problem *p;
    size_t n;
    str text;
    TRY(file_read_all(f->session->arena, f->path, PROFILE_MAX_BYTE, &text));
    TRY(profile_check(f->session->arena, text, f->path, &p, &n));
    for (size_t i = 0; i < n; i++) {
        str message = p[i].path.len > 0
                          ? str_format(f->session->arena, "%.*s: %.*s", STR_ARG(p[i].path), STR_ARG(p[i].message))
                          : p[i].message;
        note(f, (struct problem){p[i].line, p[i].column, STR("profile_problem"), message});
    }
    return OK;
}

/* The text of a failure is "FILE:LINE:COLUMN: sentence"; its place is taken out again. */
static void note_failure(struct finding *f) {
    struct problem p = {.name = str_copy(f->session->arena, str_from(err_slug()))};
    str text = str_copy(f->session->arena, str_from(err_text())), file = str_from(f->path), number;
    if (str_starts(text, file) && text.len > file.len && text.ptr[file.len] == ':') {
        text = str_slice(text, file.len + 1, text.len);
        uint64_t *const place[] = {&p.line, &p.column};
        for (size_t i = 0; i < 2 && text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9'; i++) {
            (void)str_split(&text, ':', &number);
            for (size_t k = 0; k < number.len && number.ptr[k] >= '0' && number.ptr[k] <= '9'; k++)
                *place[i] = *place[i] * 10 + (uint64_t)(number.ptr[k] - '0');
        }
    }
    p.message = str_trim(text);
    note(f, p);
}

/* Everything that the JSON Schema of that name in share/ finds wrong. */
static err note_form(struct finding *f, const struct json *v, str name) {
    const struct json *form;
    struct json_problems problems;
    TRY(json_parse(f->session->arena, asset_get(name), NULL, &form));
    err rc = json_schema_check(f->session->arena, form, v, &problems);
    if (rc != ERR_INPUT)
        return rc;
    for (size_t i = 0; i < problems.n; i++) {
        const struct json_problem *p = &problems.items[i];
        note(f, (struct problem){p->line, p->column, STR("schema_form"), p->text});
    }
    return OK;
}

/* The reader of schemas stops at the first fault. When faults are of form, they are all told instead; not those of a file
 * that a newer galena wrote, where other keys are to be expected. */
static err check_schema(struct finding *f) {
    const struct json *v;
    struct schema *schema;
    str text;
    TRY(file_read_all(f->session->arena, f->path, MAX_DOCUMENT_BYTE, &text));
    bool json = str_starts(str_trim(text), STR("{"));
    err rc = json ? json_parse(f->session->arena, text, NULL, &v) : yaml_parse(f->session->arena, text, NULL, &v);
    if (rc == OK) {
        rc = schema_from_json(f->session->arena, v, &schema);
        if (rc == ERR_INPUT && strcmp(err_slug(), "schema_version") != 0)
            TRY(note_form(f, v, STR("schemas/schema.json")));
    }
    return rc == OK || f->n_problem > 0 ? OK : err_prefix(rc, "%s", f->path);
}

static err check_connector(struct finding *f) {
    struct arena *a = f->session->arena;
    const struct connector *c;
    const struct json *v;
    struct program_host *h;
    str text;
    TRY(file_read_all(a, f->path, CONNECTOR_MAX_BYTE, &text));
    err rc = connector_parse(a, text, f->path, &c);
    if (rc == OK) {
        TRY(program_host_new(a, NULL, &h));
        rc = connector_check(h, c);
    } else if (rc == ERR_INPUT && strcmp(err_slug(), "connector_form") == 0 && yaml_parse(a, text, NULL, &v) == OK) {
        TRY(note_form(f, v, STR("schemas/connector.json")));
        rc = f->n_problem > 0 ? OK : connector_parse(a, text, f->path, &c);
    }
    if (rc == ERR_INPUT) {
        note_failure(f);
        return OK;
    }
    return rc;
}

static err check_model(struct finding *f) {
    struct bundle *b;
    return bundle_load(f->session->arena, f->path, &b);
}

/* ---- what is said ---- */

static err show_json(const struct finding *f) {
    struct session_document *d = session_document_new(f->session);
    json_open_object(&d->w);
    json_put_string(&d->w, STR("file"), str_from(f->path));
    json_put_string(&d->w, STR("kind"), str_from(kinds[f->kind]));
    json_put_bool(&d->w, STR("good"), f->n_problem == 0);
    if (f->kind == KIND_LEADS) {
        json_put_integer(&d->w, STR("rows"), (int64_t)f->rows);
        json_put_integer(&d->w, STR("columns"), (int64_t)f->columns);
    }
    json_put_integer(&d->w, STR("problem_count"), (int64_t)f->n_problem);
    json_key(&d->w, STR("problems"));
    json_open_array(&d->w);
    for (size_t i = 0; i < f->n_problem && i < MAX_PROBLEM; i++) {
        json_open_object(&d->w);
        json_put_integer(&d->w, STR("line"), (int64_t)f->problem[i].line);
        json_put_integer(&d->w, STR("column"), (int64_t)f->problem[i].column);
        json_put_string(&d->w, STR("name"), f->problem[i].name);
        json_put_string(&d->w, STR("message"), f->problem[i].message);
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(f->session, d);
}

static void show_text(const struct finding *f) {
    struct arena *a = f->session->arena;
    const struct terminal *t = &f->session->out;
    for (size_t i = 0; i < f->n_problem && i < MAX_PROBLEM; i++) {
        const struct problem *p = &f->problem[i];
        str place = p->column > 0
                        ? str_format(a, "%s:%llu:%llu", f->path, (unsigned long long)p->line, (unsigned long long)p->column)
                        : str_format(a, "%s:%llu", f->path, (unsigned long long)p->line);
        terminal_put(t, str_format(a, "%.*s: %.*s [%.*s]\n", STR_ARG(place), STR_ARG(p->message), STR_ARG(p->name)));
    }
    if (f->n_problem > MAX_PROBLEM)
        terminal_put(t, str_format(a, "and %zu more\n", f->n_problem - MAX_PROBLEM));
    if (f->n_problem > 0)
        return;
    terminal_put(t, str_format(a, "%s: %s, nothing wrong", f->path, kind_titles[f->kind]));
    if (f->kind == KIND_LEADS)
        terminal_put(t, str_format(a, ": %.*s rows of %llu columns", STR_ARG(number_for_people(a, (double)f->rows)),
                                   (unsigned long long)f->columns));
    terminal_put(t, STR("\n"));
}

static err run_check(struct session *s, const void *options) {
    static err (*const checks[])(struct finding * f) = {
        [KIND_AUTO] = check_leads,      [KIND_LEADS] = check_leads, [KIND_SCHEMA] = check_schema,
        [KIND_PROFILE] = check_profile, [KIND_MODEL] = check_model, [KIND_CONNECTOR] = check_connector};
    const struct check_options *o = options;
    struct finding *f = ARENA_NEW(s->arena, struct finding);
    *f = (struct finding){.session = s, .path = o->file.ptr, .kind = o->kind};
    if (f->kind == KIND_AUTO)
        TRY(find_kind(s, f->path, &f->kind));
    TRY(checks[f->kind](f));
    if (s->json)
        TRY(show_json(f));
    else
        show_text(f);
    if (f->n_problem == 0)
        return OK;
    s->failure_shown = s->json;
    return fail(ERR_INPUT, "check_problems", "%s: %zu problem%s", f->path, f->n_problem, f->n_problem == 1 ? "" : "s");
}

const struct command command_check = {
    .name = "check",
    .summary = "say what is wrong with a file",
    .description = "Reads a file of leads (CSV or JSON lines), a feature schema, a profile, a model or a connector and says "
                   "what is wrong with "
                   "it, with line and column. Ends with exit code 0 when nothing is.",
    .examples = "# a file of leads\ngalena check leads.csv\n# a profile, for a program\ngalena check --kind profile "
                "icp.yaml --json\n",
    COMMAND_ARGUMENTS(check_arguments),
    COMMAND_SETTINGS(check_settings),
    .options_size = sizeof(struct check_options),
    .run = run_check,
};
