/* host.c — domains of companies, by libidn2 and libpsl. */
#include "validate/host.h"

#include "validate/mail.h"

#include <idn2.h>
#include <libpsl.h>

enum { HOST_MAX_BYTE = 2048 };

static bool is_ascii_domain(str s) {
    str rest = s, label;
    size_t n = 0;
    for (; str_split(&rest, '.', &label); n++) {
        if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++) {
            const char c = label.ptr[i];
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
                return false;
        }
    }
    return n >= 2 && s.len <= DOMAIN_BYTE;
}

static bool is_address_number(str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '.'))
            return false;
    return true;
}

bool host_ascii(struct arena *a, str domain, str *out) {
    if (domain.len == 0 || domain.len > DOMAIN_BYTE)
        return false;
    str s = str_lower(a, domain);
    bool ascii = true;
    for (size_t i = 0; i < s.len; i++)
        ascii &= (unsigned char)s.ptr[i] < 0x80;
    if (!ascii) {
        char *to = NULL;
        const char *from = str_cstr(a, s);
        int rc = idn2_to_ascii_8z(from, &to, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (rc != IDN2_OK)
            return false;
        char copy[DOMAIN_BYTE + 1];
        const size_t n = strlen(to);
        if (n <= DOMAIN_BYTE)
            memcpy(copy, to, n);
        idn2_free(to);
        if (n > DOMAIN_BYTE)
            return false;
        s = str_copy(a, (str){copy, n});
    }
    if (!is_ascii_domain(s) || is_address_number(s))
        return false;
    *out = s;
    return true;
}

/* libpsl wants a NUL behind the name. */
static bool terminated(str s, char to[DOMAIN_BYTE + 1]) {
    if (s.len == 0 || s.len > DOMAIN_BYTE)
        return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = 0;
    return true;
}

bool host_suffix_is_known(str domain) {
    char name[DOMAIN_BYTE + 1];
    if (!terminated(domain, name))
        return false;
    const char *dot = strrchr(name, '.');
    return psl_is_public_suffix2(psl_builtin(), dot ? dot + 1 : name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

str host_registered(str domain) {
    char name[DOMAIN_BYTE + 1];
    if (!terminated(domain, name))
        return (str){0};
    const char *at = psl_registrable_domain(psl_builtin(), name);
    return at ? str_slice(domain, (size_t)(at - name), domain.len) : (str){0};
}

/* The host in "https://user@www.example.com:8080/path", "ada@example.com" and "example.com." */
static str host_part(struct clean_value *v, str s) {
    const ptrdiff_t scheme = str_find(s, STR("://"));
    if (scheme >= 0) {
        s = str_slice(s, (size_t)scheme + 3, s.len);
        clean_apply(v, RULE_SCHEME);
    } else if (str_starts(s, STR("//"))) {
        s = str_slice(s, 2, s.len);
        clean_apply(v, RULE_SCHEME);
    }
    size_t end = 0;
    while (end < s.len && !strchr("/?#\\ ", s.ptr[end]))
        end++;
    if (end < s.len)
        clean_apply(v, RULE_PATH);
    s = str_slice(s, 0, end);
    const ptrdiff_t at = str_find_byte(s, '@');
    if (at >= 0) {
        s = str_slice(s, (size_t)at + 1, s.len);
        clean_apply(v, RULE_FROM_EMAIL);
    }
    const ptrdiff_t port = str_find_byte(s, ':');
    if (port >= 0) {
        s = str_slice(s, 0, (size_t)port);
        clean_apply(v, RULE_PATH);
    }
    const size_t whole = s.len;
    while (s.len > 0 && strchr(".,;", s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && s.ptr[0] == '.')
        s = str_slice(s, 1, s.len);
    if (s.len < whole)
        clean_apply(v, RULE_DOTS);
    return s;
}

void host_clean(struct arena *a, str original, struct clean_value *v) {
    if (!clean_begin(v, original, HOST_MAX_BYTE))
        return;
    const str written = host_part(v, str_lower(a, clean_spaces(a, v, v->value)));
    str ascii;
    if (!host_ascii(a, written, &ascii)) {
        clean_refuse(v, RULE_NOT_A_DOMAIN);
        return;
    }
    if (!str_equal(ascii, written))
        clean_apply(v, RULE_IDN);
    if (!host_suffix_is_known(ascii)) {
        clean_refuse(v, RULE_UNKNOWN_SUFFIX);
        return;
    }
    const str registered = host_registered(ascii);
    if (registered.len == 0) {
        clean_refuse(v, RULE_PUBLIC_SUFFIX);
        return;
    }
    if (registered.len < ascii.len)
        clean_apply(v, RULE_SUBDOMAIN);
    v->value = registered;
    if (!str_equal(str_lower(a, original), original))
        clean_apply(v, RULE_CASE);
    clean_end(v, original);
}
