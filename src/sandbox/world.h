/* world.h — a market whose truth is known: companies, the people in them, the leads they become, and the sources that know
 * something about them.
 *
 * A world is its settings: nothing is stored, everything is drawn anew from the seed whenever it is asked for, so that a
 * world of any size takes no memory, two programs see the same one, and company 7 is the same whatever else was drawn. The
 * only thing that must be walked in order are the leads (world_walk), since they arrive one after another.
 *
 * What is hard in life is in it: names that two companies share, subsidiaries, renames, companies that grow while sources
 * still tell their old size, sources that copy one another's mistakes, people who leave, mistyped addresses, the same person
 * twice, test entries, sales people who see the same lead differently, and a day on which the market changes. */
#ifndef GALENA_SANDBOX_WORLD_H
#define GALENA_SANDBOX_WORLD_H

#include "base/rng.h"
#include "base/str.h"

/* How the probability of a sale depends on a lead. Each has the same inputs and about the same share of sales. */
enum world_truth {
    WORLD_LINEAR,      /* a sum of effects */
    WORLD_INTERACTION, /* effects that depend on one another */
    WORLD_TREE,        /* steps: nested conditions */
    WORLD_TRUTH_COUNT
};
extern const char *const world_truth_names[WORLD_TRUTH_COUNT]; /* "linear", ... */

struct world {
    uint64_t seed;
    uint64_t n_companies; /* 1..2^32 */
    int64_t first_day;    /* days since 1970-01-01 */
    int n_days;           /* during which leads arrive */
    double leads_per_day;
    enum world_truth truth;
    int drift_day; /* from this day of the world on the truth is another; 0: never */
};

enum { WORLD_TECHNOLOGIES = 24, WORLD_NO_COMPANY = -1 };

struct world_company {
    uint64_t number;                   /* 0 <= number < n_companies */
    str id;                            /* "C0000007" */
    str name, former_name, short_name; /* legal name; before renamed_day, or ""; as people say it */
    int64_t renamed_day;
    int64_t parent; /* number of the company that owns it, or WORLD_NO_COMPANY */
    str domain, country, country_code, city;
    str industry, naics; /* NAICS 2017, three or more digits */
    size_t industry_row, country_row;
    double employees, growth; /* on the world's first day; per year, of the logarithm */
    double revenue_per_head;  /* euro a year */
    int founded;              /* year */
    bool technology[WORLD_TECHNOLOGIES];
    size_t funding_row; /* of the funding stages; 0 is none */
    double funding_euro;
    int64_t funding_day;
    int open_jobs;
    bool dissolved;
};

/* Company `number`; texts live in the arena. */
void world_company(struct arena *a, const struct world *w, uint64_t number, struct world_company *out);

/* Its size on a day, and its revenue in euro. */
double world_employees(const struct world *w, const struct world_company *c, int64_t day);
double world_revenue(const struct world *w, const struct world_company *c, int64_t day);

/* Names of its technologies joined by "; ", of a technology, and of a stage of funding ("" for none). */
str world_technologies(struct arena *a, const struct world_company *c);
const char *world_technology(size_t i);
const char *world_funding(size_t row);

struct world_person {
    uint64_t number; /* within the company */
    str given, surname, title, seniority, department;
    size_t seniority_row, department_row;
    str email, private_email, phone; /* at work; at a provider; E.164 */
};

/* Person `number` of a company. */
void world_person(struct arena *a, const struct world *w, const struct world_company *c, uint64_t number,
                  struct world_person *out);

/* How a lead came to be one, and what it did before; part of the truth. */
struct world_engagement {
    size_t channel_row, event_row;
    str channel, event; /* "" when there was none */
    int64_t event_day;
    double visits, pages, opens;
    bool newsletter;
};

enum world_outcome { WORLD_OPEN, WORLD_WON, WORLD_LOST, WORLD_DISQUALIFIED };
extern const char *const world_outcome_names[]; /* "open", "won", "lost", "disqualified" */

enum { WORLD_JUNK = -2, WORLD_RECENT = 64 };

struct world_lead {
    str id;          /* "L0000012" */
    uint64_t number; /* in order of arrival */
    int64_t received_ms;
    struct world_company company; /* the true one */
    struct world_person person;   /* the true one */
    int64_t same_as; /* number of an earlier lead of the same person; WORLD_NO_COMPANY: none; WORLD_JUNK: a test entry */
    struct world_engagement did;
    /* as the form and the CRM show it, mistyped or missing */
    str name, email, phone, title, company_name, country, employees, industry, website;
    double probability; /* of a sale: the truth, without the bias of the sales person */
    str owner;          /* the sales person */
    enum world_outcome outcome;
    int64_t outcome_ms; /* when it is known; 0 while open */
};

/* Walks the leads in order of arrival. */
struct world_walk {
    const struct world *world;
    int day; /* of the world */
    uint64_t in_day, n_in_day, number;
    double passed;                /* share of the day that is over */
    int64_t recent[WORLD_RECENT]; /* numbers of leads that may come again, as a ring; -1: none */
    uint64_t recent_company[WORLD_RECENT], recent_person[WORLD_RECENT];
};
void world_walk_begin(struct world_walk *walk, const struct world *w);
/* False at the end. Texts live in the arena. */
bool world_walk_next(struct world_walk *walk, struct arena *a, struct world_lead *out);

/* The truth's probability of a sale for a person of a company with this behaviour, on a day of the world. */
double world_probability(const struct world *w, const struct world_company *c, const struct world_person *p,
                         const struct world_engagement *did, int64_t day);

/* What one source has to say. */
struct world_source {
    const char *name, *title;
    int64_t price_call, price_hit; /* millionths of a euro: for asking, and for an answer */
    int latency_ms;                /* the median */
    double coverage;               /* share of companies of middling size it knows */
    double size_slope;             /* how its coverage grows with size: per factor e of employees, in log-odds */
    double home;                   /* and how much better it knows the countries of its own: in log-odds */
    unsigned home_countries;       /* bit by country */
    double accuracy;               /* that a value it tells was right on the day it was seen */
    int stale_day;                 /* mean age of what it knows */
    int upstream;                  /* row of the source it copies from, or -1 */
    double copies;                 /* share of its values that it copied */
    double wrong_entity;           /* share of companies it takes for another of the same name or kind */
    unsigned fields;               /* bits: 1 << enum world_field */
};

enum world_field {
    WORLD_NAME,
    WORLD_DOMAIN,
    WORLD_COUNTRY,
    WORLD_CITY,
    WORLD_INDUSTRY,
    WORLD_EMPLOYEES,
    WORLD_REVENUE,
    WORLD_FOUNDED,
    WORLD_USES,
    WORLD_FUNDING,
    WORLD_FIELD_COUNT
};
extern const char *const world_field_names[WORLD_FIELD_COUNT]; /* "account.name", ... */

extern const struct world_source world_sources[];
extern const size_t world_n_sources;

struct world_claim {
    enum world_field field;
    str value; /* as the source writes it */
    int64_t seen_day;
    bool right; /* whether it was true on seen_day */
};

/* What source `row` says of a company when asked on `day`: writes at most WORLD_FIELD_COUNT claims and returns how many; 0
 * when it does not know it. The same question on the same day has the same answer. *wrong_entity tells whether it spoke of
 * another company. */
size_t world_ask(struct arena *a, const struct world *w, size_t row, uint64_t company, int64_t day, struct world_claim *out,
                 bool *wrong_entity);

/* The truth of a field on a day, as text. */
str world_truth_text(struct arena *a, const struct world *w, const struct world_company *c, enum world_field field,
                     int64_t day);

#endif
