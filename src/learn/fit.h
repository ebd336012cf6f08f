/* fit.h — from a training dataset to log-odds and a calibration: one family, or several stacked.
 *
 * Everything is chosen on out-of-fold predictions of the training rows: penalties and settings inside the families, the
 * stacking weights, the calibration, and whether there is any signal at all.
 *
 * How far off the whole is, is known when trees and a logistic model were both tried. The trees' squared error e_t is known
 * from what doubling the rows does (gbdt_tune.h). Were the logistic model right, it would not be more than D^2 + v, D^2
 * being the mean squared difference of the two models' out-of-fold log-odds and v the logistic model's own variance: all of
 * D would be the trees' error. This is believed by b, the share of other families than trees in the weights. Log loss
 * carries the figure over to the whole, a squared error e costing e / 2 times the mean of p (1 - p):
 *
 *     error = (1 - b) e_t + b min(e_t, D^2 + v) - 2 (loss of trees - loss of the whole) / mean p (1 - p).
 *
 * Where the logistic model is right this comes out near v; where the trees do as well as it although they disagree, both
 * are wrong, and it comes out larger. Members' spreads that show less are joined by an excess; those that show more (they
 * are added as if members erred together) are scaled down, to half at most, but never those of the logistic model alone.
 *
 * A family "logistic" by itself has no trees to compare with. There the slope of the outcomes on its out-of-fold log-odds,
 * when it is not 1, tells of a penalty that does not suit this truth: what it would move, (slope - 1)^2 var(log-odds), is
 * the excess. */
#ifndef GALENA_LEARN_FIT_H
#define GALENA_LEARN_FIT_H

#include "ml/calibration.h"
#include "ml/family.h"
#include "score/bundle.h"

struct fit_request {
    str family;       /* auto, logistic, subscore, naive_bayes, gbdt */
    bool has_profile; /* the dataset has sub-score columns */
    struct fit_opts opts;
    const struct model *logistic;              /* the candidate "logistic" when it has been fitted already, or NULL */
    double *logistic_held_out;                 /* its out-of-fold log-odds */
    const double *order;                       /* n: what comes later is larger; NULL: no order is known */
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
    double excess;       /* variance of the log-odds beyond the members' spreads (bundle.h) */
    double slope;        /* of the outcomes on the out-of-fold log-odds of a logistic model alone; 1 for others */
    double spread_scale; /* factor of the members' spreads, 0.5 to 1 */
    struct fit_trial trial[BUNDLE_MAX_MEMBER];
    size_t n_trial;
    const double *held_out;  /* n out-of-fold log-odds of the whole, before calibration */
    double log_loss;         /* cross-validated, after calibration */
    double base_log_loss;    /* of the base rate, learned on the other folds */
    double gain, gain_error; /* mean paired gain over the base rate and its standard error */
    bool no_signal;          /* nothing better than the base rate was found: no members, intercept = its log-odds */
};

/* Whether a family, or auto, has a logistic regression on the fields among its candidates. */
bool fit_has_logistic(const struct fit_request *request, size_t n);

/* ERR_INPUT (slug "family_unknown", "family_needs_profile") or what a family answers. opts.fold must be set. */
err fit_model(struct arena *a, const struct dataset *s, const struct fit_request *request, struct fitted *out) MUST_CHECK;

#endif
