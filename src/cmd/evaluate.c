/* evaluate.c — galena evaluate: how good a model is on leads whose outcome is known, alone or against another model. */
#include "base/file.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "cmd/present.h"
#include "learn/label.h"
#include "learn/predict.h"
#include "learn/report.h"
#include "learn/split.h"

#include <math.h>
#include <sys/resource.h>

enum { REPORT_MAX_BYTE = 64 << 20 };

struct evaluate_settings {
    struct leads_options leads;
    str model, against, target, positive, split, report;
    double revenue, pursuit;
    int64_t seed;
};

struct rows {
    const uint32_t *row;
    const double *y;
    size_t n, positives;
};

static str lineage_text(const struct bundle *b, str key) {
    const struct json *v = json_get(b->lineage, key);
    return v && v->type == JSON_STRING ? v->string : (str){0};
}

/* Is this the very file that the model was trained on? Then measuring on all of it would flatter. */
static bool is_training_file(struct arena *a, const struct bundle *b, const struct frame *f) {
    str now = str_format(a, "%016llx", (unsigned long long)frame_fingerprint(f));
    return str_equal(now, lineage_text(b, STR("fingerprint")));
}

/* The part of the file to measure on: as asked for; or, of the training file, what training kept aside; or all of it. */
static err choose_split(struct session *s, const struct evaluate_settings *o, const struct bundle *b, const struct frame *f,
                        struct split_rows *rows, struct evaluation *e) {
    struct split split = {.kind = SPLIT_NONE};
    const int64_t *order = NULL;
    const bool known = is_training_file(s->arena, b, f);
    if (o->split.len > 0)
        TRY(split_parse(o->split, &split));
    else if (known)
        TRY(split_parse(lineage_text(b, STR("split")), &split));
    if (split.kind == SPLIT_TIME)
        TRY(split_order(s->arena, f, lineage_text(b, STR("time")), &order));
    TRY(split_frame(s->arena, split, f, order, b->seed, rows));
    if (split.kind == SPLIT_NONE) {
        rows->test = rows->train;
        rows->n_test = rows->n_train;
    }
    e->split = split_text(s->arena, split);
    if (known && split.kind == SPLIT_NONE)
        session_warn(s, "%s is what the model was trained on: figures on it flatter", o->leads.file.ptr);
    else if (known && o->split.len == 0)
        session_warn(s, "%s is what the model was trained on: only the rows that training kept aside are used (%.*s)",
                     o->leads.file.ptr, STR_ARG(e->split));
    return OK;
}

/* The rows with a known outcome. */
static err choose_rows(struct session *s, const struct evaluate_settings *o, const struct split_rows *part,
                       const struct label *label, struct rows *out) {
    uint32_t *row = ARENA_ARRAY(s->arena, part->n_test, uint32_t);
    double *y = ARENA_ARRAY(s->arena, part->n_test, double);
    for (size_t i = 0; i < part->n_test; i++) {
        const uint32_t r = part->test[i];
        if (isnan(label->y[r]))
            continue;
        y[out->n] = label->y[r];
        out->positives += label->y[r] > 0;
        row[out->n++] = r;
    }
    out->row = row;
    out->y = y;
    if (out->n == 0)
        return fail(ERR_INPUT, "evaluate_no_rows", "%s: no row has a known outcome to compare with", o->leads.file.ptr);
    return OK;
}

static err compare(struct session *s, const struct evaluate_settings *o, const struct frame *f, const struct rows *rows,
                   const double *p, struct evaluation *e) {
    struct bundle *other;
    double *q = ARENA_ARRAY(s->arena, rows->n, double);
    struct comparison *c = ARENA_NEW(s->arena, struct comparison);
    TRY(bundle_load(s->arena, o->against.ptr, &other));
    err rc = predict_frame(s->arena, other, f, rows->row, rows->n, s->clock.wall_ms(), q);
    if (rc != OK)
        return err_prefix(rc, "%s", o->against.ptr);
    metrics_compare(s->arena, p, q, rows->y, rows->n, &(struct metrics_opts){.seed = (uint64_t)o->seed}, c);
    e->against = c;
    e->against_name = leads_base_name(o->against);
    return OK;
}

static void describe(const struct evaluate_settings *o, const struct bundle *b, const struct label *label,
                     const struct rows *rows, struct evaluation *e) {
    struct rusage usage;
    e->data_name = o->leads.file;
    e->target = label->target;
    e->positive = label->positive;
    e->family = b->family;
    e->calibration = str_from(calibration_kind_name(b->calibration->kind));
    e->model_name = leads_base_name(o->model);
    e->program = STR("galena " GALENA_VERSION);
    e->profile_name = b->profile ? b->profile->name : (str){0};
    e->rows = e->test_rows = rows->n;
    e->positives = rows->positives;
    e->no_signal = b->no_signal;
    e->hot = b->hot;
    e->warm = b->warm;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        e->peak_rss_byte = (int64_t)usage.ru_maxrss * 1024;
}

static err evaluate(struct session *s, const struct evaluate_settings *o, struct evaluation *e) {
    const int64_t began = s->clock.steady_ns();
    struct bundle *b;
    struct frame *f;
    struct leads_faults faults;
    struct label label;
    struct rows rows = {0};
    struct split_rows part_rows;
    struct evaluation_part *part = ARENA_NEW(s->arena, struct evaluation_part);
    TRY(bundle_load(s->arena, o->model.ptr, &b));
    TRY(leads_load(s, &o->leads, &f, &faults));
    str positive = o->positive.len > 0                       ? o->positive
                   : str_equal(o->target, b->schema->target) ? b->schema->positive
                                                             : o->positive;
    TRY(label_read(s->arena, f, o->target, positive, true, &label));
    TRY(choose_split(s, o, b, f, &part_rows, e));
    TRY(choose_rows(s, o, &part_rows, &label, &rows));
    e->seconds.read = clock_second_since(&s->clock, began);
    double *p = ARENA_ARRAY(s->arena, rows.n, double);
    TRY(predict_frame(s->arena, b, f, rows.row, rows.n, s->clock.wall_ms(), p));
    e->costs_assumed = isnan(o->revenue) && isnan(o->pursuit);
    e->costs = e->costs_assumed ? evaluation_default_costs
                                : (struct costs){isnan(o->revenue) ? 0 : o->revenue, isnan(o->pursuit) ? 0 : o->pursuit};
    const struct evaluation_opts opts = {
        .metrics = {.seed = (uint64_t)o->seed}, .costs = e->costs, .hot = b->hot, .warm = b->warm};
    evaluation_compute(s->arena, p, rows.y, rows.n, &opts, part);
    e->test = part;
    if (o->against.len > 0)
        TRY(compare(s, o, f, &rows, p, e));
    evaluation_list_features(s->arena, b, e);
    describe(o, b, &label, &rows, e);
    leads_add_fault_warning(s->arena, &faults, e);
    e->seconds.total = clock_second_since(&s->clock, began);
    e->seconds.evaluate = e->seconds.total - e->seconds.read;
    return OK;
}

static void show_difference(const struct session *s, const char *name, const struct difference *d) {
    present_pair(&s->out, name, 10,
                 str_format(s->arena, "%+.4f  (%+.4f to %+.4f, p = %.3f)", d->value, d->low, d->high, d->p_value));
}

static err run_evaluate(struct session *s, const void *options) {
    const struct evaluate_settings *o = options;
    struct evaluation e = {0};
    struct file_out *report;
    TRY(leads_refuse_same("FILE", o->leads.file, "--report", o->report));
    TRY(leads_open_report(s, o->report, &report));
    TRY(evaluate(s, o, &e));
    TRY(leads_write_report(s, o->report, report, &e));
    if (s->json) {
        struct session_document *d = session_document_new(s);
        report_write_json(&e, false, &d->w);
        return session_document_print(s, d);
    }
    if (s->quiet)
        return OK;
    present_heading(&s->out,
                    str_cstr(s->arena, str_format(s->arena, "%.*s on %.*s", STR_ARG(e.model_name), STR_ARG(e.data_name))));
    terminal_put(&s->out, report_summary(s->arena, &e));
    if (e.against) {
        present_heading(
            &s->out, str_cstr(s->arena, str_format(s->arena, "Against %.*s, on the same leads", STR_ARG(e.against_name))));
        show_difference(s, "AUC", &e.against->auc);
        show_difference(s, "log loss", &e.against->log_loss);
        show_difference(s, "Brier", &e.against->brier);
    }
    if (o->report.len > 0)
        terminal_put(&s->out, str_format(s->arena, "\n  report  %.*s\n", STR_ARG(o->report)));
    return OK;
}

static const struct argument evaluate_arguments[] = {
    {.name = "FILE",
     .help = "leads with their outcome: CSV, CSV.gz or JSON lines",
     .offset = offsetof(struct evaluate_settings, leads.file)},
};

#define AT(member) .offset = offsetof(struct evaluate_settings, member)

static const struct setting evaluate_table[] = {
    {.name = "model",
     .letter = 'm',
     .type = SETTING_PATH,
     AT(model),
     .required = true,
     .help = "the model that galena train wrote"},
    {.name = "target",
     .type = SETTING_STRING,
     AT(target),
     .required = true,
     .arg = "COLUMN",
     .help = "the column that tells what became of a lead"},
    {.name = "positive",
     .type = SETTING_STRING,
     AT(positive),
     .arg = "VALUE",
     .help = "the value that means converted; the model's own when left out"},
    {.name = "against",
     .type = SETTING_PATH,
     AT(against),
     .arg = "MODEL",
     .help = "another model to compare with on the same leads (paired bootstrap)"},
    {.name = "split",
     .type = SETTING_STRING,
     AT(split),
     .arg = "SPLIT",
     .help =
         "measure on these rows only, as train divides them; when left out, all rows, or, of the very file the model was "
         "trained on, the rows kept aside"},
    {.name = "revenue",
     .type = SETTING_NUMBER,
     AT(revenue),
     .min = 0,
     .max = 1e12,
     .help = "what a lead that converts is worth, for the threshold table"},
    {.name = "pursuit",
     .type = SETTING_NUMBER,
     AT(pursuit),
     .min = 0,
     .max = 1e12,
     .help = "what pursuing a lead in vain costs, in the same unit"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     AT(seed),
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992,
     .help = "of the bootstrap"},
    {.name = "report",
     .type = SETTING_PATH,
     AT(report),
     .help = "also write a report: a page for people (.html) or everything in numbers (.json)"},
    LEADS_SETTINGS(struct evaluate_settings, leads),
};

const struct command command_evaluate = {
    .name = "evaluate",
    .summary = "measure a model on leads whose outcome is known",
    .description =
        "Scores leads whose outcome is known and says how well the model ranks them and whether its probabilities can be "
        "taken "
        "at their word, each figure with a 95 % interval. With --against, whether another model is better on the same "
        "leads and whether chance explains the difference.",
    .examples =
        "# on leads that came after the training\ngalena evaluate april.csv --model leads.model --target Converted --report "
        "april.html\n"
        "# is the new model better?\ngalena evaluate april.csv --model new.model --against old.model --target Converted\n",
    COMMAND_ARGUMENTS(evaluate_arguments),
    COMMAND_SETTINGS(evaluate_table),
    .options_size = sizeof(struct evaluate_settings),
    .run = run_evaluate,
};
