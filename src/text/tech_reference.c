/* tech_reference.c — character references of HTML: "&amp;" and "&#38;". */
#include "text/tech_page.h"

#include "base/utf8.h"

#include <string.h>

struct reference {
    const char *name, *text;
    bool bare; /* also without the semicolon */
};

static const struct reference references[] = {{"amp", "&", true},
                                              {"lt", "<", true},
                                              {"gt", ">", true},
                                              {"quot", "\"", true},
                                              {"apos", "'", false},
                                              {"nbsp", "\xC2\xA0", true},
                                              {"copy", "\xC2\xA9", true},
                                              {"reg", "\xC2\xAE", true},
                                              {"trade", "\xE2\x84\xA2", false},
                                              {"hellip", "\xE2\x80\xA6", false},
                                              {"mdash", "\xE2\x80\x94", false},
                                              {"ndash", "\xE2\x80\x93", false},
                                              {"lsquo", "\xE2\x80\x98", false},
                                              {"rsquo", "\xE2\x80\x99", false},
                                              {"ldquo", "\xE2\x80\x9C", false},
                                              {"rdquo", "\xE2\x80\x9D", false},
                                              {"laquo", "\xC2\xAB", true},
                                              {"raquo", "\xC2\xBB", true},
                                              {"bull", "\xE2\x80\xA2", false},
                                              {"middot", "\xC2\xB7", true},
                                              {"euro", "\xE2\x82\xAC", false},
                                              {"pound", "\xC2\xA3", true},
                                              {"sect", "\xC2\xA7", true},
                                              {"deg", "\xC2\xB0", true},
                                              {"times", "\xC3\x97", true},
                                              {"eacute", "\xC3\xA9", true},
                                              {"egrave", "\xC3\xA8", true},
                                              {"agrave", "\xC3\xA0", true},
                                              {"ccedil", "\xC3\xA7", true},
                                              {"auml", "\xC3\xA4", true},
                                              {"ouml", "\xC3\xB6", true},
                                              {"uuml", "\xC3\xBC", true},
                                              {"szlig", "\xC3\x9F", true},
                                              {"Auml", "\xC3\x84", true},
                                              {"Ouml", "\xC3\x96", true},
                                              {"Uuml", "\xC3\x9C", true},
                                              {"sol", "/", false},
                                              {"colon", ":", false},
                                              {"period", ".", false},
                                              {"num", "#", false},
                                              {"lowbar", "_", false}};

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static unsigned digit_of(char c) {
    if (is_digit(c))
        return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* "&#39;" or "&#x27;" at raw: bytes taken, 0 when it is none. */
static size_t decode_number(str raw, char *to, size_t *n) {
    const bool hex = raw.len > 2 && (raw.ptr[2] | 0x20) == 'x';
    const unsigned base = hex ? 16 : 10;
    size_t i = hex ? 3 : 2;
    const size_t first = i;
    uint32_t code = 0;
    for (; i < raw.len && digit_of(raw.ptr[i]) < base; i++)
        code = code > 0x10FFFF ? code : code * base + digit_of(raw.ptr[i]);
    if (i == first)
        return 0;
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        code = 0xFFFD;
    char bytes[4];
    *n = utf8_encode(code, bytes);
    i += i < raw.len && raw.ptr[i] == ';';
    if (*n > i)
        return 0; /* "&#0" is never longer than what it stands for; kept as a guard of the room promised */
    memcpy(to, bytes, *n);
    return i;
}

static size_t decode_name(str raw, bool attribute, char *to, size_t *n) {
    size_t end = 1;
    while (end < raw.len && end < 9 && (is_letter(raw.ptr[end]) || is_digit(raw.ptr[end])))
        end++;
    const str name = str_slice(raw, 1, end);
    const bool closed = end < raw.len && raw.ptr[end] == ';';
    if (!closed && attribute && end < raw.len && raw.ptr[end] == '=')
        return 0;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        const struct reference *r = &references[i];
        if (!str_equal(str_from(r->name), name) || (!closed && !r->bare))
            continue;
        *n = strlen(r->text);
        memcpy(to, r->text, *n);
        return end + closed;
    }
    return 0;
}

size_t tech_page_decode(str raw, bool attribute, char *to) {
    size_t out = 0;
    for (size_t i = 0; i < raw.len;) {
        const char *amp = memchr(raw.ptr + i, '&', raw.len - i);
        const size_t plain = amp ? (size_t)(amp - raw.ptr) - i : raw.len - i;
        memmove(to + out, raw.ptr + i, plain);
        out += plain;
        i += plain;
        if (!amp)
            break;
        const str rest = str_slice(raw, i, raw.len);
        size_t n = 0, taken = 0;
        if (rest.len > 2 && rest.ptr[1] == '#')
            taken = decode_number(rest, to + out, &n);
        else if (rest.len > 2)
            taken = decode_name(rest, attribute, to + out, &n);
        if (taken == 0) {
            to[out++] = '&';
            i++;
            continue;
        }
        out += n;
        i += taken;
    }
    return out;
}
