/* stored.h — reading and writing the parts that stored models have in common. Every refusal is ERR_CORRUPT
 * "model_corrupt". */
#ifndef GALENA_ML_STORED_H
#define GALENA_ML_STORED_H

#include "base/json.h"

err stored_bad(const char *format, ...) PRINTF_LIKE(1, 2) MUST_CHECK;

/* Numbers are finite and of magnitude below 1e100, so that no product of two of them overflows. */
err stored_read_number(const struct json *object, str key, double *out) MUST_CHECK;
err stored_read_count(const struct json *object, str key, size_t *out) MUST_CHECK; /* 0 to 2^53 */
err stored_read_string(const struct json *object, str key, str *out) MUST_CHECK;

/* An array of exactly n numbers. */
err stored_read_numbers(const struct json *object, str key, size_t n, double *out) MUST_CHECK;

/* Strictly ascending column numbers below d. */
err stored_read_indices(struct arena *a, const struct json *object, str key, size_t d, uint32_t **out, size_t *k) MUST_CHECK;

/* k numbers that go to all[column[0]], all[column[1]], ... */
err stored_read_picked(struct arena *a, const struct json *object, str key, const uint32_t *column, size_t k,
                       double *all) MUST_CHECK;

void stored_write_indices(struct json_writer *w, str key, const uint32_t *indices, size_t k);
void stored_write_picked(struct json_writer *w, str key, const double *all, const uint32_t *column, size_t k);

#endif
