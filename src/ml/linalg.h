/* linalg.h — dense symmetric positive definite systems: Cholesky, solve, inverse, log-determinant.
 *
 * A symmetric n×n matrix is a full row-major block of n * n doubles of which only the upper triangle (row i, columns j >= i)
 * is read or written; what is below the diagonal may hold anything. A full block wastes half the memory and buys rows that
 * are contiguous, which is what both the accumulation of X'WX from sparse rows and the factorisation run over.
 *
 * Packed storage, for keeping: the upper triangle row by row, n (n + 1) / 2 doubles. */
#ifndef GALENA_ML_LINALG_H
#define GALENA_ML_LINALG_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces the upper triangle of A by U with A = U'U. False, with the contents of `a` lost, when A is not positive definite
 * to working precision (a pivot below n * 2^-52 times its original diagonal, or not finite): the caller may add to the
 * diagonal of a fresh copy and try again. Blocked for cache; n^3 / 3 multiplications. */
bool cholesky_factor(double *a, size_t n) __attribute__((warn_unused_result));

/* b := A^-1 b, with the factor of A. */
void cholesky_solve(const double *factor, size_t n, double *b);

/* Upper triangle of A^-1 into `inverse`, another n×n block. 2 n^3 / 3 multiplications at most. */
void cholesky_inverse(const double *factor, size_t n, double *inverse);

/* log |A|. */
double cholesky_log_determinant(const double *factor, size_t n);

/* Upper triangle of an n×n block to packed storage. */
void symmetric_pack(const double *a, size_t n, double *packed);

/* Where row i starts in packed storage, less i: element (i, j), j >= i, is packed[symmetric_row(n, i) + j]. */
static inline size_t symmetric_row(size_t n, size_t i) { return i * n - i * (i + 1) / 2; }

static inline size_t symmetric_size(size_t n) { return n * (n + 1) / 2; }

/* sum x[i] y[i], in an order that does not depend on the machine. */
double vector_dot(const double *x, const double *y, size_t n);

/* y += k x. */
void vector_add(double *y, double k, const double *x, size_t n);

#endif
