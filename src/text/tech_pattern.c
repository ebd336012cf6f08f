/* tech_pattern.c — from the regular expressions of JavaScript to those of PCRE2 and Hyperscan. */
#include "text/tech_pattern.h"

#include "base/utf8.h"

#include <stdio.h>

/* ---- tags ---- */

static ptrdiff_t find_tag(str s) { return str_find(s, STR("\\;")); }

struct tech_parts tech_pattern_split(str text) {
    struct tech_parts parts = {.confidence = 100};
    ptrdiff_t at = find_tag(text);
    parts.regex = at < 0 ? text : str_slice(text, 0, (size_t)at);
    str rest = at < 0 ? (str){NULL, 0} : str_slice(text, (size_t)at + 2, text.len);
    while (rest.len > 0) {
        at = find_tag(rest);
        const str tag = at < 0 ? rest : str_slice(rest, 0, (size_t)at);
        rest = at < 0 ? (str){NULL, 0} : str_slice(rest, (size_t)at + 2, rest.len);
        if (str_starts(tag, STR("version:")))
            parts.version = str_slice(tag, 8, tag.len);
        if (!str_starts(tag, STR("confidence:")))
            continue;
        unsigned value = 0;
        for (size_t i = 11; i < tag.len && tag.ptr[i] >= '0' && tag.ptr[i] <= '9' && value < 1000; i++)
            value = value * 10 + (unsigned)(tag.ptr[i] - '0');
        parts.confidence = value > 100 ? 100 : value;
    }
    return parts;
}

/* ---- translation ---- */

/* What stands before a quantifier. */
enum atom { ATOM_NONE, ATOM_ONE, ATOM_GROUP, ATOM_LOOK };

struct translator {
    str in;
    size_t at;
    struct buf *exact, *rough;
    unsigned n_group, depth; /* groups that can be referred to; open parentheses */
    bool looks[TECH_GROUP_MAX * 2];
    enum atom atom;
    bool utf;
};

static err wrong(const struct translator *t, const char *what) {
    return fail(ERR_INPUT, "tech_pattern", "%s at character %zu of \"%.*s\"", what, t->at + 1, STR_ARG(t->in));
}

static void both(struct translator *t, str text) {
    buf_add(t->exact, text);
    buf_add(t->rough, text);
}

static char peek(const struct translator *t, size_t ahead) {
    return t->at + ahead < t->in.len ? t->in.ptr[t->at + ahead] : '\0';
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static int hex_digits(const struct translator *t, size_t from, size_t n) {
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        const char c = peek(t, from + i), low = (char)(c | 0x20);
        if (is_digit(c))
            value = value * 16 + (c - '0');
        else if (low >= 'a' && low <= 'f')
            value = value * 16 + (low - 'a') + 10;
        else
            return -1;
    }
    return value;
}

/* One character by its code. Beyond ASCII, Hyperscan (which reads bytes) is given any run of such bytes. */
static void put_code(struct translator *t, unsigned code, bool in_class) {
    if (code < 0x80) {
        char text[8];
        const size_t n = (size_t)snprintf(text, sizeof text, "\\x%02x", code);
        both(t, (str){text, n});
        return;
    }
    t->utf = true;
    buf_add_format(t->exact, "\\x{%x}", code);
    buf_add(t->rough, in_class ? STR("\\x80-\\xff") : STR("[\\x80-\\xff]{1,4}"));
}

static void put_character(struct translator *t, char c) {
    const char text[2] = {'\\', c};
    const bool plain = !strchr("\\^$.|?*+()[]{}-&~", c);
    both(t, (str){text + plain, plain ? 1u : 2u});
}

static unsigned count_groups(str in) {
    unsigned n = 0;
    bool in_class = false;
    for (size_t i = 0; i < in.len; i++) {
        if (in.ptr[i] == '\\')
            i++;
        else if (in_class)
            in_class = in.ptr[i] != ']';
        else if (in.ptr[i] == '[')
            in_class = true;
        else if (in.ptr[i] == '(' && (i + 1 >= in.len || in.ptr[i + 1] != '?'))
            n++;
        else if (in.ptr[i] == '(' && i + 3 < in.len && in.ptr[i + 2] == '<' && in.ptr[i + 3] != '=' && in.ptr[i + 3] != '!')
            n++;
    }
    return n;
}

/* Escapes that mean the same inside and outside of a class. t->at is at the letter. Adds it and passes it. */
static void put_escape(struct translator *t, bool in_class) {
    const char c = peek(t, 0);
    int code;
    if (c != '\0' && strchr("dDwWsS", c)) {
        const char text[2] = {'\\', c};
        both(t, (str){text, 2});
        t->at += 1;
        return;
    }
    const char *controls = "n\nr\rt\tf\fv\v";
    for (size_t i = 0; controls[i]; i += 2)
        if (c == controls[i]) {
            put_code(t, (unsigned char)controls[i + 1], in_class);
            t->at += 1;
            return;
        }
    if (c == 'x' && (code = hex_digits(t, 1, 2)) >= 0) {
        put_code(t, (unsigned)code, in_class);
        t->at += 3;
    } else if (c == 'u' && (code = hex_digits(t, 1, 4)) >= 0 && !(code >= 0xD800 && code < 0xE000)) {
        put_code(t, (unsigned)code, in_class);
        t->at += 5;
    } else if (c == 'c' && is_word(peek(t, 1)) && !is_digit(peek(t, 1))) {
        put_code(t, (unsigned)(peek(t, 1) & 31), in_class);
        t->at += 2;
    } else if (c >= '0' && c <= '7') { /* octal, as JavaScript has kept it */
        unsigned octal = 0;
        for (size_t i = 0; i < 3 && octal < 32 && peek(t, 0) >= '0' && peek(t, 0) <= '7'; i++, t->at++)
            octal = octal * 8 + (unsigned)(peek(t, 0) - '0');
        put_code(t, octal, in_class);
    } else {
        put_character(t, c);
        t->at += 1;
    }
}

/* A character beyond ASCII as it stands. */
static err put_wide(struct translator *t, bool in_class) {
    size_t at = t->at;
    const int32_t code = utf8_next(t->in, &at);
    if (code < 0)
        return wrong(t, "a byte that is not UTF-8");
    put_code(t, (unsigned)code, in_class);
    t->at = at;
    return OK;
}

static bool class_escape_at(const struct translator *t, size_t ahead) {
    return peek(t, ahead) == '\\' && peek(t, ahead + 1) != '\0' && strchr("dDwWsS", peek(t, ahead + 1));
}

static err class_body(struct translator *t) {
    bool after_set = false; /* the item before is \d or its like: a hyphen behind it is itself */
    while (peek(t, 0) != ']') {
        if (t->at >= t->in.len)
            return wrong(t, "a class without its ]");
        const char c = peek(t, 0);
        const bool set = class_escape_at(t, 0);
        if (c == '\\' && t->at + 1 >= t->in.len)
            return wrong(t, "a \\ at the end");
        if (c == '\\' && peek(t, 1) == 'b') {
            both(t, STR("\\x08"));
            t->at += 2;
        } else if (c == '\\' && (unsigned char)peek(t, 1) < 0x80) {
            t->at++;
            put_escape(t, true);
        } else if (c == '\\' || (unsigned char)c >= 0x80) {
            t->at += c == '\\';
            TRY(put_wide(t, true));
        } else if (c == '-') {
            both(t, after_set || class_escape_at(t, 1) ? STR("\\-") : STR("-"));
            t->at++;
        } else if (c == '[' || c == '&' || c == '~') {
            put_character(t, c);
            t->at++;
        } else {
            both(t, (str){&t->in.ptr[t->at], 1});
            t->at++;
        }
        after_set = set;
    }
    t->at++;
    return OK;
}

static err put_class(struct translator *t) {
    t->atom = ATOM_ONE;
    t->at++;
    const bool negated = peek(t, 0) == '^';
    t->at += negated;
    if (peek(t, 0) == ']') {
        t->at++;
        both(t, negated ? STR("[\\s\\S]") : STR("(?!)"));
        return OK;
    }
    const size_t rough = t->rough->len;
    both(t, negated ? STR("[^") : STR("["));
    TRY(class_body(t));
    both(t, STR("]"));
    /* Read byte by byte, a class that has or excludes wide characters must let all their bytes pass. */
    if (t->utf) {
        char copy[TECH_PATTERN_BYTE];
        const size_t n = t->rough->len - rough;
        if (n > sizeof copy)
            return wrong(t, "a class that is too long");
        memcpy(copy, t->rough->ptr + rough, n);
        t->rough->len = rough;
        buf_add(t->rough, STR("(?:[\\x80-\\xff]{1,4}|"));
        buf_add(t->rough, (str){copy, n});
        buf_add_byte(t->rough, ')');
    }
    return OK;
}

static err put_group(struct translator *t) {
    if (t->depth == sizeof t->looks / sizeof *t->looks)
        return wrong(t, "too many groups inside each other");
    bool look = false;
    if (peek(t, 1) == '*')
        return wrong(t, "nothing to repeat");
    if (peek(t, 1) == '?') {
        const char c = peek(t, 2), d = peek(t, 3);
        look = c == '=' || c == '!' || (c == '<' && (d == '=' || d == '!'));
        const bool named = c == '<' && !look && is_word(d) && !is_digit(d);
        if (c != ':' && !look && !named)
            return wrong(t, "a kind of group that JavaScript does not have");
        const size_t n = c == '<' && look ? 4 : 3;
        both(t, named ? STR("(") : str_slice(t->in, t->at, t->at + n));
        t->n_group += named;
        if (named) {
            while (t->at < t->in.len && peek(t, 0) != '>')
                t->at++;
            t->at++;
        } else {
            t->at += n;
        }
    } else {
        both(t, STR("("));
        t->n_group++;
        t->at++;
    }
    t->looks[t->depth++] = look;
    t->atom = ATOM_NONE;
    return OK;
}

static err put_group_end(struct translator *t) {
    if (t->depth == 0)
        return wrong(t, "a ) without its (");
    t->atom = t->looks[--t->depth] ? ATOM_LOOK : ATOM_GROUP;
    both(t, STR(")"));
    t->at++;
    return OK;
}

/* "{2,3}" at t->at: its length, 0 when it is no quantifier. */
static size_t braces(const struct translator *t) {
    size_t i = 1;
    while (is_digit(peek(t, i)))
        i++;
    if (i == 1)
        return 0;
    if (peek(t, i) == ',')
        for (i++; is_digit(peek(t, i));)
            i++;
    return peek(t, i) == '}' ? i + 1 : 0;
}

static err put_quantifier(struct translator *t) {
    const char c = peek(t, 0);
    size_t n = 1;
    if (t->atom == ATOM_NONE)
        return wrong(t, "nothing to repeat");
    if (c == '{') {
        n = braces(t);
        both(t, str_slice(t->in, t->at, t->at + n));
    } else if (c == '?' || t->atom != ATOM_ONE) {
        both(t, str_slice(t->in, t->at, t->at + 1));
    } else {
        buf_add_format(t->exact, "{%d,%d}", c == '+', TECH_REPEAT_MAX);
        buf_add_byte(t->rough, c);
    }
    t->at += n;
    if (peek(t, 0) == '?') {
        both(t, STR("?"));
        t->at++;
    }
    t->atom = ATOM_NONE;
    return OK;
}

static err put_outside_escape(struct translator *t, unsigned groups) {
    t->at++;
    const char c = peek(t, 0);
    if (t->at >= t->in.len)
        return wrong(t, "a \\ at the end");
    t->atom = ATOM_ONE;
    if ((unsigned char)c >= 0x80)
        return put_wide(t, false);
    if (c == 'b' || c == 'B') {
        const char text[2] = {'\\', c};
        both(t, (str){text, 2});
        t->at++;
        t->atom = ATOM_NONE;
    } else if (c >= '1' && c <= '9' && (unsigned)(c - '0') <= groups) {
        const char text[5] = {'(', '?', ':', '\\', c};
        both(t, (str){text, 5}); /* a digit behind it is not part of the number */
        both(t, STR(")"));
        t->at++;
        t->atom = ATOM_GROUP;
    } else {
        put_escape(t, false);
    }
    return OK;
}

static err put_one(struct translator *t, unsigned groups) {
    const char c = peek(t, 0);
    if (c == '\\')
        return put_outside_escape(t, groups);
    if (c == '[')
        return put_class(t);
    if (c == '(')
        return put_group(t);
    if (c == ')')
        return put_group_end(t);
    if (c == '*' || c == '+' || c == '?' || (c == '{' && braces(t) > 0))
        return put_quantifier(t);
    if (c == '|' || c == '^' || c == '$') {
        both(t, (str){&t->in.ptr[t->at++], 1});
        t->atom = ATOM_NONE;
        return OK;
    }
    t->atom = ATOM_ONE;
    if ((unsigned char)c >= 0x80)
        return put_wide(t, false);
    if (c == '.') {
        buf_add_byte(t->exact, '.');
        buf_add(t->rough, t->utf ? STR("(?:[\\x80-\\xff]{1,4}|.)") : STR("."));
    } else if (c == '\0') {
        return wrong(t, "a NUL");
    } else {
        put_character(t, c);
    }
    t->at++;
    return OK;
}

static bool has_wide(str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80 || (s.ptr[i] == '\\' && i + 1 < s.len && s.ptr[i + 1] == 'u'))
            return true;
    return false;
}

err tech_pattern_translate(str regex, struct buf *exact, struct buf *rough, bool *utf) {
    if (regex.len > TECH_PATTERN_BYTE)
        return fail(ERR_LIMIT, "tech_pattern_long", "a pattern of %zu bytes; at most %d", regex.len, TECH_PATTERN_BYTE);
    buf_clear(exact);
    buf_clear(rough);
    struct translator t = {.in = regex, .exact = exact, .rough = rough, .utf = has_wide(regex)};
    const unsigned groups = count_groups(regex);
    while (t.at < regex.len)
        TRY(put_one(&t, groups));
    if (t.depth > 0)
        return wrong(&t, "a ( without its )");
    buf_add_byte(exact, '\0');
    buf_add_byte(rough, '\0');
    TRY(buf_check(exact));
    TRY(buf_check(rough));
    *utf = t.utf;
    return OK;
}

/* ---- versions ---- */

enum { TEMPLATE_BYTE = 512 };

struct text {
    char *ptr;
    size_t len, cap;
};

static void put(struct text *t, str s) {
    const size_t n = s.len < t->cap - t->len ? s.len : t->cap - t->len;
    if (n > 0)
        memcpy(t->ptr + t->len, s.ptr, n);
    t->len += n;
}

/* "\N?a:b" in the template: `a` when the group is set and not empty, else `b`, up to the end. False when there is none. */
static bool fill_choice(struct text *to, str version, size_t index, str group) {
    for (size_t i = 0; i + 2 < version.len; i++) {
        if (version.ptr[i] != '\\' || (size_t)(version.ptr[i + 1] - '0') != index || version.ptr[i + 2] != '?')
            continue;
        const str rest = str_slice(version, i + 3, version.len);
        const ptrdiff_t colon = str_find_byte(rest, ':');
        if (colon <= 0)
            continue;
        put(to, str_slice(version, 0, i));
        put(to, group.len > 0 ? str_slice(rest, 0, (size_t)colon) : str_slice(rest, (size_t)colon + 1, rest.len));
        return true;
    }
    return false;
}

static void fill_group(struct text *to, str version, size_t index, str group) {
    for (size_t i = 0; i < version.len; i++) {
        if (version.ptr[i] == '\\' && i + 1 < version.len && (size_t)(version.ptr[i + 1] - '0') == index) {
            put(to, group);
            i++;
        } else {
            put(to, str_slice(version, i, i + 1));
        }
    }
}

/* Drops the first reference that no group filled. */
static str drop_reference(str s, char *room) {
    for (size_t i = 0; i + 1 < s.len; i++)
        if (s.ptr[i] == '\\' && is_digit(s.ptr[i + 1])) {
            memmove(room, s.ptr, i);
            memmove(room + i, s.ptr + i + 2, s.len - i - 2);
            return (str){room, s.len - 2};
        }
    memmove(room, s.ptr, s.len);
    return (str){room, s.len};
}

str tech_version_fill(str version, const str *group, size_t n_group, char *room, size_t room_byte) {
    char space[2][TEMPLATE_BYTE];
    str now = str_slice(version, 0, TEMPLATE_BYTE);
    unsigned next = 0;
    if (version.len == 0)
        return (str){room, 0};
    for (size_t k = 0; k < n_group && k < 10; k++) {
        if (group[k].len > 10)
            continue;
        struct text choice = {space[next], 0, TEMPLATE_BYTE};
        if (fill_choice(&choice, now, k, group[k])) {
            now = (str){choice.ptr, choice.len};
            next ^= 1;
        }
        struct text filled = {space[next], 0, TEMPLATE_BYTE};
        fill_group(&filled, str_trim(now), k, group[k]);
        now = (str){filled.ptr, filled.len};
        next ^= 1;
    }
    now = str_slice(now, 0, room_byte);
    return now.len > 0 ? str_trim(drop_reference(now, room)) : (str){room, 0};
}

bool tech_version_better(str found, str known) {
    if (found.len <= known.len || found.len > TECH_VERSION_BYTE)
        return false;
    unsigned long value = 0;
    for (size_t i = 0; i < found.len && is_digit(found.ptr[i]); i++)
        value = value * 10 + (unsigned long)(found.ptr[i] - '0');
    return value < 10000;
}
