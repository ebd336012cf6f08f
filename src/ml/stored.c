/* stored.c — checked reading of stored models. */
#include "ml/stored.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

err stored_bad(const char *format, ...) {
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return fail(ERR_CORRUPT, "model_corrupt", "stored model: %s", sentence);
}

static bool usable(const struct json *v) { return json_is_number(v) && fabs(json_number_of(v)) < 1e100; }

err stored_read_number(const struct json *object, str key, double *out) {
    const struct json *v = json_get(object, key);
    if (!usable(v))
        return stored_bad("\"%.*s\" is not a usable number", STR_ARG(key));
    *out = json_number_of(v);
    return OK;
}

err stored_read_count(const struct json *object, str key, size_t *out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_INTEGER || v->integer < 0 || v->integer > (INT64_C(1) << 53))
        return stored_bad("\"%.*s\" is not a count", STR_ARG(key));
    *out = (size_t)v->integer;
    return OK;
}

err stored_read_string(const struct json *object, str key, str *out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_STRING)
        return stored_bad("\"%.*s\" is not a string", STR_ARG(key));
    *out = v->string;
    return OK;
}

err stored_read_numbers(const struct json *object, str key, size_t n, double *out) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_ARRAY || v->count != n)
        return stored_bad("\"%.*s\" is not a list of %zu numbers", STR_ARG(key), n);
    for (size_t i = 0; i < n; i++) {
        if (!usable(&v->items[i]))
            return stored_bad("number %zu of \"%.*s\" is not usable", i, STR_ARG(key));
        out[i] = json_number_of(&v->items[i]);
    }
    return OK;
}

err stored_read_indices(struct arena *a, const struct json *object, str key, size_t d, uint32_t **out, size_t *k) {
    const struct json *v = json_get(object, key);
    if (!v || v->type != JSON_ARRAY || v->count > d)
        return stored_bad("\"%.*s\" is not a list of at most %zu columns", STR_ARG(key), d);
    uint32_t *indices = ARENA_ARRAY(a, v->count, uint32_t);
    int64_t before = -1;
    for (size_t i = 0; i < v->count; i++) {
        const struct json *item = &v->items[i];
        if (item->type != JSON_INTEGER || item->integer <= before || item->integer >= (int64_t)d)
            return stored_bad("\"%.*s\" does not ascend within %zu columns", STR_ARG(key), d);
        before = item->integer;
        indices[i] = (uint32_t)before;
    }
    *out = indices;
    *k = v->count;
    return OK;
}

err stored_read_picked(struct arena *a, const struct json *object, str key, const uint32_t *column, size_t k, double *all) {
    double *picked = ARENA_ARRAY(a, k, double);
    TRY(stored_read_numbers(object, key, k, picked));
    for (size_t i = 0; i < k; i++)
        all[column[i]] = picked[i];
    return OK;
}

void stored_write_indices(struct json_writer *w, str key, const uint32_t *indices, size_t k) {
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < k; i++)
        json_integer(w, indices[i]);
    json_close_array(w);
}

void stored_write_picked(struct json_writer *w, str key, const double *all, const uint32_t *column, size_t k) {
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < k; i++)
        json_number(w, all[column[i]]);
    json_close_array(w);
}
