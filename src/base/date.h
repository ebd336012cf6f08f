/* date.h — days and moments in text to milliseconds since 1970-01-01T00:00Z, in the proleptic Gregorian calendar. */
#ifndef GALENA_BASE_DATE_H
#define GALENA_BASE_DATE_H

#include "base/str.h"

enum { DATE_TEXT_BYTE = 32 };

#define DATE_DAY_MS INT64_C(86400000)

/* Reads the whole of `s` (space around it is allowed) as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD, or YYYY-MM-DD with "T" or a
 * space and HH:MM, HH:MM:SS or HH:MM:SS.fff and then nothing (UTC), "Z" or +HH:MM / -HH:MM (ISO 8601). Years 1 to 9999.
 * False, with *out untouched, for anything else, such as 2026-02-30. Orders that differ between countries (03/04/2026) are
 * not guessed. */
bool date_parse(str s, int64_t *out_ms);

/* Days since 1970-01-01 of a date that exists (Hinnant, "chrono-compatible low-level date algorithms"). */
int64_t date_from_civil(int64_t year, unsigned month, unsigned day);

/* "2026-02-28" of a moment, in UTC; returns its length; no NUL is written. */
size_t date_format(int64_t ms, char text[DATE_TEXT_BYTE]);

#endif
