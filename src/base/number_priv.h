/* number_priv.h — the three calls of the C++ standard library that number.c stands on: exact, shortest, without locale. */
#ifndef GALENA_BASE_NUMBER_PRIV_H
#define GALENA_BASE_NUMBER_PRIV_H

#include <stddef.h>

#ifdef __cplusplus
#define NOEXCEPT noexcept
extern "C" {
#else
#define NOEXCEPT
#endif

enum number_read { NUMBER_READ, NUMBER_NOT_READ, NUMBER_OUT_OF_RANGE };

/* std::from_chars on [from, to): NUMBER_READ when all of it was a number ("inf" and "nan" count as numbers here). */
enum number_read number_shim_read(const char *from, const char *to, double *out) NOEXCEPT;

/* std::to_chars, shortest form that reads back. Returns the length. */
size_t number_shim_write(double value, char *to, size_t size) NOEXCEPT;

/* std::to_chars, d.ddde±xx with `precision` digits behind the point, correctly rounded. Returns the length. */
size_t number_shim_write_scientific(double value, int precision, char *to, size_t size) NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
