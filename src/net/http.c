/* http.c — header fields, percent-encoding and the names of status codes. */
#include "net/http.h"

str http_field_value(const struct http_field *field, size_t n_field, str name) {
    for (size_t i = 0; i < n_field; i++)
        if (str_equal_nocase(field[i].name, name))
            return field[i].value;
    return (str){0};
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes into `to`, which has room for s.len bytes; false for a bad escape. */
static bool unescape(str s, bool plus_is_space, char *to, size_t *n) {
    *n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            if (s.len - i < 3)
                return false;
            int high = hex_digit(s.ptr[i + 1]), low = hex_digit(s.ptr[i + 2]);
            if (high < 0 || low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        to[(*n)++] = c;
    }
    return true;
}

static err decode(struct arena *a, str s, bool plus_is_space, str *out) {
    if (str_find_byte(s, '%') < 0 && !(plus_is_space && str_find_byte(s, '+') >= 0)) {
        *out = s;
        return OK;
    }
    char *to = arena_alloc(a, s.len + 1);
    size_t n;
    if (!unescape(s, plus_is_space, to, &n))
        return fail(ERR_INPUT, "http_bad_escape", "\"%.*s\": '%%' must stand before two hexadecimal digits, not both zero",
                    s.len > 80 ? 80 : (int)s.len, s.ptr);
    *out = (str){to, n};
    return OK;
}

err http_decode(struct arena *a, str s, str *out) { return decode(a, s, false, out); }

static size_t count_pieces(str query) {
    size_t n = 1;
    for (size_t i = 0; i < query.len; i++)
        n += query.ptr[i] == '&';
    return n;
}

err http_parse_query(struct arena *a, str query, size_t max, struct http_field **field, size_t *n_field) {
    size_t cap = count_pieces(query);
    struct http_field *f = ARENA_ARRAY(a, cap < max ? cap : max, struct http_field);
    size_t n = 0;
    for (str rest = query, piece; str_split(&rest, '&', &piece);) {
        if (str_empty(piece))
            continue;
        if (n == max)
            return fail(ERR_LIMIT, "http_too_many_parameters", "the query has more than %zu parameters", max);
        ptrdiff_t equals = str_find_byte(piece, '=');
        size_t cut = equals < 0 ? piece.len : (size_t)equals;
        str value = equals < 0 ? STR("") : str_slice(piece, cut + 1, piece.len);
        TRY(decode(a, str_slice(piece, 0, cut), true, &f[n].name));
        TRY(decode(a, value, true, &f[n].value));
        n++;
    }
    *field = f;
    *n_field = n;
    return OK;
}

/* tchar of RFC 9110 5.6.2. */
static bool is_token_byte(char c) {
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool http_token(str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_byte(s.ptr[i]))
            return false;
    return s.len > 0;
}

bool http_field_sendable(struct http_field field) {
    for (size_t i = 0; i < field.value.len; i++) {
        unsigned char c = (unsigned char)field.value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return http_token(field.name);
}

static const struct {
    int status;
    const char *text;
} STATUS_TEXT[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *http_status_text(int status) {
    for (size_t i = 0; i < sizeof STATUS_TEXT / sizeof *STATUS_TEXT; i++)
        if (STATUS_TEXT[i].status == status)
            return STATUS_TEXT[i].text;
    return "";
}
