/* tech_selector.c — parsing and matching CSS selectors. */
#include "text/tech_selector.h"

#include "base/utf8.h"

/* HTML compares the values of these without case (HTML standard, "case-sensitivity of selectors"). */
static const char caseless_names[] =
    " accept accept-charset align alink axis bgcolor charset checked clear codetype color compact declare defer dir "
    "direction "
    "disabled enctype face frame hreflang http-equiv lang language link media method multiple nohref noresize noshade "
    "nowrap "
    "readonly rel rev rules scope scrolling selected shape target text type valign valuetype vlink ";

/* ---- parsing ---- */

struct reader {
    struct arena *arena;
    str in;
    size_t at;
};

static err wrong(const struct reader *r, const char *what) {
    return fail(ERR_INPUT, "tech_selector", "%s at character %zu of \"%.*s\"", what, r->at + 1, STR_ARG(r->in));
}

static char peek(const struct reader *r) { return r->at < r->in.len ? r->in.ptr[r->at] : '\0'; }
static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void skip_space(struct reader *r) {
    while (is_space(peek(r)))
        r->at++;
}

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           (unsigned char)c >= 0x80;
}

static int hex_of(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character an escape stands for; r->at is behind the backslash. */
static size_t read_escape(struct reader *r, char *to) {
    uint32_t code = 0;
    size_t n = 0;
    while (n < 6 && hex_of(peek(r)) >= 0 && r->at < r->in.len) {
        code = code * 16 + (uint32_t)hex_of(peek(r));
        r->at++;
        n++;
    }
    if (n == 0) {
        *to = peek(r);
        r->at++;
        return 1;
    }
    r->at += is_space(peek(r));
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        code = 0xFFFD;
    return utf8_encode(code, to);
}

/* Text up to `quote`, or when that is 0 a name. */
static err read_text(struct reader *r, char quote, str *out) {
    char *to = arena_alloc(r->arena, 4 * (r->in.len - r->at) + 4);
    size_t n = 0;
    while (r->at < r->in.len && (quote ? peek(r) != quote : is_name(peek(r)) || peek(r) == '\\')) {
        if (peek(r) != '\\') {
            to[n++] = r->in.ptr[r->at++];
            continue;
        }
        r->at++;
        if (r->at >= r->in.len)
            return wrong(r, "a \\ at the end");
        n += read_escape(r, to + n);
    }
    if (quote && r->at >= r->in.len)
        return wrong(r, "a quote that does not end");
    r->at += quote != 0;
    if (!quote && n == 0)
        return wrong(r, "a name was expected");
    *out = (str){to, n};
    return OK;
}

static err read_operator(struct reader *r, enum selector_operator *op) {
    static const char marks[] = "=*^$~|";
    const char c = peek(r);
    const char *found = c ? strchr(marks, c) : NULL;
    if (!found)
        return wrong(r, "an operator or ] was expected");
    r->at++;
    if (c != '=') {
        if (peek(r) != '=')
            return wrong(r, "a = was expected");
        r->at++;
    }
    *op = SELECT_EQUAL + (enum selector_operator)(found - marks);
    return OK;
}

static bool caseless(str name) {
    char word[32];
    if (name.len + 2 > sizeof word)
        return false;
    word[0] = ' ';
    memcpy(word + 1, name.ptr, name.len);
    word[name.len + 1] = ' ';
    return str_find(str_from(caseless_names), (str){word, name.len + 2}) >= 0;
}

static err read_attribute(struct reader *r, struct selector_test *t) {
    *t = (struct selector_test){.op = SELECT_HAS};
    skip_space(r);
    TRY(read_text(r, 0, &t->name));
    t->name = str_lower(r->arena, t->name);
    t->nocase = caseless(t->name);
    skip_space(r);
    if (peek(r) != ']') {
        TRY(read_operator(r, &t->op));
        skip_space(r);
        const char quote = peek(r) == '"' || peek(r) == '\'' ? peek(r) : '\0';
        r->at += quote != 0;
        TRY(read_text(r, quote, &t->value));
        skip_space(r);
        const char flag = (char)(peek(r) | 0x20);
        if (flag == 'i' || flag == 's') {
            t->nocase = flag == 'i';
            r->at++;
            skip_space(r);
        }
    }
    if (peek(r) != ']')
        return wrong(r, "a ] was expected");
    r->at++;
    return OK;
}

static err read_compound(struct reader *r, bool inside_not, struct selector_compound *c);

static err read_pseudo(struct reader *r, bool inside_not, struct selector_compound *c, struct selector_compound *not_any) {
    str name;
    TRY(read_text(r, 0, &name));
    if (str_equal(name, STR("root"))) {
        c->root = true;
    } else if (str_equal(name, STR("first-child"))) {
        c->first_child = true;
    } else if (str_equal(name, STR("not")) && !inside_not && peek(r) == '(') {
        if (c->n_not == SELECTOR_TEST_MAX)
            return fail(ERR_LIMIT, "tech_selector_long", "too many tests in \"%.*s\"", STR_ARG(r->in));
        r->at++;
        skip_space(r);
        TRY(read_compound(r, true, &not_any[c->n_not]));
        c->n_not++;
        skip_space(r);
        if (peek(r) != ')')
            return wrong(r, "a ) was expected");
        r->at++;
    } else {
        return wrong(r, "a pseudo-class that is not understood");
    }
    return OK;
}

static err read_compound(struct reader *r, bool inside_not, struct selector_compound *c) {
    struct selector_test test[SELECTOR_TEST_MAX];
    struct selector_compound not_any[SELECTOR_TEST_MAX];
    const size_t from = r->at;
    *c = (struct selector_compound){.tag = {"", 0}};
    if (peek(r) == '*') {
        r->at++;
    } else if (is_name(peek(r)) || peek(r) == '\\') {
        TRY(read_text(r, 0, &c->tag));
        c->tag = str_lower(r->arena, c->tag);
    }
    for (;;) {
        const char mark = peek(r);
        if (mark != '#' && mark != '.' && mark != '[' && mark != ':')
            break;
        if (c->n_test == SELECTOR_TEST_MAX)
            return fail(ERR_LIMIT, "tech_selector_long", "too many tests in \"%.*s\"", STR_ARG(r->in));
        r->at++;
        if (mark == ':') {
            TRY(read_pseudo(r, inside_not, c, not_any));
            continue;
        }
        struct selector_test *t = &test[c->n_test];
        if (mark == '[') {
            TRY(read_attribute(r, t));
        } else {
            *t = (struct selector_test){.op = mark == '#' ? SELECT_EQUAL : SELECT_WORD,
                                        .name = mark == '#' ? STR("id") : STR("class")};
            TRY(read_text(r, 0, &t->value));
        }
        c->n_test++;
    }
    if (r->at == from)
        return wrong(r, "a selector was expected");
    c->test = arena_copy(r->arena, test, c->n_test * sizeof *test);
    c->not_any = arena_copy(r->arena, not_any, c->n_not * sizeof *not_any);
    return OK;
}

/* The combinator before the next compound: 0 at the end of the selector. */
static char read_combinator(struct reader *r) {
    const bool space = is_space(peek(r));
    skip_space(r);
    const char c = peek(r);
    if (c == '>' || c == '+' || c == '~') {
        r->at++;
        skip_space(r);
        return c;
    }
    return c == '\0' || c == ',' || !space ? '\0' : ' ';
}

static err read_selector(struct reader *r, struct tech_selector *s) {
    struct selector_compound all[SELECTOR_COMPOUND_MAX];
    size_t n = 0;
    char combinator = '\0';
    do {
        if (n == SELECTOR_COMPOUND_MAX)
            return fail(ERR_LIMIT, "tech_selector_long", "too many parts in \"%.*s\"", STR_ARG(r->in));
        TRY(read_compound(r, false, &all[n]));
        all[n++].combinator = combinator;
        combinator = read_combinator(r);
    } while (combinator);
    struct selector_compound *reversed = ARENA_ARRAY(r->arena, n, struct selector_compound);
    for (size_t i = 0; i < n; i++)
        reversed[i] = all[n - 1 - i];
    *s = (struct tech_selector){n, reversed};
    return OK;
}

err tech_selector_parse(struct arena *a, str text, struct tech_selector **out, size_t *n) {
    struct tech_selector all[SELECTOR_LIST_MAX];
    struct reader r = {.arena = a, .in = str_trim(text)};
    size_t count = 0;
    if (text.len > SELECTOR_BYTE)
        return fail(ERR_LIMIT, "tech_selector_long", "a selector of %zu bytes; at most %d", text.len, SELECTOR_BYTE);
    for (;;) {
        if (count == SELECTOR_LIST_MAX)
            return fail(ERR_LIMIT, "tech_selector_long", "too many selectors in \"%.*s\"", STR_ARG(r.in));
        TRY(read_selector(&r, &all[count]));
        count++;
        if (r.at >= r.in.len)
            break;
        if (peek(&r) != ',')
            return wrong(&r, "a comma was expected");
        r.at++;
        skip_space(&r);
    }
    *out = arena_copy(a, all, count * sizeof *all);
    *n = count;
    return OK;
}

/* ---- matching ---- */

static bool equal(str a, str b, bool nocase) { return nocase ? str_equal_nocase(a, b) : str_equal(a, b); }

static bool has_word(str value, str word, bool nocase) {
    for (size_t i = 0; i < value.len;) {
        while (i < value.len && is_space(value.ptr[i]))
            i++;
        const size_t from = i;
        while (i < value.len && !is_space(value.ptr[i]))
            i++;
        if (i > from && equal(str_slice(value, from, i), word, nocase))
            return true;
    }
    return false;
}

static bool test_value(const struct selector_test *t, str value) {
    const str v = t->value;
    switch (t->op) {
    case SELECT_HAS:
        return true;
    case SELECT_EQUAL:
        return equal(value, v, t->nocase);
    case SELECT_CONTAIN:
        return v.len > 0 && (t->nocase ? str_find_nocase(value, v) : str_find(value, v)) >= 0;
    case SELECT_START:
        return v.len > 0 && value.len >= v.len && equal(str_slice(value, 0, v.len), v, t->nocase);
    case SELECT_END:
        return v.len > 0 && value.len >= v.len && equal(str_slice(value, value.len - v.len, value.len), v, t->nocase);
    case SELECT_WORD:
        return has_word(value, v, t->nocase);
    case SELECT_DASH:
        return equal(str_slice(value, 0, v.len), v, t->nocase) && (value.len == v.len || value.ptr[v.len] == '-');
    }
    return false;
}

static bool match_compound(const struct selector_compound *c, const struct tech_page *p, uint32_t id, uint64_t *steps) {
    const struct tech_element *e = &p->element[id];
    /* Long lists of attributes and long values cost more. */
    const uint64_t cost = 1 + (uint64_t)c->n_test * e->n_attribute / 8;
    if (*steps <= cost) {
        *steps = 0;
        return false;
    }
    *steps -= cost;
    if (c->tag.len > 0 && !str_equal(c->tag, e->name))
        return false;
    if ((c->root && e->parent != TECH_NO_ELEMENT) || (c->first_child && e->before != TECH_NO_ELEMENT))
        return false;
    for (size_t i = 0; i < c->n_test; i++) {
        const str value = tech_page_attribute(p, e, c->test[i].name);
        if (!value.ptr)
            return false;
        *steps -= value.len / 256 < *steps ? value.len / 256 : *steps;
        if (!test_value(&c->test[i], value))
            return false;
    }
    for (size_t i = 0; i < c->n_not; i++)
        if (match_compound(&c->not_any[i], p, id, steps))
            return false;
    return true;
}

/* Recursion goes at most SELECTOR_COMPOUND_MAX deep; how often it starts anew is bounded by *steps. */
static bool match_from(const struct tech_selector *s, size_t k, const struct tech_page *p, uint32_t id, uint64_t *steps) {
    if (!match_compound(&s->compound[k], p, id, steps))
        return false;
    if (k + 1 == s->n_compound)
        return true;
    const char c = s->compound[k].combinator;
    const bool up = c == ' ' || c == '>', once = c == '>' || c == '+';
    for (;;) {
        id = up ? p->element[id].parent : p->element[id].before;
        if (id == TECH_NO_ELEMENT || *steps == 0)
            return false;
        if (match_from(s, k + 1, p, id, steps))
            return true;
        if (once)
            return false;
    }
}

bool tech_selector_match(const struct tech_selector *s, const struct tech_page *p, uint32_t id, uint64_t *steps) {
    return match_from(s, 0, p, id, steps);
}
