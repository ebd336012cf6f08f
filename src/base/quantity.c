/* quantity.c — one amount at a time, the ways of joining two of them, and whose mark is the comma. */
#include "base/quantity.h"

#include "base/number.h"

#include <math.h>

/* Nothing that is counted or measured is larger. */
static const double largest = 1e100;

struct amount {
    double value;      /* without the multiplier */
    double multiplier; /* 0 when none was written */
    unsigned note;     /* QUANTITY_MONEY or QUANTITY_PERCENT */
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
static bool cut_groups(str s, char digits[QUANTITY_MAX_BYTE], size_t *len) {
    size_t i = 0, n = 0, run = 0;
    char separator = 0;
    if (s.len >= QUANTITY_MAX_BYTE)
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
        a.note = QUANTITY_MONEY;
        if (negative && (rest.len == 0 || !(is_digit(rest.ptr[0]) || rest.ptr[0] == '.')))
            return false;
        s = rest;
    } else {
        negative = false;
    }
    if (s.len > 1 && s.ptr[s.len - 1] == '%' && a.note == 0) {
        a.note = QUANTITY_PERCENT;
        s = str_trim(str_slice(s, 0, s.len - 1));
    }
    a.multiplier = cut_multiplier(&s);
    char digits[QUANTITY_MAX_BYTE];
    size_t n;
    if (!cut_groups(s, digits, &n) || !number_parse((str){digits, n}, &a.value))
        return false;
    if (negative)
        a.value = -a.value;
    *out = a;
    return true;
}

static bool close_range(struct amount low, struct amount high, struct quantity *out) {
    if (low.note && high.note && low.note != high.note)
        return false;
    double top = high.value * (high.multiplier > 0 ? high.multiplier : 1);
    double bottom = low.value * (low.multiplier > 0 ? low.multiplier : 1);
    if (low.multiplier <= 0 && high.multiplier > 0 && low.value * high.multiplier <= top)
        bottom = low.value * high.multiplier;
    if (!(bottom <= top))
        return false;
    *out = (struct quantity){bottom, top, low.note | high.note | (bottom < top ? QUANTITY_RANGE : 0)};
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
    *out = (struct quantity){upper ? -INFINITY : value, upper ? value : INFINITY, a.note | QUANTITY_OPEN};
    return true;
}

/* With the point as decimal mark. */
static bool parse_any(str s, struct quantity *out) {
    struct amount a;
    if (!parse_amount(s, &a))
        return parse_range(s, out) || parse_open(s, out);
    double value = a.value * (a.multiplier > 0 ? a.multiplier : 1);
    *out = (struct quantity){value, value, a.note};
    return true;
}

/* ---- decimal marks ---- */

/* How the marks of a text look: their counts, where the last ones are, and how many digits follow the last. */
struct marks {
    size_t points, commas, last_point, last_comma, behind, before;
};

static struct marks find_marks(str s) {
    struct marks m = {0};
    size_t last = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.') {
            m.points++;
            m.last_point = last = i;
        } else if (s.ptr[i] == ',') {
            m.commas++;
            m.last_comma = last = i;
        }
    }
    if (m.points + m.commas > 0) {
        for (size_t i = last + 1; i < s.len && is_digit(s.ptr[i]); i++)
            m.behind++;
        for (size_t i = last; i > 0 && is_digit(s.ptr[i - 1]); i--)
            m.before++;
    }
    return m;
}

int quantity_mark_vote(str s) {
    struct marks m = find_marks(s);
    if (m.points > 0 && m.commas > 0)
        return m.last_comma > m.last_point ? 1 : -1;
    if (m.points + m.commas == 0)
        return 0;
    if (m.points > 1 || m.commas > 1)
        return m.points > 1 ? 1 : -1; /* several of a kind separate groups */
    if (m.behind == 3 && m.before > 0 && m.before <= 3)
        return 0;
    return m.commas > 0 ? 1 : -1;
}

static bool is_ambiguous(str s) {
    struct marks m = find_marks(s);
    return m.points + m.commas == 1 && m.behind == 3 && m.before > 0 && m.before <= 3;
}

/* The same text with points and commas exchanged. */
static str exchange_marks(str s, char text[QUANTITY_MAX_BYTE]) {
    for (size_t i = 0; i < s.len; i++)
        text[i] = s.ptr[i] == '.' ? ',' : s.ptr[i] == ',' ? '.' : s.ptr[i];
    return (str){text, s.len};
}

/* "(1,234)" is how accountants write a negative amount. */
static bool cut_parentheses(str *s) {
    if (s->len < 3 || s->ptr[0] != '(' || s->ptr[s->len - 1] != ')')
        return false;
    *s = str_trim(str_slice(*s, 1, s->len - 1));
    return true;
}

static bool read_plain(str s, char decimal, struct quantity *out) {
    double x;
    if (decimal == ',' || !number_parse(s, &x))
        return false;
    *out = (struct quantity){x, x, decimal == 0 && is_ambiguous(s) ? QUANTITY_AMBIGUOUS : 0};
    return true;
}

static bool read_marked(str s, char decimal, struct quantity *out) {
    char text[QUANTITY_MAX_BYTE];
    bool negative = cut_parentheses(&s), comma = decimal == ',' || (decimal == 0 && quantity_mark_vote(s) > 0);
    unsigned note = (negative ? QUANTITY_PARENTHESES : 0) | (comma && str_find_byte(s, ',') >= 0 ? QUANTITY_COMMA : 0) |
                    (decimal == 0 && is_ambiguous(s) ? QUANTITY_AMBIGUOUS : 0);
    if (comma)
        s = exchange_marks(s, text);
    struct quantity q;
    if (!parse_any(s, &q) || (negative && (q.low != q.high || q.low < 0)))
        return false;
    if (str_find_byte(s, ',') >= 0 || str_find_byte(s, '\'') >= 0)
        note |= QUANTITY_GROUPED;
    *out = (struct quantity){negative ? -q.low : q.low, negative ? -q.high : q.high, q.note | note};
    return true;
}

static bool is_sound(struct quantity q) {
    bool low = fabs(q.low) <= largest, high = fabs(q.high) <= largest;
    return q.note & QUANTITY_OPEN ? low || high : low && high;
}

bool quantity_read(str s, char decimal, struct quantity *out) {
    struct quantity q;
    s = str_trim(s);
    if (s.len == 0 || s.len > QUANTITY_MAX_BYTE || !(read_plain(s, decimal, &q) || read_marked(s, decimal, &q)) ||
        !is_sound(q))
        return false;
    *out = q;
    return true;
}

double quantity_middle(struct quantity q, bool geometric) {
    if (isinf(q.low))
        return q.high;
    if (isinf(q.high) || q.low == q.high)
        return q.low;
    return geometric && q.low > 0 ? sqrt(q.low) * sqrt(q.high) : q.low + (q.high - q.low) / 2;
}

bool quantity_read_number(str s, char decimal, double *out) {
    struct quantity q;
    double x;
    if (decimal == '.' && number_parse(s, &x) && fabs(x) <= largest) { /* nearly all cells: no need to look further */
        *out = x;
        return true;
    }
    if (!quantity_read(s, decimal, &q))
        return false;
    *out = quantity_middle(q, true);
    return true;
}
