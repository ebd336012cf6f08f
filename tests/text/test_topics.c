/* test_topics.c — topics of texts made from known topics, the same every time, and their file. */
#include "unit.h"

#include "base/rng.h"
#include "text/topics.h"

#include <math.h>

enum { TEXTS = 120, TOPICS = 3 };
static const char *const vocabulary[TOPICS][6] = {{"goal", "match", "striker", "league", "coach", "referee"},
                                                  {"budget", "senate", "minister", "ballot", "treaty", "voter"},
                                                  {"galaxy", "orbit", "comet", "telescope", "rocket", "lunar"}};

/* Text i is of topic i % 3, one word in forty of another. */
static struct topics_corpus *corpus(struct arena *a, str *text) {
    struct topics_corpus *c = topics_corpus_new(a);
    struct rng r = rng_from_seed(11);
    for (size_t i = 0; i < TEXTS; i++) {
        struct buf *b = buf_in(a, 4096);
        for (int w = 0; w < 40; w++) {
            const size_t k = rng_below(&r, 40) == 0 ? rng_below(&r, TOPICS) : i % TOPICS;
            buf_add_format(b, "%s the ", vocabulary[k][rng_below(&r, 6)]);
        }
        text[i] = buf_str(b);
        assert_int_equal(topics_corpus_add(c, &text[i], 1), OK);
    }
    return c;
}

static struct topics *learn(struct arena *a, str *text, uint64_t seed) {
    struct topics *t = NULL;
    assert_int_equal(topics_train(corpus(a, text), a, &(struct topics_opts){.k = TOPICS, .seed = seed}, &t), OK);
    return t;
}

static void test_finds_topics(void **state) {
    struct arena *a = *state;
    str text[TEXTS], word[6];
    struct topics *t = learn(a, text, 1);
    struct topics_reader *r = topics_reader_new(a, t);
    size_t of[TOPICS], right = 0;
    double p[TOPICS], shares = 0;
    assert_int_equal(topics_words(t), 18); /* no stop words */
    for (size_t k = 0; k < TOPICS; k++)
        of[k] = topics_infer(r, &text[k], 1, p);
    assert_true(of[0] != of[1] && of[1] != of[2] && of[0] != of[2]);
    for (size_t i = 0; i < TEXTS; i++) {
        right += topics_infer(r, &text[i], 1, p) == of[i % TOPICS];
        assert_true(fabs(p[0] + p[1] + p[2] - 1) < 1e-9);
    }
    assert_int_equal(right, TEXTS);
    for (size_t k = 0; k < TOPICS; k++)
        shares += topics_share(t, k);
    assert_true(fabs(shares - 1) < 1e-5);
    assert_int_equal(topics_top_words(t, of[2], 6, word), 6);
    for (size_t i = 0; i < 6; i++) {
        bool known = false;
        for (size_t j = 0; j < 6; j++)
            known |= str_equal(word[i], str_from(vocabulary[2][j]));
        assert_true(known);
    }
    const str nothing = STR("12 of the zzz");
    topics_infer(r, &nothing, 1, p);
    assert_true(p[0] == topics_share(t, 0));
}

static void test_same_bytes(void **state) {
    struct arena *a = *state;
    str text[TEXTS];
    struct buf *one = buf_in(a, 1 << 20), *two = buf_in(a, 1 << 20), *again = buf_in(a, 1 << 20);
    struct topics *t, *first = learn(a, text, 5);
    assert_int_equal(topics_save(first, one), OK);
    assert_int_equal(topics_save(learn(a, text, 5), two), OK);
    assert_true(str_equal(buf_str(one), buf_str(two)));
    assert_int_equal(topics_load(a, buf_str(one), &t), OK);
    assert_int_equal(topics_save(t, again), OK);
    assert_true(str_equal(buf_str(one), buf_str(again)));
    double p[TOPICS], q[TOPICS];
    topics_infer(topics_reader_new(a, first), &text[4], 1, p);
    topics_infer(topics_reader_new(a, t), &text[4], 1, q);
    assert_memory_equal(p, q, sizeof p);
}

static void test_faults(void **state) {
    struct arena *a = *state;
    struct topics *t;
    str one = STR("goal match");
    struct topics_corpus *c = topics_corpus_new(a);
    assert_int_equal(topics_corpus_add(c, &one, 1), OK);
    assert_int_equal(topics_train(c, a, &(struct topics_opts){.k = 5, .seed = 1}, &t), ERR_INPUT);
    assert_string_equal(err_slug(), "topics_texts");
    assert_int_equal(topics_load(a, STR("galena-topics 1 0 2\n{}"), &t), ERR_CORRUPT);
    assert_string_equal(err_slug(), "model_checksum");
}

int main(void) {
    const struct CMUnitTest tests[] = {ARENA_TEST(test_finds_topics), ARENA_TEST(test_same_bytes), ARENA_TEST(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
