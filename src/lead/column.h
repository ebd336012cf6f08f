/* column.h — a JSON object as columns: what a row of a file would hold of it.
 *
 * A member of an object inside has a dotted name ("company.employees"). Cells are written as a CSV file would have them:
 * text as it is without the space around it, numbers in their shortest form, true and false as such, null as an empty cell.
 * An array of such values is a list: its values joined by ';', empty ones left out, a ';' inside a value made a comma. An
 * array of anything else is its JSON text. */
#ifndef GALENA_LEAD_COLUMN_H
#define GALENA_LEAD_COLUMN_H

#include "lead/run.h"

/* Columns in the making. They live in the arena, like what they point to; text may be that of the tree. */
struct columns {
    struct arena *arena;
    struct run_column *column;
    size_t n, cap;
};

/* Adds the members of `object`, their names behind `prefix` and a dot, or bare when it is empty. Names are not compared with
 * each other (columns_find_twice). ERR_INPUT "lead_columns" beyond RUN_MAX_COLUMN, "lead_column_name" for names longer than
 * COLUMN_NAME_BYTE or empty. */
enum { COLUMN_NAME_BYTE = 256 };
err columns_add(struct columns *c, str prefix, const struct json *object, unsigned char from) MUST_CHECK;

/* Adds one column as it is. As columns_add. */
err columns_put(struct columns *c, struct run_column column) MUST_CHECK;

/* A column whose name came before, or NULL. */
const struct run_column *columns_find_twice(const struct columns *c);

/* The name made fit for a message: no more than a few characters of it, and nothing of a name that is not made of letters,
 * digits, '_', '.', '-' and blanks: it may be a value in the wrong place. */
str column_name_shown(struct arena *a, str name);

#endif
