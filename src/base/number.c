/* number.c — the rules around the standard library's number reader and writer. */
#include "base/number.h"
#include "base/number_priv.h"

#include <math.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Decimal exponent of the first digit that is not 0, for a text that the reader accepted: below 0 when the magnitude is
 * below 1. Saturates far outside the range of a double. */
static long first_digit_exponent(str s) {
    enum { FAR = 100000000 };
    long exponent = 0, before = 0, leading = 0;
    bool point = false, found = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == 'e' || c == 'E') {
            bool negative = i + 1 < s.len && s.ptr[i + 1] == '-';
            for (i++; i < s.len; i++)
                if (is_digit(s.ptr[i]) && exponent < FAR)
                    exponent = exponent * 10 + (s.ptr[i] - '0');
            exponent = negative ? -exponent : exponent;
        } else if (c == '.') {
            point = true;
        } else if (is_digit(c)) {
            found = found || c != '0';
            before += found && !point;
            leading += !found && point;
        }
    }
    return exponent + (before > 0 ? before - 1 : -leading - 1);
}

/* Plain decimals of at most 15 digits, which most numbers are: their digits and the power of ten are both exact doubles, so
 * that one correctly rounded division gives the correctly rounded number (Clinger 1990). False for all other texts. */
static bool parse_short(str s, double *out) {
    static const double ten_to[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const size_t sign = s.len > 0 && s.ptr[0] == '-';
    size_t point = s.len, digits = 0;
    int64_t value = 0;
    if (s.len > 17)
        return false;
    for (size_t i = sign; i < s.len; i++) {
        if (is_digit(s.ptr[i])) {
            value = value * 10 + (s.ptr[i] - '0');
            digits++;
        } else if (s.ptr[i] == '.' && point == s.len) {
            point = i;
        } else {
            return false;
        }
    }
    if (digits == 0 || digits > 15)
        return false;
    const double size = (double)value / ten_to[point < s.len ? s.len - point - 1 : 0];
    *out = sign ? -size : size;
    return true;
}

bool number_parse(str s, double *out) {
    if (parse_short(s, out))
        return true;
    size_t sign = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (s.len == sign || !(is_digit(s.ptr[sign]) || s.ptr[sign] == '.'))
        return false; /* keeps out "inf", "nan" and a second sign */
    double value = 0;
    switch (number_shim_read(s.ptr + sign, s.ptr + s.len, &value)) {
    case NUMBER_READ:
        break;
    case NUMBER_OUT_OF_RANGE:
        if (first_digit_exponent(s) >= 0)
            return false;
        value = 0;
        break;
    case NUMBER_NOT_READ:
        return false;
    }
    *out = s.ptr[0] == '-' ? -value : value;
    return true;
}

bool number_parse_integer(str s, int64_t *out) {
    size_t i = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    bool negative = i == 1 && s.ptr[0] == '-';
    int64_t value = 0;
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        if (!is_digit(s.ptr[i]) || __builtin_mul_overflow(value, 10, &value))
            return false;
        int digit = s.ptr[i] - '0';
        if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

static size_t put(const char *from, char text[NUMBER_TEXT_BYTE]) {
    size_t len = strlen(from);
    memcpy(text, from, len);
    return len;
}

size_t number_format(double value, char text[NUMBER_TEXT_BYTE]) {
    if (isnan(value))
        return put("nan", text);
    if (isinf(value))
        return put(value > 0 ? "inf" : "-inf", text);
    if (fabs(value) < 1e15 && trunc(value) == value && !(value == 0 && signbit(value)))
        return number_format_integer((int64_t)value, text);
    return number_shim_write(value, text, NUMBER_TEXT_BYTE);
}

size_t number_format_integer(int64_t value, char text[NUMBER_TEXT_BYTE]) {
    char backwards[NUMBER_TEXT_BYTE];
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t n = 0, len = 0;
    do {
        backwards[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        text[len++] = '-';
    while (n > 0)
        text[len++] = backwards[--n];
    return len;
}

static str with_thousands(struct arena *a, int64_t value) {
    char plain[NUMBER_TEXT_BYTE], text[NUMBER_TEXT_BYTE + NUMBER_TEXT_BYTE / 3];
    size_t n = number_format_integer(value, plain), len = 0, sign = value < 0;
    for (size_t i = 0; i < n; i++) {
        if (i > sign && (n - i) % 3 == 0)
            text[len++] = ',';
        text[len++] = plain[i];
    }
    return str_copy(a, (str){text, len});
}

/* "d.dde-02" without the zeros that close its fraction. */
static str short_scientific(struct arena *a, const char *text, size_t len) {
    size_t e = (size_t)str_find_byte((str){text, len}, 'e'), keep = e;
    while (text[keep - 1] == '0')
        keep--;
    if (text[keep - 1] == '.')
        keep--;
    return str_format(a, "%.*s%.*s", (int)keep, text, (int)(len - e), text + e);
}

str number_for_people(struct arena *a, double value) {
    char text[NUMBER_TEXT_BYTE];
    double size = fabs(value);
    if (!isfinite(value))
        return str_copy(a, (str){text, number_format(value, text)});
    if (size >= 999.5 && size < 1e15)
        return with_thousands(a, (int64_t)llround(value));
    size_t len = number_shim_write_scientific(value, 2, text, sizeof text);
    if (size != 0 && (size < 1e-4 || size >= 1e15))
        return short_scientific(a, text, len);
    double rounded = 0; /* three significant digits; the shortest form of that has no zeros to strip */
    if (!number_parse((str){text, len}, &rounded) || rounded == 0)
        return str_copy(a, STR("0"));
    char shortest[NUMBER_TEXT_BYTE];
    size_t shortest_len = number_format(rounded, shortest);
    if (str_find_byte((str){shortest, shortest_len}, 'e') < 0)
        return str_copy(a, (str){shortest, shortest_len});
    return str_format(a, "%s0.000%c", rounded < 0 ? "-" : "", text[rounded < 0]); /* one digit: "1e-04" was shorter */
}
