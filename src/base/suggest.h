/* suggest.h — the known word that somebody probably meant. */
#ifndef GALENA_BASE_SUGGEST_H
#define GALENA_BASE_SUGGEST_H

#include "base/str.h"

/* Edits (a byte inserted, removed or replaced, or two neighbours exchanged) that lead from a to b: optimal string alignment, ASCII
 * letters without case. Words longer than 64 bytes are infinitely far (SIZE_MAX) from all but themselves. */
size_t suggest_distance(str a, str b);

/* The nearest of the known words, the first on a tie; an empty str when none is within a third of the word's length (at least 1). */
str suggest(str word, const str *known, size_t n);

#endif
