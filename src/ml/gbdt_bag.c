/* gbdt_bag.c — the final model, its bag, and how far the bag falls short. */
#include "ml/gbdt_bag.h"

#include "base/parallel.h"
#include "base/rng.h"

#include <math.h>

enum {
    BAG_DEPTH = 5,   /* deepest member: larger trees cost the evaluator ten times as much */
    BAG_ROUNDS = 120 /* most rounds of a member */
};

/* ---- growing ---- */

/* Model 0 and the members of the bag, each grown by one thread in an arena of its own. */
struct growing {
    const struct dataset *s;
    const struct gbdt_columns *columns;
    const struct gbdt_choice *choice;
    struct rng rng;
    struct arena **arena;
    struct trees **trees;
};

struct job {
    struct growing *g;
    size_t i;
    struct arena *scratch;
};

/* The model's own setting for part 0; a member's is coarser. */
static struct gbdt_setting setting_of(const struct gbdt_choice *c, size_t i, unsigned *rounds) {
    struct gbdt_setting s = c->setting;
    *rounds = (unsigned)ceil(1.1 * c->rounds);
    if (i == 0 || c->rounds == 0)
        return s;
    s.rate = c->race_rate;
    *rounds = c->race_rounds > 0 ? c->race_rounds : 1;
    if (*rounds > BAG_ROUNDS) {
        s.rate *= (double)*rounds / BAG_ROUNDS;
        *rounds = BAG_ROUNDS;
    }
    if (s.depth > BAG_DEPTH)
        s.depth = BAG_DEPTH;
    return s;
}

/* Weights of a Bayesian bootstrap: exponential with mean 1; NULL for the model itself. */
static double *draw_weights(struct arena *scratch, const struct growing *g, size_t i) {
    if (i == 0)
        return NULL;
    struct rng r = rng_fork(&g->rng, i);
    double *w = ARENA_ARRAY(scratch, g->s->n, double);
    for (size_t k = 0; k < g->s->n; k++)
        w[k] = -log(1 - rng_uniform(&r));
    return w;
}

/* A forest of no trees. */
static struct trees *base_only(struct arena *a, size_t d, double base) {
    struct trees *t = ARENA_NEW(a, struct trees);
    *t = (struct trees){.d = d,
                        .n_part = 1,
                        .base = arena_copy(a, &base, sizeof base),
                        .part = ARENA_ARRAY(a, 2, uint32_t),
                        .root = ARENA_ARRAY(a, 1, uint32_t)};
    return t;
}

static err grow_model(void *ctx) {
    const struct job *j = ctx;
    struct growing *g = j->g;
    struct gbdt_matrix *m;
    struct gbdt_booster *b;
    unsigned rounds;
    struct gbdt_setting setting = setting_of(g->choice, j->i, &rounds);
    struct rng r = rng_fork(&g->rng, j->i);
    const double *weight = draw_weights(j->scratch, g, j->i);
    double base = gbdt_base(g->s, NULL, 0, weight);
    if (rounds == 0) {
        g->trees[j->i] = base_only(g->arena[j->i], g->s->d, base);
        return OK;
    }
    TRY(gbdt_matrix_new(j->scratch, g->s, g->columns, NULL, 0, weight, &m));
    TRY(gbdt_booster_new(j->scratch, m, NULL, &setting, base, rng_next(&r), &b));
    for (unsigned k = 0; k < rounds; k++)
        TRY(gbdt_booster_grow(b));
    return gbdt_booster_trees(g->arena[j->i], j->scratch, b, rounds, j->i == 0, &g->trees[j->i]);
}

static err grow_one(void *ctx, size_t i, struct arena *scratch) {
    struct growing *g = ctx;
    struct job j = {.g = g, .i = i, .scratch = scratch};
    return arena_run(g->arena[i], grow_model, &j);
}

/* One forest whose parts are the forests given. */
static struct trees *join(struct arena *a, struct trees *const *from, size_t n, size_t d) {
    struct trees *t = ARENA_NEW(a, struct trees);
    t->d = d;
    t->n_part = n;
    for (size_t p = 0; p < n; p++) {
        t->n_tree += from[p]->n_tree;
        t->n_node += from[p]->n_node;
    }
    double *base = ARENA_ARRAY(a, n, double);
    uint32_t *part = ARENA_ARRAY(a, n + 1, uint32_t), *root = ARENA_ARRAY(a, t->n_tree + 1, uint32_t);
    struct tree_node *node = ARENA_ARRAY(a, t->n_node, struct tree_node);
    for (size_t p = 0; p < n; p++) {
        uint32_t tree = part[p], first = root[tree];
        base[p] = from[p]->base[0];
        part[p + 1] = tree + (uint32_t)from[p]->n_tree;
        for (size_t k = 0; k < from[p]->n_tree; k++)
            root[tree + k + 1] = first + from[p]->root[k + 1];
        if (from[p]->n_node > 0)
            memcpy(node + first, from[p]->node, from[p]->n_node * sizeof *node);
    }
    t->base = base;
    t->part = part;
    t->root = root;
    t->node = node;
    return t;
}

static void free_arena(void *arena) { arena_free(arena); }

err gbdt_bag_grow(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const struct gbdt_choice *choice,
                  size_t n_bag, uint64_t seed, unsigned threads, struct trees **out) {
    size_t n = 1 + n_bag;
    struct growing g = {.s = s, .columns = c, .choice = choice, .rng = rng_from_seed(seed)};
    g.arena = ARENA_ARRAY(a, n, struct arena *);
    g.trees = ARENA_ARRAY(a, n, struct trees *);
    for (size_t i = 0; i < n; i++) {
        g.arena[i] = arena_new(arena_limit(a));
        if (!g.arena[i])
            return fail(ERR_LIMIT, "memory_limit", "no memory for a member of the bag");
        arena_defer(a, free_arena, g.arena[i]);
    }
    TRY(parallel_for(n, threads, arena_limit(a), grow_one, &g));
    struct trees *t = join(a, g.trees, n, s->d);
    for (size_t i = 0; i < n; i++)
        arena_reset(g.arena[i]);
    TRY(trees_finish(a, t));
    *out = t;
    return OK;
}

/* ---- spread ---- */

static double variance_of(const double *x, size_t n) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? square / (double)(n - 1) : 0;
}

void gbdt_bag_spread(const struct trees *t, double excess, const struct row *rows, size_t n, double *sd) {
    enum { TOGETHER = 64 };
    double logit[TOGETHER * GBDT_MAX_PART];
    size_t bag = t->n_part - 1;
    for (size_t i = 0; i < n; i += TOGETHER) {
        size_t k = n - i < TOGETHER ? n - i : TOGETHER;
        trees_predict(t, 1, bag, rows + i, k, logit);
        for (size_t j = 0; j < k; j++)
            sd[i + j] = sqrt(variance_of(logit + j * bag, bag) + excess);
    }
}

double gbdt_bag_excess(struct arena *a, const struct dataset *s, const struct gbdt_choice *choice, const struct trees *t,
                       uint64_t seed) {
    enum { LOOKED_AT = 1000 };
    struct arena_mark mark = arena_mark(a);
    struct rng r = rng_from_seed(seed);
    const size_t n = s->n < LOOKED_AT ? s->n : LOOKED_AT;
    struct row *rows = ARENA_ARRAY(a, n, struct row);
    double *sd = ARENA_ARRAY(a, n, double), shown = 0;
    for (size_t i = 0; i < n; i++)
        rows[i] = dataset_row(s, n == s->n ? i : rng_below(&r, s->n));
    gbdt_bag_spread(t, 0, rows, n, sd);
    for (size_t i = 0; i < n; i++)
        shown += sd[i] * sd[i] / (double)n;
    arena_rewind(a, mark);
    return fmax(choice->error - shown, 0);
}
