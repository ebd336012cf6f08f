/* redact.c — galena redact: texts in, where personal data stands in them out. */
#include "base/file.h"
#include "base/number.h"
#include "base/parallel.h"
#include "cmd/annotate.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "intake/table.h"
#include "text/pii.h"

enum { BATCH_ROW = 4096, BATCH_BYTE = 512 << 20, OUT_BYTE = 256 << 20, FLUSH_BYTE = 1 << 20, PART_OUT_BYTE = 256 << 20 };
enum { PARTS = 16 };

struct redact_settings {
    str file, text, id, out;
    bool mask;
    double least;
    int64_t threads;
};

/* One share of a batch. */
struct part {
    struct pii_finder *finder;
    struct buf *out;
    const struct table_row *row;
    size_t n;
    uint64_t texts, found, count[PII_TYPES];
};

struct work {
    struct session *session;
    const struct redact_settings *o;
    struct table *table;
    struct arena *batch;
    struct file_out *to;
    size_t text, id;
    bool has_id;
    struct part part[PARTS];
    uint64_t rows, bad, bytes, with, incomplete;
};

/* ---- columns ---- */

static err find_columns(struct work *w) {
    TRY(append_find(w->table, w->o->text, &w->text));
    w->has_id = append_find(w->table, w->o->id, &w->id) == OK;
    return OK;
}

/* ---- one text ---- */

static void put_id(struct json_writer *j, const struct work *w, const struct table_row *row) {
    int64_t number;
    json_key(j, STR("id"));
    if (!w->has_id)
        json_integer(j, (int64_t)row->index);
    else if (number_parse_integer(row->cell[w->id], &number) && row->cell[w->id].ptr[0] != '+' &&
             (row->cell[w->id].ptr[0] != '0' || row->cell[w->id].len == 1))
        json_integer(j, number);
    else
        json_string(j, row->cell[w->id]);
}

static void put_spans(struct json_writer *j, const struct work *w, struct part *p, const struct pii_span *span, size_t n) {
    json_key(j, STR("spans"));
    json_open_array(j);
    for (size_t i = 0; i < n; i++) {
        if (span[i].confidence < w->o->least)
            continue;
        json_open_object(j);
        json_put_string(j, STR("type"), str_from(pii_type_name(span[i].type)));
        json_put_integer(j, STR("start"), (int64_t)span[i].begin_char);
        json_put_integer(j, STR("end"), (int64_t)span[i].end_char);
        json_put_number(j, STR("confidence"), (double)(int)(span[i].confidence * 1000 + 0.5) / 1000);
        json_close_object(j);
        p->count[span[i].type]++;
        p->found++;
    }
    json_close_array(j);
}

static str masked(struct arena *a, const struct work *w, str text, const struct pii_span *span, size_t n) {
    struct pii_span *kept = ARENA_ARRAY(a, n, struct pii_span);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (span[i].confidence >= w->o->least)
            kept[k++] = span[i];
    return pii_mask(a, text, kept, k).text;
}

static void write_row(const struct work *w, struct part *p, struct arena *scratch, const struct table_row *row) {
    const struct pii_span *span;
    bool more;
    struct json_writer j;
    const str text = row->cell[w->text];
    const size_t n = pii_find(p->finder, text, &span, &more);
    json_write_begin(&j, p->out, 0);
    json_open_object(&j);
    put_id(&j, w, row);
    json_put_string(&j, STR("text"), w->o->mask ? masked(scratch, w, text, span, n) : text);
    put_spans(&j, w, p, span, n);
    if (more)
        json_put_bool(&j, STR("incomplete"), true);
    json_close_object(&j);
    buf_add_byte(p->out, '\n');
}

static err work_part(void *ctx, size_t i, struct arena *scratch) {
    const struct work *w = ctx;
    struct part *p = &((struct work *)ctx)->part[i];
    for (size_t k = 0; k < p->n; k++)
        if (p->row[k].status == OK) {
            const uint64_t found = p->found;
            const struct arena_mark mark = arena_mark(scratch);
            write_row(w, p, scratch, &p->row[k]);
            arena_rewind(scratch, mark);
            p->texts += p->found > found;
        }
    return buf_check(p->out);
}

/* ---- all of them ---- */

static err write_batch(struct work *w, const struct table_row *row, size_t n, size_t parts) {
    for (size_t i = 0; i < parts; i++) {
        w->part[i].row = row + n * i / parts;
        w->part[i].n = n * (i + 1) / parts - n * i / parts;
        buf_clear(w->part[i].out);
    }
    for (size_t i = 0; i < n; i++) {
        w->rows += row[i].status == OK;
        w->bad += row[i].status != OK;
        w->bytes += row[i].status == OK ? row[i].cell[w->text].len : 0;
    }
    TRY(parallel_for(parts, (unsigned)w->o->threads, BATCH_BYTE, work_part, w));
    for (size_t i = 0; i < parts; i++)
        TRY(file_write(w->to, buf_str(w->part[i].out)));
    return OK;
}

static err stream(void *ctx) {
    struct work *w = ctx;
    struct progress progress;
    err rc = OK;
    progress_begin(&progress, w->session, table_name(w->table), "bytes", (double)table_bytes_total(w->table));
    const size_t parts = w->o->threads == 1 ? 1 : parallel_cores() < PARTS ? parallel_cores() : PARTS;
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(w->batch);
        rc = table_read(w->table, w->batch, BATCH_ROW, &row, &n);
        if (rc == OK && n > 0)
            rc = write_batch(w, row, n, parts);
        progress_at(&progress, (double)table_bytes_read(w->table));
    }
    progress_end(&progress);
    return rc;
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err prepare(struct session *s, struct work *w) {
    const struct redact_settings *o = w->o;
    const struct pii_words *words;
    TRY(leads_refuse_same("FILE", o->file, "--out", o->out));
    TRY(table_open(s->arena,
                   &(struct table_options){.path = o->file.ptr, .max_cell_byte = 64 << 20, .max_row_byte = 128 << 20},
                   &w->table));
    TRY(find_columns(w));
    TRY(pii_words_load(s->arena, &words));
    for (size_t i = 0; i < PARTS && i < (o->threads == 1 ? 1 : parallel_cores()); i++) {
        w->part[i].finder = pii_finder_new(s->arena, words);
        w->part[i].out = buf_in(s->arena, PART_OUT_BYTE);
    }
    TRY(file_create(s->arena, o->out.ptr, &w->to));
    w->batch = arena_new(BATCH_BYTE);
    if (!w->batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory to read %s", o->file.ptr);
    arena_defer(s->arena, free_arena, w->batch);
    return OK;
}

static struct part total(const struct work *w) {
    struct part sum = {0};
    for (size_t i = 0; i < PARTS; i++) {
        sum.texts += w->part[i].texts;
        sum.found += w->part[i].found;
        for (size_t k = 0; k < PII_TYPES; k++)
            sum.count[k] += w->part[i].count[k];
    }
    return sum;
}

static err show_json(const struct work *w, double second, double cpu) {
    const struct part sum = total(w);
    struct session_document *d = session_document_new(w->session);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("rows"), (int64_t)w->rows);
    json_put_integer(&d->w, STR("rows_bad"), (int64_t)w->bad);
    json_put_integer(&d->w, STR("rows_with_spans"), (int64_t)sum.texts);
    json_put_integer(&d->w, STR("text_bytes"), (int64_t)w->bytes);
    json_put_integer(&d->w, STR("spans"), (int64_t)sum.found);
    json_key(&d->w, STR("types"));
    json_open_object(&d->w);
    for (int k = 0; k < PII_TYPES; k++)
        if (sum.count[k] > 0)
            json_put_integer(&d->w, str_from(pii_type_name((enum pii_type)k)), (int64_t)sum.count[k]);
    json_close_object(&d->w);
    json_put_number(&d->w, STR("seconds"), second);
    json_put_number(&d->w, STR("cpu_seconds"), cpu);
    json_close_object(&d->w);
    return session_document_print(w->session, d);
}

static void show_text(const struct work *w) {
    struct arena *a = w->session->arena;
    const struct part sum = total(w);
    const struct terminal *t = session_summary(w->session);
    present_pair(t, "rows", 18, number_for_people(a, (double)w->rows));
    for (int k = 0; k < PII_TYPES; k++)
        if (sum.count[k] > 0)
            present_pair(t, pii_type_name((enum pii_type)k), 18, number_for_people(a, (double)sum.count[k]));
    if (w->bad > 0)
        session_warn(w->session, "%s rows could not be read and were left out", number_for_people(a, (double)w->bad).ptr);
}

static err run_redact(struct session *s, const void *options) {
    struct work *w = ARENA_NEW(s->arena, struct work);
    const int64_t began = s->clock.steady_ns();
    const double cpu = annotate_cpu_second();
    w->session = s;
    w->o = options;
    s->data_on_stdout = str_equal(w->o->out, STR("-"));
    TRY(prepare(s, w));
    TRY(arena_run(w->batch, stream, w));
    TRY(file_commit(w->to));
    if (s->json)
        return show_json(w, clock_second_since(&s->clock, began), annotate_cpu_second() - cpu);
    if (!s->quiet)
        show_text(w);
    return OK;
}

static const struct argument redact_arguments[] = {
    {.name = "FILE",
     .help = "rows with texts: JSON lines, CSV or CSV.gz; - is standard input",
     .offset = offsetof(struct redact_settings, file)},
};

#define AT(member) .offset = offsetof(struct redact_settings, member)

static const struct setting redact_table[] = {
    {.name = "text", .type = SETTING_STRING, AT(text), .fallback = "text", .arg = "COLUMN", .help = "the column of texts"},
    {.name = "id",
     .type = SETTING_STRING,
     AT(id),
     .fallback = "id",
     .arg = "COLUMN",
     .help = "the column that names a row; without it rows are numbered from 0"},
    {.name = "mask",
     .type = SETTING_FLAG,
     AT(mask),
     .help = "write the texts with masks such as [PERSON_1] in place of what was found"},
    {.name = "least", .type = SETTING_FRACTION, AT(least), .fallback = "0", .help = "leave out what is less sure than this"},
    {.name = "threads",
     .type = SETTING_INTEGER,
     AT(threads),
     .fallback = "0",
     .min = 0,
     .max = 64,
     .help = "threads to work on; 0: as many as there are cores. The result is the same"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .fallback = "-",
     .help = "where the spans go, as JSON lines"},
};

const struct command command_redact = {
    .name = "redact",
    .summary = "find personal data in texts",
    .description =
        "Writes for each row its id, its text and the spans of personal data in it, with type, start and end in characters "
        "(code points, end exclusive) and a confidence. Mail and IP addresses, URLs, telephone numbers, payment cards, "
        "IBAN, "
        "social security numbers and dates are found by their form and checksums; names of people, places and "
        "organisations, nationalities and postal addresses by lists and by what stands around them.\n\n"
        "With --mask the text has masks in place of what was found. Spans then still count in the text as it was.",
    .examples = "# what is in the notes?\ngalena redact notes.jsonl --text text --out spans.jsonl\n"
                "# notes without it\ngalena redact notes.jsonl --mask --out masked.jsonl\n",
    COMMAND_ARGUMENTS(redact_arguments),
    COMMAND_SETTINGS(redact_table),
    .options_size = sizeof(struct redact_settings),
    .run = run_redact,
};
