/* person.c — names of people: case, order, titles and particles. */
#include "validate/person.h"

#include "base/utf8.h"
#include "validate/company.h"
#include "validate/letters.h"

enum { PERSON_MAX_BYTE = 300, PERSON_WORD_MAX = 24 };

static const char *const honorifics[] = {
    "mr",   "mrs",  "ms",   "miss",  "mx",       "dr",     "prof", "professor", "sir",      "madam",
    "dame", "lord", "lady", "rev",   "hon",      "herr",   "frau", "fräulein",  "dipl-ing", "mag",
    "ing",  "ir",   "mme",  "mlle",  "monsieur", "madame", "sig",  "sig.ra",    "signor",   "signora",
    "sr",   "sra",  "srta", "señor", "señora",   "don",    "doña", "dott",      "dott.ssa", "drs",
    "mag.", "shri", "smt",  "capt",  "col",      "lt",     "gen",  "sgt",       "maj",      NULL};
static const char *const suffixes[] = {
    "phd",  "ph.d",    "md",  "m.d", "mba",  "m.b.a", "msc",  "m.sc",   "bsc",  "b.sc", "esq",  "cpa", "cfa", "pmp",
    "dds",  "jd",      "j.d", "llm", "ll.m", "rn",    "dba",  "edd",    "ba",   "b.a",  "m.a",  "mph", "pe",  "cissp",
    "cism", "shrm-cp", "obe", "mbe", "cbe",  "frcs",  "bcom", "pharmd", "acca", "ret",  "faia", "aia", "mbb", NULL};
static const char *const generations[] = {"jr", "sr", "ii", "iii", "iv", "junior", "senior", NULL};
static const char *const particles[] = {"van",  "von",   "der", "den", "de",   "del", "della", "di",  "da",  "dos", "das",
                                        "do",   "du",    "des", "la",  "le",   "las", "los",   "ter", "ten", "zu",  "zum",
                                        "zur",  "vom",   "bin", "ibn", "bint", "al",  "el",    "af",  "av",  "y",   "e",
                                        "dell", "degli", "dei", "'t",  "het",  "op",  "te",    "san", NULL};

static bool in_list(const char *const *list, str word) {
    while (word.len > 1 && word.ptr[word.len - 1] == '.')
        word.len--;
    for (; *list; list++)
        if (str_equal_nocase(word, str_from(*list)))
            return true;
    return false;
}

static size_t split_words(str s, str word[PERSON_WORD_MAX]) {
    size_t n = 0;
    str rest = s, w;
    while (n < PERSON_WORD_MAX && s.len > 0 && str_split(&rest, ' ', &w))
        if (w.len > 0)
            word[n++] = w;
    return n;
}

/* Cuts what stands between `open` and `close`, each a whole sign, when something is left of the name. */
static str without_pair(struct arena *a, struct clean_value *v, str s, str open, str close) {
    const ptrdiff_t from = str_find(s, open);
    if (from < 0)
        return s;
    const str behind = str_slice(s, (size_t)from + open.len, s.len);
    const ptrdiff_t end = str_find(behind, close);
    if (end < 0)
        return s;
    const str left = str_slice(s, 0, (size_t)from), right = str_slice(behind, (size_t)end + close.len, behind.len);
    if (str_trim(left).len + str_trim(right).len == 0)
        return s;
    clean_apply(v, RULE_NICKNAME);
    return str_format(a, "%.*s %.*s", STR_ARG(left), STR_ARG(right));
}

static str without_nickname(struct arena *a, struct clean_value *v, str s) {
    s = without_pair(a, v, s, STR("\""), STR("\""));
    s = without_pair(a, v, s, STR("("), STR(")"));
    s = without_pair(a, v, s, STR("["), STR("]"));
    s = without_pair(a, v, s, STR("\xE2\x80\x9C"), STR("\xE2\x80\x9D"));
    s = without_pair(a, v, s, STR("\xE2\x80\x9E"), STR("\xE2\x80\x9C"));
    return without_pair(a, v, s, STR(" '"), STR("' "));
}

/* Degrees behind commas go; "Family, Given" is turned round. */
static str in_speaking_order(struct arena *a, struct clean_value *v, str s) {
    str part[4], rest = s, p;
    size_t n = 0;
    if (str_find_byte(s, ',') < 0)
        return s;
    while (n < 4 && str_split(&rest, ',', &p)) {
        p = str_trim(p);
        str word[PERSON_WORD_MAX];
        const size_t words = split_words(p, word);
        bool degrees = n > 0 && words > 0;
        for (size_t i = 0; i < words; i++)
            degrees &= in_list(suffixes, word[i]) || in_list(generations, word[i]);
        if (p.len == 0 || degrees)
            clean_apply(v, p.len == 0 ? RULE_SIGNS : RULE_SUFFIX);
        else
            part[n++] = p;
    }
    if (n == 2) {
        clean_apply(v, RULE_SURNAME_FIRST);
        return str_format(a, "%.*s %.*s", STR_ARG(part[1]), STR_ARG(part[0]));
    }
    return n == 1 ? part[0] : s;
}

/* "mcdonald" is "McDonald"; "Mac" is left alone, since Mackey and Macy are as common as MacDonald. */
static str with_inner_capital(struct arena *a, str w) {
    if (w.len < 5 || !(str_starts(w, STR("Mc"))) || w.ptr[2] < 'a' || w.ptr[2] > 'z')
        return w;
    const str copy = str_copy(a, w);
    ((char *)(uintptr_t)copy.ptr)[2] = (char)(w.ptr[2] - 32);
    return copy;
}

static bool is_generation(str w) { return in_list(generations, w); }

static str cased_word(struct arena *a, str w, bool first, bool last) {
    if (!first && !last && in_list(particles, w))
        return str_lower(a, w);
    if (is_generation(w) && (w.ptr[0] == 'i' || w.ptr[0] == 'I')) {
        char *to = str_cstr(a, w);
        for (size_t i = 0; i < w.len; i++)
            to[i] = to[i] >= 'a' && to[i] <= 'z' ? (char)(to[i] - 32) : to[i];
        return (str){to, w.len};
    }
    return with_inner_capital(a, letters_heading(a, w, NULL));
}

/* The name's words without what is no name. */
static size_t bare_words(struct clean_value *v, str s, str word[PERSON_WORD_MAX]) {
    size_t n = split_words(s, word), from = 0;
    while (from + 1 < n && in_list(honorifics, word[from])) {
        clean_apply(v, RULE_HONORIFIC);
        from++;
    }
    while (n - from > 2 && in_list(suffixes, word[n - 1])) {
        clean_apply(v, RULE_SUFFIX);
        n--;
    }
    memmove(word, word + from, (n - from) * sizeof *word);
    return n - from;
}

/* "Jean DUPONT": a word of three or more large letters beside others that are not. */
static bool is_shouted(str w) {
    return letters_count(w) >= 3 && letters_are_large(w) && !is_generation(w) && str_find_byte(w, '.') < 0;
}

static void split_name(struct arena *a, const str *word, size_t n, struct person_name *out) {
    size_t end = n;
    while (end > 1 && is_generation(word[end - 1]))
        end--;
    size_t family = end > 1 ? end - 1 : 0;
    while (family > 1 && in_list(particles, word[family - 1]))
        family--;
    out->given = family > 0 ? str_join(a, word, family, STR(" ")) : word[0];
    out->family = family > 0 ? str_join(a, word + family, end - family, STR(" ")) : (str){0};
}

/* Two to four Han characters or Hangul syllables: the family's name is the first of them. */
static bool split_east_asian(str s, struct person_name *out) {
    size_t n = 0, first = 0;
    for (size_t at = 0; at < s.len; n++) {
        const int32_t c = utf8_next(s, &at);
        if (!((c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3)))
            return false;
        first = n == 0 ? at : first;
    }
    if (n < 2 || n > 4)
        return false;
    *out = (struct person_name){.family = str_slice(s, 0, first), .given = str_slice(s, first, s.len)};
    return true;
}

static bool is_phone(str s) {
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++)
        digits += s.ptr[i] >= '0' && s.ptr[i] <= '9';
    return digits >= 7 && letters_count(s) <= 3;
}

/* True when the text is something else, which *v then says. */
static bool is_no_name(struct clean_value *v, str s) {
    const ptrdiff_t at = str_find_byte(s, '@');
    if (at > 0 && (size_t)at + 3 < s.len && str_find_byte(str_slice(s, (size_t)at, s.len), '.') > 1)
        clean_refuse(v, RULE_IS_EMAIL);
    else if (is_phone(s))
        clean_refuse(v, RULE_IS_PHONE);
    else if (letters_count(s) == 0)
        clean_refuse(v, RULE_NO_LETTERS);
    else if (company_is_likely(s))
        clean_refuse(v, RULE_IS_COMPANY);
    return v->status == CLEAN_INVALID;
}

void person_clean(struct arena *a, str original, struct clean_value *v, struct person_name *out) {
    *out = (struct person_name){0};
    if (!clean_begin(v, original, PERSON_MAX_BYTE))
        return;
    str s = clean_spaces(a, v, v->value);
    if (is_no_name(v, s))
        return;
    s = in_speaking_order(a, v, without_nickname(a, v, s));
    str word[PERSON_WORD_MAX];
    const bool recase = letters_are_one_case(s) && s.len > 2;
    const size_t n = bare_words(v, s, word);
    if (n == 0) {
        clean_refuse(v, RULE_NO_LETTERS);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!recase && !is_shouted(word[i]))
            continue;
        const str cased = cased_word(a, word[i], i == 0, i + 1 == n);
        if (!str_equal(cased, word[i]))
            clean_apply(v, RULE_CASE);
        word[i] = cased;
    }
    v->value = str_join(a, word, n, STR(" "));
    if (!(n == 1 && split_east_asian(word[0], out)))
        split_name(a, word, n, out);
    clean_end(v, original);
    if (v->status == CLEAN_CORRECTED && v->rules == 0)
        clean_apply(v, RULE_SPACE);
}
