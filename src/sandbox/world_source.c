/* world_source.c — what the sources know of companies: some, late, wrong, and from one another. */
#include "sandbox/world_priv.h"

#include "base/number.h"

#include <math.h>

const char *const world_field_names[WORLD_FIELD_COUNT] = {
    [WORLD_NAME] = "account.name",         [WORLD_DOMAIN] = "account.domain",
    [WORLD_COUNTRY] = "account.country",   [WORLD_CITY] = "account.city",
    [WORLD_INDUSTRY] = "account.industry", [WORLD_EMPLOYEES] = "account.employees",
    [WORLD_REVENUE] = "account.revenue",   [WORLD_FOUNDED] = "account.founded",
    [WORLD_USES] = "account.technologies", [WORLD_FUNDING] = "account.funding_stage",
};

#define BIT(field) (1u << (field))
#define PLACE      (BIT(WORLD_NAME) | BIT(WORLD_COUNTRY) | BIT(WORLD_CITY))
#define SIZE       (BIT(WORLD_EMPLOYEES) | BIT(WORLD_REVENUE))
#define ALL        (BIT(WORLD_FIELD_COUNT) - 1)
enum { US = 1, EUROPE = 0x1fe, EVERYWHERE = 0x3ff };

const struct world_source world_sources[] = {
    {"companyapi", "company data by domain", 0, 80000, 250, 0.75, 0.5, 0.6, US, 0.90, 120, -1, 0, 0.010, ALL},
    {"contactdata", "contacts and companies", 0, 150000, 600, 0.65, 0.6, 0.8, US, 0.92, 60, -1, 0, 0.010,
     PLACE | SIZE | BIT(WORLD_INDUSTRY) | BIT(WORLD_DOMAIN)},
    {"network", "a professional network", 0, 40000, 900, 0.70, 0.4, 0.2, EVERYWHERE, 0.88, 30, -1, 0, 0.015,
     PLACE | BIT(WORLD_EMPLOYEES) | BIT(WORLD_INDUSTRY) | BIT(WORLD_FOUNDED)},
    {"registry", "an official register", 0, 0, 700, 0.80, 0.0, 1.0, EUROPE, 0.985, 200, -1, 0, 0.004,
     PLACE | BIT(WORLD_FOUNDED) | BIT(WORLD_INDUSTRY)},
    {"accounts", "filed annual accounts", 20000, 20000, 1500, 0.45, 0.6, 1.0, EUROPE, 0.97, 500, -1, 0, 0.004, SIZE},
    {"techscan", "technologies of sites", 10000, 10000, 400, 0.85, 0.2, 0.0, EVERYWHERE, 0.93, 45, -1, 0, 0.002,
     BIT(WORLD_DOMAIN) | BIT(WORLD_USES)},
    {"funding", "rounds of funding", 30000, 30000, 500, 0.50, 0.2, 0.7, US, 0.95, 40, -1, 0, 0.006,
     PLACE | BIT(WORLD_FUNDING) | BIT(WORLD_FOUNDED)},
    {"reseller", "cheap company data", 0, 15000, 300, 0.70, 0.4, 0.4, US, 0.80, 200, 0, 0.8, 0.020, ALL},
    {"directory", "a free web directory", 0, 0, 1200, 0.55, 0.1, 0.0, EVERYWHERE, 0.72, 700, 7, 0.4, 0.040,
     PLACE | SIZE | BIT(WORLD_INDUSTRY)},
};
const size_t world_n_sources = DRAW_COUNT(world_sources);

str world_truth_text(struct arena *a, const struct world *w, const struct world_company *c, enum world_field field,
                     int64_t day) {
    switch (field) {
    case WORLD_NAME:
        return !str_empty(c->former_name) && day < c->renamed_day ? c->former_name : c->name;
    case WORLD_DOMAIN:
        return c->domain;
    case WORLD_COUNTRY:
        return c->country;
    case WORLD_CITY:
        return c->city;
    case WORLD_INDUSTRY:
        return c->industry;
    case WORLD_EMPLOYEES:
        return str_format(a, "%.0f", world_employees(w, c, day));
    case WORLD_REVENUE:
        return str_format(a, "%.0f", world_revenue(w, c, day));
    case WORLD_FOUNDED:
        return str_format(a, "%d", c->founded);
    case WORLD_USES:
        return world_technologies(a, c);
    case WORLD_FUNDING:
        return c->funding_row > 0 && c->funding_day <= day ? str_from(world_funding(c->funding_row)) : STR("");
    case WORLD_FIELD_COUNT:
        break;
    }
    return STR("");
}

/* ---- how a source goes wrong ---- */

static const char *const domain_slips[] = {"get", "my", "the", "try", "shop.", "blog.", "go-", "e-"};

static str another_text(struct arena *a, struct rng *r, const struct world_company *c, enum world_field field, str right) {
    switch (field) {
    case WORLD_COUNTRY:
        return str_from(
            world_country_name((c->country_row + 1 + rng_below(r, world_n_countries() - 1)) % world_n_countries()));
    case WORLD_CITY:
        return str_from(world_country_city(c->country_row, (size_t)rng_below(r, 4)));
    case WORLD_INDUSTRY:
        return str_from(
            world_industry_name((c->industry_row + 1 + rng_below(r, world_n_industries() - 1)) % world_n_industries()));
    case WORLD_FOUNDED:
        return str_format(a, "%d", c->founded + 1 + (int)rng_below(r, 9));
    case WORLD_FUNDING:
        return str_from(world_funding(1 + (size_t)rng_below(r, 6)));
    case WORLD_NAME:
        return c->short_name;
    case WORLD_DOMAIN:
        return str_format(a, "%s%.*s", domain_slips[rng_below(r, DRAW_COUNT(domain_slips))], STR_ARG(c->domain));
    default:
        return right;
    }
}

/* Amounts are off a little when right, and much when wrong. */
static str amount_text(struct arena *a, struct rng *r, double truth, bool right) {
    double said = truth * exp((right ? 0.03 : 0.8) * rng_normal(r));
    return str_format(a, "%.0f", fmax(1, said));
}

static str uses_text(struct arena *a, struct rng *r, const struct world_company *c, double accuracy) {
    str said[WORLD_TECHNOLOGIES];
    size_t n = 0;
    for (size_t i = 0; i < WORLD_TECHNOLOGIES; i++)
        if (draw_chance(r, c->technology[i] ? accuracy - 0.1 : 0.15 * (1 - accuracy)))
            said[n++] = str_from(world_technology(i));
    return str_join(a, said, n, STR("; "));
}

static bool amounts_agree(str said, str truth) {
    double x = 0, y = 0;
    return number_parse(said, &x) && number_parse(truth, &y) && fabs(x - y) <= 0.1 * y;
}

static void tell(struct arena *a, struct rng *r, const struct world *w, const struct world_source *s,
                 const struct world_company *c, struct world_claim *claim) {
    str truth = world_truth_text(a, w, c, claim->field, claim->seen_day);
    bool right = draw_chance(r, s->accuracy);
    if (claim->field == WORLD_USES)
        claim->value = uses_text(a, r, c, s->accuracy);
    else if (claim->field == WORLD_EMPLOYEES)
        claim->value = amount_text(a, r, world_employees(w, c, claim->seen_day), right);
    else if (claim->field == WORLD_REVENUE)
        claim->value = amount_text(a, r, world_revenue(w, c, claim->seen_day), right);
    else
        claim->value = right || str_empty(truth) ? truth : another_text(a, r, c, claim->field, truth);
    claim->right = str_equal(claim->value, truth) || amounts_agree(claim->value, truth);
}

static bool knows(struct rng *r, const struct world_source *s, const struct world_company *c) {
    double odds = s->coverage / (1 - s->coverage) * exp(s->size_slope * (log(c->employees) - 4.5));
    odds *= s->home_countries >> c->country_row & 1 ? exp(s->home) : exp(-s->home);
    return draw_chance(r, odds / (1 + odds));
}

/* Takes field by field from upstream, as far as that knows it. */
static void copy_upstream(struct arena *a, struct rng *r, const struct world *w, const struct world_source *s,
                          uint64_t company, int64_t day, struct world_claim *out, size_t n) {
    struct world_claim theirs[WORLD_FIELD_COUNT];
    bool wrong_entity;
    size_t n_theirs = world_ask(a, w, (size_t)s->upstream, company, day, theirs, &wrong_entity);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_theirs; k++)
            if (theirs[k].field == out[i].field && draw_chance(r, s->copies))
                out[i] = theirs[k];
}

size_t world_ask(struct arena *a, const struct world *w, size_t row, uint64_t company, int64_t day, struct world_claim *out,
                 bool *wrong_entity) {
    const struct world_source *s = &world_sources[row];
    struct rng r = world_stream(w, WORLD_STREAM_SOURCE, company * world_n_sources + row);
    struct world_company c;
    world_company(a, w, company, &c);
    *wrong_entity = false;
    if (!knows(&r, s, &c) || c.dissolved)
        return 0;
    *wrong_entity = draw_chance(&r, s->wrong_entity) && w->n_companies > 1;
    if (*wrong_entity)
        world_company(a, w, (company + 1 + rng_below(&r, w->n_companies - 1)) % w->n_companies, &c);
    int64_t seen = day - (int64_t)floor(-s->stale_day * log(1 - rng_uniform(&r)));
    size_t n = 0;
    for (unsigned f = 0; f < WORLD_FIELD_COUNT; f++) {
        if (!(s->fields >> f & 1) || draw_chance(&r, 0.08))
            continue;
        out[n] = (struct world_claim){.field = (enum world_field)f, .seen_day = seen};
        tell(a, &r, w, s, &c, &out[n]);
        n += !str_empty(out[n].value);
    }
    if (s->upstream >= 0 && !*wrong_entity)
        copy_upstream(a, &r, w, s, company, day, out, n);
    return n;
}
