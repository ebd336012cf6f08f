/* feature_priv.h — what the classifier sees in a text: hashed words, pairs of words, runs of characters, and where the
 * entity stands. */
#ifndef GALENA_TEXT_FEATURE_PRIV_H
#define GALENA_TEXT_FEATURE_PRIV_H

#include "base/str.h"

/* Kinds are brought to unit length each on its own. The kind is in the top two bits of a hash.
 * If you change any of this: the version of the model file. */
enum feature_kind { FEATURE_WORD, FEATURE_RUN, FEATURE_PLACE, FEATURE_SENSE, FEATURE_KINDS };

enum { FEATURE_MAX = 1 << 18 }; /* of one text, with repetitions; what comes beyond is passed over */

struct lexicon;
struct families;

struct features {
    char *folded; /* TEXT_TEXT_BYTE + some room */
    str *word;
    size_t n_word;
    uint32_t *hash; /* FEATURE_MAX, with repetitions */
    size_t n;
    const struct families *families;
    const struct lexicon *lexicon; /* NULL: no senses */
};

struct features *features_new(struct arena *a, const struct lexicon *lexicon);

/* Fills hash[0..n) from one text; `entity` may be empty. Allocates nothing. */
void features_collect(struct features *f, str text, str entity);

static inline enum feature_kind feature_kind(uint32_t hash) { return (enum feature_kind)(hash >> 30); }

#endif
