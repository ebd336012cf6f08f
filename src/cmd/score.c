/* score.c — galena score: new leads in, the same leads with a probability, an interval and reasons out. */
#include "cmd/common_settings.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "flow/assay.h"

enum { LABEL = 18, BAR = 40 };

struct score_settings {
    struct leads_options leads;
    str model, profile, out;
    int64_t reasons, threads;
    double interval, hot, warm;
    bool strict;
};

static err read_documents(struct session *s, const struct score_settings *o, struct assay_options *a) {
    if (o->model.len == 0 && o->profile.len == 0)
        return session_usage("usage_missing_option",
                             "give a model with --model, or a profile with --profile to score by it alone");
    if (o->model.len > 0) {
        struct bundle *b;
        TRY(bundle_load(s->arena, o->model.ptr, &b));
        a->bundle = b;
    }
    if (o->profile.len > 0) {
        struct profile *p;
        TRY(leads_load_profile(s->arena, o->profile.ptr, &p));
        a->profile = p;
    }
    return OK;
}

static void advance(void *ctx, uint64_t rows, uint64_t byte, uint64_t total) {
    struct progress *p = ctx;
    p->total = total > 0 && byte > 0 ? (double)rows * (double)total / (double)byte : 0;
    progress_at(p, (double)rows);
}

/* ---- telling ---- */

static void warn_absent(const struct session *s, const struct score_settings *o, const struct assay_result *r) {
    enum { SHOWN = 6 };
    if (r->n_absent == 0)
        return;
    str list = str_join(s->arena, r->absent, r->n_absent < SHOWN ? r->n_absent : SHOWN, STR(", "));
    session_warn(s, "%s: the file has no column %.*s%s, which the model looks at: not known for any lead", o->leads.file.ptr,
                 STR_ARG(list), r->n_absent > SHOWN ? ", ..." : "");
}

static void warn_faults(const struct session *s, const struct score_settings *o, const struct assay_result *r) {
    for (size_t i = 0; i < r->n_fault; i++)
        session_warn(s, "%s: line %llu%s%.*s: %.*s", o->leads.file.ptr, (unsigned long long)r->fault[i].line,
                     r->fault[i].column.len > 0 ? ", column " : "", STR_ARG(r->fault[i].column),
                     STR_ARG(r->fault[i].reason));
    uint64_t all = r->status[RECORD_FAILED] + r->invalid_cells;
    if (all > r->n_fault)
        session_warn(s, "and %llu more%s", (unsigned long long)(all - r->n_fault),
                     o->leads.rejects.len > 0 ? "; all are in the rejects file" : "; --rejects FILE keeps them all");
}

static double mean(double sum, uint64_t n) { return n > 0 ? sum / (double)n : 0; }

static err write_json(const struct session *s, const struct assay_result *r, double second) {
    struct session_document *d = session_document_new(s);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("rows"), (int64_t)r->rows);
    for (int k = 0; k < RECORD_STATUS_COUNT; k++)
        json_put_integer(&d->w, str_from(record_status_name((enum record_status)k)), (int64_t)r->status[k]);
    json_key(&d->w, STR("tiers"));
    json_open_object(&d->w);
    for (int k = TIER_COUNT; k-- > 0;)
        json_put_integer(&d->w, str_from(tier_name((enum tier)k)), (int64_t)r->tier[k]);
    json_close_object(&d->w);
    json_put_integer(&d->w, STR("invalid_cells"), (int64_t)r->invalid_cells);
    json_put_number(&d->w, STR("mean_score"), mean(r->probability_sum, r->status[RECORD_SCORED]));
    json_put_number(&d->w, STR("mean_interval_width"), mean(r->width_sum, r->status[RECORD_SCORED]));
    json_put_number(&d->w, STR("seconds"), second);
    json_close_object(&d->w);
    return session_document_print(s, d);
}

static void show_tiers(const struct session *s, const struct assay_result *r) {
    static const enum style styles[TIER_COUNT] = {STYLE_DIM, STYLE_WARN, STYLE_BAD};
    const struct terminal *t = session_summary(s);
    for (int k = TIER_COUNT; k-- > 0;) {
        double share = mean((double)r->tier[k], r->status[RECORD_SCORED]);
        terminal_put(t, str_format(s->arena, "  %-*s%9llu  %5.1f %%  ", LABEL - 12, tier_name((enum tier)k),
                                   (unsigned long long)r->tier[k], 100 * share));
        terminal_put_style(t, styles[k], present_bar(s->arena, share, BAR, false));
        terminal_put(t, STR("\n"));
    }
}

static void show_summary(const struct session *s, const struct score_settings *o, const struct assay_result *r,
                         double second) {
    struct arena *a = s->arena;
    const struct terminal *t = session_summary(s);
    double bins[ASSAY_HISTOGRAM], top = 0;
    for (size_t k = 0; k < ASSAY_HISTOGRAM; k++) {
        bins[k] = (double)r->histogram[k];
        top = bins[k] > top ? bins[k] : top;
    }
    present_heading(t, str_cstr(a, str_format(a, "%llu leads in %.*s", (unsigned long long)r->rows,
                                              STR_ARG(present_second(a, second)))));
    show_tiers(s, r);
    terminal_put(t, STR("\n"));
    present_pair(
        t, "scores", LABEL,
        str_format(a, "0 %.*s 1   mean %.3f, interval width %.3f", STR_ARG(present_spark(a, bins, ASSAY_HISTOGRAM, 0, top)),
                   mean(r->probability_sum, r->status[RECORD_SCORED]), mean(r->width_sum, r->status[RECORD_SCORED])));
    for (int k = 0; k < RECORD_STATUS_COUNT; k++)
        if (r->status[k] > 0)
            present_pair(t, record_status_name((enum record_status)k), LABEL,
                         str_format(a, "%llu", (unsigned long long)r->status[k]));
    if (r->invalid_cells > 0)
        present_pair(t, "unreadable cells", LABEL,
                     str_format(a, "%llu, scored as not known", (unsigned long long)r->invalid_cells));
    if (!str_equal(o->out, STR("-")))
        present_pair(t, "written to", LABEL, o->out);
}

/* ---- running ---- */

static err assay_file(struct session *s, const struct score_settings *o, struct assay_options *a, struct assay_result *r) {
    struct table *table;
    struct file_out *out;
    struct reject *reject = NULL;
    struct progress p;
    TRY(leads_refuse_same("--out", o->out, "--rejects", o->leads.rejects));
    TRY(leads_refuse_same("FILE", o->leads.file, "--rejects", o->leads.rejects));
    TRY(leads_refuse_same("--model", o->model, "--out", o->out));
    TRY(leads_open(s, &o->leads, &table));
    TRY(file_create(s->arena, o->out.ptr, &out));
    if (o->leads.rejects.len > 0)
        TRY(reject_open(s->arena, o->leads.rejects.ptr, &reject));
    progress_begin(&p, s, "scoring", "leads", 0);
    a->progress = advance;
    a->progress_ctx = &p;
    err rc = assay_run(s->arena, table, a, out, reject, r);
    progress_end(&p);
    TRY(rc);
    if (reject)
        TRY(reject_commit(reject));
    return file_commit(out);
}

static err run_score(struct session *s, const void *options) {
    const struct score_settings *o = options;
    const int64_t began = s->clock.steady_ns();
    struct assay_options a = {.reasons = (size_t)o->reasons,
                              .interval = o->interval,
                              .threads = (unsigned)o->threads,
                              .json_lines = str_ends(o->out, STR(".jsonl")) || str_ends(o->out, STR(".ndjson")),
                              .hot = o->hot,
                              .warm = o->warm,
                              .now_ms = s->clock.wall_ms()};
    struct assay_result r;
    s->data_on_stdout = str_equal(o->out, STR("-"));
    TRY(read_documents(s, o, &a));
    TRY(assay_file(s, o, &a, &r));
    const double second = clock_second_since(&s->clock, began);
    warn_absent(s, o, &r);
    warn_faults(s, o, &r);
    if (s->json)
        TRY(write_json(s, &r, second));
    else if (!s->quiet)
        show_summary(s, o, &r, second);
    if (o->strict && r.status[RECORD_FAILED] > 0)
        return fail(ERR_INPUT, "rows_failed", "%s: %llu rows could not be read", o->leads.file.ptr,
                    (unsigned long long)r.status[RECORD_FAILED]);
    return OK;
}

static const struct argument score_arguments[] = {
    {.name = "FILE",
     .help = "leads: CSV, CSV.gz or JSON lines; - is standard input",
     .offset = offsetof(struct score_settings, leads.file)},
};

#define AT(member) .offset = offsetof(struct score_settings, member)

static const struct setting score_table[] = {
    {.name = "model", .letter = 'm', .type = SETTING_PATH, AT(model), .help = "the model that galena train wrote"},
    {.name = "profile",
     .type = SETTING_PATH,
     AT(profile),
     .help = "an ideal customer profile: scores alone when there is no model; with one, its negative personas disqualify"},
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .fallback = "-",
     .help = "where the scored leads go; JSON lines when the name ends in .jsonl"},
    REASONS_SETTING(struct score_settings, reasons),
    INTERVAL_SETTING(struct score_settings, interval),
    THREADS_SETTING(struct score_settings, threads),
    TIER_SETTINGS(struct score_settings, hot, warm, "without a model: "),
    STRICT_SETTING(struct score_settings, strict),
    LEADS_SETTINGS(struct score_settings, leads),
};

const struct command command_score = {
    .name = "score",
    .summary = "give each lead a probability, an interval and reasons",
    .description = "Writes the input columns and galena_score, galena_low, galena_high, galena_tier, galena_status and "
                   "galena_reason_1, 2, ... "
                   "Every row ends in exactly one status: scored; insufficient_data, with what is missing; disqualified, "
                   "with the rule of the "
                   "profile; or failed, with the reason, also in the rejects file.\n\n"
                   "Reasons are the model's own: each names a field and by how much it multiplies or divides the odds "
                   "against the average "
                   "lead. Memory does not depend on the number of rows.",
    .examples =
        "# score a file\ngalena score new.csv --model leads.model --out scored.csv\n"
        "# in a pipe, without reasons\nzcat new.csv.gz | galena score - --model leads.model --reasons 0 > scored.csv\n"
        "# before there are any outcomes: by the profile alone\ngalena score new.csv --profile icp.yaml --out scored.csv\n",
    COMMAND_ARGUMENTS(score_arguments),
    COMMAND_SETTINGS(score_table),
    .options_size = sizeof(struct score_settings),
    .run = run_score,
};
