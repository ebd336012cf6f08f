/* design.c — building the prepared dataset, and the sums over its rows that fitting consists of. */
#include "ml/design_priv.h"

#include "ml/special.h"

#include <math.h>

static const uint32_t UNUSED = UINT32_MAX;

/* Numbers the columns in use: those that are 1 wherever a row lists them first. Returns how many columns; *n_one of them are
 * indicators. slot[s->d] gets the new numbers. */
static size_t number_columns(struct arena *a, const struct dataset *s, const unsigned char *use, unsigned char bit,
                             uint32_t *slot, uint32_t *column, size_t *n_one) {
    unsigned char *other = ARENA_ARRAY(a, s->d, unsigned char);
    for (size_t k = s->start[0]; k < s->start[s->n]; k++)
        if (s->val[k] != 1 && s->val[k] != 0)
            other[s->col[k]] = 1;
    size_t d = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t c = 0; c < s->d; c++) {
            bool used = !use || (use[c] & bit);
            if (!used)
                slot[c] = UNUSED;
            else if (other[c] == pass) {
                slot[c] = (uint32_t)d;
                column[d++] = (uint32_t)c;
            }
        }
        if (pass == 0)
            *n_one = d;
    }
    return d;
}

/* Rows in order of fold; part[n_part + 1] gets the bounds. */
static void order_rows(const struct dataset *s, const uint32_t *fold, size_t n_part, uint32_t *row, size_t *part) {
    size_t at = 0;
    for (size_t f = 0; f < n_part; f++) {
        part[f] = at;
        if (fold)
            at += dataset_fold_rows(fold, s->n, (uint32_t)f, true, row + at);
        else
            for (; at < s->n; at++)
                row[at] = (uint32_t)at;
    }
    part[n_part] = at;
}

/* Fills the two lists of a row, each in ascending order of slot. The dataset's columns ascend and slots keep their order
 * within a kind, so no sorting is needed. */
static void split_row(struct row r, const uint32_t *slot, size_t n_one, uint32_t *one, size_t *ones, uint32_t *number,
                      double *value, size_t *numbers) {
    for (size_t k = 0; k < r.n; k++) {
        uint32_t c = slot[r.col[k]];
        if (c == UNUSED || r.val[k] == 0)
            continue;
        if (c < n_one) {
            one[(*ones)++] = c;
        } else {
            number[*numbers] = c;
            value[(*numbers)++] = r.val[k];
        }
    }
}

static size_t count_ones(const struct dataset *s, const uint32_t *slot, size_t n_one, size_t *numbers) {
    size_t ones = 0;
    *numbers = 0;
    for (size_t k = s->start[0]; k < s->start[s->n]; k++) {
        uint32_t c = slot[s->col[k]];
        if (c == UNUSED || s->val[k] == 0)
            continue;
        ones += c < n_one;
        *numbers += c >= n_one;
    }
    return ones;
}

const struct design *design_new(struct arena *a, const struct dataset *s, const unsigned char *use, unsigned char bit,
                                const uint32_t *fold, uint32_t n_fold) {
    size_t n = s->n, n_part = fold ? n_fold : 1, n_one = 0, n_number;
    uint32_t *slot = ARENA_ARRAY(a, s->d, uint32_t), *column = ARENA_ARRAY(a, s->d, uint32_t),
             *row = ARENA_ARRAY(a, n, uint32_t);
    size_t *part = ARENA_ARRAY(a, n_part + 1, size_t);
    size_t d = number_columns(a, s, use, bit, slot, column, &n_one);
    order_rows(s, fold, n_part, row, part);
    size_t total_one = count_ones(s, slot, n_one, &n_number), ones = 0, numbers = 0;
    size_t *one_start = ARENA_ARRAY(a, n + 1, size_t), *number_start = ARENA_ARRAY(a, n + 1, size_t);
    uint32_t *one = ARENA_ARRAY(a, total_one, uint32_t), *number = ARENA_ARRAY(a, n_number, uint32_t);
    double *value = ARENA_ARRAY(a, n_number, double), *y = ARENA_ARRAY(a, n, double);
    double *weight = s->weight ? ARENA_ARRAY(a, n, double) : NULL;
    for (size_t i = 0; i < part[n_part]; i++) {
        split_row(dataset_row(s, row[i]), slot, n_one, one, &ones, number, value, &numbers);
        one_start[i + 1] = ones;
        number_start[i + 1] = numbers;
        y[i] = s->y[row[i]];
        if (weight)
            weight[i] = s->weight[row[i]];
    }
    struct design *x = ARENA_NEW(a, struct design);
    *x = (struct design){.n = part[n_part],
                         .d = d,
                         .column = column,
                         .row = row,
                         .one_start = one_start,
                         .one = one,
                         .number_start = number_start,
                         .number = number,
                         .value = value,
                         .y = y,
                         .weight = weight,
                         .n_part = n_part,
                         .part = part};
    return x;
}

static inline double logit_of(const struct design *x, size_t i, const double *theta) {
    double even = theta[x->d], odd = 0; /* two sums: half the latency */
    size_t k = x->one_start[i], end = x->one_start[i + 1];
    for (; k + 2 <= end; k += 2) {
        even += theta[x->one[k]];
        odd += theta[x->one[k + 1]];
    }
    if (k < end)
        even += theta[x->one[k]];
    for (k = x->number_start[i]; k < x->number_start[i + 1]; k++)
        odd += theta[x->number[k]] * x->value[k];
    return even + odd;
}

static inline double weight_of(const struct design *x, size_t i) { return x->weight ? x->weight[i] : 1; }

/* Adds residual times the row to g. */
static inline void add_gradient(const struct design *x, size_t i, double residual, double *g) {
    for (size_t k = x->one_start[i]; k < x->one_start[i + 1]; k++)
        g[x->one[k]] += residual;
    for (size_t k = x->number_start[i]; k < x->number_start[i + 1]; k++)
        g[x->number[k]] += residual * x->value[k];
}

double design_loss(const struct design *x, size_t from, size_t to, const double *theta, double *g) {
    struct log_sum logs = {.product = 1};
    double linear = 0, at_intercept = 0, logit[EXP_BLOCK], power[EXP_BLOCK] = {0};
    for (size_t first = from; first < to; first += EXP_BLOCK) {
        const size_t n = to - first < EXP_BLOCK ? to - first : EXP_BLOCK;
        for (size_t k = 0; k < n; k++)
            power[k] = logit[k] = logit_of(x, first + k, theta);
        exp_of_minus_size(power);
        for (size_t k = 0; k < n; k++) {
            const size_t i = first + k;
            double z = logit[k], e = power[k], w = weight_of(x, i);
            double p = (z >= 0 ? 1 : e) / (1 + e), residual = w * (p - x->y[i]);
            log_sum_add(&logs, e, w);
            linear += w * ((z > 0 ? z : 0) - x->y[i] * z);
            add_gradient(x, i, residual, g);
            at_intercept += residual;
        }
    }
    g[x->d] += at_intercept;
    return log_sum_total(&logs) + linear;
}

double design_loss_of_logit(const struct design *x, size_t from, size_t to, const double *logit) {
    struct log_sum logs = {.product = 1};
    double linear = 0, power[EXP_BLOCK] = {0};
    for (size_t first = from; first < to; first += EXP_BLOCK) {
        const size_t n = to - first < EXP_BLOCK ? to - first : EXP_BLOCK;
        memcpy(power, logit + first, n * sizeof *power);
        exp_of_minus_size(power);
        for (size_t k = 0; k < n; k++) {
            double z = logit[first + k], y = x->y[first + k], w = weight_of(x, first + k);
            log_sum_add(&logs, power[k], w);
            linear += w * ((z > 0 ? z : 0) - y * z);
        }
    }
    return log_sum_total(&logs) + linear;
}

void design_logit(const struct design *x, size_t from, size_t to, const double *theta, double *logit) {
    for (size_t i = from; i < to; i++)
        logit[i] = logit_of(x, i, theta);
}

static inline double row_curvature(const struct design *x, size_t i, const double *theta) {
    double p = sigmoid(logit_of(x, i, theta));
    return weight_of(x, i) * p * (1 - p); /* Eq. 49 */
}

void design_curvature(const struct design *x, size_t from, size_t to, const double *theta, double *h) {
    size_t m = x->d + 1;
    for (size_t i = from; i < to; i++) {
        double c = row_curvature(x, i, theta);
        const uint32_t *one = x->one + x->one_start[i], *number = x->number + x->number_start[i];
        const double *value = x->value + x->number_start[i];
        size_t ones = x->one_start[i + 1] - x->one_start[i], numbers = x->number_start[i + 1] - x->number_start[i];
        for (size_t k = 0; k < ones; k++) {
            double *row = h + one[k] * m;
            for (size_t l = k; l < ones; l++)
                row[one[l]] += c;
            for (size_t l = 0; l < numbers; l++)
                row[number[l]] += c * value[l];
            row[x->d] += c;
        }
        for (size_t k = 0; k < numbers; k++) {
            double *row = h + number[k] * m, cv = c * value[k];
            for (size_t l = k; l < numbers; l++)
                row[number[l]] += cv * value[l];
            row[x->d] += cv;
        }
        h[x->d * m + x->d] += c;
    }
}

void design_curvature_diagonal(const struct design *x, size_t from, size_t to, const double *theta, double *h) {
    for (size_t i = from; i < to; i++) {
        double c = row_curvature(x, i, theta);
        for (size_t k = x->one_start[i]; k < x->one_start[i + 1]; k++)
            h[x->one[k]] += c;
        for (size_t k = x->number_start[i]; k < x->number_start[i + 1]; k++)
            h[x->number[k]] += c * x->value[k] * x->value[k];
        h[x->d] += c;
    }
}
