/* nonneg.c — projected Newton steps with an exact active set. */
#include "ml/nonneg.h"

#include "ml/special.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Variable m is the intercept, which has no bound. */
enum { MAX_VARIABLE = NONNEG_MAX_COLUMN + 1 };

struct quadratic {
    size_t k; /* variables */
    double hessian[MAX_VARIABLE][MAX_VARIABLE], gradient[MAX_VARIABLE];
};

static double weight_of(const struct nonneg_problem *p, size_t i) { return p->weight ? p->weight[i] : 1; }

static double score_of(const struct nonneg_problem *p, const double *x, size_t i) {
    double f = x[p->m];
    for (size_t m = 0; m < p->m; m++)
        f += x[m] * p->column[m][i];
    return f;
}

static double penalty_of(const struct nonneg_problem *p, const double *x) {
    double off = x[p->m] - p->intercept_target, sum = 0.5 * p->intercept_pull * off * off;
    for (size_t m = 0; m < p->m; m++)
        sum += 0.5 * p->pull[m] * (x[m] - p->target[m]) * (x[m] - p->target[m]);
    return sum;
}

static double objective(const struct nonneg_problem *p, const double *x) {
    struct log_sum logs = {.product = 1};
    double linear = 0;
    for (size_t i = 0; i < p->n; i++) {
        double w = weight_of(p, i);
        if (!(w > 0))
            continue;
        double z = score_of(p, x, i), wrong = p->y[i] > 0.5 ? -z : z; /* softplus(wrong), in two parts */
        linear += w * fmax(wrong, 0);
        log_sum_add(&logs, exp(-fabs(z)), w);
    }
    return log_sum_total(&logs) + linear + penalty_of(p, x);
}

/* Gradient and Hessian of the objective at x. */
static void expand(const struct nonneg_problem *p, const double *x, struct quadratic *q) {
    size_t k = p->m + 1;
    *q = (struct quadratic){.k = k};
    double row[MAX_VARIABLE];
    row[p->m] = 1;
    for (size_t i = 0; i < p->n; i++) {
        double w = weight_of(p, i);
        if (!(w > 0))
            continue;
        double s = 1 / (1 + exp(-score_of(p, x, i))), slope = w * (s - p->y[i]), curve = w * s * (1 - s);
        for (size_t m = 0; m < p->m; m++)
            row[m] = p->column[m][i];
        for (size_t r = 0; r < k; r++) {
            q->gradient[r] += slope * row[r];
            for (size_t c = 0; c <= r; c++)
                q->hessian[r][c] += curve * row[r] * row[c];
        }
    }
    for (size_t m = 0; m < p->m; m++) {
        q->gradient[m] += p->pull[m] * (x[m] - p->target[m]);
        q->hessian[m][m] += p->pull[m];
    }
    q->gradient[p->m] += p->intercept_pull * (x[p->m] - p->intercept_target);
    q->hessian[p->m][p->m] += p->intercept_pull;
    for (size_t r = 0; r < k; r++)
        for (size_t c = r + 1; c < k; c++)
            q->hessian[r][c] = q->hessian[c][r];
}

/* Solves H x = -c over the free variables by Cholesky; the others are 0 in x. Directions without curvature stay where they
 * are. */
static void solve_free(const struct quadratic *q, const double *c, const bool *is_free, double *x) {
    size_t index[MAX_VARIABLE], n = 0;
    double l[MAX_VARIABLE][MAX_VARIABLE] = {{0}}, v[MAX_VARIABLE] = {0};
    for (size_t i = 0; i < q->k; i++)
        if (is_free[i])
            index[n++] = i;
    for (size_t r = 0; r < n; r++) {
        double scale = q->hessian[index[r]][index[r]];
        for (size_t s = 0; s <= r; s++) {
            double sum = q->hessian[index[r]][index[s]];
            for (size_t t = 0; t < s; t++)
                sum -= l[r][t] * l[s][t];
            l[r][s] = s < r ? sum / l[s][s] : sqrt(fmax(sum, 1e-13 * scale + 1e-300));
        }
        double sum = -c[index[r]];
        for (size_t t = 0; t < r; t++)
            sum -= l[r][t] * v[t];
        v[r] = sum / l[r][r];
    }
    memset(x, 0, q->k * sizeof *x);
    for (size_t r = n; r-- > 0;) {
        for (size_t t = r + 1; t < n; t++)
            v[r] -= l[t][r] * v[t];
        v[r] /= l[r][r];
        x[index[r]] = v[r];
    }
}

/* Moves x to `goal`, or as far towards it as the bounds allow; what meets its bound stops being free. True when it arrived.
 */
static bool move_within_bounds(double *x, const double *goal, bool *is_free, size_t m) {
    double step = 1;
    size_t blocking = m;
    for (size_t i = 0; i < m; i++)
        if (is_free[i] && goal[i] < 0 && x[i] / (x[i] - goal[i]) < step) {
            step = x[i] / (x[i] - goal[i]);
            blocking = i;
        }
    for (size_t i = 0; i <= m; i++)
        if (is_free[i])
            x[i] += step * (goal[i] - x[i]);
    if (blocking == m)
        return true;
    x[blocking] = 0;
    is_free[blocking] = false;
    return false;
}

/* Minimises 1/2 x'Hx + c'x over x[0..m) >= 0 and free x[m], starting at a feasible x: Lawson and Hanson's active set. */
static void solve_bounded(const struct quadratic *q, const double *c, double *x) {
    size_t m = q->k - 1;
    bool is_free[MAX_VARIABLE];
    for (size_t i = 0; i < m; i++)
        is_free[i] = x[i] > 0;
    is_free[m] = true;
    double goal[MAX_VARIABLE];
    for (size_t round = 0; round < 8 * (size_t)MAX_VARIABLE; round++) {
        do
            solve_free(q, c, is_free, goal);
        while (!move_within_bounds(x, goal, is_free, m));
        size_t enter = m;
        double steepest = 0;
        for (size_t i = 0; i < m; i++) {
            double slope = c[i];
            for (size_t j = 0; j < q->k; j++)
                slope += q->hessian[i][j] * x[j];
            if (!is_free[i] && slope < steepest - 1e-12 * (1 + fabs(c[i]))) {
                steepest = slope;
                enter = i;
            }
        }
        if (enter == m)
            return;
        is_free[enter] = true;
    }
}

/* One Newton step from x, shortened until the objective falls enough. Returns the decrease that the quadratic promised; `f`
 * is the objective, before and after. */
static double step_down(const struct nonneg_problem *p, double *x, double *f) {
    struct quadratic q;
    expand(p, x, &q);
    double c[MAX_VARIABLE], next[MAX_VARIABLE], direction[MAX_VARIABLE], slope = 0;
    for (size_t r = 0; r < q.k; r++) {
        c[r] = q.gradient[r];
        for (size_t s = 0; s < q.k; s++)
            c[r] -= q.hessian[r][s] * x[s];
    }
    memcpy(next, x, q.k * sizeof *x);
    solve_bounded(&q, c, next);
    for (size_t r = 0; r < q.k; r++) {
        direction[r] = next[r] - x[r];
        slope += q.gradient[r] * direction[r];
    }
    if (!(slope < 0))
        return 0;
    for (double t = 1; t > 1e-10; t /= 2) {
        for (size_t r = 0; r < q.k; r++)
            next[r] = t < 1 ? x[r] + t * direction[r] : next[r];
        double value = objective(p, next);
        if (value <= *f + 1e-4 * t * slope || (value <= *f && -slope < 1e-10 * (1 + fabs(*f)))) {
            memcpy(x, next, q.k * sizeof *x);
            *f = value;
            return -slope;
        }
    }
    return 0;
}

double nonneg_fit(const struct nonneg_problem *p, double *w, double *intercept) {
    assert(p->m <= NONNEG_MAX_COLUMN);
    double x[MAX_VARIABLE];
    for (size_t m = 0; m < p->m; m++)
        x[m] = fmax(0, w[m]);
    x[p->m] = *intercept;
    double f = objective(p, x);
    for (int i = 0; i < 200; i++)
        if (step_down(p, x, &f) <= 1e-13 * (1 + fabs(f)))
            break;
    memcpy(w, x, p->m * sizeof *w);
    *intercept = x[p->m];
    return f;
}
