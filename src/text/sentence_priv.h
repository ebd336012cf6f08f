/* sentence_priv.h — a sentence as words, numbers and marks, cut into clauses and pieces between commas, each word with what
 * the lexicon knows of it. */
#ifndef GALENA_TEXT_SENTENCE_PRIV_H
#define GALENA_TEXT_SENTENCE_PRIV_H

#include "text/lexicon_priv.h"

enum { SENTENCE_TOKENS = 1024, SENTENCE_BYTE = 8192 };

enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_MARK };

struct token {
    enum token_kind kind;
    str text;                          /* lower case */
    size_t at, end;                    /* bytes of the text it was read from */
    double value;                      /* of a number, its unit applied */
    bool percent;                      /* the number is one of percent */
    uint32_t clause;                   /* counts from 0 */
    uint32_t piece;                    /* counts from 0 through the whole text */
    const struct lexicon_entry *entry; /* of the phrase that begins here; NULL for what is unknown or within a phrase */
    uint32_t span;                     /* tokens of that phrase */
};

struct sentence {
    struct token token[SENTENCE_TOKENS];
    size_t n;
    char lower[SENTENCE_BYTE];
    size_t n_lower;
};

/* Reads text; what is beyond the limits is left out. */
void sentence_read(struct sentence *s, const struct lexicon *l, str text);

static inline bool token_is(const struct token *t, enum word_class c) {
    return t->entry && (t->entry->classes >> c & 1) != 0;
}

#endif
