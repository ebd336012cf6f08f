/* sight.c — deciding what a column is, from its cells first and its name second. */
#include "features/sight_priv.h"

#include "base/quantity.h"
#include "base/time.h"

#include <math.h>

enum { WORDS_OF_TEXT = 3, BYTES_OF_TEXT = 40 };

/* Shares of the known cells that settle a type. */
static const double nearly_all = 0.95, half = 0.5;

/* ---- missing tokens ---- */

static bool is_two_letters(str s) {
    return s.len == 2 && s.ptr[0] >= 'A' && s.ptr[0] <= 'Z' && s.ptr[1] >= 'A' && s.ptr[1] <= 'Z';
}

/* In a column of two-letter codes "NA" is Namibia. */
static bool has_letter_codes(const struct column *c) {
    double codes = 0, all = 0;
    for (size_t v = 0; v < c->n_value; v++) {
        codes += is_two_letters(c->value[v].text);
        all += c->value[v].text.len > 0;
    }
    return all >= 5 && codes > 0.8 * all;
}

static void add_token(struct sight *x, str token) {
    if (x->f.n_missing >= SCHEMA_MAX_MISSING)
        return;
    str *list = ARENA_ARRAY(x->w->a, x->f.n_missing + 1, str);
    for (size_t i = 0; i < x->f.n_missing; i++) {
        list[i] = x->f.missing[i];
        if (str_equal_nocase(list[i], token))
            return;
    }
    list[x->f.n_missing++] = token;
    x->f.missing = list;
}

static void find_tokens(struct sight *x) {
    bool codes = has_letter_codes(&x->c);
    for (size_t v = 0; v < x->c.n_value; v++) {
        str text = x->c.value[v].text;
        if (text.len > 0 && text_means_missing(text) && !(codes && is_two_letters(text)))
            add_token(x, text);
    }
}

/* In a column that is numbers (or dates) but for a few words, the words mean that there is no number. */
static void find_odd_tokens(struct sight *x) {
    double number;
    struct moment m;
    for (size_t v = 0; v < x->c.n_value; v++) {
        const struct distinct *d = &x->c.value[v];
        bool fine = x->f.type == FIELD_DATE ? time_read(d->text, x->f.date_order, &m) == TIME_GOOD
                                            : quantity_read_number(d->text, x->f.decimal, &number);
        if (x->missing[v] || fine)
            continue;
        if (text_means_missing_number(d->text) || (d->n >= x->w->fit.rare && d->n >= 0.005 * x->look.known)) {
            add_token(x, d->text);
            if (!text_means_missing_number(d->text))
                sight_warn(x, STR("mixed_types"),
                           str_format(x->w->a,
                                      "column %.*s: \"%.*s\" (%u rows) among numbers is taken to mean that there is none",
                                      STR_ARG(x->title), STR_ARG(sight_brief(d->text)), d->n));
        }
    }
}

static bool is_sentinel(double v) {
    static const double list[] = {-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999, 9999999};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (v == list[i])
            return true;
    return false;
}

/* -1 in a column of otherwise non-negative numbers, or 999 far above all others, with a spike of rows, stands for "none". */
static void find_sentinel(struct sight *x) {
    size_t n, invalid;
    str example;
    struct tally *t = column_tally(x->w->a, &x->c, &x->f, x->missing, &n, &invalid, &example);
    if (n < 3)
        return;
    double enough = fmax(x->w->fit.rare, 0.01 * x->look.known);
    bool low = is_sentinel(t[0].value) && t[0].value < 0 && t[1].value >= 0 && t[0].n >= enough && t[0].n >= t[1].n / 2;
    bool high =
        is_sentinel(t[n - 1].value) && t[n - 1].value > 0 && t[n - 1].value > 3 * t[n - 2].value && t[n - 1].n >= enough;
    double chosen[] = {low ? t[0].value : (double)NAN, high ? t[n - 1].value : (double)NAN};
    for (size_t v = 0; v < x->c.n_value; v++) {
        double number;
        if (!x->missing[v] && quantity_read_number(x->c.value[v].text, x->f.decimal, &number) &&
            (number == chosen[0] || number == chosen[1]))
            add_token(x, x->c.value[v].text);
    }
}

/* ---- looking ---- */

static void look_at_number(struct look *l, const struct distinct *d) {
    struct quantity x;
    if (!quantity_read(d->text, 0, &x)) {
        if (!text_means_missing_number(d->text)) {
            l->odd++;
            l->odd_rows += d->n;
        }
        return;
    }
    int vote = quantity_mark_vote(d->text);
    l->number += d->n;
    l->plus += vote > 0 ? d->n : 0;
    l->minus += vote < 0 ? d->n : 0;
    l->range += x.note & (QUANTITY_RANGE | QUANTITY_OPEN) ? d->n : 0;
    l->ambiguous += x.note & QUANTITY_AMBIGUOUS ? d->n : 0;
    l->percent += x.note & QUANTITY_PERCENT ? d->n : 0;
    l->money += x.note & QUANTITY_MONEY ? d->n : 0;
    double value = quantity_middle(x, true);
    bool whole = value == floor(value) && !(x.note & ~(unsigned)(QUANTITY_AMBIGUOUS | QUANTITY_GROUPED));
    l->integer += whole ? d->n : 0;
    l->zero_led += d->text.len > 1 && d->text.ptr[0] == '0' && d->text.ptr[1] >= '0' && d->text.ptr[1] <= '9' ? d->n : 0;
}

static void look_at_date(struct look *l, const struct distinct *d) {
    struct moment m;
    enum time_fault fault = time_read(d->text, TIME_ORDER_UNKNOWN, &m);
    if (fault == TIME_AMBIGUOUS) {
        l->either += d->n;
        l->date += d->n;
    } else if (fault == TIME_GOOD) {
        l->date += d->n;
        l->day_first += m.order == TIME_DAY_FIRST ? d->n : 0;
        l->month_first += m.order == TIME_MONTH_FIRST ? d->n : 0;
    } else if (fault == TIME_NO_SUCH_DAY || fault == TIME_NO_SUCH_CLOCK) {
        l->date += d->n; /* a date all the same, which will be reported as one that cannot be */
    }
}

static void look_at_text(struct look *l, const struct distinct *d) {
    bool truth;
    if (text_means_flag(d->text, &truth)) {
        l->flag += d->n;
        l->yes |= truth;
        l->no |= !truth;
    }
    look_at_date(l, d);
    size_t words = 1;
    for (size_t i = 0; i < d->text.len && i < 4096; i++)
        words += d->text.ptr[i] == ' ';
    l->word += (double)words * d->n;
    l->byte += (double)d->text.len * d->n;
    ptrdiff_t at = str_find_byte(d->text, '@');
    l->email += at > 0 && str_find_byte(str_slice(d->text, (size_t)at, d->text.len), '.') > 0 ? d->n : 0;
}

static void look_at(struct sight *x) {
    struct look *l = &x->look;
    *l = (struct look){0};
    for (size_t v = 0; v < x->c.n_value; v++) {
        const struct distinct *d = &x->c.value[v];
        if (x->missing[v]) {
            l->empty += d->n;
            continue;
        }
        l->known += d->n;
        l->distinct++;
        look_at_number(l, d);
        look_at_text(l, d);
    }
    for (size_t g = 0; g < x->s.n_group; g++)
        if (!x->missing[x->s.best[g]]) {
            l->folded++;
            l->supported += x->s.n[g] >= x->w->fit.rare ? x->s.n[g] : 0;
        }
}

/* ---- numbers that are names ---- */

/* Rates of neighbouring whole numbers that jump about more than chance allows, inside bins narrow enough for any trend: the
 * numbers are labels. Pearson's chi-square of the rows within bins, against its mean and spread. */
static bool jumps_about(struct sight *x) {
    size_t n, invalid;
    str example;
    struct tally *t = column_tally(x->w->a, &x->c, &x->f, x->missing, &n, &invalid, &example);
    enum { BINS = 12, MOST_CODES = 60 };
    double edges[BINS], chi = 0, freedom = 0;
    if (!x->w->y || n < 16 || n > MOST_CODES)
        return false;
    size_t n_edge = tally_edges(t, n, BINS, x->w->fit.rare, edges);
    for (size_t i = 0, b = 0; i < n; b++) {
        size_t from = i;
        double rows = 0, positive = 0;
        for (; i < n && (b >= n_edge || t[i].value < edges[b]); i++) {
            rows += t[i].n >= 20 ? t[i].n : 0;
            positive += t[i].n >= 20 ? t[i].positive : 0;
        }
        double rate = rows > 0 ? positive / rows : 0, values = 0;
        for (size_t j = from; j < i && rate > 0 && rate < 1; j++)
            if (t[j].n >= 20) {
                double miss = t[j].positive - t[j].n * rate;
                chi += miss * miss / (t[j].n * rate * (1 - rate));
                values++;
            }
        freedom += values > 1 ? values - 1 : 0;
    }
    return freedom >= 8 && chi > 2 * freedom && (chi - freedom) / sqrt(2 * freedom) > 6;
}

static bool is_code(struct sight *x, str *why) {
    const struct look *l = &x->look;
    if (l->integer < l->number)
        return false;
    if (l->zero_led > 0.05 * l->known) {
        *why = STR("whole numbers with leading zeros are codes");
        return true;
    }
    if (name_is_code(&x->words) && l->supported >= half * l->known) {
        *why = STR("whole numbers that by the name are codes, not quantities");
        return true;
    }
    if (!name_is_quantity(&x->words) && jumps_about(x)) {
        *why = STR("the conversion rate jumps between neighbouring whole numbers: they are codes, not quantities");
        return true;
    }
    return false;
}

/* Whole numbers that name the row: (nearly) no number twice, and the name says so or they follow each other. */
static bool is_sequence(struct sight *x) {
    const struct look *l = &x->look;
    bool named = name_is_identifier(&x->words) && !name_is_quantity(&x->words);
    if (l->known < 20 || l->integer < l->known)
        return false;
    if ((double)l->distinct < 0.99 * l->known) /* one customer in several rows */
        return named && name_has(&x->words, "id$") && (double)l->distinct > 0.3 * l->known && l->distinct > 200;
    size_t n, invalid;
    str example;
    struct tally *t = column_tally(x->w->a, &x->c, &x->f, x->missing, &n, &invalid, &example);
    double span = t[n - 1].value - t[0].value + 1;
    return named || (l->known >= 100 && span <= 3 * l->known);
}

/* ---- several levels in one cell ---- */

/* A separator that cuts many cells into parts which come again in other combinations. */
static char find_separator(struct sight *x) {
    static const char candidates[] = {';', '|', ',', '/'};
    for (size_t i = 0; i < sizeof candidates; i++) {
        double cut = 0, parts = 0, byte = 0;
        size_t cells = 0;
        for (size_t v = 0; v < x->c.n_value; v++) {
            str rest = x->c.value[v].text, part;
            if (x->missing[v])
                continue;
            size_t before = (size_t)parts;
            while (multi_next(&rest, candidates[i], &part)) {
                parts++;
                byte += (double)part.len;
            }
            cut += parts - (double)before > 1 ? x->c.value[v].n : 0;
            cells += parts - (double)before > 1;
        }
        if (cells < 3 || cut < 0.2 * x->look.known || byte > 30 * parts)
            continue;
        struct field f = {.type = FIELD_MULTI, .separator = candidates[i]};
        size_t vocabulary = multi_vocabulary(x->w->a, &x->c, &f, x->missing);
        if ((double)vocabulary * 2.5 <= parts && vocabulary >= 2 && (vocabulary < cells || vocabulary <= 12))
            return candidates[i];
    }
    return 0;
}

/* ---- deciding ---- */

static void settle(struct sight *x, enum field_type type, str why) {
    x->f.type = type;
    if (str_empty(x->f.note))
        x->f.note = why;
}

static void settle_number(struct sight *x) {
    const struct look *l = &x->look;
    str why;
    x->f.type = FIELD_NUMERIC;
    if (!(x->f.given & GIVEN_DECIMAL))
        x->f.decimal = l->plus > 4 * l->minus && l->plus > 0 ? ',' : '.';
    if (is_sequence(x)) {
        settle(x, FIELD_IDENTIFIER, STR("whole numbers that name the row"));
    } else if (is_code(x, &why)) {
        settle(x, FIELD_CATEGORY, why);
    } else {
        if (l->percent > half * l->number && str_empty(x->f.unit))
            x->f.unit = STR("%");
        if (l->ambiguous > 0 && l->plus + l->minus <= 0)
            sight_warn(
                x, STR("ambiguous_numbers"),
                str_format(
                    x->w->a,
                    "column %.*s: numbers such as 1,200 are read in the English way (\"decimal: '%c'\"): please check",
                    STR_ARG(x->title), x->f.decimal));
        if (l->range > 0 && !x->noted)
            x->f.note = str_format(x->w->a, "ranges such as 51-200 stand for their geometric middle");
    }
}

static void settle_text(struct sight *x) {
    const struct look *l = &x->look;
    bool wordy = l->word > WORDS_OF_TEXT * l->known || l->byte > BYTES_OF_TEXT * l->known;
    bool unique = (double)l->folded >= 0.9 * l->known && l->known >= 10;
    if (l->email > half * l->known && (double)l->folded > half * l->known)
        settle(x, FIELD_IDENTIFIER, STR("e-mail addresses name a person"));
    else if (unique)
        settle(x, wordy && !name_is_identifier(&x->words) ? FIELD_TEXT : FIELD_IDENTIFIER,
               STR("(nearly) every row has another value"));
    else if (!(x->f.given & GIVEN_SEPARATOR) && (x->f.separator = find_separator(x)) != 0)
        settle(x, FIELD_MULTI, str_format(x->w->a, "several values in a cell, separated by \"%c\"", x->f.separator));
    else if (l->supported >= 0.2 * l->known || l->folded <= 12)
        settle(x, FIELD_CATEGORY, (str){0});
    else
        settle(x, wordy ? FIELD_TEXT : FIELD_IDENTIFIER, STR("hardly any value comes more than a few times"));
}

/* True when the cells are numbers but for at most a few odd words. */
static bool is_numeric(struct sight *x) {
    const struct look *l = &x->look;
    if (l->known <= 0 || l->number <= 0 || (l->range > half * l->number && l->distinct > 200))
        return false;
    if (l->number >= nearly_all * l->known)
        return true;
    return l->number >= half * l->known && l->odd <= 5 && l->distinct - l->odd >= 12;
}

/* Which of 03 and 04 is the month, when the column leaves it open: what its other dates prove, else the American order. */
static void settle_date_order(struct sight *x) {
    const struct look *l = &x->look;
    if ((x->f.given & GIVEN_DATE_ORDER) || l->day_first + l->month_first + l->either <= 0)
        return;
    x->f.date_order = l->day_first > l->month_first ? TIME_DAY_FIRST : TIME_MONTH_FIRST;
    if (l->day_first + l->month_first <= 0 || fmin(l->day_first, l->month_first) > 0)
        sight_warn(x, STR("ambiguous_dates"),
                   str_format(x->w->a,
                              "column %.*s: dates such as 03/04/2026 are read with the %s first (date_order): please check",
                              STR_ARG(x->title), x->f.date_order == TIME_DAY_FIRST ? "day" : "month"));
}

/* A column of names or text that many rows lack may tell by being filled at all, and by the few values that come often. */
static void keep_fill(struct sight *x) {
    const struct look *l = &x->look;
    const double enough = fmax(30, 0.02 * (l->known + l->empty));
    if ((x->f.type != FIELD_IDENTIFIER && x->f.type != FIELD_TEXT) || l->empty < enough || l->known < enough)
        return;
    x->f.type = FIELD_CATEGORY;
    x->f.note = STR("hardly any value comes more than a few times: what counts is whether there is one");
}

static void settle_type(struct sight *x) {
    const struct look *l = &x->look;
    if (l->known <= 0)
        settle(x, FIELD_CONSTANT, STR("empty in every training row"));
    else if (l->folded == 1 && l->empty <= 0)
        settle(x, FIELD_CONSTANT,
               str_format(x->w->a, "always \"%.*s\"", STR_ARG(sight_brief(x->c.value[x->s.best[0]].text))));
    else if (l->date >= nearly_all * l->known && !(l->number >= l->known && l->distinct < 10))
        settle(x, FIELD_DATE, (str){0});
    else if (l->flag >= l->known && l->folded <= 2 && (l->yes != l->no || l->folded == 2))
        settle(x, FIELD_FLAG, (str){0});
    else if (is_numeric(x))
        settle_number(x);
    else
        settle_text(x);
    keep_fill(x);
    if (x->f.type == FIELD_NUMERIC || x->f.type == FIELD_DATE)
        return;
    if (l->number > 0.2 * l->known && l->number < nearly_all * l->known && x->f.type == FIELD_CATEGORY && l->odd > 1)
        sight_warn(
            x, STR("mixed_types"),
            str_format(x->w->a,
                       "column %.*s: %.*s of the values are numbers and the rest are words; it is taken as a category",
                       STR_ARG(x->title), STR_ARG(sight_percent(x, l->number, l->known))));
}

/* Missing tokens and type; every choice the file states stays. */
void sight_decide(struct sight *x) {
    struct arena *a = x->w->a;
    x->missing = ARENA_ARRAY(a, x->c.n_value, unsigned char);
    if (!(x->f.given & GIVEN_MISSING))
        find_tokens(x);
    fit_mark_missing(&x->c, &x->f, x->missing);
    look_at(x);
    if (!(x->f.given & GIVEN_TYPE))
        settle_type(x);
    else if (x->f.type == FIELD_NUMERIC && !(x->f.given & GIVEN_DECIMAL))
        x->f.decimal = x->look.plus > 4 * x->look.minus && x->look.plus > 0 ? ',' : '.';
    else if (x->f.type == FIELD_MULTI && !(x->f.given & GIVEN_SEPARATOR)) {
        char found = find_separator(x);
        x->f.separator = found ? found : ';';
    }
    if (x->f.type == FIELD_DATE)
        settle_date_order(x);
    if (!(x->f.given & GIVEN_MISSING) && (x->f.type == FIELD_NUMERIC || x->f.type == FIELD_DATE)) {
        find_odd_tokens(x);
        fit_mark_missing(&x->c, &x->f, x->missing);
        if (x->f.type == FIELD_NUMERIC)
            find_sentinel(x);
        fit_mark_missing(&x->c, &x->f, x->missing);
    }
}
