/* gbdt.c — the family: tune, grow, bag; predict, explain, save and load. */
#include "ml/gbdt.h"

#include "base/parallel.h"
#include "base/rng.h"
#include "ml/gbdt_tune.h"
#include "ml/stored_priv.h"
#include "ml/treeshap.h"

#include <math.h>

enum {
    FOLDS = 5,
    BAG = 10,
    BAG_DEPTH = 5,    /* deepest member: larger trees cost the evaluator ten times as much */
    BAG_ROUNDS = 120, /* most rounds of a member */
    MAX_PART = 64
};

struct model {
    const struct trees *trees; /* part 0 the model, the others the bag */
    const struct treeshap *shap;
    struct gbdt_choice choice;
    double excess; /* squared error of the log-odds that the bag does not show */
};

/* ---- fitting ---- */

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

static err grow_all(struct arena *a, struct growing *g, size_t n, unsigned threads, struct trees **out) {
    g->arena = ARENA_ARRAY(a, n, struct arena *);
    g->trees = ARENA_ARRAY(a, n, struct trees *);
    for (size_t i = 0; i < n; i++) {
        g->arena[i] = arena_new(arena_limit(a));
        if (!g->arena[i])
            return fail(ERR_LIMIT, "memory_limit", "no memory for a member of the bag");
        arena_defer(a, free_arena, g->arena[i]);
    }
    TRY(parallel_for(n, threads, arena_limit(a), grow_one, g));
    *out = join(a, g->trees, n, g->s->d);
    for (size_t i = 0; i < n; i++)
        arena_reset(g->arena[i]);
    return OK;
}

static err check_outcomes(const struct dataset *s) {
    bool seen[2] = {false, false};
    for (size_t i = 0; i < s->n; i++)
        if (dataset_weight(s, i) > 0)
            seen[s->y[i] > 0.5] = true;
    return seen[0] && seen[1] ? OK
                              : fail(ERR_INPUT, "one_class", "the outcomes of the %zu training rows are all alike", s->n);
}

static const uint32_t *folds_of(struct arena *a, const struct dataset *s, const struct fit_opts *o, uint32_t *n_fold) {
    *n_fold = o->fold ? o->n_fold : s->n < FOLDS ? (uint32_t)s->n : FOLDS;
    if (o->fold)
        return o->fold;
    uint32_t *fold = ARENA_ARRAY(a, s->n, uint32_t);
    dataset_fold(a, s, *n_fold, o->seed, NULL, fold);
    return fold;
}

static void bag_variance(const struct model *m, const struct row *rows, size_t n, double *variance);

/* The expected error less what the bag shows of it, on average over some training rows. */
static double excess_of(struct arena *a, const struct model *m, const struct dataset *s, uint64_t seed) {
    enum { LOOKED_AT = 1000 };
    struct arena_mark mark = arena_mark(a);
    struct rng r = rng_from_seed(seed);
    size_t n = s->n < LOOKED_AT ? s->n : LOOKED_AT;
    struct row *rows = ARENA_ARRAY(a, n, struct row);
    double *variance = ARENA_ARRAY(a, n, double), mean = 0;
    for (size_t i = 0; i < n; i++)
        rows[i] = dataset_row(s, n == s->n ? i : rng_below(&r, s->n));
    bag_variance(m, rows, n, variance);
    for (size_t i = 0; i < n; i++)
        mean += variance[i] / (double)n;
    arena_rewind(a, mark);
    return fmax(m->choice.error - mean, 0);
}

static err gbdt_fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold,
                    struct model **out) {
    TRY(check_outcomes(s));
    struct gbdt_columns columns = gbdt_columns_of(a, s->d, o->use);
    uint32_t n_fold;
    const uint32_t *fold = folds_of(a, s, o, &n_fold);
    struct model *m = ARENA_NEW(a, struct model);
    TRY(gbdt_tune(a, s, &columns, fold, n_fold, o->seed, o->threads, out_of_fold, &m->choice));
    struct growing g = {.s = s, .columns = &columns, .choice = &m->choice, .rng = rng_from_seed(o->seed)};
    struct trees *t = NULL;
    TRY(grow_all(a, &g, 1 + BAG, o->threads, &t));
    TRY(trees_finish(a, t));
    m->trees = t;
    m->shap = treeshap_new(a, t);
    m->excess = excess_of(a, m, s, o->seed);
    *out = m;
    return OK;
}

/* ---- using ---- */

static void gbdt_predict(const struct model *m, const struct row *rows, size_t n, double *logit) {
    trees_predict(m->trees, 0, 1, rows, n, logit);
}

static double variance_of(const double *x, size_t n) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? square / (double)(n - 1) : 0;
}

static void bag_variance(const struct model *m, const struct row *rows, size_t n, double *variance) {
    enum { TOGETHER = 64 };
    double logit[TOGETHER * MAX_PART];
    size_t bag = m->trees->n_part - 1;
    for (size_t i = 0; i < n; i += TOGETHER) {
        size_t k = n - i < TOGETHER ? n - i : TOGETHER;
        trees_predict(m->trees, 1, bag, rows + i, k, logit);
        for (size_t j = 0; j < k; j++)
            variance[i + j] = variance_of(logit + j * bag, bag);
    }
}

static void gbdt_spread(const struct model *m, const struct row *rows, size_t n, double *sd) {
    bag_variance(m, rows, n, sd);
    for (size_t i = 0; i < n; i++)
        sd[i] = sqrt(sd[i] + m->excess);
}

static double gbdt_explain(const struct model *m, struct row x, double scale, double *share) {
    return treeshap_explain(m->shap, x, scale, share);
}

/* ---- files ---- */

static void gbdt_save(const struct model *m, struct json_writer *w) {
    const struct gbdt_choice *c = &m->choice;
    json_open_object(w);
    json_put_integer(w, STR("rounds"), c->rounds);
    json_put_integer(w, STR("depth"), c->setting.depth);
    json_put_number(w, STR("rate"), c->setting.rate);
    json_put_number(w, STR("min_child_weight"), c->setting.min_child_weight);
    json_put_number(w, STR("column_share"), c->setting.column_share);
    json_put_number(w, STR("node_share"), c->setting.node_share);
    json_put_number(w, STR("row_share"), c->setting.row_share);
    json_put_number(w, STR("l2"), c->setting.l2);
    json_put_number(w, STR("log_loss"), c->log_loss);
    json_put_number(w, STR("base_loss"), c->base_loss);
    json_put_number(w, STR("excess"), m->excess);
    json_key(w, STR("trees"));
    trees_save(m->trees, w);
    json_close_object(w);
}

/* The settings are for people; numbers that are absent or odd are kept as they are and never used. */
static double number_or_zero(const struct json *v, str key) {
    const struct json *n = json_get(v, key);
    return json_is_number(n) ? json_number_of(n) : 0;
}

static unsigned count_or_zero(const struct json *v, str key) {
    double n = number_or_zero(v, key);
    return n >= 0 && n < 1e9 ? (unsigned)n : 0;
}

static err gbdt_load(struct arena *a, const struct json *v, size_t d, struct model **out) {
    struct trees *t;
    TRY(trees_load(a, json_get(v, STR("trees")), d, &t));
    if (t->n_part > MAX_PART)
        return fail(ERR_CORRUPT, "trees_invalid", "the model has %zu members in its bag, more than %d", t->n_part,
                    MAX_PART - 1);
    struct model *m = ARENA_NEW(a, struct model);
    TRY(stored_read_number(v, STR("excess"), &m->excess));
    if (m->excess < 0)
        return stored_bad("\"excess\" is a variance and negative");
    m->trees = t;
    m->shap = treeshap_new(a, t);
    m->choice = (struct gbdt_choice){.rounds = count_or_zero(v, STR("rounds")),
                                     .log_loss = number_or_zero(v, STR("log_loss")),
                                     .base_loss = number_or_zero(v, STR("base_loss"))};
    m->choice.setting = (struct gbdt_setting){.depth = count_or_zero(v, STR("depth")),
                                              .rate = number_or_zero(v, STR("rate")),
                                              .min_child_weight = number_or_zero(v, STR("min_child_weight")),
                                              .column_share = number_or_zero(v, STR("column_share")),
                                              .node_share = number_or_zero(v, STR("node_share")),
                                              .row_share = number_or_zero(v, STR("row_share")),
                                              .l2 = number_or_zero(v, STR("l2"))};
    *out = m;
    return OK;
}

const struct model_family gbdt_family = {
    .name = "gbdt",
    .fit = gbdt_fit,
    .predict = gbdt_predict,
    .spread = gbdt_spread,
    .explain = gbdt_explain,
    .save = gbdt_save,
    .load = gbdt_load,
};
