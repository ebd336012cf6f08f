/* schema.c — names of types, and the schema as a JSON tree. */
#include "lead/schema.h"

#include "lead/interaction_priv.h"
#include "lead/schema_priv.h"

#include <math.h>

const char *const schema_type_names[FIELD_TYPE_COUNT] = {"numeric", "category",   "multi",    "flag",   "date",
                                                         "text",    "identifier", "constant", "ignored"};
const char *const schema_transform_names[TRANSFORM_COUNT] = {"none", "log1p"};
const char *const schema_order_names[SCHEMA_N_ORDER] = {"unknown", "day_first", "month_first"}; /* enum time_order */

const char *field_type_name(enum field_type type) { return schema_type_names[type]; }

bool field_has_levels(const struct field *f) {
    return f->type == FIELD_CATEGORY || f->type == FIELD_MULTI || f->type == FIELD_FLAG;
}

bool field_is_used(const struct field *f) {
    return field_has_levels(f) || f->type == FIELD_NUMERIC || f->type == FIELD_DATE;
}

ptrdiff_t schema_find(const struct schema *s, str name) {
    for (size_t i = 0; i < s->n_field; i++)
        if (str_equal(s->field[i].name, name))
            return (ptrdiff_t)i;
    return -1;
}

/* ---- writing ---- */

static void put_text(struct json_writer *w, str key, str value) {
    if (value.len > 0)
        json_put_string(w, key, value);
}

static void put_strings(struct json_writer *w, str key, const str *s, size_t n) {
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        json_string(w, s[i]);
    json_close_array(w);
}

static void put_levels(struct json_writer *w, const struct field *f) {
    json_key(w, STR("levels"));
    json_open_array(w);
    for (size_t i = 0; i < f->n_level; i++) {
        const struct level *l = &f->level[i];
        if (l->n_variant == 0) {
            json_string(w, l->text);
            continue;
        }
        json_open_object(w);
        json_put_string(w, STR("text"), l->text);
        put_strings(w, STR("also"), l->variant, l->n_variant);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_choices(struct json_writer *w, const struct field *f) {
    json_put_string(w, STR("name"), f->name);
    put_text(w, STR("title"), f->title);
    json_put_string(w, STR("type"), str_from(schema_type_names[f->type]));
    json_put_string(w, STR("group"), f->group);
    put_text(w, STR("unit"), f->unit);
    put_text(w, STR("note"), f->note);
    if (!field_is_used(f))
        return;
    put_strings(w, STR("missing"), f->missing, f->n_missing);
    if (f->type == FIELD_NUMERIC) {
        json_put_string(w, STR("transform"), str_from(schema_transform_names[f->transform]));
        json_put_string(w, STR("decimal"), (str){&f->decimal, 1});
        if (isfinite(f->minimum))
            json_put_number(w, STR("minimum"), f->minimum);
    }
    if (schema_is_number(f))
        json_put_numbers(w, STR("edges"), f->edge, f->n_edge);
    if (f->type == FIELD_DATE)
        json_put_string(w, STR("date_order"), str_from(schema_order_names[f->date_order]));
    if (f->type == FIELD_MULTI)
        json_put_string(w, STR("separator"), (str){&f->separator, 1});
    if (field_has_levels(f))
        put_levels(w, f);
}

static void put_schema(struct json_writer *w, const struct schema *s, bool with_fitted) {
    json_open_object(w);
    json_put_integer(w, STR("version"), s->version);
    put_text(w, STR("target"), s->target);
    put_text(w, STR("positive"), s->positive);
    put_text(w, STR("id"), s->id);
    put_text(w, STR("time"), s->time);
    json_key(w, STR("fields"));
    json_open_array(w);
    for (size_t i = 0; i < s->n_field; i++) {
        const struct field *f = &s->field[i];
        json_open_object(w);
        put_choices(w, f);
        if (with_fitted && f->fitted && field_is_used(f))
            schema_write_fitted(w, f);
        json_close_object(w);
    }
    json_close_array(w);
    if (s->n_interaction > 0 || s->interaction_given)
        interactions_write(w, s);
    json_close_object(w);
}

void schema_to_json(struct json_writer *w, const struct schema *s) { put_schema(w, s, true); }

void schema_to_json_choices(struct json_writer *w, const struct schema *s) { put_schema(w, s, false); }
