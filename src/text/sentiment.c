/* sentiment.c — reads a sentence clause by clause with a lexicon of directions. */
#include "text/sentiment.h"

struct lexicon {
    size_t n;
};

err lexicon_load(struct arena *a, const struct lexicon **out) {
    *out = ARENA_NEW(a, struct lexicon);
    return OK;
}

size_t sentiment_senses(const struct lexicon *lexicon, str text, str entity, uint32_t sense[SENTIMENT_SENSE_MAX]) {
    (void)lexicon, (void)text, (void)entity, (void)sense;
    return 0;
}
