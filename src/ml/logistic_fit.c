/* logistic_fit.c — the penalty path, its cross-validation and the final fit.
 *
 * Where the time goes and how it is kept short: a Hessian costs as much as ten gradients, a factorisation as one to four. So
 * X'WX is computed when progress is slow and not otherwise; for another penalty only its diagonal changes; and one factor
 * per penalty serves the model of all rows and those of the folds, whose Hessians are near (K - 1) / K of it. Each fold
 * starts at the solution for all rows, where its gradient is known: the whole less the part of the rows held out. All models
 * are solved to a stated tolerance, so that the cross-validation is exact; only the way there is cheap. */
#include "ml/lbfgs.h"
#include "ml/linalg.h"
#include "ml/logistic_fit_priv.h"

#include "base/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In nats of the whole objective. A model on the path is off by less than 0.002 standard errors in any direction.
 */
static const double PATH_TOLERANCE = 1e-6, FINAL_TOLERANCE = 1e-20, SMALL_DECREMENT = 1e-10;
static const double LEAST_PRECISION = 1e-7;
enum {
    PATIENCE = 6,
    MAX_REFRESH = 60,
    MAX_WIDE_ITERATION = 2000,
    MEMORY = 8,
    MEMORY_WIDE = 20,
    OWN_FOLDS = 5,
    MAX_JITTER = 40
};

static const double default_grid[] = {1000, 316, 100, 31.6, 10, 3.16, 1, 0.316, 0.1};
enum { DEFAULT_GRID = sizeof default_grid / sizeof default_grid[0] };

/* What is believed of the best penalty before any cross-validation, in decades: with the default grid its cost joins the
 * cross-validated loss. Among twenty rows that loss is mostly noise, and without this its minimum lies anywhere; among
 * hundreds this does not count. */
static const double LIKELY_PENALTY = 10, PENALTY_SPREAD = 0.5;

/* Work worth a thread: entries of rows. */
enum { PARALLEL_ENTRY = 1 << 20 };

/* ---- objectives ---- */

static double add_prior(const struct fitting *f, const double *theta, double *g) {
    double sum = 0;
    for (size_t j = 0; j < f->m; j++) {
        double off = theta[j] - f->prior[j], pull = f->precision[j] * off;
        g[j] += pull;
        sum += pull * off;
    }
    return sum / 2;
}

static err sum_part(void *ctx, size_t part, struct arena *scratch) {
    struct fitting *f = ctx;
    (void)scratch;
    double *g = f->part_g + part * f->m;
    memset(g, 0, f->m * sizeof *g);
    f->part_loss[part] = design_loss(f->x, f->x->part[part], f->x->part[part + 1], f->evaluated, g);
    return OK;
}

/* Over all rows, by part, so that the folds find their gradients. */
static double value_of_all(void *ctx, const double *theta, double *g) {
    struct fitting *f = ctx;
    memcpy(f->evaluated, theta, f->m * sizeof *theta);
    if (f->threads_sum == 1 || parallel_for(f->x->n_part, f->threads_sum, 1 << 16, sum_part, f) != OK)
        for (size_t part = 0; part < f->x->n_part; part++)
            (void)!sum_part(f, part, NULL);
    double value = 0;
    memset(f->total_g, 0, f->m * sizeof *g);
    for (size_t part = 0; part < f->x->n_part; part++) {
        value += f->part_loss[part];
        vector_add(f->total_g, 1, f->part_g + part * f->m, f->m);
    }
    f->total_value = value + add_prior(f, theta, f->total_g);
    memcpy(g, f->total_g, f->m * sizeof *g);
    return f->total_value;
}

struct fold_objective {
    const struct fitting *f;
    size_t held_out;
};

static double value_of_fold(void *ctx, const double *theta, double *g) {
    const struct fold_objective *o = ctx;
    const struct design *x = o->f->x;
    memset(g, 0, o->f->m * sizeof *g);
    double loss = design_loss(x, 0, x->part[o->held_out], theta, g);
    loss += design_loss(x, x->part[o->held_out + 1], x->n, theta, g);
    return loss + add_prior(o->f, theta, g);
}

static void precondition(const struct fitting *f, double *v) {
    if (f->dense) {
        cholesky_solve(f->factor, f->m, v);
        return;
    }
    for (size_t j = 0; j < f->m; j++)
        v[j] /= f->factor[j];
}

static void precondition_all(void *ctx, double *v) { precondition(ctx, v); }

static void precondition_fold(void *ctx, double *v) { precondition(((const struct fold_objective *)ctx)->f, v); }

/* ---- Hessians ---- */

static void compute_curvature(struct fitting *f) {
    memset(f->curvature, 0, (f->dense ? f->m * f->m : f->m) * sizeof *f->curvature);
    if (f->dense)
        design_curvature(f->x, 0, f->x->n, f->theta, f->curvature);
    else
        design_curvature_diagonal(f->x, 0, f->x->n, f->theta, f->curvature);
}

/* H = X'WX + precision, factored (Eq. 65). Rounding can make a singular X'WX under a slight precision indefinite: then the
 * diagonal is raised until it is not; where nothing helps because numbers overflowed, steps go by the diagonal alone. */
static void factor_hessian(struct fitting *f) {
    size_t m = f->m;
    if (!f->dense) {
        for (size_t j = 0; j < m; j++)
            f->factor[j] = f->curvature[j] + f->precision[j];
        return;
    }
    double trace = 0;
    for (size_t j = 0; j < m; j++)
        trace += f->curvature[j * m + j] + f->precision[j];
    double jitter = 0;
    for (int i = 0; i < MAX_JITTER && isfinite(trace); i++, jitter = jitter > 0 ? 10 * jitter : 1e-14 * trace / (double)m) {
        memcpy(f->factor, f->curvature, m * m * sizeof *f->factor);
        for (size_t j = 0; j < m; j++)
            f->factor[j * m + j] += f->precision[j] + jitter;
        if (cholesky_factor(f->factor, m))
            return;
    }
    memset(f->factor, 0, m * m * sizeof *f->factor);
    for (size_t j = 0; j < m; j++) {
        double h = f->curvature[j * m + j] + f->precision[j];
        f->factor[j * m + j] = h > 0 && isfinite(h) ? sqrt(h) : 1;
    }
}

/* ---- solving ---- */

void logistic_set_penalty(struct fitting *f, double penalty) {
    for (size_t j = 0; j < f->m; j++)
        f->precision[j] = fmax(penalty * f->relative[j], LEAST_PRECISION);
    factor_hessian(f);
}

static struct lbfgs_opts solver_opts(const struct fitting *f, double tolerance, unsigned patience) {
    return (struct lbfgs_opts){.max_iteration = f->dense ? patience : MAX_WIDE_ITERATION,
                               .memory = f->dense ? MEMORY : MEMORY_WIDE,
                               .tolerance = tolerance};
}

/* Newton's method on all rows from f->theta, the Hessian renewed when PATIENCE steps were not enough. Along directions that
 * only the guard holds, rounding keeps the last tolerance out of reach: what is small and no longer shrinks is the end as
 * well. */
static void solve_all(struct arena *a, struct fitting *f, double tolerance) {
    struct lbfgs_problem problem = {.n = f->m, .ctx = f, .value = value_of_all, .precondition = precondition_all};
    struct lbfgs_opts opts = solver_opts(f, tolerance, PATIENCE);
    double before = INFINITY;
    for (int i = 0; i < MAX_REFRESH; i++) {
        struct lbfgs_result r = lbfgs_minimise(a, &problem, &opts, f->theta);
        if (r.converged || (r.decrement < SMALL_DECREMENT && r.decrement > before / 4))
            break;
        before = r.decrement;
        compute_curvature(f);
        factor_hessian(f);
    }
}

/* A training part of one class leaves the intercept without an estimate: the base rate of (P + 1/2) / (N + 1), and the
 * prior. */
static bool settle_one_class(const struct fitting *f, size_t held_out, double *theta) {
    const struct design *x = f->x;
    double positive = 0, total = 0;
    for (size_t i = 0; i < x->n; i++) {
        bool in = i < x->part[held_out] || i >= x->part[held_out + 1];
        double w = in ? (x->weight ? x->weight[i] : 1) : 0;
        positive += w * x->y[i];
        total += w;
    }
    if (f->relative[f->m - 1] > 0 || (positive > 0 && positive < total))
        return false;
    memcpy(theta, f->prior, f->m * sizeof *theta);
    theta[f->m - 1] = log((positive + 0.5) / (total - positive + 0.5));
    return true;
}

static err solve_fold(void *ctx, size_t part, struct arena *scratch) {
    struct fitting *f = ctx;
    const struct design *x = f->x;
    double *theta = f->fold_theta + part * f->m;
    if (!settle_one_class(f, part, theta)) {
        double *g = ARENA_ARRAY(scratch, f->m, double);
        for (size_t j = 0; j < f->m; j++)
            g[j] = f->total_g[j] - f->part_g[part * f->m + j];
        memcpy(theta, f->theta, f->m * sizeof *theta);
        struct fold_objective o = {.f = f, .held_out = part};
        struct lbfgs_problem problem = {.n = f->m, .ctx = &o, .value = value_of_fold, .precondition = precondition_fold};
        struct lbfgs_opts opts = solver_opts(f, PATH_TOLERANCE, 200);
        opts.start_g = g;
        opts.start_value = f->total_value - f->part_loss[part];
        (void)lbfgs_minimise(scratch, &problem, &opts, theta);
    }
    design_logit(x, x->part[part], x->part[part + 1], theta, f->held_out);
    return OK;
}

/* ---- the path ---- */

struct best {
    double penalty, loss;
    double *theta, *held_out; /* m, n */
};

static int descending(const void *x, const void *y) {
    const double *a = x, *b = y;
    return (*a < *b) - (*a > *b);
}

/* Fits all models at one penalty, from the solution in f->theta; keeps them when they are the best so far. */
static err try_penalty(struct arena *a, struct fitting *f, double penalty, struct trials *tried, struct best *best,
                       bool *better) {
    const size_t scratch_byte = (f->m * (8 + 3 * MEMORY_WIDE) + 4096) * sizeof(double);
    logistic_set_penalty(f, penalty);
    solve_all(a, f, PATH_TOLERANCE);
    if (memcmp(f->evaluated, f->theta, f->m * sizeof *f->theta) != 0)
        (void)value_of_all(f, f->theta, f->spare);
    TRY(parallel_for(f->x->n_part, f->threads, scratch_byte, solve_fold, f));
    double off = f->own_grid ? log10(penalty / LIKELY_PENALTY) / PENALTY_SPREAD : 0;
    double loss = design_loss_of_logit(f->x, 0, f->x->n, f->held_out) + off * off / 2;
    tried->of[tried->n++] = (struct trial){penalty, loss, arena_copy(a, f->theta, f->m * sizeof *f->theta)};
    *better = loss < best->loss;
    if (*better) {
        best->loss = loss;
        best->penalty = penalty;
        memcpy(best->theta, f->theta, f->m * sizeof *f->theta);
        memcpy(best->held_out, f->held_out, f->x->n * sizeof *f->held_out);
    }
    return OK;
}

/* From the middle of the grid (descending) to weaker penalties, then to stronger ones; each way ends at the second rise in a
 * row. When the loss fell on the way to weaker ones, it was rising the other way: that counts as the first. */
static err walk_path(struct arena *a, struct fitting *f, const double *grid, size_t n_grid, struct trials *tried,
                     struct best *best) {
    size_t middle = n_grid / 2;
    bool better;
    best->loss = INFINITY;
    TRY(try_penalty(a, f, grid[middle], tried, best, &better));
    for (size_t k = middle + 1, rises = 0; k < n_grid && rises < 2; k++) {
        TRY(try_penalty(a, f, grid[k], tried, best, &better));
        rises = better ? 0 : rises + 1;
    }
    for (size_t k = middle, rises = best->penalty<grid[middle]; k--> 0 && rises < 2;) {
        if (k + 1 == middle)
            memcpy(f->theta, best->theta, f->m * sizeof *f->theta);
        TRY(try_penalty(a, f, grid[k], tried, best, &better));
        rises = better ? 0 : rises + 1;
    }
    return OK;
}

/* ---- setting up ---- */

static err check_rows(const struct dataset *s, double *positive, double *total) {
    *positive = *total = 0;
    for (size_t i = 0; i < s->n; i++) {
        *positive += dataset_weight(s, i) * s->y[i];
        *total += dataset_weight(s, i);
    }
    if (!(*total > 0))
        return fail(ERR_INPUT, "no_rows", "there are no rows to learn from");
    if (!(*positive > 0) || !(*positive < *total))
        return fail(ERR_INPUT, "one_class", "all %zu training rows have the same outcome; nothing can be learned from them",
                    s->n);
    return OK;
}

static void set_prior(struct arena *a, struct fitting *f, const struct dataset *s, const struct fit_opts *o) {
    double *prior = ARENA_ARRAY(a, f->m, double), *relative = ARENA_ARRAY(a, f->m, double);
    for (size_t j = 0; j < f->m; j++) {
        size_t c = j + 1 < f->m ? f->x->column[j] : s->d;
        prior[j] = o->prior_mean ? o->prior_mean[c] : 0;
        relative[j] = o->prior_weight ? o->prior_weight[c] : j + 1 < f->m;
    }
    f->prior = prior;
    f->relative = relative;
}

static void set_up(struct arena *a, struct fitting *f, const struct design *x, const struct dataset *s,
                   const struct fit_opts *o) {
    size_t m = x->d + 1, matrix = f->dense ? m * m : m;
    bool large = x->one_start[x->n] + x->number_start[x->n] > PARALLEL_ENTRY;
    f->x = x;
    f->m = m;
    f->own_grid = !o->penalty_grid || o->n_penalty == 0;
    f->threads = o->threads;
    f->threads_sum = large ? o->threads : 1;
    set_prior(a, f, s, o);
    f->precision = ARENA_ARRAY(a, m, double);
    f->curvature = ARENA_ARRAY(a, matrix, double);
    f->factor = ARENA_ARRAY(a, matrix, double);
    f->theta = ARENA_ARRAY(a, m, double);
    f->evaluated = ARENA_ARRAY(a, m, double);
    f->total_g = ARENA_ARRAY(a, m, double);
    f->spare = ARENA_ARRAY(a, m, double);
    f->part_g = ARENA_ARRAY(a, x->n_part * m, double);
    f->part_loss = ARENA_ARRAY(a, x->n_part, double);
    f->fold_theta = ARENA_ARRAY(a, x->n_part * m, double);
    f->held_out = ARENA_ARRAY(a, x->n, double);
}

static const double *sort_grid(struct arena *a, const struct fit_opts *o, size_t *n) {
    bool own = !o->penalty_grid || o->n_penalty == 0;
    const double *grid = own ? default_grid : o->penalty_grid;
    *n = own ? (size_t)DEFAULT_GRID : o->n_penalty;
    double *sorted = arena_copy(a, grid, *n * sizeof *grid);
    qsort(sorted, *n, sizeof *sorted, descending);
    return sorted;
}

/* ---- the model ---- */

static void set_means(const struct dataset *s, const struct model *m, double total) {
    double *mean = m->linear.mean;
    for (size_t i = 0; i < s->n; i++) {
        struct row r = dataset_row(s, i);
        double w = dataset_weight(s, i) / total;
        for (size_t k = 0; k < r.n; k++)
            if (m->slot[r.col[k]] != LOGISTIC_UNUSED)
                mean[r.col[k]] += w * r.val[k];
    }
}

/* Tightens the solution at the chosen penalty and takes the Hessian at the very optimum. */
static void finish(struct arena *a, struct fitting *f, double penalty) {
    compute_curvature(f);
    logistic_set_penalty(f, penalty);
    solve_all(a, f, FINAL_TOLERANCE);
    compute_curvature(f);
    factor_hessian(f);
}

static err fit_model(struct arena *a, const struct dataset *s, const struct fit_opts *o, const struct design *x,
                     double *out_of_fold, struct model *m) {
    struct fitting f = {.dense = m->dense};
    set_up(a, &f, x, s, o);
    double positive, total;
    TRY(check_rows(s, &positive, &total));
    memcpy(f.theta, f.prior, f.m * sizeof *f.theta);
    if (f.relative[f.m - 1] == 0)
        f.theta[f.m - 1] = log(positive / (total - positive));
    compute_curvature(&f);
    size_t n_grid;
    const double *grid = sort_grid(a, o, &n_grid);
    struct best best = {.penalty = grid[n_grid / 2], .theta = f.theta};
    struct trials tried = {0};
    if (n_grid > 1 || out_of_fold) {
        best.theta = ARENA_ARRAY(a, f.m, double);
        best.held_out = ARENA_ARRAY(a, x->n, double);
        tried.of = ARENA_ARRAY(a, n_grid, struct trial);
        TRY(walk_path(a, &f, grid, n_grid, &tried, &best));
        memcpy(f.theta, best.theta, f.m * sizeof *f.theta);
    }
    finish(a, &f, best.penalty);
    m->penalty = best.penalty;
    for (size_t i = 0; out_of_fold && i < x->n; i++)
        out_of_fold[x->row[i]] = best.held_out[i];
    logistic_set_estimate(a, &f, &tried, best.loss, m);
    set_means(s, m, total);
    linear_complete(&m->linear);
    return OK;
}

/* The columns in use, in order; all when there are no masks. */
static size_t list_columns(const struct dataset *s, const unsigned char *use, unsigned char bit, uint32_t *column) {
    size_t k = 0;
    for (size_t c = 0; c < s->d; c++)
        if (!use || (use[c] & bit))
            column[k++] = (uint32_t)c;
    return k;
}

static err make_folds(struct arena *a, const struct dataset *s, const struct fit_opts *o, const uint32_t **fold,
                      uint32_t *n_fold) {
    *fold = o->fold;
    *n_fold = o->n_fold;
    if (o->fold && o->n_fold >= 2) {
        for (size_t i = 0; i < s->n; i++)
            if (o->fold[i] >= o->n_fold)
                return fail(ERR_INPUT, "fold_range", "row %zu is in fold %u of %u", i, o->fold[i], o->n_fold);
        return OK;
    }
    uint32_t *own = ARENA_ARRAY(a, s->n, uint32_t);
    dataset_fold(a, s, OWN_FOLDS, o->seed, NULL, own);
    *fold = own;
    *n_fold = OWN_FOLDS;
    return OK;
}

err logistic_fit_columns(struct arena *a, const struct dataset *s, const struct fit_opts *o, enum column_use bit,
                         double *out_of_fold, struct model **out) {
    double positive, total;
    TRY(check_rows(s, &positive, &total));
    uint32_t *column = ARENA_ARRAY(a, s->d, uint32_t);
    size_t k = list_columns(s, o->use, (unsigned char)bit, column);
    if (k == 0)
        return fail(ERR_INPUT, "no_columns", "none of the %zu columns is meant for this family of models", s->d);
    struct model *m = logistic_new(a, s->d, column, k, k <= LOGISTIC_DENSE);
    m->rows = s->n;
    for (size_t i = 0; i < s->n; i++)
        m->positives += s->y[i] > 0;
    struct arena_mark mark = arena_mark(a);
    const uint32_t *fold;
    uint32_t n_fold;
    TRY(make_folds(a, s, o, &fold, &n_fold));
    const struct design *x = design_new(a, s, o->use, (unsigned char)bit, fold, n_fold);
    TRY(fit_model(a, s, o, x, out_of_fold, m));
    arena_rewind(a, mark);
    *out = m;
    return OK;
}
