/* str.h — a length and a pointer: text that need not end in NUL and is never owned. */
#ifndef GALENA_BASE_STR_H
#define GALENA_BASE_STR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes, usually UTF-8. Passed by value. ptr may be NULL only when len is 0. */
typedef struct str {
    const char *ptr;
    size_t len;
} str;

#define STR(literal) ((str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                                                   \
    { "" literal, sizeof(literal) - 1 } /* for static tables */
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline str str_from(const char *cstr) { return cstr ? (str){cstr, strlen(cstr)} : (str){0}; }
static inline bool str_empty(str s) { return s.len == 0; }
static inline bool str_equal(str a, str b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

/* Equal when ASCII letters are taken without case. */
bool str_equal_nocase(str a, str b);

/* <0, 0 or >0, by bytes, the shorter first on a tie; an order that no locale changes. */
int str_compare(str a, str b);

bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);

/* Index of the first occurrence of `needle`, or -1. The _nocase form folds ASCII letters. */
ptrdiff_t str_find(str s, str needle);
ptrdiff_t str_find_nocase(str s, str needle);
ptrdiff_t str_find_byte(str s, char byte);

/* s[from..to), both clipped to the length. */
str str_slice(str s, size_t from, size_t to);

/* Without ASCII white space at both ends. */
str str_trim(str s);

/* Cuts the part before the first `separator` off *rest and stores it in *part. False when nothing is left. "a,,b" gives
 * three parts, "a," gives "a" and "", "" gives one empty part, and a str with ptr NULL none. Start with *rest = the whole.
 */
bool str_split(str *rest, char separator, str *part);

/* Copies into the arena; the copy ends in NUL (not counted in len). */
str str_copy(struct arena *a, str s);
char *str_cstr(struct arena *a, str s);
str str_lower(struct arena *a, str s); /* ASCII letters only */
str str_join(struct arena *a, const str *parts, size_t n, str separator);
str str_format(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

/* Without case (ASCII letters) and with each run of white space as one blank, none at the ends: what spellings of one text
 * have in common. `room` has n bytes; when the result might not fit it is the trimmed text itself. */
str str_fold(str text, char *room, size_t n);

/* A 64-bit hash of the bytes (wyhash-like mixing; not for adversarial input without a limit on entries; the same in every
 * run).
 */
uint64_t str_hash(str s);

#endif
