/* clean.c — galena clean: the values of a file of leads in one form, with what was changed, why, and how sure that is. */
#include "base/csv.h"
#include "base/file.h"
#include "base/number.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "intake/table.h"
#include "validate/clean.h"

#include <math.h>
#include <sys/resource.h>

enum { BATCH_ROW = 1024, BATCH_BYTE = 256 << 20, FLUSH_BYTE = 1 << 16, OUT_BYTE = 64 << 20, EXTRA_MAX = 6 };

struct clean_settings {
    str file, out, area_model, group_model;
    struct setting_list column;
    double sure;
    int dates;
};

/* A column as asked for: "email=E-mail". */
struct wanted {
    enum clean_kind kind;
    str name;
    size_t at;
};

struct work {
    struct session *session;
    const struct clean_settings *o;
    struct wanted wanted[CLEAN_KIND_COUNT];
    size_t n_wanted;
    struct cleaner *cleaner;
    struct table *table;
    struct file_out *out;
    struct buf *text;
    struct arena *batch;
    char delimiter;
    uint64_t n_row, n_bad;
    uint64_t status[CLEAN_KIND_COUNT][CLEAN_INVALID + 1], rule[CLEAN_KIND_COUNT][CLEAN_RULE_COUNT];
    uint64_t class[MAIL_CORPORATE + 1], level[TITLE_LEVEL_COUNT], area[TITLE_AREA_COUNT], suggested;
    double second;
};

/* ---- columns ---- */

static str kind_names(struct arena *a) {
    str name[CLEAN_KIND_COUNT];
    for (unsigned k = 0; k < CLEAN_KIND_COUNT; k++)
        name[k] = str_from(clean_kind_name((enum clean_kind)k));
    return str_join(a, name, CLEAN_KIND_COUNT, STR(", "));
}

static err read_columns(struct work *w) {
    struct arena *a = w->session->arena;
    const struct setting_list *list = &w->o->column;
    bool seen[CLEAN_KIND_COUNT] = {false};
    for (size_t i = 0; i < list->n; i++) {
        str kind, rest = list->item[i];
        enum clean_kind k;
        const bool given = str_split(&rest, '=', &kind) && rest.ptr;
        if (!given || rest.len == 0)
            return session_usage("usage_bad_value", "--column %.*s: write KIND=COLUMN, as email=E-mail",
                                 STR_ARG(list->item[i]));
        if (!clean_kind_of(kind, &k))
            return session_usage("usage_bad_value", "--column %.*s: there is no kind \"%.*s\"; the kinds are %.*s",
                                 STR_ARG(list->item[i]), STR_ARG(kind), STR_ARG(kind_names(a)));
        if (seen[k])
            return session_usage("usage_bad_value", "--column %.*s: there is a column of that kind already",
                                 STR_ARG(list->item[i]));
        seen[k] = true;
        w->wanted[w->n_wanted++] = (struct wanted){.kind = k, .name = rest};
    }
    return OK;
}

static err find_columns(struct work *w) {
    size_t n;
    const str *columns = table_columns(w->table, &n);
    for (size_t k = 0; k < w->n_wanted; k++) {
        size_t i = 0;
        while (i < n && !str_equal(columns[i], w->wanted[k].name))
            i++;
        if (i == n)
            return fail(ERR_INPUT, "clean_no_column", "%s has no column \"%.*s\"", table_name(w->table),
                        STR_ARG(w->wanted[k].name));
        w->wanted[k].at = i;
    }
    return OK;
}

/* What is appended for a kind besides value, status, rule and confidence. */
static const char *const extras[CLEAN_KIND_COUNT][EXTRA_MAX] = {
    [CLEAN_EMAIL] = {"email_class", "email_suggestion", "email_suggestion_confidence"},
    [CLEAN_PHONE] = {"phone_type"},
    [CLEAN_TITLE] = {"title_level", "title_area", "title_area_confidence", "title_soc", "title_soc_confidence"},
    [CLEAN_COMPANY] = {"company_form"},
    [CLEAN_NAME] = {"name_given", "name_family"},
    [CLEAN_INDUSTRY] = {"industry_title"},
};

static const char *const ends[] = {"clean", "status", "rule", "confidence"};

/* The names of all appended columns, each with the delimiter in front; a name that the file has already is refused. */
static err add_name(struct work *w, str name) {
    size_t n;
    const str *columns = table_columns(w->table, &n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(columns[i], name))
            return fail(ERR_INPUT, "clean_column_taken", "%s has a column \"%.*s\" already; rename it first",
                        table_name(w->table), STR_ARG(name));
    buf_add_byte(w->text, w->delimiter);
    buf_add(w->text, name);
    return OK;
}

static err write_head(struct work *w) {
    size_t n;
    const str *columns = table_columns(w->table, &n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(w->text, w->delimiter);
        csv_write_cell(w->text, columns[i], w->delimiter);
    }
    for (size_t k = 0; k < w->n_wanted; k++) {
        const enum clean_kind kind = w->wanted[k].kind;
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
            TRY(add_name(w, str_format(w->session->arena, "%s_%s", clean_kind_name(kind), ends[e])));
        for (size_t e = 0; e < EXTRA_MAX && extras[kind][e]; e++)
            TRY(add_name(w, str_from(extras[kind][e])));
    }
    buf_add_byte(w->text, '\n');
    return buf_check(w->text);
}

/* ---- rows ---- */

static void add_cell(struct work *w, str cell) {
    buf_add_byte(w->text, w->delimiter);
    csv_write_cell_guarded(w->text, cell, w->delimiter);
}

static void add_share(struct work *w, bool there, double share) {
    buf_add_byte(w->text, w->delimiter);
    if (there)
        buf_add_format(w->text, "%.3f", share);
}

static void add_extras(struct work *w, enum clean_kind kind, const struct clean_output *o) {
    const bool known = o->value[kind].status == CLEAN_OK || o->value[kind].status == CLEAN_CORRECTED;
    const bool filled = o->value[kind].status != CLEAN_EMPTY;
    switch (kind) {
    case CLEAN_EMAIL:
        add_cell(w, filled ? str_from(mail_class_name(o->mail.class)) : (str){0});
        add_cell(w, o->mail.suggestion);
        add_share(w, o->mail.suggestion.len > 0, o->mail.suggestion_confidence);
        break;
    case CLEAN_PHONE:
        add_cell(w, o->phone_type);
        break;
    case CLEAN_TITLE:
        add_cell(w, known ? str_from(title_level_name(o->title_level)) : (str){0});
        add_cell(w, known ? str_from(title_area_name(o->title_area)) : (str){0});
        add_share(w, known, o->title_area_confidence);
        add_cell(w, o->title_group);
        add_share(w, o->title_group.len > 0, o->title_group_confidence);
        break;
    case CLEAN_COMPANY:
        add_cell(w, o->company_form);
        break;
    case CLEAN_NAME:
        add_cell(w, o->name_given);
        add_cell(w, o->name_family);
        break;
    case CLEAN_INDUSTRY:
        add_cell(w, o->industry_title);
        break;
    default:
        break;
    }
}

static void count(struct work *w, const struct clean_output *o) {
    w->n_row++;
    for (size_t k = 0; k < w->n_wanted; k++) {
        const enum clean_kind kind = w->wanted[k].kind;
        const struct clean_value *v = &o->value[kind];
        w->status[kind][v->status]++;
        for (unsigned r = 0; r < CLEAN_RULE_COUNT; r++)
            w->rule[kind][r] += clean_has(v, (enum clean_rule)r);
        if (v->status == CLEAN_EMPTY)
            continue;
        if (kind == CLEAN_EMAIL) {
            w->class[o->mail.class]++;
            w->suggested += o->mail.suggestion.len > 0;
        }
        if (kind == CLEAN_TITLE && v->status != CLEAN_INVALID) {
            w->level[o->title_level]++;
            w->area[o->title_area]++;
        }
    }
}

/* The row as it stands in the file, or its cells written anew where the file was no CSV. */
static void add_original(struct work *w, const struct table_row *row) {
    if (row->csv.len > 0) {
        buf_add(w->text, row->csv);
        return;
    }
    size_t n;
    table_columns(w->table, &n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(w->text, w->delimiter);
        csv_write_cell_guarded(w->text, row->cell[i], w->delimiter);
    }
}

static void add_row(struct work *w, const struct table_row *row) {
    struct clean_input in = {0};
    struct clean_output out;
    for (size_t k = 0; k < w->n_wanted; k++) {
        const str cell = row->cell[w->wanted[k].at];
        in.cell[w->wanted[k].kind] = (str){cell.ptr ? cell.ptr : "", cell.len};
    }
    clean_lead(w->cleaner, w->batch, &in, &out);
    add_original(w, row);
    for (size_t k = 0; k < w->n_wanted; k++) {
        const struct clean_value *v = &out.value[w->wanted[k].kind];
        add_cell(w, v->value);
        add_cell(w, str_from(clean_status_name(v->status)));
        add_cell(w, clean_rule_text(w->batch, v));
        add_share(w, v->status != CLEAN_EMPTY || v->rules, v->confidence);
        add_extras(w, w->wanted[k].kind, &out);
    }
    buf_add_byte(w->text, '\n');
    count(w, &out);
}

static err flush(struct work *w, size_t least) {
    TRY(buf_check(w->text));
    if (w->text->len < least)
        return OK;
    TRY(file_write(w->out, buf_str(w->text)));
    buf_clear(w->text);
    return OK;
}

static err clean_batch(struct work *w, const struct table_row *row, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (row[i].status != OK) {
            w->n_bad++;
            continue;
        }
        add_row(w, &row[i]);
        TRY(flush(w, FLUSH_BYTE));
    }
    return OK;
}

static err clean_rows(void *ctx) {
    struct work *w = ctx;
    struct progress progress;
    progress_begin(&progress, w->session, table_name(w->table), "bytes", (double)table_bytes_total(w->table));
    err rc = OK;
    for (size_t n = 1; n > 0 && rc == OK;) {
        struct table_row *row;
        arena_reset(w->batch);
        rc = table_read(w->table, w->batch, BATCH_ROW, &row, &n);
        if (rc == OK)
            rc = clean_batch(w, row, n);
        progress_at(&progress, (double)table_bytes_read(w->table));
    }
    progress_end(&progress);
    return rc;
}

/* ---- the command ---- */

static err load_model(struct arena *a, str path, const struct text_classifier **out) {
    str bytes;
    struct text_classifier *c;
    if (path.len == 0)
        return OK;
    TRY(file_read_all(a, path.ptr, TEXT_MODEL_BYTE, &bytes));
    const err rc = text_classifier_load(a, bytes, &c);
    if (rc != OK)
        return err_prefix(rc, "%s", path.ptr);
    if (text_classifier_has_entity(c))
        return fail(ERR_INPUT, "clean_model_entity", "%s was trained with entities, which titles do not have", path.ptr);
    *out = c;
    return OK;
}

static err load_cleaner(struct work *w) {
    struct cleaner_options o = {.email_sure = w->o->sure, .day_first = w->o->dates == 1, .month_first = w->o->dates == 2};
    TRY(load_model(w->session->arena, w->o->area_model, &o.area));
    TRY(load_model(w->session->arena, w->o->group_model, &o.group));
    return cleaner_new(w->session->arena, &o, &w->cleaner);
}

static void put_counts(struct json_writer *j, const char *key, const uint64_t *n, size_t cap,
                       const char *(*name)(unsigned)) {
    json_key(j, str_from(key));
    json_open_object(j);
    for (unsigned i = 0; i < cap; i++)
        json_put_integer(j, str_from(name(i)), (int64_t)n[i]);
    json_close_object(j);
}

static const char *class_name(unsigned i) { return mail_class_name((enum mail_class)i); }
static const char *level_name(unsigned i) { return title_level_name((enum title_level)i); }
static const char *area_name(unsigned i) { return title_area_name((enum title_area)i); }

static void put_column(const struct work *w, struct json_writer *j, const struct wanted *c) {
    json_open_object(j);
    json_put_string(j, STR("column"), c->name);
    json_put_string(j, STR("kind"), str_from(clean_kind_name(c->kind)));
    for (unsigned s = 0; s <= CLEAN_INVALID; s++)
        json_put_integer(j, str_from(clean_status_name((enum clean_status)s)), (int64_t)w->status[c->kind][s]);
    json_key(j, STR("rules"));
    json_open_object(j);
    for (unsigned r = 0; r < CLEAN_RULE_COUNT; r++)
        if (w->rule[c->kind][r] > 0)
            json_put_integer(j, str_from(clean_rule_name((enum clean_rule)r)), (int64_t)w->rule[c->kind][r]);
    json_close_object(j);
    if (c->kind == CLEAN_EMAIL) {
        put_counts(j, "classes", w->class, MAIL_CORPORATE + 1, class_name);
        json_put_integer(j, STR("suggestions"), (int64_t)w->suggested);
    }
    if (c->kind == CLEAN_TITLE) {
        put_counts(j, "levels", w->level, TITLE_LEVEL_COUNT, level_name);
        put_counts(j, "areas", w->area, TITLE_AREA_COUNT, area_name);
    }
    json_close_object(j);
}

static double cpu_second(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return NAN;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static err show_json(const struct work *w) {
    struct session_document *d = session_document_new(w->session);
    struct json_writer *j = &d->w;
    json_open_object(j);
    json_put_integer(j, STR("rows"), (int64_t)w->n_row);
    json_put_integer(j, STR("rows_bad"), (int64_t)w->n_bad);
    json_key(j, STR("columns"));
    json_open_array(j);
    for (size_t k = 0; k < w->n_wanted; k++)
        put_column(w, j, &w->wanted[k]);
    json_close_array(j);
    json_key(j, STR("seconds"));
    json_open_object(j);
    json_put_number(j, STR("wall"), w->second);
    json_put_number(j, STR("cpu"), cpu_second());
    json_close_object(j);
    json_close_object(j);
    return session_document_print(w->session, d);
}

static void show_text(const struct work *w) {
    struct arena *a = w->session->arena;
    const struct terminal *t = session_summary(w->session);
    present_pair(t, "rows", 10, number_for_people(a, (double)w->n_row));
    for (size_t k = 0; k < w->n_wanted; k++) {
        const uint64_t *n = w->status[w->wanted[k].kind];
        present_pair(t, clean_kind_name(w->wanted[k].kind), 10,
                     str_format(a, "%llu ok, %llu corrected, %llu invalid, %llu empty", (unsigned long long)n[CLEAN_OK],
                                (unsigned long long)n[CLEAN_CORRECTED], (unsigned long long)n[CLEAN_INVALID],
                                (unsigned long long)n[CLEAN_EMPTY]));
    }
    if (w->n_bad > 0)
        session_warn(w->session, "%s rows could not be read and were left out", number_for_people(a, (double)w->n_bad).ptr);
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err clean_file(struct work *w) {
    struct arena *a = w->session->arena;
    TRY(table_open(a, &(struct table_options){.path = w->o->file.ptr}, &w->table));
    TRY(find_columns(w));
    w->delimiter = table_delimiter(w->table);
    w->text = buf_in(a, OUT_BYTE);
    TRY(load_cleaner(w));
    TRY(write_head(w));
    TRY(file_create(a, w->o->out.ptr, &w->out));
    w->batch = arena_new(BATCH_BYTE);
    if (!w->batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read %s", w->o->file.ptr);
    arena_defer(a, free_arena, w->batch);
    TRY(arena_run(w->batch, clean_rows, w));
    TRY(flush(w, 0));
    return file_commit(w->out);
}

static err run_clean(struct session *s, const void *options) {
    struct work *w = ARENA_NEW(s->arena, struct work);
    w->session = s;
    w->o = options;
    const int64_t began = s->clock.steady_ns();
    TRY(read_columns(w));
    s->data_on_stdout = str_equal(w->o->out, STR("-"));
    TRY(clean_file(w));
    w->second = clock_second_since(&s->clock, began);
    if (s->json)
        return show_json(w);
    if (!s->quiet)
        show_text(w);
    return OK;
}

static const struct argument clean_arguments[] = {
    {.name = "FILE", .help = "rows to clean: CSV, CSV.gz or JSON lines", .offset = offsetof(struct clean_settings, file)},
};

#define AT(member) .offset = offsetof(struct clean_settings, member)

static const char *const date_orders[] = {"unknown", "day-first", "month-first", NULL};

static const struct setting clean_table[] = {
    {.name = "column",
     .letter = 'c',
     .type = SETTING_LIST,
     AT(column),
     .required = true,
     .arg = "KIND=COLUMN",
     .help =
         "a column to clean and what it holds; once for each. Kinds: email, phone, region, country, title, company, name, "
         "domain, industry, money, headcount, date, language"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .required = true,
     .arg = "OUT",
     .help = "where to write the rows with the cleaned columns behind them"},
    {.name = "title-area-model",
     .type = SETTING_PATH,
     AT(area_model),
     .arg = "FILE",
     .help =
         "a model of galena text train for the area of titles; its labels are Business, Technical, Sales-Marketing, Other"},
    {.name = "title-group-model",
     .type = SETTING_PATH,
     AT(group_model),
     .arg = "FILE",
     .help = "a model of galena text train for the occupational group of titles; its label goes to title_soc"},
    {.name = "sure",
     .type = SETTING_FRACTION,
     AT(sure),
     .fallback = "0.5",
     .min = 0.01,
     .max = 1,
     .help = "least confidence at which a slip in an e-mail's domain is corrected and not only suggested"},
    {.name = "dates",
     .type = SETTING_CHOICE,
     AT(dates),
     .fallback = "unknown",
     .choices = date_orders,
     .help = "how 03/04/2026 is to be read; unknown: such dates are invalid"},
};

const struct command command_clean = {
    .name = "clean",
    .summary = "bring e-mails, phones, names, titles and companies into one form",
    .description =
        "Appends to every row what its values become: KIND_clean, KIND_status (ok, corrected, invalid, empty), KIND_rule "
        "(what "
        "was done, or why the value is refused) and KIND_confidence. The columns of the file stay as they are. Nothing is "
        "guessed silently: a value that cannot be used has no cleaned value, and says why.\n\n"
        "E-mails also get email_class (corporate, free, disposable, role, invalid) and, where the domain looks like a slip "
        "of "
        "a well-known provider's, email_suggestion; titles get title_level (C-Suite, VP, Director, Manager, Other) and "
        "title_area (Business, Technical, Sales-Marketing, Other), and title_soc with a model; phones their type; names the "
        "given name and the family name; companies their legal form; industries the title of their code.\n\n"
        "Phones in national form need a column of kind region or country.",
    .examples =
        "# clean what a form brought\n"
        "galena clean leads.csv --column email=Email --column phone=Phone --column country=Country --column name=Name --out "
        "clean.csv\n"
        "# titles, with a model of your own for their area\n"
        "galena text train titles.csv --text title --label area --out area.model\n"
        "galena clean leads.csv --column title=Title --title-area-model area.model --out clean.csv\n",
    COMMAND_ARGUMENTS(clean_arguments),
    COMMAND_SETTINGS(clean_table),
    .options_size = sizeof(struct clean_settings),
    .run = run_clean,
};
