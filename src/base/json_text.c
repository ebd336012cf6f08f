/* json_text.c — what the readers and writers share: open values, sealed objects, plain characters. */
#include "base/json_priv.h"
#include "base/number.h"
#include "base/utf8.h"

#include <stdlib.h>

enum { LARGE_OBJECT = 32 }; /* members from which an object is sorted by key */

struct json_limits json_limits_or_default(const struct json_limits *limits, size_t max_byte) {
    struct json_limits l = limits ? *limits : (struct json_limits){0};
    if (l.max_byte == 0)
        l.max_byte = max_byte;
    if (l.max_byte > UINT32_MAX)
        l.max_byte = UINT32_MAX; /* lines and columns are 32 bits wide */
    if (l.max_depth == 0)
        l.max_depth = 128;
    if (l.max_depth > JSON_DEPTH_MAX)
        l.max_depth = JSON_DEPTH_MAX;
    if (l.max_value == 0)
        l.max_value = 10 * 1000 * 1000;
    if (l.max_value > UINT32_MAX)
        l.max_value = UINT32_MAX;
    return l;
}

/* ---- values of open containers ---- */

void json_stack_init(struct json_stack *s, struct arena *a) {
    s->arena = a;
    s->heap = NULL;
    s->ptr = s->first;
    s->len = 0;
    s->cap = sizeof s->first;
}

void json_stack_done(struct json_stack *s) {
    if (s->heap)
        buf_done(s->heap);
}

static bool grow(struct json_stack *s, size_t size) {
    if (!s->heap) {
        s->heap = buf_in(s->arena, arena_limit(s->arena));
        buf_add(s->heap, (str){s->ptr, s->len});
    }
    s->heap->len = s->len;
    if (!buf_reserve(s->heap, size))
        return false;
    s->ptr = s->heap->ptr;
    s->cap = s->heap->cap;
    return true;
}

void *json_stack_push(struct json_stack *s, size_t size) {
    if (size > s->cap - s->len && !grow(s, size))
        return NULL;
    void *slot = s->ptr + s->len;
    s->len += size;
    return slot;
}

void *json_stack_take(struct json_stack *s, size_t base) {
    void *block = arena_copy(s->arena, s->ptr + base, s->len - base);
    s->len = base;
    return block;
}

/* ---- objects ---- */

static int compare_by_key(const void *x, const void *y, void *object) {
    const struct json_member *m = ((const struct json *)object)->members;
    const uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
    int order = str_compare(m[i].key, m[j].key);
    return order != 0 ? order : (i > j) - (i < j);
}

static const struct json_member *find_twice_small(const struct json_member *m, uint32_t n) {
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t j = 0; j < i; j++)
            if (m[j].key.len == m[i].key.len && memcmp(m[j].key.ptr, m[i].key.ptr, m[i].key.len) == 0)
                return &m[i];
    return NULL;
}

const struct json_member *json_object_seal(struct arena *a, struct json *object) {
    const uint32_t n = object->count;
    const struct json_member *m = object->members;
    if (n < LARGE_OBJECT)
        return find_twice_small(m, n);
    uint32_t *by_key = ARENA_ARRAY(a, n, uint32_t), first = n;
    for (uint32_t i = 0; i < n; i++)
        by_key[i] = i;
    qsort_r(by_key, n, sizeof *by_key, compare_by_key, object);
    for (uint32_t i = 1; i < n; i++)
        if (by_key[i] < first && str_equal(m[by_key[i]].key, m[by_key[i - 1]].key))
            first = by_key[i];
    object->by_key = by_key;
    return first < n ? &m[first] : NULL;
}

/* ---- characters ---- */

/* True when one of the eight bytes is '"', '\', below 0x20 or from 0x80 on. */
static inline bool has_special(uint64_t w) {
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    const uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
    return ((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & tops) != 0;
}

static inline bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

size_t json_plain_run(str s) {
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + i, sizeof word);
        if (has_special(word))
            break;
    }
    while (i < s.len && is_plain((unsigned char)s.ptr[i]))
        i++;
    return i;
}

str json_clip(str s) { return utf8_cut(s, 60); }

size_t json_real_text(double value, char text[40]) {
    size_t n = number_format(value, text);
    if ((value > 0x1p53 || value < -0x1p53) && !memchr(text, 'e', n) && !memchr(text, '.', n)) {
        memcpy(text + n, ".0", 2);
        n += 2;
    }
    return n;
}
