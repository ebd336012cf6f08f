/* train.c — galena train: past leads in, a model and the proof of how good it is out. */
#include "base/file.h"
#include "base/yaml.h"
#include "cmd/common_settings.h"
#include "cmd/command.h"
#include "cmd/leads.h"
#include "cmd/present.h"
#include "learn/report.h"
#include "learn/train.h"

static const char *const families[] = {"auto", "logistic", "subscore", "naive_bayes", "gbdt", "bayesian", NULL};

enum { MODEL_MAX_BYTE = 512 << 20, REPORT_MAX_BYTE = 64 << 20, SHOWN_WARNINGS = 12, SHOWN_FEATURES = 8 };

struct train_settings {
    struct leads_options leads;
    str target, positive, id, time, schema, profile, split, out, report;
    struct setting_list exclude;
    int family;
    int64_t interactions, seed, threads;
    double hot, warm;
    bool allow_leaks;
};

static void note(void *ctx, const char *what) {
    struct session *s = ctx;
    if (!s->quiet && s->err.tty)
        terminal_put(&s->err, str_format(s->arena, "  %s ...\n", what));
}

/* ---- showing ---- */

static void show_warnings(const struct session *s, const struct evaluation *e) {
    for (size_t i = 0; i < e->n_warning && i < SHOWN_WARNINGS; i++) {
        const struct evaluation_warning *w = &e->warning[i];
        session_warn(s, "[%.*s] %.*s%s%.*s", STR_ARG(w->code), STR_ARG(w->field), w->field.len > 0 ? ": " : "",
                     STR_ARG(w->message));
    }
    if (e->n_warning > SHOWN_WARNINGS)
        session_warn(s, "and %zu more; the report lists them all", e->n_warning - SHOWN_WARNINGS);
}

static int by_importance(const void *x, const void *y) {
    const struct evaluation_feature *a = x, *b = y;
    return (a->importance < b->importance) - (a->importance > b->importance);
}

static void show_features(const struct session *s, const struct evaluation *e) {
    struct present_table t = present_table_new(s->arena, "what it looks at|group|>importance|");
    struct evaluation_feature *f = arena_copy(s->arena, e->feature, e->n_feature * sizeof *f);
    qsort(f, e->n_feature, sizeof *f, by_importance);
    for (size_t i = 0; i < e->n_feature && i < SHOWN_FEATURES && f[i].importance > 0; i++) {
        present_cell(&t, f[i].name);
        present_cell(&t, f[i].group);
        present_cell_format(&t, "%.3f", f[i].importance);
        present_cell(&t, present_bar(s->arena, f[i].importance / f[0].importance, 24, false));
    }
    terminal_put(&s->out, STR("\n"));
    present_table_print(&s->out, &t);
}

static void show_summary(const struct session *s, const struct evaluation *e, const struct train_settings *o) {
    struct arena *a = s->arena;
    present_heading(
        &s->out, str_cstr(a, str_format(a, "%.*s: %zu leads, %zu converted", STR_ARG(e->data_name), e->rows, e->positives)));
    terminal_put(&s->out, report_summary(a, e));
    show_features(s, e);
    terminal_put(&s->out, STR("\n"));
    present_pair(&s->out, "model", 8, o->out);
    if (o->report.len > 0)
        present_pair(&s->out, "report", 8, o->report);
    present_pair(&s->out, "time", 8, present_second(a, e->seconds.total));
    terminal_put(&s->out, str_format(a, "\nNext: galena score NEW.csv --model %.*s --out SCORED.csv\n", STR_ARG(o->out)));
}

static err write_json(const struct session *s, const struct evaluation *e) {
    struct session_document *d = session_document_new(s);
    report_write_json(e, false, &d->w);
    return session_document_print(s, d);
}

/* ---- running ---- */

static err read_documents(struct session *s, const struct train_settings *o, struct train_options *t) {
    if (o->schema.len > 0) {
        struct schema *schema;
        TRY(leads_load_schema(s->arena, o->schema.ptr, &schema));
        t->schema = schema;
    }
    if (o->profile.len > 0) {
        struct profile *profile;
        TRY(leads_load_profile(s->arena, o->profile.ptr, &profile));
        t->profile = profile;
    }
    return split_parse(o->split, &t->split);
}

/* What is written. Begun before the work, so that a path that cannot be written is told at once. */
struct outputs {
    struct file_out *model, *report;
};

static err open_outputs(struct session *s, const struct train_settings *o, struct outputs *out) {
    TRY(leads_refuse_same("FILE", o->leads.file, "--out", o->out));
    TRY(leads_refuse_same("FILE", o->leads.file, "--report", o->report));
    TRY(leads_refuse_same("--out", o->out, "--report", o->report));
    TRY(leads_refuse_same("--out", o->out, "--rejects", o->leads.rejects));
    TRY(file_create(s->arena, o->out.ptr, &out->model));
    if (str_equal(o->out, STR("-"))) {
        s->data_on_stdout = true;
        s->out = s->err;
    }
    return leads_open_report(s, o->report, &out->report);
}

static err write_model(struct session *s, struct file_out *to, const struct bundle *b) {
    struct buf *bytes = buf_in(s->arena, MODEL_MAX_BYTE);
    TRY(bundle_write(b, bytes));
    TRY(file_write(to, buf_str(bytes)));
    return file_commit(to);
}

static err run_train(struct session *s, const void *options) {
    const struct train_settings *o = options;
    const int64_t began = s->clock.steady_ns();
    struct train_options t = {
        .target = o->target,
        .positive = o->positive,
        .id = o->id,
        .time = o->time,
        .exclude = o->exclude.item,
        .n_exclude = o->exclude.n,
        .family = str_from(families[o->family]),
        .n_interaction = (size_t)o->interactions,
        .seed = (uint64_t)o->seed,
        .threads = (unsigned)o->threads,
        .allow_leaks = o->allow_leaks,
        .hot = o->hot,
        .warm = o->warm,
        .name = leads_base_name(o->out),
        .clock = s->clock,
        .note = note,
        .note_ctx = s,
    };
    struct outputs out;
    TRY(open_outputs(s, o, &out));
    TRY(read_documents(s, o, &t));
    struct frame *f;
    struct leads_faults faults;
    TRY(leads_load(s, &o->leads, &f, &faults));
    const double read_s = clock_second_since(&s->clock, began);
    struct training made;
    TRY(train_model(s->arena, f, &t, &made));
    leads_add_fault_warning(s->arena, &faults, made.evaluation);
    TRY(write_model(s, out.model, made.bundle));
    made.evaluation->seconds.read = read_s;
    made.evaluation->seconds.total = clock_second_since(&s->clock, began);
    TRY(leads_write_report(s, o->report, out.report, made.evaluation));
    if (!s->quiet)
        show_warnings(s, made.evaluation);
    if (s->json)
        return write_json(s, made.evaluation);
    if (!s->quiet)
        show_summary(s, made.evaluation, o);
    return OK;
}

static const struct argument train_arguments[] = {
    {.name = "FILE",
     .help = "past leads with their outcome: CSV, CSV.gz or JSON lines; - is standard input",
     .offset = offsetof(struct train_settings, leads.file)},
};

#define AT(member) .offset = offsetof(struct train_settings, member)

static const struct setting train_table[] = {
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
     .help = "the value of that column that means converted; not needed for yes/no, 1/0, true/false, won"},
    {.name = "id",
     .type = SETTING_STRING,
     AT(id),
     .arg = "COLUMN",
     .help = "the column that names a lead; never used as a feature"},
    {.name = "exclude",
     .type = SETTING_LIST,
     AT(exclude),
     .arg = "COLUMN,...",
     .help = "columns to leave out, such as fields filled in after the outcome"},
    {.name = "time",
     .type = SETTING_STRING,
     AT(time),
     .arg = "COLUMN",
     .help = "when each lead came: a date, or a number that grows; needed for --split time:F, and not used as a feature"},
    {.name = "schema", .type = SETTING_PATH, AT(schema), .help = "a feature schema to follow, as galena schema writes it"},
    {.name = "family",
     .type = SETTING_CHOICE,
     AT(family),
     .fallback = "auto",
     .choices = families,
     .help = "the kind of model; auto cross-validates and stacks them"},
    {.name = "profile",
     .type = SETTING_PATH,
     AT(profile),
     .help = "an ideal customer profile: the starting point that the outcomes move"},
    {.name = "split",
     .type = SETTING_STRING,
     AT(split),
     .fallback = "hash:0.3",
     .arg = "SPLIT",
     .help = "which rows test: hash:F (by row number), random:F (by seed), time:F (the latest), or none"},
    {.name = "interactions",
     .type = SETTING_INTEGER,
     AT(interactions),
     .fallback = "20",
     .min = 0,
     .max = 64,
     .help = "the most products of two fields that the logistic model may take up; 0 is none"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     AT(seed),
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992,
     .help = "the same seed gives the same model"},
    THREADS_SETTING(struct train_settings, threads),
    {.name = "allow-leaks",
     .type = SETTING_FLAG,
     AT(allow_leaks),
     .help = "train although a field plainly knows the outcome"},
    TIER_SETTINGS(struct train_settings, hot, warm, ""),
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     AT(out),
     .required = true,
     .arg = "MODEL",
     .help = "where the model goes"},
    {.name = "report",
     .type = SETTING_PATH,
     AT(report),
     .help = "also write a report: a page for people (.html) or everything in numbers (.json)"},
    LEADS_SETTINGS(struct train_settings, leads),
};

const struct command command_train = {
    .name = "train",
    .summary = "fit a model to past leads",
    .description =
        "Learns from past leads which new ones will convert, and measures on rows kept aside how good that is. It infers "
        "what each "
        "column is (see galena schema), stops when a column plainly knows the outcome, chooses and calibrates the model by "
        "cross-validation on the training rows alone, and writes one file that galena score needs.\n\n"
        "The test rows are never used for anything but the final figures.",
    .examples =
        "# past leads, the outcome in column Converted\ngalena train past.csv --target Converted --out leads.model\n"
        "# leave out fields filled in after the sale, and write a report\n"
        "galena train past.csv --target Converted --exclude Tags,'Lead Quality' --out leads.model --report report.html\n",
    COMMAND_ARGUMENTS(train_arguments),
    COMMAND_SETTINGS(train_table),
    .options_size = sizeof(struct train_settings),
    .run = run_train,
};
