/* fuzz_model.c — any bytes as a model file, and any JSON under a right checksum: read or refused, and what is read scores
 * and explains without harm, and is written and read back the same. */
#include "target.h"

#include "base/hash.h"
#include "learn/predict.h"
#include "score/scorer.h"

#include <math.h>

enum { N_ROW = 24, N_CELL = 12 };

static str write(struct arena *a, const struct bundle *b) {
    struct buf *out = buf_in(a, (size_t)64 << 20);
    FUZZ_CHECK(bundle_write(b, out) == OK);
    return buf_str(out);
}

/* Cells made from the schema's own words, so that its levels and tokens are met. */
static str cell_of(const struct field *f, size_t row) {
    static const char *const cells[N_CELL] = {"",           "1",   "-1",  "3.5",   "a;b;a", "2026-02-28",
                                              "2026-02-30", "yes", "N/A", "1e999", "1e99",  "-1e99"};
    return row >= N_CELL && f->n_level > 0 ? f->level[row % f->n_level].text : str_from(cells[row % N_CELL]);
}

static void check_shares(struct arena *a, const struct bundle *b, struct row x, const struct score *s) {
    double *term = ARENA_ARRAY(a, b->n_term, double);
    double sum = scorer_explain(b, &x, 1, a, term), size = fabs(sum);
    for (size_t t = 0; t < b->n_term; t++) {
        FUZZ_CHECK(isfinite(term[t]));
        sum += term[t];
        size += fabs(term[t]);
    }
    FUZZ_CHECK(isfinite(s->logit) && fabs(sum - s->logit) <= 1e-6 * (1 + size));
}

static void score(struct arena *a, const struct bundle *b) {
    const struct schema *schema = b->schema;
    struct vectoriser *v;
    str *columns = ARENA_ARRAY(a, schema->n_field, str), *cell = ARENA_ARRAY(a, schema->n_field, str);
    for (size_t f = 0; f < schema->n_field; f++)
        columns[f] = schema->field[f].name;
    if (predict_bind(a, b, STR("leads"), columns, schema->n_field, &v) != OK)
        return;
    struct vector *x = vector_new(a, v);
    for (size_t r = 0; r < N_ROW; r++) {
        struct score s;
        for (size_t f = 0; f < schema->n_field; f++)
            cell[f] = cell_of(&schema->field[f], r + f);
        vectorise_row(v, cell, INT64_C(1767225600000), x);
        scorer_score(b, &x->row, 1, x->missing, 0.95, a, &s);
        FUZZ_CHECK(s.probability >= 0 && s.probability <= 1 && s.low >= 0 && s.high <= 1);
        FUZZ_CHECK(s.low <= s.probability && s.probability <= s.high);
        check_shares(a, b, x->row, &s);
    }
}

/* The bytes as they are when they begin like a model file; else as the document of one. */
static str seal(struct arena *a, str bytes) {
    struct hash h;
    unsigned char digest[HASH_BYTE];
    char hex[HASH_HEX_BYTE + 1];
    if (str_starts(bytes, STR("galena-model ")))
        return bytes;
    hash_begin(&h);
    hash_add(&h, bytes);
    hash_end(&h, digest);
    hash_to_hex(digest, hex);
    struct buf *out = buf_in(a, (size_t)64 << 20);
    buf_add_format(out, "galena-model %d %s %zu\n", BUNDLE_VERSION, hex, bytes.len);
    buf_add(out, bytes);
    return buf_str(out);
}

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    struct bundle *b, *again;
    TRY(bundle_read(w->arena, seal(w->arena, w->input), &b));
    str text = write(w->arena, b);
    FUZZ_CHECK(bundle_read(w->arena, text, &again) == OK);
    FUZZ_CHECK(str_equal(text, write(w->arena, again)));
    score(w->arena, b);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)1 << 30, run); }
