/* sample.h — leads of invented companies whose true probability of conversion is known.
 *
 * The truth is a logistic function of the complete lead with interactions (size and technology, seniority and size, event
 * and age). The file shows less than the truth knows: some values are missing by chance, others because of what the lead is
 * (no title given, no event seen), and those say something. Lead i of a seed is the same whatever other leads are made.
 * About 18 in 100 convert. */
#ifndef GALENA_SANDBOX_SAMPLE_H
#define GALENA_SANDBOX_SAMPLE_H

#include "base/rng.h"
#include "base/str.h"

/* If you change this: sample_names and the tables of sample.c, share/profiles/sample.yaml. */
enum sample_column {
    SAMPLE_LEAD_ID,
    SAMPLE_CREATED,
    SAMPLE_COMPANY,
    SAMPLE_DOMAIN,
    SAMPLE_INDUSTRY,
    SAMPLE_EMPLOYEES,
    SAMPLE_REVENUE,
    SAMPLE_COUNTRY,
    SAMPLE_TECHNOLOGIES,
    SAMPLE_TITLE,
    SAMPLE_SENIORITY,
    SAMPLE_SOURCE,
    SAMPLE_VISITS,
    SAMPLE_PAGES_PER_VISIT,
    SAMPLE_EMAIL_OPENS,
    SAMPLE_NEWSLETTER,
    SAMPLE_LAST_EVENT,
    SAMPLE_LAST_EVENT_ON,
    SAMPLE_COLUMN_COUNT
};

struct sample_world {
    uint64_t seed;
    int64_t first_ms, last_ms; /* leads are created in between; both are days at 00:00 UTC */
};

struct sample_lead {
    str cell[SAMPLE_COLUMN_COUNT]; /* as the file shows them; "" when missing */
    double probability;            /* the truth */
    bool converted;                /* drawn from it */
    str signed_on;                 /* the day the contract was signed, of nearly all converted leads: a leaking column */
};

/* Column names of a file of leads: "lead_id", "created", ... */
extern const char *const sample_names[SAMPLE_COLUMN_COUNT];

/* Lead number i of the world; its texts live in the arena. */
void sample_draw(struct arena *a, const struct sample_world *world, uint64_t i, struct sample_lead *out);

#endif
