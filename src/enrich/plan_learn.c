/* plan_learn.c — what answers say of the sources: Bayesian logistic regression with a diagonal posterior. */
#include "enrich/plan_priv.h"

#include "ml/special.h"

#include <math.h>

enum { KINDS = 5 };

/* Standard deviations before anything is seen: of a source, its loading, its fields, its segments, and both. */
static const double source_mean = -0.4, loading_mean = 0.8;
static const double source_sd = 1.2, loading_sd = 0.5, segment_sd = 0.8, field_sd = 0.7, cell_sd = 0.6;

static struct plan_parameter prior_of(const struct plan *p, size_t i) {
    const size_t n = p->set.n_source;
    const size_t end[KINDS] = {n, 2 * n, plan_at_field(p, 0, 0), plan_at_cell(p, 0, 0, 0), p->n_parameter};
    static const double mean[KINDS] = {source_mean, loading_mean, 0, 0, 0};
    static const double sd[KINDS] = {source_sd, loading_sd, segment_sd, field_sd, cell_sd};
    size_t kind = 0;
    while (i >= end[kind])
        kind++;
    return (struct plan_parameter){mean[kind], 1 / (sd[kind] * sd[kind])};
}

void plan_forget_all(struct plan *p) {
    for (size_t i = 0; i < p->n_parameter; i++)
        p->parameter[i] = prior_of(p, i);
    p->spent = p->explored = p->learned = 0;
}

/* Evidence fades by half in forget_days; what is left of it pulls as much less against the prior. */
static void forget(struct plan *p, double day) {
    const double days = day - p->day;
    p->day = fmax(p->day, day);
    if (p->set.forget_days <= 0 || days <= 0)
        return;
    const double keep = exp2(-days / p->set.forget_days);
    for (size_t i = 0; i < p->n_parameter; i++) {
        const struct plan_parameter prior = prior_of(p, i);
        struct plan_parameter *x = &p->parameter[i];
        const double old = keep * fmax(0, x->precision - prior.precision), precision = old + prior.precision;
        x->mean = (old * x->mean + prior.precision * prior.mean) / precision;
        x->precision = precision;
    }
}

/* One step of the extended Kalman filter, of which the covariances are left out: parameters that are added up share what is
 * learned by how unsure each is. */
static void share_out(struct plan *p, const size_t *at, size_t n, double gradient, double curvature) {
    double variance = 0;
    for (size_t i = 0; i < n; i++)
        variance += 1 / p->parameter[at[i]].precision;
    for (size_t i = 0; i < n; i++) {
        struct plan_parameter *x = &p->parameter[at[i]];
        const double own = 1 / x->precision;
        x->mean += own * gradient / (1 + curvature * variance);
        x->precision += curvature / (1 + curvature * (variance - own));
    }
}

/* One outcome, seen by what is now known of the lead's findability. */
static void learn_one(struct plan *p, const struct plan_lead *lead, size_t s, size_t f, bool hit) {
    const size_t g = lead->segment;
    const size_t base[] = {plan_at_source(p, s), plan_at_field(p, s, f), plan_at_segment(p, s, g), plan_at_cell(p, s, f, g)};
    const size_t loading[] = {plan_at_loading(p, s)};
    const double log_odds_0 = plan_log_odds(p, s, f, g), r = p->parameter[*loading].mean;
    double gradient = 0, curvature = 0, slope = 0, bend = 0;
    for (size_t k = 0; k < PLAN_GRID; k++) {
        const double z = plan_grid_point(k), q = sigmoid(log_odds_0 + r * z), miss = (double)hit - q;
        gradient += lead->z[k] * miss;
        curvature += lead->z[k] * q * (1 - q);
        slope += lead->z[k] * miss * z;
        bend += lead->z[k] * q * (1 - q) * z * z;
    }
    share_out(p, base, sizeof base / sizeof *base, gradient, curvature);
    share_out(p, loading, 1, slope, bend);
}

void plan_learn(struct plan *p, const struct plan_lead *lead, const uint64_t hits[PLAN_SOURCES], double day) {
    forget(p, day);
    for (size_t s = 0; s < p->set.n_source; s++)
        for (size_t f = 0; f < p->set.n_field; f++)
            if (lead->asked >> s & p->set.source[s].fields >> f & 1)
                learn_one(p, lead, s, f, hits[s] >> f & 1);
    p->learned++;
}

/* ---- keeping it ---- */

enum { STATE_HEAD = 4 };

size_t plan_state_count(const struct plan *p) { return STATE_HEAD + 2 * p->n_parameter; }

void plan_state_save(const struct plan *p, double *to) {
    const double head[STATE_HEAD] = {p->spent, p->explored, p->learned, p->day};
    for (size_t i = 0; i < STATE_HEAD; i++)
        to[i] = head[i];
    for (size_t i = 0; i < p->n_parameter; i++) {
        to[STATE_HEAD + 2 * i] = p->parameter[i].mean;
        to[STATE_HEAD + 2 * i + 1] = p->parameter[i].precision;
    }
}

bool plan_state_load(struct plan *p, const double *from) {
    for (size_t i = 0; i < plan_state_count(p); i++) {
        const bool precision = i >= STATE_HEAD && (i - STATE_HEAD) % 2 == 1;
        if (!isfinite(from[i]) || (precision && from[i] <= 0))
            return false;
    }
    p->spent = from[0];
    p->explored = from[1];
    p->learned = from[2];
    p->day = from[3];
    for (size_t i = 0; i < p->n_parameter; i++)
        p->parameter[i] = (struct plan_parameter){from[STATE_HEAD + 2 * i], from[STATE_HEAD + 2 * i + 1]};
    return true;
}
