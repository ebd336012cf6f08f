/* quantity.h — amounts as people and programs write them: "1,200", "1.200,50", "$3.5M", "51-200", "12 %", "10,000+". */
#ifndef GALENA_BASE_QUANTITY_H
#define GALENA_BASE_QUANTITY_H

#include "base/str.h"

enum { QUANTITY_MAX_BYTE = 64 }; /* a longer text is no amount */

/* What was understood besides plain digits. */
enum quantity_note {
    QUANTITY_GROUPED = 1,      /* "1,200" */
    QUANTITY_COMMA = 2,        /* "1.200,50": the comma is the decimal mark */
    QUANTITY_MONEY = 4,        /* "$3.5M" */
    QUANTITY_PERCENT = 8,      /* "12 %" is 12, not 0.12 */
    QUANTITY_RANGE = 16,       /* "51-200" */
    QUANTITY_OPEN = 32,        /* "10,000+", "< 10": one end only */
    QUANTITY_PARENTHESES = 64, /* "(1,234)" is -1234 */
    QUANTITY_AMBIGUOUS = 128   /* "1,200" or "1.200" with nothing to say which mark is which */
};

/* A closed interval; a single amount has low == high. An open end is an infinity: "10,000+" is [10000, inf]. Finite ends are
 * at most 1e100 in size, so that sums of their cubes stay finite. */
struct quantity {
    double low, high;
    unsigned note; /* enum quantity_note */
};

/* Reads the whole of `s` (space around it is allowed) as an amount or a range of amounts. False, with *out untouched, when
 * it is anything else. decimal: the mark '.' or ',' when it is known, or 0 to read each text by itself: then "1.200,50" and
 * "1,5" have a decimal comma, and "1,200" is read as twelve hundred and noted QUANTITY_AMBIGUOUS. With '.', "1,5" is refused
 * rather than guessed at. Understood:
 *   - what number_parse reads, with "," (the point, when the comma is the decimal mark) or "'" or a space between groups of
 * three digits;
 *   - k, M (also mm, mn, mio, million), B (bn, billion), T (tn, trillion) behind the number, in either case;
 *   - $, €, £, ¥, US$ or USD, EUR, GBP, CHF, JPY before or behind;
 *   - % behind;
 *   - ranges with "-", an en or em dash, ".." or "to"; a multiplier behind the second amount holds for the first as well
 * when the range would still ascend ("1-5M" is 1M to 5M, "500-1K" is 500 to 1000); a descending range is refused;
 *   - open ends: "200+", "> 200", ">= 200", "over 200", "< 10", "up to 10", "under 10";
 *   - an amount in parentheses, as accountants write what is negative. */
bool quantity_read(str s, char decimal, struct quantity *out);

/* One number for a quantity: the only finite end, else the middle, taken geometrically when `geometric` and both ends are
 * positive (the middle of "51-200" is then 101, as suits sizes, which are spread evenly on a logarithmic scale). */
double quantity_middle(struct quantity q, bool geometric);

/* quantity_read and its geometric middle in one. */
bool quantity_read_number(str s, char decimal, double *out);

/* What a text says about the decimal mark of its column: 1 it can only be a comma, -1 only a point, 0 nothing. */
int quantity_mark_vote(str s);

#endif
