/* dedupe_learn.c — what the rows themselves say about how often equal things differ and different things agree. */
#include "base/parallel.h"
#include "base/rng.h"
#include "validate/dedupe_priv.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE_PAIR = 1500000, RANDOM_PAIR = 1000000, ROUND = 3 };

/* Candidates of one part, or every step-th of them by a hash of the pair. */
struct drawn {
    const struct dedupe *d;
    uint32_t step;
    struct linkage_pair *pair;
    struct edge *edge;
    size_t n, cap;
    bool full;
};

static void draw(void *ctx, uint32_t a, uint32_t b) {
    struct drawn *s = ctx;
    const uint64_t h = ((uint64_t)a << 32 | b) * 0x9E3779B97F4A7C15ull;
    if ((h ^ h >> 29) * 0xBF58476D1CE4E5B9ull >> 32 >= (1ull << 32) / s->step)
        return;
    if (s->n < s->cap)
        s->edge[s->n++] = (struct edge){a, b, 0};
    else
        s->full = true;
}

/* Which candidates to learn from: their rows only, since rarities change between rounds. */
static void draw_candidates(const struct dedupe *d, struct drawn *s) {
    s->d = d;
    s->step = (uint32_t)(d->blocks.bound / SAMPLE_PAIR + 1);
    if (d->everything)
        s->step = 1;
    s->cap = d->everything ? d->blocks.bound : 2 * (size_t)SAMPLE_PAIR;
    s->edge = ARENA_ARRAY(d->arena, s->cap, struct edge);
    const size_t n = dedupe_part_count(d);
    for (size_t part = 0; part < n; part++)
        dedupe_visit(d, part, draw, s);
    s->pair = ARENA_ARRAY(d->arena, s->n, struct linkage_pair);
}

static err compare_part(void *ctx, size_t part, struct arena *scratch) {
    struct drawn *s = ctx;
    const size_t from = part << 14, to = from + (1 << 14) < s->n ? from + (1 << 14) : s->n;
    (void)scratch;
    for (size_t i = from; i < to; i++)
        dedupe_compare(s->d, s->edge[i].a, s->edge[i].b, &s->pair[i]);
    return OK;
}

static void weigh_drawn(struct drawn *s) {
    for (size_t i = 0; i < s->n; i++)
        dedupe_weigh(s->d, s->edge[i].a, &s->pair[i]);
}

_Static_assert(sizeof(struct linkage_pair) == LINKAGE_FIELD_MAX + 2 * sizeof(float), "a pair has no padding");

/* Pairs that say the same, once, with their number; rarities to a quarter, so that there are some ten thousand of them. */
static void fold_pairs(const struct drawn *s, struct linkage_pair *pair, double *count, uint32_t *slot, size_t n_slot,
                       struct linkage_evidence *e) {
    memset(slot, 0, n_slot * sizeof *slot);
    e->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct linkage_pair p = s->pair[i];
        p.rarity = roundf(p.rarity * 4) / 4 + 0.0f;
        p.shared_rarity = roundf(p.shared_rarity * 4) / 4 + 0.0f;
        size_t at = str_hash((str){(const char *)&p, sizeof p}) & (n_slot - 1);
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): no padding, no -0, so the bytes say it all */
        while (slot[at] && memcmp(&pair[slot[at] - 1], &p, sizeof p) != 0)
            at = (at + 1) & (n_slot - 1);
        if (slot[at] == 0) {
            pair[e->n] = p;
            count[e->n] = 0;
            slot[at] = (uint32_t)++e->n;
        }
        count[slot[at] - 1]++;
    }
    e->pair = pair;
    e->count = count;
}

static err compare_drawn(struct drawn *s) {
    return parallel_for((s->n + (1 << 14) - 1) >> 14, s->d->options.threads, 1 << 16, compare_part, s);
}

/* Equal and known pairs of a field, exactly, from how often each value occurs. */
static void count_field(struct dedupe *d, struct field *f, double *equal, double *known) {
    const size_t n = f->dict->n;
    uint32_t *first = ARENA_ARRAY(d->arena, n, uint32_t);
    double present[2] = {0};
    f->count = ARENA_ARRAY(d->arena, n, uint32_t);
    *equal = 0;
    for (size_t i = 0; i < d->n_row; i++) {
        f->count[f->id[i]]++;
        first[f->id[i]] += d->file && d->file[i] == 0;
        present[d->file && d->file[i]] += f->id[i] != 0;
    }
    for (size_t v = 1; v < n; v++) {
        const double c = f->count[v], x = first[v];
        *equal += d->file ? x * (c - x) : c * (c - 1) / 2;
    }
    *known = d->file ? present[0] * present[1] : present[0] * (present[0] - 1) / 2;
}

/* Levels of pairs at random: of all pairs when these are the candidates, else of some that are drawn. */
static err sample_levels(struct dedupe *d, const struct drawn *candidates, struct linkage_evidence *e) {
    struct drawn s = {.d = d, .n = RANDOM_PAIR};
    double count[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX] = {0};
    if (d->everything) {
        s = *candidates;
    } else {
        struct rng rng = rng_from_seed(1);
        s.edge = ARENA_ARRAY(d->arena, s.n, struct edge);
        s.pair = ARENA_ARRAY(d->arena, s.n, struct linkage_pair);
        for (size_t i = 0; i < s.n;) {
            const uint32_t a = (uint32_t)rng_below(&rng, d->n_row), b = (uint32_t)rng_below(&rng, d->n_row);
            if (can_pair(d, a, b))
                s.edge[i++] = (struct edge){a < b ? a : b, a < b ? b : a, 0};
        }
        TRY(compare_drawn(&s));
    }
    for (size_t i = 0; i < s.n; i++)
        for (size_t f = 0; f < d->n_field; f++)
            count[f][s.pair[i].level[f]]++;
    for (size_t f = 0; f < d->n_field; f++) {
        struct field *x = &d->field[f];
        double equal, known, rest = 0;
        count_field(d, x, &equal, &known);
        e->known[f] = known / e->total;
        const double share = known > 0 ? fmin(equal / known, 1) : 0;
        for (size_t l = 1; l < d->model.field[f].n_level; l++)
            rest += l == x->exact ? 0 : count[f][l] + 0.5;
        for (size_t l = 1; l < d->model.field[f].n_level; l++)
            e->any[f][l] = l == x->exact ? share : (1 - share) * (count[f][l] + 0.5) / rest;
    }
    return OK;
}

/* To agree in a value that n rows have: of the n − 1 others, as many as a match is expected to bring are taken off. */
static void weigh_rarity(struct dedupe *d, const struct linkage_evidence *e) {
    const double most = 6;
    for (size_t f = 0; f < d->n_field; f++) {
        struct field *x = &d->field[f];
        double present = 0;
        if (!x->rarity)
            x->rarity = ARENA_ARRAY(d->arena, x->dict->n, float);
        for (size_t v = 1; v < x->dict->n; v++)
            present += x->count[v];
        const double matches = d->model.match * e->total * e->known[f] * d->model.field[f].m[x->exact];
        const double expected = present > 0 ? 2 * matches / present : 0;
        for (size_t v = 1; v < x->dict->n; v++) {
            const double share = fmax((double)x->count[v] - 1 - expected, 0.5) / present;
            x->rarity[v] = (float)fmax(-most, fmin(most, log(d->model.field[f].u[x->exact] / share)));
        }
    }
}

/* First values: most that is known agrees, and a slip is likelier than another value. */
static void first_values(struct dedupe *d, double total) {
    d->model.n_field = d->n_field;
    for (size_t f = 0; f < d->n_field; f++) {
        const struct field *x = &d->field[f];
        struct linkage_field *y = &d->model.field[f];
        y->n_level = (uint8_t)dedupe_level_count(x->form, x->twin >= 0);
        y->best = x->exact;
        y->n_apart = x->form == FORM_EMAIL ? 2 : 1;
        y->apart_max = dedupe_apart_max(x->kind);
        for (size_t l = 1; l < y->n_level; l++) {
            y->personal[l] = dedupe_is_personal(x->kind, (unsigned)l);
            y->m[l] = l == x->exact ? 0.75 : l == 1 ? 0.08 : 0.17 / (y->n_level - 3);
        }
    }
    d->model.match = fmin(0.1 * (double)d->n_row / total, 0.2);
}

static void find_bounds(struct dedupe *d) {
    for (size_t f = 0; f < d->n_field; f++) {
        d->bound[f] = d->field[f].twin >= 0 ? 0 : -INFINITY;
        for (size_t l = 1; l < d->model.field[f].n_level; l++)
            if (l != d->field[f].exact)
                d->bound[f] = fmax(d->bound[f], d->model.match_ratio[f][l]);
    }
    d->prior = log(d->model.match) - log(1 - d->model.match - d->model.related);
}

err dedupe_learn(struct dedupe *d) {
    struct drawn s = {0};
    struct linkage_evidence e = {.total = d->file ? (double)d->n_file[0] * (double)d->n_file[1]
                                                  : (double)d->n_row * (double)(d->n_row - 1) / 2};
    draw_candidates(d, &s);
    first_values(d, e.total);
    TRY(compare_drawn(&s));
    TRY(sample_levels(d, &s, &e));
    e.weight = s.step;
    size_t n_slot = 1024;
    while (n_slot < 2 * s.n)
        n_slot *= 2;
    struct linkage_pair *pair = ARENA_ARRAY(d->arena, s.n, struct linkage_pair);
    double *count = ARENA_ARRAY(d->arena, s.n, double);
    uint32_t *slot = ARENA_ARRAY(d->arena, n_slot, uint32_t);
    for (int round = 0; round < ROUND; round++) {
        if (round > 0) {
            weigh_rarity(d, &e);
            weigh_drawn(&s);
        }
        fold_pairs(&s, pair, count, slot, n_slot, &e);
        first_values(d, e.total);
        linkage_fit(&d->model, &e);
    }
    weigh_rarity(d, &e);
    find_bounds(d);
    return OK;
}
