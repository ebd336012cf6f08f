/* value.c — numbers and truth values from text. */
#include "features/value.h"

#include "base/number.h"
#include "base/quantity.h"

#include <math.h>

enum { CELL_BYTE = 64 }; /* longer cells are not numbers */

/* Nothing that is counted or measured is larger, and sums of cubes of what is smaller stay finite. */
static const double largest = 1e100;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Exact: up to 15 digits are a whole number below 2^53, and one division by a power of ten up to 10^15 rounds correctly
 * (Clinger 1990). */
bool number_read_short(str s, double *out) {
    static const double power[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = s.len > 0 && s.ptr[0] == '-', digits = 0, behind = 0;
    bool point = false;
    int64_t whole = 0;
    if (s.len - i > 16)
        return false;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (is_digit(c)) {
            whole = whole * 10 + (c - '0');
            digits++;
            behind += point;
        } else if (c == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (digits == 0 || digits > 15 || (point && behind == 0))
        return false;
    double value = (double)whole / power[behind];
    *out = s.ptr[0] == '-' ? -value : value;
    return true;
}

/* How the marks of a cell look: their counts, where the last ones are, and how many digits follow the last. */
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

int number_mark_vote(str cell) {
    struct marks m = find_marks(cell);
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

static bool is_ambiguous(str cell) {
    struct marks m = find_marks(cell);
    return m.points + m.commas == 1 && m.behind == 3 && m.before > 0 && m.before <= 3;
}

/* The same cell with points and commas exchanged. */
static str exchange_marks(str s, char text[CELL_BYTE]) {
    for (size_t i = 0; i < s.len; i++)
        text[i] = s.ptr[i] == '.' ? ',' : s.ptr[i] == ',' ? '.' : s.ptr[i];
    return (str){text, s.len};
}

static unsigned notes_of(str s, const struct quantity *q) {
    unsigned note = 0;
    if (q->unit == QUANTITY_MONEY)
        note |= NUMBER_MONEY;
    if (q->unit == QUANTITY_PERCENT)
        note |= NUMBER_PERCENT;
    if (str_find_byte(s, ',') >= 0 || str_find_byte(s, '\'') >= 0)
        note |= NUMBER_GROUPED;
    if (isinf(q->low) || isinf(q->high))
        note |= NUMBER_OPEN;
    else if (q->low < q->high)
        note |= NUMBER_RANGE;
    return note;
}

/* "(1,234)" is how accountants write a negative amount. */
static bool cut_parentheses(str *s) {
    if (s->len < 3 || s->ptr[0] != '(' || s->ptr[s->len - 1] != ')')
        return false;
    *s = str_trim(str_slice(*s, 1, s->len - 1));
    return true;
}

bool number_read(str cell, char decimal, struct number *out) {
    str s = str_trim(cell);
    double plain;
    if (s.len == 0 || s.len > CELL_BYTE)
        return false;
    if (decimal != ',' && (number_read_short(s, &plain) || number_parse(s, &plain))) {
        bool ambiguous = decimal == 0 && is_ambiguous(s);
        if (fabs(plain) > largest)
            return false;
        *out = (struct number){plain, plain, plain, ambiguous ? NUMBER_AMBIGUOUS : 0};
        return true;
    }
    char text[CELL_BYTE];
    bool negative = cut_parentheses(&s), comma = decimal == ',' || (decimal == 0 && number_mark_vote(s) > 0);
    unsigned note = (negative ? NUMBER_PARENTHESES : 0) | (comma && str_find_byte(s, ',') >= 0 ? NUMBER_COMMA : 0) |
                    (decimal == 0 && is_ambiguous(s) ? NUMBER_AMBIGUOUS : 0);
    if (comma)
        s = exchange_marks(s, text);
    struct quantity q;
    if (!quantity_parse(s, &q) || (negative && (q.low != q.high || q.low < 0)))
        return false;
    double value = quantity_middle(q, true), sign = negative ? -1 : 1;
    if (!(fabs(value) <= largest))
        return false;
    *out = (struct number){sign * value, sign * q.low, sign * q.high, note | notes_of(s, &q)};
    return true;
}

bool flag_read(str cell, bool *out) {
    static const str yes[] = {STR_INIT("yes"), STR_INIT("true"), STR_INIT("y"),  STR_INIT("t"),
                              STR_INIT("1"),   STR_INIT("on"),   STR_INIT("1.0")};
    static const str no[] = {STR_INIT("no"), STR_INIT("false"), STR_INIT("n"),  STR_INIT("f"),
                             STR_INIT("0"),  STR_INIT("off"),   STR_INIT("0.0")};
    str s = str_trim(cell);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (str_equal_nocase(s, yes[i]) || str_equal_nocase(s, no[i])) {
            *out = str_equal_nocase(s, yes[i]);
            return true;
        }
    }
    return false;
}

str text_fold(str cell, char *room, size_t n) {
    str s = str_trim(cell);
    size_t k = 0;
    bool blank = false;
    if (s.len > n)
        return s;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            blank = true;
            continue;
        }
        if (blank)
            room[k++] = ' ';
        blank = false;
        room[k++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return (str){room, k};
}
