/* linkage.c — the Fellegi–Sunter model and its expectation and maximisation. */
#include "ml/linkage.h"

#include <math.h>
#include <string.h>

/* Pairs of evidence that the first values of m are worth; how often a level that was never seen may be expected. */
static const double prior_pair = 4, least_share = 1e-9;

/* Sums over the pairs of one round, each weighted by its probability. */
struct tally {
    double match, related;
    double m[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX], r[LINKAGE_FIELD_MAX][LINKAGE_LEVEL_MAX];
};

static double clip(double ratio) { return fmax(-LINKAGE_RATIO_MAX, fmin(LINKAGE_RATIO_MAX, ratio)); }

void linkage_prepare(struct linkage *model) {
    for (size_t f = 0; f < model->n_field; f++) {
        const struct linkage_field *x = &model->field[f];
        model->match_ratio[f][0] = model->related_ratio[f][0] = 0;
        for (size_t l = 1; l < x->n_level; l++) {
            const double u = fmax(x->u[l], 1e-300);
            model->match_ratio[f][l] = clip(log(fmax(x->m[l], 1e-300) / u));
            model->related_ratio[f][l] = clip(log(fmax(x->r[l], 1e-300) / u));
        }
        for (size_t l = 1; l < x->n_level && x->best; l++)
            model->match_ratio[f][l] = fmin(model->match_ratio[f][l], model->match_ratio[f][x->best]);
    }
}

/* ln π_M e^L and ln π_R e^S; U is π_U. */
static void sums(const struct linkage *model, const struct linkage_pair *p, double *match, double *related) {
    double a = p->rarity, b = p->shared_rarity;
    for (size_t f = 0; f < model->n_field; f++) {
        a += model->match_ratio[f][p->level[f]];
        b += model->related_ratio[f][p->level[f]];
    }
    *match = a;
    *related = b;
}

double linkage_log_odds(const struct linkage *model, const struct linkage_pair *pair) {
    double a, b;
    sums(model, pair, &a, &b);
    const double other = model->related * exp(b) + (1 - model->match - model->related);
    return log(model->match) + a - log(other);
}

double linkage_probability(double log_odds) {
    return log_odds >= 0 ? 1 / (1 + exp(-log_odds)) : exp(log_odds) / (1 + exp(log_odds));
}

static void expect(const struct linkage *model, const struct linkage_evidence *e, struct tally *t) {
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < e->n; i++) {
        const struct linkage_pair *p = &e->pair[i];
        double a, b;
        sums(model, p, &a, &b);
        const double match = model->match * exp(a), related = model->related * exp(b);
        const double all = match + related + (1 - model->match - model->related);
        const double n = e->count ? e->count[i] : 1, pm = n * match / all, pr = n * related / all;
        t->match += pm;
        t->related += pr;
        for (size_t f = 0; f < model->n_field; f++) {
            t->m[f][p->level[f]] += pm;
            t->r[f][p->level[f]] += pr;
        }
    }
}

/* What chance leaves of `any` when the matches are out; never less than a thousandth of it, since the expectation of the
 * matches is itself uncertain, and never none. */
static void chance(struct linkage_field *x, const struct linkage_evidence *e, size_t f, const double *match) {
    double sum = 0;
    const double all = fmax(e->total * e->known[f], 1);
    for (size_t l = 1; l < x->n_level; l++) {
        x->u[l] = fmax(e->any[f][l] - match[l] * e->weight / all, fmax(1e-3 * e->any[f][l], least_share));
        sum += x->u[l];
    }
    for (size_t l = 1; l < x->n_level; l++)
        x->u[l] /= sum;
}

/* Personal levels keep the odds of chance; the others share what is left by what was seen. */
static void relate(struct linkage_field *x, const double *seen) {
    double free_mass = 0, sum = 0;
    for (size_t l = 1; l < x->n_level; l++)
        if (!x->personal[l]) {
            free_mass += x->u[l];
            sum += seen[l] + prior_pair * x->u[l];
        }
    for (size_t l = 1; l < x->n_level; l++)
        x->r[l] = x->personal[l] || sum <= 0 ? x->u[l] : free_mass * (seen[l] + prior_pair * x->u[l]) / sum;
}

/* Brings disagreement among matches down to its limit. */
static void limit_apart(struct linkage_field *x) {
    double apart = 0;
    for (size_t l = 1; l <= x->n_apart; l++)
        apart += x->m[l];
    if (x->n_apart == 0 || apart <= x->apart_max)
        return;
    for (size_t l = 1; l < x->n_level; l++)
        x->m[l] *= l <= x->n_apart ? x->apart_max / apart : (1 - x->apart_max) / (1 - apart);
}

/* New shares from the tally; returns the greatest change of any m. */
static double maximise(struct linkage *model, const struct linkage_evidence *e, const struct linkage *first,
                       const struct tally *t) {
    double change = 0;
    for (size_t f = 0; f < model->n_field; f++) {
        struct linkage_field *x = &model->field[f];
        double sum = 0;
        for (size_t l = 1; l < x->n_level; l++)
            sum += t->m[f][l];
        double before[LINKAGE_LEVEL_MAX];
        memcpy(before, x->m, sizeof before);
        for (size_t l = 1; l < x->n_level; l++)
            x->m[l] = (t->m[f][l] + prior_pair * first->field[f].m[l]) / (sum + prior_pair);
        limit_apart(x);
        for (size_t l = 1; l < x->n_level; l++)
            change = fmax(change, fabs(x->m[l] - before[l]));
        chance(x, e, f, t->m[f]);
        relate(x, t->r[f]);
    }
    const double total = fmax(e->total, 1);
    model->match = fmin(fmax(t->match * e->weight / total, 0.5 / total), 0.5);
    model->related = fmin(fmax(t->related * e->weight / total, 0.5 / total), 0.4);
    linkage_prepare(model);
    return change;
}

static void start(struct linkage *model, const struct linkage_evidence *e) {
    static const double nothing[LINKAGE_LEVEL_MAX];
    for (size_t f = 0; f < model->n_field; f++) {
        struct linkage_field *x = &model->field[f];
        chance(x, e, f, nothing);
        /* A relation to begin with: what is not personal agrees as in a match. */
        double seen[LINKAGE_LEVEL_MAX] = {0};
        for (size_t l = 1; l < x->n_level; l++)
            seen[l] = 1e6 * x->m[l];
        relate(x, seen);
    }
    model->related = model->match;
    linkage_prepare(model);
}

void linkage_fit(struct linkage *model, const struct linkage_evidence *e) {
    const struct linkage first = *model;
    struct tally t;
    const int limit = e->max_iteration > 0 ? e->max_iteration : 200;
    start(model, e);
    model->converged = false;
    for (model->iterations = 0; model->iterations < limit && !model->converged;) {
        expect(model, e, &t);
        model->converged = maximise(model, e, &first, &t) < 1e-6;
        model->iterations++;
    }
}
