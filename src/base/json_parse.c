/* json_parse.c — the strict JSON reader: one pass over a copy of the text, strings decoded in place. */
#include "base/json_priv.h"
#include "base/number.h"
#include "base/utf8.h"

struct parser {
    char *at;
    const char *end;        /* NUL bytes follow it */
    const char *line_start; /* moved right by one for each byte that continues a character: columns count characters */
    struct arena *arena;
    struct json_limits limits;
    size_t values;
    uint32_t line;
    struct json_stack *stack;
};

/* ---- messages ---- */

static uint32_t column_of(const struct parser *p, const char *at) { return (uint32_t)(at - p->line_start) + 1; }

/* Puts the place in front of the sentence that was just recorded. */
static err place(const struct parser *p, const char *at, err rc) {
    return err_prefix(rc, "line %u, column %u", p->line, column_of(p, at));
}

/* "… was expected …" with what stands there instead. */
static err expected(const struct parser *p, const char *sentence) {
    unsigned char c = (unsigned char)*p->at;
    if (p->at == p->end)
        return place(p, p->at, fail(ERR_INPUT, "json_unfinished", "%s, but the text ends here", sentence));
    if (c > ' ' && c < 0x7f)
        return place(p, p->at, fail(ERR_INPUT, "json_unexpected", "%s, not `%c`", sentence, c));
    return place(p, p->at, fail(ERR_INPUT, "json_unexpected", "%s, not the byte 0x%02X", sentence, c));
}

static err refuse(const struct parser *p, const char *at, const char *slug, const char *sentence) {
    return place(p, at, fail(ERR_INPUT, slug, "%s", sentence));
}

/* ---- white space, words, numbers ---- */

static inline void skip_space(struct parser *p) {
    for (;; p->at++) {
        char c = *p->at;
        if (c == '\n') {
            p->line++;
            p->line_start = p->at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return;
        }
    }
}

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

static err parse_word(struct parser *p, str word, struct json *out) {
    if (memcmp(p->at, word.ptr, word.len) != 0)
        return expected(p, "a value was expected (true, false and null are the only bare words)");
    out->boolean = word.ptr[0] == 't';
    p->at += word.len;
    return OK;
}

/* Steps over digits; false when there is none. */
static bool skip_digits(struct parser *p) {
    const char *from = p->at;
    while (is_digit(*p->at))
        p->at++;
    return p->at > from;
}

static err parse_real(struct parser *p, const char *from, struct json *out) {
    if (*p->at == '.') {
        p->at++;
        if (!skip_digits(p))
            return expected(p, "a digit was expected after the decimal point");
    }
    if (*p->at == 'e' || *p->at == 'E') {
        p->at++;
        if (*p->at == '+' || *p->at == '-')
            p->at++;
        if (!skip_digits(p))
            return expected(p, "a digit was expected in the exponent");
    }
    out->type = JSON_REAL;
    if (!number_parse((str){from, (size_t)(p->at - from)}, &out->real))
        return refuse(p, from, "json_number_range", "the number is too large for a double (about 1.8e308)");
    return OK;
}

static err parse_number(struct parser *p, struct json *out) {
    const char *from = p->at;
    bool negative = *p->at == '-';
    p->at += negative;
    const char *digits = p->at;
    if (!skip_digits(p))
        return expected(p, "a digit was expected after the minus sign");
    if (*digits == '0' && p->at - digits > 1)
        return refuse(p, digits, "json_number_zero", "a number must not start with a zero");
    if (*p->at == '.' || *p->at == 'e' || *p->at == 'E' || (negative && *digits == '0'))
        return parse_real(p, from, out);
    out->type = JSON_INTEGER;
    if (!number_parse_integer((str){from, (size_t)(p->at - from)}, &out->integer))
        return refuse(
            p, from, "json_number_range",
            "the whole number does not fit 64 bits: write it as text, or with a decimal point if it may be rounded");
    return OK;
}

/* ---- strings ---- */

static int hex_value(char c) {
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four hexadecimal digits of \uXXXX, of which the text may hold fewer; -1 when they are not. */
static int32_t read_hex4(const char *s) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(s[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* p->at stands on the 'u'. */
static err parse_unicode_escape(struct parser *p, char **to) {
    int32_t code = read_hex4(p->at + 1);
    if (code < 0)
        return refuse(p, p->at - 1, "json_escape", "\\u needs four hexadecimal digits");
    if (code >= 0xD800 && code <= 0xDBFF) {
        int32_t low = p->at[5] == '\\' && p->at[6] == 'u' ? read_hex4(p->at + 7) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return refuse(p, p->at - 1, "json_surrogate",
                          "a high surrogate must be followed by a low one (\\uDC00 to \\uDFFF)");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        p->at += 6;
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
        return refuse(p, p->at - 1, "json_surrogate", "a low surrogate must follow a high one (\\uD800 to \\uDBFF)");
    }
    char bytes[UTF8_CHARACTER_BYTE];
    size_t n = utf8_encode((uint32_t)code, bytes);
    memcpy(*to, bytes, n);
    *to += n;
    p->at += 5;
    return OK;
}

/* p->at stands on the backslash. What an escape stands for is never longer than the escape. */
static err parse_escape(struct parser *p, char **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    p->at++;
    if (*p->at == 'u')
        return parse_unicode_escape(p, to);
    const char *known = *p->at != '\0' ? strchr(from, *p->at) : NULL;
    if (!known)
        return expected(p, "one of \" \\ / b f n r t u was expected after the backslash");
    *(*to)++ = into[known - from];
    p->at++;
    return OK;
}

/* Copies characters from 0x80 on, as long as they follow each other, to *to (which may be p->at itself). */
static err parse_wide_characters(struct parser *p, char **to) {
    while ((unsigned char)*p->at >= 0x80) {
        size_t n = 0;
        if (utf8_next((str){p->at, (size_t)(p->end - p->at)}, &n) < 0)
            return place(
                p, p->at,
                fail(ERR_INPUT, "json_utf8", "the text is not UTF-8: byte 0x%02X", (unsigned)(unsigned char)*p->at));
        memmove(*to, p->at, n);
        *to += n;
        p->at += n;
        p->line_start += n - 1;
    }
    return OK;
}

static err refuse_in_string(struct parser *p) {
    if (p->at == p->end)
        return refuse(p, p->at, "json_unfinished", "the text ends inside a string: a closing \" was expected");
    return place(p, p->at,
                 fail(ERR_INPUT, "json_control", "a control character (0x%02X) must be written as an escape inside a string",
                      (unsigned)(unsigned char)*p->at));
}

/* p->at stands on the opening quote. The decoded bytes replace the text, and a NUL the closing quote. */
static err parse_string(struct parser *p, str *out) {
    char *from = ++p->at, *to = from;
    for (;;) {
        size_t run = json_plain_run((str){p->at, (size_t)(p->end - p->at)});
        if (to != p->at)
            memmove(to, p->at, run);
        to += run;
        p->at += run;
        if (*p->at == '"')
            break;
        if ((unsigned char)*p->at >= 0x80)
            TRY(parse_wide_characters(p, &to));
        else if (*p->at == '\\')
            TRY(parse_escape(p, &to));
        else
            return refuse_in_string(p);
    }
    *to = '\0';
    p->at++;
    *out = (str){from, (size_t)(to - from)};
    return OK;
}

/* ---- containers ---- */

static err parse_value(struct parser *p, uint32_t depth, struct json *out);

static err out_of_memory(const struct parser *p) {
    return fail(ERR_LIMIT, "memory_limit", "the text holds more values than the memory limit of %zu MB allows",
                arena_limit(p->arena) >> 20);
}

static err parse_items(struct parser *p, uint32_t depth, struct json *out) {
    const size_t base = p->stack->len;
    for (;;) {
        struct json item;
        skip_space(p);
        TRY(parse_value(p, depth, &item));
        struct json *slot = json_stack_push(p->stack, sizeof item);
        if (!slot)
            return out_of_memory(p);
        *slot = item;
        out->count++;
        skip_space(p);
        if (*p->at != ',')
            break;
        p->at++;
    }
    if (*p->at != ']')
        return expected(p, "a comma or ] was expected after the item");
    p->at++;
    out->items = json_stack_take(p->stack, base);
    return OK;
}

static err parse_member(struct parser *p, uint32_t depth, struct json_member *out) {
    skip_space(p);
    if (*p->at != '"')
        return expected(p, "a key in double quotes was expected");
    out->line = p->line;
    out->column = column_of(p, p->at);
    TRY(parse_string(p, &out->key));
    skip_space(p);
    if (*p->at != ':')
        return expected(p, "a colon was expected after the key");
    p->at++;
    skip_space(p);
    return parse_value(p, depth, &out->value);
}

static err seal(struct parser *p, struct json *object) {
    const struct json_member *twice = json_object_seal(p->arena, object);
    if (!twice)
        return OK;
    str key = json_clip(twice->key);
    err rc = fail(ERR_INPUT, "json_duplicate_key", "the key `%.*s` appears twice in this object", STR_ARG(key));
    return err_prefix(rc, "line %u, column %u", twice->line, twice->column);
}

static err parse_members(struct parser *p, uint32_t depth, struct json *out) {
    const size_t base = p->stack->len;
    for (;;) {
        struct json_member member;
        TRY(parse_member(p, depth, &member));
        struct json_member *slot = json_stack_push(p->stack, sizeof member);
        if (!slot)
            return out_of_memory(p);
        *slot = member;
        out->count++;
        skip_space(p);
        if (*p->at != ',')
            break;
        p->at++;
    }
    if (*p->at != '}')
        return expected(p, "a comma or } was expected after the member");
    p->at++;
    out->members = json_stack_take(p->stack, base);
    return seal(p, out);
}

/* p->at stands on the opening bracket or brace. */
static err parse_container(struct parser *p, uint32_t depth, struct json *out) {
    const bool array = *p->at == '[';
    if (depth >= p->limits.max_depth)
        return place(p, p->at, fail(ERR_LIMIT, "json_too_deep", "more than %u levels of nesting", p->limits.max_depth));
    out->type = array ? JSON_ARRAY : JSON_OBJECT;
    p->at++;
    skip_space(p);
    if (*p->at == (array ? ']' : '}')) {
        p->at++;
        return OK;
    }
    return array ? parse_items(p, depth + 1, out) : parse_members(p, depth + 1, out);
}

static err parse_value(struct parser *p, uint32_t depth, struct json *out) {
    *out = (struct json){.line = p->line, .column = column_of(p, p->at)};
    if (p->values++ >= p->limits.max_value)
        return place(p, p->at, fail(ERR_LIMIT, "json_too_many", "more than %zu values", p->limits.max_value));
    switch (*p->at) {
    case '"':
        out->type = JSON_STRING;
        return parse_string(p, &out->string);
    case '{':
    case '[':
        return parse_container(p, depth, out);
    case 't':
        out->type = JSON_BOOL;
        return parse_word(p, STR("true"), out);
    case 'f':
        out->type = JSON_BOOL;
        return parse_word(p, STR("false"), out);
    case 'n':
        return parse_word(p, STR("null"), out);
    default:
        if (*p->at == '-' || is_digit(*p->at))
            return parse_number(p, out);
        return expected(p, "a value was expected");
    }
}

/* ---- the document ---- */

static err parse_document(struct parser *p, struct json *out) {
    if (str_starts((str){p->at, (size_t)(p->end - p->at)}, STR("\xEF\xBB\xBF")))
        return refuse(p, p->at, "json_bom", "the text starts with a byte order mark: save it as UTF-8 without one");
    skip_space(p);
    TRY(parse_value(p, 0, out));
    skip_space(p);
    if (p->at != p->end)
        return expected(p, "the end of the text was expected after the value");
    return OK;
}

err json_parse(struct arena *a, str text, const struct json_limits *limits, const struct json **out) {
    struct json_stack stack;
    struct parser p = {.arena = a, .line = 1, .stack = &stack, .limits = json_limits_or_default(limits, (size_t)64 << 20)};
    if (text.len > p.limits.max_byte)
        return fail(ERR_LIMIT, "json_too_large", "the text has %zu bytes, more than the limit of %zu", text.len,
                    p.limits.max_byte);
    enum { BEYOND = 16 }; /* NUL bytes for look-ahead past the end */
    p.at = arena_alloc(a, text.len + BEYOND);
    if (text.len > 0)
        memcpy(p.at, text.ptr, text.len);
    p.end = p.at + text.len;
    p.line_start = p.at;
    json_stack_init(&stack, a);
    struct json *root = ARENA_NEW(a, struct json);
    err rc = parse_document(&p, root);
    json_stack_done(&stack);
    if (rc == OK)
        *out = root;
    return rc;
}
