/* special.h — the few special functions the program needs. */
#ifndef GALENA_ML_SPECIAL_H
#define GALENA_ML_SPECIAL_H

#include <math.h>

/* Eq. 15: 1 / (1 + exp(-z)), without overflow at either end. */
double sigmoid(double z);

/* log(p / (1 - p)); p is first clipped to [1e-15, 1 - 1e-15]. */
double log_odds(double p);

/* log(1 + exp(z)), stable: the loss of a row of class 0 at log-odds z. */
double softplus(double z);

/* x[i] := exp(-|x[i]|) of EXP_BLOCK values, in vectors: four times as fast as the library, with an error of at most 4e-16 of
 * the value. The same on every machine. Below exp(-708) it stays there; so does what is not a number. */
enum { EXP_BLOCK = 64 };
void exp_of_minus_size(double x[EXP_BLOCK]);

/* The weighted sum of log(1 + e) over many e in (0, 1]. Logarithms are slow: of factors in (1, 2] up to 512 can be
 * multiplied before one is taken. Starts with product 1, the rest 0. */
struct log_sum {
    double product, sum;
    unsigned factors;
};

static inline void log_sum_add(struct log_sum *s, double e, double weight) {
    if (weight != 1) {
        s->sum += weight * log1p(e);
        return;
    }
    s->product *= 1 + e;
    if (++s->factors == 512) {
        s->sum += log(s->product);
        s->product = 1;
        s->factors = 0;
    }
}

static inline double log_sum_total(const struct log_sum *s) { return s->sum + log(s->product); }

/* Quantile of the standard normal distribution, p in (0, 1): Wichura, algorithm AS 241 (1988), relative error about 1e-16.
 */
double normal_quantile(double p);

#endif
