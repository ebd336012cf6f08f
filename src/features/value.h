/* value.h — cells read as numbers and truth values, however a person or a program wrote them. */
#ifndef GALENA_FEATURES_VALUE_H
#define GALENA_FEATURES_VALUE_H

#include "base/str.h"

/* What was understood besides plain digits. */
enum number_note {
    NUMBER_GROUPED = 1,      /* "1,200" */
    NUMBER_COMMA = 2,        /* "1.200,50": the comma is the decimal mark */
    NUMBER_MONEY = 4,        /* "$3.5M" */
    NUMBER_PERCENT = 8,      /* "12 %" is 12 */
    NUMBER_RANGE = 16,       /* "51-200" */
    NUMBER_OPEN = 32,        /* "10,000+", "< 10": one end only */
    NUMBER_PARENTHESES = 64, /* "(1,234)" is -1234 */
    NUMBER_AMBIGUOUS = 128   /* "1,200" or "1.200" with nothing to say which mark is which */
};

/* value: the number; for a range the geometric middle of its ends when both are positive (sizes are spread evenly on a
 * logarithmic scale: "51-200" is 101), else the arithmetic one; for an open range its finite end. low and high: the ends,
 * infinite when open. */
struct number {
    double value, low, high;
    unsigned note; /* enum number_note */
};

/* Reads the whole cell (space around it is allowed). decimal: '.' or ',' when the column's mark is known, 0 to read each
 * cell by itself: then "1.200,50" and "1,5" have a decimal comma, and "1,200" is read as twelve hundred and noted
 * NUMBER_AMBIGUOUS. False, with *out untouched, for anything else: words, numbers beyond 1e100, hexadecimal, "inf". */
bool number_read(str cell, char decimal, struct number *out);

/* What a cell says about its column's decimal mark: 1 it can only be a comma, -1 only a point, 0 nothing. */
int number_mark_vote(str cell);

/* "12", "-3.25": a plain decimal of at most 15 digits, without calling a library; the same result as number_read. */
bool number_read_short(str cell, double *out);

/* The cell without case (ASCII letters) and with each run of white space as one blank, none at the ends: what spellings of
 * one level have in common. `room` has n bytes; when the result does not fit it is the trimmed cell itself. */
str text_fold(str cell, char *room, size_t n);

/* yes/no, true/false, y/n, t/f, on/off, 1/0, in any case. */
bool flag_read(str cell, bool *out);

#endif
