/* utf8.c — UTF-8 by the table of RFC 3629, with a fast way through ASCII. */
#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Index of the first byte from `at` on that is not ASCII. */
static size_t pass_ascii(str s, size_t at) {
#ifdef __SSE2__
    for (; at + 16 <= s.len; at += 16) {
        int high = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(s.ptr + at)));
        if (high != 0)
            return at + (size_t)__builtin_ctz((unsigned)high);
    }
#else
    for (uint64_t word; at + 8 <= s.len; at += 8) {
        memcpy(&word, s.ptr + at, 8);
        if ((word & 0x8080808080808080ull) != 0)
            break;
    }
#endif
    while (at < s.len && (unsigned char)s.ptr[at] < 0x80)
        at++;
    return at;
}

static bool is_tail(unsigned char byte) { return (byte & 0xC0u) == 0x80u; }

/* Length of the character at p, of which `left` > 0 bytes exist; 0 when there is none. */
static size_t character_length(const unsigned char *p, size_t left) {
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    if (p[0] < 0xE0)
        return left >= 2 && is_tail(p[1]) ? 2 : 0;
    if (p[0] < 0xF0) {
        unsigned char low = p[0] == 0xE0 ? 0xA0 : 0x80, high = p[0] == 0xED ? 0x9F : 0xBF;
        return left >= 3 && p[1] >= low && p[1] <= high && is_tail(p[2]) ? 3 : 0;
    }
    unsigned char low = p[0] == 0xF0 ? 0x90 : 0x80, high = p[0] == 0xF4 ? 0x8F : 0xBF;
    return left >= 4 && p[1] >= low && p[1] <= high && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
}

size_t utf8_valid_prefix(str s) {
    size_t at = pass_ascii(s, 0);
    while (at < s.len) {
        size_t n = character_length((const unsigned char *)s.ptr + at, s.len - at);
        if (n == 0)
            return at;
        at += n;
        if (at < s.len && (unsigned char)s.ptr[at] < 0x80)
            at = pass_ascii(s, at);
    }
    return at;
}

bool utf8_is_plain_ascii(str s) {
    size_t at = 0;
#ifdef __SSE2__
    const __m128i zero = _mm_setzero_si128();
    __m128i high = zero, nul = zero;
    for (; at + 16 <= s.len; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + at));
        high = _mm_or_si128(high, v);
        nul = _mm_or_si128(nul, _mm_cmpeq_epi8(v, zero));
    }
    if (_mm_movemask_epi8(_mm_or_si128(high, nul)) != 0)
        return false;
#endif
    for (; at < s.len; at++)
        if (s.ptr[at] == '\0' || (unsigned char)s.ptr[at] >= 0x80)
            return false;
    return true;
}

int32_t utf8_next(str s, size_t *at) {
    if (*at >= s.len)
        return -1;
    const unsigned char *p = (const unsigned char *)s.ptr + *at;
    size_t n = character_length(p, s.len - *at);
    *at += n > 0 ? n : 1;
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3:
        return (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    default:
        return -1;
    }
}

size_t utf8_encode(uint32_t code, char to[UTF8_CHARACTER_BYTE]) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; --i > 0; code >>= 6)
        to[i] = (char)(0x80u | (code & 0x3Fu));
    to[0] = (char)(lead[n] | code);
    return n;
}

size_t utf8_from_latin1(str s, char *to) {
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++)
        len += utf8_encode((unsigned char)s.ptr[i], to + len);
    return len;
}

str utf8_cut(str s, size_t max_byte) {
    if (s.len <= max_byte)
        return s;
    size_t len = max_byte;
    for (size_t back = 0; back < UTF8_CHARACTER_BYTE && len > 0 && is_tail((unsigned char)s.ptr[len]); back++)
        len--;
    return (str){s.ptr, is_tail((unsigned char)s.ptr[len]) ? max_byte : len};
}

str utf8_repair(struct arena *a, str s) {
    if (utf8_valid(s) && str_find_byte(s, '\0') < 0)
        return s;
    char *to = arena_alloc(a, s.len * 3 + 1);
    size_t len = 0;
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        int32_t code = utf8_next(s, &at);
        if (code <= 0) {
            len += utf8_encode(0xFFFD, to + len);
        } else {
            memcpy(to + len, s.ptr + from, at - from);
            len += at - from;
        }
    }
    return (str){to, len};
}
