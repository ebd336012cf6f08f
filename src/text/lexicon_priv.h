/* lexicon_priv.h — words and phrases with what they say. */
#ifndef GALENA_TEXT_LEXICON_PRIV_H
#define GALENA_TEXT_LEXICON_PRIV_H

#include "text/sentiment.h"

/* If you change this: class_name in lexicon.c, and share/lexicons/finance.txt. */
enum word_class {
    WORD_UP,
    WORD_DOWN,
    WORD_GAIN,
    WORD_HARM,
    WORD_GOOD,
    WORD_BAD,
    WORD_RATE_GOOD,
    WORD_RATE_BAD,
    WORD_NOT,
    WORD_REDUCES,
    WORD_SOFT,
    WORD_SPLIT,
    WORD_SPEAKER,
    WORD_CLASSES
};

enum { LEXICON_PHRASE_WORDS = 5, LEXICON_ENTRY_MAX = 20000 };

/* A word may be of several classes. */
struct lexicon_entry {
    str text; /* words with one blank between; ptr NULL: free */
    uint32_t classes;
    double strength[WORD_CLASSES];
    bool begins; /* a longer phrase begins with it */
};

struct lexicon {
    struct lexicon_entry *slot;
    size_t mask, n;
};

/* NULL when nothing is known of it. */
const struct lexicon_entry *lexicon_find(const struct lexicon *l, str text);

#endif
