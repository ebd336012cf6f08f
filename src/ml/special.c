/* special.c — the few special functions the program needs. */
#include "ml/special.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

double sigmoid(double z) {
    if (z >= 0)
        return 1 / (1 + exp(-z));
    double e = exp(z);
    return e / (1 + e);
}

double log_odds(double p) {
    const double tiny = 1e-15;
    if (p < tiny)
        p = tiny;
    if (p > 1 - tiny)
        p = 1 - tiny;
    return log(p) - log1p(-p);
}

double softplus(double z) { return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z)); }

/* e^x = 2^k e^r with |r| <= ln 2 / 2 and e^r by its Taylor polynomial; x in [-708, 0]. Adding 1.5 * 2^52 rounds to a whole
 * number k, which then stands in the low bits; shifted up, they are what the exponent must grow by. */
static inline double exp_reduced(double x) {
    static const double coefficient[] = {
        1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
        1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
    const double log2_e = 1.4426950408889634, rounder = 0x1.8p52;
    const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
    const double shifted = x * log2_e + rounder, k = shifted - rounder, r = x - k * ln2_high - k * ln2_low;
    double sum = coefficient[13];
    for (int i = 12; i >= 0; i--)
        sum = sum * r + coefficient[i];
    uint64_t low, bits;
    memcpy(&low, &shifted, sizeof low);
    memcpy(&bits, &sum, sizeof bits);
    bits += low << 52;
    memcpy(&sum, &bits, sizeof sum);
    return sum;
}

void exp_of_minus_size(double x[EXP_BLOCK]) {
    for (size_t i = 0; i < EXP_BLOCK; i++) {
        const double size = fabs(x[i]);
        x[i] = exp_reduced(size < 708 ? -size : -708);
    }
}

/* p(x) with the coefficient of the highest power last. */
static double polynomial(const double *c, size_t n, double x) {
    double sum = 0;
    for (size_t i = n; i-- > 0;)
        sum = sum * x + c[i];
    return sum;
}

enum { DEGREE = 8 };

static const double central_above[DEGREE] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                             1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                             3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double central_below[DEGREE] = {1.0,
                                             4.2313330701600911252e+1,
                                             6.8718700749205790830e+2,
                                             5.3941960214247511077e+3,
                                             2.1213794301586595867e+4,
                                             3.9307895800092710610e+4,
                                             2.8729085735721942674e+4,
                                             5.2264952788528545610e+3};
static const double middle_above[DEGREE] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                            3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                            2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double middle_below[DEGREE] = {1.0,
                                            2.05319162663775882187e0,
                                            1.67638483018380384940e0,
                                            6.89767334985100004550e-1,
                                            1.48103976427480074590e-1,
                                            1.51986665636164571966e-2,
                                            5.47593808499534494600e-4,
                                            1.05075007164441684324e-9};
static const double tail_above[DEGREE] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                          2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                          2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double tail_below[DEGREE] = {1.0,
                                          5.99832206555887937690e-1,
                                          1.36929880922735805310e-1,
                                          1.48753612908506148525e-2,
                                          7.86869131145613259100e-4,
                                          1.84631831751005468180e-5,
                                          1.42151175831644588870e-7,
                                          2.04426310338993978564e-15};

double normal_quantile(double p) {
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(central_above, DEGREE, r) / polynomial(central_below, DEGREE, r);
    }
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? polynomial(middle_above, DEGREE, r - 1.6) / polynomial(middle_below, DEGREE, r - 1.6)
                      : polynomial(tail_above, DEGREE, r - 5) / polynomial(tail_below, DEGREE, r - 5);
    return q < 0 ? -z : z;
}
