/* plan.h — which source to ask next about a lead, and when to stop.
 *
 * A call to a source costs money and fills, perhaps, several fields. What it is worth depends on what the fields are worth
 * to the decision about this lead, on what is filled already, and on how likely the source is to know them. The last is
 * learned from every answer: for source s, field f, segment g and a lead whose findability is z,
 *
 *     P(hit) = sigmoid(a_s + a_sf + a_sg + a_sfg + r_s z),   z ~ N(0, 1) for each lead,
 *
 * with a diagonal Gaussian posterior of every parameter, updated after each lead. A miss of one source says that the lead is
 * hard to find, and so does everything else that was seen of it: z is carried as weights on PLAN_GRID points. The plan buys
 * the call with the largest expected gain per expected charge while that ratio is at least the price of money (adaptive
 * greedy, Golovin and Krause 2011; Eq. 84-86 as conditional gains). One price for all leads of a day spends its budget
 * where it brings most; plan_price moves it. With positively correlated answers the known guarantee of the greedy rule
 * does not hold; bench/plan_worlds.c measures what it reaches.
 *
 * Not safe for several threads at once. Money is in millionths of the account's currency. */
#ifndef GALENA_ENRICH_PLAN_H
#define GALENA_ENRICH_PLAN_H

#include "base/arena.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stdint.h>

enum { PLAN_SOURCES = 64, PLAN_FIELDS = 64, PLAN_GRID = 9, PLAN_NONE = -1 };

/* What is known of a source without asking it. */
struct plan_source {
    uint64_t fields;    /* bit f: it may know field f */
    int64_t price_call; /* for asking */
    int64_t price_hit;  /* besides, when it knows any of its fields */
    double latency_ms;  /* typical */
};

struct plan_settings {
    size_t n_source, n_field, n_segment; /* 1..PLAN_SOURCES, 1..PLAN_FIELDS, 1.. */
    const struct plan_source *source;    /* kept by the caller */
    double forget_days;                  /* half life of what was learned; 0: nothing is forgotten */
    double explore_share;                /* of all spending, at most, for trying what seems not worth it: 0.02 */
    double time_price;                   /* money that a second of waiting is worth */
    uint64_t seed;
};

struct plan;

/* Knows nothing yet: every source is taken to know 40 of 100 leads. Lives in the arena. */
struct plan *plan_new(struct arena *a, const struct plan_settings *settings);

/* A lead on its way. */
struct plan_lead {
    size_t segment;
    double weight[PLAN_FIELDS];     /* what field f is worth when known for sure, in money; 0: nothing */
    double confidence[PLAN_FIELDS]; /* of what is known now, 0..1 */
    double trust[PLAN_SOURCES];     /* how sure a field is that this source alone has told; 0 counts as 1 */
    uint64_t asked, barred;         /* sources asked already; not to be asked (quota, breaker, consent) */
    int64_t left;                   /* money that may still be spent on the lead */
    double z[PLAN_GRID];            /* weights of its findability; plan_lead_begin */
};

/* Weight 1 for every field, nothing known, nothing asked, no limit. */
void plan_lead_begin(const struct plan *p, size_t segment, struct plan_lead *lead);

/* Why a source is asked, or not. */
struct plan_choice {
    int source;          /* PLAN_NONE: stop */
    double gain, charge; /* expected */
    double index;        /* gain per charge, waiting included */
    double price;        /* what an index must reach */
    double propensity;   /* probability with which this was chosen */
    bool explores;       /* bought though it seems not worth it, to learn */
    int runner_up;       /* best of the others, or PLAN_NONE */
    double runner_up_index;
};

/* The next source for the lead. price: the least gain per charge at which anything is bought (plan_price). A call that could
 * cost more than lead->left is never chosen. */
struct plan_choice plan_choose(struct plan *p, const struct plan_lead *lead, double price);

/* As many sources as wanted to ask at the same time, best first, each as if those before it had answered as expected: for a
 * deadline that leaves no time to ask one by one. Returns how many were written to out[most]. */
size_t plan_choose_round(struct plan *p, const struct plan_lead *lead, double price, size_t most, struct plan_choice *out);

/* P(source s fills field f) for this lead now. */
double plan_probability(const struct plan *p, const struct plan_lead *lead, size_t s, size_t f);

/* The answer of source s: bit f of `hits`, it knew field f. `charged` is what it cost. Updates the lead: asked, confidence,
 * findability, what is left. */
void plan_answer(struct plan *p, struct plan_lead *lead, size_t s, uint64_t hits, int64_t charged);

/* Learns from all answers of the lead, after the last. day: days since any fixed moment, for forgetting. */
void plan_learn(struct plan *p, const struct plan_lead *lead, const uint64_t hits[PLAN_SOURCES], double day);

/* What is learned as numbers to store and read again: plan_state_count of them. */
size_t plan_state_count(const struct plan *p);
void plan_state_save(const struct plan *p, double *to);
/* False, with nothing changed, when a number is not finite or a precision not positive. */
bool plan_state_load(struct plan *p, const double *from);

/* The price of money for a budget over a stretch of time. */
struct plan_price {
    double price;   /* now; > 0 */
    double budget;  /* for the whole stretch */
    double spent;   /* of it */
    double elapsed; /* share of the stretch that has passed, 0..1 */
};

/* After spending: moves the price up when spending is ahead of time, down when it is behind. `charged` is added to spent. */
void plan_price_move(struct plan_price *m, double charged, double elapsed);

#endif
