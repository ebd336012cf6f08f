/* quantity.c — one amount at a time, then the ways of joining two of them. */
#include "base/quantity.h"

#include "base/number.h"

#include <math.h>

enum { DIGITS_BYTE = 64 };

struct amount {
    double value;      /* without the multiplier */
    double multiplier; /* 0 when none was written */
    enum quantity_unit unit;
};

static const struct {
    str text;
    double multiplier;
} multipliers[] = {
    {STR_INIT("trillion"), 1e12}, {STR_INIT("billion"), 1e9}, {STR_INIT("million"), 1e6}, {STR_INIT("thousand"), 1e3},
    {STR_INIT("mio"), 1e6},       {STR_INIT("tn"), 1e12},     {STR_INIT("bn"), 1e9},      {STR_INIT("mn"), 1e6},
    {STR_INIT("mm"), 1e6},        {STR_INIT("t"), 1e12},      {STR_INIT("b"), 1e9},       {STR_INIT("m"), 1e6},
    {STR_INIT("k"), 1e3},
};

static const str currencies[] = {STR_INIT("us$"),      STR_INIT("usd"),     STR_INIT("eur"), STR_INIT("gbp"),
                                 STR_INIT("chf"),      STR_INIT("jpy"),     STR_INIT("$"),   STR_INIT("€"),
                                 STR_INIT("\xc2\xa3"), STR_INIT("\xc2\xa5")};

static const str range_marks[] = {STR_INIT("\xe2\x80\x93"), STR_INIT("\xe2\x80\x94"), STR_INIT(".."), STR_INIT(" to "),
                                  STR_INIT("-")};

static const struct {
    str text;
    bool upper; /* the amount is the upper end */
} open_ends[] = {
    {STR_INIT(">="), false},        {STR_INIT(">"), false},         {STR_INIT("<="), true},
    {STR_INIT("<"), true},          {STR_INIT("over "), false},     {STR_INIT("above "), false},
    {STR_INIT("up to "), true},     {STR_INIT("under "), true},     {STR_INIT("more than "), false},
    {STR_INIT("less than "), true}, {STR_INIT("at least "), false}, {STR_INIT("below "), true},
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool starts_nocase(str s, str prefix) {
    return s.len >= prefix.len && str_equal_nocase(str_slice(s, 0, prefix.len), prefix);
}

static bool ends_nocase(str s, str suffix) {
    return s.len >= suffix.len && str_equal_nocase(str_slice(s, s.len - suffix.len, s.len), suffix);
}

/* Cuts a currency off either end. */
static bool cut_currency(str *s) {
    for (size_t i = 0; i < sizeof currencies / sizeof *currencies; i++) {
        str c = currencies[i];
        if (starts_nocase(*s, c)) {
            *s = str_trim(str_slice(*s, c.len, s->len));
            return true;
        }
        if (ends_nocase(*s, c)) {
            *s = str_trim(str_slice(*s, 0, s->len - c.len));
            return true;
        }
    }
    return false;
}

static double cut_multiplier(str *s) {
    for (size_t i = 0; i < sizeof multipliers / sizeof *multipliers; i++) {
        str m = multipliers[i].text;
        if (s->len > m.len && ends_nocase(*s, m)) {
            str rest = str_trim(str_slice(*s, 0, s->len - m.len));
            if (rest.len > 0 && (is_digit(rest.ptr[rest.len - 1]) || rest.ptr[rest.len - 1] == '.')) {
                *s = rest;
                return multipliers[i].multiplier;
            }
        }
    }
    return 0;
}

/* Writes the number without its group separators to `digits`. False when the groups are not of three digits. */
static bool cut_groups(str s, char digits[DIGITS_BYTE], size_t *len) {
    size_t i = 0, n = 0, run = 0;
    char separator = 0;
    if (s.len >= DIGITS_BYTE)
        return false;
    if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+'))
        digits[n++] = s.ptr[i++];
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_digit(c)) {
            digits[n++] = c;
            run++;
        } else if (c == ',' || c == '\'' || c == ' ') {
            if ((separator && (c != separator || run != 3)) || run == 0 || run > 3)
                return false;
            separator = c;
            run = 0;
        } else {
            break;
        }
    }
    if (separator && run != 3)
        return false;
    while (i < s.len)
        digits[n++] = s.ptr[i++];
    *len = n;
    return true;
}

static bool parse_amount(str s, struct amount *out) {
    struct amount a = {0};
    s = str_trim(s);
    bool negative = str_starts(s, STR("-"));
    str rest = negative ? str_slice(s, 1, s.len) : s;
    if (cut_currency(&rest)) {
        a.unit = QUANTITY_MONEY;
        if (negative && (rest.len == 0 || !(is_digit(rest.ptr[0]) || rest.ptr[0] == '.')))
            return false;
        s = rest;
    } else {
        negative = false;
    }
    if (s.len > 1 && s.ptr[s.len - 1] == '%' && a.unit == QUANTITY_PLAIN) {
        a.unit = QUANTITY_PERCENT;
        s = str_trim(str_slice(s, 0, s.len - 1));
    }
    a.multiplier = cut_multiplier(&s);
    char digits[DIGITS_BYTE];
    size_t n;
    if (!cut_groups(s, digits, &n) || !number_parse((str){digits, n}, &a.value))
        return false;
    if (negative)
        a.value = -a.value;
    *out = a;
    return true;
}

static bool close_range(struct amount low, struct amount high, struct quantity *out) {
    enum quantity_unit unit = high.unit != QUANTITY_PLAIN ? high.unit : low.unit;
    if (low.unit != QUANTITY_PLAIN && high.unit != QUANTITY_PLAIN && low.unit != high.unit)
        return false;
    double top = high.value * (high.multiplier > 0 ? high.multiplier : 1);
    double bottom = low.value * (low.multiplier > 0 ? low.multiplier : 1);
    if (low.multiplier <= 0 && high.multiplier > 0 && low.value * high.multiplier <= top)
        bottom = low.value * high.multiplier;
    if (!(bottom <= top) || isinf(top) || isinf(bottom))
        return false;
    *out = (struct quantity){bottom, top, unit};
    return true;
}

static bool parse_range(str s, struct quantity *out) {
    for (size_t i = 0; i < sizeof range_marks / sizeof *range_marks; i++) {
        str mark = range_marks[i];
        for (size_t from = 1; from + mark.len < s.len; from++) {
            struct amount low, high;
            if (starts_nocase(str_slice(s, from, s.len), mark) && parse_amount(str_slice(s, 0, from), &low) &&
                parse_amount(str_slice(s, from + mark.len, s.len), &high))
                return close_range(low, high, out);
        }
    }
    return false;
}

static bool parse_open(str s, struct quantity *out) {
    struct amount a;
    bool upper = false, found = false;
    if (s.len > 1 && s.ptr[s.len - 1] == '+') {
        s = str_slice(s, 0, s.len - 1);
        found = true;
    }
    for (size_t i = 0; !found && i < sizeof open_ends / sizeof *open_ends; i++)
        if (starts_nocase(s, open_ends[i].text)) {
            s = str_slice(s, open_ends[i].text.len, s.len);
            upper = open_ends[i].upper;
            found = true;
        }
    if (!found || !parse_amount(s, &a))
        return false;
    double value = a.value * (a.multiplier > 0 ? a.multiplier : 1);
    if (isinf(value))
        return false;
    *out = (struct quantity){upper ? -INFINITY : value, upper ? value : INFINITY, a.unit};
    return true;
}

bool quantity_parse(str s, struct quantity *out) {
    struct amount a;
    s = str_trim(s);
    if (s.len == 0 || s.len > 2 * DIGITS_BYTE)
        return false;
    double plain;
    if (number_parse(s, &plain)) {
        *out = (struct quantity){plain, plain, QUANTITY_PLAIN};
        return true;
    }
    if (parse_amount(s, &a)) {
        double value = a.value * (a.multiplier > 0 ? a.multiplier : 1);
        if (isinf(value))
            return false;
        *out = (struct quantity){value, value, a.unit};
        return true;
    }
    return parse_range(s, out) || parse_open(s, out);
}

double quantity_middle(struct quantity q, bool geometric) {
    if (isinf(q.low))
        return q.high;
    if (isinf(q.high) || q.low == q.high)
        return q.low;
    return geometric && q.low > 0 ? sqrt(q.low) * sqrt(q.high) : q.low + (q.high - q.low) / 2;
}
