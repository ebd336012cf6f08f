/* schema_read.c — a JSON tree to a schema: its choices, field by field. */
#include "base/number.h"
#include "base/settings.h"
#include "lead/interaction_priv.h"
#include "lead/schema_priv.h"

#include <math.h>
#include <stdlib.h>

static const char *const schema_keys[] = {"version", "target", "positive", "id", "time", "fields", "interactions"};
static const char *const field_keys[] = {"name",    "title",  "unit",  "group",   "note",      "type",    "transform",
                                         "missing", "levels", "edges", "minimum", "separator", "decimal", "date_order"};

err schema_refuse(const struct json *v, const char *slug, const char *what, str name) {
    return fail(ERR_INPUT, slug, "line %u, column %u: %s%s%.*s%s", v->line, v->column, what, name.len > 0 ? " \"" : "",
                STR_ARG(str_slice(name, 0, 80)), name.len > 0 ? "\"" : "");
}

err schema_refuse_key(const struct json_member *m, const char *what) {
    const struct json key = json_key_of(m);
    return schema_refuse(&key, "schema_unknown_key", what, m->key);
}

/* An unknown key, with the known one that it may have been meant to be. */
static err refuse_unknown_key(struct arena *a, const struct json_member *m, const char *what, const char *const *known,
                              size_t n) {
    const char *near = settings_nearest(a, m->key, known, n);
    if (!near)
        return schema_refuse_key(m, what);
    return fail(ERR_INPUT, "schema_unknown_key", "line %u, column %u: %s \"%.*s\"; did you mean \"%s\"?", m->line, m->column,
                what, STR_ARG(str_slice(m->key, 0, 80)), near);
}

/* YAML reads `missing: [-1]` as a number and `positive: true` as a truth value; both are meant as text. */
static err read_text(struct arena *a, const struct json *v, str *out) {
    char text[NUMBER_TEXT_BYTE];
    switch (v->type) {
    case JSON_STRING:
        if (v->string.len > SCHEMA_MAX_TEXT_BYTE)
            return schema_refuse(v, "schema_text_long", "text of more than 4096 bytes", (str){0});
        *out = v->string;
        return OK;
    case JSON_INTEGER:
        *out = str_copy(a, (str){text, number_format_integer(v->integer, text)});
        return OK;
    case JSON_REAL:
        *out = str_copy(a, (str){text, number_format(v->real, text)});
        return OK;
    case JSON_BOOL:
        *out = v->boolean ? STR("true") : STR("false");
        return OK;
    case JSON_NULL:
        *out = STR("");
        return OK;
    default:
        return schema_refuse(v, "schema_type", "expected text", (str){0});
    }
}

static err read_texts(struct arena *a, const struct json *v, size_t most, const str **out, size_t *n) {
    if (v->type != JSON_ARRAY)
        return schema_refuse(v, "schema_type", "expected a list", (str){0});
    if (v->count > most)
        return schema_refuse(v, "schema_limit", "the list is too long", (str){0});
    str *texts = ARENA_ARRAY(a, v->count, str);
    for (size_t i = 0; i < v->count; i++)
        TRY(read_text(a, &v->items[i], &texts[i]));
    *out = texts;
    *n = v->count;
    return OK;
}

err schema_read_number(const struct json *v, double *out) {
    if (!json_is_number(v))
        return schema_refuse(v, "schema_type", "expected a number", (str){0});
    *out = json_number_of(v);
    return OK;
}

err schema_read_numbers(struct arena *a, const struct json *v, size_t most, const double **out, size_t *n) {
    if (v->type != JSON_ARRAY)
        return schema_refuse(v, "schema_type", "expected a list of numbers", (str){0});
    if (v->count > most)
        return schema_refuse(v, "schema_limit", "the list is too long", (str){0});
    double *values = ARENA_ARRAY(a, v->count, double);
    for (size_t i = 0; i < v->count; i++)
        TRY(schema_read_number(&v->items[i], &values[i]));
    *out = values;
    *n = v->count;
    return OK;
}

static err read_name(const struct json *v, const char *const *names, size_t n, const char *what, unsigned *out) {
    if (v->type == JSON_STRING)
        for (size_t i = 0; i < n; i++)
            if (str_equal(v->string, str_from(names[i]))) {
                *out = (unsigned)i;
                return OK;
            }
    return schema_refuse(v, "schema_value", what, v->type == JSON_STRING ? v->string : (str){0});
}

/* One printable ASCII character. */
static err read_char(const struct json *v, char *out) {
    if (v->type != JSON_STRING || v->string.len != 1 || (unsigned char)v->string.ptr[0] >= 128)
        return schema_refuse(v, "schema_value", "expected one character", (str){0});
    *out = v->string.ptr[0];
    return OK;
}

static err read_level(struct arena *a, const struct json *v, struct level *out) {
    if (v->type != JSON_OBJECT)
        return read_text(a, v, &out->text);
    for (size_t i = 0; i < v->count; i++) {
        const struct json_member *m = &v->members[i];
        if (str_equal(m->key, STR("text")))
            TRY(read_text(a, &m->value, &out->text));
        else if (str_equal(m->key, STR("also")))
            TRY(read_texts(a, &m->value, SCHEMA_MAX_LEVEL, &out->variant, &out->n_variant));
        else
            return schema_refuse_key(m, "a level has no key");
    }
    return OK;
}

static int by_text(const void *x, const void *y) { return str_compare(*(const str *)x, *(const str *)y); }

static err read_levels(struct arena *a, const struct json *v, struct field *f) {
    if (v->type != JSON_ARRAY)
        return schema_refuse(v, "schema_type", "expected a list of levels", (str){0});
    if (v->count > SCHEMA_MAX_LEVEL)
        return schema_refuse(v, "schema_limit", "more than 5000 levels", (str){0});
    struct level *levels = ARENA_ARRAY(a, v->count, struct level);
    str *sorted = ARENA_ARRAY(a, v->count, str);
    for (size_t i = 0; i < v->count; i++) {
        TRY(read_level(a, &v->items[i], &levels[i]));
        if (levels[i].text.len == 0)
            return schema_refuse(&v->items[i], "schema_value", "a level without text (an empty cell is always missing)",
                                 (str){0});
        sorted[i] = levels[i].text;
    }
    qsort(sorted, v->count, sizeof *sorted, by_text);
    for (size_t i = 1; i < v->count; i++)
        if (str_equal(sorted[i - 1], sorted[i]))
            return schema_refuse(v, "schema_value", "the same level twice:", sorted[i]);
    f->level = levels;
    f->n_level = v->count;
    f->given |= GIVEN_LEVELS;
    return OK;
}

bool schema_ascending(const double *v, size_t n, bool strictly) {
    for (size_t i = 1; i < n; i++)
        if (strictly ? v[i - 1] >= v[i] : v[i - 1] > v[i])
            return false;
    return true;
}

static err read_edges(struct arena *a, const struct json *v, struct field *f) {
    TRY(schema_read_numbers(a, v, SCHEMA_MAX_EDGE, &f->edge, &f->n_edge));
    if (!schema_ascending(f->edge, f->n_edge, true))
        return schema_refuse(v, "schema_value", "edges must ascend", (str){0});
    f->given |= GIVEN_EDGES;
    return OK;
}

static err read_text_member(struct arena *a, const struct json_member *m, struct field *f, bool *done) {
    static const char *const keys[] = {"name", "title", "unit", "group", "note"};
    str *const target[] = {&f->name, &f->title, &f->unit, &f->group, &f->note};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_equal(m->key, str_from(keys[i]))) {
            *done = true;
            if (i == 3)
                f->given |= GIVEN_GROUP;
            return read_text(a, &m->value, target[i]);
        }
    return OK;
}

static err read_choice(struct arena *a, const struct json_member *m, struct field *f) {
    const struct json *v = &m->value;
    bool done = false;
    TRY(read_text_member(a, m, f, &done));
    if (done || str_equal(m->key, STR("fitted"))) /* read once the choices are known */
        return OK;
    if (str_equal(m->key, STR("type"))) {
        f->given |= GIVEN_TYPE;
        return read_name(v, schema_type_names, FIELD_TYPE_COUNT, "unknown type", &f->type);
    }
    if (str_equal(m->key, STR("transform"))) {
        f->given |= GIVEN_TRANSFORM;
        return read_name(v, schema_transform_names, TRANSFORM_COUNT, "unknown transform", &f->transform);
    }
    if (str_equal(m->key, STR("date_order"))) {
        f->given |= GIVEN_DATE_ORDER;
        return read_name(v, schema_order_names, sizeof schema_order_names / sizeof *schema_order_names, "unknown date_order",
                         &f->date_order);
    }
    if (str_equal(m->key, STR("missing"))) {
        f->given |= GIVEN_MISSING;
        return read_texts(a, v, SCHEMA_MAX_MISSING, &f->missing, &f->n_missing);
    }
    if (str_equal(m->key, STR("levels")))
        return read_levels(a, v, f);
    if (str_equal(m->key, STR("edges")))
        return read_edges(a, v, f);
    if (str_equal(m->key, STR("minimum"))) {
        f->given |= GIVEN_MINIMUM;
        return schema_read_number(v, &f->minimum);
    }
    if (str_equal(m->key, STR("separator"))) {
        f->given |= GIVEN_SEPARATOR;
        return read_char(v, &f->separator);
    }
    if (str_equal(m->key, STR("decimal"))) {
        f->given |= GIVEN_DECIMAL;
        TRY(read_char(v, &f->decimal));
        return f->decimal == '.' || f->decimal == ',' ? OK
                                                      : schema_refuse(v, "schema_value", "decimal must be . or ,", (str){0});
    }
    return refuse_unknown_key(a, m, "a field has no key", field_keys, sizeof field_keys / sizeof *field_keys);
}

static err read_field(struct arena *a, const struct json *v, struct field *out) {
    if (v->type != JSON_OBJECT)
        return schema_refuse(v, "schema_type", "a field must be an object", (str){0});
    struct field f = {.decimal = '.',
                      .separator = ';',
                      .minimum = -INFINITY,
                      .scale = 1,
                      .typical_converted = (double)NAN,
                      .typical_other = (double)NAN,
                      .group = STR("other")};
    for (size_t i = 0; i < v->count; i++)
        TRY(read_choice(a, &v->members[i], &f));
    if (f.name.len == 0)
        return schema_refuse(v, "schema_value", "a field needs a name", (str){0});
    if (f.transform == TRANSFORM_LOG1P && f.minimum < 0) {
        if (f.given & GIVEN_MINIMUM)
            return schema_refuse(v, "schema_value", "log1p needs a minimum of 0 or more in field", f.name);
        f.minimum = 0;
    }
    if (!(f.given & GIVEN_TYPE) && f.given & (GIVEN_LEVELS | GIVEN_EDGES)) { /* they say what the type is */
        f.given |= GIVEN_TYPE;
        f.type = !(f.given & GIVEN_LEVELS) ? FIELD_NUMERIC : f.given & GIVEN_SEPARATOR ? FIELD_MULTI : FIELD_CATEGORY;
    }
    if (!field_has_levels(&f)) { /* edited away from a category */
        f.level = NULL;
        f.n_level = 0;
    }
    const struct json *fitted = json_get(v, STR("fitted"));
    if (fitted)
        TRY(schema_read_fitted(a, fitted, &f));
    *out = f;
    return OK;
}

static err read_fields(struct arena *a, const struct json *v, struct schema *s) {
    if (v->type != JSON_ARRAY)
        return schema_refuse(v, "schema_type", "\"fields\" must be a list", (str){0});
    if (v->count > SCHEMA_MAX_FIELD)
        return schema_refuse(v, "schema_limit", "more than 10000 fields", (str){0});
    struct field *fields = ARENA_ARRAY(a, v->count, struct field);
    str *sorted = ARENA_ARRAY(a, v->count, str);
    for (size_t i = 0; i < v->count; i++) {
        TRY(read_field(a, &v->items[i], &fields[i]));
        sorted[i] = fields[i].name;
    }
    qsort(sorted, v->count, sizeof *sorted, by_text);
    for (size_t i = 1; i < v->count; i++)
        if (str_equal(sorted[i - 1], sorted[i]))
            return schema_refuse(v, "schema_value", "two fields with the name", sorted[i]);
    s->field = fields;
    s->n_field = v->count;
    return OK;
}

static err read_version(const struct json *v, struct schema *s) {
    if (v->type != JSON_INTEGER || v->integer < 1)
        return schema_refuse(v, "schema_value", "version must be a whole number from 1", (str){0});
    if (v->integer > SCHEMA_VERSION)
        return schema_refuse(v, "schema_version", "this schema was written by a newer galena", (str){0});
    s->version = v->integer;
    return OK;
}

static err read_schema_member(struct arena *a, const struct json_member *m, struct schema *s) {
    static const char *const keys[] = {"target", "positive", "id", "time"};
    str *const target[] = {&s->target, &s->positive, &s->id, &s->time};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_equal(m->key, str_from(keys[i])))
            return read_text(a, &m->value, target[i]);
    if (str_equal(m->key, STR("version")))
        return read_version(&m->value, s);
    if (str_equal(m->key, STR("fields")))
        return read_fields(a, &m->value, s);
    if (str_equal(m->key, STR("interactions"))) /* read once the fields are known */
        return OK;
    return refuse_unknown_key(a, m, "a schema has no key", schema_keys, sizeof schema_keys / sizeof *schema_keys);
}

err schema_from_json(struct arena *a, const struct json *v, struct schema **out) {
    if (v->type != JSON_OBJECT)
        return schema_refuse(v, "schema_type", "a schema must be an object", (str){0});
    struct schema *s = ARENA_NEW(a, struct schema);
    s->version = SCHEMA_VERSION;
    for (size_t i = 0; i < v->count; i++)
        TRY(read_schema_member(a, &v->members[i], s));
    if (!s->field)
        return schema_refuse(v, "schema_value", "a schema needs \"fields\"", (str){0});
    const struct json *interactions = json_get(v, STR("interactions"));
    if (interactions)
        TRY(interactions_read(a, interactions, s));
    *out = s;
    return OK;
}
