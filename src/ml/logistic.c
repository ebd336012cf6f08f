/* logistic.c — what a fitted logistic model answers. */
#include "ml/linalg.h"
#include "ml/logistic_priv.h"

#include <math.h>
#include <string.h>

struct model *logistic_new(struct arena *a, size_t d, const uint32_t *column, size_t k, bool dense) {
    struct model *m = ARENA_NEW(a, struct model);
    *m = (struct model){.linear = linear_new(a, d),
                        .k = k,
                        .column = ARENA_ARRAY(a, k, uint32_t),
                        .slot = ARENA_ARRAY(a, d, uint32_t),
                        .dense = dense,
                        .covariance = ARENA_ARRAY(a, dense ? symmetric_size(k + 1) : k + 1, double)};
    for (size_t j = 0; j < d; j++)
        m->slot[j] = LOGISTIC_UNUSED;
    for (size_t i = 0; i < k; i++) {
        m->column[i] = column[i];
        m->slot[column[i]] = (uint32_t)i;
    }
    return m;
}

void logistic_predict(const struct model *m, const struct row *rows, size_t n, double *logit) {
    for (size_t i = 0; i < n; i++)
        logit[i] = linear_logit(&m->linear, rows[i]);
}

/* Diagonal only. */
static double variance_of_diagonal(const struct model *m, struct row x) {
    double sum = m->covariance[m->k];
    for (size_t i = 0; i < x.n; i++) {
        uint32_t s = m->slot[x.col[i]];
        if (s != LOGISTIC_UNUSED)
            sum += m->covariance[s] * x.val[i] * x.val[i];
    }
    return sum;
}

/* x' S x over entries already mapped to slots, ascending; the intercept's 1 included. Each row of the packed triangle is
 * gathered once, in two sums to halve the latency. */
static double quadratic(const struct model *m, const uint32_t *slot, const double *val, size_t n) {
    size_t size = m->k + 1;
    double total = m->covariance[symmetric_size(size) - 1];
    for (size_t i = 0; i < n; i++) {
        const double *row = m->covariance + symmetric_row(size, slot[i]);
        double even = row[m->k] + 0.5 * val[i] * row[slot[i]], odd = 0;
        size_t j = i + 1;
        for (; j + 2 <= n; j += 2) {
            even += row[slot[j]] * val[j];
            odd += row[slot[j + 1]] * val[j + 1];
        }
        if (j < n)
            even += row[slot[j]] * val[j];
        total += 2 * val[i] * (even + odd);
    }
    return total;
}

/* The same for rows of any length: no list, and slower. */
static double quadratic_of_long_row(const struct model *m, struct row x) {
    size_t size = m->k + 1;
    double total = m->covariance[symmetric_size(size) - 1];
    for (size_t i = 0; i < x.n; i++) {
        uint32_t s = m->slot[x.col[i]];
        if (s == LOGISTIC_UNUSED)
            continue;
        const double *row = m->covariance + symmetric_row(size, s);
        double sum = row[m->k] + 0.5 * x.val[i] * row[s];
        for (size_t j = i + 1; j < x.n; j++)
            if (m->slot[x.col[j]] != LOGISTIC_UNUSED)
                sum += row[m->slot[x.col[j]]] * x.val[j];
        total += 2 * x.val[i] * sum;
    }
    return total;
}

static double spread_of_row(const struct model *m, struct row x) {
    enum { LIST = 512 };
    uint32_t slot[LIST];
    double val[LIST];
    if (!m->dense)
        return sqrt(variance_of_diagonal(m, x));
    if (x.n > LIST)
        return sqrt(fmax(quadratic_of_long_row(m, x), 0));
    size_t n = 0;
    for (size_t i = 0; i < x.n; i++) {
        slot[n] = m->slot[x.col[i]];
        val[n] = x.val[i];
        n += slot[n] != LOGISTIC_UNUSED;
    }
    return sqrt(fmax(quadratic(m, slot, val, n), 0));
}

void logistic_spread(const struct model *m, const struct row *rows, size_t n, double *sd) {
    for (size_t i = 0; i < n; i++)
        sd[i] = spread_of_row(m, rows[i]);
}

double logistic_explain(const struct model *m, const struct row *rows, size_t n, double scale, const struct column_terms *to,
                        struct arena *scratch, double *share) {
    return linear_explain(&m->linear, rows, n, false, scale, to, scratch, share);
}

const struct linear *logistic_linear(const struct model *m) { return &m->linear; }

struct logistic_facts logistic_facts(const struct model *m) {
    return (struct logistic_facts){.penalty = m->penalty, .rows = m->rows, .positives = m->positives};
}

double logistic_covariance(const struct model *m, size_t i, size_t j) {
    size_t p = i == m->linear.d ? m->k : m->slot[i], q = j == m->linear.d ? m->k : m->slot[j];
    if (p == LOGISTIC_UNUSED || q == LOGISTIC_UNUSED)
        return 0;
    if (!m->dense)
        return p == q ? m->covariance[p] : 0;
    return m->covariance[symmetric_row(m->k + 1, p < q ? p : q) + (p < q ? q : p)];
}

struct model *logistic_from_prior(struct arena *a, size_t d, const double *prior_mean, const double *prior_weight,
                                  double penalty, const double *mean) {
    uint32_t *column = ARENA_ARRAY(a, d, uint32_t);
    for (size_t j = 0; j < d; j++)
        column[j] = (uint32_t)j;
    struct model *m = logistic_new(a, d, column, d, false);
    m->penalty = penalty;
    for (size_t j = 0; j <= d; j++)
        m->covariance[j] = 1 / (penalty * (prior_weight ? prior_weight[j] : 1));
    for (size_t j = 0; j < d; j++) {
        m->linear.coefficient[j] = prior_mean[j];
        m->linear.mean[j] = mean ? mean[j] : 0;
    }
    m->linear.intercept = prior_mean[d];
    linear_complete(&m->linear);
    return m;
}

static err fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold, struct model **out) {
    return logistic_fit_columns(a, s, o, COLUMN_LINEAR, out_of_fold, out);
}

const struct model_family logistic_family = {.name = "logistic",
                                             .fit = fit,
                                             .predict = logistic_predict,
                                             .spread = logistic_spread,
                                             .explain = logistic_explain,
                                             .save = logistic_save,
                                             .load = logistic_load};
