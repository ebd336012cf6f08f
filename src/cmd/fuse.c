/* fuse.c — galena fuse: a file of claims in, a file of facts out. */
#include "cmd/common_settings.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "cmd/present.h"
#include "base/csv.h"
#include "base/number.h"
#include "base/time.h"
#include "enrich/fuse.h"
#include "intake/reject.h"

#include <math.h>

struct fuse_settings {
    struct leads_options leads;
    str out, sources;
    struct setting_list anchor, type;
    int64_t max_claims;
    bool strict;
};

enum column { OBJECT, ATTRIBUTE, VALUE, SOURCE, OBSERVED_AT, CONFIDENCE, CLAIM_COLUMNS };
static const str column_name[CLAIM_COLUMNS] = {STR_INIT("object"), STR_INIT("attribute"),   STR_INIT("value"),
                                               STR_INIT("source"), STR_INIT("observed_at"), STR_INIT("confidence")};

enum { BATCH_ROW = 8192, SHOWN_FAULT = 5, SHOWN_SOURCE = 64, NOT_THERE = -1 };

struct reading {
    int column[CLAIM_COLUMNS];      /* NOT_THERE when the file does not have it */
    uint64_t rows, bad, unreadable; /* unreadable: dates and confidences taken as not given */
    struct reject *reject;
};

/* ---- reading ---- */

static err find_columns(const struct table *t, struct reading *r) {
    size_t n;
    const str *name = table_columns(t, &n);
    for (int c = 0; c < CLAIM_COLUMNS; c++) {
        r->column[c] = NOT_THERE;
        for (size_t k = 0; k < n; k++)
            if (str_equal_nocase(str_trim(name[k]), column_name[c]))
                r->column[c] = (int)k;
        if (r->column[c] == NOT_THERE && c <= SOURCE)
            return fail(ERR_INPUT, "fuse_column",
                        "%s: there is no column \"%s\"; needed are object, attribute, value and source", table_name(t),
                        column_name[c].ptr);
    }
    return OK;
}

static str cell(const struct reading *r, const struct table_row *row, enum column c) {
    return r->column[c] == NOT_THERE ? (str){0} : row->cell[r->column[c]];
}

static struct fuse_claim claim_of(struct reading *r, const struct table_row *row) {
    struct fuse_claim c = {.object = cell(r, row, OBJECT),
                           .attribute = cell(r, row, ATTRIBUTE),
                           .value = cell(r, row, VALUE),
                           .source = cell(r, row, SOURCE),
                           .observed_ms = FUSE_UNKNOWN_TIME,
                           .confidence = NAN};
    struct moment moment;
    const str at = str_trim(cell(r, row, OBSERVED_AT)), sure = str_trim(cell(r, row, CONFIDENCE));
    double number;
    if (at.len > 0) {
        if (time_read(at, TIME_ORDER_UNKNOWN, &moment) == TIME_GOOD)
            c.observed_ms = moment.ms;
        else
            r->unreadable++;
    }
    if (sure.len > 0) {
        if (number_parse(sure, &number) && number > 0 && number <= 1)
            c.confidence = number;
        else
            r->unreadable++;
    }
    return c;
}

static err refuse(struct session *s, const struct fuse_settings *o, struct reading *r, const struct table_row *row,
                  const char *reason) {
    r->bad++;
    if (r->bad <= SHOWN_FAULT)
        session_warn(s, "%s: line %llu: %s", o->leads.file.ptr, (unsigned long long)row->line, reason);
    if (!r->reject)
        return OK;
    struct table_row told = *row;
    told.slug = told.slug ? told.slug : err_slug();
    told.reason = str_from(reason);
    return reject_row(r->reject, &told);
}

static err take_row(struct session *s, const struct fuse_settings *o, struct reading *r, const struct table_row *row,
                    struct fuse *f) {
    r->rows++;
    if (row->status != OK)
        return refuse(s, o, r, row, str_cstr(s->arena, row->reason));
    const struct fuse_claim c = claim_of(r, row);
    const err rc = fuse_add(f, &c);
    return rc == ERR_INPUT ? refuse(s, o, r, row, err_text()) : rc;
}

static err read_claims(struct session *s, const struct fuse_settings *o, struct reading *r, struct fuse *f) {
    struct table *t;
    TRY(leads_open(s, &o->leads, &t));
    TRY(find_columns(t, r));
    struct arena *batch = arena_new((size_t)256 << 20);
    if (!batch)
        return fail(ERR_LIMIT, "memory_limit", "no memory for reading");
    err rc = OK;
    for (size_t n = 1; rc == OK && n > 0;) {
        struct table_row *row;
        arena_reset(batch);
        rc = table_read(t, batch, BATCH_ROW, &row, &n);
        for (size_t k = 0; rc == OK && k < n; k++)
            rc = take_row(s, o, r, &row[k], f);
    }
    arena_free(batch);
    return rc;
}

static err read_options(struct session *s, const struct fuse_settings *o, struct fuse_options *out) {
    struct fuse_override *v = ARENA_ARRAY(s->arena, o->type.n, struct fuse_override);
    for (size_t k = 0; k < o->type.n; k++) {
        const str item = o->type.item[k];
        ptrdiff_t at = -1;
        for (size_t b = 0; b < item.len; b++)
            at = item.ptr[b] == '=' ? (ptrdiff_t)b : at;
        const enum fuse_type type = at > 0 ? fuse_type_of(str_slice(item, (size_t)at + 1, item.len)) : FUSE_TYPE_COUNT;
        if (type == FUSE_TYPE_COUNT)
            return session_usage("usage_bad_value",
                                 "--type takes ATTRIBUTE=text, clock, date, number, amount, list or "
                                 "people, not \"%.*s\"",
                                 STR_ARG(item));
        v[k] = (struct fuse_override){str_slice(item, 0, (size_t)at), type};
    }
    *out = (struct fuse_options){v, o->type.n, o->anchor.item, o->anchor.n, (uint64_t)o->max_claims};
    return OK;
}

/* ---- writing ---- */

static void put_number(struct buf *b, double x) {
    char text[NUMBER_TEXT_BYTE];
    if (!isnan(x))
        buf_add(b, (str){text, number_format(x, text)});
}

/* Six digits say all there is to say. */
static double rounded(double x) {
    if (isnan(x) || x == 0)
        return x;
    char text[NUMBER_TEXT_BYTE];
    const int n = snprintf(text, sizeof text, "%.6g", x);
    double out = x;
    return n > 0 && number_parse((str){text, (size_t)n}, &out) ? out : x;
}

static void put_sources(struct buf *list, const struct fuse *f, const uint32_t *source, size_t n) {
    buf_clear(list);
    for (size_t k = 0; k < n && k < SHOWN_SOURCE; k++) {
        if (k > 0)
            buf_add(list, STR("; "));
        buf_add(list, fuse_source(f, source[k]));
    }
    if (n > SHOWN_SOURCE)
        buf_add_format(list, "; and %zu more", n - SHOWN_SOURCE);
}

static void put_fact(struct buf *b, struct buf *list, const struct fuse *f, const struct fuse_fact *x) {
    const str text[] = {x->object, x->attribute, x->value};
    for (size_t k = 0; k < 3; k++) {
        csv_write_cell(b, text[k], ',');
        buf_add_byte(b, ',');
    }
    const double number[] = {rounded(x->confidence), rounded(x->low), rounded(x->high)};
    for (size_t k = 0; k < 3; k++) {
        put_number(b, number[k]);
        buf_add_byte(b, ',');
    }
    buf_add(b, x->contested ? STR("true,") : STR("false,"));
    put_sources(list, f, x->sources, x->n_for);
    csv_write_cell(b, buf_str(list), ',');
    buf_add_byte(b, ',');
    put_sources(list, f, x->sources + x->n_for, x->n_against);
    csv_write_cell(b, buf_str(list), ',');
    buf_add_byte(b, '\n');
}

static err write_facts(struct session *s, const struct fuse_settings *o, const struct fuse *f, const struct fuse_result *r) {
    struct file_out *out;
    struct buf *b = buf_in(s->arena, (size_t)64 << 20), *list = buf_in(s->arena, (size_t)16 << 20);
    TRY(file_create(s->arena, o->out.ptr, &out));
    buf_add(b, STR("object,attribute,value,confidence,low,high,contested,for,against\n"));
    for (size_t k = 0; k < r->n_fact; k++) {
        put_fact(b, list, f, &r->fact[k]);
        if (b->len < 1 << 18 && k + 1 < r->n_fact)
            continue;
        TRY(buf_check(b));
        TRY(file_write(out, buf_str(b)));
        buf_clear(b);
    }
    TRY(file_write(out, buf_str(b)));
    return file_commit(out);
}

static err write_sources(struct session *s, const struct fuse_settings *o, const struct fuse_result *r) {
    struct file_out *out;
    if (o->sources.len == 0)
        return OK;
    struct buf *b = buf_in(s->arena, (size_t)1 << 30);
    TRY(file_create(s->arena, o->sources.ptr, &out));
    buf_add(b, STR("source,attribute,claims,accuracy,added,bias,noise,gross\n"));
    for (size_t k = 0; k < r->n_worth; k++) {
        const struct fuse_source_worth *w = &r->worth[k];
        csv_write_cell(b, w->source, ',');
        buf_add_byte(b, ',');
        csv_write_cell(b, w->attribute, ',');
        const double number[] = {w->evidence, w->accuracy, w->added, w->bias, w->noise, w->gross};
        for (size_t j = 0; j < sizeof number / sizeof *number; j++) {
            buf_add_byte(b, ',');
            put_number(b, rounded(number[j]));
        }
        buf_add_byte(b, '\n');
    }
    TRY(buf_check(b));
    TRY(file_write(out, buf_str(b)));
    return file_commit(out);
}

/* ---- telling ---- */

static size_t count_contested(const struct fuse_result *r) {
    size_t n = 0;
    for (size_t k = 0; k < r->n_fact; k++)
        n += r->fact[k].contested;
    return n;
}

static void put_fields(struct json_writer *w, const struct fuse_result *r) {
    json_key(w, STR("fields"));
    json_open_array(w);
    for (size_t k = 0; k < r->n_field; k++) {
        const struct fuse_field *f = &r->field[k];
        json_open_object(w);
        json_put_string(w, STR("attribute"), f->attribute);
        json_put_string(w, STR("type"), str_from(fuse_type_name(f->type)));
        json_put_integer(w, STR("claims"), (int64_t)f->claims);
        json_put_integer(w, STR("facts"), (int64_t)f->items);
        json_put_bool(w, STR("log_scale"), f->log);
        json_put_integer(w, STR("rounds"), f->rounds);
        json_close_object(w);
    }
    json_close_array(w);
}

static err write_json(struct session *s, const struct reading *in, const struct fuse_result *r, double second) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    const struct {
        str name;
        uint64_t n;
    } count[] = {{STR("rows"), in->rows},
                 {STR("bad_rows"), in->bad},
                 {STR("unreadable_cells"), in->unreadable},
                 {STR("claims"), r->claims},
                 {STR("empty"), r->empty},
                 {STR("repeated"), r->repeated},
                 {STR("superseded"), r->superseded},
                 {STR("objects"), r->n_object},
                 {STR("sources"), r->n_source},
                 {STR("facts"), r->n_fact},
                 {STR("contested"), count_contested(r)}};
    for (size_t k = 0; k < sizeof count / sizeof *count; k++)
        json_put_integer(&d->w, count[k].name, (int64_t)count[k].n);
    put_fields(&d->w, r);
    json_put_number(&d->w, STR("seconds"), second);
    json_put_number(&d->w, STR("claims_per_second"), second > 0 ? (double)r->claims / second : 0);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void show_summary(const struct session *s, const struct fuse_settings *o, const struct fuse_result *r,
                         double second) {
    enum { LABEL = 18 };
    struct arena *a = s->arena;
    const struct terminal *t = session_summary(s);
    present_heading(t,
                    str_cstr(a, str_format(a, "%zu facts from %llu claims of %zu sources in %.*s", r->n_fact,
                                           (unsigned long long)r->claims, r->n_source, STR_ARG(present_second(a, second)))));
    for (size_t k = 0; k < r->n_field; k++)
        present_pair(
            t, str_cstr(a, r->field[k].attribute), LABEL,
            str_format(a, "%s, %llu facts", fuse_type_name(r->field[k].type), (unsigned long long)r->field[k].items));
    present_pair(t, "contested", LABEL, str_format(a, "%zu", count_contested(r)));
    if (!str_equal(o->out, STR("-")))
        present_pair(t, "written to", LABEL, o->out);
}

/* ---- running ---- */

static err fuse_file(struct session *s, const struct fuse_settings *o, struct reading *in, struct fuse_result *r) {
    struct fuse_options options;
    TRY(leads_refuse_same("--out", o->out, "FILE", o->leads.file));
    TRY(leads_refuse_same("--out", o->out, "--rejects", o->leads.rejects));
    TRY(leads_refuse_same("--out", o->out, "--sources", o->sources));
    TRY(read_options(s, o, &options));
    if (o->leads.rejects.len > 0)
        TRY(reject_open(s->arena, o->leads.rejects.ptr, &in->reject));
    struct fuse *f = fuse_new(s->arena, &options);
    TRY(read_claims(s, o, in, f));
    fuse_run(f, r);
    TRY(write_facts(s, o, f, r));
    TRY(write_sources(s, o, r));
    return in->reject ? reject_commit(in->reject) : OK;
}

static err run_fuse(struct session *s, const void *options) {
    const struct fuse_settings *o = options;
    const int64_t began = s->clock.steady_ns();
    struct reading in = {.rows = 0};
    struct fuse_result r;
    s->data_on_stdout = str_equal(o->out, STR("-"));
    TRY(fuse_file(s, o, &in, &r));
    const double second = clock_second_since(&s->clock, began);
    if (in.bad > SHOWN_FAULT)
        session_warn(s, "and %llu more rows left out", (unsigned long long)(in.bad - SHOWN_FAULT));
    if (in.unreadable > 0)
        session_warn(s, "%llu dates or confidences could not be read and count as not given",
                     (unsigned long long)in.unreadable);
    if (s->json)
        TRY(write_json(s, &in, &r, second));
    else if (!s->quiet)
        show_summary(s, o, &r, second);
    if (o->strict && in.bad > 0)
        return fail(ERR_INPUT, "rows_failed", "%s: %llu rows could not be read", o->leads.file.ptr,
                    (unsigned long long)in.bad);
    return OK;
}

static const struct argument fuse_arguments[] = {
    {.name = "CLAIMS",
     .help = "claims: CSV, CSV.gz or JSON lines with the columns object, attribute, value, source and, if there are any, "
             "observed_at and confidence; - is standard input",
     .offset = offsetof(struct fuse_settings, leads.file)},
};

#define AT(member) .offset = offsetof(struct fuse_settings, member)

static const struct setting fuse_table[] = {
    {.name = "out", .letter = 'o', .type = SETTING_PATH, AT(out), .fallback = "-", .help = "where the facts go"},
    {.name = "sources",
     .type = SETTING_PATH,
     AT(sources),
     .help = "where to write what was learned of each source in each field"},
    {.name = "anchor",
     .type = SETTING_LIST,
     AT(anchor),
     .arg = "SOURCE",
     .help = "sources whose claims are verified: taken as true, and the others are measured by them"},
    {.name = "type",
     .type = SETTING_LIST,
     AT(type),
     .arg = "ATTRIBUTE=TYPE",
     .help = "what an attribute is, when its values do not tell: text, clock, date, number (copied down exactly), amount "
             "(measured), list or people"},
    {.name = "max-claims",
     .type = SETTING_INTEGER,
     AT(max_claims),
     .fallback = "50000000",
     .min = 1,
     .max = 1000000000,
     .help = "more claims than this are refused"},
    STRICT_SETTING(struct fuse_settings, strict),
    LEADS_SETTINGS(struct fuse_settings, leads),
};

const struct command command_fuse = {
    .name = "fuse",
    .summary = "resolve what several sources claim into facts with a confidence",
    .description =
        "Reads claims (object, attribute, value, source) and writes one fact for each object and attribute: object, "
        "attribute, "
        "value, confidence, low, high, contested, for, against. Sources that agree with others are believed more; sources "
        "that repeat each other's mistakes count once; old claims count less; quantities get an interval of 90 %.\n\n"
        "Each attribute is of a type told from its values. Nothing needs to be labelled; with verified values from a source "
        "named by --anchor the others are measured by them. The order of the rows does not matter.",
    .examples =
        "# facts from claims\ngalena fuse claims.csv --out facts.csv\n"
        "# measured by what people have checked\ngalena fuse claims.csv --anchor crm --out facts.csv --sources worth.csv\n",
    COMMAND_ARGUMENTS(fuse_arguments),
    COMMAND_SETTINGS(fuse_table),
    .options_size = sizeof(struct fuse_settings),
    .run = run_fuse,
};
