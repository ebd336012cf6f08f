/* str.c — text by pointer and length. */
#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static unsigned char fold(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool str_equal_nocase(str a, str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.ptr[i]) != fold(b.ptr[i]))
            return false;
    return true;
}

int str_compare(str a, str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(str s, str prefix) { return s.len >= prefix.len && str_equal(str_slice(s, 0, prefix.len), prefix); }

bool str_ends(str s, str suffix) {
    return s.len >= suffix.len && str_equal(str_slice(s, s.len - suffix.len, s.len), suffix);
}

ptrdiff_t str_find(str s, str needle) {
    if (needle.len == 0)
        return 0;
    const char *at = s.len > 0 ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return at ? at - s.ptr : -1;
}

ptrdiff_t str_find_nocase(str s, str needle) {
    for (size_t i = 0; i + needle.len <= s.len; i++)
        if (str_equal_nocase(str_slice(s, i, i + needle.len), needle))
            return (ptrdiff_t)i;
    return -1;
}

ptrdiff_t str_find_byte(str s, char byte) {
    const char *at = s.len > 0 ? memchr(s.ptr, byte, s.len) : NULL;
    return at ? at - s.ptr : -1;
}

str str_slice(str s, size_t from, size_t to) {
    if (to > s.len)
        to = s.len;
    if (from >= to)
        return (str){0};
    return (str){s.ptr + from, to - from};
}

str str_trim(str s) {
    size_t from = 0, to = s.len;
    while (from < to && is_space(s.ptr[from]))
        from++;
    while (to > from && is_space(s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

bool str_split(str *rest, char separator, str *part) {
    if (!rest->ptr)
        return false;
    ptrdiff_t at = str_find_byte(*rest, separator);
    if (at < 0) {
        *part = *rest;
        *rest = (str){0};
        return true;
    }
    *part = (str){rest->ptr, (size_t)at};
    *rest = (str){rest->ptr + at + 1, rest->len - (size_t)at - 1};
    return true;
}

char *str_cstr(struct arena *a, str s) {
    char *to = arena_alloc(a, s.len + 1);
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    return to;
}

str str_copy(struct arena *a, str s) { return (str){str_cstr(a, s), s.len}; }

str str_lower(struct arena *a, str s) {
    char *to = arena_alloc(a, s.len + 1);
    for (size_t i = 0; i < s.len; i++)
        to[i] = (char)fold(s.ptr[i]);
    return (str){to, s.len};
}

str str_join(struct arena *a, const str *parts, size_t n, str separator) {
    size_t len = n > 1 ? separator.len * (n - 1) : 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    char *to = arena_alloc(a, len + 1), *at = to;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && separator.len > 0)
            at = (char *)mempcpy(at, separator.ptr, separator.len);
        if (parts[i].len > 0)
            at = (char *)mempcpy(at, parts[i].ptr, parts[i].len);
    }
    return (str){to, len};
}

str str_format(struct arena *a, const char *format, ...) {
    va_list args, again;
    assert(format); /* gcc's -Wformat-truncation wants to be told under the sanitizers */
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t len = n > 0 ? (size_t)n : 0;
    char *to = arena_alloc(a, len + 1);
    vsnprintf(to, len + 1, format, again);
    va_end(again);
    return (str){to, len};
}

str str_fold(str text, char *room, size_t n) {
    str s = str_trim(text);
    size_t k = 0;
    bool blank = false;
    if (s.len > n)
        return s;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_space(c)) {
            blank = true;
            continue;
        }
        if (blank)
            room[k++] = ' ';
        blank = false;
        room[k++] = (char)fold(c);
    }
    return (str){room, k};
}

static uint64_t mix(uint64_t x, uint64_t y) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load_word(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static uint64_t load_half(const char *p) {
    uint32_t half;
    memcpy(&half, p, sizeof half);
    return half;
}

/* 1 to 7 bytes as the low end of a word, from loads of fixed sizes that overlap: a copy of a size not known before is a
 * call.
 */
static uint64_t load_few(const char *p, size_t n) {
    if (n >= 4)
        return load_half(p) | load_half(p + n - 4) << 8 * (n - 4);
    const size_t middle = n / 2, last = n - 1;
    return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[middle] << 8 * middle |
           (uint64_t)(unsigned char)p[last] << 8 * last;
}

uint64_t str_hash(str s) {
    const uint64_t k0 = 0xa0761d6478bd642full, k1 = 0xe7037ed1a0b428dbull;
    uint64_t h = k0 ^ s.len;
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8)
        h = mix(h ^ load_word(s.ptr + i), k1);
    if (i < s.len)
        h = mix(h ^ load_few(s.ptr + i, s.len - i), k1);
    return mix(h ^ k1, k0);
}
