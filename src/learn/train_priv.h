/* train_priv.h — what the steps of training hand to each other. */
#ifndef GALENA_LEARN_TRAIN_PRIV_H
#define GALENA_LEARN_TRAIN_PRIV_H

#include "features/vectorise.h"
#include "learn/train.h"

enum { TRAIN_FOLDS = 5 };

struct train_work {
    struct arena *a;
    const struct frame *f;
    const struct train_options *o;

    /* train_data.c */
    struct label label;
    struct split_rows rows; /* rows with a known outcome */
    double *y_train, *y_test;
    int64_t now_ms;
    const struct schema *schema;
    struct vectoriser *vectoriser;
    struct dataset *train, *test; /* test: n may be 0 */
    const unsigned char *missing; /* of the training rows, n * n_term */
    const double *order;          /* of the training rows in time, or NULL */
    uint32_t *fold;
    uint32_t n_fold;

    /* interact.c */
    const struct model *logistic; /* fitted on the way, or NULL */
    double *logistic_held_out;

    /* train.c */
    struct fitted fitted;
    struct bundle *bundle;

    struct evaluation_warning *warning;
    size_t n_warning, cap_warning;
};

void train_note(const struct train_work *w, const char *what);
void train_warn(struct train_work *w, str code, str field, str message);

/* Outcomes, split, schema, leaks, vectors, folds. */
err train_prepare(struct train_work *w) MUST_CHECK;

/* What the fit is asked for, as things stand. */
void train_request(struct train_work *w, struct fit_request *out);

/* Selects interactions (Eq. 33) on the training rows and puts them into schema, vectors and marks; with few rows, without a
 * logistic regression among the candidates, or with a schema that states its interactions, it does nothing. The logistic
 * regression fitted on the way is kept. */
err train_interact(struct train_work *w) MUST_CHECK;

/* Everything the report says, from the fitted bundle. */
struct evaluation *train_evaluate(struct train_work *w);

#endif
