/* families_priv.h — words that stand for each other: "founder" and "chairman", "programmer" and "developer". */
#ifndef GALENA_TEXT_FAMILIES_PRIV_H
#define GALENA_TEXT_FAMILIES_PRIV_H

#include "text/topics_priv.h"

struct families {
    struct word_list words;
    uint32_t *of; /* bits: the families of each word */
};

/* Reads share/lexicons/roles.txt; at most 32 families. */
const struct families *families_load(struct arena *a);

/* The families of a folded word as bits; 0 for none. */
uint32_t families_of(const struct families *f, str word);

#endif
