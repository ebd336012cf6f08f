/* text.c — galena text train: labelled texts in, a text model out. */
#include "base/file.h"
#include "base/number.h"
#include "base/utf8.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "intake/table.h"
#include "text/classifier.h"

enum { BATCH_ROW = 8192, BATCH_BYTE = 256 << 20, OUT_BYTE = 512 << 20 };

struct text_settings {
    str file, text, label, entity, out;
    int64_t seed, threads;
};

struct reading {
    struct session *session;
    struct table *table;
    struct arena *batch;
    size_t text, label, entity;
    bool has_entity;
    struct text_row *row;
    size_t n, cap;
    uint64_t bad;
};

static err find_column(const struct table *t, str name, size_t *out) {
    size_t n;
    const str *columns = table_columns(t, &n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(columns[i], name)) {
            *out = i;
            return OK;
        }
    return fail(ERR_INPUT, "text_no_column", "%s has no column \"%.*s\"", table_name(t), STR_ARG(name));
}

static err add_row(struct reading *r, const struct table_row *row) {
    struct arena *a = r->session->arena;
    if (row->status != OK) {
        r->bad++;
        return OK;
    }
    if (r->n == TEXT_ROW_MAX)
        return fail(ERR_INPUT, "text_rows", "%s: more than %d rows", table_name(r->table), TEXT_ROW_MAX);
    if (r->n == r->cap)
        r->row = arena_grow(a, r->row, &r->cap, r->n + 1, sizeof *r->row);
    struct text_row *to = &r->row[r->n++];
    *to = (struct text_row){.text = str_copy(a, utf8_cut(row->cell[r->text], TEXT_TEXT_BYTE)),
                            .label = str_copy(a, row->cell[r->label])};
    if (r->has_entity)
        to->entity = str_copy(a, str_trim(row->cell[r->entity]));
    return OK;
}

static err read_rows(void *ctx) {
    struct reading *r = ctx;
    struct progress progress;
    err rc = OK;
    progress_begin(&progress, r->session, table_name(r->table), "bytes", (double)table_bytes_total(r->table));
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(r->batch);
        rc = table_read(r->table, r->batch, BATCH_ROW, &row, &n);
        for (size_t i = 0; rc == OK && i < n; i++)
            rc = add_row(r, &row[i]);
        progress_at(&progress, (double)table_bytes_read(r->table));
    }
    progress_end(&progress);
    return rc;
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err read_file(struct session *s, const struct text_settings *o, struct reading *r) {
    *r = (struct reading){.session = s, .has_entity = o->entity.len > 0};
    TRY(table_open(s->arena, &(struct table_options){.path = o->file.ptr}, &r->table));
    TRY(find_column(r->table, o->text, &r->text));
    TRY(find_column(r->table, o->label, &r->label));
    if (r->has_entity)
        TRY(find_column(r->table, o->entity, &r->entity));
    r->batch = arena_new(BATCH_BYTE);
    if (!r->batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read %s", o->file.ptr);
    arena_defer(s->arena, free_arena, r->batch);
    return arena_run(r->batch, read_rows, r);
}

static err show_json(struct session *s, const struct text_train_report *r, uint64_t bad, double second) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("rows"), (int64_t)r->n_row);
    json_put_integer(&d->w, STR("rows_left_out"), (int64_t)(r->n_left_out + bad));
    json_put_integer(&d->w, STR("labels"), (int64_t)r->n_label);
    json_put_integer(&d->w, STR("features"), (int64_t)r->n_feature);
    json_put_number(&d->w, STR("penalty"), r->penalty);
    json_put_number(&d->w, STR("accuracy"), r->accuracy);
    json_put_number(&d->w, STR("base_accuracy"), r->base_accuracy);
    json_put_number(&d->w, STR("macro_f1"), r->macro_f1);
    json_put_number(&d->w, STR("log_loss"), r->log_loss);
    json_put_number(&d->w, STR("seconds"), second);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void show_text(struct session *s, const struct text_train_report *r, uint64_t bad) {
    struct arena *a = s->arena;
    const struct terminal *t = session_summary(s);
    present_pair(t, "rows", 12, number_for_people(a, (double)r->n_row));
    present_pair(t, "labels", 12, number_for_people(a, (double)r->n_label));
    present_pair(t, "features", 12, number_for_people(a, (double)r->n_feature));
    present_pair(
        t, "accuracy", 12,
        str_format(a, "%.3f out of fold; %.3f by always saying the most frequent label", r->accuracy, r->base_accuracy));
    present_pair(t, "macro F1", 12, str_format(a, "%.3f", r->macro_f1));
    if (r->n_left_out + bad > 0)
        session_warn(s, "%s rows without text or label, or that could not be read, were left out",
                     number_for_people(a, (double)(r->n_left_out + bad)).ptr);
}

static err run_text_train(struct session *s, const void *options) {
    const struct text_settings *o = options;
    const int64_t began = s->clock.steady_ns();
    struct reading r;
    struct file_out *out;
    struct text_classifier *model;
    struct text_train_report report;
    s->data_on_stdout = str_equal(o->out, STR("-"));
    TRY(file_create(s->arena, o->out.ptr, &out));
    TRY(read_file(s, o, &r));
    TRY(text_classifier_train(s->arena, r.row, r.n,
                              &(struct text_train_opts){.seed = (uint64_t)o->seed, .threads = (unsigned)o->threads}, &model,
                              &report));
    struct buf *b = buf_in(s->arena, OUT_BYTE);
    TRY(text_classifier_save(model, b));
    TRY(file_write(out, buf_str(b)));
    TRY(file_commit(out));
    if (s->json)
        return show_json(s, &report, r.bad, clock_second_since(&s->clock, began));
    if (!s->quiet)
        show_text(s, &report, r.bad);
    return OK;
}

static const struct argument text_arguments[] = {
    {.name = "FILE", .help = "labelled texts: CSV, CSV.gz or JSON lines", .offset = offsetof(struct text_settings, file)},
};

#define AT(member) .offset = offsetof(struct text_settings, member)

static const struct setting text_table[] = {
    {.name = "text", .type = SETTING_STRING, AT(text), .required = true, .arg = "COLUMN", .help = "the column of texts"},
    {.name = "label",
     .type = SETTING_STRING,
     AT(label),
     .required = true,
     .arg = "COLUMN",
     .help = "the column of what to learn to say"},
    {.name = "entity",
     .type = SETTING_STRING,
     AT(entity),
     .arg = "COLUMN",
     .help = "the column of whom or what the label is about: the same text may have another label for another entity"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .required = true,
     .arg = "MODEL",
     .help = "where the model goes"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     AT(seed),
     .fallback = "1",
     .min = 0,
     .max = 9e15,
     .help = "for the folds; equal rows and seed give equal bytes"},
    {.name = "threads",
     .type = SETTING_INTEGER,
     AT(threads),
     .fallback = "0",
     .min = 0,
     .max = 64,
     .help = "threads to work on; 0: as many as there are cores. The result is the same"},
};

const struct command command_text_train = {
    .name = "text train",
    .summary = "learn to label texts from labelled texts",
    .description =
        "Learns from a column of texts and a column of labels: titles and their function, sentences and their sentiment, "
        "descriptions and their industry. Words, pairs of words and runs of characters are features of a penalised "
        "multinomial logistic regression; the penalty is chosen by cross-validation, and the probabilities are calibrated "
        "out of fold. The accuracy shown is out of fold too.\n\n"
        "With --entity the label is about the entity in the text: what stands around it counts apart. With the labels "
        "positive, neutral and negative the model also uses what galena sentiment finds.\n\n"
        "Rows without text or label are left out.",
    .examples = "# functions of job titles\n"
                "galena text train titles.csv --text title --label area --out area.text\n"
                "# sentiment of news per company\n"
                "galena text train news.csv --text headline --entity company --label sentiment --out news.text\n",
    COMMAND_ARGUMENTS(text_arguments),
    COMMAND_SETTINGS(text_table),
    .options_size = sizeof(struct text_settings),
    .run = run_text_train,
};
