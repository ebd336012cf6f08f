/* mail.c — e-mail addresses and domains. */
#include "validate/mail.h"

static const str private_domains[] = {
    STR_INIT("gmail.com"),      STR_INIT("googlemail.com"), STR_INIT("yahoo.com"),      STR_INIT("yahoo.co.uk"),
    STR_INIT("yahoo.co.in"),    STR_INIT("yahoo.fr"),       STR_INIT("yahoo.de"),       STR_INIT("ymail.com"),
    STR_INIT("rocketmail.com"), STR_INIT("hotmail.com"),    STR_INIT("hotmail.co.uk"),  STR_INIT("hotmail.fr"),
    STR_INIT("outlook.com"),    STR_INIT("live.com"),       STR_INIT("msn.com"),        STR_INIT("icloud.com"),
    STR_INIT("me.com"),         STR_INIT("mac.com"),        STR_INIT("aol.com"),        STR_INIT("gmx.com"),
    STR_INIT("gmx.de"),         STR_INIT("gmx.net"),        STR_INIT("gmx.at"),         STR_INIT("web.de"),
    STR_INIT("t-online.de"),    STR_INIT("freenet.de"),     STR_INIT("mail.com"),       STR_INIT("mail.ru"),
    STR_INIT("yandex.ru"),      STR_INIT("yandex.com"),     STR_INIT("protonmail.com"), STR_INIT("proton.me"),
    STR_INIT("pm.me"),          STR_INIT("tutanota.com"),   STR_INIT("fastmail.com"),   STR_INIT("hey.com"),
    STR_INIT("zoho.com"),       STR_INIT("rediffmail.com"), STR_INIT("qq.com"),         STR_INIT("163.com"),
    STR_INIT("126.com"),        STR_INIT("sina.com"),       STR_INIT("naver.com"),      STR_INIT("daum.net"),
    STR_INIT("orange.fr"),      STR_INIT("wanadoo.fr"),     STR_INIT("free.fr"),        STR_INIT("laposte.net"),
    STR_INIT("libero.it"),      STR_INIT("virgilio.it"),    STR_INIT("uol.com.br"),     STR_INIT("bol.com.br"),
    STR_INIT("comcast.net"),    STR_INIT("verizon.net"),    STR_INIT("btinternet.com"), STR_INIT("bigpond.com"),
};

bool mail_is_private(str domain) {
    for (size_t i = 0; i < sizeof private_domains / sizeof *private_domains; i++)
        if (str_equal(private_domains[i], domain))
            return true;
    return false;
}

static bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static bool is_label(str s) {
    if (s.len == 0 || s.len > 63 || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_letter_or_digit(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '_')
            return false;
    return true;
}

/* In lower case already. */
static bool is_domain(str s) {
    str rest = s, label;
    size_t n = 0;
    if (s.len == 0 || s.len > DOMAIN_BYTE)
        return false;
    for (; str_split(&rest, '.', &label); n++)
        if (!is_label(label))
            return false;
    return n >= 2;
}

/* Most texts are in lower case: those are not copied. */
static str lower(struct arena *a, str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return str_lower(a, s);
    return s;
}

bool mail_domain(struct arena *a, str text, str *out) {
    static const str schemes[] = {STR_INIT("https://"), STR_INIT("http://"), STR_INIT("www.")};
    str s = lower(a, str_trim(str_slice(text, 0, 4 * DOMAIN_BYTE)));
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts(s, schemes[i]))
            s = str_slice(s, schemes[i].len, s.len);
    ptrdiff_t slash = str_find_byte(s, '/');
    s = slash >= 0 ? str_slice(s, 0, (size_t)slash) : s;
    if (str_ends(s, STR(".")))
        s.len--;
    if (!is_domain(s))
        return false;
    *out = s;
    return true;
}

str mail_domain_of(str address) {
    ptrdiff_t at = str_find_byte(address, '@');
    return at >= 0 ? str_slice(address, (size_t)at + 1, address.len) : (str){0};
}

static bool is_local(str s) {
    if (s.len == 0 || s.len > MAIL_LOCAL_BYTE || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f || strchr("\"(),:;<>[\\]", s.ptr[i]))
            return false;
    return true;
}

bool mail_address(struct arena *a, str text, str *out) {
    str s = str_trim(text);
    ptrdiff_t at = str_find_byte(s, '@');
    if (at < 0 || s.len > MAIL_BYTE || !is_local(str_slice(s, 0, (size_t)at)))
        return false;
    s = lower(a, s);
    if (!is_domain(str_slice(s, (size_t)at + 1, s.len)))
        return false;
    *out = s;
    return true;
}
