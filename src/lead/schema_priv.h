/* schema_priv.h — what the files that write and read a schema share. */
#ifndef GALENA_LEAD_SCHEMA_PRIV_H
#define GALENA_LEAD_SCHEMA_PRIV_H

#include "lead/schema.h"

enum { SCHEMA_N_ORDER = TIME_MONTH_FIRST + 1 };

/* Names in the file, by enum. */
extern const char *const schema_type_names[FIELD_TYPE_COUNT];
extern const char *const schema_transform_names[TRANSFORM_COUNT];
extern const char *const schema_order_names[SCHEMA_N_ORDER];

static inline bool schema_is_number(const struct field *f) { return f->type == FIELD_NUMERIC || f->type == FIELD_DATE; }

/* ---- reading (schema_read.c) ---- */

/* ERR_INPUT with the place of v; `name` is quoted behind `what` unless it is empty. */
err schema_refuse(const struct json *v, const char *slug, const char *what, str name) MUST_CHECK;
err schema_refuse_key(const struct json_member *m, const char *what) MUST_CHECK;

err schema_read_number(const struct json *v, double *out) MUST_CHECK;
err schema_read_numbers(struct arena *a, const struct json *v, size_t most, const double **out, size_t *n) MUST_CHECK;

bool schema_ascending(const double *v, size_t n, bool strictly);

/* ---- fitted constants (schema_fitted.c) ---- */

/* Writes the key "fitted" with the constants of a field that has them. */
void schema_write_fitted(struct json_writer *w, const struct field *f);

/* Reads them into f, whose choices are read. Constants that do not agree with the choices (somebody edited them) are
 * dropped: f->fitted says whether they stand. */
err schema_read_fitted(struct arena *a, const struct json *v, struct field *f) MUST_CHECK;

#endif
