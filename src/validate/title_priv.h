/* title_priv.h — a job title as words in parts. */
#ifndef GALENA_VALIDATE_TITLE_PRIV_H
#define GALENA_VALIDATE_TITLE_PRIV_H

#include "validate/title.h"

enum { TITLE_MAX_BYTE = 300, TITLE_WORD_MAX = 48 };

/* Folded words (text/fold.h) and the part each stands in: commas, bars, slashes, dashes and brackets part a title. Letters
 * in a row are one word ("C.E.O." is "ceo"). What is beyond the limits is left out. */
struct title_words {
    str word[TITLE_WORD_MAX];
    unsigned part[TITLE_WORD_MAX], n_part;
    size_t n, used;
    bool letters; /* the last word is made of single letters */
    char text[2 * TITLE_MAX_BYTE + 2];
};

void title_words_of(str title, struct title_words *w);
bool title_word_is(const struct title_words *w, size_t i, const char *const *list); /* a list that ends in NULL */
enum title_level title_level_of_words(const struct title_words *w);

#endif
