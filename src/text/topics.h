/* topics.h — topics of a collection of texts by latent Dirichlet allocation (Eq. 21-22; Blei, Ng and Jordan 2003).
 *
 * Words are those of the folded text with three letters or more, without numbers and the stop words of
 * share/lexicons/stopwords.txt, that stand in at least a few texts and at most in half of them. Learning starts from
 * spherical k-means on tf-idf, the best of several starts, and goes on by collapsed Gibbs sampling (Griffiths and Steyvers
 * 2004); the word distributions are means over the last sweeps. A text's topics are then found by expectation and
 * maximisation under those, in training and later alike, so that a stored model says of a text what training said of it.
 * Topics are numbered from the largest to the smallest. Equal texts and seed give equal bytes. */
#ifndef GALENA_TEXT_TOPICS_H
#define GALENA_TEXT_TOPICS_H

#include "base/buf.h"

enum {
    TOPICS_MAX = 200,
    TOPICS_WORD_MAX = 50000,      /* words of a model; the most frequent are kept */
    TOPICS_WORD_BYTE = 40,        /* longer ones are passed over */
    TOPICS_TOKEN_MAX = 100000000, /* words of all texts together */
    TOPICS_TEXT_MAX = 5000000,
    TOPICS_TEXT_BYTE = 1 << 17, /* what is read of one text */
    TOPICS_MODEL_BYTE = 256 << 20
};

/* Collects texts, then learns. */
struct topics_corpus;
struct topics_corpus *topics_corpus_new(struct arena *a);

/* Adds a text made of parts. ERR_LIMIT "topics_limit" beyond TOPICS_TEXT_MAX or TOPICS_TOKEN_MAX. */
err topics_corpus_add(struct topics_corpus *c, const str *part, size_t n_part) MUST_CHECK;

struct topics_opts {
    size_t k; /* 2..TOPICS_MAX */
    uint64_t seed;
    unsigned sweeps;    /* 0: 200 */
    double alpha, beta; /* Dirichlet parameters of topics in texts and words in topics; 0: 0.1 and 0.02 */
};

struct topics;

/* ERR_INPUT "topics_texts": fewer texts with known words than topics. */
err topics_train(struct topics_corpus *c, struct arena *a, const struct topics_opts *o, struct topics **out) MUST_CHECK;

size_t topics_count(const struct topics *t);
size_t topics_words(const struct topics *t); /* size of the vocabulary */
double topics_share(const struct topics *t, size_t topic);

/* The `n` most probable words of a topic into word[], in order; returns how many there are. */
size_t topics_top_words(const struct topics *t, size_t topic, size_t n, str *word);

/* Memory to infer with, for one thread at a time. */
struct topics_reader;
struct topics_reader *topics_reader_new(struct arena *a, const struct topics *t);

/* Topic proportions of a text into p[k] (Eq. 21: the mean of the Dirichlet posterior); returns the largest. A text without
 * known words has the shares of the collection. Allocates nothing. */
size_t topics_infer(struct topics_reader *r, const str *part, size_t n_part, double *p);

/* The model file, and back; errors as text_classifier_load. */
err topics_save(const struct topics *t, struct buf *out) MUST_CHECK;
err topics_load(struct arena *a, str bytes, struct topics **out) MUST_CHECK;

#endif
