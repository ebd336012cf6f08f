/* reader.c — typed values out of a tree, and what is wrong with it. */
#include "profile/reader_priv.h"

#include "base/number.h"
#include "base/settings.h"

enum { MAX_TEXT_BYTE = 4096 };

/* ---- problems ---- */

static str place_text(struct arena *a, const struct place *at) {
    if (!at || (!at->up && at->key.len == 0))
        return STR("");
    str up = place_text(a, at->up);
    if (at->key.len == 0)
        return str_format(a, "%.*s[%zu]", STR_ARG(up), at->item);
    return up.len > 0 ? str_format(a, "%.*s.%.*s", STR_ARG(up), STR_ARG(at->key)) : at->key;
}

static bool comes_before(const struct profile_problem *a, const struct profile_problem *b) {
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void reader_note(struct reader *r, const char *slug, const struct json *v, const struct place *at, str message) {
    struct profile_problem p = {slug, v ? v->line : 0, v ? v->column : 0, STR(""), message};
    size_t i = r->n_problem++;
    if (i >= PROFILE_MAX_PROBLEMS)
        return;
    p.path = place_text(r->a, at);
    for (; i > 0 && comes_before(&p, &r->problem[i - 1]); i--)
        r->problem[i] = r->problem[i - 1];
    r->problem[i] = p;
}

void reader_bad(struct reader *r, const struct json *v, const struct place *at, const char *wanted) {
    reader_note(r, "profile_bad_value", v, at, str_format(r->a, "%s is needed here", wanted));
}

void reader_unknown_word(struct reader *r, const char *slug, const struct json *v, const struct place *at, const char *what,
                         str word, const char *const *known, size_t n_known) {
    const char *near = settings_nearest(r->a, word, known, n_known);
    str message = near ? str_format(r->a, "%s \"%.*s\" is not known; did you mean \"%s\"?", what, STR_ARG(word), near)
                       : str_format(r->a, "%s \"%.*s\" is not known here", what, STR_ARG(word));
    reader_note(r, slug, v, at, message);
}

size_t reader_check_keys(struct reader *r, const struct json *v, const struct place *at, const char *const *known,
                         size_t n_known) {
    size_t n = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        bool found = false;
        for (size_t k = 0; k < n_known && !found; k++)
            found = str_equal(v->members[i].key, str_from(known[k]));
        if (found)
            continue;
        const struct json key = json_key_of(&v->members[i]);
        reader_unknown_word(r, "profile_unknown_key", &key, &(struct place){at, key.string, 0}, "the key", key.string, known,
                            n_known);
        n++;
    }
    return n;
}

/* ---- values ---- */

double reader_number(struct reader *r, const struct json *object, const struct place *at, const char *key, double low,
                     double high, double fallback) {
    const struct json *v = json_get(object, str_from(key));
    if (!v)
        return fallback;
    if (json_is_number(v) && json_number_of(v) >= low && json_number_of(v) <= high)
        return json_number_of(v);
    char from[NUMBER_TEXT_BYTE], to[NUMBER_TEXT_BYTE];
    size_t n_from = number_format(low, from), n_to = number_format(high, to);
    reader_bad(r, v, &(struct place){at, str_from(key), 0},
               str_format(r->a, "a number from %.*s to %.*s", (int)n_from, from, (int)n_to, to).ptr);
    return fallback;
}

/* The text of a scalar: numbers and true, false as they would be written in a cell. False for anything else. */
static bool scalar_text(struct reader *r, const struct json *v, str *out) {
    char digits[NUMBER_TEXT_BYTE];
    switch (v->type) {
    case JSON_STRING:
        *out = v->string;
        return v->string.len <= MAX_TEXT_BYTE;
    case JSON_INTEGER:
        *out = str_copy(r->a, (str){digits, number_format_integer(v->integer, digits)});
        return true;
    case JSON_REAL:
        *out = str_copy(r->a, (str){digits, number_format(v->real, digits)});
        return true;
    case JSON_BOOL:
        *out = v->boolean ? STR("true") : STR("false");
        return true;
    default:
        return false;
    }
}

str reader_text(struct reader *r, const struct json *object, const struct place *at, const char *key) {
    const struct json *v = json_get(object, str_from(key));
    str text = {0};
    if (v && !scalar_text(r, v, &text)) {
        reader_bad(r, v, &(struct place){at, str_from(key), 0}, "a text");
        return (str){0};
    }
    return str_trim(text);
}

str *reader_texts(struct reader *r, const struct json *v, const struct place *at, size_t *n) {
    *n = 0;
    if (v->type == JSON_OBJECT || v->type == JSON_NULL || (v->type == JSON_ARRAY && v->count > PROFILE_MAX_ITEMS)) {
        reader_bad(r, v, at, "a text or a list of at most 2000 texts");
        return NULL;
    }
    uint32_t count = v->type == JSON_ARRAY ? v->count : 1;
    str *text = ARENA_ARRAY(r->a, count, str);
    for (uint32_t i = 0; i < count; i++) {
        const struct json *item = v->type == JSON_ARRAY ? &v->items[i] : v;
        if (scalar_text(r, item, &text[*n])) {
            text[*n] = str_trim(text[*n]);
            (*n)++;
        } else {
            reader_bad(r, item, &(struct place){at, {0}, i}, "a text");
        }
    }
    return text;
}

str reader_words(struct reader *r, str text) {
    char *to = arena_alloc(r->a, text.len + 3);
    return (str){to, profile_words(text, to, text.len + 2)};
}

static bool read_item(struct reader *r, const struct json *text, const struct json *worth, str key, const struct place *at,
                      double top, struct profile_item *out) {
    if (text && !scalar_text(r, text, &key)) {
        reader_bad(r, text, at, "a text");
        return false;
    }
    out->text = str_trim(key);
    out->worth = worth && json_is_number(worth) ? json_number_of(worth) : worth ? 0 : 1;
    if (out->text.len == 0 || out->text.len > MAX_TEXT_BYTE) {
        reader_bad(r, text ? text : worth, at, "a text that is not empty");
        return false;
    }
    if (!(out->worth > 0 && out->worth <= top)) {
        reader_bad(r, worth, at, top <= 1 ? "a number above 0 and at most 1" : "a number above 0 and at most 1000");
        return false;
    }
    out->words = reader_words(r, out->text);
    return true;
}

void reader_items(struct reader *r, const struct json *v, const struct place *at, double top, struct profile_item **out,
                  size_t *n) {
    *n = 0;
    if ((v->type != JSON_ARRAY && v->type != JSON_OBJECT) || v->count == 0 || v->count > PROFILE_MAX_ITEMS) {
        reader_bad(r, v, at, "a list of texts, or texts with what each is worth (1 to 2000 of them),");
        return;
    }
    struct profile_item *item = ARENA_ARRAY(r->a, v->count, struct profile_item);
    for (uint32_t i = 0; i < v->count; i++) {
        bool list = v->type == JSON_ARRAY;
        struct place here = {at, list ? (str){0} : v->members[i].key, i};
        const struct json *value = list ? &v->items[i] : &v->members[i].value;
        if (!read_item(r, list ? value : NULL, list ? NULL : value, list ? (str){0} : v->members[i].key, &here, top,
                       &item[*n]))
            continue;
        bool twice = false;
        for (size_t k = 0; k < *n && !twice; k++)
            twice = str_equal_nocase(item[k].text, item[*n].text);
        if (twice)
            reader_note(r, "profile_bad_value", value, &here,
                        str_format(r->a, "\"%.*s\" is here twice", STR_ARG(item[*n].text)));
        else
            (*n)++;
    }
    *out = item;
}
