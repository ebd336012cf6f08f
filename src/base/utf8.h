/* utf8.h — is this text UTF-8, what is its next character, and Latin-1 made into UTF-8. */
#ifndef GALENA_BASE_UTF8_H
#define GALENA_BASE_UTF8_H

#include "base/str.h"

enum { UTF8_CHARACTER_BYTE = 4 }; /* the longest character */

/* Length of the longest prefix of `s` that is valid UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF). Equal to s.len when all of it is. ASCII is passed over 16 bytes at a time. */
size_t utf8_valid_prefix(str s);

static inline bool utf8_valid(str s) { return utf8_valid_prefix(s) == s.len; }

/* True when every byte is ASCII and none is NUL. */
bool utf8_is_plain_ascii(str s);

/* The code point at byte *at, which moves past it; -1 at the end of the text, or when the bytes there are no character (then
 * *at moves one byte, so that a loop always ends). */
int32_t utf8_next(str s, size_t *at);

/* Writes `code` (a valid code point) as UTF-8 and returns its length. */
size_t utf8_encode(uint32_t code, char to[UTF8_CHARACTER_BYTE]);

/* Writes Latin-1 bytes (ISO 8859-1) as UTF-8. `to` has room for 2 * s.len bytes. Returns the length written. */
size_t utf8_from_latin1(str s, char *to);

/* s without the end that would cut a character in two, at most max_byte long. Bytes that are no UTF-8 are kept. */
str utf8_cut(str s, size_t max_byte);

/* A copy with U+FFFD in place of each byte that belongs to no character and of each NUL: text that any reader accepts. */
str utf8_repair(struct arena *a, str s);

#endif
