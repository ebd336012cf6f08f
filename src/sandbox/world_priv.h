/* world_priv.h — what the files of the world share. */
#ifndef GALENA_SANDBOX_WORLD_PRIV_H
#define GALENA_SANDBOX_WORLD_PRIV_H

#include "sandbox/draw.h"
#include "sandbox/world.h"

/* Each kind of thing has numbers of its own, so that one can be drawn without the others. */
enum world_stream {
    WORLD_STREAM_COMPANY,
    WORLD_STREAM_NAME,
    WORLD_STREAM_PERSON,
    WORLD_STREAM_DAY,
    WORLD_STREAM_LEAD,
    WORLD_STREAM_SOURCE
};
struct rng world_stream(const struct world *w, enum world_stream kind, uint64_t number);

/* What the tables say; rows as in world_company. */
size_t world_n_countries(void);
size_t world_n_industries(void);
const char *world_country_name(size_t row);
const char *world_country_city(size_t row, size_t i);
const char *world_country_dial(size_t row);
const char *world_industry_name(size_t row);

/* Sums of effects on the log-odds. */
double world_company_effect(const struct world_company *c);
double world_funding_effect(size_t row);
double world_person_effect(const struct world_person *p);
double world_engagement_effect(const struct world_engagement *did, int64_t day);

enum { WORLD_SENIORITY_C_LEVEL, WORLD_SENIORITY_VP, WORLD_SENIORITY_DIRECTOR, WORLD_SENIORITY_MANAGER };
enum { WORLD_EVENT_NONE, WORLD_EVENT_DEMO };

/* Draws what somebody did before becoming a lead on `day`. */
void world_draw_engagement(struct rng *r, int64_t day, struct world_engagement *out);

#endif
