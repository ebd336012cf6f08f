/* linkage.h — are two records one thing? Fellegi and Sunter's model (1969), learned without labels by expectation and
 * maximisation (Winkler 1988), with the frequency of what agrees (Winkler 1989) and a third class for relations.
 *
 * A pair of records is compared field by field; each comparison has a level: 0 nothing is known (one side is empty: no
 * evidence), 1 they differ, 2 and up ways of being alike. Pairs come from three classes:
 *   M  one thing: level l of field f has probability m[f][l];
 *   U  two things with nothing in common but chance: u[f][l];
 *   R  two things with a relation: colleagues, a household. Levels that are marked personal have the odds of chance, as in
 * U; the rest of r[f] is learned. Without this class, five columns of one company's address would outvote a different name,
 * since fields that go together are counted as if each were news. Fields are independent given the class. With L = Σ ln(m/u)
 * + rarity over the fields with level > 0, and S the same of r: log-odds of M = ln π_M + L − ln(π_R·e^S + π_U) `rarity` is Σ
 * ln(u[f][agree] / frequency of the very value) over fields that agree exactly: to share a rare name is more than to share a
 * common one; shared_rarity is the same over the fields whose exact agreement is not personal.
 *
 * Priors are shares of ALL pairs that could be formed, seen or not: pairs that no candidate search proposed count as U. So
 * neither the weights nor the probabilities depend on how candidates were found, as long as matches among the others are
 * few. */
#ifndef GALENA_ML_LINKAGE_H
#define GALENA_ML_LINKAGE_H

#include "base/arena.h"

#include <stdbool.h>

enum { LINKAGE_FIELD_MAX = 24, LINKAGE_LEVEL_MAX = 8 };

struct linkage_field {
    uint8_t n_level; /* levels 1 .. n_level − 1; 2 to LINKAGE_LEVEL_MAX */
    bool personal[LINKAGE_LEVEL_MAX];
    /* Levels 1 .. n_apart are disagreement, and no more than apart_max of the matches may have one: else a crowd of people
     * who share a name, in a file with few duplicates, is taken for the matches themselves. n_apart 0: no limit. */
    uint8_t n_apart;
    double apart_max;
    uint8_t best; /* equality: no other level speaks louder for a match, however seldom chance brings it; 0: no limit */
    double m[LINKAGE_LEVEL_MAX], u[LINKAGE_LEVEL_MAX], r[LINKAGE_LEVEL_MAX]; /* each sums to 1 over levels 1 .. */
};

struct linkage {
    size_t n_field;
    struct linkage_field field[LINKAGE_FIELD_MAX];
    double match, related; /* π_M and π_R */
    int iterations;
    bool converged;
    double match_ratio[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX]; /* ln(m/u), clipped to ±LINKAGE_RATIO_MAX; 0 at level 0 */
    double related_ratio[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX];
};

/* No field alone decides, however sure its figures look: what was never seen by chance among some million pairs may yet
 * be. */
#define LINKAGE_RATIO_MAX 16.0

struct linkage_pair {
    uint8_t level[LINKAGE_FIELD_MAX];
    float rarity, shared_rarity;
};

/* What is known before learning. */
struct linkage_evidence {
    const struct linkage_pair *pair; /* candidates, or every k-th of them */
    const double *count;             /* how often each occurs; NULL: once */
    size_t n;
    double weight; /* how many pairs each of them stands for: k */
    double total;  /* all pairs that could be formed */
    /* Of a pair at random, whatever its class: the share of each level among the pairs of which both sides are known. */
    double any[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX];
    double known[LINKAGE_FIELD_MAX]; /* the share of pairs of which both sides are known */
    int max_iteration;               /* 0: 200 */
};

/* Learns priors, m, u and r from `e`. On entry the model holds n_field, n_level, personal, and in m and match first values,
 * which also serve as prior counts (LINKAGE_PRIOR pairs of each field); u is what `any` leaves when the expected matches are
 * taken out of it, since in a file full of duplicates even a pair at random agrees more than chance does. The result does
 * not depend on the order of levels or fields, and is the same for the same input. */
void linkage_fit(struct linkage *model, const struct linkage_evidence *e);

/* Fills the two tables of ratios from m, u and r; linkage_fit ends with it. */
void linkage_prepare(struct linkage *model);

/* The log-odds that the pair is one thing (the formula above). */
double linkage_log_odds(const struct linkage *model, const struct linkage_pair *pair);

/* 1 / (1 + e^−log_odds). */
double linkage_probability(double log_odds);

#endif
