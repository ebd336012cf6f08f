/* dedupe_priv.h — what the files of the resolver share: values, fields, blocks. */
#ifndef GALENA_VALIDATE_DEDUPE_PRIV_H
#define GALENA_VALIDATE_DEDUPE_PRIV_H

#include "validate/dedupe.h"

enum { DEDUPE_TEXT_BYTE = 64 }; /* of a normal form; longer texts are cut */

/* How two values are compared. If you change this: the tables in dedupe_value.c and dedupe_compare.c. */
enum dedupe_form { FORM_WORD, FORM_WORDS, FORM_CODE, FORM_DATE, FORM_EMAIL, FORM_COUNT };

/* A text in its normal form. */
struct value {
    const char *text;
    uint64_t letters; /* one bit for each letter and digit that occurs in it */
    uint64_t sound;   /* text_sound of it; of an e-mail address: of the part before the @ */
    uint16_t len;
    uint16_t local; /* bytes before the @ of an e-mail address */
};

/* The texts of a field; number 0 is the missing one. */
struct dictionary {
    struct value *value;
    uint32_t *slot; /* open addressing by str_hash; 0 is free */
    size_t n, cap, n_slot;
};

struct field {
    enum dedupe_kind kind;
    enum dedupe_form form;
    uint8_t exact;           /* the level of equal values */
    struct dictionary *dict; /* shared with the twin */
    int twin;                /* the field whose value may stand in this one by mistake, or -1 */
    bool first_twin;         /* of the two, the one that is compared for both */
    uint32_t *id;            /* of each row */
    size_t cap;
    uint32_t *count; /* of each value: rows that have it */
    float *rarity;   /* of each value: what linkage_pair.rarity gets when both have it */
};

/* Where a row stands in a pass: rows of one key stand together, the similar ones near each other. Key 0: nowhere. */
struct place {
    uint32_t key, at;
};

struct blocks {
    size_t n_pass;
    uint32_t window;
    uint32_t *order[DEDUPE_PASS_MAX];
    size_t n_order[DEDUPE_PASS_MAX]; /* rows with a key */
    struct place *place;             /* place[row * n_pass + pass] */
    uint64_t bound;                  /* candidates at most */
};

struct edge {
    uint32_t a, b;
    float log_odds;
};

struct dedupe {
    struct arena *arena;
    struct dedupe_options options;
    struct field field[LINKAGE_FIELD_MAX];
    size_t n_field;
    size_t n_row, n_file[2];
    uint8_t *file; /* of each row; NULL unless linking */
    size_t file_cap;
    struct blocks blocks;
    struct linkage model;
    double bound[LINKAGE_FIELD_MAX]; /* the most that values which are not equal can add to the log-odds */
    double prior;                    /* ln π_M − ln π_U */
    double floor;                    /* least log-odds of a pair */
    bool everything;                 /* all pairs are candidates */
};

static inline str value_str(const struct value *v) { return (str){v->text, v->len}; }
static inline const struct value *value_at(const struct field *f, uint32_t row) { return &f->dict->value[f->id[row]]; }
static inline bool can_pair(const struct dedupe *d, uint32_t a, uint32_t b) {
    return a != b && (!d->file || d->file[a] != d->file[b]);
}

/* The form and levels of a kind. */
enum dedupe_form dedupe_form_of(enum dedupe_kind kind);
uint8_t dedupe_exact_level(enum dedupe_form form);
unsigned dedupe_level_count(enum dedupe_form form, bool twin);
double dedupe_apart_max(enum dedupe_kind kind); /* linkage_field.apart_max */
bool dedupe_is_personal(enum dedupe_kind kind, unsigned level);

/* Bytes of the normal form of a cell, written to `to`; 0: nothing is known. */
size_t dedupe_normal_form(enum dedupe_kind kind, str cell, char to[DEDUPE_TEXT_BYTE]);

/* All levels and rarities of a pair. */
void dedupe_compare(const struct dedupe *d, uint32_t a, uint32_t b, struct linkage_pair *p);

/* The rarities of a pair from its levels and the values of one of its rows. */
void dedupe_weigh(const struct dedupe *d, uint32_t a, struct linkage_pair *p);

/* The log-odds of a pair; -INFINITY, quickly, when they are certainly below `floor`. */
double dedupe_log_odds(const struct dedupe *d, uint32_t a, uint32_t b, double floor);

/* Orders the rows in each pass and chooses the window. */
err dedupe_block(struct dedupe *d) MUST_CHECK;

/* A share of the work of visiting all candidates, each once. */
typedef void dedupe_visit_fn(void *ctx, uint32_t a, uint32_t b);
size_t dedupe_part_count(const struct dedupe *d);
void dedupe_visit(const struct dedupe *d, size_t part, dedupe_visit_fn *visit, void *ctx);

/* Learns the model, the rarities and the bounds. */
err dedupe_learn(struct dedupe *d) MUST_CHECK;

/* The candidates at or above the floor, and how many were compared. */
err dedupe_score(struct dedupe *d, struct edge **edge, size_t *n_edge, uint64_t *n_compared) MUST_CHECK;

/* Divides the rows into clusters and writes the pairs. */
err dedupe_cluster(struct dedupe *d, const struct edge *edge, size_t n_edge, struct dedupe_result *out) MUST_CHECK;

#endif
