/* similarity.h — how alike two short texts are, by their characters and by their words.
 *
 * All of these are symmetric, count in code points, and look at the first TEXT_SIMILARITY_MAX characters only, so that no
 * text can make them slow. No memory is allocated. */
#ifndef GALENA_TEXT_SIMILARITY_H
#define GALENA_TEXT_SIMILARITY_H

#include "base/str.h"

enum { TEXT_SIMILARITY_MAX = 64, TEXT_WORD_MAX = 12 };

/* Jaro's similarity, 0..1: (c/|a| + c/|b| + (c − t)/c) / 3 with c common characters at most max(|a|,|b|)/2 − 1 places apart
 * and t half of those in another order (Jaro 1989). Two empty texts: 1; one empty: 0. */
double text_jaro(str a, str b);

/* Jaro's similarity raised for a common prefix of up to four characters: J + 0.1·l·(1 − J) (Winkler 1990). */
double text_jaro_winkler(str a, str b);

/* The least number of insertions, deletions, substitutions and swaps of neighbours, no character touched twice (optimal
 * string alignment, the restricted form of Damerau 1964). */
size_t text_edits(str a, str b);

/* max(text_jaro_winkler, 1 − edits / longer length): what both kinds of slips leave alike. */
double text_alike(str a, str b);

/* The same for texts of words in any order, with words left out: each word (at most TEXT_WORD_MAX of each) is paired with
 * its most alike one of the other text, greedily; S is the sum of likenesses of at least 0.8, weighted by length. The result
 * is the mean of S's share of the shorter and of the longer text, 0..1: a text and one that has its words and others get
 * more than half. */
double text_words_alike(str a, str b);

#endif
