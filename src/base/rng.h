/* rng.h — a seeded random generator: xoshiro256++ (Blackman and Vigna 2019), seeded through splitmix64.
 *
 * Never used for secrets. Same seed, same numbers, on every machine: results must not depend on the number of threads, so
 * each independent piece of work draws from its own generator, made with rng_fork. */
#ifndef GALENA_BASE_RNG_H
#define GALENA_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

struct rng rng_from_seed(uint64_t seed);

/* An independent generator for part `stream` of the work; `r` itself does not move. */
struct rng rng_fork(const struct rng *r, uint64_t stream);

static inline uint64_t rng_rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t rng_next(struct rng *r) {
    uint64_t *s = r->s;
    uint64_t result = rng_rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return result;
}

/* Uniform in [0, 1), 53 bits. */
static inline double rng_uniform(struct rng *r) { return (double)(rng_next(r) >> 11) * 0x1p-53; }

/* Uniform integer in [0, n), without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* Standard normal (polar method). */
double rng_normal(struct rng *r);

/* Fisher–Yates shuffle of n indices. */
void rng_shuffle(struct rng *r, uint32_t *items, size_t n);

#endif
