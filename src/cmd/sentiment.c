/* sentiment.c — galena sentiment: rows of news in, the same rows with what they say of a company out. */
#include "base/file.h"
#include "base/number.h"
#include "cmd/annotate.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "text/classifier.h"
#include "text/sentiment.h"

enum { MODEL_BYTE = TEXT_MODEL_BYTE };

struct sentiment_settings {
    str file, text, entity, model, out;
};

struct work {
    const struct lexicon *lexicon;
    const struct text_classifier *model;
    struct text_reader *reader;
    int kind[TEXT_LABEL_MAX]; /* what a label of the model means */
    double p[TEXT_LABEL_MAX];
    bool has_entity;
    uint64_t count[SENTIMENT_LABELS];
};

/* The labels of a model that are positive, neutral or negative. */
static err take_model(struct session *s, const char *path, struct work *w) {
    str bytes;
    struct text_classifier *model;
    size_t n;
    TRY(file_read_all(s->arena, path, MODEL_BYTE, &bytes));
    const err rc = text_classifier_load(s->arena, bytes, &model);
    if (rc != OK)
        return err_prefix(rc, "%s", path);
    const str *label = text_classifier_labels(model, &n);
    for (size_t i = 0; i < n; i++) {
        w->kind[i] = -1;
        for (int k = 0; k < SENTIMENT_LABELS; k++)
            if (str_equal_nocase(label[i], str_from(sentiment_label_name(k))))
                w->kind[i] = k;
        if (w->kind[i] < 0)
            return fail(ERR_INPUT, "sentiment_labels",
                        "%s: its labels are not positive, neutral and negative: \"%.*s\"; train one with galena text train",
                        path, STR_ARG(label[i]));
    }
    w->model = model;
    w->reader = text_reader_new(s->arena, model);
    return OK;
}

static struct sentiment judge(struct work *w, str text, str entity) {
    if (!w->model)
        return sentiment_judge(w->lexicon, text, entity);
    size_t n;
    text_classifier_labels(w->model, &n);
    const size_t best = text_classifier_predict(w->reader, text, entity, w->p);
    struct sentiment r = {.label = w->kind[best]};
    for (size_t i = 0; i < n; i++)
        r.score += w->kind[i] == SENTIMENT_POSITIVE ? w->p[i] : w->kind[i] == SENTIMENT_NEGATIVE ? -w->p[i] : 0;
    return r;
}

static void write_row(void *ctx, const str *cell, char delimiter, struct buf *out) {
    struct work *w = ctx;
    const struct sentiment r = judge(w, cell[0], w->has_entity ? str_trim(cell[1]) : (str){0});
    w->count[r.label]++;
    buf_add_format(out, "%c%s%c%.4f", delimiter, sentiment_label_name(r.label), delimiter, r.score);
}

static err show_json(struct session *s, const struct work *w, const struct annotated *done) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("rows"), (int64_t)done->rows);
    json_put_integer(&d->w, STR("rows_bad"), (int64_t)done->bad);
    json_put_bool(&d->w, STR("trained"), w->model != NULL);
    for (int k = 0; k < SENTIMENT_LABELS; k++)
        json_put_integer(&d->w, str_from(sentiment_label_name(k)), (int64_t)w->count[k]);
    json_put_number(&d->w, STR("seconds"), done->second);
    json_put_number(&d->w, STR("cpu_seconds"), done->cpu_second);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void show_text(struct session *s, const struct work *w, const struct annotated *done) {
    const struct terminal *t = session_summary(s);
    present_pair(t, "rows", 10, number_for_people(s->arena, (double)done->rows));
    for (int k = SENTIMENT_LABELS; k-- > 0;)
        present_pair(t, sentiment_label_name(k), 10, number_for_people(s->arena, (double)w->count[k]));
}

static err run_sentiment(struct session *s, const void *options) {
    const struct sentiment_settings *o = options;
    struct work *w = ARENA_NEW(s->arena, struct work);
    struct annotated done;
    const str column[] = {o->text, o->entity}, added[] = {STR("sentiment_label"), STR("sentiment_score")};
    w->has_entity = o->entity.len > 0;
    TRY(lexicon_load(s->arena, &w->lexicon));
    if (o->model.len > 0)
        TRY(take_model(s, o->model.ptr, w));
    const struct annotation a = {.file = o->file,
                                 .out = o->out,
                                 .column = column,
                                 .n_column = w->has_entity ? 2 : 1,
                                 .added = added,
                                 .n_added = sizeof added / sizeof *added,
                                 .write = write_row,
                                 .ctx = w};
    TRY(annotate_file(s, &a, &done));
    if (s->json)
        return show_json(s, w, &done);
    if (!s->quiet)
        show_text(s, w, &done);
    return OK;
}

static const struct argument sentiment_arguments[] = {
    {.name = "FILE",
     .help = "rows with a text: CSV, CSV.gz or JSON lines; - is standard input",
     .offset = offsetof(struct sentiment_settings, file)},
};

#define AT(member) .offset = offsetof(struct sentiment_settings, member)

static const struct setting sentiment_table[] = {
    {.name = "text", .type = SETTING_STRING, AT(text), .required = true, .arg = "COLUMN", .help = "the column of texts"},
    {.name = "entity",
     .type = SETTING_STRING,
     AT(entity),
     .arg = "COLUMN",
     .help = "the column of the company or thing in the text that is judged; without it the text as a whole"},
    {.name = "model",
     .letter = 'm',
     .type = SETTING_PATH,
     AT(model),
     .help = "a model that galena text train made from texts labelled positive, neutral and negative"},
    {.name = "out", .letter = 'o', .type = SETTING_PATH, AT(out), .fallback = "-", .help = "where the rows go, as CSV"},
};

const struct command command_sentiment = {
    .name = "sentiment",
    .summary = "judge what news says of a company",
    .description =
        "Writes the input columns and sentiment_label (positive, neutral, negative) and sentiment_score, from -1 to 1. A "
        "lexicon of directions and of what they may be said of is part of the program: profit is good when it rises, a loss "
        "when it narrows. With --entity the clause around the entity counts, so that one headline can be good for one "
        "company and bad for another; who is only quoted is neutral.\n\n"
        "With --model a trained model decides; it has seen what the lexicon finds. The score is then the probability of "
        "positive less that of negative.",
    .examples = "# with the lexicon alone\n"
                "galena sentiment news.csv --text headline --entity company --out judged.csv\n"
                "# with a model of one's own labels\n"
                "galena text train labelled.csv --text headline --entity company --label sentiment --out news.text\n"
                "galena sentiment news.csv --text headline --entity company --model news.text --out judged.csv\n",
    COMMAND_ARGUMENTS(sentiment_arguments),
    COMMAND_SETTINGS(sentiment_table),
    .options_size = sizeof(struct sentiment_settings),
    .run = run_sentiment,
};
