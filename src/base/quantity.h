/* quantity.h — amounts as people write them: "1,200", "$3.5M", "51-200", "12 %", "10,000+". */
#ifndef GALENA_BASE_QUANTITY_H
#define GALENA_BASE_QUANTITY_H

#include "base/str.h"

enum quantity_unit { QUANTITY_PLAIN, QUANTITY_PERCENT, QUANTITY_MONEY };

/* A closed interval; a single amount has low == high. An open end is an infinity: "10,000+" is [10000, inf]. */
struct quantity {
    double low, high;
    enum quantity_unit unit;
};

/* Reads the whole of `s` (space around it is allowed) as an amount or a range of amounts. False, with *out untouched, when
 * it is anything else. Understood:
 *   - what number_parse reads, with "," or "'" or a space between groups of three digits;
 *   - k, M (also mm, mn, mio, million), B (bn, billion), T (tn, trillion) behind the number, in either case;
 *   - $, €, £, ¥, US$ or USD, EUR, GBP, CHF, JPY before or behind: unit QUANTITY_MONEY;
 *   - % behind: unit QUANTITY_PERCENT, and "12 %" is 12, not 0.12;
 *   - ranges with "-", an en or em dash, ".." or "to"; a multiplier behind the second amount holds for the first as well
 * when the range would still ascend ("1-5M" is 1M to 5M, "500-1K" is 500 to 1000); a descending range is refused;
 *   - open ends: "200+", "> 200", ">= 200", "over 200", "< 10", "up to 10", "under 10".
 * A decimal comma is not understood: "1,5" is false rather than a guess. */
bool quantity_parse(str s, struct quantity *out);

/* One number for a quantity: the only finite end, else the middle, taken geometrically when `geometric` and both ends are
 * positive (the middle of "51-200" is then 101, as suits a logarithmic scale). */
double quantity_middle(struct quantity q, bool geometric);

#endif
