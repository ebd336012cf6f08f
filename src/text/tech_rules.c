/* tech_rules.c — rule files: which are categories, which technologies, and what each technology says. */
#include "text/tech_priv.h"

#include "text/tech_pattern.h"

#include "base/json.h"

enum { TECHNOLOGY_MAX = 200000, PATTERN_MAX = 1000000, WORK_BYTE = 256 << 10 };

static const char *const kind_names[TECH_KIND_COUNT] = {"url",     "html",    "text", "scripts", "css", "scriptSrc",
                                                        "headers", "cookies", "meta", "dns",     "dom"};

const char *tech_kind_name(enum tech_kind kind) { return kind_names[kind]; }

/* What one file says of one technology. */
struct definition {
    uint32_t tech;
    str file;
    const struct json *value;
};

/* What is gathered before patterns are compiled. */
struct loader {
    struct tech_rules *r;
    struct arena *arena;
    struct definition *definition;
    size_t n_definition, cap_definition;
    struct tech_pair *category; /* id as text, name */
    size_t n_category, cap_category;
    struct tech_names names;
    struct buf *exact, *rough;
    const struct definition *now;
};

void tech_fault_add(struct tech_rules *r, str file, str technology, str kind) {
    if (r->n_fault == r->cap_fault)
        r->fault = arena_grow(r->arena, r->fault, &r->cap_fault, r->n_fault + 1, sizeof *r->fault);
    r->fault[r->n_fault++] = (struct tech_fault){
        .file = file, .technology = technology, .kind = kind, .reason = str_copy(r->arena, str_from(err_text()))};
}

static void fault(struct loader *l, enum tech_kind kind) {
    tech_fault_add(l->r, l->now->file, l->r->tech[l->now->tech].name, str_from(kind_names[kind]));
}

static void fault_relation(struct loader *l, const char *what, str name) {
    (void)!fail(ERR_INPUT, "tech_rule", "there is no technology \"%.*s\"", STR_ARG(name));
    tech_fault_add(l->r, l->now->file, l->r->tech[l->now->tech].name, str_from(what));
}

static void fault_value(struct loader *l, enum tech_kind kind, str key) {
    (void)!fail(ERR_INPUT, "tech_rule", "a pattern of \"%.*s\" is no text, or one too many", STR_ARG(key));
    fault(l, kind);
}

/* ---- values that are one or several ---- */

static size_t count_of(const struct json *v) {
    return !v || v->type == JSON_NULL ? 0 : v->type == JSON_ARRAY ? v->count : 1;
}
static const struct json *item_of(const struct json *v, size_t i) { return v->type == JSON_ARRAY ? &v->items[i] : v; }

/* The text of a pattern: strings, and numbers and true as they are written. */
static bool text_of(struct arena *a, const struct json *v, str *out) {
    if (v->type == JSON_STRING)
        *out = v->string;
    else if (v->type == JSON_INTEGER)
        *out = str_format(a, "%lld", (long long)v->integer);
    else if (v->type == JSON_BOOL && v->boolean)
        *out = (str){"", 0};
    else
        return false;
    return true;
}

/* ---- names ---- */

static uint32_t find_name(const struct loader *l, str name) {
    for (size_t at = str_hash(name) & l->names.mask; l->names.slot[at] != 0; at = (at + 1) & l->names.mask)
        if (str_equal(l->r->tech[l->names.slot[at] - 1].name, name))
            return l->names.slot[at] - 1;
    return TECH_NONE;
}

static void grow_names(struct loader *l) {
    const size_t size = l->names.slot ? 2 * (l->names.mask + 1) : 4096;
    l->names.slot = ARENA_ARRAY(l->arena, size, uint32_t);
    l->names.mask = size - 1;
    for (size_t i = 0; i < l->r->n_tech; i++) {
        size_t at = str_hash(l->r->tech[i].name) & l->names.mask;
        while (l->names.slot[at] != 0)
            at = (at + 1) & l->names.mask;
        l->names.slot[at] = (uint32_t)i + 1;
    }
}

/* The technology's number, a new one when it has none yet. */
static uint32_t name_number(struct loader *l, str name) {
    struct tech_rules *r = l->r;
    const uint32_t known = find_name(l, name);
    if (known != TECH_NONE)
        return known;
    if (r->n_tech == r->cap_tech)
        r->tech = arena_grow(l->arena, r->tech, &r->cap_tech, r->n_tech + 1, sizeof *r->tech);
    const uint32_t number = (uint32_t)r->n_tech++;
    r->tech[number] = (struct technology){.name = str_copy(l->arena, name)};
    if (2 * r->n_tech > l->names.mask) {
        grow_names(l);
        return number;
    }
    size_t at = str_hash(name) & l->names.mask;
    while (l->names.slot[at] != 0)
        at = (at + 1) & l->names.mask;
    l->names.slot[at] = number + 1;
    return number;
}

static void add_technology(struct loader *l, str file, str name, const struct json *value) {
    if (l->n_definition == l->cap_definition)
        l->definition = arena_grow(l->arena, l->definition, &l->cap_definition, l->n_definition + 1, sizeof *l->definition);
    l->definition[l->n_definition++] = (struct definition){name_number(l, name), file, value};
}

static void add_categories(struct loader *l, const struct json *object) {
    for (uint32_t i = 0; i < object->count; i++) {
        const struct json_member *m = &object->members[i];
        const struct json *name = json_get(&m->value, STR("name"));
        if (!name || name->type != JSON_STRING)
            continue;
        if (l->n_category == l->cap_category)
            l->category = arena_grow(l->arena, l->category, &l->cap_category, l->n_category + 1, sizeof *l->category);
        l->category[l->n_category++] = (struct tech_pair){str_copy(l->arena, m->key), str_copy(l->arena, name->string)};
    }
}

static bool is_number(str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

/* Categories have numbers for keys, and names; in a file of groups the values have nothing else. */
static bool are_categories(const struct json *v) {
    if (v->type != JSON_OBJECT || v->count == 0)
        return false;
    for (uint32_t i = 0; i < v->count; i++)
        if (!is_number(v->members[i].key) || !json_get(&v->members[i].value, STR("name")) || v->members[i].value.count < 2)
            return false;
    return true;
}

static bool is_technology(const struct json *v) { return v->type == JSON_OBJECT && json_get(v, STR("cats")); }

static err add_technologies(struct loader *l, str file, const struct json *object) {
    for (uint32_t i = 0; i < object->count; i++) {
        if (!is_technology(&object->members[i].value))
            continue;
        if (l->n_definition == TECHNOLOGY_MAX)
            return fail(ERR_LIMIT, "tech_rules_many", "more than %d technologies", TECHNOLOGY_MAX);
        add_technology(l, file, object->members[i].key, &object->members[i].value);
    }
    return OK;
}

/* A file is one of categories, one of technologies, or one object with both under names. */
static err add_source(struct loader *l, const struct tech_source *s) {
    const struct json *v;
    const struct json_limits limits = {.max_byte = (size_t)32 << 20};
    const err rc = json_parse(l->arena, s->json, &limits, &v);
    if (rc != OK)
        return err_prefix(rc, "%.*s", STR_ARG(s->name));
    if (v->type != JSON_OBJECT)
        return OK;
    if (are_categories(v)) {
        add_categories(l, v);
        return OK;
    }
    const struct json *categories = json_get(v, STR("categories")), *apps = json_get(v, STR("apps"));
    const struct json *technologies = json_get(v, STR("technologies"));
    if (categories && are_categories(categories))
        add_categories(l, categories);
    if (apps && apps->type == JSON_OBJECT)
        return add_technologies(l, s->name, apps);
    if (technologies && technologies->type == JSON_OBJECT && !is_technology(technologies))
        return add_technologies(l, s->name, technologies);
    return add_technologies(l, s->name, v);
}

/* ---- patterns ---- */

static void add_pattern(struct loader *l, enum tech_kind kind, str key, str text, uint32_t *out) {
    const struct tech_pattern p = {.tech = l->now->tech, .kind = kind, .key = key};
    *out = TECH_NONE;
    if (l->r->n_pattern == PATTERN_MAX) {
        (void)!fail(ERR_LIMIT, "tech_rules_many", "more than %d patterns", PATTERN_MAX);
        fault(l, kind);
    } else if (tech_pattern_add(l->r, p, text, l->exact, l->rough, out) != OK) {
        fault(l, kind);
    }
}

/* Patterns of a value that is one or several. */
static void add_patterns(struct loader *l, enum tech_kind kind, str key, const struct json *v) {
    for (size_t i = 0; i < count_of(v); i++) {
        str text;
        uint32_t number;
        if (!text_of(l->arena, item_of(v, i), &text)) {
            fault_value(l, kind, key);
            continue;
        }
        add_pattern(l, kind, key, text, &number);
        if (number == TECH_NONE || kind < (enum tech_kind)TECH_SCANNED)
            continue;
        struct tech_rules *r = l->r;
        if (r->n_keyed[kind] == r->cap_keyed[kind])
            r->keyed[kind] =
                arena_grow(l->arena, r->keyed[kind], &r->cap_keyed[kind], r->n_keyed[kind] + 1, sizeof *r->keyed[kind]);
        r->keyed[kind][r->n_keyed[kind]++] = (struct tech_keyed){key, number};
    }
}

static void add_named_patterns(struct loader *l, enum tech_kind kind, const struct json *v) {
    if (!v || v->type != JSON_OBJECT)
        return;
    for (uint32_t i = 0; i < v->count; i++)
        add_patterns(l, kind, str_lower(l->arena, v->members[i].key), &v->members[i].value);
}

/* ---- selectors ---- */

enum { CHECK_MAX = 64 };

struct checks {
    struct tech_check check[CHECK_MAX];
    size_t n;
    str selector;
};

static void add_check(struct loader *l, struct checks *c, enum tech_check_kind kind, str attribute, const struct json *v) {
    for (size_t i = 0; i < count_of(v); i++) {
        str text;
        uint32_t number;
        if (c->n == CHECK_MAX || !text_of(l->arena, item_of(v, i), &text)) {
            fault_value(l, TECH_DOM, c->selector);
            continue;
        }
        add_pattern(l, TECH_DOM, c->selector, text, &number);
        if (number != TECH_NONE)
            c->check[c->n++] = (struct tech_check){kind, str_lower(l->arena, attribute), number};
    }
}

/* What is checked on the elements: {"exists": …, "text": …, "attributes": {…}}; "properties" need a running page. */
static void add_checks(struct loader *l, struct checks *c, const struct json *v) {
    if (v->type == JSON_STRING) {
        add_check(l, c, CHECK_EXISTS, STR(""), v);
        return;
    }
    if (v->type != JSON_OBJECT)
        return;
    add_check(l, c, CHECK_EXISTS, STR(""), json_get(v, STR("exists")));
    add_check(l, c, CHECK_TEXT, STR(""), json_get(v, STR("text")));
    const struct json *attributes = json_get(v, STR("attributes"));
    for (uint32_t i = 0; attributes && attributes->type == JSON_OBJECT && i < attributes->count; i++)
        add_check(l, c, CHECK_ATTRIBUTE, attributes->members[i].key, &attributes->members[i].value);
}

static void add_rules(struct loader *l, const struct checks *c) {
    struct tech_selector *s;
    size_t n;
    if (c->n == 0)
        return;
    if (tech_selector_parse(l->arena, c->selector, &s, &n) != OK) {
        fault(l, TECH_DOM);
        return;
    }
    const struct tech_check *check = arena_copy(l->arena, c->check, c->n * sizeof *c->check);
    for (size_t i = 0; i < n; i++)
        tech_dom_add(l->r, &s[i], check, c->n);
}

static void add_selector(struct loader *l, str selector, const struct json *v) {
    struct checks c = {.selector = str_copy(l->arena, selector)};
    for (size_t i = 0; i < count_of(v); i++)
        add_checks(l, &c, item_of(v, i));
    add_rules(l, &c);
}

static void add_dom(struct loader *l, const struct json *v) {
    for (size_t i = 0; i < count_of(v); i++) {
        const struct json *item = item_of(v, i);
        if (item->type == JSON_STRING) {
            /* A selector alone; its tags follow it as they follow a pattern. */
            const str selector = tech_pattern_split(item->string).regex;
            const struct json exists = {.type = JSON_STRING,
                                        .string = str_slice(item->string, selector.len, item->string.len)};
            add_selector(l, selector, &exists);
        }
        for (uint32_t k = 0; item->type == JSON_OBJECT && k < item->count; k++)
            add_selector(l, item->members[k].key, &item->members[k].value);
    }
}

/* ---- relations ---- */

static const uint32_t *technologies_of(struct loader *l, const char *what, const struct json *v, size_t *n) {
    uint32_t *list = ARENA_ARRAY(l->arena, count_of(v), uint32_t);
    for (size_t i = 0; i < count_of(v); i++) {
        const struct json *item = item_of(v, i);
        const str name = item->type == JSON_STRING ? tech_pattern_split(item->string).regex : (str){"", 0};
        const uint32_t tech = find_name(l, name);
        if (tech == TECH_NONE)
            fault_relation(l, what, name);
        else
            list[(*n)++] = tech;
    }
    return list;
}

static void add_implies(struct loader *l, struct technology *t, const struct json *v) {
    struct tech_implied *list = ARENA_ARRAY(l->arena, count_of(v), struct tech_implied);
    for (size_t i = 0; i < count_of(v); i++) {
        const struct json *item = item_of(v, i);
        const struct tech_parts parts = tech_pattern_split(item->type == JSON_STRING ? item->string : (str){"", 0});
        const uint32_t tech = find_name(l, parts.regex);
        if (tech == TECH_NONE)
            fault_relation(l, "implies", parts.regex);
        else
            list[t->n_implies++] = (struct tech_implied){tech, (uint8_t)parts.confidence, parts.version};
    }
    t->implies = list;
}

static int64_t integer_of(const struct json *v) {
    int64_t value = 0;
    if (v->type == JSON_INTEGER)
        return v->integer;
    for (size_t i = 0; v->type == JSON_STRING && i < v->string.len && i < 9; i++) {
        if (v->string.ptr[i] < '0' || v->string.ptr[i] > '9')
            return -1;
        value = value * 10 + (v->string.ptr[i] - '0');
    }
    return v->type == JSON_STRING ? value : -1;
}

static const int64_t *integers_of(struct loader *l, const struct json *v, size_t *n) {
    int64_t *list = ARENA_ARRAY(l->arena, count_of(v), int64_t);
    for (size_t i = 0; i < count_of(v); i++)
        list[(*n)++] = integer_of(item_of(v, i));
    return list;
}

static void add_category_names(struct loader *l, struct technology *t) {
    str *name = ARENA_ARRAY(l->arena, t->n_category, str);
    for (size_t i = 0; i < t->n_category; i++) {
        char id[24];
        const int n = snprintf(id, sizeof id, "%lld", (long long)t->category_id[i]);
        name[i] = str_copy(l->arena, (str){id, (size_t)n});
        for (size_t k = 0; k < l->n_category; k++)
            if (str_equal(l->category[k].name, name[i])) {
                name[i] = l->category[k].value;
                break;
            }
    }
    t->category = name;
}

static void read_relations(struct loader *l, struct technology *t, const struct json *v) {
    t->category_id = integers_of(l, json_get(v, STR("cats")), &t->n_category);
    add_category_names(l, t);
    t->requires_category = integers_of(l, json_get(v, STR("requiresCategory")), &t->n_requires_category);
    t->requires = technologies_of(l, "requires", json_get(v, STR("requires")), &t->n_requires);
    t->excludes = technologies_of(l, "excludes", json_get(v, STR("excludes")), &t->n_excludes);
    add_implies(l, t, json_get(v, STR("implies")));
}

/* The patterns of all definitions count, the relations of the first. */
static void read_definition(struct loader *l, const struct definition *d) {
    struct technology *t = &l->r->tech[d->tech];
    l->now = d;
    for (enum tech_kind k = 0; k < (enum tech_kind)TECH_SCANNED; k++)
        add_patterns(l, k, STR(""), json_get(d->value, str_from(kind_names[k])));
    for (enum tech_kind k = TECH_HEADERS; k <= TECH_DNS; k++)
        add_named_patterns(l, k, json_get(d->value, str_from(kind_names[k])));
    add_dom(l, json_get(d->value, STR("dom")));
    if (!t->category)
        read_relations(l, t, d->value);
}

/* ---- all of it ---- */

static int by_key(const void *x, const void *y) {
    const struct tech_keyed *a = x, *b = y;
    const int order = str_compare(a->key, b->key);
    return order != 0 ? order : a->pattern < b->pattern ? -1 : a->pattern > b->pattern;
}

err tech_rules_compile(struct arena *a, const struct tech_source *source, size_t n, bool prefilter,
                       struct tech_rules **out) {
    struct tech_rules *r = ARENA_NEW(a, struct tech_rules);
    r->arena = a;
    r->prefilter = prefilter;
    tech_rules_defer(r);
    struct loader l = {.r = r, .arena = a, .exact = buf_in(a, WORK_BYTE), .rough = buf_in(a, WORK_BYTE)};
    grow_names(&l);
    for (size_t i = 0; i < n; i++)
        TRY(add_source(&l, &source[i]));
    if (r->n_tech == 0)
        return fail(ERR_INPUT, "tech_no_rules", "%.*s: no file has technologies",
                    STR_ARG(n > 0 ? source[0].name : STR("-")));
    for (size_t i = 0; i < l.n_definition; i++)
        read_definition(&l, &l.definition[i]);
    for (size_t k = 0; k < TECH_KIND_COUNT; k++)
        if (r->n_keyed[k] > 0)
            qsort(r->keyed[k], r->n_keyed[k], sizeof *r->keyed[k], by_key);
    tech_dom_index(r);
    r->n_category = l.n_category;
    TRY(tech_sets_build(r));
    *out = r;
    return OK;
}

struct tech_rules_size tech_rules_size(const struct tech_rules *r) {
    return (struct tech_rules_size){r->n_tech, r->n_category, r->n_pattern, r->dom.n_rule};
}

const struct tech_fault *tech_rules_faults(const struct tech_rules *r, size_t *n) {
    *n = r->n_fault;
    return r->fault;
}
