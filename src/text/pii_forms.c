/* pii_forms.c — what has a form of its own: URLs, mail and IP addresses, IBAN, payment cards, social security numbers,
 * dates. */
#include "text/pii_priv.h"

static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static char byte_at(str s, size_t i) { return i < s.len ? s.ptr[i] : 0; }

/* Whether one of the words stands in the `reach` tokens before i, on the same or the line before. */
static bool cue_before(const struct pii_finder *f, size_t i, size_t reach, const str *word, size_t n) {
    for (size_t k = 1; k <= reach && k <= i; k++)
        for (size_t j = 0; j < n; j++)
            if (pii_word(f, i - k, word[j]))
                return true;
    return false;
}

/* ---- URLs and domains ---- */

static bool ends_url(char c) {
    return c == 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '"' || c == '<' || c == '>' || c == '\'' ||
           c == '|' || c == '\\' || c == '{' || c == '}';
}

static size_t url_end(str s, size_t i) {
    while (!ends_url(byte_at(s, i)))
        i++;
    while (i > 0 && (s.ptr[i - 1] == '.' || s.ptr[i - 1] == ',' || s.ptr[i - 1] == ';' || s.ptr[i - 1] == ':' ||
                     s.ptr[i - 1] == '!' || s.ptr[i - 1] == '?' || s.ptr[i - 1] == ')' || s.ptr[i - 1] == ']'))
        i--;
    return i;
}

static bool known_top_level(str s) {
    static const str list[] = {STR_INIT("com"), STR_INIT("org"),  STR_INIT("net"), STR_INIT("edu"),     STR_INIT("gov"),
                               STR_INIT("io"),  STR_INIT("info"), STR_INIT("biz"), STR_INIT("co"),      STR_INIT("uk"),
                               STR_INIT("de"),  STR_INIT("fr"),   STR_INIT("es"),  STR_INIT("it"),      STR_INIT("nl"),
                               STR_INIT("be"),  STR_INIT("ch"),   STR_INIT("at"),  STR_INIT("se"),      STR_INIT("no"),
                               STR_INIT("dk"),  STR_INIT("fi"),   STR_INIT("pl"),  STR_INIT("cz"),      STR_INIT("hu"),
                               STR_INIT("pt"),  STR_INIT("ie"),   STR_INIT("au"),  STR_INIT("nz"),      STR_INIT("ca"),
                               STR_INIT("us"),  STR_INIT("br"),   STR_INIT("mx"),  STR_INIT("in"),      STR_INIT("jp"),
                               STR_INIT("cn"),  STR_INIT("ru"),   STR_INIT("eu"),  STR_INIT("dev"),     STR_INIT("app"),
                               STR_INIT("ai"),  STR_INIT("me"),   STR_INIT("tv"),  STR_INIT("example"), STR_INIT("online")};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (str_equal_nocase(s, list[i]))
            return true;
    return false;
}

/* "www.…", "http://…", and names under a well-known top level such as example.com. */
static void scan_url(struct pii_finder *f, size_t i) {
    const struct pii_token *t = &f->token[i];
    const str s = f->text, word = pii_text(f, i);
    if ((str_equal_nocase(word, STR("http")) || str_equal_nocase(word, STR("https")) ||
         str_equal_nocase(word, STR("ftp"))) &&
        str_starts(str_slice(s, t->end, s.len), STR("://"))) {
        const size_t end = url_end(s, t->end + 3);
        if (end > t->end + 4)
            pii_add_bytes(f, PII_DOMAIN_NAME, i, t->begin, end, 0.99);
        return;
    }
    if (str_equal_nocase(word, STR("www")) && byte_at(s, t->end) == '.' && letter(byte_at(s, t->end + 1))) {
        pii_add_bytes(f, PII_DOMAIN_NAME, i, t->begin, url_end(s, t->end), 0.97);
        return;
    }
    /* the last label: a point before it, and before that a label without a blank between */
    if (i < 2 || !pii_mark(f, i - 1, '.') || t->spaced || f->token[i - 1].spaced || !known_top_level(word) ||
        byte_at(s, t->end) == '@' || (byte_at(s, t->end) == '.' && letter(byte_at(s, t->end + 1))))
        return;
    size_t begin = i - 2;
    if (f->token[begin].form == FORM_MARK || f->token[begin].form == FORM_LINE || t->capital)
        return;
    while (begin >= 1 && !f->token[begin].spaced &&
           ((pii_mark(f, begin - 1, '.') || pii_mark(f, begin - 1, '-')) || f->token[begin - 1].form <= FORM_NUMBER))
        begin--;
    if (begin > 0 && pii_mark(f, begin - 1, '@') && !f->token[begin].spaced)
        return;
    pii_add_bytes(f, PII_DOMAIN_NAME, i, f->token[begin].begin, url_end(s, t->end), 0.8);
}

/* ---- mail ---- */

static bool local_byte(char c) {
    return letter(c) || digit(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-' || (c & 0x80);
}

static void scan_mail(struct pii_finder *f, size_t i) {
    const str s = f->text;
    size_t begin = f->token[i].begin, end = f->token[i].end, point = 0;
    while (begin > 0 && f->token[i].begin - begin < 64 && local_byte(s.ptr[begin - 1]))
        begin--;
    while (begin < f->token[i].begin && s.ptr[begin] == '.')
        begin++;
    while (end < s.len && end - f->token[i].end < 255 &&
           (letter(s.ptr[end]) || digit(s.ptr[end]) || s.ptr[end] == '-' || s.ptr[end] == '.' || (s.ptr[end] & 0x80)))
        end++;
    while (end > f->token[i].end && (s.ptr[end - 1] == '.' || s.ptr[end - 1] == '-'))
        end--;
    for (size_t k = f->token[i].end; k + 2 < end; k++)
        if (s.ptr[k] == '.' && k > f->token[i].end)
            point = k;
    if (begin < f->token[i].begin && point > 0 && letter(s.ptr[end - 1]))
        pii_add_bytes(f, PII_EMAIL_ADDRESS, i, begin, end, 0.99);
}

/* ---- IP ---- */

static bool hex(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static void scan_ip4(struct pii_finder *f, size_t i) {
    const str s = f->text;
    size_t at = f->token[i].begin;
    const size_t begin = at;
    if (begin > 0 && (s.ptr[begin - 1] == '.' || letter(s.ptr[begin - 1])))
        return;
    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0, n = 0;
        if (part > 0 && byte_at(s, at++) != '.')
            return;
        for (; digit(byte_at(s, at)) && n < 4; at++, n++)
            value = value * 10 + (unsigned)(s.ptr[at] - '0');
        if (n == 0 || n > 3 || value > 255)
            return;
    }
    if (letter(byte_at(s, at)) || (byte_at(s, at) == '.' && digit(byte_at(s, at + 1))))
        return;
    pii_add_bytes(f, PII_IP_ADDRESS, i, begin, at, 0.97);
}

/* Groups of hexadecimal digits with colons: eight, or fewer with one "::". */
static void scan_ip6(struct pii_finder *f, size_t i) {
    const str s = f->text;
    const size_t begin = f->token[i].begin;
    size_t at = begin, groups = 0, gaps = 0;
    bool letters = false;
    if (f->token[i].end - begin > 4 || (begin > 0 && (s.ptr[begin - 1] == ':' || hex(s.ptr[begin - 1]))))
        return;
    for (;;) {
        size_t n = 0;
        for (; hex(byte_at(s, at)); at++, n++)
            letters |= letter(s.ptr[at]);
        groups += n > 0;
        if (n > 4)
            return;
        if (byte_at(s, at) != ':' || (!hex(byte_at(s, at + 1)) && byte_at(s, at + 1) != ':'))
            break;
        at++;
        if (byte_at(s, at) == ':') {
            gaps++;
            at++;
            if (!hex(byte_at(s, at)))
                break;
        }
    }
    if (!letter(byte_at(s, at)) &&
        ((groups == 8 && gaps == 0) || (gaps == 1 && groups >= 2 && groups < 8 && (letters || groups > 2))))
        pii_add_bytes(f, PII_IP_ADDRESS, i, begin, at, 0.97);
}

/* ---- IBAN ---- */

/* Eats letters and digits with single blanks between groups; returns how many into `code`. */
static size_t read_code(str s, size_t begin, char code[40], size_t ends[40]) {
    size_t n = 0, at = begin;
    while (n < 36 && (letter(byte_at(s, at)) || digit(byte_at(s, at)) ||
                      (s.len > at && s.ptr[at] == ' ' && n >= 4 && n % 4 == 0 &&
                       (letter(byte_at(s, at + 1)) || digit(byte_at(s, at + 1)))))) {
        if (s.ptr[at] != ' ') {
            code[n] = s.ptr[at] >= 'a' ? (char)(s.ptr[at] - 32) : s.ptr[at];
            ends[n++] = at + 1;
        }
        at++;
    }
    return n;
}

/* ISO 13616: the first four characters moved to the end, letters as two digits, leaves 1 when divided by 97. */
static bool iban_valid(const char *code, size_t n) {
    unsigned rest = 0;
    for (size_t k = 0; k < n; k++) {
        const char c = code[(k + 4) % n];
        rest = digit(c) ? (rest * 10 + (unsigned)(c - '0')) % 97 : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

static void scan_iban(struct pii_finder *f, size_t i) {
    static const str cues[] = {STR_INIT("iban"), STR_INIT("account")};
    char code[40];
    size_t ends[40];
    const size_t begin = f->token[i].begin, n = read_code(f->text, begin, code, ends);
    if (n < 15 || !letter(code[0]) || !letter(code[1]) || !digit(code[2]) || !digit(code[3]))
        return;
    for (size_t k = n < 34 ? n : 34; k >= 15; k--)
        if ((k == n || ends[k] != ends[k - 1] + 1) && iban_valid(code, k)) {
            pii_add_bytes(f, PII_IBAN_CODE, i, begin, ends[k - 1], 0.99);
            return;
        }
    size_t digits = 0;
    for (size_t k = 0; k < n; k++)
        digits += digit(code[k]);
    if (digits >= 10 && cue_before(f, i, 5, cues, 2)) /* mistyped, yet meant as one */
        pii_add_bytes(f, PII_IBAN_CODE, i, begin, ends[(n < 34 ? n : 34) - 1], 0.7);
}

/* ---- cards ---- */

static bool luhn(const char *d, size_t n) {
    unsigned sum = 0;
    for (size_t k = 0; k < n; k++) {
        const unsigned x = (unsigned)(d[n - 1 - k] - '0') * (k % 2 ? 2 : 1);
        sum += x > 9 ? x - 9 : x;
    }
    return sum % 10 == 0;
}

static void scan_card(struct pii_finder *f, size_t i) {
    static const str cues[] = {STR_INIT("card"), STR_INIT("cc"),         STR_INIT("credit"),
                               STR_INIT("visa"), STR_INIT("mastercard"), STR_INIT("amex")};
    const str s = f->text;
    const size_t begin = f->token[i].begin;
    char d[20];
    size_t n = 0, at = begin, groups = 1, last = 0;
    for (; n < 20; at++) {
        if (digit(byte_at(s, at))) {
            d[n++] = s.ptr[at];
            last++;
        } else if ((byte_at(s, at) == ' ' || byte_at(s, at) == '-') && last >= 3 && digit(byte_at(s, at + 1))) {
            groups++;
            last = 0;
        } else {
            break;
        }
    }
    if (n < 12 || n > 19 || letter(byte_at(s, at)) || groups > 6)
        return;
    const bool cue = cue_before(f, i, 10, cues, sizeof cues / sizeof *cues),
               valid = luhn(d, n) && d[0] >= '1' && d[0] <= '6';
    if (cue || (valid && n >= 13))
        pii_add_bytes(f, PII_CREDIT_CARD, i, begin, at, cue && valid ? 0.99 : valid ? 0.9 : 0.6);
}

/* ---- social security ---- */

static size_t digits_of(const struct pii_finder *f, size_t i) {
    return i < f->n && f->token[i].form == FORM_NUMBER && f->token[i].digits_only ? f->token[i].end - f->token[i].begin : 0;
}

static void scan_ssn(struct pii_finder *f, size_t i) {
    static const str cues[] = {STR_INIT("ssn"), STR_INIT("security")};
    const size_t n = digits_of(f, i);
    const char *p = f->text.ptr + f->token[i].begin;
    if (n == 9 && cue_before(f, i, 6, cues, 2)) {
        pii_add(f, PII_US_SSN, i, i + 1, 0.9);
        return;
    }
    const bool joined = n == 3 && digits_of(f, i + 2) == 2 && digits_of(f, i + 4) == 4 && !f->token[i + 1].spaced;
    if (!joined || (p[0] == '0' && p[1] == '0' && p[2] == '0') || pii_mark(f, i + 5, '-') ||
        (i > 0 && pii_mark(f, i - 1, '-')))
        return;
    if ((pii_mark(f, i + 1, '-') && pii_mark(f, i + 3, '-')))
        pii_add(f, PII_US_SSN, i, i + 5, 0.95);
}

/* ---- dates ---- */

static unsigned number_of(const struct pii_finder *f, size_t i) {
    unsigned x = 0;
    for (size_t k = f->token[i].begin; k < f->token[i].end && digit(f->text.ptr[k]) && x < 100000000; k++)
        x = x * 10 + (unsigned)(f->text.ptr[k] - '0');
    return x;
}

static bool is_year(const struct pii_finder *f, size_t i) {
    return digits_of(f, i) == 4 && number_of(f, i) >= 1800 && number_of(f, i) < 2100;
}

/* A time of day from token i on: how many tokens. */
static size_t clock_tokens(const struct pii_finder *f, size_t i) {
    if (!digits_of(f, i) || number_of(f, i) > 23 || !pii_mark(f, i + 1, ':') || digits_of(f, i + 2) != 2 ||
        number_of(f, i + 2) > 59)
        return 0;
    size_t n = 3;
    if (pii_mark(f, i + 3, ':') && digits_of(f, i + 4) == 2)
        n = 5;
    return n;
}

static void add_date(struct pii_finder *f, size_t from, size_t to, double confidence) {
    if (to < f->n && f->token[to].form == FORM_NUMBER)
        to += clock_tokens(f, to);
    pii_add(f, PII_DATE_TIME, from, to, confidence);
}

/* 2015-12-22, 12/22/2015, 22.12.15, and 2015-12-22T04:34:22. */
static bool scan_numeric_date(struct pii_finder *f, size_t i) {
    const size_t a = digits_of(f, i), b = digits_of(f, i + 2);
    if (!a || !b || i + 4 >= f->n || f->token[i + 1].form != FORM_MARK || f->token[i + 1].mark != f->token[i + 3].mark)
        return false;
    const char mark = f->token[i + 1].mark;
    const size_t begin = f->token[i + 4].begin;
    size_t c = 0;
    while (digit(byte_at(f->text, begin + c)) && begin + c < f->token[i + 4].end)
        c++;
    const unsigned x = number_of(f, i), y = number_of(f, i + 2), z = number_of(f, i + 4);
    if (mark != '-' && mark != '/' && mark != '.')
        return false;
    for (size_t k = 1; k < 5; k++)
        if (f->token[i + k].spaced)
            return false;
    if (a == 4 && is_year(f, i) && b <= 2 && y >= 1 && y <= 12 && c <= 2 && z >= 1 && z <= 31) {
        if (f->token[i + 4].digits_only) {
            add_date(f, i, i + 5, 0.95);
            return true;
        }
        size_t end = f->token[i + 4].begin; /* …-22T04:34:22Z */
        while (digit(byte_at(f->text, end)) || letter(byte_at(f->text, end)) || byte_at(f->text, end) == ':')
            end++;
        return pii_add_bytes(f, PII_DATE_TIME, i, f->token[i].begin, end, 0.95);
    }
    if (a > 2 || b > 2 || !f->token[i + 4].digits_only || !(c == 4 || c == 2) || !x || !y || x > 31 || y > 31 ||
        (x > 12 && y > 12))
        return false;
    if ((c == 4 && !is_year(f, i + 4)) || (c == 2 && mark == '.' && pii_mark(f, i + 5, '.')))
        return false;
    add_date(f, i, i + 5, 0.85);
    return true;
}

/* "May 3, 2010", "3rd of May 2010", "May 2010". */
static bool scan_month(struct pii_finder *f, size_t i) {
    size_t from = i, to = i + 1;
    if (!pii_is(f, i, LIST_MONTH) || (!f->token[i].capital))
        return false;
    if (pii_mark(f, to, '.') && to + 1 < f->n && f->token[to + 1].form == FORM_NUMBER)
        to++;
    if (to < f->n && f->token[to].form == FORM_NUMBER && number_of(f, to) >= 1 && number_of(f, to) <= 31 &&
        f->token[to].end - f->token[to].begin <= 4 && !is_year(f, to))
        to++;
    if (from > 0 && f->token[from - 1].form == FORM_NUMBER && number_of(f, from - 1) >= 1 && number_of(f, from - 1) <= 31 &&
        f->token[from - 1].end - f->token[from - 1].begin <= 4)
        from--;
    else if (from > 1 && pii_word(f, from - 1, STR("of")) && f->token[from - 2].form == FORM_NUMBER &&
             number_of(f, from - 2) <= 31)
        from -= 2;
    if (pii_mark(f, to, ',') && is_year(f, to + 1))
        to += 2;
    else if (is_year(f, to))
        to++;
    if (to - from < 2)
        return false;
    add_date(f, from, to, 0.9);
    return true;
}

static void scan_year(struct pii_finder *f, size_t i) {
    static const str cues[] = {STR_INIT("in"),   STR_INIT("since"), STR_INIT("during"), STR_INIT("until"),
                               STR_INIT("year"), STR_INIT("from"),  STR_INIT("before"), STR_INIT("after"),
                               STR_INIT("by"),   STR_INIT("born"),  STR_INIT("around"), STR_INIT("circa")};
    if (!is_year(f, i) || pii_mark(f, i + 1, '-') || pii_mark(f, i + 1, '%'))
        return;
    if (i > 0 && cue_before(f, i, 1, cues, sizeof cues / sizeof *cues))
        pii_add(f, PII_DATE_TIME, i, i + 1, 0.75);
}

void pii_scan_forms(struct pii_finder *f) {
    for (size_t i = 0; i < f->n; i++) {
        const struct pii_token *t = &f->token[i];
        if (t->taken)
            continue;
        if (t->form == FORM_MARK && t->mark == '@')
            scan_mail(f, i);
        else if (t->form == FORM_WORD && (byte_at(f->text, t->end) == ':' || byte_at(f->text, t->end) == '.' ||
                                          (t->begin > 0 && f->text.ptr[t->begin - 1] == '.')))
            scan_url(f, i);
    }
    for (size_t i = 0; i < f->n; i++) {
        const struct pii_token *t = &f->token[i];
        const size_t len = t->end - t->begin;
        if (t->taken || t->form == FORM_MARK || t->form == FORM_LINE)
            continue;
        if (t->form == FORM_WORD) {
            if (len == 2 && digit(byte_at(f->text, t->end)))
                scan_iban(f, i);
            if (len <= 4 && byte_at(f->text, t->end) == ':')
                scan_ip6(f, i);
            if (!f->token[i].taken && (t->lists & LIST_MONTH))
                scan_month(f, i);
            if (!f->token[i].taken && len <= 4 && digit(byte_at(f->text, t->end)))
                scan_ip6(f, i);
            continue;
        }
        if (byte_at(f->text, t->end) == '.')
            scan_ip4(f, i);
        else if (byte_at(f->text, t->end) == ':')
            scan_ip6(f, i);
        if (!f->token[i].taken)
            scan_ssn(f, i);
        if (!f->token[i].taken && !scan_numeric_date(f, i) && len >= 3)
            scan_card(f, i);
        if (!f->token[i].taken)
            scan_year(f, i);
    }
}
