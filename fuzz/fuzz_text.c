/* fuzz_text.c — any bytes as a text: its personal data is found and masked so that it comes off again, and it is judged for
 * any entity in it. */
#include "target.h"

#include "text/pii.h"
#include "text/sentiment.h"

static void find(struct arena *a, str text) {
    const struct pii_words *words;
    const struct pii_span *span;
    bool more;
    FUZZ_CHECK(pii_words_load(a, &words) == OK);
    const size_t n = pii_find(pii_finder_new(a, words), text, &span, &more);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(span[i].begin < span[i].end && span[i].end <= text.len);
        FUZZ_CHECK(i == 0 || span[i - 1].end <= span[i].begin);
        FUZZ_CHECK(span[i].begin_char <= span[i].begin && span[i].end_char <= span[i].end);
    }
    const struct pii_masked m = pii_mask(a, text, span, n);
    FUZZ_CHECK(str_equal(pii_unmask(a, m.text, m.secret, m.n), text));
}

static void judge(struct arena *a, str text) {
    const struct lexicon *l;
    uint32_t sense[SENTIMENT_SENSE_MAX];
    FUZZ_CHECK(lexicon_load(a, &l) == OK);
    const str entity = str_slice(text, text.len / 3, text.len / 2);
    const struct sentiment s = sentiment_judge(l, text, entity);
    FUZZ_CHECK(s.score >= -1 && s.score <= 1 && s.label >= 0 && s.label < SENTIMENT_LABELS);
    FUZZ_CHECK(sentiment_senses(l, text, entity, sense) <= SENTIMENT_SENSE_MAX);
}

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    find(w->arena, w->input);
    judge(w->arena, w->input);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
