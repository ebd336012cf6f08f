/* dataset.c — picking rows and columns, and folds. */
#include "ml/dataset.h"

#include "base/rng.h"

#include <string.h>

#include <stdlib.h>

struct dataset *dataset_pick(struct arena *a, const struct dataset *s, const uint32_t *rows, size_t k) {
    size_t total = 0;
    for (size_t i = 0; i < k; i++)
        total += s->start[rows[i] + 1] - s->start[rows[i]];
    size_t *start = ARENA_ARRAY(a, k + 1, size_t);
    uint32_t *col = ARENA_ARRAY(a, total, uint32_t);
    double *val = ARENA_ARRAY(a, total, double), *y = ARENA_ARRAY(a, k, double);
    double *weight = s->weight ? ARENA_ARRAY(a, k, double) : NULL;
    for (size_t i = 0; i < k; i++) {
        struct row r = dataset_row(s, rows[i]);
        if (r.n > 0) {
            memcpy(col + start[i], r.col, r.n * sizeof *col);
            memcpy(val + start[i], r.val, r.n * sizeof *val);
        }
        start[i + 1] = start[i] + r.n;
        y[i] = s->y[rows[i]];
        if (weight)
            weight[i] = s->weight[rows[i]];
    }
    struct dataset *out = ARENA_NEW(a, struct dataset);
    *out = (struct dataset){.n = k, .d = s->d, .start = start, .col = col, .val = val, .y = y, .weight = weight};
    return out;
}

struct dataset *dataset_mask(struct arena *a, const struct dataset *s, const unsigned char *keep) {
    size_t total = s->start[s->n] - s->start[0];
    size_t *start = ARENA_ARRAY(a, s->n + 1, size_t);
    uint32_t *col = ARENA_ARRAY(a, total, uint32_t);
    double *val = ARENA_ARRAY(a, total, double);
    size_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct row r = dataset_row(s, i);
        for (size_t j = 0; j < r.n; j++)
            if (keep[r.col[j]]) {
                col[at] = r.col[j];
                val[at++] = r.val[j];
            }
        start[i + 1] = at;
    }
    struct dataset *out = ARENA_NEW(a, struct dataset);
    *out = (struct dataset){.n = s->n, .d = s->d, .start = start, .col = col, .val = val, .y = s->y, .weight = s->weight};
    return out;
}

/* A block is the set of rows that share a group; it goes to one fold as a whole. */
struct block {
    uint32_t group, first, size;
    double positives;
};

static int by_group(const void *x, const void *y) {
    const struct block *a = x, *b = y;
    return (a->group > b->group) - (a->group < b->group);
}

/* One block a group, in order of group number. */
static size_t collect_blocks(struct arena *a, const struct dataset *s, const uint32_t *group, struct block **out) {
    struct block *each = ARENA_ARRAY(a, s->n, struct block);
    for (size_t i = 0; i < s->n; i++)
        each[i] =
            (struct block){.group = group ? group[i] : (uint32_t)i, .first = (uint32_t)i, .size = 1, .positives = s->y[i]};
    if (group)
        qsort(each, s->n, sizeof *each, by_group);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (n > 0 && each[n - 1].group == each[i].group) {
            each[n - 1].size++;
            each[n - 1].positives += each[i].positives;
        } else {
            each[n++] = each[i];
        }
    }
    *out = each;
    return n;
}

/* Deals the blocks of one class in shuffled order to whichever fold has the fewest rows of that class so far. */
static void deal(struct arena *a, struct block *blocks, size_t n, bool positive, size_t k, struct rng *r,
                 uint32_t *fold_of) {
    uint32_t *order = ARENA_ARRAY(a, n, uint32_t);
    size_t *load = ARENA_ARRAY(a, k, size_t);
    size_t m = 0;
    for (size_t b = 0; b < n; b++)
        if ((blocks[b].positives > 0) == positive)
            order[m++] = (uint32_t)b;
    rng_shuffle(r, order, m);
    for (size_t i = 0; i < m; i++) {
        size_t best = 0;
        for (size_t f = 1; f < k; f++)
            if (load[f] < load[best])
                best = f;
        load[best] += blocks[order[i]].size;
        fold_of[order[i]] = (uint32_t)best;
    }
}

void dataset_fold(struct arena *a, const struct dataset *s, size_t k, uint64_t seed, const uint32_t *group, uint32_t *fold) {
    struct arena_mark mark = arena_mark(a);
    struct block *blocks;
    size_t n = collect_blocks(a, s, group, &blocks);
    uint32_t *fold_of = ARENA_ARRAY(a, n, uint32_t);
    struct rng r = rng_from_seed(seed);
    deal(a, blocks, n, true, k, &r, fold_of);
    deal(a, blocks, n, false, k, &r, fold_of);
    for (size_t i = 0; i < s->n; i++) {
        struct block key = {.group = group ? group[i] : (uint32_t)i};
        const struct block *b = bsearch(&key, blocks, n, sizeof *blocks, by_group);
        fold[i] = fold_of[b - blocks];
    }
    arena_rewind(a, mark);
}

size_t dataset_fold_rows(const uint32_t *fold, size_t n, uint32_t f, bool held_out, uint32_t *out) {
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if ((fold[i] == f) == held_out)
            out[k++] = (uint32_t)i;
    return k;
}
