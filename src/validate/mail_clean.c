/* mail_clean.c — e-mail addresses as people write them. */
#include "validate/mail_clean.h"

#include "text/fold.h"
#include "validate/host.h"
#include "validate/mail.h"

enum { MAIL_TEXT_BYTE = 1000 };

/* Below this a guess is not even worth a person's look. */
static const double SUGGESTION_LEAST = 0.4;

const char *mail_class_name(enum mail_class c) {
    static const char *const names[] = {"invalid", "disposable", "free", "role", "corporate"};
    return names[c];
}

/* What stands between < and >, where there is one pair. */
static str without_wrapping(struct clean_value *v, str s) {
    const ptrdiff_t open = str_find_byte(s, '<'), close = str_find_byte(s, '>');
    if (open >= 0 && close > open)
        s = str_slice(s, (size_t)open + 1, (size_t)close);
    s = str_trim(s);
    if (s.len > 7 && str_equal_nocase(str_slice(s, 0, 7), STR("mailto:")))
        s = str_slice(s, 7, s.len);
    const ptrdiff_t query = str_find_byte(s, '?');
    if (query > 0 && str_find_byte(s, '@') >= 0 && str_find_byte(s, '@') < query)
        s = str_slice(s, 0, (size_t)query);
    while (s.len > 0 && strchr("\"'`([{<,;:", s.ptr[0]))
        s = str_slice(s, 1, s.len);
    while (s.len > 0 && strchr("\"'`)]}>,;:", s.ptr[s.len - 1]))
        s.len--;
    if (!str_equal(s, v->value))
        clean_apply(v, RULE_WRAPPED);
    return str_trim(s);
}

/* "ada (at) example dot com" */
static str with_at(struct arena *a, struct clean_value *v, str s) {
    static const str words[] = {STR_INIT("(at)"), STR_INIT("[at]"), STR_INIT("{at}"), STR_INIT(" at ")};
    static const str dots[] = {STR_INIT("(dot)"), STR_INIT("[dot]"), STR_INIT("{dot}"), STR_INIT(" dot ")};
    if (str_find_byte(s, '@') >= 0)
        return s;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const ptrdiff_t at = str_find_nocase(s, words[i]);
        if (at <= 0)
            continue;
        s = str_format(a, "%.*s@%.*s", (int)at, s.ptr, STR_ARG(str_slice(s, (size_t)at + words[i].len, s.len)));
        clean_apply(v, RULE_AT_WORD);
        for (size_t d = 0; d < sizeof dots / sizeof *dots; d++)
            for (ptrdiff_t dot; (dot = str_find_nocase(s, dots[d])) > 0;)
                s = str_format(a, "%.*s.%.*s", (int)dot, s.ptr, STR_ARG(str_slice(s, (size_t)dot + dots[d].len, s.len)));
        return s;
    }
    return s;
}

static str without_blanks(struct arena *a, struct clean_value *v, str s) {
    const str tight = str_copy(a, s);
    char *to = (char *)(uintptr_t)tight.ptr;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        const bool near_sign = (i > 0 && strchr("@.", s.ptr[i - 1])) || (i + 1 < s.len && strchr("@.", s.ptr[i + 1]));
        if (s.ptr[i] != ' ' || !near_sign)
            to[n++] = s.ptr[i];
    }
    if (n < s.len)
        clean_apply(v, RULE_SPACE);
    return (str){to, n};
}

/* Dots at the ends and twice in a row go; in the domain a comma is a dot. */
static str with_single_dots(struct arena *a, struct clean_value *v, str s, bool domain) {
    char *to = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (domain && c == ',') {
            c = '.';
            clean_apply(v, RULE_COMMA_DOT);
        }
        if (c != '.' || (n > 0 && to[n - 1] != '.'))
            to[n++] = c;
    }
    while (n > 0 && to[n - 1] == '.')
        n--;
    if (n < s.len)
        clean_apply(v, RULE_DOTS);
    return (str){to, n};
}

static bool is_local(str s) {
    if (s.len == 0 || s.len > MAIL_LOCAL_BYTE)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7F || strchr("\"(),:;<>[\\]@", s.ptr[i]))
            return false;
    return true;
}

/* True when the row itself says that the domain is the company's: its name is in the company's, or the other way round. */
static bool is_own_domain(struct arena *a, str domain, str company) {
    const size_t cap = company.len + 8;
    char *folded = arena_alloc(a, cap);
    const size_t n = text_fold(company, folded, cap);
    size_t tight = 0;
    for (size_t i = 0; i < n; i++)
        if (folded[i] != ' ')
            folded[tight++] = folded[i];
    const ptrdiff_t dot = str_find_byte(domain, '.');
    const str name = str_slice(domain, 0, dot > 0 ? (size_t)dot : domain.len);
    return name.len >= 2 && tight >= 2 && str_starts((str){folded, tight}, name);
}

static enum mail_class class_of(const struct mail_lists *l, str local, str domain) {
    const char kind = mail_domain_kind(l, domain);
    if (kind)
        return kind == 'd' ? MAIL_DISPOSABLE : MAIL_FREE;
    const str registered = host_registered(domain);
    if (registered.len > 0 && registered.len < domain.len && mail_domain_kind(l, registered) == 'd')
        return MAIL_DISPOSABLE;
    return mail_is_role(l, local) ? MAIL_ROLE : MAIL_CORPORATE;
}

static str join(struct arena *a, str local, str domain) {
    return str_format(a, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

/* Suggests another domain, and takes it when it is likely enough. False when what stands there is no domain then. */
static bool choose_domain(const struct mail_lists *l, struct arena *a, str local, str company, double sure, str *domain,
                          struct clean_value *v, struct mail_cleaned *out) {
    str ascii, meant;
    double confidence;
    const bool good = host_ascii(a, *domain, &ascii);
    if (good && !str_equal(ascii, *domain))
        clean_apply(v, RULE_IDN);
    if (good)
        *domain = ascii;
    const bool known = good && host_suffix_is_known(*domain);
    enum clean_rule rule = RULE_PROVIDER_TYPO;
    bool found = (!known || !is_own_domain(a, *domain, company)) && mail_typo(l, *domain, &meant, &confidence);
    if (!found && good && !known) {
        rule = RULE_SUFFIX_TYPO;
        found = mail_suffix_typo(a, *domain, &meant, &confidence);
    }
    if (found && confidence >= SUGGESTION_LEAST) {
        out->suggestion = join(a, local, meant);
        out->suggestion_confidence = confidence;
        if (confidence >= sure) {
            *domain = meant;
            clean_apply(v, rule);
            v->confidence *= confidence;
            return true;
        }
    }
    if (!known)
        clean_refuse(v, good ? RULE_UNKNOWN_SUFFIX : RULE_NOT_A_DOMAIN);
    return known;
}

void mail_clean(const struct mail_lists *l, struct arena *a, str original, str company, double sure, struct clean_value *v,
                struct mail_cleaned *out) {
    *out = (struct mail_cleaned){.class = MAIL_INVALID};
    if (!clean_begin(v, original, MAIL_TEXT_BYTE))
        return;
    str s = without_wrapping(v, v->value);
    s = without_blanks(a, v, with_at(a, v, clean_spaces(a, v, s)));
    const str low = str_lower(a, s);
    if (!str_equal(low, s))
        clean_apply(v, RULE_CASE);
    const ptrdiff_t at = str_find_byte(low, '@');
    if (at < 0) {
        clean_refuse(v, RULE_NO_AT);
        if (mail_typo(l, low, &out->suggestion, &out->suggestion_confidence) &&
            out->suggestion_confidence < SUGGESTION_LEAST)
            out->suggestion = (str){0};
        return;
    }
    const str local = with_single_dots(a, v, str_slice(low, 0, (size_t)at), false);
    str domain = with_single_dots(a, v, str_slice(low, (size_t)at + 1, low.len), true);
    if (!is_local(local)) {
        clean_refuse(v, RULE_LOCAL_PART);
        return;
    }
    if (!choose_domain(l, a, local, company, sure, &domain, v, out))
        return;
    v->value = join(a, local, domain);
    out->class = class_of(l, local, domain);
    clean_end(v, original);
}
