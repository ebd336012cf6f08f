/* fuzz_text_model.c — any bytes, and any JSON under a right checksum, as a text model and as topics: read or refused, and
 * what is read predicts without harm and is written and read back the same. */
#include "target.h"

#include "base/hash.h"
#include "text/classifier.h"
#include "text/topics.h"

static const str sentence = STR_INIT("Profit of Acme rose 3.1 mn while \xc3\x9c"
                                     "bel fell, compared to \xff");

/* The bytes as the body of a file that begins with `magic`. */
static str seal(struct arena *a, const char *magic, str bytes) {
    return str_format(a, "%s 1 %.*s %zu\n%.*s", magic, STR_ARG(hash_hex(a, bytes)), bytes.len, STR_ARG(bytes));
}

static err try_classifier(struct arena *a, str bytes) {
    struct text_classifier *c, *again;
    size_t n;
    TRY(text_classifier_load(a, bytes, &c));
    text_classifier_labels(c, &n);
    double *p = ARENA_ARRAY(a, n, double), sum = 0;
    FUZZ_CHECK(text_classifier_predict(text_reader_new(a, c), sentence, STR("Acme"), p) < n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(p[i] >= 0 && p[i] <= 1);
        sum += p[i];
    }
    FUZZ_CHECK(sum > 0.999999 && sum < 1.000001);
    struct buf *b = buf_in(a, (size_t)64 << 20);
    FUZZ_CHECK(text_classifier_save(c, b) == OK && text_classifier_load(a, buf_str(b), &again) == OK);
    return OK;
}

static err try_topics(struct arena *a, str bytes) {
    struct topics *t, *again;
    str word[3];
    TRY(topics_load(a, bytes, &t));
    double *p = ARENA_ARRAY(a, topics_count(t), double);
    FUZZ_CHECK(topics_infer(topics_reader_new(a, t), &sentence, 1, p) < topics_count(t));
    FUZZ_CHECK(topics_top_words(t, 0, 3, word) <= 3);
    struct buf *b = buf_in(a, (size_t)64 << 20);
    FUZZ_CHECK(topics_save(t, b) == OK && topics_load(a, buf_str(b), &again) == OK);
    return OK;
}

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const err refused[] = {try_classifier(w->arena, w->input),
                           try_classifier(w->arena, seal(w->arena, "galena-text", w->input)), try_topics(w->arena, w->input),
                           try_topics(w->arena, seal(w->arena, "galena-topics", w->input))};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        FUZZ_CHECK(refused[i] == OK || refused[i] == ERR_INPUT || refused[i] == ERR_CORRUPT || refused[i] == ERR_LIMIT);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)1 << 30, run); }
