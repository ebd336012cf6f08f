/* dedupe_value.c — what kinds of columns there are, the normal forms of their texts, and rows as numbers of texts. */
#include "base/time.h"
#include "text/fold.h"
#include "validate/dedupe_priv.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum dedupe_form form;
    bool personal; /* not shared by colleagues or a household */
    double apart;  /* how often the entries of one person may differ plainly: names hardly, addresses after a move */
} kinds[DEDUPE_KIND_COUNT] = {
    [DEDUPE_GIVEN_NAME] = {"given_name", FORM_WORD, true, 0.15},
    [DEDUPE_SURNAME] = {"surname", FORM_WORD, false, 0.15},
    [DEDUPE_NAME] = {"name", FORM_WORDS, true, 0.15},
    [DEDUPE_EMAIL] = {"email", FORM_EMAIL, true, 0.3},
    [DEDUPE_PHONE] = {"phone", FORM_CODE, false, 0.3},
    [DEDUPE_COMPANY] = {"company", FORM_WORDS, false, 0.3},
    [DEDUPE_DOMAIN] = {"domain", FORM_WORD, false, 0.3},
    [DEDUPE_STREET_NUMBER] = {"street_number", FORM_CODE, false, 0.35},
    [DEDUPE_STREET] = {"street", FORM_WORDS, false, 0.35},
    [DEDUPE_CITY] = {"city", FORM_WORDS, false, 0.35},
    [DEDUPE_POSTCODE] = {"postcode", FORM_CODE, false, 0.35},
    [DEDUPE_STATE] = {"state", FORM_CODE, false, 0.35},
    [DEDUPE_COUNTRY] = {"country", FORM_WORD, false, 0.2},
    [DEDUPE_BIRTH_DATE] = {"birth_date", FORM_DATE, true, 0.15},
    [DEDUPE_IDENTIFIER] = {"identifier", FORM_CODE, true, 0.15},
};

enum { LEVEL_CROSSED = 5 };
static const struct {
    uint8_t exact;
    unsigned count;
    const char *name[LINKAGE_LEVEL_MAX];
} forms[FORM_COUNT] = {
    [FORM_WORD] = {4, 5, {"unknown", "different", "alike", "similar", "equal", "crossed"}},
    [FORM_WORDS] = {4, 5, {"unknown", "different", "alike", "similar", "equal", "crossed"}},
    [FORM_CODE] = {4, 5, {"unknown", "different", "alike", "one slip", "equal", "crossed"}},
    [FORM_DATE] = {5, 6, {"unknown", "different", "one part", "two parts", "one slip", "equal"}},
    [FORM_EMAIL] = {5, 6, {"unknown", "different", "same domain", "alike", "similar", "equal"}},
};

const char *dedupe_kind_name(enum dedupe_kind kind) { return kinds[kind].name; }

bool dedupe_kind_of(str name, enum dedupe_kind *out) {
    for (unsigned k = 0; k < DEDUPE_KIND_COUNT; k++)
        if (str_equal(name, str_from(kinds[k].name))) {
            *out = (enum dedupe_kind)k;
            return true;
        }
    return false;
}

const char *dedupe_level_name(enum dedupe_kind kind, unsigned level) {
    return level < LINKAGE_LEVEL_MAX ? forms[kinds[kind].form].name[level] : NULL;
}

enum dedupe_form dedupe_form_of(enum dedupe_kind kind) { return kinds[kind].form; }
uint8_t dedupe_exact_level(enum dedupe_form form) { return forms[form].exact; }
unsigned dedupe_level_count(enum dedupe_form form, bool twin) { return forms[form].count + twin; }

double dedupe_apart_max(enum dedupe_kind kind) { return kinds[kind].apart; }

bool dedupe_is_personal(enum dedupe_kind kind, unsigned level) {
    if (kinds[kind].form == FORM_EMAIL)
        return level > 2;
    return kinds[kind].personal || level == LEVEL_CROSSED;
}

static bool is_nothing(str s) {
    static const str words[] = {STR_INIT("null"), STR_INIT("none"), STR_INIT("nan"),     STR_INIT("na"),
                                STR_INIT("n a"),  STR_INIT("nil"),  STR_INIT("unknown"), STR_INIT("not available")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(s, words[i]))
            return true;
    return false;
}

/* Words at the end of a company's name that say what form it has, and not which it is. */
static size_t without_legal_form(const char *text, size_t n) {
    static const str legal[] = {STR_INIT("inc"),     STR_INIT("incorporated"), STR_INIT("llc"),  STR_INIT("ltd"),
                                STR_INIT("limited"), STR_INIT("plc"),          STR_INIT("corp"), STR_INIT("corporation"),
                                STR_INIT("co"),      STR_INIT("company"),      STR_INIT("gmbh"), STR_INIT("ag"),
                                STR_INIT("kg"),      STR_INIT("ug"),           STR_INIT("se"),   STR_INIT("sa"),
                                STR_INIT("sas"),     STR_INIT("sarl"),         STR_INIT("srl"),  STR_INIT("spa"),
                                STR_INIT("bv"),      STR_INIT("nv"),           STR_INIT("ab"),   STR_INIT("as"),
                                STR_INIT("oy"),      STR_INIT("pty"),          STR_INIT("pte"),  STR_INIT("lp"),
                                STR_INIT("llp"),     STR_INIT("holdings"),     STR_INIT("group")};
    for (bool cut = true; cut;) {
        cut = false;
        size_t from = n;
        while (from > 0 && text[from - 1] != ' ')
            from--;
        const str last = {text + from, n - from};
        for (size_t i = 0; i < sizeof legal / sizeof *legal && from > 1 && !cut; i++)
            cut = str_equal(last, legal[i]);
        if (cut)
            n = from - 1;
    }
    return n;
}

/* Letters and digits alone, in lower case. */
static size_t code_form(str cell, char *to) {
    const size_t n = text_fold(cell, to, DEDUPE_TEXT_BYTE);
    size_t out = 0;
    if (is_nothing((str){to, n}))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (to[i] != ' ')
            to[out++] = to[i];
    return out;
}

/* The last nine digits: without the country's prefix and the zero before the area that it replaces. */
static size_t phone_form(str cell, char *to) {
    char digit[DEDUPE_TEXT_BYTE];
    size_t n = 0;
    for (size_t i = 0; i < cell.len && n < sizeof digit; i++)
        if (cell.ptr[i] >= '0' && cell.ptr[i] <= '9')
            digit[n++] = cell.ptr[i];
    if (n < 5)
        return 0;
    const size_t from = n > 9 ? n - 9 : 0;
    memcpy(to, digit + from, n - from);
    return n - from;
}

/* In lower case, without spaces and without "+tag" before the @; what has no @ stays as it is. */
static size_t email_form(str cell, char *to) {
    size_t n = 0;
    bool tag = false;
    cell = str_trim(cell);
    for (size_t i = 0; i < cell.len && n < DEDUPE_TEXT_BYTE; i++) {
        char c = cell.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        tag = (tag || (c == '+' && n > 0)) && c != '@';
        if (!tag && c != ' ' && (unsigned char)c >= 0x20)
            to[n++] = c;
    }
    return is_nothing((str){to, n}) ? 0 : n;
}

static size_t domain_form(str cell, char *to) {
    size_t n = email_form(cell, to);
    str s = {to, n};
    const ptrdiff_t scheme = str_find(s, STR("://"));
    if (scheme >= 0)
        s = str_slice(s, (size_t)scheme + 3, s.len);
    if (str_starts(s, STR("www.")))
        s = str_slice(s, 4, s.len);
    const ptrdiff_t path = str_find_byte(s, '/');
    if (path >= 0)
        s = str_slice(s, 0, (size_t)path);
    memmove(to, s.ptr, s.len);
    return s.len;
}

static size_t eight_digits(int64_t ms, char *to) {
    char text[TIME_TEXT_BYTE];
    size_t n = 0;
    const size_t len = time_format_day(ms, text);
    for (size_t i = 0; i < len && n < 8; i++)
        if (text[i] != '-' && text[i] != '+')
            to[n++] = text[i];
    return n;
}

/* yyyymmdd. Eight digits are taken as they stand, also when the calendar has no such day: a slip is compared as one. Of
 * 03/04/2026 the first is the day, in all rows alike; months and days that changed places are compared as a slip. */
static size_t date_form(str cell, char *to) {
    struct moment m;
    size_t n = 0;
    cell = str_trim(cell);
    bool digits = true;
    for (size_t i = 0; i < cell.len; i++)
        digits &= cell.ptr[i] >= '0' && cell.ptr[i] <= '9';
    if (!digits && (time_read(cell, TIME_ORDER_UNKNOWN, &m) == TIME_GOOD ||
                    time_read(cell, TIME_DAY_FIRST, &m) == TIME_GOOD || time_read(cell, TIME_MONTH_FIRST, &m) == TIME_GOOD))
        return eight_digits(m.ms, to);
    for (size_t i = 0; i < cell.len && n < 8; i++)
        if (cell.ptr[i] >= '0' && cell.ptr[i] <= '9')
            to[n++] = cell.ptr[i];
    return n >= 6 ? n : 0;
}

size_t dedupe_normal_form(enum dedupe_kind kind, str cell, char to[DEDUPE_TEXT_BYTE]) {
    if (cell.len == 0)
        return 0;
    if (kind == DEDUPE_EMAIL)
        return email_form(cell, to);
    if (kind == DEDUPE_DOMAIN)
        return domain_form(cell, to);
    if (kind == DEDUPE_PHONE)
        return phone_form(cell, to);
    if (kind == DEDUPE_BIRTH_DATE)
        return date_form(cell, to);
    if (kinds[kind].form == FORM_CODE)
        return code_form(cell, to);
    const size_t n = text_fold(cell, to, DEDUPE_TEXT_BYTE);
    if (is_nothing((str){to, n}))
        return 0;
    return kind == DEDUPE_COMPANY ? without_legal_form(to, n) : n;
}

static uint64_t letters_of(str s) {
    uint64_t bits = 0;
    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        bits |= c >= 'a' && c <= 'z'   ? 1ull << (c - 'a')
                : c >= '0' && c <= '9' ? 1ull << (26 + c - '0')
                : c >= 0x80            ? 1ull << (36 + c % 28)
                                       : 0;
    }
    return bits;
}

static void widen(struct arena *a, struct dictionary *d) {
    d->n_slot = d->n_slot ? 2 * d->n_slot : 1024;
    d->slot = ARENA_ARRAY(a, d->n_slot, uint32_t);
    for (size_t i = 1; i < d->n; i++) {
        size_t at = str_hash(value_str(&d->value[i])) & (d->n_slot - 1);
        while (d->slot[at])
            at = (at + 1) & (d->n_slot - 1);
        d->slot[at] = (uint32_t)i;
    }
}

static uint32_t append(struct arena *a, struct dictionary *d, enum dedupe_form form, str text) {
    if (d->n + 1 >= d->cap)
        d->value = arena_grow(a, d->value, &d->cap, d->n + 2, sizeof *d->value);
    const ptrdiff_t at = form == FORM_EMAIL ? str_find_byte(text, '@') : -1;
    const size_t local = at >= 0 ? (size_t)at : text.len;
    d->value[d->n] = (struct value){.text = arena_copy(a, text.ptr, text.len),
                                    .letters = letters_of(text),
                                    .sound = form == FORM_EMAIL ? str_hash(str_slice(text, 0, local)) | 1 : text_sound(text),
                                    .len = (uint16_t)text.len,
                                    .local = (uint16_t)local};
    return (uint32_t)d->n++;
}

/* The number of a text. */
static uint32_t intern(struct arena *a, struct dictionary *d, enum dedupe_form form, str text) {
    if (d->n == 0) {
        d->value = arena_grow(a, d->value, &d->cap, 64, sizeof *d->value);
        d->value[d->n++] = (struct value){.text = ""};
    }
    if (text.len == 0)
        return 0;
    if (2 * d->n >= d->n_slot)
        widen(a, d);
    size_t at = str_hash(text) & (d->n_slot - 1);
    for (; d->slot[at]; at = (at + 1) & (d->n_slot - 1))
        if (str_equal(value_str(&d->value[d->slot[at]]), text))
            return d->slot[at];
    const uint32_t id = append(a, d, form, text);
    d->slot[at] = id;
    return id;
}

err dedupe_add(struct dedupe *d, int file, const str *cell) {
    char text[DEDUPE_TEXT_BYTE];
    if (d->n_row >= INT32_MAX)
        return fail(ERR_LIMIT, "dedupe_rows", "there are more than %d rows", INT32_MAX);
    for (size_t f = 0; f < d->n_field; f++) {
        struct field *x = &d->field[f];
        if (d->n_row >= x->cap)
            x->id = arena_grow(d->arena, x->id, &x->cap, d->n_row + 1, sizeof *x->id);
        const size_t n = dedupe_normal_form(x->kind, cell[f], text);
        x->id[d->n_row] = intern(d->arena, x->dict, x->form, (str){text, n});
    }
    if (d->options.link) {
        if (d->n_row >= d->file_cap)
            d->file = arena_grow(d->arena, d->file, &d->file_cap, d->n_row + 1, 1);
        d->file[d->n_row] = (uint8_t)(file != 0);
    }
    d->n_file[file != 0]++;
    d->n_row++;
    return OK;
}
