/* time.h — moments and days without the C library's zones: int64 milliseconds since 1970-01-01T00:00:00Z, Gregorian
 * calendar. */
#ifndef GALENA_BASE_TIME_H
#define GALENA_BASE_TIME_H

#include "base/str.h"

enum { TIME_TEXT_BYTE = 32 };
#define TIME_DAY_MS 86400000ll

struct civil {
    int64_t year;   /* astronomical: year 0 is 1 BC */
    int month, day; /* 1-12, 1-31 */
};

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, and back (Hinnant, "chrono-compatible low-level date
 * algorithms"). Exact for years within ±10^15. `date` must exist (time_days_in_month). */
int64_t time_days_from_civil(struct civil date);
struct civil time_civil_from_days(int64_t days);

/* 28..31; 0 when there is no such month. */
int time_days_in_month(int64_t year, int month);

/* How 03/04/2026 is to be read. */
enum time_order { TIME_ORDER_UNKNOWN, TIME_DAY_FIRST, TIME_MONTH_FIRST };

/* Why a text is no date. If you change this: the table in time.c. */
enum time_fault {
    TIME_GOOD,
    TIME_NOT_A_DATE,    /* no form that is known */
    TIME_NO_SUCH_DAY,   /* 2026-02-30, month 13 */
    TIME_NO_SUCH_CLOCK, /* 25:00, second 60, an offset of 30 hours */
    TIME_AMBIGUOUS,     /* 03/04/2026 while the order is unknown */
    TIME_FAULT_COUNT
};

struct moment {
    int64_t ms;            /* UTC; midnight when there is no clock; a clock without zone counts as UTC */
    bool clock, zone;      /* a time of day, and a zone, were written */
    enum time_order order; /* the order that a form like 25/12/2026 proves or was read in; unknown for other forms */
};

/* Reads the whole of `s` as a date of the years 1 to 9999, with or without a time of day. Nothing is guessed:
 *   2026-03-01   2026/03/01   01.03.2026 (day first, always)   1 Mar 2026   1-Mar-2026   Mar 1, 2026   1 March 2026 (English
 * names) 03/04/2026   by `order`; when unknown only if one number is above 12 each may be followed, after a space or T, by
 * hh:mm, hh:mm:ss or hh:mm:ss.fraction (1 to 9 digits, cut to ms), then AM or PM, then Z, +hh:mm, +hhmm or +hh. For columns
 * of many texts: quick, and no sentence is made. *out is written when TIME_GOOD. */
enum time_fault time_read(str s, enum time_order order, struct moment *out);

/* As time_read, for one text and a person: ERR_INPUT with slug "date_form", "date_no_such_day", "date_no_such_clock" or
 * "date_ambiguous". */
err time_parse(str s, enum time_order order, int64_t *ms) MUST_CHECK;

/* A phrase that goes on after the text: "is a day that the calendar does not have". */
const char *time_fault_text(enum time_fault fault);

/* "2026-03-01T10:00:00Z", with milliseconds (".123") only when they are not 0; and "2026-03-01". Return the length; no NUL
 * is written. Years outside 0..9999 have a sign and at least six digits (ISO 8601's expanded form). */
size_t time_format(int64_t ms, char text[TIME_TEXT_BYTE]);
size_t time_format_day(int64_t ms, char text[TIME_TEXT_BYTE]);

#endif
