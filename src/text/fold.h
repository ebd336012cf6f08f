/* fold.h — what spellings of one word have in common: the folded text, and how it sounds. */
#ifndef GALENA_TEXT_FOLD_H
#define GALENA_TEXT_FOLD_H

#include "base/str.h"

/* Writes `s` in lower case, Latin letters without their accents (é → e, ß → ss, ø → o), apostrophes left out, and each run
 * of other signs as one blank, none at the ends. Greek and Cyrillic letters become lower case; letters of other scripts stay
 * as they are; bytes that are no UTF-8 count as a sign. At most `cap` bytes are written, never half a character. Returns
 * their number. Folding what is folded changes nothing. */
size_t text_fold(str s, char *to, size_t cap);

/* A code for how a folded word sounds in English and its neighbours: the first letter, then the groups of consonants that
 * follow (Russell's Soundex with up to seven groups and no padding; ph as f, leading kn, wr and gn without their first
 * letter). Words of other scripts: a code of their bytes. 0 only for the empty text. Blanks are passed over. */
uint64_t text_sound(str folded);

#endif
