/* company.c — names of companies: their legal form, and one writing. */
#include "validate/company.h"

#include "base/asset.h"
#include "text/fold.h"
#include "validate/letters.h"

enum { COMPANY_MAX_BYTE = 500, FORM_KEY_BYTE = 96, FORM_WORD_MAX = 9, FORM_SLOT = 2048, COMPANY_WORD_MAX = 40 };

struct legal_form {
    str key, form;
};

struct legal_forms {
    struct legal_form *slot;
    size_t n;
};

/* What spellings of a form have in common: small letters, without dots, single blanks, "&" and "und" and "and" alike. The
 * letters keep their accents: "OÜ" is a form and "OU" is none. */
static size_t form_key(str s, char to[FORM_KEY_BYTE]) {
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 3 < FORM_KEY_BYTE; i++) {
        const char c = s.ptr[i];
        if (c == '.' || c == ',' || c == ' ') {
            if (n > 0 && to[n - 1] != ' ')
                to[n++] = ' ';
        } else {
            to[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
    }
    while (n > 0 && to[n - 1] == ' ')
        n--;
    return n;
}

/* Large letters beyond ASCII of the forms' languages, in place: two bytes stay two bytes. */
static void small_letters(char *s, size_t n) {
    for (size_t i = 0; i + 1 < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        if (c < 0xC3 || c > 0xD1)
            continue;
        const uint32_t code = (uint32_t)(c & 0x1F) << 6 | ((unsigned char)s[i + 1] & 0x3F);
        const uint32_t small = letters_small(code);
        if (small >= 0xC0 && small < 0x800) {
            s[i] = (char)(0xC0 | small >> 6);
            s[i + 1] = (char)(0x80 | (small & 0x3F));
        }
        i++;
    }
}

static struct legal_form *find(const struct legal_forms *l, str key) {
    size_t at = str_hash(key) & (FORM_SLOT - 1);
    while (l->slot[at].key.len > 0 && !str_equal(l->slot[at].key, key))
        at = (at + 1) & (FORM_SLOT - 1);
    return &l->slot[at];
}

/* A spelling, and the same without blanks ("gmb h" and "s r o" are also written "sro"). */
static void add(struct legal_forms *l, struct arena *a, str spelling, str form, bool tight) {
    char key[FORM_KEY_BYTE];
    size_t n = form_key(spelling, key);
    small_letters(key, n);
    if (tight) {
        size_t out = 0;
        for (size_t i = 0; i < n; i++)
            if (key[i] != ' ')
                key[out++] = key[i];
        if (n - out < 1 || out > 6)
            return;
        n = out;
    }
    struct legal_form *slot = find(l, (str){key, n});
    if (n == 0 || slot->key.len > 0 || l->n > FORM_SLOT / 2)
        return;
    *slot = (struct legal_form){str_copy(a, (str){key, n}), form};
    l->n++;
}

struct legal_forms *legal_forms_load(struct arena *a) {
    struct legal_forms *l = ARENA_NEW(a, struct legal_forms);
    l->slot = ARENA_ARRAY(a, FORM_SLOT, struct legal_form);
    const str text = asset_get(STR("lists/legal-forms.tsv"));
    for (int pass = 0; pass < 2; pass++) {
        str rest = text, line;
        while (str_split(&rest, '\n', &line)) {
            str form, countries, spelling;
            if (line.len == 0 || line.ptr[0] == '#' || !str_split(&line, '\t', &form) || !str_split(&line, '\t', &countries))
                continue;
            if (pass == 0)
                add(l, a, form, form, false);
            while (str_split(&line, '|', &spelling))
                add(l, a, spelling, form, pass == 1);
        }
    }
    return l;
}

/* Forms of two letters that are also words or codes: "as", "se", "me" in small letters, and "Ca". */
static bool is_word_of_two(str s) {
    static const str words[] = {STR_INIT("as"), STR_INIT("se"), STR_INIT("ca"), STR_INIT("pc"), STR_INIT("pt"),
                                STR_INIT("bt"), STR_INIT("rt"), STR_INIT("og"), STR_INIT("eg"), STR_INIT("mb"),
                                STR_INIT("hb"), STR_INIT("kb"), STR_INIT("ky"), STR_INIT("hf"), STR_INIT("ao")};
    const bool large = s.ptr[0] >= 'A' && s.ptr[0] <= 'Z' && s.ptr[1] >= 'A' && s.ptr[1] <= 'Z';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!large && str_equal_nocase(s, words[i]))
            return true;
    return false;
}

static str form_of(const struct legal_forms *l, str s) {
    char key[FORM_KEY_BYTE];
    if (s.len >= FORM_KEY_BYTE - 4)
        return (str){0};
    const size_t n = form_key(s, key);
    small_letters(key, n);
    if (n == 2 && s.len == 2 && is_word_of_two(s))
        return (str){0};
    return n > 0 ? find(l, (str){key, n})->form : (str){0};
}

static str without_end_signs(str s) {
    for (;;) {
        s = str_trim(s);
        if (s.len > 0 && (strchr(",;-&+", s.ptr[s.len - 1])))
            s.len--;
        else
            return s;
    }
}

/* Byte positions at which words begin. */
static size_t word_starts(str s, size_t start[COMPANY_WORD_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' && (i == 0 || s.ptr[i - 1] == ' ' || s.ptr[i - 1] == ',')) {
            if (n == COMPANY_WORD_MAX)
                return 0;
            start[n++] = i;
        }
    return n;
}

/* Scripts without blanks put the form right behind or in front of the name. */
static bool split_unspaced(const struct legal_forms *l, str name, str *base, str *form) {
    static const str forms[] = {STR_INIT("股份有限公司"), STR_INIT("有限责任公司"), STR_INIT("有限責任公司"),
                                STR_INIT("有限公司"),     STR_INIT("株式会社"),     STR_INIT("有限会社"),
                                STR_INIT("合同会社"),     STR_INIT("주식회사"),     STR_INIT("유한회사"),
                                STR_INIT("(株)"),         STR_INIT("㈱"),           STR_INIT("㈜"),
                                STR_INIT("(주)")};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const bool front = str_starts(name, forms[i]);
        if (name.len <= forms[i].len || !(front || str_ends(name, forms[i])))
            continue;
        *base = str_trim(front ? str_slice(name, forms[i].len, name.len) : str_slice(name, 0, name.len - forms[i].len));
        *form = form_of(l, forms[i]);
        return form->len > 0;
    }
    return false;
}

/* The longest form that the last words make. */
static bool split_end(const struct legal_forms *l, str s, const size_t *start, size_t n, str *base, str *form) {
    for (size_t k = n > FORM_WORD_MAX ? n - FORM_WORD_MAX : 1; k < n; k++) {
        const str found = form_of(l, str_slice(s, start[k], s.len)), left = without_end_signs(str_slice(s, 0, start[k]));
        if (found.len > 0 && left.len > 0) {
            *base = left;
            *form = found;
            return true;
        }
    }
    return false;
}

/* In front only forms that stand there: no short words that begin names of others ("AS Roma", "SE Bank"). */
static bool split_front(const struct legal_forms *l, str s, const size_t *start, size_t n, str *base, str *form) {
    static const str front[] = {STR_INIT("PT"),  STR_INIT("OOO"),  STR_INIT("AO"),   STR_INIT("PAO"), STR_INIT("ZAO"),
                                STR_INIT("OAO"), STR_INIT("ТОВ"),  STR_INIT("UAB"),  STR_INIT("SIA"), STR_INIT("ТОО"),
                                STR_INIT("ИП"),  STR_INIT("TNHH"), STR_INIT("ПрАТ"), STR_INIT("ПАТ"), STR_INIT("Stichting")};
    if (n < 2)
        return false;
    const str found = form_of(l, str_trim(str_slice(s, 0, start[1])));
    for (size_t i = 0; i < sizeof front / sizeof *front; i++)
        if (found.len > 0 && str_equal(found, front[i])) {
            *base = str_slice(s, start[1], s.len);
            *form = found;
            return true;
        }
    return false;
}

bool company_split(const struct legal_forms *l, str name, str *base, str *form) {
    size_t start[COMPANY_WORD_MAX];
    const str s = str_trim(name);
    const size_t n = word_starts(s, start);
    return split_end(l, s, start, n, base, form) || split_unspaced(l, s, base, form) ||
           split_front(l, s, start, n, base, form);
}

static bool has_word(const char *const *list, str folded) {
    str rest = folded, w;
    while (folded.len > 0 && str_split(&rest, ' ', &w))
        for (const char *const *at = list; *at; at++)
            if (str_equal(w, str_from(*at)))
                return true;
    return false;
}

bool company_is_likely(str text) {
    static const char *const words[] = {
        "inc",     "llc",        "ltd",        "gmbh",       "corp",       "corporation", "limited",      "sarl",
        "plc",     "kg",         "bv",         "oy",         "oyj",        "srl",         "ltda",         "pty",
        "pvt",     "holdings",   "holding",    "group",      "consulting", "solutions",   "technologies", "systems",
        "bank",    "university", "services",   "software",   "industries", "partners",    "associates",   "enterprises",
        "company", "institute",  "foundation", "verein",     "stiftung",   "gruppe",      "ventures",     "labs",
        "agency",  "hospital",   "ministry",   "department", NULL};
    char folded[COMPANY_MAX_BYTE];
    return has_word(words, (str){folded, text_fold(text, folded, sizeof folded)});
}

/* "Acme Corp (NYSE: ACM)", "Acme Corp (ACM)" stays. */
static str without_ticker(struct clean_value *v, str s) {
    static const str exchanges[] = {STR_INIT("nasdaq"), STR_INIT("nyse"),     STR_INIT("lse"),  STR_INIT("otc"),
                                    STR_INIT("tsx"),    STR_INIT("asx"),      STR_INIT("etr"),  STR_INIT("fra"),
                                    STR_INIT("xetra"),  STR_INIT("euronext"), STR_INIT("amex"), STR_INIT("six"),
                                    STR_INIT("hkex"),   STR_INIT("sgx"),      STR_INIT("nse"),  STR_INIT("bse"),
                                    STR_INIT("ticker"), STR_INIT("tse"),      STR_INIT("ams"),  STR_INIT("epa")};
    const ptrdiff_t open = str_find_byte(s, '(');
    if (open <= 0 || s.ptr[s.len - 1] != ')')
        return s;
    const str inside = str_slice(s, (size_t)open + 1, s.len - 1);
    const ptrdiff_t colon = str_find_byte(inside, ':');
    for (size_t i = 0; colon > 0 && i < sizeof exchanges / sizeof *exchanges; i++)
        if (str_find_nocase(str_slice(inside, 0, (size_t)colon), exchanges[i]) >= 0) {
            clean_apply(v, RULE_STOCK_TICKER);
            return str_trim(str_slice(s, 0, (size_t)open));
        }
    return s;
}

static str without_trade_name(struct clean_value *v, str s) {
    static const str marks[] = {STR_INIT(" d/b/a "),
                                STR_INIT(" dba "),
                                STR_INIT(" t/a "),
                                STR_INIT(" trading as "),
                                STR_INIT(" doing business as "),
                                STR_INIT(" f/k/a "),
                                STR_INIT(" formerly ")};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const ptrdiff_t at = str_find_nocase(s, marks[i]);
        if (at > 0) {
            clean_apply(v, RULE_TRADING_AS);
            return without_end_signs(str_slice(s, 0, (size_t)at));
        }
    }
    return s;
}

static str without_quotes(struct clean_value *v, str s) {
    if (s.len > 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') && s.ptr[s.len - 1] == s.ptr[0]) {
        clean_apply(v, RULE_WRAPPED);
        return str_trim(str_slice(s, 1, s.len - 1));
    }
    return s;
}

/* One word of up to four large letters is as likely a name of letters ("IBM", "SAP SE"); words without vowels are. */
static bool may_change_case(str base) {
    size_t letters = 0;
    bool vowel = false, blank = false;
    for (size_t i = 0; i < base.len; i++) {
        letters += base.ptr[i] != ' ';
        blank |= base.ptr[i] == ' ';
        vowel |= strchr("aeiouyAEIOUY", base.ptr[i]) != NULL || (unsigned char)base.ptr[i] >= 0x80;
    }
    return letters_are_one_case(base) && vowel && (blank || letters > 4 || !letters_are_large(base));
}

static const char *const kept_large[] = {"IBM", "SAP",  "USA", "UK",  "US",   "EU",  "IT", "HR",   "BMW",
                                         "VW",  "AT&T", "3M",  "HP",  "GE",   "AI",  "TV", "HSBC", "BASF",
                                         "AXA", "ING",  "BNP", "UBS", "KPMG", "PwC", "EY", "DHL",  "UPS",
                                         "ABB", "AMD",  "NEC", "LG",  "BP",   "R&D", "II", "III",  NULL};
static const char *const kept_small[] = {"of",  "and", "the", "for", "in", "und", "de", "du",  "des",
                                         "la",  "le",  "di",  "del", "y",  "e",   "et", "von", "für",
                                         "van", "der", "den", "da",  "do", "dos", NULL};

void company_clean(const struct legal_forms *l, struct arena *a, str original, struct clean_value *v, str *form) {
    *form = (str){0};
    if (!clean_begin(v, original, COMPANY_MAX_BYTE))
        return;
    str s = clean_spaces(a, v, v->value), base;
    s = without_trade_name(v, without_ticker(v, without_quotes(v, s)));
    if (letters_count(s) == 0 && !(s.len > 0 && s.ptr[0] >= '0' && s.ptr[0] <= '9')) {
        clean_refuse(v, RULE_NO_LETTERS);
        return;
    }
    const bool split = company_split(l, s, &base, form);
    const bool front = split && base.ptr > s.ptr;
    if (!split)
        base = s;
    const struct letters_words words = {.small = kept_small, .large = kept_large};
    const str cased = may_change_case(base) ? letters_heading(a, base, &words) : base;
    if (!str_equal(cased, base))
        clean_apply(v, RULE_CASE);
    const bool unspaced = split && (unsigned char)form->ptr[0] >= 0xE3;
    const char *gap = unspaced ? "" : " ";
    v->value = !split  ? cased
               : front ? str_format(a, "%.*s%s%.*s", STR_ARG(*form), gap, STR_ARG(cased))
                       : str_format(a, "%.*s%s%.*s", STR_ARG(cased), gap, STR_ARG(*form));
    if (split && str_find(s, *form) < 0)
        clean_apply(v, RULE_LEGAL_FORM);
    clean_end(v, original);
    if (v->status == CLEAN_CORRECTED && v->rules == 0)
        clean_apply(v, RULE_SIGNS);
}
