/* profile_priv.h — what the files of this room share with each other only. */
#ifndef GALENA_PROFILE_PROFILE_PRIV_H
#define GALENA_PROFILE_PROFILE_PRIV_H

#include "base/quantity.h"
#include "profile/profile.h"

/* As profile_seniority_of, from words that profile_words wrote. */
enum seniority profile_seniority_of_words(str words);

/* ---- credits of one cell (credit.c) ---- */

enum { CELL_WORDS_BYTE = 256, CELL_MAX_PARTS = 64 };

/* One cell of the row at hand and what has been worked out about it. */
struct cell {
    str text;   /* without surrounding space; empty when unknown */
    bool known; /* not empty and no token for "missing" */
    enum { CELL_UNREAD, CELL_QUANTITY, CELL_NO_QUANTITY } number;
    struct quantity quantity;
    bool has_words;
    size_t n_words; /* bytes */
    char *words;    /* CELL_WORDS_BYTE */
    bool has_parts;
    size_t n_part;
    str *part; /* CELL_MAX_PARTS distinct parts (ASCII case aside), or NULL when nothing splits this cell */
    char separator;
};

/* Credit of a known cell for a criterion; NAN when the text cannot be read as what the criterion needs. For an event `*sum`,
 * when not NULL, gets the sum of its decays, of which the credit is at most 1. `now_ms` is for events only. */
double criterion_credit(const struct profile_criterion *c, struct cell *cell, int64_t now_ms, double *sum);

/* 1 holds, 0 does not, -1 unknown. */
int condition_holds(const struct profile_condition *when, struct cell *cell);

#endif
