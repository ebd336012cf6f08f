/* fuzz_schema.c — any bytes as a schema file, JSON or YAML: read or refused, and what is read can be written, read again and
 * bound to a file, whose rows it encodes without harm. */
#include "target.h"

#include "base/yaml.h"
#include "features/encode.h"

#include <math.h>

static str write(struct arena *a, const struct schema *s) {
    struct buf *out = buf_in(a, (size_t)64 << 20);
    struct json_writer w;
    json_write_begin(&w, out, 0);
    schema_to_json(&w, s);
    FUZZ_CHECK(!out->over);
    return buf_str(out);
}

/* Rows made from the schema's own words, so that its levels and tokens are met. */
static void encode(struct arena *a, const struct schema *s) {
    static const char *const cells[] = {"", "1", "-1", "3.5", "a;b;a", "2026-02-28", "2026-02-30", "yes", "N/A", "1e999"};
    enum { N_CELL = sizeof cells / sizeof *cells };
    struct encoder *e;
    str *columns = ARENA_ARRAY(a, s->n_field, str), *row = ARENA_ARRAY(a, s->n_field, str);
    for (size_t i = 0; i < s->n_field; i++)
        columns[i] = s->field[i].name;
    if (encoder_new(a, s, columns, s->n_field, &e) != OK)
        return;
    struct encoded *x = encoded_new(a, e);
    for (size_t k = 0; k < 2 * N_CELL; k++) {
        for (size_t i = 0; i < s->n_field; i++) {
            const struct field *f = &s->field[i];
            row[i] = k >= N_CELL && f->n_level > 0 ? f->level[k % f->n_level].text : str_from(cells[(k + i) % N_CELL]);
        }
        encode_row(e, row, x);
        FUZZ_CHECK(x->row.n <= encoder_max_nonzero(e));
        for (size_t c = 0; c < x->row.n; c++) {
            FUZZ_CHECK(x->row.col[c] < encoder_width(e) && (c == 0 || x->row.col[c] > x->row.col[c - 1]));
            FUZZ_CHECK(isfinite(x->row.val[c]));
        }
    }
}

static err run(void *ctx) {
    const struct fuzz_work *w = ctx;
    const struct json_limits limits = {.max_byte = 1 << 20, .max_value = 100000};
    const struct json *v = NULL, *back = NULL;
    struct schema *s, *again;
    if (json_parse(w->arena, w->input, &limits, &v) != OK)
        TRY(yaml_parse(w->arena, w->input, &limits, &v));
    TRY(schema_from_json(w->arena, v, &s));
    str text = write(w->arena, s);
    FUZZ_CHECK(json_parse(w->arena, text, NULL, &back) == OK && schema_from_json(w->arena, back, &again) == OK);
    FUZZ_CHECK(str_equal(text, write(w->arena, again)));
    encode(w->arena, s);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_in_arena(data, size, (size_t)256 << 20, run); }
