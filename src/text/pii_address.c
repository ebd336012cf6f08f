/* pii_address.c — streets with their numbers, boxes and units, and the lines of an address that follow. */
#include "text/pii_priv.h"

enum { LEFT = 6, RIGHT = 6, LINES = 3, LINE_TOKENS = 8 };

static bool is_number(const struct pii_finder *f, size_t i) { return i < f->n && f->token[i].form == FORM_NUMBER; }

static bool has_letter(const struct pii_finder *f, size_t i) { return i < f->n && f->token[i].form == FORM_WORD; }

static size_t length(const struct pii_finder *f, size_t i) { return f->token[i].end - f->token[i].begin; }

static bool free_token(const struct pii_finder *f, size_t i) { return i < f->n && !f->token[i].taken; }

/* The name of a street by its end: Puruntie, Herceggatan, Hauptstrasse. */
static bool street_ending(str w) {
    static const str ends[] = {STR_INIT("katu"),
                               STR_INIT("gatan"),
                               STR_INIT("vagen"),
                               STR_INIT("v\xC3\xA4gen"),
                               STR_INIT("straat"),
                               STR_INIT("strasse"),
                               STR_INIT("stra\xC3\x9F"
                                        "e"),
                               STR_INIT("gasse"),
                               STR_INIT("vej"),
                               STR_INIT("gade"),
                               STR_INIT("gata"),
                               STR_INIT("laan"),
                               STR_INIT("veien"),
                               STR_INIT("braut"),
                               STR_INIT("vegur"),
                               STR_INIT("allee"),
                               STR_INIT("all\xC3\xA9"),
                               STR_INIT("kuja"),
                               STR_INIT("polku"),
                               STR_INIT("platz"),
                               STR_INIT("damm"),
                               STR_INIT("ufer"),
                               STR_INIT("weg"),
                               STR_INIT("plein"),
                               STR_INIT("gracht"),
                               STR_INIT("stien"),
                               STR_INIT("bakken"),
                               STR_INIT("br\xC3\xBC"
                                        "cke"),
                               STR_INIT("stigen"),
                               STR_INIT("tie")};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (w.len > ends[i].len + 2 && str_ends(w, ends[i]))
            return true;
    return false;
}

static bool is_street(const struct pii_finder *f, size_t i) {
    if (!has_letter(f, i))
        return false;
    const struct pii_token *t = &f->token[i];
    return (t->lists & LIST_STREET) != 0 || (t->capital && street_ending(pii_text(f, i)));
}

/* A word that may be part of a street's name: a capital, or a foreign word. */
static bool is_name(const struct pii_finder *f, size_t i) {
    return has_letter(f, i) &&
           (f->token[i].capital || (f->token[i].lists & LIST_ENGLISH) == 0 || (f->token[i].lists & LIST_STREET) != 0);
}

static bool is_unit(const struct pii_finder *f, size_t i) {
    return pii_is(f, i, LIST_UNIT) && (is_number(f, i + 1) || (pii_mark(f, i + 1, '.') && is_number(f, i + 2)));
}

/* Behind a unit and its number: "Apt. 864". */
static size_t past_unit(const struct pii_finder *f, size_t i) { return i + 2 + pii_mark(f, i + 1, '.'); }

/* Tokens of the line from i on that go on with an address; at most RIGHT, and *number tells whether one was a number. */
static size_t go_right(const struct pii_finder *f, size_t i, bool *number) {
    size_t to = i;
    for (size_t k = 0; k < RIGHT && free_token(f, i); k++) {
        if (is_unit(f, i)) {
            i = past_unit(f, i);
            *number = true;
            to = i;
        } else if (is_number(f, i)) {
            *number = true;
            to = ++i;
            if (pii_mark(f, i, '.') && i + 1 < f->n && f->token[i + 1].form == FORM_LINE)
                to = ++i;
        } else if ((is_street(f, i) && f->token[i].capital)) {
            to = ++i;
        } else if (pii_mark(f, i, '.') || pii_mark(f, i, ',')) {
            i++; /* only with something behind it */
        } else {
            break;
        }
    }
    return to;
}

/* Begin of an address whose street word is at i: names and numbers before it on the line. */
static size_t go_left(const struct pii_finder *f, size_t i, bool *number, size_t *names) {
    size_t from = i;
    for (size_t k = 0; k < LEFT && from > 0 && free_token(f, from - 1); k++) {
        if (is_number(f, from - 1)) {
            *number = true;
            from--;
        } else if (!*number && is_name(f, from - 1) && !(f->token[from - 1].lists & (LIST_PERSON_BEFORE | LIST_HONORIFIC))) {
            (*names)++;
            from--;
        } else {
            break;
        }
    }
    return from;
}

/* A line that goes on with an address: names, marks and numbers only; returns behind its last token, or i. */
static size_t go_down(const struct pii_finder *f, size_t i, bool *done, bool *comma) {
    size_t to = i, n = 0;
    bool name = false;
    while (pii_mark(f, to, ','))
        to++;
    if (to < f->n && f->token[to].form == FORM_LINE)
        to++;
    if (to == i || to >= f->n)
        return i;
    size_t last = i;
    if (f->token[to].form == FORM_NUMBER && !*comma) /* a code alone on its line is by itself */
        return i;
    *comma = pii_mark(f, to, ',');
    for (; to < f->n && f->token[to].form != FORM_LINE && n < LINE_TOKENS; to++, n++) {
        const struct pii_token *t = &f->token[to];
        if (t->taken)
            return i;
        if (t->form == FORM_WORD) {
            if (!t->capital && (t->lists & (LIST_ENGLISH | LIST_PLACE)) == LIST_ENGLISH)
                break;
            if (!t->capital && t->end - t->begin > 3 && !(t->lists & LIST_PLACE))
                break;
            name = true;
        } else if (t->form == FORM_NUMBER) {
            *done = t->end - t->begin >= 4 && (name || n > 0);
            last = to + 1;
            if (*done)
                return last;
            continue;
        } else if (t->mark != ',' && t->mark != '-') {
            break;
        }
        if (t->form == FORM_WORD)
            last = to + 1;
    }
    if (to < f->n && f->token[to].form != FORM_LINE) {
        *done = true;
        return i;
    }
    return last;
}

static bool crosses_line(const struct pii_finder *f, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (f->token[i].form == FORM_LINE)
            return true;
    return false;
}

static void add_address(struct pii_finder *f, size_t from, size_t to, double confidence) {
    bool done = false, comma = false;
    size_t end = to;
    for (unsigned k = 0; k < LINES && !done; k++) {
        const size_t next = go_down(f, end, &done, &comma);
        if (next == end)
            break;
        end = next;
    }
    bool clear = true; /* only down to a postal code, and not through what something else has taken */
    for (size_t i = to; i < end; i++)
        clear = clear && !f->token[i].taken;
    const bool country = end > to && (f->token[end - 1].lists & LIST_COUNTRY) != 0 && !crosses_line(f, to, end);
    if (end > to && clear && (is_number(f, end - 1) || country))
        to = end;
    pii_add(f, PII_STREET_ADDRESS, from, to, confidence);
}

static void at_street(struct pii_finder *f, size_t i) {
    bool number = false;
    size_t names = 0;
    const size_t from = go_left(f, i, &number, &names);
    size_t right = i + 1, extra = 0;
    right += pii_mark(f, right, '.') && has_letter(f, right + 1) && f->token[right + 1].capital && length(f, i) <= 4;
    const bool leads = right < f->n && f->token[right].capital && is_name(f, right);
    const bool ending = street_ending(pii_text(f, i));
    if (!ending && !(f->token[i].capital || number))
        return;
    while (leads && extra < 4 && free_token(f, right) && is_name(f, right) && !is_unit(f, right) &&
           (f->token[right].capital || extra > 0)) {
        right++;
        extra++;
    }
    if (pii_mark(f, right, '.') && is_number(f, right + 1))
        right++;
    const size_t to = go_right(f, right, &number);
    if ((number && (names > 0 || extra > 0 || ending)) || (ending && f->token[i].capital))
        add_address(f, from, to, number ? 0.85 : 0.6);
}

static void at_unit(struct pii_finder *f, size_t i) {
    bool number = true;
    size_t from = i;
    for (size_t k = 0; k < LEFT && from > 0 && free_token(f, from - 1); k++) {
        const size_t b = from - 1;
        const bool point = pii_mark(f, b, '.') && b > 0 && has_letter(f, b - 1) && length(f, b - 1) == 1;
        if (!is_number(f, b) && !is_name(f, b) && !pii_mark(f, b, ',') && !point)
            break;
        from = b;
    }
    while (from < i && !is_number(f, from) && !f->token[from].capital)
        from++;
    add_address(f, from, go_right(f, past_unit(f, i), &number), 0.8);
}

/* "lives at", "located on", "address is": then names and a number are an address. */
static bool says_address(const struct pii_finder *f, size_t i) {
    static const str words[] = {STR_INIT("address"), STR_INIT("located"), STR_INIT("lives"),     STR_INIT("live"),
                                STR_INIT("reside"),  STR_INIT("resides"), STR_INIT("residing"),  STR_INIT("living"),
                                STR_INIT("sent"),    STR_INIT("send"),    STR_INIT("delivered"), STR_INIT("moved"),
                                STR_INIT("ship"),    STR_INIT("shipped"), STR_INIT("corner"),    STR_INIT("station"),
                                STR_INIT("office"),  STR_INIT("meet")};
    for (size_t k = 1; k <= 5 && k <= i; k++)
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            if (pii_word(f, i - k, words[w]))
                return true;
    return false;
}

/* Names with a number before or behind, where an address is spoken of or a line begins: "36 rue de pologne", "Allika 46". */
static void at_start(struct pii_finder *f, size_t i) {
    size_t to = i, names = 0, numbers = 0, capitals = 0;
    const bool line = i == 0 || f->token[i - 1].form == FORM_LINE || pii_mark(f, i - 1, '>') || pii_mark(f, i - 1, ':');
    for (; to < f->n && free_token(f, to) && to - i < LINE_TOKENS; to++) {
        const struct pii_token *t = &f->token[to];
        if (t->form == FORM_NUMBER && length(f, to) <= 6)
            numbers++;
        else if (t->form == FORM_WORD && is_name(f, to)) {
            names++;
            capitals += t->capital;
        } else if (t->form != FORM_MARK || t->mark != '.')
            break;
    }
    const bool whole = to >= f->n || f->token[to].form == FORM_LINE || pii_mark(f, to, ',') || pii_mark(f, to, '?');
    while (to > i && f->token[to - 1].form == FORM_MARK)
        to--;
    if (!numbers || !names || !capitals || (!is_number(f, i) && !is_number(f, to - 1)))
        return;
    const bool said = says_address(f, i);
    if (said || (line && whole && is_number(f, i) && f->token[i].digits_only && names <= 4))
        add_address(f, i, to, said ? 0.8 : 0.6);
}

void pii_scan_addresses(struct pii_finder *f) {
    for (size_t i = 0; i < f->n; i++) {
        const struct pii_token *t = &f->token[i];
        if (!t->taken && t->form == FORM_WORD && (t->lists & LIST_UNIT) && is_unit(f, i))
            at_unit(f, i);
    }
    for (size_t i = 0; i < f->n; i++)
        if (free_token(f, i) && is_street(f, i))
            at_street(f, i);
    for (size_t i = 0; i < f->n; i++) {
        const struct pii_token *t = &f->token[i];
        if (!t->taken && (t->form == FORM_NUMBER || (t->form == FORM_WORD && t->capital)) &&
            (i == 0 || f->token[i - 1].form == FORM_LINE || f->token[i - 1].form == FORM_MARK ||
             (f->token[i - 1].form == FORM_WORD && !f->token[i - 1].capital)))
            at_start(f, i);
    }
}
