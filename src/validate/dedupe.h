/* dedupe.h — which rows are the same person or company: candidates by blocking, probabilities by the model of ml/linkage.h
 * learned from the rows themselves, clusters that no chain of near misses can grow.
 *
 *   dedupe_new, dedupe_add for each row, dedupe_run
 *
 * Everything that is stored lives in the arena given to dedupe_new: about 40 bytes a row and a column, as much again for
 * each text that differs, and at most DEDUPE_PASS_MAX · 12 bytes a row for the search. The result is the same for any number
 * of threads. */
#ifndef GALENA_VALIDATE_DEDUPE_H
#define GALENA_VALIDATE_DEDUPE_H

#include "base/str.h"
#include "ml/linkage.h"

/* What a column holds. If you change this: the table in dedupe_value.c. */
enum dedupe_kind {
    DEDUPE_GIVEN_NAME,
    DEDUPE_SURNAME,
    DEDUPE_NAME,
    DEDUPE_EMAIL,
    DEDUPE_PHONE,
    DEDUPE_COMPANY,
    DEDUPE_DOMAIN,
    DEDUPE_STREET_NUMBER,
    DEDUPE_STREET,
    DEDUPE_CITY,
    DEDUPE_POSTCODE,
    DEDUPE_STATE,
    DEDUPE_COUNTRY,
    DEDUPE_BIRTH_DATE,
    DEDUPE_IDENTIFIER,
    DEDUPE_KIND_COUNT
};

enum { DEDUPE_PASS_MAX = 32 };

const char *dedupe_kind_name(enum dedupe_kind kind); /* "given_name", … */
bool dedupe_kind_of(str name, enum dedupe_kind *out);

struct dedupe_options {
    const enum dedupe_kind *kind; /* of each of n_column columns; a kind may come several times */
    size_t n_column;
    bool link;        /* two files: only pairs of a row of the first and a row of the second */
    double threshold; /* least probability of a pair; 0 means 0.5 */
    size_t max_pair;  /* candidates to compare at most; 0: 40 a row, at least 4 million */
    unsigned threads; /* 0: as many as there are cores */
};

struct dedupe;

/* ERR_INPUT: "dedupe_columns" (none, or more than LINKAGE_FIELD_MAX), "dedupe_threshold" (not between 0 and 1). */
err dedupe_new(struct arena *a, const struct dedupe_options *o, struct dedupe **out) MUST_CHECK;

/* Adds a row of file 0 or 1: `cell` has n_column texts (empty: not known). ERR_LIMIT "dedupe_rows" beyond 2^31 rows. */
err dedupe_add(struct dedupe *d, int file, const str *cell) MUST_CHECK;

/* Two rows (numbered in the order they were added, a < b) that are probably one. */
struct dedupe_pair {
    uint32_t a, b;
    double probability;
};

struct dedupe_result {
    const struct dedupe_pair *pair; /* by a, then b */
    size_t n_pair;
    const uint32_t *cluster; /* of each row: the first row of its cluster */
    size_t n_row, n_cluster; /* clusters of one row count */
    size_t n_file[2];
    size_t n_pass;       /* ways of looking for candidates */
    uint32_t window;     /* rows of one block that are compared with each other: a row and so many after it */
    uint64_t n_compared; /* candidates */
    uint64_t n_refused;  /* pairs at or above the threshold that the other rows of their cluster speak against */
    uint64_t n_implied;  /* pairs that only the other rows of their cluster tell of */
    const struct linkage *model;
};

/* Finds the pairs. A pair's probability is that of the model, or, within a cluster, of the mean log-odds between the two
 * parts of the cluster when these were joined, if that is more. Fewer than two rows, or an empty file when linking: no
 * pairs, no error. */
err dedupe_run(struct dedupe *d, struct dedupe_result *out) MUST_CHECK;

/* The name of a comparison level of a column: "similar"; NULL beyond the last. Level 0: "unknown". */
const char *dedupe_level_name(enum dedupe_kind kind, unsigned level);

#endif
