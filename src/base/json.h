/* json.h — strict JSON (RFC 8259): a read-only tree in an arena, and a writer.
 *
 * Strict means: UTF-8 only, no byte order mark, no duplicate keys, no trailing commas or text, no lone surrogates, no
 * numbers a double cannot hold. A number without point and exponent is whole: it stays exact, and one that does not fit
 * int64 is refused, because it is an identifier more often than a quantity. "-0" is the real number -0, "1e5" the real
 * number 100000. The same tree is what yaml.h produces, so that one reader serves both. Every value and every key knows the
 * line and column it came from, for messages. */
#ifndef GALENA_BASE_JSON_H
#define GALENA_BASE_JSON_H

#include "base/buf.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_INTEGER, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

enum { JSON_DEPTH_MAX = 1024 }; /* no limit goes beyond it: walking a tree may recurse */

struct json_member;

/* A value. Read the field that belongs to `type`; `count` is the number of items or members. Strings end in NUL as well. */
struct json {
    enum json_type type;
    uint32_t count;
    uint32_t line, column; /* 1-based, column in characters; 0 when made by a program */
    union {
        bool boolean;
        int64_t integer;
        double real;
        str string;
        const struct json *items;
        struct {
            const struct json_member *members; /* in the order of the text */
            const uint32_t *by_key;            /* their indices in byte order of the keys; NULL in small objects */
        };
    };
};

struct json_member {
    str key;
    uint32_t line, column; /* of the key, as in struct json */
    struct json value;
};

/* Bounds on foreign text; every field 0 means the default named behind it. */
struct json_limits {
    size_t max_byte;    /* 64 MiB */
    uint32_t max_depth; /* 128; arrays and objects around a value; at most JSON_DEPTH_MAX */
    size_t max_value;   /* 10 million */
};

/* Parses `text` into a tree that does not point into it. `limits` may be NULL. ERR_INPUT (slugs "json_…") with line and
 * column, or ERR_LIMIT. */
err json_parse(struct arena *a, str text, const struct json_limits *limits, const struct json **out) MUST_CHECK;

/* The member's value, or NULL when v is NULL, not an object or has no such key. Linear for small objects, a binary search in
 * large. */
const struct json *json_get(const struct json *v, str key);

/* The value at a JSON pointer (RFC 6901), or NULL. */
const struct json *json_pointer(const struct json *v, str pointer);

/* Typed reads that name the place in their message: ERR_ABSENT (slug "json_absent") when there is no object or no such key,
 * ERR_INPUT (slug "json_type") when it is another type. An integer is accepted where a number is asked for, and a real
 * number that is whole and exact (1e5, below 2^53) where an integer is asked for. */
err json_get_string(const struct json *object, str key, str *out) MUST_CHECK;
err json_get_number(const struct json *object, str key, double *out) MUST_CHECK;
err json_get_integer(const struct json *object, str key, int64_t *out) MUST_CHECK;
err json_get_bool(const struct json *object, str key, bool *out) MUST_CHECK;
err json_get_array(const struct json *object, str key, const struct json **out) MUST_CHECK;
err json_get_object(const struct json *object, str key, const struct json **out) MUST_CHECK;

/* Array of numbers → a new double array of *n in the arena. */
err json_get_numbers(struct arena *a, const struct json *object, str key, double **out, size_t *n) MUST_CHECK;

/* The key as a text at its own place, for messages about the key and not about its value. */
static inline struct json json_key_of(const struct json_member *m) {
    return (struct json){.type = JSON_STRING, .line = m->line, .column = m->column, .string = m->key};
}

static inline bool json_is_number(const struct json *v) { return v && (v->type == JSON_INTEGER || v->type == JSON_REAL); }
static inline double json_number_of(const struct json *v) { return v->type == JSON_INTEGER ? (double)v->integer : v->real; }
const char *json_type_name(enum json_type type); /* "an object", "a whole number", "text", … */

/* Structural equality; members in any order; numbers are equal when their exact values are (1 and 1.0, 0 and -0). */
bool json_equal(const struct json *a, const struct json *b);

/* ---- writing ---- */

/* Writes one document into a buffer. Nesting and commas are the writer's; a misuse (a key outside an object, a value without
 * a key in one, a close that does not match, a second document, more than JSON_DEPTH_MAX levels) is a bug and asserts.
 * Numbers are written in the shortest form that reads back the same; NaN and infinities as null. Bytes that are not UTF-8
 * become U+FFFD, so that what is written can always be read. */
struct json_writer {
    struct buf *out;
    uint32_t depth, indent; /* indent: spaces per level, 0 for one line */
    bool first, after_key;
    uint64_t in_object[JSON_DEPTH_MAX / 64]; /* one bit for each open level */
};

void json_write_begin(struct json_writer *w, struct buf *out, uint32_t indent);
void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, str key);
void json_string(struct json_writer *w, str value);
void json_number(struct json_writer *w, double value);
void json_integer(struct json_writer *w, int64_t value);
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
void json_value(struct json_writer *w, const struct json *v); /* a whole tree */

/* key and value in one call */
void json_put_string(struct json_writer *w, str key, str value);
void json_put_number(struct json_writer *w, str key, double value);
void json_put_integer(struct json_writer *w, str key, int64_t value);
void json_put_bool(struct json_writer *w, str key, bool value);
void json_put_numbers(struct json_writer *w, str key, const double *values, size_t n);

/* The tree with object keys in byte order and no white space: equal documents give equal bytes (for hashing). */
void json_write_canonical(struct buf *out, const struct json *v);

#endif
