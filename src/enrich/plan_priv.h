/* plan_priv.h — the parameters of the plan's hit model. */
#ifndef GALENA_ENRICH_PLAN_PRIV_H
#define GALENA_ENRICH_PLAN_PRIV_H

#include "enrich/plan.h"

/* A Gaussian. */
struct plan_parameter {
    double mean, precision;
};

struct plan {
    struct plan_settings set;
    struct rng rng;
    size_t n_parameter;
    struct plan_parameter *parameter; /* by plan_at_...: all of each kind together */
    double spent, explored;           /* money */
    double learned;                   /* leads */
    double day;                       /* of what was learned last */
};

static inline size_t plan_at_source(const struct plan *p, size_t s) { return (void)p, s; }
static inline size_t plan_at_loading(const struct plan *p, size_t s) { return p->set.n_source + s; }
static inline size_t plan_at_segment(const struct plan *p, size_t s, size_t g) {
    return 2 * p->set.n_source + s * p->set.n_segment + g;
}
static inline size_t plan_at_field(const struct plan *p, size_t s, size_t f) {
    return p->set.n_source * (2 + p->set.n_segment) + s * p->set.n_field + f;
}
static inline size_t plan_at_cell(const struct plan *p, size_t s, size_t f, size_t g) {
    const size_t before = p->set.n_source * (2 + p->set.n_segment + p->set.n_field);
    return before + (s * p->set.n_field + f) * p->set.n_segment + g;
}

static inline double plan_log_odds(const struct plan *p, size_t s, size_t f, size_t g) {
    const struct plan_parameter *x = p->parameter;
    return x[plan_at_source(p, s)].mean + x[plan_at_field(p, s, f)].mean + x[plan_at_segment(p, s, g)].mean +
           x[plan_at_cell(p, s, f, g)].mean;
}

double plan_grid_point(size_t k);

/* Sets every parameter to what is believed before anything is seen. */
void plan_forget_all(struct plan *p);

#endif
