/* test_bundle.c — the model file: golden models load, score and are written the same; faults of the envelope are told apart.
 */
#include "base/hash.h"
#include "golden_models.h"

static str bytes_of(struct arena *a, const struct bundle *b) {
    struct buf *out = buf_in(a, (size_t)64 << 20);
    assert_ok(bundle_write(b, out));
    return buf_str(out);
}

/* A document under a right first line. */
static str sealed(struct arena *a, str body, int version) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    char hex[HASH_HEX_BYTE + 1];
    hash_begin(&h);
    hash_add(&h, body);
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
    return str_format(a, "galena-model %d %s %zu\n%.*s", version, hex, body.len, STR_ARG(body));
}

static str file_bytes(struct arena *a, const char *family) {
    str bytes;
    assert_ok(file_read_all(a, golden_model_path(a, family), (size_t)1 << 20, &bytes));
    return bytes;
}

static void golden_models_are_written_the_same(void **state) {
    for (size_t k = 0; k < N_GOLDEN; k++) {
        struct bundle *b = golden_bundle(*state, golden_families[k]);
        str before = file_bytes(*state, golden_families[k]), after = bytes_of(*state, b);
        assert_str(b->family, strcmp(golden_families[k], "interactions") == 0 ? "logistic" : golden_families[k]);
        assert_true(str_equal(before, after));
    }
}

static void golden_models_score_the_same(void **state) {
    for (size_t k = 0; k < N_GOLDEN; k++) {
        struct arena *a = *state;
        struct bundle *b = golden_bundle(a, golden_families[k]);
        struct frame *expected = golden_frame(a, str_format(a, "v1-%s.csv", golden_families[k]).ptr);
        struct golden_rows x = golden_vectors(a, b, golden_frame(a, "leads.csv"));
        struct score *s = ARENA_ARRAY(a, x.n, struct score);
        scorer_score(b, x.row, x.n, x.missing, 0.95, a, s);
        assert_int_equal(expected->n_row, x.n);
        for (size_t i = 0; i < x.n; i++) {
            assert_close(s[i].probability, golden_number(expected, "galena_score", i), 1e-12);
            assert_close(s[i].low, golden_number(expected, "galena_low", i), 1e-12);
            assert_close(s[i].high, golden_number(expected, "galena_high", i), 1e-12);
        }
    }
}

static void terms_have_titles_and_groups(void **state) {
    struct bundle *b = golden_bundle(*state, "bayesian");
    assert_int_equal(b->n_term, b->schema->n_field + SECTION_COUNT);
    assert_str(bundle_term_title(b, 0), "source");
    assert_str(bundle_term_title(b, b->schema->n_field), "Firmographic fit");
    assert_str(bundle_term_group(b, b->schema->n_field), "profile");
    b = golden_bundle(*state, "interactions");
    assert_int_equal(b->schema->n_interaction, 2);
    assert_int_equal(bundle_first_interaction(b), b->schema->n_field);
    assert_str(bundle_term_title(b, b->schema->n_field), "source × visits");
    assert_str(bundle_term_title(b, b->schema->n_field + 1), "visits squared");
    assert_str(bundle_term_group(b, b->schema->n_field), "interaction");
}

static void envelope_faults_are_told_apart(void **state) {
    struct arena *a = *state;
    struct bundle *b;
    str whole = file_bytes(a, "subscore"), body = whole;
    str head;
    assert_true(str_split(&body, '\n', &head));
    assert_fails(bundle_read(a, STR(""), &b), ERR_INPUT, "model_not_a_model");
    assert_fails(bundle_read(a, STR("a,b\n1,2\n"), &b), ERR_INPUT, "model_not_a_model");
    assert_fails(bundle_read(a, str_slice(whole, 0, 20), &b), ERR_CORRUPT, "model_cut");
    assert_fails(bundle_read(a, str_slice(whole, 0, whole.len - 1), &b), ERR_CORRUPT, "model_cut");
    assert_fails(bundle_read(a, STR("galena-model x y z\n"), &b), ERR_CORRUPT, "model_damaged");
    assert_fails(bundle_read(a, sealed(a, body, BUNDLE_VERSION + 1), &b), ERR_INPUT, "model_newer");
    assert_fails(bundle_read(a, sealed(a, STR("{}"), BUNDLE_VERSION), &b), ERR_CORRUPT, "model_damaged");
    assert_fails(bundle_read(a, sealed(a, STR("nonsense"), BUNDLE_VERSION), &b), ERR_CORRUPT, "model_damaged");
    assert_ok(bundle_read(a, sealed(a, body, BUNDLE_VERSION), &b));
}

static str replaced(struct arena *a, str text, str from, str to) {
    ptrdiff_t at = str_find(text, from);
    assert_true(at >= 0);
    const size_t end = (size_t)at + from.len;
    return str_format(a, "%.*s%.*s%.*s", (int)at, text.ptr, STR_ARG(to), (int)(text.len - end), text.ptr + end);
}

/* A right checksum does not make a variance negative or an interval of no width. */
static void spreads_that_cannot_be_are_refused(void **state) {
    static const char *const bad[] = {"\"spread_scale\":0,", "\"spread_scale\":-1,", "\"spread_scale\":1e300,",
                                      "\"spread_scale\":1,\"excess\":-1,\"x\":0,", "\"spread_scale\":null,"};
    struct arena *a = *state;
    struct bundle *b;
    str whole = file_bytes(a, "subscore"), body = whole, head;
    assert_true(str_split(&body, '\n', &head));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        str changed = replaced(a, body, STR("\"spread_scale\":1,"), str_from(bad[i]));
        if (i == 3)
            changed = replaced(a, changed, STR("\"x\":0,\"excess\":0,"), STR(""));
        assert_fails(bundle_read(a, sealed(a, changed, BUNDLE_VERSION), &b), ERR_CORRUPT, "model_damaged");
    }
}

/* The checksum covers every bit of the document. */
static void any_altered_bit_is_found(void **state) {
    struct arena *a = *state;
    struct bundle *b;
    str whole = file_bytes(a, "subscore");
    size_t head = (size_t)str_find_byte(whole, '\n') + 1;
    char *bad = arena_copy(a, whole.ptr, whole.len);
    for (size_t at = head; at < whole.len; at++) {
        bad[at] ^= (char)(1 << at % 8);
        assert_fails(bundle_read(a, (str){bad, whole.len}, &b), ERR_CORRUPT, "model_checksum");
        bad[at] ^= (char)(1 << at % 8);
    }
    assert_ok(bundle_read(a, (str){bad, whole.len}, &b));
}

static void families_are_found_by_name(void **state) {
    (void)state;
    assert_string_equal(family_find(STR("gbdt"))->name, "gbdt");
    assert_null(family_find(STR("auto")));
    assert_null(family_find(STR("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(golden_models_are_written_the_same), ARENA_TEST(golden_models_score_the_same),
        ARENA_TEST(terms_have_titles_and_groups),       ARENA_TEST(envelope_faults_are_told_apart),
        ARENA_TEST(any_altered_bit_is_found),           ARENA_TEST(families_are_found_by_name),
        ARENA_TEST(spreads_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
