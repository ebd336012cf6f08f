/* amount.c — money, headcounts and dates in one writing each. */
#include "validate/amount.h"

#include "base/number.h"
#include "base/quantity.h"

#include <math.h>

enum { AMOUNT_MAX_BYTE = 80 };
#define HEADCOUNT_MAX 2e7

/* Plain digits for what people count: no exponent. */
static str digits(struct arena *a, double x) {
    if (x == floor(x) && fabs(x) < 1e15)
        return str_format(a, "%.0f", x);
    char text[NUMBER_TEXT_BYTE];
    return str_copy(a, (str){text, number_format(x, text)});
}

static str written(struct arena *a, struct quantity q) {
    if (q.low == q.high)
        return digits(a, q.low);
    if (isinf(q.high))
        return str_format(a, "%.*s+", STR_ARG(digits(a, q.low)));
    const double low = isinf(q.low) ? 0 : q.low;
    return str_format(a, "%.*s-%.*s", STR_ARG(digits(a, low)), STR_ARG(digits(a, q.high)));
}

static void note(struct clean_value *v, unsigned notes, str s) {
    static const unsigned marks = QUANTITY_GROUPED | QUANTITY_COMMA | QUANTITY_PARENTHESES;
    if (notes & marks)
        clean_apply(v, RULE_NUMBER);
    if (notes & (QUANTITY_RANGE | QUANTITY_OPEN))
        clean_apply(v, RULE_RANGE);
    if (notes & QUANTITY_MONEY)
        clean_apply(v, RULE_CURRENCY);
    if (notes & QUANTITY_AMBIGUOUS)
        v->confidence *= 0.85;
    for (size_t i = 0; i < s.len; i++)
        if (strchr("kKmMbBtT", s.ptr[i]) && i > 0 && ((s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9') || s.ptr[i - 1] == ' '))
            clean_apply(v, RULE_MULTIPLIER);
}

static const char *currency_of(str s) {
    static const struct {
        str mark;
        const char *code;
    } marks[] = {{STR_INIT("US$"), "USD"},          {STR_INIT("USD"), "USD"},
                 {STR_INIT("EUR"), "EUR"},          {STR_INIT("GBP"), "GBP"},
                 {STR_INIT("CHF"), "CHF"},          {STR_INIT("JPY"), "JPY"},
                 {STR_INIT("\xE2\x82\xAC"), "EUR"}, {STR_INIT("\xC2\xA3"), "GBP"},
                 {STR_INIT("\xC2\xA5"), "JPY"},     {STR_INIT("$"), "USD"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_find_nocase(s, marks[i].mark) >= 0)
            return marks[i].code;
    return NULL;
}

void amount_clean_money(struct arena *a, str original, struct clean_value *v) {
    struct quantity q;
    if (!clean_begin(v, original, AMOUNT_MAX_BYTE))
        return;
    const str s = clean_spaces(a, v, v->value);
    if (!quantity_read(s, 0, &q) || (q.note & QUANTITY_PERCENT)) {
        clean_refuse(v, RULE_UNKNOWN);
        return;
    }
    note(v, q.note, s);
    const char *currency = currency_of(s);
    v->value = written(a, q);
    if (currency)
        v->value = str_format(a, "%.*s %s", STR_ARG(v->value), currency);
    /* "$" is also the sign of other dollars. */
    if (currency && str_find_byte(s, '$') >= 0 && str_find_nocase(s, STR("US")) < 0)
        v->confidence *= 0.9;
    if (!str_equal(v->value, s) && v->rules == 0)
        clean_apply(v, RULE_NUMBER);
    clean_end(v, original);
}

/* "51-200 employees", "ca. 40 Mitarbeiter" */
static str without_words(str s) {
    static const str front[] = {STR_INIT("approximately "), STR_INIT("approx. "), STR_INIT("about "), STR_INIT("around "),
                                STR_INIT("circa "),         STR_INIT("ca. "),     STR_INIT("~")};
    static const str behind[] = {
        STR_INIT("employees"), STR_INIT("employee"), STR_INIT("people"),     STR_INIT("staff"),       STR_INIT("fte"),
        STR_INIT("ftes"),      STR_INIT("persons"),  STR_INIT("headcount"),  STR_INIT("mitarbeiter"), STR_INIT("empleados"),
        STR_INIT("employés"),  STR_INIT("salariés"), STR_INIT("dipendenti"), STR_INIT("medewerkers")};
    for (size_t i = 0; i < sizeof front / sizeof *front; i++)
        if (s.len > front[i].len && str_equal_nocase(str_slice(s, 0, front[i].len), front[i]))
            s = str_trim(str_slice(s, front[i].len, s.len));
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
        if (s.len > behind[i].len && str_equal_nocase(str_slice(s, s.len - behind[i].len, s.len), behind[i]))
            return str_trim(str_slice(s, 0, s.len - behind[i].len));
    return s;
}

void amount_clean_headcount(struct arena *a, str original, struct clean_value *v) {
    struct quantity q;
    if (!clean_begin(v, original, AMOUNT_MAX_BYTE))
        return;
    const str whole = clean_spaces(a, v, v->value), s = without_words(whole);
    if (!quantity_read(s, 0, &q) || (q.note & (QUANTITY_PERCENT | QUANTITY_MONEY | QUANTITY_PARENTHESES)) ||
        (isfinite(q.low) && (q.low < 0 || q.low != floor(q.low) || q.low > HEADCOUNT_MAX)) ||
        (isfinite(q.high) && (q.high != floor(q.high) || q.high > HEADCOUNT_MAX))) {
        clean_refuse(v, RULE_UNKNOWN);
        return;
    }
    if (s.len < whole.len)
        clean_apply(v, RULE_NUMBER);
    note(v, q.note & ~(unsigned)QUANTITY_AMBIGUOUS, s); /* people are whole: "1,200" can only be twelve hundred */
    v->value = written(a, q);
    if (!str_equal(v->value, s) && v->rules == 0)
        clean_apply(v, RULE_NUMBER);
    clean_end(v, original);
}

void amount_clean_date(struct arena *a, str original, enum time_order order, struct clean_value *v) {
    struct moment m;
    if (!clean_begin(v, original, AMOUNT_MAX_BYTE))
        return;
    const str s = clean_spaces(a, v, v->value);
    const enum time_fault fault = time_read(s, order, &m);
    if (fault != TIME_GOOD) {
        clean_refuse(v, fault == TIME_AMBIGUOUS ? RULE_AMBIGUOUS : RULE_UNKNOWN);
        return;
    }
    char text[TIME_TEXT_BYTE];
    const size_t n = m.clock ? time_format(m.ms, text) : time_format_day(m.ms, text);
    v->value = str_copy(a, (str){text, n});
    if (!str_equal(v->value, s))
        clean_apply(v, RULE_ISO_DATE);
    clean_end(v, original);
}
