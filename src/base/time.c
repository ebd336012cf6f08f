/* time.c — civil dates by arithmetic, and a strict reader of dates. */
#include "base/time.h"

#include <assert.h>
#include <stdio.h>

int64_t time_days_from_civil(struct civil date) {
    int64_t y = date.month <= 2 ? date.year - 1 : date.year; /* years begin in March, so that the leap day is the last */
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct civil time_civil_from_days(int64_t days) {
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    int day = (int)(of_year - (153 * month + 2) / 5 + 1), civil_month = (int)(month < 10 ? month + 3 : month - 9);
    return (struct civil){.year = year + era * 400 + (civil_month <= 2), .month = civil_month, .day = day};
}

int time_days_in_month(int64_t year, int month) {
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12)
        return 0;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* ---- reading ---- */

struct cursor {
    const char *at, *end;
};

static int peek(const struct cursor *c) { return c->at < c->end ? (unsigned char)*c->at : -1; }

static bool take(struct cursor *c, char byte) {
    bool there = peek(c) == byte;
    c->at += there;
    return there;
}

static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* From `least` to `most` digits, and no digit behind them. Returns how many, 0 when that is not what is there. */
static int take_number(struct cursor *c, int least, int most, int *out) {
    int n = 0, value = 0;
    const char *from = c->at;
    for (; n < most && is_digit(peek(c)); n++)
        value = value * 10 + (*c->at++ - '0');
    if (n < least || is_digit(peek(c))) {
        c->at = from;
        return 0;
    }
    *out = value;
    return n;
}

/* An English month, in full or by its first three letters, with or without a dot. 0 when there is none. */
static int take_month(struct cursor *c) {
    static const str names[] = {STR_INIT("january"),   STR_INIT("february"), STR_INIT("march"),    STR_INIT("april"),
                                STR_INIT("may"),       STR_INIT("june"),     STR_INIT("july"),     STR_INIT("august"),
                                STR_INIT("september"), STR_INIT("october"),  STR_INIT("november"), STR_INIT("december")};
    const char *from = c->at;
    while (is_letter(peek(c)))
        c->at++;
    str word = {from, (size_t)(c->at - from)};
    for (int m = 0; m < 12; m++)
        if (str_equal_nocase(word, names[m]) || str_equal_nocase(word, str_slice(names[m], 0, 3)) ||
            (m == 8 && str_equal_nocase(word, STR("sept")))) {
            take(c, '.');
            return m + 1;
        }
    c->at = from;
    return 0;
}

struct parts {
    int year, month, day;
    enum time_order order;
};

/* Day and month of a form that does not say which is which. */
static enum time_fault settle_order(int first, int second, enum time_order order, struct parts *p) {
    if (order == TIME_ORDER_UNKNOWN) {
        if (first <= 12 && second <= 12)
            return first == second ? (p->day = first, p->month = second, TIME_GOOD) : TIME_AMBIGUOUS;
        if (first > 12 && second > 12)
            return TIME_NO_SUCH_DAY;
        order = first > 12 ? TIME_DAY_FIRST : TIME_MONTH_FIRST;
    }
    p->day = order == TIME_DAY_FIRST ? first : second;
    p->month = order == TIME_DAY_FIRST ? second : first;
    p->order = order;
    return TIME_GOOD;
}

/* 2026-03-01, 2026/03/01; `year` was taken. */
static enum time_fault read_year_first(struct cursor *c, struct parts *p) {
    char separator = peek(c) == '/' ? '/' : '-';
    bool good = take(c, separator) && take_number(c, 2, 2, &p->month) && take(c, separator) && take_number(c, 2, 2, &p->day);
    return good ? TIME_GOOD : TIME_NOT_A_DATE;
}

/* 01.03.2026, 03/04/2026, 1 Mar 2026, 1-Mar-2026; the first number was taken. */
static enum time_fault read_day_first(struct cursor *c, int first, enum time_order order, struct parts *p) {
    int second = 0;
    if (take(c, '.')) {
        p->day = first;
        bool good = take_number(c, 1, 2, &p->month) && take(c, '.') && take_number(c, 4, 4, &p->year);
        return good ? TIME_GOOD : TIME_NOT_A_DATE;
    }
    if (take(c, '/')) {
        if (!take_number(c, 1, 2, &second) || !take(c, '/') || !take_number(c, 4, 4, &p->year))
            return TIME_NOT_A_DATE;
        return settle_order(first, second, order, p);
    }
    char separator = peek(c) == '-' ? '-' : ' ';
    p->day = first;
    bool good = take(c, separator) && (p->month = take_month(c)) > 0 && take(c, separator) && take_number(c, 4, 4, &p->year);
    return good ? TIME_GOOD : TIME_NOT_A_DATE;
}

/* Mar 1, 2026; March 1 2026 */
static enum time_fault read_month_first(struct cursor *c, struct parts *p) {
    p->month = take_month(c);
    if (p->month == 0 || !take(c, ' ') || !take_number(c, 1, 2, &p->day))
        return TIME_NOT_A_DATE;
    take(c, ',');
    return take(c, ' ') && take_number(c, 4, 4, &p->year) ? TIME_GOOD : TIME_NOT_A_DATE;
}

static enum time_fault read_date(struct cursor *c, enum time_order order, struct parts *p) {
    int first = 0;
    enum time_fault fault;
    if (take_number(c, 4, 4, &p->year))
        fault = read_year_first(c, p);
    else if (take_number(c, 1, 2, &first))
        fault = read_day_first(c, first, order, p);
    else
        fault = read_month_first(c, p);
    if (fault != TIME_GOOD)
        return fault;
    return p->year >= 1 && p->day >= 1 && p->day <= time_days_in_month(p->year, p->month) ? TIME_GOOD : TIME_NO_SUCH_DAY;
}

/* .123456: 1 to 9 digits, cut to milliseconds */
static bool take_fraction(struct cursor *c, int64_t *ms) {
    int n = 0, scale = 100;
    for (; is_digit(peek(c)) && n < 9; n++, scale /= 10)
        *ms += (int64_t)(*c->at++ - '0') * scale;
    return n > 0 && !is_digit(peek(c));
}

/* AM and PM make 12 the first hour of its half day. */
static bool take_half_day(struct cursor *c, int *hour) {
    const char *from = c->at;
    take(c, ' ');
    str word = {c->at, c->end - c->at >= 2 ? 2u : 0u};
    bool am = str_equal_nocase(word, STR("am")), pm = str_equal_nocase(word, STR("pm"));
    if (!am && !pm) {
        c->at = from;
        return true;
    }
    c->at += 2;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (pm ? 12 : 0);
    return true;
}

/* Z, +hh:mm, +hhmm, +hh. No zone is fine too. */
static enum time_fault read_zone(struct cursor *c, struct moment *out) {
    if (take(c, 'Z') || take(c, 'z')) {
        out->zone = true;
        return TIME_GOOD;
    }
    int sign = peek(c) == '+' ? 1 : peek(c) == '-' ? -1 : 0, hour = 0, minute = 0;
    if (sign == 0)
        return TIME_GOOD;
    c->at++;
    if (take_number(c, 4, 4, &hour)) {
        minute = hour % 100;
        hour /= 100;
    } else if (!take_number(c, 2, 2, &hour) || (take(c, ':') && !take_number(c, 2, 2, &minute))) {
        return TIME_NOT_A_DATE;
    }
    if (hour > 18 || minute > 59)
        return TIME_NO_SUCH_CLOCK;
    out->zone = true;
    out->ms -= sign * (hour * 60 + minute) * 60000ll;
    return TIME_GOOD;
}

/* Behind the date: nothing, or a time of day. */
static enum time_fault read_clock(struct cursor *c, struct moment *out) {
    if (c->at == c->end)
        return TIME_GOOD;
    int hour = 0, minute = 0, second = 0;
    int64_t ms = 0;
    bool space = take(c, ' ');
    if (!space && !take(c, 'T') && !take(c, 't'))
        return TIME_NOT_A_DATE;
    if (!take_number(c, space ? 1 : 2, 2, &hour) || !take(c, ':') || !take_number(c, 2, 2, &minute))
        return TIME_NOT_A_DATE;
    if (take(c, ':')) {
        if (!take_number(c, 2, 2, &second))
            return TIME_NOT_A_DATE;
        if ((take(c, '.') || take(c, ',')) && !take_fraction(c, &ms))
            return TIME_NOT_A_DATE;
    }
    if (!take_half_day(c, &hour) || hour > 23 || minute > 59 || second > 59)
        return TIME_NO_SUCH_CLOCK;
    take(c, ' ');
    out->clock = true;
    out->ms += ((hour * 60 + minute) * 60 + second) * 1000ll + ms;
    enum time_fault fault = read_zone(c, out);
    return fault == TIME_GOOD && (c->at != c->end || c->end[-1] == ' ') ? TIME_NOT_A_DATE : fault;
}

enum time_fault time_read(str s, enum time_order order, struct moment *out) {
    enum { LONGEST = 64 };
    if (s.len == 0 || s.len > LONGEST)
        return TIME_NOT_A_DATE;
    struct cursor c = {s.ptr, s.ptr + s.len};
    struct parts p = {0};
    enum time_fault fault = read_date(&c, order, &p);
    if (fault == TIME_NOT_A_DATE)
        return fault;
    struct moment m = {.order = p.order};
    if (fault == TIME_GOOD)
        m.ms = time_days_from_civil((struct civil){p.year, p.month, p.day}) * TIME_DAY_MS;
    enum time_fault clock = read_clock(&c, &m);
    if (clock != TIME_GOOD && (clock == TIME_NOT_A_DATE || fault == TIME_GOOD))
        return clock;
    if (fault == TIME_GOOD)
        *out = m;
    return fault;
}

static const struct {
    const char *slug, *text;
} faults[TIME_FAULT_COUNT] = {
    [TIME_GOOD] = {"none", "is a date"},
    [TIME_NOT_A_DATE] = {"date_form", "is not a date in a known form (2026-03-01 is one)"},
    [TIME_NO_SUCH_DAY] = {"date_no_such_day", "is a day that the calendar does not have"},
    [TIME_NO_SUCH_CLOCK] = {"date_no_such_clock", "has a time of day or an offset that does not exist"},
    [TIME_AMBIGUOUS] = {"date_ambiguous", "can be read with the day or with the month first: say which"},
};

const char *time_fault_text(enum time_fault fault) {
    assert(fault < TIME_FAULT_COUNT);
    return faults[fault].text;
}

err time_parse(str s, enum time_order order, int64_t *ms) {
    struct moment m;
    enum time_fault fault = time_read(s, order, &m);
    if (fault != TIME_GOOD) {
        int shown = s.len < 64 ? (int)s.len : 64;
        return fail(ERR_INPUT, faults[fault].slug, "\"%.*s\" %s", shown, s.ptr ? s.ptr : "", faults[fault].text);
    }
    *ms = m.ms;
    return OK;
}

/* ---- writing ---- */

static int64_t floor_days(int64_t ms) { return ms >= 0 ? ms / TIME_DAY_MS : -((-(ms + 1)) / TIME_DAY_MS) - 1; }

size_t time_format_day(int64_t ms, char text[TIME_TEXT_BYTE]) {
    struct civil d = time_civil_from_days(floor_days(ms));
    bool plain = d.year >= 0 && d.year <= 9999;
    char whole[64];
    int n = plain ? snprintf(whole, sizeof whole, "%04lld", (long long)d.year)
                  : snprintf(whole, sizeof whole, "%+07lld", (long long)d.year);
    n += snprintf(whole + n, sizeof whole - (size_t)n, "-%02d-%02d", d.month, d.day);
    memcpy(text, whole, (size_t)n); /* years of int64 ms have at most nine digits */
    return (size_t)n;
}

size_t time_format(int64_t ms, char text[TIME_TEXT_BYTE]) {
    size_t len = time_format_day(ms, text);
    int of_day = (int)((ms % TIME_DAY_MS + TIME_DAY_MS) % TIME_DAY_MS), second = of_day / 1000;
    char clock[48];
    int n = snprintf(clock, sizeof clock, "T%02d:%02d:%02d", second / 3600, second / 60 % 60, second % 60);
    if (of_day % 1000 != 0)
        n += snprintf(clock + n, sizeof clock - (size_t)n, ".%03d", of_day % 1000);
    clock[n++] = 'Z';
    memcpy(text + len, clock, (size_t)n);
    return len + (size_t)n;
}
