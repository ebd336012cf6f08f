/* plan.c — expected gain and charge of each call, and the choice among them. */
#include "enrich/plan_priv.h"

#include "ml/special.h"

#include <math.h>

/* Nine points with normal weights: -2.4 to 2.4. */
static const double grid_step = 0.6;

double plan_grid_point(size_t k) { return ((double)k - (PLAN_GRID - 1) / 2) * grid_step; }

struct plan *plan_new(struct arena *a, const struct plan_settings *settings) {
    struct plan *p = ARENA_NEW(a, struct plan);
    const size_t pairs = settings->n_source * settings->n_field;
    p->set = *settings;
    p->rng = rng_from_seed(settings->seed);
    p->n_parameter = settings->n_source * (2 + settings->n_segment) + pairs * (1 + settings->n_segment);
    p->parameter = ARENA_ARRAY(a, p->n_parameter, struct plan_parameter);
    plan_forget_all(p);
    return p;
}

void plan_lead_begin(const struct plan *p, size_t segment, struct plan_lead *lead) {
    double sum = 0;
    *lead = (struct plan_lead){.segment = segment < p->set.n_segment ? segment : 0, .left = INT64_MAX};
    for (size_t f = 0; f < p->set.n_field; f++)
        lead->weight[f] = 1;
    for (size_t k = 0; k < PLAN_GRID; k++)
        sum += lead->z[k] = exp(-plan_grid_point(k) * plan_grid_point(k) / 2);
    for (size_t k = 0; k < PLAN_GRID; k++)
        lead->z[k] /= sum;
}

/* P(hit) of each grid point. */
static void hit_curve(const struct plan *p, const struct plan_lead *lead, size_t s, size_t f, double *curve) {
    const double log_odds_0 = plan_log_odds(p, s, f, lead->segment), r = p->parameter[plan_at_loading(p, s)].mean;
    for (size_t k = 0; k < PLAN_GRID; k++)
        curve[k] = sigmoid(log_odds_0 + r * plan_grid_point(k));
}

double plan_probability(const struct plan *p, const struct plan_lead *lead, size_t s, size_t f) {
    double curve[PLAN_GRID], sum = 0;
    if (!(p->set.source[s].fields >> f & 1))
        return 0;
    hit_curve(p, lead, s, f, curve);
    for (size_t k = 0; k < PLAN_GRID; k++)
        sum += lead->z[k] * curve[k];
    return sum;
}

static double trust_of(const struct plan_lead *lead, size_t s) { return lead->trust[s] > 0 ? lead->trust[s] : 1; }

/* What the field gains when s tells it: nothing that is sure already, little that is nearly so. */
static double worth(const struct plan_lead *lead, size_t s, size_t f) {
    const double c = lead->confidence[f], after = 1 - (1 - c) * (1 - trust_of(lead, s));
    return lead->weight[f] * (after - c);
}

struct offer {
    double gain, charge, index;
};

static struct offer offer_of(const struct plan *p, const struct plan_lead *lead, size_t s) {
    const struct plan_source *source = &p->set.source[s];
    double none[PLAN_GRID], curve[PLAN_GRID], any = 0;
    struct offer o = {0};
    for (size_t k = 0; k < PLAN_GRID; k++)
        none[k] = 1;
    for (size_t f = 0; f < p->set.n_field; f++) {
        if (!(source->fields >> f & 1))
            continue;
        const double w = worth(lead, s, f);
        hit_curve(p, lead, s, f, curve);
        for (size_t k = 0; k < PLAN_GRID; k++) {
            o.gain += w * lead->z[k] * curve[k];
            none[k] *= 1 - curve[k];
        }
    }
    for (size_t k = 0; k < PLAN_GRID; k++)
        any += lead->z[k] * (1 - none[k]);
    o.charge = (double)source->price_call + any * (double)source->price_hit;
    const double cost = o.charge + p->set.time_price * source->latency_ms / 1000;
    o.index = o.gain <= 0 ? 0 : cost > 0 ? o.gain / cost : INFINITY;
    return o;
}

static bool may_ask(const struct plan *p, const struct plan_lead *lead, size_t s) {
    const struct plan_source *source = &p->set.source[s];
    return !((lead->asked | lead->barred) >> s & 1) && source->price_call <= lead->left &&
           source->price_hit <= lead->left - source->price_call;
}

static int64_t dearest(const struct plan *p, size_t s) { return p->set.source[s].price_call + p->set.source[s].price_hit; }

/* The lead as if s had answered as expected, and charged as much as it can. */
static void suppose(const struct plan *p, struct plan_lead *lead, size_t s) {
    double chance[PLAN_FIELDS];
    for (size_t f = 0; f < p->set.n_field; f++)
        chance[f] = plan_probability(p, lead, s, f);
    for (size_t f = 0; f < p->set.n_field; f++)
        lead->confidence[f] += (1 - lead->confidence[f]) * trust_of(lead, s) * chance[f];
    lead->asked |= (uint64_t)1 << s;
    lead->left -= dearest(p, s);
}

/* How often something is tried that seems not worth it: less and less, but never never. */
static double explore_chance(const struct plan *p) { return fmax(0.005, 0.04 * exp(-p->learned / 500)); }

/* Tries a random one of the offers that gain anything, as far as the share of spending for it allows. */
static void explore(struct plan *p, const struct offer *offer, const bool *open, size_t n_open, struct plan_choice *c) {
    const double chance = explore_chance(p);
    if (n_open == 0 || p->set.explore_share <= 0)
        return;
    c->propensity = c->source == PLAN_NONE ? 1 - chance : 1 - chance + chance / (double)n_open;
    if (rng_uniform(&p->rng) >= chance)
        return;
    size_t k = (size_t)rng_below(&p->rng, n_open), s = 0;
    for (;; s++)
        if (open[s] && k-- == 0)
            break;
    if ((int)s == c->source || p->explored + offer[s].charge > p->set.explore_share * p->spent)
        return;
    p->explored += offer[s].charge;
    *c = (struct plan_choice){.source = (int)s,
                              .gain = offer[s].gain,
                              .charge = offer[s].charge,
                              .index = offer[s].index,
                              .price = c->price,
                              .propensity = chance / (double)n_open,
                              .explores = true,
                              .runner_up = c->source,
                              .runner_up_index = c->index};
}

/* What the greedy choice brings in all with what is left, each answer taken as expected. */
static double greedy_gain(const struct plan *p, const struct plan_lead *lead) {
    struct plan_lead as_if = *lead;
    double sum = 0;
    for (;;) {
        struct offer best = {0};
        size_t at = 0;
        for (size_t s = 0; s < p->set.n_source; s++) {
            const struct offer o = may_ask(p, &as_if, s) ? offer_of(p, &as_if, s) : best;
            at = o.index > best.index ? s : at;
            best = o.index > best.index ? o : best;
        }
        if (best.gain <= 0)
            return sum;
        sum += best.gain;
        suppose(p, &as_if, at);
    }
}

/* Where money is short, the best call that can be paid may bring more than all that its ratio would have bought. */
static void prefer_single(const struct plan *p, const struct plan_lead *lead, const struct offer *offer, const bool *open,
                          struct plan_choice *c) {
    int most = c->source;
    int64_t sum = 0;
    for (size_t s = 0; s < p->set.n_source; s++) {
        if (!open[s])
            continue;
        sum += dearest(p, s);
        most = offer[s].gain > offer[most].gain ? (int)s : most;
    }
    if (sum <= lead->left || most == c->source || offer[most].gain <= greedy_gain(p, lead))
        return;
    *c = (struct plan_choice){.source = most,
                              .gain = offer[most].gain,
                              .charge = offer[most].charge,
                              .index = offer[most].index,
                              .price = c->price,
                              .propensity = 1,
                              .runner_up = c->source,
                              .runner_up_index = c->index};
}

struct plan_choice plan_choose(struct plan *p, const struct plan_lead *lead, double price) {
    struct offer offer[PLAN_SOURCES];
    bool open[PLAN_SOURCES] = {false};
    size_t n_open = 0;
    struct plan_choice c = {.source = PLAN_NONE, .runner_up = PLAN_NONE, .price = price, .propensity = 1};
    for (size_t s = 0; s < p->set.n_source; s++) {
        if (!may_ask(p, lead, s))
            continue;
        offer[s] = offer_of(p, lead, s);
        if (offer[s].gain <= 0)
            continue;
        open[s] = true;
        n_open++;
        const bool better = c.source == PLAN_NONE || offer[s].index > c.index;
        if (better || c.runner_up == PLAN_NONE || offer[s].index > c.runner_up_index) {
            c.runner_up = better ? c.source : (int)s;
            c.runner_up_index = better ? c.index : offer[s].index;
        }
        if (better) {
            c.source = (int)s;
            c.gain = offer[s].gain;
            c.charge = offer[s].charge;
            c.index = offer[s].index;
        }
    }
    if (c.source != PLAN_NONE)
        prefer_single(p, lead, offer, open, &c);
    if (c.source != PLAN_NONE && c.index < price) {
        c.runner_up = c.source;
        c.runner_up_index = c.index;
        c.source = PLAN_NONE;
    }
    explore(p, offer, open, n_open, &c);
    return c;
}

size_t plan_choose_round(struct plan *p, const struct plan_lead *lead, double price, size_t most, struct plan_choice *out) {
    struct plan_lead as_if = *lead;
    size_t n = 0;
    while (n < most) {
        out[n] = plan_choose(p, &as_if, price);
        if (out[n].source == PLAN_NONE)
            break;
        suppose(p, &as_if, (size_t)out[n++].source);
    }
    return n;
}

void plan_answer(struct plan *p, struct plan_lead *lead, size_t s, uint64_t hits, int64_t charged) {
    double curve[PLAN_GRID], sum = 0;
    hits &= p->set.source[s].fields;
    for (size_t f = 0; f < p->set.n_field; f++) {
        if (!(p->set.source[s].fields >> f & 1))
            continue;
        const bool hit = hits >> f & 1;
        hit_curve(p, lead, s, f, curve);
        for (size_t k = 0; k < PLAN_GRID; k++)
            lead->z[k] *= hit ? curve[k] : 1 - curve[k];
        if (hit)
            lead->confidence[f] = 1 - (1 - lead->confidence[f]) * (1 - trust_of(lead, s));
    }
    for (size_t k = 0; k < PLAN_GRID; k++)
        sum += lead->z[k];
    for (size_t k = 0; k < PLAN_GRID; k++)
        lead->z[k] = sum > 0 ? lead->z[k] / sum : 1.0 / PLAN_GRID;
    lead->asked |= (uint64_t)1 << s;
    lead->left -= charged;
    p->spent += (double)charged;
}

void plan_price_move(struct plan_price *m, double charged, double elapsed) {
    /* Of the logarithm of the price, for the whole stretch: by how far spending is ahead of time, and by how much faster it
     * is, which keeps it from swinging. */
    static const double by_distance = 400, by_speed = 20;
    const double before = m->elapsed;
    m->spent += charged;
    m->elapsed = fmin(1, fmax(before, elapsed));
    const double passed = m->elapsed - before, ahead = m->budget > 0 ? m->spent / m->budget - m->elapsed : 1;
    const double faster = m->budget > 0 ? charged / m->budget - passed : 0;
    m->price *= exp(fmax(-1, fmin(1, by_distance * ahead * passed + by_speed * faster)));
}
