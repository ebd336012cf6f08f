/* bayesian_solve.c — Newton's method under one assumption, and its Laplace evidence. */
#include "ml/bayesian_priv.h"

#include "ml/linalg.h"
#include "ml/special.h"

#include <math.h>
#include <string.h>

enum { MAX_STEP = 60 };

static double row_logit(const struct problem *p, size_t from, const double *theta, double offset, size_t i) {
    double z = offset;
    for (size_t k = p->start[i]; k < p->start[i + 1]; k++)
        if (p->index[k] >= from)
            z += p->value[k] * theta[p->index[k]];
    return z;
}

/* The intercept less what the centring of the features takes off. */
static double offset_of(const struct problem *p, size_t from, const double *theta) {
    double offset = theta[p->m - 1];
    for (size_t j = from; j < p->n_feature; j++)
        offset -= p->center[j] * theta[j];
    return offset;
}

static double objective(const struct solver *v, const double *theta) {
    const struct problem *p = v->p;
    double sum = 0, offset = offset_of(p, v->from, theta);
    for (size_t i = 0; i < p->n; i++) {
        double z = row_logit(p, v->from, theta, offset, i);
        sum += (p->weight ? p->weight[i] : 1) * (softplus(z) - p->y[i] * z);
    }
    for (size_t j = v->from; j < p->m; j++) {
        double off = theta[j] - v->prior[j];
        sum += 0.5 * v->precision[j] * off * off;
    }
    return sum;
}

/* Adds w x x' of one row, not centred, and collects w x and w for the centring. */
static void add_row(struct solver *v, size_t i, double residual, double w) {
    const struct problem *p = v->p;
    size_t size = p->m - v->from, last = p->m - 1;
    for (size_t k = p->start[i]; k < p->start[i + 1]; k++) {
        if (p->index[k] < v->from)
            continue;
        double *row = v->h + (p->index[k] - v->from) * size, scaled = w * p->value[k];
        for (size_t l = k; l < p->start[i + 1]; l++)
            row[p->index[l] - v->from] += scaled * p->value[l];
        v->sum[p->index[k]] += scaled;
        v->g[p->index[k]] += residual * p->value[k];
    }
    v->sum[last] += w;
    v->g[last] += residual;
}

/* Gradient and Hessian at theta: sum w (x - c)(x - c)' = sum w x x' - c s' - s c' + W c c' with s = sum w x, W = sum w. */
static void differentiate(struct solver *v) {
    const struct problem *p = v->p;
    size_t size = p->m - v->from, last = p->m - 1;
    memset(v->h, 0, size * size * sizeof *v->h);
    memset(v->g, 0, p->m * sizeof *v->g);
    memset(v->sum, 0, p->m * sizeof *v->sum);
    double offset = offset_of(p, v->from, v->theta);
    for (size_t i = 0; i < p->n; i++) {
        double w = p->weight ? p->weight[i] : 1;
        double prob = sigmoid(row_logit(p, v->from, v->theta, offset, i));
        add_row(v, i, w * (prob - p->y[i]), w * prob * (1 - prob));
    }
    const double *c = p->center, total = v->sum[last], residual = v->g[last];
    for (size_t i = v->from; i < last; i++) {
        double *row = v->h + (i - v->from) * size;
        v->g[i] -= c[i] * residual;
        for (size_t j = i; j < last; j++)
            row[j - v->from] += total * c[i] * c[j] - c[i] * v->sum[j] - v->sum[i] * c[j];
        row[size - 1] = v->sum[i] - c[i] * total;
    }
    v->h[size * size - 1] = total;
    for (size_t j = v->from; j < p->m; j++) {
        v->h[(j - v->from) * (size + 1)] += v->precision[j];
        v->g[j] += v->precision[j] * (v->theta[j] - v->prior[j]);
    }
}

/* Every precision is positive, so that only rounding can stop the factor. */
static bool factor(struct solver *v) {
    size_t size = v->p->m - v->from;
    if (cholesky_factor(v->h, size))
        return true;
    differentiate(v);
    for (size_t j = 0; j < size; j++)
        v->h[j * (size + 1)] *= 1 + 1e-9;
    return cholesky_factor(v->h, size);
}

/* Newton's method with halving (Eq. 65, 66). Returns the log evidence: the log posterior at the optimum, plus half the
 * log-determinants of prior precision and inverse Hessian; -INFINITY when the numbers gave out. */
static double solve(struct solver *v) {
    const struct problem *p = v->p;
    double value = objective(v, v->theta);
    for (int i = 0; i < MAX_STEP; i++) {
        differentiate(v);
        if (!factor(v))
            return -INFINITY;
        memcpy(v->step, v->g, p->m * sizeof *v->g);
        cholesky_solve(v->h, p->m - v->from, v->step + v->from);
        double decrement = vector_dot(v->step + v->from, v->g + v->from, p->m - v->from);
        if (!(decrement > 1e-14))
            break;
        double size = 1, next = value;
        for (; size > 1e-6; size /= 2) {
            for (size_t j = v->from; j < p->m; j++)
                v->trial[j] = v->theta[j] - size * v->step[j];
            next = objective(v, v->trial);
            if (next <= value - 1e-4 * size * decrement)
                break;
        }
        if (size <= 1e-6)
            break;
        memcpy(v->theta + v->from, v->trial + v->from, (p->m - v->from) * sizeof *v->theta);
        value = next;
    }
    double evidence = -value - 0.5 * cholesky_log_determinant(v->h, p->m - v->from);
    for (size_t j = v->from; j < p->m; j++)
        evidence += 0.5 * log(v->precision[j]);
    return evidence;
}

double bayesian_solve(struct solver *v, const struct assumption *s) {
    const struct problem *p = v->p;
    size_t features = p->n_feature, columns = features + p->n_prior;
    v->from = s->penalty > 0 ? 0 : features;
    for (size_t j = 0; j < v->from; j++)
        v->theta[j] = 0;
    for (size_t j = 0; j < p->m; j++) {
        v->precision[j] = j < features ? s->penalty : j < columns ? s->deviation : j == columns ? s->anchor : s->intercept;
        v->prior[j] = j < columns ? 0 : j == columns ? 1 : p->mu_intercept;
    }
    return solve(v) + s->log_weight;
}
