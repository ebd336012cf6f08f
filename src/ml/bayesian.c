/* bayesian.c — the assumptions, the rows they share, and the average of their posteriors. */
#include "ml/bayesian_priv.h"

#include "ml/linalg.h"
#include "ml/logistic_priv.h"

#include <math.h>
#include <stdlib.h>

/* Standard deviations at the usual strength of the prior. The weights and widths were chosen on the training rows of public
 * tables with hand-made, reversed, shuffled and misplaced profiles (bench/cold_start.c): the profile "as given" keeps the
 * average from being worse than the profile at n = 20, the doubted ones bound the harm of a bad profile. */
static const struct width {
    double intercept, anchor, deviation;
    double weight; /* shared by its variants */
} widths[KIND_COUNT] = {
    [AS_GIVEN] = {0.05, 0.05, 0, 1},
    [RECALIBRATED] = {0.4, 0.4, 0.7, 1.5},
    [DOUBTED] = {1.5, 1.5, 0, 0.1},
    [NO_PRIOR] = {2, 1, 0, 1},
};

/* Penalties of the features; 0: left out. */
static const double penalties[] = {0, 300, 100, 30, 10, 3};
enum { N_PENALTY = sizeof penalties / sizeof *penalties };

/* A precision that holds a coefficient at its mean. */
static const double frozen = 1e8;

struct average {
    double top;     /* largest log weight so far; the sums are relative to it */
    double total;   /* of exp(log weight - top) */
    double *mean;   /* m */
    double *second; /* m x m: second moments, upper triangle; NULL when not wanted */
    double by_kind[KIND_COUNT], features, penalty;
};

/* ---- assumptions ---- */

static void add_assumption(struct problem *p, enum kind kind, bool deviates, double penalty, double trust, double weight) {
    const struct width *w = &widths[kind];
    double scale = kind == NO_PRIOR ? 1 : trust;
    p->assumption[p->n_assumption++] =
        (struct assumption){.kind = kind,
                            .intercept = scale / (w->intercept * w->intercept),
                            .anchor = scale / (w->anchor * w->anchor),
                            .deviation = deviates ? scale / (w->deviation * w->deviation) : frozen,
                            .penalty = penalty,
                            .log_weight = log(weight)};
}

static void list_assumptions(struct problem *p, double trust) {
    size_t n = p->n_feature > 0 ? N_PENALTY : 1;
    if (p->n_prior == 0) {
        for (size_t i = 0; i < n; i++)
            add_assumption(p, NO_PRIOR, false, penalties[i], trust, widths[NO_PRIOR].weight);
        return;
    }
    add_assumption(p, AS_GIVEN, false, 0, trust, widths[AS_GIVEN].weight);
    for (size_t i = 0; i < n; i++) {
        for (int deviates = 0; deviates < 2; deviates++)
            add_assumption(p, RECALIBRATED, deviates, penalties[i], trust, widths[RECALIBRATED].weight / (double)(2 * n));
        add_assumption(p, DOUBTED, false, penalties[i], trust, widths[DOUBTED].weight / (double)n);
    }
}

/* ---- rows ---- */

static bool is_prior(const struct fit_opts *o, size_t c) { return o->prior_mean && o->prior_mean[c] != 0; }

static bool is_feature(const struct fit_opts *o, size_t c) {
    return !is_prior(o, c) && (!o->use || (o->use[c] & COLUMN_LINEAR));
}

/* Parameter of each column of the dataset; UINT32_MAX when it has none. */
static const uint32_t *list_parameters(struct arena *a, struct problem *p, const struct dataset *s,
                                       const struct fit_opts *o) {
    uint32_t *parameter = ARENA_ARRAY(a, s->d, uint32_t), *column = ARENA_ARRAY(a, s->d, uint32_t);
    double *mu = ARENA_ARRAY(a, s->d, double);
    for (size_t c = 0; c < s->d; c++) {
        parameter[c] = UINT32_MAX;
        if (is_feature(o, c)) {
            parameter[c] = (uint32_t)p->n_feature;
            column[p->n_feature++] = (uint32_t)c;
        }
    }
    for (size_t c = 0; c < s->d; c++)
        if (is_prior(o, c)) {
            parameter[c] = (uint32_t)(p->n_feature + p->n_prior);
            column[p->n_feature + p->n_prior] = (uint32_t)c;
            mu[p->n_prior++] = o->prior_mean[c];
        }
    p->m = p->n_feature + p->n_prior + 2;
    p->column = column;
    p->mu = mu;
    return parameter;
}

/* One row's entries in ascending order of parameters; returns how many. */
static size_t fill_row(const struct problem *p, const uint32_t *parameter, struct row x, uint32_t *index, double *value) {
    size_t n = 0;
    double z = 0;
    for (size_t k = 0; k < x.n; k++)
        if (parameter[x.col[k]] < p->n_feature) {
            index[n] = parameter[x.col[k]];
            value[n++] = x.val[k];
        }
    for (size_t k = 0; k < x.n; k++) {
        uint32_t j = parameter[x.col[k]];
        if (j == UINT32_MAX || j < p->n_feature)
            continue;
        index[n] = j;
        value[n] = p->mu[j - p->n_feature] * x.val[k];
        z += value[n++];
    }
    index[n] = (uint32_t)(p->m - 2);
    value[n++] = z;
    return n;
}

static void set_rows(struct arena *a, struct problem *p, const struct dataset *s, const uint32_t *parameter) {
    size_t entries = s->n > 0 ? s->start[s->n] - s->start[0] + s->n : 0, at = 0;
    size_t *start = ARENA_ARRAY(a, s->n + 1, size_t);
    uint32_t *index = ARENA_ARRAY(a, entries, uint32_t);
    double *value = ARENA_ARRAY(a, entries, double), total = 0;
    p->center = ARENA_ARRAY(a, p->m, double);
    for (size_t i = 0; i < s->n; i++) {
        size_t n = fill_row(p, parameter, dataset_row(s, i), index + at, value + at);
        for (size_t k = at; k < at + n; k++)
            if (index[k] < p->n_feature)
                p->center[index[k]] += dataset_weight(s, i) * value[k];
        total += dataset_weight(s, i);
        at += n;
        start[i + 1] = at;
    }
    for (size_t j = 0; j < p->n_feature && total > 0; j++)
        p->center[j] /= total;
    p->n = s->n;
    p->start = start;
    p->index = index;
    p->value = value;
    p->y = s->y;
    p->weight = s->weight;
}

static const struct problem *new_problem(struct arena *a, const struct dataset *s, const struct fit_opts *o) {
    struct problem *p = ARENA_NEW(a, struct problem);
    p->mu_intercept = o->prior_mean ? o->prior_mean[s->d] : 0;
    set_rows(a, p, s, list_parameters(a, p, s, o));
    list_assumptions(p, o->prior_strength > 0 ? o->prior_strength : 1);
    return p;
}

/* ---- the average ---- */

static void scale_sums(struct average *m, size_t size, double by) {
    m->total *= by;
    m->features *= by;
    m->penalty *= by;
    for (int k = 0; k < KIND_COUNT; k++)
        m->by_kind[k] *= by;
    for (size_t j = 0; j < size; j++)
        m->mean[j] *= by;
    for (size_t j = 0; m->second && j < size * size; j++)
        m->second[j] *= by;
}

static void add_second(struct average *m, const struct solver *v, double *inverse, double w) {
    size_t size = v->p->m, k = size - v->from;
    cholesky_inverse(v->h, k, inverse);
    for (size_t i = v->from; i < size; i++)
        for (size_t j = i; j < size; j++)
            m->second[i * size + j] += w * (inverse[(i - v->from) * k + j - v->from] + v->theta[i] * v->theta[j]);
}

static void add_to_average(struct average *m, const struct solver *v, const struct assumption *s, double log_weight,
                           double *inverse) {
    enum { NEGLIGIBLE = 25 };
    if (isinf(log_weight) || log_weight < m->top - NEGLIGIBLE)
        return;
    if (log_weight > m->top) {
        scale_sums(m, v->p->m, isinf(m->top) ? 0 : exp(m->top - log_weight));
        m->top = log_weight;
    }
    double w = exp(log_weight - m->top);
    m->total += w;
    m->by_kind[s->kind] += w;
    m->features += s->penalty > 0 ? w : 0;
    m->penalty += w * (s->penalty > 0 ? s->penalty : 1000);
    vector_add(m->mean, w, v->theta, v->p->m);
    if (m->second)
        add_second(m, v, inverse, w);
}

/* Averages all assumptions. The covariance (upper triangle of m->second) only when `wanted`. */
static void average_assumptions(struct arena *a, const struct problem *p, bool wanted, struct average *m) {
    size_t size = p->m;
    *m = (struct average){.top = -INFINITY, .mean = ARENA_ARRAY(a, size, double)};
    m->second = wanted ? ARENA_ARRAY(a, size * size, double) : NULL;
    double *inverse = wanted ? ARENA_ARRAY(a, size * size, double) : NULL, *room = ARENA_ARRAY(a, 7 * size, double);
    struct solver v = {.p = p,
                       .precision = room,
                       .prior = room + size,
                       .theta = room + 2 * size,
                       .step = room + 3 * size,
                       .trial = room + 4 * size,
                       .g = room + 5 * size,
                       .sum = room + 6 * size,
                       .h = ARENA_ARRAY(a, size * size, double)};
    v.theta[size - 1] = p->mu_intercept;
    v.theta[size - 2] = 1;
    for (size_t i = 0; i < p->n_assumption; i++) {
        double log_weight = bayesian_solve(&v, &p->assumption[i]);
        add_to_average(m, &v, &p->assumption[i], log_weight, inverse);
    }
    scale_sums(m, size, 1 / m->total);
    for (size_t i = 0; wanted && i < size; i++)
        for (size_t j = i; j < size; j++)
            m->second[i * size + j] -= m->mean[i] * m->mean[j];
}

/* ---- back to the columns of the dataset ---- */

/* The linear map from parameters to coefficients, row by row: out = row r of T applied to the rows of `in`, each `width`
 * long and `stride` apart, where row m - 1 is the intercept. */
static void map_row(const struct problem *p, size_t r, const double *in, size_t stride, size_t width, size_t between,
                    double *out) {
    size_t features = p->n_feature, columns = features + p->n_prior;
    for (size_t i = 0; i < width; i++) {
        const double *at = in + i * between;
        if (r < features) {
            out[i] = at[r * stride];
        } else if (r < columns) {
            out[i] = p->mu[r - features] * (at[r * stride] + at[columns * stride]);
        } else {
            out[i] = at[(p->m - 1) * stride];
            for (size_t j = 0; j < features; j++)
                out[i] -= p->center[j] * at[j * stride];
        }
    }
}

/* T S T' of the covariance S of the parameters; T has one row for each column and one for the intercept. */
static const double *map_covariance(struct arena *a, const struct problem *p, double *s) {
    size_t m = p->m, k = p->n_feature + p->n_prior + 1;
    double *half = ARENA_ARRAY(a, k * m, double), *whole = ARENA_ARRAY(a, k * k, double);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++)
            s[i * m + j] = s[j * m + i];
    for (size_t r = 0; r < k; r++)
        map_row(p, r, s, m, m, 1, half + r * m);
    for (size_t r = 0; r < k; r++)
        map_row(p, r, half, 1, k, m, whole + r * k);
    return whole;
}

static void set_means(struct model *m, const struct dataset *s) {
    double total = 0;
    for (size_t i = 0; i < s->n; i++)
        total += dataset_weight(s, i);
    for (size_t i = 0; i < s->n; i++) {
        struct row x = dataset_row(s, i);
        for (size_t k = 0; k < x.n; k++)
            if (m->slot[x.col[k]] != LOGISTIC_UNUSED)
                m->linear.mean[x.col[k]] += dataset_weight(s, i) / total * x.val[k];
        m->positives += s->y[i] > 0;
    }
    m->rows = s->n;
}

static int ascending(const void *x, const void *y) {
    const uint32_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

static struct model *make_model(struct arena *a, const struct problem *p, const struct dataset *s,
                                const struct average *avg) {
    size_t k = p->n_feature + p->n_prior;
    uint32_t *sorted = arena_copy(a, p->column, k * sizeof *sorted), *parameter = ARENA_ARRAY(a, k + 1, uint32_t);
    qsort(sorted, k, sizeof *sorted, ascending);
    struct model *m = logistic_new(a, s->d, sorted, k, true);
    double *theta = ARENA_ARRAY(a, k + 1, double);
    for (size_t r = 0; r <= k; r++)
        map_row(p, r, avg->mean, 1, 1, 0, &theta[r]);
    for (size_t r = 0; r < k; r++) {
        m->linear.coefficient[p->column[r]] = theta[r] + 0.0; /* never -0, which text does not keep */
        parameter[m->slot[p->column[r]]] = (uint32_t)r;
    }
    parameter[k] = (uint32_t)k;
    m->linear.intercept = theta[k] + 0.0;
    const double *covariance = map_covariance(a, p, avg->second);
    double *packed = m->covariance;
    for (size_t i = 0; i <= k; i++)
        for (size_t j = i; j <= k; j++)
            *packed++ = covariance[parameter[i] * (k + 1) + parameter[j]] + 0.0;
    m->penalty = avg->penalty;
    set_means(m, s);
    linear_complete(&m->linear);
    return m;
}

/* ---- fitting ---- */

/* Predicts the rows of one fold by a model of the others. */
static void predict_fold(struct arena *a, const struct dataset *s, const struct fit_opts *o, uint32_t fold, double *out) {
    struct arena_mark mark = arena_mark(a);
    uint32_t *rows = ARENA_ARRAY(a, s->n, uint32_t);
    size_t n = dataset_fold_rows(o->fold, s->n, fold, false, rows);
    const struct dataset *train = dataset_pick(a, s, rows, n);
    const struct problem *p = new_problem(a, train, o);
    struct average m;
    average_assumptions(a, p, false, &m);
    size_t k = p->n_feature + p->n_prior;
    double *coefficient = ARENA_ARRAY(a, s->d + 1, double), intercept;
    for (size_t r = 0; r < k; r++)
        map_row(p, r, m.mean, 1, 1, 0, &coefficient[p->column[r]]);
    map_row(p, k, m.mean, 1, 1, 0, &intercept);
    for (size_t i = 0; i < s->n; i++) {
        if (o->fold[i] != fold)
            continue;
        struct row x = dataset_row(s, i);
        out[i] = intercept;
        for (size_t c = 0; c < x.n; c++)
            out[i] += coefficient[x.col[c]] * x.val[c];
    }
    arena_rewind(a, mark);
}

err bayesian_fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold,
                 struct bayesian_weights *weights, struct model **out) {
    const struct problem *p = new_problem(a, s, o);
    if (p->m > LOGISTIC_DENSE)
        return fail(ERR_LIMIT, "bayesian_columns", "%zu columns are too many for the family bayesian: at most %d", p->m,
                    (int)LOGISTIC_DENSE);
    struct average m;
    average_assumptions(a, p, true, &m);
    for (uint32_t f = 0; out_of_fold && o->fold && f < o->n_fold; f++)
        predict_fold(a, s, o, f, out_of_fold);
    if (weights)
        *weights = (struct bayesian_weights){.as_given = m.by_kind[AS_GIVEN],
                                             .recalibrated = m.by_kind[RECALIBRATED],
                                             .doubted = m.by_kind[DOUBTED] + m.by_kind[NO_PRIOR],
                                             .features = m.features};
    *out = make_model(a, p, s, &m);
    return OK;
}

static err fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold, struct model **out) {
    return bayesian_fit(a, s, o, out_of_fold, NULL, out);
}

const struct model_family bayesian_family = {.name = "bayesian",
                                             .fit = fit,
                                             .predict = logistic_predict,
                                             .spread = logistic_spread,
                                             .explain = logistic_explain,
                                             .save = logistic_save,
                                             .load = logistic_load};
