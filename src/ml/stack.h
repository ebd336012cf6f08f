/* stack.h — one model from several: non-negative weights on members' log-odds, learned on out-of-fold predictions. */
#ifndef GALENA_ML_STACK_H
#define GALENA_ML_STACK_H

#include "base/arena.h"

enum { STACK_MAX_MEMBER = 16 };

/* log-odds = intercept + sum of weight[m] z_m; weight[m] >= 0 and may be 0. */
struct stack {
    size_t n_member, best; /* best: the member with the lowest log loss alone */
    double weight[STACK_MAX_MEMBER], intercept;
    double log_loss;                          /* cross-validated, of the stack */
    double member_log_loss[STACK_MAX_MEMBER]; /* of each member as it is */
    double gain, gain_error; /* mean paired gain of the stack over the best member, and its standard error */
};

/* Learns from member[m][i], the out-of-fold log-odds of row i by member m < n_member <= STACK_MAX_MEMBER (finite). weight
 * may be NULL. fold[n] in 0..n_fold-1 serves the cross-validated log loss; n_fold < 2 leaves log_loss in-sample.
 * Deterministic. Members and rows must be at least 1; with one class only the weights are the best member's alone. */
void stack_fit(struct arena *a, const double *const *member, size_t n_member, const double *y, const double *weight,
               size_t n, const uint32_t *fold, uint32_t n_fold, struct stack *out);

/* Log-odds of one row from its members' log-odds. */
double stack_apply(const struct stack *s, const double *z);

#endif
