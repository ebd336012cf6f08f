/* template.c — fills templates, so that a value can never leave the place it was put in. */
#include "connector/template_priv.h"

static bool is_unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

void template_encode(struct buf *out, str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (is_unreserved(c)) {
            buf_add_byte(out, (char)c);
        } else {
            const char code[3] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
            buf_add(out, (str){code, 3});
        }
    }
}

static bool is_host(str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!(is_unreserved((unsigned char)s.ptr[i]) && s.ptr[i] != '~'))
            return false;
    return s.len > 0 && s.len <= 253 && s.ptr[0] != '.' && s.ptr[0] != '-' && str_find(s, STR("..")) < 0;
}

bool template_is_origin(str url) {
    str rest = str_starts(url, STR("https://"))  ? str_slice(url, 8, url.len)
               : str_starts(url, STR("http://")) ? str_slice(url, 7, url.len)
                                                 : (str){0};
    ptrdiff_t slash = str_find_byte(rest, '/');
    str host = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash);
    ptrdiff_t colon = str_ends(host, STR("]")) ? -1 : str_find_byte(host, ':');
    if (str_starts(host, STR("["))) {
        for (size_t i = 0; i < host.len; i++)
            if (!strchr("[]0123456789abcdefABCDEF:.", host.ptr[i]))
                return false;
    } else {
        for (size_t i = colon >= 0 ? (size_t)colon + 1 : host.len; i < host.len; i++)
            if (host.ptr[i] < '0' || host.ptr[i] > '9')
                return false;
        if (!is_host(colon >= 0 ? str_slice(host, 0, (size_t)colon) : host))
            return false;
    }
    for (size_t i = 0; i < rest.len; i++)
        if ((unsigned char)rest.ptr[i] <= ' ' || (unsigned char)rest.ptr[i] > 126 || strchr("?#@\\\"<>", rest.ptr[i]))
            return false;
    return host.len > 0;
}

/* Text, number or bool as text; false for what is none of them. */
static bool as_text(struct arena *a, const struct json *v, str *out) {
    struct buf *b;
    struct json_writer w;
    switch (v->type) {
    case JSON_STRING:
        *out = v->string;
        return true;
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_BOOL:
        b = buf_in(a, 64);
        json_write_begin(&w, b, 0);
        json_value(&w, v);
        *out = buf_str(b);
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
    case JSON_NULL:
    default:
        return false;
    }
}

static const struct json *find_input(const struct json *v, str path) {
    str part;
    while (v && str_split(&path, '.', &part))
        v = json_get(v, part);
    return v && v->type != JSON_NULL ? v : NULL;
}

struct place {
    str name, value, filter;
    bool there, secret;
};

static err find_setting(const struct template_values *v, struct place *p) {
    const struct connector *c = v->binding->connector;
    for (size_t i = 0; i < c->n_setting; i++)
        if (str_equal(c->setting[i].name, str_slice(p->name, 8, p->name.len))) {
            p->value = v->binding->value[i];
            p->there = p->value.len > 0;
            p->secret = c->setting[i].secret;
        }
    return OK;
}

static err find_value(struct arena *a, const struct template_values *v, struct place *p) {
    static const struct connector_page first;
    const struct connector_page *page = v->page ? v->page : &first;
    if (str_starts(p->name, STR("setting.")))
        return find_setting(v, p);
    p->there = true;
    if (str_equal(p->name, STR("page.number"))) {
        p->value = str_format(a, "%lld", (long long)page->number);
    } else if (str_equal(p->name, STR("page.offset"))) {
        p->value = str_format(a, "%lld", (long long)page->offset);
    } else if (str_equal(p->name, STR("page.cursor"))) {
        p->value = page->cursor;
        p->there = page->cursor.len > 0;
    } else {
        const struct json *x = find_input(v->input, str_slice(p->name, 6, p->name.len));
        p->there = x != NULL;
        if (x && !as_text(a, x, &p->value))
            return fail(ERR_INPUT, "connector_input", "%.*s is %s; text, a number, true or false is needed",
                        STR_ARG(p->name), json_type_name(x->type));
        p->there = p->there && p->value.len > 0;
    }
    return OK;
}

/* quote: a text between quotes in a query language keeps in them; phrase: quotes become blanks; word: nothing but letters,
 * digits and the signs of times and identifiers. */
static err apply_filter(struct arena *a, struct place *p) {
    if (str_equal(p->filter, STR("word"))) {
        for (size_t i = 0; i < p->value.len; i++)
            if (!is_unreserved((unsigned char)p->value.ptr[i]) && !strchr(":+@", p->value.ptr[i]))
                return fail(ERR_INPUT, "connector_input", "{%.*s} has signs that are not possible here", STR_ARG(p->name));
        return OK;
    }
    bool quote = str_equal(p->filter, STR("quote"));
    char *out = arena_alloc(a, 2 * p->value.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < p->value.len; i++) {
        char c = p->value.ptr[i];
        if (quote && strchr("\\'\"", c))
            out[n++] = '\\';
        out[n++] = !quote && strchr("\"\\", c) ? ' ' : c;
    }
    p->value = (str){out, n};
    return OK;
}

static bool is_plain_line(str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 127)
            return false;
    return true;
}

static err add_value(struct buf *out, const struct place *p, enum template_use use, str before) {
    switch (use) {
    case USE_PLAIN:
        buf_add(out, p->value);
        return OK;
    case USE_URL:
        /* A path segment that is a dot or two would climb out of its folder. */
        if (str_equal(p->value, STR(".")) || str_equal(p->value, STR("..")))
            return fail(ERR_INPUT, "connector_url", "{%.*s} cannot be \"%.*s\" in a URL", STR_ARG(p->name),
                        STR_ARG(p->value));
        template_encode(out, p->value);
        return OK;
    case USE_HOST:
        if (before.len == 0 ? !template_is_origin(p->value) : !is_host(p->value))
            return fail(ERR_INPUT, "connector_url", "{%.*s} is no %s", STR_ARG(p->name),
                        before.len == 0 ? "http(s)://host" : "part of a host name");
        buf_add(out, p->value);
        return OK;
    case USE_HEADER:
    default:
        if (!is_plain_line(p->value))
            return fail(ERR_INPUT, "connector_input", "{%.*s} has control characters, which a header cannot carry",
                        STR_ARG(p->name));
        buf_add(out, p->value);
        return OK;
    }
}

err template_fill(struct arena *a, const struct template_values *v, struct connector_template t, enum template_use use,
                  bool *absent, bool *secret, str *out) {
    str text = t.text;
    ptrdiff_t open = str_find_byte(text, '{');
    if (absent)
        *absent = false;
    if (open < 0 && str_find_byte(text, '}') < 0) {
        *out = text;
        return OK;
    }
    struct buf *b = buf_in(a, CONNECTOR_MAX_BODY_BYTE);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '{' || (i + 1 < text.len && text.ptr[i + 1] == '{')) {
            i += c == '{' || c == '}' ? 1 : 0;
            buf_add_byte(b, c);
            continue;
        }
        size_t close = i + (size_t)str_find_byte(str_slice(text, i, text.len), '}');
        struct place p = {.name = str_slice(text, i + 1, close)};
        bool optional = str_ends(p.name, STR("?"));
        p.name.len -= optional ? 1 : 0;
        ptrdiff_t bar = str_find_byte(p.name, '|');
        if (bar >= 0) {
            p.filter = str_slice(p.name, (size_t)bar + 1, p.name.len);
            p.name.len = (size_t)bar;
        }
        TRY(find_value(a, v, &p));
        if (!p.there && optional && absent) {
            *absent = true;
            return OK;
        }
        if (!p.there && !optional)
            return fail(ERR_INPUT, "connector_input", "%.*s:%u:%u: {%.*s} is needed and is not there",
                        STR_ARG(v->binding->connector->file), t.line, t.column, STR_ARG(p.name));
        if (p.there && p.filter.len > 0)
            TRY(apply_filter(a, &p));
        if (p.there)
            TRY(add_value(b, &p, use, buf_str(b)));
        if (secret && p.secret)
            *secret = true;
        i = close;
    }
    TRY(buf_check(b));
    *out = buf_str(b);
    return OK;
}
