/* subscore.h — logistic regression on the profile's sub-scores alone (Eq. 34): the smallest useful model. */
#ifndef GALENA_ML_SUBSCORE_H
#define GALENA_ML_SUBSCORE_H

#include "ml/family.h"

/* As logistic_family, but over the columns marked COLUMN_SUBSCORE. logistic_linear, logistic_facts and logistic_covariance
 * serve its models too. */
extern const struct model_family subscore_family;

#endif
