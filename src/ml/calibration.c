/* calibration.c — fitting and choosing calibration maps, and their file form. */
#include "ml/calibration.h"

#include "ml/nonneg.h"
#include "ml/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[CALIBRATION_KIND_COUNT] = {"none", "platt", "beta", "isotonic"};

const char *calibration_kind_name(enum calibration_kind kind) { return kind_names[kind]; }

/* ---- applying ---- */

/* The log-odds of 1 - 1e-15: beyond it probabilities are told apart badly by a double and not at all by data. */
static const double widest = 34.538776394910684;
static const double least = 1e-15;

static double clip(double z) { return fmin(fmax(z, -widest), widest); }
static double inside(double p) { return fmin(fmax(p, least), 1 - least); }

static double interpolate(const struct calibration *c, double z) {
    if (z <= c->z[0])
        return c->p[0];
    size_t low = 0, high = c->n_knot;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->z[middle] <= z)
            low = middle;
        else
            high = middle;
    }
    if (high == c->n_knot)
        return c->p[low];
    double share = (z - c->z[low]) / (c->z[high] - c->z[low]);
    /* A rounding error must not pass the next knot. */
    return fmin(c->p[low] + share * (c->p[high] - c->p[low]), c->p[high]);
}

double calibration_apply_logit(const struct calibration *c, double z) {
    z = clip(z);
    switch (c->kind) {
    case CALIBRATION_PLATT:
        return clip(c->a * z + c->c);
    case CALIBRATION_BETA:
        return clip(-c->a * softplus(-z) + c->b * softplus(z) + c->c);
    case CALIBRATION_ISOTONIC:
        return clip(log_odds(interpolate(c, z)));
    case CALIBRATION_NONE:
    case CALIBRATION_KIND_COUNT:
        break;
    }
    return z;
}

double calibration_apply(const struct calibration *c, double z) {
    if (c->kind == CALIBRATION_ISOTONIC)
        return inside(interpolate(c, clip(z)));
    return inside(sigmoid(calibration_apply_logit(c, z)));
}

/* ---- fitting ---- */

/* Rows in ascending order of z; a row of weight 0 does not take part. */
struct sample {
    size_t n;
    double *z, *y, *w;
    double *u, *v; /* ln p and -ln(1 - p), for beta */
    uint32_t *row; /* where each came from */
};

struct keyed {
    double z;
    uint32_t row;
};

static int by_z(const void *x, const void *y) {
    const struct keyed *a = x, *b = y;
    if (a->z != b->z)
        return a->z < b->z ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static struct sample sort_sample(struct arena *a, const double *z, const double *y, const double *weight, size_t n) {
    struct sample s = {.n = n,
                       .z = ARENA_ARRAY(a, n, double),
                       .y = ARENA_ARRAY(a, n, double),
                       .w = ARENA_ARRAY(a, n, double),
                       .u = ARENA_ARRAY(a, n, double),
                       .v = ARENA_ARRAY(a, n, double),
                       .row = ARENA_ARRAY(a, n, uint32_t)};
    struct keyed *order = ARENA_ARRAY(a, n, struct keyed);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct keyed){clip(z[i]), (uint32_t)i};
    qsort(order, n, sizeof *order, by_z);
    for (size_t i = 0; i < n; i++) {
        uint32_t r = order[i].row;
        s.row[i] = r;
        s.z[i] = order[i].z;
        s.y[i] = y[r];
        s.w[i] = weight ? weight[r] : 1;
        s.u[i] = -softplus(-s.z[i]);
        s.v[i] = softplus(s.z[i]);
    }
    return s;
}

static void fit_slope(const struct sample *s, bool beta, struct calibration *out) {
    const double *column[2] = {beta ? s->u : s->z, s->v};
    /* So weak a pull is invisible but on separable data, where it keeps the slope finite. */
    struct nonneg_problem p = {
        .column = column, .m = beta ? 2 : 1, .n = s->n, .y = s->y, .weight = s->w, .pull = {1e-5, 1e-5}, .target = {1, 1}};
    double w[2] = {1, 1}, intercept = 0;
    (void)nonneg_fit(&p, w, &intercept);
    *out = (struct calibration){
        .kind = beta ? CALIBRATION_BETA : CALIBRATION_PLATT, .a = w[0], .b = beta ? w[1] : 0, .c = intercept};
}

struct block {
    double weight, positive, zsum; /* positive / weight is its rate, zsum / weight its centre */
};

static double rate(const struct block *b) { return b->positive / b->weight; }

static void merge(struct block *into, const struct block *b) {
    into->weight += b->weight;
    into->positive += b->positive;
    into->zsum += b->zsum;
}

/* Pool adjacent violators over distinct z. */
static size_t pool(const struct sample *s, struct block *blocks) {
    size_t k = 0;
    double last = NAN;
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->w[i] > 0))
            continue;
        struct block b = {s->w[i], s->w[i] * s->y[i], s->w[i] * s->z[i]};
        if (k > 0 && s->z[i] == last) {
            merge(&blocks[k - 1], &b);
        } else {
            /* Only a finished tie can be judged: the one before the row that opens the next. */
            while (k > 1 && rate(&blocks[k - 2]) >= rate(&blocks[k - 1])) {
                merge(&blocks[k - 2], &blocks[k - 1]);
                k--;
            }
            blocks[k++] = b;
        }
        last = s->z[i];
    }
    while (k > 1 && rate(&blocks[k - 2]) >= rate(&blocks[k - 1])) {
        merge(&blocks[k - 2], &blocks[k - 1]);
        k--;
    }
    return k;
}

/* A block without one outcome says "few", not "never": (k + 1/2) / (n + 1), unless its neighbour already says less. */
static void soften_ends(const struct block *blocks, size_t k, double *p) {
    const struct block *first = &blocks[0], *last = &blocks[k - 1];
    if (first->positive <= 0)
        p[0] = fmin(0.5 / (first->weight + 1), k > 1 ? rate(&blocks[1]) : 0.5);
    if (last->positive >= last->weight)
        p[k - 1] = fmax((last->weight + 0.5) / (last->weight + 1), k > 1 ? p[k - 2] : 0.5);
}

static void fit_isotonic(struct arena *a, const struct sample *s, struct calibration *out) {
    struct block *blocks = ARENA_ARRAY(a, s->n, struct block);
    size_t k = pool(s, blocks), kept = 0;
    double *z = ARENA_ARRAY(a, k, double), *p = ARENA_ARRAY(a, k, double);
    for (size_t i = 0; i < k; i++)
        p[i] = rate(&blocks[i]);
    soften_ends(blocks, k, p);
    for (size_t i = 0; i < k; i++) {
        double centre = blocks[i].zsum / blocks[i].weight;
        if (kept > 0 && centre <= z[kept - 1]) /* neighbours that a double cannot tell apart */
            continue;
        z[kept] = centre;
        p[kept++] = inside(p[i]);
    }
    *out = (struct calibration){.kind = CALIBRATION_ISOTONIC, .n_knot = kept, .z = z, .p = p};
}

static bool has_both_classes(const struct sample *s) {
    bool seen[2] = {false, false};
    for (size_t i = 0; i < s->n; i++)
        if (s->w[i] > 0)
            seen[s->y[i] > 0.5] = true;
    return seen[0] && seen[1];
}

static void fit_sorted(struct arena *a, enum calibration_kind kind, const struct sample *s, struct calibration *out) {
    *out = (struct calibration){.kind = CALIBRATION_NONE, .a = 1};
    if (kind == CALIBRATION_NONE || !has_both_classes(s))
        return;
    if (kind == CALIBRATION_ISOTONIC)
        fit_isotonic(a, s, out);
    else
        fit_slope(s, kind == CALIBRATION_BETA, out);
}

void calibration_fit(struct arena *a, enum calibration_kind kind, const double *z, const double *y, const double *weight,
                     size_t n, struct calibration *out) {
    struct sample s = sort_sample(a, z, y, weight, n);
    fit_sorted(a, kind, &s, out);
}

/* ---- choosing ---- */

static double loss_of(double p, double y) { return y > 0.5 ? -log(p) : -log1p(-p); }

/* loss[i]: log loss of sorted row i under a map that did not see its fold. */
static void held_out_loss(struct arena *a, enum calibration_kind kind, const struct sample *s, const uint32_t *fold,
                          uint32_t n_fold, double *loss) {
    struct sample train = *s;
    train.w = ARENA_ARRAY(a, s->n, double);
    for (uint32_t f = 0; f < n_fold; f++) {
        struct arena_mark mark = arena_mark(a);
        for (size_t i = 0; i < s->n; i++)
            train.w[i] = fold[s->row[i]] == f ? 0 : s->w[i];
        struct calibration c;
        fit_sorted(a, kind, &train, &c);
        for (size_t i = 0; i < s->n; i++)
            if (fold[s->row[i]] == f)
                loss[i] = loss_of(calibration_apply(&c, s->z[i]), s->y[i]);
        arena_rewind(a, mark);
    }
}

/* Weighted mean of x - y (y may be NULL), and its standard error. */
static double paired_mean(const double *x, const double *y, const double *w, size_t n, double *error) {
    double sum = 0, total = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += w[i] * (x[i] - (y ? y[i] : 0));
        total += w[i];
    }
    double mean = sum / total;
    for (size_t i = 0; i < n; i++) {
        double d = w[i] * (x[i] - (y ? y[i] : 0) - mean);
        square += d * d;
    }
    *error = sqrt(square) / total;
    return mean;
}

static enum calibration_kind simplest_good(double *const loss[CALIBRATION_KIND_COUNT], const double mean[], const double *w,
                                           size_t n) {
    enum calibration_kind best = CALIBRATION_NONE;
    for (enum calibration_kind k = CALIBRATION_PLATT; k <= CALIBRATION_BETA; k++)
        if (mean[k] < mean[best])
            best = k;
    double error, lead = paired_mean(loss[best], loss[CALIBRATION_ISOTONIC], w, n, &error);
    if (lead > 2 * error)
        return CALIBRATION_ISOTONIC;
    for (enum calibration_kind k = CALIBRATION_NONE; k < best; k++) {
        double behind = paired_mean(loss[k], loss[best], w, n, &error);
        if (behind <= error)
            return k;
    }
    return best;
}

void calibration_choose(struct arena *a, const double *z, const double *y, const double *weight, size_t n,
                        const uint32_t *fold, uint32_t n_fold, struct calibration *out) {
    struct sample s = sort_sample(a, z, y, weight, n);
    double *loss[CALIBRATION_KIND_COUNT], mean[CALIBRATION_KIND_COUNT];
    enum calibration_kind chosen = CALIBRATION_NONE;
    for (size_t k = 0; k < CALIBRATION_KIND_COUNT; k++)
        mean[k] = NAN;
    if (n_fold >= 2 && has_both_classes(&s)) {
        double error;
        for (size_t k = 0; k < CALIBRATION_KIND_COUNT; k++) {
            loss[k] = ARENA_ARRAY(a, n, double);
            held_out_loss(a, (enum calibration_kind)k, &s, fold, n_fold, loss[k]);
            mean[k] = paired_mean(loss[k], NULL, s.w, n, &error);
        }
        chosen = simplest_good(loss, mean, s.w, n);
    }
    fit_sorted(a, chosen, &s, out);
}
