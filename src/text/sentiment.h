/* sentiment.h — what a sentence about business says of a company: good, bad or neither, per entity mentioned.
 *
 * A lexicon of our own (share/lexicons/finance.txt) knows words of direction (rise, cut), what they may be said of (profit
 * is good when it rises, a loss when it narrows), words that are good or bad by themselves, phrases of analysts, and words
 * that turn or weaken what follows. A sentence is cut into clauses; of an entity the clause around it counts, others little.
 */
#ifndef GALENA_TEXT_SENTIMENT_H
#define GALENA_TEXT_SENTIMENT_H

#include "base/str.h"

#include <stdint.h>

enum { SENTIMENT_NEGATIVE, SENTIMENT_NEUTRAL, SENTIMENT_POSITIVE, SENTIMENT_LABELS };
enum { SENTIMENT_SENSE_MAX = 64, SENTIMENT_TEXT_BYTE = 1 << 14, SENTIMENT_PHRASE_BYTE = 64 };

/* Const and shareable once loaded. */
struct lexicon;

/* The lexicon that is part of the program. ERR_CORRUPT "lexicon_damaged" never happens in a program built well. */
err lexicon_load(struct arena *a, const struct lexicon **out) MUST_CHECK;

/* Reads a lexicon's text. ERR_CORRUPT "lexicon_damaged" with the line. */
err lexicon_parse(struct arena *a, str text, const struct lexicon **out) MUST_CHECK;

/* A judgement: score in -1..1 and its label. */
struct sentiment {
    int label;
    double score;
};

/* Judges `text`, or what it says of `entity` when that is not empty and stands in the text; else the text as a whole. Eq. 19
 * with polarities of phrases in their context for those of words, the lexicon's strength for their idf (Eq. 20), and
 * tanh for the division by length, so that long sentences are not dull by being long. The label is neutral between -/+ 0.15.
 * Allocates nothing. */
struct sentiment sentiment_judge(const struct lexicon *lexicon, str text, str entity);

/* The label as it is written: "positive", "neutral", "negative". */
const char *sentiment_label_name(int label);

/* Features for a trained model: what was found and in which clause, as hashes; at most SENTIMENT_SENSE_MAX. Returns their
 * number. */
size_t sentiment_senses(const struct lexicon *lexicon, str text, str entity, uint32_t sense[SENTIMENT_SENSE_MAX]);

#endif
