/* rng.c — xoshiro256++ and what is drawn from it. */
#include "base/rng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

struct rng rng_from_seed(uint64_t seed) {
    struct rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&seed);
    return r;
}

struct rng rng_fork(const struct rng *r, uint64_t stream) {
    uint64_t seed = r->s[0] ^ rng_rotate(r->s[3], 17) ^ (stream * 0xd1342543de82ef95ull + 1);
    return rng_from_seed(seed);
}

uint64_t rng_below(struct rng *r, uint64_t n) {
    uint64_t reject_below = -n % n, x; /* 2^64 mod n */
    do
        x = rng_next(r);
    while (x < reject_below);
    return x % n;
}

double rng_normal(struct rng *r) {
    double u, v, q;
    do {
        u = 2 * rng_uniform(r) - 1;
        v = 2 * rng_uniform(r) - 1;
        q = u * u + v * v;
    } while (q >= 1 || q == 0);
    return u * sqrt(-2 * log(q) / q);
}

void rng_shuffle(struct rng *r, uint32_t *items, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(r, i);
        uint32_t t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}
