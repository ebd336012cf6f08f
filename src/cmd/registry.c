/* registry.c — galena registry build: a list of organisations as an index for galena match. */
#include "base/number.h"
#include "cmd/present.h"
#include "cmd/registry_load.h"

struct build_settings {
    struct leads_options leads;
    struct registry_columns column;
    str out;
};

static err show_json(const struct session *s, const struct registry *r, const struct registry_counts *c, double second) {
    const struct registry_size n = registry_size_of(r);
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("rows"), (int64_t)c->rows);
    json_put_integer(&d->w, STR("bad_rows"), (int64_t)c->bad);
    json_put_integer(&d->w, STR("organisations"), (int64_t)n.organisations);
    json_put_integer(&d->w, STR("names"), (int64_t)n.names);
    json_put_integer(&d->w, STR("words"), (int64_t)n.words);
    json_put_integer(&d->w, STR("bytes"), (int64_t)n.bytes);
    json_put_number(&d->w, STR("seconds"), second);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void show_text(const struct session *s, const struct build_settings *o, const struct registry *r, double second) {
    struct arena *a = s->arena;
    const struct terminal *t = session_summary(s);
    const struct registry_size n = registry_size_of(r);
    present_heading(t,
                    str_cstr(a, str_format(a, "%s organisations in %.*s", number_for_people(a, (double)n.organisations).ptr,
                                           STR_ARG(present_second(a, second)))));
    present_pair(t, "names", 14, number_for_people(a, (double)n.names));
    if (!str_equal(o->out, STR("-")))
        present_pair(t, "written to", 14, o->out);
}

static err run_build(struct session *s, const void *options) {
    const struct build_settings *o = options;
    const int64_t began = s->clock.steady_ns();
    const struct match_forms *forms;
    const struct registry *r;
    struct registry_counts counts;
    s->data_on_stdout = str_equal(o->out, STR("-"));
    TRY(leads_refuse_same("--out", o->out, "FILE", o->leads.file));
    TRY(match_forms_load(s->arena, &forms));
    TRY(registry_load_table(s, &o->leads, &o->column, forms, &counts, &r));
    TRY(registry_write(s->arena, r, o->out.ptr));
    const double second = clock_second_since(&s->clock, began);
    if (s->json)
        return show_json(s, r, &counts, second);
    if (!s->quiet)
        show_text(s, o, r, second);
    return OK;
}

static const struct argument build_arguments[] = {
    {.name = "FILE",
     .help = "organisations: CSV, CSV.gz or JSON lines; - is standard input",
     .offset = offsetof(struct build_settings, leads.file)},
};

#define AT(member)     .offset = offsetof(struct build_settings, member)
#define COLUMN(member) .type = SETTING_STRING, AT(column.member), .arg = "COLUMN"

static const struct setting build_table[] = {
    {.name = "name", COLUMN(name), .required = true, .help = "the column with the name"},
    {.name = "id",
     COLUMN(id),
     .required = true,
     .help = "the column that names an organisation; rows with the same id are one, with several names"},
    {.name = "former", COLUMN(former), .help = "the column with earlier or other names, separated by ; or |"},
    {.name = "domain", COLUMN(domain), .help = "the column with the web domain"},
    {.name = "country", COLUMN(country), .help = "the column with the country"},
    {.name = "city", COLUMN(city), .help = "the column with the city"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .required = true,
     .arg = "REGISTRY",
     .help = "where the index goes"},
    LEADS_SETTINGS(struct build_settings, leads),
};

const struct command command_registry_build = {
    .name = "registry build",
    .summary = "make an index of known organisations",
    .description =
        "Reads a list of organisations and writes an index in which galena match finds them by name. The index is the same "
        "bytes for the same rows in any order. Build it again when the list changes.",
    .examples = "# companies with their earlier names and domains\n"
                "galena registry build companies.csv --id number --name name --former previous_names --domain website --out "
                "companies.registry\n",
    COMMAND_ARGUMENTS(build_arguments),
    COMMAND_SETTINGS(build_table),
    .options_size = sizeof(struct build_settings),
    .run = run_build,
};
