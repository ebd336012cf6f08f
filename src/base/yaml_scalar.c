/* yaml_scalar.c — what a plain scalar means in the YAML 1.2 core schema (section 10.3.2). */
#include "base/number.h"
#include "base/yaml_priv.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool one_of(str s, const char *const *words) {
    for (; *words; words++)
        if (str_equal(s, str_from(*words)))
            return true;
    return false;
}

static size_t skip_digits(str s, size_t i) {
    while (i < s.len && is_digit(s.ptr[i]))
        i++;
    return i;
}

static bool looks_whole(str s) {
    size_t sign = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    return s.len > sign && skip_digits(s, sign) == s.len;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool looks_real(str s) {
    size_t i = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    size_t whole = i;
    i = skip_digits(s, i);
    bool digits = i > whole;
    if (i < s.len && s.ptr[i] == '.') {
        size_t fraction = ++i;
        i = skip_digits(s, i);
        digits = digits || i > fraction;
    }
    if (digits && i < s.len && (s.ptr[i] | 0x20) == 'e') {
        i++;
        i += i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+');
        size_t exponent = i;
        i = skip_digits(s, i);
        digits = i > exponent;
    }
    return digits && i == s.len;
}

/* The number behind "0o" or "0x", of base 2^bits. False when there are other characters; *fits tells whether int64 holds it.
 */
static bool read_prefixed(str s, unsigned bits, int64_t *out, bool *fits) {
    uint64_t value = 0;
    *fits = true;
    for (size_t i = 2; i < s.len; i++) {
        char c = (char)(s.ptr[i] | 0x20);
        int digit = is_digit(s.ptr[i]) ? s.ptr[i] - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
        if (digit >= 1 << bits)
            return false;
        *fits = *fits && value >> (63 - bits) == 0;
        value = value << bits | (uint64_t)digit;
    }
    *out = (int64_t)value;
    return s.len > 2;
}

static bool looks_prefixed(str s, int64_t *out, bool *fits) {
    if (str_starts(s, STR("0o")))
        return read_prefixed(s, 3, out, fits);
    return str_starts(s, STR("0x")) && read_prefixed(s, 4, out, fits);
}

enum json_type yaml_plain_type(str s, struct json *out, bool *fits) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL}, *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const infs[] = {".inf", ".Inf", ".INF", NULL};
    *fits = true;
    if (one_of(s, nulls))
        return JSON_NULL;
    if (one_of(s, trues) || one_of(s, falses)) {
        out->boolean = (s.ptr[0] | 0x20) == 't';
        return JSON_BOOL;
    }
    if (looks_whole(s)) {
        *fits = number_parse_integer(s, &out->integer);
        return JSON_INTEGER;
    }
    if (looks_prefixed(s, &out->integer, fits))
        return JSON_INTEGER;
    if (looks_real(s)) {
        *fits = number_parse(s, &out->real);
        return JSON_REAL;
    }
    if (one_of(s, nans) || one_of(str_slice(s, s.ptr[0] == '-' || s.ptr[0] == '+', s.len), infs)) {
        *fits = false;
        return JSON_REAL;
    }
    out->string = s;
    return JSON_STRING;
}
