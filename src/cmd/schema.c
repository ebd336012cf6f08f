/* schema.c — galena schema: what each column of a file is, as YAML to read and edit. */
#include "base/file.h"
#include "base/yaml.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "features/infer.h"
#include "learn/label.h"
#include "score/bundle.h"

#include <math.h>
#include <unistd.h>

enum { SCHEMA_MAX_BYTE = 64 << 20 };

struct schema_settings {
    struct leads_options leads;
    str target, positive, id, time, out;
    struct setting_list exclude;
};

/* Rows with a known outcome, or all rows without a target. */
static err choose_rows(struct session *s, const struct schema_settings *o, const struct frame *f, uint32_t **rows, size_t *n,
                       double **y) {
    struct label label = {0};
    if (o->target.len > 0)
        TRY(label_read(s->arena, f, o->target, o->positive, true, &label));
    *rows = ARENA_ARRAY(s->arena, f->n_row, uint32_t);
    *y = label.y ? ARENA_ARRAY(s->arena, f->n_row, double) : NULL;
    *n = 0;
    for (size_t i = 0; i < f->n_row; i++) {
        if (label.y && isnan(label.y[i]))
            continue;
        if (label.y)
            (*y)[*n] = label.y[i];
        (*rows)[(*n)++] = (uint32_t)i;
    }
    return OK;
}

static err infer(struct session *s, const struct schema_settings *o, struct schema **out) {
    struct frame *f;
    struct leads_faults faults;
    uint32_t *rows;
    double *y;
    size_t n;
    TRY(leads_load(s, &o->leads, &f, &faults));
    TRY(choose_rows(s, o, f, &rows, &n, &y));
    const struct infer_opts opts = {.target = o->target,
                                    .positive = o->positive,
                                    .id = o->id,
                                    .time = o->time,
                                    .exclude = o->exclude.item,
                                    .n_exclude = o->exclude.n};
    return schema_infer(s->arena, f, rows, n, y, &opts, out);
}

static bool is_model(const char *path) {
    char head[sizeof BUNDLE_MAGIC - 1];
    int fd;
    if (strcmp(path, "-") == 0 || file_open(path, &fd) != OK)
        return false;
    const ssize_t n = read(fd, head, sizeof head);
    close(fd);
    return n == (ssize_t)sizeof head && memcmp(head, BUNDLE_MAGIC, sizeof head) == 0;
}

/* The schema of a model, or that of a file of leads. */
static err find_schema(struct session *s, const struct schema_settings *o, const struct schema **out) {
    struct schema *inferred;
    struct bundle *b;
    if (is_model(o->leads.file.ptr)) {
        TRY(bundle_load(s->arena, o->leads.file.ptr, &b));
        *out = b->schema;
        return OK;
    }
    TRY(infer(s, o, &inferred));
    *out = inferred;
    return OK;
}

static err run_schema(struct session *s, const void *options) {
    const struct schema_settings *o = options;
    const struct schema *schema;
    TRY(find_schema(s, o, &schema));
    for (size_t i = 0; i < schema->n_warning; i++)
        session_warn(s, "[%.*s] %.*s", STR_ARG(schema->warning[i].code), STR_ARG(schema->warning[i].message));
    struct buf *text = buf_in(s->arena, SCHEMA_MAX_BYTE), *out = buf_in(s->arena, SCHEMA_MAX_BYTE);
    struct json_writer w;
    json_write_begin(&w, text, 2);
    schema_to_json_choices(&w, schema);
    buf_add_byte(text, '\n');
    TRY(buf_check(text));
    if (s->json) {
        out = text;
    } else {
        const struct json *tree;
        TRY(json_parse(s->arena, buf_str(text), NULL, &tree));
        yaml_write(out, tree);
        TRY(buf_check(out));
    }
    if (!str_equal(o->out, STR("-")))
        return file_write_all(s->arena, o->out.ptr, buf_str(out));
    terminal_put(&s->out, buf_str(out));
    return OK;
}

static const struct argument schema_arguments[] = {
    {.name = "FILE",
     .help = "leads: CSV, CSV.gz or JSON lines, - is standard input; or a model",
     .offset = offsetof(struct schema_settings, leads.file)},
};

#define AT(member) .offset = offsetof(struct schema_settings, member)

static const struct setting schema_table[] = {
    {.name = "target",
     .type = SETTING_STRING,
     AT(target),
     .arg = "COLUMN",
     .help = "the column that tells what became of a lead; never a feature"},
    {.name = "positive",
     .type = SETTING_STRING,
     AT(positive),
     .arg = "VALUE",
     .help = "the value of that column that means converted"},
    {.name = "id", .type = SETTING_STRING, AT(id), .arg = "COLUMN", .help = "the column that names a lead"},
    {.name = "time", .type = SETTING_STRING, AT(time), .arg = "COLUMN", .help = "when each lead came"},
    {.name = "exclude", .type = SETTING_LIST, AT(exclude), .arg = "COLUMN,...", .help = "columns to leave out"},
    {.name = "out", .letter = 'o', .type = SETTING_PATH, AT(out), .fallback = "-", .help = "where the schema goes"},
    LEADS_SETTINGS(struct schema_settings, leads),
};

const struct command command_schema = {
    .name = "schema",
    .summary = "show what each column of a file is",
    .description =
        "Proposes a feature schema: for each column its type (numeric, category, several values, flag, date, text, "
        "identifier, "
        "constant), the texts that mean \"not known\", the transform, the group, and why. It is YAML to be read and "
        "edited; galena train --schema follows it. With --json, the same as JSON. Of a model it shows the schema that "
        "training "
        "made, with the fields that it found to say more together.",
    .examples = "# look, edit, train\ngalena schema past.csv --target Converted --out leads.schema.yaml\n"
                "galena train past.csv --target Converted --schema leads.schema.yaml --out leads.model\n"
                "# what training made of it\ngalena schema leads.model\n",
    COMMAND_ARGUMENTS(schema_arguments),
    COMMAND_SETTINGS(schema_table),
    .options_size = sizeof(struct schema_settings),
    .run = run_schema,
};
