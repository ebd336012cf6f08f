/* lbfgs.c — two-loop recursion with a preconditioner applied once an iteration, and a backtracking line search. */
#include "ml/lbfgs.h"

#include "ml/linalg.h"

#include <math.h>
#include <string.h>

/* A step s, the change y of the gradient over it, M^-1 y, and 1 / s'y. */
struct pair {
    double *s, *y, *my, rho;
};

struct state {
    const struct lbfgs_problem *p;
    struct pair *pair;    /* ring of `memory` */
    size_t memory, count; /* pairs ever stored */
    double value, *x, *g, *mg;
    double *direction, *trial_x, *trial_g;
    double *alpha;
};

static struct pair *pair_back(const struct state *s, size_t age) { return &s->pair[(s->count - 1 - age) % s->memory]; }

static size_t pairs_kept(const struct state *s) { return s->count < s->memory ? s->count : s->memory; }

/* direction := -H g. M^-1 of the intermediate vector follows from M^-1 g and the stored M^-1 y by linearity. */
static void find_direction(const struct state *s) {
    size_t n = s->p->n, kept = pairs_kept(s);
    double *q = s->trial_g, *d = s->direction; /* trial_g is free between line searches */
    memcpy(q, s->g, n * sizeof *q);
    memcpy(d, s->mg, n * sizeof *d);
    for (size_t k = 0; k < kept; k++) {
        const struct pair *r = pair_back(s, k);
        s->alpha[k] = r->rho * vector_dot(r->s, q, n);
        vector_add(q, -s->alpha[k], r->y, n);
        vector_add(d, -s->alpha[k], r->my, n);
    }
    if (kept > 0) { /* how much flatter or steeper the function is than M, along the last step */
        const struct pair *r = pair_back(s, 0);
        double scale = 1 / (r->rho * vector_dot(r->y, r->my, n));
        for (size_t i = 0; i < n; i++)
            d[i] *= scale;
    }
    for (size_t k = kept; k-- > 0;) {
        const struct pair *r = pair_back(s, k);
        vector_add(d, s->alpha[k] - r->rho * vector_dot(r->y, d, n), r->s, n);
    }
    for (size_t i = 0; i < n; i++)
        d[i] = -d[i];
}

/* Shortens the step until the function decreases enough (Armijo). Differences below what the sum can resolve count as equal,
 * so that the last digits of the solution are found by the gradient. False when no step helps. */
static bool search_line(struct state *s, double slope) {
    enum { TRIES = 40 };
    const double enough = 1e-4, noise = 1e-13 * (fabs(s->value) + 1);
    size_t n = s->p->n;
    double step = 1;
    for (int i = 0; i < TRIES; i++) {
        for (size_t k = 0; k < n; k++)
            s->trial_x[k] = s->x[k] + step * s->direction[k];
        double value = s->p->value(s->p->ctx, s->trial_x, s->trial_g);
        if (value <= s->value + enough * step * slope + noise) {
            s->value = value;
            return true;
        }
        double next = isfinite(value) ? -slope * step * step / (2 * (value - s->value - slope * step)) : 0;
        step = next > 0.1 * step && next < 0.5 * step ? next : 0.25 * step;
    }
    return false;
}

/* Moves to the trial point and remembers the pair when it has positive curvature. */
static void take_step(struct state *s) {
    size_t n = s->p->n;
    struct pair *r = &s->pair[s->count % s->memory];
    memcpy(r->my, s->mg, n * sizeof *r->my);
    for (size_t i = 0; i < n; i++) {
        r->s[i] = s->trial_x[i] - s->x[i];
        r->y[i] = s->trial_g[i] - s->g[i];
    }
    memcpy(s->x, s->trial_x, n * sizeof *s->x);
    memcpy(s->g, s->trial_g, n * sizeof *s->g);
    memcpy(s->mg, s->g, n * sizeof *s->mg);
    s->p->precondition(s->p->ctx, s->mg);
    for (size_t i = 0; i < n; i++)
        r->my[i] = s->mg[i] - r->my[i];
    double curvature = vector_dot(r->s, r->y, n), size = vector_dot(r->y, r->my, n);
    if (curvature > 0 && size > 0 && isfinite(1 / curvature)) {
        r->rho = 1 / curvature;
        s->count++;
    }
}

static struct state prepare(struct arena *a, const struct lbfgs_problem *p, size_t memory) {
    size_t n = p->n;
    double *block = ARENA_ARRAY(a, n * (5 + 3 * memory) + memory, double);
    struct state s = {.p = p,
                      .memory = memory,
                      .g = block,
                      .mg = block + n,
                      .direction = block + 2 * n,
                      .trial_x = block + 3 * n,
                      .trial_g = block + 4 * n,
                      .pair = ARENA_ARRAY(a, memory, struct pair)};
    block += 5 * n;
    for (size_t k = 0; k < memory; k++, block += 3 * n)
        s.pair[k] = (struct pair){.s = block, .y = block + n, .my = block + 2 * n};
    s.alpha = block;
    return s;
}

struct lbfgs_result lbfgs_minimise(struct arena *a, const struct lbfgs_problem *p, const struct lbfgs_opts *o, double *x) {
    struct arena_mark mark = arena_mark(a);
    struct state s = prepare(a, p, o->memory > 0 ? o->memory : 1);
    s.x = x;
    size_t n = p->n;
    if (o->start_g) {
        memcpy(s.g, o->start_g, n * sizeof *s.g);
        s.value = o->start_value;
    } else {
        s.value = p->value(p->ctx, x, s.g);
    }
    memcpy(s.mg, s.g, n * sizeof *s.mg);
    p->precondition(p->ctx, s.mg);
    struct lbfgs_result r = {0};
    while ((r.decrement = vector_dot(s.g, s.mg, n) / 2) > o->tolerance && r.iterations < o->max_iteration) {
        find_direction(&s);
        double slope = vector_dot(s.g, s.direction, n);
        if (!(slope < 0) || !search_line(&s, slope)) {
            r.converged = true;
            break;
        }
        take_step(&s);
        r.iterations++;
    }
    r.converged |= r.decrement <= o->tolerance;
    r.value = s.value;
    arena_rewind(a, mark);
    return r;
}
