/* classifier_priv.h — the inside of a text classifier, shared by training, prediction and storage. */
#ifndef GALENA_TEXT_CLASSIFIER_PRIV_H
#define GALENA_TEXT_CLASSIFIER_PRIV_H

#include "text/classifier.h"
#include "text/feature_priv.h"

enum { CLASSIFIER_VERSION = 1 };
#define VOCABULARY_NONE UINT32_MAX

/* Features with their inverse document frequency; hashes ascend. */
struct vocabulary {
    uint32_t *hash;
    double *idf; /* log((1 + rows) / (1 + rows with it)) + 1 */
    size_t n;
    uint32_t *slot; /* open addressing by hash: index + 1, 0 is free */
    uint32_t mask;
};

/* Builds the slots. */
void vocabulary_index(struct arena *a, struct vocabulary *v);
uint32_t vocabulary_find(const struct vocabulary *v, uint32_t hash);

/* One text as sparse numbers. */
struct sparse {
    uint32_t *index;
    float *value;
    size_t n;
};

/* Memory to make sparse rows with. */
struct vectors {
    const struct vocabulary *vocabulary;
    struct features *features;
    uint32_t *count; /* of each feature; zeros between texts */
    struct sparse row;
};
struct vectors *vectors_new(struct arena *a, const struct vocabulary *v, const struct lexicon *lexicon);
const struct sparse *vectors_make(struct vectors *v, str text, str entity);

/* Probabilities softmax(scale * z + shift). */
struct text_calibration {
    double scale, *shift;
};
/* Writes probabilities over the k logits z; returns the index of the largest. */
size_t text_calibrate(const struct text_calibration *c, const double *z, size_t k, double *p);

struct text_classifier {
    str *label;
    size_t n_label;
    bool entity, senses;
    struct vocabulary vocabulary;
    double *weight; /* feature by label, row-major */
    double *intercept;
    struct text_calibration calibration;
    const struct lexicon *lexicon;
};

/* z[k] = intercept + sum of weights. */
void text_logits(const double *weight, const double *intercept, size_t k, const uint32_t *index, const float *value,
                 size_t n, double *z);

/* p over k in place: softmax. */
void text_softmax(double *z, size_t k);

#endif
