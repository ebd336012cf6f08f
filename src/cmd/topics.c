/* topics.c — galena topics: texts in, the same rows with their topic out. */
#include "base/file.h"
#include "base/number.h"
#include "cmd/annotate.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "intake/table.h"
#include "text/topics.h"

enum { BATCH_ROW = 4096, BATCH_BYTE = 256 << 20, OUT_BYTE = 512 << 20, SHOWN_WORDS = 10 };

struct topics_settings {
    str file, out, model, apply;
    struct setting_list text;
    int64_t k, seed, sweeps;
    bool words;
};

struct work {
    struct session *session;
    const struct topics_settings *o;
    struct topics_corpus *corpus;
    struct table *table;
    struct arena *batch;
    size_t at[ANNOTATE_COLUMNS];
    struct topics *topics;
    struct topics_reader *reader;
    double p[TOPICS_MAX];
    uint64_t count[TOPICS_MAX];
    double train_s;
};

/* ---- learning ---- */

static err find_columns(struct work *w) {
    for (size_t k = 0; k < w->o->text.n; k++)
        TRY(append_find(w->table, w->o->text.item[k], &w->at[k]));
    return OK;
}

static err read_texts(void *ctx) {
    struct work *w = ctx;
    str part[ANNOTATE_COLUMNS];
    for (size_t n = 1; n > 0;) {
        struct table_row *row;
        arena_reset(w->batch);
        TRY(table_read(w->table, w->batch, BATCH_ROW, &row, &n));
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; row[i].status == OK && k < w->o->text.n; k++)
                part[k] = row[i].cell[w->at[k]];
            if (row[i].status == OK)
                TRY(topics_corpus_add(w->corpus, part, w->o->text.n));
        }
    }
    return OK;
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err learn(struct work *w) {
    struct arena *a = w->session->arena;
    if (str_equal(w->o->file, STR("-")))
        return session_usage("usage_standard_input", "topics are learned from a file: standard input cannot be read twice");
    TRY(table_open(a, &(struct table_options){.path = w->o->file.ptr}, &w->table));
    TRY(find_columns(w));
    w->corpus = topics_corpus_new(a);
    w->batch = arena_new(BATCH_BYTE);
    if (!w->batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read %s", w->o->file.ptr);
    arena_defer(a, free_arena, w->batch);
    TRY(arena_run(w->batch, read_texts, w));
    return topics_train(
        w->corpus, a,
        &(struct topics_opts){.k = (size_t)w->o->k, .seed = (uint64_t)w->o->seed, .sweeps = (unsigned)w->o->sweeps},
        &w->topics);
}

static err apply(struct work *w) {
    str bytes;
    TRY(file_read_all(w->session->arena, w->o->apply.ptr, TOPICS_MODEL_BYTE, &bytes));
    const err rc = topics_load(w->session->arena, bytes, &w->topics);
    return rc == OK ? OK : err_prefix(rc, "%s", w->o->apply.ptr);
}

static err save(struct work *w) {
    struct file_out *f;
    struct buf *b = buf_in(w->session->arena, OUT_BYTE);
    if (w->o->model.len == 0)
        return OK;
    TRY(topics_save(w->topics, b));
    TRY(file_create(w->session->arena, w->o->model.ptr, &f));
    TRY(file_write(f, buf_str(b)));
    return file_commit(f);
}

/* ---- writing ---- */

static void write_row(void *ctx, const str *cell, char delimiter, struct buf *out) {
    struct work *w = ctx;
    const size_t best = topics_infer(w->reader, cell, w->o->text.n, w->p);
    w->count[best]++;
    buf_add_format(out, "%c%zu%c%.4f", delimiter, best, delimiter, w->p[best]);
}

static void put_topic(struct json_writer *j, const struct work *w, size_t k) {
    str word[SHOWN_WORDS];
    json_open_object(j);
    json_put_integer(j, STR("topic"), (int64_t)k);
    json_put_integer(j, STR("rows"), (int64_t)w->count[k]);
    json_put_number(j, STR("share"), topics_share(w->topics, k));
    if (w->o->words) {
        const size_t n = topics_top_words(w->topics, k, SHOWN_WORDS, word);
        json_key(j, STR("words"));
        json_open_array(j);
        for (size_t i = 0; i < n; i++)
            json_string(j, word[i]);
        json_close_array(j);
    }
    json_close_object(j);
}

static err show_json(const struct work *w, const struct annotated *done) {
    struct session_document *d = session_document_new(w->session);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("rows"), (int64_t)done->rows);
    json_put_integer(&d->w, STR("rows_bad"), (int64_t)done->bad);
    json_put_integer(&d->w, STR("vocabulary"), (int64_t)topics_words(w->topics));
    json_key(&d->w, STR("topics"));
    json_open_array(&d->w);
    for (size_t k = 0; k < topics_count(w->topics); k++)
        put_topic(&d->w, w, k);
    json_close_array(&d->w);
    json_key(&d->w, STR("seconds"));
    json_open_object(&d->w);
    json_put_number(&d->w, STR("train"), w->train_s);
    json_put_number(&d->w, STR("write"), done->second);
    json_put_number(&d->w, STR("cpu"), annotate_cpu_second());
    json_close_object(&d->w);
    json_close_object(&d->w);
    return session_document_print(w->session, d);
}

static void show_text(const struct work *w, const struct annotated *done) {
    struct arena *a = w->session->arena;
    const struct terminal *t = session_summary(w->session);
    str word[SHOWN_WORDS];
    present_pair(t, "rows", 10, number_for_people(a, (double)done->rows));
    for (size_t k = 0; k < topics_count(w->topics); k++) {
        const size_t n = w->o->words ? topics_top_words(w->topics, k, SHOWN_WORDS, word) : 0;
        present_pair(t, str_cstr(a, str_format(a, "topic %zu", k)), 10,
                     str_format(a, "%s rows  %.*s", number_for_people(a, (double)w->count[k]).ptr,
                                STR_ARG(str_join(a, word, n, STR(" ")))));
    }
}

static err run_topics(struct session *s, const void *options) {
    const struct topics_settings *o = options;
    struct work *w = ARENA_NEW(s->arena, struct work);
    struct annotated done;
    const str added[] = {STR("galena_topic"), STR("galena_topic_p")};
    const int64_t began = s->clock.steady_ns();
    w->session = s;
    w->o = o;
    if (o->text.n > ANNOTATE_COLUMNS)
        return session_usage("usage_bad_value", "--text takes at most %d columns", ANNOTATE_COLUMNS);
    s->data_on_stdout = str_equal(o->out, STR("-"));
    TRY(o->apply.len > 0 ? apply(w) : learn(w));
    w->train_s = clock_second_since(&s->clock, began);
    w->reader = topics_reader_new(s->arena, w->topics);
    const struct annotation a = {.file = o->file,
                                 .out = o->out,
                                 .column = o->text.item,
                                 .n_column = o->text.n,
                                 .added = added,
                                 .n_added = sizeof added / sizeof *added,
                                 .write = write_row,
                                 .ctx = w};
    TRY(annotate_file(s, &a, &done));
    TRY(save(w));
    if (s->json)
        return show_json(w, &done);
    if (!s->quiet || o->words)
        show_text(w, &done);
    return OK;
}

static const struct argument topics_arguments[] = {
    {.name = "FILE", .help = "rows with texts: CSV, CSV.gz or JSON lines", .offset = offsetof(struct topics_settings, file)},
};

#define AT(member) .offset = offsetof(struct topics_settings, member)

static const struct setting topics_table[] = {
    {.name = "text",
     .type = SETTING_LIST,
     AT(text),
     .required = true,
     .arg = "COLUMN",
     .help = "the columns that make up a text"},
    {.name = "k",
     .letter = 'k',
     .type = SETTING_INTEGER,
     AT(k),
     .fallback = "10",
     .min = 2,
     .max = 200,
     .help = "how many topics"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     AT(seed),
     .fallback = "1",
     .min = 0,
     .max = 9e15,
     .help = "for chance; equal rows and seed give equal topics"},
    {.name = "sweeps",
     .type = SETTING_INTEGER,
     AT(sweeps),
     .fallback = "200",
     .min = 2,
     .max = 10000,
     .help = "how often each word's topic is drawn anew"},
    {.name = "words", .type = SETTING_FLAG, AT(words), .help = "also show the ten most probable words of each topic"},
    {.name = "model", .letter = 'm', .type = SETTING_PATH, AT(model), .help = "where the topics go, for use on other rows"},
    {.name = "apply",
     .type = SETTING_PATH,
     AT(apply),
     .arg = "MODEL",
     .help = "use the topics of this model instead of learning"},
    {.name = "out", .letter = 'o', .type = SETTING_PATH, AT(out), .fallback = "-", .help = "where the rows go, as CSV"},
};

const struct command command_topics = {
    .name = "topics",
    .summary = "find the topics of a collection of texts",
    .description =
        "Learns topics from the words that occur together (latent Dirichlet allocation) and writes the input columns with "
        "galena_topic, the number of the row's main topic, and galena_topic_p, its share in the row's text. Topics are "
        "numbered from 0, the largest first. Nothing needs to be labelled; equal rows and seed give equal topics.",
    .examples = "# five topics, with their words\n"
                "galena topics news.csv --text title,body --k 5 --seed 1 --words --out topics.csv --model news.topics\n"
                "# the same topics for later news\n"
                "galena topics more.csv --text title,body --apply news.topics --out more-topics.csv\n",
    COMMAND_ARGUMENTS(topics_arguments),
    COMMAND_SETTINGS(topics_table),
    .options_size = sizeof(struct topics_settings),
    .run = run_topics,
};
