/* program_path.c — the programs that are only paths and constants, run on the tree as jq would run them. */
#include "connector/program_priv.h"

struct cursor {
    str text;
    size_t at;
};

static char peek(const struct cursor *c) { return c->at < c->text.len ? c->text.ptr[c->at] : 0; }

static void skip_space(struct cursor *c) {
    while (peek(c) && strchr(" \t\r\n", peek(c)))
        c->at++;
}

static bool take(struct cursor *c, char sign) {
    if (peek(c) != sign)
        return false;
    c->at++;
    return true;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool read_name(struct cursor *c, str *out) {
    size_t from = c->at;
    if (!is_letter(peek(c)))
        return false;
    while (is_letter(peek(c)) || is_digit(peek(c)))
        c->at++;
    *out = str_slice(c->text, from, c->at);
    return true;
}

/* A text without escapes: those are libjq's. */
static bool read_text(struct cursor *c, str *out) {
    if (!take(c, '"'))
        return false;
    size_t from = c->at;
    while (peek(c) && peek(c) != '"' && peek(c) != '\\')
        c->at++;
    *out = str_slice(c->text, from, c->at);
    return take(c, '"');
}

static bool read_index(struct cursor *c, int64_t *out) {
    bool minus = take(c, '-');
    int64_t n = 0;
    size_t from = c->at;
    while (is_digit(peek(c)) && c->at - from < 9)
        n = n * 10 + (c->text.ptr[c->at++] - '0');
    *out = minus ? -n : n;
    return c->at > from && !is_digit(peek(c));
}

/* ".name", '."name"', "[3]", '["name"]', each with '?' behind it or not. */
static bool read_step(struct cursor *c, bool first, struct path_step *s) {
    *s = (struct path_step){0};
    bool dot = take(c, '.');
    if (first && !dot)
        return false;
    if (peek(c) == '[') {
        c->at++;
        bool good = peek(c) == '"' ? read_text(c, &s->key) : read_index(c, &s->index);
        if (!good || !take(c, ']'))
            return false;
    } else if (!dot || !(read_name(c, &s->key) || read_text(c, &s->key))) {
        return false;
    }
    while (take(c, '?'))
        s->quiet = true;
    return true;
}

static bool read_path(struct cursor *c, struct path_choice *p) {
    if (peek(c) == '.' && (c->at + 1 == c->text.len || strchr(" \t\r\n/", c->text.ptr[c->at + 1]))) {
        c->at++;
        return true;
    }
    for (bool first = true; first || peek(c) == '.' || peek(c) == '['; first = false)
        if (p->n_step == PATH_MAX_STEP || !read_step(c, first, &p->step[p->n_step++]))
            return false;
    return true;
}

static bool read_constant(struct arena *a, struct cursor *c, struct path_choice *p) {
    size_t from = c->at;
    str text;
    if (peek(c) == '"') {
        if (!read_text(c, &text))
            return false;
    } else {
        while (peek(c) && !strchr(" \t\r\n/", peek(c)))
            c->at++;
    }
    text = str_slice(c->text, from, c->at);
    return text.len > 0 && strchr("\"-0123456789tfn", text.ptr[0]) && json_parse(a, text, NULL, &p->constant) == OK;
}

const struct program_path *path_parse(struct arena *a, str text) {
    struct cursor c = {.text = text};
    struct program_path *p = arena_alloc(a, sizeof *p + PATH_MAX_CHOICE * sizeof p->choice[0]);
    for (;;) {
        if (p->n == PATH_MAX_CHOICE)
            return NULL;
        struct path_choice *choice = &p->choice[p->n++];
        skip_space(&c);
        if (!(peek(&c) == '.' ? read_path(&c, choice) : read_constant(a, &c, choice)))
            return NULL;
        skip_space(&c);
        if (c.at == c.text.len)
            return p;
        if (!take(&c, '/') || !take(&c, '/'))
            return NULL;
    }
}

static const struct json *item_at(const struct json *v, int64_t index) {
    if (index < 0)
        index += v->count;
    return index >= 0 && index < (int64_t)v->count ? &v->items[index] : NULL;
}

/* False when the types do not fit and nobody said '?'; *gone when they do not fit and somebody did. */
static bool run_choice(const struct path_choice *p, const struct json *v, const struct json **out, bool *gone,
                       struct path_problem *problem) {
    for (size_t i = 0; i < p->n_step; i++) {
        const struct path_step *s = &p->step[i];
        if (!v || v->type == JSON_NULL) {
            v = NULL;
        } else if (s->key.ptr && v->type == JSON_OBJECT) {
            v = json_get(v, s->key);
        } else if (!s->key.ptr && v->type == JSON_ARRAY) {
            v = item_at(v, s->index);
        } else {
            *gone = s->quiet;
            *problem = (struct path_problem){v, s};
            *out = NULL;
            return s->quiet;
        }
    }
    *out = v && v->type != JSON_NULL ? v : NULL;
    return true;
}

bool path_run(const struct program_path *p, const struct json *input, const struct json **out,
              struct path_problem *problem) {
    for (size_t i = 0; i < p->n; i++) {
        const struct path_choice *choice = &p->choice[i];
        const struct json *v = choice->constant;
        bool gone = false, good = choice->constant || run_choice(choice, input, &v, &gone, problem);
        if (v && v->type == JSON_NULL)
            v = NULL;
        if (!good || i + 1 == p->n || (v && !(v->type == JSON_BOOL && !v->boolean))) {
            *out = v;
            return good;
        }
    }
    return true;
}
