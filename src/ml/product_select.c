/* product_select.c — screening, forward selection and cross-validation of products of columns. */
#include "ml/product_select.h"

#include "base/rng.h"
#include "ml/linalg.h"
#include "ml/logistic_priv.h"
#include "ml/special.h"

#include <math.h>

enum { MAX_CANDIDATE = 160, MAX_FOLD = 10, SHORT = 20, LEAST_SCREEN_ROWS = 1000, MOST_HALVINGS = 4 };

/* Pairs of entries that screening may visit, and the share of the threshold that something must reach there for the rest to
 * be worth the time. */
static const double MOST_VISITS = 2e7, WORTH = 0.5;

static const double LEVEL = 0.05, LEAST_MASS = 4, LEAST_REST = 0.01;

struct sums { /* of one pair over one fold: r c and w c^2 */
    double u, w;
};

struct moments { /* of one pair over all rows: w c, w c x_j, w c x_k, and how many rows list both */
    double one, first, second, rows;
};

struct entry {
    size_t candidate;
    double value;
    bool number;
};

struct shortlist {
    size_t n, pair[SHORT];
    double statistic[SHORT];
};

/* A product on some shortlist: candidates j >= k, and the subsets of rows on whose list it is. */
struct product {
    size_t j, k;
    unsigned lists;
};

struct work {
    struct arena *a;
    const struct dataset *s;
    const struct model *m;
    const struct product_opts *o;

    size_t n, part[MAX_FOLD + 1]; /* rows looked at, by fold */
    uint32_t *row;
    double *residual, *weight; /* n: w_i (y - p), w_i p (1 - p) */
    const double *held_out;

    size_t n_candidate, n_pair, n_screened;
    uint32_t column[MAX_CANDIDATE];
    uint32_t *candidate_of;            /* d: 1 + index; 0: none */
    double total, mean[MAX_CANDIDATE]; /* sums of w and w x */
    struct sums *sums;                 /* n_fold × n_pair */
    struct moments *moments;           /* n_pair */

    size_t p;
    struct product *product;
    double *rest;         /* n × p: products without what the columns explain */
    double *gram, *score; /* n_fold × p × p, n_fold × p */
};

static size_t pair_of(size_t j, size_t k) { return j * (j + 1) / 2 + k; }

/* ---- rows and candidates ---- */

static void take_rows(struct work *w) {
    const size_t most = w->s->n < PRODUCT_ROWS ? w->s->n : PRODUCT_ROWS;
    unsigned char *taken = ARENA_ARRAY(w->a, w->s->n, unsigned char);
    struct rng r = rng_from_seed(w->o->seed);
    for (size_t i = 0, left = most; i < w->s->n && left > 0; i++) { /* selection sampling */
        taken[i] = most == w->s->n || rng_below(&r, w->s->n - i) < left;
        left -= taken[i];
    }
    w->row = ARENA_ARRAY(w->a, most, uint32_t);
    for (uint32_t f = 0; f < w->o->n_fold; f++) {
        for (size_t i = 0; i < w->s->n; i++)
            if (taken[i] && w->o->fold[i] == f)
                w->row[w->n++] = (uint32_t)i;
        w->part[f + 1] = w->n;
    }
}

static void weigh_rows(struct work *w) {
    w->residual = ARENA_ARRAY(w->a, w->n, double);
    w->weight = ARENA_ARRAY(w->a, w->n, double);
    for (size_t i = 0; i < w->n; i++) {
        const double p = sigmoid(w->held_out[w->row[i]]), k = dataset_weight(w->s, w->row[i]);
        w->residual[i] = k * (w->s->y[w->row[i]] - p);
        w->weight[i] = k * p * (1 - p);
    }
}

/* The candidates that most rows list. */
static void take_candidates(struct work *w) {
    size_t *rows = ARENA_ARRAY(w->a, w->s->d, size_t);
    w->candidate_of = ARENA_ARRAY(w->a, w->s->d, uint32_t);
    for (size_t i = 0; i < w->n; i++) {
        const struct row x = dataset_row(w->s, w->row[i]);
        for (size_t k = 0; k < x.n; k++)
            rows[x.col[k]] += x.val[k] != 0;
    }
    while (w->n_candidate < MAX_CANDIDATE) {
        size_t best = w->s->d;
        for (size_t c = 0; c < w->s->d; c++)
            if (w->o->kind[c] != PRODUCT_NONE && !w->candidate_of[c] && rows[c] >= PRODUCT_LEAST_ROWS &&
                (best == w->s->d || rows[c] > rows[best]))
                best = c;
        if (best == w->s->d)
            break;
        w->column[w->n_candidate++] = (uint32_t)best;
        w->candidate_of[best] = (uint32_t)w->n_candidate;
    }
    w->n_pair = w->n_candidate * (w->n_candidate + 1) / 2;
}

static double limited(double v) { return fmax(-PRODUCT_LIMIT, fmin(v, PRODUCT_LIMIT)); }

/* The candidates that a row lists, later ones of the list first. */
static size_t list_entries(const struct work *w, struct row x, struct entry *out) {
    size_t n = 0;
    for (size_t k = 0; k < x.n; k++) {
        const uint32_t c = w->candidate_of[x.col[k]];
        if (!c || x.val[k] == 0)
            continue;
        size_t at = n++;
        for (; at > 0 && out[at - 1].candidate < c - 1; at--)
            out[at] = out[at - 1];
        out[at] = (struct entry){c - 1, limited(x.val[k]), w->o->kind[x.col[k]] == PRODUCT_NUMBER};
    }
    return n;
}

/* Leaves out rows when there are more pairs of entries to visit than time for them. */
static void bound_visits(struct work *w) {
    struct entry entry[MAX_CANDIDATE];
    double visits = 0;
    const size_t step = w->n / LEAST_SCREEN_ROWS + 1;
    for (size_t i = 0; i < w->n; i += step) {
        const double k = (double)list_entries(w, dataset_row(w->s, w->row[i]), entry);
        visits += (double)step * k * (k + 1) / 2;
    }
    const size_t keep = (size_t)ceil(visits / MOST_VISITS);
    if (keep < 2 || w->n / keep < LEAST_SCREEN_ROWS)
        return;
    size_t n = 0;
    for (uint32_t f = 0; f < w->o->n_fold; f++) {
        const size_t from = w->part[f];
        w->part[f] = n;
        for (size_t i = from; i < w->part[f + 1]; i += keep)
            w->row[n++] = w->row[i];
    }
    w->part[w->o->n_fold] = w->n = n;
}

/* ---- screening ---- */

static void add_pairs(struct work *w, const struct entry *entry, size_t n, double r, double weight, struct sums *sums) {
    for (size_t j = 0; j < n; j++) {
        const struct entry *x = &entry[j];
        const size_t first = pair_of(x->candidate, 0);
        w->mean[x->candidate] += weight * x->value;
        for (size_t k = j; k < n; k++) {
            const struct entry *y = &entry[k];
            const double c = x->value * y->value, wc = weight * c;
            struct sums *s = &sums[first + y->candidate];
            struct moments *m = &w->moments[first + y->candidate];
            s->u += r * c;
            s->w += wc * c;
            m->rows++;
            if (x->number || y->number) {
                m->one += wc;
                m->first += wc * x->value;
                m->second += wc * y->value;
            }
        }
    }
}

static void screen(struct work *w) {
    struct entry entry[MAX_CANDIDATE];
    w->sums = ARENA_ARRAY(w->a, w->o->n_fold * w->n_pair, struct sums);
    w->moments = ARENA_ARRAY(w->a, w->n_pair, struct moments);
    for (uint32_t f = 0; f < w->o->n_fold; f++)
        for (size_t i = w->part[f]; i < w->part[f + 1]; i++) {
            const size_t n = list_entries(w, dataset_row(w->s, w->row[i]), entry);
            add_pairs(w, entry, n, w->residual[i], w->weight[i], w->sums + f * w->n_pair);
            w->total += w->weight[i];
        }
}

/* Sums of a pair over all rows but those of a fold; n_fold: over all rows. */
static struct sums sums_without(const struct work *w, size_t pair, uint32_t fold) {
    struct sums all = {0};
    for (uint32_t f = 0; f < w->o->n_fold; f++)
        if (f != fold) {
            all.u += w->sums[f * w->n_pair + pair].u;
            all.w += w->sums[f * w->n_pair + pair].w;
        }
    return all;
}

static bool is_number(const struct work *w, size_t candidate) { return w->o->kind[w->column[candidate]] == PRODUCT_NUMBER; }

static bool eligible(const struct work *w, size_t j, size_t k) {
    const bool may = j == k ? is_number(w, j) : w->o->field[w->column[j]] != w->o->field[w->column[k]];
    return may && w->moments[pair_of(j, k)].rows >= PRODUCT_LEAST_ROWS;
}

/* sum w x^2 of a candidate, from its square. */
static double square_of(const struct work *w, size_t j) {
    return is_number(w, j) ? w->moments[pair_of(j, j)].one : w->mean[j];
}

/* Part of sum w c^2, `square`, that an intercept and the column explain of its square. */
static double explained_of_square(const struct work *w, size_t j, double guard) {
    const struct moments *m = &w->moments[pair_of(j, j)];
    double gram[4] = {w->total + guard, w->mean[j], 0, m->one + guard}, solved[2] = {m->one, m->first};
    if (!cholesky_factor(gram, 2))
        return INFINITY;
    cholesky_solve(gram, 2, solved);
    return solved[0] * m->one + solved[1] * m->first;
}

/* The same of a product of two columns. For indicators all its moments are the same. */
static double explained_of_pair(const struct work *w, size_t j, size_t k, double square, double guard) {
    const struct moments same = {square, square, square, 0};
    const struct moments *m = is_number(w, j) || is_number(w, k) ? &w->moments[pair_of(j, k)] : &same;
    double gram[9] = {w->total + guard,       w->mean[j], w->mean[k], 0, square_of(w, j) + guard, m->one, 0, 0,
                      square_of(w, k) + guard};
    double solved[3] = {m->one, m->first, m->second};
    if (!cholesky_factor(gram, 3))
        return INFINITY;
    cholesky_solve(gram, 3, solved);
    return solved[0] * m->one + solved[1] * m->first + solved[2] * m->second;
}

/* Share of sum w c^2 that an intercept and the two columns do not explain. */
static double share_left(const struct work *w, size_t j, size_t k, double square) {
    const double guard = 1e-9 * w->total;
    if (!(square > 0))
        return 0;
    const double explained = j == k ? explained_of_square(w, j, guard) : explained_of_pair(w, j, k, square, guard);
    return fmax(1 - explained / square, 0);
}

static void keep_best(struct shortlist *l, size_t pair, double statistic) {
    if (l->n == SHORT && statistic <= l->statistic[SHORT - 1])
        return;
    size_t at = l->n < SHORT ? l->n++ : SHORT - 1;
    for (; at > 0 && statistic > l->statistic[at - 1]; at--) {
        l->statistic[at] = l->statistic[at - 1];
        l->pair[at] = l->pair[at - 1];
    }
    l->statistic[at] = statistic;
    l->pair[at] = pair;
}

/* The best pairs of every complement and, as the last list, of all rows. */
static void shorten(struct work *w, struct shortlist *list) {
    for (size_t j = 0; j < w->n_candidate; j++)
        for (size_t k = 0; k <= j; k++) {
            if (!eligible(w, j, k))
                continue;
            const size_t pair = pair_of(j, k);
            const struct sums all = sums_without(w, pair, w->o->n_fold);
            const double left = share_left(w, j, k, all.w);
            if (left < LEAST_REST || left * all.w < LEAST_MASS)
                continue;
            w->n_screened++;
            keep_best(&list[w->o->n_fold], pair, all.u * all.u / (left * all.w));
            for (uint32_t f = 0; f < w->o->n_fold; f++) {
                const struct sums *out = &w->sums[f * w->n_pair + pair];
                const double u = all.u - out->u, v = left * (all.w - out->w);
                if (v > 0)
                    keep_best(&list[f], pair, u * u / v);
            }
        }
}

static double threshold_of(const struct work *w) {
    const double z = normal_quantile(1 - LEVEL / (2 * (double)w->n_screened));
    return z * z;
}

static void join_lists(struct work *w, const struct shortlist *list) {
    w->product = ARENA_ARRAY(w->a, SHORT * (w->o->n_fold + (size_t)1), struct product);
    for (uint32_t g = 0; g <= w->o->n_fold; g++)
        for (size_t i = 0; i < list[g].n; i++) {
            size_t j = 0, at = 0;
            while (pair_of(j + 1, 0) <= list[g].pair[i])
                j++;
            const size_t k = list[g].pair[i] - pair_of(j, 0);
            while (at < w->p && (w->product[at].j != j || w->product[at].k != k))
                at++;
            if (at == w->p)
                w->product[w->p++] = (struct product){j, k, 0};
            w->product[at].lists |= 1u << g;
        }
}

/* ---- what the columns do not explain ---- */

/* The products of a row. `value` has a zero for each candidate, and gets them back. */
static void fill_products(const struct work *w, struct row x, double *value, double *c) {
    for (size_t k = 0; k < x.n; k++)
        if (w->candidate_of[x.col[k]])
            value[w->candidate_of[x.col[k]] - 1] = limited(x.val[k]);
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
    struct shortlist list[MAX_FOLD + 1] = {0};
    shorten(w, list);
    out->n_screened = w->n_screened;
    const struct shortlist *all = &list[w->o->n_fold];
    if (all->n == 0 || all->statistic[0] < WORTH * threshold_of(w))
        return;
    join_lists(w, list);
    orthogonalise(w);
    struct taken *taken = ARENA_ARRAY(w->a, w->o->n_fold + (size_t)1, struct taken);
    for (uint32_t g = 0; g <= w->o->n_fold; g++)
        take_products(w, g, threshold_of(w), &taken[g]);
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
    take_rows(&w);
    take_candidates(&w);
    if (w.n_candidate > 0) {
        bound_visits(&w);
        weigh_rows(&w);
        screen(&w);
        choose(&w, out);
    }
    arena_rewind(a, mark);
}
