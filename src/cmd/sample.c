/* sample.c — galena sample: makes files of leads with known truth, to try the program on. */
#include "base/asset.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "base/time.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "cmd/sheet.h"
#include "sandbox/sample.h"

enum { NEW_PER_PAST = 10, NEW_LEAST = 20 };

struct sample_options {
    str out;
    int64_t rows, seed;
    bool leak;
};

static const struct setting sample_settings[] = {
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     .offset = offsetof(struct sample_options, out),
     .required = true,
     .arg = "DIR",
     .help = "folder to write to; made if it is not there"},
    {.name = "rows",
     .letter = 'n',
     .type = SETTING_INTEGER,
     .offset = offsetof(struct sample_options, rows),
     .fallback = "4000",
     .min = 10,
     .max = 10000000,
     .help = "past leads to make; a tenth as many new ones are made besides"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct sample_options, seed),
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992,
     .help = "the same seed gives the same files"},
    {.name = "leak",
     .type = SETTING_FLAG,
     .offset = offsetof(struct sample_options, leak),
     .help = "add a column that is filled only after the outcome, to see it found"},
};

/* What is made: past leads with their outcome, new leads without, and the truth of both. */
struct making {
    struct session *session;
    const struct sample_options *o;
    struct sheet past, fresh, truth;
    uint64_t n_past, n_new, n_converted;
};

static err put_heads(struct making *m) {
    for (size_t i = 0; i < SAMPLE_COLUMN_COUNT; i++) {
        sheet_put(&m->past, str_from(sample_names[i]));
        sheet_put(&m->fresh, str_from(sample_names[i]));
    }
    if (m->o->leak)
        sheet_put(&m->past, STR("contract_signed_on"));
    sheet_put(&m->past, STR("converted"));
    TRY(sheet_end_row(&m->past));
    return sheet_end_row(&m->fresh);
}

static err put_lead(struct making *m, const struct sample_lead *lead, bool past) {
    struct sheet *sheet = past ? &m->past : &m->fresh;
    str outcome = lead->converted ? STR("yes") : STR("no");
    for (size_t i = 0; i < SAMPLE_COLUMN_COUNT; i++)
        sheet_put(sheet, lead->cell[i]);
    if (past && m->o->leak)
        sheet_put(sheet, lead->signed_on);
    if (past)
        sheet_put(sheet, outcome);
    TRY(sheet_end_row(sheet));
    sheet_put(&m->truth, lead->cell[SAMPLE_LEAD_ID]);
    sheet_put_number(&m->truth, lead->probability);
    sheet_put(&m->truth, outcome);
    return sheet_end_row(&m->truth);
}

/* Two years of past leads, then a month of new ones. */
static err put_leads(struct making *m) {
    struct arena *a = m->session->arena;
    uint64_t seed = (uint64_t)m->o->seed;
    int64_t from = time_days_from_civil((struct civil){2024, 7, 1}) * TIME_DAY_MS,
            to = time_days_from_civil((struct civil){2026, 6, 30}) * TIME_DAY_MS;
    const struct sample_world before = {seed, from, to}, after = {seed, to + TIME_DAY_MS, to + 30 * TIME_DAY_MS};
    struct progress progress;
    progress_begin(&progress, m->session, "making leads", "rows", (double)(m->n_past + m->n_new));
    err rc = OK;
    for (uint64_t i = 0; i < m->n_past + m->n_new && rc == OK; i++) {
        struct arena_mark mark = arena_mark(a);
        struct sample_lead lead;
        sample_draw(a, i < m->n_past ? &before : &after, i, &lead);
        m->n_converted += i < m->n_past && lead.converted;
        rc = put_lead(m, &lead, i < m->n_past);
        arena_rewind(a, mark);
        progress_at(&progress, (double)i + 1);
    }
    progress_end(&progress);
    return rc;
}

static err show_json(const struct making *m, str profile) {
    struct session_document *d = session_document_new(m->session);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("seed"), m->o->seed);
    json_put_integer(&d->w, STR("past_rows"), (int64_t)m->n_past);
    json_put_integer(&d->w, STR("new_rows"), (int64_t)m->n_new);
    json_put_integer(&d->w, STR("positives"), (int64_t)m->n_converted);
    json_key(&d->w, STR("files"));
    json_open_object(&d->w);
    json_put_string(&d->w, STR("past"), m->past.path);
    json_put_string(&d->w, STR("new"), m->fresh.path);
    json_put_string(&d->w, STR("truth"), m->truth.path);
    json_put_string(&d->w, STR("profile"), profile);
    json_close_object(&d->w);
    json_close_object(&d->w);
    return session_document_print(m->session, d);
}

static void show_text(const struct making *m, str profile) {
    struct arena *a = m->session->arena;
    const struct terminal *t = &m->session->out;
    struct present_table p = present_table_new(a, "file|>rows|what it holds");
    double share = 100 * (double)m->n_converted / (double)m->n_past;
    present_cell_style(&p, STYLE_ACCENT, m->past.path);
    present_cell(&p, number_for_people(a, (double)m->n_past));
    present_cell_format(&p, "past leads and what became of them: %.1f %% converted", share);
    present_cell_style(&p, STYLE_ACCENT, m->fresh.path);
    present_cell(&p, number_for_people(a, (double)m->n_new));
    present_cell(&p, STR("new leads"));
    present_cell_style(&p, STYLE_ACCENT, m->truth.path);
    present_cell(&p, number_for_people(a, (double)(m->n_past + m->n_new)));
    present_cell(&p, STR("the true probability of all of them"));
    present_cell_style(&p, STYLE_ACCENT, profile);
    present_cell(&p, STR(""));
    present_cell(&p, STR("an ideal customer profile for them"));
    present_table_print(t, &p);
}

static err run_sample(struct session *s, const void *options) {
    const struct sample_options *o = options;
    struct making m = {.session = s, .o = o, .n_past = (uint64_t)o->rows, .n_new = (uint64_t)o->rows / NEW_PER_PAST};
    if (m.n_new < NEW_LEAST)
        m.n_new = NEW_LEAST;
    TRY(sheet_folder(o->out));
    TRY(sheet_open(s->arena, o->out, "leads_past.csv", NULL, &m.past));
    TRY(sheet_open(s->arena, o->out, "leads_new.csv", NULL, &m.fresh));
    TRY(sheet_open(s->arena, o->out, "truth.csv", "lead_id,true_probability,converted", &m.truth));
    TRY(put_heads(&m));
    TRY(put_leads(&m));
    str profile = str_format(s->arena, "%s/profile.yaml", o->out.ptr);
    TRY(file_write_all(s->arena, profile.ptr, asset_get(STR("profiles/sample.yaml"))));
    TRY(sheet_commit(&m.past));
    TRY(sheet_commit(&m.fresh));
    TRY(sheet_commit(&m.truth));
    if (s->json)
        TRY(show_json(&m, profile));
    else
        show_text(&m, profile);
    return OK;
}

const struct command command_sample = {
    .name = "sample",
    .summary = "make sample leads to try the program on",
    .description =
        "Writes leads of invented companies whose true probability of conversion is known: leads_past.csv with the outcome "
        "in the column converted (yes or no), leads_new.csv without it, truth.csv with the true probability of every lead, "
        "and profile.yaml, an ideal customer profile that fits them roughly.\n\n"
        "Some values are missing by chance, others because of what the lead is. About 18 in 100 leads convert.",
    .examples = "# 4,000 past leads and 400 new ones\ngalena sample --out demo\n"
                "# other leads, as many as one likes\ngalena sample --out demo --rows 100000 --seed 2\n",
    COMMAND_SETTINGS(sample_settings),
    .options_size = sizeof(struct sample_options),
    .run = run_sample,
};
