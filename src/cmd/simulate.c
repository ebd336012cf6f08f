/* simulate.c — galena simulate: writes a market with known truth as files. */
#include "base/json.h"
#include "base/number.h"
#include "base/time.h"
#include "cmd/command.h"
#include "cmd/present.h"
#include "cmd/progress.h"
#include "cmd/sheet.h"
#include "sandbox/world.h"

enum { SHEET_COMPANIES, SHEET_SOURCES, SHEET_LEADS, SHEET_OUTCOMES, SHEET_TRUTH, SHEET_CLAIMS, SHEET_FACTS, SHEET_COUNT };

struct simulate_options {
    str out, start;
    int64_t companies, days, seed, drift;
    double leads;
    int truth;
};

static const char *const truths[] = {"linear", "interaction", "tree", NULL};

static const struct setting simulate_settings[] = {
    {.name = "out",
     .letter = 'o',
     .type = SETTING_PATH,
     .offset = offsetof(struct simulate_options, out),
     .required = true,
     .arg = "DIR",
     .help = "folder to write to; made if it is not there"},
    {.name = "companies",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct simulate_options, companies),
     .fallback = "2000",
     .min = 1,
     .max = 10000000,
     .help = "companies in the market"},
    {.name = "days",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct simulate_options, days),
     .fallback = "180",
     .min = 1,
     .max = 10000,
     .help = "days on which leads arrive"},
    {.name = "leads",
     .type = SETTING_NUMBER,
     .offset = offsetof(struct simulate_options, leads),
     .fallback = "25",
     .min = 0.01,
     .max = 100000,
     .help = "leads a day, on average"},
    {.name = "truth",
     .type = SETTING_CHOICE,
     .offset = offsetof(struct simulate_options, truth),
     .fallback = "linear",
     .choices = truths,
     .help = "how a sale depends on the lead"},
    {.name = "drift",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct simulate_options, drift),
     .fallback = "0",
     .min = 0,
     .max = 10000,
     .arg = "DAY",
     .help = "the day from which on another truth holds; 0: never"},
    {.name = "start",
     .type = SETTING_STRING,
     .offset = offsetof(struct simulate_options, start),
     .fallback = "2026-01-05",
     .arg = "DATE",
     .help = "the first day"},
    {.name = "seed",
     .type = SETTING_INTEGER,
     .offset = offsetof(struct simulate_options, seed),
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992,
     .help = "the same seed gives the same market"},
};

struct kind {
    const char *file, *head, *about;
};
static const struct kind kinds[SHEET_COUNT] = {
    {"companies.csv",
     "company_id,name,former_name,renamed_on,short_name,parent_id,domain,country,country_code,city,industry,naics,founded,"
     "employees,revenue_eur,growth,technologies,funding_stage,funding_eur,funding_on,open_jobs,dissolved",
     "the companies as they are on the first day"},
    {"sources.csv",
     "source,about,price_call_micro,price_hit_micro,latency_ms,coverage,accuracy,stale_day,copies_from,copies,wrong_entity",
     "who can be asked about them, and how good each is"},
    {"leads.csv",
     "lead_id,received_at,owner,name,email,phone,title,company,country,employees,industry,website,channel,web_visits,"
     "pages,email_opens,newsletter,last_event,last_event_on",
     "the leads as a CRM shows them"},
    {"outcomes.csv", "lead_id,outcome,known_at,converted", "what became of those that are decided"},
    {"truth.csv", "lead_id,company_id,person,seniority,department,true_email,same_as,junk,probability",
     "who the leads are, and their true probability"},
    {"claims.csv", "object,attribute,value,source,observed_at", "what the sources say of their companies, for galena fuse"},
    {"facts.csv", "object,attribute,value", "what is true of these"},
};

/* What is being made. */
struct simulation {
    struct session *session;
    struct world world;
    struct sheet sheet[SHEET_COUNT];
    uint8_t *asked; /* a bit for each company whose sources have spoken */
    uint64_t n_lead, n_won, n_decided, n_junk, n_again;
};

static void put_optional_day(struct sheet *s, bool there, int64_t day) {
    if (there)
        sheet_put_day(s, day);
    else
        sheet_put(s, STR(""));
}

static void put_flag(struct sheet *s, bool flag) { sheet_put(s, flag ? STR("yes") : STR("no")); }

static err put_company(struct simulation *m, struct arena *a, uint64_t number) {
    struct sheet *s = &m->sheet[SHEET_COMPANIES];
    const struct world *w = &m->world;
    struct world_company c;
    world_company(a, w, number, &c);
    const str text[] = {c.id, c.name, c.former_name};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        sheet_put(s, text[i]);
    put_optional_day(s, !str_empty(c.former_name), c.renamed_day);
    sheet_put(s, c.short_name);
    sheet_put(s, c.parent >= 0 ? str_format(a, "C%07lld", (long long)c.parent) : STR(""));
    const str place[] = {c.domain, c.country, c.country_code, c.city, c.industry, c.naics};
    for (size_t i = 0; i < sizeof place / sizeof *place; i++)
        sheet_put(s, place[i]);
    sheet_put_number(s, c.founded);
    sheet_put_number(s, world_employees(w, &c, w->first_day));
    sheet_put(s, world_truth_text(a, w, &c, WORLD_REVENUE, w->first_day));
    sheet_put_number(s, c.growth);
    sheet_put(s, world_technologies(a, &c));
    sheet_put(s, str_from(world_funding(c.funding_row)));
    sheet_put(s, c.funding_row > 0 ? str_format(a, "%.0f", c.funding_euro) : STR(""));
    put_optional_day(s, c.funding_row > 0, c.funding_day);
    sheet_put_number(s, c.open_jobs);
    put_flag(s, c.dissolved);
    return sheet_end_row(s);
}

static err put_sources(struct simulation *m) {
    struct sheet *s = &m->sheet[SHEET_SOURCES];
    for (size_t i = 0; i < world_n_sources; i++) {
        const struct world_source *x = &world_sources[i];
        sheet_put(s, str_from(x->name));
        sheet_put(s, str_from(x->title));
        sheet_put_number(s, (double)x->price_call);
        sheet_put_number(s, (double)x->price_hit);
        sheet_put_number(s, x->latency_ms);
        sheet_put_number(s, x->coverage);
        sheet_put_number(s, x->accuracy);
        sheet_put_number(s, x->stale_day);
        sheet_put(s, x->upstream >= 0 ? str_from(world_sources[x->upstream].name) : STR(""));
        sheet_put_number(s, x->copies);
        sheet_put_number(s, x->wrong_entity);
        TRY(sheet_end_row(s));
    }
    return OK;
}

static err put_shown(struct simulation *m, const struct world_lead *l) {
    struct sheet *s = &m->sheet[SHEET_LEADS];
    sheet_put(s, l->id);
    sheet_put_moment(s, l->received_ms);
    const str text[] = {l->owner,   l->name,      l->email,    l->phone,   l->title,      l->company_name,
                        l->country, l->employees, l->industry, l->website, l->did.channel};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        sheet_put(s, text[i]);
    sheet_put_number(s, l->did.visits);
    sheet_put_number(s, l->did.pages);
    sheet_put_number(s, l->did.opens);
    put_flag(s, l->did.newsletter);
    sheet_put(s, l->did.event);
    put_optional_day(s, !str_empty(l->did.event), l->did.event_day);
    return sheet_end_row(s);
}

static err put_truth(struct simulation *m, struct arena *a, const struct world_lead *l) {
    struct sheet *s = &m->sheet[SHEET_TRUTH];
    bool junk = l->same_as == WORLD_JUNK;
    sheet_put(s, l->id);
    sheet_put(s, junk ? STR("") : l->company.id);
    sheet_put(s, junk ? STR("") : str_format(a, "%.*s %.*s", STR_ARG(l->person.given), STR_ARG(l->person.surname)));
    sheet_put(s, junk ? STR("") : l->person.seniority);
    sheet_put(s, junk ? STR("") : l->person.department);
    sheet_put(s, junk ? STR("") : l->person.email);
    sheet_put(s, l->same_as >= 0 ? str_format(a, "L%07lld", (long long)l->same_as) : STR(""));
    put_flag(s, junk);
    sheet_put_number(s, l->probability);
    return sheet_end_row(s);
}

static err put_outcome(struct simulation *m, const struct world_lead *l) {
    struct sheet *s = &m->sheet[SHEET_OUTCOMES];
    if (l->outcome == WORLD_OPEN)
        return OK;
    sheet_put(s, l->id);
    sheet_put(s, str_from(world_outcome_names[l->outcome]));
    sheet_put_moment(s, l->outcome_ms);
    put_flag(s, l->outcome == WORLD_WON);
    return sheet_end_row(s);
}

static err put_facts(struct simulation *m, struct arena *a, const struct world_company *c, int64_t day) {
    struct sheet *s = &m->sheet[SHEET_FACTS];
    for (int f = 0; f < WORLD_FIELD_COUNT; f++) {
        str truth = world_truth_text(a, &m->world, c, (enum world_field)f, day);
        if (str_empty(truth))
            continue;
        sheet_put(s, c->id);
        sheet_put(s, str_from(world_field_names[f]));
        sheet_put(s, truth);
        TRY(sheet_end_row(s));
    }
    return OK;
}

/* The sources speak once of each company, when its first lead comes. */
static err put_claims(struct simulation *m, struct arena *a, const struct world_company *c, int64_t day) {
    struct sheet *s = &m->sheet[SHEET_CLAIMS];
    uint8_t *byte = &m->asked[c->number / 8], bit = (uint8_t)(1 << c->number % 8);
    if (*byte & bit)
        return OK;
    *byte |= bit;
    for (size_t k = 0; k < world_n_sources; k++) {
        struct world_claim claim[WORLD_FIELD_COUNT];
        bool wrong_entity;
        size_t n = world_ask(a, &m->world, k, c->number, day, claim, &wrong_entity);
        for (size_t i = 0; i < n; i++) {
            sheet_put(s, c->id);
            sheet_put(s, str_from(world_field_names[claim[i].field]));
            sheet_put(s, claim[i].value);
            sheet_put(s, str_from(world_sources[k].name));
            sheet_put_day(s, claim[i].seen_day);
            TRY(sheet_end_row(s));
        }
    }
    return put_facts(m, a, c, day);
}

static err put_lead(struct simulation *m, struct arena *a, const struct world_lead *l) {
    m->n_lead++;
    m->n_won += l->outcome == WORLD_WON;
    m->n_decided += l->outcome != WORLD_OPEN;
    m->n_junk += l->same_as == WORLD_JUNK;
    m->n_again += l->same_as >= 0;
    TRY(put_shown(m, l));
    TRY(put_outcome(m, l));
    TRY(put_truth(m, a, l));
    return l->same_as == WORLD_JUNK ? OK : put_claims(m, a, &l->company, l->received_ms / TIME_DAY_MS);
}

static err put_companies(struct simulation *m, struct progress *progress) {
    struct arena *a = m->session->arena;
    for (uint64_t i = 0; i < m->world.n_companies; i++) {
        struct arena_mark mark = arena_mark(a);
        err rc = put_company(m, a, i);
        arena_rewind(a, mark);
        if (rc != OK)
            return rc;
        progress_at(progress, (double)i + 1);
    }
    return OK;
}

static err put_leads(struct simulation *m, struct progress *progress) {
    struct arena *a = m->session->arena;
    struct world_walk walk;
    world_walk_begin(&walk, &m->world);
    for (bool more = true; more;) {
        struct arena_mark mark = arena_mark(a);
        struct world_lead lead;
        more = world_walk_next(&walk, a, &lead);
        err rc = more ? put_lead(m, a, &lead) : OK;
        arena_rewind(a, mark);
        if (rc != OK)
            return rc;
        progress_at(progress, (double)m->world.n_companies + (double)m->n_lead);
    }
    return OK;
}

static err put_all(struct simulation *m) {
    struct progress progress;
    progress_begin(&progress, m->session, "making the market", "rows",
                   (double)m->world.n_companies + m->world.leads_per_day * m->world.n_days);
    err rc = put_sources(m);
    if (rc == OK)
        rc = put_companies(m, &progress);
    if (rc == OK)
        rc = put_leads(m, &progress);
    progress_end(&progress);
    return rc;
}

static err show_json(struct simulation *m) {
    struct session_document *d = session_document_new(m->session);
    json_open_object(&d->w);
    json_put_integer(&d->w, STR("seed"), (int64_t)m->world.seed);
    json_put_string(&d->w, STR("truth"), str_from(world_truth_names[m->world.truth]));
    json_put_integer(&d->w, STR("companies"), (int64_t)m->world.n_companies);
    json_put_integer(&d->w, STR("leads"), (int64_t)m->n_lead);
    json_put_integer(&d->w, STR("decided"), (int64_t)m->n_decided);
    json_put_integer(&d->w, STR("won"), (int64_t)m->n_won);
    json_put_integer(&d->w, STR("duplicates"), (int64_t)m->n_again);
    json_put_integer(&d->w, STR("junk"), (int64_t)m->n_junk);
    json_put_integer(&d->w, STR("claims"), (int64_t)m->sheet[SHEET_CLAIMS].n_rows - 1);
    json_key(&d->w, STR("files"));
    json_open_array(&d->w);
    for (size_t i = 0; i < SHEET_COUNT; i++)
        json_string(&d->w, m->sheet[i].path);
    json_close_array(&d->w);
    json_close_object(&d->w);
    return session_document_print(m->session, d);
}

static void show_text(struct simulation *m) {
    struct present_table p = present_table_new(m->session->arena, "file|>rows|what it holds");
    for (size_t i = 0; i < SHEET_COUNT; i++) {
        present_cell_style(&p, STYLE_ACCENT, m->sheet[i].path);
        present_cell(&p, number_for_people(m->session->arena, (double)m->sheet[i].n_rows - 1));
        present_cell(&p, str_from(kinds[i].about));
    }
    present_table_print(&m->session->out, &p);
}

static err read_world(const struct simulate_options *o, struct world *out) {
    int64_t start_ms;
    if (time_parse(o->start, TIME_ORDER_UNKNOWN, &start_ms) != OK)
        return fail(ERR_INPUT, "simulate_start", "--start: %.300s", err_text());
    *out = (struct world){.seed = (uint64_t)o->seed,
                          .n_companies = (uint64_t)o->companies,
                          .first_day = start_ms / TIME_DAY_MS,
                          .n_days = (int)o->days,
                          .leads_per_day = o->leads,
                          .truth = (enum world_truth)o->truth,
                          .drift_day = (int)o->drift};
    return OK;
}

static err run_simulate(struct session *s, const void *options) {
    const struct simulate_options *o = options;
    struct simulation m = {.session = s};
    TRY(read_world(o, &m.world));
    TRY(sheet_folder(o->out));
    m.asked = arena_alloc(s->arena, (size_t)m.world.n_companies / 8 + 1);
    for (size_t i = 0; i < SHEET_COUNT; i++)
        TRY(sheet_open(s->arena, o->out, kinds[i].file, kinds[i].head, &m.sheet[i]));
    TRY(put_all(&m));
    for (size_t i = 0; i < SHEET_COUNT; i++)
        TRY(sheet_commit(&m.sheet[i]));
    if (s->json)
        return show_json(&m);
    show_text(&m);
    return OK;
}

const struct command command_simulate = {
    .name = "simulate",
    .summary = "make a market of leads and sources with known truth",
    .description =
        "Writes an invented market as files: its companies, the leads that arrive day by day as a CRM shows them (mistyped, "
        "missing, doubled, some of them tests), what became of them, and what nine sources of different coverage, price, "
        "age "
        "and honesty say of their companies. Beside each stands the truth: who the lead is, how probable a sale was, and "
        "what "
        "holds for the company, so that cleaning, matching, fusing, planning and scoring can be measured.\n\n"
        "The same settings give the same market, byte by byte.",
    .examples = "# half a year of leads\ngalena simulate --out market\n"
                "# fuse what the sources say, and compare with facts.csv\n"
                "galena fuse market/claims.csv --out market/fused.csv\n"
                "# a market that changes on its 90th day\ngalena simulate --out market --truth tree --drift 90 --seed 7\n",
    COMMAND_SETTINGS(simulate_settings),
    .options_size = sizeof(struct simulate_options),
    .run = run_simulate,
};
