/* infer.h — the feature schema of a file of leads, proposed from its training rows (Eq. 1-4).
 *
 * Everything is decided and fitted on the given training rows alone, and does not depend on their order: changing any other
 * row changes no byte of the schema. Names of columns are hints, used where the cells leave a choice. */
#ifndef GALENA_FEATURES_INFER_H
#define GALENA_FEATURES_INFER_H

#include "lead/frame.h"
#include "lead/schema.h"

/* Zero means the default named behind a number. */
struct infer_opts {
    str target, positive; /* label column: never a field; "" when none */
    str id, time;         /* "" when none */
    const str *exclude;   /* columns to be FIELD_IGNORED */
    size_t n_exclude;
    uint32_t max_level; /* 2000: levels that are known; features/encode.h says which have a column of their own */
    uint32_t rare;      /* training rows a level needs for a column of its own; default n_train / 200, within 5..10, and
                           n_train / 20,000 when that is more */
    uint32_t n_bin;     /* 14: quantile bins of a number, each of at least `rare` rows */
};

/* Proposes a schema for the n_train training rows of f (ascending positions in the frame). y[n_train] are their outcomes, 0
 * or 1; NULL when there are none: rates are then left out. Every column but the target becomes a field, in file order, all
 * fitted. schema->warning tells what a person should look at. ERR_INPUT when a column named in o is not in the file (slug
 * "column_unknown"), or there are no training rows (slug "no_rows"). */
err schema_infer(struct arena *a, const struct frame *f, const uint32_t *train_rows, size_t n_train, const double *y,
                 const struct infer_opts *o, struct schema **out) MUST_CHECK;

/* Fits what `given` leaves open, from the training rows, keeping every choice it states (type, transform, missing tokens,
 * levels, edges, ...). Columns of the file that it does not list are left out, with a warning. Its target, id and time are
 * kept unless o names others. ERR_INPUT when a field it uses is not in the file (slug "column_unknown"). */
err schema_complete(struct arena *a, const struct schema *given, const struct frame *f, const uint32_t *train_rows,
                    size_t n_train, const double *y, const struct infer_opts *o, struct schema **out) MUST_CHECK;

#endif
