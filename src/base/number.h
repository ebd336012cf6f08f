/* number.h — numbers to text and back, exactly, whatever the locale. */
#ifndef GALENA_BASE_NUMBER_H
#define GALENA_BASE_NUMBER_H

#include "base/str.h"

enum { NUMBER_TEXT_BYTE = 32 }; /* enough for any double or int64 */

/* Reads the whole of `s` as a decimal number ("-12", "3.5", "1e-3", "+7", ".5", "5."). False, with *out untouched, for
 * anything else: surrounding space, hexadecimal, "inf", "nan", and magnitudes too large for a double (1e999). Correctly
 * rounded: what is smaller than the smallest double is a zero with its sign. */
bool number_parse(str s, double *out);

/* Reads the whole of `s` as a whole number with an optional sign; false, with *out untouched, for anything else. */
bool number_parse_integer(str s, int64_t *out);

/* The shortest text that reads back to the same double; "nan", "inf", "-inf" for those. Returns its length; no NUL is
 * written. */
size_t number_format(double value, char text[NUMBER_TEXT_BYTE]);
size_t number_format_integer(int64_t value, char text[NUMBER_TEXT_BYTE]);

/* For people: three significant digits without closing zeros, whole numbers from 1,000 on with their thousands separated
 * ("1,487", "0.0312", "12.5"); below 0.0001 and from 1e15 on as "1.23e-07"; "nan", "inf", "-inf". Lives in the arena. */
str number_for_people(struct arena *a, double value);

#endif
