/* fuse_value.c — types told from texts, and texts brought to a form in which equal values are equal. */
#include "enrich/fuse_value.h"

#include "base/number.h"
#include "base/quantity.h"
#include "base/time.h"
#include "base/utf8.h"

static const char *const names[FUSE_TYPE_COUNT] = {"auto", "text", "clock", "date", "number", "amount", "list", "people"};

const char *fuse_type_name(enum fuse_type type) { return names[type]; }

enum fuse_type fuse_type_of(str name) {
    for (int k = 0; k < FUSE_TYPE_COUNT; k++)
        if (str_equal(name, str_from(names[k])))
            return (enum fuse_type)k;
    return FUSE_TYPE_COUNT;
}

bool fuse_value_is_empty(str text) {
    static const str nothing[] = {STR_INIT("-"),    STR_INIT("--"),      STR_INIT("n/a"),          STR_INIT("na"),
                                  STR_INIT("null"), STR_INIT("unknown"), STR_INIT("none"),         STR_INIT("nan"),
                                  STR_INIT("?"),    STR_INIT("tbd"),     STR_INIT("not available")};
    const str t = str_trim(text);
    for (size_t k = 0; k < sizeof nothing / sizeof *nothing; k++)
        if (str_equal_nocase(t, nothing[k]))
            return true;
    return t.len == 0;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* ---- time of day ---- */

/* After the minute: ":ss", then a or p with or without m and points. 0 none, 'a', 'p'. */
static char half_of_day(str s, size_t at) {
    if (at + 2 < s.len && s.ptr[at] == ':' && is_digit(s.ptr[at + 1]))
        at += 3;
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '.'))
        at++;
    if (at >= s.len)
        return 0;
    const char half = lower(s.ptr[at]);
    if (half != 'a' && half != 'p')
        return 0;
    const char next = at + 1 < s.len ? lower(s.ptr[at + 1]) : ' ';
    /* "9:29pDec 4": a capital begins the next word. */
    return next == 'm' || next == '.' || !is_letter(next) || (s.ptr[at + 1] >= 'A' && s.ptr[at + 1] <= 'Z') ? half : 0;
}

/* The first hh:mm of the text as minutes of the day, or -1. */
static int read_clock(str s) {
    for (size_t k = 1; k + 2 < s.len; k++) {
        if (s.ptr[k] != ':' || !is_digit(s.ptr[k - 1]) || !is_digit(s.ptr[k + 1]) || !is_digit(s.ptr[k + 2]))
            continue;
        if (k + 3 < s.len && is_digit(s.ptr[k + 3]))
            continue;
        int hour = s.ptr[k - 1] - '0';
        if (k >= 2 && is_digit(s.ptr[k - 2]))
            hour += 10 * (s.ptr[k - 2] - '0');
        const int minute = 10 * (s.ptr[k + 1] - '0') + s.ptr[k + 2] - '0';
        if (hour > 23 || minute > 59 || (k >= 3 && is_digit(s.ptr[k - 2]) && is_digit(s.ptr[k - 3])))
            continue;
        const char half = half_of_day(s, k + 3);
        if (half != 0 && hour <= 12)
            hour = hour % 12 + (half == 'p' ? 12 : 0);
        return 60 * hour + minute;
    }
    return -1;
}

/* ---- folding ---- */

static const char plain_0xc0[] = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
                                 "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll"
                                 "nnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* "&eacute;" is an e: the letter, and past the entity. 0 when it is none of a letter. */
static char entity_letter(str s, size_t *at) {
    size_t end = *at + 1;
    while (end < s.len && is_letter(s.ptr[end]))
        end++;
    if (end >= s.len || s.ptr[end] != ';' || end - *at < 5)
        return 0;
    const char letter = lower(s.ptr[*at + 1]);
    *at = end + 1;
    return letter;
}

/* "acme.com", no "Acme Inc. of": one word with a point between letters. */
static bool is_domain(str s) {
    bool point = false;
    for (size_t k = 0; k < s.len; k++) {
        if (s.ptr[k] == ' ' || s.ptr[k] == ',' || s.ptr[k] == ';')
            return false;
        point |= s.ptr[k] == '.' && k > 1 && k + 2 < s.len && is_letter(s.ptr[k + 1]) && is_letter(s.ptr[k + 2]);
    }
    return point;
}

static bool is_address(str s) { return str_find_byte(s, '@') >= 0 || str_find(s, STR("://")) >= 0 || is_domain(s); }

static bool kept_mark(str s, size_t k) {
    const bool digit_behind = k + 1 < s.len && is_digit(s.ptr[k + 1]);
    const bool digit_before = k > 0 && is_digit(s.ptr[k - 1]);
    return (s.ptr[k] == '.' && digit_before && digit_behind) || (s.ptr[k] == '-' && digit_behind && k == 0);
}

static size_t fold_character(str s, size_t *at, char *to) {
    const unsigned char c = (unsigned char)s.ptr[*at];
    if (c == '&') {
        const char letter = entity_letter(s, at);
        if (letter != 0) {
            *to = letter;
            return 1;
        }
    }
    if (c < 128) {
        const size_t k = (*at)++;
        if (!is_digit((char)c) && !is_letter((char)c) && !kept_mark(s, k))
            return 0;
        *to = lower((char)c);
        return 1;
    }
    const size_t from = *at;
    const int32_t code = utf8_next(s, at);
    if (code >= 0xc0 && code < 0xc0 + (int32_t)sizeof plain_0xc0 - 1) {
        *to = plain_0xc0[code - 0xc0];
        return *to != ' ';
    }
    memcpy(to, s.ptr + from, *at - from);
    return *at - from;
}

static str fold_address(struct arena *a, str s) {
    str t = str_lower(a, s);
    static const str scheme[] = {STR_INIT("https://"), STR_INIT("http://"), STR_INIT("www.")};
    for (size_t k = 0; k < sizeof scheme / sizeof *scheme; k++)
        if (str_starts(t, scheme[k]))
            t = str_slice(t, scheme[k].len, t.len);
    while (str_ends(t, STR("/")))
        t.len--;
    return t;
}

str fuse_value_fold(struct arena *a, str text) {
    const str s = str_trim(text);
    if (is_address(s))
        return fold_address(a, s);
    char *to = arena_alloc(a, s.len + UTF8_CHARACTER_BYTE);
    size_t n = 0, at = 0;
    while (at < s.len)
        n += fold_character(s, &at, to + n);
    /* A text of signs alone is still a value. */
    return n > 0 ? (str){to, n} : s;
}

/* ---- normal forms ---- */

str fuse_value_normal(struct arena *a, enum fuse_type type, str text) {
    const str s = str_trim(text);
    struct moment moment;
    double number;
    if (type == FUSE_CLOCK) {
        const int minute = read_clock(s);
        if (minute >= 0)
            return str_format(a, "%02d:%02d", minute / 60, minute % 60);
    }
    if (type == FUSE_DATE && time_read(s, TIME_MONTH_FIRST, &moment) == TIME_GOOD) {
        char room[TIME_TEXT_BYTE];
        return str_copy(a, (str){room, time_format(moment.ms, room)});
    }
    if (type == FUSE_NUMBER && quantity_read_number(s, 0, &number)) {
        char room[NUMBER_TEXT_BYTE];
        return str_copy(a, (str){room, number_format(number, room)});
    }
    return fuse_value_fold(a, s);
}

/* ---- members ---- */

static bool is_separator(char c) { return c == ';' || c == '|'; }

static bool has_separator(str s) {
    for (size_t k = 0; k < s.len; k++)
        if (is_separator(s.ptr[k]) && (s.ptr[k] != ';' || k == 0 || !is_letter(s.ptr[k - 1]) ||
                                       str_find_byte(str_slice(s, k > 10 ? k - 10 : 0, k), '&') < 0))
            return true;
    return false;
}

size_t fuse_value_members(struct arena *a, enum fuse_type type, str text, struct fuse_member *out) {
    if (type == FUSE_PEOPLE)
        return fuse_people(a, text, out);
    const bool strong = has_separator(text);
    size_t n = 0, from = 0;
    for (size_t k = 0; k <= text.len && n < FUSE_MEMBERS; k++) {
        if (k < text.len && !(strong ? is_separator(text.ptr[k]) : text.ptr[k] == ','))
            continue;
        const str shown = str_trim(str_slice(text, from, k));
        from = k + 1;
        if (fuse_value_is_empty(shown))
            continue;
        const str key = fuse_value_fold(a, shown);
        bool known = false;
        for (size_t m = 0; m < n; m++)
            known |= str_equal(out[m].key, key);
        if (!known)
            out[n++] = (struct fuse_member){key, shown};
    }
    return n;
}

/* ---- what a field looks like ---- */

void fuse_look_add(struct fuse_look *l, str text) {
    struct moment moment;
    double number;
    const str s = str_trim(text);
    l->texts++;
    l->clocks += read_clock(s) >= 0;
    l->dates += time_read(s, TIME_MONTH_FIRST, &moment) == TIME_GOOD;
    l->numbers += quantity_read_number(s, 0, &number);
    if (!has_separator(s))
        return;
    l->lists++;
    size_t from = 0;
    for (size_t k = 0; k <= s.len; k++) {
        if (k < s.len && !is_separator(s.ptr[k]))
            continue;
        const str member = str_trim(str_slice(s, from, k));
        const ptrdiff_t comma = str_find_byte(member, ',');
        from = k + 1;
        l->members += member.len > 0;
        l->inverted += comma > 0 && (size_t)comma + 1 < member.len &&
                       str_find_byte(str_slice(member, (size_t)comma + 1, member.len), ',') < 0;
    }
}

enum fuse_type fuse_look_type(const struct fuse_look *l, double repeats) {
    if (l->texts == 0)
        return FUSE_TEXT;
    if (l->dates * 10 >= l->texts * 9)
        return FUSE_DATE;
    if (l->clocks * 10 >= l->texts * 8)
        return FUSE_CLOCK;
    if (l->numbers * 20 >= l->texts * 19)
        return repeats >= 0.25 ? FUSE_NUMBER : FUSE_AMOUNT;
    if (l->lists * 20 >= l->texts)
        return l->inverted * 5 >= l->members ? FUSE_PEOPLE : FUSE_LIST;
    return FUSE_TEXT;
}
