/* program_jv.c — the two copies between our tree and libjq's values. */
#include "connector/program_jv.h"

#include <math.h>

enum { DEPTH_MAX = 128 };
static const double EXACT = 9007199254740992.0; /* 2^53 */

static jv jv_from_integer(int64_t n) {
    if (n > -(INT64_C(1) << 53) && n < (INT64_C(1) << 53))
        return jv_number((double)n);
    return jv_string_fmt("%lld", (long long)n);
}

jv jv_from_json(const struct json *v) {
    jv out;
    switch (v ? v->type : JSON_NULL) {
    case JSON_BOOL:
        return v->boolean ? jv_true() : jv_false();
    case JSON_INTEGER:
        return jv_from_integer(v->integer);
    case JSON_REAL:
        return jv_number(v->real);
    case JSON_STRING:
        return jv_string_sized(v->string.ptr ? v->string.ptr : "", (int)v->string.len);
    case JSON_ARRAY:
        out = jv_array_sized((int)v->count + 1);
        for (uint32_t i = 0; i < v->count; i++)
            out = jv_array_append(out, jv_from_json(&v->items[i]));
        return out;
    case JSON_OBJECT:
        out = jv_object();
        for (uint32_t i = 0; i < v->count; i++)
            out = jv_object_set(out, jv_string_sized(v->members[i].key.ptr, (int)v->members[i].key.len),
                                jv_from_json(&v->members[i].value));
        return out;
    case JSON_NULL:
    default:
        return jv_null();
    }
}

static void number_to_json(double x, struct json *out) {
    if (!isfinite(x))
        *out = (struct json){.type = JSON_NULL};
    else if (x == floor(x) && fabs(x) < EXACT && !(x == 0 && signbit(x)))
        *out = (struct json){.type = JSON_INTEGER, .integer = (int64_t)x};
    else
        *out = (struct json){.type = JSON_REAL, .real = x};
}

static bool text_to_json(struct arena *a, jv v, struct jv_room *room, str *out) {
    size_t len = (size_t)jv_string_length_bytes(jv_copy(v));
    if (len > room->bytes)
        return false;
    room->bytes -= len;
    *out = str_copy(a, (str){jv_string_value(v), len});
    return true;
}

static bool to_json(struct arena *a, jv v, struct jv_room *room, int depth, struct json *out);

/* `v` is consumed. */
static bool part_to_json(struct arena *a, jv v, struct jv_room *room, int depth, struct json *out) {
    bool good = to_json(a, v, room, depth, out);
    jv_free(v);
    return good;
}

static bool array_to_json(struct arena *a, jv v, struct jv_room *room, int depth, struct json *out) {
    int n = jv_array_length(jv_copy(v));
    if ((size_t)n > room->values)
        return false;
    struct json *items = ARENA_ARRAY(a, (size_t)n, struct json);
    for (int i = 0; i < n; i++)
        if (!part_to_json(a, jv_array_get(jv_copy(v), i), room, depth + 1, &items[i]))
            return false;
    *out = (struct json){.type = JSON_ARRAY, .count = (uint32_t)n, .items = items};
    return true;
}

static bool object_to_json(struct arena *a, jv v, struct jv_room *room, int depth, struct json *out) {
    int n = jv_object_length(jv_copy(v));
    uint32_t count = 0;
    if ((size_t)n > room->values)
        return false;
    struct json_member *members = ARENA_ARRAY(a, (size_t)n, struct json_member);
    for (int i = jv_object_iter(v); jv_object_iter_valid(v, i) && count < (uint32_t)n; i = jv_object_iter_next(v, i)) {
        jv key = jv_object_iter_key(v, i);
        bool good = text_to_json(a, key, room, &members[count].key);
        jv_free(key);
        if (!good || !part_to_json(a, jv_object_iter_value(v, i), room, depth + 1, &members[count].value))
            return false;
        count++;
    }
    *out = (struct json){.type = JSON_OBJECT, .count = count, .members = members};
    return true;
}

static bool to_json(struct arena *a, jv v, struct jv_room *room, int depth, struct json *out) {
    if (depth > DEPTH_MAX || room->values == 0)
        return false;
    room->values--;
    switch (jv_get_kind(v)) {
    case JV_KIND_TRUE:
    case JV_KIND_FALSE:
        *out = (struct json){.type = JSON_BOOL, .boolean = jv_get_kind(v) == JV_KIND_TRUE};
        return true;
    case JV_KIND_NUMBER:
        number_to_json(jv_number_value(v), out);
        return true;
    case JV_KIND_STRING:
        *out = (struct json){.type = JSON_STRING};
        return text_to_json(a, v, room, &out->string);
    case JV_KIND_ARRAY:
        return array_to_json(a, v, room, depth, out);
    case JV_KIND_OBJECT:
        return object_to_json(a, v, room, depth, out);
    case JV_KIND_NULL:
    case JV_KIND_INVALID:
    default:
        *out = (struct json){.type = JSON_NULL};
        return true;
    }
}

bool jv_to_json(struct arena *a, jv v, struct jv_room *room, struct json *out) { return to_json(a, v, room, 0, out); }
