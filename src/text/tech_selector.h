/* tech_selector.h — the CSS selectors that rules use: parsed once, matched against the elements of a page.
 *
 * Understood: lists (","), the four combinators, tag, *, #id, .class, [name], [name=value] with =, *=, ^=, $=, ~=, |= and
 * the flags i and s, escapes, :not(...) of one compound, :root, :first-child. Values are compared with their case, but for
 * the attributes that HTML compares without (rel, type, media, ...). An empty value of *=, ^= or $= matches nothing. */
#ifndef GALENA_TEXT_TECH_SELECTOR_H
#define GALENA_TEXT_TECH_SELECTOR_H

#include "text/tech_page.h"

enum selector_operator { SELECT_HAS, SELECT_EQUAL, SELECT_CONTAIN, SELECT_START, SELECT_END, SELECT_WORD, SELECT_DASH };

/* A test of one attribute. */
struct selector_test {
    enum selector_operator op;
    bool nocase;
    str name, value;
};

struct selector_compound {
    str tag;         /* empty: any */
    char combinator; /* to the compound on its left: ' ', '>', '+', '~'; 0 for the first */
    bool root, first_child;
    size_t n_test;
    const struct selector_test *test;
    size_t n_not;
    const struct selector_compound *not_any; /* single compounds that must not match */
};

/* From right to left: compound[0] is the element itself. */
struct tech_selector {
    size_t n_compound;
    const struct selector_compound *compound;
};

enum { SELECTOR_BYTE = 2048, SELECTOR_COMPOUND_MAX = 16, SELECTOR_TEST_MAX = 16, SELECTOR_LIST_MAX = 64 };

/* The selectors of a list. ERR_INPUT "tech_selector" when it is none, or uses what is not understood; ERR_LIMIT
 * "tech_selector_long". Lives in the arena. */
err tech_selector_parse(struct arena *a, str text, struct tech_selector **out, size_t *n) MUST_CHECK;

/* Whether element `id` matches. Each compared compound takes one from *steps; at 0 nothing matches any more. */
bool tech_selector_match(const struct tech_selector *s, const struct tech_page *p, uint32_t id, uint64_t *steps);

#endif
