/* product_screen.c — the pairs of columns whose product a logistic model may want, from one pass over the rows. */
#include "base/rng.h"
#include "ml/linalg.h"
#include "ml/product_priv.h"
#include "ml/special.h"

enum { SHORT = 20, LEAST_SCREEN_ROWS = 1000 };

/* Pairs of entries that screening may visit, and the share of the threshold that something must reach there for the rest to
 * be worth the time. */
static const double MOST_VISITS = 2e7, WORTH = 0.5;

static const double LEVEL = 0.05;

struct entry {
    size_t candidate;
    double value;
    bool number;
};

struct shortlist {
    size_t n, pair[SHORT];
    double statistic[SHORT];
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
        out[at] = (struct entry){c - 1, product_limited(x.val[k]), w->o->kind[x.col[k]] == PRODUCT_NUMBER};
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

double product_threshold(const struct work *w) {
    const double z = normal_quantile(1 - LEVEL / (2 * (double)w->n_screened));
    return z * z;
}

bool product_screen(struct work *w) {
    struct shortlist list[MAX_FOLD + 1] = {0};
    take_rows(w);
    take_candidates(w);
    if (w->n_candidate == 0)
        return false;
    bound_visits(w);
    weigh_rows(w);
    screen(w);
    shorten(w, list);
    const struct shortlist *all = &list[w->o->n_fold];
    if (all->n == 0 || all->statistic[0] < WORTH * product_threshold(w))
        return false;
    join_lists(w, list);
    return true;
}
