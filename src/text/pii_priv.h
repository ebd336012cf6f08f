/* pii_priv.h — tokens of a text and the scanners that look at them. */
#ifndef GALENA_TEXT_PII_PRIV_H
#define GALENA_TEXT_PII_PRIV_H

#include "text/pii.h"

#include <stdint.h>

enum {
    LIST_GIVEN = 1 << 0,
    LIST_SURNAME = 1 << 1,
    LIST_PLACE = 1 << 2,
    LIST_ENGLISH = 1 << 3,
    LIST_HONORIFIC = 1 << 4,
    LIST_SUFFIX = 1 << 5,
    LIST_MONTH = 1 << 6,
    LIST_WEEKDAY = 1 << 7,
    LIST_DEMONYM = 1 << 8,
    LIST_COUNTRY = 1 << 9,
    LIST_STREET = 1 << 10,
    LIST_UNIT = 1 << 11,
    LIST_COMPANY = 1 << 12,
    LIST_PERSON_BEFORE = 1 << 13,
    LIST_PERSON_AFTER = 1 << 14,
    LIST_PLACE_BEFORE = 1 << 15,
    LIST_ORG_BEFORE = 1 << 16,
    LIST_PAIR = 1 << 17 /* begins an entry of two words */
};

/* Lists of a word; `two` of two words with a blank between. 0: in none. */
uint32_t pii_words_find(const struct pii_words *w, str folded);
uint32_t pii_words_find_hash(const struct pii_words *w, uint64_t hash);
uint64_t pii_words_hash(str folded);

enum token_form { FORM_WORD, FORM_NUMBER, FORM_MARK, FORM_LINE };

/* A word (letters, with inner apostrophes left out of it), a number (begins with a digit: digits and letters), a mark of one
 * byte, or the end of a line. */
struct pii_token {
    uint32_t begin, end; /* bytes of the chunk */
    uint32_t lists;
    uint8_t form;
    bool capital, all_capital, digits_only, spaced; /* spaced: white space before it */
    bool taken;
    char mark;
};

enum { PII_CHUNK_BYTE = 1 << 17, PII_TOKEN_MAX = PII_CHUNK_BYTE + 8 };

/* Lists of words met before: most words of a text are few. */
enum { PII_RECENT = 16384 };
struct pii_recent {
    uint64_t hash;
    uint32_t lists;
};

struct pii_finder {
    struct pii_recent *recent;
    const struct pii_words *words;
    str text; /* the chunk */
    struct pii_token *token;
    size_t n;
    struct pii_span *span;
    size_t n_span, base; /* base: byte at which the chunk begins */
    bool more;
};

/* Cuts f->text into tokens. */
void pii_tokens(struct pii_finder *f);

static inline str pii_text(const struct pii_finder *f, size_t i) {
    return str_slice(f->text, f->token[i].begin, f->token[i].end);
}
static inline bool pii_is(const struct pii_finder *f, size_t i, uint32_t lists) {
    return i < f->n && f->token[i].form == FORM_WORD && (f->token[i].lists & lists) != 0;
}
static inline bool pii_mark(const struct pii_finder *f, size_t i, char mark) {
    return i < f->n && f->token[i].form == FORM_MARK && f->token[i].mark == mark;
}
static inline bool pii_word(const struct pii_finder *f, size_t i, str word) {
    return i < f->n && f->token[i].form == FORM_WORD && f->token[i].end - f->token[i].begin == word.len &&
           str_equal_nocase(pii_text(f, i), word);
}

/* Adds the span of tokens [from, to) and takes them; nothing when one of them is taken. */
bool pii_add(struct pii_finder *f, enum pii_type type, size_t from, size_t to, double confidence);
/* As pii_add for bytes; takes all tokens they touch. `near` is one of those. */
bool pii_add_bytes(struct pii_finder *f, enum pii_type type, size_t near, size_t begin, size_t end, double confidence);

/* The scanners, in the order in which they run. */
void pii_scan_forms(struct pii_finder *f);     /* URLs, mail, IP, IBAN, cards, social security, dates */
void pii_scan_postal(struct pii_finder *f);    /* postal codes that are called so */
void pii_scan_addresses(struct pii_finder *f); /* streets */
void pii_scan_numbers(struct pii_finder *f);   /* telephones, postal codes, ages, licences */
void pii_scan_names(struct pii_finder *f);     /* persons, places, organisations, nationalities, titles */

#endif
