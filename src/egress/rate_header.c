/* rate_header.c — reading Retry-After, the families of rate limit headers, and Link. */
#include "egress/rate_header.h"

#include "base/number.h"

#include <time.h>

enum { DATE_BYTE = 64 };

static const double SINCE_1970_S = 1e9, SINCE_1970_MS = 1e12;

static int64_t clip_ms(double ms) { return ms < 0 ? 0 : ms > (double)RATE_HEADER_MAX_MS ? RATE_HEADER_MAX_MS : (int64_t)ms; }

/* IMF-fixdate, RFC 850 and asctime. */
static bool read_date(str value, int64_t *ms) {
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
    char text[DATE_BYTE];
    if (value.len == 0 || value.len >= sizeof text || memchr(value.ptr, '\0', value.len))
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = {0};
        const char *rest = strptime(text, forms[i], &tm);
        if (rest && *rest == '\0') {
            *ms = (int64_t)timegm(&tm) * 1000;
            return true;
        }
    }
    return false;
}

/* A number that people write: no exponent, no sign but '-'. */
static bool read_number(str value, double *out) {
    for (size_t i = 0; i < value.len; i++)
        if ((value.ptr[i] < '0' || value.ptr[i] > '9') && value.ptr[i] != '.' && !(i == 0 && value.ptr[i] == '-'))
            return false;
    return number_parse(value, out);
}

int64_t rate_header_after_ms(str value, int64_t now_ms) {
    double second;
    int64_t date_ms;
    value = str_trim(value);
    if (read_number(value, &second))
        return clip_ms(second * 1000);
    if (read_date(value, &date_ms))
        return clip_ms((double)(date_ms - now_ms));
    return -1;
}

static int64_t read_reset_ms(str value, int64_t now_ms) {
    double number;
    value = str_trim(value);
    if (!read_number(value, &number))
        return rate_header_after_ms(value, now_ms);
    if (number >= SINCE_1970_MS)
        return clip_ms(number - (double)now_ms);
    return clip_ms(number >= SINCE_1970_S ? number * 1000 - (double)now_ms : number * 1000);
}

static int64_t read_count(str value) {
    double number;
    /* "100, 100;w=60": the first number. */
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == ',' || value.ptr[i] == ';')
            value = str_slice(value, 0, i);
    if (!read_number(str_trim(value), &number) || number < 0)
        return -1;
    return number > 1e15 ? (int64_t)1e15 : (int64_t)number;
}

/* Keeps the strictest of what was said. */
static void keep_least(int64_t *kept, int64_t said) {
    if (said >= 0 && (*kept < 0 || said < *kept))
        *kept = said;
}

static void keep_most(int64_t *kept, int64_t said) { *kept = said > *kept ? said : *kept; }

/* One "r=50" or "remaining=50" of a RateLimit field. */
static void read_member(struct rate_header *out, str member, int64_t now_ms) {
    ptrdiff_t equals = str_find_byte(member, '=');
    if (equals <= 0)
        return;
    str name = str_trim(str_slice(member, 0, (size_t)equals));
    str value = str_trim(str_slice(member, (size_t)equals + 1, member.len));
    if (str_equal_nocase(name, STR("r")) || str_equal_nocase(name, STR("remaining")))
        keep_least(&out->left, read_count(value));
    else if (str_equal_nocase(name, STR("t")) || str_equal_nocase(name, STR("reset")))
        keep_most(&out->reset_ms, read_reset_ms(value, now_ms));
    else if (str_equal_nocase(name, STR("limit")) || str_equal_nocase(name, STR("q")))
        keep_least(&out->limit, read_count(value));
}

static void read_members(struct rate_header *out, str value, int64_t now_ms) {
    size_t from = 0;
    for (size_t i = 0; i <= value.len; i++)
        if (i == value.len || value.ptr[i] == ',' || value.ptr[i] == ';') {
            read_member(out, str_slice(value, from, i), now_ms);
            from = i + 1;
        }
}

/* "Remaining" for "X-RateLimit-Remaining", "RateLimit-Remaining", "X-Rate-Limit-Remaining-Second"; ptr NULL for others. */
static str rate_part(str name) {
    static const str front[] = {STR_INIT("x-ratelimit-"), STR_INIT("ratelimit-"), STR_INIT("x-rate-limit-"),
                                STR_INIT("rate-limit-"), STR_INIT("x-hubspot-ratelimit-")};
    for (size_t i = 0; i < sizeof front / sizeof *front; i++)
        if (str_equal_nocase(str_slice(name, 0, front[i].len), front[i]))
            return str_slice(name, front[i].len, name.len);
    return (str){0};
}

static bool begins(str part, str with) { return str_equal_nocase(str_slice(part, 0, with.len), with); }

static void read_field(struct rate_header *out, struct http_field f, int64_t now_ms) {
    if (str_equal_nocase(f.name, STR("Retry-After"))) {
        keep_most(&out->after_ms, rate_header_after_ms(f.value, now_ms));
        return;
    }
    if (str_equal_nocase(f.name, STR("RateLimit"))) {
        read_members(out, f.value, now_ms);
        return;
    }
    str part = rate_part(f.name);
    if (begins(part, STR("remaining")))
        keep_least(&out->left, read_count(f.value));
    else if (begins(part, STR("reset")))
        keep_most(&out->reset_ms, read_reset_ms(f.value, now_ms));
    else if (begins(part, STR("limit")))
        keep_least(&out->limit, read_count(f.value));
}

struct rate_header rate_header_read(const struct http_field *header, size_t n, int64_t now_ms) {
    struct rate_header out = {-1, -1, -1, -1};
    for (size_t i = 0; i < n; i++)
        read_field(&out, header[i], now_ms);
    return out;
}

/* ---- Link ---- */

/* True when the parameters of a link, up to its end, have the relation; *end is where they end. */
static bool has_relation(str value, size_t from, str rel, size_t *end) {
    bool quoted = false, has = false;
    size_t start = from;
    for (size_t i = from; i <= value.len; i++) {
        bool last = i == value.len || (!quoted && value.ptr[i] == ',');
        if (!last && value.ptr[i] == '"')
            quoted = !quoted;
        if (!last && (quoted || value.ptr[i] != ';'))
            continue;
        str part = str_trim(str_slice(value, start, i));
        start = i + 1;
        if (str_equal_nocase(str_slice(part, 0, 4), STR("rel="))) {
            str name, names = str_slice(part, 4, part.len);
            if (names.len >= 2 && names.ptr[0] == '"' && names.ptr[names.len - 1] == '"')
                names = str_slice(names, 1, names.len - 1);
            while (str_split(&names, ' ', &name))
                has |= str_equal_nocase(name, rel);
        }
        if (last) {
            *end = i;
            return has;
        }
    }
    *end = value.len;
    return has;
}

bool rate_header_link(str value, str rel, str *target) {
    size_t at = 0;
    while (at < value.len) {
        ptrdiff_t open = str_find_byte(str_slice(value, at, value.len), '<');
        if (open < 0)
            return false;
        size_t begin = at + (size_t)open + 1;
        ptrdiff_t length = str_find_byte(str_slice(value, begin, value.len), '>');
        if (length < 0)
            return false;
        size_t end = begin + (size_t)length;
        if (has_relation(value, end + 1, rel, &at)) {
            *target = str_slice(value, begin, end);
            return true;
        }
    }
    return false;
}
