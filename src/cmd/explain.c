/* explain.c — galena explain: one lead's score, term by term, so that anybody can add it up. */
#include "base/utf8.h"
#include "cmd/common_settings.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "cmd/present.h"
#include "explain/reason.h"
#include "learn/predict.h"
#include "score/scorer.h"

#include <math.h>

enum { BATCH_ROWS = 4096, BAR = 16, VALUE_BYTE = 48 };

struct explain_settings {
    struct leads_options leads;
    str model, id, id_column;
    int64_t row;
    double interval;
};

/* What was found about the lead. */
struct explained {
    const struct bundle *b;
    const struct table_row *in;
    struct vector *v;
    struct score score;
    double base;     /* log-odds of the average lead */
    double *share;   /* n_term */
    uint32_t *order; /* terms, largest absolute share first */
    struct reason_input reason;
};

static err find_column(const struct explain_settings *o, const struct bundle *b, const str *column, size_t n, size_t *out) {
    str name = o->id_column.len > 0 ? o->id_column : b->schema->id;
    if (name.len == 0)
        return session_usage("usage_missing_option",
                             "the model knows no identifier column: name it with --id-column, or give --row");
    for (size_t c = 0; c < n; c++)
        if (str_equal(column[c], name)) {
            *out = c;
            return OK;
        }
    return fail(ERR_INPUT, "column_unknown", "%s: there is no column \"%.*s\"", o->leads.file.ptr, STR_ARG(name));
}

/* Reads on until the row is there. Rows before it are forgotten batch by batch. */
static err find_row(struct session *s, const struct explain_settings *o, const struct bundle *b, struct table *t,
                    const struct table_row **out) {
    size_t n_column, id = 0, n;
    const str *column = table_columns(t, &n_column);
    if (o->id.len > 0)
        TRY(find_column(o, b, column, n_column, &id));
    for (;;) {
        struct arena_mark mark = arena_mark(s->arena);
        struct table_row *rows;
        TRY(table_read(t, s->arena, BATCH_ROWS, &rows, &n));
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            bool hit = o->id.len > 0 ? rows[i].cell && str_equal(str_trim(rows[i].cell[id]), o->id)
                                     : rows[i].index + 1 == (uint64_t)o->row;
            if (hit) {
                *out = &rows[i];
                return OK;
            }
        }
        arena_rewind(s->arena, mark);
    }
    if (o->id.len > 0)
        return fail(ERR_ABSENT, "lead_absent", "%s: no lead has the identifier \"%.*s\"", o->leads.file.ptr, STR_ARG(o->id));
    return fail(ERR_ABSENT, "lead_absent", "%s: there is no data row %lld", o->leads.file.ptr, (long long)o->row);
}

static void order_terms(struct arena *a, struct explained *x) {
    x->order = ARENA_ARRAY(a, x->b->n_term, uint32_t);
    for (uint32_t t = 0; t < x->b->n_term; t++) {
        size_t at = t;
        for (; at > 0 && fabs(x->share[x->order[at - 1]]) < fabs(x->share[t]); at--)
            x->order[at] = x->order[at - 1];
        x->order[at] = t;
    }
}

static err explain_row(struct session *s, const struct explain_settings *o, struct table *t, struct explained *x) {
    struct arena *a = s->arena;
    const struct bundle *b = x->b;
    struct vectoriser *v;
    size_t n_column;
    const str *column = table_columns(t, &n_column);
    TRY(predict_bind(a, b, o->leads.file, column, n_column, &v));
    if (x->in->status != OK)
        return fail(x->in->status, x->in->slug, "%s: line %llu: %.*s", o->leads.file.ptr, (unsigned long long)x->in->line,
                    STR_ARG(x->in->reason));
    x->v = vector_new(a, v);
    vectorise_row(v, x->in->cell, s->clock.wall_ms(), x->v);
    scorer_score(b, &x->v->row, 1, x->v->missing, o->interval, a, &x->score);
    x->share = ARENA_ARRAY(a, b->n_term, double);
    x->base = scorer_explain(b, &x->v->row, 1, a, x->share);
    order_terms(a, x);
    struct extra_term *extra = ARENA_ARRAY(a, SECTION_COUNT, struct extra_term);
    for (size_t k = 0; k < SECTION_COUNT && b->profile; k++)
        extra[k] = (struct extra_term){.title = bundle_term_title(b, b->schema->n_field + k),
                                       .value = x->v->subscores ? x->v->subscores->section[k].score : 0};
    x->reason = (struct reason_input){.schema = b->schema,
                                      .value = x->v->encoded->value,
                                      .extra = extra,
                                      .n_extra = bundle_first_interaction(b) - b->schema->n_field,
                                      .share = x->share,
                                      .base_rate = b->base_rate};
    return OK;
}

static str field_text(struct arena *a, const struct explained *x, uint32_t field) {
    const struct field_value *v = &x->v->encoded->value[field];
    return v->state == VALUE_MISSING   ? STR("(not known)")
           : v->state == VALUE_INVALID ? str_format(a, "(unreadable) %.*s", STR_ARG(v->text))
                                       : v->text;
}

static str value_text(struct arena *a, const struct explained *x, uint32_t term) {
    const size_t first = bundle_first_interaction(x->b);
    if (term < x->b->schema->n_field)
        return field_text(a, x, term);
    if (term < first)
        return str_format(a, "%.2f", x->reason.extra[term - x->b->schema->n_field].value);
    const struct interaction *both = &x->b->schema->interaction[term - first];
    const str one = field_text(a, x, both->first), other = field_text(a, x, both->second);
    return str_format(a, "%.*s × %.*s", STR_ARG(utf8_cut(one, VALUE_BYTE / 2)), STR_ARG(utf8_cut(other, VALUE_BYTE / 2)));
}

static str sentence(struct arena *a, const struct explained *x, uint32_t term) {
    struct buf *out = buf_in(a, 1 << 16);
    reason_write(out, &x->reason, term);
    return buf_str(out);
}

static void show(const struct session *s, const struct explained *x) {
    struct arena *a = s->arena;
    const struct terminal *t = &s->out;
    const struct score *p = &x->score;
    const double largest = x->b->n_term > 0 ? fabs(x->share[x->order[0]]) : 0;
    present_heading(t, str_cstr(a, str_format(a, "Row %llu (line %llu): %.1f %%, between %.1f and %.1f %%: %s",
                                              (unsigned long long)x->in->index + 1, (unsigned long long)x->in->line,
                                              100 * p->probability, 100 * p->low, 100 * p->high,
                                              tier_name(tier_of(p->probability, x->b->hot, x->b->warm)))));
    struct present_table table = present_table_new(a, "field|value|>log-odds|>odds|");
    present_cell(&table, STR("the average lead"));
    present_cell(&table, (str){0});
    present_cell_format(&table, "%+.3f", x->base);
    present_cell(&table, (str){0});
    present_cell(&table, (str){0});
    double shown = 0;
    for (size_t k = 0; k < x->b->n_term && fabs(x->share[x->order[k]]) >= 0.005; k++) {
        double share = x->share[x->order[k]];
        shown += share;
        present_cell(&table, bundle_term_title(x->b, x->order[k]));
        present_cell(&table, utf8_cut(value_text(a, x, x->order[k]), VALUE_BYTE));
        present_cell_style(&table, share > 0 ? STYLE_GOOD : STYLE_BAD, str_format(a, "%+.3f", share));
        present_cell_format(&table, share > 0 ? "x %.2f" : "/ %.2f", exp(fabs(share)));
        present_cell(&table, present_bar(a, fabs(share) / largest, BAR, false));
    }
    present_cell(&table, STR("everything else"));
    present_cell(&table, (str){0});
    double rest = p->logit - x->base - shown;
    present_cell_format(&table, "%+.3f", fabs(rest) < 0.0005 ? 0.0 : rest);
    present_cell(&table, (str){0});
    present_cell(&table, (str){0});
    present_table_print(t, &table);
    terminal_put(t, str_format(a, "\n  sum: log-odds %+.3f, before calibration %.1f %%; calibrated (%s): %.1f %%\n",
                               p->logit, 100 / (1 + exp(-p->logit)), calibration_kind_name(x->b->calibration->kind),
                               100 * p->probability));
}

static err write_json(const struct session *s, const struct explained *x) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("row"), (int64_t)x->in->index + 1);
    json_put_integer(&d->w, STR("line"), (int64_t)x->in->line);
    json_put_number(&d->w, STR("score"), x->score.probability);
    json_put_number(&d->w, STR("low"), x->score.low);
    json_put_number(&d->w, STR("high"), x->score.high);
    json_put_string(&d->w, STR("tier"), str_from(tier_name(tier_of(x->score.probability, x->b->hot, x->b->warm))));
    json_put_number(&d->w, STR("log_odds"), x->score.logit);
    json_put_number(&d->w, STR("base"), x->base);
    json_key(&d->w, STR("contributions"));
    json_open_array(&d->w);
    for (size_t k = 0; k < x->b->n_term; k++) {
        uint32_t t = x->order[k];
        json_open_object(&d->w);
        json_put_string(&d->w, STR("name"), bundle_term_title(x->b, t));
        json_put_string(&d->w, STR("value"), value_text(s->arena, x, t));
        json_put_number(&d->w, STR("log_odds"), x->share[t]);
        if (fabs(x->share[t]) >= REASON_LEAST_SHARE)
            json_put_string(&d->w, STR("reason"), sentence(s->arena, x, t));
        json_close_object(&d->w);
    }
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static err run_explain(struct session *s, const void *options) {
    const struct explain_settings *o = options;
    if ((o->row == SETTING_UNSET) == (o->id.len == 0))
        return session_usage("usage_missing_option", "say which lead: --row N (1 is the first), or --id ID");
    struct explained x = {0};
    struct bundle *b;
    struct table *t;
    TRY(bundle_load(s->arena, o->model.ptr, &b));
    x.b = b;
    TRY(leads_open(s, &o->leads, &t));
    TRY(find_row(s, o, b, t, &x.in));
    TRY(explain_row(s, o, t, &x));
    if (s->json)
        return write_json(s, &x);
    show(s, &x);
    return OK;
}

static const struct argument explain_arguments[] = {
    {.name = "FILE", .help = "leads: CSV, CSV.gz or JSON lines", .offset = offsetof(struct explain_settings, leads.file)},
};

#define AT(member) .offset = offsetof(struct explain_settings, member)

static const struct setting explain_table[] = {
    {.name = "model",
     .letter = 'm',
     .type = SETTING_PATH,
     AT(model),
     .required = true,
     .help = "the model that galena train wrote"},
    {.name = "row",
     .type = SETTING_INTEGER,
     AT(row),
     .min = 1,
     .max = 9007199254740992,
     .help = "which data row; 1 is the first below the header"},
    {.name = "id", .type = SETTING_STRING, AT(id), .help = "which lead, by its identifier"},
    {.name = "id-column",
     .type = SETTING_STRING,
     AT(id_column),
     .arg = "COLUMN",
     .help = "the column of --id; the one named at training when left out"},
    INTERVAL_SETTING(struct explain_settings, interval),
    LEADS_SETTINGS(struct explain_settings, leads),
};

const struct command command_explain = {
    .name = "explain",
    .summary = "show how one lead's score adds up",
    .description = "Shows the share of every field in the log-odds of one lead, relative to the average lead. The shares "
                   "are the model's own: "
                   "with the average lead's log-odds they add up to the score before calibration.",
    .examples =
        "# the first lead of the file\ngalena explain new.csv --model leads.model --row 1\n"
        "# a lead by its identifier\ngalena explain new.csv --model leads.model --id 660737 --id-column 'Lead Number'\n",
    COMMAND_ARGUMENTS(explain_arguments),
    COMMAND_SETTINGS(explain_table),
    .options_size = sizeof(struct explain_settings),
    .run = run_explain,
};
