/* draw.c — categories by weight, chances, counts. */
#include "sandbox/draw.h"

#include <math.h>

size_t draw_pick(struct rng *r, const struct weighted *table, size_t n) {
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += table[i].often;
    double at = rng_uniform(r) * total;
    for (size_t i = 0; i + 1 < n; i++) {
        at -= table[i].often;
        if (at < 0)
            return i;
    }
    return n - 1;
}

bool draw_chance(struct rng *r, double p) { return rng_uniform(r) < p; }

double draw_poisson(struct rng *r, double mean, double most) {
    enum { LARGE = 200 };
    if (mean > LARGE)
        return fmin(most, fmax(0, round(mean + sqrt(mean) * rng_normal(r))));
    double limit = exp(-mean), product = 1, k = -1;
    do {
        product *= rng_uniform(r);
        k++;
    } while (product > limit && k < most);
    return k;
}
