/* naive_bayes.h — Bayes' theorem with fields taken as independent given the outcome (Eq. 92-93).
 *
 *     log-odds = log P(C=1) / P(C=0) + sum over fields of log P(level | C=1) / P(level | C=0)
 *
 * over the columns marked COLUMN_COUNT; a value other than 0 means that the lead has the level. The columns of one field
 * (fit_opts.field) are its levels, and having none of them is a level too where a training row has none. A field of which
 * some training row has several levels at once is a multi-value field, found so from the rows: each of its levels then
 * counts as a field of two levels, has and has not. A row that has two levels of an exclusive field, which training never
 * saw, gets both contributions.
 *
 * P(level | C) = (count + s) / (rows + s * levels): Laplace smoothing. s is chosen from penalty_grid (default 0.1 to 100) by
 * cross-validated log loss. A level that no training row has says nothing: its contribution is 0; so
 * does a field of which no training row has a level. The log-odds are additive
 * in the columns, so contributions are exact. spread: delta method over the Dirichlet posteriors of all counts, Var log
 * P(level | C) = 1 / (count + s) - 1 / (rows + s * levels), summed over fields, classes and the prior odds. */
#ifndef GALENA_ML_NAIVE_BAYES_H
#define GALENA_ML_NAIVE_BAYES_H

#include "ml/linear.h"

/* fit: ERR_INPUT "no_rows", "one_class", "no_columns"; "fold_range". Weights count rows. Priors of the options are not used.
 */
extern const struct model_family naive_bayes_family;

/* Coefficients (difference between having a level and having none), means and base; lives as long as the model. */
const struct linear *naive_bayes_linear(const struct model *m);

double naive_bayes_smoothing(const struct model *m);

#endif
