/* json_read.c — finding, reading and comparing values of a tree. */
#include "base/json_priv.h"

#include <math.h>

const char *json_type_name(enum json_type type) {
    static const char *const names[] = {"null", "true or false", "a whole number", "a number",
                                        "text", "a list",        "an object"};
    return (unsigned)type < sizeof names / sizeof *names ? names[type] : "unknown";
}

/* ---- finding ---- */

static const struct json *search_sorted(const struct json *v, str key) {
    uint32_t low = 0, high = v->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct json_member *m = &v->members[v->by_key[middle]];
        int order = str_compare(key, m->key);
        if (order == 0)
            return &m->value;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct json *json_get(const struct json *v, str key) {
    if (!v || v->type != JSON_OBJECT)
        return NULL;
    if (v->by_key)
        return search_sorted(v, key);
    for (uint32_t i = 0; i < v->count; i++)
        if (str_equal(v->members[i].key, key))
            return &v->members[i].value;
    return NULL;
}

/* A key equals a pointer's token, in which "~1" stands for "/" and "~0" for "~". False for any other use of "~". */
static bool token_equal(str token, str key) {
    size_t k = 0;
    for (size_t i = 0; i < token.len; i++, k++) {
        char c = token.ptr[i];
        if (c == '~') {
            if (++i == token.len || (token.ptr[i] != '0' && token.ptr[i] != '1'))
                return false;
            c = token.ptr[i] == '1' ? '/' : '~';
        }
        if (k == key.len || key.ptr[k] != c)
            return false;
    }
    return k == key.len;
}

static const struct json *step_object(const struct json *v, str token) {
    if (str_find_byte(token, '~') < 0)
        return json_get(v, token);
    for (uint32_t i = 0; i < v->count; i++)
        if (token_equal(token, v->members[i].key))
            return &v->members[i].value;
    return NULL;
}

static const struct json *step_array(const struct json *v, str token) {
    uint64_t index = 0;
    if (token.len == 0 || token.len > 10 || (token.ptr[0] == '0' && token.len > 1))
        return NULL;
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] < '0' || token.ptr[i] > '9')
            return NULL;
        index = index * 10 + (uint64_t)(token.ptr[i] - '0');
    }
    return index < v->count ? &v->items[index] : NULL;
}

const struct json *json_pointer(const struct json *v, str pointer) {
    str token, rest = pointer;
    if (pointer.len == 0)
        return v;
    if (!str_split(&rest, '/', &token) || token.len > 0)
        return NULL;
    while (v && str_split(&rest, '/', &token)) {
        if (v->type == JSON_OBJECT)
            v = step_object(v, token);
        else
            v = v->type == JSON_ARRAY ? step_array(v, token) : NULL;
    }
    return v;
}

/* ---- typed reads ---- */

static err place(const struct json *v, err rc) {
    return v && v->line > 0 ? err_prefix(rc, "line %u, column %u", v->line, v->column) : rc;
}

static err missing(const struct json *object, str key) {
    key = json_clip(key);
    if (object && object->type != JSON_OBJECT)
        return place(object, fail(ERR_INPUT, "json_type", "an object with the key `%.*s` was expected, not %s", STR_ARG(key),
                                  json_type_name(object->type)));
    return place(object, fail(ERR_ABSENT, "json_absent", "the key `%.*s` is missing", STR_ARG(key)));
}

/* Why `v`, which may be NULL, does not serve as the member `key` of `object`. */
static err refuse(const struct json *object, str key, const struct json *v, enum json_type wanted) {
    if (!v)
        return missing(object, key);
    key = json_clip(key);
    return place(v, fail(ERR_INPUT, "json_type", "`%.*s` must be %s, not %s", STR_ARG(key), json_type_name(wanted),
                         json_type_name(v->type)));
}

err json_get_string(const struct json *object, str key, str *out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_STRING)
        return refuse(object, key, v, JSON_STRING);
    *out = v->string;
    return OK;
}

err json_get_number(const struct json *object, str key, double *out) {
    const struct json *v = json_get(object, key);
    if (!v || !json_is_number(v))
        return refuse(object, key, v, JSON_REAL);
    *out = json_number_of(v);
    return OK;
}

err json_get_integer(const struct json *object, str key, int64_t *out) {
    const struct json *v = json_get(object, key);
    if (v && v->type == JSON_REAL && fabs(v->real) <= 0x1p53 && trunc(v->real) == v->real)
        *out = (int64_t)v->real;
    else if (v && v->type == JSON_INTEGER)
        *out = v->integer;
    else
        return refuse(object, key, v, JSON_INTEGER);
    return OK;
}

err json_get_bool(const struct json *object, str key, bool *out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_BOOL)
        return refuse(object, key, v, JSON_BOOL);
    *out = v->boolean;
    return OK;
}

err json_get_array(const struct json *object, str key, const struct json **out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_ARRAY)
        return refuse(object, key, v, JSON_ARRAY);
    *out = v;
    return OK;
}

err json_get_object(const struct json *object, str key, const struct json **out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_OBJECT)
        return refuse(object, key, v, JSON_OBJECT);
    *out = v;
    return OK;
}

err json_get_numbers(struct arena *a, const struct json *object, str key, double **out, size_t *n) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_ARRAY)
        return refuse(object, key, v, JSON_ARRAY);
    double *values = ARENA_ARRAY(a, v->count, double);
    for (uint32_t i = 0; i < v->count; i++) {
        const struct json *item = &v->items[i];
        if (item->type != JSON_INTEGER && item->type != JSON_REAL)
            return place(item, fail(ERR_INPUT, "json_type", "item %u of `%.*s` must be a number, not %s", i + 1,
                                    STR_ARG(json_clip(key)), json_type_name(item->type)));
        values[i] = json_number_of(item);
    }
    *out = values;
    *n = v->count;
    return OK;
}

/* ---- equality ---- */

static bool real_equals_integer(double real, int64_t integer) {
    return real >= -0x1p63 && real < 0x1p63 && (int64_t)real == integer && trunc(real) == real;
}

static bool number_equal(const struct json *a, const struct json *b) {
    if (a->type == b->type)
        return a->type == JSON_INTEGER ? a->integer == b->integer : a->real == b->real;
    return a->type == JSON_REAL ? real_equals_integer(a->real, b->integer) : real_equals_integer(b->real, a->integer);
}

static bool members_equal(const struct json *a, const struct json *b) {
    for (uint32_t i = 0; i < a->count; i++) {
        const struct json *other = json_get(b, a->members[i].key);
        if (!other || !json_equal(&a->members[i].value, other))
            return false;
    }
    return true;
}

static bool items_equal(const struct json *a, const struct json *b) {
    for (uint32_t i = 0; i < a->count; i++)
        if (!json_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

bool json_equal(const struct json *a, const struct json *b) {
    if (json_is_number(a) && json_is_number(b))
        return number_equal(a, b);
    if (!a || !b || a->type != b->type || a->count != b->count)
        return a == b;
    switch (a->type) {
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_STRING:
        return str_equal(a->string, b->string);
    case JSON_ARRAY:
        return items_equal(a, b);
    case JSON_OBJECT:
        return members_equal(a, b);
    default:
        return true;
    }
}
