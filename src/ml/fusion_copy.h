/* fusion_copy.h — which sources repeat one another, and how much a claim still says when its source may have been copied.
 *
 * Dong, Berti-Equille, Srivastava (VLDB 2009): independent sources seldom make the same mistake, so agreement on values that
 * are probably wrong tells of copying. Only the FUSION_COPY_SOURCE sources with most claims are compared: one with few
 * claims gives no evidence. */
#ifndef GALENA_ML_FUSION_COPY_H
#define GALENA_ML_FUSION_COPY_H

#include "base/arena.h"

#include <string.h>

enum { FUSION_COPY_SOURCE = 256, FUSION_COPY_CLAIM = 64 }; /* compared sources; compared claims of one item */

/* With more claims than this the models are fitted to every k-th item, and only the last round sees all. */
enum { FUSION_SAMPLE = 12000 };

#define FUSION_ALONE UINT32_MAX

/* Dependence of each pair of compared sources. rank[n_source]: a source's row, or FUSION_ALONE. wrong and same are n*n
 * weights of evidence (chances to agree by mistake; agreements), share n*n what is concluded: how likely a claim of one is a
 * repetition of the other's, 0..1, symmetric. */
struct fusion_copy {
    size_t n;
    uint32_t *rank;
    float *wrong, *same, *share;
};

/* Ranks the sources by claims[n_source] (ties: the smaller number first); no dependence is known yet. */
void fusion_copy_init(struct arena *a, const uint32_t *claims, size_t n_source, struct fusion_copy *out);

/* Forgets the evidence, keeps what was concluded. */
void fusion_copy_clear(struct fusion_copy *c);

/* Evidence of one item on which s and t both speak: `wrong` the probability that both could agree by mistake only, `same`
 * the part of it in which they do. */
void fusion_copy_add(struct fusion_copy *c, uint32_t s, uint32_t t, double wrong, double same);

/* share := (same - base wrong) / ((1 - base) (wrong + strength)), at least 0 and 0 below `least`. base: how often
 * independent sources agree in that situation, 0..1; strength: pseudo-observations for independence. Returns how many pairs
 * are dependent. */
size_t fusion_copy_conclude(struct fusion_copy *c, double base, double strength, double least);

/* 0 for a source that is not compared. */
static inline double fusion_copy_share(const struct fusion_copy *c, uint32_t s, uint32_t t) {
    const uint32_t i = c->rank[s], j = c->rank[t];
    return i == FUSION_ALONE || j == FUSION_ALONE ? 0 : (double)c->share[(size_t)i * c->n + j];
}

#endif
