/* tech.h — which technologies a web page shows: rules of the Wappalyzer format, compiled once, matched by many threads.
 *
 * The rules are JSON files: categories by number, and technologies by name with patterns of the kinds url, html, text,
 * scripts (inline), css, scriptSrc, headers, cookies, meta, dns and dom (docs/formats/technologies.md). What needs a running
 * page (js, xhr, probe, robots, certIssuer) is passed over.
 *
 * Hyperscan tells which patterns can match at all, PCRE2 decides; without Hyperscan PCRE2 is asked for each pattern, with
 * the same result. A page is foreign: its size, its elements, the work of selectors, the steps of a regular expression and
 * the processor time of a page have limits, and a page that reached one says so. */
#ifndef GALENA_TEXT_TECH_H
#define GALENA_TEXT_TECH_H

#include "base/str.h"

#include <stdint.h>

/* Where a pattern is looked for. If you change this: kind_names in tech_rules.c. */
enum tech_kind {
    TECH_URL,
    TECH_HTML,
    TECH_TEXT,
    TECH_SCRIPTS,
    TECH_CSS,
    TECH_SCRIPT_SRC,
    TECH_HEADERS,
    TECH_COOKIES,
    TECH_META,
    TECH_DNS,
    TECH_DOM,
    TECH_KIND_COUNT
};

/* "scriptSrc", as in the rules. */
const char *tech_kind_name(enum tech_kind kind);

/* ---- rules ---- */

/* One file of rules; the name is for messages. */
struct tech_source {
    str name, json;
};

/* A rule that could not be used; the others go on. */
struct tech_fault {
    str file, technology, kind, reason;
};

struct tech_rules;

/* Compiles the rules of all files. Files that are neither categories nor technologies are passed over. Of a technology that
 * several files have, all patterns count, and categories and relations are those of the first. Everything lives in `a` and
 * may be read by any number of threads. `prefilter` false: without Hyperscan. ERR_INPUT "tech_no_rules" when no file has a
 * technology, "json_…" when a file is no JSON. */
err tech_rules_compile(struct arena *a, const struct tech_source *source, size_t n, bool prefilter,
                       struct tech_rules **out) MUST_CHECK;

/* The JSON files in a directory and in its direct subdirectories, by name: at most 200, each at most 32 MiB. ERR_ABSENT
 * "file_missing", ERR_DENIED "file_denied", ERR_LIMIT "tech_rules_many", and the errors of file_read_all. */
err tech_rules_read(struct arena *a, const char *directory, struct tech_source **out, size_t *n) MUST_CHECK;

struct tech_rules_size {
    size_t technologies, categories, patterns, selectors;
};
struct tech_rules_size tech_rules_size(const struct tech_rules *r);
const struct tech_fault *tech_rules_faults(const struct tech_rules *r, size_t *n);

/* ---- detection ---- */

/* A header, cookie or DNS record: name without regard to case. */
struct tech_field {
    str name, value;
};

/* What is known of one page. Cookies are taken from the set-cookie headers. */
struct tech_input {
    str html, url; /* url may be empty */
    const struct tech_field *header;
    size_t n_header;
    const struct tech_field *dns; /* name: the type of record, as "TXT" */
    size_t n_dns;
};

struct tech_evidence {
    enum tech_kind kind;
    str pattern; /* the regular expression as in the rules; for dom the selector as well, in `key` */
    str key;     /* name of the header, cookie, meta value or record; the selector; else empty */
    str match;   /* what matched, at most 120 bytes */
    str version; /* what this pattern says; may be empty */
    unsigned confidence;
};

enum { TECH_EVIDENCE_MAX = 8, TECH_MATCH_BYTE = 120 };

struct tech_found {
    str name, version;
    unsigned confidence; /* 1..100: the sum over its patterns, or of what implies it the least */
    const str *category;
    size_t n_category;
    const struct tech_evidence *evidence; /* at most TECH_EVIDENCE_MAX */
    size_t n_evidence;
    str implied_by; /* a technology that implies it, when there is no evidence of its own; else empty */
};

struct tech_result {
    struct tech_found *found; /* by name */
    size_t n;
    bool incomplete; /* a limit was reached: there may be more */
};

struct tech_limits {
    size_t page_byte;    /* what is behind is not looked at */
    uint64_t page_us;    /* processor time for one page */
    uint32_t match_step; /* steps of one regular expression at one place */
    uint64_t select_step;
};

/* 4 MiB, 500 ms, 5,000 steps, 2 million comparisons. */
struct tech_limits tech_limits_default(void);

/* What one thread needs; its memory is kept from page to page. ERR_LIMIT "tech_memory". */
struct tech_worker;
err tech_worker_new(struct arena *a, const struct tech_rules *r, const struct tech_limits *limits,
                    struct tech_worker **out) MUST_CHECK;

/* The technologies of one page. The result lives in `a`, but names, patterns and categories live with the rules, and `match`
 * may point into the page. */
void tech_detect(struct tech_worker *w, struct arena *a, const struct tech_input *in, struct tech_result *out);

#endif
