/* yaml_write.c — a tree as block-style YAML for people, quoted wherever a reader could take text for something else. */
#include "base/json_priv.h"
#include "base/number.h"
#include "base/yaml.h"
#include "base/yaml_priv.h"

#include <math.h>

enum { LEVEL = 2, LINE_BYTE = 80, LONGEST_PLAIN = 200, LONGEST_SIMPLE_KEY = 150 };

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool plain_inside(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || (c != '\0' && strchr(" _-./+@()%:&'=;*!$^|~<>?", c));
}

/* Words that readers of older YAML take for true or false. */
static bool is_old_word(str s) {
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal_nocase(s, str_from(words[i])))
            return true;
    return false;
}

/* True when `s` may stand without quotes, in block and in flow style. */
static bool is_plain(str s) {
    struct json value;
    bool fits;
    if (s.len == 0 || s.len > LONGEST_PLAIN || !(is_letter(s.ptr[0]) || s.ptr[0] == '_' || s.ptr[0] == '/'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        const bool last = i + 1 == s.len;
        if (!plain_inside(s.ptr[i]) || (last && s.ptr[i] == ' ') || (s.ptr[i] == ':' && (last || s.ptr[i + 1] == ' ')))
            return false;
    }
    return yaml_plain_type(s, &value, &fits) == JSON_STRING && !is_old_word(s);
}

static void add_text(struct buf *out, str s) {
    if (is_plain(s))
        buf_add(out, s);
    else
        json_quote(out, s, true);
}

static void add_spaces(struct buf *out, uint32_t n) {
    for (; n > 0; n--)
        buf_add_byte(out, ' ');
}

/* ---- what fits on one line ---- */

static bool is_container(const struct json *v) { return v->type == JSON_ARRAY || v->type == JSON_OBJECT; }

static bool is_short_array(const struct json *v) {
    size_t width = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct json *item = &v->items[i];
        if (is_container(item))
            return false;
        width += 2 + (item->type == JSON_STRING ? item->string.len : 8);
        if (width > LINE_BYTE)
            return false;
    }
    return true;
}

static bool is_inline(const struct json *v) {
    return !is_container(v) || v->count == 0 || (v->type == JSON_ARRAY && is_short_array(v));
}

static void add_number(struct buf *out, const struct json *v) {
    char text[40];
    if (v->type == JSON_INTEGER)
        buf_add(out, (str){text, number_format_integer(v->integer, text)});
    else if (isfinite(v->real))
        buf_add(out, (str){text, json_real_text(v->real, text)});
    else
        buf_add(out, STR("null"));
}

static void write_inline(struct buf *out, const struct json *v) {
    switch (v->type) {
    case JSON_NULL:
        buf_add(out, STR("null"));
        break;
    case JSON_BOOL:
        buf_add(out, v->boolean ? STR("true") : STR("false"));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        add_number(out, v);
        break;
    case JSON_STRING:
        add_text(out, v->string);
        break;
    case JSON_OBJECT:
        buf_add(out, STR("{}"));
        break;
    case JSON_ARRAY:
        buf_add_byte(out, '[');
        for (uint32_t i = 0; i < v->count; i++) {
            buf_add(out, i > 0 ? STR(", ") : STR(""));
            write_inline(out, &v->items[i]);
        }
        buf_add_byte(out, ']');
        break;
    }
}

/* ---- blocks ---- */

static void write_block(struct buf *out, const struct json *v, uint32_t indent);

/* After a dash or the colon of an explicit key: on the same line. */
static void write_here(struct buf *out, const struct json *v, uint32_t indent) {
    if (is_inline(v)) {
        write_inline(out, v);
        buf_add_byte(out, '\n');
    } else {
        write_block(out, v, indent + LEVEL);
    }
}

static void write_member(struct buf *out, const struct json_member *m, uint32_t indent) {
    if (m->key.len > LONGEST_SIMPLE_KEY) { /* YAML bounds the length of a key that is followed by its colon */
        buf_add(out, STR("? "));
        add_text(out, m->key);
        buf_add_byte(out, '\n');
        add_spaces(out, indent);
        buf_add(out, STR(": "));
        write_here(out, &m->value, indent);
        return;
    }
    add_text(out, m->key);
    buf_add_byte(out, ':');
    buf_add_byte(out, is_inline(&m->value) ? ' ' : '\n');
    if (!is_inline(&m->value))
        add_spaces(out, indent + LEVEL);
    write_here(out, &m->value, indent);
}

/* A container with items, each on its own line; the first starts where the buffer stands. */
static void write_block(struct buf *out, const struct json *v, uint32_t indent) {
    for (uint32_t i = 0; i < v->count; i++) {
        if (i > 0)
            add_spaces(out, indent);
        if (v->type == JSON_OBJECT) {
            write_member(out, &v->members[i], indent);
        } else {
            buf_add(out, STR("- "));
            write_here(out, &v->items[i], indent);
        }
    }
}

void yaml_write(struct buf *out, const struct json *v) {
    if (is_inline(v)) {
        write_inline(out, v);
        buf_add_byte(out, '\n');
    } else {
        write_block(out, v, 0);
    }
}
