/* product_select.c — forward selection and cross-validation of products of columns. */
#include "ml/product_select.h"

#include "ml/linalg.h"
#include "ml/product_priv.h"
#include "ml/special.h"

enum { MOST_HALVINGS = 4 };

/* ---- what the columns do not explain ---- */

/* The products of a row. `value` has a zero for each candidate, and gets them back. */
static void fill_products(const struct work *w, struct row x, double *value, double *c) {
    for (size_t k = 0; k < x.n; k++)
        if (w->candidate_of[x.col[k]])
            value[w->candidate_of[x.col[k]] - 1] = product_limited(x.val[k]);
    for (size_t i = 0; i < w->p; i++)
        c[i] = value[w->product[i].j] * value[w->product[i].k];
    for (size_t k = 0; k < x.n; k++)
        if (w->candidate_of[x.col[k]])
            value[w->candidate_of[x.col[k]] - 1] = 0;
}

static void add_scaled(double *restrict to, double k, const double *restrict from, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] += k * from[i];
}

/* X'W c of all products: a row of p for each column of the model, the intercept last. */
static double *cross_columns(struct work *w, double *value) {
    double *cross = ARENA_ARRAY(w->a, (w->m->k + 1) * w->p, double);
    for (size_t i = 0; i < w->n; i++) {
        const struct row x = dataset_row(w->s, w->row[i]);
        double *c = w->rest + i * w->p;
        fill_products(w, x, value, c);
        for (size_t k = 0; k < x.n; k++)
            if (w->m->slot[x.col[k]] != LOGISTIC_UNUSED)
                add_scaled(cross + w->m->slot[x.col[k]] * w->p, w->weight[i] * x.val[k], c, w->p);
        add_scaled(cross + w->m->k * w->p, w->weight[i], c, w->p);
    }
    return cross;
}

/* Covariance times that: the columns' coefficients of each product. */
static double *explain_products(struct work *w, const double *cross) {
    const size_t m = w->m->k + 1;
    const double scale = (double)w->s->n / (double)w->n; /* the covariance is that of all rows */
    double *beta = ARENA_ARRAY(w->a, m * w->p, double);
    for (size_t i = 0; i < m; i++) {
        const double *row = w->m->covariance + symmetric_row(m, i);
        add_scaled(beta + i * w->p, scale * row[i], cross + i * w->p, w->p);
        for (size_t j = i + 1; j < m; j++) {
            add_scaled(beta + i * w->p, scale * row[j], cross + j * w->p, w->p);
            add_scaled(beta + j * w->p, scale * row[j], cross + i * w->p, w->p);
        }
    }
    return beta;
}

static void subtract_explained(struct work *w, const double *beta) {
    for (size_t i = 0; i < w->n; i++) {
        const struct row x = dataset_row(w->s, w->row[i]);
        double *c = w->rest + i * w->p;
        for (size_t k = 0; k < x.n; k++)
            if (w->m->slot[x.col[k]] != LOGISTIC_UNUSED)
                add_scaled(c, -x.val[k], beta + w->m->slot[x.col[k]] * w->p, w->p);
        add_scaled(c, -1, beta + w->m->k * w->p, w->p);
    }
}

static void sum_products(struct work *w) {
    const size_t p = w->p;
    w->gram = ARENA_ARRAY(w->a, w->o->n_fold * p * p, double);
    w->score = ARENA_ARRAY(w->a, w->o->n_fold * p, double);
    for (uint32_t f = 0; f < w->o->n_fold; f++)
        for (size_t i = w->part[f]; i < w->part[f + 1]; i++) {
            const double *c = w->rest + i * p;
            add_scaled(w->score + f * p, w->residual[i], c, p);
            for (size_t k = 0; k < p; k++)
                add_scaled(w->gram + f * p * p + k * p + k, w->weight[i] * c[k], c + k, p - k);
        }
}

static void orthogonalise(struct work *w) {
    double value[MAX_CANDIDATE] = {0};
    w->rest = ARENA_ARRAY(w->a, w->n * w->p, double);
    subtract_explained(w, explain_products(w, cross_columns(w, value)));
    sum_products(w);
}

/* ---- forward selection ---- */

struct taken {
    size_t n, at[PRODUCTS_MAX];
    double statistic[PRODUCTS_MAX], theta[PRODUCTS_MAX];
};

/* Gram matrix (full) and scores over all rows but those of a fold. */
static void sum_without(const struct work *w, uint32_t fold, double *gram, double *score) {
    const size_t p = w->p;
    memset(gram, 0, p * p * sizeof *gram);
    memset(score, 0, p * sizeof *score);
    for (uint32_t f = 0; f < w->o->n_fold; f++)
        if (f != fold) {
            add_scaled(gram, 1, w->gram + f * p * p, p * p);
            add_scaled(score, 1, w->score + f * p, p);
        }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            gram[i * p + j] = gram[j * p + i];
}

/* Takes the best product and makes the rest orthogonal to it, as long as one passes. */
static void step_forward(const struct work *w, unsigned list, double threshold, double *gram, double *score,
                         struct taken *out) {
    const size_t p = w->p;
    double *whole = ARENA_ARRAY(w->a, p, double);
    for (size_t i = 0; i < p; i++)
        whole[i] = gram[i * p + i];
    while (out->n < w->o->most) {
        size_t best = p;
        double most = threshold;
        for (size_t i = 0; i < p; i++) {
            const double v = gram[i * p + i], statistic = v > 0 ? score[i] * score[i] / v : 0;
            if ((w->product[i].lists & list) && v > LEAST_REST * whole[i] && v > LEAST_MASS && statistic > most) {
                most = statistic;
                best = i;
            }
        }
        if (best == p)
            return;
        out->statistic[out->n] = most;
        out->at[out->n++] = best;
        double *pivot = arena_copy(w->a, gram + best * p, p * sizeof *gram);
        const double at_score = score[best], variance = pivot[best];
        for (size_t i = 0; i < p; i++) {
            add_scaled(gram + i * p, -pivot[i] / variance, pivot, p);
            score[i] -= at_score * pivot[i] / variance;
        }
        gram[best * p + best] = 0;
    }
}

/* One Newton step from zero under the model's penalty. */
static void step_newton(const struct work *w, const double *gram, const double *score, struct taken *t) {
    double h[PRODUCTS_MAX * PRODUCTS_MAX];
    const double penalty = w->m->penalty * (double)w->n / (double)w->s->n;
    for (size_t i = 0; i < t->n; i++) {
        t->theta[i] = score[t->at[i]];
        for (size_t j = i; j < t->n; j++)
            h[i * t->n + j] = gram[t->at[i] * w->p + t->at[j]] + (i == j ? penalty : 0);
    }
    if (t->n > 0 && cholesky_factor(h, t->n))
        cholesky_solve(h, t->n, t->theta);
    else
        t->n = 0;
}

static double row_loss(double logit, double y) { return y > 0 ? softplus(-logit) : softplus(logit); }

static double moved_logit(const struct work *w, size_t i, const struct taken *t, double step) {
    double z = w->held_out[w->row[i]];
    for (size_t k = 0; k < t->n; k++)
        z += step * t->theta[k] * w->rest[i * w->p + t->at[k]];
    return z;
}

/* Loss over all rows but those of a fold, with a part of the step taken. */
static double loss_without(const struct work *w, uint32_t fold, const struct taken *t, double step) {
    double sum = 0;
    for (uint32_t f = 0; f < w->o->n_fold; f++)
        for (size_t i = w->part[f]; f != fold && i < w->part[f + 1]; i++)
            sum += dataset_weight(w->s, w->row[i]) * row_loss(moved_logit(w, i, t, step), w->s->y[w->row[i]]);
    return sum;
}

/* Where effects are large one Newton step goes too far: it is halved while that lowers the loss. */
static void shorten_step(const struct work *w, uint32_t fold, struct taken *t) {
    double step = 1, loss = loss_without(w, fold, t, step);
    for (int i = 0; i < MOST_HALVINGS; i++) {
        const double shorter = loss_without(w, fold, t, step / 2);
        if (shorter >= loss)
            break;
        loss = shorter;
        step /= 2;
    }
    for (size_t k = 0; k < t->n; k++)
        t->theta[k] *= step;
}

static void take_products(const struct work *w, uint32_t fold, double threshold, struct taken *out) {
    struct arena_mark mark = arena_mark(w->a);
    double *gram = ARENA_ARRAY(w->a, w->p * w->p, double), *score = ARENA_ARRAY(w->a, w->p, double);
    sum_without(w, fold, gram, score);
    step_forward(w, 1u << fold, threshold, gram, score, out);
    sum_without(w, fold, gram, score);
    step_newton(w, gram, score, out);
    if (out->n > 0 && fold < w->o->n_fold)
        shorten_step(w, fold, out);
    arena_rewind(w->a, mark);
}

/* ---- cross-validation ---- */

/* Mean gain in log loss over the held-out rows, and its standard error. */
static void measure(const struct work *w, const struct taken *taken, struct product_selection *out) {
    double sum = 0, square = 0;
    for (uint32_t f = 0; f < w->o->n_fold; f++)
        for (size_t i = w->part[f]; taken[f].n > 0 && i < w->part[f + 1]; i++) {
            const double before = w->held_out[w->row[i]], y = w->s->y[w->row[i]];
            const double d = row_loss(before, y) - row_loss(moved_logit(w, i, &taken[f], 1), y);
            sum += d;
            square += d * d;
        }
    const double n = (double)w->n;
    out->gain = sum / n;
    out->gain_error = sqrt(fmax(square / n - out->gain * out->gain, 0) / n);
}

/* Whether two products are of the same two fields. A level times a number is the same, given the columns, as the other
 * levels times it: complements may agree on the fields and not on the product. */
static bool same_fields(const struct work *w, const struct product *p, const struct product *q) {
    const uint32_t *field = w->o->field, *column = w->column;
    const uint32_t a = field[column[p->j]], b = field[column[p->k]], c = field[column[q->j]], d = field[column[q->k]];
    return (a == c && b == d) || (a == d && b == c);
}

static uint32_t count_votes(const struct work *w, const struct taken *taken, const struct product *p) {
    uint32_t votes = 0;
    for (uint32_t f = 0; f < w->o->n_fold; f++) {
        bool found = false;
        for (size_t k = 0; k < taken[f].n; k++)
            found |= same_fields(w, &w->product[taken[f].at[k]], p);
        votes += found;
    }
    return votes;
}

/* What all rows take, of fields that more than half of the complements take products of too. */
static void agree(const struct work *w, const struct taken *taken, struct product_selection *out) {
    const struct taken *all = &taken[w->o->n_fold];
    for (size_t i = 0; i < all->n; i++) {
        const struct product *p = &w->product[all->at[i]];
        const uint32_t x = w->column[p->j], y = w->column[p->k];
        if (2 * count_votes(w, taken, p) > w->o->n_fold)
            out->chosen[out->n++] = (struct product_choice){x < y ? x : y, x < y ? y : x, all->statistic[i]};
    }
}

static void choose(struct work *w, struct product_selection *out) {
    orthogonalise(w);
    struct taken *taken = ARENA_ARRAY(w->a, w->o->n_fold + (size_t)1, struct taken);
    for (uint32_t g = 0; g <= w->o->n_fold; g++)
        take_products(w, g, product_threshold(w), &taken[g]);
    measure(w, taken, out);
    if (out->gain > out->gain_error)
        agree(w, taken, out);
}

void product_select(struct arena *a, const struct dataset *s, const struct model *base, const double *held_out,
                    const struct product_opts *o, struct product_selection *out) {
    struct arena_mark mark = arena_mark(a);
    struct work w = {.a = a, .s = s, .m = base, .o = o, .held_out = held_out};
    *out = (struct product_selection){0};
    if (!base->dense || base->k > PRODUCT_MAX_COLUMN || o->n_fold < 2 || o->n_fold > MAX_FOLD || o->most == 0)
        return;
    const bool worth = product_screen(&w);
    out->n_screened = w.n_screened;
    if (worth)
        choose(&w, out);
    arena_rewind(a, mark);
}
