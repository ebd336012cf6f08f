/* match_priv.h — words of two names laid side by side. */
#ifndef GALENA_ENRICH_MATCH_PRIV_H
#define GALENA_ENRICH_MATCH_PRIV_H

#include "enrich/match.h"

struct match_words {
    str word[MATCH_TOKEN_MAX];
    double weight[MATCH_TOKEN_MAX];
    size_t n;
};

enum { MATCH_ALONE = -1 };

/* Which word stands for which. */
struct match_alignment {
    int8_t of_a[MATCH_TOKEN_MAX], of_b[MATCH_TOKEN_MAX]; /* the other's word, or MATCH_ALONE */
    double alike[MATCH_TOKEN_MAX];                       /* of a's words: how much, 0..1 */
    double alike_b[MATCH_TOKEN_MAX];
};

/* Equal words first, each with the nearest in place; then words written in one or in two; then abbreviations and slips, best
 * first. Numbers stand only for equal numbers. Words alike less than `least` stay alone. With
 * `initials` a letter stands for a word that begins with it. */
void match_align(const struct match_words *a, const struct match_words *b, double least, bool initials,
                 struct match_alignment *out);

/* Is one the beginning of the other, of three letters or more? */
bool match_is_abbreviation(str a, str b);

#endif
