/* subscore.c — the logistic machinery on the sub-score columns. */
#include "ml/subscore.h"

#include "ml/logistic_priv.h"

static err fit(struct arena *a, const struct dataset *s, const struct fit_opts *o, double *out_of_fold, struct model **out) {
    return logistic_fit_columns(a, s, o, COLUMN_SUBSCORE, out_of_fold, out);
}

const struct model_family subscore_family = {.name = "subscore",
                                             .fit = fit,
                                             .predict = logistic_predict,
                                             .spread = logistic_spread,
                                             .explain = logistic_explain,
                                             .save = logistic_save,
                                             .load = logistic_load};
