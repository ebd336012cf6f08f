/* world_truth.c — the probability of a sale. */
#include "sandbox/world_priv.h"

#include <math.h>

const char *const world_truth_names[] = {"linear", "interaction", "tree"};

struct rng world_stream(const struct world *w, enum world_stream kind, uint64_t number) {
    struct rng seed = rng_from_seed(w->seed), stream = rng_fork(&seed, (uint64_t)kind + 1);
    return rng_fork(&stream, number);
}

static const struct weighted channels[] = {
    {"web form", 34, 0.1},   {"referral", 9, 0.9},    {"webinar", 15, 0.3},
    {"trade fair", 12, 0.0}, {"cold list", 20, -0.9}, {"partner", 10, 0.5},
};
enum { CHANNEL_COLD_LIST = 4 };
static const struct weighted events[] = {
    {"", 46, -0.3},
    {"demo request", 10, 1.6},
    {"pricing page", 16, 0.9},
    {"webinar attended", 14, 0.4},
    {"support question", 8, -0.2},
    {"unsubscribed", 6, -1.2},
};
static const double decay_day[] = {1, 30, 21, 60, 60, 365};

void world_draw_engagement(struct rng *r, int64_t day, struct world_engagement *out) {
    out->channel_row = draw_pick(r, channels, DRAW_COUNT(channels));
    out->event_row = draw_pick(r, events, DRAW_COUNT(events));
    out->channel = str_from(channels[out->channel_row].text);
    out->event = str_from(events[out->event_row].text);
    out->event_day = day - (int64_t)floor(-40 * log(1 - rng_uniform(r)));
    double interest = exp(0.7 * rng_normal(r)) * (out->channel_row == CHANNEL_COLD_LIST ? 0.4 : 1);
    out->visits = draw_poisson(r, 3 * interest, 200);
    out->pages = out->visits + draw_poisson(r, 2.5 * out->visits, 2000);
    out->opens = draw_poisson(r, 1.5 * interest, 200);
    out->newsletter = draw_chance(r, 0.3);
}

double world_engagement_effect(const struct world_engagement *did, int64_t day) {
    double age = (double)(day - did->event_day),
           fresh = did->event_row == WORLD_EVENT_NONE ? 1 : exp(-age / decay_day[did->event_row]);
    return channels[did->channel_row].effect + events[did->event_row].effect * fresh + 0.5 * log1p(did->visits) +
           0.3 * log1p(did->opens) + 0.1 * log1p(did->pages) + (did->newsletter ? 0.1 : 0);
}

/* What a lead is, in the few numbers that the truths are made of. */
struct inputs {
    double sum, log_size, growth, visits;
    bool decides, demo, cold, uses_crm, uses_warehouse, uses_cobol, funded_lately;
};

static struct inputs inputs_of(const struct world *w, const struct world_company *c, const struct world_person *p,
                               const struct world_engagement *did, int64_t day) {
    bool lately = c->funding_row > 0 && c->funding_day <= day && day - c->funding_day < 365;
    return (struct inputs){
        .sum = world_company_effect(c) + world_person_effect(p) + world_engagement_effect(did, day) +
               (lately ? world_funding_effect(c->funding_row) : 0),
        .log_size = log(world_employees(w, c, day)),
        .growth = c->growth,
        .visits = did->visits,
        .decides = p->seniority_row <= WORLD_SENIORITY_DIRECTOR,
        .demo = did->event_row == WORLD_EVENT_DEMO,
        .cold = did->channel_row == CHANNEL_COLD_LIST,
        .uses_crm = c->technology[0] || c->technology[1],
        .uses_warehouse = c->technology[6] || c->technology[7],
        .uses_cobol = c->technology[22],
        .funded_lately = lately,
    };
}

static double linear(const struct inputs *x) { return -4.1 + x->sum + 0.35 * (x->log_size - 4.5) + 1.5 * x->growth; }

static double interaction(const struct inputs *x) {
    double size = (x->log_size - 5.3) / 1.3, z = -4.4 + 0.8 * x->sum + 1.2 * exp(-size * size);
    z += x->uses_crm && x->log_size > 4.5 ? 0.9 : 0;
    z += x->decides && x->log_size < 4 ? 0.9 : 0;
    z += x->demo && x->visits >= 3 ? 0.8 : 0;
    z += x->funded_lately && x->growth > 0.1 ? 0.9 : 0;
    return z - (x->cold && !x->decides ? 0.8 : 0);
}

static double tree(const struct inputs *x) {
    double rest = 0.35 * (x->sum - 1.5);
    if (x->uses_cobol || (x->cold && x->visits < 2))
        return rest - 4.2;
    if (x->demo)
        return rest + (x->decides ? 1.2 : -0.2);
    if (x->log_size < 3.5)
        return rest + (x->decides && x->visits >= 4 ? -0.6 : -2.9);
    if (x->uses_crm && x->uses_warehouse)
        return rest + (x->funded_lately ? 0.7 : -0.7);
    return rest + (x->visits >= 5 ? -1.2 : -2.4);
}

/* After the drift the channels have lost their worth, and large companies buy elsewhere. */
static double drifted(const struct inputs *x, const struct world_engagement *did) {
    return -0.9 * channels[did->channel_row].effect - 0.5 * (x->log_size - 4.5) + (x->uses_warehouse ? 0.8 : 0);
}

double world_probability(const struct world *w, const struct world_company *c, const struct world_person *p,
                         const struct world_engagement *did, int64_t day) {
    struct inputs x = inputs_of(w, c, p, did, day);
    double z = w->truth == WORLD_TREE ? tree(&x) : w->truth == WORLD_INTERACTION ? interaction(&x) : linear(&x);
    if (w->drift_day > 0 && day >= w->first_day + w->drift_day)
        z += drifted(&x, did);
    return 1 / (1 + exp(-z));
}
