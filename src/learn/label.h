/* label.h — the outcome column: which value means converted, and each row's outcome. */
#ifndef GALENA_LEARN_LABEL_H
#define GALENA_LEARN_LABEL_H

#include "lead/frame.h"

struct label {
    str target, positive; /* column, and the value that means converted */
    const double *y;      /* n_row: 1 converted, 0 not, NaN unknown (empty cell) */
    size_t n_positive, n_negative, n_unknown;
};

/* Reads the column `target`. With `positive` empty, a column of two values must hold one that plainly means yes (1, yes,
 * true, won, converted, ...). One outcome alone is enough only with `one_class`. ERR_INPUT: slugs "target_unknown" (with the
 * nearest column name), "target_positive_needed" (lists the values), "target_positive_absent", "target_one_class". */
err label_read(struct arena *a, const struct frame *f, str target, str positive, bool one_class,
               struct label *out) MUST_CHECK;

#endif
