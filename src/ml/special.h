/* special.h — the few special functions the program needs. */
#ifndef GALENA_ML_SPECIAL_H
#define GALENA_ML_SPECIAL_H

/* Eq. 15: 1 / (1 + exp(-z)), without overflow at either end. */
double sigmoid(double z);

/* log(p / (1 - p)); p is first clipped to [1e-15, 1 - 1e-15]. */
double log_odds(double p);

/* log(1 + exp(z)), stable: the loss of a row of class 0 at log-odds z. */
double softplus(double z);

/* Quantile of the standard normal distribution, p in (0, 1): Wichura, algorithm AS 241 (1988), relative error about 1e-16.
 */
double normal_quantile(double p);

#endif
