/* train.h — from a file of past leads to a model and the proof of how good it is.
 *
 * The steps, in order: read outcomes, divide rows, infer or complete the schema on the training rows, look for leaks,
 * encode, select interactions (ml/product_select.h), fit and calibrate (learn/fit.h), weigh terms, evaluate on the test
 * rows. Nothing before the last step sees a test row. */
#ifndef GALENA_LEARN_TRAIN_H
#define GALENA_LEARN_TRAIN_H

#include "base/clock.h"
#include "learn/evaluation.h"
#include "learn/fit.h"
#include "learn/label.h"
#include "learn/split.h"

struct train_options {
    str target, positive, id, time; /* positive, id, time may be empty */
    const str *exclude;             /* columns that must not become features */
    size_t n_exclude;
    const struct schema *schema;   /* choices of a person; NULL: inferred */
    const struct profile *profile; /* NULL: none */
    str family;
    size_t n_interaction; /* most products of columns that are selected (Eq. 33), PRODUCTS_MAX at most; 0: none */
    struct split split;
    uint64_t seed;
    unsigned threads; /* 0: all cores */
    bool allow_leaks;
    double hot, warm;
    str name; /* of the model */
    struct clock clock;
    void (*note)(void *ctx, const char *what); /* says what begins; may be NULL */
    void *note_ctx;
};

struct training {
    struct bundle *bundle;
    struct evaluation *evaluation;
};

/* Trains. ERR_INPUT for what a person must change: the slugs of learn/label.h, learn/split.h and learn/fit.h,
 * "train_no_features", and "leak_certain" when a field plainly knows the outcome (its sentence names each and the remedy).
 */
err train_model(struct arena *a, const struct frame *f, const struct train_options *o, struct training *out) MUST_CHECK;

#endif
