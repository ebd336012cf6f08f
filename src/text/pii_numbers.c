/* pii_numbers.c — telephone numbers by their groups, and postal codes, ages and licences by what is said before them. */
#include "text/pii_priv.h"

enum { PHONE_GROUPS = 8, CUE_REACH = 7 };

static size_t digits_of(const struct pii_finder *f, size_t i) {
    return i < f->n && f->token[i].form == FORM_NUMBER && f->token[i].digits_only ? f->token[i].end - f->token[i].begin : 0;
}

static bool said_before(const struct pii_finder *f, size_t i, size_t reach, const str *word, size_t n) {
    for (size_t k = 1; k <= reach && k <= i; k++)
        for (size_t j = 0; j < n; j++)
            if (pii_word(f, i - k, word[j]))
                return true;
    return false;
}

/* ---- telephones ---- */

struct phone {
    size_t to, digits, groups, shortest, first;
    size_t blanks, hyphens, points;
    bool plus, bracket;
};

static bool phone_mark(const struct pii_finder *f, size_t i) {
    return i < f->n && f->token[i].form == FORM_MARK &&
           (f->token[i].mark == '-' || f->token[i].mark == '.' || f->token[i].mark == '/' || f->token[i].mark == '(' ||
            f->token[i].mark == ')');
}

/* Groups of digits with single marks or blanks between, from token i on. */
static struct phone read_phone(const struct pii_finder *f, size_t i) {
    struct phone p = {.to = i, .shortest = 99};
    bool open = false;
    for (; i < f->n && !f->token[i].taken && p.groups < PHONE_GROUPS; i++) {
        const struct pii_token *t = &f->token[i];
        const size_t n = digits_of(f, i);
        if (n > 0) {
            if (p.digits + n > 15)
                break;
            p.blanks += p.groups > 0 && t->spaced;
            p.first = p.groups == 0 ? n : p.first;
            p.shortest = n < p.shortest ? n : p.shortest;
            p.digits += n;
            p.groups++;
            p.to = i + 1;
        } else if (t->form == FORM_MARK && t->mark == '+' && p.groups == 0 && !p.plus) {
            p.plus = true;
        } else if (phone_mark(f, i)) {
            if (t->mark == '(') {
                if (open)
                    break;
                open = p.bracket = true;
            } else if (t->mark == ')') {
                if (!open)
                    break;
                open = false;
            } else if (t->spaced || p.groups == 0) {
                break;
            } else {
                p.hyphens += t->mark == '-' || t->mark == '/';
                p.points += t->mark == '.';
            }
        } else {
            break;
        }
    }
    return p;
}

static bool like_year(const struct pii_finder *f, size_t i) {
    const char *p = f->text.ptr + f->token[i].begin;
    return digits_of(f, i) == 4 && ((p[0] == '1' && (p[1] == '9' || p[1] == '8')) || (p[0] == '2' && p[1] == '0'));
}

/* How sure it is a telephone number, by its shape and what is said around it. */
static double phone_confidence(const struct pii_finder *f, size_t i, const struct phone *p) {
    static const str cues[] = {STR_INIT("phone"),    STR_INIT("call"), STR_INIT("tel"),    STR_INIT("telephone"),
                               STR_INIT("mobile"),   STR_INIT("cell"), STR_INIT("fax"),    STR_INIT("reach"),
                               STR_INIT("messages"), STR_INIT("text"), STR_INIT("sms"),    STR_INIT("whatsapp"),
                               STR_INIT("dial"),     STR_INIT("ring"), STR_INIT("contact")};
    static const str behind[] = {STR_INIT("office"), STR_INIT("fax"),  STR_INIT("mobile"), STR_INIT("home"),
                                 STR_INIT("cell"),   STR_INIT("work"), STR_INIT("phone")};
    bool cue = said_before(f, i, CUE_REACH, cues, sizeof cues / sizeof *cues);
    for (size_t k = 0; k < 2 && !cue; k++)
        for (size_t j = 0; j < sizeof behind / sizeof *behind; j++)
            cue |= pii_word(f, p->to + k, behind[j]);
    const bool zero = f->text.ptr[f->token[p->plus ? i + 1 : i].begin] == '0';
    if (p->digits < 6 || (p->points == 1 && p->groups == 2) || pii_mark(f, p->to, '%'))
        return 0;
    if (p->plus)
        return p->digits >= 8 ? 0.95 : 0;
    if (cue && p->digits >= 7)
        return 0.9;
    if (p->groups == 1)
        return cue || (zero && p->digits >= 10 && p->digits <= 12) ? 0.6 : 0;
    if (p->digits < 7 || p->digits > 12)
        return 0;
    if (p->bracket)
        return 0.85;
    if (p->hyphens >= 2 && p->shortest >= 2)
        return 0.85;
    if (p->points >= 2 && p->shortest >= 2)
        return 0.75;
    if (like_year(f, i) && p->groups == 2)
        return 0;
    if (p->hyphens == 1 && p->groups == 2)
        return p->first == 3 && p->digits == 7 ? 0.8 : zero ? 0.7 : 0;
    return p->shortest >= 2 && (p->groups >= 3 || p->digits <= 10) ? 0.65 : 0;
}

/* What makes a number a quantity: a currency before it, a unit behind it. */
static bool is_quantity(const struct pii_finder *f, size_t i, size_t to) {
    static const str units[] = {STR_INIT("million"), STR_INIT("billion"), STR_INIT("people"), STR_INIT("units"),
                                STR_INIT("eur"),     STR_INIT("usd"),     STR_INIT("euro"),   STR_INIT("euros"),
                                STR_INIT("dollars"), STR_INIT("kg"),      STR_INIT("km"),     STR_INIT("shares")};
    static const str money[] = {STR_INIT("eur"),     STR_INIT("usd"),  STR_INIT("gbp"),    STR_INIT("order"),
                                STR_INIT("invoice"), STR_INIT("isbn"), STR_INIT("version")};
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (pii_word(f, to, units[k]))
            return true;
    return (i > 0 && f->token[i - 1].form == FORM_MARK &&
            (f->token[i - 1].mark == '$' || f->token[i - 1].mark == '#' || (f->token[i - 1].mark & 0x80) != 0) &&
            !f->token[i].spaced) ||
           said_before(f, i, 1, money, sizeof money / sizeof *money);
}

static size_t scan_phone(struct pii_finder *f, size_t i) {
    const struct pii_token *t = &f->token[i];
    const bool start = digits_of(f, i) > 0 || ((t->mark == '+' || t->mark == '(') && digits_of(f, i + 1) > 0) ||
                       (t->mark == '+' && pii_mark(f, i + 1, '('));
    if (!start || (i > 0 && (phone_mark(f, i - 1) && f->token[i - 1].mark != '(' && f->token[i - 1].mark != ')') &&
                   !t->spaced && digits_of(f, i - 2) > 0))
        return i + 1;
    const struct phone p = read_phone(f, i);
    if (p.to <= i || is_quantity(f, i, p.to))
        return p.to > i ? p.to : i + 1;
    const double confidence = phone_confidence(f, i, &p);
    size_t to = p.to;
    if (confidence > 0 && to < f->n && f->token[to].form == FORM_NUMBER)
        return to;
    if (confidence > 0) {
        if ((pii_word(f, to, STR("x")) || pii_word(f, to, STR("ext"))) &&
            digits_of(f, to + 1 + pii_mark(f, to + 1, '.')) > 0)
            to += 2 + pii_mark(f, to + 1, '.');
        pii_add(f, PII_PHONE_NUMBER, i, to, confidence);
    }
    return to;
}

/* ---- postal codes, ages, licences ---- */

static void read_postal(struct pii_finder *f, size_t i) {
    size_t at = i + 1, to;
    const bool zip = pii_word(f, i, STR("zip")) || pii_word(f, i, STR("postcode")) || pii_word(f, i, STR("zipcode"));
    if (!zip && !(pii_word(f, i, STR("postal")) && pii_word(f, i + 1, STR("code"))))
        return;
    for (size_t k = 0; k < 4 && at < f->n && f->token[at].form != FORM_NUMBER &&
                       !(f->token[at].all_capital && f->token[at].end - f->token[at].begin <= 2);
         k++)
        at++;
    if (at >= f->n || f->token[at].taken || (f->token[at].form != FORM_NUMBER && !f->token[at].all_capital))
        return;
    to = at + 1;
    if (pii_mark(f, to, '-') && to + 1 < f->n && f->token[to + 1].form == FORM_NUMBER)
        to += 2;
    else if (to < f->n && !f->token[to].taken &&
             (f->token[to].form == FORM_NUMBER || (f->token[to].all_capital && f->token[to].end - f->token[to].begin <= 3)))
        to++;
    pii_add(f, PII_ZIP_CODE, at, to, 0.9);
}

/* A number of four to six digits alone on its line, or closing a line behind a place. */
static void scan_lone_code(struct pii_finder *f, size_t i) {
    const size_t n = digits_of(f, i);
    const bool ends = i + 1 >= f->n || f->token[i + 1].form == FORM_LINE;
    if (n < 4 || n > 6 || !ends || like_year(f, i) || i < 2)
        return;
    if (f->token[i - 1].form == FORM_LINE && f->token[i - 2].form == FORM_WORD && f->token[i - 2].all_capital)
        pii_add(f, PII_ZIP_CODE, i, i + 1, 0.6);
    else if (f->token[i - 1].form == FORM_WORD && f->token[i - 1].capital &&
             (f->token[i - 1].lists & (LIST_PLACE | LIST_COUNTRY | LIST_DEMONYM)) && n >= 5)
        pii_add(f, PII_STREET_ADDRESS, i, i + 1, 0.5);
}

static void scan_age(struct pii_finder *f, size_t i) {
    static const str cues[] = {STR_INIT("aged"), STR_INIT("age"), STR_INIT("turned"), STR_INIT("turning"),
                               STR_INIT("turns")};
    static const str person[] = {STR_INIT("he"), STR_INIT("she"), STR_INIT("i"), STR_INIT("m")};
    static const str verb[] = {STR_INIT("was"), STR_INIT("is"), STR_INIT("am"), STR_INIT("m"), STR_INIT("s")};
    const size_t n = digits_of(f, i);
    const char *p = f->text.ptr + f->token[i].begin;
    if (n < 1 || n > 3 || p[0] == '0' || (n == 3 && p[0] != '1'))
        return;
    size_t k = i + 1 + pii_mark(f, i + 1, '-');
    const bool years = pii_word(f, k, STR("year")) || pii_word(f, k, STR("years"));
    const bool old =
        (years && (pii_word(f, k + 1, STR("old")) || (pii_mark(f, k + 1, '-') && pii_word(f, k + 2, STR("old"))) ||
                   pii_word(f, k + 1, STR("of")))) ||
        (pii_word(f, i + 1, STR("y")) && pii_mark(f, i + 2, '/') && pii_word(f, i + 3, STR("o"))) ||
        pii_word(f, i + 1, STR("yo"));
    const bool ends = i + 1 >= f->n || f->token[i + 1].form == FORM_LINE || pii_mark(f, i + 1, '.') ||
                      pii_mark(f, i + 1, ',') || pii_word(f, i + 1, STR("when")) || pii_word(f, i + 1, STR("and"));
    const bool said = said_before(f, i, 2, cues, sizeof cues / sizeof *cues) ||
                      (said_before(f, i, 1, verb, sizeof verb / sizeof *verb) &&
                       said_before(f, i, 3, person, sizeof person / sizeof *person));
    if (old || (said && ends && !pii_mark(f, i + 1, '%')))
        pii_add(f, PII_AGE, i, i + 1, old ? 0.9 : 0.75);
}

static void scan_licence(struct pii_finder *f, size_t i) {
    if (!(pii_word(f, i, STR("license")) || pii_word(f, i, STR("licence"))) ||
        !(i > 0 && (said_before(f, i, 3, (const str[]){STR_INIT("driver"), STR_INIT("drivers"), STR_INIT("driving")}, 3))))
        return;
    for (size_t k = i + 1; k < i + 7 && k < f->n; k++) {
        const struct pii_token *t = &f->token[k];
        const bool joined =
            t->form == FORM_WORD && k + 1 < f->n && f->token[k + 1].form == FORM_NUMBER && !f->token[k + 1].spaced;
        const size_t end = joined ? f->token[k + 1].end : t->end;
        if (!t->taken && (t->form == FORM_NUMBER || joined) && end - t->begin >= 5) {
            pii_add(f, PII_US_DRIVER_LICENSE, k, k + 1 + joined, 0.9);
            return;
        }
    }
}

void pii_scan_postal(struct pii_finder *f) {
    for (size_t i = 0; i < f->n; i++)
        if (!f->token[i].taken && f->token[i].form == FORM_WORD)
            read_postal(f, i);
}

void pii_scan_numbers(struct pii_finder *f) {
    for (size_t i = 0; i < f->n; i++)
        if (!f->token[i].taken && f->token[i].form == FORM_WORD)
            scan_licence(f, i);
    for (size_t i = 0; i < f->n;)
        if (!f->token[i].taken && (f->token[i].form == FORM_NUMBER || pii_mark(f, i, '+') || pii_mark(f, i, '(')))
            i = scan_phone(f, i);
        else
            i++;
    for (size_t i = 0; i < f->n; i++)
        if (!f->token[i].taken && f->token[i].form == FORM_NUMBER) {
            scan_age(f, i);
            if (!f->token[i].taken)
                scan_lone_code(f, i);
        }
}
