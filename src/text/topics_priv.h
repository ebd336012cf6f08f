/* topics_priv.h — words of a collection and the inside of a topic model. */
#ifndef GALENA_TEXT_TOPICS_PRIV_H
#define GALENA_TEXT_TOPICS_PRIV_H

#include "text/topics.h"

enum { TOPICS_VERSION = 1 };
#define WORD_UNKNOWN UINT32_MAX

/* Words with numbers, found by hash. */
struct word_list {
    struct arena *arena;
    str *word;
    size_t n, cap;
    uint32_t *slot; /* index + 1 */
    size_t mask;
};
void word_list_init(struct word_list *l, struct arena *a);
uint32_t word_list_find(const struct word_list *l, str word);
uint32_t word_list_add(struct word_list *l, str word);

/* Cuts a text into words worth counting. */
struct word_reader {
    struct word_list stop;
    char *folded;
    str rest;
};
void word_reader_init(struct word_reader *r, struct arena *a);
void word_reader_begin(struct word_reader *r, str text);
bool word_reader_next(struct word_reader *r, str *word);

struct topics {
    size_t k, n_word;
    struct word_list words;
    double *phi;   /* word by topic: probability of the word in the topic, row-major */
    double *share; /* of each topic in the collection */
    double alpha;
};

#endif
