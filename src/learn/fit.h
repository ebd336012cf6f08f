/* fit.h — from a training dataset to log-odds and a calibration: one family, or several stacked.
 *
 * Everything is chosen on out-of-fold predictions of the training rows: penalties and settings inside the families, the
 * stacking weights, the calibration, and whether there is any signal at all. */
#ifndef GALENA_LEARN_FIT_H
#define GALENA_LEARN_FIT_H

#include "ml/calibration.h"
#include "ml/family.h"
#include "score/bundle.h"

struct fit_request {
    str family;       /* auto, logistic, subscore, naive_bayes, gbdt */
    bool has_profile; /* the dataset has sub-score columns */
    struct fit_opts opts;
    void (*note)(void *ctx, const char *what); /* says what begins; may be NULL */
    void *note_ctx;
};

/* A family that took part, for the report. */
struct fit_trial {
    const char *family;
    double weight;   /* in the final log-odds */
    double log_loss; /* cross-validated, before calibration */
};

struct fitted {
    struct bundle_member member[BUNDLE_MAX_MEMBER];
    size_t n_member;
    double intercept;
    struct calibration calibration;
    double excess; /* variance of the log-odds beyond the members' spreads (bundle.h) */
    struct fit_trial trial[BUNDLE_MAX_MEMBER];
    size_t n_trial;
    const double *held_out;    /* n out-of-fold log-odds of the whole, before calibration */
    double log_loss;           /* cross-validated, after calibration */
    double base_log_loss;      /* of the base rate, learned on the other folds */
    double gain, gain_error;   /* mean paired gain over the base rate and its standard error */
    bool no_signal;            /* nothing better than the base rate was found: no members, intercept = its log-odds */
};

/* ERR_INPUT (slug "family_unknown", "family_needs_profile") or what a family answers. opts.fold must be set. */
err fit_model(struct arena *a, const struct dataset *s, const struct fit_request *request, struct fitted *out) MUST_CHECK;

#endif
