/* tech_page.h — a web page taken apart once: its elements and attributes, texts, scripts, styles and meta values.
 *
 * A tokeniser for HTML as it is found, not a validator: nothing is refused, every page gives a tree. It knows void elements,
 * raw text (script, style, textarea, xmp, title), comments, implied ends of p, li, td and their like, and self-closing tags
 * inside svg and math. It reads the bytes once, without recursion, and at most TECH_DEPTH_MAX elements are open at a time:
 * what is nested deeper hangs at that depth. Its time is linear in the size of the page.
 *
 * Not libxml2: its HTML parser takes 3 to 5 times as long as the rest of the detection. Not Gumbo: quadratic in the depth.
 */
#ifndef GALENA_TEXT_TECH_PAGE_H
#define GALENA_TEXT_TECH_PAGE_H

#include "base/buf.h"

#include <stdint.h>

enum {
    TECH_DEPTH_MAX = 512,
    TECH_ELEMENT_MAX = 1 << 18,   /* elements of a page; what comes behind them is not looked at */
    TECH_ATTRIBUTE_MAX = 1 << 19, /* attributes of a page, likewise */
    TECH_PAGE_BYTE = 16 << 20     /* most that tech_page_parse takes */
};

#define TECH_NO_ELEMENT UINT32_MAX

/* Names are in lower case (ASCII), values decoded. */
struct tech_attribute {
    str name, value;
};

struct tech_element {
    str name;
    uint32_t parent, before; /* element around it; element sibling before it; TECH_NO_ELEMENT */
    uint32_t attribute, n_attribute;
    uint32_t text_from, text_to; /* its text and that of all within it: page->content[text_from..text_to) */
};

struct tech_pair {
    str name, value;
};

/* Everything points into the page's text or into memory of the struct, until the next parse. */
struct tech_page {
    struct arena *arena;
    struct tech_element *element;
    struct tech_attribute *attribute;
    size_t n_element, cap_element, n_attribute, cap_attribute;
    struct buf content; /* the text of all elements, scripts included, in the order of the page */
    struct buf text;    /* what a reader sees: without scripts and styles, a blank behind each piece */
    struct buf scripts, css, store;
    str *script_src; /* non-empty src of script elements, in order */
    size_t n_script_src, cap_script_src;
    struct tech_pair *meta; /* name or property in lower case, content */
    size_t n_meta, cap_meta;
    bool cut; /* a limit was reached: the rest of the page was not looked at */
};

/* A page whose memory grows with what it is given and lives in `a`. */
struct tech_page *tech_page_new(struct arena *a);

/* Takes `html` apart; it must live as long as the result is used. Bytes beyond TECH_PAGE_BYTE are cut off. */
void tech_page_parse(struct tech_page *p, str html);

/* The element's value of an attribute (the first of that name), or ptr NULL when it has none. */
str tech_page_attribute(const struct tech_page *p, const struct tech_element *e, str name);

/* `raw` with character references resolved (numeric, and the common names), written to `to`, which has room for raw.len
 * bytes. Returns the length. In an attribute, a reference without its semicolon is kept before "=" and letters. */
size_t tech_page_decode(str raw, bool attribute, char *to);

#endif
