/* interaction.c — fields that say more together: titles, and the list in the schema file. */
#include "lead/interaction_priv.h"

static str title_of(const struct field *f) { return f->title.len > 0 ? f->title : f->name; }

struct interaction schema_interaction(struct arena *a, const struct schema *s, uint32_t first, uint32_t second,
                                      const struct product *product, size_t n_product) {
    const str x = title_of(&s->field[first]), y = title_of(&s->field[second]);
    return (struct interaction){.title = first == second ? str_format(a, "%.*s squared", STR_ARG(x))
                                                         : str_format(a, "%.*s × %.*s", STR_ARG(x), STR_ARG(y)),
                                .first = first,
                                .second = second,
                                .product = product,
                                .n_product = n_product};
}

static void write_pair(struct json_writer *w, str first, str second) {
    json_open_array(w);
    json_string(w, first);
    json_string(w, second);
    json_close_array(w);
}

void interactions_write(struct json_writer *w, const struct schema *s) {
    json_key(w, STR("interactions"));
    json_open_array(w);
    for (size_t i = 0; i < s->n_interaction; i++) {
        const struct interaction *x = &s->interaction[i];
        json_open_object(w);
        json_key(w, STR("fields"));
        write_pair(w, s->field[x->first].name, s->field[x->second].name);
        json_key(w, STR("products"));
        json_open_array(w);
        for (size_t k = 0; k < x->n_product; k++)
            write_pair(w, x->product[k].first, x->product[k].second);
        json_close_array(w);
        json_close_object(w);
    }
    json_close_array(w);
}

static err refuse(const struct json *v, const char *what) {
    return fail(ERR_INPUT, "schema_interaction", "line %u column %u: %s", v->line, v->column, what);
}

/* A list of two texts. */
static err read_pair(const struct json *v, str *first, str *second) {
    if (v->type != JSON_ARRAY || v->count != 2 || v->items[0].type != JSON_STRING || v->items[1].type != JSON_STRING)
        return refuse(v, "expected a list of two texts");
    *first = v->items[0].string;
    *second = v->items[1].string;
    return first->len > SCHEMA_MAX_TEXT_BYTE || second->len > SCHEMA_MAX_TEXT_BYTE
               ? refuse(v, "text of more than 4096 bytes")
               : OK;
}

static err find_used(const struct json *v, const struct schema *s, str name, uint32_t *out) {
    const ptrdiff_t f = schema_find(s, name);
    if (f < 0 || !field_is_used(&s->field[f]))
        return fail(ERR_INPUT, "schema_interaction", "line %u column %u: the schema uses no field \"%.*s\"", v->line,
                    v->column, STR_ARG(str_slice(name, 0, 80)));
    *out = (uint32_t)f;
    return OK;
}

static err read_fields(const struct json *v, const struct schema *s, uint32_t *first, uint32_t *second) {
    str x, y;
    TRY(read_pair(v, &x, &y));
    TRY(find_used(v, s, x, first));
    TRY(find_used(v, s, y, second));
    const enum field_type type = s->field[*first].type;
    return *first == *second && type != FIELD_NUMERIC && type != FIELD_DATE ? refuse(v, "only a number can be squared") : OK;
}

static err read_products(struct arena *a, const struct json *v, size_t *total, const struct product **out, size_t *n) {
    if (v->type != JSON_ARRAY || v->count == 0)
        return refuse(v, "\"products\" must be a list of pairs of columns");
    *total += v->count;
    if (*total > SCHEMA_MAX_PRODUCT)
        return refuse(v, "more than 64 products");
    struct product *product = ARENA_ARRAY(a, v->count, struct product);
    for (size_t i = 0; i < v->count; i++)
        TRY(read_pair(&v->items[i], &product[i].first, &product[i].second));
    *out = product;
    *n = v->count;
    return OK;
}

static err read_interaction(struct arena *a, const struct json *v, const struct schema *s, size_t *total,
                            struct interaction *out) {
    const struct json *fields = NULL, *products = NULL;
    if (v->type != JSON_OBJECT)
        return refuse(v, "an interaction must be an object");
    for (size_t i = 0; i < v->count; i++) {
        const struct json_member *m = &v->members[i];
        if (str_equal(m->key, STR("fields")))
            fields = &m->value;
        else if (str_equal(m->key, STR("products")))
            products = &m->value;
        else
            return fail(ERR_INPUT, "schema_unknown_key", "line %u column %u: an interaction has no key \"%.*s\"",
                        m->value.line, m->value.column, STR_ARG(str_slice(m->key, 0, 80)));
    }
    if (!fields || !products)
        return refuse(v, "an interaction needs \"fields\" and \"products\"");
    uint32_t first = 0, second = 0;
    const struct product *product = NULL;
    size_t n = 0;
    TRY(read_fields(fields, s, &first, &second));
    TRY(read_products(a, products, total, &product, &n));
    *out = schema_interaction(a, s, first, second, product, n);
    return OK;
}

err interactions_read(struct arena *a, const struct json *v, struct schema *s) {
    if (v->type != JSON_ARRAY)
        return refuse(v, "\"interactions\" must be a list");
    if (v->count > SCHEMA_MAX_PRODUCT)
        return refuse(v, "more than 64 interactions");
    struct interaction *list = ARENA_ARRAY(a, v->count, struct interaction);
    size_t total = 0;
    for (size_t i = 0; i < v->count; i++)
        TRY(read_interaction(a, &v->items[i], s, &total, &list[i]));
    s->interaction = list;
    s->n_interaction = v->count;
    s->interaction_given = true;
    return OK;
}
