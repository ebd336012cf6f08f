/* match.h — which known organisation is meant? And are two names those of one thing?
 *
 * match_find proposes organisations of a registry that share rare words with the query, or words like them, its words in
 * one, its initials or its web domain; it weighs each by how much the shared words tell (their rarity in the registry
 * itself), what is left over on both sides, order, numbers, legal form, earlier names, domain, country and city; and gives
 * each the probability that it is the one, against all others and against "none of them":
 *
 *     P(i) = e^s_i / (1 + Σ_j e^s_j)
 *
 * so that two organisations that fit alike share the probability, and the answer is "ambiguous". */
#ifndef GALENA_ENRICH_MATCH_H
#define GALENA_ENRICH_MATCH_H

#include "enrich/registry.h"

enum { MATCH_CANDIDATE_MAX = 32, MATCH_FEATURE_COUNT = 17 };

/* What is known of the organisation that is looked for; all but the name may be empty. */
struct match_query {
    str name, domain, country, city;
};

enum match_status { MATCH_NONE, MATCH_AMBIGUOUS, MATCH_FOUND };
const char *match_status_name(enum match_status status); /* "none", "ambiguous", "matched" */

struct match_candidate {
    uint32_t organisation, name; /* name: the one that fits best; registry_entry_of has the present one */
    bool former;                 /* that name is not the present one */
    double log_odds;             /* s_i */
    double probability;
    float feature[MATCH_FEATURE_COUNT]; /* what s_i was made of */
};

/* MATCH_FOUND: the first candidate's probability is at least the threshold. MATCH_AMBIGUOUS: it is not, but all
 * candidates together reach it, and the others have a tenth or more of it: one of several is meant. MATCH_NONE: neither. */
struct match_result {
    enum match_status status;
    double confidence, margin; /* of the first candidate, 0 without one; and what it has more than the second */
    const struct match_candidate *candidate; /* by probability, then id; until the next search */
    size_t n;
};

struct match_finder;

/* The default of the threshold: of the answers just at it a third are wrong. */
#define MATCH_THRESHOLD 0.65

/* Room for searches in a registry: one for each thread. threshold: MATCH_THRESHOLD when 0. */
struct match_finder *match_finder_new(struct arena *a, const struct registry *r, double threshold);

/* The time is bounded whatever the name and the registry. */
void match_find(struct match_finder *f, const struct match_query *query, struct match_result *out);

/* ---- two names ---- */

enum match_kind { MATCH_ORGANISATION, MATCH_PERSON };

/* Word frequencies of the names that are compared, so that a rare word counts more; NULL stands for none. */
struct match_pairs;
struct match_pairs *match_pairs_new(struct arena *a, const struct match_forms *forms);
/* Counts the words of a name; the order in which names are counted does not matter. */
void match_pairs_count(struct match_pairs *p, enum match_kind kind, str raw);
/* The probability that both names are of one thing. Symmetric. When one has no words: 0, and 1 when they are the same
 * bytes. */
double match_pair(const struct match_pairs *p, enum match_kind kind, str a, str b);
/* What the probability was made of. */
size_t match_pair_features(const struct match_pairs *p, enum match_kind kind, str a, str b,
                           double feature[MATCH_FEATURE_COUNT]);

#endif
