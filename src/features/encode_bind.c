/* encode_bind.c — binds a schema to the columns of a file: where each field is found, and what its spellings stand for. */
#include "features/encode_priv.h"

enum { MAX_WIDTH = 2000000 };

size_t encoder_width(const struct encoder *e) { return e->width; }
const struct feature *encoder_features(const struct encoder *e) { return e->feature; }
const unsigned char *encoder_use(const struct encoder *e) { return e->use; }
const uint32_t *encoder_field(const struct encoder *e) { return e->field_of; }
const struct schema *encoder_schema(const struct encoder *e) { return e->schema; }
size_t encoder_used(const struct encoder *e) { return e->n_used; }
const struct products *encoder_products(const struct encoder *e) { return &e->products; }
size_t encoder_max_nonzero(const struct encoder *e) { return e->max_nonzero; }

const uint32_t *encoder_absent(const struct encoder *e, size_t *n) {
    *n = e->n_absent;
    return e->absent;
}

/* ---- spellings ---- */

/* The first meaning of a text stands. */
static void put(struct binding *b, str text, size_t slot) {
    if (encode_find(b, text))
        return;
    uint64_t h = str_hash(text);
    size_t at = h & b->mask;
    while (b->table[at].slot)
        at = (at + 1) & b->mask;
    b->table[at] = (struct entry){h, text, (uint32_t)slot + 1};
}

/* A text and its folded form, so that a spelling never seen before is still recognised. */
static void put_both(struct arena *a, struct binding *b, str text, size_t slot) {
    put(b, text, slot);
    put(b, str_fold(text, arena_alloc(a, text.len + 1), text.len + 1), slot);
}

static void put_levels(struct arena *a, struct binding *b) {
    const struct field *f = b->f;
    for (size_t l = 0; l < f->n_level; l++)
        put(b, f->level[l].text, l);
    for (size_t l = 0; l < f->n_level; l++) {
        put_both(a, b, f->level[l].text, l);
        for (size_t v = 0; v < f->level[l].n_variant; v++)
            put_both(a, b, f->level[l].variant[v], l);
    }
}

static void make_table(struct arena *a, struct binding *b) {
    const struct field *f = b->f;
    size_t n = 2 * (f->n_missing + f->n_level) + 1, size = 8;
    for (size_t l = 0; l < f->n_level; l++)
        n += 2 * f->level[l].n_variant;
    while (size < 2 * n)
        size *= 2;
    b->table = ARENA_ARRAY(a, size, struct entry);
    b->mask = size - 1;
    for (size_t j = 0; j < f->n_missing; j++)
        put_both(a, b, f->missing[j], f->n_level + (j < f->n_missing_own ? 2 + j : 1));
    put_levels(a, b);
}

/* ---- binding ---- */

static int32_t column_of(const str *columns, size_t n, str name) {
    for (size_t c = 0; c < n; c++)
        if (str_equal(columns[c], name))
            return (int32_t)c;
    return -1;
}

static err bind_fields(struct encoder *e, const str *columns, size_t n_column) {
    size_t width = 0;
    for (uint32_t i = 0; i < e->schema->n_field; i++) {
        const struct field *f = &e->schema->field[i];
        e->bind[i] = (struct binding){.f = f, .column = -1, .type = f->type};
        if (!field_is_used(f))
            continue;
        if (!f->fitted)
            return fail(ERR_INPUT, "schema_unfitted",
                        "field \"%.*s\" of the schema has no fitted constants: train with it first",
                        STR_ARG(str_slice(f->name, 0, 80)));
        width += encode_columns_most(f);
        e->n_used++;
        e->bind[i].column = column_of(columns, n_column, f->name);
        if (e->bind[i].column < 0)
            e->absent[e->n_absent++] = i;
    }
    if (e->n_used > 0 && e->n_absent == e->n_used)
        return fail(ERR_INPUT, "encoder_no_column",
                    "the file has none of the %zu columns that the schema uses, such as \"%.*s\"", e->n_used,
                    STR_ARG(str_slice(e->schema->field[e->absent[0]].name, 0, 80)));
    if (width > MAX_WIDTH)
        return fail(ERR_LIMIT, "encoder_width", "the schema makes %zu columns; at most %d are possible", width, MAX_WIDTH);
    e->cap = width + SCHEMA_MAX_PRODUCT;
    return OK;
}

err encoder_new(struct arena *a, const struct schema *s, const str *columns, size_t n_column, struct encoder **out) {
    struct encoder *e = ARENA_NEW(a, struct encoder);
    *e = (struct encoder){
        .schema = s, .bind = ARENA_ARRAY(a, s->n_field, struct binding), .absent = ARENA_ARRAY(a, s->n_field, uint32_t)};
    TRY(bind_fields(e, columns, n_column));
    e->feature = ARENA_ARRAY(a, e->cap, struct feature);
    for (uint32_t i = 0; i < s->n_field; i++)
        if (field_is_used(&s->field[i])) {
            encode_columns_add(a, e, i);
            make_table(a, &e->bind[i]);
        }
    TRY(encode_products_add(a, e));
    e->use = ARENA_ARRAY(a, e->width, unsigned char);
    e->field_of = ARENA_ARRAY(a, e->width, uint32_t);
    for (size_t c = 0; c < e->width; c++) {
        e->use[c] = e->feature[c].use;
        e->field_of[c] = e->feature[c].field;
    }
    *out = e;
    return OK;
}

struct encoded *encoded_new(struct arena *a, const struct encoder *e) {
    struct encoded *x = ARENA_NEW(a, struct encoded);
    *x = (struct encoded){.col = ARENA_ARRAY(a, e->max_nonzero, uint32_t),
                          .val = ARENA_ARRAY(a, e->max_nonzero, double),
                          .value = ARENA_ARRAY(a, e->schema->n_field, struct field_value),
                          .last = ARENA_ARRAY(a, e->schema->n_field, uint32_t)};
    x->row.col = x->col;
    x->row.val = x->val;
    return x;
}
