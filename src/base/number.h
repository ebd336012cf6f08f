/* number.h — numbers to text and back, exactly, whatever the locale. */
#ifndef GALENA_BASE_NUMBER_H
#define GALENA_BASE_NUMBER_H

#include "base/str.h"

enum { NUMBER_TEXT_BYTE = 32 }; /* enough for any double or int64 */

/* Reads the whole of `s` as a decimal number ("-12", "3.5", "1e-3", "+7", ".5"). False, with *out untouched, for anything else:
 * surrounding space, hexadecimal, "inf", "nan", and magnitudes that a double cannot hold. Correctly rounded. */
bool number_parse(str s, double *out);
bool number_parse_integer(str s, int64_t *out);

/* The shortest text that reads back to the same double; "nan", "inf", "-inf" for those. Returns its length; no NUL is written. */
size_t number_format(double value, char text[NUMBER_TEXT_BYTE]);
size_t number_format_integer(int64_t value, char text[NUMBER_TEXT_BYTE]);

/* For people: about three significant digits, thousands separated ("1,487", "0.0312", "12.5"). Lives in the arena. */
str number_for_people(struct arena *a, double value);

#endif
