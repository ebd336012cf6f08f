/* world_company.c — draws companies. */
#include "sandbox/world_priv.h"

#include "base/time.h"

#include <math.h>

/* Mean of the logarithm of employees, euro of revenue a head, share of companies that hire; effect: see world_truth.c. */
struct industry {
    struct weighted level;
    const char *naics;
    double log_size, revenue_per_head, hiring;
};

static const struct industry industries[] = {
    {{"Software", 18, 0.5}, "511210", 4.0, 140e3, 0.6},
    {{"Computer Consulting", 9, 0.4}, "541512", 3.6, 110e3, 0.5},
    {{"Banking", 6, 0.4}, "522110", 5.6, 240e3, 0.3},
    {{"Insurance", 4, 0.3}, "524126", 5.4, 260e3, 0.3},
    {{"Machinery Manufacturing", 11, -0.1}, "333249", 5.0, 190e3, 0.3},
    {{"Food Manufacturing", 6, -0.3}, "311999", 4.9, 210e3, 0.2},
    {{"Pharmaceuticals", 4, 0.2}, "325412", 5.5, 320e3, 0.4},
    {{"Electronics Wholesale", 7, 0.0}, "423690", 4.2, 380e3, 0.2},
    {{"Retail", 9, -0.2}, "452319", 4.8, 160e3, 0.2},
    {{"Freight and Logistics", 7, 0.2}, "488510", 4.7, 170e3, 0.3},
    {{"Hospitals", 4, 0.1}, "622110", 6.2, 90e3, 0.4},
    {{"Universities", 3, -0.6}, "611310", 6.4, 80e3, 0.2},
    {{"Marketing Agencies", 6, 0.3}, "541810", 3.0, 100e3, 0.4},
    {{"Construction", 5, -0.5}, "236220", 4.3, 180e3, 0.2},
    {{"Aerospace", 1, 0.3}, "336411", 6.5, 230e3, 0.4},
};

struct country {
    struct weighted level;
    const char *code, *dial, *forms[4], *cities[4];
};

static const struct country countries[] = {
    {{"United States", 26, 0.1}, "US", "+1", {"Inc.", "LLC", "Corp.", "Inc."}, {"Austin", "Boston", "Denver", "Seattle"}},
    {{"Germany", 18, 0.1}, "DE", "+49", {"GmbH", "AG", "GmbH & Co. KG", "GmbH"}, {"Berlin", "Hamburg", "München", "Köln"}},
    {{"United Kingdom", 15, 0.1}, "GB", "+44", {"Ltd", "PLC", "Limited", "LLP"}, {"London", "Leeds", "Bristol", "Glasgow"}},
    {{"France", 10, 0.0}, "FR", "+33", {"SA", "SAS", "SARL", "SAS"}, {"Paris", "Lyon", "Lille", "Nantes"}},
    {{"Netherlands", 7, 0.2},
     "NL",
     "+31",
     {"B.V.", "N.V.", "B.V.", "B.V."},
     {"Amsterdam", "Utrecht", "Rotterdam", "Eindhoven"}},
    {{"Spain", 6, -0.2}, "ES", "+34", {"S.L.", "S.A.", "S.L.U.", "S.L."}, {"Madrid", "Barcelona", "Valencia", "Sevilla"}},
    {{"Italy", 6, -0.2}, "IT", "+39", {"S.p.A.", "S.r.l.", "S.r.l.", "S.p.A."}, {"Milano", "Torino", "Roma", "Bologna"}},
    {{"Sweden", 4, 0.2}, "SE", "+46", {"AB", "AB", "AB", "HB"}, {"Stockholm", "Göteborg", "Malmö", "Uppsala"}},
    {{"Poland", 5, -0.1},
     "PL",
     "+48",
     {"Sp. z o.o.", "S.A.", "Sp. z o.o.", "Sp. k."},
     {"Warszawa", "Kraków", "Wrocław", "Gdańsk"}},
    {{"India", 6, 0.0},
     "IN",
     "+91",
     {"Pvt. Ltd.", "Ltd.", "LLP", "Pvt. Ltd."},
     {"Pune", "Bengaluru", "Mumbai", "Hyderabad"}},
};

/* often: share in 100 of companies of middling size. */
static const struct weighted technologies[WORLD_TECHNOLOGIES] = {
    {"Salesforce", 22, 0.3},       {"HubSpot", 24, 0.3},          {"Zoho CRM", 8, 0.0},   {"Marketo", 9, 0.4},
    {"Google Analytics", 60, 0.0}, {"Segment", 9, 0.4},           {"Snowflake", 12, 0.5}, {"BigQuery", 11, 0.4},
    {"PostgreSQL", 30, 0.2},       {"Oracle Database", 16, -0.2}, {"SAP ERP", 15, -0.1},  {"AWS", 40, 0.1},
    {"Microsoft Azure", 30, 0.0},  {"Kubernetes", 18, 0.3},       {"Kafka", 10, 0.3},     {"React", 32, 0.1},
    {"WordPress", 34, -0.2},       {"Shopify", 9, -0.1},          {"Zendesk", 18, 0.1},   {"Slack", 35, 0.1},
    {"Microsoft Teams", 40, 0.0},  {"Tableau", 14, 0.3},          {"COBOL", 4, -0.8},     {"Jira", 30, 0.1},
};

static const struct weighted funding[] = {
    {"", 60, 0},          {"Seed", 10, 0.2}, {"Series A", 11, 0.6}, {"Series B", 7, 0.7},
    {"Series C", 4, 0.5}, {"IPO", 3, 0.2},   {"Debt", 5, -0.1},
};
static const double funding_log_euro[] = {0, 14.2, 15.8, 16.9, 17.7, 19, 16.5};

const char *world_technology(size_t i) { return technologies[i].text; }
const char *world_funding(size_t row) { return funding[row].text; }

double world_company_effect(const struct world_company *c) {
    double z = industries[c->industry_row].level.effect + countries[c->country_row].level.effect;
    for (size_t i = 0; i < WORLD_TECHNOLOGIES; i++)
        z += c->technology[i] ? technologies[i].effect : 0;
    return z;
}

double world_funding_effect(size_t row) { return funding[row].effect; }
size_t world_n_countries(void) { return DRAW_COUNT(countries); }
const char *world_country_name(size_t row) { return countries[row].level.text; }
const char *world_country_city(size_t row, size_t i) { return countries[row].cities[i % 4]; }
const char *world_country_dial(size_t row) { return countries[row].dial; }
const char *world_industry_name(size_t row) { return industries[row].level.text; }
size_t world_n_industries(void) { return DRAW_COUNT(industries); }

/* ---- names ---- */

static const char *const starts[] = {"Bra", "Cor", "Del",  "Fen", "Gal", "Hol", "Jun", "Kal", "Lum", "Mar", "Nor",
                                     "Orb", "Pel", "Quin", "Rav", "Sol", "Tam", "Ulm", "Ver", "Wil", "Yar", "Zen"};
static const char *const middles[] = {"a", "e", "i", "o", "u", "an", "el", "im", "or", "is", "en", "ar"};
static const char *const ends[] = {"bek",   "dria", "fax",  "gora", "lith", "mark", "nova", "pora",
                                   "quist", "ra",   "sund", "tek",  "via",  "wick", "ton",  "dale"};
static const char *const trades[] = {"Systems",    "Works",     "Group",        "Trading", "Partners", "Labs",
                                     "Industries", "Solutions", "Technologies", "Holding", "Services", "International"};

/* Two companies never share a word unless they shall: the number, shuffled by a bijection, is written in syllables. */
static str word_of(struct arena *a, const struct world *w, uint64_t number) {
    const uint64_t n = DRAW_COUNT(starts) * DRAW_COUNT(middles) * DRAW_COUNT(ends);
    uint64_t k = (number * 2654435761u + w->seed % n) % n, more = number / n;
    str word = str_format(a, "%s%s%s", starts[k % DRAW_COUNT(starts)], middles[k / DRAW_COUNT(starts) % DRAW_COUNT(middles)],
                          ends[k / DRAW_COUNT(starts) / DRAW_COUNT(middles)]);
    for (; more > 0; more /= DRAW_COUNT(middles) * DRAW_COUNT(ends))
        word = str_format(a, "%.*s%s%s", STR_ARG(word), middles[more % DRAW_COUNT(middles)],
                          ends[more / DRAW_COUNT(middles) % DRAW_COUNT(ends)]);
    return word;
}

static void draw_names(struct arena *a, struct rng *r, const struct world *w, struct world_company *c) {
    const struct country *country = &countries[c->country_row];
    /* One in thirty has the name of another: only place and trade tell them apart. */
    bool shares = draw_chance(r, 1.0 / 30) && c->number > 0;
    uint64_t other = shares ? rng_below(r, c->number) : c->number;
    str word = word_of(a, w, other);
    struct rng names = world_stream(w, WORLD_STREAM_NAME, other);
    const char *trade = draw_chance(&names, 0.7) ? trades[rng_below(&names, DRAW_COUNT(trades))] : "";
    c->short_name = str_format(a, "%.*s%s%s", STR_ARG(word), *trade ? " " : "", trade);
    c->name = str_format(a, "%.*s %s", STR_ARG(c->short_name), country->forms[rng_below(r, 4)]);
    str slug = str_lower(a, word);
    c->domain = shares ? str_format(a, "%.*s-%llu.example", STR_ARG(slug), (unsigned long long)c->number)
                       : str_format(a, "%.*s.example", STR_ARG(slug));
    c->former_name = STR("");
    if (draw_chance(r, 0.06)) { /* the former name is a word of nobody */
        c->former_name = str_format(a, "%.*s %s", STR_ARG(word_of(a, w, c->number + w->n_companies)),
                                    trades[rng_below(r, DRAW_COUNT(trades))]);
        c->renamed_day = w->first_day - 900 + (int64_t)rng_below(r, 900 + (uint64_t)w->n_days);
    }
}

static void draw_place(struct rng *r, struct world_company *c) {
    const struct country *country = &countries[c->country_row];
    c->country = str_from(country->level.text);
    c->country_code = str_from(country->code);
    c->city = str_from(country->cities[rng_below(r, 4)]);
}

static void draw_size(struct rng *r, const struct world *w, struct world_company *c) {
    const struct industry *industry = &industries[c->industry_row];
    c->industry = str_from(industry->level.text);
    c->naics = str_from(industry->naics);
    c->employees = fmin(fmax(1, exp(industry->log_size + 1.4 * rng_normal(r))), 250000);
    c->growth = 0.04 + 0.18 * rng_normal(r) - (draw_chance(r, 0.05) ? 0.4 : 0);
    c->revenue_per_head = industry->revenue_per_head * exp(0.5 * rng_normal(r));
    struct civil first = time_civil_from_days(w->first_day);
    c->founded = (int)first.year - 1 - (int)(fmin(150, 2 + 12 * fabs(rng_normal(r)) + 6 * log(c->employees)));
    c->dissolved = draw_chance(r, 0.01);
}

static void draw_doings(struct rng *r, const struct world *w, struct world_company *c) {
    double large = (log(c->employees) - 4.5) / 4;
    for (size_t i = 0; i < WORLD_TECHNOLOGIES; i++) {
        double odds = technologies[i].often / (100 - technologies[i].often) * exp(large * (i % 3 == 0 ? 1.2 : 0.4));
        c->technology[i] = draw_chance(r, odds / (1 + odds));
    }
    c->funding_row = draw_pick(r, funding, DRAW_COUNT(funding));
    if (c->funding_row > 0) {
        c->funding_euro = exp(funding_log_euro[c->funding_row] + 0.5 * rng_normal(r));
        c->funding_day = w->first_day - 700 + (int64_t)rng_below(r, 700 + (uint64_t)w->n_days);
    }
    bool hires = draw_chance(r, industries[c->industry_row].hiring);
    c->open_jobs = hires ? 1 + (int)draw_poisson(r, c->employees * 0.03, 2000) : 0;
}

void world_company(struct arena *a, const struct world *w, uint64_t number, struct world_company *out) {
    struct rng r = world_stream(w, WORLD_STREAM_COMPANY, number);
    *out = (struct world_company){.number = number, .parent = WORLD_NO_COMPANY};
    out->id = str_format(a, "C%07llu", (unsigned long long)number);
    struct rng industry = r, country = rng_fork(&r, 1);
    size_t row = 0;
    struct weighted level[DRAW_COUNT(industries) > DRAW_COUNT(countries) ? DRAW_COUNT(industries) : DRAW_COUNT(countries)];
    for (row = 0; row < DRAW_COUNT(industries); row++)
        level[row] = industries[row].level;
    out->industry_row = draw_pick(&industry, level, DRAW_COUNT(industries));
    for (row = 0; row < DRAW_COUNT(countries); row++)
        level[row] = countries[row].level;
    out->country_row = draw_pick(&country, level, DRAW_COUNT(countries));
    struct rng names = rng_fork(&r, 2), rest = rng_fork(&r, 3);
    draw_names(a, &names, w, out);
    draw_place(&rest, out);
    draw_size(&rest, w, out);
    draw_doings(&rest, w, out);
    if (number > 0 && draw_chance(&rest, 0.08))
        out->parent = (int64_t)rng_below(&rest, number);
}

double world_employees(const struct world *w, const struct world_company *c, int64_t day) {
    return fmax(1, round(c->employees * exp(c->growth * (double)(day - w->first_day) / 365)));
}

double world_revenue(const struct world *w, const struct world_company *c, int64_t day) {
    return world_employees(w, c, day) * c->revenue_per_head;
}

str world_technologies(struct arena *a, const struct world_company *c) {
    str used[WORLD_TECHNOLOGIES];
    size_t n = 0;
    for (size_t i = 0; i < WORLD_TECHNOLOGIES; i++)
        if (c->technology[i])
            used[n++] = str_from(technologies[i].text);
    return str_join(a, used, n, STR("; "));
}
