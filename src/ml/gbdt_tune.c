/* gbdt_tune.c — the race of settings and the final cross-validation. */
#include "ml/gbdt_tune.h"

#include "base/parallel.h"
#include "ml/special.h"

#include <math.h>

enum {
    RACE_ROUNDS = 400,
    LOOK = 4,                   /* rounds between two looks at the held-out rows */
    FINAL_ROUNDS = 600,         /* about; more would cost every score */
    MARKS = 64,                 /* most times the final boosters are looked at */
    MARGINS = 16 * 1000 * 1000, /* out-of-fold predictions kept, all marks together */
    LARGE = 20000,              /* rows from which one fold is enough to race on */
    SMALL = 2000,               /* rows up to which all folds race */
    FINE_BIN = 256,             /* of the final boosters; the race gets on with fewer */
    LEAST_HALVED = 40           /* rows that half models can be grown from */
};
static const double RACE_RATE = 0.15, LARGE_RACE_RATE = 0.25, FINAL_RATE = 0.05;

/* Squared error of the log-odds falls as rows^-0.4 or faster; see gbdt_tune.h. */
static const double LEARNING_EXPONENT = 0.4;

/* Depth, least child weight, column and node shares, lambda. The first suits most tables; the others lie around it towards
 * shallow and deep, loose and tight. */
static const struct gbdt_setting tried[] = {
    {.depth = 4, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 5},
    {.depth = 6, .min_child_weight = 5, .column_share = 0.2, .node_share = 1, .l2 = 10},
    {.depth = 4, .min_child_weight = 1, .column_share = 0.4, .node_share = 1, .l2 = 1},
    {.depth = 6, .min_child_weight = 5, .column_share = 1, .node_share = 0.2, .l2 = 5},
    {.depth = 3, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 1},
    {.depth = 6, .min_child_weight = 20, .column_share = 0.8, .node_share = 1, .l2 = 10},
    {.depth = 4, .min_child_weight = 5, .column_share = 0.8, .node_share = 1, .l2 = 5},
    {.depth = 8, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 10},
    {.depth = 8, .min_child_weight = 1, .column_share = 0.8, .node_share = 1, .l2 = 10},
    {.depth = 8, .min_child_weight = 1, .column_share = 0.8, .node_share = 1, .l2 = 1},
    {.depth = 3, .min_child_weight = 20, .column_share = 0.8, .node_share = 1, .l2 = 10},
    {.depth = 2, .min_child_weight = 5, .column_share = 0.4, .node_share = 1, .l2 = 1},
    {.depth = 1, .min_child_weight = 2, .column_share = 0.4, .node_share = 1, .l2 = 5},
};
enum { N_TRIED = sizeof tried / sizeof *tried };

/* What one fold found: for each setting of the race, or at each mark of the final boosters. */
struct found {
    double loss[N_TRIED > MARKS + 1 ? N_TRIED : MARKS + 1]; /* summed over the held-out rows */
    unsigned rounds[N_TRIED];
    unsigned n_mark; /* marks reached, that at 0 rounds included */
};

struct tuning {
    const struct dataset *s;
    const struct gbdt_columns *columns;
    const uint32_t *fold;
    const uint32_t *half; /* s->n: grow on the rows that are 0 here; NULL: on all */
    uint64_t seed;
    struct found *found;         /* by fold */
    struct gbdt_setting setting; /* final */
    unsigned most, step, marks;  /* final: rounds to grow, rounds between marks, their number */
    float *margin;               /* final: s->n rows of marks + 1 */
};

double gbdt_base(const struct dataset *s, const uint32_t *rows, size_t k, const double *weight) {
    double positive = 0, all = 0;
    size_t n = rows ? k : s->n;
    for (size_t i = 0; i < n; i++) {
        size_t at = rows ? rows[i] : i;
        double w = dataset_weight(s, at) * (weight ? weight[i] : 1);
        positive += s->y[at] * w;
        all += w;
    }
    return log((positive + 0.5) / (all - positive + 0.5));
}

/* Logistic loss of log-odds z. */
static double row_loss(double y, double z) { return softplus(z) - y * z; }

/* ---- one fold, on one thread ---- */

struct split {
    const struct tuning *t;
    struct arena *scratch;
    uint32_t *held;
    size_t n_held;
    double base;
    struct gbdt_matrix *train, *watched;
};

static size_t keep_half(const uint32_t *half, uint32_t *rows, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (half[rows[i]] == 0)
            rows[kept++] = rows[i];
    return kept;
}

static err make_split(const struct tuning *t, uint32_t f, struct arena *scratch, struct split *out) {
    uint32_t *rows = ARENA_ARRAY(scratch, t->s->n, uint32_t);
    *out = (struct split){.t = t, .scratch = scratch, .held = ARENA_ARRAY(scratch, t->s->n, uint32_t)};
    size_t n = dataset_fold_rows(t->fold, t->s->n, f, false, rows);
    if (t->half)
        n = keep_half(t->half, rows, n);
    out->n_held = dataset_fold_rows(t->fold, t->s->n, f, true, out->held);
    out->base = gbdt_base(t->s, rows, n, NULL);
    TRY(gbdt_matrix_new(scratch, t->s, t->columns, rows, n, NULL, &out->train));
    return gbdt_matrix_new(scratch, t->s, t->columns, out->held, out->n_held, NULL, &out->watched);
}

/* Summed loss of the held-out rows; margin NULL: of the base. */
static double held_loss(const struct split *p, const float *margin) {
    double sum = 0;
    for (size_t i = 0; i < p->n_held; i++) {
        size_t row = p->held[i];
        sum += dataset_weight(p->t->s, row) * row_loss(p->t->s->y[row], margin ? (double)margin[i] : p->base);
    }
    return sum;
}

static double held_weight(const struct split *p) {
    double sum = 0;
    for (size_t i = 0; i < p->n_held; i++)
        sum += dataset_weight(p->t->s, p->held[i]);
    return sum;
}

/* A setting's way through the race: best loss so far at every LOOK rounds. */
struct way {
    double best[RACE_ROUNDS / LOOK + 1];
    unsigned n, best_at; /* entries; rounds of the last best */
};

/* Whether a setting can no longer be expected to win: even three times its latest gain would not bring it near the rival's
 * end, and it needs more than twice the rounds to get where the rival was. */
static bool is_beaten(const struct way *w, const struct way *rival, double slack) {
    enum { TREND = 4 }; /* looks */
    if (w->n <= 2 * TREND || rival->n == 0)
        return false;
    double now = w->best[w->n - 1], gain = w->best[w->n - 1 - TREND] - now;
    size_t half = (w->n - 1) / 2 < rival->n ? (w->n - 1) / 2 : rival->n - 1;
    return now - 3 * gain > rival->best[rival->n - 1] + slack && now > rival->best[half] + slack;
}

/* Grows one setting of the race until 16 rounds bring no new best or the rival has beaten it. */
static err race_one(const struct split *p, const struct gbdt_setting *s, const struct way *rival, struct way *w) {
    enum { PATIENCE = 16 };
    const double slack = 0.001 * held_weight(p);
    struct gbdt_booster *b;
    *w = (struct way){.best = {held_loss(p, NULL)}, .n = 1};
    TRY(gbdt_booster_new(p->scratch, p->train, p->watched, s, p->base, p->t->seed, &b));
    for (unsigned r = 1; r <= RACE_ROUNDS && r <= w->best_at + PATIENCE && !is_beaten(w, rival, slack); r++) {
        TRY(gbdt_booster_grow(b));
        if (r % LOOK > 0)
            continue;
        const float *margin;
        TRY(gbdt_booster_margin(b, p->watched, UINT32_MAX, &margin));
        double now = held_loss(p, margin);
        if (now < w->best[w->n - 1])
            w->best_at = r;
        w->best[w->n] = fmin(now, w->best[w->n - 1]);
        w->n++;
    }
    gbdt_booster_free(b);
    return OK;
}

static struct gbdt_setting race_setting(const struct tuning *t, size_t i) {
    struct gbdt_setting s = tried[i];
    s.max_bin = t->s->n >= LARGE ? 128 : 64;
    s.row_share = 0.8;
    s.rate = t->s->n >= LARGE ? LARGE_RACE_RATE : RACE_RATE;
    return s;
}

static err race_fold(void *ctx, size_t f, struct arena *scratch) {
    const struct tuning *t = ctx;
    struct found *out = &t->found[f];
    struct split p;
    TRY(make_split(t, (uint32_t)f, scratch, &p));
    struct way rival = {0}, w;
    for (size_t i = 0; i < N_TRIED; i++) {
        struct gbdt_setting s = race_setting(t, i);
        TRY(race_one(&p, &s, &rival, &w));
        out->loss[i] = w.best[w.n - 1];
        out->rounds[i] = w.best_at;
        if (i == 0 || out->loss[i] < rival.best[rival.n - 1])
            rival = w;
    }
    return OK;
}

static void keep_margins(const struct split *p, unsigned mark, const float *margin) {
    for (size_t i = 0; i < p->n_held; i++)
        p->t->margin[p->held[i] * (size_t)(p->t->marks + 1) + mark] = margin ? margin[i] : (float)p->base;
}

/* Grows the final setting, looking at it at every mark, until it has gone well past its best. */
static err final_fold(void *ctx, size_t f, struct arena *scratch) {
    const struct tuning *t = ctx;
    struct found *out = &t->found[f];
    struct split p;
    struct gbdt_booster *b;
    TRY(make_split(t, (uint32_t)f, scratch, &p));
    TRY(gbdt_booster_new(scratch, p.train, p.watched, &t->setting, p.base, t->seed, &b));
    out->loss[0] = held_loss(&p, NULL);
    keep_margins(&p, 0, NULL);
    out->n_mark = 1;
    for (unsigned r = 1, best_at = 0; r <= t->most && r <= best_at + best_at / 4 + 48; r++) {
        TRY(gbdt_booster_grow(b));
        if (r % t->step > 0)
            continue;
        const float *margin;
        TRY(gbdt_booster_margin(b, p.watched, UINT32_MAX, &margin));
        unsigned mark = r / t->step;
        out->loss[mark] = held_loss(&p, margin);
        keep_margins(&p, mark, margin);
        out->n_mark = mark + 1;
        if (out->loss[mark] < out->loss[best_at / t->step])
            best_at = r;
    }
    gbdt_booster_free(b);
    return OK;
}

/* ---- decisions ---- */

static void choose_setting(const struct tuning *t, uint32_t racing, struct gbdt_choice *out) {
    double best = INFINITY;
    for (size_t i = 0; i < N_TRIED; i++) {
        double loss = 0, rounds = 0;
        for (uint32_t f = 0; f < racing; f++) {
            loss += t->found[f].loss[i];
            rounds += (double)t->found[f].rounds[i] / racing;
        }
        if (loss >= best)
            continue;
        best = loss;
        out->setting = race_setting(t, i);
        out->race_rounds = (unsigned)lround(rounds);
        out->race_rate = out->setting.rate;
    }
}

/* The final rate, and how many rounds it may take, from what the race took at its rate. */
static void plan_final(struct tuning *t, const struct gbdt_choice *c) {
    t->setting = c->setting;
    t->setting.max_bin = FINE_BIN;
    double expected = c->race_rounds * c->race_rate; /* rounds times rate */
    t->setting.rate = fmax(FINAL_RATE, expected / FINAL_ROUNDS);
    t->most = (unsigned)(1.5 * expected / t->setting.rate) + 64;
    size_t room = MARGINS / t->s->n;
    t->step = t->most / (room > MARKS ? MARKS : room < 8 ? 8 : (unsigned)room) + 1;
    t->marks = t->most / t->step;
}

static double total_loss(const struct tuning *t, uint32_t n_fold, unsigned mark) {
    double sum = 0;
    for (uint32_t f = 0; f < n_fold; f++)
        sum += t->found[f].loss[mark];
    return sum;
}

/* The mark with the lowest loss over all folds, among those every fold reached. */
static unsigned choose_mark(const struct tuning *t, uint32_t n_fold) {
    unsigned common = MARKS + 1, best = 0;
    for (uint32_t f = 0; f < n_fold; f++)
        if (t->found[f].n_mark < common)
            common = t->found[f].n_mark;
    for (unsigned mark = 1; mark < common; mark++)
        if (total_loss(t, n_fold, mark) < total_loss(t, n_fold, best))
            best = mark;
    return best;
}

/* ---- how far off ---- */

/* Mean squared difference of two sets of out-of-fold log-odds over the first n_fold folds. */
static double mean_move(const struct tuning *t, unsigned mark, const struct tuning *u, unsigned mark_u, uint32_t n_fold) {
    const size_t width = t->marks + 1;
    double sum = 0, weight = 0;
    for (size_t i = 0; i < t->s->n; i++) {
        if (t->fold[i] >= n_fold)
            continue;
        double move = (double)t->margin[i * width + mark] - (double)u->margin[i * width + mark_u],
               w = dataset_weight(t->s, i);
        sum += w * move * move;
        weight += w;
    }
    return weight > 0 ? sum / weight : 0;
}

/* The same folds with half of their rows, and by how much their predictions moved when the other half came (gbdt_tune.h). */
static err measure_error(struct arena *a, const struct tuning *t, unsigned mark, uint32_t n_fold, unsigned threads,
                         double *error) {
    *error = 0;
    if (t->s->n < LEAST_HALVED)
        return OK;
    struct tuning h = *t;
    uint32_t *half = ARENA_ARRAY(a, t->s->n, uint32_t), used = t->s->n > SMALL && n_fold > 2 ? 2 : n_fold;
    dataset_fold(a, t->s, 2, t->seed + 1, NULL, half);
    h.half = half;
    h.found = ARENA_ARRAY(a, n_fold, struct found);
    h.margin = ARENA_ARRAY(a, t->s->n * (t->marks + 1), float);
    TRY(parallel_for(used, threads, arena_limit(a), final_fold, &h));
    const double move = mean_move(t, mark, &h, choose_mark(&h, used), used), share = (double)(n_fold - 1) / n_fold;
    *error = move * pow(share, LEARNING_EXPONENT) / (pow(2, LEARNING_EXPONENT) - 1);
    return OK;
}

/* Without columns there is nothing to choose and the library refuses to work. */
static err tune_nothing(const struct dataset *s, struct arena *a, const uint32_t *fold, uint32_t n_fold, double *out_of_fold,
                        struct gbdt_choice *out) {
    uint32_t *rows = ARENA_ARRAY(a, s->n, uint32_t);
    double loss = 0, weight = 0;
    for (uint32_t f = 0; f < n_fold; f++) {
        size_t n = dataset_fold_rows(fold, s->n, f, false, rows);
        double base = gbdt_base(s, rows, n, NULL);
        for (size_t i = 0; i < s->n; i++) {
            if (fold[i] != f)
                continue;
            loss += dataset_weight(s, i) * row_loss(s->y[i], base);
            weight += dataset_weight(s, i);
            if (out_of_fold)
                out_of_fold[i] = base;
        }
    }
    *out = (struct gbdt_choice){.setting = tried[0], .log_loss = loss / weight, .base_loss = loss / weight};
    return OK;
}

err gbdt_tune(struct arena *a, const struct dataset *s, const struct gbdt_columns *c, const uint32_t *fold, uint32_t n_fold,
              uint64_t seed, unsigned threads, double *out_of_fold, struct gbdt_choice *out) {
    if (c->k == 0)
        return tune_nothing(s, a, fold, n_fold, out_of_fold, out);
    struct tuning t = {.s = s, .columns = c, .fold = fold, .seed = seed};
    struct arena_mark mark = arena_mark(a);
    t.found = ARENA_ARRAY(a, n_fold, struct found);
    uint32_t racing = s->n >= LARGE ? 1 : s->n <= SMALL || n_fold < 3 ? n_fold : 3;
    TRY(parallel_for(racing, threads, arena_limit(a), race_fold, &t));
    choose_setting(&t, racing, out);
    plan_final(&t, out);
    t.margin = ARENA_ARRAY(a, s->n * (t.marks + 1), float);
    TRY(parallel_for(n_fold, threads, arena_limit(a), final_fold, &t));
    unsigned best = choose_mark(&t, n_fold);
    double weight = 0;
    for (size_t i = 0; i < s->n; i++) {
        weight += dataset_weight(s, i);
        if (out_of_fold)
            out_of_fold[i] = (double)t.margin[i * (t.marks + 1) + best];
    }
    out->setting = t.setting;
    out->rounds = best * t.step;
    out->log_loss = total_loss(&t, n_fold, best) / weight;
    out->base_loss = total_loss(&t, n_fold, 0) / weight;
    err rc = measure_error(a, &t, best, n_fold, threads, &out->error);
    arena_rewind(a, mark);
    return rc;
}
