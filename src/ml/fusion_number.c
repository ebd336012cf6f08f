/* fusion_number.c — EM for measured quantities, each posterior on a grid laid around the item's claims. */
#include "ml/fusion_number.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { ROUND_MAX = 20, COPY_AFTER = 3, COPY_EVERY = 4, WEIGHED = 64 };

static const double freedom = 7;
static const double t7_constant = 0.38503185; /* Gamma(4) / (Gamma(3.5) sqrt(7 pi)) */
static const double variance_strength = 4, gross_prior = 0.03, gross_strength = 10, bias_strength = 8;
static const double copy_strength = 6, copy_least = 0.1, slope_strength = 40, jump_strength = 5;

/* An item's claims with what the model says of them, and its grid. */
struct item {
    size_t n, nodes;
    double y[WEIGHED], age[WEIGHED], jump[WEIGHED], gross[WEIGHED], variance[WEIGHED], weight[WEIGHED];
    uint32_t source[WEIGHED];
    double x[FUSION_GRID_NODE], size[FUSION_GRID_NODE], p[FUSION_GRID_NODE], step[FUSION_GRID_NODE];
};

struct sums {
    double *variance, *claims, *gross, *bias, *bias_weight, *heard; /* of each source */
    double drift_up, drift_down, jumps, jumps_expected, jump_square, jump_claims, slope_up, slope_down;
    double all_variance, all_claims, all_gross, all_heard, moved;
};

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
static double square(double x) { return x * x; }

/* Student's density with 7 degrees of freedom at squared distance r2. */
static double t7(double r2, double variance) {
    const double w = freedom * variance, z = square(w + r2);
    return t7_constant * square(w * w) / (sqrt(variance) * z * z);
}

/* ---- one item ---- */

/* Leaves out a claim that nearly equals one of a source it depends on. */
static bool repeats(const struct fusion_number_model *m, const struct fusion_number_data *d, size_t i, size_t c) {
    for (size_t b = d->start[i]; b < d->start[i + 1] && b < d->start[i] + WEIGHED; b++) {
        if (b == c || fabs(d->y[b] - d->y[c]) > m->copy_tolerance ||
            fusion_copy_share(&m->copy, d->source[b], d->source[c]) <= 0)
            continue;
        const double u = m->source[d->source[b]].variance, v = m->source[d->source[c]].variance;
        if (u < v || (u <= v && b < c))
            return true;
    }
    return false;
}

static void gather(const struct fusion_number_model *m, const struct fusion_number_data *d, size_t i, bool all,
                   struct item *t) {
    t->n = 0;
    for (size_t c = d->start[i]; c < d->start[i + 1] && t->n < WEIGHED; c++) {
        if (!all && repeats(m, d, i, c))
            continue;
        const struct fusion_number_source *s = &m->source[d->source[c]];
        const size_t k = t->n++;
        t->source[k] = d->source[c];
        t->y[k] = d->y[c];
        t->age[k] = (double)d->age_year[c];
        t->jump[k] = 1 - exp(-m->jump_rate * t->age[k]);
        t->gross[k] = s->gross;
        t->variance[k] = s->variance / (double)d->trust[c];
        t->weight[k] = (double)d->share[c];
    }
}

static double size_at(const struct fusion_number_model *m, double x) {
    return exp(clamp(m->slope * (x - m->centre), -6, 6));
}

static void insert(struct item *t, double x) {
    size_t k = t->nodes++;
    for (; k > 0 && t->x[k - 1] > x; k--)
        t->x[k] = t->x[k - 1];
    t->x[k] = x;
}

/* The claims that lie nearest to the middle, at most FUSION_GRID_CLAIM. */
static size_t middle_claims(const struct fusion_number_model *m, const struct item *t, size_t *chosen) {
    double y[WEIGHED];
    size_t order[WEIGHED];
    for (size_t k = 0; k < t->n; k++) {
        const double v = t->y[k] - m->source[t->source[k]].bias;
        size_t at = k;
        for (; at > 0 && y[at - 1] > v; at--) {
            y[at] = y[at - 1];
            order[at] = order[at - 1];
        }
        y[at] = v;
        order[at] = k;
    }
    const size_t n = t->n < FUSION_GRID_CLAIM ? t->n : FUSION_GRID_CLAIM, from = (t->n - n) / 2;
    for (size_t k = 0; k < n; k++)
        chosen[k] = order[from + k];
    return n;
}

static void lay_grid(const struct fusion_number_model *m, struct item *t) {
    static const double offset[] = {-3.5, -2.2, -1.4, -0.8, -0.35, 0, 0.35, 0.8, 1.4, 2.2, 3.5};
    static const double wide[] = {-4, -2, -1, -0.4, 0, 0.4, 1, 2, 4};
    size_t chosen[FUSION_GRID_CLAIM];
    const size_t n = middle_claims(m, t, chosen);
    t->nodes = 0;
    for (size_t k = 0; k < n; k++) {
        const double y = t->y[chosen[k]] - m->source[t->source[chosen[k]]].bias;
        const double sd = sqrt(t->variance[chosen[k]] * size_at(m, y) + m->drift * t->age[chosen[k]]);
        for (size_t o = 0; o < sizeof offset / sizeof *offset; o++)
            insert(t, y + offset[o] * sd);
    }
    for (size_t o = 0; o < sizeof wide / sizeof *wide; o++)
        insert(t, m->centre + wide[o] * m->spread);
    for (size_t g = 0; g < t->nodes; g++) {
        t->size[g] = m->slope != 0 ? size_at(m, t->x[g]) : 1;
        const double left = g > 0 ? t->x[g - 1] : t->x[g], right = g + 1 < t->nodes ? t->x[g + 1] : t->x[g];
        t->step[g] = (right - left) / 2;
    }
}

static double broad(const struct fusion_number_model *m, double y) { return t7(square(y - m->centre), square(m->spread)); }

static void scale(struct item *t) {
    double top = 0;
    for (size_t g = 0; g < t->nodes; g++)
        top = t->p[g] > top ? t->p[g] : top;
    const double by = top > 0 ? 1 / top : 1;
    for (size_t g = 0; g < t->nodes; g++)
        t->p[g] *= by;
}

static void multiply(const struct fusion_number_model *m, struct item *t, size_t k) {
    const struct fusion_number_source *s = &m->source[t->source[k]];
    const double own = t->variance[k], drift = m->drift * t->age[k], y = t->y[k] - s->bias;
    const double floor = t->gross[k] * broad(m, t->y[k]);
    const double stay = (1 - t->gross[k]) * (1 - t->jump[k]), move = (1 - t->gross[k]) * t->jump[k];
    double density[FUSION_GRID_NODE];
    for (size_t g = 0; g < t->nodes; g++)
        density[g] = stay * t7(square(y - t->x[g]), own * t->size[g] + drift) + floor;
    for (size_t g = 0; g < t->nodes && move > 0; g++)
        density[g] += move * t7(square(y - t->x[g]), own * t->size[g] + drift + m->jump_variance);
    for (size_t g = 0; g < t->nodes; g++)
        t->p[g] *= t->weight[k] < 1 ? pow(density[g], t->weight[k]) : density[g];
}

/* The posterior as weights of the nodes that sum to 1. */
static void posterior(const struct fusion_number_model *m, struct item *t) {
    for (size_t g = 0; g < t->nodes; g++)
        t->p[g] = broad(m, t->x[g]);
    for (size_t k = 0; k < t->n; k++) {
        multiply(m, t, k);
        if (k % 8 == 7)
            scale(t);
    }
    scale(t);
}

/* The density becomes weights of the nodes. */
static void normalise(struct item *t) {
    double sum = 0;
    for (size_t g = 0; g < t->nodes; g++)
        sum += t->p[g] *= t->step[g];
    for (size_t g = 0; g < t->nodes; g++)
        t->p[g] = sum > 0 ? t->p[g] / sum : 1 / (double)t->nodes;
}

static void at_truth(const struct fusion_number_model *m, double truth, struct item *t) {
    t->nodes = 1;
    t->x[0] = truth;
    t->size[0] = size_at(m, truth);
    t->p[0] = 1;
}

/* ---- a round ---- */

/* What one claim teaches, averaged over the posterior. */
struct lesson {
    double stay, jump, gross, square, bias, bias_weight, drift_up, drift_down, jump_square, slope_up, slope_down;
};

static void learn_claim(const struct fusion_number_model *m, const struct item *t, size_t k, struct lesson *l) {
    const double own = t->variance[k], drift = m->drift * t->age[k], y = t->y[k] - m->source[t->source[k]].bias;
    const double floor = t->gross[k] * broad(m, t->y[k]);
    const double in = 1 - t->gross[k], jump = t->jump[k];
    *l = (struct lesson){0};
    for (size_t g = 0; g < t->nodes; g++) {
        if (t->p[g] < 1e-4)
            continue;
        const double noise = own * t->size[g], v = noise + drift, r = y - t->x[g], r2 = r * r;
        const double a = in * (1 - jump) * t7(r2, v), b = jump > 0 ? in * jump * t7(r2, v + m->jump_variance) : 0;
        const double all = a + b + floor, p = t->p[g] / all;
        const double u = (freedom + 1) / (freedom + r2 / v), part = noise / v, pa = p * a;
        l->stay += pa;
        l->jump += p * b;
        l->gross += p * floor;
        l->square += pa * (part * part * u * r2 + noise * (1 - part)) / t->size[g];
        l->bias += pa * u * r / v;
        l->bias_weight += pa * u / v;
        l->drift_up += pa * t->age[k] * (u * r2 - noise) / (v * v);
        l->drift_down += pa * t->age[k] * t->age[k] / (v * v);
        l->jump_square += p * b * ((freedom + 1) / (freedom + r2 / (v + m->jump_variance)) * r2 - v);
        l->slope_up += pa * part * (u * r2 / v - 1) * (t->x[g] - m->centre);
        l->slope_down += pa * part * part * square(t->x[g] - m->centre);
    }
}

static void add_lesson(const struct item *t, size_t k, const struct lesson *l, struct sums *q) {
    const uint32_t s = t->source[k];
    const double w = t->weight[k];
    q->variance[s] += w * l->square;
    q->claims[s] += w * l->stay;
    q->gross[s] += w * l->gross;
    q->heard[s] += w;
    q->bias[s] += w * l->bias;
    q->bias_weight[s] += w * l->bias_weight;
    q->all_gross += w * l->gross;
    q->all_heard += w;
    q->drift_up += w * l->drift_up;
    q->drift_down += w * l->drift_down;
    q->jumps += w * l->jump;
    q->jumps_expected += w * (l->stay + l->jump) * t->jump[k];
    q->jump_square += w * l->jump_square;
    q->slope_up += w * l->slope_up;
    q->slope_down += w * l->slope_down;
}

static void update_sources(struct fusion_number_model *m, const struct fusion_number_data *d, struct sums *q) {
    double level = 0, known = 0;
    for (size_t s = 0; s < d->n_source; s++)
        if (q->claims[s] > 0) {
            const double w = q->claims[s] / (q->claims[s] + 20);
            level += w * log((q->variance[s] + 0.1 * m->mean_variance) / (q->claims[s] + 0.1));
            known += w;
        }
    if (known > 0)
        m->mean_variance = fmax(exp(level / known), square(d->spread_least));
    m->mean_gross = clamp((q->all_gross + 20 * gross_prior) / (q->all_heard + 20), 0.001, 0.3);
    for (size_t s = 0; s < d->n_source; s++) {
        struct fusion_number_source *o = &m->source[s];
        const double v = (q->variance[s] + variance_strength * m->mean_variance) / (q->claims[s] + variance_strength);
        q->moved = fmax(q->moved, fabs(log(v / o->variance)));
        o->variance = fmax(v, square(d->spread_least));
        const double hold = bias_strength / m->mean_variance;
        o->bias += (q->bias[s] - hold * o->bias) / (q->bias_weight[s] + hold);
        o->gross = clamp((q->gross[s] + gross_strength * m->mean_gross) / (q->heard[s] + gross_strength), 0.001, 0.9);
        o->evidence = q->heard[s];
    }
}

static void update_field(struct fusion_number_model *m, const struct sums *q, unsigned round) {
    if (q->drift_down > 0)
        m->drift = fmax(0, m->drift + 0.5 * (q->drift_up / (q->drift_down + 1e-12) - m->drift));
    if (round < 2)
        return;
    m->jump_rate =
        clamp(m->jump_rate * (q->jumps + jump_strength * 0.5) / (q->jumps_expected + jump_strength * 0.5), 1e-4, 3);
    m->jump_variance =
        fmax((q->jump_square + jump_strength * m->jump_variance) / (q->jumps + jump_strength), 4 * m->mean_variance);
    m->slope =
        clamp(m->slope + 0.7 * (q->slope_up - slope_strength * m->slope * 0.02) / (q->slope_down + slope_strength), -2, 2);
}

static void add_copies(struct fusion_number_model *m, const struct item *t) {
    for (size_t j = 0; j < t->n; j++)
        for (size_t k = 0; k < j; k++) {
            const double v = t->variance[j] + t->variance[k];
            const double chance = fmin(0.9, 2 * m->copy_tolerance / sqrt(6.2832 * v));
            const bool same = fabs(t->y[j] - t->y[k]) <= m->copy_tolerance;
            fusion_copy_add(&m->copy, t->source[j], t->source[k], 1 - chance, (same ? 1 : 0) - chance);
        }
}

static void clear(struct sums *q, size_t n) {
    double *const keep[] = {q->variance, q->claims, q->gross, q->bias, q->bias_weight, q->heard};
    for (size_t k = 0; k < sizeof keep / sizeof *keep; k++)
        memset(keep[k], 0, n * sizeof(double));
    *q = (struct sums){
        .variance = keep[0], .claims = keep[1], .gross = keep[2], .bias = keep[3], .bias_weight = keep[4], .heard = keep[5]};
}

static void run_round(struct fusion_number_model *m, const struct fusion_number_data *d, struct item *t, bool copies,
                      size_t step, struct sums *q) {
    clear(q, d->n_source);
    if (copies)
        fusion_copy_clear(&m->copy);
    for (size_t i = 0; i < d->n_item; i += step) {
        const bool known = isfinite(d->verified[i]);
        gather(m, d, i, known, t);
        if (t->n == 0)
            continue;
        if (known)
            at_truth(m, d->verified[i], t);
        else {
            lay_grid(m, t);
            posterior(m, t);
            normalise(t);
        }
        for (size_t k = 0; k < t->n; k++) {
            struct lesson l;
            learn_claim(m, t, k, &l);
            add_lesson(t, k, &l, q);
        }
        if (copies) {
            gather(m, d, i, true, t);
            add_copies(m, t);
        }
    }
    update_sources(m, d, q);
    update_field(m, q, m->rounds);
    if (copies)
        fusion_copy_conclude(&m->copy, 0, copy_strength, copy_least);
}

/* ---- beginning ---- */

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double middle(double *v, size_t n) {
    qsort(v, n, sizeof *v, ascending);
    return n == 0 ? 0 : n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double item_median(const struct fusion_number_data *d, size_t i, double *room) {
    const size_t n = d->start[i + 1] - d->start[i];
    memcpy(room, d->y + d->start[i], n * sizeof *room);
    return middle(room, n);
}

/* Median absolute deviation, as the standard deviation of a normal distribution. */
static double deviation(double *v, size_t n, double centre) {
    for (size_t k = 0; k < n; k++)
        v[k] = fabs(v[k] - centre);
    return 1.4826 * middle(v, n);
}

static void begin(struct arena *a, const struct fusion_number_data *d, struct fusion_number_model *m) {
    const size_t n_claim = d->start[d->n_item];
    double *medians = ARENA_ARRAY(a, d->n_item, double), *off = ARENA_ARRAY(a, n_claim, double),
           *room = ARENA_ARRAY(a, n_claim, double);
    uint32_t *claims = ARENA_ARRAY(a, d->n_source, uint32_t);
    size_t n_off = 0, n = 0;
    for (size_t i = 0; i < d->n_item; i++) {
        const double x = item_median(d, i, room);
        if (d->start[i + 1] > d->start[i])
            medians[n++] = x;
        for (size_t c = d->start[i]; c < d->start[i + 1]; c++) {
            claims[d->source[c]]++;
            if (d->start[i + 1] - d->start[i] > 1)
                off[n_off++] = d->y[c] - x;
        }
    }
    *m = (struct fusion_number_model){.source = ARENA_ARRAY(a, d->n_source, struct fusion_number_source),
                                      .mean_gross = gross_prior,
                                      .jump_rate = 0.02,
                                      .level = 0.9};
    m->centre = middle(medians, n);
    m->spread = fmax(deviation(medians, n, m->centre), 4 * d->spread_least);
    const double sd = fmax(n_off > 1 ? deviation(off, n_off, 0) : 0.3 * m->spread, d->spread_least);
    m->mean_variance = square(sd);
    m->jump_variance = 9 * m->mean_variance;
    for (size_t s = 0; s < d->n_source; s++)
        m->source[s] = (struct fusion_number_source){.variance = m->mean_variance, .gross = gross_prior};
    fusion_copy_init(a, claims, d->n_source, &m->copy);
}

static double typical_deviation(const struct fusion_number_model *m, const struct fusion_number_data *d, double *room) {
    size_t n = 0;
    for (size_t s = 0; s < d->n_source; s++)
        if (m->source[s].evidence > 0)
            room[n++] = m->source[s].variance;
    return sqrt(middle(room, n));
}

void fusion_number_fit(struct arena *a, const struct fusion_number_data *d, struct fusion_number_model *out) {
    begin(a, d, out);
    struct item *t = ARENA_NEW(a, struct item);
    double *room = ARENA_ARRAY(a, d->n_source, double);
    struct sums q = {.variance = ARENA_ARRAY(a, d->n_source, double),
                     .claims = ARENA_ARRAY(a, d->n_source, double),
                     .gross = ARENA_ARRAY(a, d->n_source, double),
                     .bias = ARENA_ARRAY(a, d->n_source, double),
                     .bias_weight = ARENA_ARRAY(a, d->n_source, double),
                     .heard = ARENA_ARRAY(a, d->n_source, double)};
    const size_t step = d->start[d->n_item] / FUSION_SAMPLE + 1;
    while (out->rounds < ROUND_MAX) {
        const bool copies = out->rounds >= COPY_AFTER && (out->rounds - COPY_AFTER) % COPY_EVERY == 0;
        if (copies)
            out->copy_tolerance = 0.15 * typical_deviation(out, d, room);
        run_round(out, d, t, copies, step, &q);
        out->rounds++;
        if (out->rounds > 8 && !copies && q.moved < 5e-3)
            break;
    }
    if (step > 1) {
        run_round(out, d, t, false, 1, &q);
        out->rounds++;
    }
}

/* ---- the posterior of one item ---- */

/* Where the piecewise linear density's integral reaches `part` of its total. */
static double quantile(const struct item *t, const double *sum, double part) {
    assert(t->nodes > 1); /* lay_grid */
    const double want = part * sum[t->nodes - 1];
    size_t g = 1;
    while (g + 1 < t->nodes && sum[g] < want)
        g++;
    const double width = t->x[g] - t->x[g - 1], mass = sum[g] - sum[g - 1], need = want - sum[g - 1];
    const double from = t->p[g - 1], rise = t->p[g] - from;
    if (mass <= 0 || width <= 0)
        return t->x[g];
    if (fabs(rise) < 1e-12 * (from + t->p[g]))
        return t->x[g - 1] + width * need / mass;
    const double root = sqrt(fmax(0, from * from + 2 * rise * need / width));
    return t->x[g - 1] + width * clamp((root - from) / rise, 0, 1);
}

static double mass_below(const struct item *t, const double *sum, double x) {
    if (x <= t->x[0])
        return 0;
    size_t g = 1;
    while (g < t->nodes && t->x[g] < x)
        g++;
    if (g == t->nodes)
        return 1;
    const double width = t->x[g] - t->x[g - 1], part = width > 0 ? (x - t->x[g - 1]) / width : 1;
    const double here = t->p[g - 1] + part * (t->p[g] - t->p[g - 1]);
    return (sum[g - 1] + part * width * (t->p[g - 1] + here) / 2) / sum[t->nodes - 1];
}

void fusion_number_infer(const struct fusion_number_model *m, const struct fusion_number_data *d, size_t i, double near,
                         struct fusion_number_fact *out) {
    struct item t;
    double sum[FUSION_GRID_NODE];
    if (isfinite(d->verified[i])) {
        *out = (struct fusion_number_fact){d->verified[i], d->verified[i], d->verified[i], 1};
        return;
    }
    gather(m, d, i, false, &t);
    lay_grid(m, &t);
    posterior(m, &t);
    sum[0] = 0;
    for (size_t g = 1; g < t.nodes; g++)
        sum[g] = sum[g - 1] + (t.x[g] - t.x[g - 1]) * (t.p[g] + t.p[g - 1]) / 2;
    out->median = quantile(&t, sum, 0.5);
    out->low = quantile(&t, sum, (1 - m->level) / 2);
    out->high = quantile(&t, sum, (1 + m->level) / 2);
    out->near = mass_below(&t, sum, out->median + near) - mass_below(&t, sum, out->median - near);
}
