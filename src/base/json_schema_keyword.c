/* json_schema_keyword.c — what each keyword demands, and the sentence that says so. */
#include "base/json_priv.h"
#include "base/json_schema_priv.h"
#include "base/number.h"
#include "base/settings.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

enum { SHOWN = 8 }; /* words a message lists at most */

/* ---- words for messages ---- */

static str number_text(struct arena *a, const struct json *v) {
    char text[40];
    size_t n = v->type == JSON_INTEGER ? number_format_integer(v->integer, text) : json_real_text(v->real, text);
    return str_copy(a, (str){text, n});
}

/* A value as a message shows it: `text`, a number or word, or the name of its kind. */
static str show(struct arena *a, const struct json *v) {
    if (v->type == JSON_STRING)
        return str_format(a, "`%.*s`", STR_ARG(json_clip(v->string)));
    if (json_is_number(v))
        return number_text(a, v);
    if (v->type == JSON_BOOL)
        return v->boolean ? STR("true") : STR("false");
    return str_from(json_type_name(v->type));
}

/* "a, b, c" or "a, b, c, …" */
static str list(struct arena *a, const str *words, size_t n) {
    str shown = str_join(a, words, n < SHOWN ? n : SHOWN, STR(", "));
    return n > SHOWN ? str_format(a, "%.*s, …", STR_ARG(shown)) : shown;
}

/* The sentence, and the known word that was probably meant. */
static str with_nearest(struct arena *a, str sentence, str word, const char *const *known, size_t n) {
    const char *near = settings_nearest(a, word, known, n);
    return near ? str_format(a, "%.*s; did you mean `%s`?", STR_ARG(sentence), near) : sentence;
}

/* "NAME must be WHAT" */
static void must_be(struct schema_check *c, const struct json *v, const struct schema_path *at, str what) {
    schema_problem(c, v, at, str_format(c->arena, "%.*s must %.*s", STR_ARG(schema_place_name(c, at)), STR_ARG(what)));
}

/* ---- any value ---- */

static bool is_whole(const struct json *v) {
    return v->type == JSON_INTEGER || (v->type == JSON_REAL && isfinite(v->real) && trunc(v->real) == v->real);
}

bool schema_type_matches(str type, const struct json *v) {
    static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    if (str_equal(type, STR("number")))
        return json_is_number(v);
    if (str_equal(type, STR("integer")))
        return is_whole(v);
    return str_equal(type, str_from(names[v->type]));
}

static str type_words(str type) {
    static const char *const words[][2] = {
        {"null", "null"},   {"boolean", "true or false"}, {"integer", "a whole number"}, {"number", "a number"},
        {"string", "text"}, {"array", "a list"},          {"object", "an object"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(type, str_from(words[i][0])))
            return str_from(words[i][1]);
    return type;
}

static void check_type(struct schema_check *c, const struct json *schema, const struct json *types, const struct json *v,
                       const struct schema_path *at) {
    (void)schema;
    const struct json *first = types->type == JSON_ARRAY ? types->items : types;
    const uint32_t n = types->type == JSON_ARRAY ? types->count : 1;
    str words[8] = {{0}};
    for (uint32_t i = 0; i < n; i++) {
        if (schema_type_matches(first[i].string, v))
            return;
        words[i % 8] = type_words(first[i].string);
    }
    str wanted = str_join(c->arena, words, n < 8 ? n : 8, STR(" or "));
    const char *is =
        v->type == JSON_REAL && n == 1 && str_equal(first->string, STR("integer")) ? "a fraction" : json_type_name(v->type);
    must_be(c, v, at, str_format(c->arena, "be %.*s, not %s", STR_ARG(wanted), is));
}

static void check_enum(struct schema_check *c, const struct json *schema, const struct json *allowed, const struct json *v,
                       const struct schema_path *at) {
    (void)schema;
    str *shown = ARENA_ARRAY(c->arena, allowed->count, str);
    const char **texts = ARENA_ARRAY(c->arena, allowed->count, const char *);
    size_t n = 0;
    for (uint32_t i = 0; i < allowed->count; i++) {
        if (json_equal(&allowed->items[i], v))
            return;
        shown[i] = show(c->arena, &allowed->items[i]);
        if (allowed->items[i].type == JSON_STRING)
            texts[n++] = allowed->items[i].string.ptr;
    }
    str words = list(c->arena, shown, allowed->count);
    str sentence = str_format(c->arena, "be one of %.*s, not %.*s", STR_ARG(words), STR_ARG(show(c->arena, v)));
    must_be(c, v, at, v->type == JSON_STRING ? with_nearest(c->arena, sentence, v->string, texts, n) : sentence);
}

static void check_const(struct schema_check *c, const struct json *schema, const struct json *wanted, const struct json *v,
                        const struct schema_path *at) {
    (void)schema;
    if (!json_equal(wanted, v))
        must_be(c, v, at,
                str_format(c->arena, "be %.*s, not %.*s", STR_ARG(show(c->arena, wanted)), STR_ARG(show(c->arena, v))));
}

/* ---- combinations ---- */

/* The problems that `v` has with one alternative. */
static struct json_problems *try_schema(struct schema_check *c, const struct json *schema, const struct json *v,
                                        const struct schema_path *at) {
    struct json_problems *trial = ARENA_NEW(c->arena, struct json_problems), *out = c->out;
    c->out = trial;
    schema_check_value(c, schema, v, at);
    c->out = out;
    return trial;
}

/* How near an alternative came: one whose fault lies deeper in the document was more likely meant. */
static size_t depth_of(const struct json_problems *p) {
    size_t deepest = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t depth = 0;
        for (size_t k = 0; k < p->items[i].pointer.len; k++)
            depth += p->items[i].pointer.ptr[k] == '/';
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

/* Number of alternatives that fit. When none does, *nearest is the best one's problems. */
static uint32_t count_fits(struct schema_check *c, const struct json *forms, const struct json *v,
                           const struct schema_path *at, const struct json_problems **nearest) {
    const struct json_problems *best = try_schema(c, &forms->items[0], v, at);
    uint32_t fits = best->n == 0;
    for (uint32_t i = 1; i < forms->count; i++) {
        const struct json_problems *trial = try_schema(c, &forms->items[i], v, at);
        fits += trial->n == 0;
        if (depth_of(trial) > depth_of(best) || (depth_of(trial) == depth_of(best) && trial->n < best->n))
            best = trial;
    }
    *nearest = best;
    return fits;
}

static void fits_none(struct schema_check *c, uint32_t n, const struct json_problems *nearest, const struct json *v,
                      const struct schema_path *at) {
    const struct json_problem *first = &nearest->items[0];
    str place = schema_place_name(c, at);
    schema_problem(c, v, at,
                   str_format(c->arena, "%.*s has none of the %u forms that are allowed here; for the nearest one: %.*s",
                              STR_ARG(place), n, STR_ARG(first->text)));
}

static void check_any_of(struct schema_check *c, const struct json *schema, const struct json *forms, const struct json *v,
                         const struct schema_path *at) {
    (void)schema;
    const struct json_problems *nearest;
    if (count_fits(c, forms, v, at, &nearest) == 0)
        fits_none(c, forms->count, nearest, v, at);
}

static void check_one_of(struct schema_check *c, const struct json *schema, const struct json *forms, const struct json *v,
                         const struct schema_path *at) {
    (void)schema;
    const struct json_problems *nearest;
    uint32_t fits = count_fits(c, forms, v, at, &nearest);
    if (fits == 0)
        fits_none(c, forms->count, nearest, v, at);
    else if (fits > 1)
        must_be(c, v, at,
                str_format(c->arena, "have exactly one of the %u forms that are allowed here, not %u", forms->count, fits));
}

static void check_all_of(struct schema_check *c, const struct json *schema, const struct json *forms, const struct json *v,
                         const struct schema_path *at) {
    (void)schema;
    for (uint32_t i = 0; i < forms->count; i++)
        schema_check_value(c, &forms->items[i], v, at);
}

static void check_not(struct schema_check *c, const struct json *schema, const struct json *form, const struct json *v,
                      const struct schema_path *at) {
    (void)schema;
    if (try_schema(c, form, v, at)->n == 0)
        schema_problem(c, v, at,
                       str_format(c->arena, "%.*s has a form that is not allowed here", STR_ARG(schema_place_name(c, at))));
}

static void check_ref(struct schema_check *c, const struct json *schema, const struct json *reference, const struct json *v,
                      const struct schema_path *at) {
    (void)schema;
    schema_check_value(c, schema_resolve(c->root, reference->string), v, at);
}

/* ---- objects ---- */

static void check_properties(struct schema_check *c, const struct json *schema, const struct json *properties,
                             const struct json *v, const struct schema_path *at) {
    (void)schema;
    for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count; i++) {
        const struct json_member *m = &v->members[i];
        const struct json *form = json_get(properties, m->key);
        if (form)
            schema_check_value(c, form, &m->value, &(struct schema_path){.up = at, .key = m->key});
    }
}

/* Says which key was probably meant, of those that are not there yet, or else what keys there are. */
static void unknown_key(struct schema_check *c, const struct json *properties, const struct json *v,
                        const struct json_member *m, const struct schema_path *at) {
    const uint32_t n = properties ? properties->count : 0;
    const char **missing = ARENA_ARRAY(c->arena, n, const char *);
    str *known = ARENA_ARRAY(c->arena, n, str);
    size_t missing_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        known[i] = properties->members[i].key;
        if (!json_get(v, known[i]))
            missing[missing_n++] = known[i].ptr;
    }
    str plain = str_format(c->arena, "unknown key `%.*s`", STR_ARG(json_clip(m->key)));
    str sentence = with_nearest(c->arena, plain, m->key, missing, missing_n);
    if (sentence.ptr == plain.ptr && n > 0)
        sentence = str_format(c->arena, "%.*s; known are %.*s", STR_ARG(plain), STR_ARG(list(c->arena, known, n)));
    const struct json key = json_key_of(m);
    schema_problem(c, &key, &(struct schema_path){.up = at, .key = m->key}, sentence);
}

static void check_additional(struct schema_check *c, const struct json *schema, const struct json *form,
                             const struct json *v, const struct schema_path *at) {
    const struct json *properties = json_get(schema, STR("properties"));
    for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count; i++) {
        const struct json_member *m = &v->members[i];
        if (json_get(properties, m->key))
            continue;
        if (form->type == JSON_BOOL && !form->boolean)
            unknown_key(c, properties, v, m, at);
        else
            schema_check_value(c, form, &m->value, &(struct schema_path){.up = at, .key = m->key});
    }
}

static void check_required(struct schema_check *c, const struct json *schema, const struct json *keys, const struct json *v,
                           const struct schema_path *at) {
    (void)schema;
    for (uint32_t i = 0; v->type == JSON_OBJECT && i < keys->count; i++) {
        const str key = keys->items[i].string;
        if (!json_get(v, key))
            schema_problem(c, v, at,
                           str_format(c->arena, "the key `%.*s` is missing%s%.*s", STR_ARG(json_clip(key)),
                                      at->up ? " in " : "", STR_ARG(at->up ? schema_place_name(c, at) : STR(""))));
    }
}

/* ---- counts ---- */

static void check_count(struct schema_check *c, const struct json *bound, uint64_t n, bool at_least, const char *what,
                        const struct json *v, const struct schema_path *at) {
    const uint64_t limit = (uint64_t)bound->integer;
    if (at_least ? n < limit : n > limit)
        must_be(c, v, at,
                str_format(c->arena, "have at %s %llu %s%s, not %llu", at_least ? "least" : "most",
                           (unsigned long long)limit, what, limit == 1 ? "" : "s", (unsigned long long)n));
}

static void check_min_properties(struct schema_check *c, const struct json *schema, const struct json *bound,
                                 const struct json *v, const struct schema_path *at) {
    (void)schema;
    if (v->type == JSON_OBJECT)
        check_count(c, bound, v->count, true, "key", v, at);
}

static void check_max_properties(struct schema_check *c, const struct json *schema, const struct json *bound,
                                 const struct json *v, const struct schema_path *at) {
    (void)schema;
    if (v->type == JSON_OBJECT)
        check_count(c, bound, v->count, false, "key", v, at);
}

static void check_min_items(struct schema_check *c, const struct json *schema, const struct json *bound,
                            const struct json *v, const struct schema_path *at) {
    (void)schema;
    if (v->type == JSON_ARRAY)
        check_count(c, bound, v->count, true, "item", v, at);
}

static void check_max_items(struct schema_check *c, const struct json *schema, const struct json *bound,
                            const struct json *v, const struct schema_path *at) {
    (void)schema;
    if (v->type == JSON_ARRAY)
        check_count(c, bound, v->count, false, "item", v, at);
}

static uint64_t count_characters(str s) {
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; n++)
        (void)utf8_next(s, &i);
    return n;
}

static void check_min_length(struct schema_check *c, const struct json *schema, const struct json *bound,
                             const struct json *v, const struct schema_path *at) {
    (void)schema;
    if (v->type != JSON_STRING)
        return;
    if (v->string.len == 0 && bound->integer > 0)
        must_be(c, v, at, STR("not be empty"));
    else
        check_count(c, bound, count_characters(v->string), true, "character", v, at);
}

static void check_max_length(struct schema_check *c, const struct json *schema, const struct json *bound,
                             const struct json *v, const struct schema_path *at) {
    (void)schema;
    if (v->type == JSON_STRING)
        check_count(c, bound, count_characters(v->string), false, "character", v, at);
}

/* ---- lists ---- */

static void check_prefix_items(struct schema_check *c, const struct json *schema, const struct json *forms,
                               const struct json *v, const struct schema_path *at) {
    (void)schema;
    for (uint32_t i = 0; v->type == JSON_ARRAY && i < v->count && i < forms->count; i++)
        schema_check_value(c, &forms->items[i], &v->items[i], &(struct schema_path){.up = at, .index = i});
}

static void check_items(struct schema_check *c, const struct json *schema, const struct json *form, const struct json *v,
                        const struct schema_path *at) {
    const struct json *prefix = json_get(schema, STR("prefixItems"));
    for (uint32_t i = prefix ? prefix->count : 0; v->type == JSON_ARRAY && i < v->count; i++)
        schema_check_value(c, form, &v->items[i], &(struct schema_path){.up = at, .index = i});
}

struct item_text {
    str text;
    uint32_t index;
};

static int by_text(const void *x, const void *y) {
    const struct item_text *a = x, *b = y;
    int order = str_compare(a->text, b->text);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* Equal values have equal canonical texts; sorting those keeps long lists from costing the square of their length. */
static void check_unique(struct schema_check *c, const struct json *schema, const struct json *wanted, const struct json *v,
                         const struct schema_path *at) {
    (void)schema;
    if (!wanted->boolean || v->type != JSON_ARRAY)
        return;
    struct item_text *items = ARENA_ARRAY(c->arena, v->count, struct item_text);
    struct buf text;
    buf_init(&text, arena_limit(c->arena));
    for (uint32_t i = 0; i < v->count; i++) {
        buf_clear(&text);
        json_write_canonical(&text, &v->items[i]);
        items[i] = (struct item_text){str_copy(c->arena, buf_str(&text)), i};
    }
    buf_done(&text);
    qsort(items, v->count, sizeof *items, by_text);
    for (uint32_t i = 1; i < v->count; i++)
        if (str_equal(items[i].text, items[i - 1].text))
            schema_problem(
                c, &v->items[items[i].index], &(struct schema_path){.up = at, .index = items[i].index},
                str_format(c->arena, "item %u is the same as item %u", items[i].index + 1, items[i - 1].index + 1));
}

/* ---- numbers ---- */

static int compare_numbers(const struct json *a, const struct json *b) {
    if (a->type == JSON_INTEGER && b->type == JSON_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    const double x = json_number_of(a), y = json_number_of(b);
    return (x > y) - (x < y);
}

/* Fails when the sign of (value − bound) is not allowed: `refused` is −1 or 1, with `and_equal` 0 as well. */
static void check_bound(struct schema_check *c, const struct json *bound, int refused, bool and_equal, const char *words,
                        const struct json *v, const struct schema_path *at) {
    if (!json_is_number(v))
        return;
    int order = compare_numbers(v, bound);
    if (order == refused || (and_equal && order == 0))
        must_be(c, v, at,
                str_format(c->arena, "be %s %.*s, not %.*s", words, STR_ARG(number_text(c->arena, bound)),
                           STR_ARG(number_text(c->arena, v))));
}

static void check_minimum(struct schema_check *c, const struct json *schema, const struct json *bound, const struct json *v,
                          const struct schema_path *at) {
    (void)schema;
    check_bound(c, bound, -1, false, "at least", v, at);
}

static void check_maximum(struct schema_check *c, const struct json *schema, const struct json *bound, const struct json *v,
                          const struct schema_path *at) {
    (void)schema;
    check_bound(c, bound, 1, false, "at most", v, at);
}

static void check_exclusive_minimum(struct schema_check *c, const struct json *schema, const struct json *bound,
                                    const struct json *v, const struct schema_path *at) {
    (void)schema;
    check_bound(c, bound, -1, true, "more than", v, at);
}

static void check_exclusive_maximum(struct schema_check *c, const struct json *schema, const struct json *bound,
                                    const struct json *v, const struct schema_path *at) {
    (void)schema;
    check_bound(c, bound, 1, true, "less than", v, at);
}

/* ---- the table ---- */

const struct schema_keyword *schema_keyword_find(str name) {
    static const struct schema_keyword keywords[] = {
        {"type", FORM_TYPES, check_type},
        {"enum", FORM_LIST, check_enum},
        {"const", FORM_ANY, check_const},
        {"anyOf", FORM_SCHEMA_LIST, check_any_of},
        {"oneOf", FORM_SCHEMA_LIST, check_one_of},
        {"allOf", FORM_SCHEMA_LIST, check_all_of},
        {"not", FORM_SCHEMA, check_not},
        {"$ref", FORM_REFERENCE, check_ref},
        {"properties", FORM_SCHEMA_MAP, check_properties},
        {"additionalProperties", FORM_SCHEMA, check_additional},
        {"required", FORM_KEYS, check_required},
        {"minProperties", FORM_COUNT, check_min_properties},
        {"maxProperties", FORM_COUNT, check_max_properties},
        {"prefixItems", FORM_SCHEMA_LIST, check_prefix_items},
        {"items", FORM_SCHEMA, check_items},
        {"minItems", FORM_COUNT, check_min_items},
        {"maxItems", FORM_COUNT, check_max_items},
        {"uniqueItems", FORM_BOOL, check_unique},
        {"minimum", FORM_NUMBER, check_minimum},
        {"maximum", FORM_NUMBER, check_maximum},
        {"exclusiveMinimum", FORM_NUMBER, check_exclusive_minimum},
        {"exclusiveMaximum", FORM_NUMBER, check_exclusive_maximum},
        {"minLength", FORM_COUNT, check_min_length},
        {"maxLength", FORM_COUNT, check_max_length},
        {"$defs", FORM_SCHEMA_MAP, NULL},
        {"$schema", FORM_ANY, NULL},
        {"$id", FORM_ANY, NULL},
        {"$comment", FORM_ANY, NULL},
        {"title", FORM_ANY, NULL},
        {"description", FORM_ANY, NULL},
        {"default", FORM_ANY, NULL},
        {"examples", FORM_ANY, NULL},
        {"deprecated", FORM_ANY, NULL},
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (str_equal(name, str_from(keywords[i].name)))
            return &keywords[i];
    return NULL;
}
