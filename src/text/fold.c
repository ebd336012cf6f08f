/* fold.c — folding of letters by table, and Soundex with more room. */
#include "text/fold.h"

#include "base/utf8.h"

/* U+00C0 to U+017F without accents; a dot is a sign, '2' marks two letters. */
static const char latin[] = "aaaaaa2ceeeeiiiidnooooo.ouuuuy22aaaaaa2ceeeeiiiidnooooo.ouuuuy2y"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii22jjkkklllllll"
                            "lllnnnnnnnnnoooooo22rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static const char *two_letters(int32_t c) {
    switch (c) {
    case 0xC6:
    case 0xE6:
        return "ae";
    case 0xDE:
    case 0xFE:
        return "th";
    case 0xDF:
        return "ss";
    case 0x132:
    case 0x133:
        return "ij";
    default:
        return "oe";
    }
}

static int32_t lower(int32_t c) {
    if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40F)
        return c + 0x50;
    return c;
}

/* The letters of a code point into `to`, and how many bytes; 0 for a sign. */
static size_t letters_of(int32_t c, char to[UTF8_CHARACTER_BYTE]) {
    if (c >= 'A' && c <= 'Z') {
        to[0] = (char)(c + 32);
        return 1;
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0xC0)
        return 0;
    if (c <= 0x17F) {
        const char base = latin[c - 0xC0];
        if (base == '2')
            memcpy(to, two_letters(c), 2);
        else
            to[0] = base;
        return base == '.' ? 0 : base == '2' ? 2 : 1;
    }
    if ((c >= 0x2000 && c <= 0x206F) || (c >= 0x3000 && c <= 0x3004) || (c >= 0x300 && c <= 0x36F))
        return 0;
    return utf8_encode((uint32_t)lower(c), to);
}

/* Signs that belong to a word, and marks that combine with the letter before. */
static bool is_silent(int32_t c) { return c == '\'' || c == '`' || c == 0x2019 || (c >= 0x300 && c <= 0x36F); }

size_t text_fold(str s, char *to, size_t cap) {
    size_t n = 0;
    bool blank = false;
    for (size_t at = 0; at < s.len;) {
        char letters[UTF8_CHARACTER_BYTE];
        const int32_t c = utf8_next(s, &at);
        const size_t len = letters_of(c, letters);
        if (len == 0) {
            blank |= !is_silent(c);
            continue;
        }
        const bool gap = blank && n > 0;
        if (n + len + gap > cap)
            break;
        if (gap)
            to[n++] = ' ';
        memcpy(to + n, letters, len);
        n += len;
        blank = false;
    }
    return n;
}

/* Soundex groups of a to z; 0: vowels, which part groups; 7: h and w, which do not. */
static const char groups[] = "01230127022455012623017202";

/* A word's first letters that are written and not said. */
static size_t silent_start(str s) {
    return str_starts(s, STR("kn")) || str_starts(s, STR("wr")) || str_starts(s, STR("gn"));
}

uint64_t text_sound(str folded) {
    enum { GROUP_MAX = 7 };
    uint64_t code = 0;
    char last = 0;
    int n = 0;
    for (size_t i = silent_start(folded); i < folded.len; i++) {
        char c = folded.ptr[i];
        if (c == ' ')
            continue;
        if (c < 'a' || c > 'z')
            return str_hash(folded) | 1;
        if (c == 'p' && i + 1 < folded.len && folded.ptr[i + 1] == 'h')
            c = 'f';
        const char group = groups[c - 'a'];
        if (code == 0) {
            code = (uint64_t)(unsigned char)c;
            last = group;
        } else if (group != '7') {
            if (group != '0' && group != last && n++ < GROUP_MAX)
                code = code * 8 + (uint64_t)(group - '0');
            last = group;
        }
    }
    return code;
}
