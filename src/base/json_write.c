/* json_write.c — the JSON writer: commas, nesting, escapes, canonical form. */
#include "base/json_priv.h"
#include "base/number.h"
#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* ---- text ---- */

static void escape_ascii(struct buf *out, unsigned char c) {
    static const char from[] = "\"\\\b\f\n\r\t", into[] = "\"\\bfnrt";
    const char *known = c != 0 ? strchr(from, c) : NULL;
    if (known)
        buf_add(out, (str){(char[]){'\\', into[known - from]}, 2});
    else
        buf_add_format(out, "\\u%04x", c);
}

/* YAML does not print C1 controls (but U+0085, which it may fold), line separators, the byte order mark and the two
 * non-characters. */
static bool yaml_must_escape(uint32_t c) {
    return c < 0xA0 || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

/* One character from 0x80 on; returns its length. A byte that belongs to none is replaced. */
static size_t add_wide(struct buf *out, str s, bool yaml) {
    size_t n = 0;
    const int32_t code = utf8_next(s, &n);
    if (code < 0)
        buf_add(out, STR("\xEF\xBF\xBD"));
    else if (yaml && yaml_must_escape((uint32_t)code))
        buf_add_format(out, "\\u%04x", (unsigned)code);
    else
        buf_add(out, (str){s.ptr, n});
    return n;
}

/* The part of `s` that can be written as it is. YAML does not print DEL; looking for it goes block by block. */
static size_t run_as_is(str s, bool yaml) {
    if (!yaml)
        return json_plain_run(s);
    enum { BLOCK = 256 };
    str run = str_slice(s, 0, json_plain_run(str_slice(s, 0, BLOCK)));
    ptrdiff_t delete = str_find_byte(run, 0x7f);
    return delete < 0 ? run.len : (size_t) delete;
}

void json_quote(struct buf *out, str s, bool yaml) {
    buf_add_byte(out, '"');
    while (s.len > 0) {
        size_t n = run_as_is(s, yaml);
        if (n > 0) {
            buf_add(out, (str){s.ptr, n});
        } else if ((unsigned char)s.ptr[0] >= 0x80) {
            n = add_wide(out, s, yaml);
        } else {
            escape_ascii(out, (unsigned char)s.ptr[0]);
            n = 1;
        }
        s = str_slice(s, n, s.len);
    }
    buf_add_byte(out, '"');
}

static void add_real(struct buf *out, double value) {
    char text[40];
    if (isfinite(value))
        buf_add(out, (str){text, json_real_text(value, text)});
    else
        buf_add(out, STR("null"));
}

static void add_integer(struct buf *out, int64_t value) {
    char text[NUMBER_TEXT_BYTE];
    buf_add(out, (str){text, number_format_integer(value, text)});
}

/* ---- the writer ---- */

void json_write_begin(struct json_writer *w, struct buf *out, uint32_t indent) {
    *w = (struct json_writer){.out = out, .indent = indent, .first = true};
}

static bool inside_object(const struct json_writer *w) {
    return w->depth > 0 && (w->in_object[(w->depth - 1) / 64] >> ((w->depth - 1) % 64) & 1) != 0;
}

static void new_line(struct json_writer *w) {
    static const char spaces[] = "                                ";
    if (w->indent == 0)
        return;
    buf_add_byte(w->out, '\n');
    for (size_t left = (size_t)w->depth * w->indent; left > 0;) {
        size_t n = left < sizeof spaces - 1 ? left : sizeof spaces - 1;
        buf_add(w->out, (str){spaces, n});
        left -= n;
    }
}

/* What stands before an item or a key: a comma unless it is the first, and its line. */
static void separate(struct json_writer *w) {
    if (!w->first)
        buf_add_byte(w->out, ',');
    if (w->depth > 0)
        new_line(w);
    w->first = false;
}

/* Every value starts here. */
static void start_value(struct json_writer *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    assert(!inside_object(w) && "a value in an object needs a key");
    assert((w->depth > 0 || w->first) && "one document only");
    separate(w);
}

static void open_level(struct json_writer *w, char bracket, bool object) {
    start_value(w);
    assert(w->depth < JSON_DEPTH_MAX);
    const uint64_t bit = (uint64_t)1 << (w->depth % 64);
    uint64_t *word = &w->in_object[w->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    w->depth++;
    w->first = true;
    buf_add_byte(w->out, bracket);
}

static void close_level(struct json_writer *w, char bracket, bool object) {
    assert(w->depth > 0 && inside_object(w) == object && !w->after_key);
    (void)object;
    w->depth--;
    if (!w->first)
        new_line(w);
    w->first = false;
    buf_add_byte(w->out, bracket);
}

void json_open_object(struct json_writer *w) { open_level(w, '{', true); }

void json_close_object(struct json_writer *w) { close_level(w, '}', true); }

void json_open_array(struct json_writer *w) { open_level(w, '[', false); }

void json_close_array(struct json_writer *w) { close_level(w, ']', false); }

void json_key(struct json_writer *w, str key) {
    assert(inside_object(w) && !w->after_key && "a key belongs into an object");
    separate(w);
    json_quote(w->out, key, false);
    buf_add(w->out, w->indent > 0 ? STR(": ") : STR(":"));
    w->after_key = true;
}

void json_string(struct json_writer *w, str value) {
    start_value(w);
    json_quote(w->out, value, false);
}

void json_number(struct json_writer *w, double value) {
    start_value(w);
    add_real(w->out, value);
}

void json_integer(struct json_writer *w, int64_t value) {
    start_value(w);
    add_integer(w->out, value);
}

void json_bool(struct json_writer *w, bool value) {
    start_value(w);
    buf_add(w->out, value ? STR("true") : STR("false"));
}

void json_null(struct json_writer *w) {
    start_value(w);
    buf_add(w->out, STR("null"));
}

static void write_array(struct json_writer *w, const struct json *v) {
    json_open_array(w);
    for (uint32_t i = 0; i < v->count; i++)
        json_value(w, &v->items[i]);
    json_close_array(w);
}

static void write_object(struct json_writer *w, const struct json *v) {
    json_open_object(w);
    for (uint32_t i = 0; i < v->count; i++) {
        json_key(w, v->members[i].key);
        json_value(w, &v->members[i].value);
    }
    json_close_object(w);
}

void json_value(struct json_writer *w, const struct json *v) {
    switch (v->type) {
    case JSON_NULL:
        json_null(w);
        break;
    case JSON_BOOL:
        json_bool(w, v->boolean);
        break;
    case JSON_INTEGER:
        json_integer(w, v->integer);
        break;
    case JSON_REAL:
        json_number(w, v->real);
        break;
    case JSON_STRING:
        json_string(w, v->string);
        break;
    case JSON_ARRAY:
        write_array(w, v);
        break;
    case JSON_OBJECT:
        write_object(w, v);
        break;
    }
}

void json_put_string(struct json_writer *w, str key, str value) {
    json_key(w, key);
    json_string(w, value);
}

void json_put_number(struct json_writer *w, str key, double value) {
    json_key(w, key);
    json_number(w, value);
}

void json_put_integer(struct json_writer *w, str key, int64_t value) {
    json_key(w, key);
    json_integer(w, value);
}

void json_put_bool(struct json_writer *w, str key, bool value) {
    json_key(w, key);
    json_bool(w, value);
}

void json_put_numbers(struct json_writer *w, str key, const double *values, size_t n) {
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        json_number(w, values[i]);
    json_close_array(w);
}

/* ---- canonical form ---- */

static void write_canonical(struct json_writer *w, const struct json *v);

static int compare_member(const void *x, const void *y) {
    const struct json_member *const *a = x, *const *b = y;
    return str_compare((*a)->key, (*b)->key);
}

static void write_sorted(struct json_writer *w, const struct json_member **sorted, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        json_key(w, sorted[i]->key);
        write_canonical(w, &sorted[i]->value);
    }
}

static void write_canonical_object(struct json_writer *w, const struct json *v) {
    json_open_object(w);
    const struct json_member **sorted = calloc(v->count ? v->count : 1, sizeof *sorted);
    if (sorted) {
        for (uint32_t i = 0; i < v->count; i++)
            sorted[i] = &v->members[i];
        qsort(sorted, v->count, sizeof(const struct json_member *), compare_member);
        write_sorted(w, sorted, v->count);
        free(sorted);
    } else {
        w->out->over = true;
    }
    json_close_object(w);
}

static void write_canonical(struct json_writer *w, const struct json *v) {
    if (v->type == JSON_OBJECT) {
        write_canonical_object(w, v);
    } else if (v->type == JSON_ARRAY) {
        json_open_array(w);
        for (uint32_t i = 0; i < v->count; i++)
            write_canonical(w, &v->items[i]);
        json_close_array(w);
    } else if (v->type == JSON_REAL && fabs(v->real) < 0x1p63 && trunc(v->real) == v->real) {
        json_integer(w, (int64_t)v->real); /* 1.0 and 1 are equal, and so are -0 and 0 */
    } else {
        json_value(w, v);
    }
}

void json_write_canonical(struct buf *out, const struct json *v) {
    struct json_writer w;
    json_write_begin(&w, out, 0);
    write_canonical(&w, v);
}
