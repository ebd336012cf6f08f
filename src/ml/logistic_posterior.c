/* logistic_posterior.c — coefficients and their covariance from a finished fit. */
#include "ml/linalg.h"
#include "ml/logistic_fit_priv.h"

#include <math.h>

static const double LEAST_WEIGHT = 1e-3;

/* The penalty is not known either. Weights of the penalties tried are exp(-loss), cross-validated loss and likely penalty
 * together as if a posterior; the prior variance behind the covariance is their mean. Returns its penalty. */
static double weigh_trials(const struct trials *tried, double best_loss, double best_penalty, double *weight) {
    double sum = 0, variance = 0;
    for (size_t k = 0; k < tried->n; k++) {
        weight[k] = exp(best_loss - tried->of[k].loss);
        sum += weight[k];
        variance += weight[k] / tried->of[k].penalty;
    }
    for (size_t k = 0; k < tried->n; k++)
        weight[k] /= sum;
    return tried->n > 0 && best_penalty > 0 && isfinite(variance) ? sum / variance : best_penalty;
}

/* Adds to the covariance how the estimates at the penalties tried scatter around the one that was chosen. */
static void add_scatter(struct arena *a, const struct fitting *f, struct model *m, const struct trials *tried,
                        const double *weight, const uint32_t *slot_of) {
    double *off = ARENA_ARRAY(a, f->m, double);
    for (size_t k = 0; k < tried->n; k++) {
        double *packed = m->covariance;
        if (weight[k] < LEAST_WEIGHT)
            continue;
        for (size_t i = 0; i < f->m; i++)
            off[i] = tried->of[k].theta[slot_of[i]] - f->theta[slot_of[i]];
        for (size_t i = 0; i < f->m; i++)
            for (size_t j = i; j < (m->dense ? f->m : i + 1); j++)
                *packed++ += weight[k] * off[i] * off[j];
    }
}

/* The inverse Hessian at the optimum, in the order of the model's columns. */
static void set_covariance(struct arena *a, struct fitting *f, struct model *m, const uint32_t *slot_of) {
    size_t size = f->m;
    if (!f->dense) {
        for (size_t i = 0; i < size; i++)
            m->covariance[i] = 1 / f->factor[slot_of[i]];
        return;
    }
    double *inverse = ARENA_ARRAY(a, size * size, double), *packed = m->covariance;
    cholesky_inverse(f->factor, size, inverse);
    for (size_t i = 0; i < size; i++)
        for (size_t j = i; j < size; j++) {
            size_t p = slot_of[i], q = slot_of[j];
            *packed++ = p < q ? inverse[p * size + q] : inverse[q * size + p];
        }
}

void logistic_set_estimate(struct arena *a, struct fitting *f, const struct trials *tried, double best_loss,
                           struct model *m) {
    uint32_t *slot_of = ARENA_ARRAY(a, f->m, uint32_t); /* model order → design order */
    slot_of[m->k] = (uint32_t)m->k;
    for (size_t j = 0; j < m->k; j++) {
        slot_of[m->slot[f->x->column[j]]] = (uint32_t)j;
        m->linear.coefficient[f->x->column[j]] = f->theta[j] + 0.0; /* never -0, which text does not keep */
    }
    m->linear.intercept = f->theta[m->k] + 0.0;
    double *weight = ARENA_ARRAY(a, tried->n, double);
    logistic_set_penalty(f, weigh_trials(tried, best_loss, m->penalty, weight));
    set_covariance(a, f, m, slot_of);
    add_scatter(a, f, m, tried, weight, slot_of);
}
