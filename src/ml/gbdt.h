/* gbdt.h — gradient-boosted trees as a model family, with a bag of smaller models for its spread.
 *
 * fit: libxgboost with settings chosen by gbdt_tune; the final model is grown on all rows for the number of rounds that
 * cross-validation found, a tenth more for the larger training set. out_of_fold comes from the chosen setting's models of
 * the folds. Only columns with COLUMN_TREE are used. opts->fold is used when given, else five folds are drawn; priors and
 * penalties are not for trees. ERR_INPUT (slug "one_class") when the outcomes are all alike.
 *
 * spread: standard deviation of the log-odds over the members of the bag, each grown with the chosen settings (a larger
 * learning rate, shallower where the settings are deep) on rows weighted by a Bayesian bootstrap (Rubin 1981), with n - 1 in
 * the denominator (Eq. 27), and an excess that is the same for all rows: by how much the squared error expected of a new row
 * (gbdt_choice.error) is more than the bag shows on average. The bag covers the chance of having met other rows and the
 * chance in growing; the excess covers, on average over rows, the shrinkage towards the base rate and what more rows would
 * still reveal. Neither covers what no number of rows would reveal to trees, or change over time.
 *
 * explain: TreeSHAP of the model (treeshap.h); the base is its mean over the training rows as the covers tell it. */
#ifndef GALENA_ML_GBDT_H
#define GALENA_ML_GBDT_H

#include "ml/family.h"

extern const struct model_family gbdt_family;

#endif
