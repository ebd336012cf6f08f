/* letters.c — large and small letters of Latin, Greek and Cyrillic writing. */
#include "validate/letters.h"

#include "base/utf8.h"

/* Latin Extended-A comes in pairs; where the large letter is odd or even changes twice. */
static bool pair_is_odd(uint32_t c) { return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E); }
static bool is_paired(uint32_t c) {
    return (c >= 0x100 && c <= 0x17E && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149 && c != 0x178) ||
           (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) ||
           (c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF) || (c >= 0x218 && c <= 0x21B);
}

uint32_t letters_large(uint32_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) ||
        (c >= 0x430 && c <= 0x44F))
        return c - 0x20;
    if (c == 0xFF)
        return 0x178;
    if (c >= 0x450 && c <= 0x45F)
        return c - 0x50;
    if (c >= 0x561 && c <= 0x586)
        return c - 0x30; /* Armenian */
    if (is_paired(c))
        return pair_is_odd(c) ? (c & 1 ? c : c - 1) : c & ~1u;
    return c;
}

uint32_t letters_small(uint32_t c) {
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    if (c == 0x178)
        return 0xFF;
    if (c == 0x130)
        return 'i';
    if (c >= 0x400 && c <= 0x40F)
        return c + 0x50;
    if (c >= 0x531 && c <= 0x556)
        return c + 0x30;
    if (is_paired(c))
        return pair_is_odd(c) ? (c & 1 ? c + 1 : c) : c | 1u;
    return c;
}

bool letters_is_letter(uint32_t c) {
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x3000 && c <= 0x3020) &&
           !(c >= 0xE000 && c <= 0xF8FF) && !(c >= 0xFE00 && c <= 0xFE0F) && !(c >= 0xFF00 && c <= 0xFF20) &&
           !(c >= 0x1F000 && c <= 0x1FAFF);
}

size_t letters_count(str s) {
    size_t n = 0;
    for (size_t at = 0; at < s.len;) {
        const int32_t c = utf8_next(s, &at);
        n += c > 0 && letters_is_letter((uint32_t)c);
    }
    return n;
}

static void count_cases(str s, size_t *large, size_t *small) {
    *large = *small = 0;
    for (size_t at = 0; at < s.len;) {
        const int32_t c = utf8_next(s, &at);
        if (c < 0)
            continue;
        *large += letters_small((uint32_t)c) != (uint32_t)c;
        *small += letters_large((uint32_t)c) != (uint32_t)c;
    }
}

bool letters_are_one_case(str s) {
    size_t large, small;
    count_cases(s, &large, &small);
    return large + small >= 2 && (large == 0 || small == 0);
}

bool letters_are_large(str s) {
    size_t large, small;
    count_cases(s, &large, &small);
    return large >= 2 && small == 0;
}

static const char *in_list(const char *const *list, str word) {
    for (; list && *list; list++)
        if (str_equal_nocase(word, str_from(*list)))
            return *list;
    return NULL;
}

static void add_code(struct buf *out, uint32_t code) {
    char bytes[UTF8_CHARACTER_BYTE];
    buf_add(out, (str){bytes, utf8_encode(code, bytes)});
}

static bool is_apostrophe(int32_t c) { return c == '\'' || c == 0x2019 || c == '`'; }

/* One word between blanks; a letter is large at the front, behind a sign, and behind an apostrophe after one letter. */
static void add_capitalised(struct buf *out, str word) {
    bool begins = true;
    size_t run = 0;
    for (size_t at = 0; at < word.len;) {
        const int32_t c = utf8_next(word, &at);
        if (c < 0)
            continue;
        const uint32_t code = (uint32_t)c;
        if (letters_is_letter(code) || (code >= '0' && code <= '9')) {
            add_code(out, begins ? letters_large(code) : letters_small(code));
            begins = false;
            run++;
        } else {
            add_code(out, code);
            begins = !is_apostrophe(c) || run == 1;
            run = 0;
        }
    }
}

/* The part of a word without signs at its ends. */
static str bare(str w) {
    while (w.len > 0 && strchr(",.;:()[]\"", w.ptr[w.len - 1]))
        w.len--;
    while (w.len > 0 && strchr("([\"", w.ptr[0]))
        w = str_slice(w, 1, w.len);
    return w;
}

str letters_heading(struct arena *a, str s, const struct letters_words *words) {
    struct buf *out = buf_in(a, 2 * s.len + 64);
    str rest = s, word;
    for (size_t n = 0; s.len > 0 && str_split(&rest, ' ', &word); n++) {
        if (n > 0)
            buf_add_byte(out, ' ');
        const str inner = bare(word);
        const char *large = words ? in_list(words->large, inner) : NULL;
        const char *small = words && n > 0 ? in_list(words->small, inner) : NULL;
        const char *form = large ? large : small;
        if (form && inner.len > 0) {
            buf_add(out, str_slice(word, 0, (size_t)(inner.ptr - word.ptr)));
            buf_add(out, str_from(form));
            buf_add(out, str_slice(word, (size_t)(inner.ptr - word.ptr) + inner.len, word.len));
        } else {
            add_capitalised(out, word);
        }
    }
    return buf_str(out);
}
