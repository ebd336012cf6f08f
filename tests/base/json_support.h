/* json_support.h — for the tests of JSON and YAML: files, case lines, random trees and random damage. */
#ifndef GALENA_TESTS_BASE_JSON_SUPPORT_H
#define GALENA_TESTS_BASE_JSON_SUPPORT_H

#include "unit.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/rng.h"

#include <stdlib.h>

/* The contents of a file below tests/. */
static inline str test_file(struct arena *a, const char *path) {
    const char *root = getenv("GALENA_TESTS");
    str name = str_format(a, "%s/%s", root ? root : "tests", path);
    FILE *f = fopen(name.ptr, "rb");
    if (!f)
        fail_msg("%s cannot be opened", name.ptr);
    struct buf *b = buf_in(a, (size_t)1 << 24);
    while (buf_reserve(b, 65536)) {
        size_t n = fread(b->ptr + b->len, 1, 65536, f);
        b->len += n;
        if (n == 0)
            break;
    }
    fclose(f);
    return buf_str(b);
}

/* %HH becomes the byte of that number. */
static inline str test_unescape(struct arena *a, str s) {
    char *to = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '%' && i + 2 < s.len) {
            char hex[3] = {s.ptr[i + 1], s.ptr[i + 2], '\0'};
            to[n++] = (char)strtoul(hex, NULL, 16);
            i += 2;
        } else {
            to[n++] = s.ptr[i];
        }
    }
    return (str){to, n};
}

/* Text of all kinds: plain words, control characters, every length of UTF-8, words with a meaning in YAML. */
static inline str random_text(struct arena *a, struct rng *r) {
    static const char *const words[] = {"",
                                        "yes",
                                        "no",
                                        "null",
                                        "~",
                                        "true",
                                        "1.5",
                                        "-",
                                        "- a",
                                        "a: b",
                                        "a #b",
                                        "#",
                                        " a",
                                        "a ",
                                        "0x1f",
                                        ".inf",
                                        "1e5",
                                        "*a",
                                        "&a",
                                        "!a",
                                        "%a",
                                        "@a",
                                        "`a`",
                                        "{a}",
                                        "[a]",
                                        "a,b",
                                        "'",
                                        "\"",
                                        "\\",
                                        "\n",
                                        "a\nb",
                                        "a\n\n",
                                        "\t",
                                        "\r\n",
                                        "\x7f",
                                        "\xC2\x85",
                                        "---",
                                        "...",
                                        "\xEF\xBB\xBF",
                                        "\xE2\x80\xA8",
                                        "? a",
                                        "? ",
                                        "a:",
                                        ":",
                                        "http://x/y?z=1&t",
                                        "<<",
                                        "=",
                                        "2026-01-02",
                                        "0o17",
                                        "+1",
                                        "1_000",
                                        "|",
                                        ">",
                                        "y",
                                        "Null",
                                        "NaN",
                                        ".5",
                                        "5."};
    if (rng_below(r, 3) == 0)
        return str_from(words[rng_below(r, sizeof words / sizeof *words)]);
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "7",
                                         " ",
                                         "_",
                                         "-",
                                         ":",
                                         "#",
                                         ",",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\t",
                                         "\x01",
                                         "\x7f",
                                         "'",
                                         "/",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\xC2\x80",
                                         "\xEF\xBF\xBF",
                                         "lead"};
    size_t n = rng_below(r, 8) == 0 ? rng_below(r, 400) : rng_below(r, 12);
    str *parts = ARENA_ARRAY(a, n, str);
    for (size_t i = 0; i < n; i++) /* one in twenty is a NUL byte */
        parts[i] = rng_below(r, 20) == 0 ? (str){"\0", 1} : str_from(pieces[rng_below(r, sizeof pieces / sizeof *pieces)]);
    return str_join(a, parts, n, (str){0});
}

static inline double random_real(struct rng *r) {
    for (;;) {
        uint64_t bits = rng_next(r);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (rng_below(r, 2) == 0)
            value = (double)(int64_t)rng_below(r, 2000000) / 1000 - 1000;
        if (isfinite(value))
            return value;
    }
}

static inline struct json random_tree(struct arena *a, struct rng *r, unsigned depth);

/* Distinct keys: the text with the member's number behind it, but for the first few. */
static inline void random_members(struct arena *a, struct rng *r, unsigned depth, struct json *v) {
    struct json_member *members = ARENA_ARRAY(a, v->count, struct json_member);
    for (uint32_t i = 0; i < v->count; i++) {
        str key = random_text(a, r);
        for (uint32_t j = 0; j < i; j++)
            if (str_equal(members[j].key, key))
                key = str_format(a, "key %u", i);
        members[i] = (struct json_member){.key = key, .value = random_tree(a, r, depth - 1)};
    }
    v->members = members;
}

static inline struct json random_tree(struct arena *a, struct rng *r, unsigned depth) {
    struct json v = {.type = (enum json_type)rng_below(r, depth > 0 ? 9 : 5)};
    if (v.type > JSON_OBJECT)
        v.type = v.type == 7 ? JSON_ARRAY : JSON_OBJECT;
    if (v.type >= JSON_ARRAY)
        v.count = (uint32_t)(rng_below(r, 30) == 0 ? rng_below(r, 90) : rng_below(r, 6));
    switch (v.type) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        v.boolean = rng_below(r, 2) == 1;
        break;
    case JSON_INTEGER:
        v.integer = (int64_t)(rng_next(r) >> rng_below(r, 64)) * (rng_below(r, 2) ? 1 : -1);
        break;
    case JSON_REAL:
        v.real = random_real(r);
        break;
    case JSON_STRING:
        v.string = random_text(a, r);
        break;
    case JSON_OBJECT:
        random_members(a, r, depth, &v);
        break;
    case JSON_ARRAY: {
        struct json *items = ARENA_ARRAY(a, v.count, struct json);
        for (uint32_t i = 0; i < v.count; i++)
            items[i] = random_tree(a, r, depth - 1);
        v.items = items;
        break;
    }
    }
    return v;
}

/* A copy of the text with a few bytes changed, removed, doubled or moved. */
static inline str random_damage(struct arena *a, struct rng *r, str s) {
    static const char spice[] = "{}[]\",:\\ntfu0123456789eE+-. \n\t\x80\xC3\xE2\xF0\xFF";
    char *to = arena_alloc(a, s.len + 16);
    size_t len = s.len;
    memcpy(to, s.ptr, s.len);
    for (size_t left = 1 + rng_below(r, 3); left > 0 && len > 0; left--) {
        size_t at = rng_below(r, len);
        switch (rng_below(r, 5)) {
        case 0:
            to[at] = spice[rng_below(r, sizeof spice - 1)];
            break;
        case 1:
            memmove(to + at, to + at + 1, len - at - 1);
            len--;
            break;
        case 2:
            if (len < s.len + 8) {
                memmove(to + at + 1, to + at, len - at);
                to[at] = spice[rng_below(r, sizeof spice - 1)];
                len++;
            }
            break;
        case 3:
            len = at + 1;
            break;
        default:
            to[at] = to[rng_below(r, len)];
            break;
        }
    }
    return (str){to, len};
}

#endif
