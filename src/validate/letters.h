/* letters.h — large and small letters of Latin, Greek and Cyrillic writing. */
#ifndef GALENA_VALIDATE_LETTERS_H
#define GALENA_VALIDATE_LETTERS_H

#include "base/buf.h"

#include <stdint.h>

/* The other case of a letter (simple mapping, one to one); the same code when it has none. No locale. */
uint32_t letters_large(uint32_t code);
uint32_t letters_small(uint32_t code);
bool letters_is_letter(uint32_t code);

/* How many letters of any script `s` has; digits and signs are none. */
size_t letters_count(str s);

/* True when there are at least two letters with case and all of them are large, or all are small. */
bool letters_are_one_case(str s);
bool letters_are_large(str s); /* all large, at least two */

/* Words that are always small (except in front) or always large; lists that end in NULL, or NULL. */
struct letters_words {
    const char *const *small, *const *large;
};

/* A copy in which each word begins with a large letter and goes on with small ones. A word begins behind a blank or a sign
 * (an apostrophe only behind one letter: "O'Neil", but "Women's"). */
str letters_heading(struct arena *a, str s, const struct letters_words *words);

#endif
