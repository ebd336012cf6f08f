/* split.h — which rows train and which test. Nothing is fitted, tuned, selected or calibrated on a test row. */
#ifndef GALENA_LEARN_SPLIT_H
#define GALENA_LEARN_SPLIT_H

#include "lead/frame.h"

enum split_kind {
    SPLIT_NONE,   /* every row trains */
    SPLIT_HASH,   /* by row number: the same rows in every program */
    SPLIT_RANDOM, /* by the seed */
    SPLIT_TIME    /* the latest rows test */
};

struct split {
    enum split_kind kind;
    double fraction; /* share of test rows, in (0, 1) */
};

/* "none", "hash:0.3", "random:F", "time:F" with 0 < F < 1. ERR_INPUT (slug "split_syntax"). */
err split_parse(str text, struct split *out) MUST_CHECK;

/* The text split_parse reads. */
str split_text(struct arena *a, struct split s);

/* True when 0-based data row `index` tests under hash:`fraction`: (index * 2654435761) mod 2^32 < fraction * 2^32. */
bool split_hash_tests(uint64_t index, double fraction);

/* When each row came, by a column of dates or of numbers that grow (milliseconds, or the whole part of the number): n_row
 * entries. ERR_INPUT: slugs "time_column_needed", "time_unreadable" (names the line). */
err split_order(struct arena *a, const struct frame *f, str column, const int64_t **out) MUST_CHECK;

/* Divides the rows of f: *train and *test get ascending row positions in the frame (not file indices). order[n_row] is the
 * time of each row in milliseconds, needed for SPLIT_TIME only (rows with the same time stay on one side). ERR_INPUT (slug
 * "split_empty") when a side that must have rows has none. */
struct split_rows {
    const uint32_t *train, *test;
    size_t n_train, n_test;
};
err split_frame(struct arena *a, struct split s, const struct frame *f, const int64_t *order, uint64_t seed,
                struct split_rows *out) MUST_CHECK;

#endif
