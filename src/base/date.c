/* date.c — ISO 8601 dates, without the C library's time zones and locales. */
#include "base/date.h"

struct reader {
    const char *at, *end;
};

/* Reads exactly `digits` digits. */
static bool take_number(struct reader *r, int digits, unsigned *out) {
    unsigned value = 0;
    if (r->end - r->at < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        char c = *r->at++;
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    *out = value;
    return true;
}

static bool take_byte(struct reader *r, char c) {
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static unsigned month_days(unsigned year, unsigned month) {
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool take_day(struct reader *r, int64_t *out_day) {
    unsigned year, month, day;
    if (!take_number(r, 4, &year))
        return false;
    char separator = 0;
    if (r->at < r->end && (*r->at == '-' || *r->at == '/'))
        separator = *r->at++;
    if (!take_number(r, 2, &month) || (separator && !take_byte(r, separator)) || !take_number(r, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *out_day = date_from_civil(year, month, day);
    return true;
}

/* Fraction of a second, read to milliseconds. */
static bool take_fraction(struct reader *r, unsigned *ms) {
    const char *from = r->at;
    unsigned scale = 100;
    for (*ms = 0; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, scale /= 10)
        *ms += scale * (unsigned)(*r->at - '0');
    return r->at > from;
}

static bool take_zone(struct reader *r, int64_t *offset_ms) {
    unsigned hour, minute = 0;
    *offset_ms = 0;
    if (r->at == r->end || take_byte(r, 'Z'))
        return true;
    int sign = *r->at == '-' ? -1 : 1;
    if (!take_byte(r, '+') && !take_byte(r, '-'))
        return false;
    if (!take_number(r, 2, &hour) || (take_byte(r, ':'), !take_number(r, 2, &minute)) || hour > 23 || minute > 59)
        return false;
    *offset_ms = sign * (int64_t)(hour * 60 + minute) * 60000;
    return true;
}

static bool take_clock(struct reader *r, int64_t *out_ms) {
    unsigned hour, minute, second = 0, ms = 0;
    int64_t offset_ms;
    if (!take_number(r, 2, &hour) || !take_byte(r, ':') || !take_number(r, 2, &minute))
        return false;
    if (take_byte(r, ':')) {
        if (!take_number(r, 2, &second) || (take_byte(r, '.') && !take_fraction(r, &ms)))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 60 || !take_zone(r, &offset_ms))
        return false;
    *out_ms = (int64_t)((hour * 60 + minute) * 60 + second) * 1000 + ms - offset_ms;
    return true;
}

bool date_parse(str s, int64_t *out_ms) {
    s = str_trim(s);
    struct reader r = {s.ptr, s.ptr + s.len};
    int64_t day, clock_ms = 0;
    if (s.len < 8 || !take_day(&r, &day))
        return false;
    if (r.at < r.end) {
        if (s.ptr[4] != '-' || !(take_byte(&r, 'T') || take_byte(&r, ' ')) || !take_clock(&r, &clock_ms) || r.at != r.end)
            return false;
    }
    *out_ms = day * DATE_DAY_MS + clock_ms;
    return true;
}

int64_t date_from_civil(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

size_t date_format(int64_t ms, char text[DATE_TEXT_BYTE]) {
    int64_t z = (ms >= 0 ? ms : ms - (DATE_DAY_MS - 1)) / DATE_DAY_MS + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int n = snprintf(text, DATE_TEXT_BYTE, "%04lld-%02u-%02u", (long long)(era * 400 + yoe + (month <= 2)), month, day);
    return n > 0 && n < DATE_TEXT_BYTE ? (size_t)n : 0;
}
