/* stack.c — learning the weights of a stack. */
#include "ml/stack.h"

#include "ml/nonneg.h"
#include "ml/special.h"

#include <assert.h>
#include <math.h>

static double row_loss(double z, double y) { return softplus(y > 0.5 ? -z : z); }

double stack_apply(const struct stack *s, const double *z) {
    double f = s->intercept;
    for (size_t m = 0; m < s->n_member; m++)
        f += s->weight[m] * z[m];
    return f;
}

/* Weighted mean loss of each member as it is. */
static void judge_members(const double *const *member, const double *y, const double *weight, size_t n, struct stack *out) {
    double total = 0, sum[STACK_MAX_MEMBER] = {0};
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1;
        total += w;
        for (size_t m = 0; m < out->n_member; m++)
            sum[m] += w * row_loss(member[m][i], y[i]);
    }
    out->best = 0;
    for (size_t m = 0; m < out->n_member; m++) {
        out->member_log_loss[m] = sum[m] / total;
        if (out->member_log_loss[m] < out->member_log_loss[out->best])
            out->best = m;
    }
}

/* Log-odds of the base rate; infinite with one class, NaN without weight. */
static double base_log_odds(const double *y, const double *weight, size_t n) {
    double sum[2] = {0, 0};
    for (size_t i = 0; i < n; i++)
        sum[y[i] > 0.5] += weight ? weight[i] : 1;
    return log(sum[1] / sum[0]);
}

/* How strongly weights are held to where they start, in rows of information; chosen by simulation, see stack.h. */
static const double pull_strength = 30;

/* target[m]: shares that fall with the number of standard errors by which a member is behind the best. */
static void set_targets(const double *const *member, const double *y, const double *weight, size_t n, const struct stack *s,
                        double *target) {
    double sum[STACK_MAX_MEMBER] = {0}, square[STACK_MAX_MEMBER] = {0}, total = 0, shares = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1, best = row_loss(member[s->best][i], y[i]);
        total += w;
        for (size_t m = 0; m < s->n_member; m++) {
            double d = w * (row_loss(member[m][i], y[i]) - best);
            sum[m] += d;
            square[m] += d * d;
        }
    }
    for (size_t m = 0; m < s->n_member; m++) {
        double error = sqrt(fmax(square[m] - sum[m] * sum[m] / (double)n, 0));
        target[m] = error > 1e-12 * total ? exp(-sum[m] / error) : 1;
        shares += target[m];
    }
    for (size_t m = 0; m < s->n_member; m++)
        target[m] /= shares;
}

/* Fits the weights. The intercept is held at log-odds measured from the base rate, so that when weights shrink, predictions
 * shrink to the base rate and not to one half. `shifted` is room for n_member * n values. */
static void learn(const double *const *member, const double *y, const double *weight, size_t n, double *shifted,
                  struct stack *s) {
    double base = base_log_odds(y, weight, n);
    const double *column[STACK_MAX_MEMBER];
    s->intercept = 0;
    for (size_t m = 0; m < s->n_member; m++)
        s->weight[m] = m == s->best;
    if (!isfinite(base))
        return;
    struct nonneg_problem p = {.column = column, .m = s->n_member, .n = n, .y = y, .weight = weight};
    set_targets(member, y, weight, n, s, p.target);
    for (size_t m = 0; m < s->n_member; m++) {
        for (size_t i = 0; i < n; i++)
            shifted[m * n + i] = member[m][i] - base;
        column[m] = shifted + m * n;
        p.pull[m] = pull_strength;
        s->weight[m] = p.target[m];
    }
    p.intercept_pull = pull_strength;
    p.intercept_target = s->intercept = base;
    (void)nonneg_fit(&p, s->weight, &s->intercept);
    for (size_t m = 0; m < s->n_member; m++)
        s->intercept -= s->weight[m] * base;
}

static double applied(const struct stack *s, const double *const *member, size_t i) {
    double f = s->intercept;
    for (size_t m = 0; m < s->n_member; m++)
        f += s->weight[m] * member[m][i];
    return f;
}

/* loss[i] of row i under weights that did not see its fold. */
static void cross_validate(struct arena *a, const double *const *member, const double *y, const double *weight, size_t n,
                           const uint32_t *fold, uint32_t n_fold, size_t n_member, double *loss) {
    double *rest = ARENA_ARRAY(a, n, double), *shifted = ARENA_ARRAY(a, n_member * n, double);
    for (uint32_t f = 0; f < n_fold; f++) {
        for (size_t i = 0; i < n; i++)
            rest[i] = fold[i] == f ? 0 : weight ? weight[i] : 1;
        struct stack s = {.n_member = n_member};
        judge_members(member, y, rest, n, &s);
        learn(member, y, rest, n, shifted, &s);
        for (size_t i = 0; i < n; i++)
            if (fold[i] == f)
                loss[i] = row_loss(applied(&s, member, i), y[i]);
    }
}

/* Mean loss of the stack, and its paired gain over the best member. */
static void judge_stack(const double *best, const double *loss, const double *y, const double *weight, size_t n,
                        struct stack *out) {
    double total = 0, sum = 0, square = 0;
    out->gain = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1;
        total += w;
        sum += w * loss[i];
        out->gain += w * (row_loss(best[i], y[i]) - loss[i]);
    }
    out->log_loss = sum / total;
    out->gain /= total;
    for (size_t i = 0; i < n; i++) {
        double d = (weight ? weight[i] : 1) * (row_loss(best[i], y[i]) - loss[i] - out->gain);
        square += d * d;
    }
    out->gain_error = sqrt(square) / total;
}

void stack_fit(struct arena *a, const double *const *member, size_t n_member, const double *y, const double *weight,
               size_t n, const uint32_t *fold, uint32_t n_fold, struct stack *out) {
    assert(n_member >= 1 && n_member <= STACK_MAX_MEMBER && n >= 1);
    struct arena_mark mark = arena_mark(a);
    *out = (struct stack){.n_member = n_member};
    judge_members(member, y, weight, n, out);
    learn(member, y, weight, n, ARENA_ARRAY(a, n_member * n, double), out);
    double *loss = ARENA_ARRAY(a, n, double);
    for (size_t i = 0; i < n; i++)
        loss[i] = row_loss(applied(out, member, i), y[i]);
    if (n_fold >= 2)
        cross_validate(a, member, y, weight, n, fold, n_fold, n_member, loss);
    judge_stack(member[out->best], loss, y, weight, n, out);
    arena_rewind(a, mark);
}
