/* reject.h — the file of rows that could not be used, with where and why. */
#ifndef GALENA_INTAKE_REJECT_H
#define GALENA_INTAKE_REJECT_H

#include "intake/table.h"

struct reject;

/* Begins a CSV file with the columns line, column, slug, reason, raw (base/file.h tells how it comes to be and the errors).
 * `column` is a 1-based number, empty when the row as a whole is at fault. In `raw`, bytes that are no UTF-8 appear as
 * U+FFFD, and a text that a spreadsheet would run as a formula has an apostrophe in front. */
err reject_open(struct arena *a, const char *path, struct reject **out) MUST_CHECK;

/* Writes a row. One that was read well (status OK) but refused later is given slug and reason by the caller. */
err reject_row(struct reject *r, const struct table_row *row) MUST_CHECK;

/* Rows written so far. */
uint64_t reject_count(const struct reject *r);

/* Puts the file under its name. Errors as file_commit. */
err reject_commit(struct reject *r) MUST_CHECK;

#endif
