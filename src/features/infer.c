/* infer.c — deciding what each column is. */
#include "features/infer.h"

#include "base/time.h"
#include "features/fit_priv.h"
#include "features/lexicon.h"
#include "features/value.h"

#include <math.h>

enum { MAX_WARNING = 10000, WORDS_OF_TEXT = 3, BYTES_OF_TEXT = 40 };

/* Shares of the known cells that settle a type. */
static const double nearly_all = 0.95, half = 0.5;

/* What the known cells of a column look like; counts are rows unless they say distinct. */
struct look {
    double known, empty;
    size_t distinct; /* known spellings */
    size_t folded;   /* known levels when case and space do not matter */
    double number, range, integer, zero_led, ambiguous, date, flag, word, byte, email;
    double day_first, month_first, either; /* dates that prove their order, and dates that do not */
    double plus, minus;                    /* votes for a decimal comma, a decimal point */
    double percent, money;
    double supported; /* rows in levels frequent enough to be learnt */
    bool yes, no;     /* flag values seen */
    size_t odd;       /* distinct cells that are no numbers */
    double odd_rows;
};

struct work {
    struct arena *a;   /* scratch, for one column */
    struct arena *out; /* what stays */
    const struct frame *frame;
    const uint32_t *rows;
    size_t n;
    const double *y;
    struct infer_opts o;
    struct fit_opts_field fit;
    struct schema *schema;
    struct schema_warning *warning;
    size_t warning_cap;
};

/* One column under inference. */
struct sight {
    struct work *w;
    struct column c;
    struct spellings s;
    struct look look;
    struct name_words words;
    unsigned char *missing; /* of c.value */
    struct field f;
    str title;  /* for messages */
    bool noted; /* the file has a note already, which stays */
};

static void warn(struct work *w, str code, str field, str message) {
    struct schema *s = w->schema;
    if (s->n_warning >= MAX_WARNING)
        return;
    if (s->n_warning == w->warning_cap)
        w->warning = arena_grow(w->out, w->warning, &w->warning_cap, s->n_warning + 1, sizeof *w->warning);
    w->warning[s->n_warning++] = (struct schema_warning){code, str_copy(w->out, field), str_copy(w->out, message)};
    s->warning = w->warning;
}

static str brief(str s) { return str_slice(s, 0, 60); }

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
    struct number number;
    struct moment m;
    for (size_t v = 0; v < x->c.n_value; v++) {
        const struct distinct *d = &x->c.value[v];
        bool fine = x->f.type == FIELD_DATE ? time_read(d->text, x->f.date_order, &m) == TIME_GOOD
                                            : number_read(d->text, x->f.decimal, &number);
        if (x->missing[v] || fine)
            continue;
        if (text_means_missing_number(d->text) || (d->n >= x->w->fit.rare && d->n >= 0.005 * x->look.known)) {
            add_token(x, d->text);
            if (!text_means_missing_number(d->text))
                warn(x->w, STR("mixed_types"), x->f.name,
                     str_format(x->w->a, "column %.*s: \"%.*s\" (%u rows) among numbers is taken to mean that there is none",
                                STR_ARG(x->title), STR_ARG(brief(d->text)), d->n));
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
        struct number number;
        if (!x->missing[v] && number_read(x->c.value[v].text, x->f.decimal, &number) &&
            (number.value == chosen[0] || number.value == chosen[1]))
            add_token(x, x->c.value[v].text);
    }
}

/* ---- looking ---- */

static void look_at_number(struct look *l, const struct distinct *d) {
    struct number x;
    if (!number_read(d->text, 0, &x)) {
        if (!text_means_missing_number(d->text)) {
            l->odd++;
            l->odd_rows += d->n;
        }
        return;
    }
    int vote = number_mark_vote(d->text);
    l->number += d->n;
    l->plus += vote > 0 ? d->n : 0;
    l->minus += vote < 0 ? d->n : 0;
    l->range += x.note & (NUMBER_RANGE | NUMBER_OPEN) ? d->n : 0;
    l->ambiguous += x.note & NUMBER_AMBIGUOUS ? d->n : 0;
    l->percent += x.note & NUMBER_PERCENT ? d->n : 0;
    l->money += x.note & NUMBER_MONEY ? d->n : 0;
    bool whole = x.value == floor(x.value) && !(x.note & ~(unsigned)(NUMBER_AMBIGUOUS | NUMBER_GROUPED));
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
    if (flag_read(d->text, &truth)) {
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
    enum { BINS = 12 };
    double edges[BINS], chi = 0, freedom = 0;
    if (!x->w->y || n < 16 || n > 400)
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

static str percent_of(struct work *w, double part, double whole) {
    double p = whole > 0 ? 100 * part / whole : 0;
    return p >= 10 || p <= 0 ? str_format(w->a, "%.0f %%", p) : str_format(w->a, "%.2g %%", p);
}

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
            warn(x->w, STR("ambiguous_numbers"), x->f.name,
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
        warn(x->w, STR("ambiguous_dates"), x->f.name,
             str_format(x->w->a,
                        "column %.*s: dates such as 03/04/2026 are read with the %s first (date_order): please check",
                        STR_ARG(x->title), x->f.date_order == TIME_DAY_FIRST ? "day" : "month"));
}

static void settle_type(struct sight *x) {
    const struct look *l = &x->look;
    if (l->known <= 0)
        settle(x, FIELD_CONSTANT, STR("empty in every training row"));
    else if (l->folded == 1 && l->empty <= 0)
        settle(x, FIELD_CONSTANT, str_format(x->w->a, "always \"%.*s\"", STR_ARG(brief(x->c.value[x->s.best[0]].text))));
    else if (l->date >= nearly_all * l->known && !(l->number >= l->known && l->distinct < 10))
        settle(x, FIELD_DATE, (str){0});
    else if (l->flag >= l->known && l->folded <= 2 && (l->yes != l->no || l->folded == 2))
        settle(x, FIELD_FLAG, (str){0});
    else if (is_numeric(x))
        settle_number(x);
    else
        settle_text(x);
    if (x->f.type == FIELD_NUMERIC || x->f.type == FIELD_DATE)
        return;
    if (l->number > 0.2 * l->known && l->number < nearly_all * l->known && x->f.type == FIELD_CATEGORY && l->odd > 1)
        warn(x->w, STR("mixed_types"), x->f.name,
             str_format(x->w->a,
                        "column %.*s: %.*s of the values are numbers and the rest are words; it is taken as a category",
                        STR_ARG(x->title), STR_ARG(percent_of(x->w, l->number, l->known))));
}

/* ---- warnings about the settled column ---- */

static void warn_variants(struct sight *x) {
    str first = {0};
    size_t groups = 0;
    for (size_t i = 0; i < x->f.n_level; i++) {
        const struct level *l = &x->f.level[i];
        if (l->n_variant > 0 && groups++ == 0)
            first =
                str_format(x->w->a, "\"%.*s\" is read as \"%.*s\"", STR_ARG(brief(l->variant[0])), STR_ARG(brief(l->text)));
    }
    if (groups > 0 && x->f.type != FIELD_FLAG)
        warn(x->w, STR("case_variants"), x->f.name,
             str_format(x->w->a, "column %.*s: spellings that differ only in case or space are merged: %.*s%s",
                        STR_ARG(x->title), STR_ARG(first), groups > 1 ? ", and others" : ""));
}

static void warn_unreadable(struct sight *x) {
    if (x->f.type != FIELD_NUMERIC && x->f.type != FIELD_DATE)
        return;
    size_t n, invalid;
    str example = {0};
    fit_mark_missing(&x->c, &x->f, x->missing);
    column_tally(x->w->a, &x->c, &x->f, x->missing, &n, &invalid, &example);
    if (invalid > 0)
        warn(x->w, STR("unparsable_values"), x->f.name,
             str_format(x->w->a, "column %.*s (%s): %zu cells cannot be read, such as \"%.*s\"; they count as missing",
                        STR_ARG(x->title), field_type_name(x->f.type), invalid, STR_ARG(brief(example))));
}

static void note_missing(struct sight *x) {
    double empty = 0, all = (double)x->c.n_row;
    str note = x->f.note;
    for (size_t v = 0; v < x->c.n_value; v++) {
        const struct distinct *d = &x->c.value[v];
        if (!x->missing[v])
            continue;
        empty += d->n;
        if (d->text.len > 0)
            note = str_format(x->w->a, "%.*s%s\"%.*s\" in %.*s of the rows means missing", STR_ARG(note),
                              note.len ? "; " : "", STR_ARG(brief(d->text)), STR_ARG(percent_of(x->w, d->n, all)));
    }
    x->f.note = x->noted ? x->f.note : note;
    if (empty > 0.6 * all)
        warn(x->w, STR("many_missing"), x->f.name,
             str_format(x->w->a, "column %.*s: %.*s of the rows have no value", STR_ARG(x->title),
                        STR_ARG(percent_of(x->w, empty, all))));
}

/* ---- one field, all fields ---- */

static bool is_excluded(const struct work *w, str name) {
    for (size_t i = 0; i < w->o.n_exclude; i++)
        if (str_equal(w->o.exclude[i], name))
            return true;
    return false;
}

/* What decides before the cells are looked at. */
static bool settled_by_options(struct work *w, struct field *f) {
    if (is_excluded(w, f->name)) {
        f->type = FIELD_IGNORED;
        f->note = STR("excluded by request");
        return true;
    }
    if (f->name.len > 0 && str_equal(f->name, w->o.id)) {
        f->type = FIELD_IDENTIFIER;
        f->note = STR("named as the identifier of the row");
        return true;
    }
    return (f->given & GIVEN_TYPE) && !field_is_used(f);
}

/* Missing tokens and type; every choice the file states stays. */
static void decide(struct sight *x) {
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

static void settle_group(struct sight *x) {
    if (x->f.given & GIVEN_GROUP)
        return;
    x->f.group = name_group(&x->words);
    if (x->f.type == FIELD_DATE)
        x->f.group = STR("chronographic");
    if (x->f.type == FIELD_TEXT && str_equal(x->f.group, STR("other")))
        x->f.group = STR("textual");
}

static str *copy_strings(struct arena *a, const str *from, size_t n) {
    str *to = ARENA_ARRAY(a, n, str);
    for (size_t i = 0; i < n; i++)
        to[i] = str_copy(a, from[i]);
    return to;
}

static const double *copy_numbers(struct arena *a, const double *from, size_t n) {
    return from ? arena_copy(a, from, n * sizeof *from) : NULL;
}

/* The field with everything it points to, so that neither the scratch nor the frame need to live on. */
static struct field copy_field(struct arena *a, const struct field *f) {
    struct field to = *f;
    size_t n_bin = f->n_edge + 1, n_slot = field_slots(f);
    struct level *levels = ARENA_ARRAY(a, f->n_level, struct level);
    for (size_t i = 0; i < f->n_level; i++) {
        const struct level *l = &f->level[i];
        levels[i] = (struct level){str_copy(a, l->text), copy_strings(a, l->variant, l->n_variant), l->n_variant};
    }
    to.level = levels;
    to.missing = copy_strings(a, f->missing, f->n_missing);
    to.edge = copy_numbers(a, f->edge, f->n_edge);
    to.level_rate = copy_numbers(a, f->level_rate, n_slot);
    to.level_share = copy_numbers(a, f->level_share, n_slot);
    to.bin_rate = copy_numbers(a, f->bin_rate, n_bin);
    to.bin_share = copy_numbers(a, f->bin_share, n_bin);
    to.quantile = copy_numbers(a, f->quantile, SCHEMA_N_QUANTILE);
    str *const texts[] = {&to.name, &to.title, &to.unit, &to.group, &to.note};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_copy(a, *texts[i]);
    return to;
}

/* One column, with a scratch that is given back after it: the distinct cells of one column can be as large as the column. */
struct task {
    struct work *w;
    size_t column;
    const struct field *start;
    struct field *to;
};

static err infer_one(void *ctx) {
    struct task *t = ctx;
    struct work *w = t->w;
    struct sight *x = ARENA_NEW(w->a, struct sight);
    *x = (struct sight){.w = w,
                        .f = *t->start,
                        .words = name_words(t->start->name),
                        .title = brief(t->start->name),
                        .noted = t->start->note.len > 0};
    if (!settled_by_options(w, &x->f)) {
        column_count(w->a, w->frame->cell[t->column], w->rows, w->n, w->y, &x->c);
        column_fold(w->a, &x->c, &x->s);
        decide(x);
        if (field_is_used(&x->f)) {
            fit_field(w->a, &x->c, &w->fit, &x->f);
            warn_variants(x);
            warn_unreadable(x);
            note_missing(x);
        }
    }
    settle_group(x);
    *t->to = copy_field(w->out, &x->f);
    return OK;
}

static err infer_field(struct work *w, size_t column, const struct field *start, struct field *to) {
    struct task t = {w, column, start, to};
    err rc = arena_run(w->a, infer_one, &t);
    arena_reset(w->a);
    return rc;
}

static err require_column(const struct frame *f, str name, const char *what) {
    if (name.len == 0 || frame_find(f, name) >= 0)
        return OK;
    return fail(ERR_INPUT, "column_unknown", "%.*s: there is no column \"%.*s\" (%s)", STR_ARG(f->source),
                STR_ARG(str_slice(name, 0, 80)), what);
}

static void set_fit_opts(struct work *w) {
    uint32_t rare = w->o.rare, n = (uint32_t)w->n;
    if (rare == 0)
        rare = n / 200 < 5 ? 5 : n / 200 > 10 ? 10 : n / 200;
    if (w->o.rare == 0 && n / 20000 > rare)
        rare = n / 20000;
    double positive = 0;
    for (size_t i = 0; w->y && i < w->n; i++)
        positive += w->y[i];
    w->fit = (struct fit_opts_field){.has_y = w->y != NULL,
                                     .base_rate = positive / (double)w->n,
                                     .rare = rare,
                                     .max_level = w->o.max_level ? w->o.max_level : 80,
                                     .n_bin = w->o.n_bin ? w->o.n_bin : 14};
}

static void free_arena(void *ctx) { arena_free(ctx); }

static err begin(struct work *w) {
    if (w->n == 0)
        return fail(ERR_INPUT, "no_rows", "%.*s: there are no training rows", STR_ARG(w->frame->source));
    TRY(require_column(w->frame, w->o.target, "the target"));
    TRY(require_column(w->frame, w->o.id, "the identifier"));
    TRY(require_column(w->frame, w->o.time, "the time"));
    for (size_t i = 0; i < w->o.n_exclude; i++)
        TRY(require_column(w->frame, w->o.exclude[i], "to be excluded"));
    set_fit_opts(w);
    w->a = arena_new(arena_limit(w->out));
    if (!w->a)
        return fail(ERR_AGAIN, "no_memory", "the system has no memory left");
    arena_defer(w->out, free_arena, w->a);
    w->schema = ARENA_NEW(w->out, struct schema);
    *w->schema = (struct schema){.version = SCHEMA_VERSION,
                                 .target = str_copy(w->out, w->o.target),
                                 .positive = str_copy(w->out, w->o.positive),
                                 .id = str_copy(w->out, w->o.id),
                                 .time = str_copy(w->out, w->o.time)};
    return OK;
}

static struct field blank_field(str name) {
    return (struct field){.name = name,
                          .decimal = '.',
                          .minimum = -INFINITY,
                          .scale = 1,
                          .typical_converted = (double)NAN,
                          .typical_other = (double)NAN};
}

err schema_infer(struct arena *a, const struct frame *f, const uint32_t *train_rows, size_t n_train, const double *y,
                 const struct infer_opts *o, struct schema **out) {
    struct work w = {.out = a, .frame = f, .rows = train_rows, .n = n_train, .y = y, .o = *o};
    TRY(begin(&w));
    struct field *fields = ARENA_ARRAY(a, f->n_col, struct field);
    size_t n = 0;
    for (size_t c = 0; c < f->n_col; c++) {
        if (o->target.len > 0 && str_equal(f->name[c], o->target))
            continue;
        struct field start = blank_field(f->name[c]);
        TRY(infer_field(&w, c, &start, &fields[n++]));
    }
    w.schema->field = fields;
    w.schema->n_field = n;
    *out = w.schema;
    return OK;
}

static void warn_unlisted(struct work *w, const struct schema *given) {
    for (size_t c = 0; c < w->frame->n_col; c++) {
        str name = w->frame->name[c];
        if (!str_equal(name, w->schema->target) && schema_find(given, name) < 0)
            warn(w, STR("column_unlisted"), name,
                 str_format(w->a, "column %.*s is not in the schema and is left out", STR_ARG(brief(name))));
    }
}

err schema_complete(struct arena *a, const struct schema *given, const struct frame *f, const uint32_t *train_rows,
                    size_t n_train, const double *y, const struct infer_opts *o, struct schema **out) {
    struct work w = {.out = a, .frame = f, .rows = train_rows, .n = n_train, .y = y, .o = *o};
    w.o.target = o->target.len ? o->target : given->target;
    w.o.positive = o->positive.len ? o->positive : given->positive;
    w.o.id = o->id.len ? o->id : given->id;
    w.o.time = o->time.len ? o->time : given->time;
    TRY(begin(&w));
    struct field *fields = ARENA_ARRAY(a, given->n_field, struct field);
    size_t n = 0;
    for (size_t i = 0; i < given->n_field; i++) {
        struct field start = given->field[i];
        if (str_equal(start.name, w.o.target))
            continue;
        ptrdiff_t c = frame_find(f, start.name);
        if (c < 0 && (!(start.given & GIVEN_TYPE) || field_is_used(&start)))
            return require_column(f, start.name, "a field of the schema");
        if (c < 0) {
            fields[n++] = copy_field(a, &start);
            continue;
        }
        TRY(infer_field(&w, (size_t)c, &start, &fields[n++]));
    }
    w.schema->field = fields;
    w.schema->n_field = n;
    warn_unlisted(&w, given);
    *out = w.schema;
    return OK;
}
