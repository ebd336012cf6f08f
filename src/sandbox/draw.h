/* draw.h — small draws that the makers of sandbox data share. */
#ifndef GALENA_SANDBOX_DRAW_H
#define GALENA_SANDBOX_DRAW_H

#include "base/rng.h"

#include <stdbool.h>

/* A level of a category: how often it is drawn (relative to its neighbours), and what it adds to the log-odds. */
struct weighted {
    const char *text;
    double often, effect;
};

#define DRAW_COUNT(table) (sizeof(table) / sizeof *(table))

/* A row of the table by its `often`; n > 0. */
size_t draw_pick(struct rng *r, const struct weighted *table, size_t n);

/* True with probability p. */
bool draw_chance(struct rng *r, double p);

/* Poisson with this mean (Knuth's product up to 200, a rounded normal above), at most `most`. */
double draw_poisson(struct rng *r, double mean, double most);

#endif
