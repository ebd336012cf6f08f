/* gbdt_tune.c — the race of settings and the final cross-validation. */
#include "ml/gbdt_tune.h"

#include "base/parallel.h"

#include <math.h>

enum {
    CHUNK = 16, /* rounds between two decisions */
    RACE_ROUNDS = 400,
    FINAL_ROUNDS = 2500,
    PATIENCE = 32, /* rounds without a new best at the final rate */
    LARGE = 20000, /* rows from which one fold is enough to race on */
    SMALL = 2000   /* rows up to which all folds race */
};
static const double RACE_RATE = 0.15, FINAL_RATE = 0.05;

/* One fold's part of the work. `arena` keeps the matrices, `run` the booster of the setting at hand. */
struct part {
    struct arena *arena, *run;
    const uint32_t *held;
    size_t n_held;
    double base;
    struct gbdt_matrix *train, *watched;
    struct gbdt_booster *booster;
    double loss[FINAL_ROUNDS + 1]; /* summed over the held-out rows, by round */
};

struct race {
    const struct dataset *s;
    const struct gbdt_columns *columns;
    const uint32_t *fold;
    uint64_t seed;
    unsigned threads;
    struct part *part;
    uint32_t n_part; /* folds in use */
    double held_weight;
    struct gbdt_setting setting;
    unsigned rounds; /* to grow to */
    double *out_of_fold;
};

double gbdt_base(const struct dataset *s, const uint32_t *rows, size_t k) {
    double positive = 0, all = 0;
    size_t n = rows ? k : s->n;
    for (size_t i = 0; i < n; i++) {
        size_t at = rows ? rows[i] : i;
        positive += s->y[at] * dataset_weight(s, at);
        all += dataset_weight(s, at);
    }
    return log((positive + 0.5) / (all - positive + 0.5));
}

static double row_loss(double y, double margin) {
    return (margin > 0 ? margin : 0) + log1p(exp(-fabs(margin))) - y * margin;
}

/* ---- work on one fold, in any thread ---- */

/* Runs fn with the part's own arenas guarded, as they outlive the thread's scratch. */
struct guarded {
    struct race *r;
    struct part *p;
    err (*fn)(struct race *r, struct part *p);
};

static err call(void *ctx) {
    struct guarded *g = ctx;
    return g->fn(g->r, g->p);
}

static err call_inner(void *ctx) {
    struct guarded *g = ctx;
    return arena_run(g->p->run, call, g);
}

struct each {
    struct race *r;
    err (*fn)(struct race *r, struct part *p);
};

static err run_part(void *ctx, size_t i, struct arena *scratch) {
    (void)scratch;
    const struct each *e = ctx;
    struct guarded g = {.r = e->r, .p = &e->r->part[i], .fn = e->fn};
    return arena_run(g.p->arena, call_inner, &g);
}

static err each_part(struct race *r, err (*fn)(struct race *r, struct part *p)) {
    struct each e = {.r = r, .fn = fn};
    return parallel_for(r->n_part, r->threads, 1 << 16, run_part, &e);
}

static err make_matrices(struct race *r, struct part *p) {
    if (p->train)
        return OK;
    uint32_t f = (uint32_t)(p - r->part), *rows = ARENA_ARRAY(p->arena, r->s->n, uint32_t);
    uint32_t *held = ARENA_ARRAY(p->arena, r->s->n, uint32_t);
    size_t n = dataset_fold_rows(r->fold, r->s->n, f, false, rows);
    p->n_held = dataset_fold_rows(r->fold, r->s->n, f, true, held);
    p->held = held;
    p->base = gbdt_base(r->s, rows, n);
    TRY(gbdt_matrix_new(p->arena, r->s, r->columns, rows, n, NULL, &p->train));
    return gbdt_matrix_new(p->arena, r->s, r->columns, held, p->n_held, NULL, &p->watched);
}

static err begin_booster(struct race *r, struct part *p) {
    arena_reset(p->run);
    p->loss[0] = 0;
    for (size_t i = 0; i < p->n_held; i++)
        p->loss[0] += dataset_weight(r->s, p->held[i]) * row_loss(r->s->y[p->held[i]], p->base);
    return gbdt_booster_new(p->run, p->train, p->watched, &r->setting, p->base, r->seed, &p->booster);
}

static err grow_chunk(struct race *r, struct part *p) {
    while (gbdt_booster_rounds(p->booster) < r->rounds) {
        TRY(gbdt_booster_grow(p->booster));
        const float *margin;
        TRY(gbdt_booster_margin(p->booster, p->watched, UINT32_MAX, &margin));
        double sum = 0;
        for (size_t i = 0; i < p->n_held; i++)
            sum += dataset_weight(r->s, p->held[i]) * row_loss(r->s->y[p->held[i]], (double)margin[i]);
        p->loss[gbdt_booster_rounds(p->booster)] = sum;
    }
    return OK;
}

static err collect(struct race *r, struct part *p) {
    const float *margin = NULL;
    if (r->rounds > 0)
        TRY(gbdt_booster_margin(p->booster, p->watched, r->rounds, &margin));
    for (size_t i = 0; i < p->n_held; i++)
        r->out_of_fold[p->held[i]] = margin ? (double)margin[i] : p->base;
    return OK;
}

/* ---- decisions ---- */

static double mean_loss(const struct race *r, unsigned round) {
    double sum = 0;
    for (uint32_t f = 0; f < r->n_part; f++)
        sum += r->part[f].loss[round];
    return sum / r->held_weight;
}

struct outcome {
    double loss;
    unsigned rounds;
};

/* Grows the setting at hand on all parts in step until `patience` rounds bring no new best, `most` rounds are grown, or it
 * cannot be expected to reach `rival`. */
static err run_setting(struct race *r, unsigned most, unsigned patience, double rival, struct outcome *best) {
    TRY(each_part(r, begin_booster));
    *best = (struct outcome){.loss = mean_loss(r, 0), .rounds = 0};
    double before = best->loss; /* at the chunk before */
    for (r->rounds = 0; r->rounds < most && r->rounds < best->rounds + patience;) {
        unsigned from = r->rounds + 1;
        r->rounds = r->rounds + CHUNK < most ? r->rounds + CHUNK : most;
        TRY(each_part(r, grow_chunk));
        for (unsigned k = from; k <= r->rounds; k++) {
            double loss = mean_loss(r, k);
            if (loss < best->loss)
                *best = (struct outcome){.loss = loss, .rounds = k};
        }
        if (from > CHUNK && best->loss - 3 * (before - best->loss) > rival)
            break;
        before = best->loss;
    }
    return OK;
}

static void use_folds(struct race *r, uint32_t n) {
    r->n_part = n;
    r->held_weight = 0;
    for (size_t i = 0; i < r->s->n; i++)
        if (r->fold[i] < n)
            r->held_weight += dataset_weight(r->s, i);
}

/* Depth, least child weight, column and node shares, lambda. The first suits most tables; the others lie around it towards
 * shallow and deep, loose and tight. */
static const struct gbdt_setting tried[] = {
    {.depth = 4, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 5},
    {.depth = 6, .min_child_weight = 5, .column_share = 0.2, .node_share = 1, .l2 = 10},
    {.depth = 4, .min_child_weight = 1, .column_share = 0.4, .node_share = 1, .l2 = 1},
    {.depth = 6, .min_child_weight = 5, .column_share = 1, .node_share = 0.2, .l2 = 5},
    {.depth = 3, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 1},
    {.depth = 8, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 10},
    {.depth = 2, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 1},
    {.depth = 1, .min_child_weight = 2, .column_share = 0.4, .node_share = 1, .l2 = 5},
};

static err hold_race(struct race *r, struct gbdt_choice *out) {
    double best = INFINITY;
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        struct outcome o;
        r->setting = tried[i];
        r->setting.max_bin = 64;
        r->setting.row_share = 0.8;
        r->setting.rate = RACE_RATE;
        TRY(run_setting(r, RACE_ROUNDS, CHUNK, best, &o));
        if (o.loss < best) {
            best = o.loss;
            out->setting = r->setting;
            out->race_rounds = o.rounds;
        }
    }
    out->race_rate = RACE_RATE;
    return OK;
}

static void free_arena(void *arena) { arena_free(arena); }

static err new_arena(struct arena *owner, struct arena **out) {
    *out = arena_new(arena_limit(owner));
    if (!*out)
        return fail(ERR_LIMIT, "memory_limit", "no memory for a cross-validation fold");
    arena_defer(owner, free_arena, *out);
    return OK;
}

err gbdt_tune(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const uint32_t *fold, uint32_t n_fold,
              uint64_t seed, unsigned threads, double *out_of_fold, struct gbdt_choice *out) {
    struct race r = {.s = s, .columns = c, .fold = fold, .seed = seed, .threads = threads, .out_of_fold = out_of_fold};
    r.part = ARENA_ARRAY(a, n_fold, struct part);
    for (uint32_t f = 0; f < n_fold; f++) {
        TRY(new_arena(a, &r.part[f].arena));
        TRY(new_arena(a, &r.part[f].run));
    }
    uint32_t racing = s->n >= LARGE ? 1 : s->n <= SMALL || n_fold < 3 ? n_fold : 3;
    use_folds(&r, racing);
    TRY(each_part(&r, make_matrices));
    TRY(hold_race(&r, out));
    use_folds(&r, n_fold);
    TRY(each_part(&r, make_matrices));
    struct outcome o;
    r.setting = out->setting;
    r.setting.rate = FINAL_RATE;
    TRY(run_setting(&r, FINAL_ROUNDS, PATIENCE, INFINITY, &o));
    out->setting = r.setting;
    out->rounds = o.rounds;
    out->log_loss = o.loss;
    out->base_loss = mean_loss(&r, 0);
    r.rounds = o.rounds;
    if (out_of_fold)
        TRY(each_part(&r, collect));
    for (uint32_t f = 0; f < n_fold; f++) {
        arena_reset(r.part[f].run);
        arena_reset(r.part[f].arena);
    }
    return OK;
}
