/* plan_worlds.c — what the plan saves, on seeded worlds of four families, against static orders and an oracle.
 *
 *   plan_worlds [WORLDS [LEADS]]     worlds of each family (8), leads of each world (2500); exit code 1 when a bar is missed
 *
 * A world has ten sources, eight fields, six segments, prices from 0.5 to 10 (some for the call, some for a hit). Static
 * orders are given the true average rates of 1,500 other leads; the plan begins without any knowledge; the oracle is the
 * same plan with the true parameters. All are compared at equal fill, by the cost at 90, 95 and 99 % of what asking
 * everybody fills. */
#include "base/arena.h"
#include "enrich/plan_priv.h"
#include "ml/special.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { S = 10, F = 8, G = 6, GROUPS = 4, HISTORY = 1500, PRICES = 14, WARM = 1000 };
enum family { INDEPENDENT, CORRELATED, DRIFTING, FLAT, FAMILIES };
static const char *const family_names[] = {"independent", "correlated", "drifting", "flat"};
static const double prices[PRICES] = {0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.2, 2.5};
static const double targets[] = {0.90, 0.95, 0.99};
enum { TARGETS = 3 };

struct world {
    enum family family;
    bool covers[S][F], pays_hit[S];
    double log_odds[S][F][G], drift[S][G], cost[S], rho, group_sd;
    size_t group[S];
};

struct lead {
    size_t segment;
    uint64_t hits[S];
};

struct point {
    double cost, fill;
};

static void draw_world(struct world *w, enum family family, uint64_t seed) {
    struct rng r = rng_from_seed(seed * 1000 + family);
    const bool flat = family == FLAT;
    *w = (struct world){.family = family,
                        .rho = family == INDEPENDENT || flat ? 0 : 1.2,
                        .group_sd = family == INDEPENDENT || flat ? 0 : 0.8};
    for (int s = 0; s < S; s++) {
        w->cost[s] = exp(log(0.5) + rng_uniform(&r) * log(20));
        w->pays_hit[s] = rng_uniform(&r) < 0.4;
        w->group[s] = (size_t)rng_below(&r, GROUPS);
        const double bonus = flat ? 0 : 0.4 * log(w->cost[s]);
        for (int f = 0; f < F; f++)
            w->covers[s][f] = rng_uniform(&r) < (s > 1 ? 0.45 : 0.9);
        for (int g = 0; g < G; g++) {
            const double segment = flat ? 0 : rng_normal(&r);
            w->drift[s][g] = family == DRIFTING ? 0.8 * rng_normal(&r) : 0;
            for (int f = 0; f < F; f++)
                w->log_odds[s][f][g] = bonus + segment + (flat ? -0.3 : -0.3 + 0.7 * rng_normal(&r));
        }
    }
}

/* `at`: share of the way; drift moves the rates, and at half time the largest source falls silent. */
static void draw_lead(const struct world *w, struct rng *r, double at, struct lead *l) {
    double group[GROUPS];
    l->segment = (size_t)fmin(G - 1, floor(-2 * log(1 - rng_uniform(r))));
    const double z = rng_normal(r);
    for (int k = 0; k < GROUPS; k++)
        group[k] = w->group_sd * rng_normal(r);
    for (int s = 0; s < S; s++) {
        const bool silent = w->family == DRIFTING && s == 0 && at > 0.5;
        l->hits[s] = 0;
        for (int f = 0; f < F; f++) {
            const double x = w->log_odds[s][f][l->segment] + at * w->drift[s][l->segment] + w->rho * z + group[w->group[s]];
            const bool hit = rng_uniform(r) < sigmoid(x);
            if (hit && w->covers[s][f] && !silent)
                l->hits[s] |= 1ull << f;
        }
    }
}

static double charge_of(const struct world *w, int s, uint64_t hits) { return !w->pays_hit[s] || hits ? w->cost[s] : 0; }

/* ---- static orders ---- */

static struct point waterfall(const struct world *w, const struct lead *l, size_t from, size_t n, const int *order, int k) {
    uint64_t all = (1ull << F) - 1;
    struct point p = {0, 0};
    for (size_t i = from; i < n; i++) {
        uint64_t have = 0;
        for (int j = 0; j < k && have != all; j++) {
            uint64_t covers = 0;
            for (int f = 0; f < F; f++)
                covers |= (uint64_t)w->covers[order[j]][f] << f;
            if (!(covers & ~have))
                continue;
            p.cost += charge_of(w, order[j], l[i].hits[order[j]]);
            have |= l[i].hits[order[j]];
        }
        p.fill += __builtin_popcountll(have) / (double)F;
    }
    return (struct point){p.cost / (double)(n - from), p.fill / (double)(n - from)};
}

static void sort_by(const double *key, int *order) {
    for (int i = 0; i < S; i++) {
        int j = i;
        for (; j > 0 && key[order[j - 1]] < key[i]; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
}

enum { BY_HITS, BY_RATIO, BY_PRICE, ORDERS };

static void draw_orders(const struct world *w, struct rng *r, int order[ORDERS][S]) {
    double hits[S] = {0}, any[S] = {0}, key[ORDERS][S];
    for (int i = 0; i < HISTORY; i++) {
        struct lead l;
        draw_lead(w, r, 0, &l);
        for (int s = 0; s < S; s++) {
            hits[s] += __builtin_popcountll(l.hits[s]) / (double)HISTORY;
            any[s] += (l.hits[s] != 0) / (double)HISTORY;
        }
    }
    for (int s = 0; s < S; s++) {
        key[BY_HITS][s] = hits[s];
        key[BY_RATIO][s] = hits[s] / (w->cost[s] * (w->pays_hit[s] ? fmax(any[s], 1e-9) : 1));
        key[BY_PRICE][s] = -w->cost[s];
    }
    for (int k = 0; k < ORDERS; k++)
        sort_by(key[k], order[k]);
}

/* ---- the plan ---- */

struct timing {
    double second, decisions;
};

static void set_truth(const struct world *w, struct plan *p, double at) {
    const double mixed = 1 / sqrt(1 + 0.346 * w->group_sd * w->group_sd); /* what the groups' effects leave of a log-odds */
    for (size_t i = 0; i < p->n_parameter; i++)
        p->parameter[i].mean = 0;
    for (size_t s = 0; s < S; s++) {
        p->parameter[plan_at_loading(p, s)].mean = w->rho * mixed;
        for (size_t f = 0; f < F; f++)
            for (size_t g = 0; g < G; g++)
                p->parameter[plan_at_cell(p, s, f, g)].mean =
                    w->family == DRIFTING && s == 0 && at > 0.5 ? -9 : (w->log_odds[s][f][g] + at * w->drift[s][g]) * mixed;
    }
}

/* Cost and fill of leads from..n; all are learned from, unless it is the oracle. */
static struct point run_plan(struct arena *a, const struct world *w, const struct lead *l, size_t from, size_t n,
                             double price, bool oracle, struct timing *t) {
    struct plan_source source[S];
    struct point sum = {0, 0};
    for (int s = 0; s < S; s++) {
        const int64_t cost = (int64_t)(1e6 * w->cost[s]);
        source[s] = (struct plan_source){.price_call = w->pays_hit[s] ? 0 : cost, .price_hit = w->pays_hit[s] ? cost : 0};
        for (int f = 0; f < F; f++)
            source[s].fields |= (uint64_t)w->covers[s][f] << f;
    }
    struct plan *p = plan_new(a, &(struct plan_settings){.n_source = S,
                                                         .n_field = F,
                                                         .n_segment = G,
                                                         .source = source,
                                                         .forget_days = w->family == DRIFTING ? 30 : 0,
                                                         .explore_share = oracle ? 0 : 0.02,
                                                         .seed = 1});
    for (size_t i = 0; i < n; i++) {
        struct plan_lead lead;
        uint64_t hits[PLAN_SOURCES] = {0}, have = 0;
        double cost = 0;
        if (oracle && (i == 0 || w->family == DRIFTING))
            set_truth(w, p, (double)i / (double)n);
        plan_lead_begin(p, l[i].segment, &lead);
        for (size_t f = 0; f < F; f++)
            lead.weight[f] = 1e6;
        for (;;) {
            struct timespec before, after;
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
            const struct plan_choice c = plan_choose(p, &lead, price);
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
            t->second += (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
            t->decisions++;
            if (c.source == PLAN_NONE)
                break;
            hits[c.source] = l[i].hits[c.source];
            have |= hits[c.source];
            const double charge = charge_of(w, c.source, hits[c.source]);
            cost += charge;
            plan_answer(p, &lead, (size_t)c.source, hits[c.source], (int64_t)(1e6 * charge));
        }
        if (!oracle)
            plan_learn(p, &lead, hits, 90.0 * (double)i / (double)n);
        sum.cost += i >= from ? cost : 0;
        sum.fill += i >= from ? __builtin_popcountll(have) / (double)F : 0;
    }
    return (struct point){sum.cost / (double)(n - from), sum.fill / (double)(n - from)};
}

/* ---- comparison ---- */

static int by_fill(const void *a, const void *b) {
    const struct point *x = a, *y = b;
    return (x->fill > y->fill) - (x->fill < y->fill);
}

/* The cost at which a curve reaches a fill; NAN beyond it. */
static double cost_at(struct point *curve, size_t n, double fill) {
    qsort(curve, n, sizeof *curve, by_fill);
    if (n == 0 || fill <= curve[0].fill)
        return n ? curve[0].cost * fill / curve[0].fill : (double)NAN;
    for (size_t i = 0; i + 1 < n; i++)
        if (fill <= curve[i + 1].fill) {
            const double step = curve[i + 1].fill - curve[i].fill;
            return curve[i].cost + (curve[i + 1].cost - curve[i].cost) * (step > 0 ? (fill - curve[i].fill) / step : 0);
        }
    return NAN;
}

struct result {
    double hits, ratio, best, regret; /* savings; above the oracle after the first 1,000 leads */
};

static void compare(struct arena *a, const struct world *w, uint64_t seed, size_t n, struct result out[TARGETS],
                    struct timing *t) {
    struct rng r = rng_from_seed(seed * 7 + 1), h = rng_from_seed(seed * 7 + 2);
    struct lead *l = ARENA_ARRAY(a, n, struct lead);
    struct point fall[ORDERS][S + 1], plan[PRICES], late[PRICES], oracle[PRICES];
    struct timing none = {0, 0};
    int order[ORDERS][S];
    for (size_t i = 0; i < n; i++)
        draw_lead(w, &r, (double)i / (double)n, &l[i]);
    draw_orders(w, &h, order);
    for (int o = 0; o < ORDERS; o++)
        for (int k = 0; k <= S; k++)
            fall[o][k] = waterfall(w, l, 0, n, order[o], k);
    const double full = fall[BY_HITS][S].fill;
    for (int k = 0; k < PRICES; k++) {
        plan[k] = run_plan(a, w, l, 0, n, prices[k], false, t);
        late[k] = run_plan(a, w, l, WARM, n, prices[k], false, &none);
        oracle[k] = run_plan(a, w, l, WARM, n, prices[k], true, &none);
    }
    for (int k = 0; k < TARGETS; k++) {
        const double fill = targets[k] * full, cost = cost_at(plan, PRICES, fill);
        double best = INFINITY;
        for (int o = 0; o < ORDERS; o++)
            best = fmin(best, cost_at(fall[o], S + 1, fill));
        out[k] =
            (struct result){1 - cost / cost_at(fall[BY_HITS], S + 1, fill), 1 - cost / cost_at(fall[BY_RATIO], S + 1, fill),
                            1 - cost / best, cost_at(late, PRICES, fill) / cost_at(oracle, PRICES, fill) - 1};
    }
}

int main(int argc, char **argv) {
    const int worlds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 8;
    const size_t leads = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 2500;
    struct timing t = {0, 0};
    double worst = 1, mean_hits = 0, mean_ratio = 0;
    if (worlds < 1 || leads <= WARM)
        return fprintf(stderr, "plan_worlds [WORLDS [LEADS]]: at least 1 world and 1001 leads\n"), 1;
    printf("family       fill   saves against: hit-rate order  rates per price  best order  worst   above the oracle\n");
    for (int family = 0; family < FAMILIES; family++) {
        struct result sum[TARGETS] = {{0, 0, 0, 0}};
        double low[TARGETS] = {1, 1, 1};
        for (int k = 1; k <= worlds; k++) {
            struct arena *a = arena_new((size_t)1 << 30);
            struct world w;
            struct result x[TARGETS];
            draw_world(&w, (enum family)family, (uint64_t)k);
            compare(a, &w, (uint64_t)k, leads, x, &t);
            for (int j = 0; j < TARGETS; j++) {
                sum[j].hits += x[j].hits / worlds;
                sum[j].ratio += x[j].ratio / worlds;
                sum[j].best += x[j].best / worlds;
                sum[j].regret += x[j].regret / worlds;
                low[j] = fmin(low[j], x[j].best);
            }
            arena_free(a);
        }
        for (int j = 0; j < TARGETS; j++) {
            printf("%-11s %4.0f %%  %27.1f %%  %14.1f %%  %8.1f %%  %4.1f %%  %14.1f %%\n", family_names[family],
                   100 * targets[j], 100 * sum[j].hits, 100 * sum[j].ratio, 100 * sum[j].best, 100 * low[j],
                   100 * sum[j].regret);
            mean_hits += sum[j].hits / (FAMILIES * TARGETS);
            mean_ratio += sum[j].ratio / (FAMILIES * TARGETS);
            worst = fmin(worst, low[j]);
        }
    }
    printf(
        "\nmean saving against the hit-rate order %.1f %% (bar 25), against rates per price %.1f %% (bar 10), worst %.1f %% "
        "(bar -2); %.1f us a decision (bar 50)\n",
        100 * mean_hits, 100 * mean_ratio, 100 * worst, 1e6 * t.second / t.decisions);
    return mean_hits >= 0.25 && mean_ratio >= 0.10 && worst >= -0.02 ? 0 : 1;
}
