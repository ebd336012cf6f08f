/* registry_priv.h — the index as it lies in memory and in the file. If you change this: REGISTRY_VERSION,
 * docs/formats/registry.md. */
#ifndef GALENA_ENRICH_REGISTRY_PRIV_H
#define GALENA_ENRICH_REGISTRY_PRIV_H

#include "enrich/registry.h"

enum { REGISTRY_VERSION = 1, REGISTRY_LINE_BYTE = 128, REGISTRY_GRAM_COUNT = 1 << 16, REGISTRY_NONE = -1 };

/* Marks in front of terms that are no word of a name: the words of a name in one, its initials, a web domain. */
enum { REGISTRY_JOINED = '=', REGISTRY_INITIALS = '#', REGISTRY_DOMAIN = '@' };

struct registry_text {
    uint32_t at, len;
};

struct registry_entity {
    struct registry_text id, domain, country, city;
    uint32_t name, n_name; /* its names; the first is the present one */
};

struct registry_name {
    struct registry_text text;
    uint32_t entity, token;
    uint16_t form;
    uint8_t n_token, former;
    float mass; /* Σ rarity of its words, in nats */
};

struct registry_term {
    struct registry_text text;
    uint32_t df;      /* organisations that have it */
    uint32_t posting; /* names that have it: up to the next term's */
};

struct registry_head {
    uint64_t entity, name, token, term, posting, gram, slot, heap; /* how many of each */
};

struct registry {
    const struct match_forms *forms;
    const struct registry_head *head;
    const struct registry_entity *entity;
    const struct registry_name *name;
    const uint32_t *token;            /* words of the names: terms */
    const struct registry_term *term; /* one more than head->term, whose posting is the end */
    const uint32_t *posting;
    const uint32_t *gram_start; /* REGISTRY_GRAM_COUNT + 1 */
    const uint32_t *gram;       /* words that have a trigram of this number */
    const uint32_t *slot;       /* term + 1 by hash; a power of two, never full */
    const char *heap;
    str bytes; /* the file */
};

/* Bytes of the content, and where its parts lie behind `content` (8-byte aligned; not looked at when `r` is NULL). 0 when
 * the counts are impossible. */
uint64_t registry_lay_out(const struct registry_head *head, const char *content, struct registry *r);

static inline str registry_text_of(const struct registry *r, struct registry_text t) { return (str){r->heap + t.at, t.len}; }

/* The number of a term with its mark (0 for a word), or REGISTRY_NONE. */
int64_t registry_find_term(const struct registry *r, char mark, str text);

/* −ln of the share of organisations that have a word which df of them have: how much it tells, in nats. */
double registry_rarity(const struct registry *r, uint32_t df);

/* Calls for each trigram of a word with a blank at both ends: its number below REGISTRY_GRAM_COUNT, each once, ascending.
 * Returns how many; at most REGISTRY_GRAM_MAX. */
enum { REGISTRY_GRAM_MAX = 32 };
size_t registry_grams_of(str word, uint32_t gram[REGISTRY_GRAM_MAX]);

/* A web domain in one spelling: of a URL or an e-mail address its host, in lower case, without "www."; at most cap bytes. */
size_t registry_domain_form(str raw, char *to, size_t cap);

#endif
