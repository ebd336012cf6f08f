/* signal.c — single-field AUC by cross-fitting, and levels whose outcome is nearly settled. */
#include "features/signal_priv.h"

#include "features/fit_priv.h"

#include <math.h>
#include <stdlib.h>

enum { N_FOLD = 5, N_BIN = 40, LEAST_ROWS = 30 };

/* 99 %, two-sided */
static const double z = 2.5758293035489004;

double wilson_low(double positive, double n) {
    double p = positive / n, middle = p + z * z / (2 * n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return (middle - half) / (1 + z * z / n);
}

double wilson_high(double positive, double n) { return 1 - wilson_low(n - positive, n); }

double settled_always(double base) { return 1 - fmin(0.05, (1 - base) / 4); }

double settled_never(double base) { return fmin(0.05, base / 4); }

/* The rows of a field in groups: a level, a bin, or a way of being missing. */
struct groups {
    uint32_t *of_value; /* of the column's distinct cells */
    size_t n;
    double *rows, *positive;           /* n */
    double *fold_rows, *fold_positive; /* n x N_FOLD */
    bool *missing;                     /* n */
    str *label;                        /* n: a spelling */
};

static void group_levels(struct arena *a, const struct column *c, struct groups *g) {
    struct spellings s;
    column_fold(a, c, &s);
    g->of_value = s.group_of;
    g->n = s.n_group;
}

/* Bins for what can be read; each token, the empty cell and what cannot be read are groups of their own. */
static void group_numbers(struct arena *a, const struct column *c, const struct field *f, const unsigned char *missing,
                          struct groups *g) {
    size_t n, invalid;
    str example;
    double edges[N_BIN];
    struct tally *t = column_tally(a, c, f, missing, &n, &invalid, &example);
    size_t n_edge = n > 0 ? tally_edges(t, n, N_BIN, 10, edges) : 0, extra = n_edge + 2;
    g->of_value = ARENA_ARRAY(a, c->n_value, uint32_t);
    for (size_t v = 0; v < c->n_value; v++) {
        double value;
        if (missing[v]) {
            g->of_value[v] = (uint32_t)extra++;
        } else if (column_read(c->value[v].text, f, &value)) {
            size_t b = 0;
            while (b < n_edge && value >= edges[b])
                b++;
            g->of_value[v] = (uint32_t)b;
        } else {
            g->of_value[v] = (uint32_t)(n_edge + 1);
        }
    }
    g->n = extra;
}

static void count_groups(struct arena *a, const struct column *c, const unsigned char *missing, const struct outcome *o,
                         struct groups *g) {
    g->rows = ARENA_ARRAY(a, g->n, double);
    g->positive = ARENA_ARRAY(a, g->n, double);
    g->fold_rows = ARENA_ARRAY(a, g->n * N_FOLD, double);
    g->fold_positive = ARENA_ARRAY(a, g->n * N_FOLD, double);
    g->missing = ARENA_ARRAY(a, g->n, bool);
    g->label = ARENA_ARRAY(a, g->n, str);
    double *most = ARENA_ARRAY(a, g->n, double);
    for (size_t v = 0; v < c->n_value; v++) {
        uint32_t k = g->of_value[v];
        g->missing[k] |= missing[v] != 0;
        if (c->value[v].n > most[k]) {
            most[k] = c->value[v].n;
            g->label[k] = c->value[v].text;
        }
    }
    for (size_t i = 0; i < o->n; i++) {
        uint32_t k = g->of_value[c->value_of[i]];
        g->rows[k]++;
        g->positive[k] += o->y[i];
        g->fold_rows[k * N_FOLD + o->fold[i]]++;
        g->fold_positive[k * N_FOLD + o->fold[i]] += o->y[i];
    }
}

/* ---- AUC ---- */

struct scored {
    double score, positive, negative;
};

static int by_score(const void *x, const void *y) {
    const struct scored *a = x, *b = y;
    return (a->score > b->score) - (a->score < b->score);
}

/* Pairs ranked rightly, ties half, and all pairs; s is sorted in place. */
static void rank_pairs(struct scored *s, size_t n, double *right, double *pairs) {
    double below = 0, positives = 0, negatives = 0;
    qsort(s, n, sizeof *s, by_score);
    for (size_t i = 0; i < n;) {
        double tied_positive = 0, tied_negative = 0;
        size_t j = i;
        for (; j < n && s[j].score <= s[i].score; j++) {
            tied_positive += s[j].positive;
            tied_negative += s[j].negative;
        }
        *right += tied_positive * (below + tied_negative / 2);
        below += tied_negative;
        positives += tied_positive;
        negatives += tied_negative;
        i = j;
    }
    *pairs += positives * negatives;
}

static double cross_fitted_auc(struct arena *a, const struct groups *g, const struct outcome *o) {
    struct scored *s = ARENA_ARRAY(a, g->n, struct scored);
    double right = 0, pairs = 0;
    for (size_t fold = 0; fold < N_FOLD; fold++) {
        for (size_t k = 0; k < g->n; k++) {
            double n = g->fold_rows[k * N_FOLD + fold], p = g->fold_positive[k * N_FOLD + fold];
            s[k].score = (g->positive[k] - p + 5 * o->base) / (g->rows[k] - n + 5);
            s[k].positive = p;
            s[k].negative = n - p;
        }
        rank_pairs(s, g->n, &right, &pairs);
    }
    return pairs > 0 ? right / pairs : 0.5;
}

static void measure_known(const struct groups *g, const struct outcome *o, struct signal *out) {
    double missing_positive = 0, known_positive;
    for (size_t k = 0; k < g->n; k++)
        if (g->missing[k]) {
            out->missing_n += g->rows[k];
            missing_positive += g->positive[k];
        }
    known_positive = o->positives - missing_positive;
    out->known_n = (double)o->n - out->missing_n;
    out->missing_rate = out->missing_n > 0 ? missing_positive / out->missing_n : (double)NAN;
    out->known_rate = out->known_n > 0 ? known_positive / out->known_n : (double)NAN;
    double known_negative = out->known_n - known_positive, negatives = (double)o->n - o->positives;
    out->known_auc = 0.5 + fabs(known_positive / o->positives - known_negative / negatives) / 2;
}

/* ---- settled levels ---- */

static void settle_group(const struct outcome *o, str label, double n, double positive, struct settled *s) {
    if (n < LEAST_ROWS)
        return;
    if (wilson_low(positive, n) >= settled_always(o->base)) {
        s->n_always++;
        s->always_n += n;
        s->always_rate += positive;
        if (n > s->always_level_n) {
            s->always_level = label;
            s->always_level_n = n;
            s->always_level_rate = positive / n;
        }
    } else if (wilson_high(positive, n) <= settled_never(o->base)) {
        s->n_never++;
        s->never_n += n;
        s->never_rate += positive;
        if (n > s->never_level_n) {
            s->never_level = label;
            s->never_level_n = n;
            s->never_level_rate = positive / n;
        }
    }
}

static void close_settled(const struct outcome *o, struct settled *s) {
    double negatives = (double)o->n - o->positives;
    s->positives = s->always_rate / o->positives;
    s->negatives = (s->never_n - s->never_rate) / negatives;
    s->rows = (s->always_n + s->never_n) / (double)o->n;
    s->always_rate = s->always_n > 0 ? s->always_rate / s->always_n : 0;
    s->never_rate = s->never_n > 0 ? s->never_rate / s->never_n : 0;
}

/* Numbers are ordered, and honest ones may be steep: only the lowest run is looked at. */
static void measure_low(struct arena *a, const struct column *c, const struct field *f, const unsigned char *missing,
                        const struct outcome *o, struct signal *out) {
    size_t n, invalid;
    str example;
    struct tally *t = column_tally(a, c, f, missing, &n, &invalid, &example);
    double rows = 0, positive = 0;
    for (size_t i = 0; i < n; i++) {
        rows += t[i].n;
        positive += t[i].positive;
        if (rows >= LEAST_ROWS && wilson_high(positive, rows) <= settled_never(o->base)) {
            out->low_n = rows;
            out->low_rate = positive / rows;
            out->low_value = t[i].value;
        }
    }
}

void signal_measure(struct arena *a, const struct column *c, const struct field *f, const struct outcome *o,
                    struct signal *out) {
    struct groups g = {0};
    bool number = f->type == FIELD_NUMERIC || f->type == FIELD_DATE;
    unsigned char *missing = ARENA_ARRAY(a, c->n_value, unsigned char);
    fit_mark_missing(c, f, missing);
    *out = (struct signal){.field = f};
    if (number)
        group_numbers(a, c, f, missing, &g);
    else
        group_levels(a, c, &g);
    count_groups(a, c, missing, o, &g);
    out->n_group = g.n;
    out->auc = cross_fitted_auc(a, &g, o);
    measure_known(&g, o, out);
    double right = 0;
    for (size_t k = 0; k < g.n; k++) {
        right += fmax(g.positive[k], g.rows[k] - g.positive[k]);
        if (!number || g.missing[k])
            settle_group(o, g.label[k], g.rows[k], g.positive[k], &out->settled);
    }
    out->agree = right / (double)o->n;
    if (number) {
        settle_group(o, STR("any number"), out->known_n, out->known_rate * out->known_n, &out->settled);
        measure_low(a, c, f, missing, o, out);
    }
    close_settled(o, &out->settled);
}
