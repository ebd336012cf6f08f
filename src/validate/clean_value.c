/* clean_value.c — statuses, rules and how sure they are; the beginning and the end of every cleaning. */
#include "validate/clean_value.h"

#include "base/utf8.h"
#include "text/fold.h"

static const struct {
    const char *name;
    double confidence;
} rules[CLEAN_RULE_COUNT] = {
    [RULE_SPACE] = {"space", 1},
    [RULE_CASE] = {"case", 0.99},
    [RULE_SIGNS] = {"signs", 0.98},
    [RULE_WRAPPED] = {"wrapped", 0.98},
    [RULE_AT_WORD] = {"at_word", 0.95},
    [RULE_DOTS] = {"dots", 0.9},
    [RULE_COMMA_DOT] = {"comma_for_dot", 0.93},
    [RULE_IDN] = {"idn", 1},
    [RULE_PROVIDER_TYPO] = {"provider_typo", 1},
    [RULE_SUFFIX_TYPO] = {"suffix_typo", 1},
    [RULE_SCHEME] = {"scheme", 1},
    [RULE_PATH] = {"path", 1},
    [RULE_SUBDOMAIN] = {"subdomain", 0.95},
    [RULE_FROM_EMAIL] = {"from_email", 0.95},
    [RULE_E164] = {"e164", 1},
    [RULE_EXTENSION] = {"extension", 1},
    [RULE_INTERNATIONAL_ZEROS] = {"international_zeros", 0.95},
    [RULE_REGION_COUNTRY] = {"region_from_country", 0.95},
    [RULE_COUNTRY_CODE] = {"country_code", 0.99},
    [RULE_COUNTRY_NAME] = {"country_name", 0.98},
    [RULE_LANGUAGE_CODE] = {"language_code", 0.99},
    [RULE_LANGUAGE_NAME] = {"language_name", 0.98},
    [RULE_SURNAME_FIRST] = {"surname_first", 0.9},
    [RULE_HONORIFIC] = {"honorific", 0.97},
    [RULE_SUFFIX] = {"suffix", 0.97},
    [RULE_NICKNAME] = {"nickname", 0.93},
    [RULE_INITIALS] = {"initials", 0.98},
    [RULE_LEGAL_FORM] = {"legal_form", 0.97},
    [RULE_STOCK_TICKER] = {"stock_ticker", 0.95},
    [RULE_TRADING_AS] = {"trading_as", 0.9},
    [RULE_ABBREVIATION] = {"abbreviation", 0.97},
    [RULE_NUMBER] = {"number", 0.99},
    [RULE_MULTIPLIER] = {"multiplier", 0.98},
    [RULE_CURRENCY] = {"currency", 0.97},
    [RULE_RANGE] = {"range", 0.98},
    [RULE_ISO_DATE] = {"iso_date", 0.99},
    [RULE_INDUSTRY_CODE] = {"industry_code", 0.97},
    [RULE_INDUSTRY_TITLE] = {"industry_title", 0.97},
    [RULE_INDUSTRY_WORDS] = {"industry_words", 1},
    [RULE_PLACEHOLDER] = {"placeholder", 0.97},
    [RULE_TOO_LONG] = {"too_long", 0.95},
    [RULE_NOT_UTF8] = {"not_utf8", 1},
    [RULE_NO_AT] = {"no_at", 1},
    [RULE_LOCAL_PART] = {"local_part", 0.98},
    [RULE_NOT_A_DOMAIN] = {"not_a_domain", 1},
    [RULE_UNKNOWN_SUFFIX] = {"unknown_suffix", 0.95},
    [RULE_PUBLIC_SUFFIX] = {"public_suffix", 0.95},
    [RULE_NOT_A_PHONE] = {"not_a_phone", 0.99},
    [RULE_NOT_IN_REGION] = {"not_in_region", 0.95},
    [RULE_NO_REGION] = {"no_region", 0.8},
    [RULE_UNKNOWN] = {"unknown", 0.9},
    [RULE_AMBIGUOUS] = {"ambiguous", 0.9},
    [RULE_NO_LETTERS] = {"no_letters", 0.97},
    [RULE_IS_COMPANY] = {"is_company", 0.93},
    [RULE_IS_EMAIL] = {"is_email", 0.99},
    [RULE_IS_PHONE] = {"is_phone", 0.97},
};

_Static_assert(CLEAN_RULE_COUNT <= 64, "the rules of a value are the bits of a word");

const char *clean_status_name(enum clean_status s) {
    static const char *const names[] = {"empty", "ok", "corrected", "invalid"};
    return names[s];
}

const char *clean_rule_name(enum clean_rule r) { return rules[r].name; }
double clean_rule_confidence(enum clean_rule r) { return rules[r].confidence; }

str clean_rule_text(struct arena *a, const struct clean_value *v) {
    str part[CLEAN_RULE_COUNT];
    size_t n = 0;
    for (unsigned r = 0; r < CLEAN_RULE_COUNT; r++)
        if (v->rules >> r & 1)
            part[n++] = str_from(rules[r].name);
    return n == 0 ? (str){0} : n == 1 ? part[0] : str_join(a, part, n, STR("+"));
}

void clean_apply(struct clean_value *v, enum clean_rule r) {
    if (clean_has(v, r))
        return;
    v->rules |= 1ull << r;
    v->confidence *= rules[r].confidence;
}

void clean_refuse(struct clean_value *v, enum clean_rule r) {
    *v = (struct clean_value){.status = CLEAN_INVALID, .rules = 1ull << r, .confidence = rules[r].confidence};
}

/* Words that people and programs write where they have nothing to write. */
static bool is_placeholder(str s) {
    static const str words[] = {STR_INIT(""),        STR_INIT("n a"),     STR_INIT("na"),   STR_INIT("null"),
                                STR_INIT("none"),    STR_INIT("nil"),     STR_INIT("nan"),  STR_INIT("unknown"),
                                STR_INIT("not set"), STR_INIT("no name"), STR_INIT("tbd"),  STR_INIT("undefined"),
                                STR_INIT("xxx"),     STR_INIT("asdf"),    STR_INIT("xxxx"), STR_INIT("not available"),
                                STR_INIT("keine"),   STR_INIT("aucun"),   STR_INIT("s n"),  STR_INIT("not provided")};
    char folded[32];
    if (s.len > 20)
        return false;
    const str f = {folded, text_fold(s, folded, sizeof folded)};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(f, words[i]))
            return true;
    return false;
}

bool clean_begin(struct clean_value *v, str original, size_t max_byte) {
    const str s = str_trim(original);
    *v = (struct clean_value){.value = s, .status = CLEAN_OK, .confidence = 1};
    if (s.len == 0) {
        v->status = CLEAN_EMPTY;
        return false;
    }
    if (s.len > max_byte)
        clean_refuse(v, RULE_TOO_LONG);
    else if (!utf8_valid(s) || memchr(s.ptr, 0, s.len))
        clean_refuse(v, RULE_NOT_UTF8);
    else if (is_placeholder(s))
        *v = (struct clean_value){.rules = 1ull << RULE_PLACEHOLDER, .confidence = rules[RULE_PLACEHOLDER].confidence};
    if (v->status == CLEAN_OK && s.len != original.len)
        clean_apply(v, RULE_SPACE);
    return v->status == CLEAN_OK;
}

void clean_end(struct clean_value *v, str original) {
    v->status = str_equal(v->value, original) ? CLEAN_OK : CLEAN_CORRECTED;
}

static bool is_space(int32_t c) {
    return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Control signs, soft hyphens, marks of direction and joiners that no reader sees; the joiners of Indic and Arabic writing
 * (U+200C, U+200D) stay. */
static bool is_unseen(int32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x200B || c == 0x200E || c == 0x200F ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF || c == 0xFFFD;
}

str clean_spaces(struct arena *a, struct clean_value *v, str s) {
    char *to = arena_alloc(a, s.len + 1);
    size_t n = 0;
    bool blank = false, unseen = false;
    for (size_t at = 0; at < s.len;) {
        const size_t from = at;
        const int32_t c = utf8_next(s, &at);
        if (is_space(c)) {
            blank = n > 0;
        } else if (is_unseen(c)) {
            unseen = true;
        } else {
            if (blank)
                to[n++] = ' ';
            blank = false;
            memcpy(to + n, s.ptr + from, at - from);
            n += at - from;
        }
    }
    const str out = {to, n};
    if (unseen)
        clean_apply(v, RULE_SIGNS);
    if (!str_equal(out, s))
        clean_apply(v, RULE_SPACE);
    return out;
}
