/* schema.c — names of types, and the schema as a JSON tree and back. */
#include "lead/schema.h"

#include "base/number.h"
#include "base/settings.h"
#include "lead/interaction_priv.h"

#include <math.h>
#include <stdlib.h>

static const char *const type_names[FIELD_TYPE_COUNT] = {"numeric", "category",   "multi",    "flag",   "date",
                                                         "text",    "identifier", "constant", "ignored"};
static const char *const transform_names[TRANSFORM_COUNT] = {"none", "log1p"};
static const char *const schema_keys[] = {"version", "target", "positive", "id", "time", "fields", "interactions"};
static const char *const field_keys[] = {"name",    "title",  "unit",  "group",   "note",      "type",    "transform",
                                         "missing", "levels", "edges", "minimum", "separator", "decimal", "date_order"};
static const char *const order_names[] = {"unknown", "day_first", "month_first"}; /* enum time_order */

const char *field_type_name(enum field_type type) { return type_names[type]; }

bool field_has_levels(const struct field *f) {
    return f->type == FIELD_CATEGORY || f->type == FIELD_MULTI || f->type == FIELD_FLAG;
}

bool field_is_used(const struct field *f) {
    return field_has_levels(f) || f->type == FIELD_NUMERIC || f->type == FIELD_DATE;
}

static bool is_number_field(const struct field *f) { return f->type == FIELD_NUMERIC || f->type == FIELD_DATE; }

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

static void put_optional_numbers(struct json_writer *w, str key, const double *values, size_t n) {
    if (values)
        json_put_numbers(w, key, values, n);
}

static void put_fitted(struct json_writer *w, const struct field *f) {
    json_key(w, STR("fitted"));
    json_open_object(w);
    json_put_bool(w, STR("missing_seen"), f->missing_seen);
    json_put_integer(w, STR("own_missing"), (int64_t)f->n_missing_own);
    if (field_has_levels(f))
        json_put_bool(w, STR("has_other"), f->has_other);
    if (is_number_field(f)) {
        json_put_number(w, STR("low"), f->low);
        json_put_number(w, STR("high"), f->high);
        json_put_number(w, STR("center"), f->center);
        json_put_number(w, STR("scale"), f->scale);
        if (!isnan(f->typical_converted))
            json_put_number(w, STR("typical_converted"), f->typical_converted);
        if (!isnan(f->typical_other))
            json_put_number(w, STR("typical_other"), f->typical_other);
        put_optional_numbers(w, STR("quantiles"), f->quantile, SCHEMA_N_QUANTILE);
        put_optional_numbers(w, STR("bin_rate"), f->bin_rate, f->n_edge + 1);
        put_optional_numbers(w, STR("bin_share"), f->bin_share, f->n_edge + 1);
    }
    if (f->type == FIELD_DATE)
        json_put_integer(w, STR("reference_ms"), f->reference_ms);
    put_optional_numbers(w, STR("rate"), f->level_rate, field_slots(f));
    put_optional_numbers(w, STR("share"), f->level_share, field_slots(f));
    json_close_object(w);
}

static void put_choices(struct json_writer *w, const struct field *f) {
    json_put_string(w, STR("name"), f->name);
    put_text(w, STR("title"), f->title);
    json_put_string(w, STR("type"), str_from(type_names[f->type]));
    json_put_string(w, STR("group"), f->group);
    put_text(w, STR("unit"), f->unit);
    put_text(w, STR("note"), f->note);
    if (!field_is_used(f))
        return;
    put_strings(w, STR("missing"), f->missing, f->n_missing);
    if (f->type == FIELD_NUMERIC) {
        json_put_string(w, STR("transform"), str_from(transform_names[f->transform]));
        json_put_string(w, STR("decimal"), (str){&f->decimal, 1});
        if (isfinite(f->minimum))
            json_put_number(w, STR("minimum"), f->minimum);
    }
    if (is_number_field(f))
        json_put_numbers(w, STR("edges"), f->edge, f->n_edge);
    if (f->type == FIELD_DATE)
        json_put_string(w, STR("date_order"), str_from(order_names[f->date_order]));
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
            put_fitted(w, f);
        json_close_object(w);
    }
    json_close_array(w);
    if (s->n_interaction > 0 || s->interaction_given)
        interactions_write(w, s);
    json_close_object(w);
}

void schema_to_json(struct json_writer *w, const struct schema *s) { put_schema(w, s, true); }

void schema_to_json_choices(struct json_writer *w, const struct schema *s) { put_schema(w, s, false); }

/* ---- reading ---- */

static err refuse(const struct json *v, const char *slug, const char *what, str name) {
    return fail(ERR_INPUT, slug, "line %u, column %u: %s%s%.*s%s", v->line, v->column, what, name.len > 0 ? " \"" : "",
                STR_ARG(str_slice(name, 0, 80)), name.len > 0 ? "\"" : "");
}

static err refuse_odd_key(const struct json_member *m, const char *what) {
    const struct json key = json_key_of(m);
    return refuse(&key, "schema_unknown_key", what, m->key);
}

/* An unknown key, with the known one that it may have been meant to be. */
static err refuse_key(struct arena *a, const struct json_member *m, const char *what, const char *const *known, size_t n) {
    const char *near = settings_nearest(a, m->key, known, n);
    if (!near)
        return refuse_odd_key(m, what);
    return fail(ERR_INPUT, "schema_unknown_key", "line %u, column %u: %s \"%.*s\"; did you mean \"%s\"?", m->line, m->column,
                what, STR_ARG(str_slice(m->key, 0, 80)), near);
}

/* YAML reads `missing: [-1]` as a number and `positive: true` as a truth value; both are meant as text. */
static err read_text(struct arena *a, const struct json *v, str *out) {
    char text[NUMBER_TEXT_BYTE];
    switch (v->type) {
    case JSON_STRING:
        if (v->string.len > SCHEMA_MAX_TEXT_BYTE)
            return refuse(v, "schema_text_long", "text of more than 4096 bytes", (str){0});
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
        return refuse(v, "schema_type", "expected text", (str){0});
    }
}

static err read_texts(struct arena *a, const struct json *v, size_t most, const str **out, size_t *n) {
    if (v->type != JSON_ARRAY)
        return refuse(v, "schema_type", "expected a list", (str){0});
    if (v->count > most)
        return refuse(v, "schema_limit", "the list is too long", (str){0});
    str *texts = ARENA_ARRAY(a, v->count, str);
    for (size_t i = 0; i < v->count; i++)
        TRY(read_text(a, &v->items[i], &texts[i]));
    *out = texts;
    *n = v->count;
    return OK;
}

static err read_number(const struct json *v, double *out) {
    if (!json_is_number(v))
        return refuse(v, "schema_type", "expected a number", (str){0});
    *out = json_number_of(v);
    return OK;
}

static err read_bool(const struct json *v, bool *out) {
    if (v->type != JSON_BOOL)
        return refuse(v, "schema_type", "expected true or false", (str){0});
    *out = v->boolean;
    return OK;
}

static err read_numbers(struct arena *a, const struct json *v, size_t most, const double **out, size_t *n) {
    if (v->type != JSON_ARRAY)
        return refuse(v, "schema_type", "expected a list of numbers", (str){0});
    if (v->count > most)
        return refuse(v, "schema_limit", "the list is too long", (str){0});
    double *values = ARENA_ARRAY(a, v->count, double);
    for (size_t i = 0; i < v->count; i++)
        TRY(read_number(&v->items[i], &values[i]));
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
    return refuse(v, "schema_value", what, v->type == JSON_STRING ? v->string : (str){0});
}

/* One printable ASCII character. */
static err read_char(const struct json *v, char *out) {
    if (v->type != JSON_STRING || v->string.len != 1 || (unsigned char)v->string.ptr[0] >= 128)
        return refuse(v, "schema_value", "expected one character", (str){0});
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
            return refuse_odd_key(m, "a level has no key");
    }
    return OK;
}

static int by_text(const void *x, const void *y) { return str_compare(*(const str *)x, *(const str *)y); }

static err read_levels(struct arena *a, const struct json *v, struct field *f) {
    if (v->type != JSON_ARRAY)
        return refuse(v, "schema_type", "expected a list of levels", (str){0});
    if (v->count > SCHEMA_MAX_LEVEL)
        return refuse(v, "schema_limit", "more than 5000 levels", (str){0});
    struct level *levels = ARENA_ARRAY(a, v->count, struct level);
    str *sorted = ARENA_ARRAY(a, v->count, str);
    for (size_t i = 0; i < v->count; i++) {
        TRY(read_level(a, &v->items[i], &levels[i]));
        if (levels[i].text.len == 0)
            return refuse(&v->items[i], "schema_value", "a level without text (an empty cell is always missing)", (str){0});
        sorted[i] = levels[i].text;
    }
    qsort(sorted, v->count, sizeof *sorted, by_text);
    for (size_t i = 1; i < v->count; i++)
        if (str_equal(sorted[i - 1], sorted[i]))
            return refuse(v, "schema_value", "the same level twice:", sorted[i]);
    f->level = levels;
    f->n_level = v->count;
    f->given |= GIVEN_LEVELS;
    return OK;
}

/* The "fitted" object before it is compared with the choices. */
struct fitted {
    size_t n_rate, n_share, n_bin_rate, n_bin_share, n_quantile;
    int64_t own_missing;
    unsigned have; /* bits of enum have */
};
enum have { HAVE_LOW = 1, HAVE_HIGH = 2, HAVE_CENTER = 4, HAVE_SCALE = 8, HAVE_REFERENCE = 16 };

static err read_integer(const struct json *v, int64_t low, int64_t high, int64_t *out) {
    if (v->type != JSON_INTEGER || v->integer < low || v->integer > high)
        return refuse(v, "schema_value", "expected a whole number in range", (str){0});
    *out = v->integer;
    return OK;
}

static err read_scalar(const struct json_member *m, struct field *f, struct fitted *x, bool *done) {
    static const char *const keys[] = {"low", "high", "center", "scale", "typical_converted", "typical_other"};
    double *const target[] = {&f->low, &f->high, &f->center, &f->scale, &f->typical_converted, &f->typical_other};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (str_equal(m->key, str_from(keys[i]))) {
            *done = true;
            x->have |= 1u << i & (HAVE_LOW | HAVE_HIGH | HAVE_CENTER | HAVE_SCALE);
            return read_number(&m->value, target[i]);
        }
    return OK;
}

static err read_array(struct arena *a, const struct json_member *m, struct field *f, struct fitted *x, bool *done) {
    enum { MOST = 2 * SCHEMA_MAX_LEVEL + 2 };
    struct {
        const char *key;
        const double **values;
        size_t *n;
    } arrays[] = {{"rate", &f->level_rate, &x->n_rate},
                  {"share", &f->level_share, &x->n_share},
                  {"bin_rate", &f->bin_rate, &x->n_bin_rate},
                  {"bin_share", &f->bin_share, &x->n_bin_share},
                  {"quantiles", &f->quantile, &x->n_quantile}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (str_equal(m->key, str_from(arrays[i].key))) {
            *done = true;
            return read_numbers(a, &m->value, MOST, arrays[i].values, arrays[i].n);
        }
    return OK;
}

static err read_fitted_member(struct arena *a, const struct json_member *m, struct field *f, struct fitted *x) {
    bool done = false;
    TRY(read_scalar(m, f, x, &done));
    if (!done)
        TRY(read_array(a, m, f, x, &done));
    if (done)
        return OK;
    if (str_equal(m->key, STR("missing_seen")))
        return read_bool(&m->value, &f->missing_seen);
    if (str_equal(m->key, STR("has_other")))
        return read_bool(&m->value, &f->has_other);
    if (str_equal(m->key, STR("own_missing")))
        return read_integer(&m->value, 0, SCHEMA_MAX_MISSING, &x->own_missing);
    if (str_equal(m->key, STR("reference_ms"))) {
        x->have |= HAVE_REFERENCE;
        const int64_t most = INT64_C(400000000000000); /* beyond year 9999 */
        return read_integer(&m->value, -most, most, &f->reference_ms);
    }
    return refuse_odd_key(m, "\"fitted\" has no key");
}

static bool all_within(const double *v, size_t n, double low, double high) {
    for (size_t i = 0; v && i < n; i++)
        if (!(v[i] >= low && v[i] <= high))
            return false;
    return true;
}

static bool ascending(const double *v, size_t n, bool strictly) {
    for (size_t i = 1; i < n; i++)
        if (strictly ? v[i - 1] >= v[i] : v[i - 1] > v[i])
            return false;
    return true;
}

#define MAX_STANDARDISED 1e150 /* times any coefficient it stays finite */

static bool number_constants_agree(const struct field *f, const struct fitted *x) {
    unsigned need = HAVE_LOW | HAVE_HIGH | HAVE_CENTER | HAVE_SCALE | (f->type == FIELD_DATE ? HAVE_REFERENCE : 0);
    size_t n_bin = f->n_edge > 0 ? f->n_edge + 1 : 0;
    return (x->have & need) == need && f->low <= f->high && f->scale > 0 &&
           (fmax(fabs(f->low), fabs(f->high)) + fabs(f->center)) / f->scale <= MAX_STANDARDISED &&
           (!f->bin_rate || x->n_bin_rate == n_bin) && (!f->bin_share || x->n_bin_share == n_bin) &&
           (!f->quantile || x->n_quantile == SCHEMA_N_QUANTILE) &&
           ascending(f->quantile, f->quantile ? x->n_quantile : 0, false) && all_within(f->bin_rate, n_bin, 0, 1) &&
           all_within(f->bin_share, n_bin, 0, 1);
}

static bool constants_agree(struct field *f, const struct fitted *x) {
    if (x->own_missing > (int64_t)f->n_missing)
        return false;
    f->n_missing_own = (size_t)x->own_missing;
    size_t n = field_slots(f);
    if ((f->level_rate && x->n_rate != n) || (f->level_share && x->n_share != n))
        return false;
    if (!all_within(f->level_rate, n, 0, 1) || !all_within(f->level_share, n, 0, 1))
        return false;
    if (field_has_levels(f))
        return (f->given & GIVEN_LEVELS) != 0;
    return is_number_field(f) && number_constants_agree(f, x);
}

static void drop_fitted(struct field *f) {
    f->fitted = false;
    f->level_rate = f->level_share = f->bin_rate = f->bin_share = f->quantile = NULL;
    f->n_missing_own = 0;
}

static err read_fitted(struct arena *a, const struct json *v, struct field *f) {
    if (v->type != JSON_OBJECT)
        return refuse(v, "schema_type", "\"fitted\" must be an object", (str){0});
    struct fitted x = {0};
    for (size_t i = 0; i < v->count; i++)
        TRY(read_fitted_member(a, &v->members[i], f, &x));
    f->fitted = constants_agree(f, &x);
    if (!f->fitted)
        drop_fitted(f);
    return OK;
}

static err read_edges(struct arena *a, const struct json *v, struct field *f) {
    TRY(read_numbers(a, v, SCHEMA_MAX_EDGE, &f->edge, &f->n_edge));
    if (!ascending(f->edge, f->n_edge, true))
        return refuse(v, "schema_value", "edges must ascend", (str){0});
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
        return read_name(v, type_names, FIELD_TYPE_COUNT, "unknown type", &f->type);
    }
    if (str_equal(m->key, STR("transform"))) {
        f->given |= GIVEN_TRANSFORM;
        return read_name(v, transform_names, TRANSFORM_COUNT, "unknown transform", &f->transform);
    }
    if (str_equal(m->key, STR("date_order"))) {
        f->given |= GIVEN_DATE_ORDER;
        return read_name(v, order_names, sizeof order_names / sizeof *order_names, "unknown date_order", &f->date_order);
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
        return read_number(v, &f->minimum);
    }
    if (str_equal(m->key, STR("separator"))) {
        f->given |= GIVEN_SEPARATOR;
        return read_char(v, &f->separator);
    }
    if (str_equal(m->key, STR("decimal"))) {
        f->given |= GIVEN_DECIMAL;
        TRY(read_char(v, &f->decimal));
        return f->decimal == '.' || f->decimal == ',' ? OK : refuse(v, "schema_value", "decimal must be . or ,", (str){0});
    }
    return refuse_key(a, m, "a field has no key", field_keys, sizeof field_keys / sizeof *field_keys);
}

static err read_field(struct arena *a, const struct json *v, struct field *out) {
    if (v->type != JSON_OBJECT)
        return refuse(v, "schema_type", "a field must be an object", (str){0});
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
        return refuse(v, "schema_value", "a field needs a name", (str){0});
    if (f.transform == TRANSFORM_LOG1P && f.minimum < 0) {
        if (f.given & GIVEN_MINIMUM)
            return refuse(v, "schema_value", "log1p needs a minimum of 0 or more in field", f.name);
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
        TRY(read_fitted(a, fitted, &f));
    *out = f;
    return OK;
}

static err read_fields(struct arena *a, const struct json *v, struct schema *s) {
    if (v->type != JSON_ARRAY)
        return refuse(v, "schema_type", "\"fields\" must be a list", (str){0});
    if (v->count > SCHEMA_MAX_FIELD)
        return refuse(v, "schema_limit", "more than 10000 fields", (str){0});
    struct field *fields = ARENA_ARRAY(a, v->count, struct field);
    str *sorted = ARENA_ARRAY(a, v->count, str);
    for (size_t i = 0; i < v->count; i++) {
        TRY(read_field(a, &v->items[i], &fields[i]));
        sorted[i] = fields[i].name;
    }
    qsort(sorted, v->count, sizeof *sorted, by_text);
    for (size_t i = 1; i < v->count; i++)
        if (str_equal(sorted[i - 1], sorted[i]))
            return refuse(v, "schema_value", "two fields with the name", sorted[i]);
    s->field = fields;
    s->n_field = v->count;
    return OK;
}

static err read_version(const struct json *v, struct schema *s) {
    if (v->type != JSON_INTEGER || v->integer < 1)
        return refuse(v, "schema_value", "version must be a whole number from 1", (str){0});
    if (v->integer > SCHEMA_VERSION)
        return refuse(v, "schema_version", "this schema was written by a newer galena", (str){0});
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
    return refuse_key(a, m, "a schema has no key", schema_keys, sizeof schema_keys / sizeof *schema_keys);
}

err schema_from_json(struct arena *a, const struct json *v, struct schema **out) {
    if (v->type != JSON_OBJECT)
        return refuse(v, "schema_type", "a schema must be an object", (str){0});
    struct schema *s = ARENA_NEW(a, struct schema);
    s->version = SCHEMA_VERSION;
    for (size_t i = 0; i < v->count; i++)
        TRY(read_schema_member(a, &v->members[i], s));
    if (!s->field)
        return refuse(v, "schema_value", "a schema needs \"fields\"", (str){0});
    const struct json *interactions = json_get(v, STR("interactions"));
    if (interactions)
        TRY(interactions_read(a, interactions, s));
    *out = s;
    return OK;
}
