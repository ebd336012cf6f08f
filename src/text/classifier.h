/* classifier.h — one general text classifier: learns from labelled texts, says the label of others with a probability.
 *
 * Features are words, pairs of words, and runs of 2 to 5 characters within words, of the folded text (text/fold.h), hashed
 * to 32 bits, weighted by 1 + log(count) times inverse document frequency, each kind brought to unit length. On them a
 * multinomial logistic regression with an L2 penalty (Eq. 28-29; intercepts are not penalised), found by L-BFGS. The penalty
 * is chosen by five-fold cross-validation on the training rows, rows of equal text in one fold; the map from logits to
 * probabilities, softmax(a z + b), is fitted to the same out-of-fold logits. Equal rows and seed give equal bytes.
 *
 * With an entity the text is read from where the entity stands: what comes before and after it and in its clause counts
 * apart. A model whose labels are positive, neutral and negative also takes what the lexicon finds (text/sentiment.h); any
 * other takes the families of words of share/lexicons/roles.txt. */
#ifndef GALENA_TEXT_CLASSIFIER_H
#define GALENA_TEXT_CLASSIFIER_H

#include "base/buf.h"

enum {
    TEXT_LABEL_MAX = 256,       /* labels of one model */
    TEXT_LABEL_BYTE = 200,      /* of one label */
    TEXT_FEATURE_MAX = 400000,  /* features of one model; the most frequent ones are kept */
    TEXT_ROW_MAX = 2000000,     /* training rows */
    TEXT_TEXT_BYTE = 1 << 15,   /* what is read of one text; the rest is passed over */
    TEXT_MODEL_BYTE = 256 << 20 /* of one model file */
};

/* A text with its label. `entity` may be empty: the text as a whole. */
struct text_row {
    str text, entity, label;
};

struct text_train_opts {
    uint64_t seed;
    unsigned threads; /* 0: one for each core; the result does not depend on it */
};

/* What training found; the figures are out of fold. */
struct text_train_report {
    size_t n_row, n_left_out; /* rows learned from; rows without text or label */
    size_t n_label, n_feature;
    double penalty; /* of the mean loss: lambda / 2 |w|^2 */
    double accuracy, macro_f1, log_loss;
    double base_accuracy; /* of always saying the most frequent label */
};

struct text_classifier;

/* Learns from n rows. ERR_INPUT "text_rows": more than TEXT_ROW_MAX rows, or fewer than ten with text and label;
 * "text_labels": one label only, too many, or one too long. */
err text_classifier_train(struct arena *a, const struct text_row *row, size_t n, const struct text_train_opts *o,
                          struct text_classifier **out, struct text_train_report *report) MUST_CHECK;

/* The labels, in byte order; probabilities are in this order. */
const str *text_classifier_labels(const struct text_classifier *c, size_t *n);

/* Trained with entities. */
bool text_classifier_has_entity(const struct text_classifier *c);

/* Memory to predict with, for one thread at a time; the classifier itself is const and may be shared. */
struct text_reader;
struct text_reader *text_reader_new(struct arena *a, const struct text_classifier *c);

/* Probabilities of the labels into p[number of labels], each in 0..1, sum 1; returns the index of the most probable, the
 * first of equals. A text without known features gets the calibrated intercepts. Allocates nothing. */
size_t text_classifier_predict(struct text_reader *r, str text, str entity, double *p);

/* The model file (docs/formats/text-model.md), and back. Writing what was read gives the same bytes. Errors of reading:
 * ERR_INPUT "model_not_a_model" or "model_newer", ERR_CORRUPT "model_cut", "model_checksum" or "model_corrupt". */
err text_classifier_save(const struct text_classifier *c, struct buf *out) MUST_CHECK;
err text_classifier_load(struct arena *a, str bytes, struct text_classifier **out) MUST_CHECK;

#endif
