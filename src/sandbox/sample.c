/* sample.c — draws leads of invented companies, and whether they convert. */
#include "sandbox/sample.h"

#include "base/time.h"
#include "sandbox/draw.h"

#include <math.h>

const char *const sample_names[SAMPLE_COLUMN_COUNT] = {
    [SAMPLE_LEAD_ID] = "lead_id",           [SAMPLE_CREATED] = "created",
    [SAMPLE_COMPANY] = "company",           [SAMPLE_DOMAIN] = "domain",
    [SAMPLE_INDUSTRY] = "industry",         [SAMPLE_EMPLOYEES] = "employees",
    [SAMPLE_REVENUE] = "annual_revenue",    [SAMPLE_COUNTRY] = "country",
    [SAMPLE_TECHNOLOGIES] = "technologies", [SAMPLE_TITLE] = "title",
    [SAMPLE_SENIORITY] = "seniority",       [SAMPLE_SOURCE] = "source",
    [SAMPLE_VISITS] = "web_visits",         [SAMPLE_PAGES_PER_VISIT] = "pages_per_visit",
    [SAMPLE_EMAIL_OPENS] = "email_opens",   [SAMPLE_NEWSLETTER] = "newsletter",
    [SAMPLE_LAST_EVENT] = "last_event",     [SAMPLE_LAST_EVENT_ON] = "last_event_on",
};

static const struct weighted industries[] = {
    {"Software", 20, 0.45},    {"Financial Services", 13, 0.35}, {"Manufacturing", 16, -0.10}, {"Retail", 14, -0.25},
    {"Health Care", 11, 0.10}, {"Logistics", 9, 0.20},           {"Education", 7, -0.55},      {"Public Sector", 6, -0.60},
    {"Media", 5, 0.00},        {"Agriculture", 3, -0.70},        {"Mining", 1, -0.40},         {"Aerospace", 0.4, 0.30},
};

static const struct weighted countries[] = {
    {"Germany", 24, 0.15},  {"France", 15, 0.05}, {"United Kingdom", 17, 0.10}, {"Netherlands", 9, 0.20},
    {"Spain", 10, -0.15},   {"Italy", 9, -0.15},  {"Poland", 7, -0.10},         {"Sweden", 5, 0.20},
    {"Portugal", 3, -0.10}, {"Iceland", 1, 0.00},
};

static const struct weighted technologies[] = {
    {"spreadsheets", 55, -0.10},        {"data warehouse", 30, 0.45}, {"web analytics", 38, 0.15},
    {"marketing automation", 26, 0.30}, {"message queue", 18, 0.10},  {"containers", 28, 0.25},
    {"mainframe", 11, -0.80},           {"legacy erp", 22, -0.35},    {"python", 30, 0.20},
    {"customer portal", 16, 0.10},
};
enum { MOST_COUNT = 400 };
enum { TECH_WAREHOUSE = 1, TECH_QUEUE = 4 };

enum { SENIORITY_C_LEVEL, SENIORITY_VP, SENIORITY_DIRECTOR, SENIORITY_MANAGER, SENIORITY_INDIVIDUAL, SENIORITY_INTERN };
static const struct weighted seniorities[] = {
    {"C-level", 9, 0.35},  {"VP", 9, 0.55},           {"Director", 17, 0.40},
    {"Manager", 30, 0.05}, {"Individual", 30, -0.35}, {"Intern", 5, -1.30},
};

static const struct weighted departments[] = {
    {"Sales", 22, 0.35},    {"Marketing", 24, 0.30},    {"Operations", 18, 0.00},
    {"Finance", 12, -0.05}, {"Engineering", 18, -0.10}, {"Human Resources", 6, -0.45},
};

static const struct weighted sources[] = {
    {"web form", 30, 0.10},   {"referral", 10, 0.90}, {"webinar", 15, 0.25}, {"trade fair", 12, 0.05},
    {"cold list", 20, -0.80}, {"partner", 8, 0.45},   {"Web Form", 5, 0.10},
};
enum { SOURCE_COLD_LIST = 4 };

enum { EVENT_NONE, EVENT_DEMO, EVENT_FUNDING, EVENT_HIRING, EVENT_LAYOFFS, EVENT_PRICING };
static const struct weighted events[] = {
    {"", 42, -0.25},      {"demo request", 10, 1.70}, {"funding round", 9, 0.80},
    {"hiring", 16, 0.45}, {"layoffs", 8, -0.80},      {"pricing page", 15, 0.90},
};
/* Days after which an event counts 1/e. */
static const double event_decay_day[] = {1, 30, 120, 90, 120, 21};

/* Chosen so that about 18 in 100 convert, and that whoever knew the truth would rank with an AUC of about 0.86. */
static const double intercept = -5.54, strength = 1.4;

/* What is true of a lead, shown or not. */
struct truth {
    size_t industry, country, seniority, department, source, event;
    bool technology[DRAW_COUNT(technologies)];
    double employees, revenue; /* revenue in euro */
    double visits, pages, opens;
    bool newsletter;
    double event_age_day;
    int64_t created_ms;
};

static void draw_company(struct rng *r, struct truth *t) {
    t->industry = draw_pick(r, industries, DRAW_COUNT(industries));
    t->country = draw_pick(r, countries, DRAW_COUNT(countries));
    t->employees = ceil(exp(4.6 + 1.5 * rng_normal(r)));
    if (t->employees > 90000)
        t->employees = 90000;
    t->revenue = t->employees * exp(11.7 + 0.6 * rng_normal(r));
    for (size_t i = 0; i < DRAW_COUNT(technologies); i++) {
        double large = i == TECH_WAREHOUSE || i == TECH_QUEUE ? log(t->employees) / 5 : 1;
        t->technology[i] = draw_chance(r, fmin(0.9, technologies[i].often / 100 * large));
    }
}

static void draw_person(struct rng *r, const struct sample_world *w, struct truth *t) {
    t->seniority = draw_pick(r, seniorities, DRAW_COUNT(seniorities));
    t->department = draw_pick(r, departments, DRAW_COUNT(departments));
    t->source = draw_pick(r, sources, DRAW_COUNT(sources));
    double interest = exp(0.7 * rng_normal(r)) * (t->source == SOURCE_COLD_LIST ? 0.4 : 1);
    t->visits = draw_poisson(r, 3.0 * interest, MOST_COUNT);
    t->pages = t->visits > 0 ? 1 + round(10 * 1.4 * exp(0.5 * rng_normal(r))) / 10 : 0;
    t->opens = draw_poisson(r, 1.5 * interest, MOST_COUNT);
    t->newsletter = draw_chance(r, 0.3);
    t->event = draw_pick(r, events, DRAW_COUNT(events));
    t->event_age_day = floor(-60 * log(1 - rng_uniform(r)));
    uint64_t days = (uint64_t)((w->last_ms - w->first_ms) / TIME_DAY_MS) + 1;
    t->created_ms = w->first_ms + (int64_t)rng_below(r, days) * TIME_DAY_MS;
}

static double log_odds(const struct truth *t) {
    double size = (log(t->employees) - log(250)) / 1.2;
    double z = 1.3 * exp(-size * size) + industries[t->industry].effect + countries[t->country].effect;
    for (size_t i = 0; i < DRAW_COUNT(technologies); i++)
        z += t->technology[i] ? technologies[i].effect : 0;
    if (t->technology[TECH_QUEUE] && t->employees > 200)
        z += 0.6;
    z += seniorities[t->seniority].effect + departments[t->department].effect + sources[t->source].effect;
    if (t->seniority == SENIORITY_C_LEVEL && t->employees < 100)
        z += 0.7; /* in a small company the head decides */
    z += 0.55 * log1p(t->visits) + 0.30 * log1p(t->opens) + 0.20 * log1p(t->pages) + (t->newsletter ? 0.1 : 0);
    if (t->event == EVENT_DEMO && t->visits >= 3)
        z += 0.6;
    z += events[t->event].effect * (t->event == EVENT_NONE ? 1 : exp(-t->event_age_day / event_decay_day[t->event]));
    return intercept + strength * z;
}

/* ---- what the file shows ---- */

static str company_name(struct arena *a, struct rng *r) {
    static const char *const starts[] = {"Bra", "Cor", "Del",  "Fen", "Gal", "Hol", "Jun", "Kal", "Lum", "Mar", "Nor",
                                         "Orb", "Pel", "Quin", "Rav", "Sol", "Tam", "Ulm", "Ver", "Wil", "Yar", "Zen"};
    static const char *const middles[] = {"a", "e", "i", "o", "u", "and", "ell", "im", "or", "ist"};
    static const char *const ends[] = {"bek",  "dria",  "fax", "gora", "lith", "mark", "nova",
                                       "pora", "quist", "ra",  "sund", "tek",  "via",  "wick"};
    static const char *const kinds[] = {"",          " Group", " Works",  " Systems", " Trading",
                                        " Partners", " Labs",  " & Sons", ", Inc."};
    return str_format(a, "%s%s%s%s", starts[rng_below(r, DRAW_COUNT(starts))], middles[rng_below(r, DRAW_COUNT(middles))],
                      ends[rng_below(r, DRAW_COUNT(ends))], kinds[rng_below(r, DRAW_COUNT(kinds))]);
}

static str domain_of(struct arena *a, str company) {
    str word = str_lower(a, company), first;
    str_split(&word, ' ', &first);
    ptrdiff_t comma = str_find_byte(first, ',');
    return str_format(a, "%.*s.example", (int)(comma < 0 ? (ptrdiff_t)first.len : comma), first.ptr);
}

/* Mostly the number; sometimes with a separator, sometimes only the range that a form offered. */
static str employees_text(struct arena *a, struct rng *r, double n) {
    static const double bounds[] = {1, 11, 51, 201, 501, 1001, 5001, 10001};
    if (draw_chance(r, 0.25)) {
        size_t i = 0;
        while (i + 1 < DRAW_COUNT(bounds) && n >= bounds[i + 1])
            i++;
        return i + 1 < DRAW_COUNT(bounds) ? str_format(a, "%.0f-%.0f", bounds[i], bounds[i + 1] - 1) : STR("10001+");
    }
    if (n >= 1000 && draw_chance(r, 0.4))
        return str_format(a, "%d,%03d", (int)n / 1000, (int)n % 1000);
    return str_format(a, "%.0f", n);
}

static str revenue_text(struct arena *a, double euro) {
    if (euro >= 1e9)
        return str_format(a, "€%.1fB", euro / 1e9);
    return euro >= 1e6 ? str_format(a, "€%.1fM", euro / 1e6) : str_format(a, "€%.0fK", euro / 1e3);
}

static str technologies_text(struct arena *a, const struct truth *t) {
    str used[DRAW_COUNT(technologies)];
    size_t n = 0;
    for (size_t i = 0; i < DRAW_COUNT(technologies); i++)
        if (t->technology[i])
            used[n++] = str_from(technologies[i].text);
    return str_join(a, used, n, STR("; "));
}

static str title_text(struct arena *a, const struct truth *t) {
    static const char *const parts[][2] = {{"Chief ", " Officer"}, {"VP ", ""},         {"Director ", ""},
                                           {"", " Manager"},       {"", " Specialist"}, {"", " Intern"}};
    return str_format(a, "%s%s%s", parts[t->seniority][0], departments[t->department].text, parts[t->seniority][1]);
}

static str date_text(struct arena *a, int64_t ms) {
    char text[TIME_TEXT_BYTE];
    return str_copy(a, (str){text, time_format_day(ms, text)});
}

static void show_company(struct arena *a, struct rng *r, const struct truth *t, str *cell) {
    cell[SAMPLE_COMPANY] = company_name(a, r);
    cell[SAMPLE_DOMAIN] = domain_of(a, cell[SAMPLE_COMPANY]);
    cell[SAMPLE_INDUSTRY] = draw_chance(r, 0.04) ? STR("unknown") : str_from(industries[t->industry].text);
    cell[SAMPLE_EMPLOYEES] = draw_chance(r, 0.10) ? STR("") : employees_text(a, r, t->employees);
    /* Small companies publish no figures. */
    cell[SAMPLE_REVENUE] = draw_chance(r, t->employees < 50 ? 0.6 : 0.15) ? STR("") : revenue_text(a, t->revenue);
    cell[SAMPLE_COUNTRY] = draw_chance(r, 0.03) ? STR("") : str_from(countries[t->country].text);
    cell[SAMPLE_TECHNOLOGIES] = draw_chance(r, 0.12) ? STR("") : technologies_text(a, t);
}

static void show_person(struct arena *a, struct rng *r, const struct truth *t, str *cell) {
    /* Who is not serious leaves the form as it was. */
    bool filled = !draw_chance(r, t->seniority >= SENIORITY_INDIVIDUAL ? 0.30 : 0.06);
    cell[SAMPLE_TITLE] = filled ? title_text(a, t) : STR("");
    cell[SAMPLE_SENIORITY] = filled ? str_from(seniorities[t->seniority].text) : STR("Select");
    cell[SAMPLE_SOURCE] = str_from(sources[t->source].text);
    cell[SAMPLE_VISITS] = str_format(a, "%.0f", t->visits);
    cell[SAMPLE_PAGES_PER_VISIT] = str_format(a, "%.1f", t->pages);
    cell[SAMPLE_EMAIL_OPENS] = draw_chance(r, 0.05) ? STR("") : str_format(a, "%.0f", t->opens);
    cell[SAMPLE_NEWSLETTER] = t->newsletter ? STR("yes") : STR("no");
    cell[SAMPLE_LAST_EVENT] = str_from(events[t->event].text);
    if (t->event != EVENT_NONE)
        cell[SAMPLE_LAST_EVENT_ON] = date_text(a, t->created_ms - (int64_t)t->event_age_day * TIME_DAY_MS);
}

void sample_draw(struct arena *a, const struct sample_world *world, uint64_t i, struct sample_lead *out) {
    struct rng all = rng_from_seed(world->seed), r = rng_fork(&all, i);
    struct truth t = {0};
    *out = (struct sample_lead){0};
    draw_company(&r, &t);
    draw_person(&r, world, &t);
    out->cell[SAMPLE_LEAD_ID] = str_format(a, "L%06llu", (unsigned long long)i + 1);
    out->cell[SAMPLE_CREATED] = date_text(a, t.created_ms);
    show_company(a, &r, &t, out->cell);
    show_person(a, &r, &t, out->cell);
    out->probability = 1 / (1 + exp(-log_odds(&t)));
    out->converted = draw_chance(&r, out->probability);
    if (out->converted && draw_chance(&r, 0.97))
        out->signed_on = date_text(a, t.created_ms + (int64_t)(20 + rng_below(&r, 60)) * TIME_DAY_MS);
}
