/* json_schema.c — walks schema and value together, collects problems, and verifies the schema itself. */
#include "base/json_schema.h"
#include "base/json_priv.h"
#include "base/json_schema_priv.h"

#include <stdlib.h>

enum { DEEPEST = 1024 };

/* ---- problems ---- */

static void add_pointer(struct buf *out, const struct schema_path *at) {
    if (!at->up)
        return;
    add_pointer(out, at->up);
    buf_add_byte(out, '/');
    if (!at->key.ptr)
        buf_add_format(out, "%u", at->index);
    for (size_t i = 0; i < at->key.len; i++) {
        const char c = at->key.ptr[i];
        buf_add(out, c == '~' ? STR("~0") : c == '/' ? STR("~1") : (str){&c, 1});
    }
}

static str pointer_of(const struct schema_check *c, const struct schema_path *at) {
    struct buf text;
    buf_init(&text, 4096);
    add_pointer(&text, at);
    str pointer = str_copy(c->arena, buf_str(&text));
    buf_done(&text);
    return pointer;
}

void schema_problem(struct schema_check *c, const struct json *v, const struct schema_path *at, str text) {
    struct json_problems *out = c->out;
    if (out->n == JSON_PROBLEM_MAX) {
        out->more = true;
        return;
    }
    out->items[out->n++] =
        (struct json_problem){.line = v->line, .column = v->column, .pointer = pointer_of(c, at), .text = text};
}

str schema_place_name(const struct schema_check *c, const struct schema_path *at) {
    if (!at->up)
        return STR("the document");
    if (!at->key.ptr)
        return str_format(c->arena, "item %u", at->index + 1);
    return str_format(c->arena, "`%.*s`", STR_ARG(json_clip(at->key)));
}

/* ---- the schema itself ---- */

static err bad_schema(const struct json *at, str keyword, const char *fault) {
    err rc = fail(ERR_CORRUPT, "json_schema_bad", "the schema's `%.*s` %s", STR_ARG(json_clip(keyword)), fault);
    return at->line > 0 ? err_prefix(rc, "line %u, column %u", at->line, at->column) : rc;
}

static bool is_type_name(const struct json *v) {
    static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    if (v->type != JSON_STRING)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(v->string, str_from(names[i])))
            return true;
    return false;
}

static bool each_item(const struct json *v, bool (*test)(const struct json *v)) {
    if (v->type != JSON_ARRAY)
        return false;
    for (uint32_t i = 0; i < v->count; i++)
        if (!test(&v->items[i]))
            return false;
    return true;
}

static bool is_text(const struct json *v) { return v->type == JSON_STRING; }

/* What is wrong with a keyword's argument, or NULL. Schemas inside it are looked at elsewhere. */
static const char *form_fault(const struct json *root, enum schema_form form, const struct json *v) {
    switch (form) {
    case FORM_BOOL:
        return v->type == JSON_BOOL ? NULL : "must be true or false";
    case FORM_NUMBER:
        return json_is_number(v) ? NULL : "must be a number";
    case FORM_COUNT:
        return v->type == JSON_INTEGER && v->integer >= 0 ? NULL : "must be a whole number from 0 on";
    case FORM_LIST:
    case FORM_SCHEMA_LIST:
        return v->type == JSON_ARRAY && v->count > 0 ? NULL : "must be a list that is not empty";
    case FORM_KEYS:
        return each_item(v, is_text) ? NULL : "must be a list of texts";
    case FORM_TYPES:
        return is_type_name(v) || (each_item(v, is_type_name) && v->count > 0) ? NULL : "must name types of JSON Schema";
    case FORM_REFERENCE:
        return is_text(v) && schema_resolve(root, v->string) ? NULL
                                                             : "must point to a schema in the same document (#/$defs/…)";
    case FORM_SCHEMA_MAP:
        return v->type == JSON_OBJECT ? NULL : "must be an object of schemas";
    case FORM_ANY:
    case FORM_SCHEMA:
        break;
    }
    return NULL;
}

static err verify(const struct json *root, const struct json *schema, str keyword);

static err verify_inside(const struct json *root, enum schema_form form, str keyword, const struct json *v) {
    if (form == FORM_SCHEMA)
        return verify(root, v, keyword);
    for (uint32_t i = 0; form == FORM_SCHEMA_LIST && i < v->count; i++)
        TRY(verify(root, &v->items[i], keyword));
    for (uint32_t i = 0; form == FORM_SCHEMA_MAP && i < v->count; i++)
        TRY(verify(root, &v->members[i].value, v->members[i].key));
    return OK;
}

/* `keyword` is where the schema stands, for the message. */
static err verify(const struct json *root, const struct json *schema, str keyword) {
    if (schema->type == JSON_BOOL)
        return OK;
    if (schema->type != JSON_OBJECT)
        return bad_schema(schema, keyword, "must be a schema: an object, true or false");
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct json_member *m = &schema->members[i];
        const struct schema_keyword *known = schema_keyword_find(m->key);
        if (!known)
            return bad_schema(&m->value, m->key, "is not a keyword that is supported here");
        const char *fault = form_fault(root, known->form, &m->value);
        if (fault)
            return bad_schema(&m->value, m->key, fault);
        TRY(verify_inside(root, known->form, m->key, &m->value));
    }
    return OK;
}

err schema_verify(const struct json *schema) { return verify(schema, schema, STR("root")); }

const struct json *schema_resolve(const struct json *root, str reference) {
    const str into = STR("#/$defs/");
    if (str_equal(reference, STR("#")))
        return root;
    /* only what stands there is known to be a schema, and verified */
    if (!str_starts(reference, into) || str_find_byte(str_slice(reference, into.len, reference.len), '/') >= 0)
        return NULL;
    return json_pointer(root, str_slice(reference, 1, reference.len));
}

/* ---- the walk ---- */

static bool type_fits(struct schema_check *c, const struct json *schema, const struct json *v,
                      const struct schema_path *at) {
    const struct json *type = json_get(schema, STR("type"));
    if (!type)
        return true;
    const size_t before = c->out->n;
    const bool more = c->out->more;
    schema_keyword_find(STR("type"))->check(c, schema, type, v, at);
    return c->out->n == before && c->out->more == more;
}

void schema_check_value(struct schema_check *c, const struct json *schema, const struct json *v,
                        const struct schema_path *at) {
    if (schema->type == JSON_BOOL) {
        if (!schema->boolean)
            schema_problem(c, v, at, str_format(c->arena, "%.*s is not allowed", STR_ARG(schema_place_name(c, at))));
        return;
    }
    if (c->depth >= DEEPEST) {
        c->too_deep = true;
        return;
    }
    c->depth++;
    /* A value of the wrong type gets one message, not one for each keyword. */
    if (type_fits(c, schema, v, at)) {
        for (uint32_t i = 0; i < schema->count; i++) {
            const struct json_member *m = &schema->members[i];
            const struct schema_keyword *known = schema_keyword_find(m->key);
            if (known && known->check && !str_equal(m->key, STR("type")))
                known->check(c, schema, &m->value, v, at);
        }
    }
    c->depth--;
}

static int by_place(const void *x, const void *y) {
    const struct json_problem *a = x, *b = y;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static err report(const struct json_problems *out) {
    const struct json_problem *first = &out->items[0];
    err rc = fail(ERR_INPUT, "json_schema", "%.*s", STR_ARG(first->text));
    return first->line > 0 ? err_prefix(rc, "line %u, column %u", first->line, first->column) : rc;
}

err json_schema_check(struct arena *a, const struct json *schema, const struct json *value, struct json_problems *out) {
    *out = (struct json_problems){0};
    TRY(schema_verify(schema));
    struct schema_check c = {.arena = a, .root = schema, .out = out};
    schema_check_value(&c, schema, value, &(struct schema_path){0});
    if (c.too_deep)
        return fail(ERR_LIMIT, "json_schema_depth", "schema and document nest beyond %d levels", DEEPEST);
    qsort(out->items, out->n, sizeof *out->items, by_place);
    return out->n > 0 ? report(out) : OK;
}
