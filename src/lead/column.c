/* column.c — a JSON object as columns. */
#include "lead/column.h"

#include "base/buf.h"
#include "base/number.h"

enum { SHOWN_BYTE = 60 };

static const char list_separator = ';';

str column_name_shown(struct arena *a, str name) {
    bool plain = name.len > 0;
    for (size_t i = 0; plain && i < name.len; i++) {
        char c = name.ptr[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                c == '-' || c == ' ';
    }
    if (!plain)
        return STR("(a name that is not shown)");
    return name.len <= SHOWN_BYTE ? name : str_format(a, "%.*s...", SHOWN_BYTE, name.ptr);
}

err columns_put(struct columns *c, struct run_column column) {
    if (c->n == c->cap) {
        if (c->n >= RUN_MAX_COLUMN)
            return fail(ERR_INPUT, "lead_columns", "there are more than %d fields", RUN_MAX_COLUMN);
        c->column = arena_grow(c->arena, c->column, &c->cap, c->n + 1, sizeof *c->column);
    }
    c->column[c->n++] = column;
    return OK;
}

/* ---- cells ---- */

static str number_cell(struct arena *a, const struct json *v) {
    char text[NUMBER_TEXT_BYTE];
    size_t n = v->type == JSON_INTEGER ? number_format_integer(v->integer, text) : number_format(v->real, text);
    return str_copy(a, (str){text, n});
}

static str scalar_cell(struct arena *a, const struct json *v) {
    switch (v->type) {
    case JSON_STRING:
        return str_trim(v->string);
    case JSON_INTEGER:
    case JSON_REAL:
        return number_cell(a, v);
    case JSON_BOOL:
        return v->boolean ? STR("true") : STR("false");
    default:
        return (str){0};
    }
}

static bool is_plain_list(const struct json *v) {
    for (uint32_t i = 0; i < v->count; i++)
        if (v->items[i].type == JSON_ARRAY || v->items[i].type == JSON_OBJECT)
            return false;
    return true;
}

static str list_cell(struct arena *a, const struct json *v) {
    str *part = ARENA_ARRAY(a, v->count, str);
    size_t room = 0, n = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        part[i] = scalar_cell(a, &v->items[i]);
        room += part[i].len + 1;
    }
    char *to = arena_alloc(a, room);
    for (uint32_t i = 0; i < v->count; i++) {
        if (part[i].len > 0 && n > 0)
            to[n++] = list_separator;
        for (size_t k = 0; k < part[i].len; k++)
            to[n++] = part[i].ptr[k] == list_separator ? ',' : part[i].ptr[k];
    }
    return (str){to, n};
}

static str json_cell(struct arena *a, const struct json *v) {
    struct buf *text = buf_in(a, (size_t)4 << 20);
    struct json_writer w;
    json_write_begin(&w, text, 0);
    json_value(&w, v);
    return buf_str(text);
}

/* ---- names ---- */

static err join_name(struct arena *a, str prefix, str key, str *out) {
    if (key.len == 0)
        return fail(ERR_INPUT, "lead_column_name", "%.*s: a member has an empty name",
                    STR_ARG(column_name_shown(a, prefix.len > 0 ? prefix : STR("the lead"))));
    if (prefix.len + 1 + key.len > COLUMN_NAME_BYTE)
        return fail(ERR_INPUT, "lead_column_name", "%.*s: a name has more than %d bytes",
                    STR_ARG(column_name_shown(a, prefix.len > 0 ? prefix : key)), COLUMN_NAME_BYTE);
    if (prefix.len == 0) {
        *out = key;
        return OK;
    }
    char *to = arena_alloc(a, prefix.len + 1 + key.len);
    memcpy(to, prefix.ptr, prefix.len);
    to[prefix.len] = '.';
    memcpy(to + prefix.len + 1, key.ptr, key.len);
    *out = (str){to, prefix.len + 1 + key.len};
    return OK;
}

err columns_add(struct columns *c, str prefix, const struct json *object, unsigned char from) {
    for (uint32_t i = 0; i < object->count; i++) {
        const struct json *v = &object->members[i].value;
        str name;
        TRY(join_name(c->arena, prefix, object->members[i].key, &name));
        if (v->type == JSON_OBJECT) {
            TRY(columns_add(c, name, v, from));
            continue;
        }
        struct run_column column = {.name = name, .from = from};
        column.list = v->type == JSON_ARRAY && is_plain_list(v);
        column.cell = column.list             ? list_cell(c->arena, v)
                      : v->type == JSON_ARRAY ? json_cell(c->arena, v)
                                              : scalar_cell(c->arena, v);
        TRY(columns_put(c, column));
    }
    return OK;
}

/* A place of the table of names. The hash is compared first: names made to meet in one place cost little. */
struct seen {
    uint32_t hash;
    uint16_t column; /* + 1; 0: free */
};

const struct run_column *columns_find_twice(const struct columns *c) {
    struct arena_mark mark = arena_mark(c->arena);
    size_t size = 16;
    while (size < 2 * c->n)
        size *= 2;
    struct seen *seen = ARENA_ARRAY(c->arena, size, struct seen);
    const struct run_column *twice = NULL;
    for (size_t i = 0; i < c->n && !twice; i++) {
        const uint64_t hash = str_hash(c->column[i].name);
        const uint32_t mine = (uint32_t)(hash >> 32);
        size_t at = (size_t)hash & (size - 1);
        while (seen[at].column != 0 &&
               (seen[at].hash != mine || !str_equal(c->column[seen[at].column - 1].name, c->column[i].name)))
            at = (at + 1) & (size - 1);
        if (seen[at].column != 0)
            twice = &c->column[i];
        seen[at] = (struct seen){mine, (uint16_t)(i + 1)};
    }
    arena_rewind(c->arena, mark);
    return twice;
}
