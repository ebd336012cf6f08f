/* profile_diff.c — what changed between two profiles, in words for people. */
#include "base/number.h"
#include "profile/profile.h"

enum { CHANGE_MAX = 1000 };

struct differ {
    struct arena *a;
    struct profile_change *change;
    size_t n, cap;
};

static void scalar_words(struct buf *out, const struct json *v) {
    char digits[NUMBER_TEXT_BYTE];
    switch (v->type) {
    case JSON_NULL:
        buf_add(out, STR("none"));
        break;
    case JSON_BOOL:
        buf_add(out, v->boolean ? STR("true") : STR("false"));
        break;
    case JSON_STRING:
        buf_add(out, v->string);
        break;
    default:
        buf_add(out, (str){digits, number_format(json_number_of(v), digits)});
    }
}

/* "field: employees, range: 50 to 500, weight: 3" */
static void words(struct buf *out, const struct json *v, bool is_range) {
    const char *between = is_range && v->type == JSON_ARRAY && v->count == 2 ? " to " : ", ";
    if (v->type != JSON_ARRAY && v->type != JSON_OBJECT) {
        scalar_words(out, v);
        return;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (i > 0)
            buf_add(out, str_from(between));
        const struct json *item = v->type == JSON_ARRAY ? &v->items[i] : &v->members[i].value;
        bool nested = item->type == JSON_ARRAY || item->type == JSON_OBJECT;
        if (v->type == JSON_OBJECT)
            buf_add_format(out, "%.*s: ", STR_ARG(v->members[i].key));
        if (nested)
            buf_add_byte(out, '(');
        words(out, item, v->type == JSON_OBJECT && str_equal(v->members[i].key, STR("range")));
        if (nested)
            buf_add_byte(out, ')');
    }
}

static str in_words(struct differ *d, const struct json *v, str key) {
    struct buf *out = buf_in(d->a, (size_t)1 << 22);
    if (v)
        words(out, v, str_equal(key, STR("range")));
    return buf_str(out);
}

static str step(struct differ *d, str path, str key) {
    return path.len > 0 ? str_format(d->a, "%.*s › %.*s", STR_ARG(path), STR_ARG(key)) : key;
}

static void record(struct differ *d, str path, str key, const struct json *before, const struct json *after) {
    if (d->n == CHANGE_MAX)
        return;
    if (d->n == d->cap)
        d->change = arena_grow(d->a, d->change, &d->cap, d->n + 1, sizeof *d->change);
    d->change[d->n++] = (struct profile_change){.path = path,
                                                .before = in_words(d, before, key),
                                                .after = in_words(d, after, key),
                                                .added = !before,
                                                .removed = !after};
}

/* What an item of a list goes by: its name, event or field; else its own text. {0} for a list of lists. */
static str item_name(const struct json *v) {
    static const str keys[] = {STR_INIT("name"), STR_INIT("event"), STR_INIT("field")};
    if (v->type == JSON_STRING)
        return v->string;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct json *name = json_get(v, keys[i]);
        if (name && name->type == JSON_STRING)
            return name->string;
    }
    return (str){0};
}

/* The item of `list` that goes by the same name as `list_of->items[at]` and is the same occurrence of it. */
static const struct json *partner(const struct json *list, const struct json *list_of, uint32_t at) {
    str name = item_name(&list_of->items[at]);
    uint32_t occurrence = 0;
    for (uint32_t i = 0; i < at; i++)
        occurrence += str_equal(item_name(&list_of->items[i]), name);
    for (uint32_t i = 0; i < list->count; i++)
        if (str_equal(item_name(&list->items[i]), name) && occurrence-- == 0)
            return &list->items[i];
    return NULL;
}

/* Lists whose items have names are compared item by item; others ([50, 500]) as one value. */
static bool has_names(const struct json *list) {
    for (uint32_t i = 0; i < list->count; i++)
        if (item_name(&list->items[i]).len == 0)
            return false;
    return true;
}

static void compare(struct differ *d, str path, str key, const struct json *before, const struct json *after);

static void compare_lists(struct differ *d, str path, const struct json *before, const struct json *after) {
    for (uint32_t i = 0; i < before->count; i++) {
        str name = item_name(&before->items[i]);
        compare(d, step(d, path, name), name, &before->items[i], partner(after, before, i));
    }
    for (uint32_t i = 0; i < after->count; i++)
        if (!partner(before, after, i)) {
            str name = item_name(&after->items[i]);
            record(d, step(d, path, name), name, NULL, &after->items[i]);
        }
}

static void compare_objects(struct differ *d, str path, const struct json *before, const struct json *after) {
    for (uint32_t i = 0; i < before->count; i++) {
        str key = before->members[i].key;
        compare(d, step(d, path, key), key, &before->members[i].value, json_get(after, key));
    }
    for (uint32_t i = 0; i < after->count; i++) {
        str key = after->members[i].key;
        if (!json_get(before, key))
            record(d, step(d, path, key), key, NULL, &after->members[i].value);
    }
}

static void compare(struct differ *d, str path, str key, const struct json *before, const struct json *after) {
    if (after && json_equal(before, after))
        return;
    if (after && before->type == JSON_OBJECT && after->type == JSON_OBJECT)
        compare_objects(d, path, before, after);
    else if (after && before->type == JSON_ARRAY && after->type == JSON_ARRAY && has_names(before) && has_names(after))
        compare_lists(d, path, before, after);
    else
        record(d, path, key, before, after);
}

void profile_diff(struct arena *a, const struct profile *before, const struct profile *after,
                  const struct profile_change **out, size_t *n) {
    struct differ d = {.a = a};
    compare(&d, STR(""), STR(""), before->document, after->document);
    *out = d.change;
    *n = d.n;
}
