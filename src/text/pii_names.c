/* pii_names.c — runs of capital words judged by lists and context: persons, places, organisations, nationalities, titles. */
#include "text/pii_priv.h"

enum { RUN = 8 };
enum { ANY_NAME = LIST_GIVEN | LIST_SURNAME };

static bool word(const struct pii_finder *f, size_t i) { return i < f->n && f->token[i].form == FORM_WORD; }
static bool has(const struct pii_finder *f, size_t i, uint32_t lists) { return pii_is(f, i, lists); }
static bool english(const struct pii_finder *f, size_t i) { return has(f, i, LIST_ENGLISH); }
static size_t length(const struct pii_finder *f, size_t i) { return f->token[i].end - f->token[i].begin; }

/* Nothing before it, or the end of a sentence or line. */
static bool starts_sentence(const struct pii_finder *f, size_t i) {
    if (i == 0 || f->token[i - 1].form == FORM_LINE)
        return true;
    if (f->token[i - 1].form != FORM_MARK)
        return false;
    const char c = f->token[i - 1].mark;
    return c == '.' || c == '?' || c == '!' || c == ':' || c == '"' || c == '>' || c == '*' || (c & 0x80) != 0;
}

static bool initial(const struct pii_finder *f, size_t i) {
    return word(f, i) && f->token[i].capital && length(f, i) == 1 && !pii_word(f, i, STR("I")) && !pii_word(f, i, STR("A"));
}

static bool particle(const struct pii_finder *f, size_t i) {
    static const str list[] = {STR_INIT("de"), STR_INIT("van"), STR_INIT("der"), STR_INIT("den"), STR_INIT("von"),
                               STR_INIT("la"), STR_INIT("del"), STR_INIT("da"),  STR_INIT("dos"), STR_INIT("bin"),
                               STR_INIT("al"), STR_INIT("el"),  STR_INIT("di"),  STR_INIT("du"),  STR_INIT("le")};
    for (size_t k = 0; k < sizeof list / sizeof *list; k++)
        if (pii_word(f, i, list[k]))
            return true;
    return false;
}

/* Lists of token i and the next as one: "United States". */
static uint32_t two(const struct pii_finder *f, size_t i) {
    char room[96];
    if (!has(f, i, LIST_PAIR) || !word(f, i + 1) || !f->token[i + 1].spaced)
        return 0;
    const str a = pii_text(f, i), b = pii_text(f, i + 1);
    if (a.len + b.len + 2 > sizeof room)
        return 0;
    memcpy(room, a.ptr, a.len);
    room[a.len] = ' ';
    memcpy(room + a.len + 1, b.ptr, b.len);
    for (size_t k = 0; k < a.len + 1 + b.len; k++)
        room[k] = room[k] >= 'A' && room[k] <= 'Z' ? (char)(room[k] + 32) : room[k];
    return pii_words_find(f->words, (str){room, a.len + 1 + b.len});
}

static bool capital(const struct pii_finder *f, size_t i) { return word(f, i) && f->token[i].capital && !f->token[i].taken; }

/* Whether token i goes on a run on the same line. */
static size_t next_in_run(const struct pii_finder *f, size_t i) {
    if (capital(f, i) && f->token[i].spaced)
        return i + 1;
    if (pii_mark(f, i, '.') && i > 0 && (initial(f, i - 1) || has(f, i - 1, LIST_HONORIFIC)) && capital(f, i + 1))
        return i + 2;
    if (pii_mark(f, i, '-') && !f->token[i].spaced && capital(f, i + 1) && !f->token[i + 1].spaced)
        return i + 2;
    if (pii_mark(f, i, '\'') && !f->token[i].spaced && capital(f, i + 1) && !f->token[i + 1].spaced)
        return i + 2;
    if (particle(f, i) && !f->token[i].taken && capital(f, i + 1))
        return i + 2;
    if (particle(f, i) && particle(f, i + 1) && capital(f, i + 2))
        return i + 3;
    return 0;
}

struct run {
    size_t from, to;
    size_t names, given, surnames, foreign, words; /* names: given or surname and no English word */
    bool initials, place, country, company;
};

static struct run read_run(const struct pii_finder *f, size_t i) {
    struct run r = {.from = i, .to = i + 1};
    for (size_t next, k = 0; k < RUN && (next = next_in_run(f, r.to)) > 0; k++)
        r.to = next;
    return r;
}

static void describe(const struct pii_finder *f, struct run *r) {
    *r = (struct run){.from = r->from, .to = r->to};
    for (size_t i = r->from; i < r->to; i++) {
        if (!word(f, i) || particle(f, i))
            continue;
        r->words++;
        r->initials |= initial(f, i) && i > r->from;
        r->names += has(f, i, ANY_NAME) && !english(f, i);
        r->given += has(f, i, LIST_GIVEN);
        r->surnames += has(f, i, LIST_SURNAME);
        r->foreign += !english(f, i) && !has(f, i, ANY_NAME) && length(f, i) > 2;
        r->place |= has(f, i, LIST_PLACE) || (two(f, i) & LIST_PLACE) != 0;
        r->country |= has(f, i, LIST_COUNTRY) || (two(f, i) & LIST_COUNTRY) != 0;
        r->company |= has(f, i, LIST_COMPANY) && i > r->from;
    }
}

static bool before(const struct pii_finder *f, size_t i, uint32_t lists) {
    return i > 0 && (has(f, i - 1, lists) || (pii_mark(f, i - 1, ',') && i > 1 && has(f, i - 2, lists) &&
                                              (f->token[i - 2].lists & LIST_PERSON_BEFORE & lists)));
}

static bool is_word_before(const struct pii_finder *f, size_t i, size_t back, const char *w) {
    return i >= back && pii_word(f, i - back, str_from(w));
}

/* "name is", "named", "I'm", "this is", "Name:". */
static bool introduces(const struct pii_finder *f, size_t i) {
    if (is_word_before(f, i, 1, "named") ||
        (is_word_before(f, i, 1, "is") && (is_word_before(f, i, 2, "name") || is_word_before(f, i, 2, "this"))))
        return true;
    if (i > 1 && pii_mark(f, i - 1, ':') && is_word_before(f, i, 2, "name"))
        return true;
    if (is_word_before(f, i, 1, "to") && is_word_before(f, i, 3, "name"))
        return true;
    if (is_word_before(f, i, 1, "am") && is_word_before(f, i, 2, "i"))
        return true;
    if (is_word_before(f, i, 1, "name"))
        return true;
    return i > 2 && is_word_before(f, i, 1, "m") && is_word_before(f, i, 3, "i");
}

static bool works(const struct pii_finder *f, size_t i) {
    static const char *const verbs[] = {"work",   "works", "worked", "working", "employed",
                                        "joined", "hired", "ceo",    "founder", "employee"};
    for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++)
        if (is_word_before(f, i, 2, verbs[k]) && (is_word_before(f, i, 1, "for") || is_word_before(f, i, 1, "at") ||
                                                  is_word_before(f, i, 1, "by") || is_word_before(f, i, 1, "of")))
            return true;
    return false;
}

static bool place_cue(const struct pii_finder *f, size_t i) {
    if (is_word_before(f, i, 1, "of"))
        return is_word_before(f, i, 2, "university") || is_word_before(f, i, 2, "city") || is_word_before(f, i, 2, "out") ||
               is_word_before(f, i, 2, "state");
    if (is_word_before(f, i, 1, "city"))
        return true;
    return i > 0 && has(f, i - 1, LIST_PLACE_BEFORE) &&
           !(is_word_before(f, i, 1, "to") && (is_word_before(f, i, 2, "said") || is_word_before(f, i, 2, "according")));
}

static bool place_or_street_cue(const struct pii_finder *f, size_t i) {
    return place_cue(f, i) || is_word_before(f, i, 1, "on") || is_word_before(f, i, 1, "of") ||
           is_word_before(f, i, 1, "and");
}

static bool organisation_behind(const struct pii_finder *f, size_t to) {
    static const str words[] = {STR_INIT("website"),      STR_INIT("office"), STR_INIT("orchestra"), STR_INIT("employees"),
                                STR_INIT("headquarters"), STR_INIT("shares"), STR_INIT("stock"),     STR_INIT("products")};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (pii_word(f, to, words[k]))
            return true;
    return false;
}

/* Is, or was, a firm: "X is a German bank". */
static bool is_firm(const struct pii_finder *f, size_t to) {
    static const str words[] = {STR_INIT("bank"),        STR_INIT("company"),       STR_INIT("firm"),
                                STR_INIT("corporation"), STR_INIT("manufacturer"),  STR_INIT("retailer"),
                                STR_INIT("invested"),    STR_INIT("multinational"), STR_INIT("startup")};
    for (size_t i = to; i < to + 6 && word(f, i); i++)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            if (pii_word(f, i, words[k]))
                return true;
    return false;
}

static double person_score(const struct pii_finder *f, const struct run *r) {
    const bool start = starts_sentence(f, r->from);
    const bool possessive = (pii_mark(f, r->to, '\'') ||
                             (r->to < f->n && f->token[r->to].form == FORM_MARK && (f->token[r->to].mark & 0x80) != 0)) &&
                            pii_word(f, r->to + 1, STR("s"));
    double score = 0;
    if (has(f, r->from, LIST_GIVEN))
        score += english(f, r->from) ? (start ? (r->words == 1 ? 0 : 0.7)
                                        : r->words == 1 && !has(f, r->from, LIST_MONTH | LIST_PLACE) ? 1.2
                                                                                                     : 0.7)
                                     : 1.7;
    else if (r->names > 0)
        score += 1.3;
    if (r->words >= 2 && r->words <= 4) {
        score += 0.5 * (double)(r->names > 1 ? 2 : r->names);
        score += r->names + r->foreign == r->words - r->initials ? 0.6 : 0;
    }
    score += r->initials ? 1 : 0;
    score += r->foreign > 0 && r->words <= 3 ? (start ? 0.7 : 0.9) : 0;
    score -= r->words == 1 && f->token[r->from].all_capital && length(f, r->from) <= 5 ? 1.5 : 0;
    score += introduces(f, r->from) ? 2 : 0;
    score += before(f, r->from, LIST_HONORIFIC) ||
                     (r->from > 1 && pii_mark(f, r->from - 1, '.') && has(f, r->from - 2, LIST_HONORIFIC))
                 ? 2.5
                 : 0;
    score += before(f, r->from, LIST_PERSON_BEFORE) ? 0.8 : 0;
    score += has(f, r->to, LIST_PERSON_AFTER) ? 0.6 : 0;
    score += possessive ? 0.4 : 0;
    score += pii_mark(f, r->to, ':') && r->words <= 3 ? 0.5 : 0;
    score -= place_cue(f, r->from) && !(r->words >= 2 && r->names + r->foreign == r->words) ? 1 : 0;
    score -= r->country ? 2.5 : r->place && r->words == 1 ? 0.5 : 0;
    score -= r->words > 4 ? 1.5 : 0;
    return score;
}

static bool any_plain(const struct pii_finder *f, const struct run *r) {
    for (size_t i = r->from; i < r->to; i++)
        if (word(f, i) && !english(f, i) && length(f, i) > 1)
            return true;
    return false;
}

/* English words at the begin of a sentence are no part of a name behind them, nor are titles of what a person does. */
static void trim(const struct pii_finder *f, struct run *r) {
    while (r->from + 1 < r->to && word(f, r->from) && !(two(f, r->from) & LIST_COUNTRY) &&
           ((english(f, r->from) && !has(f, r->from, LIST_GIVEN | LIST_HONORIFIC)) ||
            has(f, r->from, LIST_MONTH | LIST_WEEKDAY) || (english(f, r->from) && has(f, r->from, LIST_PERSON_BEFORE))) &&
           any_plain(f, r)) {
        size_t next = r->from + 1;
        while (next < r->to && !word(f, next))
            next++;
        if (next >= r->to)
            break;
        r->from = next;
    }
}

static void add_person(struct pii_finder *f, struct run *r, double score) {
    size_t to = r->to;
    while (to < f->n && (has(f, to, LIST_SUFFIX) || (pii_mark(f, to, ',') && has(f, to + 1, LIST_SUFFIX))))
        to += pii_mark(f, to, ',') ? 2 : 1;
    pii_add(f, PII_PERSON, r->from, to, score > 3 ? 0.95 : 0.6 + 0.1 * score);
}

/* "Davis, Reynolds and Williamson": a firm named after its partners. */
static size_t partners_end(const struct pii_finder *f, const struct run *r) {
    const size_t i = r->to;
    if (r->words != 1 || !pii_mark(f, i, ',') || !capital(f, i + 1))
        return 0;
    if (pii_word(f, i + 2, STR("and")) && capital(f, i + 3) && has(f, i + 3, ANY_NAME) && has(f, i + 1, ANY_NAME) &&
        has(f, r->from, ANY_NAME))
        return i + 4;
    return 0;
}

static bool judge_organisation(struct pii_finder *f, struct run *r) {
    const size_t partners = partners_end(f, r);
    if (partners)
        return pii_add(f, PII_ORGANIZATION, r->from, partners, 0.8);
    size_t to = r->to;
    if (pii_mark(f, to, ',') && has(f, to + 1, LIST_COMPANY) && capital(f, to + 1))
        to += 2;
    const bool company = r->company || to > r->to;
    if (company && pii_mark(f, to, '.') &&
        !(to + 1 < f->n && f->token[to + 1].form == FORM_WORD && f->token[to + 1].capital && starts_sentence(f, to + 1) &&
          length(f, to - 1) > 4))
        to += length(f, to - 1) <= 4 && has(f, to - 1, LIST_COMPANY);
    if (company && r->words > 1)
        return pii_add(f, PII_ORGANIZATION, r->from, to, 0.85);
    if (works(f, r->from) && !r->country)
        return pii_add(f, PII_ORGANIZATION, r->from, r->to, 0.8);
    const bool joined = r->words == 2 && pii_mark(f, r->from + 1, '-') && has(f, r->from, LIST_SURNAME) &&
                        has(f, r->from + 2, LIST_SURNAME) && !has(f, r->from, LIST_GIVEN);
    if (joined || ((organisation_behind(f, r->to) || is_firm(f, r->to)) && any_plain(f, r) && !r->country))
        return pii_add(f, PII_ORGANIZATION, r->from, r->to, 0.7);
    return false;
}

static bool judge_place(struct pii_finder *f, struct run *r, double person) {
    if (r->country && r->words <= 3 && !(person > 2 && r->words > 1)) {
        for (size_t i = r->from; i < r->to; i++) {
            const bool pair = (two(f, i) & LIST_COUNTRY) != 0;
            if (pair || has(f, i, LIST_COUNTRY))
                return pii_add(f, PII_GPE, r->words <= 2 && i == r->from + 1 && has(f, r->from, LIST_PLACE) ? r->from : i,
                               i + 1 + pair, 0.9);
        }
    }
    const bool known = has(f, r->from, LIST_GIVEN) && !r->place && !english(f, r->from);
    const bool cue = place_cue(f, r->from) && !(known && (r->words >= 2 || is_word_before(f, r->from, 1, "to"))),
               plain = any_plain(f, r);
    const bool line =
        (r->from == 0 || f->token[r->from - 1].form == FORM_LINE) && (r->to >= f->n || f->token[r->to].form == FORM_LINE);
    const bool after_address = r->from > 1 && pii_mark(f, r->from - 1, ',') && f->token[r->from - 2].taken;
    if (!plain || person >= 2.6 || (r->words > 1 && !r->place && person >= 1.2))
        return false;
    if ((cue && (r->place || r->foreign > 0 || r->names > 0)) || (r->place && person < 1.8) || after_address ||
        (line && r->from > 1 && f->token[r->from - 2].taken))
        return pii_add(f, PII_GPE, r->from, r->to, cue && r->place ? 0.85 : 0.6);
    return false;
}

/* "Berg Hills Street": the name of a street by its last word. */
static bool judge_street(struct pii_finder *f, const struct run *r) {
    return r->words > 1 && has(f, r->to - 1, LIST_STREET) && length(f, r->to - 1) > 3 && any_plain(f, r) &&
           place_or_street_cue(f, r->from) && pii_add(f, PII_STREET_ADDRESS, r->from, r->to, 0.6);
}

static size_t judge_run(struct pii_finder *f, size_t i) {
    struct run r = read_run(f, i);
    const size_t end = r.to;
    while (r.from < r.to && has(f, r.from, LIST_HONORIFIC) && f->token[r.from].capital) { /* "Mrs. Labrie" */
        const size_t dot = pii_mark(f, r.from + 1, '.') ? 1 : 0;
        pii_add(f, PII_TITLE, r.from, r.from + 1 + dot, 0.9);
        r.from += 1 + dot;
    }
    if (r.from >= r.to)
        return end;
    describe(f, &r);
    if (r.words == 1 && has(f, r.from, LIST_DEMONYM)) {
        pii_add(f, PII_NRP, r.from, r.to, 0.85);
        return end;
    }
    if (r.words > 1 && pii_word(f, r.from, STR("the"))) {
        r.from++;
        describe(f, &r);
    }
    if (judge_street(f, &r) || judge_organisation(f, &r))
        return end;
    trim(f, &r);
    describe(f, &r);
    if (r.words == 1 && has(f, r.from, LIST_WEEKDAY | LIST_MONTH))
        return end;
    if (r.words == 1 && has(f, r.from, LIST_DEMONYM)) {
        pii_add(f, PII_NRP, r.from, r.to, 0.85);
        return end;
    }
    if (!any_plain(f, &r) && !(introduces(f, r.from) && r.words <= 3 && r.given > 0) &&
        !(r.from > i && has(f, i, LIST_HONORIFIC)) && !r.country &&
        !(r.given > 0 && r.words == 1 && !starts_sentence(f, r.from) && has(f, r.from, LIST_GIVEN)))
        return end;
    const double score = person_score(f, &r);
    if (!judge_place(f, &r, score) && score >= 1.2)
        add_person(f, &r, score);
    return end;
}

/* Lower case: names after "name is" or two in a row, nationalities, countries. */
static size_t judge_lower(struct pii_finder *f, size_t i) {
    const uint32_t lists = f->token[i].lists;
    if ((lists & LIST_DEMONYM) && !(lists & LIST_ENGLISH) && length(f, i) > 3)
        return i + pii_add(f, PII_NRP, i, i + 1, 0.7) + (f->token[i].taken ? 0 : 1);
    if ((two(f, i) & LIST_COUNTRY) != 0 || ((lists & LIST_COUNTRY) && !(lists & (LIST_ENGLISH | ANY_NAME)))) {
        const size_t to = i + 1 + ((two(f, i) & LIST_COUNTRY) != 0);
        pii_add(f, PII_GPE, i, to, 0.7);
        return to;
    }
    const bool name = (lists & LIST_GIVEN) && !(lists & LIST_ENGLISH) && length(f, i) > 2;
    const bool more = word(f, i + 1) && !f->token[i + 1].taken && (f->token[i + 1].lists & ANY_NAME) && !english(f, i + 1) &&
                      f->token[i + 1].spaced && length(f, i + 1) > 2;
    if (name && (more || introduces(f, i) || before(f, i, LIST_HONORIFIC) || before(f, i, LIST_PERSON_BEFORE) ||
                 (starts_sentence(f, i) && has(f, i + 1, LIST_PERSON_AFTER)))) {
        pii_add(f, PII_PERSON, i, i + 1 + more, 0.65);
        return i + 1 + more;
    }
    return i + 1;
}

/* "works as a singer, …": what a person does. */
static void scan_occupation(struct pii_finder *f, size_t i) {
    if (!pii_word(f, i, STR("as")))
        return;
    bool work = false;
    for (size_t k = 1; k <= 8 && k <= i && !work; k++)
        work = is_word_before(f, i, k, "work") || is_word_before(f, i, k, "works") || is_word_before(f, i, k, "worked") ||
               is_word_before(f, i, k, "working") || is_word_before(f, i, k, "job");
    size_t from = i + 1, to;
    if (pii_word(f, from, STR("a")) || pii_word(f, from, STR("an")) || pii_word(f, from, STR("the")))
        from++;
    for (to = from; work && word(f, to) && to < from + 6 && !f->token[to].taken; to++)
        if (pii_word(f, to, STR("at")) || pii_word(f, to, STR("for")) || pii_word(f, to, STR("in")) ||
            pii_word(f, to, STR("but")) || pii_word(f, to, STR("with")))
            break;
    if (work && to > from)
        pii_add(f, PII_TITLE, from, to, 0.6);
}

void pii_scan_names(struct pii_finder *f) {
    for (size_t i = 0; i < f->n; i++)
        if (word(f, i) && length(f, i) == 2 && !f->token[i].taken)
            scan_occupation(f, i);
    for (size_t i = 0; i < f->n;) {
        const struct pii_token *t = &f->token[i];
        if (t->form != FORM_WORD || t->taken)
            i++;
        else if (t->capital)
            i = judge_run(f, i);
        else if ((t->lists & (LIST_GIVEN | LIST_COUNTRY | LIST_DEMONYM)) || two(f, i))
            i = judge_lower(f, i);
        else
            i++;
    }
}
