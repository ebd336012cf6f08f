/* tech_page.c — the tokeniser and the tree it builds. */
#include "text/tech_page.h"

enum { COUNT_BUCKET = 1024, FOREIGN_MAX = 64 };

/* ---- elements that HTML treats in their own way ---- */

static const char *const void_names[] = {"area",  "base",  "basefont", "br",    "col",     "command", "embed",
                                         "frame", "hr",    "img",      "input", "isindex", "keygen",  "link",
                                         "meta",  "param", "source",   "track", "wbr"};

/* An element that begins ends those of its list that are innermost. */
struct closing {
    const char *name, *ends; /* names between blanks */
};

#define ENDS_FORM " input option optgroup select button datalist textarea "

static const struct closing closings[] = {
    {"tr", " tr th td "},
    {"th", " th "},
    {"td", " thead th td "},
    {"body", " head link script "},
    {"li", " li "},
    {"select", ENDS_FORM},
    {"input", ENDS_FORM},
    {"output", ENDS_FORM},
    {"button", ENDS_FORM},
    {"datalist", ENDS_FORM},
    {"textarea", ENDS_FORM},
    {"option", " option "},
    {"optgroup", " optgroup option "},
    {"dd", " dd dt "},
    {"dt", " dd dt "},
    {"rt", " rt rp "},
    {"rp", " rt rp "},
    {"tbody", " thead tbody "},
    {"tfoot", " thead tbody "},
};

static const char *const ends_p[] = {"p",        "h1",         "h2",     "h3",         "h4",      "h5",     "h6",
                                     "address",  "article",    "aside",  "blockquote", "details", "div",    "dl",
                                     "fieldset", "figcaption", "figure", "footer",     "form",    "header", "hr",
                                     "main",     "nav",        "ol",     "pre",        "section", "table",  "ul"};

static bool in_list(const char *const *list, size_t n, str name) {
    for (size_t i = 0; i < n; i++)
        if (list[i][0] == name.ptr[0] && strlen(list[i]) == name.len && memcmp(list[i], name.ptr, name.len) == 0)
            return true;
    return false;
}

#define IN(list, name) in_list((list), sizeof(list) / sizeof *(list), (name))

/* The names that an element of this name ends, between blanks; NULL for none. */
static const char *names_ended_by(str name) {
    for (size_t i = 0; i < sizeof closings / sizeof *closings; i++)
        if (str_equal(str_from(closings[i].name), name))
            return closings[i].ends;
    return IN(ends_p, name) ? " p " : NULL;
}

static bool listed(const char *names, str name) {
    str rest = str_from(names);
    for (ptrdiff_t at; rest.len > name.len; rest = str_slice(rest, (size_t)at + 1, rest.len)) {
        at = str_find(rest, name);
        if (at <= 0)
            return false;
        if (rest.ptr[at - 1] == ' ' && rest.ptr[(size_t)at + name.len] == ' ')
            return true;
    }
    return false;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* ---- building ---- */

struct open_element {
    uint32_t element, last_child, hash;
    bool in_page; /* false behind TECH_ELEMENT_MAX */
};

struct parser {
    struct tech_page *p;
    str html;
    size_t at;
    struct open_element open[TECH_DEPTH_MAX];
    size_t depth;
    uint32_t root_child;
    uint16_t
        count[COUNT_BUCKET]; /* of open elements by the hash of their name: most end tags without element are told by it */
    bool foreign[FOREIGN_MAX];
    size_t n_foreign;
    bool text_open; /* the last piece of visible text is still growing */
    bool in_script, in_style;
};

static uint32_t hash_name(str name) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
    return h ^ (h >> 15);
}

static str lower_name(struct tech_page *p, str name) {
    size_t i = 0;
    while (i < name.len && !(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z'))
        i++;
    if (i == name.len)
        return name;
    if (!buf_reserve(&p->store, name.len))
        return name;
    char *to = p->store.ptr + p->store.len;
    for (i = 0; i < name.len; i++)
        to[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 0x20 : name.ptr[i]);
    p->store.len += name.len;
    return (str){to, name.len};
}

static str decode_value(struct tech_page *p, str raw) {
    if (raw.len == 0 || !memchr(raw.ptr, '&', raw.len) || !buf_reserve(&p->store, raw.len))
        return raw;
    char *to = p->store.ptr + p->store.len;
    const size_t n = tech_page_decode(raw, true, to);
    p->store.len += n;
    return (str){to, n};
}

static void end_text(struct parser *s) {
    if (s->text_open)
        buf_add_byte(&s->p->text, ' ');
    s->text_open = false;
}

static void pop(struct parser *s) {
    const struct open_element *o = &s->open[--s->depth];
    s->count[o->hash % COUNT_BUCKET]--;
    s->p->element[o->element].text_to = (uint32_t)s->p->content.len;
}

static str open_name(const struct parser *s) { return s->p->element[s->open[s->depth - 1].element].name; }

/* Adds an element below the innermost open one; TECH_NO_ELEMENT when the page has too many. */
static uint32_t add_element(struct parser *s, str name, size_t first_attribute) {
    struct tech_page *p = s->p;
    if (p->n_element >= TECH_ELEMENT_MAX) {
        p->cut = true;
        return TECH_NO_ELEMENT;
    }
    if (p->n_element == p->cap_element)
        p->element = arena_grow(p->arena, p->element, &p->cap_element, p->n_element + 1, sizeof *p->element);
    const uint32_t id = (uint32_t)p->n_element++;
    uint32_t *last = s->depth > 0 ? &s->open[s->depth - 1].last_child : &s->root_child;
    p->element[id] = (struct tech_element){.name = name,
                                           .parent = s->depth > 0 ? s->open[s->depth - 1].element : TECH_NO_ELEMENT,
                                           .before = *last,
                                           .attribute = (uint32_t)first_attribute,
                                           .n_attribute = (uint32_t)(p->n_attribute - first_attribute),
                                           .text_from = (uint32_t)p->content.len,
                                           .text_to = (uint32_t)p->content.len};
    *last = id;
    return id;
}

static void push(struct parser *s, uint32_t id, uint32_t hash) {
    if (s->depth == TECH_DEPTH_MAX)
        return;
    s->open[s->depth++] = (struct open_element){.element = id, .last_child = TECH_NO_ELEMENT, .hash = hash};
    s->count[hash % COUNT_BUCKET]++;
}

static void close_element(struct parser *s, str name) {
    const uint32_t hash = hash_name(name);
    if (str_equal(name, STR("svg")) || str_equal(name, STR("math")) || str_equal(name, STR("title")) ||
        str_equal(name, STR("foreignobject")) || str_equal(name, STR("desc")))
        s->n_foreign -= s->n_foreign > 0;
    if (s->count[hash % COUNT_BUCKET] == 0)
        return;
    size_t i = s->depth;
    while (i > 0 && !(s->open[i - 1].hash == hash && str_equal(s->p->element[s->open[i - 1].element].name, name)))
        i--;
    if (i == 0)
        return;
    while (s->depth >= i)
        pop(s);
}

/* ---- what an element means for the page ---- */

static void add_meta(struct tech_page *p, const struct tech_element *e) {
    str name = tech_page_attribute(p, e, STR("name"));
    if (name.len == 0)
        name = tech_page_attribute(p, e, STR("property"));
    if (name.len == 0)
        return;
    if (p->n_meta == p->cap_meta)
        p->meta = arena_grow(p->arena, p->meta, &p->cap_meta, p->n_meta + 1, sizeof *p->meta);
    p->meta[p->n_meta++] =
        (struct tech_pair){.name = lower_name(p, name), .value = tech_page_attribute(p, e, STR("content"))};
}

static void add_script_src(struct tech_page *p, str src) {
    if (p->n_script_src == p->cap_script_src)
        p->script_src = arena_grow(p->arena, p->script_src, &p->cap_script_src, p->n_script_src + 1, sizeof *p->script_src);
    p->script_src[p->n_script_src++] = src;
}

/* ---- reading tags ---- */

/* The attributes from s->at to the end of the tag, which is passed. False when the page ends first. */
static bool read_attributes(struct parser *s, bool *self_closing) {
    const char *h = s->html.ptr;
    const size_t n = s->html.len;
    struct tech_page *p = s->p;
    size_t i = s->at;
    *self_closing = false;
    for (;;) {
        while (i < n && (is_space(h[i]) || h[i] == '/')) {
            *self_closing = h[i] == '/' || (*self_closing && h[i] != '/');
            i++;
        }
        if (i >= n)
            return false;
        if (h[i] == '>') {
            s->at = i + 1;
            return true;
        }
        *self_closing = false;
        const size_t from = i++;
        while (i < n && h[i] != '=' && h[i] != '>' && h[i] != '/' && !is_space(h[i]))
            i++;
        const str name = {h + from, i - from};
        size_t k = i;
        while (k < n && is_space(h[k]))
            k++;
        str value = {"", 0};
        if (k < n && h[k] == '=') {
            for (k++; k < n && is_space(h[k]);)
                k++;
            if (k >= n)
                return false;
            if (h[k] == '"' || h[k] == '\'') {
                const char *end = memchr(h + k + 1, h[k], n - k - 1);
                if (!end)
                    return false;
                value = (str){h + k + 1, (size_t)(end - h) - k - 1};
                i = (size_t)(end - h) + 1;
            } else {
                i = k;
                while (i < n && h[i] != '>' && !is_space(h[i]))
                    i++;
                value = (str){h + k, i - k};
            }
        }
        if (p->n_attribute >= TECH_ATTRIBUTE_MAX) {
            p->cut = true;
            continue;
        }
        if (p->n_attribute == p->cap_attribute)
            p->attribute = arena_grow(p->arena, p->attribute, &p->cap_attribute, p->n_attribute + 1, sizeof *p->attribute);
        p->attribute[p->n_attribute++] =
            (struct tech_attribute){.name = lower_name(p, name), .value = decode_value(p, value)};
    }
}

/* Where "</name" begins at or behind s->at, followed by ">" or white space; the end of the page when nowhere. */
static size_t find_raw_end(const struct parser *s, str name) {
    const char *h = s->html.ptr;
    for (size_t i = s->at; i < s->html.len;) {
        const char *lt = memchr(h + i, '<', s->html.len - i);
        if (!lt)
            break;
        i = (size_t)(lt - h);
        const str end = str_slice(s->html, i + 2, i + 2 + name.len);
        const size_t after = i + 2 + name.len;
        if (after < s->html.len && h[i + 1] == '/' && str_equal_nocase(end, name) && (h[after] == '>' || is_space(h[after])))
            return i;
        i++;
    }
    return s->html.len;
}

static void add_text(struct parser *s, str raw, bool decode, bool visible) {
    struct tech_page *p = s->p;
    if (raw.len == 0 || !buf_reserve(&p->content, raw.len))
        return;
    char *to = p->content.ptr + p->content.len;
    size_t n = raw.len;
    if (decode && memchr(raw.ptr, '&', raw.len))
        n = tech_page_decode(raw, false, to);
    else
        memcpy(to, raw.ptr, raw.len);
    p->content.len += n;
    if (visible) {
        buf_add(&p->text, (str){to, n});
        s->text_open = true;
    }
}

/* The raw text of a script, style, textarea, xmp or title that has just begun. */
static void read_raw(struct parser *s, uint32_t id, str name) {
    struct tech_page *p = s->p;
    const bool script = str_equal(name, STR("script")), style = str_equal(name, STR("style"));
    const size_t end = find_raw_end(s, name);
    const str raw = str_slice(s->html, s->at, end);
    add_text(s, raw, str_equal(name, STR("title")), !script && !style);
    s->at = end;
    if (script) {
        const str src = tech_page_attribute(p, &p->element[id], STR("src"));
        if (src.len > 0) {
            add_script_src(p, src);
            return;
        }
    }
    if (script || style) {
        struct buf *to = script ? &p->scripts : &p->css;
        if (to->len > 0)
            buf_add_byte(to, '\n');
        buf_add(to, raw);
    }
}

static bool is_raw(str name) {
    return str_equal(name, STR("script")) || str_equal(name, STR("style")) || str_equal(name, STR("textarea")) ||
           str_equal(name, STR("xmp")) || str_equal(name, STR("title"));
}

static void note_foreign(struct parser *s, str name) {
    if (s->n_foreign == FOREIGN_MAX)
        return;
    if (str_equal(name, STR("svg")) || str_equal(name, STR("math")))
        s->foreign[s->n_foreign++] = true;
    else if (str_equal(name, STR("title")) || str_equal(name, STR("foreignobject")) || str_equal(name, STR("desc")))
        s->foreign[s->n_foreign++] = false;
}

/* A start tag; s->at is behind its "<". */
static void read_start_tag(struct parser *s) {
    struct tech_page *p = s->p;
    const char *h = s->html.ptr;
    size_t i = s->at;
    while (i < s->html.len && h[i] != '>' && h[i] != '/' && !is_space(h[i]))
        i++;
    const str name = lower_name(p, (str){h + s->at, i - s->at});
    const size_t first = p->n_attribute;
    bool self_closing;
    s->at = i;
    if (!read_attributes(s, &self_closing)) {
        s->at = s->html.len;
        return;
    }
    const char *ends = names_ended_by(name);
    while (ends && s->depth > 0 && listed(ends, open_name(s)))
        pop(s);
    const uint32_t id = add_element(s, name, first);
    if (id == TECH_NO_ELEMENT)
        return;
    if (str_equal(name, STR("meta")))
        add_meta(p, &p->element[id]);
    if (IN(void_names, name))
        return;
    if (self_closing && s->n_foreign > 0 && s->foreign[s->n_foreign - 1])
        return;
    push(s, id, hash_name(name));
    note_foreign(s, name);
    if (is_raw(name))
        read_raw(s, id, name);
}

static void read_end_tag(struct parser *s) {
    const char *h = s->html.ptr;
    size_t i = s->at;
    while (i < s->html.len && is_space(h[i]))
        i++;
    const size_t from = i;
    while (i < s->html.len && h[i] != '>' && !is_space(h[i]))
        i++;
    if (i > from && is_letter(h[from]))
        close_element(s, lower_name(s->p, (str){h + from, i - from}));
    const char *end = i < s->html.len ? memchr(h + i, '>', s->html.len - i) : NULL;
    s->at = end ? (size_t)(end - h) + 1 : s->html.len;
}

/* Behind "<!" or "<?": a comment, a CDATA section or a declaration, all passed over. */
static void skip_declaration(struct parser *s) {
    str end = STR(">");
    size_t from = s->at;
    const str rest = str_slice(s->html, s->at, s->at + 7);
    if (str_starts(rest, STR("--"))) {
        end = STR("-->");
    } else if (str_equal(rest, STR("[CDATA["))) {
        end = STR("]]>");
        from += 7;
    }
    const ptrdiff_t at = str_find(str_slice(s->html, from, s->html.len), end);
    s->at = at < 0 ? s->html.len : from + (size_t)at + end.len;
}

static void read_markup(struct parser *s) {
    const char c = s->html.ptr[s->at + 1];
    if (is_letter(c)) {
        end_text(s);
        s->at += 1;
        read_start_tag(s);
    } else if (c == '/') {
        end_text(s);
        s->at += 2;
        read_end_tag(s);
    } else {
        end_text(s);
        s->at += 2;
        skip_declaration(s);
    }
}

static bool is_markup(str html, size_t at) {
    if (at + 1 >= html.len)
        return false;
    const char c = html.ptr[at + 1];
    return is_letter(c) || c == '/' || c == '!' || c == '?';
}

static void read_page(struct parser *s) {
    while (s->at < s->html.len && s->p->n_element < TECH_ELEMENT_MAX) {
        size_t i = s->at;
        for (;;) {
            const char *lt = i < s->html.len ? memchr(s->html.ptr + i, '<', s->html.len - i) : NULL;
            i = lt ? (size_t)(lt - s->html.ptr) : s->html.len;
            if (!lt || is_markup(s->html, i))
                break;
            i++;
        }
        add_text(s, str_slice(s->html, s->at, i), true, true);
        s->at = i;
        if (i < s->html.len)
            read_markup(s);
    }
    s->p->cut |= s->at < s->html.len;
    end_text(s);
    while (s->depth > 0)
        pop(s);
}

/* ---- the page ---- */

static void free_buffers(void *ctx) {
    struct tech_page *p = ctx;
    struct buf *all[] = {&p->content, &p->text, &p->scripts, &p->css, &p->store};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_done(all[i]);
}

struct tech_page *tech_page_new(struct arena *a) {
    struct tech_page *p = ARENA_NEW(a, struct tech_page);
    struct buf *all[] = {&p->content, &p->text, &p->scripts, &p->css, &p->store};
    p->arena = a;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_init(all[i], (size_t)3 * TECH_PAGE_BYTE);
    arena_defer(a, free_buffers, p);
    return p;
}

/* Room for all that a page of that size can give, so that nothing moves while others point to it: decoding never makes a
 * text longer, and names and values together are no longer than the page. */
static bool reserve_buffers(struct tech_page *p, size_t n) {
    return buf_reserve(&p->content, n) && buf_reserve(&p->text, 2 * n + 2) && buf_reserve(&p->scripts, n) &&
           buf_reserve(&p->css, n) && buf_reserve(&p->store, 2 * n);
}

void tech_page_parse(struct tech_page *p, str html) {
    struct parser s = {.p = p, .html = str_slice(html, 0, TECH_PAGE_BYTE), .root_child = TECH_NO_ELEMENT};
    struct buf *all[] = {&p->content, &p->text, &p->scripts, &p->css, &p->store};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_clear(all[i]);
    p->n_element = p->n_attribute = p->n_script_src = p->n_meta = 0;
    p->cut = html.len > TECH_PAGE_BYTE;
    if (str_starts(s.html, STR("\xEF\xBB\xBF")))
        s.at = 3;
    if (!reserve_buffers(p, s.html.len)) {
        p->cut = true;
        return;
    }
    read_page(&s);
}

str tech_page_attribute(const struct tech_page *p, const struct tech_element *e, str name) {
    for (uint32_t i = 0; i < e->n_attribute; i++)
        if (str_equal(p->attribute[e->attribute + i].name, name))
            return p->attribute[e->attribute + i].value;
    return (str){NULL, 0};
}
