/* tech_pattern.h — one pattern of a rule: "regex\;confidence:50\;version:\1?a:b", its two translations and its version text.
 *
 * The regular expressions are those of JavaScript without flags but "i": case-insensitive, "$" only at the very end, "." not
 * over line ends. What JavaScript and PCRE2 read differently is rewritten: \A and other letters that are no escape, [^], [],
 * "[" inside a class, \v, \b in a class, \u00e9, a brace that is no quantifier, \1 where there is no group. Quantifiers
 * without an upper bound on one character or class ("*", "+") end at TECH_REPEAT_MAX, as in the engines that these rules are
 * written for: it keeps a match local and its cost bounded.
 *
 * There are two texts: the one for PCRE2 decides; the one for Hyperscan accepts at least as much and says where it is worth
 * to ask. */
#ifndef GALENA_TEXT_TECH_PATTERN_H
#define GALENA_TEXT_TECH_PATTERN_H

#include "base/buf.h"

#include <stdint.h>

enum { TECH_REPEAT_MAX = 250, TECH_PATTERN_BYTE = 4096, TECH_GROUP_MAX = 32, TECH_VERSION_BYTE = 15 };

/* A pattern cut at its tags "\;". */
struct tech_parts {
    str regex, version;
    unsigned confidence; /* 0..100; 100 when not said */
};
struct tech_parts tech_pattern_split(str text);

/* Writes the translation that decides to `exact` and the one for Hyperscan to `rough`, both with a NUL at their end; *utf
 * tells whether it has characters beyond ASCII, for which PCRE2 must read pattern and subject as UTF-8. ERR_INPUT
 * "tech_pattern" when it is no regular expression of that language (what only PCRE2 can tell comes when it compiles),
 * ERR_LIMIT "tech_pattern_long". */
err tech_pattern_translate(str regex, struct buf *exact, struct buf *rough, bool *utf) MUST_CHECK;

/* The version that a template gives for the groups of a match (group[0] is the whole match; ptr NULL: not set). Groups of
 * more than ten bytes are not filled in, nor is what has no group. Written to `room`; "" when it has no version. */
str tech_version_fill(str version, const str *group, size_t n_group, char *room, size_t room_byte);

/* Whether `found` is to be preferred to `known`: the longer one, when it is no longer than TECH_VERSION_BYTE and begins with
 * a number below 10,000 (or none: time stamps are no versions). */
bool tech_version_better(str found, str known);

#endif
