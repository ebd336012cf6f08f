/* tech_priv.h — compiled rules and the state of one thread, shared by the files of tech.h. */
#ifndef GALENA_TEXT_TECH_PRIV_H
#define GALENA_TEXT_TECH_PRIV_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include "text/tech.h"
#include "text/tech_page.h"
#include "text/tech_selector.h"

#include <hs.h>
#include <pcre2.h>

enum { TECH_SCANNED = TECH_SCRIPT_SRC + 1 }; /* kinds that have a set of patterns tried on one text */

#define TECH_NONE UINT32_MAX

struct tech_pattern {
    uint32_t tech;
    enum tech_kind kind;
    uint8_t confidence;
    str regex, version;
    str key;           /* as in struct tech_evidence */
    pcre2_code *code;  /* NULL: the empty pattern, which matches anything */
    const char *rough; /* for Hyperscan */
    bool piecewise;    /* a long text may be searched in pieces */
    bool inexact;      /* has what Hyperscan can only approximate */
};

/* The patterns of one kind that are tried on one text. */
struct tech_set {
    uint32_t *pattern;
    size_t n;
    uint32_t *always; /* those that Hyperscan could not take */
    size_t n_always;
    hs_database_t *database;
};

/* A pattern for a header, cookie, meta value or record of that name (lower case); sorted by name. */
struct tech_keyed {
    str key;
    uint32_t pattern;
};

enum tech_check_kind { CHECK_EXISTS, CHECK_TEXT, CHECK_ATTRIBUTE };

struct tech_check {
    enum tech_check_kind kind;
    str attribute;
    uint32_t pattern;
};

/* One selector of a rule and what is checked on its elements. */
struct tech_dom_rule {
    const struct tech_selector *selector;
    const struct tech_check *check;
    size_t n_check;
};

/* A name (of an attribute or element) that selectors begin with, and which. */
struct tech_dom_name {
    str name;
    uint32_t *rule, *literal; /* rules for its presence; numbers of literals of its value */
    size_t n_rule, cap_rule, n_literal, cap_literal;
};

struct tech_dom_literal {
    str text, tag; /* tag: of the element, empty for any */
    uint32_t name, rule;
    bool whole; /* the literal is the whole value */
};

struct tech_names { /* open addressing; slots hold index + 1 */
    uint32_t *slot;
    size_t mask;
};

struct tech_dom {
    struct tech_dom_rule *rule;
    size_t n_rule, cap_rule;
    struct tech_dom_name *attribute, *tag;
    size_t n_attribute, cap_attribute, n_tag, cap_tag;
    struct tech_names attribute_names, tag_names;
    struct tech_dom_literal *literal;
    size_t n_literal, cap_literal;
    uint32_t *any; /* rules that begin with neither */
    size_t n_any, cap_any;
    hs_database_t *database; /* of the literals */
};

struct tech_implied {
    uint32_t tech;
    uint8_t confidence;
    str version;
};

struct technology {
    str name;
    const str *category;
    const int64_t *category_id;
    size_t n_category;
    const struct tech_implied *implies;
    size_t n_implies;
    const uint32_t *excludes, *requires;
    size_t n_excludes, n_requires;
    const int64_t *requires_category;
    size_t n_requires_category;
};

struct tech_rules {
    struct arena *arena;
    bool prefilter;
    struct technology *tech;
    size_t n_tech, cap_tech, n_category;
    struct tech_pattern *pattern;
    size_t n_pattern, cap_pattern;
    struct tech_set set[TECH_SCANNED];
    struct tech_keyed *keyed[TECH_KIND_COUNT];
    size_t n_keyed[TECH_KIND_COUNT], cap_keyed[TECH_KIND_COUNT];
    struct tech_dom dom;
    struct tech_fault *fault;
    size_t n_fault, cap_fault;
};

/* Notes a rule that cannot be used, with the reason of the last failure. */
void tech_fault_add(struct tech_rules *r, str file, str technology, str kind);

/* ---- tech_compile.c ---- */

/* Adds the pattern `text` and writes its number; a failure is one of the pattern. exact and rough are room to work in. */
err tech_pattern_add(struct tech_rules *r, struct tech_pattern pattern, str text, struct buf *exact, struct buf *rough,
                     uint32_t *out) MUST_CHECK;
/* Writes to `out` an expression for Hyperscan that matches wherever `rough` (a rough translation of tech_pattern.h) does,
 * and that a long text is searched for faster. */
void tech_rough_reduce(str rough, struct buf *out);
/* Makes the databases of the sets and of the literals. */
err tech_sets_build(struct tech_rules *r) MUST_CHECK;
/* Frees what the libraries hold when the arena ends. */
void tech_rules_defer(struct tech_rules *r);

/* ---- tech_dom.c ---- */

/* Adds a rule for a parsed selector. */
void tech_dom_add(struct tech_rules *r, const struct tech_selector *s, const struct tech_check *check, size_t n_check);
void tech_dom_index(struct tech_rules *r);
/* The number of `name`, or TECH_NONE. */
uint32_t tech_dom_find(const struct tech_names *names, const struct tech_dom_name *list, str name);

/* ---- a thread ---- */

struct tech_hit {
    uint32_t pattern;
    str match, version;
    size_t order;
};

/* Where the value of an attribute stands in the text that is scanned for literals. */
struct tech_span {
    uint32_t end; /* first byte behind it */
    uint32_t element, name;
};

struct tech_candidate {
    uint32_t element, rule;
};

enum { TECH_CANDIDATE_MAX = 1 << 16, TECH_HIT_MAX = 1 << 14 };

struct tech_worker {
    const struct tech_rules *rules;
    struct tech_limits limits;
    struct arena *arena;
    struct tech_page *page;
    hs_scratch_t *scratch;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint32_t *collected; /* patterns that Hyperscan named */
    size_t n_collected;
    uint32_t *hit_page;  /* by pattern: number of the page on which it last hit */
    uint32_t *rule_page; /* by dom rule: likewise, for those that need no second element */
    uint32_t *slot;      /* by technology: index + 1 into the list being resolved, 0 when not in it */
    uint32_t page_number;
    struct tech_hit *hit;
    size_t n_hit, cap_hit;
    struct buf values; /* of attributes, one behind the other */
    struct tech_span *span;
    size_t n_span, cap_span;
    struct tech_candidate *candidate;
    size_t n_candidate;
    uint64_t steps, began_us, n_match;
    bool incomplete;
};

/* Tries a pattern on a value and keeps the hit. False when it does not match. */
bool tech_try(struct tech_worker *w, struct arena *a, uint32_t pattern, str value);

/* Whether the time of this page is used up; marks the page. */
bool tech_late(struct tech_worker *w);

void tech_detect_dom(struct tech_worker *w, struct arena *a);

/* ---- tech_resolve.c ---- */

/* From hits to technologies: requirements, exclusions, implications. */
void tech_resolve(struct tech_worker *w, struct arena *a, struct tech_result *out);

#endif
